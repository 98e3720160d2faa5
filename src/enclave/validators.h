/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a validator's duty through the enclave. It is checked on the lane that received it.
 * Its key is opened there when its data key is there, else on a KMS thread; what can be slashed for
 * is then a question to the parent, which writes the state if it is still the old one. Meanwhile
 * nobody waits but the job: the answer, on the same connection, opens the key again and signs. No
 * answer in time counts as written: nothing is signed. Thread rule: _take on a lane, the rest
 * on any thread. */
#ifndef ADY_ENCLAVE_VALIDATORS_H
#define ADY_ENCLAVE_VALIDATORS_H

#include "enclave/keyroom.h"
#include "enclave/time_watch.h"

struct ady_validators;

/* Make it; room and watch (NULL: none) are borrowed. Returns ADY_E_MEMORY. */
enum ady_err ady_validators_open(struct ady_validators **v, struct ady_keyroom *room,
                                 const struct ady_time_watch *watch);

/* Take on a DUTY or WATERMARK message. It will be answered, now or later. */
void ady_validators_take(struct ady_validators *v, struct ady_space *space, struct ady_channel *ch,
                         const struct ady_wire_head *head, struct ady_bytes body);

#endif
