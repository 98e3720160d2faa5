/* SPDX-License-Identifier: Apache-2.0
 *
 * The routes of rotations, and who goes on with them: the first shard of every gateway reads the
 * notes in the store from time to time. It seals new keys under the data keys that stand there, and
 * takes on what has not been gone on with. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/rotation.h"

enum { LOOK_MS = 5000, SLACK_MS = 1000 };

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct ady_rotations {
	struct ady_store_job job; /* first */
	struct ady_shard *shard;
	struct ady_timer timer;
	struct ady_dyn notes; /* of struct ady_rotation_note */
};

/* Calls to Secrets Manager cost money. */
static int64_t look_ms(const struct ady_gateway *g)
{
	const struct ady_config_store *c = &g->config->store;

	return c->sqlite || c->folder || c->postgres ? LOOK_MS : c->index_ms;
}

int64_t ady_rotations_seen_ms(const struct ady_shard *shard)
{
	const struct ady_gateway *g = shard->gateway;

	return look_ms(g) + g->config->request_timeout_ms + SLACK_MS;
}

static void keep(void *ctx, const char *name, struct ady_bytes text)
{
	struct ady_rotations *w = ctx;
	struct ady_rotation_note note;

	if (strncmp(name, ADY_ROTATION_NOTES, sizeof ADY_ROTATION_NOTES - 1) == 0 &&
	    ady_rotation_note_read(&note, text))
		ady_dyn_put(&w->notes, &note, sizeof note);
}

static void look(struct ady_store_job *job, struct ady_records *r, size_t worker)
{
	struct ady_rotations *w = (struct ady_rotations *)job;

	w->notes.n = 0;
	(void)ady_records_notes(r, worker, keep, w, &job->fault);
}

/* What is remembered of a tenant's data key may be older. */
static void use_data_key(struct ady_gateway *g, const struct ady_rotation_note *note)
{
	uint8_t blob[ADY_WIRE_DATA_KEY_MAX];
	size_t n;

	if (ady_base64_decode(blob, sizeof blob, &n, ady_bytes_str(note->data_key)) == ADY_OK)
		ady_tenant_keys_set(g->tenant_keys, note->tenant, ady_bytes(blob, n));
}

static void on_looked(struct ady_store_job *job)
{
	struct ady_rotations *w = (struct ady_rotations *)job;
	struct ady_shard *shard = w->shard;
	const struct ady_rotation_note *notes = (const struct ady_rotation_note *)w->notes.p;
	const int64_t now = ady_wall_ms() / 1000;

	for (size_t i = 0; job->fault.err == ADY_OK && i < w->notes.n / sizeof *notes; i++) {
		use_data_key(shard->gateway, &notes[i]);
		if (notes[i].state == ADY_ROTATION_RUNNING && !shard->draining &&
		    !shard->stopping && now - notes[i].updated_s >= ADY_ROTATION_STALE_S &&
		    !ady_rotation_is_here(shard, notes[i].tenant))
			ady_rotation_adopt(shard, &notes[i]);
	}
	ady_timer_set(shard->loop, &w->timer, look_ms(shard->gateway));
	ady_shard_let(shard);
}

static void on_timer(struct ady_timer *timer)
{
	struct ady_rotations *w = OWNER(timer, struct ady_rotations, timer);

	w->job = (struct ady_store_job){.loop = w->shard->loop, .run = look, .done = on_looked};
	ady_shard_hold(w->shard);
	if (ady_store_run(w->shard->gateway->store, &w->job) == ADY_OK)
		return;
	ady_shard_let(w->shard);
	ady_timer_set(w->shard->loop, &w->timer, LOOK_MS);
}

void ady_rotations_watch(struct ady_shard *shard)
{
	struct ady_rotations *w = calloc(1, sizeof *w);

	if (!w)
		ADY_BUG("out of memory");
	w->shard = shard;
	w->timer.fn = on_timer;
	shard->rotations_watch = w;
	ady_timer_set(shard->loop, &w->timer, look_ms(shard->gateway) / 2);
}

void ady_rotations_close(struct ady_rotations *w)
{
	if (!w)
		return;
	ady_dyn_free(&w->notes);
	free(w);
}

/* --- routes --- */

static bool may_rotate(const struct ady_caller *caller, const char *tenant)
{
	return caller->everyone || caller->admin ||
	       (caller->manage && caller->tenant && strcmp(caller->tenant, tenant) == 0);
}

/* An op for a caller who may; its tenant. NULL: it was refused. */
static struct ady_op *begin(struct ady_shard *shard, struct ady_http_request *req,
                            struct ady_bytes id, char tenant[static ADY_TENANT_MAX + 1])
{
	struct ady_op *op;

	op = ady_op_begin(shard, req, ADY_ROUTE_KEYS);
	if (!op)
		return NULL;
	if (ady_http_unescape(tenant, ADY_TENANT_MAX + 1, id) != ADY_OK ||
	    !ady_entry_is_name(tenant, ADY_TENANT_MAX))
		ady_op_refuse(op, ADY_E_FIELD_INVALID, "tenant", "is no name of a tenant");
	else if (!may_rotate(&op->caller, tenant))
		ady_op_refuse(op, ADY_E_DENIED, "tenant", "is not one that this caller manages");
	else
		return op;
	return NULL;
}

/* The body: none, or {"kms_key": ".."}. */
static bool read_body(struct ady_shard *shard, struct ady_bytes body,
                      char kms_key[static ADY_WIRE_ARN_MAX + 1], struct ady_fault *f)
{
	struct ady_json doc;
	uint32_t i;
	size_t n;

	kms_key[0] = '\0';
	if (body.n == 0)
		return true;
	if (ady_json_parse(&doc, shard->toks, ADY_SHARD_TOKENS, body, f) != ADY_OK)
		return false;
	i = ady_json_get(&doc, 0, "kms_key");
	if (ady_json_kind(&doc, 0) != ADY_JSON_OBJECT || doc.toks[0].count != (i != 0) ||
	    (i && (ady_json_string(&doc, i, kms_key, ADY_WIRE_ARN_MAX + 1, &n) != ADY_OK ||
	           strlen(kms_key) != n || n == 0))) {
		(void)ady_fail(f, ADY_E_FIELD_INVALID, NULL,
		               "must be {} or {\"kms_key\": \"ARN\"}");
		return false;
	}
	return true;
}

void ady_rotations_post(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	char tenant[ADY_TENANT_MAX + 1], kms_key[ADY_WIRE_ARN_MAX + 1];
	struct ady_op *op = begin(shard, req, id, tenant);
	struct ady_fault f = {0};

	if (!op)
		return;
	if (read_body(shard, req->body, kms_key, &f))
		ady_rotation_begin(op, tenant, kms_key);
	else
		ady_op_fail(op, &f);
}

/* --- what is known of one --- */

struct shown {
	struct ady_store_job job; /* first */
	struct ady_op *op;        /* NULL once answered */
	struct ady_shard *shard;
	char name[ADY_KEY_ID_MAX + 1];
	struct ady_dyn text;
};

static void abandon(struct ady_op *op)
{
	((struct shown *)op->waiting)->op = NULL;
}

static void read_note(struct ady_store_job *job, struct ady_records *r, size_t worker)
{
	struct shown *s = (struct shown *)job;

	(void)ady_records_note(r, worker, s->name, &s->text, &job->fault);
}

static void tell(struct ady_op *op, const struct shown *s)
{
	struct ady_rotation_note note;
	struct ady_dyn out = {0};

	if (s->job.fault.err == ADY_E_NOT_FOUND ||
	    (s->job.fault.err == ADY_OK &&
	     !ady_rotation_note_read(&note, ady_dyn_bytes(&s->text)))) {
		ady_op_refuse(op, ADY_E_NOT_FOUND, NULL, "the tenant's data key was never rotated");
	} else if (s->job.fault.err != ADY_OK) {
		ady_op_fail(op, &s->job.fault);
	} else {
		ady_rotation_note_put(&out, &note, false);
		ady_op_answer_with(op, 200, ADY_JSON_TYPE, ady_dyn_bytes(&out));
	}
	ady_dyn_free(&out);
}

static void on_read(struct ady_store_job *job)
{
	struct shown *s = (struct shown *)job;
	struct ady_shard *shard = s->shard;

	if (s->op) {
		s->op->abandon = NULL;
		tell(s->op, s);
	}
	ady_dyn_free(&s->text);
	free(s);
	ady_shard_let(shard);
}

void ady_rotations_show(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id)
{
	char tenant[ADY_TENANT_MAX + 1];
	struct ady_op *op = begin(shard, req, id, tenant);
	struct shown *s = op ? calloc(1, sizeof *s) : NULL;

	if (!op)
		return;
	if (!s)
		ADY_BUG("out of memory");
	*s = (struct shown){.job = {.loop = shard->loop, .run = read_note, .done = on_read},
	                    .op = op,
	                    .shard = shard};
	ady_rotation_note_name(s->name, tenant);
	op->waiting = s;
	op->abandon = abandon;
	ady_shard_hold(shard);
	if (ady_store_run(shard->gateway->store, &s->job) == ADY_OK)
		return;
	op->abandon = NULL;
	free(s);
	ady_shard_let(shard);
	ady_op_refuse(op, ADY_E_BUSY, NULL, "too much is asked of the store");
}
