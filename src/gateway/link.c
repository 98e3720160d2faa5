/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/link.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "crypto/rng.h"
#include "gateway/link_calls.h"
#include "net/channel.h"

enum {
	BEAT_MS = 1000,
	/* An enclave that does not answer for this long, and neither says nor takes anything else,
	 * is taken for dead. */
	SILENCE_MS = 3000,
	DIAL_MS = 3000,
	BACKOFF_FIRST_MS = 50,
	BACKOFF_LAST_MS = 400,
};

enum state { DOWN, DIALLING, GREETING, UP };

/* A connection attempt: on a dialer's thread, then as a task on the loop. */
struct dial {
	struct ady_work work;
	struct ady_task task;
	struct ady_link *link;
	enum ady_err err;
	int fd;
};

struct ady_link {
	struct ady_link_config config;
	enum state state;
	struct ady_channel *ch;
	struct ady_calls calls;
	struct ady_timer timer; /* DOWN: connect again; else: the next beat */
	struct ady_call hello, beat, credentials;
	int64_t asked_ms; /* when the unanswered hello or beat was sent */
	struct dial dial;
	uint64_t connection;
	uint64_t credentials_version;
	bool ailing; /* KMS does not work for the enclave, as it said last */
	unsigned failures;
	void (*stopped)(void *ctx);
	pthread_mutex_t lock; /* guards report, which other threads read */
	struct ady_link_report report;
	size_t held; /* answers that wait for their entries to be written */
};

/* An answer that waits for its entry to be written. */
struct held {
	struct ady_audit_wait wait; /* first */
	struct ady_link *link;
	struct ady_wire_head head;
	uint8_t body[];
};

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static void connect_later(struct ady_link *l);

static void set_report(struct ady_link *l, bool up, const char *why)
{
	pthread_mutex_lock(&l->lock);
	l->report.up = up;
	l->report.has_status = l->report.has_status && up;
	snprintf(l->report.why, sizeof l->report.why, "%s", why);
	l->report.connects += up;
	pthread_mutex_unlock(&l->lock);
}

static void ungate(struct ady_link *l, const struct ady_call_slot *slot)
{
	if (slot->counted)
		atomic_fetch_sub_explicit(&l->config.gate->in_flight, 1, memory_order_relaxed);
}

static void fail_all(struct ady_link *l)
{
	static const struct ady_fault f = {.err = ADY_E_ENCLAVE,
	                                   .detail = "the connection to the enclave has ended"};

	for (uint32_t i = 0; i < l->calls.cap; i++) {
		struct ady_call_slot *slot = &l->calls.slots[i];
		struct ady_call *call;

		if (!slot->call)
			continue;
		ungate(l, slot);
		call = ady_calls_take(&l->calls, slot);
		call->done(call, ady_bytes(NULL, 0), &f);
	}
}

static void maybe_stopped(struct ady_link *l)
{
	if (l->stopped && l->state == DOWN && l->held == 0) {
		ady_timer_cancel(l->config.loop, &l->timer);
		l->stopped(l->config.ctx);
	}
}

static void on_closed(void *ctx, struct ady_channel *ch, enum ady_err why)
{
	struct ady_link *l = ctx;
	const char *words = why == ADY_OK           ? "the enclave closed the connection"
	                    : why == ADY_E_DEADLINE ? "the enclave does not answer"
	                                            : ady_err_text(why);

	(void)ch;
	if (!l->stopped)
		ADY_WARN("link down", "reason=\"%s\" in_flight=%u", words, l->calls.n);
	l->ch = NULL;
	l->state = DOWN;
	l->credentials_version = 0;
	l->ailing = false;
	set_report(l, false, words);
	/* Also of calls that were forgotten: what they asked may still have been decided. */
	if (l->config.audit)
		ady_audit_doubt(l->config.audit);
	fail_all(l);
	connect_later(l);
	maybe_stopped(l);
}

static void end(struct ady_link *l, enum ady_err why)
{
	if (l->ch)
		ady_channel_end(l->ch, why);
}

/* Send one frame and enter its call. */
static enum ady_err send_call(struct ady_link *l, struct ady_call *call, uint8_t type,
                              struct ady_bytes body, uint32_t deadline_ms, bool counted)
{
	struct ady_wire_head head = {
	    .length = (uint32_t)body.n, .type = type, .deadline_ms = deadline_ms};
	enum ady_err err;

	ady_calls_add(&l->calls, call, type, counted);
	call->link = l;
	head.id = call->id;
	err = ady_channel_send(l->ch, &head, body);
	if (err == ADY_OK)
		return ADY_OK;
	ady_calls_take(&l->calls, ady_calls_find(&l->calls, head.id));
	return err == ADY_E_BUSY ? ADY_E_BUSY : ADY_E_ENCLAVE;
}

static void send_own(struct ady_link *l, struct ady_call *call, uint8_t type)
{
	uint8_t space[8];
	struct ady_buf b = ady_buf(space, sizeof space);
	enum ady_err err;

	ady_wire_put_empty(&b);
	l->asked_ms = ady_mono_ms();
	err = send_call(l, call, type, ady_buf_bytes(&b), SILENCE_MS, false);
	/* Large questions may fill the queue: the next beat will do, and the channel sees to it
	 * that they are taken. */
	if (err != ADY_OK && (err != ADY_E_BUSY || l->state != UP))
		end(l, ADY_E_IO);
}

/* On connecting and on every change; frames keep their order, so that what is asked afterwards
 * finds the new ones. */
static void send_credentials(struct ady_link *l)
{
	struct ady_aws_credentials c;
	uint8_t space[8192];
	struct ady_buf b = ady_buf(space, sizeof space);
	uint64_t version;

	if (!l->config.credentials)
		return;
	version = ady_credentials_get(l->config.credentials, ADY_FOR_ENCLAVE, &c);
	if (version > l->credentials_version && l->credentials.id == 0) {
		const struct ady_wire_credentials m = {
		    .access_key = ady_bytes_str(c.access_key),
		    .secret_key = ady_bytes_str(c.secret_key),
		    .token = ady_bytes_str(c.token),
		    .expires_unix_s = (uint64_t)c.expires_unix_s,
		};

		ady_wire_put_credentials(&b, &m);
		if (send_call(l, &l->credentials, ADY_WIRE_CREDENTIALS, ady_buf_bytes(&b),
		              SILENCE_MS, false) == ADY_OK)
			l->credentials_version = version;
	}
	ady_aws_credentials_wipe(&c);
	ady_zero(space, sizeof space);
}

static void on_credentials(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_link *l = OWNER(call, struct ady_link, credentials);

	if (f || ady_wire_read_empty(body) != ADY_OK)
		ADY_WARN("enclave refused credentials", "error=%s",
		         f ? ady_err_code(f->err) : "protocol_violation");
	if (l->state != UP)
		return;
	send_credentials(l); /* a change may have waited for this answer */
	if (l->state == UP && l->beat.id == 0)
		send_own(l, &l->beat, ADY_WIRE_STATUS); /* it has some now, and is not ailing */
}

void ady_link_refresh(struct ady_link *l)
{
	if (l->state == UP)
		send_credentials(l);
}

static void on_beat(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_link *l = OWNER(call, struct ady_link, beat);
	struct ady_wire_status status;

	if (f || ady_wire_read_status(&status, body) != ADY_OK) {
		end(l, ADY_E_PROTOCOL);
		return;
	}
	l->ailing = status.kms == ADY_KMS_FAILING || !status.has_credentials;
	pthread_mutex_lock(&l->lock);
	l->report.status = status;
	l->report.has_status = true;
	if (!ady_bytes_to_str(l->report.kms_text, sizeof l->report.kms_text, status.kms_text))
		snprintf(l->report.kms_text, sizeof l->report.kms_text, "(too long)");
	pthread_mutex_unlock(&l->lock);
}

static void set_limit(struct ady_gate *gate, const struct ady_wire_hello *m)
{
	uint64_t limit = m->lanes + m->depth;

	limit = limit > 1u << 20 ? 1u << 20 : limit < 1 ? 1 : limit;
	atomic_store_explicit(&gate->limit, (uint32_t)(2 * limit), memory_order_relaxed);
}

static void on_hello(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_link *l = OWNER(call, struct ady_link, hello);
	struct ady_wire_hello m;

	if (f || ady_wire_read_hello(&m, body) != ADY_OK) {
		end(l, ADY_E_PROTOCOL);
		return;
	}
	set_limit(l->config.gate, &m);
	l->state = UP;
	l->failures = 0;
	set_report(l, true, "");
	ADY_INFO("link up", "lanes=%llu depth=%llu", (unsigned long long)m.lanes,
	         (unsigned long long)m.depth);
	pthread_mutex_lock(&l->lock);
	if (!ady_bytes_to_str(l->report.version, sizeof l->report.version, m.version))
		l->report.version[0] = '\0';
	pthread_mutex_unlock(&l->lock);
	send_credentials(l);
	send_own(l, &l->beat, ADY_WIRE_STATUS);
}

/* How long the enclave may still be silent. Questions that are large keep the beat waiting behind
 * them: as long as it takes them it is alive. */
static int64_t silence_left(const struct ady_link *l)
{
	int64_t heard = l->ch ? ady_channel_heard_ms(l->ch) : 0;

	return (heard > l->asked_ms ? heard : l->asked_ms) + SILENCE_MS - ady_mono_ms();
}

static void on_timer(struct ady_timer *timer)
{
	struct ady_link *l = OWNER(timer, struct ady_link, timer);
	bool waiting = l->hello.id != 0 || l->beat.id != 0;
	int64_t left = silence_left(l);

	if (l->state == DOWN) {
		if (l->stopped)
			return;
		l->state = DIALLING;
		if (ady_pool_submit(l->config.dialers, &l->dial.work) != ADY_OK)
			connect_later(l);
		return;
	}
	if (waiting && left <= 0) {
		end(l, ADY_E_DEADLINE);
		return;
	}
	if (!waiting && l->state == UP)
		send_own(l, &l->beat, ADY_WIRE_STATUS);
	ady_timer_set(l->config.loop, &l->timer, waiting && left < BEAT_MS ? left : BEAT_MS);
}

/* 50 ms, doubling to 400 ms, half of it random: the links of all threads do not knock at once. A
 * refused knock costs microseconds; an enclave that is there and not noticed costs answers. */
static void connect_later(struct ady_link *l)
{
	int64_t wait = BACKOFF_LAST_MS;
	uint16_t r;

	l->state = DOWN;
	if (l->stopped)
		return;
	if (l->failures < 6)
		wait = (int64_t)BACKOFF_FIRST_MS << l->failures;
	l->failures++;
	if (wait > BACKOFF_LAST_MS)
		wait = BACKOFF_LAST_MS;
	ady_random(&r, sizeof r);
	ady_timer_set(l->config.loop, &l->timer, wait / 2 + wait / 2 * r / 65536);
}

static bool answers(uint8_t type, uint8_t asked)
{
	return type == ADY_WIRE_ERROR || type == (asked | ADY_WIRE_ANSWER);
}

/* Pass an answer to who asked; lost: that its entry could not be written, or NULL. */
static void deliver(struct ady_link *l, const struct ady_wire_head *head, struct ady_bytes body,
                    const struct ady_fault *lost)
{
	struct ady_call_slot *slot = ady_calls_find(&l->calls, head->id);
	struct ady_bytes proof = ady_bytes_sub(body, body.n - head->proof, head->proof);
	struct ady_fault f = {0};
	struct ady_call *call;

	body.n -= head->proof;
	if (!slot)
		return; /* too late: its caller has gone */
	if (!answers(head->type, slot->type) ||
	    (head->type == ADY_WIRE_ERROR && ady_wire_read_fault(&f, body) != ADY_OK)) {
		end(l, ADY_E_PROTOCOL);
		return;
	}
	if (lost)
		f = *lost;
	else if (l->config.audit && f.err == ADY_OK && proof.n == 0 && ady_wire_decides(slot->type))
		(void)ady_fail(&f, ADY_E_PROTOCOL, NULL, "the answer of the enclave has no proof");
	ungate(l, slot);
	call = ady_calls_take(&l->calls, slot);
	if (l->config.proof)
		*l->config.proof = lost ? ady_bytes(NULL, 0) : proof;
	call->done(call, body, f.err != ADY_OK ? &f : NULL);
	if (l->config.proof)
		*l->config.proof = ady_bytes(NULL, 0);
}

static void on_held(struct ady_task *task)
{
	static const struct ady_fault lost = {
	    .err = ADY_E_AUDIT,
	    .detail = "what was decided could not be written, and is not answered"};
	struct held *h = (struct held *)task;
	struct ady_link *l = h->link;

	l->held--;
	deliver(l, &h->head, ady_bytes(h->body, h->head.length),
	        h->wait.err == ADY_OK ? NULL : &lost);
	free(h);
	maybe_stopped(l);
}

/* Have the entry of an answer written first. It is also written when nobody waits any more. */
static void hold(struct ady_link *l, const struct ady_wire_head *head, struct ady_bytes body)
{
	struct held *h = malloc(sizeof *h + body.n);

	if (!h)
		ADY_BUG("out of memory");
	h->wait = (struct ady_audit_wait){.task.fn = on_held, .loop = l->config.loop};
	h->link = l;
	h->head = *head;
	memcpy(h->body, body.p, body.n);
	l->held++;
	if (ady_audit_write(l->config.audit, ady_bytes(h->body + body.n - head->proof, head->proof),
	                    &h->wait) == ADY_OK)
		return;
	l->held--;
	free(h);
	end(l, ADY_E_PROTOCOL);
}

static void on_frame(void *ctx, struct ady_channel *ch, const struct ady_wire_head *head,
                     struct ady_bytes body)
{
	struct ady_link *l = ctx;

	if (!(head->type & ADY_WIRE_ANSWER)) {
		if (l->config.question)
			l->config.question(l->config.ctx, head, body);
		else
			ady_channel_end(ch, ADY_E_PROTOCOL);
	} else if (head->proof > 0 && l->config.audit) {
		hold(l, head, body);
	} else {
		deliver(l, head, body, NULL);
	}
}

static const struct ady_channel_events events = {.frame = on_frame, .closed = on_closed};

static void on_dialled(struct ady_task *task)
{
	struct ady_link *l = OWNER(task, struct dial, task)->link;
	int fd = l->dial.fd;

	if (l->dial.err == ADY_OK && l->stopped)
		close(fd);
	else if (l->dial.err == ADY_OK)
		l->dial.err = ady_channel_open(&l->ch, l->config.loop, fd, &events, l);
	if (l->dial.err != ADY_OK || l->stopped) {
		set_report(l, false, "the enclave cannot be connected to");
		connect_later(l);
		maybe_stopped(l);
		return;
	}
	l->state = GREETING;
	l->connection++;
	send_own(l, &l->hello, ADY_WIRE_HELLO);
	ady_timer_set(l->config.loop, &l->timer, BEAT_MS);
}

static void dial_work(struct ady_work *work, size_t worker)
{
	struct dial *d = OWNER(work, struct dial, work);

	(void)worker;
	d->err = ady_dial(&d->fd, &d->link->config.endpoint, DIAL_MS);
	ady_loop_post(d->link->config.loop, &d->task);
}

enum ady_err ady_link_open(struct ady_link **link, const struct ady_link_config *config)
{
	struct ady_link *l = calloc(1, sizeof *l);

	*link = l;
	if (!l)
		return ADY_E_MEMORY;
	l->config = *config;
	pthread_mutex_init(&l->lock, NULL);
	l->timer.fn = on_timer;
	l->hello.done = on_hello;
	l->beat.done = on_beat;
	l->credentials.done = on_credentials;
	l->dial = (struct dial){.work.fn = dial_work, .task.fn = on_dialled, .link = l, .fd = -1};
	set_report(l, false, "not connected yet");
	ady_timer_set(config->loop, &l->timer, 0);
	return ADY_OK;
}

static bool enter_gate(struct ady_gate *gate)
{
	uint32_t now = atomic_fetch_add_explicit(&gate->in_flight, 1, memory_order_relaxed);

	if (now < atomic_load_explicit(&gate->limit, memory_order_relaxed))
		return true;
	atomic_fetch_sub_explicit(&gate->in_flight, 1, memory_order_relaxed);
	return false;
}

enum ady_err ady_link_ask(struct ady_link *l, struct ady_call *call, uint8_t type,
                          struct ady_bytes body, uint32_t deadline_ms)
{
	enum ady_err err;

	if (l->state != UP)
		return ADY_E_ENCLAVE;
	if (l->config.audit && ady_wire_decides(type) && !ady_audit_ready(l->config.audit))
		return ADY_E_AUDIT;
	if (!enter_gate(l->config.gate))
		return ADY_E_BUSY;
	err = send_call(l, call, type, body, deadline_ms, true);
	if (err != ADY_OK)
		atomic_fetch_sub_explicit(&l->config.gate->in_flight, 1, memory_order_relaxed);
	return err;
}

void ady_link_forget(struct ady_link *l, struct ady_call *call)
{
	struct ady_call_slot *slot = call->link == l ? ady_calls_find(&l->calls, call->id) : NULL;

	if (!slot || slot->call != call)
		return;
	if (l->config.audit && ady_wire_decides(slot->type))
		ady_audit_doubt(l->config.audit); /* its answer may never come */
	ungate(l, slot);
	ady_calls_take(&l->calls, slot);
}

bool ady_link_is_up(const struct ady_link *l)
{
	return l->state == UP;
}

bool ady_link_is_ailing(const struct ady_link *l)
{
	return l->ailing;
}

uint64_t ady_link_connection(const struct ady_link *l)
{
	return l->connection;
}

void ady_link_reply(struct ady_link *l, uint64_t connection, uint64_t id, uint8_t type,
                    struct ady_bytes body)
{
	const struct ady_wire_head head = {.type = type, .id = id};

	if (l->ch && connection == l->connection && ady_channel_send(l->ch, &head, body) != ADY_OK)
		end(l, ADY_E_IO);
}

uint64_t ady_link_credentials(const struct ady_link *l)
{
	return l->credentials_version;
}

void ady_link_report(struct ady_link *l, struct ady_link_report *report)
{
	pthread_mutex_lock(&l->lock);
	*report = l->report;
	pthread_mutex_unlock(&l->lock);
	report->status.kms_text = ady_bytes_str(report->kms_text);
}

void ady_link_stop(struct ady_link *l, void (*stopped)(void *ctx))
{
	l->stopped = stopped;
	end(l, ADY_OK);
	if (!l->ch)
		maybe_stopped(l);
}

void ady_link_close(struct ady_link *l)
{
	if (!l)
		return;
	ady_calls_free(&l->calls);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
