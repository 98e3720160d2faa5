/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of the enclave's response key: from its seed to its ready form, and to a signature. */
#include "ct.h"

#include "codec/proof.h"
#include "crypto/ed25519.h"
#include "crypto/rng.h"

int main(void)
{
	struct ady_seckey seed;
	struct ady_ed25519_pair pair;
	uint8_t pub[32], head[32] = {3}, message[ADY_PROOF_SIGNED], sig[64];

	ct_need_valgrind();
	ady_random(seed.b, sizeof seed.b);
	ct_secret(seed.b, sizeof seed.b);
	ady_ed25519_expand(&pair, pub, &seed);
	ct_must(ct_is_secret(&pair));
	ct_public(pub, sizeof pub);
	ady_proof_message(message, head);
	ady_ed25519_sign_with(sig, ady_bytes(message, sizeof message), &pair);
	ct_public(sig, sizeof sig);
	ct_must(ady_ed25519_verify(sig, pub, ady_bytes(message, sizeof message)));
	ady_zero(&pair, sizeof pair);
	ady_zero(&seed, sizeof seed);
	return 0;
}
