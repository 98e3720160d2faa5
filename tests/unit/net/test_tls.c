/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>

#include "http_fixture.h"

static struct fixture fx;
static struct client client;
static char dir[] = "/tmp/adyton-test-XXXXXX";

/* --- certificates, made for the test --- */

struct identity {
	X509 *cert;
	EVP_PKEY *key;
	char cert_file[64], key_file[64];
};

static struct identity server_id, second_id, client_ca, client_id, stranger;

static void make_identity(struct identity *id, const char *name, const struct identity *issuer)
{
	X509_NAME *subject;
	FILE *f;

	id->key = EVP_EC_gen("P-256");
	id->cert = X509_new();
	X509_set_version(id->cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(id->cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(id->cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(id->cert), 3600);
	X509_set_pubkey(id->cert, id->key);
	subject = X509_get_subject_name(id->cert);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)name, -1, -1, 0);
	if (!issuer) {
		X509_EXTENSION *ca =
		    X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");

		X509_add_ext(id->cert, ca, -1);
		X509_EXTENSION_free(ca);
	}
	X509_set_issuer_name(id->cert, issuer ? X509_get_subject_name(issuer->cert) : subject);
	CHECK(X509_sign(id->cert, issuer ? issuer->key : id->key, EVP_sha256()) > 0);
	snprintf(id->cert_file, sizeof id->cert_file, "%s/%s.pem", dir, name);
	snprintf(id->key_file, sizeof id->key_file, "%s/%s.key", dir, name);
	f = fopen(id->cert_file, "w");
	PEM_write_X509(f, id->cert);
	fclose(f);
	f = fopen(id->key_file, "w");
	PEM_write_PrivateKey(f, id->key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
}

static void drop_identity(struct identity *id)
{
	X509_free(id->cert);
	EVP_PKEY_free(id->key);
	unlink(id->cert_file);
	unlink(id->key_file);
}

/* --- both sides --- */

static SSL_CTX *server_tls(const struct identity *id, const struct identity *ca)
{
	struct ady_fault f = {0};
	SSL_CTX *ctx;

	if (!CHECK_ERR(
	        ady_tls_server(&ctx, id->cert_file, id->key_file, ca ? ca->cert_file : NULL, &f),
	        ADY_OK))
		fprintf(stderr, "# %s: %s\n", f.where, f.detail);
	return ctx;
}

static void start(const struct identity *ca)
{
	fixture_config(&fx);
	fx.config.tls = server_tls(&server_id, ca);
	fixture_start(&fx);
	SSL_CTX_free(fx.config.tls); /* the server has its own reference */
}

static void stop(void)
{
	client_close(&client);
	fixture_stop(&fx);
}

static SSL_CTX *client_tls(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return ctx;
}

/* The handshake; ctx is freed. */
static bool handshake(struct client *c, SSL_CTX *ctx)
{
	int64_t until = ady_mono_ms() + WAIT_MS;
	int n;

	client_dial(c, &fx);
	c->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(c->ssl, c->fd);
	while ((n = SSL_connect(c->ssl)) != 1) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};

		if (SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_READ || ady_mono_ms() > until) {
			ERR_clear_error();
			return false;
		}
		(void)poll(&p, 1, 100);
	}
	return true;
}

#define ECHO_ABC "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"

/* --- what works --- */

CASE(requests_over_tls_1_2_and_1_3)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

	start(NULL);
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *ctx = client_tls();

		SSL_CTX_set_min_proto_version(ctx, versions[i]);
		SSL_CTX_set_max_proto_version(ctx, versions[i]);
		CHECK(handshake(&client, ctx));
		CHECK_INT(SSL_version(client.ssl), versions[i]);
		for (int n = 0; n < 20; n++)
			CHECK_INT(client_ask(&client, ECHO_ABC), 200);
		CHECK_STR(ady_dyn_cstr(&client.body), "abc");
		CHECK_INT(client_ask(&client, "GET /later HTTP/1.1\r\nHost: a\r\n"
		                              "Content-Length: 2\r\n\r\nxy" ECHO_ABC),
		          200);
		CHECK(client_reply(&client, false)); /* the pipelined one, from OpenSSL's buffer */
		CHECK_INT(
		    client_ask(&client, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
		    404);
		CHECK(client_ended(&client, WAIT_MS));
		CHECK(SSL_get_shutdown(client.ssl) & SSL_RECEIVED_SHUTDOWN); /* close_notify */
		client_close(&client);
	}
	CHECK(wait_open(&fx, 0));
	fixture_stop(&fx);
}

CASE(large_bodies_both_ways)
{
	static char body[65536];
	char head[100];

	start(NULL);
	CHECK(handshake(&client, client_tls()));
	memset(body, 'x', sizeof body);
	snprintf(head, sizeof head, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
	         sizeof body);
	for (int i = 0; i < 3; i++) {
		CHECK(client_say(&client, head));
		for (size_t at = 0; at < sizeof body; at += 8192)
			CHECK(client_send(&client, body + at, 8192));
		CHECK(client_reply(&client, false));
		CHECK(client.body.n == sizeof body &&
		      memcmp(client.body.p, body, sizeof body) == 0);
	}
	CHECK_INT(client_ask(&client, "GET /big?n=5000000 HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
	CHECK_INT(client.body.n, 5000000);
	CHECK_INT(client_ask(&client, ECHO_ABC), 200);
	stop();
}

CASE(pipelined_requests_over_tls)
{
	enum { N = 200 };
	struct ady_dyn all = {0};

	start(NULL);
	CHECK(handshake(&client, client_tls()));
	for (int i = 0; i < N; i++)
		ady_dyn_printf(&all, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n%03d",
		               i % 20 ? "/echo" : "/later", i);
	CHECK(client_send(&client, all.p, all.n));
	for (int i = 0; i < N; i++) {
		if (!CHECK(client_reply(&client, false)))
			break;
		CHECK_INT(strtol(ady_dyn_cstr(&client.body), NULL, 10), i);
	}
	ady_dyn_free(&all);
	stop();
}

static const uint8_t h2_and_1[] = "\x02h2\x08http/1.1", only_h2[] = "\x02h2";

CASE(alpn)
{
	SSL_CTX *ctx = client_tls();
	const unsigned char *chosen;
	unsigned n;

	start(NULL);
	SSL_CTX_set_alpn_protos(ctx, h2_and_1, sizeof h2_and_1 - 1);
	CHECK(handshake(&client, ctx));
	SSL_get0_alpn_selected(client.ssl, &chosen, &n);
	CHECK(n == 8 && memcmp(chosen, "http/1.1", 8) == 0);
	client_close(&client);
	ctx = client_tls();
	SSL_CTX_set_alpn_protos(ctx, only_h2, sizeof only_h2 - 1);
	CHECK(!handshake(&client, ctx));
	stop();
}

CASE(sessions_resume)
{
	SSL_CTX *ctx = client_tls();
	SSL_SESSION *session;

	start(NULL);
	SSL_CTX_up_ref(ctx);
	CHECK(handshake(&client, ctx));
	CHECK_INT(client_ask(&client, ECHO_ABC), 200);
	session = SSL_get1_session(client.ssl);
	CHECK(!SSL_session_reused(client.ssl));
	SSL_shutdown(client.ssl);
	client_close(&client);
	client_dial(&client, &fx);
	client.ssl = SSL_new(ctx);
	SSL_set_fd(client.ssl, client.fd);
	SSL_set_session(client.ssl, session);
	SSL_set_connect_state(client.ssl);
	CHECK_INT(client_ask(&client, ECHO_ABC), 200);
	CHECK(SSL_session_reused(client.ssl));
	SSL_SESSION_free(session);
	SSL_CTX_free(ctx);
	stop();
}

/* --- what does not --- */

CASE(old_versions_are_refused)
{
	SSL_CTX *ctx = client_tls();

	start(NULL);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
	CHECK(!handshake(&client, ctx));
	client_close(&client);
	ctx = client_tls();
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, "AES128-SHA:AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA");
	CHECK(!handshake(&client, ctx));
	stop();
}

CASE(other_protocols_on_the_tls_port_are_ended)
{
	static const char *const texts[] = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "garbage\r\n\r\n",
	                                    "\x16\x03\x01\xff\xff\xff\xff\xff\xff",
	                                    "\x80\x2e\x01\x03"};

	start(NULL);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		client_dial(&client, &fx);
		client_say(&client, texts[i]);
		shutdown(client.fd, SHUT_WR);
		while (client_more(&client, WAIT_MS) > 0)
			; /* an alert, maybe */
		client_close(&client);
	}
	CHECK(wait_open(&fx, 0));
	CHECK_INT(fx.handled, 0);
	fixture_stop(&fx);
}

/* The bytes a client sends first, cut at every 7th place, then silence or an end. */
CASE(broken_handshakes_leave_nothing_behind)
{
	SSL_CTX *ctx = client_tls();
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	SSL *ssl = SSL_new(ctx);
	char *hello;
	long n;

	SSL_set_bio(ssl, in, out);
	CHECK(SSL_connect(ssl) < 0);
	n = BIO_get_mem_data(out, &hello);
	CHECK(n > 100);
	fixture_config(&fx);
	fx.config.tls = server_tls(&server_id, NULL);
	fx.config.limits.head_ms = 100;
	fixture_start(&fx);
	SSL_CTX_free(fx.config.tls);
	for (long cut = 1; cut <= n; cut += 7) {
		client_dial(&client, &fx);
		client_send(&client, hello, (size_t)cut);
		client_close(&client);
	}
	client_dial(&client, &fx);
	client_send(&client, hello, (size_t)n / 2);
	CHECK(client_ended(&client, WAIT_MS)); /* by the deadline of the head */
	CHECK(wait_open(&fx, 0));
	client_close(&client);
	CHECK(handshake(&client, client_tls()));
	CHECK_INT(client_ask(&client, ECHO_ABC), 200);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	stop();
}

CASE(client_certificates_are_demanded_when_configured)
{
	const struct identity *who[] = {NULL, &stranger, &client_id};

	start(&client_ca);
	for (size_t i = 0; i < 3; i++) {
		SSL_CTX *ctx = client_tls();
		bool good = who[i] == &client_id;

		if (who[i]) {
			SSL_CTX_use_certificate(ctx, who[i]->cert);
			SSL_CTX_use_PrivateKey(ctx, who[i]->key);
		}
		/* In TLS 1.3 a client learns of its refusal with the first answer. */
		if (handshake(&client, ctx))
			CHECK_INT(client_ask(&client, ECHO_ABC), good ? 200 : 0);
		else
			CHECK(!good);
		ERR_clear_error();
		client_close(&client);
	}
	CHECK_INT(fx.handled, 1);
	fixture_stop(&fx);
}

CASE(unusable_files_are_refused)
{
	char none[64];
	struct ady_fault f = {0};
	SSL_CTX *ctx;

	snprintf(none, sizeof none, "%s/none", dir);
	CHECK_ERR(ady_tls_server(&ctx, none, server_id.key_file, NULL, &f), ADY_E_CONFIG);
	CHECK(!ctx && strcmp(f.where, "tls.cert") == 0 && strstr(f.detail, none));
	CHECK_ERR(ady_tls_server(&ctx, server_id.cert_file, none, NULL, &f), ADY_E_CONFIG);
	CHECK_STR(f.where, "tls.key");
	CHECK_ERR(ady_tls_server(&ctx, server_id.cert_file, second_id.key_file, NULL, &f),
	          ADY_E_CONFIG);
	CHECK_STR(f.where, "tls.key");
	CHECK(strstr(f.detail, "mismatch"));
	CHECK_ERR(ady_tls_server(&ctx, server_id.cert_file, server_id.key_file, none, &f),
	          ADY_E_CONFIG);
	CHECK_STR(f.where, "tls.client_ca");
	CHECK_ERR(ady_tls_server(&ctx, server_id.key_file, server_id.key_file, NULL, &f),
	          ADY_E_CONFIG);
	CHECK_STR(f.where, "tls.cert");
}

/* --- reload under load --- */

static atomic_bool load_ends;

static void *load_main(void *arg)
{
	struct client *c = calloc(1, sizeof *c);
	atomic_int *failures = arg;

	while (!load_ends) {
		if (!handshake(c, client_tls()) || client_ask(c, ECHO_ABC) != 200 ||
		    client_ask(c, ECHO_ABC) != 200)
			(*failures)++;
		client_close(c);
	}
	free(c);
	return NULL;
}

static const struct identity *next_id;

static void reload(struct fixture *f)
{
	SSL_CTX *ctx = server_tls(next_id, NULL);

	ady_http_server_set_tls(f->server, ctx);
	SSL_CTX_free(ctx);
}

static bool server_shows(const struct identity *id)
{
	X509 *cert;
	bool same;

	CHECK(handshake(&client, client_tls()));
	cert = SSL_get1_peer_certificate(client.ssl);
	same = cert && X509_cmp(cert, id->cert) == 0;
	X509_free(cert);
	return same;
}

CASE(the_certificate_is_replaced_under_load)
{
	static atomic_int failures;
	static struct client old;
	pthread_t threads[3];

	start(NULL);
	CHECK(handshake(&old, client_tls()));
	CHECK_INT(client_ask(&old, ECHO_ABC), 200);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&threads[i], NULL, load_main, &failures) == 0);
	for (int i = 0; i < 30; i++) {
		next_id = i % 2 ? &server_id : &second_id;
		on_server(&fx, reload);
		CHECK(server_shows(next_id));
		client_close(&client);
	}
	load_ends = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	CHECK_INT(failures, 0);
	CHECK_INT(client_ask(&old, ECHO_ABC), 200); /* connections keep their context */
	client_close(&old);
	fixture_stop(&fx);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	signal(SIGPIPE, SIG_IGN); /* the client's OpenSSL */
	make_identity(&server_id, "server", NULL);
	make_identity(&second_id, "second", NULL);
	make_identity(&client_ca, "client-ca", NULL);
	make_identity(&client_id, "client", &client_ca);
	make_identity(&stranger, "stranger", NULL);
	RUN(requests_over_tls_1_2_and_1_3);
	RUN(large_bodies_both_ways);
	RUN(pipelined_requests_over_tls);
	RUN(alpn);
	RUN(sessions_resume);
	RUN(old_versions_are_refused);
	RUN(other_protocols_on_the_tls_port_are_ended);
	RUN(broken_handshakes_leave_nothing_behind);
	RUN(client_certificates_are_demanded_when_configured);
	RUN(unusable_files_are_refused);
	RUN(the_certificate_is_replaced_under_load);
	drop_identity(&server_id);
	drop_identity(&second_id);
	drop_identity(&client_ca);
	drop_identity(&client_id);
	drop_identity(&stranger);
	(void)rmdir(dir);
	return test_end();
}
