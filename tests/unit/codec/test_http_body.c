/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/http_body.h"
#include "test.h"

static struct ady_http_body body_of(const char *head_text)
{
	struct ady_http_head head;
	struct ady_http_body b;
	struct ady_fault f;

	CHECK_ERR(ady_http_parse_reply(&head, ady_bytes_str(head_text), &f), ADY_OK);
	ady_http_body_begin(&b, &head);
	return b;
}

/* The content of text as a body, given in pieces of step bytes. */
static enum ady_err decode(struct ady_http_body *b, char *out, const char *text, size_t step)
{
	size_t n = strlen(text), at = 0, used;
	struct ady_buf o = ady_buf(out, 127);
	enum ady_err err = ADY_E_AGAIN;

	for (size_t have = 0; have < n && b->stage != ADY_BODY_DONE;) {
		have = have + step < n ? have + step : n;
		do {
			struct ady_bytes piece;

			err = ady_http_body_next(b, &piece, &used, ady_bytes(text + at, have - at));
			ady_buf_view(&o, piece);
			at += used;
		} while (err == ADY_OK && b->stage != ADY_BODY_DONE);
		if (err != ADY_E_AGAIN && err != ADY_OK)
			break;
	}
	out[o.n] = '\0';
	return err;
}

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

CASE(chunks_in_any_pieces)
{
	char out[128];

	for (size_t step = 1; step < 30; step++) {
		struct ady_http_body b = body_of(CHUNKED);

		CHECK_ERR(decode(&b, out, "5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n", step),
		          ADY_OK);
		CHECK_INT(b.stage, ADY_BODY_DONE);
		CHECK_STR(out, "hello world");
	}
}

CASE(bad_chunks_are_refused)
{
	static const char *const texts[] = {
	    "x\r\n",         "5;ext=1\r\nhello\r\n",    "5\nhello\r\n", "5\r\nhelloX\r\n",
	    "5\r\nhello\rX", "0\r\nTrailer: 1\r\n\r\n", "-1\r\n",       "\r\n",
	};
	char out[128];

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct ady_http_body b = body_of(CHUNKED);

		CHECK_ERR(decode(&b, out, texts[i], 100), ADY_E_HTTP);
	}
	for (size_t i = 0; i < 2; i++) {
		struct ady_http_body b = body_of(CHUNKED);

		CHECK_ERR(decode(&b, out, i ? "1000001\r\n" : "123456789\r\n", 100),
		          ADY_E_TOO_LARGE);
	}
}

CASE(lengths_and_ends)
{
	char out[128];
	struct ady_http_body b = body_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");

	CHECK_ERR(decode(&b, out, "helloHTTP", 3), ADY_OK);
	CHECK_STR(out, "hello");
	b = body_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	CHECK_INT(b.stage, ADY_BODY_DONE);
	b = body_of("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n");
	CHECK_INT(b.stage, ADY_BODY_DONE);
	b = body_of("HTTP/1.0 200 OK\r\n\r\n");
	CHECK_ERR(decode(&b, out, "all of it", 4), ADY_E_AGAIN);
	CHECK_INT(b.stage, ADY_BODY_TO_END);
	CHECK_STR(out, "all of it");
}

int main(void)
{
	RUN(chunks_in_any_pieces);
	RUN(bad_chunks_are_refused);
	RUN(lengths_and_ends);
	return test_end();
}
