/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/nsm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "codec/cbor.h"
#include "devcloud/nsm_module.h"

enum { CONNECTIONS_MAX = 64, DESCRIPTORS = 2 };

struct conn {
	struct ady_io io;
	struct ady_dev_nsm *nsm;
	struct conn *next, **link; /* link: what points at this one */
	struct ady_nsm_module module;
	bool measured;
	size_t answer_n; /* an answer that waits for the client to read; 0: none */
	uint8_t answer[ADY_NSM_ANSWER_MAX];
};

struct ady_dev_nsm {
	struct ady_io io;
	struct ady_loop *loop;
	struct ady_nsm_pki *pki;
	struct conn *conns;
	size_t conns_n;
	char path[108], role_arn[256], instance_id[32];
};

/* One packet and the descriptors that came with it, which belong to the receiver. */
struct packet {
	uint8_t bytes[ADY_NSM_REQUEST_MAX];
	size_t n;
	bool cut; /* was longer than bytes */
	int fds[DESCRIPTORS];
	size_t fds_n;
};

static void conn_free(struct conn *conn)
{
	ady_loop_del(conn->nsm->loop, &conn->io);
	close(conn->io.fd);
	ady_nsm_module_clear(&conn->module);
	free(conn);
}

static void conn_end(struct conn *conn)
{
	*conn->link = conn->next;
	if (conn->next)
		conn->next->link = conn->link;
	conn->nsm->conns_n--;
	conn_free(conn);
}

static void packet_clear(struct packet *packet)
{
	for (size_t i = 0; i < packet->fds_n; i++)
		close(packet->fds[i]);
	packet->fds_n = 0;
}

/* Keep at most two descriptors; the kernel closes none of those it has passed on. */
static void take_descriptors(struct packet *packet, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (packet->fds_n < DESCRIPTORS)
				packet->fds[packet->fds_n++] = fd;
			else
				close(fd);
		}
	}
}

/* Returns 1 for a packet, 0 when none waits, -1 at the end. */
static int packet_read(struct packet *packet, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * DESCRIPTORS)];
	} control;
	struct iovec iov = {.iov_base = packet->bytes, .iov_len = sizeof packet->bytes};
	struct msghdr msg = {.msg_iov = &iov,
	                     .msg_iovlen = 1,
	                     .msg_control = control.space,
	                     .msg_controllen = sizeof control.space};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	packet->fds_n = 0;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	take_descriptors(packet, &msg);
	packet->n = (size_t)n;
	packet->cut = msg.msg_flags & MSG_TRUNC;
	if (n > 0)
		return 1;
	packet_clear(packet);
	return -1;
}

static void measure(struct conn *conn, struct ady_buf *out, const struct packet *packet)
{
	struct ady_dev_nsm *nsm = conn->nsm;
	struct ady_measurement measured;
	struct ady_fault f = {0};

	if (packet->fds_n != DESCRIPTORS ||
	    ady_measure_files(&measured, packet->fds[0], packet->fds[1], &f) != ADY_OK) {
		ADY_WARN("development NSM refused a measurement", "reason=\"%s\"", f.detail);
		ady_nsm_put_error(out, "InvalidArgument");
		return;
	}
	ady_nsm_module_init(&conn->module, nsm->pki, &measured, nsm->role_arn, nsm->instance_id);
	conn->measured = true;
	ADY_INFO("development NSM began a module", "id=%s", conn->module.id);
	ady_cbor_put_str(out, "Measured");
}

static void answer(struct conn *conn, const struct packet *packet)
{
	struct ady_buf out = ady_buf(conn->answer, sizeof conn->answer);
	const struct ady_bytes bytes = ady_bytes(packet->bytes, packet->n);

	if (packet->cut)
		ady_nsm_put_error(&out, "InputTooLarge");
	else if (conn->measured)
		ady_nsm_module_answer(&conn->module, &out, bytes);
	else if (ady_bytes_is(bytes, "MEASURE1"))
		measure(conn, &out, packet);
	else
		ady_nsm_put_error(&out, "InvalidOperation");
	if (out.full) {
		out = ady_buf(conn->answer, sizeof conn->answer);
		ady_nsm_put_error(&out, "BufferTooSmall");
	}
	conn->answer_n = out.n;
}

/* False when the connection has ended. */
static bool send_answer(struct conn *conn)
{
	ssize_t n = send(conn->io.fd, conn->answer, conn->answer_n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		conn_end(conn);
		return false;
	}
	if (n >= 0)
		conn->answer_n = 0;
	ady_loop_set(conn->nsm->loop, &conn->io, conn->answer_n ? EPOLLOUT : EPOLLIN);
	return true;
}

/* Like the device: the next request is read only after the last answer was taken. */
static void conn_ready(struct ady_io *io, uint32_t ready)
{
	struct conn *conn = (struct conn *)io;
	struct packet packet = {.n = 0};
	int got;

	if (conn->answer_n) {
		if (ready & (EPOLLHUP | EPOLLERR))
			conn_end(conn);
		else
			(void)send_answer(conn);
		return;
	}
	got = packet_read(&packet, io->fd);
	if (got < 0)
		conn_end(conn);
	if (got <= 0)
		return;
	answer(conn, &packet);
	packet_clear(&packet);
	(void)send_answer(conn);
}

static void conn_begin(struct ady_dev_nsm *nsm, int fd)
{
	struct conn *conn = nsm->conns_n < CONNECTIONS_MAX ? calloc(1, sizeof *conn) : NULL;

	if (!conn) {
		close(fd);
		return;
	}
	conn->io = (struct ady_io){.fd = fd, .fn = conn_ready};
	if (ady_loop_add(nsm->loop, &conn->io, EPOLLIN) != ADY_OK) {
		close(fd);
		free(conn);
		return;
	}
	conn->nsm = nsm;
	conn->next = nsm->conns;
	conn->link = &nsm->conns;
	if (conn->next)
		conn->next->link = &conn->next;
	nsm->conns = conn;
	nsm->conns_n++;
}

static void accept_ready(struct ady_io *io, uint32_t)
{
	int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		conn_begin((struct ady_dev_nsm *)io, fd);
}

static enum ady_err listen_on(struct ady_dev_nsm *nsm, struct ady_fault *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;
	mode_t mask;
	int bound;

	if (fd < 0)
		return ady_fail(f, ADY_E_IO, "nsm", "no socket: %s", strerror(errno));
	memcpy(address.sun_path, nsm->path, sizeof address.sun_path);
	if (lstat(nsm->path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(nsm->path);
	mask = umask(0177);
	bound = bind(fd, (struct sockaddr *)&address, sizeof address);
	umask(mask);
	if (bound != 0 || listen(fd, CONNECTIONS_MAX) != 0) {
		close(fd);
		return ady_fail(f, ADY_E_IO, "nsm", "cannot listen on %s: %s", nsm->path,
		                strerror(errno));
	}
	nsm->io = (struct ady_io){.fd = fd, .fn = accept_ready};
	if (ady_loop_add(nsm->loop, &nsm->io, EPOLLIN) != ADY_OK)
		return ady_fail(f, ADY_E_IO, "nsm", "cannot watch the socket");
	return ADY_OK;
}

static enum ady_err copy_config(struct ady_dev_nsm *nsm, const struct ady_dev_nsm_config *config,
                                struct ady_fault *f)
{
	const char *role = config->role_arn ? config->role_arn : "";

	if (!ady_bytes_to_str(nsm->path, sizeof nsm->path, ady_bytes_str(config->socket_path)))
		return ady_fail(f, ADY_E_CONFIG, "nsm", "the socket's path exceeds 107 bytes");
	if (!ady_bytes_to_str(nsm->role_arn, sizeof nsm->role_arn, ady_bytes_str(role)) ||
	    !ady_bytes_to_str(nsm->instance_id, sizeof nsm->instance_id,
	                      ady_bytes_str(config->instance_id)))
		return ady_fail(f, ADY_E_CONFIG, "nsm", "the role ARN or instance id is too long");
	return ADY_OK;
}

enum ady_err ady_dev_nsm_open(struct ady_dev_nsm **out, struct ady_loop *loop,
                              const struct ady_dev_nsm_config *config, struct ady_fault *f)
{
	struct ady_dev_nsm *nsm = calloc(1, sizeof *nsm);
	enum ady_err err;

	*out = NULL;
	if (!nsm)
		return ady_fail(f, ADY_E_MEMORY, "nsm", "no memory");
	nsm->loop = loop;
	nsm->io.fd = -1;
	err = copy_config(nsm, config, f);
	if (err == ADY_OK)
		err = ady_nsm_pki_open(&nsm->pki, config->data_dir, nsm->instance_id,
		                       config->region ? config->region : "us-east-1", f);
	if (err == ADY_OK)
		err = listen_on(nsm, f);
	if (err != ADY_OK) {
		ady_dev_nsm_close(nsm);
		return err;
	}
	ADY_WARN("development NSM: this is not AWS, its documents prove nothing", "socket=%s",
	         nsm->path);
	*out = nsm;
	return ADY_OK;
}

void ady_dev_nsm_close(struct ady_dev_nsm *nsm)
{
	if (!nsm)
		return;
	for (struct conn *conn = nsm->conns, *next; conn; conn = next) {
		next = conn->next;
		conn_free(conn);
	}
	if (nsm->io.fd >= 0) {
		ady_loop_del(nsm->loop, &nsm->io);
		close(nsm->io.fd);
		unlink(nsm->path);
	}
	ady_nsm_pki_close(nsm->pki);
	free(nsm);
}
