/* SPDX-License-Identifier: Apache-2.0
 *
 * A stand-in for the NSM within a test: one connection, served by a thread. Its documents are no
 * documents: "doc:" and the public key, so that the test's KMS can encrypt to it. */
#ifndef FAKE_NSM_H
#define FAKE_NSM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "codec/cbor.h"
#include "crypto/hash.h"
#include "enclave/nsm.h"

struct fake_nsm {
	char path[108];
	int listener;
	pthread_t thread;
	uint8_t pcr[32][48];
	uint32_t locked;
	bool got_two_files;    /* with MEASURE1 */
	bool forget_lock;      /* LockPCRs says yes and does nothing */
	atomic_bool broken;    /* Attestation is refused */
	_Atomic int64_t time;  /* not 0: documents are COSE and tell this, and nothing else */
	atomic_int documents;  /* how many were made */
	uint8_t user_data[64]; /* of the last document */
	atomic_size_t user_data_n;
};

static inline void fake_nsm_call(struct ady_buf *b, const char *name, size_t fields)
{
	ady_cbor_put_map(b, 1);
	ady_cbor_put_str(b, name);
	ady_cbor_put_map(b, fields);
}

static inline void fake_nsm_error(struct ady_buf *b, const char *name)
{
	ady_cbor_put_map(b, 1);
	ady_cbor_put_str(b, "Error");
	ady_cbor_put_str(b, name);
}

static inline void fake_nsm_describe(struct fake_nsm *n, struct ady_buf *b)
{
	fake_nsm_call(b, "DescribeNSM", 7);
	ady_cbor_put_str(b, "version_major");
	ady_cbor_put_uint(b, 1);
	ady_cbor_put_str(b, "version_minor");
	ady_cbor_put_uint(b, 0);
	ady_cbor_put_str(b, "version_patch");
	ady_cbor_put_uint(b, 0);
	ady_cbor_put_str(b, "module_id");
	ady_cbor_put_str(b, "i-fake-enc0");
	ady_cbor_put_str(b, "max_pcrs");
	ady_cbor_put_uint(b, 32);
	ady_cbor_put_str(b, "locked_pcrs");
	ady_cbor_put_array(b, (size_t)__builtin_popcount(n->locked));
	for (unsigned i = 0; i < 32; i++)
		if (n->locked >> i & 1)
			ady_cbor_put_uint(b, i);
	ady_cbor_put_str(b, "digest");
	ady_cbor_put_str(b, "SHA384");
}

static inline void fake_nsm_extend(struct fake_nsm *n, struct ady_buf *b, unsigned i,
                                   struct ady_bytes data)
{
	struct ady_bytes parts[] = {ady_bytes(n->pcr[i], 48), data};

	if (n->locked >> i & 1) {
		fake_nsm_error(b, "ReadOnlyIndex");
		return;
	}
	ady_sha384(n->pcr[i], parts, 2);
	fake_nsm_call(b, "ExtendPCR", 1);
	ady_cbor_put_str(b, "data");
	ady_cbor_put_bytes(b, ady_bytes(n->pcr[i], 48));
}

/* A COSE_Sign1 without a signature, its payload {"digest": "SHA384", "timestamp": time}. */
static inline void fake_nsm_put_time(struct ady_buf *d, int64_t time)
{
	uint8_t space[64];
	struct ady_buf payload = ady_buf(space, sizeof space);

	ady_cbor_put_map(&payload, 2);
	ady_cbor_put_str(&payload, "digest");
	ady_cbor_put_str(&payload, "SHA384");
	ady_cbor_put_str(&payload, "timestamp");
	ady_cbor_put_uint(&payload, (uint64_t)time);
	ady_cbor_put_array(d, 4);
	ady_cbor_put_bytes(d, (struct ady_bytes){0});
	ady_cbor_put_map(d, 0);
	ady_cbor_put_bytes(d, ady_buf_bytes(&payload));
	ady_cbor_put_bytes(d, (struct ady_bytes){0});
}

static inline void fake_nsm_attest(struct fake_nsm *n, struct ady_buf *b, struct ady_cbor *c)
{
	uint8_t document[2048];
	struct ady_buf d = ady_buf(document, sizeof document);

	if (atomic_load(&n->broken)) {
		fake_nsm_error(b, "InternalError");
		return;
	}
	if (atomic_load(&n->time) != 0)
		fake_nsm_put_time(&d, atomic_load(&n->time));
	else
		ady_buf_str(&d, "doc:");
	(void)ady_cbor_map(c);
	for (int i = 0; i < 3; i++) {
		struct ady_bytes name = ady_cbor_text(c), v = {0};

		if (!ady_cbor_null(c))
			v = ady_cbor_bytes(c);
		if (ady_bytes_is(name, "public_key"))
			ady_buf_view(&d, v);
		if (ady_bytes_is(name, "user_data") && v.n && v.n <= sizeof n->user_data) {
			memcpy(n->user_data, v.p, v.n);
			atomic_store(&n->user_data_n, v.n);
		}
	}
	atomic_fetch_add(&n->documents, 1);
	fake_nsm_call(b, "Attestation", 1);
	ady_cbor_put_str(b, "document");
	ady_cbor_put_bytes(b, ady_buf_bytes(&d));
}

static inline void fake_nsm_answer(struct fake_nsm *n, struct ady_bytes request, struct ady_buf *b)
{
	struct ady_cbor c = ady_cbor(request);
	struct ady_bytes name;
	unsigned i = 0;

	if (ady_cbor_peek(&c) == ADY_CBOR_MAP)
		(void)ady_cbor_map(&c);
	name = ady_cbor_text(&c);
	if (ady_bytes_is(name, "Attestation")) {
		fake_nsm_attest(n, b, &c);
		return;
	}
	if (ady_cbor_peek(&c) == ADY_CBOR_MAP) {
		(void)ady_cbor_map(&c);
		(void)ady_cbor_text(&c);
		i = (unsigned)ady_cbor_uint(&c);
	}
	if (ady_bytes_is(name, "DescribeNSM")) {
		fake_nsm_describe(n, b);
	} else if (ady_bytes_is(name, "DescribePCR")) {
		fake_nsm_call(b, "DescribePCR", 2);
		ady_cbor_put_str(b, "lock");
		ady_cbor_put_bool(b, n->locked >> i & 1);
		ady_cbor_put_str(b, "data");
		ady_cbor_put_bytes(b, ady_bytes(n->pcr[i], 48));
	} else if (ady_bytes_is(name, "ExtendPCR")) {
		(void)ady_cbor_text(&c);
		fake_nsm_extend(n, b, i, ady_cbor_bytes(&c));
	} else if (ady_bytes_is(name, "LockPCRs")) {
		if (!n->forget_lock)
			n->locked = 0xffffffff;
		ady_cbor_put_str(b, "LockPCRs");
	} else if (ady_bytes_is(name, "GetRandom")) {
		static const uint8_t random[100] = {7};

		fake_nsm_call(b, "GetRandom", 1);
		ady_cbor_put_str(b, "random");
		ady_cbor_put_bytes(b, ady_bytes(random, sizeof random));
	} else {
		fake_nsm_error(b, "InvalidOperation");
	}
}

/* The first packet; the descriptors that come with it are counted and closed. */
static inline bool fake_nsm_measure(struct fake_nsm *n, int fd)
{
	char hello[8];
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = hello, .iov_len = sizeof hello};
	struct msghdr msg = {.msg_iov = &iov,
	                     .msg_iovlen = 1,
	                     .msg_control = &control,
	                     .msg_controllen = sizeof control.room};
	int fds[2];

	if (recvmsg(fd, &msg, 0) != 8 || memcmp(hello, "MEASURE1", 8) != 0)
		return false;
	n->got_two_files = control.head.cmsg_len == CMSG_LEN(sizeof fds);
	if (n->got_two_files) {
		memcpy(fds, CMSG_DATA(&control.head), sizeof fds);
		close(fds[0]);
		close(fds[1]);
	}
	return send(fd, "\x68Measured", 9, MSG_NOSIGNAL) == 9;
}

static inline void *fake_nsm_main(void *arg)
{
	struct fake_nsm *n = arg;
	int fd = accept(n->listener, NULL, NULL);
	uint8_t in[4096], out[12288];
	ssize_t got;

	if (fd < 0)
		return NULL;
	if (fake_nsm_measure(n, fd))
		while ((got = recv(fd, in, sizeof in, 0)) > 0) {
			struct ady_buf b = ady_buf(out, sizeof out);

			fake_nsm_answer(n, ady_bytes(in, (size_t)got), &b);
			if (send(fd, out, b.n, MSG_NOSIGNAL) < 0)
				break;
		}
	close(fd);
	return NULL;
}

/* Listen below dir and serve one connection. */
static inline void fake_nsm_start(struct fake_nsm *n, const char *dir)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	snprintf(n->path, sizeof n->path, "%.80s/nsm.sock", dir);
	(void)unlink(n->path);
	memcpy(at.sun_path, n->path, sizeof n->path);
	memset(n->pcr[0], 0xaa, 48);
	n->locked = 0xffff;
	n->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (bind(n->listener, (struct sockaddr *)&at, sizeof at) != 0 ||
	    listen(n->listener, 1) != 0 || pthread_create(&n->thread, NULL, fake_nsm_main, n) != 0)
		abort();
}

/* The client has closed its connection: end. */
static inline void fake_nsm_end(struct fake_nsm *n)
{
	shutdown(n->listener, SHUT_RDWR);
	pthread_join(n->thread, NULL);
	close(n->listener);
	unlink(n->path);
}

#endif
