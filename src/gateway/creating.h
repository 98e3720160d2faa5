/* SPDX-License-Identifier: Apache-2.0
 *
 * A new key: the enclave makes it and gives back its record, which is the caller's to store. Thread
 * rule: the shard's thread. */
#ifndef ADY_GATEWAY_CREATING_H
#define ADY_GATEWAY_CREATING_H

#include "gateway/link.h"
#include "signer/record.h"

struct ady_shard;

/* A key that is being made, inside a structure of the caller. */
struct ady_creating {
	struct ady_call call;
	struct ady_shard *shard;
	char tenant[ADY_WIRE_TENANT_MAX + 1];
	bool reused;          /* a data key that was known was sent along */
	enum ady_curve curve; /* of a batch */
	uint8_t type;         /* of the question: CREATE, IMPORT or CREATE_BATCH */
	/* An import is for the enclave whose key it was sealed to, which nothing says: it is asked
	 * of one after the other. */
	struct ady_dyn import;
	size_t tried;
	int64_t due_ms;
	/* The answer, valid during the call, when f is NULL; else why there is none. */
	void (*done)(struct ady_creating *c, const struct ady_wire_created *m,
	             const struct ady_fault *f);
	/* The same of a batch. */
	void (*batched)(struct ady_creating *c, const struct ady_wire_batched *m,
	                const struct ady_fault *f);
};

/* Ask. c->done is set. options: a JSON object, {"id": "..", ..}, as the client sent it
 * (signer/record.h, ady_record_begin): the enclave reads it. The tenant's data key is the gateway's
 * to remember (gateway/tenant_keys.h).
 * Returns: ADY_E_FIELD_INVALID for a tenant that is too long; what ady_link_ask returns; then done
 * is not called. A call is let go of by ady_creating_drop. */
enum ady_err ady_creating_ask(struct ady_creating *c, struct ady_shard *shard, enum ady_curve curve,
                              struct ady_bytes tenant, struct ady_bytes options,
                              uint32_t deadline_ms);

/* Let go of what is under way; harmless otherwise. */
void ady_creating_drop(struct ady_creating *c);

/* Ask to take a key in; m is complete but for the data key. As ady_creating_ask. */
enum ady_err ady_creating_import(struct ady_creating *c, struct ady_shard *shard,
                                 struct ady_wire_import *m, uint32_t deadline_ms);

/* Ask for many keys; m is complete but for the data key, and c->batched is set. As
 * ady_creating_ask. */
enum ady_err ady_creating_batch(struct ady_creating *c, struct ady_shard *shard,
                                struct ady_wire_batch *m, uint32_t deadline_ms);

#endif
