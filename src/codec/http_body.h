/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of an HTTP/1.1 message (RFC 9112 6 and 7), piece by piece: by length, in chunks, or to
 * the end of the connection. Trailers are refused. Heap: none. */
#ifndef ADY_CODEC_HTTP_BODY_H
#define ADY_CODEC_HTTP_BODY_H

#include "codec/http1.h"

struct ady_http_body {
	enum {
		ADY_BODY_LENGTH,     /* left bytes are to come */
		ADY_BODY_TO_END,     /* of the connection */
		ADY_BODY_CHUNK_HEAD, /* a chunk's size is next */
		ADY_BODY_CHUNK,      /* left bytes of a chunk, then CRLF */
		ADY_BODY_CHUNK_END,  /* the CRLF behind a chunk */
		ADY_BODY_LAST,       /* the CRLF behind the last chunk */
		ADY_BODY_DONE,
	} stage;
	uint64_t left;
};

/* Begin the body of a reply with this head to a request that was no HEAD (RFC 9112 6.3). */
void ady_http_body_begin(struct ady_http_body *b, const struct ady_http_head *head);

/* Take one piece of the body from the start of in: *piece is its content, maybe empty, *used the
 * bytes it took, framing included. b->stage is ADY_BODY_DONE at the end.
 * Returns: ADY_E_AGAIN when more bytes are needed for anything, ADY_E_HTTP for bad chunks,
 * ADY_E_TOO_LARGE for a chunk of over 16 MiB. */
enum ady_err ady_http_body_next(struct ady_http_body *b, struct ady_bytes *piece, size_t *used,
                                struct ady_bytes in);

#endif
