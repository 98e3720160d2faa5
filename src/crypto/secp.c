/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secp.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/rng.h"

struct ady_secp {
	secp256k1_context *ctx;
};

enum ady_err ady_secp_open(struct ady_secp **secp)
{
	struct ady_secp *s = calloc(1, sizeof *s);
	uint8_t seed[32];
	int ok;

	*secp = NULL;
	if (!s)
		return ADY_E_MEMORY;
	s->ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	if (!s->ctx) {
		free(s);
		return ADY_E_MEMORY;
	}
	ady_random(seed, sizeof seed);
	ok = secp256k1_context_randomize(s->ctx, seed);
	ady_zero(seed, sizeof seed);
	if (!ok) {
		ady_secp_close(s);
		return ADY_E_CRYPTO;
	}
	*secp = s;
	return ADY_OK;
}

void ady_secp_close(struct ady_secp *secp)
{
	if (!secp)
		return;
	secp256k1_context_destroy(secp->ctx);
	free(secp);
}

/* Whether a key is in range is told to the caller, so it is public from here on. */
enum ady_err ady_secp_check(const struct ady_secp *secp, const struct ady_seckey *key)
{
	int ok = secp256k1_ec_seckey_verify(secp->ctx, key->b);

	ADY_DECLASSIFY(&ok, sizeof ok);
	return ok ? ADY_OK : ADY_E_KEY_RANGE;
}

/* libsecp256k1 would take a tweak of zero, and the sum would be the other key. */
enum ady_err ady_secp_add(const struct ady_secp *secp, struct ady_seckey *key,
                          const struct ady_seckey *other)
{
	int ok = secp256k1_ec_seckey_verify(secp->ctx, key->b) &
	         secp256k1_ec_seckey_verify(secp->ctx, other->b) &
	         secp256k1_ec_seckey_tweak_add(secp->ctx, key->b, other->b);

	ADY_DECLASSIFY(&ok, sizeof ok);
	if (!ok)
		ady_seckey_wipe(key);
	return ok ? ADY_OK : ADY_E_KEY_RANGE;
}

enum ady_err ady_secp_public(const struct ady_secp *secp, uint8_t pub65[static 65],
                             const struct ady_seckey *key)
{
	secp256k1_pubkey pub;
	size_t n = 65;
	int ok = secp256k1_ec_pubkey_create(secp->ctx, &pub, key->b);

	ADY_DECLASSIFY(&ok, sizeof ok);
	ADY_DECLASSIFY(&pub, sizeof pub);
	memset(pub65, 0, 65);
	if (!ok)
		return ADY_E_KEY_RANGE;
	secp256k1_ec_pubkey_serialize(secp->ctx, pub65, &n, &pub, SECP256K1_EC_UNCOMPRESSED);
	return ADY_OK;
}

/* Whether the signature verifies under pub65. */
static bool verifies(const struct ady_secp *secp, const secp256k1_ecdsa_recoverable_signature *rsig,
                     const uint8_t digest32[static 32], const uint8_t *pub65)
{
	secp256k1_ecdsa_signature sig;
	secp256k1_pubkey pub;

	return secp256k1_ec_pubkey_parse(secp->ctx, &pub, pub65, 65) &&
	       secp256k1_ecdsa_recoverable_signature_convert(secp->ctx, &sig, rsig) &&
	       secp256k1_ecdsa_verify(secp->ctx, &sig, digest32, &pub);
}

/* With the default nonce function the library signs by RFC 6979 without extra data: the bytes that
 * every Ethereum wallet gives for this key and digest. */
enum ady_err ady_secp_sign(const struct ady_secp *secp, struct ady_secp_sig *sig,
                           const uint8_t digest32[static 32], const uint8_t *check_pub65,
                           const struct ady_seckey *key)
{
	secp256k1_ecdsa_recoverable_signature rsig;
	uint8_t rs[64];
	int ok, recid;

	memset(sig, 0, sizeof *sig);
	ok = secp256k1_ecdsa_sign_recoverable(secp->ctx, &rsig, digest32, key->b, NULL, NULL);
	ADY_DECLASSIFY(&ok, sizeof ok);
	ADY_DECLASSIFY(&rsig, sizeof rsig);
	if (!ok)
		return ADY_E_KEY_RANGE;
	if (check_pub65 && !verifies(secp, &rsig, digest32, check_pub65))
		return ADY_E_CRYPTO;
	secp256k1_ecdsa_recoverable_signature_serialize_compact(secp->ctx, rs, &recid, &rsig);
	if (recid > 1) /* r + n as x coordinate: 1 in 2^127, and Ethereum has no number for it */
		return ADY_E_CRYPTO;
	memcpy(sig->r, rs, 32);
	memcpy(sig->s, rs + 32, 32);
	sig->y_parity = (uint8_t)recid;
	return ADY_OK;
}

enum ady_err ady_secp_recover(const struct ady_secp *secp, uint8_t pub65[static 65],
                              const struct ady_secp_sig *sig, const uint8_t digest32[static 32])
{
	secp256k1_ecdsa_recoverable_signature rsig;
	secp256k1_pubkey pub;
	uint8_t rs[64];
	size_t n = 65;

	memset(pub65, 0, 65);
	memcpy(rs, sig->r, 32);
	memcpy(rs + 32, sig->s, 32);
	if (sig->y_parity > 1 ||
	    !secp256k1_ecdsa_recoverable_signature_parse_compact(secp->ctx, &rsig, rs,
	                                                         sig->y_parity) ||
	    !secp256k1_ecdsa_recover(secp->ctx, &pub, &rsig, digest32))
		return ADY_E_CRYPTO;
	secp256k1_ec_pubkey_serialize(secp->ctx, pub65, &n, &pub, SECP256K1_EC_UNCOMPRESSED);
	return ADY_OK;
}

void ady_secp_compress(uint8_t pub33[static 33], const uint8_t pub65[static 65])
{
	pub33[0] = (uint8_t)(0x02 | (pub65[64] & 1));
	memcpy(pub33 + 1, pub65 + 1, 32);
}

/* Parsing and writing need none of a context's tables. */
enum ady_err ady_secp_expand(uint8_t pub65[static 65], const uint8_t pub33[static 33])
{
	secp256k1_pubkey pub;
	size_t n = 65;

	if (!secp256k1_ec_pubkey_parse(secp256k1_context_static, &pub, pub33, 33))
		return ADY_E_CRYPTO;
	secp256k1_ec_pubkey_serialize(secp256k1_context_static, pub65, &n, &pub,
	                              SECP256K1_EC_UNCOMPRESSED);
	return ADY_OK;
}

/* The library takes the hybrid forms 0x06 and 0x07 too. */
bool ady_secp_is_point(const uint8_t pub65[static 65])
{
	secp256k1_pubkey pub;

	return pub65[0] == 0x04 &&
	       secp256k1_ec_pubkey_parse(secp256k1_context_static, &pub, pub65, 65);
}
