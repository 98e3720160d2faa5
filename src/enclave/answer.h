/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers to the gateway. Thread rule: any thread; an answer to a connection that has ended goes
 * nowhere. */
#ifndef ADY_ENCLAVE_ANSWER_H
#define ADY_ENCLAVE_ANSWER_H

#include "net/channel.h"

/* Where an answer belongs: the connection and the asker's id. */
struct ady_asker {
	struct ady_channel *ch;
	uint64_t id;
};

/* Answer a question of type with body. False when it could not be queued. */
bool ady_answer(const struct ady_asker *to, enum ady_wire_type type, struct ady_bytes body);

/* Answer with a fault. False when it could not be queued. */
bool ady_answer_fault(const struct ady_asker *to, const struct ady_fault *f);

#endif
