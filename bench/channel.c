/* SPDX-License-Identifier: Apache-2.0
 *
 * CPU of each side of a channel for one question of 700 bytes and its answer of 300, with 1, 8 and
 * 64 questions in flight, between two processes over a Unix socket. Build and run:
 * bench/channel.run */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/channel.h"

enum { PAIRS = 300000, QUESTION = 700, ANSWER = 300 };

static struct ady_loop *loop;
static uint8_t body[QUESTION];
static unsigned asked, answered;

static double cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void ask(struct ady_channel *ch)
{
	struct ady_wire_head head = {.type = ADY_WIRE_SIGN, .id = asked++, .deadline_ms = 1000};

	if (ady_channel_send(ch, &head, ady_bytes(body, QUESTION)) != ADY_OK)
		abort();
}

static void on_answer(void *ctx, struct ady_channel *ch, const struct ady_wire_head *head,
                      struct ady_bytes in)
{
	(void)ctx;
	(void)head;
	(void)in;
	if (++answered == PAIRS)
		ady_channel_end(ch, ADY_OK);
	else if (asked < PAIRS)
		ask(ch);
}

static void on_question(void *ctx, struct ady_channel *ch, const struct ady_wire_head *head,
                        struct ady_bytes in)
{
	struct ady_wire_head back = {.type = head->type | ADY_WIRE_ANSWER, .id = head->id};

	(void)ctx;
	(void)in;
	if (ady_channel_send(ch, &back, ady_bytes(body, ANSWER)) != ADY_OK)
		abort();
}

static void on_closed(void *ctx, struct ady_channel *ch, enum ady_err why)
{
	(void)ctx;
	(void)ch;
	(void)why;
	ady_loop_stop(loop);
}

static void serve(int fd, bool asks, unsigned in_flight)
{
	static const struct ady_channel_events asker = {.frame = on_answer, .closed = on_closed},
	                                       answerer = {.frame = on_question,
	                                                   .closed = on_closed};
	struct ady_channel *ch;
	double before = cpu_us();
	int64_t start_us = ady_mono_us();

	if (ady_loop_open(&loop) != ADY_OK ||
	    ady_channel_open(&ch, loop, fd, asks ? &asker : &answerer, NULL) != ADY_OK)
		abort();
	for (unsigned i = 0; asks && i < in_flight; i++)
		ask(ch);
	ady_loop_run(loop);
	ady_loop_close(loop);
	printf("%2u in flight, %-8s: %.2f us CPU a pair, %.0f pairs/s\n", in_flight,
	       asks ? "asker" : "answerer", (cpu_us() - before) / PAIRS,
	       PAIRS * 1e6 / (double)(ady_mono_us() - start_us));
	fflush(stdout);
}

int main(void)
{
	static const unsigned in_flight[] = {1, 8, 64};
	int fds[2];

	for (size_t i = 0; i < 3; i++) {
		pid_t child;

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
			return 1;
		child = fork();
		if (child == 0) {
			close(fds[0]);
			serve(fds[1], false, in_flight[i]);
			_exit(0);
		}
		close(fds[1]);
		asked = answered = 0;
		serve(fds[0], true, in_flight[i]);
		(void)waitpid(child, NULL, 0);
	}
	return 0;
}
