/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers to the gateway. What answers a decision passes the lane's desk (enclave/desk.h), where it
 * gets its entry in the audit log and its proof; all else leaves as it is. Thread rule: any thread;
 * an answer to a connection that has ended goes nowhere, but its entry is made. */
#ifndef ADY_ENCLAVE_ANSWER_H
#define ADY_ENCLAVE_ANSWER_H

#include "enclave/desk.h"

struct ady_record;

/* Where an answer belongs: the connection and the asker's id. And what its entry says of the
 * question. */
struct ady_asker {
	struct ady_channel *ch;
	uint64_t id;
	struct ady_desk *desk;           /* NULL: the answer is no decision */
	uint8_t op;                      /* the question's type */
	uint8_t request[32];             /* SHA-256 of what was asked */
	const struct ady_record *record; /* NULL, or what was parsed of it: id, tenant, key */
	const char *tenant;              /* without a record; or NULL */
	const uint8_t *digest;           /* 32 bytes, what is signed; NULL: the answer says it */
	const uint8_t *result;           /* 32 bytes, the result's hash; NULL: the answer says it */
	char key[ADY_AUDIT_KEY_MAX + 1]; /* the id where the record has none */
};

/* Who asked a question that is decided on. The hash is of body; of SIGN and DUTY, and of whatever
 * else carries what a client has written, it is of that alone, and ady_asker_request has to follow.
 */
struct ady_asker ady_asker(struct ady_desk *desk, struct ady_channel *ch,
                           const struct ady_wire_head *head, struct ady_bytes body);

/* The hash is of this: what the client asked. */
void ady_asker_request(struct ady_asker *to, struct ady_bytes request);

/* The name of the key in the question: text; of a long one the end is kept. */
void ady_asker_key(struct ady_asker *to, struct ady_bytes name);

/* Answer a question of type with body. False when it could not be queued. */
bool ady_answer(const struct ady_asker *to, enum ady_wire_type type, struct ady_bytes body);

/* Answer with a fault. False when it could not be queued. */
bool ady_answer_fault(const struct ady_asker *to, const struct ady_fault *f);

#endif
