/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static const char suites_tls12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/* Every PEM block must be a certificate of a CA: a typing error must not leave fewer roots than
 * were meant. */
static enum ady_err add_roots(X509_STORE *store, BIO *pem, struct ady_fault *f)
{
	int n = 0;
	X509 *cert;

	for (; (cert = PEM_read_bio_X509(pem, NULL, NULL, NULL)); n++) {
		bool ok = X509_check_ca(cert) == 1 && X509_STORE_add_cert(store, cert) == 1;

		X509_free(cert);
		if (!ok)
			return ady_fail(f, ADY_E_CONFIG, "kms.roots_pem",
			                "certificate %d is not a root", n + 1);
	}
	if (n == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return ady_fail(f, ADY_E_CONFIG, "kms.roots_pem", "certificate %d cannot be read",
		                n + 1);
	ERR_clear_error();
	return ADY_OK;
}

static bool set_rules(SSL_CTX *ctx)
{
	static const unsigned char alpn[] = "\x08http/1.1";
	char groups[] = "X25519:P-256:P-384"; /* the macro below wants it writable */

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx,
	                    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(ctx, suites_tls12) == 1 &&
	       SSL_CTX_set1_groups_list(ctx, groups) == 1 &&
	       SSL_CTX_set_alpn_protos(ctx, alpn, sizeof alpn - 1) == 0;
}

enum ady_err ady_tls_client_open(struct ady_tls_client *client, const char *roots_pem,
                                 struct ady_fault *f)
{
	enum ady_err err = ADY_E_MEMORY;
	BIO *pem = NULL;

	client->ctx = NULL;
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
		return ady_fail(f, ADY_E_CRYPTO, "", "OpenSSL does not start");
	ERR_clear_error();
	client->ctx = SSL_CTX_new(TLS_client_method());
	pem = BIO_new_mem_buf(roots_pem, -1);
	if (client->ctx && pem && set_rules(client->ctx))
		err = add_roots(SSL_CTX_get_cert_store(client->ctx), pem, f);
	BIO_free(pem);
	if (err != ADY_OK)
		ady_tls_client_close(client);
	return err;
}

void ady_tls_client_close(struct ady_tls_client *client)
{
	SSL_CTX_free(client->ctx);
	client->ctx = NULL;
}

/* Wait until fd is ready for events. */
static enum ady_err wait_for(int fd, short events, int64_t deadline_ms)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int64_t left = deadline_ms - ady_mono_ms();
		int n;

		if (left <= 0)
			return ADY_E_DEADLINE;
		n = poll(&p, 1, left < 60000 ? (int)left : 60000);
		if (n > 0)
			return ADY_OK;
		if (n < 0 && errno != EINTR)
			return ADY_E_IO;
	}
}

/* After a call of OpenSSL that returned result: wait for what it wants (then ADY_OK: call again),
 * or say what went wrong. */
static enum ady_err want(struct ady_tls *t, int result, int64_t deadline_ms)
{
	int why = SSL_get_error(t->ssl, result);

	if (why == SSL_ERROR_WANT_READ)
		return wait_for(t->fd, POLLIN, deadline_ms);
	if (why == SSL_ERROR_WANT_WRITE)
		return wait_for(t->fd, POLLOUT, deadline_ms);
	/* OpenSSL 3 reports a stream that ends without close_notify as a protocol error. */
	if (why == SSL_ERROR_SSL &&
	    ERR_GET_REASON(ERR_peek_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return ADY_E_TLS;
	return ADY_E_IO;
}

static enum ady_err explain(const struct ady_tls *t, enum ady_err err, struct ady_fault *f)
{
	long verdict = SSL_get_verify_result(t->ssl);
	const char *reason;

	if (err == ADY_E_TLS && verdict != X509_V_OK)
		return ady_fail(f, err, "", "the certificate of KMS: %s",
		                X509_verify_cert_error_string(verdict));
	if (err == ADY_E_TLS) {
		reason = ERR_reason_error_string(ERR_peek_error());
		return ady_fail(f, err, "", "the handshake with KMS failed: %s",
		                reason ? reason : "no reason");
	}
	return ady_fail(f, err, "", "the handshake with KMS %s",
	                err == ADY_E_DEADLINE ? "takes too long" : "breaks off");
}

static enum ady_err handshake(struct ady_tls *t, const char *host, int64_t deadline_ms)
{
	char name[254]; /* as above */

	snprintf(name, sizeof name, "%s", host);
	SSL_set_hostflags(t->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
	                              X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (SSL_set1_host(t->ssl, host) != 1 || SSL_set_tlsext_host_name(t->ssl, name) != 1 ||
	    SSL_set_fd(t->ssl, t->fd) != 1)
		return ADY_E_MEMORY;
	for (;;) {
		enum ady_err err;
		int n;

		ERR_clear_error();
		if ((n = SSL_connect(t->ssl)) == 1)
			break;
		if ((err = want(t, n, deadline_ms)) != ADY_OK)
			return err;
	}
	/* Asked again on purpose: the one condition everything rests on. */
	return SSL_get_verify_result(t->ssl) == X509_V_OK && SSL_get0_peername(t->ssl) ? ADY_OK
	                                                                               : ADY_E_TLS;
}

enum ady_err ady_tls_connect(struct ady_tls *t, const struct ady_tls_client *client, int fd,
                             const char *host, int64_t deadline_ms, struct ady_fault *f)
{
	enum ady_err err;

	*t = (struct ady_tls){.fd = fd, .ssl = SSL_new(client->ctx)};
	if (!t->ssl) {
		ady_tls_close(t);
		return ADY_E_MEMORY;
	}
	if ((err = handshake(t, host, deadline_ms)) != ADY_OK) {
		err = explain(t, err, f);
		ERR_clear_error();
		ady_tls_close(t);
	}
	return err;
}

/* Within an established session every failure is a broken connection, whatever OpenSSL calls it. */
static enum ady_err broken(enum ady_err err)
{
	ERR_clear_error();
	return err == ADY_E_DEADLINE ? err : ADY_E_IO;
}

enum ady_err ady_tls_write(struct ady_tls *t, struct ady_bytes b, int64_t deadline_ms)
{
	while (b.n > 0) {
		enum ady_err err;
		size_t n = 0;
		int ok;

		ERR_clear_error();
		ok = SSL_write_ex(t->ssl, b.p, b.n, &n);
		if (!ok && (err = want(t, ok, deadline_ms)) != ADY_OK)
			return broken(err);
		b = ady_bytes(b.p + n, b.n - n);
	}
	return ADY_OK;
}

enum ady_err ady_tls_read(struct ady_tls *t, uint8_t *p, size_t cap, size_t *n, int64_t deadline_ms)
{
	for (*n = 0;;) {
		enum ady_err err;
		int ok;

		ERR_clear_error();
		if ((ok = SSL_read_ex(t->ssl, p, cap, n)))
			return ADY_OK;
		*n = 0;
		if (SSL_get_error(t->ssl, ok) == SSL_ERROR_ZERO_RETURN)
			return ADY_OK;
		if ((err = want(t, ok, deadline_ms)) != ADY_OK)
			return broken(err);
	}
}

bool ady_tls_fresh(const struct ady_tls *t)
{
	struct pollfd p = {.fd = t->fd, .events = POLLIN};

	return t->fd >= 0 && SSL_pending(t->ssl) == 0 && poll(&p, 1, 0) == 0;
}

void ady_tls_close(struct ady_tls *t)
{
	SSL_free(t->ssl);
	if (t->fd >= 0)
		close(t->fd);
	*t = (struct ady_tls){.fd = -1};
}
