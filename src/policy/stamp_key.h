/* SPDX-License-Identifier: Apache-2.0
 *
 * The public keys of those who stamp requests, as records and policies write them:
 *
 *   ed25519:<32 bytes in hex>
 *   p256:<33 bytes in hex, compressed>
 *   webauthn:<relying party id>:<33 bytes in hex, compressed, P-256>
 *
 * Hex is in lower case: a key has one text, and texts are compared. */
#ifndef ADY_POLICY_STAMP_KEY_H
#define ADY_POLICY_STAMP_KEY_H

#include "base/bytes.h"

enum { ADY_STAMP_RP_MAX = 253 };

enum ady_stamp_key_kind { ADY_STAMP_ED25519, ADY_STAMP_P256, ADY_STAMP_WEBAUTHN };

struct ady_stamp_key {
	enum ady_stamp_key_kind kind;
	uint8_t pub[33];     /* 32 bytes of Ed25519 */
	struct ady_bytes rp; /* of WEBAUTHN; into the text */
};

/* Read the text of a key. Whether the point is on its curve is seen where it is used. */
bool ady_stamp_key_read(struct ady_stamp_key *key, struct ady_bytes text);

#endif
