/* SPDX-License-Identifier: Apache-2.0
 *
 * The AWS client against a server of the test's own: one thread, plain HTTP, scripted replies. */
#include "aws/client.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/hash.h"

#include "test.h"

enum { REQUESTS = 8 };

/* A reply as the server below takes it: status and body; without a newline it is sent as it is. */
#define REPLY(status, body) status "\n" body

struct server {
	int fd;
	pthread_t thread;
	char url[64];
	const char *const *replies; /* NULL-terminated; the last one is repeated */
	_Atomic int n;              /* requests so far */
	char requests[REQUESTS][8192];
};

/* Read one request: to the end of its head and of its Content-Length. */
static size_t read_request(int fd, char *out, size_t cap)
{
	size_t n = 0, want = 0;

	while (n < cap - 1 && (want == 0 || n < want)) {
		ssize_t got = recv(fd, out + n, cap - 1 - n, 0);
		const char *end, *length;

		if (got <= 0)
			return 0;
		n += (size_t)got;
		out[n] = '\0';
		end = strstr(out, "\r\n\r\n");
		if (!end || want)
			continue;
		length = strcasestr(out, "\r\ncontent-length:");
		want = (size_t)(end + 4 - out) + (length ? strtoul(length + 17, NULL, 10) : 0);
	}
	return n;
}

static bool reply(int fd, const char *text)
{
	const char *body = text[0] == 'H' ? NULL : strchr(text, '\n');
	char whole[2048];

	if (!body)
		return send(fd, text, strlen(text), MSG_NOSIGNAL) >= 0;
	snprintf(whole, sizeof whole, "HTTP/1.1 %.*s\r\nContent-Length: %zu\r\n\r\n%s",
	         (int)(body - text), text, strlen(body + 1), body + 1);
	return send(fd, whole, strlen(whole), MSG_NOSIGNAL) >= 0;
}

static void *serve(void *arg)
{
	struct server *s = arg;
	size_t at = 0;
	int c;

	while ((c = accept(s->fd, NULL, NULL)) >= 0) {
		for (;;) {
			char *to = s->requests[atomic_load(&s->n) % REQUESTS];

			if (read_request(c, to, sizeof s->requests[0]) == 0)
				break;
			atomic_fetch_add(&s->n, 1);
			if (!*s->replies[at])
				break; /* an empty reply: hang up */
			if (!reply(c, s->replies[at]))
				break;
			if (s->replies[at + 1])
				at++;
		}
		if (s->replies[at + 1] && !*s->replies[at])
			at++;
		close(c);
	}
	return NULL;
}

static void start(struct server *s, const char *const *replies)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;

	memset(s, 0, sizeof *s);
	s->replies = replies;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(s->fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(s->fd, 8) == 0);
	CHECK(getsockname(s->fd, (struct sockaddr *)&at, &n) == 0);
	snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", ntohs(at.sin_port));
	pthread_create(&s->thread, NULL, serve, s);
}

static void stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static struct ady_aws *client(const struct server *s)
{
	const struct ady_aws_config config = {
	    .endpoint = s->url, .region = "eu-west-1", .timeout_ms = 2000};
	struct ady_aws *aws;

	CHECK_ERR(ady_aws_open(&aws, &config), ADY_OK);
	return aws;
}

static const struct ady_aws_credentials who = {
    .access_key = "AKIDEXAMPLE", .secret_key = "secret", .token = "token"};

static enum ady_err call(struct ady_aws *aws, json_t **reply, struct ady_fault *f)
{
	json_t *body = json_pack("{s:s}", "KeyId", "k");
	enum ady_err err = ady_aws_json(aws, &who, "kms", "TrentService.Decrypt", body, reply, f);

	json_decref(body);
	return err;
}

/* The value of a header line of a request. */
static const char *field(const char *request, const char *name, char *out, size_t cap)
{
	char start[64];
	const char *at;

	out[0] = '\0';
	snprintf(start, sizeof start, "\r\n%s: ", name);
	at = strcasestr(request, start);
	if (at)
		ady_bytes_to_str(out, cap,
		                 ady_bytes(at + strlen(start), strcspn(at + strlen(start), "\r")));
	return out;
}

CASE(a_call_is_signed_as_it_is_sent)
{
	static const char *const replies[] = {REPLY("200 OK", "{\"a\":\"b\"}"), NULL};
	char host[64], date[64], authorization[1024], want[1024], type[64];
	struct server s;
	struct ady_aws *aws;
	struct ady_fault f;
	json_t *reply;

	start(&s, replies);
	aws = client(&s);
	CHECK_ERR(call(aws, &reply, &f), ADY_OK);
	CHECK_STR(json_string_value(json_object_get(reply, "a")), "b");
	json_decref(reply);
	field(s.requests[0], "host", host, sizeof host);
	field(s.requests[0], "x-amz-date", date, sizeof date);
	field(s.requests[0], "authorization", authorization, sizeof authorization);
	CHECK_STR(field(s.requests[0], "content-type", type, sizeof type),
	          "application/x-amz-json-1.1");
	CHECK_STR(host, s.url + 7);
	CHECK(strstr(s.requests[0], "\r\n\r\n{\"KeyId\":\"k\"}") != NULL);
	CHECK(!strcasestr(s.requests[0], "expect:"));
	{
		const struct ady_bytes payload = ady_bytes_str("{\"KeyId\":\"k\"}");
		const struct ady_sigv4_field fields[] = {
		    {ady_bytes_str("content-type"), ady_bytes_str("application/x-amz-json-1.1")},
		    {ady_bytes_str("host"), ady_bytes_str(host)},
		    {ady_bytes_str("x-amz-date"), ady_bytes_str(date)},
		    {ady_bytes_str("x-amz-security-token"), ady_bytes_str("token")},
		    {ady_bytes_str("x-amz-target"), ady_bytes_str("TrentService.Decrypt")}};
		struct ady_sigv4_scope scope = {.region = "eu-west-1", .service = "kms"};
		struct ady_sigv4_request request = {.method = ady_bytes_str("POST"),
		                                    .path = ady_bytes_str("/"),
		                                    .fields = fields,
		                                    .fields_n = 5};
		struct ady_buf b = ady_buf(want, sizeof want - 1);
		uint8_t hash[32];

		ady_sha256(hash, &payload, 1);
		request.payload_sha256 = hash;
		CHECK_ERR(ady_time_parse(&scope.unix_s, ady_bytes_str(date)), ADY_OK);
		CHECK_ERR(ady_sigv4_authorize(&b, &who, &scope, &request), ADY_OK);
		want[b.n] = '\0';
		CHECK_STR(authorization, want);
	}
	ady_aws_close(aws);
	stop(&s);
}

CASE(refusals_carry_aws_s_name)
{
	static const struct {
		const char *reply, *cause, *detail;
		enum ady_err err;
	} all[] = {
	    {REPLY("400 Bad",
	           "{\"__type\":\"com.amazonaws.kms#NotFoundException\",\"message\":\"no\"}"),
	     "NotFoundException", "no", ADY_E_KMS},
	    {REPLY("400 Bad", "{\"__type\":\"AccessDeniedException\",\"Message\":\"Not\"}  "),
	     "AccessDeniedException", "Not", ADY_E_KMS},
	    {REPLY("400 Bad", "{\"__type\":\"InvalidCiphertextException\"} "),
	     "InvalidCiphertextException", "AWS answered with status 400", ADY_E_KMS},
	    {REPLY("400 Bad", "{\"__type\":\"ExpiredTokenException\"} "), "ExpiredTokenException",
	     "AWS answered with status 400", ADY_E_CREDENTIALS},
	    {REPLY("403 No", "{\"__type\":\"UnrecognizedClientException\"}"),
	     "UnrecognizedClientException", "AWS answered with status 403", ADY_E_CREDENTIALS},
	    {REPLY("404 Not", "<html>"), "", "AWS answered with status 404", ADY_E_KMS},
	    {REPLY("200 OK", "<html>"), "", "the reply of AWS is not JSON", ADY_E_STORE},
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		const char *const replies[] = {all[i].reply, NULL};
		struct server s;
		struct ady_aws *aws;
		struct ady_fault f;
		json_t *reply;

		start(&s, replies);
		aws = client(&s);
		CHECK_ERR(call(aws, &reply, &f), all[i].err);
		CHECK(reply == NULL);
		CHECK_STR(f.cause, all[i].cause);
		CHECK_STR(f.detail, all[i].detail);
		CHECK_INT(atomic_load(&s.n), 1); /* not tried again */
		ady_aws_close(aws);
		stop(&s);
	}
}

CASE(throttling_and_outages_are_tried_again)
{
	static const char *const replies[] = {
	    REPLY("400 Bad", "{\"__type\":\"ThrottlingException\"} "), REPLY("503 Busy", ""),
	    REPLY("200 OK", "{}"), NULL};
	static const char *const down[] = {REPLY("500 Broken", ""), NULL};
	static const char *const hangs_up[] = {"", REPLY("200 OK", "{}"), NULL};
	struct server s;
	struct ady_aws *aws;
	struct ady_fault f;
	json_t *reply;

	start(&s, replies);
	aws = client(&s);
	CHECK_ERR(call(aws, &reply, &f), ADY_OK);
	json_decref(reply);
	CHECK_INT(atomic_load(&s.n), 3);
	ady_aws_close(aws);
	stop(&s);

	start(&s, down);
	aws = client(&s);
	CHECK_ERR(call(aws, &reply, &f), ADY_E_STORE);
	CHECK_INT(atomic_load(&s.n), 3);
	ady_aws_close(aws);
	stop(&s);

	start(&s, hangs_up);
	aws = client(&s);
	CHECK_ERR(call(aws, &reply, &f), ADY_OK);
	json_decref(reply);
	ady_aws_close(aws);
	stop(&s);
}

CASE(nobody_there_is_said_so)
{
	const struct ady_aws_config config = {
	    .endpoint = "https://127.0.0.1:1", .region = "r", .timeout_ms = 500};
	struct ady_aws *aws;
	struct ady_fault f;
	json_t *reply;

	CHECK_ERR(ady_aws_open(&aws, &config), ADY_OK);
	CHECK_ERR(call(aws, &reply, &f), ADY_E_STORE);
	CHECK(strstr(f.detail, "no reply from AWS") != NULL);
	ady_aws_close(aws);
}

CASE(a_stopped_client_ends_soon)
{
	static const char *const slow[] = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{", NULL};
	struct server s;
	atomic_bool halt = true;
	struct ady_aws_config config = {.region = "r", .timeout_ms = 20000, .stop = &halt};
	struct ady_aws *aws;
	struct ady_fault f;
	int64_t before = ady_mono_ms();
	json_t *reply;

	start(&s, slow);
	config.endpoint = s.url;
	CHECK_ERR(ady_aws_open(&aws, &config), ADY_OK);
	CHECK_ERR(call(aws, &reply, &f), ADY_E_STORE);
	CHECK(ady_mono_ms() - before < 5000);
	ady_aws_close(aws);
	stop(&s);
}

#define ROLE                                                                                      \
	"<R><Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s/+=</SecretAccessKey>" \
	"<SessionToken>tok</SessionToken><Expiration>2026-11-23T12:40:00Z</Expiration>"           \
	"</Credentials></R>"

CASE(a_role_is_assumed)
{
	static const char *const replies[] = {REPLY("200 OK", ROLE), NULL};
	static const char *const refused[] = {
	    REPLY("403 No",
	          "<E><Error><Code>AccessDenied</Code><Message>nope</Message></Error></E> "),
	    NULL};
	static const char *const nothing[] = {REPLY("200 OK", "<R>"), NULL};
	struct ady_aws_credentials c;
	struct server s;
	struct ady_aws *aws;
	struct ady_fault f;

	start(&s, replies);
	aws = client(&s);
	CHECK_ERR(ady_aws_assume_role(aws, &who, "arn:aws:iam::1:role/a b", "name", "{\"a\":1}",
	                              900, &c, &f),
	          ADY_OK);
	CHECK_STR(c.access_key, "ASIA1");
	CHECK_STR(c.secret_key, "s/+=");
	CHECK_STR(c.token, "tok");
	CHECK_INT(c.expires_unix_s, 1795437600);
	CHECK(strstr(s.requests[0],
	             "\r\n\r\nAction=AssumeRole&Version=2011-06-15&DurationSeconds=900&RoleArn="
	             "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%20b&RoleSessionName=name&Policy="
	             "%7B%22a%22%3A1%7D") != NULL);
	ady_aws_close(aws);
	stop(&s);

	start(&s, refused);
	aws = client(&s);
	CHECK_ERR(ady_aws_assume_role(aws, &who, "r", "n", NULL, 900, &c, &f), ADY_E_KMS);
	CHECK_STR(f.cause, "AccessDenied");
	CHECK_STR(f.detail, "nope");
	ady_aws_close(aws);
	stop(&s);

	start(&s, nothing);
	aws = client(&s);
	CHECK_ERR(ady_aws_assume_role(aws, &who, "r", "n", NULL, 900, &c, &f), ADY_E_CREDENTIALS);
	CHECK_STR(c.access_key, "");
	ady_aws_close(aws);
	stop(&s);
}

#define DOCUMENT                                                                               \
	"{\"Code\":\"Success\",\"AccessKeyId\":\"ASIA2\",\"SecretAccessKey\":\"s\",\"Token\":" \
	"\"t\",\"Expiration\":\"2026-11-23T12:40:00Z\"}"

CASE(imds_is_asked_in_three_steps)
{
	static const char *const replies[] = {REPLY("200 OK", "TOKEN"), REPLY("200 OK", "role"),
	                                      REPLY("200 OK", DOCUMENT "  "), NULL};
	static const char *const no_role[] = {REPLY("200 OK", "TOKEN"), REPLY("404 Not", ""), NULL};
	static const char *const failed[] = {REPLY("200 OK", "TOKEN"), REPLY("200 OK", "role"),
	                                     REPLY("200 OK", "{\"Code\":\"Failed\"}"), NULL};
	struct ady_aws_credentials c;
	char text[64];
	struct server s;
	struct ady_aws *aws;
	struct ady_fault f;

	start(&s, replies);
	aws = client(&s);
	CHECK_ERR(ady_aws_imds(aws, s.url, &c, &f), ADY_OK);
	CHECK_STR(c.access_key, "ASIA2");
	CHECK_INT(c.expires_unix_s, 1795437600);
	CHECK(strncmp(s.requests[0], "PUT /latest/api/token ", 22) == 0);
	CHECK_STR(field(s.requests[0], "x-aws-ec2-metadata-token-ttl-seconds", text, 64), "60");
	CHECK(strncmp(s.requests[2], "GET /latest/meta-data/iam/security-credentials/role ", 52) ==
	      0);
	CHECK_STR(field(s.requests[2], "x-aws-ec2-metadata-token", text, 64), "TOKEN");
	ady_aws_close(aws);
	stop(&s);

	start(&s, no_role);
	aws = client(&s);
	CHECK_ERR(ady_aws_imds(aws, s.url, &c, &f), ADY_E_CREDENTIALS);
	CHECK_STR(f.detail, "IMDS answered with status 404");
	ady_aws_close(aws);
	stop(&s);

	start(&s, failed);
	aws = client(&s);
	CHECK_ERR(ady_aws_imds(aws, s.url, &c, &f), ADY_E_CREDENTIALS);
	CHECK_STR(c.access_key, "");
	ady_aws_close(aws);
	stop(&s);
}

int main(void)
{
	RUN(a_call_is_signed_as_it_is_sent);
	RUN(refusals_carry_aws_s_name);
	RUN(throttling_and_outages_are_tried_again);
	RUN(nobody_there_is_said_so);
	RUN(a_stopped_client_ends_soon);
	RUN(a_role_is_assumed);
	RUN(imds_is_asked_in_three_steps);
	return test_end();
}
