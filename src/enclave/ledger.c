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
	struct ady_job *first, *last; /* who waits for the turn, by next */
	uint8_t *row;                 /* heap */
	size_t row_n;
};

struct ady_ledger {
	pthread_mutex_t lock;
	size_t n, max, mask;
	struct entry **buckets;
};

enum ady_err ady_ledger_open(struct ady_ledger **out, size_t keys)
{
	struct ady_ledger *l = calloc(1, sizeof *l);
	size_t n = BUCKETS_MIN;

	*out = NULL;
	if (!l)
		return ADY_E_MEMORY;
	while (n < keys)
		n *= 2;
	l->max = keys;
	l->mask = n - 1;
	l->buckets = calloc(n, sizeof(struct entry *));
	if (!l->buckets) {
		free(l);
		return ADY_E_MEMORY;
	}
	pthread_mutex_init(&l->lock, NULL);
	*out = l;
	return ADY_OK;
}

static void free_entry(struct entry *e)
{
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
			free_entry(e);
		}
	pthread_mutex_destroy(&l->lock);
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

static enum ady_err find_or_add(struct ady_ledger *l, const uint8_t *name, struct entry **out)
{
	struct entry **at = find(l, name);

	if (!*at && l->n == l->max)
		return ADY_E_BUSY;
	if (!*at) {
		*at = calloc(1, sizeof **at);
		if (!*at)
			return ADY_E_MEMORY;
		memcpy((*at)->name, name, ADY_TALLY_NAME);
		l->n++;
	}
	*out = *at;
	return ADY_OK;
}

enum ady_err ady_ledger_enter(struct ady_ledger *l, struct ady_job *job)
{
	struct entry *e;
	enum ady_err err;

	pthread_mutex_lock(&l->lock);
	err = find_or_add(l, job->sign.charging.name, &e);
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
		if (e->row_n == 0) {
			*at = e->next;
			free_entry(e);
			l->n--;
		}
	}
	pthread_mutex_unlock(&l->lock);
	return next;
}

struct ady_bytes ady_ledger_row(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME],
                                bool *born)
{
	struct ady_bytes row;
	struct entry *e;

	pthread_mutex_lock(&l->lock);
	e = *find(l, name);
	if (!e)
		ADY_BUG("a key whose turn it is is not known");
	row = ady_bytes(e->row, e->row_n);
	*born = e->born;
	pthread_mutex_unlock(&l->lock);
	return row;
}

static enum ady_err keep(struct entry *e, struct ady_bytes row)
{
	uint8_t *copy;

	if (e->row_n > 0 &&
	    ady_tally_version(row) <= ady_tally_version(ady_bytes(e->row, e->row_n)))
		return ADY_OK;
	copy = malloc(row.n);
	if (!copy)
		return ADY_E_MEMORY;
	memcpy(copy, row.p, row.n);
	free(e->row);
	e->row = copy;
	e->row_n = row.n;
	return ADY_OK;
}

enum ady_err ady_ledger_learn(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME],
                              struct ady_bytes row)
{
	struct entry *e;
	enum ady_err err;

	pthread_mutex_lock(&l->lock);
	err = find_or_add(l, name, &e);
	if (err == ADY_OK)
		err = keep(e, row);
	pthread_mutex_unlock(&l->lock);
	return err;
}

enum ady_err ady_ledger_born(struct ady_ledger *l, const uint8_t name[static ADY_TALLY_NAME],
                             struct ady_bytes row)
{
	struct entry *e;
	enum ady_err err;

	pthread_mutex_lock(&l->lock);
	err = find_or_add(l, name, &e);
	if (err == ADY_OK && e->row_n > 0)
		err = ADY_E_EXISTS;
	if (err == ADY_OK && (err = keep(e, row)) == ADY_OK)
		e->born = true;
	pthread_mutex_unlock(&l->lock);
	return err;
}
