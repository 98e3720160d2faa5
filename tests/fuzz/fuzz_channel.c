/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream of bytes, cut where the input says, through a socket into a channel. What the channel
 * delivers must be what a plain walk over the whole stream finds, whatever the cuts: the same
 * frames in the same order, and the same end. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/channel.h"

/* See replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS = 4 };

struct result {
	size_t frames;
	uint64_t sum;
	enum ady_err end;
	bool ended;
};

static struct ady_loop *loop;

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void add_frame(struct result *r, const struct ady_wire_head *head, struct ady_bytes body)
{
	r->frames++;
	r->sum = r->sum * 31 + head->id + head->type + head->deadline_ms;
	for (size_t i = 0; i < body.n; i++)
		r->sum = r->sum * 31 + body.p[i];
}

/* --- the plain walk --- */

static struct result walk(struct ady_bytes in)
{
	struct result r = {.ended = true};
	struct ady_wire_head head;

	while (in.n >= ADY_WIRE_HEAD) {
		if (ady_wire_read_head(&head, in.p) != ADY_OK) {
			r.end = ADY_E_PROTOCOL;
			return r;
		}
		if (in.n - ADY_WIRE_HEAD < head.length)
			break;
		add_frame(&r, &head, ady_bytes(in.p + ADY_WIRE_HEAD, head.length));
		in = ady_bytes(in.p + ADY_WIRE_HEAD + head.length,
		               in.n - ADY_WIRE_HEAD - head.length);
	}
	r.end = in.n == 0 ? ADY_OK : ADY_E_PROTOCOL;
	return r;
}

/* --- the channel --- */

static void on_frame(void *ctx, struct ady_channel *ch, const struct ady_wire_head *head,
                     struct ady_bytes body)
{
	struct result *r = ctx;

	must(!r->ended && head->length == body.n);
	add_frame(r, head, body);
	/* an answer to nobody who reads: it must wait or be refused, never block */
	(void)(ady_channel_send(ch, head, body) == ADY_OK);
}

static void on_closed(void *ctx, struct ady_channel *ch, enum ady_err why)
{
	struct result *r = ctx;

	(void)ch;
	must(!r->ended);
	r->ended = true;
	r->end = why;
}

static void stop(struct ady_task *task)
{
	(void)task;
	ady_loop_stop(loop);
}

static void one_round(void)
{
	struct ady_task task = {.fn = stop};

	ady_loop_post(loop, &task);
	ady_loop_run(loop);
}

static void feed(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t put = send(fd, p, n, MSG_NOSIGNAL);

		if (put > 0) {
			p += put;
			n -= (size_t)put;
		}
		one_round();
		if (put < 0)
			return; /* the channel has ended */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ady_channel_events events = {.frame = on_frame, .closed = on_closed};
	struct result want, got = {0};
	struct ady_channel *ch;
	struct ady_bytes in;
	size_t at = 0;
	int fds[2];

	if (size < CUTS)
		return 0;
	in = ady_bytes(data + CUTS, size - CUTS);
	want = walk(in);
	must(loop || ady_loop_open(&loop) == ADY_OK);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	must(ady_channel_open(&ch, loop, fds[0], &events, &got) == ADY_OK);
	for (int i = 0; i < CUTS && at < in.n; i++) {
		size_t n = data[i] < in.n - at ? data[i] : in.n - at;

		feed(fds[1], in.p + at, n);
		at += n;
	}
	if (at < in.n)
		feed(fds[1], in.p + at, in.n - at);
	(void)shutdown(fds[1], SHUT_WR); /* the answers still have somewhere to go */
	for (int i = 0; i < 3 && !got.ended; i++)
		one_round();
	close(fds[1]);
	must(got.ended && got.end == want.end);
	must(got.frames == want.frames && got.sum == want.sum);
	return 0;
}
