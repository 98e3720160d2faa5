/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of one stamp, and the rules of WebAuthn for its signature. Used by stamp.c alone. */
#ifndef ADY_SIGNER_STAMP_PARTS_H
#define ADY_SIGNER_STAMP_PARTS_H

#include "policy/stamp_key.h"

enum {
	ADY_STAMP_CLAIMS_MAX = 2048,
	ADY_STAMP_SIGNATURE_MAX = 80,
	ADY_STAMP_AUTHENTICATOR_MAX = 1024,
	ADY_STAMP_CLIENT_MAX = 2048,
};

struct ady_stamp_parts {
	struct ady_bytes input; /* what is signed: "adyton-stamp-1." and the first part, as it is */
	struct ady_bytes claims, signature;
	struct ady_bytes authenticator, client; /* of webauthn, else empty */
	uint8_t
	    space[2 * (ADY_STAMP_CLAIMS_MAX + ADY_STAMP_AUTHENTICATOR_MAX + ADY_STAMP_CLIENT_MAX)];
};

/* Take a stamp's text apart. Returns NULL, or why it is none. */
const char *ady_stamp_parts_read(struct ady_stamp_parts *parts, struct ady_bytes text);

/* Verify an assertion (WebAuthn Level 2, section 7.2, the steps that concern a signature): client
 * data of type webauthn.get with the challenge SHA-256(input), not from another origin's frame;
 * authenticator data of the relying party, user present and verified; the signature over both.
 * Returns NULL, or why it is none. */
const char *ady_stamp_webauthn(const struct ady_stamp_parts *parts,
                               const struct ady_stamp_key *key);

#endif
