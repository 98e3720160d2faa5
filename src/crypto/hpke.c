/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hpke.h"

#include <sodium.h>

#include "crypto/rng.h"

enum { HASH = 32, NONCE = 12, MODE_BASE = 0 };

static const uint8_t kem_suite[] = {'K', 'E', 'M', 0x00, 0x20};
static const uint8_t hpke_suite[] = {'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x03};

static const struct ady_bytes kem = {kem_suite, sizeof kem_suite};
static const struct ady_bytes hpke = {hpke_suite, sizeof hpke_suite};

/* What one message is sealed with. */
struct context {
	uint8_t key[32];
	uint8_t nonce[NONCE];
};

static void update(crypto_auth_hmacsha256_state *s, struct ady_bytes b)
{
	(void)crypto_auth_hmacsha256_update(s, b.p, b.n);
}

/* LabeledExtract (RFC 9180 section 4): HMAC(salt, "HPKE-v1" || suite || label || ikm). */
static void extract(uint8_t out[static HASH], struct ady_bytes suite, struct ady_bytes salt,
                    const char *label, struct ady_bytes ikm)
{
	static const uint8_t none[1];
	crypto_auth_hmacsha256_state s;

	(void)crypto_auth_hmacsha256_init(&s, salt.n ? salt.p : none, salt.n);
	update(&s, ady_bytes_str("HPKE-v1"));
	update(&s, suite);
	update(&s, ady_bytes_str(label));
	update(&s, ikm);
	(void)crypto_auth_hmacsha256_final(&s, out);
	ady_zero(&s, sizeof s);
}

/* LabeledExpand to at most one block: HKDF-Expand's T(1), HMAC(prk, n || "HPKE-v1" || suite ||
 * label || info || 0x01). */
static void expand(uint8_t *out, size_t n, struct ady_bytes suite, const uint8_t prk[static HASH],
                   const char *label, struct ady_bytes info)
{
	const uint8_t length[2] = {0, (uint8_t)n}, one = 1;
	crypto_auth_hmacsha256_state s;
	uint8_t block[HASH];

	(void)crypto_auth_hmacsha256_init(&s, prk, HASH);
	update(&s, ady_bytes(length, sizeof length));
	update(&s, ady_bytes_str("HPKE-v1"));
	update(&s, suite);
	update(&s, ady_bytes_str(label));
	update(&s, info);
	update(&s, ady_bytes(&one, 1));
	(void)crypto_auth_hmacsha256_final(&s, block);
	for (size_t i = 0; i < n; i++)
		out[i] = block[i];
	ady_zero(&s, sizeof s);
	ady_zero(block, sizeof block);
}

/* Section 4.1: the shared secret of a Diffie-Hellman value, by enc and the recipient's key. */
static void shared_secret(uint8_t out[static HASH], const uint8_t dh[static HASH],
                          const uint8_t *enc, const uint8_t *public)
{
	uint8_t kem_context[2 * ADY_HPKE_KEY], prk[HASH];
	struct ady_buf b = ady_buf(kem_context, sizeof kem_context);

	ady_buf_put(&b, enc, ADY_HPKE_KEY);
	ady_buf_put(&b, public, ADY_HPKE_KEY);
	extract(prk, kem, (struct ady_bytes){0}, "eae_prk", ady_bytes(dh, HASH));
	expand(out, HASH, kem, prk, "shared_secret", ady_buf_bytes(&b));
	ady_zero(prk, sizeof prk);
}

/* Section 5.1: KeySchedule of base mode, whose PSK is empty. */
static void schedule(struct context *c, const uint8_t shared[static HASH], struct ady_bytes info)
{
	const struct ady_bytes none = {0};
	uint8_t of_schedule[1 + 2 * HASH] = {MODE_BASE}, prk[HASH];
	struct ady_bytes context = ady_bytes(of_schedule, sizeof of_schedule);

	extract(of_schedule + 1, hpke, none, "psk_id_hash", none);
	extract(of_schedule + 1 + HASH, hpke, none, "info_hash", info);
	extract(prk, hpke, ady_bytes(shared, HASH), "secret", none);
	expand(c->key, sizeof c->key, hpke, prk, "key", context);
	expand(c->nonce, sizeof c->nonce, hpke, prk, "base_nonce", context);
	ady_zero(prk, sizeof prk);
}

/* Both sides: from one's secret and the other's public key to the context. A result of all zero
 * says that the other's key is of small order (section 7.1.4). */
static enum ady_err derive(struct context *c, const uint8_t *secret, const uint8_t *other,
                           const uint8_t *enc, const uint8_t *public, struct ady_bytes info)
{
	uint8_t dh[HASH], shared[HASH];
	int zero = crypto_scalarmult(dh, secret, other);

	ADY_DECLASSIFY(&zero, sizeof zero);
	if (zero)
		return ADY_E_CRYPTO;
	shared_secret(shared, dh, enc, public);
	schedule(c, shared, info);
	ady_zero(dh, sizeof dh);
	ady_zero(shared, sizeof shared);
	return ADY_OK;
}

void ady_hpke_keypair(uint8_t secret[static ADY_HPKE_KEY], uint8_t public[static ADY_HPKE_KEY])
{
	ady_random(secret, ADY_HPKE_KEY);
	(void)crypto_scalarmult_base(public, secret);
	ady_stack_wipe();
}

enum ady_err ady_hpke_public(uint8_t public[static ADY_HPKE_KEY],
                             const uint8_t secret[static ADY_HPKE_KEY])
{
	return crypto_scalarmult_base(public, secret) == 0 ? ADY_OK : ADY_E_CRYPTO;
}

enum ady_err ady_hpke_seal(uint8_t enc[static ADY_HPKE_KEY], uint8_t *out,
                           const uint8_t public[static ADY_HPKE_KEY], struct ady_bytes info,
                           struct ady_bytes aad, struct ady_bytes pt)
{
	uint8_t ephemeral[ADY_HPKE_KEY];
	struct context c;
	enum ady_err err;

	ady_hpke_keypair(ephemeral, enc);
	err = derive(&c, ephemeral, public, enc, public, info);
	if (err == ADY_OK)
		(void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, pt.p, pt.n, aad.p, aad.n,
		                                                NULL, c.nonce, c.key);
	ady_zero(ephemeral, sizeof ephemeral);
	ady_zero(&c, sizeof c);
	ady_stack_wipe();
	return err;
}

static __attribute__((noinline)) enum ady_err open_message(
    uint8_t *out, const uint8_t *secret, const uint8_t *public, const uint8_t *enc,
    struct ady_bytes info, struct ady_bytes aad, struct ady_bytes ct)
{
	struct context c;
	enum ady_err err = derive(&c, secret, enc, enc, public, info);
	int bad = err != ADY_OK;

	if (!bad)
		bad = crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, ct.p, ct.n, aad.p,
		                                                aad.n, c.nonce, c.key);
	ADY_DECLASSIFY(&bad, sizeof bad);
	ady_zero(&c, sizeof c);
	return bad ? ADY_E_CRYPTO : ADY_OK;
}

enum ady_err ady_hpke_open(uint8_t *out, const uint8_t secret[static ADY_HPKE_KEY],
                           const uint8_t public[static ADY_HPKE_KEY],
                           const uint8_t enc[static ADY_HPKE_KEY], struct ady_bytes info,
                           struct ady_bytes aad, struct ady_bytes ct)
{
	enum ady_err err = ADY_E_CRYPTO;

	if (ct.n < ADY_HPKE_TAG)
		return err;
	err = open_message(out, secret, public, enc, info, aad, ct);
	ady_stack_wipe();
	if (err != ADY_OK)
		ady_zero(out, ct.n - ADY_HPKE_TAG);
	return err;
}
