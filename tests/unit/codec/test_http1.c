/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/http1.h"

#include <stdlib.h>

#include "test.h"

static struct ady_http_head head;
static struct ady_fault fault;

/* The input lies in a block of its exact size, so that the sanitizers see a read behind it. */
static enum ady_err parse(const void *p, size_t n, bool reply)
{
	uint8_t *copy = malloc(n ? n : 1);
	enum ady_err err;

	memcpy(copy, p, n);
	fault = (struct ady_fault){0};
	err = reply ? ady_http_parse_reply(&head, ady_bytes(copy, n), &fault)
	            : ady_http_parse_request(&head, ady_bytes(copy, n), &fault);
	free(copy);
	return err;
}

static bool is(struct ady_bytes b, const char *s)
{
	return ady_bytes_is(b, s);
}

CASE(a_request_is_read)
{
	static const char in[] = "POST /v1/keys/a%20b/sign?x=1&y=%41 HTTP/1.1\r\n"
	                         "Host: example.com:8080\r\n"
	                         "content-LENGTH:  12 \r\n"
	                         "Expect: 100-Continue\r\n"
	                         "X-Empty:\r\n"
	                         "X-Text:\tone two\t \r\n"
	                         "\r\n"
	                         "{\"a\":\"b\"}...GET /";
	struct ady_bytes all = ady_bytes_str(in);

	CHECK_ERR(ady_http_parse_request(&head, all, &fault), ADY_OK);
	CHECK(is(head.method, "POST"));
	CHECK(is(head.target, "/v1/keys/a%20b/sign?x=1&y=%41"));
	CHECK(is(head.path, "/v1/keys/a%20b/sign"));
	CHECK(is(head.query, "x=1&y=%41"));
	CHECK_INT(head.minor, 1);
	CHECK_INT(head.fields_n, 5);
	CHECK(head.has_length && head.length == 12);
	CHECK(head.keep_alive && head.expect_continue && !head.chunked);
	CHECK(is(ady_http_field(&head, "host"), "example.com:8080"));
	CHECK(is(ady_http_field(&head, "x-text"), "one two"));
	CHECK(ady_http_field(&head, "X-EMPTY").p && ady_http_field(&head, "X-EMPTY").n == 0);
	CHECK(!ady_http_field(&head, "x-none").p);
	CHECK(memcmp(in + head.size, "{\"a\"", 4) == 0);
}

CASE(a_reply_is_read)
{
	static const char in[] = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: Chunked\r\n"
	                         "Connection: x, Close\r\n\r\n";
	static const char bare[] = "HTTP/1.0 200 \r\nConnection: keep-alive\r\n\r\n";

	CHECK_ERR(ady_http_parse_reply(&head, ady_bytes_str(in), &fault), ADY_OK);
	CHECK_INT(head.status, 404);
	CHECK(head.chunked && !head.keep_alive && !head.has_length);
	CHECK_INT(head.size, sizeof in - 1);
	CHECK_ERR(ady_http_parse_reply(&head, ady_bytes_str(bare), &fault), ADY_OK);
	CHECK(head.keep_alive && head.minor == 0 && head.status == 200);
}

CASE(every_prefix_of_a_head_is_waited_for)
{
	static const char in[] =
	    "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nConnection: a ,b,\tclose\r\n"
	    "Transfer-Encoding: chunked\r\nX-Obs: \xe4\xff\r\n\r\n";
	static const char reply[] = "HTTP/1.1 200 OK fine\r\nContent-Length: 0\r\n\r\n";

	for (size_t n = 0; n < sizeof in - 1; n++)
		CHECK_ERR(parse(in, n, false), ADY_E_AGAIN);
	CHECK_ERR(parse(in, sizeof in - 1, false), ADY_OK);
	CHECK(head.chunked && !head.keep_alive);
	for (size_t n = 0; n < sizeof reply - 1; n++)
		CHECK_ERR(parse(reply, n, true), ADY_E_AGAIN);
	CHECK_ERR(parse(reply, sizeof reply - 1, true), ADY_OK);
}

struct refusal {
	const char *in;
	enum ady_err err;
	const char *where, *detail; /* detail: a part of it */
};

/* A wrong byte is refused as soon as it is there: cutting the input behind it changes nothing. */
static void check_refusals(const struct refusal *rows, size_t n, bool reply)
{
	for (size_t i = 0; i < n; i++) {
		const struct refusal *r = &rows[i];

		if (!CHECK_ERR(parse(r->in, strlen(r->in), reply), r->err) ||
		    !CHECK_STR(fault.where, r->where) || !CHECK(strstr(fault.detail, r->detail))) {
			fprintf(stderr, "# row %zu: %s: %s\n", i, r->in, fault.detail);
			return;
		}
	}
}

#define H "Host: a\r\n"
#define G "GET / HTTP/1.1\r\n" H

/* What the HTTP Garden's findings have in common: a head that two parsers read in two ways. */
CASE(requests_that_can_be_read_in_two_ways_are_refused)
{
	static const struct refusal rows[] = {
	    {G "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", ADY_E_HTTP, "content-length",
	     "twice"},
	    {G "Content-Length: 1\r\ncontent-length: 2\r\n\r\n", ADY_E_HTTP, "content-length",
	     "twice"},
	    {G "Content-Length: 1, 1\r\n\r\n", ADY_E_HTTP, "content-length", "decimal"},
	    {G "Content-Length: +1\r\n\r\n", ADY_E_HTTP, "content-length", "decimal"},
	    {G "Content-Length: -1\r\n\r\n", ADY_E_HTTP, "content-length", "decimal"},
	    {G "Content-Length: 0x10\r\n\r\n", ADY_E_HTTP, "content-length", "decimal"},
	    {G "Content-Length: 1_0\r\n\r\n", ADY_E_HTTP, "content-length", "decimal"},
	    {G "Content-Length: 1 0\r\n\r\n", ADY_E_HTTP, "content-length", "decimal"},
	    {G "Content-Length: \r\n\r\n", ADY_E_HTTP, "content-length", "decimal"},
	    {G "Content-Length: 18446744073709551617\r\n\r\n", ADY_E_HTTP, "content-length",
	     "decimal"},
	    {G "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", ADY_E_HTTP,
	     "transfer-encoding", "together"},
	    {G "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", ADY_E_HTTP,
	     "transfer-encoding", "together"},
	    {G "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", ADY_E_HTTP,
	     "transfer-encoding", "twice"},
	    {G "Transfer-Encoding: gzip, chunked\r\n\r\n", ADY_E_HTTP, "transfer-encoding",
	     "not chunked"},
	    {G "Transfer-Encoding: chunked, identity\r\n\r\n", ADY_E_HTTP, "transfer-encoding",
	     "not chunked"},
	    {G "Transfer-Encoding: xchunked\r\n\r\n", ADY_E_HTTP, "transfer-encoding",
	     "not chunked"},
	    {G "Transfer-Encoding: \x0b"
	       "chunked\r\n\r\n",
	     ADY_E_HTTP, "field", "control"},
	    {G "Transfer-Encoding : chunked\r\n\r\n", ADY_E_HTTP, "field", "blank before"},
	    {G "Content-Length\t: 1\r\n\r\n", ADY_E_HTTP, "field", "blank before"},
	    {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", ADY_E_HTTP,
	     "transfer-encoding", "HTTP/1.0"},
	    {G "X: a\r\n b\r\n\r\n", ADY_E_HTTP, "field", "folded"},
	    {G "X: a\r\n\tb\r\n\r\n", ADY_E_HTTP, "field", "folded"},
	    {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", ADY_E_HTTP, "field", "folded"},
	    {G "X: a\n\r\n", ADY_E_HTTP, "field", "line feed"},
	    {G "X: a\rb\r\n\r\n", ADY_E_HTTP, "field", "not allowed"},
	    {G "X: a\r\r\n\r\n", ADY_E_HTTP, "field", "not allowed"},
	    {G "\n", ADY_E_HTTP, "field", "no token"},
	    {G "\rX", ADY_E_HTTP, "head", "not allowed"},
	    {"GET / HTTP/1.1\n" H "\r\n", ADY_E_HTTP, "request line", "line feed"},
	    {"GET / HTTP/1.1\r\n\r\n", ADY_E_HTTP, "host", "missing"},
	    {G H "\r\n", ADY_E_HTTP, "host", "twice"},
	    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", ADY_E_HTTP, "host", "empty"},
	    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", ADY_E_HTTP, "host", "no host"},
	    {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", ADY_E_HTTP, "host", "no host"},
	    {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", ADY_E_HTTP, "host", "no host"},
	    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", ADY_E_HTTP, "host", "no host"},
	};

	check_refusals(rows, sizeof rows / sizeof *rows, false);
}

CASE(malformed_requests_are_refused)
{
	static const struct refusal rows[] = {
	    {"\r\nGET / HTTP/1.1\r\n" H "\r\n", ADY_E_HTTP, "method", "no token"},
	    {" GET / HTTP/1.1\r\n", ADY_E_HTTP, "method", "no token"},
	    {"G\x01T / HTTP/1.1\r\n", ADY_E_HTTP, "method", "not allowed"},
	    {"GET\t/ HTTP/1.1\r\n", ADY_E_HTTP, "method", "not allowed"},
	    {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJ", ADY_E_HTTP, "method", "longer"},
	    {"GET  / HTTP/1.1\r\n", ADY_E_HTTP, "target", "slash"},
	    {"GET http://a/ HTTP/1.1\r\n", ADY_E_HTTP, "target", "slash"},
	    {"CONNECT a:443 HTTP/1.1\r\n", ADY_E_HTTP, "target", "slash"},
	    {"GET * HTTP/1.1\r\n", ADY_E_HTTP, "target", "slash"},
	    {"GET /a#b HTTP/1.1\r\n", ADY_E_HTTP, "target", "not allowed"},
	    {"GET /\"a\" HTTP/1.1\r\n", ADY_E_HTTP, "target", "not allowed"},
	    {"GET /\xc3\xa4 HTTP/1.1\r\n", ADY_E_HTTP, "target", "not allowed"},
	    {"GET /a\\b HTTP/1.1\r\n", ADY_E_HTTP, "target", "not allowed"},
	    {"GET /\n", ADY_E_HTTP, "target", "line feed"},
	    {"GET /\r\n", ADY_E_HTTP, "target", "not allowed"},
	    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ADY_E_HTTP, "version", "HTTP/2"},
	    {"GET / HTTP/2.0\r\n", ADY_E_HTTP, "version", "not HTTP/1"},
	    {"GET / HTTP/1.2\r\n", ADY_E_HTTP, "version", "not HTTP/1"},
	    {"GET / HTTP/0.9\r\n", ADY_E_HTTP, "version", "not HTTP/1"},
	    {"GET / HTTP/1.x\r\n", ADY_E_HTTP, "request line", "no digit"},
	    {"GET / HTTP/1.10\r\n", ADY_E_HTTP, "request line", "not allowed"},
	    {"GET / http/1.1\r\n", ADY_E_HTTP, "request line", "not allowed"},
	    {"GET / HTTP/1.1 \r\n", ADY_E_HTTP, "request line", "not allowed"},
	    {"GET / FTP/1.1\r\n", ADY_E_HTTP, "request line", "not allowed"},
	    {G ": a\r\n\r\n", ADY_E_HTTP, "field", "no token"},
	    {G "X\r\n\r\n", ADY_E_HTTP, "field", "no token"},
	    {G "X[]: a\r\n\r\n", ADY_E_HTTP, "field", "no token"},
	    {G "X: a\x7f\r\n\r\n", ADY_E_HTTP, "field", "control"},
	    {G "X: a\x1f\r\n\r\n", ADY_E_HTTP, "field", "control"},
	    {G "Expect: 200-ok\r\n\r\n", ADY_E_HTTP, "expect", "100-continue"},
	};
	static const char nul[] = G "X: a\0b\r\n\r\n", nul_name[] = G "X\0: a\r\n\r\n";

	check_refusals(rows, sizeof rows / sizeof *rows, false);
	CHECK_ERR(parse(nul, sizeof nul - 1, false), ADY_E_HTTP);
	CHECK_STR(fault.detail, "has a control character in its value");
	CHECK_ERR(parse(nul_name, sizeof nul_name - 1, false), ADY_E_HTTP);
	CHECK_STR(fault.detail, "has a name that is no token");
}

CASE(malformed_replies_are_refused)
{
	static const struct refusal rows[] = {
	    {"HTTP/2 200 OK\r\n", ADY_E_HTTP, "version", "not HTTP/1"},
	    {"HTTP/1.1  200 OK\r\n", ADY_E_HTTP, "status", "no digit"},
	    {"HTTP/1.1 20 OK\r\n", ADY_E_HTTP, "status", "no digit"},
	    {"HTTP/1.1 099 OK\r\n", ADY_E_HTTP, "status", "within"},
	    {"HTTP/1.1 600 OK\r\n", ADY_E_HTTP, "status", "within"},
	    {"HTTP/1.1 2000 OK\r\n", ADY_E_HTTP, "status", "not allowed"},
	    {"HTTP/1.1 200\r\n", ADY_E_HTTP, "status", "not allowed"},
	    {"HTTP/1.1 200 O\x01K\r\n", ADY_E_HTTP, "status", "not allowed"},
	    {"HTTP/1.1 200 OK\n", ADY_E_HTTP, "status", "line feed"},
	    {"ICY 200 OK\r\n", ADY_E_HTTP, "status line", "not allowed"},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n", ADY_E_HTTP,
	     "content-length", "twice"},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
	     ADY_E_HTTP, "transfer-encoding", "together"},
	};

	check_refusals(rows, sizeof rows / sizeof *rows, true);
}

/* Every byte value at every place of a head: what is accepted must read back as what it was. */
CASE(no_byte_ends_a_value_unseen)
{
	for (int c = 0; c < 256; c++) {
		char in[] = "GET / HTTP/1.1\r\nHost: a\r\nX: a?b\r\nY: 1\r\n\r\n";
		bool allowed = c == '\t' || (c >= 0x20 && c != 0x7f);

		*strchr(in, '?') = (char)c;
		CHECK_ERR(ady_http_parse_request(&head, ady_bytes(in, sizeof in - 1), &fault),
		          allowed ? ADY_OK : ADY_E_HTTP);
		if (allowed)
			CHECK(head.fields_n == 3 && ady_http_field(&head, "X").n == 3);
	}
}

static char big[3 * ADY_HTTP_HEAD_MAX];

static size_t big_target(int n)
{
	return (size_t)snprintf(big, sizeof big, "GET /%0*d HTTP/1.1\r\nHost: a\r\n\r\n", n - 1, 0);
}

/* A head of exactly n bytes. */
static size_t big_head(int n)
{
	static const char first[] = G "X: ";

	return (size_t)snprintf(big, sizeof big, "%s%0*d\r\n\r\n", first,
	                        n - (int)sizeof first + 1 - 4, 0);
}

static size_t many_fields(int n)
{
	struct ady_buf b = ady_buf(big, sizeof big);

	ady_buf_str(&b, G);
	for (int i = 1; i < n; i++)
		ady_buf_printf(&b, "X: %d\r\n", i);
	ady_buf_str(&b, "\r\n");
	return b.n;
}

CASE(limits_are_exact)
{
	CHECK_ERR(parse(big, big_target(ADY_HTTP_TARGET_MAX), false), ADY_OK);
	CHECK_ERR(parse(big, big_target(ADY_HTTP_TARGET_MAX + 1), false), ADY_E_TOO_LARGE);
	CHECK_STR(fault.where, "target");
	CHECK_ERR(parse(big, big_head(ADY_HTTP_HEAD_MAX), false), ADY_OK);
	CHECK_ERR(parse(big, big_head(ADY_HTTP_HEAD_MAX) - 1, false), ADY_E_AGAIN);
	CHECK_ERR(parse(big, big_head(ADY_HTTP_HEAD_MAX + 1), false), ADY_E_TOO_LARGE);
	CHECK_STR(fault.where, "head");
	CHECK_ERR(parse(big, big_head(ADY_HTTP_HEAD_MAX + 1) - 1, false), ADY_E_TOO_LARGE);
	CHECK_ERR(parse(big, many_fields(ADY_HTTP_FIELDS_MAX), false), ADY_OK);
	CHECK_INT(head.fields_n, ADY_HTTP_FIELDS_MAX);
	CHECK_ERR(parse(big, many_fields(ADY_HTTP_FIELDS_MAX + 1), false), ADY_E_TOO_LARGE);
	CHECK_STR(fault.where, "head");
}

static enum ady_err chunk(const char *in, size_t *size, size_t *used)
{
	return ady_http_chunk(size, used, ady_bytes_str(in));
}

CASE(chunk_heads)
{
	static const char *const bad[] = {"\r\n",    "g\r\n", "1;a=b\r\n", "1 \r\n", " 1\r\n",
	                                  "0x1\r\n", "1\n",   "-1\r\n",    "+1\r\n", "1\rX"};
	static const char *const large[] = {"1000001\r\n", "ffffffff\r\n", "000000001\r\n",
	                                    "10000000000000001\r\n"};
	static const char *const part[] = {"", "1", "1\r"};
	size_t size, used;

	CHECK_ERR(chunk("1a\r\nabc", &size, &used), ADY_OK);
	CHECK(size == 26 && used == 4);
	CHECK_ERR(chunk("0\r\n\r\n", &size, &used), ADY_OK);
	CHECK(size == 0 && used == 3);
	CHECK_ERR(chunk("01000000\r\n", &size, &used), ADY_OK);
	CHECK_INT(size, 16 * 1024 * 1024);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_ERR(chunk(bad[i], &size, &used), ADY_E_HTTP);
	for (size_t i = 0; i < sizeof large / sizeof *large; i++)
		CHECK_ERR(chunk(large[i], &size, &used), ADY_E_TOO_LARGE);
	for (size_t i = 0; i < sizeof part / sizeof *part; i++)
		CHECK_ERR(chunk(part[i], &size, &used), ADY_E_AGAIN);
}

CASE(percent_decoding)
{
	static const char *const bad[] = {"%", "%1", "%g0", "%0g", "a%00b", "%%41", "%2"};
	char out[8];

	CHECK_ERR(ady_http_unescape(out, sizeof out, ady_bytes_str("a%20%41+")), ADY_OK);
	CHECK_STR(out, "a A+");
	CHECK_ERR(ady_http_unescape(out, sizeof out, ady_bytes_str("")), ADY_OK);
	CHECK_STR(out, "");
	CHECK_ERR(ady_http_unescape(out, sizeof out, ady_bytes_str("1234567")), ADY_OK);
	CHECK_ERR(ady_http_unescape(out, sizeof out, ady_bytes_str("12345678")), ADY_E_TOO_LARGE);
	CHECK_STR(out, "");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK_ERR(ady_http_unescape(out, sizeof out, ady_bytes_str(bad[i])), ADY_E_HTTP);
		CHECK_STR(out, "");
	}
}

static enum ady_err query(char *out, const char *text, const char *name)
{
	return ady_http_query(out, 16, ady_bytes_str(text), name);
}

CASE(query_parameters)
{
	char out[16];

	CHECK_ERR(query(out, "a=1&nonce=%61%62&c", "nonce"), ADY_OK);
	CHECK_STR(out, "ab");
	CHECK_ERR(query(out, "a=1&nonce=%61%62&c", "c"), ADY_OK);
	CHECK_STR(out, "");
	CHECK_ERR(query(out, "nonces=1&non=2", "nonce"), ADY_E_NOT_FOUND);
	CHECK_ERR(query(out, "", "nonce"), ADY_E_NOT_FOUND);
	CHECK_ERR(query(out, "&&", "nonce"), ADY_E_NOT_FOUND);
	CHECK_ERR(query(out, "a=1&a=1", "a"), ADY_E_HTTP);
	CHECK_STR(out, "");
	CHECK_ERR(query(out, "a=%4", "a"), ADY_E_HTTP);
	CHECK_ERR(query(out, "a=12345678901234567", "a"), ADY_E_TOO_LARGE);
	CHECK_ERR(query(out, "a=b=c", "a"), ADY_OK);
	CHECK_STR(out, "b=c");
}

int main(void)
{
	RUN(a_request_is_read);
	RUN(a_reply_is_read);
	RUN(every_prefix_of_a_head_is_waited_for);
	RUN(requests_that_can_be_read_in_two_ways_are_refused);
	RUN(malformed_requests_are_refused);
	RUN(malformed_replies_are_refused);
	RUN(no_byte_ends_a_value_unseen);
	RUN(limits_are_exact);
	RUN(chunk_heads);
	RUN(percent_decoding);
	RUN(query_parameters);
	return test_end();
}
