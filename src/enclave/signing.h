/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a SIGN message through the enclave. It is checked on the lane that received it. An
 * envelope whose data key is there is signed and answered on that lane. All else goes to the KMS
 * threads: a direct record is opened by KMS, each by itself; of the envelopes that need the same
 * data key the first has it opened and the others wait behind it (enclave/flights.h). No lane ever
 * waits for KMS, and no more work is taken on than there are jobs and places in the queue: what
 * does not fit is refused at once. Thread rule: ady_signing_take on a lane, the rest on any thread.
 */
#ifndef ADY_ENCLAVE_SIGNING_H
#define ADY_ENCLAVE_SIGNING_H

#include "enclave/keyroom.h"

struct ady_signing;

/* Make it; room is borrowed. Returns ADY_E_MEMORY. */
enum ady_err ady_signing_open(struct ady_signing **s, struct ady_keyroom *room);

/* Free, when the threads of the room have ended. NULL is allowed. */
void ady_signing_close(struct ady_signing *s);

/* Take on a SIGN message. It will be answered, now or later. space: of the calling lane. */
void ady_signing_take(struct ady_signing *s, struct ady_space *space, struct ady_channel *ch,
                      const struct ady_wire_head *head, struct ady_bytes body);

/* Answer those that wait for another's data key and whose time is over. To be called from time to
 * time. */
void ady_signing_sweep(struct ady_signing *s);

/* How many wait for a KMS thread, or for another's data key. */
size_t ady_signing_waiting(struct ady_signing *s);

#endif
