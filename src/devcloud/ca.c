/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/ca.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/rng.h"

enum { DAY_S = 86400, CA_DAYS = 3650, SERVER_DAYS = 397, RENEW_DAYS = 30, PATH_SIZE = 4096 };

struct pair {
	X509 *cert;
	EVP_PKEY *key;
};

static void pair_free(struct pair *p)
{
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
	*p = (struct pair){0};
}

static bool path_in(char path[static PATH_SIZE], const char *dir, const char *name)
{
	return snprintf(path, PATH_SIZE, "%s/%s", dir, name) < PATH_SIZE;
}

static FILE *open_in(const char *dir, const char *name, const char *mode)
{
	char path[PATH_SIZE];
	int fd;

	if (!path_in(path, dir, name))
		return NULL;
	if (mode[0] == 'r')
		return fopen(path, "re");
	if ((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
		return NULL;
	return fdopen(fd, "w");
}

static bool load(struct pair *p, const char *dir, const char *cert, const char *key)
{
	FILE *c = open_in(dir, cert, "r"), *k = open_in(dir, key, "r");

	*p = (struct pair){0};
	if (c && k) {
		p->cert = PEM_read_X509(c, NULL, NULL, NULL);
		p->key = PEM_read_PrivateKey(k, NULL, NULL, NULL);
	}
	if (c)
		fclose(c);
	if (k)
		fclose(k);
	if (p->cert && p->key && X509_check_private_key(p->cert, p->key) == 1)
		return true;
	pair_free(p);
	return false;
}

/* The key first, and the certificate whole or not at all: one without its key would be taken for
 * damage. */
static enum ady_err store(const struct pair *p, const char *dir, const char *cert, const char *key,
                          struct ady_fault *f)
{
	char from[PATH_SIZE], to[PATH_SIZE];
	FILE *k = open_in(dir, key, "w"), *c = open_in(dir, "new.pem", "w");
	bool ok = c && k && PEM_write_X509(c, p->cert) == 1 &&
	          PEM_write_PrivateKey(k, p->key, NULL, NULL, 0, NULL, NULL) == 1;

	/* The certificate is for everyone who connects. */
	ok = c && fchmod(fileno(c), 0644) == 0 && ok;
	ok = (!k || fclose(k) == 0) && ok;
	ok = (!c || fclose(c) == 0) && ok;
	ok = ok && path_in(from, dir, "new.pem") && path_in(to, dir, cert) && rename(from, to) == 0;
	return ok ? ADY_OK : ady_fail(f, ADY_E_IO, "dir", "cannot write %s and %s", cert, key);
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	bool ok;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, NULL);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = e && X509_add_ext(cert, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static bool set_serial(X509 *cert)
{
	uint8_t raw[16];
	BIGNUM *n;
	bool ok;

	ady_random(raw, sizeof raw);
	raw[0] = (uint8_t)((raw[0] & 0x7f) | 0x40);
	n = BN_bin2bn(raw, sizeof raw, NULL);
	ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
	BN_free(n);
	return ok;
}

static bool begin(struct pair *p, const char *name, int days)
{
	X509_NAME *subject;

	p->key = EVP_EC_gen("P-256");
	p->cert = X509_new();
	if (!p->key || !p->cert)
		return false;
	subject = X509_get_subject_name(p->cert);
	return X509_set_version(p->cert, X509_VERSION_3) == 1 && set_serial(p->cert) &&
	       X509_gmtime_adj(X509_getm_notBefore(p->cert), -3600) &&
	       X509_gmtime_adj(X509_getm_notAfter(p->cert), (long)days * DAY_S) &&
	       X509_set_pubkey(p->cert, p->key) == 1 &&
	       X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC,
	                                  (const unsigned char *)"Adyton development, not AWS", -1,
	                                  -1, 0) == 1 &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
	                                  -1, -1, 0) == 1;
}

static bool make_ca(struct pair *p)
{
	return begin(p, "adyton-devcloud CA", CA_DAYS) &&
	       X509_set_issuer_name(p->cert, X509_get_subject_name(p->cert)) == 1 &&
	       add_extension(p->cert, p->cert, NID_basic_constraints,
	                     "critical,CA:TRUE,pathlen:0") &&
	       add_extension(p->cert, p->cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	       add_extension(p->cert, p->cert, NID_subject_key_identifier, "hash") &&
	       X509_sign(p->cert, p->key, EVP_sha256()) > 0;
}

static bool make_server(struct pair *p, const struct pair *ca, const char *region)
{
	char names[512];

	snprintf(names, sizeof names,
	         "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:kms.%s.amazonaws.com,"
	         "DNS:secretsmanager.%s.amazonaws.com,DNS:sts.%s.amazonaws.com,"
	         "DNS:sts.amazonaws.com",
	         region, region, region);
	return begin(p, "adyton-devcloud", SERVER_DAYS) &&
	       X509_set_issuer_name(p->cert, X509_get_subject_name(ca->cert)) == 1 &&
	       add_extension(p->cert, ca->cert, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(p->cert, ca->cert, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(p->cert, ca->cert, NID_ext_key_usage, "serverAuth") &&
	       add_extension(p->cert, ca->cert, NID_authority_key_identifier, "keyid:always") &&
	       add_extension(p->cert, ca->cert, NID_subject_alt_name, names) &&
	       X509_sign(p->cert, ca->key, EVP_sha256()) > 0;
}

/* Whether the server certificate can stay: this CA's, for this region, and not about to end. */
static bool still_good(const struct pair *p, const struct pair *ca, const char *region)
{
	char host[128];
	time_t soon = time(NULL) + (time_t)RENEW_DAYS * DAY_S;

	snprintf(host, sizeof host, "kms.%s.amazonaws.com", region);
	return X509_verify(p->cert, ca->key) == 1 &&
	       X509_cmp_time(X509_get0_notAfter(p->cert), &soon) > 0 &&
	       X509_check_host(p->cert, host, 0, 0, NULL) == 1;
}

/* A CA that clients trust already is not replaced behind their backs. */
static enum ady_err prepare_ca(struct pair *ca, const char *dir, struct ady_fault *f)
{
	char path[PATH_SIZE];

	if (load(ca, dir, "ca.pem", "ca-key.pem"))
		return ADY_OK;
	if (path_in(path, dir, "ca.pem") && access(path, F_OK) == 0)
		return ady_fail(f, ADY_E_CONFIG, "dir",
		                "ca.pem and ca-key.pem are damaged or do not belong together; "
		                "remove both, and a new CA is made");
	if (!make_ca(ca))
		return ady_fail(f, ADY_E_CRYPTO, "dir", "the CA cannot be made");
	return store(ca, dir, "ca.pem", "ca-key.pem", f);
}

enum ady_err ady_dev_ca_prepare(const char *dir, const char *region, struct ady_fault *f)
{
	struct pair ca = {0}, server = {0};
	enum ady_err err = prepare_ca(&ca, dir, f);

	if (err == ADY_OK && (!load(&server, dir, "server.pem", "server-key.pem") ||
	                      !still_good(&server, &ca, region))) {
		pair_free(&server);
		if (make_server(&server, &ca, region))
			err = store(&server, dir, "server.pem", "server-key.pem", f);
		else
			err = ady_fail(f, ADY_E_CRYPTO, "dir",
			               "the server certificate cannot be made");
	}
	pair_free(&server);
	pair_free(&ca);
	return err;
}
