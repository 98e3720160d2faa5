/* SPDX-License-Identifier: Apache-2.0
 *
 * POST / of the whole gateway between fakes (fakes.h): JSON-RPC beside the AWS sample's body. */
#include "gateway/eth2.h"
#include "gateway/rpc.h"

#include "world.h"

static const char health[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"health_status\"}";

static void post(struct world *w, const char *fields, const char *body, struct reply *r)
{
	http_do(w->port, "POST", "/", fields, body, r);
}

CASE(json_rpc_is_answered_on_the_root)
{
	struct world w;
	struct reply r;

	open_world(&w, "", "");
	post(&w, "Content-Type: application/json\r\n", health, &r);
	CHECK_INT(r.status, 200);
	CHECK(strstr(r.head, "Content-Type: application/json\r\n") != NULL);
	CHECK_STR(r.body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"OK\"}");
	reply_free(&r);
	post(&w, "", "[{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"health_status\"}]", &r);
	CHECK_STR(r.body, "[{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":\"OK\"}]");
	reply_free(&r);
	/* errors of calls come with status 200 */
	post(&w, "", "[", &r);
	CHECK_INT(r.status, 200);
	CHECK(strstr(r.body, "-32700") != NULL);
	reply_free(&r);
	post(&w, "", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_nothing\"}", &r);
	CHECK(strstr(r.body, "\"code\":-32601") && strstr(r.body, "eth_nothing"));
	reply_free(&r);
	/* notifications have no answer */
	post(&w, "", "{\"jsonrpc\":\"2.0\",\"method\":\"health_status\"}", &r);
	CHECK_INT(r.status, 204);
	CHECK_STR(r.body, "");
	reply_free(&r);
	http_do(w.port, "GET", "/metrics", "", "", &r);
	CHECK(strstr(r.body, "adyton_requests_total{route=\"jsonrpc\",status=\"200\"} 4\n") !=
	      NULL);
	CHECK(strstr(r.body, "adyton_requests_total{route=\"jsonrpc\",status=\"204\"} 1\n") !=
	      NULL);
	reply_free(&r);
	close_world(&w);
}

CASE(web_pages_and_other_media_are_refused)
{
	struct world w;
	struct reply r;

	open_world(&w, "", "");
	post(&w, "Origin: https://evil.example\r\n", health, &r);
	CHECK_INT(r.status, 403);
	CHECK_STR(reply_text(&r, "code"), "denied");
	reply_free(&r);
	post(&w, "Content-Type: text/plain\r\n", health, &r);
	CHECK_INT(r.status, 415);
	CHECK_STR(reply_text(&r, "code"), "media_type_unsupported");
	reply_free(&r);
	close_world(&w);
}

/* Send a body of n bytes, head in front and blanks behind. */
static void post_long(struct world *w, const char *path, const char *head, size_t n,
                      struct reply *r)
{
	int fd = http_open(w->port);
	char *text = malloc(n + 256);
	size_t at;
	ssize_t sent = 1;

	at = (size_t)snprintf(
	    text, n + 256, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", path, n);
	memset(text + at, ' ', n);
	memcpy(text + at, head, strlen(head));
	for (size_t done = 0; done < at + n && sent > 0; done += (size_t)sent)
		sent = send(fd, text + done, at + n - done, MSG_NOSIGNAL);
	CHECK(http_read(fd, r));
	close(fd);
	free(text);
}

CASE(json_rpc_may_be_longer_than_what_is_signed)
{
	static const char sample[] = "{\"transaction_payload\":{},\"secret_id\":\"k\"}";
	static const struct {
		const char *path, *head;
		size_t n;
		int status;
	} rows[] = {
	    {"/", health, ADY_RPC_TEXT_MAX, 200},
	    {"/", health, ADY_RPC_TEXT_MAX + 1, 413},
	    {"/", sample, ADY_WIRE_REQUEST_MAX, 200},
	    {"/", sample, ADY_WIRE_REQUEST_MAX + 1, 413},
	    {"/v1/keys/k/sign", "{}", ADY_WIRE_REQUEST_MAX, 200},
	    {"/v1/keys/k/sign", "{}", ADY_WIRE_REQUEST_MAX + 1, 413},
	};
	struct world w;
	struct reply r;

	open_world(&w, "", "");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		post_long(&w, rows[i].path, rows[i].head, rows[i].n, &r);
		CHECK_INT(r.status, rows[i].status);
		if (r.status == 413)
			CHECK_STR(reply_text(&r, "code"), "too_large");
		reply_free(&r);
	}
	close_world(&w);
}

/* Announce a body of n bytes and send none of it. */
static int begin_long(struct world *w, const char *path, size_t n)
{
	char text[128];
	int fd = http_open(w->port);
	int head = snprintf(text, sizeof text,
	                    "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", path, n);

	CHECK(send(fd, text, (size_t)head, MSG_NOSIGNAL) == head);
	return fd;
}

enum { LONG_N = 80 };

/* How many of them the server has answered or ended. */
static size_t heard(const int *fds)
{
	size_t n = 0;

	for (size_t i = 0; i < LONG_N; i++) {
		struct pollfd p = {.fd = fds[i], .events = POLLIN};

		n += poll(&p, 1, 0) == 1;
	}
	return n;
}

/* Begin bodies of n bytes until neither of the two threads takes another. They share the port, and
 * the kernel the connections between them: of these each has as many as it takes, held of them. */
static void hold_long(struct world *w, const char *path, size_t n, size_t held, int *fds)
{
	for (size_t i = 0; i < LONG_N; i++)
		fds[i] = begin_long(w, path, n);
	WAIT_FOR(heard(fds) >= LONG_N - 2 * held);
	CHECK_INT(heard(fds), LONG_N - 2 * held);
}

/* End them, and wait until the server has. */
static void end_long(const int *fds)
{
	for (size_t i = 0; i < LONG_N; i++)
		(void)shutdown(fds[i], SHUT_WR);
	WAIT_FOR(heard(fds) == LONG_N);
	for (size_t i = 0; i < LONG_N; i++)
		close(fds[i]);
}

CASE(long_bodies_are_few_at_once)
{
	struct world w;
	struct reply r;
	int fds[LONG_N];

	open_world(&w, "", "");
	hold_long(&w, "/", ADY_RPC_TEXT_MAX, 16, fds);
	post_long(&w, "/", health, ADY_RPC_TEXT_MAX, &r);
	CHECK_INT(r.status, 503);
	CHECK_STR(reply_text(&r, "code"), "overloaded");
	reply_free(&r);
	post_long(&w, "/", health, ADY_WIRE_REQUEST_MAX, &r); /* others are not concerned */
	CHECK_INT(r.status, 200);
	reply_free(&r);
	end_long(fds);
	for (size_t i = 0; i < 40; i++) { /* one after the other */
		post_long(&w, "/", health, ADY_WIRE_REQUEST_MAX + 1, &r);
		CHECK_INT(r.status, 200);
		reply_free(&r);
	}
	close_world(&w);
}

/* Histories of validators: two of the longest on each thread are all that may be there. */
CASE(the_longest_bodies_are_fewer)
{
	struct world w;
	struct reply r;
	int fds[LONG_N];

	open_world(&w, "", "");
	hold_long(&w, "/v1/slashing", ADY_SLASHING_FILE_MAX, 2, fds);
	post_long(&w, "/", health, ADY_RPC_TEXT_MAX, &r);
	CHECK_INT(r.status, 503);
	CHECK_STR(reply_text(&r, "code"), "overloaded");
	reply_free(&r);
	end_long(fds);
	post_long(&w, "/", health, ADY_RPC_TEXT_MAX, &r);
	CHECK_INT(r.status, 200);
	reply_free(&r);
	close_world(&w);
}

int main(void)
{
	RUN(json_rpc_is_answered_on_the_root);
	RUN(web_pages_and_other_media_are_refused);
	RUN(json_rpc_may_be_longer_than_what_is_signed);
	RUN(long_bodies_are_few_at_once);
	RUN(the_longest_bodies_are_fewer);
	return test_end();
}
