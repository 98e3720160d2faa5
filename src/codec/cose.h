/* SPDX-License-Identifier: Apache-2.0
 *
 * COSE_Sign1 (RFC 9052) as the NSM writes it: untagged or tag 18, protected header {1: -35} (ES384)
 * exactly, unprotected header empty, payload attached, signature 96 bytes. */
#ifndef ADY_CODEC_COSE_H
#define ADY_CODEC_COSE_H

#include "base/bytes.h"

enum { ADY_COSE_PARTS = 2 };

struct ady_cose {
	struct ady_bytes protected_raw, payload, signature;
};

/* Parse exactly one message; the views point into b. payload: 1..16384 bytes.
 * Returns ADY_E_ATTESTATION with the reason in f. */
enum ady_err ady_cose_parse(struct ady_cose *cose, struct ady_bytes b, struct ady_fault *f);

/* The Sig_structure (RFC 9052 section 4.4) of cose as parts to hash in order: what stands before
 * the payload, written to head, and the payload. Of cose only the payload is used, as the protected
 * header has one form: a signer sets nothing else. */
void ady_cose_to_verify(struct ady_bytes parts[static ADY_COSE_PARTS], uint8_t head[static 24],
                        const struct ady_cose *cose);

/* Write the untagged message for payload and signature. */
void ady_cose_put(struct ady_buf *b, struct ady_bytes payload, const uint8_t sig96[static 96]);

#endif
