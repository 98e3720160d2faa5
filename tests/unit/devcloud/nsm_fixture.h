/* SPDX-License-Identifier: Apache-2.0
 *
 * The development NSM on its real socket, in a thread of its own, and a client of it. */
#ifndef ADY_TEST_NSM_FIXTURE_H
#define ADY_TEST_NSM_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "aws/attestation.h"
#include "codec/cbor.h"
#include "devcloud/nsm.h"
#include "test.h"

#define ROLE "arn:aws:iam::111122223333:role/adyton-instance"
#define INSTANCE "i-0123456789abcdef0"

static char dir[] = "/tmp/adyton-nsm-XXXXXX", path[64];
static struct ady_loop *loop;
static struct ady_dev_nsm *nsm;
static pthread_t thread;

static inline void *serve(void *arg)
{
	ady_loop_run(arg);
	return NULL;
}

static inline enum ady_err start(struct ady_fault *f)
{
	const struct ady_dev_nsm_config config = {
	    .socket_path = path, .data_dir = dir, .role_arn = ROLE, .instance_id = INSTANCE};
	enum ady_err err = ady_loop_open(&loop);

	if (err == ADY_OK)
		err = ady_dev_nsm_open(&nsm, loop, &config, f);
	if (err == ADY_OK && pthread_create(&thread, NULL, serve, loop) != 0)
		err = ADY_E_INTERNAL;
	return err;
}

static inline void stop(void)
{
	ady_loop_stop(loop);
	pthread_join(thread, NULL);
	ady_dev_nsm_close(nsm);
	ady_loop_close(loop);
}

static inline int dial(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(to.sun_path, path, strlen(path));
	CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
	return fd;
}

/* One packet there, one back; the answer is good until the next call. */
static inline struct ady_bytes ask(int fd, struct ady_bytes request)
{
	static uint8_t answer[16384];
	ssize_t n;

	CHECK(send(fd, request.p, request.n, 0) == (ssize_t)request.n);
	n = recv(fd, answer, sizeof answer, 0);
	return ady_bytes(answer, n > 0 ? (size_t)n : 0);
}

static inline int file_of(const char *name, const char *content)
{
	char file[96];
	int fd;

	snprintf(file, sizeof file, "%s/%s", dir, name);
	fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(write(fd, content, strlen(content)) == (ssize_t)strlen(content));
	return fd;
}

static inline struct ady_bytes send_descriptors(int fd, const int *fds, size_t n)
{
	static uint8_t answer[256];
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (char[]){"MEASURE1"}, .iov_len = 8};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;
	ssize_t got;

	if (n) {
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	CHECK(sendmsg(fd, &msg, 0) == 8);
	got = recv(fd, answer, sizeof answer, 0);
	return ady_bytes(answer, got > 0 ? (size_t)got : 0);
}

static inline bool is_text(struct ady_bytes answer, const char *want)
{
	struct ady_cbor c = ady_cbor(answer);
	struct ady_bytes text = ady_cbor_text(&c);

	return ady_cbor_end(&c) == ADY_OK && ady_bytes_is(text, want);
}

/* The name in {"Error": name}, or "" when the answer is none. */
static inline const char *error_of(struct ady_bytes answer)
{
	static char name[32];
	struct ady_cbor c = ady_cbor(answer);

	name[0] = 0;
	if (ady_cbor_peek(&c) == ADY_CBOR_MAP && ady_cbor_map(&c) == 1 &&
	    ady_bytes_is(ady_cbor_text(&c), "Error"))
		(void)ady_bytes_to_str(name, sizeof name, ady_cbor_text(&c));
	return ady_cbor_end(&c) == ADY_OK ? name : "";
}

/* A measured connection: a module whose program is "program" and whose configuration is config. */
static inline int module_of(const char *config)
{
	int fd = dial(), fds[2] = {file_of("program", "program"), file_of("config", config)};

	CHECK(is_text(send_descriptors(fd, fds, 2), "Measured"));
	close(fds[0]);
	close(fds[1]);
	return fd;
}

static inline struct ady_buf request(const char *name, size_t fields)
{
	static uint8_t space[8192];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_cbor_put_map(&b, 1);
	ady_cbor_put_str(&b, name);
	ady_cbor_put_map(&b, fields);
	return b;
}

static inline struct ady_bytes ask_name(int fd, const char *name)
{
	static uint8_t space[64];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_cbor_put_str(&b, name);
	return ask(fd, ady_buf_bytes(&b));
}

static inline struct ady_bytes ask_number(int fd, const char *name, const char *field, uint64_t v)
{
	struct ady_buf b = request(name, 1);

	ady_cbor_put_str(&b, field);
	ady_cbor_put_uint(&b, v);
	return ask(fd, ady_buf_bytes(&b));
}

static inline struct ady_bytes ask_extend(int fd, uint64_t index, struct ady_bytes data)
{
	struct ady_buf b = request("ExtendPCR", 2);

	ady_cbor_put_str(&b, "index");
	ady_cbor_put_uint(&b, index);
	ady_cbor_put_str(&b, "data");
	ady_cbor_put_bytes(&b, data);
	return ask(fd, ady_buf_bytes(&b));
}

static inline struct ady_bytes ask_attestation(int fd, struct ady_bytes user_data,
                                               struct ady_bytes nonce, struct ady_bytes public_key)
{
	struct ady_buf b = request("Attestation", 3);

	ady_cbor_put_str(&b, "user_data");
	ady_cbor_put_bytes(&b, user_data);
	ady_cbor_put_str(&b, "nonce");
	ady_cbor_put_bytes(&b, nonce);
	ady_cbor_put_str(&b, "public_key");
	ady_cbor_put_bytes(&b, public_key);
	return ask(fd, ady_buf_bytes(&b));
}

static inline struct ady_bytes ask_document(int fd)
{
	struct ady_buf b = request("Attestation", 3);

	ady_cbor_put_str(&b, "user_data");
	ady_cbor_put_null(&b);
	ady_cbor_put_str(&b, "nonce");
	ady_cbor_put_null(&b);
	ady_cbor_put_str(&b, "public_key");
	ady_cbor_put_null(&b);
	return ask(fd, ady_buf_bytes(&b));
}

/* The bytes in {name: {field: bytes}}. */
static inline struct ady_bytes bytes_in(struct ady_bytes answer, const char *name,
                                        const char *field)
{
	struct ady_cbor c = ady_cbor(answer);
	struct ady_bytes value;

	CHECK(ady_cbor_map(&c) == 1 && ady_bytes_is(ady_cbor_text(&c), name));
	CHECK(ady_cbor_map(&c) == 1 && ady_bytes_is(ady_cbor_text(&c), field));
	value = ady_cbor_bytes(&c);
	CHECK_ERR(ady_cbor_end(&c), ADY_OK);
	return value;
}

/* DescribePCR. */
static inline bool pcr_of(int fd, uint64_t index, uint8_t pcr48[static 48])
{
	struct ady_cbor c = ady_cbor(ask_number(fd, "DescribePCR", "index", index));
	struct ady_bytes data;
	bool locked;

	CHECK(ady_cbor_map(&c) == 1 && ady_bytes_is(ady_cbor_text(&c), "DescribePCR"));
	CHECK(ady_cbor_map(&c) == 2 && ady_bytes_is(ady_cbor_text(&c), "lock"));
	locked = ady_cbor_bool(&c);
	CHECK(ady_bytes_is(ady_cbor_text(&c), "data"));
	data = ady_cbor_bytes(&c);
	CHECK(ady_cbor_end(&c) == ADY_OK && data.n == 48);
	if (data.n == 48)
		memcpy(pcr48, data.p, 48);
	return locked;
}

static inline struct ady_bytes read_root(void)
{
	static struct ady_bytes der;
	static uint8_t space[1024];
	char command[160], file[96];
	FILE *p;

	/* openssl(1) as a second reader of the PEM file. */
	snprintf(command, sizeof command, "openssl x509 -in %s/nsm-root.pem -outform der", dir);
	p = popen(command, "r");
	der = ady_bytes(space, p ? fread(space, 1, sizeof space, p) : 0);
	CHECK(p && pclose(p) == 0);
	snprintf(file, sizeof file, "%s/nsm-root-key.pem", dir);
	CHECK(access(file, R_OK) == 0);
	return der;
}

static inline enum ady_err verify(struct ady_attestation *att, struct ady_bytes document,
                                  int64_t at, struct ady_fault *f)
{
	const struct ady_attestation_rules rules = {.root = read_root(), .at_unix_s = at};

	return ady_attestation_verify(att, document, &rules, f);
}

/* Run the cases of a test program with the module there. */
static inline int with_module(void (*cases)(void))
{
	struct ady_fault f = {0};
	char command[64];

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof path, "%s/nsm.sock", dir);
	if (start(&f) != ADY_OK) {
		printf("not ok start: %s\n", f.detail);
		return 1;
	}
	cases();
	stop();
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) == 0 ? test_end() : 1;
}

#endif
