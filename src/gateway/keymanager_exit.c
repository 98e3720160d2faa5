/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /eth/v1/validator/{pubkey}/voluntary_exit?epoch=N: a signed exit, which whoever asked for it
 * sends to the network. The validator's index, the fork and the network come from a beacon node;
 * the enclave makes the root of it, and signs by the key's policy. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/beacon.h"
#include "gateway/keymanager.h"
#include "gateway/validating.h"

struct leaving {
	struct ady_op *op;
	struct ady_beacon *beacon;
	uint8_t public_key[ADY_STATE_KEY];
	bool has_epoch;
	uint64_t epoch, index;
};

static void abandon(struct ady_op *op)
{
	struct leaving *l = op->waiting;

	ady_beacon_drop(l->beacon);
	free(l);
}

static void on_signed(void *ctx, struct ady_bytes answer, const struct ady_fault *f)
{
	struct leaving *l = ctx;
	struct ady_op *op = l->op;
	struct ady_dyn *out = &op->shard->out;

	op->validating = NULL;
	if (f) {
		ady_keymanager_fail(op, f); /* and l is gone */
		return;
	}
	out->n = 0;
	ady_dyn_printf(out,
	               "{\"data\":{\"message\":{\"epoch\":\"%llu\",\"validator_index\":\"%llu\"},"
	               "\"signature\":\"0x",
	               (unsigned long long)l->epoch, (unsigned long long)l->index);
	ady_dyn_hex(out, answer);
	ady_dyn_str(out, "\"}}\n");
	ady_op_answer(op);
}

static void on_beacon(void *ctx, const struct ady_beacon_answer *a, const struct ady_fault *f)
{
	struct leaving *l = ctx;
	struct ady_op *op = l->op;
	struct ady_validating_ask ask = {
	    .caller = op->caller, .due_ms = op->due_ms, .done = on_signed, .ctx = l};
	struct ady_fault why = {0};

	l->beacon = NULL;
	if (f) {
		ady_keymanager_fail(op, f);
		return;
	}
	l->index = a->index;
	if (!l->has_epoch)
		l->epoch = a->epoch;
	ady_dyn_printf(&op->body,
	               "{\"type\":\"VOLUNTARY_EXIT\",\"fork_info\":{\"fork\":{\"previous_version\":"
	               "\"%s\",\"current_version\":\"%s\",\"epoch\":\"%s\"},"
	               "\"genesis_validators_root\":\"%s\"},\"voluntary_exit\":{\"epoch\":\"%llu\","
	               "\"validator_index\":\"%llu\"}}",
	               a->previous_version, a->current_version, a->fork_epoch,
	               a->genesis_validators_root, (unsigned long long)l->epoch,
	               (unsigned long long)l->index);
	memcpy(ask.public_key, l->public_key, ADY_STATE_KEY);
	op->made = true;
	ask.request = ady_dyn_bytes(&op->body);
	ask.strict = true;
	if (ady_validating_start(&op->validating, op->shard, &ask, &why) != ADY_OK)
		ady_keymanager_fail(op, &why);
}

static bool read_epoch(struct leaving *l, struct ady_bytes query)
{
	char text[24];
	enum ady_err err = ady_http_query(text, sizeof text, query, "epoch");

	if (err == ADY_E_NOT_FOUND)
		return true;
	errno = 0;
	l->epoch = strtoull(text, NULL, 10);
	l->has_epoch =
	    err == ADY_OK && *text && strspn(text, "0123456789") == strlen(text) && errno == 0;
	return l->has_epoch;
}

/* Whose key it is, before a node is asked about it. */
static enum ady_err check(struct leaving *l, struct ady_bytes id, struct ady_fault *f)
{
	struct ady_op *op = l->op;

	if (!ady_keymanager_public_key(l->public_key, id))
		return ady_fail(f, ADY_E_FIELD_INVALID, "pubkey", "is no public key");
	if (!read_epoch(l, op->req->head.query))
		return ady_fail(f, ADY_E_FIELD_INVALID, "epoch", "is no number");
	if (!op->shard->beacon)
		return ady_fail(f, ADY_E_CONFIG, NULL,
		                "no beacon node is configured (validators.beacon): the validator's "
		                "index is not known");
	return ADY_OK;
}

void ady_keymanager_exit(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	struct ady_op *op = ady_keymanager_begin(shard, req, false);
	struct ady_beacon_ask ask = {.shard = shard, .done = on_beacon};
	struct ady_fault f = {0};
	struct leaving *l;

	if (!op)
		return;
	l = calloc(1, sizeof *l);
	if (!l)
		ADY_BUG("out of memory");
	l->op = op;
	op->waiting = l;
	op->abandon = abandon;
	if (check(l, id, &f) != ADY_OK) {
		ady_keymanager_fail(op, &f);
		return;
	}
	memcpy(ask.public_key, l->public_key, ADY_STATE_KEY);
	ask.due_ms = op->due_ms;
	ask.ctx = l;
	l->beacon = ady_beacon_start(&ask);
	if (l->beacon)
		return;
	(void)ady_fail(&f, ADY_E_BUSY, NULL, "too much is asked of the beacon node");
	ady_keymanager_fail(op, &f);
}
