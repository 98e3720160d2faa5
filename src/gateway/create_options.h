/* SPDX-License-Identifier: Apache-2.0
 *
 * The other bodies of POST /v1/keys: keys that are brought in, and many at once. Their options are
 * a text, which the enclave reads as it stands. Thread rule: the shard's thread. */
#ifndef ADY_GATEWAY_CREATE_OPTIONS_H
#define ADY_GATEWAY_CREATE_OPTIONS_H

#include "gateway/op.h"

/* Ask the enclave for what op's body says, {"options": "{..}"} with one of
 *   "enc", "sealed"      base64: what was sealed to the import key (doc/protocol.md, "Imports"), by
 *   "form"               "key" (or absent), or a keystore: "v3", "eip2335"
 *   "kms_ciphertext"     base64: a secret of the AWS sample
 *   "count", "first"     so many keys, numbered from first (0) on
 * and "tenant", "curve", which were read already. The op is answered, now or later. */
void ady_create_options(struct ady_op *op, enum ady_curve curve, const char *tenant);

/* Store the record of a key that was made, and answer. In create.c. */
void ady_create_store(struct ady_creating *c, const struct ady_wire_created *m,
                      const struct ady_fault *f);

#endif
