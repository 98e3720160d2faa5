/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/ledger.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MIN = 256 };

struct entry {
	struct entry *next;
	uint8_t name[ADY_TALLY_NAME];
	bool born, busy;
	unsigned coming;              /* first rows of it that are being written, out of turn */
	struct ady_job *first, *last; /* who waits for the turn, by next */
	uint8_t *row;                 /* heap */
	size_t row_n, row_cap;
	struct ady_share *share; /* of the key's tenant */
	uint64_t taken;          /* of it */
};

struct ady_ledger {
	pthread_mutex_t lock;
	size_t mask;
	uint64_t least; /* that a key counts as */
	struct ady_budget budget;
	struct ady_shares shares;
	struct entry **buckets;
};

/* What the heap adds to a block. */
enum { BLOCK = 32 };
_Static_assert(sizeof(struct entry) + 2 * BLOCK <= ADY_LEDGER_KEY_BYTES - ADY_TALLY_ROW_MAX,
               "a key takes more than is said");

enum ady_err ady_ledger_open(struct ady_ledger **out, size_t keys, uint64_t bytes)
{
	struct ady_ledger *l = calloc(1, sizeof *l);
	size_t n = BUCKETS_MIN;

	*out = NULL;
	if (!l)
		return ADY_E_MEMORY;
	while (n < keys)
		n *= 2;
	l->least = bytes / keys;
	l->budget.total = bytes;
	l->mask = n - 1;
	l->buckets = calloc(n, sizeof(struct entry *));
	if (!l->buckets) {
		free(l);
		return ADY_E_MEMORY;
	}
	pthread_mutex_init(&l->lock, NULL);
	pthread_mutex_init(&l->budget.lock, NULL);
	*out = l;
	return ADY_OK;
}

static void free_entry(struct ady_ledger *l, struct entry *e)
{
	ady_budget_give(&l->budget, e->share, e->taken);
	free(e->row);
	free(e);
}

void ady_ledger_close(struct ady_ledger *l)
{
	if (!l)
		return;
	for (size_t i = 0; i <= l->mask; i++)
		for (struct entry *e = l->buckets[i], *next; e; e = next) {
			next = e->next;
			free_entry(l, e);
		}
	pthread_mutex_destroy(&l->lock);
	pthread_mutex_destroy(&l->budget.lock);
	free(l->buckets);
	free(l);
}

/* Names are hashes: any eight of their bytes scatter well. */
static struct entry **find(struct ady_ledger *l, const uint8_t *name)
{
	struct entry **at = &l->buckets[(size_t)ady_be64(name) & l->mask];

	while (*at && memcmp((*at)->name, name, ADY_TALLY_NAME) != 0)
		at = &(*at)->next;
	return at;
}

/* Count a key as what it takes with a row of cap bytes. */
static bool count(struct ady_ledger *l, struct entry *e, size_t cap)
{
	uint64_t bytes = sizeof *e + cap + 2 * BLOCK;

	bytes = bytes > l->least ? bytes : l->least;
	if (bytes > e->taken && !ady_budget_take(&l->budget, e->share, bytes - e->taken))
		return false;
	e->taken = bytes > e->taken ? bytes : e->taken;
	return true;
}

static enum ady_err find_or_add(struct ady_ledger *l, const struct ady_job *job, struct entry **out)
{
	struct entry **at = find(l, job->sign.charging.name);

	*out = *at;
	if (*at)
		return ADY_OK;
	*out = calloc(1, sizeof **out);
	if (!*out)
		return ADY_E_MEMORY;
	(*out)->share = ady_share_of(&l->shares, job->sign.record.tenant);
	if (!count(l, *out, 0)) {
		free(*out);
		return ADY_E_BUSY;
	}
	memcpy((*out)->name, job->sign.charging.name, ADY_TALLY_NAME);
	*at = *out;
	return ADY_OK;
}

/* Take an entry out of the table, if nothing of its key was seen and nobody counts on it. */
static void remove_unused(struct ady_ledger *l, struct entry **at)
{
	struct entry *e = *at;

	if (e->row_n > 0 || e->busy || e->coming > 0)
		return;
	*at = e->next;
	free_entry(l, e);
}

enum ady_err ady_ledger_enter(struct ady_ledger *l, struct ady_job *job)
{
	struct entry *e;
	enum ady_err err;

	pthread_mutex_lock(&l->lock);
	err = find_or_add(l, job, &e);
	job->has_turn = err == ADY_OK && !e->busy;
	if (job->has_turn) {
		e->busy = true;
	} else if (err == ADY_OK) {
		job->next = NULL;
		if (e->first)
			e->last->next = job;
		else
			e->first = job;
		e->last = job;
		err = ADY_E_AGAIN;
	}
	pthread_mutex_unlock(&l->lock);
	return err;
}

/* A key of which nothing authentic was seen leaves nothing behind. */
struct ady_job *ady_ledger_leave(struct ady_ledger *l, const struct ady_job *job)
{
	struct entry **at, *e;
	struct ady_job *next;

	pthread_mutex_lock(&l->lock);
	at = find(l, job->sign.charging.name);
	e = *at;
	if (!e || !e->busy)
		ADY_BUG("a turn that nobody had has ended");
	next = e->first;
	if (next) {
		e->first = next->next;
		next->has_turn = true;
	} else {
		e->busy = false;
		remove_unused(l, at);
	}
	pthread_mutex_unlock(&l->lock);
	return next;
}

/* Whoever remembers a row may look at it no longer. */
static enum ady_err room(struct ady_ledger *l, struct entry *e, size_t n)
{
	uint8_t *more;

	if (n <= e->row_cap)
		return ADY_OK;
	if (!count(l, e, n))
		return ADY_E_BUSY;
	more = calloc(1, n);
	if (!more)
		return ADY_E_MEMORY;
	if (e->row_n > 0)
		memcpy(more, e->row, e->row_n);
	free(e->row);
	e->row = more;
	e->row_cap = n;
	return ADY_OK;
}

static enum ady_err keep(struct ady_ledger *l, struct entry *e, struct ady_bytes row)
{
	enum ady_err err;

	if (e->row_n > 0 &&
	    ady_tally_version(row) <= ady_tally_version(ady_bytes(e->row, e->row_n)))
		return ADY_OK;
	if ((err = room(l, e, row.n)) != ADY_OK)
		return err;
	memcpy(e->row, row.p, row.n);
	e->row_n = row.n;
	return ADY_OK;
}

/* Without the turn: a row that there is may be looked at by whose turn it is, and stays. */
static enum ady_err room_of_first(struct ady_ledger *l, struct entry *e, size_t n)
{
	enum ady_err err = e->row_n > 0 ? ADY_E_EXISTS : room(l, e, n);

	if (err == ADY_OK)
		e->coming++;
	else
		remove_unused(l, find(l, e->name));
	return err;
}

enum ady_err ady_ledger_room(struct ady_ledger *l, const struct ady_job *job, size_t n)
{
	struct entry *e;
	enum ady_err err;

	pthread_mutex_lock(&l->lock);
	err = find_or_add(l, job, &e);
	if (err == ADY_OK)
		err = job->has_turn ? room(l, e, n) : room_of_first(l, e, n);
	pthread_mutex_unlock(&l->lock);
	return err;
}

/* A first row is written, or will not be. */
static void has_come(struct entry *e)
{
	if (e->coming > 0)
		e->coming--;
}

void ady_ledger_drop(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME])
{
	struct entry **at;

	pthread_mutex_lock(&l->lock);
	at = find(l, name);
	if (*at) {
		has_come(*at);
		remove_unused(l, at);
	}
	pthread_mutex_unlock(&l->lock);
}

/* The entry of a key that is in the table. */
static struct entry *known(struct ady_ledger *l, const uint8_t *name)
{
	struct entry *e = *find(l, name);

	if (!e)
		ADY_BUG("a key that has its turn or its room is not known");
	return e;
}

struct ady_bytes ady_ledger_row(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME],
                                bool *born)
{
	struct ady_bytes row;
	const struct entry *e;

	pthread_mutex_lock(&l->lock);
	e = known(l, name);
	row = ady_bytes(e->row, e->row_n);
	*born = e->born;
	pthread_mutex_unlock(&l->lock);
	return row;
}

bool ady_ledger_is_born(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME])
{
	const struct entry *e;
	bool born;

	pthread_mutex_lock(&l->lock);
	e = *find(l, name);
	born = e && e->born;
	pthread_mutex_unlock(&l->lock);
	return born;
}

enum ady_err ady_ledger_learn(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME],
                              struct ady_bytes row)
{
	enum ady_err err;

	pthread_mutex_lock(&l->lock);
	err = keep(l, known(l, name), row);
	pthread_mutex_unlock(&l->lock);
	return err;
}

enum ady_err ady_ledger_born(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME],
                             struct ady_bytes row)
{
	struct entry *e;
	enum ady_err err;

	pthread_mutex_lock(&l->lock);
	e = known(l, name);
	has_come(e);
	err = e->row_n > 0 ? ADY_E_EXISTS : keep(l, e, row);
	e->born = e->born || err == ADY_OK;
	pthread_mutex_unlock(&l->lock);
	return err;
}
