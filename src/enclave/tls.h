/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS to KMS, ending in the enclave: TLS 1.2 or newer, forward secrecy and AEAD only, trust in the
 * roots of the measured configuration alone, the host's name checked. This is what authenticates
 * KMS's replies, so it may never be relaxed. Nothing is resumed, renegotiated or read from files
 * or the environment. Thread rule: a client serves all threads; a stream belongs to one. */
#ifndef ADY_ENCLAVE_TLS_H
#define ADY_ENCLAVE_TLS_H

#include "base/bytes.h"

struct ssl_ctx_st;
struct ssl_st;

struct ady_tls_client {
	struct ssl_ctx_st *ctx;
};

/* One connection. fd < 0: closed. */
struct ady_tls {
	struct ssl_st *ssl;
	int fd;
};

/* Start OpenSSL without its configuration file and make a client that trusts the certificates in
 * roots_pem (CA certificates only, nothing else between them but text).
 * Returns ADY_E_CONFIG with the reason in f, or ADY_E_MEMORY. */
enum ady_err ady_tls_client_open(struct ady_tls_client *client, const char *roots_pem,
                                 struct ady_fault *f);

/* Free. */
void ady_tls_client_close(struct ady_tls_client *client);

/* Shake hands over fd (non-blocking; taken over) with the server named host.
 * Out:     *t, open on ADY_OK, else closed.
 * Returns: ADY_E_TLS when the peer is not who it must be or speaks no acceptable TLS (the reason in
 *          f), ADY_E_IO when the connection breaks off, ADY_E_DEADLINE. */
enum ady_err ady_tls_connect(struct ady_tls *t, const struct ady_tls_client *client, int fd,
                             const char *host, int64_t deadline_ms, struct ady_fault *f);

/* Write all of b. Returns ADY_E_IO, ADY_E_DEADLINE. */
enum ady_err ady_tls_write(struct ady_tls *t, struct ady_bytes b, int64_t deadline_ms);

/* Read 1..cap bytes to p; *n is their number, 0 at the peer's proper end. Returns ADY_E_IO (a cut
 * without the end of TLS included), ADY_E_DEADLINE. */
enum ady_err ady_tls_read(struct ady_tls *t, uint8_t *p, size_t cap, size_t *n,
                          int64_t deadline_ms);

/* Whether an idle connection still looks usable: open, and nothing came in unasked. */
bool ady_tls_fresh(const struct ady_tls *t);

/* Close; harmless when closed. */
void ady_tls_close(struct ady_tls *t);

#endif
