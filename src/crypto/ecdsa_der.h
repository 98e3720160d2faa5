/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures of ECDSA in the form that OpenSSL reads. No state; any thread. */
#ifndef ADY_CRYPTO_ECDSA_DER_H
#define ADY_CRYPTO_ECDSA_DER_H

#include "base/bytes.h"

/* Append ECDSA-Sig-Value (RFC 3279 section 2.2.3) of r and s, which stand in raw one behind the
 * other, number bytes each, at most 48: with the heads that is at most 104 bytes, whose length
 * takes one. What they are is not checked: the verification refuses numbers outside [1, n-1]. b
 * must be empty. */
void ady_ecdsa_der_put(struct ady_buf *b, const uint8_t *raw, size_t number);

#endif
