/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/signing.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "chain/eth_tx.h"
#include "gateway/shard.h"

enum { REFETCH_GAP_MS = 1000, TURN_MS = 1 };

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct ady_signing {
	struct ady_shard *shard;
	struct ady_signing_ask ask; /* done NULL: nobody waits any more */
	int64_t stage_us;           /* when the present stage began */
	struct ady_call call;
	struct ady_fair_wait turn; /* waiting: for room in the enclave */
	struct ady_store_wait fetch;
	bool fetching; /* fetch.done is still to come */
	bool record_retried, credentials_retried, enclave_retried;
	uint64_t credentials; /* the version that was in force when it was sent */
	uint64_t attempts;    /* parked: the refresh that it waits for (ady_credentials_refresh) */
	struct ady_stored *record;
	struct ady_fault fault;       /* the enclave's refusal, for which it is tried again */
	struct ady_dyn refusal;       /* its proof; empty: there was none */
	struct ady_signing *next;     /* of the free or the parked ones */
	struct ady_signing **at_here; /* what points to it while it is parked; else NULL */
	uint8_t key[ADY_WIRE_KEY_ID_MAX];
};

/* --- life --- */

static struct ady_signing *take(struct ady_shard *shard)
{
	struct ady_signing *s = shard->free_signings;

	if (s)
		shard->free_signings = s->next;
	else
		s = malloc(sizeof *s);
	if (!s)
		ADY_BUG("out of memory");
	memset(s, 0, offsetof(struct ady_signing, key)); /* key is written before it is read */
	s->shard = shard;
	ady_shard_hold(shard);
	return s;
}

/* Nothing may be still to come back to it. */
static void give_back(struct ady_signing *s)
{
	struct ady_shard *shard = s->shard;

	ady_stored_unref(s->record);
	ady_dyn_free(&s->refusal);
	s->next = shard->free_signings;
	shard->free_signings = s;
	ady_shard_let(shard);
}

/* Whether f is what the enclave said last, and not the gateway's own. */
static bool is_refusal(const struct ady_signing *s, const struct ady_fault *f)
{
	return s->refusal.n > 0 && f->err == s->fault.err &&
	       strcmp(f->where, s->fault.where) == 0 && strcmp(f->detail, s->fault.detail) == 0;
}

/* A refusal is told with its proof, though other things were tried since it came. */
static void fail(struct ady_signing *s, const struct ady_fault *f)
{
	struct ady_shard *shard = s->shard;
	const struct ady_signing_ask ask = s->ask;
	const struct ady_fault why = *f; /* it may lie in s */
	struct ady_dyn proof = {0};

	if (is_refusal(s, f)) {
		proof = s->refusal;
		s->refusal = (struct ady_dyn){0};
	}
	give_back(s);
	shard->proof = ady_dyn_bytes(&proof);
	ask.done(ask.ctx, NULL, &why);
	shard->proof = ady_bytes(NULL, 0);
	ady_dyn_free(&proof);
}

static void park(struct ady_signing **list, struct ady_signing *s)
{
	s->next = *list;
	s->at_here = list;
	if (s->next)
		s->next->at_here = &s->next;
	*list = s;
}

static void unpark(struct ady_signing *s)
{
	*s->at_here = s->next;
	if (s->next)
		s->next->at_here = s->at_here;
	s->at_here = NULL;
}

void ady_signing_drop(struct ady_signing *s)
{
	if (!s)
		return;
	ady_enclaves_forget(s->shard->enclaves, &s->call);
	ady_fair_remove(s->shard->fair, &s->turn);
	if (s->at_here)
		unpark(s);
	s->ask.done = NULL;
	if (!s->fetching)
		give_back(s);
}

const char *ady_signing_late(const struct ady_signing *s)
{
	return s && s->fetching ? "the store did not answer in time"
	                        : "the enclave did not answer in time";
}

void ady_signing_free_all(struct ady_shard *shard)
{
	while (shard->free_signings) {
		struct ady_signing *s = shard->free_signings;

		shard->free_signings = s->next;
		free(s);
	}
}

static void end_stage(struct ady_signing *s, enum ady_stage stage)
{
	ady_metrics_stage(&s->shard->metrics, stage, ady_mono_us() - s->stage_us);
}

/* --- the enclave --- */

static uint32_t left_ms(const struct ady_signing *s)
{
	int64_t left = s->ask.due_ms - ady_mono_ms();

	if (left < 1)
		return 1;
	return left < ADY_WIRE_DEADLINE_MAX_MS ? (uint32_t)left : ADY_WIRE_DEADLINE_MAX_MS;
}

/* The gate lets in twice what the enclave works on and holds waiting, and it refuses the rest.
 * Tenants wait here instead, where the order is ours. */
static bool has_room(const struct ady_signing *s)
{
	return s->ask.caller.everyone || ady_enclaves_have_room(s->shard->enclaves);
}

static enum ady_err ask_now(struct ady_signing *s, struct ady_fault *f)
{
	struct ady_shard *shard = s->shard;
	struct ady_buf b = ady_buf(shard->frame, sizeof shard->frame);
	const struct ady_wire_sign m = {.form = s->ask.form,
	                                .key_id = s->record->name,
	                                .record = s->record->text,
	                                .request = s->ask.request,
	                                .stamp = s->ask.stamp};
	enum ady_err err;

	if (!has_room(s))
		return ADY_E_BUSY;
	if (m.stamp.n > ADY_WIRE_STAMP_MAX)
		return ady_fail(f, ADY_E_TOO_LARGE, ADY_STAMP_FIELD, "exceeds %d bytes",
		                ADY_WIRE_STAMP_MAX);
	if (m.request.n > ADY_WIRE_REQUEST_MAX)
		return ady_fail(f, ADY_E_TOO_LARGE, NULL, "what is signed exceeds %d bytes",
		                ADY_WIRE_REQUEST_MAX);
	ady_wire_put_sign(&b, &m);
	s->stage_us = ady_mono_us();
	s->credentials = ady_enclaves_credentials(shard->enclaves);
	err = b.full ? ADY_E_TOO_LARGE
	             : ady_enclaves_ask(shard->enclaves, &s->call, ADY_WIRE_SIGN, ady_buf_bytes(&b),
	                                left_ms(s));
	if (err == ADY_OK)
		return ADY_OK;
	return ady_fail(f, err, NULL, "%s",
	                err == ADY_E_ENCLAVE ? "there is no connection to the enclave"
	                : err == ADY_E_BUSY  ? "more requests are waiting than may wait"
	                                     : "");
}

static void drain(struct ady_shard *shard);

static void on_retry(struct ady_timer *timer)
{
	drain(OWNER(timer, struct ady_shard, retry));
}

/* The enclave is full: tenants wait for their turns. Who comes while others wait waits, too. */
static enum ady_err ask_enclave(struct ady_signing *s, struct ady_fault *f)
{
	struct ady_shard *shard = s->shard;
	enum ady_err err = ady_fair_waiting(shard->fair) > 0 ? ADY_E_BUSY : ask_now(s, f);

	if (err != ADY_E_BUSY)
		return err;
	if (ady_fair_push(shard->fair, &s->ask.caller, &s->turn) != ADY_OK)
		return ady_fail(f, ADY_E_BUSY, NULL, "more requests are waiting than may wait");
	shard->retry.fn = on_retry;
	if (shard->retry.slot == 0)
		ady_timer_set(shard->loop, &shard->retry, TURN_MS);
	return ADY_OK;
}

/* Give turns while there is room. Other shards make room, too: it is tried again soon. */
static void drain(struct ady_shard *shard)
{
	struct ady_fair_wait *w;

	while ((w = ady_fair_pop(shard->fair)) != NULL) {
		struct ady_signing *s = OWNER(w, struct ady_signing, turn);
		struct ady_fault f;
		enum ady_err err = ask_now(s, &f);

		if (err == ADY_E_BUSY) {
			ady_fair_unpop(shard->fair, w);
			if (shard->retry.slot == 0)
				ady_timer_set(shard->loop, &shard->retry, TURN_MS);
			return;
		}
		if (err != ADY_OK)
			fail(s, &f);
	}
}

static void ask_again(struct ady_signing *s)
{
	struct ady_fault f;

	if (ask_enclave(s, &f) != ADY_OK)
		fail(s, &f);
}

/* --- the store --- */

static bool same_text(const struct ady_stored *a, const struct ady_stored *b)
{
	return ady_bytes_eq(a->text, b->text) && ady_bytes_eq(a->name, b->name);
}

/* A record has come: of the first attempt, or of the second, where it must differ. */
static enum ady_err take_record(struct ady_signing *s, struct ady_stored *record,
                                struct ady_fault *f)
{
	struct ady_stored *old = s->record;
	bool same = old && same_text(old, record);

	s->record = record;
	ady_stored_unref(old);
	if (ady_caller_permits(&s->ask.caller, record, f) != ADY_OK)
		return f->err;
	if (!same)
		return ask_enclave(s, f);
	*f = s->fault;
	return f->err;
}

static void on_fetched(struct ady_store_wait *w)
{
	struct ady_signing *s = OWNER(w, struct ady_signing, fetch);
	struct ady_fault f = s->record ? s->fault : w->fault;

	s->fetching = false;
	if (!s->ask.done) { /* dropped meanwhile */
		ady_stored_unref(w->record);
		give_back(s);
		return;
	}
	end_stage(s, ADY_STAGE_STORE);
	if (!s->record)
		ady_caller_hide(&s->ask.caller, &f);
	if (!w->record || take_record(s, w->record, &f) != ADY_OK)
		fail(s, &f);
}

/* As ady_store_get. */
static enum ady_err find(struct ady_signing *s, int64_t newer_than_ms, struct ady_stored **record)
{
	struct ady_store *store = s->shard->gateway->store;
	const char *tenant = ady_caller_scope(&s->ask.caller);

	if (s->ask.by == ADY_KEY_BY_ADDRESS)
		return ady_store_find_address(store, s->ask.key.p, tenant, newer_than_ms, record,
		                              &s->fetch);
	if (s->ask.by == ADY_KEY_BY_PUBLIC_KEY)
		return ady_store_find_public_key(store, s->ask.key, tenant, newer_than_ms, record,
		                                 &s->fetch);
	return ady_store_get(store, s->ask.key, newer_than_ms, record, &s->fetch);
}

/* Returns ADY_OK when the store or the enclave will call back. */
static enum ady_err look_up(struct ady_signing *s, int64_t newer_than_ms, struct ady_fault *f)
{
	struct ady_stored *record;
	enum ady_err err;

	s->stage_us = ady_mono_us();
	s->fetch.loop = s->shard->loop;
	s->fetch.done = on_fetched;
	err = find(s, newer_than_ms, &record);
	s->fetching = err == ADY_E_AGAIN;
	if (s->fetching)
		return ADY_OK;
	end_stage(s, ADY_STAGE_STORE);
	if (err == ADY_OK)
		return take_record(s, record, f);
	*f = s->record ? s->fault : s->fetch.fault;
	if (!s->record)
		ady_caller_hide(&s->ask.caller, f);
	return f->err;
}

/* --- the answer --- */

static bool record_may_be_old(const struct ady_signing *s, const struct ady_fault *f)
{
	bool explains =
	    f->err == ADY_E_RECORD || f->err == ADY_E_RECORD_MISMATCH ||
	    (f->err == ADY_E_COUNTERS && strcmp(f->where, "record.revision") == 0) ||
	    (f->err == ADY_E_KMS && strcmp(f->cause, "InvalidCiphertextException") == 0);

	return explains && !s->record_retried &&
	       ady_mono_ms() - s->record->fetched_ms >= REFETCH_GAP_MS;
}

static bool credentials_may_be_old(const struct ady_signing *s, const struct ady_fault *f)
{
	return !s->credentials_retried &&
	       (f->err == ADY_E_CREDENTIALS || strcmp(f->cause, "ExpiredTokenException") == 0);
}

static void retry_record(struct ady_signing *s)
{
	struct ady_fault f;

	s->record_retried = true;
	if (look_up(s, s->record->fetched_ms, &f) != ADY_OK)
		fail(s, &f);
}

static void retry_credentials(struct ady_signing *s)
{
	s->credentials_retried = true;
	if (ady_enclaves_credentials(s->shard->enclaves) > s->credentials) {
		ask_again(s);
		return;
	}
	s->attempts = ady_credentials_refresh(s->shard->gateway->credentials);
	park(&s->shard->parked, s);
}

/* An enclave has ended with the request in it; another is there. Whatever became of the first
 * attempt, the second brings the same signature. */
static void retry_enclave(struct ady_signing *s)
{
	s->enclave_retried = true;
	ask_again(s);
}

static void refused(struct ady_signing *s, const struct ady_fault *f)
{
	s->fault = *f;
	s->refusal.n = 0;
	ady_dyn_put(&s->refusal, s->shard->proof.p, s->shard->proof.n);
	if (f->err == ADY_E_ENCLAVE && !s->enclave_retried && ady_enclaves_up(s->shard->enclaves))
		retry_enclave(s);
	else if (record_may_be_old(s, f))
		retry_record(s);
	else if (credentials_may_be_old(s, f))
		retry_credentials(s);
	else
		fail(s, f);
}

/* Whoever is answered may let go of others: the list is taken apart from its head. */
void ady_signing_refreshed(void *ctx)
{
	struct ady_shard *shard = ctx;
	uint64_t attempts = ady_credentials_attempts(shard->gateway->credentials);
	struct ady_signing *todo = shard->parked, *s;

	shard->parked = NULL;
	if (todo)
		todo->at_here = &todo;
	while ((s = todo)) {
		unpark(s);
		if (ady_enclaves_credentials(shard->enclaves) > s->credentials)
			ask_again(s);
		else if (attempts < s->attempts)
			park(&shard->parked, s);
		else
			fail(s, &s->fault);
	}
}

/* A store may give the record of another account than the one that was asked for; the enclave says
 * whose key has signed. */
static bool is_of_account(const struct ady_signing *s, const struct ady_wire_signed *m)
{
	uint8_t pub65[65], address[20];

	if (s->ask.by == ADY_KEY_BY_ID)
		return true;
	if (s->ask.by == ADY_KEY_BY_ADDRESS)
		return ady_bytes_eq(s->ask.key, m->from);
	if (s->ask.key.n != 33 || ady_secp_expand(pub65, s->ask.key.p) != ADY_OK)
		return false;
	ady_eth_address(address, pub65);
	return ady_bytes_eq(ady_bytes(address, sizeof address), m->from);
}

static enum ady_err read_answer(const struct ady_signing *s, struct ady_wire_signed *m,
                                struct ady_bytes body, struct ady_fault *f)
{
	if (ady_wire_read_signed(m, body) != ADY_OK)
		return ady_fail(f, ADY_E_PROTOCOL, NULL, "the answer of the enclave is malformed");
	if (!is_of_account(s, m))
		return ady_fail(f, ADY_E_RECORD_MISMATCH, NULL,
		                "the store's record for this account is of another one");
	return ADY_OK;
}

static void on_answer(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_signing *s = OWNER(call, struct ady_signing, call);
	const struct ady_signing_ask ask = s->ask;
	struct ady_wire_signed m;
	struct ady_fault bad;
	struct ady_shard *shard = s->shard;

	end_stage(s, ADY_STAGE_ENCLAVE);
	if (f) {
		refused(s, f);
		shard->proof = ady_bytes(NULL, 0); /* not of those whose turn it is now */
		drain(shard);
		return;
	}
	if (read_answer(s, &m, body, &bad) != ADY_OK) {
		fail(s, &bad);
		return;
	}
	give_back(s);
	ask.done(ask.ctx, &m, NULL);
	shard->proof = ady_bytes(NULL, 0);
	drain(shard);
}

enum ady_err ady_signing_start(struct ady_signing **signing, struct ady_shard *shard,
                               const struct ady_signing_ask *ask, struct ady_fault *f)
{
	struct ady_signing *s;
	enum ady_err err =
	    ady_quota_take(shard->gateway->quotas, &ask->caller, 1, ady_mono_us(), f);

	*signing = NULL;
	if (err != ADY_OK)
		return err;
	s = take(shard);
	*signing = s;
	s->ask = *ask;
	s->call.done = on_answer;
	if (ask->key.n <= sizeof s->key) {
		memcpy(s->key, ask->key.p, ask->key.n);
		s->ask.key = ady_bytes(s->key, ask->key.n);
		err = look_up(s, shard->gateway->reloaded_ms, f);
	} else {
		err = ady_fail(f, ADY_E_FIELD_INVALID, NULL, "is no name of a key");
	}
	if (err == ADY_OK)
		return ADY_OK;
	give_back(s);
	*signing = NULL;
	return err;
}
