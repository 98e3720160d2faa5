/* SPDX-License-Identifier: Apache-2.0
 *
 * A load generator for HTTP and WebSocket that holds its connections: each sends one request at a
 * time, the next when it is answered or, with a rate, when its turn comes. Latencies with a rate
 * count from the turn, so that a server that stands still does not hide it. Prints one line of
 * JSON.
 *
 *   load URL BODY_FILE CONNECTIONS SECONDS [REQUESTS_PER_SECOND]     URL: http:// or ws:// */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/duplex.h"
#include "net/http_client.h"
#include "net/ws_handshake.h"

enum { SAMPLES_MAX = 20000000, ANSWER_MS = 30000 };

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct conn {
	struct ady_http_client *client;
	struct ady_http_exchange exchange;
	struct ady_duplex *duplex;
	struct ady_timer turn;
	int64_t due_us; /* when this request was to be sent */
};

static struct ady_loop *loop;
static struct ady_pool *pool;
static struct ady_url url;
static struct ady_dyn body;
static struct conn *conns;
static size_t conns_n, connected;
static double period_us; /* of one connection; 0: as fast as it is answered */
static uint32_t *samples;
static size_t samples_n, bad;
static int64_t begin_us, end_us;
static char first_bad[200];

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "load: %s: %s\n", what, why);
	exit(1);
}

static void send_one(struct conn *c);

static void again(struct conn *c)
{
	if (ady_mono_us() >= end_us)
		return;
	if (period_us <= 0) {
		c->due_us = ady_mono_us();
		send_one(c);
		return;
	}
	c->due_us += (int64_t)period_us;
	ady_timer_set(loop, &c->turn, (c->due_us - ady_mono_us()) / 1000);
}

/* An answer is good when it says nothing of an error. */
static void answered(struct conn *c, int status, struct ady_bytes text)
{
	int64_t now = ady_mono_us();
	size_t head = text.n < 80 ? text.n : 80;
	bool good = status == 200 && !memmem(text.p, head, "\"error\"", 7);

	if (!good && bad++ == 0)
		snprintf(first_bad, sizeof first_bad, "%d %.*s", status,
		         (int)(text.n < 150 ? text.n : 150), text.n ? (const char *)text.p : "");
	if (good && samples_n < SAMPLES_MAX && c->due_us >= begin_us)
		samples[samples_n++] = (uint32_t)(now - c->due_us);
	again(c);
}

static void on_reply(struct ady_http_exchange *x, const struct ady_http_head *head,
                     struct ady_bytes text, const struct ady_fault *f)
{
	struct conn *c = OWNER(x, struct conn, exchange);

	if (f)
		answered(c, 0, ady_bytes_str(f->detail));
	else
		answered(c, head->status, text);
}

static void on_text(void *ctx, struct ady_bytes text)
{
	answered(ctx, 200, text);
}

static void on_closed(void *ctx, unsigned code, const char *why)
{
	(void)ctx;
	(void)code;
	if (ady_mono_us() < end_us)
		fail("a WebSocket was closed", why);
}

static void send_one(struct conn *c)
{
	int64_t now = ady_mono_us();

	if (now < c->due_us)
		c->due_us = now; /* timers count milliseconds */
	if (c->duplex)
		ady_duplex_send(c->duplex, ady_dyn_bytes(&body));
	else if (ady_http_post(c->client, &c->exchange, ady_dyn_bytes(&body),
	                       ady_mono_ms() + ANSWER_MS) != ADY_OK)
		fail("post", "too many wait");
}

static void on_turn(struct ady_timer *timer)
{
	struct conn *c = OWNER(timer, struct conn, turn);

	send_one(c);
}

/* All are connected: begin, spread over one period. */
static void begin(void)
{
	begin_us = ady_mono_us() + 200000;
	for (size_t i = 0; i < conns_n; i++) {
		struct conn *c = &conns[i];

		c->due_us = begin_us + (int64_t)(period_us * (double)i / (double)conns_n);
		ady_timer_set(loop, &c->turn, (c->due_us - ady_mono_us()) / 1000);
	}
}

static void on_dialled(void *ctx, struct ady_stream *stream, struct ady_bytes rest,
                       const struct ady_fault *f)
{
	struct conn *c = ctx;
	const struct ady_duplex_config config = {.loop = loop,
	                                         .framing = ADY_FRAMING_WS_CLIENT,
	                                         .limits = ady_duplex_default_limits(),
	                                         .text = on_text,
	                                         .closed = on_closed,
	                                         .ctx = c};

	if (f)
		fail("dial", f->detail);
	c->duplex = ady_duplex_open(&config, stream, (struct ady_bytes){0}, rest);
	if (++connected == conns_n)
		begin();
}

static void on_end(struct ady_timer *timer)
{
	(void)timer;
	ady_loop_stop(loop);
}

static void connect_all(void)
{
	const struct ady_http_client_config http = {.loop = loop,
	                                            .pool = pool,
	                                            .url = &url,
	                                            .connections_max = 1,
	                                            .waiting_max = 2,
	                                            .reply_max = 1 << 20,
	                                            .connect_ms = ANSWER_MS,
	                                            .idle_ms = 3600000};
	struct ady_ws_dial_config ws = {
	    .loop = loop, .pool = pool, .url = &url, .done = on_dialled};

	for (size_t i = 0; i < conns_n; i++) {
		struct conn *c = &conns[i];

		c->turn.fn = on_turn;
		c->exchange.done = on_reply;
		if (url.ws) {
			ws.ctx = c;
			(void)ady_ws_dial_start(&ws, ady_mono_ms() + ANSWER_MS);
		} else {
			c->client = ady_http_client_open(&http);
		}
	}
	if (!url.ws)
		begin();
}

static void read_body(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		fail(path, "cannot be read");
	do {
		n = fread(ady_dyn_room(&body, 65536), 1, 65536, f);
		body.n += n;
	} while (n > 0);
	fclose(f);
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static unsigned percentile(double p)
{
	size_t i = (size_t)ceil(p / 100 * (double)samples_n);

	return samples_n ? samples[i > 0 ? i - 1 : 0] : 0;
}

int main(int argc, char **argv)
{
	struct ady_timer end = {.fn = on_end};
	struct ady_fault f;
	double seconds, rate = argc > 5 ? strtod(argv[5], NULL) : 0;

	if (argc < 5 || ady_url_parse(&url, argv[1], &f) != ADY_OK)
		fail("usage", "load URL BODY_FILE CONNECTIONS SECONDS [REQUESTS_PER_SECOND]");
	(void)signal(SIGPIPE, SIG_IGN);
	read_body(argv[2]);
	conns_n = strtoul(argv[3], NULL, 10);
	seconds = strtod(argv[4], NULL);
	period_us = rate > 0 ? 1e6 * (double)conns_n / rate : 0;
	conns = calloc(conns_n, sizeof *conns);
	samples = malloc(SAMPLES_MAX * sizeof *samples);
	if (!conns || !samples || ady_loop_open(&loop) != ADY_OK ||
	    ady_pool_open(&pool, 1, conns_n) != ADY_OK)
		fail("start", "out of memory");
	connect_all();
	end_us = ady_mono_us() + (int64_t)(1e6 * seconds) + 200000;
	ady_timer_set(loop, &end, (int64_t)(1000 * seconds) + 1000);
	ady_loop_run(loop);
	qsort(samples, samples_n, sizeof *samples, ascending);
	printf("{\"answers\":%zu,\"bad\":%zu,\"seconds\":%.3f,", samples_n, bad, seconds);
	printf("\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u}\n", percentile(50), percentile(99),
	       percentile(100));
	if (bad)
		fprintf(stderr, "load: %zu bad answers, the first: %s\n", bad, first_bad);
	return 0;
}
