/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/desk.h"

#include <pthread.h>
#include <stdlib.h>

struct paper {
	struct ady_channel *ch; /* with a reference */
	struct ady_wire_head head;
	struct ady_bytes body; /* in the desk's space */
	size_t tail_n;
	uint8_t tail[ADY_AUDIT_ENTRY_MAX];
};

struct ady_desk {
	struct ady_notary *notary;
	struct ady_loop *loop;
	struct ady_task task;
	pthread_mutex_t lock; /* guards what follows */
	bool posted;
	size_t n;
	struct paper papers[ADY_NOTARY_TOGETHER];
	struct ady_buf bodies; /* over space */
	uint8_t space[ADY_WIRE_BODY_MAX];
	uint8_t proofs[ADY_NOTARY_PROOFS];
};

/* Prove and send what lies here; the lock is held. */
static void clear(struct ady_desk *d)
{
	struct ady_buf proofs = ady_buf(d->proofs, sizeof d->proofs);
	struct ady_bytes tails[ADY_NOTARY_TOGETHER];
	size_t ends[ADY_NOTARY_TOGETHER];

	if (d->n == 0)
		return;
	for (size_t i = 0; i < d->n; i++)
		tails[i] = ady_bytes(d->papers[i].tail, d->papers[i].tail_n);
	ady_notary_prove(d->notary, tails, d->n, &proofs, ends);
	for (size_t i = 0; i < d->n; i++) {
		const struct paper *p = &d->papers[i];
		size_t at = i ? ends[i - 1] : 0;

		/* A connection that has ended takes nothing: its gateway asks for the entry. */
		(void)ady_channel_send_proved(p->ch, &p->head, p->body,
		                              ady_bytes(d->proofs + at, ends[i] - at));
		ady_channel_unref(p->ch);
	}
	d->n = 0;
	d->bodies.n = 0;
}

static void on_round_end(struct ady_task *task)
{
	struct ady_desk *d = (struct ady_desk *)((char *)task - offsetof(struct ady_desk, task));

	pthread_mutex_lock(&d->lock);
	d->posted = false;
	clear(d);
	pthread_mutex_unlock(&d->lock);
}

enum ady_err ady_desk_open(struct ady_desk **out, struct ady_notary *notary, struct ady_loop *loop)
{
	struct ady_desk *d = calloc(1, sizeof *d);

	*out = d;
	if (!d)
		return ADY_E_MEMORY;
	d->notary = notary;
	d->loop = loop;
	d->task.fn = on_round_end;
	d->bodies = ady_buf(d->space, sizeof d->space);
	pthread_mutex_init(&d->lock, NULL);
	return ADY_OK;
}

/* Put a paper on the desk; there is room. */
static void put(struct ady_desk *d, struct ady_channel *ch, const struct ady_wire_head *head,
                struct ady_bytes body, const struct ady_audit_entry *entry)
{
	struct paper *p = &d->papers[d->n++];
	struct ady_buf tail = ady_buf(p->tail, sizeof p->tail);

	ady_channel_ref(ch);
	p->ch = ch;
	p->head = *head;
	p->body = ady_bytes(d->space + d->bodies.n, body.n);
	ady_buf_view(&d->bodies, body);
	ady_audit_put_tail(&tail, entry);
	p->tail_n = tail.n;
	if (d->bodies.full || tail.full)
		ADY_BUG("an answer outgrew the desk");
}

void ady_desk_leave(struct ady_desk *d, struct ady_channel *ch, const struct ady_wire_head *head,
                    struct ady_bytes body, const struct ady_audit_entry *entry)
{
	bool post;

	pthread_mutex_lock(&d->lock);
	if (body.n > d->bodies.cap - d->bodies.n)
		clear(d);
	put(d, ch, head, body, entry);
	if (d->n == ADY_NOTARY_TOGETHER)
		clear(d);
	post = d->n > 0 && !d->posted;
	d->posted = d->posted || post;
	pthread_mutex_unlock(&d->lock);
	if (post)
		ady_loop_post(d->loop, &d->task);
}
