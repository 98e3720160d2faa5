/* SPDX-License-Identifier: Apache-2.0
 *
 * account_new: the enclave makes a key under the data key of the tenant, the store keeps its
 * record, the answer is its address. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "chain/eth_tx.h"
#include "crypto/rng.h"
#include "gateway/caller.h"
#include "gateway/creating.h"
#include "gateway/quota_keys.h"
#include "gateway/rpc_accounts.h"
#include "gateway/shard.h"
#include "gateway/tenant_keys.h"

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* A key in the making: call->state. It outlives a call that is cancelled while the store works. */
struct making {
	struct ady_rpc_call *call; /* NULL: cancelled */
	struct ady_shard *shard;
	struct ady_creating creating;
	struct ady_store_job job;
	struct ady_entry entry;
	char id[ADY_KEY_ID_MAX + 1], tenant[ADY_TENANT_MAX + 1];
	char data_key[ADY_DATA_KEY_MAX + 1];
	const char *by; /* for the log */
	bool storing;   /* job.done is still to come */
};

static void end_making(struct making *m)
{
	struct ady_shard *shard = m->shard;

	ady_entry_clear(&m->entry);
	free(m);
	ady_shard_let(shard);
}

static void cancel(struct ady_rpc_call *call)
{
	struct making *m = call->state;

	m->call = NULL;
	if (m->storing)
		return;
	ady_creating_drop(&m->creating);
	end_making(m);
}

static void fail(struct making *m, const struct ady_fault *f)
{
	struct ady_rpc_call *call = m->call;
	const struct ady_fault why = *f; /* it may lie in m */

	end_making(m);
	if (call)
		ady_rpc_fail(call, &why);
}

/* --- the store --- */

static void store_run(struct ady_store_job *job, struct ady_records *records, size_t worker)
{
	struct making *m = OWNER(job, struct making, job);
	struct ady_entry *entry = &m->entry;

	if (ady_quota_keys_create(m->shard->gateway->quota_keys, records, worker, &entry, 1,
	                          &job->fault) == ADY_OK)
		job->fault.err = ADY_OK;
}

static void store_done(struct ady_store_job *job)
{
	struct making *m = OWNER(job, struct making, job);
	struct ady_rpc_call *call = m->call;
	char address[43];

	if (job->fault.err != ADY_OK) {
		fail(m, &job->fault);
		return;
	}
	ady_store_forget(m->shard->gateway->store, &m->entry);
	ADY_INFO("key changed", "key=%s tenant=%s what=created by=%s", m->entry.id, m->entry.tenant,
	         m->by);
	ady_eth_address_format(address, m->entry.address);
	end_making(m);
	if (!call)
		return;
	ady_dyn_printf(ady_rpc_result(call), "\"%s\"", address);
	ady_rpc_end(call);
}

/* --- the enclave --- */

static void on_created(struct ady_creating *c, const struct ady_wire_created *made,
                       const struct ady_fault *f)
{
	struct making *m = OWNER(c, struct making, creating);
	struct ady_fault why;

	if (m->call)
		ady_rpc_keep_proof(m->call, ady_bytes(NULL, 0));
	if (f) {
		fail(m, f);
		return;
	}
	if (ady_entry_read(&m->entry, m->id, made->record, &why) != ADY_OK) {
		fail(m, &why);
		return;
	}
	m->job =
	    (struct ady_store_job){.loop = m->shard->loop, .run = store_run, .done = store_done};
	m->storing = ady_store_run(m->shard->gateway->store, &m->job) == ADY_OK;
	if (m->storing)
		return;
	(void)ady_fail(&why, ADY_E_BUSY, NULL, "too much waits for the store");
	fail(m, &why);
}

/* Those who manage keys, for their own tenant, as POST /v1/keys has it. */
static bool may_create(const struct ady_caller *caller)
{
	return caller->everyone || (caller->tenant && (caller->admin || caller->manage));
}

/* A name that nobody else has chosen. */
static void choose_id(struct making *m)
{
	uint8_t random[16];
	char hex[2 * sizeof random + 1];

	ady_random(random, sizeof random);
	ady_hex_encode(hex, ady_bytes(random, sizeof random));
	snprintf(m->id, sizeof m->id, "%saccount-%s", m->shard->gateway->config->store.prefix, hex);
}

static const char *tenant_of(const struct making *m)
{
	const char *tenant = m->call->caller->tenant;

	return tenant ? tenant : ADY_TENANT_DEFAULT;
}

static void ask_enclave(struct making *m)
{
	char options[ADY_KEY_ID_MAX + 16];
	struct ady_fault f;
	enum ady_err err;

	snprintf(options, sizeof options, "{\"id\":\"%s\"}", m->id);
	m->creating.done = on_created;
	err = ady_creating_ask(&m->creating, m->shard, ADY_CURVE_SECP256K1,
	                       ady_bytes_str(tenant_of(m)), ady_bytes_str(options),
	                       ady_rpc_left_ms(m->call));
	if (err == ADY_OK)
		return;
	(void)ady_fail(&f, err, NULL, "the enclave cannot be asked now");
	fail(m, &f);
}

/* --- the tenant's data key, under which the key will be sealed --- */

static void data_key_run(struct ady_store_job *job, struct ady_records *records, size_t worker)
{
	struct making *m = OWNER(job, struct making, job);

	if (ady_records_data_key(records, worker, m->tenant, m->data_key, &job->fault) != ADY_OK)
		m->data_key[0] = '\0';
}

/* Without the store's word the enclave has a new one made: that works as well. */
static void data_key_done(struct ady_store_job *job)
{
	struct making *m = OWNER(job, struct making, job);
	uint8_t blob[ADY_WIRE_DATA_KEY_MAX];
	size_t n;

	m->storing = false;
	if (!m->call) {
		end_making(m);
		return;
	}
	if (m->data_key[0] &&
	    ady_base64_decode(blob, sizeof blob, &n, ady_bytes_str(m->data_key)) == ADY_OK)
		ady_tenant_keys_set(m->shard->gateway->tenant_keys, m->tenant, ady_bytes(blob, n));
	m->job = (struct ady_store_job){0};
	ask_enclave(m);
}

static bool is_remembered(const struct making *m)
{
	uint8_t space[ADY_WIRE_DATA_KEY_MAX];
	struct ady_buf blob = ady_buf(space, sizeof space);

	ady_tenant_keys_get(m->shard->gateway->tenant_keys, m->tenant, &blob);
	return blob.n > 0;
}

static void start(struct making *m)
{
	struct ady_fault f;

	if (!may_create(m->call->caller)) {
		(void)ady_fail(&f, ADY_E_DENIED, NULL, "this caller makes no keys");
		fail(m, &f);
		return;
	}
	choose_id(m);
	m->by = m->call->caller->everyone ? "anyone" : tenant_of(m);
	snprintf(m->tenant, sizeof m->tenant, "%s", tenant_of(m));
	m->job = (struct ady_store_job){
	    .loop = m->shard->loop, .run = data_key_run, .done = data_key_done};
	m->storing =
	    !is_remembered(m) && ady_store_run(m->shard->gateway->store, &m->job) == ADY_OK;
	if (!m->storing)
		ask_enclave(m);
}

void ady_rpc_account_new(struct ady_rpc_call *call)
{
	struct making *m = calloc(1, sizeof *m);

	if (!m)
		ADY_BUG("out of memory");
	call->denied = "request denied";
	m->call = call;
	m->shard = call->shard;
	ady_shard_hold(m->shard);
	call->state = m;
	call->cancel = cancel;
	start(m);
}
