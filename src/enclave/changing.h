/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a POLICY_CHANGE through the enclave (signer/change.h): checked on the lane, then as a
 * signature by a guarded key, with the turn of its row. Thread rule: on a lane. */
#ifndef ADY_ENCLAVE_CHANGING_H
#define ADY_ENCLAVE_CHANGING_H

#include "enclave/keyroom.h"

/* Take on a POLICY_CHANGE message. It will be answered, now or later. */
void ady_changing_take(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                       const struct ady_wire_head *head, struct ady_bytes body);

#endif
