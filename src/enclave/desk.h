/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the answers of a lane's connections wait for their proofs. What the lane and the KMS
 * threads have decided lies here until the end of the lane's round, or until ADY_NOTARY_TOGETHER
 * are there: then all become entries of the chain at once, under one signature, and leave. An
 * answer that is alone leaves at the end of the round it was made in. Thread rule: any thread. */
#ifndef ADY_ENCLAVE_DESK_H
#define ADY_ENCLAVE_DESK_H

#include "codec/audit_entry.h"
#include "enclave/notary.h"
#include "net/channel.h"

struct ady_desk;

/* Make the desk of the lane that runs loop. Both are borrowed. Returns ADY_E_MEMORY. */
enum ady_err ady_desk_open(struct ady_desk **desk, struct ady_notary *notary,
                           struct ady_loop *loop);

/* Leave an answer on ch: its head (type and id), its body, and what its entry will say (place and
 * time are not looked at). All is copied. */
void ady_desk_leave(struct ady_desk *desk, struct ady_channel *ch, const struct ady_wire_head *head,
                    struct ady_bytes body, const struct ady_audit_entry *entry);

#endif
