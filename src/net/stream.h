/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of one connection, plain or TLS, behind the same three calls. Never blocks.
 * Thread rule: belongs to one loop. */
#ifndef ADY_NET_STREAM_H
#define ADY_NET_STREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "base/err.h"

/* What read and write return instead of a count. */
enum { ADY_STREAM_AGAIN = -1, ADY_STREAM_BROKEN = -2 };

struct ady_stream {
	int fd;
	SSL *ssl;        /* NULL: plain */
	bool wants_out;  /* reading waits until the socket can be written (a TLS handshake) */
	bool broken;     /* no further call to OpenSSL is allowed */
	const char *why; /* of a TLS failure, or NULL; static storage */
};

/* Take over fd; tls is NULL for a plain stream. Returns ADY_E_MEMORY; fd is then closed. The TLS
 * handshake happens within the first reads. */
enum ady_err ady_stream_open(struct ady_stream *s, int fd, SSL_CTX *tls);

/* The same for a connection that this side has made: host is who the certificate must name (a DNS
 * name or a numeric address). Before anything is read or written ady_stream_handshake must say so.
 */
enum ady_err ady_stream_connect(struct ady_stream *s, int fd, SSL_CTX *tls, const char *host);

/* Go on with the TLS handshake. Returns 1 when it is done (or there is none), ADY_STREAM_AGAIN
 * (s->wants_out tells for what) or ADY_STREAM_BROKEN, s->why tells why. */
int ady_stream_handshake(struct ady_stream *s);

/* Read at most n bytes (n > 0). Returns their number, 0 at the end, or ADY_STREAM_AGAIN or
 * ADY_STREAM_BROKEN. *more tells whether another read may give more without waiting. */
ssize_t ady_stream_read(struct ady_stream *s, void *p, size_t n, bool *more);

/* Write as much of iov[n] as goes. Returns the number of bytes, maybe 0, or ADY_STREAM_BROKEN. */
ssize_t ady_stream_write(struct ady_stream *s, struct iovec *iov, int n);

/* Say that nothing more will be written; what the peer still sends may be thrown away by
 * ady_stream_discard. */
void ady_stream_end(struct ady_stream *s);

/* Throw away what has arrived, undecrypted. False at the end of the stream. */
bool ady_stream_discard(struct ady_stream *s);

/* Close and free. */
void ady_stream_close(struct ady_stream *s);

#endif
