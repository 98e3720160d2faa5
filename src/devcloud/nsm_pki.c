/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/nsm_pki.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/clock.h"

enum { HOUR = 3600, DAY = 24 * HOUR, COMMON_NAME_MAX = 64 };

/* How long each kind lives, from when before now, and how much must be left of it when used: each
 * outlives what it signs. Lives and shapes as in AWS's chains of 2022 to 2026. */
enum kind { ROOT, REGIONAL, INSTANCE, LEAF };
static const struct shape {
	int64_t back_s, life_s, left_s;
	const char *constraints, *usage;
	bool key_ids;
} shapes[] = {
    [ROOT] = {HOUR, 30LL * 365 * DAY, 30LL * DAY, "critical,CA:TRUE",
              "critical,digitalSignature,keyCertSign,cRLSign", true},
    [REGIONAL] = {HOUR, 20LL * DAY, 2LL * DAY, "critical,CA:TRUE,pathlen:1",
                  "critical,digitalSignature,keyCertSign,cRLSign", true},
    [INSTANCE] = {60, DAY, 4LL * HOUR, "critical,CA:TRUE,pathlen:0", "critical,keyCertSign", false},
    [LEAF] = {3, 3LL * HOUR, HOUR / 2, "critical,CA:FALSE", "digitalSignature,nonRepudiation",
              false},
};

struct authority {
	EVP_PKEY *key;
	X509 *cert;
	uint8_t der[ADY_NSM_CERT_MAX];
	size_t n;
	int64_t ends_s;
};

struct ady_nsm_pki {
	struct authority levels[ADY_NSM_BUNDLE]; /* by kind: ROOT, REGIONAL, INSTANCE */
	char instance_id[20], region[17];
};

static void authority_clear(struct authority *a)
{
	X509_free(a->cert);
	EVP_PKEY_free(a->key);
	*a = (struct authority){0};
}

/* Whoever reads a certificate should see at once that it is not AWS's. */
static X509_NAME *make_name(const char *common_name)
{
	static const char *const fixed[][2] = {
	    {"C", "US"}, {"O", "Adyton development"}, {"OU", "not AWS"}};
	X509_NAME *name = X509_NAME_new();
	bool ok = name != NULL;

	for (size_t i = 0; ok && i < sizeof fixed / sizeof *fixed; i++)
		ok = X509_NAME_add_entry_by_txt(name, fixed[i][0], MBSTRING_ASC,
		                                (const uint8_t *)fixed[i][1], -1, -1, 0) == 1;
	if (ok && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)common_name,
	                                     -1, -1, 0) == 1)
		return name;
	X509_NAME_free(name);
	return NULL;
}

static bool set_subject(X509 *cert, const char *common_name)
{
	X509_NAME *name = make_name(common_name);
	bool ok = name && X509_set_subject_name(cert, name) == 1;

	X509_NAME_free(name);
	return ok;
}

static bool set_serial(X509 *cert)
{
	uint8_t random[16];
	BIGNUM *bn = NULL;
	bool ok;

	if (RAND_bytes(random, sizeof random) != 1)
		return false;
	random[0] = (uint8_t)(random[0] | 1); /* never short, never zero */
	bn = BN_bin2bn(random, sizeof random, NULL);
	ok = bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert));
	BN_free(bn);
	return ok;
}

static bool add_extension(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
	bool ok = ext && X509_add_ext(cert, ext, -1) == 1;

	X509_EXTENSION_free(ext);
	return ok;
}

static bool add_extensions(X509 *cert, X509 *issuer, enum kind kind)
{
	const struct shape *shape = &shapes[kind];
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	if (!add_extension(cert, &ctx, NID_basic_constraints, shape->constraints))
		return false;
	if (shape->key_ids && !add_extension(cert, &ctx, NID_subject_key_identifier, "hash"))
		return false;
	if (shape->key_ids && kind != ROOT &&
	    !add_extension(cert, &ctx, NID_authority_key_identifier, "keyid:always"))
		return false;
	return add_extension(cert, &ctx, NID_key_usage, shape->usage);
}

/* A certificate for key, by issuer (NULL: by itself). */
static X509 *make_cert(enum kind kind, const char *common_name, EVP_PKEY *key,
                       const struct authority *issuer, int64_t now_s)
{
	const struct shape *shape = &shapes[kind];
	X509 *cert = X509_new();
	X509 *by = issuer ? issuer->cert : cert;

	if (cert && X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
	    set_subject(cert, common_name) &&
	    X509_set_issuer_name(cert, X509_get_subject_name(by)) == 1 &&
	    ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(now_s - shape->back_s)) &&
	    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(now_s + shape->life_s)) &&
	    X509_set_pubkey(cert, key) == 1 && add_extensions(cert, by, kind) &&
	    X509_sign(cert, issuer ? issuer->key : key, EVP_sha384()) > 0)
		return cert;
	X509_free(cert);
	return NULL;
}

static bool cert_der(X509 *cert, uint8_t der[static ADY_NSM_CERT_MAX], size_t *n)
{
	int len = i2d_X509(cert, NULL);

	if (len <= 0 || len > ADY_NSM_CERT_MAX)
		return false;
	*n = (size_t)i2d_X509(cert, &der);
	return true;
}

static enum ady_err authority_issue(struct authority *a, enum kind kind, const char *common_name,
                                    const struct authority *issuer, int64_t now_s)
{
	struct authority made = {.key = EVP_EC_gen("P-384"), .ends_s = now_s + shapes[kind].life_s};

	if (made.key)
		made.cert = make_cert(kind, common_name, made.key, issuer, now_s);
	if (!made.cert || !cert_der(made.cert, made.der, &made.n)) {
		authority_clear(&made);
		return ADY_E_CRYPTO;
	}
	authority_clear(a);
	*a = made;
	return ADY_OK;
}

/* Write to a temporary name and rename, so that a crash leaves no half a file. */
static enum ady_err write_pem(const char *path, mode_t mode, X509 *cert, EVP_PKEY *key)
{
	char temporary[PATH_MAX];
	FILE *file = NULL;
	int fd, ok;

	if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
		return ADY_E_CONFIG;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd >= 0)
		file = fdopen(fd, "w");
	if (!file) {
		if (fd >= 0)
			close(fd);
		return ADY_E_IO;
	}
	ok = cert ? PEM_write_X509(file, cert)
	          : PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	if (fflush(file) != 0 || fsync(fd) != 0)
		ok = 0;
	if (fclose(file) != 0 || ok != 1 || rename(temporary, path) != 0)
		return ADY_E_IO;
	return ADY_OK;
}

static enum ady_err root_make(struct authority *root, const char *cert_path, const char *key_path,
                              struct ady_fault *f)
{
	if (authority_issue(root, ROOT, "adyton-devcloud.nitro-enclaves", NULL,
	                    ady_wall_ms() / 1000) != ADY_OK)
		return ady_fail(f, ADY_E_CRYPTO, "nsm", "cannot make the development root");
	/* The key first: a certificate without its key would be taken for a finished root. */
	if (write_pem(key_path, 0600, NULL, root->key) != ADY_OK)
		return ady_fail(f, ADY_E_IO, "nsm", "cannot write %s: %s", key_path,
		                strerror(errno));
	if (write_pem(cert_path, 0644, root->cert, NULL) != ADY_OK)
		return ady_fail(f, ADY_E_IO, "nsm", "cannot write %s: %s", cert_path,
		                strerror(errno));
	return ADY_OK;
}

static enum ady_err root_load(struct authority *root, FILE *cert_file, const char *key_path,
                              struct ady_fault *f)
{
	FILE *key_file = fopen(key_path, "re");

	root->cert = PEM_read_X509(cert_file, NULL, NULL, NULL);
	if (key_file) {
		root->key = PEM_read_PrivateKey(key_file, NULL, NULL, NULL);
		fclose(key_file);
	}
	if (!root->cert || !root->key || X509_check_private_key(root->cert, root->key) != 1 ||
	    !cert_der(root->cert, root->der, &root->n))
		return ady_fail(f, ADY_E_CONFIG, "nsm",
		                "%s and the certificate beside it are not a pair; remove both",
		                key_path);
	return ADY_OK;
}

static enum ady_err root_open(struct authority *root, const char *dir, struct ady_fault *f)
{
	char cert_path[PATH_MAX - 8], key_path[PATH_MAX - 8];
	enum ady_err err;
	FILE *file;

	if (snprintf(cert_path, sizeof cert_path, "%s/nsm-root.pem", dir) >=
	        (int)sizeof cert_path ||
	    snprintf(key_path, sizeof key_path, "%s/nsm-root-key.pem", dir) >= (int)sizeof key_path)
		return ady_fail(f, ADY_E_CONFIG, "nsm", "the data folder's path is too long");
	file = fopen(cert_path, "re");
	if (!file)
		return root_make(root, cert_path, key_path, f);
	err = root_load(root, file, key_path, f);
	fclose(file);
	return err;
}

/* Renew what has too little life left, from the top. */
static enum ady_err renew_above(struct ady_nsm_pki *pki, int64_t now_s)
{
	struct authority *regional = &pki->levels[REGIONAL], *instance = &pki->levels[INSTANCE];
	char name[COMMON_NAME_MAX + 1];
	enum ady_err err;
	uint8_t id[8];

	if (now_s + shapes[REGIONAL].left_s > regional->ends_s) {
		if (RAND_bytes(id, sizeof id) != 1)
			return ADY_E_CRYPTO;
		snprintf(name, sizeof name, "%016llx.%s.devcloud.nitro-enclaves",
		         (unsigned long long)ady_be64(id), pki->region);
		err = authority_issue(regional, REGIONAL, name, &pki->levels[ROOT], now_s);
		if (err != ADY_OK)
			return err;
		instance->ends_s = 0;
	}
	if (now_s + shapes[INSTANCE].left_s <= instance->ends_s)
		return ADY_OK;
	snprintf(name, sizeof name, "%s.%s.devcloud.nitro-enclaves", pki->instance_id, pki->region);
	return authority_issue(instance, INSTANCE, name, regional, now_s);
}

enum ady_err ady_nsm_pki_leaf(struct ady_nsm_pki *pki, struct ady_nsm_leaf *leaf,
                              const char *module_id, int64_t now_s)
{
	const struct authority *instance = &pki->levels[INSTANCE];
	char name[COMMON_NAME_MAX + 1];
	struct authority made = {0};
	enum ady_err err;
	const int64_t instance_ends_s = instance->ends_s;

	err = renew_above(pki, now_s);
	if (err != ADY_OK)
		return err;
	if (leaf->key && instance->ends_s == instance_ends_s &&
	    now_s + shapes[LEAF].left_s <= leaf->ends_s)
		return ADY_OK;
	snprintf(name, sizeof name, "%s.%s.dev", module_id, pki->region);
	err = authority_issue(&made, LEAF, name, instance, now_s);
	if (err != ADY_OK)
		return err;
	ady_nsm_leaf_clear(leaf);
	leaf->key = made.key;
	leaf->n = made.n;
	leaf->ends_s = made.ends_s;
	memcpy(leaf->der, made.der, made.n);
	X509_free(made.cert);
	return ADY_OK;
}

enum ady_err ady_nsm_pki_open(struct ady_nsm_pki **out, const char *data_dir,
                              const char *instance_id, const char *region, struct ady_fault *f)
{
	struct ady_nsm_pki *pki = calloc(1, sizeof *pki);
	enum ady_err err;

	*out = NULL;
	if (!pki)
		return ADY_E_MEMORY;
	/* Both go into common names, of 64 characters at most. */
	if (strlen(instance_id) > 19 || strlen(region) > 16) {
		free(pki);
		return ady_fail(f, ADY_E_CONFIG, "nsm", "the instance id or region is too long");
	}
	snprintf(pki->instance_id, sizeof pki->instance_id, "%s", instance_id);
	snprintf(pki->region, sizeof pki->region, "%s", region);
	err = root_open(&pki->levels[ROOT], data_dir, f);
	if (err == ADY_OK && renew_above(pki, ady_wall_ms() / 1000) != ADY_OK)
		err = ady_fail(f, ADY_E_CRYPTO, "nsm", "cannot make the certificates");
	if (err != ADY_OK) {
		ady_nsm_pki_close(pki);
		return err;
	}
	*out = pki;
	return ADY_OK;
}

void ady_nsm_pki_close(struct ady_nsm_pki *pki)
{
	if (!pki)
		return;
	for (size_t i = 0; i < ADY_NSM_BUNDLE; i++)
		authority_clear(&pki->levels[i]);
	free(pki);
}

void ady_nsm_pki_bundle(const struct ady_nsm_pki *pki,
                        struct ady_bytes bundle[static ADY_NSM_BUNDLE])
{
	for (size_t i = 0; i < ADY_NSM_BUNDLE; i++)
		bundle[i] = ady_bytes(pki->levels[i].der, pki->levels[i].n);
}

/* COSE wants r || s of fixed width (RFC 9053 section 2.1), OpenSSL gives DER. */
static bool raw_signature(uint8_t sig96[static 96], const uint8_t *der, size_t n)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
	bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), sig96, 48) == 48 &&
	          BN_bn2binpad(ECDSA_SIG_get0_s(sig), sig96 + 48, 48) == 48;

	ECDSA_SIG_free(sig);
	return ok;
}

enum ady_err ady_nsm_leaf_sign(const struct ady_nsm_leaf *leaf, uint8_t sig96[static 96],
                               const struct ady_bytes *parts, size_t n)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t der[128];
	size_t der_n = sizeof der;
	bool ok = md && EVP_DigestSignInit(md, NULL, EVP_sha384(), NULL, leaf->key) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_DigestSignUpdate(md, parts[i].p, parts[i].n) == 1;
	ok = ok && EVP_DigestSignFinal(md, der, &der_n) == 1 && raw_signature(sig96, der, der_n);
	EVP_MD_CTX_free(md);
	return ok ? ADY_OK : ADY_E_CRYPTO;
}

void ady_nsm_leaf_clear(struct ady_nsm_leaf *leaf)
{
	EVP_PKEY_free(leaf->key);
	*leaf = (struct ady_nsm_leaf){0};
}
