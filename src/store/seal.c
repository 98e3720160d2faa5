/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seal.h"

#include <string.h>
#include <utf8proc.h>

#include "codec/json.h"
#include "codec/utf8.h"
#include "codec/wire.h"
#include "signer/import.h"
#include "signer/record.h"

enum { TOKENS = 512, POINTS = 4 * ADY_KEYSTORE_PASSWORD_MAX };

enum ady_err ady_seal(struct ady_sealed *out, const struct ady_seal *to, struct ady_bytes plain,
                      struct ady_fault *f)
{
	uint8_t aad[32];

	if (plain.n > ADY_SEALED_MAX - ADY_HPKE_TAG)
		return ady_fail(f, ADY_E_TOO_LARGE, "keystore", "exceeds what can be sealed");
	ady_import_bind(aad, to->curve, ady_bytes_str(to->tenant), to->options);
	if (ady_hpke_seal(out->enc, out->sealed, to->import_key, ady_bytes_str(ADY_IMPORT_INFO),
	                  ady_bytes(aad, sizeof aad), plain) != ADY_OK)
		return ady_fail(f, ADY_E_ATTESTATION, "public_key", "is no import key");
	out->sealed_n = plain.n + ADY_HPKE_TAG;
	return ADY_OK;
}

enum ady_err ady_keystore_version(uint64_t *form, struct ady_bytes keystore, struct ady_fault *f)
{
	struct ady_json_tok toks[TOKENS];
	struct ady_json doc;
	uint64_t version = 0;
	uint32_t t;

	if (keystore.n > ADY_KEYSTORE_TEXT_MAX ||
	    ady_json_parse(&doc, toks, TOKENS, keystore, NULL) != ADY_OK)
		return ady_fail(f, ADY_E_KEYSTORE, "keystore", "is not strict JSON, or too large");
	t = ady_json_get(&doc, 0, "version");
	if (!t || ady_json_u64(&doc, t, &version) != ADY_OK || (version != 3 && version != 4))
		return ady_fail(f, ADY_E_KEYSTORE, "keystore.version",
		                "must be 3 (geth) or 4 (EIP-2335)");
	*form = version == 3 ? ADY_IMPORT_V3 : ADY_IMPORT_EIP2335;
	return ADY_OK;
}

const char *ady_keystore_curve(uint64_t form)
{
	return ady_curve_name(form == ADY_IMPORT_V3 ? ADY_CURVE_SECP256K1 : ADY_CURVE_BLS12_381);
}

static bool is_control(utf8proc_int32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

enum ady_err ady_password_normalise(struct ady_buf *out, struct ady_bytes password,
                                    struct ady_fault *f)
{
	utf8proc_int32_t points[POINTS];
	utf8proc_ssize_t n = -1;
	uint8_t bytes[4];

	if (password.n <= ADY_KEYSTORE_PASSWORD_MAX && ady_utf8_valid(password))
		n = utf8proc_decompose(password.p, (utf8proc_ssize_t)password.n, points, POINTS,
		                       UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STABLE);
	for (utf8proc_ssize_t i = 0; i < n && n <= POINTS; i++)
		if (!is_control(points[i]))
			ady_buf_put(out, bytes, (size_t)utf8proc_encode_char(points[i], bytes));
	ady_zero(points, sizeof points);
	if (n < 0 || n > POINTS || out->full)
		return ady_fail(f, ADY_E_PASSWORD, "password", "is too long, or no UTF-8");
	return ADY_OK;
}

enum ady_err ady_seal_keystore(struct ady_sealed *out, uint64_t *form, const struct ady_seal *to,
                               struct ady_bytes keystore, struct ady_bytes password,
                               struct ady_fault *f)
{
	uint8_t normal[ADY_KEYSTORE_PASSWORD_MAX], plain[ADY_SEALED_MAX];
	struct ady_buf pw = ady_buf(normal, sizeof normal), b = ady_buf(plain, sizeof plain);
	struct ady_seal with = *to;
	enum ady_err err = ady_keystore_version(form, keystore, f);

	if (err == ADY_OK && *form == ADY_IMPORT_EIP2335)
		err = ady_password_normalise(&pw, password, f);
	else
		ady_buf_view(&pw, password);
	if (err == ADY_OK && pw.full)
		err = ady_fail(f, ADY_E_PASSWORD, "password", "is too long");
	if (err == ADY_OK) {
		with.curve = ady_keystore_curve(*form);
		ady_keystore_pair_put(&b, keystore, ady_buf_bytes(&pw));
		err = ady_seal(out, &with, ady_buf_bytes(&b), f);
	}
	ady_zero(normal, sizeof normal);
	ady_zero(plain, sizeof plain);
	return err;
}
