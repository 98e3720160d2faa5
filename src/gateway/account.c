/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/account.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { BUCKETS = 4096, HINT_MS = 10000 };

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct account {
	struct account *next; /* of its bucket */
	uint64_t chain, hint;
	uint8_t address[20];
	int64_t hint_ms;
	struct ady_turn *first, *last; /* first has the turn */
};

struct ady_turn {
	struct ady_accounts *accounts;
	struct account *account;
	struct ady_loop *loop;
	struct ady_task task;
	void (*given)(void *ctx);
	void *ctx;
	struct ady_turn *next, *prev;
	bool posted; /* the turn is this one's, and its task is on its way or has run */
	bool ran;    /* loop's thread */
	bool gone;   /* nobody waits for given any more. loop's thread */
};

struct ady_accounts {
	pthread_mutex_t lock; /* guards what follows, and all accounts */
	struct account *buckets[BUCKETS];
};

enum ady_err ady_accounts_open(struct ady_accounts **accounts)
{
	*accounts = calloc(1, sizeof **accounts);
	if (!*accounts)
		return ADY_E_MEMORY;
	pthread_mutex_init(&(*accounts)->lock, NULL);
	return ADY_OK;
}

void ady_accounts_close(struct ady_accounts *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while (a->buckets[i]) {
			struct account *next = a->buckets[i]->next;

			free(a->buckets[i]);
			a->buckets[i] = next;
		}
	pthread_mutex_destroy(&a->lock);
	free(a);
}

/* Addresses are spread by their making (they are hashes). */
static struct account **bucket(struct ady_accounts *a, uint64_t chain, const uint8_t *address20)
{
	uint64_t h;

	memcpy(&h, address20 + 12, sizeof h);
	return &a->buckets[(h ^ chain) % BUCKETS];
}

/* Accounts whose hint has grown old and that nobody uses are dropped when their bucket is passed.
 */
static struct account *find(struct ady_accounts *a, uint64_t chain, const uint8_t *address20)
{
	struct account **at = bucket(a, chain, address20), *found;
	int64_t now = ady_mono_ms();

	while (*at) {
		struct account *x = *at;

		if (x->chain == chain && memcmp(x->address, address20, 20) == 0)
			return x;
		if (!x->first && now - x->hint_ms > HINT_MS) {
			*at = x->next;
			free(x);
			continue;
		}
		at = &x->next;
	}
	found = calloc(1, sizeof *found);
	if (!found)
		ADY_BUG("out of memory");
	found->chain = chain;
	memcpy(found->address, address20, 20);
	*at = found;
	return found;
}

static void on_turn(struct ady_task *task)
{
	struct ady_turn *t = OWNER(task, struct ady_turn, task);

	t->ran = true;
	if (t->gone)
		ady_turn_end(t);
	else
		t->given(t->ctx);
}

/* With the lock: the first has the turn. */
static void give(struct account *x)
{
	if (!x->first || x->first->posted)
		return;
	x->first->posted = true;
	ady_loop_post(x->first->loop, &x->first->task);
}

struct ady_turn *ady_turn_take(struct ady_accounts *accounts, uint64_t chain,
                               const uint8_t address20[static 20], struct ady_loop *loop,
                               void (*given)(void *ctx), void *ctx)
{
	struct ady_turn *t = calloc(1, sizeof *t);
	struct account *x;

	if (!t)
		ADY_BUG("out of memory");
	t->accounts = accounts;
	t->loop = loop;
	t->task.fn = on_turn;
	t->given = given;
	t->ctx = ctx;
	pthread_mutex_lock(&accounts->lock);
	x = t->account = find(accounts, chain, address20);
	t->prev = x->last;
	*(x->last ? &x->last->next : &x->first) = t;
	x->last = t;
	give(x);
	pthread_mutex_unlock(&accounts->lock);
	return t;
}

uint64_t ady_turn_hint(const struct ady_turn *turn)
{
	const struct account *x = turn->account;

	return ady_mono_ms() - x->hint_ms <= HINT_MS ? x->hint : 0;
}

void ady_turn_used(struct ady_turn *turn, uint64_t nonce)
{
	struct account *x = turn->account;

	pthread_mutex_lock(&turn->accounts->lock);
	if (nonce + 1 > ady_turn_hint(turn))
		x->hint = nonce + 1;
	x->hint_ms = ady_mono_ms();
	pthread_mutex_unlock(&turn->accounts->lock);
}

void ady_turn_end(struct ady_turn *t)
{
	struct ady_accounts *a;
	struct account *x;
	bool posted;

	if (!t)
		return;
	a = t->accounts;
	x = t->account;
	pthread_mutex_lock(&a->lock);
	posted = t->posted;
	if (!posted || t->ran) {
		*(t->prev ? &t->prev->next : &x->first) = t->next;
		*(t->next ? &t->next->prev : &x->last) = t->prev;
		give(x);
	}
	pthread_mutex_unlock(&a->lock);
	if (!posted || t->ran)
		free(t);
	else
		t->gone = true; /* its task is on its way, and ends it */
}
