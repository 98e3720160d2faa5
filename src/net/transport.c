/* SPDX-License-Identifier: Apache-2.0 */
#include "net/transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* after sys/socket.h */
#include <linux/vm_sockets.h>

#include "base/clock.h"

enum {
	BACKLOG = 1024,
	HYBRID_REPLY_MAX = 32,
	/* A Unix listener with a full backlog cannot be polled for: ask again after this. */
	RETRY_MS = 5,
};

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_vm vm;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* --- the text --- */

static bool parse_number(uint32_t *out, const char *text)
{
	uint64_t v = 0;
	size_t n = strlen(text);

	*out = 0;
	if (n == 0 || n > 10)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (uint64_t)(*text - '0');
	}
	*out = (uint32_t)v;
	return v < UINT32_MAX; /* VMADDR_PORT_ANY and VMADDR_CID_ANY have no digits here */
}

/* Copy text up to its last colon to out; *rest is what follows. */
static enum ady_err split_last(char *out, size_t cap, const char **rest, const char *text,
                               struct ady_fault *f)
{
	const char *colon = strrchr(text, ':');

	*rest = "";
	if (!colon)
		return ady_fail(f, ADY_E_CONFIG, "endpoint", "a port is missing in '%s'", text);
	*rest = colon + 1;
	if (!ady_bytes_to_str(out, cap, ady_bytes(text, (size_t)(colon - text))) || !out[0])
		return ady_fail(f, ADY_E_CONFIG, "endpoint",
		                "what stands before the port of '%s' must have 1 to %zu bytes",
		                text, cap - 1);
	return ADY_OK;
}

static enum ady_err parse_vsock(struct ady_endpoint *e, const char *text, struct ady_fault *f)
{
	const char *port;
	enum ady_err err = split_last(e->path, sizeof e->path, &port, text, f);

	if (err != ADY_OK)
		return err;
	if (strcmp(e->path, "any") == 0)
		e->cid = VMADDR_CID_ANY;
	else if (!parse_number(&e->cid, e->path))
		return ady_fail(f, ADY_E_CONFIG, "endpoint", "'%s' is no vsock CID", e->path);
	if (!parse_number(&e->port, port))
		return ady_fail(f, ADY_E_CONFIG, "endpoint", "'%s' is no vsock port", port);
	e->path[0] = '\0';
	return ADY_OK;
}

static enum ady_err parse_unix(struct ady_endpoint *e, const char *text, struct ady_fault *f)
{
	if (!ady_bytes_to_str(e->path, sizeof e->path, ady_bytes_str(text)) || !e->path[0])
		return ady_fail(f, ADY_E_CONFIG, "endpoint",
		                "the path of a Unix socket has 1 to %zu bytes, this one %zu",
		                sizeof e->path - 1, strlen(text));
	return ADY_OK;
}

static enum ady_err parse_hybrid(struct ady_endpoint *e, const char *text, struct ady_fault *f)
{
	const char *port;
	enum ady_err err = split_last(e->path, sizeof e->path, &port, text, f);

	if (err != ADY_OK)
		return err;
	if (!parse_number(&e->port, port))
		return ady_fail(f, ADY_E_CONFIG, "endpoint", "'%s' is no vsock port", port);
	return ADY_OK;
}

/* The host without its brackets; "localhost" is 127.0.0.1, other names are not looked up. */
static enum ady_err parse_tcp(struct ady_endpoint *e, const char *text, struct ady_fault *f)
{
	const char *port;
	size_t n;
	uint8_t addr[16];
	enum ady_err err = split_last(e->path, sizeof e->path, &port, text, f);

	if (err != ADY_OK)
		return err;
	if (!parse_number(&e->port, port) || e->port > UINT16_MAX)
		return ady_fail(f, ADY_E_CONFIG, "endpoint", "'%s' is no TCP port", port);
	n = strlen(e->path);
	if (strcmp(e->path, "localhost") == 0)
		snprintf(e->path, sizeof e->path, "127.0.0.1");
	if (e->path[0] == '[' && e->path[n - 1] == ']') {
		memmove(e->path, e->path + 1, n - 2);
		e->path[n - 2] = '\0';
		if (inet_pton(AF_INET6, e->path, addr) == 1)
			return ADY_OK;
	} else if (inet_pton(AF_INET, e->path, addr) == 1) {
		return ADY_OK;
	}
	return ady_fail(f, ADY_E_CONFIG, "endpoint", "'%s' is no numeric address", e->path);
}

enum ady_err ady_endpoint_parse(struct ady_endpoint *e, const char *text, struct ady_fault *f)
{
	static const struct {
		const char *prefix;
		enum ady_endpoint_kind kind;
		enum ady_err (*parse)(struct ady_endpoint *, const char *, struct ady_fault *);
	} kinds[] = {{"vsock:", ADY_VSOCK, parse_vsock},
	             {"unix:", ADY_UNIX, parse_unix},
	             {"hybrid:", ADY_HYBRID, parse_hybrid},
	             {"tcp:", ADY_TCP, parse_tcp}};

	*e = (struct ady_endpoint){0};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		size_t n = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, n) != 0)
			continue;
		e->kind = kinds[i].kind;
		return kinds[i].parse(e, text + n, f);
	}
	return ady_fail(f, ADY_E_CONFIG, "endpoint",
	                "'%s' does not begin with vsock:, unix:, hybrid: or tcp:", text);
}

/* --- addresses --- */

static socklen_t address_tcp(union address *a, const struct ady_endpoint *e)
{
	if (inet_pton(AF_INET, e->path, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons((uint16_t)e->port);
		return sizeof a->in;
	}
	if (inet_pton(AF_INET6, e->path, &a->in6.sin6_addr) != 1)
		return 0;
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_port = htons((uint16_t)e->port);
	return sizeof a->in6;
}

/* The socket address of e; for a hybrid listener the socket that the other side dials for its
 * port. 0 when it does not fit. */
static socklen_t address_of(union address *a, const struct ady_endpoint *e, bool listening)
{
	int n = 0;

	memset(a, 0, sizeof *a);
	switch (e->kind) {
	case ADY_TCP:
		return address_tcp(a, e);
	case ADY_VSOCK:
		a->vm.svm_family = AF_VSOCK;
		a->vm.svm_cid = e->cid;
		a->vm.svm_port = e->port;
		return sizeof a->vm;
	case ADY_UNIX:
		n = snprintf(a->un.sun_path, sizeof a->un.sun_path, "%s", e->path);
		break;
	case ADY_HYBRID:
		if (listening)
			n = snprintf(a->un.sun_path, sizeof a->un.sun_path, "%s_%u", e->path,
			             e->port);
		else
			n = snprintf(a->un.sun_path, sizeof a->un.sun_path, "%s", e->path);
		break;
	}
	a->un.sun_family = AF_UNIX;
	return n > 0 && (size_t)n < sizeof a->un.sun_path ? sizeof a->un : 0;
}

static int open_socket(const union address *a)
{
	return socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* --- reading and writing against a deadline --- */

/* Wait until fd is ready for events. */
static enum ady_err wait_for(int fd, short events, int64_t deadline_ms)
{
	struct pollfd p = {.fd = fd, .events = events};
	int64_t left = deadline_ms - ady_mono_ms();
	int n;

	if (left <= 0)
		return ADY_E_DEADLINE;
	n = poll(&p, 1, left < 1000 ? (int)left : 1000);
	return n < 0 && errno != EINTR ? ADY_E_IO : ADY_OK;
}

static bool try_again(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

enum ady_err ady_read_exact(int fd, void *p, size_t n, int64_t deadline_ms)
{
	uint8_t *to = p;
	enum ady_err err;

	while (n > 0) {
		ssize_t got = read(fd, to, n);

		if (got > 0) {
			to += got;
			n -= (size_t)got;
			continue;
		}
		if (!try_again(got))
			return ADY_E_IO;
		err = wait_for(fd, POLLIN, deadline_ms);
		if (err != ADY_OK)
			return err;
	}
	return ADY_OK;
}

enum ady_err ady_write_all(int fd, const void *p, size_t n, int64_t deadline_ms)
{
	const uint8_t *from = p;
	enum ady_err err;

	while (n > 0) {
		ssize_t put = send(fd, from, n, MSG_NOSIGNAL);

		if (put >= 0) {
			from += put;
			n -= (size_t)put;
			continue;
		}
		if (!try_again(put))
			return ADY_E_IO;
		err = wait_for(fd, POLLOUT, deadline_ms);
		if (err != ADY_OK)
			return err;
	}
	return ADY_OK;
}

/* --- dialling --- */

static enum ady_err finish_connect(int fd, int64_t deadline_ms)
{
	int failed = 0;
	socklen_t size = sizeof failed;
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	enum ady_err err;

	do {
		err = wait_for(fd, POLLOUT, deadline_ms);
		if (err != ADY_OK)
			return err;
	} while (poll(&p, 1, 0) <= 0);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) < 0 || failed != 0)
		return ADY_E_IO;
	return ADY_OK;
}

static enum ady_err connect_until(int fd, const union address *a, socklen_t size,
                                  int64_t deadline_ms)
{
	while (connect(fd, &a->any, size) < 0) {
		if (errno == EINPROGRESS || errno == EINTR)
			return finish_connect(fd, deadline_ms);
		if (errno != EAGAIN)
			return ADY_E_IO;
		if (ady_mono_ms() >= deadline_ms)
			return ADY_E_DEADLINE;
		(void)poll(NULL, 0, RETRY_MS);
	}
	return ADY_OK;
}

/* Firecracker's and vhost-device-vsock's convention: "CONNECT PORT\n", answered "OK N\n". The
 * answer is read byte by byte, because what follows belongs to the stream. */
static enum ady_err hybrid_handshake(int fd, uint32_t port, int64_t deadline_ms)
{
	char line[HYBRID_REPLY_MAX];
	uint32_t theirs;
	size_t n = (size_t)snprintf(line, sizeof line, "CONNECT %u\n", port);
	enum ady_err err = ady_write_all(fd, line, n, deadline_ms);

	for (n = 0; err == ADY_OK && n < sizeof line; n++) {
		err = ady_read_exact(fd, line + n, 1, deadline_ms);
		if (err == ADY_OK && line[n] == '\n')
			break;
	}
	if (err != ADY_OK)
		return err;
	if (n == sizeof line)
		return ADY_E_IO;
	line[n] = '\0';
	if (strncmp(line, "OK ", 3) != 0 || !parse_number(&theirs, line + 3))
		return ADY_E_IO;
	return ADY_OK;
}

static void set_nodelay(int fd, const struct ady_endpoint *e)
{
	const int on = 1;

	/* A failure costs time, not correctness. */
	if (e->kind == ADY_TCP)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

enum ady_err ady_dial(int *fd, const struct ady_endpoint *e, int timeout_ms)
{
	int64_t deadline_ms = ady_mono_ms() + timeout_ms;
	union address a;
	socklen_t size = address_of(&a, e, false);
	enum ady_err err;
	int s;

	*fd = -1;
	if (size == 0)
		return ADY_E_IO;
	s = open_socket(&a);
	if (s < 0)
		return ADY_E_IO;
	set_nodelay(s, e);
	err = connect_until(s, &a, size, deadline_ms);
	if (err == ADY_OK && e->kind == ADY_HYBRID)
		err = hybrid_handshake(s, e->port, deadline_ms);
	if (err != ADY_OK) {
		close(s);
		return err;
	}
	*fd = s;
	return ADY_OK;
}

/* --- listening --- */

/* Remove the socket that a program which has ended left behind; one that is listened on stays. */
static bool clear_stale(const union address *a, socklen_t size)
{
	struct stat st;
	bool stale;
	int fd;

	if (lstat(a->un.sun_path, &st) < 0)
		return errno == ENOENT;
	if (!S_ISSOCK(st.st_mode))
		return false;
	fd = open_socket(a);
	if (fd < 0)
		return false;
	stale = connect(fd, &a->any, size) < 0 && errno == ECONNREFUSED;
	close(fd);
	return stale && unlink(a->un.sun_path) == 0;
}

/* The mode of a socket file is that of the unbound socket, so there is no moment in which others
 * may connect, and the process-wide umask stays as it is. */
static enum ady_err prepare(int fd, const struct ady_endpoint *e, const union address *a,
                            socklen_t size, struct ady_fault *f)
{
	const int on = 1;

	set_nodelay(fd, e); /* what is accepted inherits it */
	if (a->any.sa_family == AF_UNIX) {
		if (!clear_stale(a, size))
			return ady_fail(f, ADY_E_IO, "listen", "%s exists and is in use",
			                a->un.sun_path);
		if (fchmod(fd, 0600) < 0)
			return ady_fail(f, ADY_E_IO, "listen", "fchmod: %s", strerror(errno));
	}
	if (e->kind != ADY_TCP)
		return ADY_OK;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    (e->shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0))
		return ady_fail(f, ADY_E_IO, "listen", "setsockopt: %s", strerror(errno));
	return ADY_OK;
}

static void fill_port(int fd, struct ady_endpoint *e)
{
	union address a = {0};
	socklen_t size = sizeof a;

	if (e->kind != ADY_TCP || getsockname(fd, &a.any, &size) < 0)
		return;
	e->port = ntohs(a.any.sa_family == AF_INET6 ? a.in6.sin6_port : a.in.sin_port);
}

static enum ady_err cannot_listen(const struct ady_endpoint *e, struct ady_fault *f)
{
	if (e->kind == ADY_TCP)
		return ady_fail(f, ADY_E_IO, "listen", "%s:%u: %s", e->path, e->port,
		                strerror(errno));
	return ady_fail(f, ADY_E_IO, "listen", "%s: %s", e->path, strerror(errno));
}

enum ady_err ady_listen(int *fd, struct ady_endpoint *e, struct ady_fault *f)
{
	union address a;
	socklen_t size = address_of(&a, e, true);
	enum ady_err err;
	int s;

	*fd = -1;
	if (size == 0)
		return ady_fail(f, ADY_E_IO, "listen", "the path of a Unix socket has 107 bytes");
	s = open_socket(&a);
	if (s < 0)
		return ady_fail(f, ADY_E_IO, "listen", "socket: %s", strerror(errno));
	err = prepare(s, e, &a, size, f);
	if (err == ADY_OK && (bind(s, &a.any, size) < 0 || listen(s, BACKLOG) < 0))
		err = cannot_listen(e, f);
	if (err != ADY_OK) {
		close(s);
		return err;
	}
	fill_port(s, e);
	*fd = s;
	return ADY_OK;
}

int ady_accept(int listener)
{
	int fd;

	do
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	return fd;
}
