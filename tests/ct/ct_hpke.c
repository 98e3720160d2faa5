/* SPDX-License-Identifier: Apache-2.0
 *
 * HPKE with a secret key pair: nothing of the key, the shared secret or what was sealed decides
 * anything before the verdict is told. */
#include "ct.h"

#include <sodium.h>
#include <string.h>

#include "crypto/hpke.h"

int main(void)
{
	uint8_t secret[32], public[32], enc[32], ct[48], out[32], pt[32] = {7};

	ct_need_valgrind();
	ct_must(sodium_init() >= 0);
	ady_hpke_keypair(secret, public);
	ct_must(ady_hpke_seal(enc, ct, public, ady_bytes_str("i"), ady_bytes_str("a"),
	                      ady_bytes(pt, sizeof pt)) == ADY_OK);
	ct_secret(secret, sizeof secret);
	ct_must(ady_hpke_open(out, secret, public, enc, ady_bytes_str("i"), ady_bytes_str("a"),
	                      ady_bytes(ct, sizeof ct)) == ADY_OK);
	ct_must(ct_is_secret(out));
	ct_public(out, sizeof out);
	ct_must(memcmp(out, pt, sizeof pt) == 0);
	ct[3] ^= 1;
	ct_must(ady_hpke_open(out, secret, public, enc, ady_bytes_str("i"), ady_bytes_str("a"),
	                      ady_bytes(ct, sizeof ct)) == ADY_E_CRYPTO);
	return 0;
}
