/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/import_key.h"

#include <stdlib.h>

#include "signer/import.h"

struct ady_import_key {
	struct ady_arena *arena;
	uint8_t *secret; /* in the arena */
	uint8_t public[ADY_HPKE_KEY];
};

enum ady_err ady_import_key_open(struct ady_import_key **out)
{
	struct ady_import_key *key = calloc(1, sizeof *key);
	enum ady_err err = key ? ady_arena_open(&key->arena, 1, ADY_HPKE_KEY) : ADY_E_MEMORY;

	*out = NULL;
	if (err != ADY_OK) {
		free(key);
		return err;
	}
	key->secret = ady_arena_take(key->arena);
	ady_hpke_keypair(key->secret, key->public);
	*out = key;
	return ADY_OK;
}

void ady_import_key_close(struct ady_import_key *key)
{
	if (!key)
		return;
	ady_arena_close(key->arena);
	free(key);
}

struct ady_bytes ady_import_key_public(const struct ady_import_key *key)
{
	return ady_bytes(key->public, sizeof key->public);
}

enum ady_err ady_import_key_unseal(const struct ady_import_key *key, uint8_t *out,
                                   struct ady_bytes sealed, const uint8_t aad32[static 32],
                                   struct ady_bytes *plain, struct ady_fault *f)
{
	struct ady_bytes ct = ady_bytes_sub(sealed, ADY_HPKE_KEY, sealed.n - ADY_HPKE_KEY);

	if (ct.n < ADY_HPKE_TAG ||
	    ady_hpke_open(out, key->secret, key->public, sealed.p, ady_bytes_str(ADY_IMPORT_INFO),
	                  ady_bytes(aad32, 32), ct) != ADY_OK)
		return ady_fail(f, ADY_E_FIELD_INVALID, "sealed", "%s", ADY_IMPORT_NOT_OURS);
	*plain = ady_bytes(out, ct.n - ADY_HPKE_TAG);
	return ADY_OK;
}
