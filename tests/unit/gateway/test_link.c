/* SPDX-License-Identifier: Apache-2.0
 *
 * When a link takes its enclave for dead, and when not. The enclave is SIMULATED: a thread that
 * reads frames as slowly as a case wants and answers with nothing inside. */
#include "gateway/link.h"

#include <fcntl.h>

#include "fakes.h"
#include "net/transport.h"

enum { LARGE = 7 * 1024 * 1024, PIECE = 64 * 1024 };

static struct ady_loop *loop;
static struct ady_link *link_up;
static struct ady_gate gate = {.limit = 8};
static struct ady_call call;
static uint8_t large[LARGE];
static int held_up[2]; /* a pipe: the loop is held up when a byte comes */

static struct peer {
	struct ady_endpoint at;
	int listener;
	pthread_t thread;
	int piece_ms;  /* pause after each piece of a large body */
	int answer_ms; /* pause before the answer to a STATUS */
	int hold_at;   /* the STATUS, counted from 1, at which the loop is held up; 0: none */
	int statuses;
} peer;

static struct {
	int done;
	enum ady_err err;
	char why[160];
} seen;

/* --- the simulated enclave --- */

static bool take(int fd, size_t n, int pause_ms)
{
	static uint8_t some[PIECE];

	while (n > 0) {
		ssize_t got = read(fd, some, n < PIECE ? n : PIECE);

		if (got <= 0)
			return false;
		n -= (size_t)got;
		if (pause_ms > 0)
			sleep_ms(pause_ms);
	}
	return true;
}

static void answer(int fd, const struct ady_wire_head *asked)
{
	static const uint8_t hash[48];
	uint8_t space[512], frame[ADY_WIRE_HEAD + 512];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_wire_head head = {.type = asked->type | ADY_WIRE_ANSWER, .id = asked->id};

	if (asked->type == ADY_WIRE_HELLO)
		ady_wire_put_hello(&b, &(struct ady_wire_hello){.version = ady_bytes_str("fake"),
		                                                .module_id = ady_bytes_str("fake"),
		                                                .config_hash = ady_bytes(hash, 48),
		                                                .lanes = 1,
		                                                .depth = 8});
	else if (asked->type == ADY_WIRE_STATUS)
		ady_wire_put_status(
		    &b, &(struct ady_wire_status){.kms = ADY_KMS_OK, .has_credentials = 1});
	else
		ady_wire_put_empty(&b);
	head.length = (uint32_t)b.n;
	ady_wire_put_head(frame, &head);
	memcpy(frame + ADY_WIRE_HEAD, space, b.n);
	(void)!send(fd, frame, ADY_WIRE_HEAD + b.n, MSG_NOSIGNAL);
}

static void *peer_main(void *arg)
{
	int fd = accept(peer.listener, NULL, NULL);
	uint8_t head[ADY_WIRE_HEAD];
	struct ady_wire_head h;

	while (recv(fd, head, sizeof head, MSG_WAITALL) == sizeof head &&
	       ady_wire_read_head(&h, head) == ADY_OK &&
	       take(fd, h.length, h.length > PIECE ? peer.piece_ms : 0)) {
		if (h.type == ADY_WIRE_STATUS) {
			if (++peer.statuses == peer.hold_at)
				(void)!write(held_up[1], "x", 1);
			sleep_ms(peer.answer_ms);
		}
		answer(fd, &h);
	}
	close(fd);
	return arg;
}

/* --- the link --- */

static void stop_now(struct ady_timer *timer)
{
	(void)timer;
	ady_loop_stop(loop);
}

static void run_ms(int ms)
{
	struct ady_timer end = {.fn = stop_now};

	ady_timer_set(loop, &end, ms);
	ady_loop_run(loop);
	ady_timer_cancel(loop, &end);
}

static void on_stopped(void *ctx)
{
	(void)ctx;
	ady_loop_stop(loop);
}

static void on_done(struct ady_call *c, struct ady_bytes body, const struct ady_fault *f)
{
	(void)c;
	(void)body;
	seen.done++;
	seen.err = f ? f->err : ADY_OK;
	snprintf(seen.why, sizeof seen.why, "%s", f ? f->detail : "");
	ady_loop_stop(loop);
}

/* What another does in one round of the loop takes longer than an enclave may be silent. */
static void hold_up(struct ady_io *io, uint32_t ready)
{
	(void)ready;
	ady_loop_del(loop, io);
	sleep_ms(3300);
}

static void open_all(struct ady_pool **dialers)
{
	struct ady_fault f;

	memset(&seen, 0, sizeof seen);
	peer.statuses = 0;
	peer.at.kind = ADY_UNIX;
	snprintf(peer.at.path, sizeof peer.at.path, "%s/link.sock", fake_dir());
	CHECK_ERR(ady_listen(&peer.listener, &peer.at, &f), ADY_OK);
	CHECK(fcntl(peer.listener, F_SETFL, 0) == 0);
	CHECK(pthread_create(&peer.thread, NULL, peer_main, NULL) == 0);
	CHECK_ERR(ady_loop_open(&loop), ADY_OK);
	CHECK_ERR(ady_pool_open(dialers, 1, 4), ADY_OK);
	CHECK_ERR(ady_link_open(&link_up, &(struct ady_link_config){.loop = loop,
	                                                            .endpoint = peer.at,
	                                                            .dialers = *dialers,
	                                                            .gate = &gate}),
	          ADY_OK);
	for (int i = 0; i < 200 && !ady_link_is_up(link_up); i++)
		run_ms(10);
	CHECK(ady_link_is_up(link_up));
}

static void close_all(struct ady_pool *dialers)
{
	ady_link_stop(link_up, on_stopped);
	ady_loop_run(loop);
	pthread_join(peer.thread, NULL);
	ady_pool_close(dialers);
	ady_link_close(link_up);
	ady_loop_close(loop);
	close(peer.listener);
	unlink(peer.at.path);
}

/* Seven MiB in five seconds: the beat behind them waits longer than a silence may last. */
CASE(an_enclave_that_takes_a_large_question_slowly_is_alive)
{
	struct ady_pool *dialers;
	struct ady_link_report report;

	peer = (struct peer){.piece_ms = 45};
	open_all(&dialers);
	call.done = on_done;
	CHECK_ERR(ady_link_ask(link_up, &call, ADY_WIRE_DUTY, ady_bytes(large, LARGE), 20000),
	          ADY_OK);
	run_ms(20000);
	CHECK_INT(seen.done, 1);
	CHECK_ERR(seen.err, ADY_OK);
	CHECK_STR(seen.why, "");
	ady_link_report(link_up, &report);
	CHECK_INT(report.connects, 1);
	close_all(dialers);
}

/* More waits than a status request may wait behind. */
CASE(a_beat_for_which_there_is_no_room_is_left_out)
{
	struct ady_call two[2] = {{.done = on_done}, {.done = on_done}};
	struct ady_link_report report;
	struct ady_pool *dialers;

	peer = (struct peer){.piece_ms = 20};
	open_all(&dialers);
	for (int i = 0; i < 2; i++)
		CHECK_ERR(
		    ady_link_ask(link_up, &two[i], ADY_WIRE_DUTY, ady_bytes(large, LARGE), 20000),
		    ADY_OK);
	for (int i = 0; i < 2; i++)
		run_ms(20000);
	CHECK_INT(seen.done, 2);
	CHECK_ERR(seen.err, ADY_OK);
	ady_link_report(link_up, &report);
	CHECK_INT(report.connects, 1);
	close_all(dialers);
}

CASE(an_answer_that_lies_unread_is_no_silence)
{
	struct ady_io other = {.fn = hold_up};
	struct ady_link_report report;
	struct ady_pool *dialers;

	CHECK(pipe(held_up) == 0);
	peer = (struct peer){.answer_ms = 100, .hold_at = 2};
	open_all(&dialers);
	other.fd = held_up[0];
	CHECK_ERR(ady_loop_add(loop, &other, EPOLLIN), ADY_OK);
	run_ms(3000); /* more, for it is held up */
	run_ms(200);
	CHECK(peer.statuses >= 2);
	ady_link_report(link_up, &report);
	CHECK(report.up);
	CHECK_INT(report.connects, 1);
	close_all(dialers);
	close(held_up[0]);
	close(held_up[1]);
}

/* It takes nothing more after a while, though the call is only half there. */
CASE(an_enclave_that_stops_taking_is_dead)
{
	struct ady_pool *dialers;
	int64_t began;

	peer = (struct peer){.piece_ms = 6000};
	open_all(&dialers);
	call.done = on_done;
	began = ady_mono_ms();
	CHECK_ERR(ady_link_ask(link_up, &call, ADY_WIRE_DUTY, ady_bytes(large, LARGE), 20000),
	          ADY_OK);
	run_ms(20000);
	CHECK_INT(seen.done, 1);
	CHECK_ERR(seen.err, ADY_E_ENCLAVE);
	CHECK(ady_mono_ms() - began < 15000); /* before the call's own end */
	close_all(dialers);
}

int main(void)
{
	RUN(an_enclave_that_takes_a_large_question_slowly_is_alive);
	RUN(a_beat_for_which_there_is_no_room_is_left_out);
	RUN(an_answer_that_lies_unread_is_no_silence);
	RUN(an_enclave_that_stops_taking_is_dead);
	return test_end();
}
