/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hmac512.h"

#include <sodium.h>
#include <string.h>

#include "base/secret.h"

typedef crypto_auth_hmacsha512_state hmac;

static void begin(hmac *s, struct ady_bytes key)
{
	static const uint8_t none[1];

	(void)crypto_auth_hmacsha512_init(s, key.n ? key.p : none, key.n);
}

static void update(hmac *s, const struct ady_bytes *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (parts[i].n > 0)
			(void)crypto_auth_hmacsha512_update(s, parts[i].p, parts[i].n);
}

void ady_hmac_sha512(uint8_t out64[static 64], struct ady_bytes key, const struct ady_bytes *parts,
                     size_t n)
{
	hmac s;

	begin(&s, key);
	update(&s, parts, n);
	(void)crypto_auth_hmacsha512_final(&s, out64);
	ady_zero(&s, sizeof s);
}

/* The state after the key is copied for each round, which saves half of the hashing. */
void ady_pbkdf2_sha512(uint8_t out64[static 64], struct ady_bytes password,
                       const struct ady_bytes *salt, size_t n, unsigned rounds)
{
	static const uint8_t first[4] = {0, 0, 0, 1};
	hmac keyed, s;
	uint8_t u[64];

	begin(&keyed, password);
	s = keyed;
	update(&s, salt, n);
	update(&s, &(struct ady_bytes){first, sizeof first}, 1);
	(void)crypto_auth_hmacsha512_final(&s, u);
	memcpy(out64, u, sizeof u);
	for (unsigned i = 1; i < rounds; i++) {
		s = keyed;
		update(&s, &(struct ady_bytes){u, sizeof u}, 1);
		(void)crypto_auth_hmacsha512_final(&s, u);
		for (size_t k = 0; k < sizeof u; k++)
			out64[k] ^= u[k];
	}
	ady_zero(&keyed, sizeof keyed);
	ady_zero(&s, sizeof s);
	ady_zero(u, sizeof u);
}
