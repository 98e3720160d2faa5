/* SPDX-License-Identifier: Apache-2.0
 *
 * Records in a fifth of their length. Those of one data key and policy differ in id, public key,
 * ciphertext and time only; what they share, their shape, is kept once, and of each record the
 * bytes that its hex, base64 and decimals stand for. What comes out is what went in, byte for byte:
 * a record for which that is not so is not packed. Thread rule: one thread packs; others may unpack
 * at the same time what was handed to them under a lock. */
#ifndef ADY_STORE_PACKING_H
#define ADY_STORE_PACKING_H

#include "store/entry.h"

enum {
	ADY_PACKED_TEXT_MAX = 2048, /* longer records are not packed */
	ADY_PACKED_MAX = 2 + ADY_PUBLIC_KEY_MAX + 1 + 255 + 4,
	ADY_PACKED_SHAPES_MAX = 4096, /* further ones are not packed */
};

struct ady_packing;

/* What was packed. tenant and curve live as long as the packing. */
struct ady_unpacked {
	const char *tenant, *curve;
	uint8_t public_key[ADY_PUBLIC_KEY_MAX];
	size_t public_key_n;
	uint8_t text[ADY_PACKED_TEXT_MAX];
	size_t text_n;
};

/* Make one without shapes. Returns ADY_E_MEMORY. */
enum ady_err ady_packing_open(struct ady_packing **packing);

/* Free. NULL is allowed. */
void ady_packing_close(struct ady_packing *packing);

/* Pack an entry's text, public key, tenant and curve; its id is kept by the caller.
 * Returns the number of bytes in out; 0: it is of a kind that is not packed. */
size_t ady_pack(struct ady_packing *packing, const struct ady_entry *e,
                uint8_t out[static ADY_PACKED_MAX]);

/* Unpack what ady_pack made of the entry with this id. */
void ady_unpack(const struct ady_packing *packing, struct ady_bytes id, struct ady_bytes packed,
                struct ady_unpacked *out);

#endif
