/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/keystore.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "codec/cbor.h"
#include "codec/json.h"

enum { TOKENS = 512, DKLEN_MIN = 32, DKLEN_MAX = 64 };

/* An object of the file, and its path for faults. */
struct object {
	const struct ady_json *doc;
	uint32_t tok;
	const char *at;
	struct ady_fault *f;
};

static enum ady_err refuse(const struct object *o, const char *name, const char *why)
{
	char where[64];

	snprintf(where, sizeof where, "%s%s%s", o->at, name ? "." : "", name ? name : "");
	return ady_fail(o->f, ADY_E_KEYSTORE, where, "%s", why);
}

/* The member name of o as an object of its own; of names the members that it may have. */
static enum ady_err enter(const struct object *o, const char *name, const char *at,
                          const char *const *names, struct object *in)
{
	*in = (struct object){
	    .doc = o->doc, .tok = ady_json_get(o->doc, o->tok, name), .at = at, .f = o->f};
	if (!in->tok)
		return refuse(o, name, "is required");
	if (ady_json_kind(in->doc, in->tok) != ADY_JSON_OBJECT)
		return refuse(o, name, "must be an object");
	for (uint32_t k = ady_json_first(in->doc, in->tok); k;
	     k = ady_json_after(in->doc, in->tok, k)) {
		size_t i = 0;

		while (names[i] && !ady_json_is(in->doc, k, names[i]))
			i++;
		if (!names[i])
			return refuse(in, NULL, "has a member that is not known");
	}
	return ADY_OK;
}

/* A text member in hex, min to max bytes. */
static enum ady_err read_hex(const struct object *o, const char *name, uint8_t *out, size_t min,
                             size_t max, size_t *n)
{
	uint32_t t = ady_json_get(o->doc, o->tok, name);
	struct ady_bytes text;

	*n = 0;
	if (!t)
		return refuse(o, name, "is required");
	if (ady_json_kind(o->doc, t) != ADY_JSON_STRING)
		return refuse(o, name, "must be a string");
	text = ady_json_raw(o->doc, t);
	if (text.n >= 2 && text.p[0] == '0' && (text.p[1] == 'x' || text.p[1] == 'X'))
		text = ady_bytes_sub(text, 2, text.n - 2);
	if (ady_hex_decode(out, max, n, text) != ADY_OK)
		return refuse(o, name, "must be hex, and not as long");
	if (*n < min)
		return refuse(o, name, "is too short");
	return ADY_OK;
}

static enum ady_err read_number(const struct object *o, const char *name, uint64_t min,
                                uint64_t max, uint64_t *v)
{
	uint32_t t = ady_json_get(o->doc, o->tok, name);

	*v = 0;
	if (!t)
		return refuse(o, name, "is required");
	if (ady_json_u64(o->doc, t, v) != ADY_OK || *v < min || *v > max)
		return refuse(o, name, "is not a whole number within the bounds");
	return ADY_OK;
}

static enum ady_err must_be(const struct object *o, const char *name, const char *text,
                            const char *why)
{
	uint32_t t = ady_json_get(o->doc, o->tok, name);

	if (!t)
		return refuse(o, name, "is required");
	return ady_json_is(o->doc, t, text) ? ADY_OK : refuse(o, name, why);
}

/* --- the two key derivations --- */

static enum ady_err read_scrypt(struct ady_keystore *ks, const struct object *o)
{
	uint64_t n, r, p;
	enum ady_err err;

	if ((err = read_number(o, "n", 2, ADY_KEYSTORE_WORK_MAX, &n)) != ADY_OK ||
	    (err = read_number(o, "r", 1, 1024, &r)) != ADY_OK ||
	    (err = read_number(o, "p", 1, 1024, &p)) != ADY_OK)
		return err;
	if ((n & (n - 1)) != 0)
		return refuse(o, "n", "is no power of two");
	if (n * r * p > ADY_KEYSTORE_WORK_MAX)
		return refuse(o, NULL, "asks for more than eight times the usual work");
	ks->params = (struct ady_scrypt){.n = n, .r = (uint32_t)r, .p = (uint32_t)p};
	return ADY_OK;
}

static enum ady_err read_pbkdf2(struct ady_keystore *ks, const struct object *o)
{
	uint64_t c;
	enum ady_err err = read_number(o, "c", 1, ADY_KEYSTORE_C_MAX, &c);

	ks->c = (uint32_t)c;
	return err == ADY_OK ? must_be(o, "prf", "hmac-sha256", "must be \"hmac-sha256\"") : err;
}

/* kdf: the object whose member `name` says which of them it is, and `params` has the numbers. */
static enum ady_err read_kdf(struct ady_keystore *ks, const struct object *kdf, const char *name,
                             const char *params, const char *at)
{
	static const char *const of_scrypt[] = {"dklen", "n", "r", "p", "salt", NULL};
	static const char *const of_pbkdf2[] = {"dklen", "c", "prf", "salt", NULL};
	uint32_t t = ady_json_get(kdf->doc, kdf->tok, name);
	struct object o;
	uint64_t dklen;
	enum ady_err err;

	ks->scrypt = t && ady_json_is(kdf->doc, t, "scrypt");
	if (!ks->scrypt && !(t && ady_json_is(kdf->doc, t, "pbkdf2")))
		return refuse(kdf, name, "must be \"scrypt\" or \"pbkdf2\"");
	err = enter(kdf, params, at, ks->scrypt ? of_scrypt : of_pbkdf2, &o);
	if (err != ADY_OK ||
	    (err = read_number(&o, "dklen", DKLEN_MIN, DKLEN_MAX, &dklen)) != ADY_OK ||
	    (err = read_hex(&o, "salt", ks->salt, 0, sizeof ks->salt, &ks->salt_n)) != ADY_OK)
		return err;
	return ks->scrypt ? read_scrypt(ks, &o) : read_pbkdf2(ks, &o);
}

/* --- version 3 --- */

static enum ady_err read_v3(struct ady_keystore *ks, const struct object *root)
{
	static const char *const members[] = {"cipher",    "cipherparams", "ciphertext", "kdf",
	                                      "kdfparams", "mac",          "version",    NULL};
	static const char *const iv[] = {"iv", NULL};
	const bool upper = ady_json_get(root->doc, root->tok, "Crypto") != 0;
	struct object crypto, params;
	size_t n;
	enum ady_err err;

	if (upper && ady_json_get(root->doc, root->tok, "crypto"))
		return refuse(root, "crypto", "is there twice");
	err = enter(root, upper ? "Crypto" : "crypto", "keystore.crypto", members, &crypto);
	if (err != ADY_OK ||
	    (err = must_be(&crypto, "cipher", "aes-128-ctr", "must be \"aes-128-ctr\"")) !=
	        ADY_OK ||
	    (err = enter(&crypto, "cipherparams", "keystore.crypto.cipherparams", iv, &params)) !=
	        ADY_OK ||
	    (err = read_hex(&params, "iv", ks->iv, sizeof ks->iv, sizeof ks->iv, &n)) != ADY_OK ||
	    (err = read_hex(&crypto, "ciphertext", ks->ciphertext, 1, sizeof ks->ciphertext,
	                    &ks->ciphertext_n)) != ADY_OK ||
	    (err = read_hex(&crypto, "mac", ks->mac, sizeof ks->mac, sizeof ks->mac, &n)) != ADY_OK)
		return err;
	return read_kdf(ks, &crypto, "kdf", "kdfparams", "keystore.crypto.kdfparams");
}

/* --- EIP-2335 --- */

/* A module that has no parameters (checksum.params) or no message (kdf.message). */
static enum ady_err must_be_empty(const struct object *o, const char *name)
{
	uint32_t t = ady_json_get(o->doc, o->tok, name);
	enum ady_json_kind kind = t ? ady_json_kind(o->doc, t) : ADY_JSON_NULL;

	if (kind == ADY_JSON_STRING ? ady_json_raw(o->doc, t).n == 0
	                            : kind == ADY_JSON_OBJECT && o->doc->toks[t].count == 0)
		return ADY_OK;
	return refuse(o, name, "must be there and empty");
}

static enum ady_err read_cipher(struct ady_keystore *ks, const struct object *cipher)
{
	static const char *const iv[] = {"iv", NULL};
	struct object params;
	size_t n;
	enum ady_err err;

	if ((err = must_be(cipher, "function", "aes-128-ctr", "must be \"aes-128-ctr\"")) !=
	        ADY_OK ||
	    (err = enter(cipher, "params", "keystore.crypto.cipher.params", iv, &params)) !=
	        ADY_OK ||
	    (err = read_hex(&params, "iv", ks->iv, sizeof ks->iv, sizeof ks->iv, &n)) != ADY_OK)
		return err;
	return read_hex(cipher, "message", ks->ciphertext, sizeof ks->ciphertext,
	                sizeof ks->ciphertext, &ks->ciphertext_n);
}

static enum ady_err read_eip2335(struct ady_keystore *ks, const struct object *root)
{
	static const char *const modules[] = {"kdf", "checksum", "cipher", NULL};
	static const char *const members[] = {"function", "params", "message", NULL};
	struct object crypto, kdf, checksum, cipher;
	size_t n;
	enum ady_err err = enter(root, "crypto", "keystore.crypto", modules, &crypto);

	if (err != ADY_OK ||
	    (err = enter(&crypto, "kdf", "keystore.crypto.kdf", members, &kdf)) != ADY_OK ||
	    (err = enter(&crypto, "checksum", "keystore.crypto.checksum", members, &checksum)) !=
	        ADY_OK ||
	    (err = enter(&crypto, "cipher", "keystore.crypto.cipher", members, &cipher)) !=
	        ADY_OK ||
	    (err = must_be_empty(&kdf, "message")) != ADY_OK ||
	    (err = must_be(&checksum, "function", "sha256", "must be \"sha256\"")) != ADY_OK ||
	    (err = must_be_empty(&checksum, "params")) != ADY_OK ||
	    (err = read_hex(&checksum, "message", ks->mac, sizeof ks->mac, sizeof ks->mac, &n)) !=
	        ADY_OK ||
	    (err = read_cipher(ks, &cipher)) != ADY_OK)
		return err;
	return read_kdf(ks, &kdf, "function", "params", "keystore.crypto.kdf.params");
}

/* What the file says that its key is; it may say nothing. */
static enum ady_err read_named(struct ady_keystore *ks, const struct object *root, const char *name,
                               size_t n)
{
	uint32_t t = ady_json_get(root->doc, root->tok, name);

	if (!t || ady_json_kind(root->doc, t) == ADY_JSON_NULL ||
	    (ady_json_kind(root->doc, t) == ADY_JSON_STRING && ady_json_raw(root->doc, t).n == 0))
		return ADY_OK;
	return read_hex(root, name, ks->named, n, n, &ks->named_n);
}

enum ady_err ady_keystore_read(struct ady_keystore *ks, enum ady_keystore_form form,
                               struct ady_bytes text, struct ady_fault *f)
{
	const bool v3 = form == ADY_KEYSTORE_V3;
	struct ady_json_tok toks[TOKENS];
	struct ady_json doc = {0};
	struct object root = {.doc = &doc, .at = "keystore", .f = f};
	uint64_t version;
	enum ady_err err;

	memset(ks, 0, sizeof *ks);
	ks->form = form;
	if (text.n > ADY_KEYSTORE_TEXT_MAX ||
	    ady_json_parse(&doc, toks, TOKENS, text, NULL) != ADY_OK)
		return refuse(&root, NULL, "is not strict JSON, or too large");
	if (ady_json_kind(&doc, 0) != ADY_JSON_OBJECT)
		return refuse(&root, NULL, "must be an object");
	if (read_number(&root, "version", v3 ? 3 : 4, v3 ? 3 : 4, &version) != ADY_OK)
		return refuse(&root, "version", v3 ? "must be 3" : "must be 4");
	err = v3 ? read_v3(ks, &root) : read_eip2335(ks, &root);
	if (err != ADY_OK)
		return err;
	return v3 ? read_named(ks, &root, "address", 20) : read_named(ks, &root, "pubkey", 48);
}

/* --- what is sealed --- */

void ady_keystore_pair_put(struct ady_buf *b, struct ady_bytes text, struct ady_bytes password)
{
	ady_cbor_put_map(b, 2);
	ady_cbor_put_uint(b, 0);
	ady_cbor_put_bytes(b, text);
	ady_cbor_put_uint(b, 1);
	ady_cbor_put_bytes(b, password);
}

enum ady_err ady_keystore_pair_read(struct ady_bytes *text, struct ady_bytes *password,
                                    struct ady_bytes plain, struct ady_fault *f)
{
	struct ady_cbor c = ady_cbor(plain);

	*text = *password = (struct ady_bytes){0};
	if (ady_cbor_map(&c) != 2 || ady_cbor_uint(&c) != 0)
		ady_cbor_fail(&c);
	*text = ady_cbor_bytes(&c);
	if (ady_cbor_uint(&c) != 1)
		ady_cbor_fail(&c);
	*password = ady_cbor_bytes(&c);
	if (ady_cbor_end(&c) == ADY_OK && text->n > 0 && text->n <= ADY_KEYSTORE_TEXT_MAX &&
	    password->n <= ADY_KEYSTORE_PASSWORD_MAX)
		return ADY_OK;
	*text = *password = (struct ady_bytes){0};
	return ady_fail(f, ADY_E_KEYSTORE, "sealed",
	                "is not a keystore and its password as this version seals them");
}
