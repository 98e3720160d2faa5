/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "crypto/hash.h"

enum { TOKENS = 256 };

/* An object of the document, and the path that stands before its members' names in faults. */
struct object {
	const struct ady_json *doc;
	uint32_t tok;
	const char *at;
	struct ady_fault *f;
};

struct number {
	const char *name;
	uint32_t min, max, fallback;
	bool required;
};

static enum ady_err refuse(const struct object *o, enum ady_err err, const char *name,
                           const char *why)
{
	char where[64];
	struct ady_buf b = ady_buf(where, sizeof where - 1);

	ady_buf_str(&b, o->at);
	ady_buf_str(&b, name);
	where[b.n] = '\0';
	return ady_fail(o->f, err, where, "%s", why);
}

/* Every member of o must be one of names (NULL at the end): a misspelt option must not silently
 * take its default. */
static enum ady_err only_known(const struct object *o, const char *const *names)
{
	const struct ady_json *d = o->doc;

	if (ady_json_kind(d, o->tok) != ADY_JSON_OBJECT)
		return refuse(o, ADY_E_FIELD_INVALID, "", "must be an object");
	for (uint32_t k = ady_json_first(d, o->tok); k; k = ady_json_after(d, o->tok, k)) {
		const char *const *n = names;
		char got[48];
		size_t len;

		while (*n && !ady_json_is(d, k, *n))
			n++;
		if (*n)
			continue;
		if (ady_json_string(d, k, got, sizeof got, &len) != ADY_OK)
			snprintf(got, sizeof got, "(a long name)");
		return refuse(o, ADY_E_FIELD_UNKNOWN, got, "is not known");
	}
	return ADY_OK;
}

static enum ady_err read_text(const struct object *o, const char *name, char *out, size_t cap)
{
	uint32_t t = ady_json_get(o->doc, o->tok, name);
	size_t n;

	if (!t)
		return refuse(o, ADY_E_FIELD_MISSING, name, "is required");
	if (ady_json_kind(o->doc, t) != ADY_JSON_STRING)
		return refuse(o, ADY_E_FIELD_INVALID, name, "must be a string");
	if (ady_json_string(o->doc, t, out, cap, &n) != ADY_OK)
		return refuse(o, ADY_E_FIELD_RANGE, name, "is too long");
	if (n == 0 || strlen(out) != n)
		return refuse(o, ADY_E_FIELD_INVALID, name, "is empty or holds a NUL");
	return ADY_OK;
}

static enum ady_err read_number(const struct object *o, const struct number *rule, uint32_t *out)
{
	uint32_t t = ady_json_get(o->doc, o->tok, rule->name);
	enum ady_err err;
	uint64_t v;

	*out = rule->fallback;
	if (!t && rule->required)
		return refuse(o, ADY_E_FIELD_MISSING, rule->name, "is required");
	if (!t)
		return ADY_OK;
	err = ady_json_u64(o->doc, t, &v);
	if (err == ADY_E_FIELD_INVALID)
		return refuse(o, err, rule->name, "must be a whole number");
	if (err != ADY_OK || v < rule->min || v > rule->max)
		return refuse(o, ADY_E_FIELD_RANGE, rule->name, "is out of range");
	*out = (uint32_t)v;
	return ADY_OK;
}

static enum ady_err read_bool(const struct object *o, const char *name, const bool *fallback,
                              bool *out)
{
	uint32_t t = ady_json_get(o->doc, o->tok, name);
	enum ady_json_kind kind;

	if (!t && !fallback)
		return refuse(o, ADY_E_FIELD_MISSING, name, "is required");
	if (!t) {
		*out = *fallback;
		return ADY_OK;
	}
	kind = ady_json_kind(o->doc, t);
	if (kind != ADY_JSON_TRUE && kind != ADY_JSON_FALSE)
		return refuse(o, ADY_E_FIELD_INVALID, name, "must be true or false");
	*out = kind == ADY_JSON_TRUE;
	return ADY_OK;
}

static bool all_of(const char *s, const char *set)
{
	return s[strspn(s, set)] == '\0';
}

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* A text of the characters of set only. */
static enum ady_err read_word(const struct object *o, const char *name, char *out, size_t cap,
                              const char *set)
{
	enum ady_err err = read_text(o, name, out, cap);

	if (err != ADY_OK)
		return err;
	if (!all_of(out, set))
		return refuse(o, ADY_E_FIELD_INVALID, name, "has a character that is not allowed");
	return ADY_OK;
}

/* Outside development the enclave has vsock and nothing else. */
static enum ady_err read_endpoint(const struct object *o, const char *name, bool development,
                                  struct ady_endpoint *e)
{
	char text[160];
	enum ady_err err = read_text(o, name, text, sizeof text);

	if (err != ADY_OK)
		return err;
	if (ady_endpoint_parse(e, text, NULL) != ADY_OK)
		return refuse(o, ADY_E_FIELD_INVALID, name, "is no endpoint");
	if (e->kind == ADY_TCP || e->kind == ADY_HYBRID)
		return refuse(o, ADY_E_FIELD_INVALID, name, "must be vsock: or unix:");
	if (e->kind == ADY_UNIX && !development)
		return refuse(o, ADY_E_CONFIG, name, "a Unix socket is for development only");
	if (e->kind == ADY_UNIX && e->path[0] != '/')
		return refuse(o, ADY_E_FIELD_INVALID, name, "must be an absolute path");
	return ADY_OK;
}

static enum ady_err read_nsm(const struct object *o, struct ady_enclave_config *c)
{
	static const char device[] = "device:", socket[] = "dev-socket:";
	char text[160] = "";
	const char *path;
	enum ady_err err = read_text(o, "nsm", text, sizeof text);

	if (err != ADY_OK)
		return err;
	c->nsm_device = strncmp(text, device, sizeof device - 1) == 0;
	if (!c->nsm_device && strncmp(text, socket, sizeof socket - 1) != 0)
		return refuse(o, ADY_E_FIELD_INVALID, "nsm",
		              "must be device:PATH or dev-socket:PATH");
	if (!c->nsm_device && !c->development)
		return refuse(o, ADY_E_CONFIG, "nsm", "a simulated NSM is for development only");
	path = text + (c->nsm_device ? sizeof device : sizeof socket) - 1;
	if (path[0] != '/' || strlen(path) >= sizeof c->nsm_path)
		return refuse(o, ADY_E_FIELD_INVALID, "nsm",
		              "must name an absolute path below 108 bytes");
	snprintf(c->nsm_path, sizeof c->nsm_path, "%s", path);
	return ADY_OK;
}

/* arn:PARTITION:kms:REGION:ACCOUNT:key/ID, of the configured region and account: a reply that names
 * another key, or a key of somebody else, can then never be taken for ours. Aliases are refused:
 * they may be pointed elsewhere without the enclave knowing. */
static bool is_key_arn(const struct ady_config_kms *k, const char *arn)
{
	char middle[64];
	struct ady_buf b = ady_buf(middle, sizeof middle - 1);
	size_t partition;

	if (strncmp(arn, "arn:aws", 7) != 0)
		return false;
	arn += 4;
	partition = strspn(arn, LOWER "-");
	ady_buf_printf(&b, ":kms:%s:%s:key/", k->region, k->account);
	middle[b.n] = '\0';
	if (b.full || partition > 16 || strncmp(arn + partition, middle, b.n) != 0)
		return false;
	arn += partition + b.n;
	return *arn && strlen(arn) <= 64 && all_of(arn, LOWER UPPER DIGITS "-");
}

static enum ady_err read_keys(const struct object *o, struct ady_config_kms *k)
{
	uint32_t list = ady_json_get(o->doc, o->tok, "keys");
	size_t n = 0;

	if (!list)
		return refuse(o, ADY_E_FIELD_MISSING, "keys", "is required");
	if (ady_json_kind(o->doc, list) != ADY_JSON_ARRAY)
		return refuse(o, ADY_E_FIELD_INVALID, "keys", "must be an array");
	k->keys_n = 0;
	for (uint32_t t = ady_json_first(o->doc, list); t; t = ady_json_after(o->doc, list, t)) {
		char *arn;

		if (k->keys_n == ADY_CONFIG_KEYS_MAX)
			return refuse(o, ADY_E_FIELD_RANGE, "keys", "has more than 16 entries");
		arn = k->keys[k->keys_n];
		if (ady_json_string(o->doc, t, arn, sizeof k->keys[0], &n) != ADY_OK ||
		    strlen(arn) != n || !is_key_arn(k, arn))
			return refuse(o, ADY_E_FIELD_INVALID, "keys",
			              "must be key ARNs of the configured region and account");
		for (size_t i = 0; i < k->keys_n; i++)
			if (strcmp(k->keys[i], arn) == 0)
				return refuse(o, ADY_E_FIELD_INVALID, "keys", "names a key twice");
		k->keys_n++;
	}
	if (k->keys_n == 0)
		return refuse(o, ADY_E_FIELD_RANGE, "keys", "is empty");
	return ADY_OK;
}

static enum ady_err read_kms(const struct ady_json *doc, struct ady_config_kms *k,
                             struct ady_fault *f)
{
	static const char *const known[] = {"host", "port",      "region", "account",
	                                    "keys", "roots_pem", NULL};
	static const struct number port = {"port", 1, 65535, 443, true};
	struct object o = {.doc = doc, .tok = ady_json_get(doc, 0, "kms"), .at = "kms.", .f = f};
	enum ady_err err;

	if (!o.tok)
		return ady_fail(f, ADY_E_FIELD_MISSING, "kms", "is required");
	if ((err = only_known(&o, known)) != ADY_OK ||
	    (err = read_word(&o, "host", k->host, sizeof k->host, LOWER DIGITS ".-")) != ADY_OK ||
	    (err = read_number(&o, &port, &k->port)) != ADY_OK ||
	    (err = read_word(&o, "region", k->region, sizeof k->region, LOWER DIGITS "-")) !=
	        ADY_OK ||
	    (err = read_word(&o, "account", k->account, sizeof k->account, DIGITS)) != ADY_OK)
		return err;
	if (strlen(k->account) != 12)
		return refuse(&o, ADY_E_FIELD_INVALID, "account", "must be 12 digits");
	if ((err = read_keys(&o, k)) != ADY_OK)
		return err;
	if ((err = read_text(&o, "roots_pem", k->roots_pem, sizeof k->roots_pem)) != ADY_OK)
		return err;
	if (!strstr(k->roots_pem, "-----BEGIN CERTIFICATE-----"))
		return refuse(&o, ADY_E_FIELD_INVALID, "roots_pem", "holds no PEM certificate");
	return ADY_OK;
}

static enum ady_err read_counters(const struct object *o, struct ady_enclave_config *c)
{
	uint32_t i = ady_json_get(o->doc, o->tok, "counters_after_start");

	c->counters_after_start = ADY_COUNTERS_WAIT;
	if (!i || ady_json_is(o->doc, i, "wait"))
		return ADY_OK;
	c->counters_after_start = ADY_COUNTERS_STORE;
	return ady_json_is(o->doc, i, "store")
	           ? ADY_OK
	           : refuse(o, ADY_E_FIELD_INVALID, "counters_after_start",
	                    "must be \"wait\" or \"store\"");
}

static enum ady_err read_backup_keys(const struct object *o, struct ady_enclave_config *c)
{
	uint32_t list = ady_json_get(o->doc, o->tok, "backup_keys");

	c->backup_keys_n = 0;
	if (!list)
		return ADY_OK;
	if (ady_json_kind(o->doc, list) != ADY_JSON_ARRAY)
		return refuse(o, ADY_E_FIELD_INVALID, "backup_keys", "must be an array");
	for (uint32_t t = ady_json_first(o->doc, list); t; t = ady_json_after(o->doc, list, t)) {
		char hex[65];
		size_t n;

		if (c->backup_keys_n == ADY_CONFIG_KEYS_MAX)
			return refuse(o, ADY_E_FIELD_RANGE, "backup_keys",
			              "has more than 16 entries");
		if (ady_json_string(o->doc, t, hex, sizeof hex, &n) != ADY_OK ||
		    ady_hex_decode(c->backup_keys[c->backup_keys_n], 32, &n, ady_bytes_str(hex)) !=
		        ADY_OK ||
		    n != 32)
			return refuse(o, ADY_E_FIELD_INVALID, "backup_keys",
			              "must be X25519 public keys, 64 hex digits each");
		c->backup_keys_n++;
	}
	return ADY_OK;
}

static enum ady_err read_options(const struct object *o, struct ady_enclave_config *c)
{
	const struct {
		struct number rule;
		uint32_t *out;
	} numbers[] = {
	    {{"rsa_bits", 2048, 3072, 2048, false}, &c->rsa_bits},
	    {{"rsa_max_age_s", 10, 86400, 3600, false}, &c->rsa_max_age_s},
	    /* A document's certificate lives about three hours; an hour leaves room. */
	    {{"attestation_max_age_s", 0, 3600, 60, false}, &c->attestation_max_age_s},
	    {{"clock_check_s", 1, 600, 600, false}, &c->clock_check_s},
	    {{"kms_connections", 1, 128, 16, false}, &c->kms_connections},
	    {{"kms_timeout_ms", 100, 60000, 5000, false}, &c->kms_timeout_ms},
	    {{"lanes", 0, 64, 0, false}, &c->lanes},
	    {{"depth", 1, 16384, 1024, false}, &c->depth},
	    {{"memory_mib", 0, 1 << 20, 0, false}, &c->memory_mib},
	    {{"data_keys", 1, 65536, 1024, false}, &c->data_keys},
	    {{"data_key_idle_s", 0, 86400, 300, false}, &c->data_key_idle_s},
	    {{"data_key_max_s", 0, 86400, 3600, false}, &c->data_key_max_s},
	    {{"data_key_uses", 0, UINT32_MAX, 0, false}, &c->data_key_uses},
	    {{"keystore_threads", 0, 64, 0, false}, &c->keystore_threads},
	    {{"keystore_mib", 0, 65536, 1024, false}, &c->keystore_mib},
	    {{"counters_keys", 1, 4194304, 65536, false}, &c->counters_keys},
	    {{"stamp_life_s", 1, 300, 60, false}, &c->stamp_life_s},
	};
	static const bool verified = true;
	enum ady_err err;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if ((err = read_number(o, &numbers[i].rule, numbers[i].out)) != ADY_OK)
			return err;
	if ((err = read_counters(o, c)) != ADY_OK || (err = read_backup_keys(o, c)) != ADY_OK)
		return err;
	if (c->rsa_bits != 2048 && c->rsa_bits != 3072)
		return refuse(o, ADY_E_FIELD_RANGE, "rsa_bits", "must be 2048 or 3072");
	return read_bool(o, "verify_signatures", &verified, &c->verify_signatures);
}

static enum ady_err read_root(const struct ady_json *doc, struct ady_enclave_config *c,
                              struct ady_fault *f)
{
	static const char *const known[] = {"adyton",
	                                    "deployment",
	                                    "development",
	                                    "listen",
	                                    "relay",
	                                    "nsm",
	                                    "kms",
	                                    "rsa_bits",
	                                    "rsa_max_age_s",
	                                    "attestation_max_age_s",
	                                    "clock_check_s",
	                                    "kms_connections",
	                                    "kms_timeout_ms",
	                                    "lanes",
	                                    "depth",
	                                    "memory_mib",
	                                    "data_keys",
	                                    "data_key_idle_s",
	                                    "data_key_max_s",
	                                    "data_key_uses",
	                                    "keystore_threads",
	                                    "keystore_mib",
	                                    "counters_keys",
	                                    "counters_after_start",
	                                    "backup_keys",
	                                    "stamp_life_s",
	                                    "verify_signatures",
	                                    "validators",
	                                    NULL};
	static const struct number version = {"adyton", 1, 1, 0, true};
	struct object o = {.doc = doc, .tok = 0, .at = "", .f = f};
	uint32_t one;
	enum ady_err err;

	if ((err = only_known(&o, known)) != ADY_OK ||
	    (err = read_number(&o, &version, &one)) != ADY_OK ||
	    (err = read_word(&o, "deployment", c->deployment, sizeof c->deployment,
	                     LOWER UPPER DIGITS "-_.")) != ADY_OK ||
	    (err = read_bool(&o, "development", NULL, &c->development)) != ADY_OK ||
	    (err = read_endpoint(&o, "listen", c->development, &c->listen)) != ADY_OK ||
	    (err = read_endpoint(&o, "relay", c->development, &c->relay)) != ADY_OK ||
	    (err = read_nsm(&o, c)) != ADY_OK)
		return err;
	return read_options(&o, c);
}

enum ady_err ady_enclave_config_read(struct ady_enclave_config *c, struct ady_bytes file,
                                     struct ady_fault *f)
{
	struct ady_json_tok toks[TOKENS];
	struct ady_json doc;
	enum ady_err err;

	memset(c, 0, sizeof *c);
	if (file.n > ADY_CONFIG_FILE_MAX)
		return ady_fail(f, ADY_E_TOO_LARGE, "", "the file exceeds %d bytes",
		                ADY_CONFIG_FILE_MAX);
	ady_sha384(c->hash48, &file, 1);
	if ((err = ady_json_parse(&doc, toks, TOKENS, file, f)) != ADY_OK)
		return err;
	if ((err = read_root(&doc, c, f)) != ADY_OK ||
	    (err = ady_config_validators_read(&c->validators, &doc, f)) != ADY_OK)
		return err;
	return read_kms(&doc, &c->kms, f);
}
