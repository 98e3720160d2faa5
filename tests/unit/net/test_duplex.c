/* SPDX-License-Identifier: Apache-2.0 */
#include "http_fixture.h"
#include "net/duplex.h"
#include "net/ws_handshake.h"

/* --- a server on the fixture's loop: every request is to become a WebSocket, texts are echoed ---
 */

struct peer {
	struct ady_duplex *d;
	struct fixture *f;
};

static struct fixture fx;
static struct ady_duplex_limits limits;
static atomic_int closed_n, open_n;
static atomic_uint closed_code;
static char closed_why[128];
static enum ady_framing framing = ADY_FRAMING_WS_SERVER;

static void on_text(void *ctx, struct ady_bytes text)
{
	struct peer *p = ctx;
	static char big[100000];

	if (ady_bytes_is(text, "[\"bye\"]"))
		ady_duplex_close(p->d, ADY_WS_RESTART, "as you wish");
	else if (ady_bytes_is(text, "[\"flood\"]"))
		for (int i = 0; i < 100; i++)
			ady_duplex_send(p->d, ady_bytes(memset(big, 'b', sizeof big), sizeof big));
	else
		ady_duplex_send(p->d, text);
}

static void on_closed(void *ctx, unsigned code, const char *why)
{
	snprintf(closed_why, sizeof closed_why, "%s", why);
	closed_code = code;
	open_n--;
	closed_n++;
	free(ctx);
}

static void serve(struct fixture *f, const struct ady_stream *stream, struct ady_bytes first,
                  struct ady_bytes rest)
{
	struct peer *p = calloc(1, sizeof *p);
	const struct ady_duplex_config config = {.loop = f->loop,
	                                         .framing = framing,
	                                         .limits = limits,
	                                         .text = on_text,
	                                         .closed = on_closed,
	                                         .ctx = p};

	p->f = f;
	open_n++;
	p->d = ady_duplex_open(&config, stream, first, rest);
}

static void on_upgrade(void *ctx, struct ady_http_request *req)
{
	struct ady_dyn reply = {0}, rest = {0};
	struct ady_stream stream;
	struct ady_fault f;

	if (!ady_ws_is_upgrade(&req->head) ||
	    ady_ws_accept_upgrade(&reply, &req->head, &f) != ADY_OK) {
		ady_http_answer(req, 400, "text/plain", NULL,
		                ady_bytes_str(ady_ws_is_upgrade(&req->head) ? f.where : "plain"));
		return;
	}
	ady_http_take(req, &stream, &rest);
	serve(ctx, &stream, ady_dyn_bytes(&reply), ady_dyn_bytes(&rest));
	ady_dyn_free(&reply);
	ady_dyn_free(&rest);
}

static void start(void)
{
	limits = ady_duplex_default_limits();
	framing = ADY_FRAMING_WS_SERVER;
	closed_n = 0;
	closed_code = 0;
	fixture_config(&fx);
	fx.config.request = on_upgrade;
	fixture_start(&fx);
}

static void await_closed(unsigned code, const char *why)
{
	for (int64_t until = ady_mono_ms() + WAIT_MS; !closed_n && ady_mono_ms() < until;)
		usleep(500);
	CHECK_INT(closed_n, 1);
	CHECK_INT(closed_code, code);
	CHECK_STR(closed_why, why);
}

/* --- a client that writes frames by hand --- */

static struct client client;

#define UPGRADE                                                                        \
	"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static bool more(size_t n)
{
	while (client.have < n)
		if (client_more(&client, WAIT_MS) <= 0)
			return false;
	return true;
}

/* RFC 6455 1.3: the example's accept. */
static void upgrade(void)
{
	struct ady_http_head head;
	struct ady_fault f;

	CHECK(client_dial(&client, &fx));
	CHECK(client_say(&client, UPGRADE));
	while (ady_http_parse_reply(&head, ady_bytes(client.in, client.have), &f) == ADY_E_AGAIN)
		if (client_more(&client, WAIT_MS) <= 0)
			break;
	CHECK_INT(head.status, 101);
	CHECK(ady_bytes_is(ady_http_field(&head, "sec-websocket-accept"),
	                   "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
	memmove(client.in, client.in + head.size, client.have -= head.size);
}

static void send_frame(unsigned first, const char *payload, size_t n)
{
	static const uint8_t mask[4] = {0xa1, 0xb2, 0xc3, 0xd4};
	uint8_t head[ADY_WS_HEAD_MAX];
	struct ady_dyn d = {0};
	size_t size = ady_ws_put_head(head, ADY_WS_TEXT, n, mask);

	head[0] = (uint8_t)first;
	ady_dyn_put(&d, head, size);
	ady_dyn_put(&d, payload, n);
	ady_ws_mask(d.p + size, n, mask);
	CHECK(client_send(&client, d.p, d.n));
	ady_dyn_free(&d);
}

/* The next frame of the server: its first byte, and its payload in client.body. */
static int next_frame(void)
{
	struct ady_ws_head head;
	struct ady_fault f;
	int first;

	while (ady_ws_parse_head(&head, ady_bytes(client.in, client.have), &f) == ADY_E_AGAIN)
		if (client_more(&client, WAIT_MS) <= 0)
			return -1;
	if (!CHECK(!head.masked) || !more(head.size + (size_t)head.length))
		return -1;
	first = client.in[0];
	client.body.n = 0;
	ady_dyn_put(&client.body, client.in + head.size, (size_t)head.length);
	memmove(client.in, client.in + head.size + head.length,
	        client.have -= head.size + (size_t)head.length);
	return first;
}

static void expect_close(unsigned code, const char *why)
{
	CHECK_INT(next_frame(), 0x88);
	CHECK(client.body.n >= 2);
	if (client.body.n >= 2) {
		CHECK_INT(ady_be16(client.body.p), code);
		CHECK_STR(ady_dyn_cstr(&client.body) + 2, why);
	}
}

CASE(texts_fragments_and_pings)
{
	start();
	upgrade();
	send_frame(0x81, "[1]", 3);
	CHECK_INT(next_frame(), 0x81);
	CHECK_STR(ady_dyn_cstr(&client.body), "[1]");
	send_frame(0x01, "[", 1);
	send_frame(0x89, "are you there", 13);
	send_frame(0x00, "\"\xc3", 2);
	send_frame(0x80, "\xa4\"]", 3);
	CHECK_INT(next_frame(), 0x8a);
	CHECK_STR(ady_dyn_cstr(&client.body), "are you there");
	CHECK_INT(next_frame(), 0x81);
	CHECK_STR(ady_dyn_cstr(&client.body), "[\"\xc3\xa4\"]");
	send_frame(0x82, "[2]", 3); /* binary frames are read as text */
	CHECK_INT(next_frame(), 0x81);
	send_frame(0x88, "\x03\xe8", 2);
	expect_close(1000, "");
	CHECK(client_ended(&client, WAIT_MS));
	await_closed(1000, "");
	client_close(&client);
	fixture_stop(&fx);
}

CASE(faults_are_told_by_code_and_reason)
{
	static const struct {
		const char *bytes;
		size_t n;
		unsigned code;
		const char *why;
	} rows[] = {
	    {"\x81\x01x", 3, 1002, "a frame is not masked"},
	    {"\xf1\x80zzzz", 6, 1002, "a frame has a reserved bit set"},
	    {"GET / HTTP/1.1\r\n\r\n", 18, 1002, "a frame has a reserved bit set"},
	    {"\x80\x80zzzz", 6, 1002, "a frame continues a message that has not begun"},
	    {"\x81\x81\0\0\0\0\xff", 7, 1007, "a text is no UTF-8"},
	    {"\x88\x81\0\0\0\0x", 7, 1002, "a close frame is malformed"},
	    {"\x81\xfe\x04\x01zzzz", 8, 1009, "a message is longer than 1024 bytes"},
	    {"\x81\xff\0\0\0\0\x10\0\0\0zzzz", 14, 1009, "a message is longer than 1024 bytes"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start();
		limits.text_max = 1024;
		upgrade();
		CHECK(client_send(&client, rows[i].bytes, rows[i].n));
		expect_close(rows[i].code, rows[i].why);
		client_close(&client);
		await_closed(rows[i].code, rows[i].why);
		fixture_stop(&fx);
	}
}

CASE(a_peer_that_does_not_answer_a_close_is_left_after_a_second)
{
	int64_t began = ady_mono_ms();

	start();
	upgrade();
	send_frame(0x81, "[\"bye\"]", 7);
	expect_close(1012, "as you wish");
	CHECK(client_ended(&client, WAIT_MS));
	CHECK(ady_mono_ms() - began >= 900);
	await_closed(1012, "as you wish");
	client_close(&client);
	fixture_stop(&fx);
}

CASE(a_peer_that_does_not_read_is_dropped)
{
	start();
	limits.queue_max = 1024 * 1024;
	upgrade();
	send_frame(0x81, "[\"flood\"]", 9);
	await_closed(1006, "the peer does not read");
	client_close(&client);
	fixture_stop(&fx);
}

CASE(a_silent_peer_is_asked_and_then_left)
{
	start();
	limits.ping_ms = 50;
	limits.silent_ms = 50;
	upgrade();
	CHECK_INT(next_frame(), 0x89);
	await_closed(1006, "the peer is silent");
	client_close(&client);
	fixture_stop(&fx);
}

CASE(a_connection_that_breaks_is_told)
{
	start();
	upgrade();
	client_close(&client);
	await_closed(1006, "the connection broke");
	fixture_stop(&fx);
}

CASE(bad_upgrades_are_refused_by_their_field)
{
	static const struct {
		const char *from, *to, *where;
	} rows[] = {
	    {"Version: 13", "Version: 12", "sec-websocket-version"},
	    {"Connection: Upgrade", "Connection: close", "connection"},
	    {"dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZ===", "sec-websocket-key"},
	    {"dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", "sec-websocket-key"},
	    {"Host: a",
	     "Host: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-key"},
	    {"Host: a", "Host: a\r\nContent-Length: 1", "content-length"},
	    {"Upgrade: websocket", "Upgrade: h2c", "plain"},
	    {"GET", "PUT", "plain"},
	};

	start();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *at = strstr(UPGRADE, rows[i].from);
		struct ady_dyn text = {0};

		ady_dyn_put(&text, UPGRADE, (size_t)(at - UPGRADE));
		ady_dyn_str(&text, rows[i].to);
		ady_dyn_str(&text, at + strlen(rows[i].from));
		if (strcmp(rows[i].where, "content-length") == 0)
			ady_dyn_str(&text, "x");
		CHECK(client_dial(&client, &fx));
		CHECK_INT(client_ask(&client, ady_dyn_cstr(&text)), 400);
		CHECK_STR(ady_dyn_cstr(&client.body), rows[i].where);
		client_close(&client);
		ady_dyn_free(&text);
	}
	fixture_stop(&fx);
}

CASE(frames_behind_the_upgrade_are_not_lost)
{
	static const char text[] = UPGRADE "\x81\x83\0\0\0\0[7]";
	struct ady_http_head head;
	struct ady_fault f;

	start();
	CHECK(client_dial(&client, &fx));
	CHECK(client_send(&client, text, sizeof text - 1));
	while (ady_http_parse_reply(&head, ady_bytes(client.in, client.have), &f) == ADY_E_AGAIN)
		if (client_more(&client, WAIT_MS) <= 0)
			break;
	memmove(client.in, client.in + head.size, client.have -= head.size);
	CHECK_INT(next_frame(), 0x81);
	CHECK_STR(ady_dyn_cstr(&client.body), "[7]");
	client_close(&client);
	await_closed(1006, "the connection broke");
	fixture_stop(&fx);
}

/* --- our own client side, on the same loop --- */

struct mine {
	struct fixture *f;
	struct ady_pool *pool;
	struct ady_url url;
	struct ady_duplex *d;
	struct ady_dyn got;
	atomic_bool got_text, gone, dialled;
	char fault[160];
	unsigned code;
};

static struct mine mine;

static void mine_text(void *ctx, struct ady_bytes text)
{
	struct mine *m = ctx;

	ady_dyn_put(&m->got, text.p, text.n);
	m->got_text = true;
}

static void mine_closed(void *ctx, unsigned code, const char *why)
{
	struct mine *m = ctx;

	(void)why;
	m->code = code;
	m->d = NULL;
	m->gone = true;
}

static void mine_dialled(void *ctx, struct ady_stream *stream, struct ady_bytes rest,
                         const struct ady_fault *f)
{
	struct mine *m = ctx;
	const struct ady_duplex_config config = {.loop = m->f->loop,
	                                         .framing = ADY_FRAMING_WS_CLIENT,
	                                         .limits = ady_duplex_default_limits(),
	                                         .text = mine_text,
	                                         .closed = mine_closed,
	                                         .ctx = m};

	if (f)
		snprintf(m->fault, sizeof m->fault, "%s", f->detail);
	else
		m->d = ady_duplex_open(&config, stream, (struct ady_bytes){0}, rest);
	m->dialled = true;
}

static void mine_dial(struct fixture *f)
{
	const struct ady_ws_dial_config config = {.loop = f->loop,
	                                          .pool = mine.pool,
	                                          .url = &mine.url,
	                                          .fields = "X-Extra: 1\r\n",
	                                          .done = mine_dialled,
	                                          .ctx = &mine};

	mine.f = f;
	(void)ady_ws_dial_start(&config, ady_mono_ms() + WAIT_MS);
}

static void mine_send(struct fixture *f)
{
	char *big = malloc(70000);

	(void)f;
	memset(big, 'x', 70000);
	ady_duplex_send(mine.d, ady_bytes(big, 70000));
	ady_duplex_send(mine.d, ady_bytes_str("[\"bye\"]"));
	free(big);
}

static void mine_start(const char *path)
{
	struct ady_fault f;
	char url[64];

	mine = (struct mine){0};
	snprintf(url, sizeof url, "ws://127.0.0.1:%u%s", fx.config.listen.port, path);
	CHECK_ERR(ady_url_parse(&mine.url, url, &f), ADY_OK);
	CHECK_ERR(ady_pool_open(&mine.pool, 1, 4), ADY_OK);
	on_server(&fx, mine_dial);
	for (int64_t until = ady_mono_ms() + WAIT_MS; !mine.dialled && ady_mono_ms() < until;)
		usleep(500);
}

CASE(both_sides_are_ours)
{
	start();
	mine_start("/");
	CHECK_STR(mine.fault, "");
	on_server(&fx, mine_send);
	await_closed(1012, "as you wish");
	for (int64_t until = ady_mono_ms() + WAIT_MS; !mine.gone && ady_mono_ms() < until;)
		usleep(500);
	CHECK_INT(mine.code, 1012);
	CHECK_INT(mine.got.n, 70000);
	ady_dyn_free(&mine.got);
	ady_pool_close(mine.pool);
	fixture_stop(&fx);
}

static void on_plain(void *ctx, struct ady_http_request *req)
{
	(void)ctx;
	ady_http_answer(req, 200, "text/plain", NULL, ady_bytes_str("no"));
}

CASE(a_server_that_does_not_upgrade)
{
	start();
	fx.config.request = on_plain;
	fixture_stop(&fx);
	fixture_config(&fx);
	fx.config.request = on_plain;
	fixture_start(&fx);
	mine_start("/");
	CHECK_STR(mine.fault, "the server refused the upgrade");
	ady_pool_close(mine.pool);
	fixture_stop(&fx);
}

/* --- JSON values on a stream --- */

static int other_end;

static void open_json(struct fixture *f)
{
	struct ady_stream stream;
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	other_end = fds[1];
	CHECK_ERR(ady_stream_open(&stream, fds[0], NULL), ADY_OK);
	serve(f, &stream, (struct ady_bytes){0}, (struct ady_bytes){0});
}

static void json_start(void)
{
	start();
	framing = ADY_FRAMING_JSON;
	limits.text_max = 100;
	on_server(&fx, open_json);
}

static void json_say(const char *text)
{
	CHECK_ERR(ady_write_all(other_end, text, strlen(text), ady_mono_ms() + WAIT_MS), ADY_OK);
}

CASE(json_values_back_to_back)
{
	char got[32] = "";

	json_start();
	json_say("{\"a\":1} [2]\n{\"b\"");
	json_say(":3}");
	CHECK_ERR(ady_read_exact(other_end, got, 20, ady_mono_ms() + WAIT_MS), ADY_OK);
	CHECK_STR(got, "{\"a\":1}\n[2]\n{\"b\":3}\n");
	close(other_end);
	await_closed(1000, "");
	fixture_stop(&fx);
}

CASE(json_faults_end_the_stream)
{
	char text[256] = "[\"";

	json_start();
	json_say("{} 17");
	await_closed(1002, "what came is no JSON object or array");
	close(other_end);
	fixture_stop(&fx);
	json_start();
	memset(text + 2, 'x', 200);
	json_say(text);
	await_closed(1009, "a text is too long");
	close(other_end);
	fixture_stop(&fx);
	json_start();
	json_say("{\"half\":");
	close(other_end);
	await_closed(1006, "the connection broke");
	fixture_stop(&fx);
}

int main(void)
{
	RUN(texts_fragments_and_pings);
	RUN(faults_are_told_by_code_and_reason);
	RUN(a_peer_that_does_not_answer_a_close_is_left_after_a_second);
	RUN(a_peer_that_does_not_read_is_dropped);
	RUN(a_silent_peer_is_asked_and_then_left);
	RUN(a_connection_that_breaks_is_told);
	RUN(bad_upgrades_are_refused_by_their_field);
	RUN(frames_behind_the_upgrade_are_not_lost);
	RUN(both_sides_are_ours);
	RUN(a_server_that_does_not_upgrade);
	RUN(json_values_back_to_back);
	RUN(json_faults_end_the_stream);
	return test_end();
}
