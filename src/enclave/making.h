/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a CREATE message: a key is made in the enclave and leaves it sealed, as a record. It
 * works on the KMS threads, where the tenant's data key is opened or made. Thread rule:
 * ady_making_take on a lane. */
#ifndef ADY_ENCLAVE_MAKING_H
#define ADY_ENCLAVE_MAKING_H

#include "enclave/keyroom.h"

/* Take on a CREATE message. It will be answered, now or later. space: of the calling lane. */
void ady_making_take(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                     const struct ady_wire_head *head, struct ady_bytes body);

#endif
