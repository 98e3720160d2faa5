/* SPDX-License-Identifier: Apache-2.0
 *
 * An event loop over epoll: descriptors, timers, and tasks posted from other threads. Thread rule:
 * a loop and all that hangs on it belong to the thread that runs it; only ady_loop_post and
 * ady_loop_stop may be called from others. */
#ifndef ADY_NET_LOOP_H
#define ADY_NET_LOOP_H

#include <stddef.h>

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct ady_loop;

/* A watched descriptor, inside a structure of the caller. events: EPOLLIN, EPOLLOUT (level). fn is
 * called with what is ready (EPOLLERR, EPOLLHUP included); it may remove and free any io. */
struct ady_io {
	int fd;
	void (*fn)(struct ady_io *io, uint32_t ready);
};

/* A timer, inside a structure of the caller. All zero but fn: not set. */
struct ady_timer {
	void (*fn)(struct ady_timer *timer);
	int64_t due_ms;
	size_t slot; /* place in the loop's heap + 1; 0: not set */
};

/* A task from another thread, inside a structure of the caller until fn is called. */
struct ady_task {
	void (*fn)(struct ady_task *task);
	struct ady_task *next;
};

/* Make a loop. Returns ADY_E_MEMORY or ADY_E_IO. */
enum ady_err ady_loop_open(struct ady_loop **loop);

/* Free a loop that does not run. NULL is allowed. */
void ady_loop_close(struct ady_loop *loop);

/* Run until ady_loop_stop. */
void ady_loop_run(struct ady_loop *loop);

/* End ady_loop_run after the current round. Any thread, and signal handlers. */
void ady_loop_stop(struct ady_loop *loop);

/* Watch io->fd for events. Returns ADY_E_IO. */
enum ady_err ady_loop_add(struct ady_loop *loop, struct ady_io *io, uint32_t events);

/* Change the events of a watched io. */
void ady_loop_set(struct ady_loop *loop, struct ady_io *io, uint32_t events);

/* Stop watching; fn is not called again, even for events already fetched. Does not close fd. */
void ady_loop_del(struct ady_loop *loop, struct ady_io *io);

/* (Re)set timer to fire once, in ms milliseconds; what epoll tells of at that time goes first. */
void ady_timer_set(struct ady_loop *loop, struct ady_timer *timer, int64_t ms);

/* Cancel; harmless when not set. */
void ady_timer_cancel(struct ady_loop *loop, struct ady_timer *timer);

/* Run task on the loop's thread. Any thread. */
void ady_loop_post(struct ady_loop *loop, struct ady_task *task);

#endif
