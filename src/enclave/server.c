/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "codec/wire_audit.h"
#include "enclave/changing.h"
#include "enclave/deriving.h"
#include "enclave/held.h"
#include "enclave/host_calls.h"
#include "enclave/making.h"
#include "net/transport.h"

enum { ATTEST_WAITING_MAX = 64, ACCEPTS_A_ROUND = 16, SWEEP_MS = 500 };

struct lane {
	struct ady_server *server;
	struct ady_loop *loop;
	pthread_t thread;
	struct ady_space space; /* with its desk */
};

struct ady_server {
	struct ady_server_config config;
	struct ady_pool *attests; /* the NSM is slow and takes one at a time: one thread */
	struct ady_io listener;
	struct ady_task accept;
	struct ady_timer sweep;
	size_t next; /* lane of the next connection */
	atomic_size_t connections;
	struct lane *lanes;
};

/* A connection on its way to its lane. */
struct arrival {
	struct ady_task task;
	struct lane *lane;
	int fd;
};

static void fault(const struct ady_asker *to, enum ady_err err, const char *detail)
{
	struct ady_fault f;

	(void)ady_fail(&f, err, "", "%s", detail);
	(void)ady_answer_fault(to, &f);
}

static void malformed(const struct ady_asker *to)
{
	fault(to, ADY_E_PROTOCOL, "the body of the message is malformed");
}

static void on_hello(struct lane *lane, const struct ady_asker *to, struct ady_bytes body)
{
	const struct ady_server_config *c = &lane->server->config;
	struct ady_wire_hello m = {
	    .version = ady_bytes_str(ADY_VERSION),
	    .module_id = ady_bytes_str(c->module_id),
	    .config_hash = ady_bytes(c->config->hash48, sizeof c->config->hash48),
	    .lanes = c->lanes,
	    .depth = c->depth,
	};
	uint8_t space[512];
	struct ady_buf b = ady_buf(space, sizeof space);

	if (ady_wire_read_empty(body) != ADY_OK) {
		malformed(to);
		return;
	}
	ady_wire_put_hello(&b, &m);
	(void)ady_answer(to, ADY_WIRE_HELLO, ady_buf_bytes(&b));
}

static void on_credentials(struct lane *lane, const struct ady_asker *to, struct ady_bytes body)
{
	const struct ady_server_config *c = &lane->server->config;
	struct ady_wire_credentials m;
	struct ady_fault f = {0};
	bool changed;
	uint8_t space[8];
	struct ady_buf b = ady_buf(space, sizeof space);

	if (ady_wire_read_credentials(&m, body) != ADY_OK) {
		malformed(to);
		return;
	}
	if (ady_credentials_set(c->credentials, &m, &changed, &f) != ADY_OK) {
		(void)ady_answer_fault(to, &f);
		return;
	}
	if (changed)
		ady_keeper_wake(c->keeper);
	ady_wire_put_empty(&b);
	(void)ady_answer(to, ADY_WIRE_CREDENTIALS, ady_buf_bytes(&b));
}

static void on_lock(struct lane *lane, struct ady_channel *ch, const struct ady_wire_head *head,
                    struct ady_bytes body)
{
	struct ady_asker to = ady_asker(lane->space.desk, ch, head, body);
	struct ady_bytes tenant;
	char name[ADY_WIRE_TENANT_MAX + 1];
	uint8_t space[16];
	struct ady_buf b = ady_buf(space, sizeof space);
	size_t n;

	if (ady_wire_read_lock(&tenant, body) != ADY_OK ||
	    !ady_bytes_to_str(name, sizeof name, tenant)) {
		malformed(&to);
		return;
	}
	to.tenant = name;
	n = ady_data_keys_lock(lane->server->config.room->data_keys, tenant.n ? name : NULL);
	ady_wire_put_locked(&b, n);
	(void)ady_answer(&to, ADY_WIRE_LOCK, ady_buf_bytes(&b));
}

/* Entries whose answers were lost. */
static void on_audit(struct lane *lane, const struct ady_asker *to, struct ady_bytes body)
{
	struct ady_notary *notary = lane->server->config.room->notary;
	struct ady_bytes spki = ady_notary_public(notary);
	uint8_t space[ADY_WIRE_PROOFS_MAX];
	struct ady_buf proofs = ady_buf(space, sizeof space);
	struct ady_buf b = ady_buf(lane->space.bytes, sizeof lane->space.bytes);
	struct ady_wire_audited m = {.public = ady_bytes_sub(spki, spki.n - 32, 32)};
	uint64_t from;

	if (ady_wire_read_audit(&from, body) != ADY_OK) {
		malformed(to);
		return;
	}
	ady_notary_again(notary, from, &proofs, &m.end, &m.next);
	m.proofs = ady_buf_bytes(&proofs);
	ady_wire_put_audited(&b, &m);
	(void)ady_answer(to, ADY_WIRE_AUDIT, ady_buf_bytes(&b));
}

/* What the cache of data keys says of itself. */
static void report_data_keys(struct ady_wire_status *m, struct ady_data_keys *d)
{
	struct ady_data_keys_report r;

	ady_data_keys_report(d, &r);
	m->data_keys = r.held;
	m->data_key_hits = r.hits;
	m->data_key_misses = r.misses;
	m->data_keys_expired = r.expired;
	m->data_keys_locked = r.locked;
}

static void on_status(struct lane *lane, const struct ady_asker *to, struct ady_bytes body)
{
	const struct ady_server_config *c = &lane->server->config;
	struct ady_wire_status m = {0};
	char text[160];
	uint8_t space[512];
	struct ady_buf b = ady_buf(space, sizeof space);

	if (ady_wire_read_empty(body) != ADY_OK) {
		malformed(to);
		return;
	}
	ady_status_read(c->status, &m, text);
	m.drift_ms = c->watch ? ady_time_watch_drift_ms(c->watch) : 0;
	if (ADY_HELD_NOTICE[0])
		m.kms_text = ady_bytes_str(ADY_HELD_NOTICE);
	m.has_credentials = ady_credentials_valid(c->credentials);
	m.waiting = ady_signing_waiting(c->signing);
	report_data_keys(&m, c->room->data_keys);
	ady_wire_put_status(&b, &m);
	(void)ady_answer(to, ADY_WIRE_STATUS, ady_buf_bytes(&b));
}

/* The document that job asks for: of the import key, of the one that answers are signed with, or of
 * the one that KMS encrypts to. */
static enum ady_err document_of(struct ady_server *s, const struct ady_job *job, struct ady_buf *d,
                                struct ady_fault *f)
{
	struct ady_bytes nonce = ady_bytes(job->nonce, job->nonce_n);
	const struct ady_keyroom *room = s->config.room;

	if (job->attest_type == ADY_WIRE_ATTEST)
		return ady_recipient_attest(s->config.recipient, nonce, d, f);
	return ady_recipient_attest_key(s->config.recipient,
	                                job->attest_type == ADY_WIRE_RESPONSE_KEY
	                                    ? ady_notary_public(room->notary)
	                                    : ady_import_key_public(room->import_key),
	                                nonce, d, f);
}

/* An ATTEST, IMPORT_KEY or RESPONSE_KEY on the thread for them. */
static void run_attest(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	struct ady_server *s = job->owner;
	uint8_t document[ADY_NSM_ANSWER_MAX], space[ADY_NSM_ANSWER_MAX + 16];
	struct ady_buf d = ady_buf(document, sizeof document), b = ady_buf(space, sizeof space);
	struct ady_fault f = {0};

	(void)worker;
	if (ady_job_in_time(job, "the NSM", &f) != ADY_OK ||
	    document_of(s, job, &d, &f) != ADY_OK) {
		(void)ady_answer_fault(&job->asker, &f);
	} else {
		ady_wire_put_blob(&b, ady_buf_bytes(&d));
		(void)ady_answer(&job->asker, job->attest_type, ady_buf_bytes(&b));
	}
	ady_jobs_give(s->config.room->config.jobs, job);
}

static void on_attest(struct lane *lane, struct ady_channel *ch, const struct ady_wire_head *head,
                      struct ady_bytes body)
{
	struct ady_server *s = lane->server;
	struct ady_asker to = {.ch = ch, .id = head->id};
	struct ady_bytes nonce;
	struct ady_job *job;

	if (ady_wire_read_blob(&nonce, ADY_WIRE_NONCE_MAX, body) != ADY_OK) {
		malformed(&to);
		return;
	}
	job = ady_jobs_take(s->config.room->config.jobs, lane->space.desk, ch, head, body);
	if (!job) {
		fault(&to, ADY_E_BUSY, "too many requests are waiting");
		return;
	}
	job->owner = s;
	job->work = (struct ady_work){.fn = run_attest};
	job->attest_type = (enum ady_wire_type)head->type;
	job->nonce_n = nonce.n;
	if (nonce.n)
		memcpy(job->nonce, nonce.p, nonce.n);
	if (ady_pool_submit(s->attests, &job->work) != ADY_OK) {
		fault(&to, ADY_E_BUSY, "too many attestation requests are waiting");
		ady_jobs_give(s->config.room->config.jobs, job);
	}
}

/* What is no question of the parent's. */
static void on_other(struct lane *lane, struct ady_channel *ch, const struct ady_wire_head *head,
                     struct ady_bytes body)
{
	struct ady_asker to = {.ch = ch, .id = head->id};

	/* The one question that the enclave asks here. */
	if (head->type == (ADY_WIRE_STATE_CAS | ADY_WIRE_ANSWER) || head->type == ADY_WIRE_ERROR)
		ady_host_calls_answer(lane->server->config.room->host_calls, &lane->space, ch, head,
		                      body);
	/* An answer to an answer could go on for ever. */
	else if (head->type & ADY_WIRE_ANSWER)
		ady_channel_end(ch, ADY_E_PROTOCOL);
	else
		fault(&to, ADY_E_PROTOCOL, "the type of the message is not known");
}

typedef void take_fn(struct ady_keyroom *room, struct ady_space *space, struct ady_channel *ch,
                     const struct ady_wire_head *head, struct ady_bytes body);

/* Who makes keys and records out of what is asked; NULL: nobody. */
static take_fn *maker_of(uint8_t type)
{
	switch (type) {
	case ADY_WIRE_CREATE:
		return ady_making_take;
	case ADY_WIRE_CREATE_BATCH:
		return ady_making_batch;
	case ADY_WIRE_POLICY_CHANGE:
		return ady_changing_take;
	case ADY_WIRE_REWRAP:
		return ady_making_rewrap;
	case ADY_WIRE_BACKUP:
		return ady_making_backup;
	case ADY_WIRE_IMPORT:
		return ady_making_import;
	case ADY_WIRE_DERIVE:
		return ady_deriving_take;
	default:
		return NULL;
	}
}

/* Who may say what: all of these come from the parent, which may say nothing else; the enclave asks
 * for streams, it gives none. */
static void on_frame(void *ctx, struct ady_channel *ch, const struct ady_wire_head *head,
                     struct ady_bytes body)
{
	struct lane *lane = ctx;
	const struct ady_server_config *config = &lane->server->config;
	struct ady_asker to = {.ch = ch, .id = head->id};
	take_fn *make = maker_of(head->type);

	if (make) {
		make(config->room, &lane->space, ch, head, body);
		return;
	}
	switch (head->type) {
	case ADY_WIRE_HELLO:
		on_hello(lane, &to, body);
		return;
	case ADY_WIRE_CREDENTIALS:
		on_credentials(lane, &to, body);
		return;
	case ADY_WIRE_SIGN:
		ady_signing_take(config->signing, &lane->space, ch, head, body);
		return;
	case ADY_WIRE_LOCK:
		on_lock(lane, ch, head, body);
		return;
	case ADY_WIRE_ATTEST:
	case ADY_WIRE_IMPORT_KEY:
	case ADY_WIRE_RESPONSE_KEY:
		on_attest(lane, ch, head, body);
		return;
	case ADY_WIRE_STATUS:
		on_status(lane, &to, body);
		return;
	case ADY_WIRE_AUDIT:
		on_audit(lane, &to, body);
		return;
	case ADY_WIRE_DUTY:
	case ADY_WIRE_WATERMARK:
		ady_validators_take(config->validators, &lane->space, ch, head, body);
		return;
	default:
		on_other(lane, ch, head, body);
	}
}

static void on_closed(void *ctx, struct ady_channel *ch, enum ady_err why)
{
	struct lane *lane = ctx;

	(void)ch;
	(void)why;
	atomic_fetch_sub(&lane->server->connections, 1);
}

static const struct ady_channel_events events = {.frame = on_frame, .closed = on_closed};

static void arrive(struct ady_task *task)
{
	struct arrival *a = (struct arrival *)task;
	struct ady_channel *ch;

	if (ady_channel_open(&ch, a->lane->loop, a->fd, &events, a->lane) != ADY_OK)
		atomic_fetch_sub(&a->lane->server->connections, 1);
	free(a);
}

static void welcome(struct ady_server *s, int fd)
{
	struct arrival *a = NULL;

	if (atomic_load(&s->connections) < ADY_SERVER_CONNECTIONS_MAX)
		a = malloc(sizeof *a);
	if (!a) {
		close(fd);
		return;
	}
	atomic_fetch_add(&s->connections, 1);
	*a = (struct arrival){.task = {.fn = arrive}, .lane = &s->lanes[s->next], .fd = fd};
	s->next = (s->next + 1) % s->config.lanes;
	ady_loop_post(a->lane->loop, &a->task);
}

static void on_listener(struct ady_io *io, uint32_t ready)
{
	struct ady_server *s =
	    (struct ady_server *)((char *)io - offsetof(struct ady_server, listener));
	int fd;

	(void)ready;
	for (int i = 0; i < ACCEPTS_A_ROUND && (fd = ady_accept(io->fd)) >= 0; i++)
		welcome(s, fd);
}

/* What is over by the clock alone: data keys, and waiting for one. */
static void on_sweep(struct ady_timer *timer)
{
	struct ady_server *s =
	    (struct ady_server *)((char *)timer - offsetof(struct ady_server, sweep));

	ady_data_keys_sweep(s->config.room->data_keys);
	ady_signing_sweep(s->config.signing);
	ady_host_calls_sweep(s->config.room->host_calls);
	ady_timer_set(s->lanes[0].loop, timer, SWEEP_MS);
}

static void begin(struct ady_task *task)
{
	struct ady_server *s =
	    (struct ady_server *)((char *)task - offsetof(struct ady_server, accept));

	s->listener = (struct ady_io){.fd = s->config.listener, .fn = on_listener};
	if (ady_loop_add(s->lanes[0].loop, &s->listener, EPOLLIN) != ADY_OK)
		ADY_BUG("the listener cannot be watched");
	s->sweep = (struct ady_timer){.fn = on_sweep};
	ady_timer_set(s->lanes[0].loop, &s->sweep, SWEEP_MS);
}

void ady_server_accept(struct ady_server *s)
{
	s->accept = (struct ady_task){.fn = begin};
	ady_loop_post(s->lanes[0].loop, &s->accept);
}

static void *lane_main(void *arg)
{
	struct lane *lane = arg;

	ady_loop_run(lane->loop);
	ADY_BUG("a lane has ended");
}

enum ady_err ady_server_open(struct ady_server **out, const struct ady_server_config *config)
{
	struct ady_server *s = calloc(1, sizeof *s);
	enum ady_err err;

	*out = NULL;
	if (!s || !(s->lanes = calloc(config->lanes, sizeof *s->lanes))) {
		free(s);
		return ADY_E_MEMORY;
	}
	s->config = *config;
	if ((err = ady_pool_open(&s->attests, 1, ATTEST_WAITING_MAX)) != ADY_OK)
		return err;
	for (size_t i = 0; i < config->lanes; i++) {
		struct lane *lane = &s->lanes[i];

		lane->server = s;
		if ((err = ady_space_open(&lane->space, config->room)) != ADY_OK ||
		    (err = ady_loop_open(&lane->loop)) != ADY_OK ||
		    (err = ady_desk_open(&lane->space.desk, config->room->notary, lane->loop)) !=
		        ADY_OK)
			return err;
		if (pthread_create(&lane->thread, NULL, lane_main, lane) != 0)
			return ADY_E_MEMORY;
	}
	*out = s;
	return ADY_OK;
}
