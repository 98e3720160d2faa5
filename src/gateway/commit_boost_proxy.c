/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /signer/v1/generate_proxy_key: the enclave makes a key that can sign commitments and nothing
 * else, the validator's key signs the delegation to it, and only then is its record stored. A
 * delegation that is refused leaves nothing behind. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/rng.h"
#include "gateway/answer.h"
#include "gateway/commit_boost.h"
#include "gateway/quota_keys.h"
#include "gateway/validating.h"

enum { FOLDER_MAX = 256, SIGNATURE = 96 };

struct proxy {
	struct ady_store_job job; /* first */
	struct ady_shard *shard;
	struct ady_op *op; /* NULL: nobody waits any more */
	bool storing, ecdsa;
	const struct ady_config_module *module;
	uint8_t validator[48], name[48]; /* name: a public key, or an address in the first 20 */
	uint8_t signature[SIGNATURE];
	char id[ADY_KEY_ID_MAX + 1], outside[FOLDER_MAX];
	struct ady_entry entry;
};

static void end(struct proxy *p)
{
	struct ady_shard *shard = p->shard;

	ady_entry_clear(&p->entry);
	free(p);
	ady_shard_let(shard);
}

static void abandon(struct ady_op *op)
{
	struct proxy *p = op->waiting;

	p->op = NULL;
	if (!p->storing)
		end(p);
}

static struct ady_bytes name_of(const struct proxy *p)
{
	return ady_bytes(p->name, p->ecdsa ? 20 : 48);
}

/* --- 3. the record --- */

static void run_store(struct ady_store_job *job, struct ady_records *records, size_t worker)
{
	struct proxy *p = (struct proxy *)job;
	struct ady_entry *e = &p->entry;

	if (ady_quota_keys_create(p->shard->gateway->quota_keys, records, worker, &e, 1,
	                          &job->fault) != ADY_OK)
		return;
	ady_store_forget(job->store, e);
	ADY_INFO("key changed", "key=%s tenant=%s what=created by=commit-boost", e->id, e->tenant);
}

static void answer(struct proxy *p)
{
	struct ady_op *op = p->op;
	struct ady_dyn *out = &p->shard->out;

	out->n = 0;
	ady_dyn_str(out, "{\"message\":{\"delegator\":");
	ady_cb_put_hex(out, ady_bytes(p->validator, sizeof p->validator));
	ady_dyn_str(out, ",\"proxy\":");
	ady_cb_put_hex(out, name_of(p));
	ady_dyn_str(out, "},\"signature\":");
	ady_cb_put_hex(out, ady_bytes(p->signature, sizeof p->signature));
	ady_dyn_str(out, "}\n");
	op->abandon = NULL;
	ady_op_answer(op);
}

static void on_stored(struct ady_store_job *job)
{
	struct proxy *p = (struct proxy *)job;

	if (p->op && job->fault.err == ADY_OK) {
		answer(p);
	} else if (p->op) {
		p->op->abandon = NULL;
		ady_cb_fail(p->op, &job->fault);
	}
	end(p);
}

/* --- 2. the delegation --- */

static void on_signed(void *ctx, struct ady_bytes signature, const struct ady_fault *f)
{
	struct proxy *p = ctx;
	struct ady_shard *shard = p->shard;
	struct ady_fault why = f ? *f : (struct ady_fault){0};

	p->op->validating = NULL;
	ady_op_keep_proof(p->op);
	if (!f && signature.n == SIGNATURE) {
		memcpy(p->signature, signature.p, SIGNATURE);
		p->job = (struct ady_store_job){
		    .loop = shard->loop, .run = run_store, .done = on_stored};
		p->storing = true;
		if (ady_store_run(shard->gateway->store, &p->job) == ADY_OK)
			return;
		p->storing = false;
		(void)ady_fail(&why, ADY_E_BUSY, NULL, "too much is asked of the store");
	}
	ady_cb_fail(p->op, &why);
}

static enum ady_err delegate(struct proxy *p, struct ady_fault *f)
{
	struct ady_op *op = p->op;
	struct ady_validating_ask ask = {.caller = op->caller,
	                                 .outside = p->outside,
	                                 .strict = true,
	                                 .no_state = true,
	                                 .due_ms = op->due_ms,
	                                 .done = on_signed,
	                                 .ctx = p};

	memcpy(ask.public_key, p->validator, sizeof p->validator);
	op->body.n = 0;
	ady_dyn_str(&op->body,
	            "{\"type\":\"PROXY_DELEGATION\",\"proxy_delegation\":{\"delegator\":");
	ady_cb_put_hex(&op->body, ady_bytes(p->validator, sizeof p->validator));
	ady_dyn_str(&op->body, ",\"proxy\":");
	ady_cb_put_hex(&op->body, name_of(p));
	ady_dyn_str(&op->body, "}}");
	op->made = true;
	ask.request = ady_dyn_bytes(&op->body);
	return ady_validating_start(&op->validating, p->shard, &ask, f);
}

/* --- 1. the key --- */

static void on_created(struct ady_creating *c, const struct ady_wire_created *m,
                       const struct ady_fault *f)
{
	struct ady_op *op = (struct ady_op *)((char *)c - offsetof(struct ady_op, creating));
	struct proxy *p = op->waiting;
	struct ady_fault why = f ? *f : (struct ady_fault){0};
	struct ady_bytes name;

	if (!f) {
		name = p->ecdsa ? m->address : m->public_key;
		if (name.n != name_of(p).n)
			(void)ady_fail(&why, ADY_E_PROTOCOL, NULL,
			               "the answer of the enclave is malformed");
		else
			memcpy(p->name, name.p, name.n);
	}
	ady_op_keep_proof(op);
	if (why.err == ADY_OK)
		(void)ady_entry_read(&p->entry, p->id, m->record, &why);
	if (why.err == ADY_OK && delegate(p, &why) == ADY_OK)
		return;
	ady_cb_fail(op, &why);
}

/* It signs commitments, and no rule allows anything else. */
static enum ady_err create(struct proxy *p, struct ady_fault *f)
{
	static const char rest[] =
	    ",\"allow\":[\"commitment\"],\"policy\":{\"policy\":1,\"rules\":[{\"name\":"
	    "\"commitments\","
	    "\"effect\":\"allow\",\"when\":{\"kind\":\"duty\",\"duty\":[\"COMMITMENT\"]}}]}}";
	struct ady_op *op = p->op;
	struct ady_dyn options = {0};
	enum ady_err err;

	ady_dyn_str(&options, "{\"id\":");
	ady_answer_string(&options, p->id);
	ady_dyn_str(&options, rest);
	op->creating.done = on_created;
	err = ady_creating_ask(
	    &op->creating, p->shard, p->ecdsa ? ADY_CURVE_SECP256K1 : ADY_CURVE_BLS12_381,
	    ady_bytes_str(p->module->tenant), ady_dyn_bytes(&options), ady_op_left_ms(op));
	ady_dyn_free(&options);
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, NULL, "%s", ady_err_text(err));
}

static enum ady_err read_request(struct proxy *p, struct ady_fault *f)
{
	struct ady_op *op = p->op;
	struct ady_json doc;
	struct ady_bytes raw;
	uint32_t key, scheme;
	size_t n;
	enum ady_err err = ady_json_parse(&doc, p->shard->toks, ADY_SHARD_TOKENS, op->req->body, f);

	if (err != ADY_OK)
		return err;
	key = ady_json_get(&doc, 0, "pubkey");
	scheme = ady_json_get(&doc, 0, "scheme");
	raw = key ? ady_json_raw(&doc, key) : (struct ady_bytes){0};
	if (raw.n == 98 && memcmp(raw.p, "0x", 2) == 0)
		raw = ady_bytes_sub(raw, 2, 96);
	if (!key || ady_json_kind(&doc, key) != ADY_JSON_STRING || raw.n != 96 ||
	    ady_hex_decode(p->validator, 48, &n, raw) != ADY_OK)
		return ady_fail(f, ADY_E_FIELD_INVALID, "pubkey", "must be 48 bytes in hex");
	p->ecdsa = scheme && ady_json_is(&doc, scheme, "ecdsa");
	if (!p->ecdsa && !(scheme && ady_json_is(&doc, scheme, "bls")))
		return ady_fail(f, ADY_E_FIELD_INVALID, "scheme", "must be bls or ecdsa");
	if (!ady_cb_may_use(p->module, p->validator))
		return ady_fail(f, ADY_E_NOT_FOUND, "pubkey", "is no key of this module");
	return ADY_OK;
}

/* A name that no other key has. */
static enum ady_err name_it(struct proxy *p, struct ady_fault *f)
{
	char folder[FOLDER_MAX], hex[97];
	uint8_t random[6];

	ady_random(random, sizeof random);
	ady_hex_encode(hex, ady_bytes(p->validator, sizeof p->validator));
	if (!ady_cb_folder(folder, sizeof folder, p->shard, p->module->tenant, p->module->id) ||
	    !ady_cb_folder(p->outside, sizeof p->outside, p->shard, p->module->tenant, NULL))
		return ady_fail(f, ADY_E_INTERNAL, NULL, "the module's name is too long");
	snprintf(p->id, sizeof p->id, "%s%s/%s/%02x%02x%02x%02x%02x%02x", folder, hex,
	         p->ecdsa ? "ecdsa" : "bls", random[0], random[1], random[2], random[3], random[4],
	         random[5]);
	return ADY_OK;
}

void ady_cb_generate_proxy(struct ady_shard *shard, struct ady_http_request *req)
{
	const struct ady_cb_module *module;
	struct ady_op *op = ady_cb_begin(shard, req, &module);
	struct ady_fault f = {0};
	struct proxy *p;

	if (!op)
		return;
	p = calloc(1, sizeof *p);
	if (!p)
		ADY_BUG("out of memory");
	p->shard = shard;
	p->op = op;
	p->module = module->config;
	op->waiting = p;
	op->abandon = abandon;
	ady_shard_hold(shard);
	if (read_request(p, &f) != ADY_OK || name_it(p, &f) != ADY_OK || create(p, &f) != ADY_OK)
		ady_cb_fail(op, &f);
}
