/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>

#include "http_fixture.h"

static struct fixture fx;
static struct client client;

static void start(void)
{
	fixture_config(&fx);
	fixture_start(&fx);
	client_dial(&client, &fx);
}

static void stop(void)
{
	client_close(&client);
	fixture_stop(&fx);
}

static const char *body_text(void)
{
	return ady_dyn_cstr(&client.body);
}

#define ECHO_ABC "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"

CASE(a_request_is_answered_and_the_connection_kept)
{
	start();
	for (int i = 0; i < 3; i++) {
		CHECK_INT(client_ask(&client, ECHO_ABC), 200);
		CHECK_STR(body_text(), "abc");
		CHECK_STR(client.type, "text/plain");
		CHECK_STR(client.connection, "");
	}
	CHECK_INT(client_ask(&client, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"), 404);
	CHECK_INT(client_ask(&client, "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
	          200);
	CHECK_STR(client.connection, "close");
	CHECK(client_ended(&client, WAIT_MS));
	stop();
}

CASE(a_request_may_be_cut_anywhere)
{
	static const char text[] = ECHO_ABC;

	start();
	for (size_t cut = 1; cut < sizeof text - 1; cut++) {
		client_send(&client, text, cut);
		usleep(300);
		client_send(&client, text + cut, sizeof text - 1 - cut);
		CHECK(client_reply(&client, false));
		CHECK_STR(body_text(), "abc");
	}
	for (size_t i = 0; i < sizeof text - 1; i++) { /* byte by byte */
		client_send(&client, text + i, 1);
		usleep(100);
	}
	CHECK(client_reply(&client, false));
	CHECK_INT(fx.handled, sizeof text - 1);
	CHECK_INT(fx.refused, 0);
	stop();
}

CASE(pipelined_requests_are_answered_in_order)
{
	enum { N = 60 };
	static const char *const paths[] = {"/echo", "/later", "/x"};
	struct ady_dyn all = {0};

	start();
	for (int i = 0; i < N; i++)
		ady_dyn_printf(&all, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n%03d",
		               paths[i % 3], i);
	client_send(&client, all.p, all.n);
	for (int i = 0; i < N; i++) {
		CHECK(client_reply(&client, false));
		CHECK_INT(client.head.status, i % 3 == 2 ? 404 : 200);
		if (i % 3 != 2)
			CHECK_INT(strtol(body_text(), NULL, 10), i);
	}
	ady_dyn_free(&all);
	stop();
}

CASE(ten_thousand_requests_on_one_connection)
{
	fixture_config(&fx);
	fx.config.limits.requests_max = 20000;
	fixture_start(&fx);
	client_dial(&client, &fx);
	for (int i = 0; i < 10000; i++)
		if (!CHECK_INT(client_ask(&client, ECHO_ABC), 200))
			break;
	CHECK_INT(fx.handled, 10000);
	stop();
}

CASE(the_last_allowed_request_is_told_so)
{
	start();
	for (int i = 1; i < 1000; i++) {
		CHECK_INT(client_ask(&client, ECHO_ABC), 200);
		if (!CHECK_STR(client.connection, ""))
			break;
	}
	CHECK_INT(client_ask(&client, ECHO_ABC), 200);
	CHECK_STR(client.connection, "close");
	CHECK(client_ended(&client, WAIT_MS));
	stop();
}

CASE(an_old_connection_ends_after_an_answer)
{
	fixture_config(&fx);
	fx.config.limits.connection_ms = 1500;
	fixture_start(&fx);
	client_dial(&client, &fx);
	CHECK_INT(client_ask(&client, ECHO_ABC), 200);
	CHECK_STR(client.connection, "");
	usleep(1600000);
	CHECK_INT(client_ask(&client, ECHO_ABC), 200);
	CHECK_STR(client.connection, "close");
	stop();
}

CASE(head_answers_without_a_body)
{
	start();
	client_say(&client, "HEAD /big?n=5000 HTTP/1.1\r\nHost: a\r\n\r\n");
	CHECK(client_reply(&client, true));
	CHECK_INT(client.head.length, 5000);
	CHECK_INT(client_ask(&client, ECHO_ABC), 200);
	CHECK_STR(body_text(), "abc");
	stop();
}

CASE(http_1_0)
{
	start();
	CHECK_INT(client_ask(&client, "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), 404);
	CHECK_STR(client.connection, "keep-alive");
	CHECK_INT(client_ask(&client, "GET /x HTTP/1.0\r\n\r\n"), 404);
	CHECK_STR(client.connection, "close");
	CHECK(client_ended(&client, WAIT_MS));
	stop();
}

CASE(expect_100_continue)
{
	start();
	client_say(&client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
	                    "Expect: 100-continue\r\n\r\n");
	while (client.have < 25 && client_more(&client, WAIT_MS) > 0)
		;
	CHECK(client.have == 25 && memcmp(client.in, "HTTP/1.1 100 Continue\r\n\r\n", 25) == 0);
	CHECK_INT(client_ask(&client, "abc"), 200);
	CHECK_INT(client.interim, 1);
	CHECK_STR(body_text(), "abc");
	/* a client that did not wait is not told */
	CHECK_INT(client_ask(&client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
	                              "Expect: 100-continue\r\n\r\nabc"),
	          200);
	CHECK_INT(client.interim, 0);
	CHECK_INT(client_ask(&client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n"
	                              "Expect: 100-continue\r\n\r\n"),
	          413);
	CHECK_INT(client.interim, 0);
	stop();
}

CASE(large_bodies_both_ways)
{
	static char body[65536];
	char head[128];

	start();
	memset(body, 'x', sizeof body);
	snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
	         sizeof body);
	for (int i = 0; i < 3; i++) {
		client_say(&client, head);
		client_send(&client, body, sizeof body);
		CHECK(client_reply(&client, false));
		CHECK(client.body.n == sizeof body &&
		      memcmp(client.body.p, body, sizeof body) == 0);
	}
	CHECK_INT(client_ask(&client, "GET /big?n=5000000 HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
	CHECK_INT(client.body.n, 5000000);
	CHECK_INT(client_ask(&client, ECHO_ABC), 200);
	stop();
}

/* --- refusals --- */

struct refused {
	const char *text;
	int status;
	const char *body; /* a part of it */
};

#define G "GET /echo HTTP/1.1\r\nHost: a\r\n"
#define HIDDEN "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"

/* Each must be refused, the connection ended, and nothing behind it answered. */
CASE(smuggled_requests_do_not_reach_the_handler)
{
	static const struct refused rows[] = {
	    {G "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" HIDDEN, 400,
	     "together"},
	    {G "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" HIDDEN, 400,
	     "together"},
	    {G "Content-Length: 0\r\nContent-Length: 36\r\n\r\n" HIDDEN, 400, "twice"},
	    {G "Content-Length: 36, 0\r\n\r\n" HIDDEN, 400, "decimal"},
	    {G "Content-Length: +36\r\n\r\n" HIDDEN, 400, "decimal"},
	    {G "Content-Length:\v36\r\n\r\n" HIDDEN, 400, "control"},
	    {G "Content-Length : 36\r\n\r\n" HIDDEN, 400, "blank before"},
	    {G "Content-Length: 36\n\n" HIDDEN, 400, "line feed"},
	    {G "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" HIDDEN, 411, "Content-Length"},
	    {G "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" HIDDEN, 400, "not chunked"},
	    {G "Transfer-Encoding: identity\r\n\r\n" HIDDEN, 400, "not chunked"},
	    {G "Transfer_Encoding: chunked\r\nTransfer-Encoding : chunked\r\n\r\n" HIDDEN, 400,
	     "blank before"},
	    {G "X: a\r\n Content-Length: 36\r\n\r\n" HIDDEN, 400, "folded"},
	    {G "X: a\rContent-Length: 36\r\n\r\n" HIDDEN, 400, "not allowed"},
	    {G "Host: b\r\n\r\n" HIDDEN, 400, "twice"},
	    {"GET /echo HTTP/1.1\r\n\r\n" HIDDEN, 400, "missing"},
	    {"GET http://b/echo HTTP/1.1\r\nHost: a\r\n\r\n" HIDDEN, 400, "slash"},
	    {"GET /echo\nHTTP/1.1\r\nHost: a\r\n\r\n" HIDDEN, 400, "line feed"},
	    {"GET /echo HTTP/1.1\nHost: a\n\n" HIDDEN, 400, "line feed"},
	    {"GET /echo HTTP/2.0\r\nHost: a\r\n\r\n" HIDDEN, 505, "HTTP/1.1"},
	    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/2"},
	    {G "Expect: magic\r\n\r\n" HIDDEN, 417, "100-continue"},
	    {G "Content-Length: 65537\r\n\r\n" HIDDEN, 413, "65536"},
	    {G "Content-Length: 999999999999999999\r\n\r\n" HIDDEN, 413, "65536"},
	    {"\x16\x03\x01\x02\x01\x01", 400, "method"},
	};

	fixture_config(&fx);
	fixture_start(&fx);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		client_dial(&client, &fx);
		if (!CHECK_INT(client_ask(&client, rows[i].text), rows[i].status) ||
		    !CHECK(strstr(body_text(), rows[i].body)))
			fprintf(stderr, "# row %zu: %s\n", i, body_text());
		CHECK_STR(client.type, "application/problem+json");
		CHECK_STR(client.connection, "close");
		CHECK(client_ended(&client, WAIT_MS));
		client_close(&client);
	}
	CHECK_INT(fx.handled, 0);
	CHECK_INT(fx.refused, sizeof rows / sizeof *rows);
	CHECK(wait_open(&fx, 0));
	fixture_stop(&fx);
}

CASE(heads_and_targets_have_limits)
{
	static char text[20000];

	start();
	snprintf(text, sizeof text, "GET /%04096d", 0);
	CHECK_INT(client_ask(&client, text), 414); /* before the head is whole */
	client_close(&client);
	client_dial(&client, &fx);
	snprintf(text, sizeof text, G "X: %09000d", 0);
	CHECK_INT(client_ask(&client, text), 431);
	CHECK_STR(client.connection, "close");
	stop();
}

CASE(without_a_refused_callback_the_answer_is_text)
{
	fixture_config(&fx);
	fx.config.refused = NULL;
	fixture_start(&fx);
	client_dial(&client, &fx);
	CHECK_INT(client_ask(&client, "GET /\n"), 400);
	CHECK_STR(client.type, "text/plain");
	CHECK_STR(body_text(), "target has a line feed without CR\n");
	stop();
}

/* --- other listeners --- */

CASE(a_unix_socket_serves_too)
{
	fixture_config(&fx);
	fx.config.listen = (struct ady_endpoint){.kind = ADY_UNIX};
	snprintf(fx.config.listen.path, sizeof fx.config.listen.path, "/tmp/adyton-http-%d.sock",
	         getpid());
	fixture_start(&fx);
	client_dial(&client, &fx);
	CHECK_INT(client_ask(&client, ECHO_ABC), 200);
	unlink(fx.config.listen.path);
	stop();
}

CASE(two_loops_share_a_port)
{
	static struct fixture second;

	fixture_config(&fx);
	fx.config.listen.shared = true;
	fixture_start(&fx);
	fixture_config(&second);
	second.config.listen = fx.config.listen;
	fixture_start(&second);
	for (int i = 0; i < 200 && (i < 20 || !fx.handled || !second.handled); i++)
		CHECK_INT(ask_once(&fx, ECHO_ABC), 200);
	CHECK(fx.handled > 0 && second.handled > 0);
	fixture_stop(&second);
	fixture_stop(&fx);
}

CASE(a_taken_address_and_zero_limits_are_refused)
{
	struct ady_http_config config;
	struct ady_http_server *server;
	struct ady_fault f = {0};

	start();
	config = fx.config;
	config.limits.head_ms = 0;
	CHECK_ERR(ady_http_server_open(&server, fx.loop, &config, &f), ADY_E_CONFIG);
	CHECK_STR(f.where, "limits");
	config = fx.config;
	snprintf(config.listen.path, sizeof config.listen.path, "203.0.113.1");
	CHECK_ERR(ady_http_server_open(&server, fx.loop, &config, &f), ADY_E_IO);
	CHECK(!server && strstr(f.detail, "203.0.113.1"));
	stop();
}

int main(void)
{
	RUN(a_request_is_answered_and_the_connection_kept);
	RUN(a_request_may_be_cut_anywhere);
	RUN(pipelined_requests_are_answered_in_order);
	RUN(ten_thousand_requests_on_one_connection);
	RUN(the_last_allowed_request_is_told_so);
	RUN(an_old_connection_ends_after_an_answer);
	RUN(head_answers_without_a_body);
	RUN(http_1_0);
	RUN(expect_100_continue);
	RUN(large_bodies_both_ways);
	RUN(smuggled_requests_do_not_reach_the_handler);
	RUN(heads_and_targets_have_limits);
	RUN(without_a_refused_callback_the_answer_is_text);
	RUN(a_unix_socket_serves_too);
	RUN(two_loops_share_a_port);
	RUN(a_taken_address_and_zero_limits_are_refused);
	return test_end();
}
