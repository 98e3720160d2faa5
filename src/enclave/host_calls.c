/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/host_calls.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"

enum {
	BUCKETS = 1024,
	WRITE_MS = 2000, /* the longest that a write is waited for */
};

struct ady_host_calls {
	pthread_mutex_t lock;
	uint64_t next_id;
	struct ady_job *waiting[BUCKETS]; /* by the id of the question */
};

/* Returns the id of the question: the job may be another's as soon as the lock is let go. */
static uint64_t park(struct ady_host_calls *h, struct ady_job *job)
{
	struct ady_job **at;
	uint64_t id;

	pthread_mutex_lock(&h->lock);
	id = job->host_call = ++h->next_id;
	at = &h->waiting[id % BUCKETS];
	job->next = *at;
	*at = job;
	pthread_mutex_unlock(&h->lock);
	return id;
}

/* Take the job of a question of that connection; NULL: it has gone. */
static struct ady_job *unpark(struct ady_host_calls *h, const struct ady_channel *ch, uint64_t id)
{
	struct ady_job **at = &h->waiting[id % BUCKETS], *job;

	pthread_mutex_lock(&h->lock);
	while (*at && ((*at)->host_call != id || (*at)->asker.ch != ch))
		at = &(*at)->next;
	job = *at;
	if (job)
		*at = job->next;
	pthread_mutex_unlock(&h->lock);
	return job;
}

static bool was_asked(struct ady_host_calls *h, uint64_t id)
{
	bool was;

	pthread_mutex_lock(&h->lock);
	was = id > 0 && id <= h->next_id;
	pthread_mutex_unlock(&h->lock);
	return was;
}

static uint32_t write_ms(const struct ady_job *job)
{
	int64_t left = job->deadline_ms - ady_mono_ms();

	return left < 1 ? 1 : left < WRITE_MS ? (uint32_t)left : WRITE_MS;
}

void ady_host_calls_ask(struct ady_host_calls *h, struct ady_job *job,
                        const struct ady_wire_state_cas *m, ady_host_done *done)
{
	uint8_t space[ADY_WIRE_ROW_MAX + 128];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_channel *ch = job->asker.ch;
	struct ady_wire_head head = {.type = ADY_WIRE_STATE_CAS, .deadline_ms = write_ms(job)};

	ady_wire_put_state_cas(&b, m);
	if (b.full)
		ADY_BUG("a row outgrew its question");
	job->host_done = done;
	job->write_due_ms = ady_mono_ms() + head.deadline_ms;
	ady_channel_ref(ch);
	head.id = park(h, job);
	if (ady_channel_send(ch, &head, ady_buf_bytes(&b)) != ADY_OK &&
	    (job = unpark(h, ch, head.id)))
		job->host_done(job, NULL, ADY_SLASH_UNKNOWN, (struct ady_bytes){0});
	ady_channel_unref(ch);
}

static enum ady_slash_outcome read_outcome(struct ady_wire_state_outcome *m,
                                           const struct ady_wire_head *head, struct ady_bytes body)
{
	if (head->type != (ADY_WIRE_STATE_CAS | ADY_WIRE_ANSWER) ||
	    ady_wire_read_state_outcome(m, body) != ADY_OK)
		return ADY_SLASH_UNKNOWN;
	return m->written ? ADY_SLASH_WRITTEN : ADY_SLASH_CONFLICT;
}

void ady_host_calls_answer(struct ady_host_calls *h, struct ady_space *space,
                           struct ady_channel *ch, const struct ady_wire_head *head,
                           struct ady_bytes body)
{
	struct ady_job *job = unpark(h, ch, head->id);
	struct ady_wire_state_outcome m = {0};
	enum ady_slash_outcome outcome = read_outcome(&m, head, body);

	if (job)
		job->host_done(job, space, outcome, m.state);
	else if (!was_asked(h, head->id))
		ady_channel_end(ch, ADY_E_PROTOCOL);
}

static struct ady_job *take_late(struct ady_host_calls *h)
{
	int64_t now = ady_mono_ms();
	struct ady_job *late = NULL;

	pthread_mutex_lock(&h->lock);
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct ady_job **at = &h->waiting[i], *job; (job = *at);) {
			if (job->write_due_ms > now) {
				at = &job->next;
				continue;
			}
			*at = job->next;
			job->next = late;
			late = job;
		}
	pthread_mutex_unlock(&h->lock);
	return late;
}

void ady_host_calls_sweep(struct ady_host_calls *h)
{
	for (struct ady_job *job = take_late(h), *next; job; job = next) {
		next = job->next;
		job->host_done(job, NULL, ADY_SLASH_UNKNOWN, (struct ady_bytes){0});
	}
}

enum ady_err ady_host_calls_open(struct ady_host_calls **out)
{
	struct ady_host_calls *h = calloc(1, sizeof *h);

	*out = h;
	if (!h)
		return ADY_E_MEMORY;
	pthread_mutex_init(&h->lock, NULL);
	return ADY_OK;
}

void ady_host_calls_close(struct ady_host_calls *h)
{
	if (!h)
		return;
	pthread_mutex_destroy(&h->lock);
	free(h);
}
