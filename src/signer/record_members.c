/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "crypto/bip39.h"
#include "signer/record_reader.h"

enum { CIPHERTEXT_TEXT = ADY_BASE64_SIZE(ADY_RECORD_CIPHERTEXT_MAX) };

#define REVISION_MAX ((uint64_t)1 << 53)
#define CREATED_MAX 253402300799u /* 9999-12-31T23:59:59Z */

/* What a public key of a curve is: its bytes, and what its first one must be under a mask. */
static const struct {
	const char *name;
	size_t pub_n;
	uint8_t mask, first;
	const char *what;
} curves[] = {
    [ADY_CURVE_SECP256K1] = {"secp256k1", 33, 0xfe, 0x02,
                             "must be \"0x\" and the hex of a compressed public key, 33 bytes"},
    [ADY_CURVE_ED25519] = {"ed25519", 32, 0, 0, "must be \"0x\" and 64 hex digits"},
    [ADY_CURVE_BLS12_381] = {"bls12-381", 48, 0xc0, 0x80,
                             "must be \"0x\" and the hex of a compressed public key, 48 bytes"},
    [ADY_CURVE_WALLET] = {"wallet", 33, 0xfe, 0x02,
                          "must be \"0x\" and the hex of a compressed public key, 33 bytes"},
};

const char *ady_curve_name(enum ady_curve curve)
{
	return curves[curve].name;
}

size_t ady_curve_public_size(enum ady_curve curve)
{
	return curves[curve].pub_n;
}

size_t ady_record_sealed_size(enum ady_curve curve)
{
	return curve == ADY_CURVE_WALLET ? ADY_RECORD_WALLET : ADY_RECORD_SEALED;
}

enum ady_hd_path_kind ady_curve_path_kind(enum ady_curve curve)
{
	return curve == ADY_CURVE_BLS12_381 ? ADY_HD_PATH_EIP2334
	       : curve == ADY_CURVE_ED25519 ? ADY_HD_PATH_SLIP10
	                                    : ADY_HD_PATH_BIP32;
}

enum ady_err ady_record_decode(const struct ady_record_reader *r, uint8_t *out, size_t cap,
                               size_t *n, struct ady_bytes base64, const char *member)
{
	enum ady_err err = ady_base64_decode(out, cap, n, base64);

	if (err == ADY_E_TOO_LARGE)
		return ady_record_refuse(r, member, "is too large");
	if (err != ADY_OK)
		return ady_record_refuse(r, member, "is not base64");
	return *n > 0 ? ADY_OK : ady_record_refuse(r, member, "is empty");
}

bool ady_record_is_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    (c == '\0' || !strchr("._:/+=@-", c)))
			return false;
	}
	return n > 0;
}

enum ady_err ady_record_read_text(const struct ady_record_reader *r, enum ady_record_member m,
                                  char *out, size_t cap)
{
	enum ady_err err;
	size_t n;

	err = ady_json_string(&r->doc, r->value[m], out, cap, &n);
	if (err == ADY_E_TOO_LARGE)
		return ady_record_refuse(r, ady_record_names[m], "is too long");
	if (err != ADY_OK || strlen(out) != n)
		return ady_record_refuse(r, ady_record_names[m], "must be a string without NUL");
	if ((m == M_ID || m == M_TENANT) && !ady_record_is_name(out, n))
		return ady_record_refuse(r, ady_record_names[m],
		                         "must consist of A-Z a-z 0-9 . _ : / + = @ -");
	return ADY_OK;
}

enum ady_err ady_record_read_kind(const struct ady_record_reader *r, struct ady_record *rec)
{
	uint32_t version = r->value[M_VERSION], wrapping = r->value[M_WRAPPING];

	if (ady_json_kind(&r->doc, version) != ADY_JSON_NUMBER ||
	    !ady_bytes_is(ady_json_raw(&r->doc, version), "1"))
		return ady_record_refuse(r, ady_record_names[M_VERSION], "must be 1");
	rec->envelope = ady_json_is(&r->doc, wrapping, "envelope");
	if (!rec->envelope && !ady_json_is(&r->doc, wrapping, "direct"))
		return ady_record_refuse(r, ady_record_names[M_WRAPPING],
		                         "must be \"direct\" or \"envelope\"");
	for (size_t c = 0; c < sizeof curves / sizeof *curves; c++)
		if (ady_json_is(&r->doc, r->value[M_CURVE], curves[c].name)) {
			rec->curve = (enum ady_curve)c;
			if (rec->curve == ADY_CURVE_WALLET && !rec->envelope)
				return ady_record_refuse(r, ady_record_names[M_WRAPPING],
				                         "must be \"envelope\" for a wallet");
			return ADY_OK;
		}
	return ady_record_refuse(r, ady_record_names[M_CURVE],
	                         "must be \"secp256k1\", \"ed25519\", \"bls12-381\" or \"wallet\"");
}

enum ady_err ady_record_read_public_key(const struct ady_record_reader *r, struct ady_record *rec)
{
	size_t n = curves[rec->curve].pub_n, got = 0;
	char space[sizeof rec->public_key];
	struct ady_bytes text;
	enum ady_err err = ady_record_read_text(r, M_PUBLIC_KEY, space, sizeof space);

	if (err != ADY_OK)
		return err;
	text = ady_bytes_str(space);
	if (text.n != 2 + 2 * n || memcmp(text.p, "0x", 2) != 0 ||
	    ady_hex_decode(rec->pub, sizeof rec->pub, &got, ady_bytes_sub(text, 2, 2 * n)) !=
	        ADY_OK ||
	    (rec->pub[0] & curves[rec->curve].mask) != curves[rec->curve].first)
		return ady_record_refuse(r, ady_record_names[M_PUBLIC_KEY],
		                         curves[rec->curve].what);
	return ADY_OK;
}

enum ady_err ady_record_read_created(const struct ady_record_reader *r, struct ady_record *rec)
{
	uint32_t i = r->value[M_CREATED];

	if (!i)
		return ADY_OK;
	if (ady_json_u64(&r->doc, i, &rec->created) != ADY_OK || rec->created == 0 ||
	    rec->created > CREATED_MAX)
		return ady_record_refuse(r, ady_record_names[M_CREATED],
		                         "must be whole seconds since 1970");
	return ADY_OK;
}

/* Only the enclave writes it, when the policy was changed there. */
enum ady_err ady_record_read_revision(const struct ady_record_reader *r, struct ady_record *rec)
{
	uint32_t i = r->value[M_REVISION];

	if (!i)
		return ADY_OK;
	if (!rec->envelope)
		return ady_record_refuse(r, ady_record_names[M_REVISION],
		                         "does not belong to direct wrapping");
	if (ady_json_u64(&r->doc, i, &rec->revision) != ADY_OK || rec->revision == 0 ||
	    rec->revision > REVISION_MAX)
		return ady_record_refuse(r, ady_record_names[M_REVISION],
		                         "must be a whole number above 0");
	return ADY_OK;
}

enum ady_err ady_record_read_ciphertext(const struct ady_record_reader *r, struct ady_record *rec)
{
	char text[CIPHERTEXT_TEXT];
	enum ady_err err = ady_record_read_text(r, M_CIPHERTEXT, text, sizeof text);

	if (err != ADY_OK)
		return err;
	err = ady_record_decode(r, rec->ciphertext, sizeof rec->ciphertext, &rec->ciphertext_n,
	                        ady_bytes_str(text), ady_record_names[M_CIPHERTEXT]);
	if (err == ADY_OK && rec->envelope &&
	    rec->ciphertext_n != ady_record_sealed_size(rec->curve))
		return ady_record_refuse(r, ady_record_names[M_CIPHERTEXT],
		                         "must be 60 bytes (125 of a wallet): nonce, AES-256-GCM "
		                         "of the secret, tag");
	return err;
}

/* Of small order it would seal to everybody: HPKE refuses it later, with nothing sealed. */
enum ady_err ady_record_read_backup(const struct ady_record_reader *r, struct ady_record *rec)
{
	static const char hex[] = "0123456789abcdef";
	struct ady_bytes raw = ady_json_raw(&r->doc, r->value[M_BACKUP]);
	size_t n;

	if (!r->value[M_BACKUP])
		return ADY_OK;
	if (ady_json_kind(&r->doc, r->value[M_BACKUP]) != ADY_JSON_STRING || raw.n != 64)
		return ady_record_refuse(r, "backup",
		                         "must be 64 hex digits: an X25519 public key");
	for (size_t i = 0; i < raw.n; i++)
		if (!raw.p[i] || !strchr(hex, raw.p[i]))
			return ady_record_refuse(r, "backup", "must be in lower-case hex");
	if (ady_hex_decode(rec->backup, sizeof rec->backup, &n, raw) != ADY_OK)
		return ady_record_refuse(r, "backup", "must be hex");
	rec->has_backup = true;
	return ADY_OK;
}

enum ady_err ady_record_read_data_key(const struct ady_record_reader *r, struct ady_record *rec)
{
	char text[ADY_BASE64_SIZE(ADY_RECORD_DATA_KEY_MAX)];
	enum ady_err err;

	if (!rec->envelope && !r->value[M_DATA_KEY])
		return ADY_OK;
	if (!rec->envelope)
		return ady_record_refuse(r, ady_record_names[M_DATA_KEY],
		                         "does not belong to direct wrapping");
	if (!r->value[M_DATA_KEY])
		return ady_record_refuse(r, ady_record_names[M_DATA_KEY], "is required");
	if ((err = ady_record_read_text(r, M_DATA_KEY, text, sizeof text)) != ADY_OK)
		return err;
	return ady_record_decode(r, rec->data_key, sizeof rec->data_key, &rec->data_key_n,
	                         ady_bytes_str(text), ady_record_names[M_DATA_KEY]);
}

/* Whether path is what ady_hd_path_put writes of a path that does not count. */
static bool is_path(struct ady_bytes text, enum ady_curve curve)
{
	struct ady_hd_path path;

	return curve != ADY_CURVE_WALLET &&
	       ady_hd_path_read(&path, ady_curve_path_kind(curve), text, NULL) == ADY_OK &&
	       path.star == path.n;
}

enum ady_err ady_record_read_origin(const struct ady_record_reader *r, struct ady_record *rec)
{
	const char *space, *name = ady_record_names[M_ORIGIN];
	enum ady_err err;

	if (!r->value[M_ORIGIN])
		return ADY_OK;
	if (!rec->envelope)
		return ady_record_refuse(r, name, "does not belong to direct wrapping");
	if ((err = ady_record_read_text(r, M_ORIGIN, rec->origin, sizeof rec->origin)) != ADY_OK)
		return err;
	space = strchr(rec->origin, ' ');
	if (!space || !ady_record_is_name(rec->origin, (size_t)(space - rec->origin)) ||
	    !is_path(ady_bytes_str(space + 1), rec->curve))
		return ady_record_refuse(r, name, "must be a wallet's id, a space, and a path");
	return ADY_OK;
}

enum ady_err ady_record_set_counters(struct ady_record *rec, struct ady_bytes counters)
{
	if (counters.n != ADY_RECORD_COUNTERS &&
	    counters.n != ADY_RECORD_COUNTERS + ADY_RECORD_SEALED)
		return ADY_E_RECORD;
	rec->counted = true;
	memcpy(rec->counters, counters.p, sizeof rec->counters);
	rec->row_key_n = counters.n - ADY_RECORD_COUNTERS;
	memcpy(rec->row_key, counters.p + ADY_RECORD_COUNTERS, rec->row_key_n);
	return ADY_OK;
}

/* In the one spelling that the enclave writes. */
enum ady_err ady_record_read_counters(const struct ady_record_reader *r, struct ady_record *rec)
{
	static const char why[] = "must be 64 or 184 lower-case hex digits";
	const char *name = ady_record_names[M_COUNTERS];
	uint8_t both[ADY_RECORD_COUNTERS + ADY_RECORD_SEALED];
	char text[2 * sizeof both + 1];
	enum ady_err err;
	size_t n = 0;

	if (!r->value[M_COUNTERS])
		return ADY_OK;
	if (!rec->origin[0])
		return ady_record_refuse(r, name, "belongs to keys of a wallet");
	if ((err = ady_record_read_text(r, M_COUNTERS, text, sizeof text)) != ADY_OK)
		return err;
	if (strpbrk(text, "ABCDEF") ||
	    ady_hex_decode(both, sizeof both, &n, ady_bytes_str(text)) != ADY_OK ||
	    ady_record_set_counters(rec, ady_bytes(both, n)) != ADY_OK)
		return ady_record_refuse(r, name, why);
	return ADY_OK;
}

enum ady_err ady_record_read_words(const struct ady_record_reader *r, struct ady_record *rec)
{
	uint32_t i = r->value[M_WORDS];

	rec->words = rec->curve == ADY_CURVE_WALLET ? ADY_BIP39_WORDS_MAX : 0;
	if (!i)
		return ADY_OK;
	if (rec->curve != ADY_CURVE_WALLET)
		return ady_record_refuse(r, ady_record_names[M_WORDS], "is of wallets only");
	if (ady_json_u64(&r->doc, i, &rec->words) != ADY_OK || ady_bip39_bytes(rec->words) == 0)
		return ady_record_refuse(r, ady_record_names[M_WORDS],
		                         "must be 12, 15, 18, 21 or 24");
	return ADY_OK;
}
