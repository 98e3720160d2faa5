/* SPDX-License-Identifier: Apache-2.0
 *
 * Fee recipient, gas limit and graffiti of a validator: kept for those who ask for them, because a
 * signer makes no blocks. Each is read, changed and written by compare-and-set on its row; a row
 * that somebody else changed meanwhile is read again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/keymanager.h"

enum { AGAIN_MAX = 256 };

enum setting { FEE, GAS, GRAFFITI };

static const char *const names[] = {
    [FEE] = "fee_recipient", [GAS] = "gas_limit", [GRAFFITI] = "graffiti"};

/* One request. op NULL: nobody waits for it any more. */
struct call {
	struct ady_state_call state; /* first */
	struct ady_store_wait fetch;
	struct ady_shard *shard;
	struct ady_op *op;
	enum setting which;
	enum { SHOW, SET, FORGET } verb;
	unsigned again;
	uint8_t public_key[ADY_STATE_KEY];
	struct ady_settings wanted; /* the one that is set */
};

static void abandon(struct ady_op *op)
{
	((struct call *)op->waiting)->op = NULL;
}

/* Nothing may be still to come back to it. */
static void end(struct call *c)
{
	ady_shard_let(c->shard);
	free(c);
}

/* Take the op out; NULL: nobody waits. */
static struct ady_op *take_op(struct call *c)
{
	struct ady_op *op = c->op;

	if (op)
		op->abandon = NULL;
	return op;
}

static void fail(struct call *c, const struct ady_fault *f)
{
	struct ady_op *op = take_op(c);

	if (op)
		ady_keymanager_fail(op, f);
	end(c);
}

/* --- the three of them --- */

static void apply(struct ady_settings *s, const struct call *c)
{
	bool set = c->verb == SET;

	if (c->which == FEE) {
		s->has_fee = set;
		memcpy(s->fee_recipient, c->wanted.fee_recipient, sizeof s->fee_recipient);
	} else if (c->which == GAS) {
		s->has_gas = set;
		s->gas_limit = c->wanted.gas_limit;
	} else {
		s->has_graffiti = set;
		memcpy(s->graffiti, c->wanted.graffiti, sizeof s->graffiti);
	}
}

static enum ady_err read_fee(struct call *c, const struct ady_json *doc, struct ady_fault *f)
{
	uint32_t i = ady_json_get(doc, 0, "ethaddress");
	struct ady_bytes raw = i ? ady_json_raw(doc, i) : (struct ady_bytes){0};
	static const uint8_t zero[20];
	size_t n;

	if (!i || ady_json_kind(doc, i) != ADY_JSON_STRING || raw.n != 42 ||
	    memcmp(raw.p, "0x", 2) != 0 ||
	    ady_hex_decode(c->wanted.fee_recipient, 20, &n, ady_bytes_sub(raw, 2, 40)) != ADY_OK)
		return ady_fail(f, ADY_E_FIELD_INVALID, "ethaddress", "is no address");
	if (memcmp(c->wanted.fee_recipient, zero, 20) == 0)
		return ady_fail(f, ADY_E_FIELD_INVALID, "ethaddress",
		                "is zero: fees would be burnt");
	return ADY_OK;
}

static enum ady_err read_gas(struct call *c, const struct ady_json *doc, struct ady_fault *f)
{
	uint32_t i = ady_json_get(doc, 0, "gas_limit");
	char text[24], *end = text;
	size_t n = 0;

	errno = 0;
	if (i && ady_json_string(doc, i, text, sizeof text, &n) == ADY_OK && n > 0 &&
	    strspn(text, "0123456789") == n)
		c->wanted.gas_limit = strtoull(text, &end, 10);
	if (end != text + n || n == 0 || errno)
		return ady_fail(f, ADY_E_FIELD_INVALID, "gas_limit",
		                "is no decimal number as text");
	return ADY_OK;
}

static enum ady_err read_graffiti(struct call *c, const struct ady_json *doc, struct ady_fault *f)
{
	uint32_t i = ady_json_get(doc, 0, "graffiti");
	size_t n = 0;

	if (!i ||
	    ady_json_string(doc, i, c->wanted.graffiti, sizeof c->wanted.graffiti, &n) != ADY_OK ||
	    strlen(c->wanted.graffiti) != n)
		return ady_fail(f, ADY_E_FIELD_INVALID, "graffiti",
		                "is no text of at most 32 bytes");
	return ADY_OK;
}

static enum ady_err read_body(struct call *c, struct ady_fault *f)
{
	static enum ady_err (*const readers[])(struct call *, const struct ady_json *,
	                                       struct ady_fault *) = {
	    [FEE] = read_fee, [GAS] = read_gas, [GRAFFITI] = read_graffiti};
	struct ady_json doc;
	enum ady_err err =
	    ady_json_parse(&doc, c->shard->toks, ADY_SHARD_TOKENS, c->op->req->body, f);

	if (err != ADY_OK)
		return err;
	if (ady_json_kind(&doc, 0) != ADY_JSON_OBJECT)
		return ady_fail(f, ADY_E_FIELD_INVALID, NULL, "the body must be a JSON object");
	return readers[c->which](c, &doc, f);
}

/* What is set, else the configuration's. False: neither. */
static bool put_value(struct ady_dyn *out, const struct call *c, const struct ady_settings *s)
{
	const struct ady_config_keymanager *usual = &c->shard->gateway->config->keymanager;
	char hex[41];

	switch (c->which) {
	case FEE:
		ady_hex_encode(hex,
		               ady_bytes(s->has_fee ? s->fee_recipient : usual->fee_recipient, 20));
		ady_dyn_printf(out, "\"ethaddress\":\"0x%s\"", hex);
		return s->has_fee || usual->has_fee;
	case GAS:
		ady_dyn_printf(out, "\"gas_limit\":\"%llu\"",
		               (unsigned long long)(s->has_gas ? s->gas_limit : usual->gas_limit));
		return s->has_gas || usual->has_gas;
	case GRAFFITI:
		break;
	}
	ady_dyn_str(out, "\"graffiti\":");
	ady_answer_string(out, s->has_graffiti   ? s->graffiti
	                       : usual->graffiti ? usual->graffiti
	                                         : "");
	return s->has_graffiti || usual->graffiti;
}

static void show(struct call *c, const struct ady_settings *s)
{
	struct ady_dyn *out = &c->shard->out;
	struct ady_op *op;
	struct ady_fault f;

	out->n = 0;
	ady_dyn_str(out, "{\"data\":{\"pubkey\":");
	ady_keymanager_put_key(out, c->public_key);
	ady_dyn_str(out, ",");
	if (!put_value(out, c, s)) {
		(void)ady_fail(&f, ADY_E_NOT_FOUND, names[c->which],
		               "is not set, and the configuration has none");
		fail(c, &f);
		return;
	}
	ady_dyn_str(out, "}}\n");
	if ((op = take_op(c)))
		ady_op_answer(op);
	end(c);
}

/* --- the row --- */

static void on_state(struct ady_state_call *state);

/* Read the row, or write it over version. */
static void do_row(struct call *c, uint64_t version, const struct ady_state_row *row)
{
	struct ady_shard *shard = c->shard;

	c->state = (struct ady_state_call){.loop = shard->loop, .done = on_state};
	ady_settings_key(c->state.w.public_key, c->public_key);
	c->state.w.version = version;
	if (row)
		c->state.w.row = *row;
	ady_states_do(shard->gateway->states, &c->state);
}

static void done(struct call *c)
{
	struct ady_op *op = take_op(c);

	if (op)
		ady_op_answer_with(op, c->verb == SET ? 202 : 204, "", (struct ady_bytes){0});
	end(c);
}

static void on_state(struct ady_state_call *state)
{
	struct call *c = (struct call *)state;
	struct ady_state_row row;
	struct ady_settings s;
	struct ady_fault f;

	if (state->err != ADY_OK) {
		fail(c, &state->fault);
		return;
	}
	if (state->w.written) {
		done(c);
		return;
	}
	ady_settings_read(&s, &state->w.row);
	if (c->verb == SHOW) {
		show(c, &s);
	} else if (c->verb == FORGET && s.version == 0) {
		done(c);
	} else if (++c->again > AGAIN_MAX) {
		(void)ady_fail(&f, ADY_E_BUSY, NULL, "the settings change too fast");
		fail(c, &f);
	} else {
		apply(&s, c);
		ady_settings_write(&row, &s);
		do_row(c, s.version, &row);
	}
}

/* --- the key --- */

static void take_record(struct call *c, struct ady_stored *record)
{
	bool seen = ady_caller_may_use(&c->op->caller, record->tenant);
	struct ady_fault f;

	ady_stored_unref(record);
	if (seen) {
		do_row(c, 0, NULL);
		return;
	}
	(void)ady_fail(&f, ADY_E_NOT_FOUND, "pubkey", "is not that of a key here");
	fail(c, &f);
}

static void on_fetched(struct ady_store_wait *w)
{
	struct call *c = (struct call *)((char *)w - offsetof(struct call, fetch));

	if (!c->op) {
		ady_stored_unref(w->record);
		end(c);
	} else if (w->record) {
		take_record(c, w->record);
	} else {
		fail(c, &w->fault);
	}
}

static void find_key(struct call *c)
{
	struct ady_stored *record;
	enum ady_err err;

	c->fetch.loop = c->shard->loop;
	c->fetch.done = on_fetched;
	err = ady_store_find_public_key(c->shard->gateway->store,
	                                ady_bytes(c->public_key, ADY_STATE_KEY),
	                                c->op->caller.tenant, 0, &record, &c->fetch);
	if (err == ADY_OK)
		take_record(c, record);
	else if (err != ADY_E_AGAIN)
		fail(c, &c->fetch.fault);
}

static void begin(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id,
                  enum setting which)
{
	struct ady_op *op = ady_keymanager_begin(shard, req, false);
	struct ady_fault f = {0};
	struct call *c;

	if (!op)
		return;
	c = calloc(1, sizeof *c);
	if (!c)
		ADY_BUG("out of memory");
	c->shard = shard;
	c->op = op;
	c->which = which;
	c->verb = ady_bytes_is(req->head.method, "POST")     ? SET
	          : ady_bytes_is(req->head.method, "DELETE") ? FORGET
	                                                     : SHOW;
	op->waiting = c;
	op->abandon = abandon;
	ady_shard_hold(shard);
	if (!ady_keymanager_public_key(c->public_key, id)) {
		(void)ady_fail(&f, ADY_E_FIELD_INVALID, "pubkey", "is no public key");
		fail(c, &f);
	} else if (c->verb == SET && read_body(c, &f) != ADY_OK) {
		fail(c, &f);
	} else {
		find_key(c);
	}
}

void ady_keymanager_fee_recipient(struct ady_shard *shard, struct ady_http_request *req,
                                  struct ady_bytes id)
{
	begin(shard, req, id, FEE);
}

void ady_keymanager_gas_limit(struct ady_shard *shard, struct ady_http_request *req,
                              struct ady_bytes id)
{
	begin(shard, req, id, GAS);
}

void ady_keymanager_graffiti(struct ady_shard *shard, struct ady_http_request *req,
                             struct ady_bytes id)
{
	begin(shard, req, id, GRAFFITI);
}
