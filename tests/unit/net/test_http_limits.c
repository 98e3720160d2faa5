/* SPDX-License-Identifier: Apache-2.0
 *
 * Slow clients, clients that go away, too many of them, and the end of the server. */
#include <sys/resource.h>

#include "http_fixture.h"

static struct fixture fx;
static struct client client;

static void start(void)
{
	fixture_start(&fx);
	client_dial(&client, &fx);
}

static void stop(void)
{
	client_close(&client);
	fixture_stop(&fx);
}

#define GET_X "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_NEVER "GET /never HTTP/1.1\r\nHost: a\r\n\r\n"

/* --- slow clients --- */

/* A byte now and then does not move the deadline. */
CASE(a_slow_head_is_refused_at_its_deadline)
{
	int64_t before;
	ssize_t n;

	fixture_config(&fx);
	fx.config.limits.head_ms = 150;
	start();
	before = ady_mono_ms();
	do
		client_say(&client, "G");
	while ((n = client_more(&client, 10)) < 0 && ady_mono_ms() < before + WAIT_MS);
	CHECK(client_reply(&client, false));
	CHECK_INT(client.head.status, 408);
	CHECK_STR(client.connection, "close");
	CHECK(strstr(ady_dyn_cstr(&client.body), "\"where\":\"head\""));
	CHECK(ady_mono_ms() - before >= 140);
	stop();
}

CASE(the_deadline_of_a_later_head_starts_at_its_first_byte)
{
	fixture_config(&fx);
	fx.config.limits.head_ms = 1000;
	start();
	CHECK_INT(client_ask(&client, GET_X), 404);
	usleep(1500000); /* idle: longer than head_ms */
	CHECK_INT(client_ask(&client, GET_X), 404);
	usleep(1500000);
	CHECK_INT(client_ask(&client, "GET /x HT"), 408);
	stop();
}

CASE(silent_connections_are_closed_without_a_word)
{
	fixture_config(&fx);
	fx.config.limits.head_ms = 50;
	start();
	CHECK(client_ended(&client, WAIT_MS)); /* said nothing */
	CHECK(wait_open(&fx, 0));
	CHECK_INT(fx.refused, 0);
	stop();
	fixture_config(&fx);
	fx.config.limits.idle_ms = 80;
	start();
	CHECK_INT(client_ask(&client, GET_X), 404);
	CHECK(client_ended(&client, WAIT_MS)); /* idle */
	CHECK(wait_open(&fx, 0));
	CHECK_INT(fx.refused, 0);
	stop();
}

#define SLOW_POST "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"

CASE(a_slow_body_is_refused_at_its_deadline)
{
	fixture_config(&fx);
	fx.config.limits.body_ms = 150;
	start();
	CHECK_INT(client_ask(&client, SLOW_POST "abc"), 408);
	CHECK(strstr(ady_dyn_cstr(&client.body), "\"where\":\"body\""));
	CHECK_INT(fx.handled, 0);
	stop();
}

/* 300 bytes a second: far too slow long before body_ms. */
CASE(a_trickling_body_is_refused_by_its_rate)
{
	int64_t before;

	fixture_config(&fx);
	start();
	before = ady_mono_ms();
	client_say(&client, SLOW_POST);
	while (client_more(&client, 10) < 0 && ady_mono_ms() < before + 9000)
		client_say(&client, "abc");
	CHECK(client_reply(&client, false));
	CHECK_INT(client.head.status, 408);
	CHECK(ady_mono_ms() - before >= 1990 && ady_mono_ms() - before < 9500);
	stop();
}

CASE(a_client_that_does_not_read_is_dropped)
{
	fixture_config(&fx);
	fx.config.limits.write_ms = 150;
	start();
	client_say(&client, "GET /big?n=16000000 HTTP/1.1\r\nHost: a\r\n\r\n");
	CHECK(wait_open(&fx, 1));
	CHECK(wait_open(&fx, 0));
	stop();
}

/* --- clients that go away --- */

CASE(a_client_that_goes_away_cancels_its_request)
{
	fixture_config(&fx);
	start();
	client_say(&client, GET_NEVER GET_X); /* what is behind it waits */
	while (fx.handled == 0)
		usleep(1000);
	usleep(20000);
	CHECK_INT(fx.handled, 1);
	client_close(&client);
	CHECK(wait_open(&fx, 0));
	CHECK_INT(fx.cancelled, 1);
	fixture_stop(&fx); /* answers what is owed: dropped */
}

CASE(a_reset_in_the_middle_of_anything_is_survived)
{
	static const struct {
		const char *text;
		int handled; /* so far, with this one */
	} rows[] = {{"", 0},
	            {"GE", 0},
	            {SLOW_POST "abc", 0},
	            {GET_NEVER, 1},
	            {"GET /big?n=9000000 HTTP/1.1\r\nHost: a\r\n\r\n", 2},
	            {"GET /later HTTP/1.1\r\nHost: a\r\n\r\n", 3}};
	const struct linger reset = {.l_onoff = 1};

	fixture_config(&fx);
	fixture_start(&fx);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		client_dial(&client, &fx);
		client_say(&client, rows[i].text);
		do
			usleep(3000);
		while (fx.handled < rows[i].handled);
		setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		client_close(&client);
	}
	CHECK(wait_open(&fx, 0));
	usleep(2 * LATER_MS * 1000);
	CHECK_INT(ask_once(&fx, GET_X), 404);
	CHECK_INT(fx.cancelled, 1);
	fixture_stop(&fx);
}

/* --- too many --- */

CASE(connections_beyond_the_limit_are_told_so)
{
	static struct client second;

	fixture_config(&fx);
	fx.config.limits.connections_max = 1;
	start();
	client_say(&client, GET_NEVER);
	while (fx.handled < 1)
		usleep(500);
	client_dial(&second, &fx);
	CHECK_INT(client_ask(&second, GET_X), 503);
	CHECK_STR(second.retry_after, "1");
	CHECK_STR(second.connection, "close");
	CHECK(strstr(ady_dyn_cstr(&second.body), "overloaded"));
	client_close(&second);
	client_close(&client);
	CHECK(wait_open(&fx, 0));
	CHECK_INT(ask_once(&fx, GET_X), 404);
	fixture_stop(&fx);
}

/* Connections that are only held make room, the one that has waited longest first. */
CASE(a_connection_that_waits_makes_room)
{
	static struct client busy, silent, slow, idle, fresh;

	fixture_config(&fx);
	fx.config.limits.connections_max = 4;
	fixture_start(&fx);
	client_dial(&busy, &fx);
	client_say(&busy, GET_NEVER);
	while (fx.handled < 1)
		usleep(500);
	client_dial(&idle, &fx);
	client_dial(&silent, &fx);
	client_dial(&slow, &fx);
	client_say(&slow, SLOW_POST "abc");
	CHECK_INT(client_ask(&idle, GET_X), 404); /* the youngest of them now */
	CHECK(wait_open(&fx, 4));
	CHECK_INT(ask_once(&fx, GET_X), 404);
	CHECK(client_ended(&silent, WAIT_MS));
	client_dial(&fresh, &fx);
	CHECK_INT(client_ask(&fresh, GET_X), 404);
	CHECK_INT(ask_once(&fx, GET_X), 404);
	CHECK(client_ended(&slow, WAIT_MS));
	CHECK_INT(client_ask(&idle, GET_X), 404);
	CHECK_INT(client_ask(&fresh, GET_X), 404);
	CHECK_INT(fx.cancelled, 0);
	client_close(&busy);
	client_close(&silent);
	client_close(&slow);
	client_close(&idle);
	client_close(&fresh);
	fixture_stop(&fx);
}

/* Whether the server has ended the connection, and said nothing. */
static bool has_ended(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;

	return poll(&p, 1, 0) == 1 && recv(fd, &c, 1, MSG_PEEK) <= 0;
}

CASE(a_flood_beyond_the_surplus_is_closed_unheard)
{
	enum { N = 100 };
	static int fds[N];
	int64_t until = ady_mono_ms() + WAIT_MS;
	int heard;

	fixture_config(&fx);
	fx.config.limits.connections_max = 1;
	start();
	client_say(&client, GET_NEVER);
	while (fx.handled < 1)
		usleep(500);
	for (int i = 0; i < N; i++)
		CHECK_ERR(ady_dial(&fds[i], &fx.config.listen, 1000), ADY_OK);
	CHECK(wait_open(&fx, 65));
	do {
		usleep(1000);
		heard = 0;
		for (int i = 0; i < N; i++)
			heard += has_ended(fds[i]);
	} while (heard < N - 64 && ady_mono_ms() < until);
	CHECK_INT(heard, N - 64);
	for (int i = 0; i < N; i++)
		close(fds[i]);
	stop();
}

/* Without free descriptors the server must not spin, and must recover. */
CASE(no_free_descriptor)
{
	struct rlimit before, now;
	int spare = dup(0);

	fixture_config(&fx);
	start();
	CHECK_INT(client_ask(&client, GET_X), 404);
	close(spare);
	getrlimit(RLIMIT_NOFILE, &before);
	now = before;
	now.rlim_cur = (rlim_t)spare + 1; /* room for the client's side only */
	setrlimit(RLIMIT_NOFILE, &now);
	{
		static struct client waiting;

		client_dial(&waiting, &fx);
		client_say(&waiting, GET_X);
		CHECK_INT(client_more(&waiting, 60), -1);
		setrlimit(RLIMIT_NOFILE, &before);
		CHECK(client_reply(&waiting, false));
		client_close(&waiting);
	}
	stop();
}

/* --- the end --- */

static int drain_ms;

static void on_drained(void *ctx)
{
	struct fixture *f = ctx;

	f->drained++;
}

static void drain(struct fixture *f)
{
	ady_http_server_drain(f->server, drain_ms, on_drained);
}

static void answer_held(struct fixture *f)
{
	ady_http_answer(f->held, 200, "text/plain", NULL, ady_bytes_str("at last"));
	f->held = NULL;
}

CASE(a_drain_ends_idle_connections_and_waits_for_answers)
{
	static struct client idle, late;
	int fd;

	drain_ms = 100 * WAIT_MS;
	fixture_config(&fx);
	start();
	client_dial(&idle, &fx);
	CHECK_INT(client_ask(&idle, GET_X), 404);
	client_say(&client, GET_NEVER GET_X);
	while (fx.handled < 2)
		usleep(500);
	client_dial(&late, &fx);
	client_say(&late, GET_X); /* maybe not accepted yet */
	on_server(&fx, drain);
	CHECK(client_ended(&idle, WAIT_MS));
	CHECK(client_reply(&late, false));
	CHECK(ady_dial(&fd, &fx.config.listen, 100) != ADY_OK);
	CHECK_INT(fx.drained, 0);
	on_server(&fx, answer_held);
	CHECK(client_reply(&client, false));
	CHECK_INT(client.head.status, 200);
	CHECK_STR(client.connection, "close");
	client_close(&client);
	client_close(&late);
	for (int i = 0; i < WAIT_MS && !fx.drained; i++)
		usleep(1000);
	CHECK_INT(fx.drained, 1);
	client_close(&idle);
	fixture_stop(&fx);
}

CASE(a_drain_does_not_wait_for_ever)
{
	drain_ms = 300;
	fixture_config(&fx);
	start();
	client_say(&client, GET_NEVER);
	while (fx.handled == 0)
		usleep(1000);
	on_server(&fx, drain);
	CHECK(client_ended(&client, WAIT_MS));
	while (!fx.drained)
		usleep(1000);
	CHECK_INT(fx.cancelled, 1);
	stop();
}

CASE(a_drain_of_an_idle_server_is_done_at_once)
{
	drain_ms = 100 * WAIT_MS;
	fixture_config(&fx);
	fixture_start(&fx);
	on_server(&fx, drain);
	for (int i = 0; i < WAIT_MS && !fx.drained; i++)
		usleep(1000);
	CHECK_INT(fx.drained, 1);
	fixture_stop(&fx);
}

CASE(a_close_leaves_owed_requests_to_their_handlers)
{
	fixture_config(&fx);
	start();
	client_say(&client, GET_NEVER);
	while (fx.handled == 0)
		usleep(1000);
	stop();
	CHECK_INT(fx.cancelled, 1);
}

int main(void)
{
	RUN(a_slow_head_is_refused_at_its_deadline);
	RUN(the_deadline_of_a_later_head_starts_at_its_first_byte);
	RUN(silent_connections_are_closed_without_a_word);
	RUN(a_slow_body_is_refused_at_its_deadline);
	RUN(a_trickling_body_is_refused_by_its_rate);
	RUN(a_client_that_does_not_read_is_dropped);
	RUN(a_client_that_goes_away_cancels_its_request);
	RUN(a_reset_in_the_middle_of_anything_is_survived);
	RUN(connections_beyond_the_limit_are_told_so);
	RUN(a_connection_that_waits_makes_room);
	RUN(a_flood_beyond_the_surplus_is_closed_unheard);
	RUN(no_free_descriptor);
	RUN(a_drain_ends_idle_connections_and_waits_for_answers);
	RUN(a_drain_does_not_wait_for_ever);
	RUN(a_drain_of_an_idle_server_is_done_at_once);
	RUN(a_close_leaves_owed_requests_to_their_handlers);
	return test_end();
}
