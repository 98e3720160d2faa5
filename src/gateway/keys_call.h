/* SPDX-License-Identifier: Apache-2.0
 *
 * One request about keys, between the loop (keys.c), which reads and answers it, and a thread of
 * the store (keys_work.c), which does it. Internal to them. */
#ifndef ADY_GATEWAY_KEYS_CALL_H
#define ADY_GATEWAY_KEYS_CALL_H

#include "gateway/op.h"

enum ady_keys_verb {
	ADY_KEYS_LIST,
	ADY_KEYS_SHOW,
	ADY_KEYS_CHANGE,
	ADY_KEYS_PUT,
	ADY_KEYS_PUT_MANY, /* records, one on each line */
	ADY_KEYS_DATA_KEY, /* of tenant, to out */
	ADY_KEYS_RECORD,   /* its text to out, its revision to revision */
	ADY_KEYS_REPLACE,  /* by record, if it still has that revision */
	ADY_KEYS_WALLET,   /* the record of a wallet that the caller may use now, to out */
};

struct ady_keys_call {
	struct ady_store_job job;
	struct ady_shard *shard;
	struct ady_op *op; /* NULL once answered */
	enum ady_keys_verb verb;
	const char *what; /* for the log: "disabled", .. */
	struct ady_caller caller;
	const char *prefix; /* of ids in the store; requests and answers are without it */
	char id[ADY_KEY_ID_MAX + 1];
	char revision[40]; /* of If-Match; "": none */
	struct ady_records_query query;
	char after[ADY_KEY_ID_MAX + 1], tenant[ADY_TENANT_MAX + 1], label[ADY_LABEL_MAX + 1];
	char curve[16], under[ADY_KEY_ID_MAX + 1];
	uint8_t address[20], public_key[ADY_PUBLIC_KEY_MAX];
	struct ady_records_change change;
	struct ady_dyn record; /* of ADY_KEYS_PUT and ADY_KEYS_PUT_MANY */
	struct ady_dyn out;    /* the answer's body */
	struct ady_dyn note;   /* of whoever has set then */
	/* NULL: out is the answer, or the fault. Else on the loop, while op still waits. */
	void (*then)(struct ady_op *op, struct ady_keys_call *call);
};

/* A call for op, all else zero. Out of memory ends the program. */
struct ady_keys_call *ady_keys_call_new(struct ady_op *op, enum ady_keys_verb verb);

/* A call about the key of an id as it stands in the path; NULL: it was refused. In keys.c. */
struct ady_keys_call *ady_keys_begin_one(struct ady_shard *shard, struct ady_http_request *req,
                                         struct ady_bytes id, enum ady_keys_verb verb);

/* Whether every parameter of a query is one of names (ended by NULL) and there once. */
bool ady_keys_query_known(struct ady_bytes query, const char *const *names);

/* A parameter's value, to out; false: there is none. *ok becomes false when it does not fit. */
bool ady_keys_query_text(struct ady_bytes query, const char *name, char *out, size_t cap, bool *ok);

/* A decimal number of low to high. */
bool ady_keys_query_number(const char *text, int64_t low, int64_t high, int64_t *out);

/* Which keys a list is of, to call->query. Returns NULL, or the name of the parameter that is
 * wrong. All four in keys_query.c. */
const char *ady_keys_query_list(struct ady_keys_call *call, struct ady_bytes query);

/* Free a call that was not submitted. */
void ady_keys_call_free(struct ady_keys_call *call);

/* Hand it to the store. It answers its op, then or at once, and is freed. */
void ady_keys_call_submit(struct ady_keys_call *call);

/* Do what is asked, on a thread of the store; blocks. call->job.fault tells the outcome. */
void ady_keys_work(struct ady_store_job *job, struct ady_records *records, size_t worker);

/* The record of a key that is to be backed up has come: ask the enclave, and answer. In
 * keys_backup.c. */
void ady_keys_on_backup(struct ady_op *op, struct ady_keys_call *call);

/* Append an entry as JSON, its id without the prefix. whole: with what only the record's text says
 * (wrapping, allow, chains). */
void ady_keys_put(struct ady_dyn *out, const struct ady_entry *e, size_t prefix_n, bool whole);

#endif
