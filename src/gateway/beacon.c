/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/beacon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum {
	CONNECTIONS_MAX = 4,
	WAITING_MAX = 256,
	REPLY_MAX = 1024 * 1024,
	CONNECT_MS = 3000,
	IDLE_MS = 30000,
	TARGET_MAX = ADY_URL_TARGET_MAX + 256,
	TOKENS = 2048,
};

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

enum step { VALIDATOR, GENESIS, FORK, SPEC, STEPS };

static const char *const paths[STEPS] = {
    "/eth/v1/beacon/states/head/validators/0x", /* and the public key */
    "/eth/v1/beacon/genesis",
    "/eth/v1/beacon/states/head/fork",
    "/eth/v1/config/spec",
};

struct ady_beacon {
	struct ady_beacon_ask ask;
	struct ady_http_exchange exchange;
	enum step step;
	uint64_t genesis_time;
	struct ady_beacon_answer answer;
	struct ady_json_tok toks[TOKENS];
};

void ady_beacon_drop(struct ady_beacon *b)
{
	if (!b)
		return;
	ady_http_forget(&b->exchange);
	free(b);
}

static void finish(struct ady_beacon *b, const struct ady_fault *f)
{
	const struct ady_beacon_ask ask = b->ask;
	const struct ady_beacon_answer answer = b->answer;
	struct ady_fault fault = f ? *f : (struct ady_fault){0};

	ady_beacon_drop(b);
	ask.done(ask.ctx, f ? NULL : &answer, f ? &fault : NULL);
}

static void fail(struct ady_beacon *b, enum ady_err err, const char *why)
{
	struct ady_fault f;

	(void)ady_fail(&f, err, "beacon", "%s", why);
	finish(b, &f);
}

/* --- replies --- */

static bool text_of(const struct ady_json *doc, uint32_t at, const char *name, char *out,
                    size_t cap)
{
	uint32_t i = at ? ady_json_get(doc, at, name) : 0;
	size_t n;

	return i && ady_json_string(doc, i, out, cap, &n) == ADY_OK && strlen(out) == n;
}

static bool number_of(const struct ady_json *doc, uint32_t at, const char *name, uint64_t *out)
{
	char text[21];
	size_t n;

	if (!text_of(doc, at, name, text, sizeof text))
		return false;
	n = strlen(text);
	*out = strtoull(text, NULL, 10);
	return n > 0 && n < 20 && strspn(text, "0123456789") == n;
}

/* "0x" and so many bytes: what comes from a node goes into a request as it stands. */
static bool hex_of(const struct ady_json *doc, uint32_t at, const char *name, char *out,
                   size_t bytes)
{
	return text_of(doc, at, name, out, 2 * bytes + 3) && strlen(out) == 2 * bytes + 2 &&
	       memcmp(out, "0x", 2) == 0 && strspn(out + 2, "0123456789abcdefABCDEF") == 2 * bytes;
}

static bool read_epoch_of_now(struct ady_beacon *b, const struct ady_json *doc, uint32_t data)
{
	uint64_t seconds, slots, now = (uint64_t)(ady_wall_ms() / 1000);

	if (!number_of(doc, data, "SECONDS_PER_SLOT", &seconds) ||
	    !number_of(doc, data, "SLOTS_PER_EPOCH", &slots) || seconds == 0 || slots == 0)
		return false;
	b->answer.epoch = now > b->genesis_time ? (now - b->genesis_time) / seconds / slots : 0;
	return true;
}

static bool read_fork(struct ady_beacon_answer *a, const struct ady_json *doc, uint32_t data)
{
	uint64_t epoch;
	bool ok = hex_of(doc, data, "previous_version", a->previous_version, 4) &&
	          hex_of(doc, data, "current_version", a->current_version, 4) &&
	          number_of(doc, data, "epoch", &epoch);

	if (ok)
		snprintf(a->fork_epoch, sizeof a->fork_epoch, "%llu", (unsigned long long)epoch);
	return ok;
}

static bool read_reply(struct ady_beacon *b, struct ady_bytes body)
{
	struct ady_beacon_answer *a = &b->answer;
	struct ady_json doc;
	uint32_t data;

	if (ady_json_parse(&doc, b->toks, TOKENS, body, NULL) != ADY_OK)
		return false;
	data = ady_json_get(&doc, 0, "data");
	switch (b->step) {
	case VALIDATOR:
		return number_of(&doc, data, "index", &a->index);
	case GENESIS:
		return hex_of(&doc, data, "genesis_validators_root", a->genesis_validators_root,
		              32) &&
		       number_of(&doc, data, "genesis_time", &b->genesis_time);
	case FORK:
		return read_fork(a, &doc, data);
	case SPEC:
	case STEPS:
		break;
	}
	return read_epoch_of_now(b, &doc, data);
}

/* --- questions --- */

static enum ady_err ask(struct ady_beacon *b);

static void on_done(struct ady_http_exchange *x, const struct ady_http_head *head,
                    struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_beacon *b = OWNER(x, struct ady_beacon, exchange);

	if (!head)
		fail(b, f->err == ADY_E_DEADLINE ? ADY_E_DEADLINE : ADY_E_IO, f->detail);
	else if (head->status == 404 && b->step == VALIDATOR)
		fail(b, ADY_E_NOT_FOUND, "the chain has no such validator");
	else if (head->status != 200)
		fail(b, ADY_E_IO, "the beacon node refused to answer");
	else if (!read_reply(b, body))
		fail(b, ADY_E_IO, "the beacon node's answer is malformed");
	else if (++b->step == STEPS)
		finish(b, NULL);
	else if (ask(b) != ADY_OK)
		fail(b, ADY_E_BUSY, "too much is asked of the beacon node");
}

static enum ady_err ask(struct ady_beacon *b)
{
	const struct ady_url *url = &b->ask.shard->gateway->config->validators.beacon;
	size_t n = strlen(url->target);
	char target[TARGET_MAX], hex[2 * ADY_STATE_KEY + 1];

	while (n > 0 && url->target[n - 1] == '/')
		n--;
	memcpy(target, url->target, n);
	ady_hex_encode(hex, ady_bytes(b->ask.public_key, ADY_STATE_KEY));
	snprintf(target + n, sizeof target - n, "%s%s", paths[b->step],
	         b->step == VALIDATOR ? hex : "");
	b->exchange.done = on_done;
	return ady_http_get(b->ask.shard->beacon, &b->exchange, target, b->ask.due_ms);
}

struct ady_beacon *ady_beacon_start(const struct ady_beacon_ask *a)
{
	struct ady_beacon *b = calloc(1, sizeof *b);

	if (!b)
		ADY_BUG("out of memory");
	b->ask = *a;
	if (ask(b) == ADY_OK)
		return b;
	free(b);
	return NULL;
}

struct ady_http_client *ady_beacon_client(struct ady_shard *shard, struct ady_fault *f)
{
	const struct ady_config_validators *v = &shard->gateway->config->validators;
	struct ady_http_client_config c = {.loop = shard->loop,
	                                   .pool = shard->gateway->lookups,
	                                   .url = &v->beacon,
	                                   .connections_max = CONNECTIONS_MAX,
	                                   .waiting_max = WAITING_MAX,
	                                   .reply_max = REPLY_MAX,
	                                   .connect_ms = CONNECT_MS,
	                                   .idle_ms = IDLE_MS};
	struct ady_http_client *client;
	struct ady_dyn fields = {0};

	if (v->beacon.tls && ady_tls_client(&c.tls, v->beacon_ca_file, f) != ADY_OK)
		return NULL;
	if (v->beacon_authorization) {
		ady_dyn_printf(&fields, "Authorization: %s\r\n", v->beacon_authorization);
		c.fields = ady_dyn_cstr(&fields);
	}
	client = ady_http_client_open(&c);
	ady_dyn_free(&fields);
	SSL_CTX_free(c.tls);
	return client;
}
