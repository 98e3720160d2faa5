/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a DERIVE message: keys of a wallet become records, or are shown. Stamps and policy are
 * checked on the lane; the keys are made on a KMS thread, as those of CREATE. Thread rule: to be
 * called on a lane. */
#ifndef ADY_ENCLAVE_DERIVING_H
#define ADY_ENCLAVE_DERIVING_H

#include "enclave/keyroom.h"

/* Take on a DERIVE message. It will be answered, now or later. space: of the calling lane. */
void ady_deriving_take(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                       const struct ady_wire_head *head, struct ady_bytes body);

#endif
