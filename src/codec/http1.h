/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/1.1 message heads (RFC 9112), strict: CRLF only, no folding, no NUL or control characters,
 * one Host, at most one Content-Length, never Content-Length with Transfer-Encoding, no spaces
 * before colons. Used for requests on the parent and for the replies of AWS; heads only, bodies are
 * counted by the caller. Views point into the input. */
#ifndef ADY_CODEC_HTTP1_H
#define ADY_CODEC_HTTP1_H

#include "base/bytes.h"

enum { ADY_HTTP_HEAD_MAX = 8192, ADY_HTTP_FIELDS_MAX = 64, ADY_HTTP_TARGET_MAX = 4096 };

struct ady_http_field {
	struct ady_bytes name, value; /* value without surrounding blanks */
};

struct ady_http_head {
	struct ady_bytes method, target; /* of a request */
	struct ady_bytes path, query;    /* the target cut at '?', as it stands (percent-encoded) */
	int status;                      /* of a reply */
	int minor;                       /* HTTP/1.minor: 0 or 1 */
	struct ady_http_field fields[ADY_HTTP_FIELDS_MAX];
	size_t fields_n;
	bool has_length, chunked, keep_alive, expect_continue;
	uint64_t length; /* Content-Length when has_length */
	size_t size;     /* bytes of the head, with the empty line */
};

/* Parse a request head at the start of in.
 * Returns: ADY_E_AGAIN when the head is not complete yet, ADY_E_TOO_LARGE past a limit, ADY_E_HTTP
 * with the reason in f. Incomplete heads are refused as soon as they cannot become valid. */
enum ady_err ady_http_parse_request(struct ady_http_head *head, struct ady_bytes in,
                                    struct ady_fault *f);

/* Parse a reply head at the start of in. Errors as ady_http_parse_request. */
enum ady_err ady_http_parse_reply(struct ady_http_head *head, struct ady_bytes in,
                                  struct ady_fault *f);

/* The value of the first field of that name (any case); p is NULL when there is none. */
struct ady_bytes ady_http_field(const struct ady_http_head *head, const char *name);

/* Decode one chunk head ("1a\r\n") at the start of in: *size is the chunk's size, *used the bytes
 * of its head. Extensions and sizes above 16 MiB are refused. Errors as ady_http_parse_request. */
enum ady_err ady_http_chunk(size_t *size, size_t *used, struct ady_bytes in);

/* Percent-decode text to out[cap] with a NUL. Returns ADY_E_HTTP for a bad escape or a NUL byte,
 * ADY_E_TOO_LARGE. */
enum ady_err ady_http_unescape(char *out, size_t cap, struct ady_bytes text);

/* The percent-decoded value of parameter name in a query string; ADY_E_NOT_FOUND when absent. */
enum ady_err ady_http_query(char *out, size_t cap, struct ady_bytes query, const char *name);

#endif
