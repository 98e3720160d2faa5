/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway's own TLS: its certificate is read again on reload. */
#include <curl/curl.h>
#include <openssl/pem.h>

#include "pki.h"
#include "world.h"

static void write_pem(const char *cert_path, const char *key_path, const char *name)
{
	const int64_t now = ady_wall_ms() / 1000;
	const struct test_cert_spec spec = {.subject = name,
	                                    .issuer = name,
	                                    .constraints = "critical,CA:TRUE",
	                                    .from = now - 60,
	                                    .to = now + 3600,
	                                    .curve = "P-256",
	                                    .hash = "SHA256",
	                                    .version = 2};
	struct test_cert cert;
	const unsigned char *der = cert.der;
	FILE *file;
	X509 *x;

	test_cert_make(&cert, &spec, NULL);
	x = d2i_X509(NULL, &der, (long)cert.n);
	file = fopen(cert_path, "we");
	CHECK(x && file && PEM_write_X509(file, x) == 1);
	fclose(file);
	file = fopen(key_path, "we");
	CHECK(file && PEM_write_PrivateKey(file, cert.key, NULL, NULL, 0, NULL, NULL) == 1);
	fclose(file);
	X509_free(x);
	EVP_PKEY_free(cert.key);
}

static size_t discard(char *p, size_t size, size_t n, void *ctx)
{
	(void)p, (void)ctx;
	return size * n;
}

/* GET /healthz over TLS with the certificates in ca trusted. 0: no connection. */
static long tls_status(unsigned port, const char *ca)
{
	char url[64];
	long status = 0;
	CURL *c = curl_easy_init();

	snprintf(url, sizeof url, "https://127.0.0.1:%u/healthz", port);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_CAINFO, ca);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_NOBODY, 0L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, discard);
	if (curl_easy_perform(c) == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	return status;
}

CASE(tls_is_served_and_its_files_are_read_again)
{
	struct world w;
	struct ady_fault f = {0};
	char cert[64], key[64], old[64], more[256];
	FILE *file;

	snprintf(cert, sizeof cert, "%s/cert.pem", fake_dir());
	snprintf(key, sizeof key, "%s/key.pem", fake_dir());
	snprintf(old, sizeof old, "%s/old.pem", fake_dir());
	snprintf(more, sizeof more, ",\"tls\":{\"cert\":\"%s\",\"key\":\"%s\"}", cert, key);
	write_pem(cert, key, "first");
	CHECK(link(cert, old) == 0);
	open_world(&w, "", more);
	CHECK_INT(tls_status(w.port, old), 200);
	CHECK(unlink(cert) == 0 && unlink(key) == 0);
	write_pem(cert, key, "second");
	CHECK_INT(tls_status(w.port, cert), 0); /* not yet */
	CHECK_ERR(ady_gateway_reload(w.gateway, &f), ADY_OK);
	WAIT_FOR(tls_status(w.port, cert) == 200);
	CHECK_INT(tls_status(w.port, old), 0);
	CHECK(unlink(old) == 0 && link(cert, old) == 0 && unlink(cert) == 0);
	file = fopen(cert, "we");
	fputs("no certificate", file);
	fclose(file);
	CHECK_ERR(ady_gateway_reload(w.gateway, &f), ADY_E_CONFIG);
	CHECK(f.detail[0] != '\0');
	CHECK_INT(tls_status(w.port, old), 200); /* the second stays in use */
	close_world(&w);
}

int main(void)
{
	RUN(tls_is_served_and_its_files_are_read_again);
	return test_end();
}
