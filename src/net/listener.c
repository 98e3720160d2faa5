/* SPDX-License-Identifier: Apache-2.0 */
#include "net/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"

enum {
	ACCEPTS_A_ROUND = 32,
	/* Without free descriptors the listener stays readable: leave it alone for a while. */
	PAUSE_MS = 100,
};

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct ady_listener {
	struct ady_loop *loop;
	struct ady_io io;
	struct ady_timer pause;
	struct ady_endpoint at;
	void (*accepted)(void *ctx, int fd);
	void *ctx;
};

static void on_pause(struct ady_timer *timer)
{
	struct ady_listener *l = OWNER(timer, struct ady_listener, pause);

	ady_loop_set(l->loop, &l->io, EPOLLIN);
}

static void on_accept(struct ady_io *io, uint32_t ready)
{
	struct ady_listener *l = OWNER(io, struct ady_listener, io);

	(void)ready;
	for (int i = 0; i < ACCEPTS_A_ROUND; i++) {
		int fd = ady_accept(io->fd);

		if (fd >= 0) {
			l->accepted(l->ctx, fd);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		ADY_WARN("connections cannot be accepted", "reason=\"%s\"", strerror(errno));
		ady_loop_set(l->loop, io, 0);
		ady_timer_set(l->loop, &l->pause, PAUSE_MS);
		return;
	}
}

enum ady_err ady_listener_open(struct ady_listener **listener, struct ady_loop *loop,
                               struct ady_endpoint *at, void (*accepted)(void *ctx, int fd),
                               void *ctx, struct ady_fault *f)
{
	struct ady_listener *l;
	enum ady_err err;
	int fd;

	*listener = NULL;
	err = ady_listen(&fd, at, f);
	if (err != ADY_OK)
		return err;
	l = calloc(1, sizeof *l);
	if (!l) {
		close(fd);
		return ady_fail(f, ADY_E_MEMORY, "listen", "out of memory");
	}
	*l = (struct ady_listener){
	    .loop = loop, .at = *at, .accepted = accepted, .ctx = ctx, .pause.fn = on_pause};
	l->io = (struct ady_io){.fd = fd, .fn = on_accept};
	if (ady_loop_add(loop, &l->io, EPOLLIN) != ADY_OK) {
		close(fd);
		free(l);
		return ady_fail(f, ADY_E_IO, "listen", "epoll_ctl: %s", strerror(errno));
	}
	*listener = l;
	return ADY_OK;
}

void ady_listener_close(struct ady_listener *l)
{
	if (!l)
		return;
	ady_timer_cancel(l->loop, &l->pause);
	ady_loop_del(l->loop, &l->io);
	close(l->io.fd);
	if (l->at.kind == ADY_UNIX)
		(void)unlink(l->at.path);
	free(l);
}
