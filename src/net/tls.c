/* SPDX-License-Identifier: Apache-2.0
 *
 * The TLS contexts of servers (contract in net/http_server.h) and clients (net/connect.h). */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "net/connect.h"
#include "net/http_server.h"

/* TLS 1.2 with forward secrecy and AEAD only (RFC 9325 4.2); TLS 1.3 has nothing else. */
static const char suites_12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

/* RFC 7301 3.2: a client that offers protocols must offer ours. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                           const unsigned char *in, unsigned in_n, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_n, ours, sizeof ours - 1, in, in_n) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static enum ady_err failed(struct ady_fault *f, const char *where, const char *what)
{
	unsigned long e = ERR_peek_last_error();
	const char *why = e ? ERR_reason_error_string(e) : NULL;

	ERR_clear_error();
	return ady_fail(f, ADY_E_CONFIG, where, "%s: %s", what, why ? why : "is not usable");
}

static enum ady_err use_files(SSL_CTX *ctx, const char *cert_file, const char *key_file,
                              struct ady_fault *f)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, cert_file) != 1)
		return failed(f, "tls.cert", cert_file);
	if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1)
		return failed(f, "tls.key", key_file);
	if (SSL_CTX_check_private_key(ctx) != 1)
		return failed(f, "tls.key", key_file);
	return ADY_OK;
}

static enum ady_err demand_client(SSL_CTX *ctx, const char *client_ca, struct ady_fault *f)
{
	STACK_OF(X509_NAME) * names;

	if (!client_ca)
		return ADY_OK;
	if (SSL_CTX_load_verify_file(ctx, client_ca) != 1)
		return failed(f, "tls.client_ca", client_ca);
	names = SSL_load_client_CA_file(client_ca);
	if (!names)
		return failed(f, "tls.client_ca", client_ca);
	SSL_CTX_set_client_CA_list(ctx, names);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return ADY_OK;
}

static bool set_rules(SSL_CTX *ctx)
{
	static const unsigned char session_context[] = "adyton";

	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                             SSL_OP_CIPHER_SERVER_PREFERENCE |
	                             SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* Tickets resume sessions; nothing is kept here for clients that went away. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(ctx, suites_12) == 1 &&
	       SSL_CTX_set_num_tickets(ctx, 1) == 1 &&
	       SSL_CTX_set_session_id_context(ctx, session_context, sizeof session_context - 1) ==
	           1;
}

enum ady_err ady_tls_server(SSL_CTX **tls, const char *cert_file, const char *key_file,
                            const char *client_ca, struct ady_fault *f)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	enum ady_err err;

	*tls = NULL;
	if (!ctx || !set_rules(ctx)) {
		SSL_CTX_free(ctx);
		return failed(f, "tls", "OpenSSL");
	}
	err = use_files(ctx, cert_file, key_file, f);
	if (err == ADY_OK)
		err = demand_client(ctx, client_ca, f);
	if (err != ADY_OK) {
		SSL_CTX_free(ctx);
		return err;
	}
	*tls = ctx;
	return ADY_OK;
}

/* OpenSSL's own roots are those of the system (OPENSSLDIR, or SSL_CERT_FILE). */
static bool trust(SSL_CTX *ctx, const char *ca_file)
{
	if (ca_file)
		return SSL_CTX_load_verify_file(ctx, ca_file) == 1;
	return SSL_CTX_set_default_verify_paths(ctx) == 1;
}

enum ady_err ady_tls_client(SSL_CTX **tls, const char *ca_file, struct ady_fault *f)
{
	static const unsigned char protocols[] = "\x08http/1.1";
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	*tls = NULL;
	if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, suites_12) != 1 ||
	    SSL_CTX_set_alpn_protos(ctx, protocols, sizeof protocols - 1) != 0) {
		SSL_CTX_free(ctx);
		return failed(f, "tls", "OpenSSL");
	}
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                             SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (!trust(ctx, ca_file)) {
		SSL_CTX_free(ctx);
		return failed(f, "ca_file", ca_file ? ca_file : "the system's roots");
	}
	*tls = ctx;
	return ADY_OK;
}
