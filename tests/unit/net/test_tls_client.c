/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>

#include "http_fixture.h"
#include "net/connect.h"

static char dir[] = "/tmp/adyton-test-XXXXXX";
static struct fixture fx;

/* A self-signed certificate for names (OpenSSL's text), good from..to seconds from now, in files.
 */
static void make_cert(const char *name, const char *names, long from, long to)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_EXTENSION *alt = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	char path[80];
	FILE *f;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), from);
	X509_gmtime_adj(X509_getm_notAfter(cert), to);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
	                           (const uint8_t *)"127.0.0.1", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_add_ext(cert, alt, -1);
	CHECK(X509_sign(cert, key, EVP_sha256()) > 0);
	snprintf(path, sizeof path, "%s/%s.pem", dir, name);
	f = fopen(path, "w");
	PEM_write_X509(f, cert);
	fclose(f);
	snprintf(path, sizeof path, "%s/%s.key", dir, name);
	f = fopen(path, "w");
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	X509_EXTENSION_free(alt);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void start(const char *name)
{
	char cert[80], key[80];
	struct ady_fault f = {0};

	snprintf(cert, sizeof cert, "%s/%s.pem", dir, name);
	snprintf(key, sizeof key, "%s/%s.key", dir, name);
	fixture_config(&fx);
	CHECK_ERR(ady_tls_server(&fx.config.tls, cert, key, NULL, &f), ADY_OK);
	fixture_start(&fx);
	SSL_CTX_free(fx.config.tls);
}

/* --- the client --- */

static struct ady_loop *loop;
static struct ady_fault got;

static void on_connect(void *ctx, struct ady_stream *stream, const struct ady_fault *f)
{
	(void)ctx;
	got = f ? *f : (struct ady_fault){0};
	if (stream)
		ady_stream_close(stream);
	ady_loop_stop(loop);
}

/* Connect to the server by the name host, trusting the certificate trusted (NULL: the system's). */
static void connect_to(const char *host, const char *trusted)
{
	struct ady_url url = {.tls = true, .port = (uint16_t)fx.config.listen.port};
	struct ady_connect_config config = {.url = &url, .done = on_connect};
	char path[80];

	snprintf(url.host, sizeof url.host, "%s", host);
	snprintf(path, sizeof path, "%s/%s.pem", dir, trusted ? trusted : "");
	CHECK_ERR(ady_loop_open(&loop), ADY_OK);
	CHECK_ERR(ady_pool_open(&config.pool, 1, 4), ADY_OK);
	CHECK_ERR(ady_tls_client(&config.tls, trusted ? path : NULL, &got), ADY_OK);
	config.loop = loop;
	(void)ady_connect_start(&config, ady_mono_ms() + WAIT_MS);
	ady_loop_run(loop);
	ady_pool_close(config.pool);
	ady_loop_close(loop);
	SSL_CTX_free(config.tls);
}

CASE(a_trusted_certificate_for_the_host_is_accepted)
{
	start("good");
	connect_to("127.0.0.1", "good");
	CHECK_ERR(got.err, ADY_OK);
	connect_to("localhost", "good");
	CHECK_ERR(got.err, ADY_OK);
	fixture_stop(&fx);
}

CASE(others_are_refused_by_their_reason)
{
	start("good");
	connect_to("127.0.0.1", NULL);
	CHECK_ERR(got.err, ADY_E_TLS);
	CHECK_STR(got.detail, "self-signed certificate");
	fixture_stop(&fx);
	start("other");
	connect_to("127.0.0.1", "other");
	CHECK_ERR(got.err, ADY_E_TLS);
	CHECK_STR(got.detail, "IP address mismatch");
	connect_to("localhost", "other");
	CHECK_ERR(got.err, ADY_E_TLS);
	CHECK_STR(got.detail, "hostname mismatch");
	fixture_stop(&fx);
	start("expired");
	connect_to("127.0.0.1", "expired");
	CHECK_ERR(got.err, ADY_E_TLS);
	CHECK_STR(got.detail, "certificate has expired");
	fixture_stop(&fx);
}

CASE(a_server_without_tls_is_refused)
{
	fixture_config(&fx);
	fixture_start(&fx);
	connect_to("127.0.0.1", "good");
	CHECK_ERR(got.err, ADY_E_TLS);
	CHECK_STR(got.detail, "wrong version number");
	fixture_stop(&fx);
}

CASE(unusable_roots_are_refused)
{
	struct ady_fault f = {0};
	SSL_CTX *tls;

	CHECK_ERR(ady_tls_client(&tls, "/nonexistent.pem", &f), ADY_E_CONFIG);
	CHECK_STR(f.where, "ca_file");
	CHECK(tls == NULL);
}

int main(void)
{
	char command[64];

	if (!mkdtemp(dir))
		return 1;
	signal(SIGPIPE, SIG_IGN);
	make_cert("good", "IP:127.0.0.1,DNS:localhost", -60, 3600);
	make_cert("other", "IP:127.0.0.2,DNS:*.localhost", -60, 3600);
	make_cert("expired", "IP:127.0.0.1", -3600, -60);
	RUN(a_trusted_certificate_for_the_host_is_accepted);
	RUN(others_are_refused_by_their_reason);
	RUN(a_server_without_tls_is_refused);
	RUN(unusable_roots_are_refused);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command) != 0 || test_end();
}
