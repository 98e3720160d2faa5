/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/marks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct place {
	bool used;
	uint8_t pub[48];
	struct ady_slash_memory memory;
};

struct ady_marks {
	const struct ady_config_validators *config;
	pthread_mutex_t lock;
	size_t n, mask; /* places: mask + 1, at least twice as many as keys */
	struct place *places;
};

enum ady_err ady_marks_open(struct ady_marks **out, const struct ady_config_validators *config)
{
	struct ady_marks *m = calloc(1, sizeof *m);
	size_t n = 2;

	*out = NULL;
	if (!m)
		return ADY_E_MEMORY;
	while (n < 2 * (size_t)config->keys)
		n *= 2;
	m->config = config;
	m->mask = n - 1;
	m->places = calloc(n, sizeof *m->places);
	if (!m->places) {
		free(m);
		return ADY_E_MEMORY;
	}
	pthread_mutex_init(&m->lock, NULL);
	*out = m;
	return ADY_OK;
}

void ady_marks_close(struct ady_marks *m)
{
	if (!m)
		return;
	pthread_mutex_destroy(&m->lock);
	free(m->places);
	free(m);
}

/* Public keys are points of a curve: any eight of their bytes scatter well, and whoever chose keys
 * that do not would have to own them. */
static struct place *find(struct ady_marks *m, const uint8_t pub48[static 48])
{
	size_t i = (size_t)ady_be64(pub48 + 40) & m->mask;

	while (m->places[i].used && memcmp(m->places[i].pub, pub48, 48) != 0)
		i = (i + 1) & m->mask;
	return &m->places[i];
}

static uint64_t slot_at(const struct ady_marks *m, int64_t unix_s, uint64_t later_s)
{
	return ady_beacon_slot_at(&m->config->network,
	                          (unix_s > 0 ? (uint64_t)unix_s : 0) + later_s);
}

/* One slot ahead is signed for. An enclave before this one may have been early by the error of its
 * clock and this one be late by as much. */
static uint64_t floor_at(const struct ady_marks *m, int64_t unix_s)
{
	uint64_t margin =
	    m->config->network.seconds_per_slot + 2 * (uint64_t)m->config->clock_error_s;

	return slot_at(m, unix_s, margin);
}

static struct place *enter(struct ady_marks *m, const uint8_t pub48[static 48], int64_t unix_s)
{
	struct place *p = find(m, pub48);

	if (p->used)
		return p;
	if (m->n == m->config->keys)
		return NULL;
	m->n++;
	p->used = true;
	memcpy(p->pub, pub48, 48);
	ady_slash_remember(&p->memory, floor_at(m, unix_s));
	return p;
}

enum ady_err ady_marks_begin(struct ady_marks *m, const uint8_t pub48[static 48], int64_t unix_s,
                             const struct ady_slash_state *row, const struct ady_slash_ask *ask,
                             struct ady_slash_state *next, bool *repeat, struct ady_fault *f)
{
	const struct ady_slash_time time = {
	    .last_slot = slot_at(m, unix_s, m->config->network.seconds_per_slot),
	    .slots_per_epoch = m->config->network.slots_per_epoch,
	    .lagging_source = m->config->lagging_source,
	};
	enum ady_err err;
	struct place *p;

	pthread_mutex_lock(&m->lock);
	p = enter(m, pub48, unix_s);
	err = p ? ady_slash_begin(&p->memory, row, ask, time, next, repeat, f) : ADY_E_BUSY;
	pthread_mutex_unlock(&m->lock);
	return p ? err
	         : ady_fail(f, err, NULL, "more validators than the configuration has room for");
}

enum ady_err ady_marks_end(struct ady_marks *m, const uint8_t pub48[static 48],
                           const struct ady_slash_state *next, enum ady_slash_outcome outcome,
                           struct ady_fault *f)
{
	enum ady_err err;
	struct place *p;

	pthread_mutex_lock(&m->lock);
	p = find(m, pub48);
	if (!p->used)
		ADY_BUG("a validator that was begun is not known");
	err = ady_slash_end(&p->memory, next, outcome, f);
	pthread_mutex_unlock(&m->lock);
	return err;
}

uint64_t ady_marks_revival(const struct ady_marks *m, int64_t unix_s)
{
	uint64_t epoch = floor_at(m, unix_s) / m->config->network.slots_per_epoch + 1;
	uint64_t quarantine = ady_marks_quarantine(m, unix_s);

	return epoch > quarantine ? epoch : quarantine;
}

void ady_marks_renew(struct ady_marks *m, const uint8_t pub48[static 48], int64_t unix_s)
{
	uint64_t floor = floor_at(m, unix_s);
	struct place *p;

	pthread_mutex_lock(&m->lock);
	p = find(m, pub48);
	if (p->used && floor > p->memory.floor_slot)
		p->memory.floor_slot = floor;
	pthread_mutex_unlock(&m->lock);
}

uint64_t ady_marks_quarantine(const struct ady_marks *m, int64_t unix_s)
{
	uint64_t epoch = slot_at(m, unix_s, 0) / m->config->network.slots_per_epoch;

	return m->config->quarantine_epochs ? epoch + m->config->quarantine_epochs : 0;
}
