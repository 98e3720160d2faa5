/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways of a CREATE and of an IMPORT message: a key is made in the enclave, or comes in sealed
 * to its import key, and leaves it as a record. Both work on the KMS threads, where the tenant's
 * data key is opened or made. Thread rule: to be called on a lane. */
#ifndef ADY_ENCLAVE_MAKING_H
#define ADY_ENCLAVE_MAKING_H

#include "enclave/keyroom.h"

/* Take on a CREATE message. It will be answered, now or later. space: of the calling lane. */
void ady_making_take(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                     const struct ady_wire_head *head, struct ady_bytes body);

/* Take on an IMPORT message. It will be answered, now or later. */
void ady_making_import(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                       const struct ady_wire_head *head, struct ady_bytes body);

/* Take on a CREATE_BATCH message. It will be answered, now or later. */
void ady_making_batch(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                      const struct ady_wire_head *head, struct ady_bytes body);

/* Take on a REWRAP message. It will be answered, now or later. */
void ady_making_rewrap(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                       const struct ady_wire_head *head, struct ady_bytes body);

/* Take on a BACKUP message. It will be answered, now or later. */
void ady_making_backup(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                       const struct ady_wire_head *head, struct ady_bytes body);

#endif
