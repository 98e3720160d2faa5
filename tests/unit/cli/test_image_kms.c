/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing with a KMS key, against a server of the test's own that answers one Sign call. */
#include "cli/image_kms.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

#include "test.h"

#define ARN "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

struct kms {
	int fd;
	pthread_t thread;
	const char *answer;
	char request[8192];
};

static bool is_whole(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n"), *n = strcasestr(request, "content-length:");

	return end && n && strlen(end + 4) >= strtoul(n + 15, NULL, 10);
}

static void *serve(void *arg)
{
	struct kms *k = arg;
	int c = accept(k->fd, NULL, NULL);
	size_t n = 0;
	ssize_t got;

	while (c >= 0 && !is_whole(k->request) &&
	       (got = recv(c, k->request + n, sizeof k->request - 1 - n, 0)) > 0)
		n += (size_t)got;
	dprintf(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
	        strlen(k->answer), k->answer);
	close(c);
	return NULL;
}

static void start(struct kms *k, const char *answer)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;
	char url[64];

	memset(k, 0, sizeof *k);
	k->answer = answer;
	k->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(k->fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(k->fd, 1) == 0);
	CHECK(getsockname(k->fd, (struct sockaddr *)&at, &n) == 0);
	snprintf(url, sizeof url, "http://127.0.0.1:%u", ntohs(at.sin_port));
	setenv("AWS_ENDPOINT_URL", url, 1);
	setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	setenv("AWS_REGION", "us-east-1", 1); /* the ARN's comes first */
	unsetenv("AWS_SESSION_TOKEN");
	unsetenv("AWS_CA_BUNDLE");
	pthread_create(&k->thread, NULL, serve, k);
}

/* One Sign call with that answer; the request stays in k. */
static enum ady_err sign(struct kms *k, const char *answer, uint8_t sig96[static 96],
                         struct ady_fault *f)
{
	uint8_t digest[48];
	struct ady_image_kms kms;
	enum ady_err err;

	start(k, answer);
	memset(digest, 0xab, sizeof digest);
	CHECK_ERR(ady_image_kms_open(&kms, ARN, f), ADY_OK);
	err = ady_image_kms_sign(&kms, digest, sig96, f);
	ady_image_kms_close(&kms);
	shutdown(k->fd, SHUT_RDWR);
	pthread_join(k->thread, NULL);
	close(k->fd);
	return err;
}

CASE(kms_is_asked_as_its_reference_says)
{
	uint8_t sig96[96];
	struct ady_fault f = {0};
	struct kms k;

	/* {r: 1, s: 0x80} */
	CHECK_ERR(sign(&k, "{\"KeyId\":\"x\",\"Signature\":\"MAcCAQECAgCA\"}", sig96, &f), ADY_OK);
	CHECK_INT(sig96[47], 1);
	CHECK_INT(sig96[95], 0x80);
	CHECK(strncmp(k.request, "POST / HTTP/1.1\r\n", 17) == 0);
	CHECK(strcasestr(k.request, "x-amz-target: TrentService.Sign\r\n") != NULL);
	CHECK(strcasestr(k.request, "content-type: application/x-amz-json-1.1\r\n") != NULL);
	CHECK(strstr(k.request, "/eu-west-1/kms/aws4_request") != NULL);
	CHECK(strstr(k.request,
	             "\r\n\r\n{\"KeyId\":\"" ARN "\",\"Message\":\""
	             "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6ur\","
	             "\"MessageType\":\"DIGEST\",\"SigningAlgorithm\":\"ECDSA_SHA_384\"}") != NULL);
}

CASE(other_answers_are_refused)
{
	static const char *const answers[] = {"{}", "{\"Signature\":1}", "{\"Signature\":\"!\"}",
	                                      "{\"Signature\":\"MAcCAQECAgA=\"}"};
	uint8_t sig96[96];
	struct kms k;

	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct ady_fault f = {0};

		CHECK_ERR(sign(&k, answers[i], sig96, &f), ADY_E_KMS_REPLY);
		CHECK_STR(f.where, "Signature");
		CHECK_STR(f.detail, "is no ECDSA signature of P-384");
	}
}

CASE(an_arn_is_told_from_a_file)
{
	static const char *const bad[] = {"arn:", "arn:aws:kms:eu-west-1:1:key/x",
	                                  "arn:aws:s3:eu-west-1:111122223333:key/x",
	                                  "arn:aws:kms:eu-west-1:111122223333:alias/x", ARN " "};
	struct ady_image_kms kms;

	CHECK(ady_image_kms_is_arn(ARN) && !ady_image_kms_is_arn("key.pem"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ady_fault f = {0};

		CHECK_ERR(ady_image_kms_open(&kms, bad[i], &f), ADY_E_FIELD_INVALID);
		CHECK_STR(f.where, "--sign-key");
	}
}

int main(void)
{
	RUN(kms_is_asked_as_its_reference_says);
	RUN(other_answers_are_refused);
	RUN(an_arn_is_told_from_a_file);
	return test_end();
}
