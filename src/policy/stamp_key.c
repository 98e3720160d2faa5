/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/stamp_key.h"

#include <string.h>

#include "base/text.h"

static bool is_lower_hex(struct ady_bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!strchr("0123456789abcdef", text.p[i]) || text.p[i] == '\0')
			return false;
	return true;
}

static bool read_point(struct ady_stamp_key *key, struct ady_bytes hex, size_t n)
{
	size_t got;

	if (hex.n != 2 * n || !is_lower_hex(hex))
		return false;
	(void)ady_hex_decode(key->pub, sizeof key->pub, &got, hex);
	return n == 32 || key->pub[0] == 2 || key->pub[0] == 3;
}

/* A domain name, as WebAuthn has it. */
static bool is_rp(struct ady_bytes rp)
{
	for (size_t i = 0; i < rp.n; i++) {
		uint8_t c = rp.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '-')
			return false;
	}
	return rp.n > 0 && rp.n <= ADY_STAMP_RP_MAX;
}

bool ady_stamp_key_read(struct ady_stamp_key *key, struct ady_bytes text)
{
	struct ady_bytes kind = ady_bytes_cut(&text, ':');

	*key = (struct ady_stamp_key){0};
	if (!text.p)
		return false;
	if (ady_bytes_is(kind, "ed25519"))
		return read_point(key, text, 32);
	key->kind = ADY_STAMP_P256;
	if (ady_bytes_is(kind, "p256"))
		return read_point(key, text, 33);
	key->kind = ADY_STAMP_WEBAUTHN;
	if (!ady_bytes_is(kind, "webauthn"))
		return false;
	key->rp = ady_bytes_cut(&text, ':');
	return text.p && is_rp(key->rp) && read_point(key, text, 33);
}
