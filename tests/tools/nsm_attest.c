/* SPDX-License-Identifier: Apache-2.0
 *
 * A minimal client of the development NSM, for tests: asks for an attestation document that carries
 * a given public key, and writes it to standard output. It is measured as what it is, a program
 * named nsm_attest with the configuration file given, so that a key policy can admit or refuse it.
 * Usage: nsm_attest NSM_SOCKET CONFIG_FILE [PUBLIC_KEY_DER [NONCE_TEXT]] */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "codec/cbor.h"
#include "test.h"

static uint8_t packet[12288];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int dial(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0)
		die(path);
	return fd;
}

static struct ady_bytes answer(int fd)
{
	ssize_t n = recv(fd, packet, sizeof packet, 0);

	if (n <= 0)
		die("no answer");
	return ady_bytes(packet, (size_t)n);
}

static void measure(int fd, const char *config)
{
	int fds[2] = {open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
	              open(config, O_RDONLY | O_CLOEXEC)};
	char control[CMSG_SPACE(sizeof fds)] = {0};
	char hello[] = "MEASURE1";
	struct iovec iov = {.iov_base = hello, .iov_len = 8};
	struct msghdr msg = {.msg_iov = &iov,
	                     .msg_iovlen = 1,
	                     .msg_control = control,
	                     .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	struct ady_cbor in;

	if (fds[0] < 0 || fds[1] < 0)
		die(config);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fds);
	memcpy(CMSG_DATA(c), fds, sizeof fds);
	if (sendmsg(fd, &msg, 0) != 8)
		die("MEASURE1");
	in = ady_cbor(answer(fd));
	if (!ady_bytes_is(ady_cbor_text(&in), "Measured"))
		die("not measured");
}

static void put_optional(struct ady_buf *b, struct ady_bytes v)
{
	if (v.p)
		ady_cbor_put_bytes(b, v);
	else
		ady_cbor_put_null(b);
}

static void attest(int fd, struct ady_bytes public_key, struct ady_bytes nonce)
{
	static uint8_t space[4096];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_bytes document;
	struct ady_cbor in;

	ady_cbor_put_map(&b, 1);
	ady_cbor_put_str(&b, "Attestation");
	ady_cbor_put_map(&b, 3);
	ady_cbor_put_str(&b, "user_data");
	ady_cbor_put_null(&b);
	ady_cbor_put_str(&b, "nonce");
	put_optional(&b, nonce);
	ady_cbor_put_str(&b, "public_key");
	put_optional(&b, public_key);
	if (b.full || send(fd, b.p, b.n, 0) != (ssize_t)b.n)
		die("Attestation");
	in = ady_cbor(answer(fd));
	ady_cbor_map(&in);
	ady_cbor_text(&in);
	ady_cbor_map(&in);
	ady_cbor_text(&in);
	document = ady_cbor_bytes(&in);
	if (ady_cbor_end(&in) != ADY_OK || fwrite(document.p, 1, document.n, stdout) != document.n)
		die("document");
}

int main(int argc, char **argv)
{
	int fd;

	if (argc < 3 || argc > 5) {
		fprintf(stderr, "usage: nsm_attest SOCKET CONFIG [PUBLIC_KEY_DER [NONCE]]\n");
		return 2;
	}
	fd = dial(argv[1]);
	measure(fd, argv[2]);
	attest(fd, argc > 3 ? test_read_file(argv[3]) : (struct ady_bytes){0},
	       argc > 4 ? ady_bytes_str(argv[4]) : (struct ady_bytes){0});
	return 0;
}
