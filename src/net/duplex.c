/* SPDX-License-Identifier: Apache-2.0 */
#include "net/duplex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "net/duplex_inner.h"

enum {
	READ_LEAST = 4 * 1024,
	READ_MOST = 64 * 1024,
	KEEP = 16 * 1024,  /* storage beyond this is given back when it is empty */
	ROUND = 64 * 1024, /* read in one round: others want their turn */
	TICK_MS = 1000,
	CLOSE_MS = 1000,
};

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct ady_duplex_limits ady_duplex_default_limits(void)
{
	return (struct ady_duplex_limits){
	    .text_max = 2 * 1024 * 1024,
	    .queue_max = 32 * 1024 * 1024,
	    .ping_ms = 30000,
	    .silent_ms = 30000,
	    .write_ms = 10000,
	};
}

/* --- ending --- */

static bool out_waits(const struct ady_duplex *d)
{
	return d->out.n > d->out_at;
}

void ady_duplex_drop(struct ady_duplex *d)
{
	if (!d)
		return;
	ady_timer_cancel(d->config.loop, &d->timer);
	ady_timer_cancel(d->config.loop, &d->again);
	if (d->io.fd >= 0)
		ady_loop_del(d->config.loop, &d->io);
	ady_stream_close(&d->stream);
	ady_dyn_free(&d->in);
	ady_dyn_free(&d->out);
	ady_dyn_free(&d->text);
	free(d);
}

static void set_why(struct ady_duplex *d, unsigned code, struct ady_bytes why)
{
	struct ady_fault f;

	if (d->code)
		return; /* the first cause counts */
	(void)ady_fail(&f, ADY_E_IO, NULL, "%.*s", (int)(why.n < 120 ? why.n : 120),
	               why.n ? (const char *)why.p : "");
	d->code = code;
	snprintf(d->why, sizeof d->why, "%.120s", f.detail);
}

/* Nothing more is read or written; closed is told in the next round, when no call is under way. */
static void end(struct ady_duplex *d, unsigned code, const char *why)
{
	set_why(d, code, ady_bytes_str(why));
	d->stage = ADY_DUPLEX_ENDED;
	ady_timer_cancel(d->config.loop, &d->timer);
	ady_timer_set(d->config.loop, &d->again, 0);
}

static void begin_closing(struct ady_duplex *d, unsigned code, const char *why)
{
	ady_duplex_put_close(d, code, why);
	d->stage = ADY_DUPLEX_CLOSING;
	d->need = 0;
	d->end_ms = ady_mono_ms() + CLOSE_MS;
	ady_timer_set(d->config.loop, &d->timer, CLOSE_MS);
	if (!d->in_call)
		ady_timer_set(d->config.loop, &d->again, 0);
}

void ady_duplex_close(struct ady_duplex *d, enum ady_ws_code code, const char *why)
{
	if (d->stage != ADY_DUPLEX_OPEN)
		return;
	set_why(d, code, ady_bytes_str(why));
	begin_closing(d, code, why);
}

void ady_duplex_fault(struct ady_duplex *d, enum ady_ws_code code, const char *why)
{
	d->deaf = true;
	ady_duplex_close(d, code, why);
}

/* RFC 6455 5.5.1: answered with the same code, unless this side has closed first. */
void ady_duplex_peer_closes(struct ady_duplex *d, unsigned code, struct ady_bytes why)
{
	set_why(d, code, why);
	d->close_received = true;
	if (d->stage == ADY_DUPLEX_OPEN)
		begin_closing(d, code, "");
}

static void tell_closed(struct ady_duplex *d)
{
	const struct ady_duplex_config config = d->config;
	unsigned code = d->code;
	char why[sizeof d->why];

	memcpy(why, d->why, sizeof why);
	ady_duplex_drop(d);
	config.closed(config.ctx, code, why);
}

/* --- bytes --- */

static void flush(struct ady_duplex *d)
{
	struct iovec iov;
	ssize_t n;

	if (!out_waits(d))
		return;
	iov.iov_base = d->out.p + d->out_at;
	iov.iov_len = d->out.n - d->out_at;
	n = ady_stream_write(&d->stream, &iov, 1);
	if (n == ADY_STREAM_BROKEN) {
		end(d, ADY_WS_CUT, "the connection broke");
		return;
	}
	d->out_at += (size_t)n;
	if (n > 0)
		d->written_ms = ady_mono_ms();
	if (out_waits(d)) {
		if (d->out_at > KEEP) {
			ady_dyn_drop(&d->out, d->out_at);
			d->out_at = 0;
		}
		return;
	}
	d->out.n = d->out_at = 0;
	if (d->out.cap > KEEP)
		ady_dyn_free(&d->out);
}

static void drop_taken(struct ady_duplex *d)
{
	if (d->in_at > 0)
		ady_dyn_drop(&d->in, d->in_at);
	d->in_at = 0;
	if (d->in.n == 0 && d->in.cap > KEEP)
		ady_dyn_free(&d->in);
	if (d->text.n == 0 && d->text.cap > KEEP)
		ady_dyn_free(&d->text);
}

/* Whether something may be read now. While much waits to be sent nothing is: a peer that asks and
 * does not listen must not make it more. */
static bool wants_in(const struct ady_duplex *d)
{
	if (d->stage == ADY_DUPLEX_CLOSING)
		return !d->close_received;
	return d->stage == ADY_DUPLEX_OPEN && !d->held &&
	       d->out.n - d->out_at <= d->config.limits.queue_max / 4;
}

/* Idle connections hold little; a long text that has begun is read in larger pieces. */
static size_t room_wanted(const struct ady_duplex *d)
{
	size_t want = d->need > d->in.n ? d->need - d->in.n : d->in.n;

	if (want < READ_LEAST)
		return READ_LEAST;
	return want < READ_MOST ? want : READ_MOST;
}

static bool fill(struct ady_duplex *d)
{
	size_t most = room_wanted(d);
	uint8_t *to = ady_dyn_room(&d->in, most);
	ssize_t n = ady_stream_read(&d->stream, to, most, &d->readable);

	if (n == ADY_STREAM_AGAIN) {
		d->readable = false;
		return false;
	}
	if (n <= 0) {
		bool clean = d->config.framing == ADY_FRAMING_JSON && d->in.n == d->in_at;

		if (n == 0 && clean)
			end(d, ADY_WS_NORMAL, "");
		else
			end(d, ADY_WS_CUT, "the connection broke");
		return false;
	}
	d->in.n += (size_t)n;
	d->heard_ms = ady_mono_ms();
	d->pinged = false;
	return true;
}

void ady_duplex_deliver(struct ady_duplex *d, struct ady_bytes text)
{
	d->config.text(d->config.ctx, text);
}

static void read_round(struct ady_duplex *d)
{
	size_t sum = 0;

	while (wants_in(d)) {
		size_t before;

		if (ady_duplex_take(d))
			continue;
		if (!wants_in(d) || !d->readable || sum > ROUND)
			return;
		drop_taken(d);
		before = d->in.n;
		if (!fill(d))
			return;
		sum += d->in.n - before;
	}
}

/* A close has been said and left; the peer's has come, or there is none to come: nothing is left
 * to do but to let it read. */
static void settle(struct ady_duplex *d)
{
	if (d->stage != ADY_DUPLEX_CLOSING || out_waits(d))
		return;
	if (d->close_received || d->config.framing == ADY_FRAMING_JSON) {
		ady_stream_end(&d->stream);
		end(d, d->code, d->why);
	}
}

static void watch(struct ady_duplex *d)
{
	uint32_t want = 0;

	if (d->stage != ADY_DUPLEX_ENDED) {
		if (wants_in(d) && !d->readable)
			want |= EPOLLIN;
		if (out_waits(d) || d->stream.wants_out)
			want |= EPOLLOUT;
	}
	if (want != d->watched)
		ady_loop_set(d->config.loop, &d->io, want);
	d->watched = want;
	if (wants_in(d) && d->readable) /* there is more: in the next round */
		ady_timer_set(d->config.loop, &d->again, 0);
}

static void after_writing(struct ady_duplex *d)
{
	if (d->out.n - d->out_at > d->config.limits.queue_max)
		end(d, ADY_WS_CUT, "the peer does not read");
	settle(d);
	watch(d);
}

/* Read, answer, write, and see what is left to wait for. */
static void drive(struct ady_duplex *d)
{
	d->in_call = true;
	flush(d);
	read_round(d);
	if (d->stage != ADY_DUPLEX_ENDED)
		flush(d);
	drop_taken(d);
	d->in_call = false;
	after_writing(d);
}

static void on_io(struct ady_io *io, uint32_t ready)
{
	struct ady_duplex *d = OWNER(io, struct ady_duplex, io);

	if (d->stage == ADY_DUPLEX_ENDED)
		return;
	if (ready & (EPOLLERR | EPOLLHUP) && !wants_in(d)) {
		end(d, ADY_WS_CUT, "the connection broke");
		watch(d);
		return;
	}
	if (ready & ~(uint32_t)EPOLLOUT || d->stream.wants_out)
		d->readable = true;
	drive(d);
}

static void on_again(struct ady_timer *timer)
{
	struct ady_duplex *d = OWNER(timer, struct ady_duplex, again);

	if (d->stage == ADY_DUPLEX_ENDED)
		tell_closed(d);
	else
		drive(d);
}

/* --- time --- */

static const char *too_slow(const struct ady_duplex *d, int64_t now)
{
	const struct ady_duplex_limits *l = &d->config.limits;

	if (d->stage == ADY_DUPLEX_CLOSING)
		return now >= d->end_ms ? "the peer did not close" : NULL;
	if (out_waits(d) && now - d->written_ms >= l->write_ms)
		return "the peer does not read";
	if (d->config.framing != ADY_FRAMING_JSON && d->pinged && wants_in(d) &&
	    now - d->heard_ms >= (int64_t)l->ping_ms + l->silent_ms)
		return "the peer is silent";
	return NULL;
}

static void on_tick(struct ady_timer *timer)
{
	struct ady_duplex *d = OWNER(timer, struct ady_duplex, timer);
	int64_t now = ady_mono_ms();
	const char *slow = too_slow(d, now);

	if (slow) {
		end(d, ADY_WS_CUT, slow);
		watch(d);
		return;
	}
	ady_timer_set(d->config.loop, timer, TICK_MS);
	if (d->stage != ADY_DUPLEX_OPEN || d->pinged || d->config.framing == ADY_FRAMING_JSON ||
	    now - d->heard_ms < d->config.limits.ping_ms)
		return;
	d->pinged = true;
	ady_duplex_put_ping(d);
	drive(d);
}

/* --- the owner's side --- */

struct ady_duplex *ady_duplex_open(const struct ady_duplex_config *config,
                                   const struct ady_stream *stream, struct ady_bytes first,
                                   struct ady_bytes rest)
{
	struct ady_duplex *d = calloc(1, sizeof *d);

	if (!d)
		ADY_BUG("out of memory");
	d->config = *config;
	d->stream = *stream;
	d->io = (struct ady_io){.fd = stream->fd, .fn = on_io};
	d->timer.fn = on_tick;
	d->again.fn = on_again;
	d->ws.from_client = config->framing == ADY_FRAMING_WS_SERVER;
	d->ws.max = config->limits.text_max;
	d->heard_ms = d->written_ms = ady_mono_ms();
	d->readable = true; /* TLS may hold something already */
	ady_dyn_put(&d->out, first.p, first.n);
	ady_dyn_put(&d->in, rest.p, rest.n);
	ady_timer_set(config->loop, &d->timer, TICK_MS);
	if (ady_loop_add(config->loop, &d->io, 0) != ADY_OK) {
		d->io.fd = -1;
		end(d, ADY_WS_CUT, "epoll_ctl failed");
		return d;
	}
	ady_timer_set(config->loop, &d->again, 0);
	return d;
}

void ady_duplex_send(struct ady_duplex *d, struct ady_bytes text)
{
	if (d->stage != ADY_DUPLEX_OPEN)
		return;
	if (!out_waits(d))
		d->written_ms = ady_mono_ms();
	ady_duplex_put_text(d, text);
	if (d->in_call)
		return;
	flush(d);
	after_writing(d);
}

void ady_duplex_hold(struct ady_duplex *d, bool hold)
{
	d->held = hold;
	if (!d->in_call && d->stage == ADY_DUPLEX_OPEN)
		ady_timer_set(d->config.loop, &d->again, 0);
}
