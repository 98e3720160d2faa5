/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures for modules. What the enclave gets is a request of its own with the module's signing
 * id, which no request of a module can choose. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/commit_boost.h"
#include "gateway/validating.h"

enum kind { BLS, PROXY_BLS, PROXY_ECDSA };

enum { FOLDER_MAX = 512 };

struct signing {
	struct ady_op *op;
	const struct ady_config_module *module;
	enum kind kind;
	uint8_t key[48]; /* a public key, or an address in the first 20 */
	uint8_t object_root[32];
	uint64_t nonce;
	char within[FOLDER_MAX], outside[FOLDER_MAX];
};

static size_t key_size(enum kind kind)
{
	return kind == PROXY_ECDSA ? 20 : 48;
}

static void abandon(struct ady_op *op)
{
	free(op->waiting);
}

static void on_signed(void *ctx, struct ady_bytes answer, const struct ady_fault *f)
{
	struct signing *s = ctx;
	struct ady_op *op = s->op;
	struct ady_dyn *out = &op->shard->out;

	op->validating = NULL;
	if (f) {
		ady_cb_fail(op, f);
		return;
	}
	out->n = 0;
	ady_dyn_str(out, s->kind == PROXY_ECDSA ? "{\"address\":" : "{\"pubkey\":");
	ady_cb_put_hex(out, ady_bytes(s->key, key_size(s->kind)));
	ady_dyn_str(out, ",\"object_root\":");
	ady_cb_put_hex(out, ady_bytes(s->object_root, 32));
	ady_dyn_str(out, ",\"module_signing_id\":");
	ady_cb_put_hex(out, ady_bytes(s->module->signing_id, 32));
	ady_dyn_printf(
	    out, ",\"nonce\":%llu,\"chain_id\":%llu,\"signature\":", (unsigned long long)s->nonce,
	    (unsigned long long)op->shard->gateway->config->commit_boost.chain_id);
	ady_cb_put_hex(out, answer);
	ady_dyn_str(out, "}\n");
	ady_op_answer(op);
}

/* --- requests --- */

/* Hex of so many bytes, "0x" before it or not. */
static enum ady_err read_bytes(const struct ady_json *doc, const char *name, uint8_t *out, size_t n,
                               struct ady_fault *f)
{
	uint32_t i = ady_json_get(doc, 0, name);
	struct ady_bytes raw;
	size_t got;

	if (!i)
		return ady_fail(f, ADY_E_FIELD_MISSING, name, "is required");
	raw = ady_json_raw(doc, i);
	if (raw.n > 2 && memcmp(raw.p, "0x", 2) == 0)
		raw = ady_bytes_sub(raw, 2, raw.n - 2);
	if (ady_json_kind(doc, i) != ADY_JSON_STRING || raw.n != 2 * n ||
	    ady_hex_decode(out, n, &got, raw) != ADY_OK)
		return ady_fail(f, ADY_E_FIELD_INVALID, name, "must be %zu bytes in hex", n);
	return ADY_OK;
}

/* EIP-2681: 2^64 - 1 is no nonce; Commit-Boost has it stand for "none". */
static enum ady_err read_request(struct signing *s, struct ady_fault *f)
{
	struct ady_op *op = s->op;
	struct ady_json doc;
	uint32_t nonce;
	enum ady_err err =
	    ady_json_parse(&doc, op->shard->toks, ADY_SHARD_TOKENS, op->req->body, f);

	if (err != ADY_OK)
		return err;
	if (ady_json_kind(&doc, 0) != ADY_JSON_OBJECT)
		return ady_fail(f, ADY_E_FIELD_INVALID, NULL, "the body must be a JSON object");
	err = read_bytes(&doc, s->kind == BLS ? "pubkey" : "proxy", s->key, key_size(s->kind), f);
	if (err == ADY_OK)
		err = read_bytes(&doc, "object_root", s->object_root, 32, f);
	if (err != ADY_OK)
		return err;
	nonce = ady_json_get(&doc, 0, "nonce");
	if (!nonce)
		return ady_fail(f, ADY_E_FIELD_MISSING, "nonce", "is required");
	if (ady_json_u64(&doc, nonce, &s->nonce) != ADY_OK)
		return ady_fail(f, ADY_E_FIELD_INVALID, "nonce", "must be a number below 2^64");
	return ADY_OK;
}

static void put_duty(struct ady_dyn *out, const struct signing *s)
{
	ady_dyn_str(out, "{\"type\":\"COMMITMENT\",\"commitment\":{\"object_root\":");
	ady_cb_put_hex(out, ady_bytes(s->object_root, 32));
	ady_dyn_str(out, ",\"module_signing_id\":");
	ady_cb_put_hex(out, ady_bytes(s->module->signing_id, 32));
	ady_dyn_printf(out, ",\"nonce\":\"%llu\",\"chain_id\":\"%llu\"}}",
	               (unsigned long long)s->nonce,
	               (unsigned long long)s->op->shard->gateway->config->commit_boost.chain_id);
}

/* A validator's key is none of the proxies; a proxy is one of this module's. */
static enum ady_err start(struct signing *s, struct ady_fault *f)
{
	struct ady_op *op = s->op;
	struct ady_validating_ask ask = {.caller = op->caller,
	                                 .strict = true,
	                                 .no_state = true,
	                                 .due_ms = op->due_ms,
	                                 .done = on_signed,
	                                 .ctx = s};

	if (s->kind == BLS && !ady_cb_may_use(s->module, s->key))
		return ady_fail(f, ADY_E_NOT_FOUND, "pubkey", "is no key of this module");
	if (!ady_cb_folder(s->outside, sizeof s->outside, op->shard, s->module->tenant, NULL) ||
	    !ady_cb_folder(s->within, sizeof s->within, op->shard, s->module->tenant,
	                   s->module->id))
		return ady_fail(f, ADY_E_INTERNAL, NULL, "the module's name is too long");
	if (s->kind == BLS)
		ask.outside = s->outside;
	else
		ask.within = s->within;
	ask.by_address = s->kind == PROXY_ECDSA;
	memcpy(ask.public_key, s->key, sizeof s->key);
	put_duty(&op->body, s);
	op->made = true;
	ask.request = ady_dyn_bytes(&op->body);
	return ady_validating_start(&op->validating, op->shard, &ask, f);
}

static void sign(struct ady_shard *shard, struct ady_http_request *req, enum kind kind)
{
	const struct ady_cb_module *module;
	struct ady_op *op = ady_cb_begin(shard, req, &module);
	struct ady_fault f = {0};
	struct signing *s;

	if (!op)
		return;
	s = calloc(1, sizeof *s);
	if (!s)
		ADY_BUG("out of memory");
	s->op = op;
	s->module = module->config;
	s->kind = kind;
	op->waiting = s;
	op->abandon = abandon;
	if (read_request(s, &f) != ADY_OK || start(s, &f) != ADY_OK)
		ady_cb_fail(op, &f);
}

void ady_cb_sign_bls(struct ady_shard *shard, struct ady_http_request *req)
{
	sign(shard, req, BLS);
}

void ady_cb_sign_proxy_bls(struct ady_shard *shard, struct ady_http_request *req)
{
	sign(shard, req, PROXY_BLS);
}

void ady_cb_sign_proxy_ecdsa(struct ady_shard *shard, struct ady_http_request *req)
{
	sign(shard, req, PROXY_ECDSA);
}
