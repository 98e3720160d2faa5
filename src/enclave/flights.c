/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/flights.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct ady_flights {
	pthread_mutex_t lock;
	struct ady_job *leaders; /* linked by flight.other */
	size_t waiting;
};

enum ady_err ady_flights_open(struct ady_flights **fl)
{
	*fl = calloc(1, sizeof **fl);
	if (!*fl)
		return ADY_E_MEMORY;
	pthread_mutex_init(&(*fl)->lock, NULL);
	return ADY_OK;
}

void ady_flights_close(struct ady_flights *fl)
{
	if (!fl)
		return;
	pthread_mutex_destroy(&fl->lock);
	free(fl);
}

/* The link to the leader of that data key, or to NULL. Few fly at once: one a KMS thread, and
 * those in the pool's queue. */
static struct ady_job **find(struct ady_flights *fl, const struct ady_data_key_name *name)
{
	struct ady_job **link = &fl->leaders;

	while (*link && memcmp(&(*link)->flight.name, name, sizeof *name) != 0)
		link = &(*link)->flight.other;
	return link;
}

bool ady_flights_join(struct ady_flights *fl, struct ady_job *job)
{
	struct ady_job **link, *leader;

	job->next = job->flight.first = job->flight.other = NULL;
	pthread_mutex_lock(&fl->lock);
	link = find(fl, &job->flight.name);
	leader = *link;
	if (!leader) {
		*link = job;
	} else {
		if (leader->flight.first)
			leader->flight.last->next = job;
		else
			leader->flight.first = job;
		leader->flight.last = job;
		fl->waiting++;
	}
	pthread_mutex_unlock(&fl->lock);
	return !leader;
}

struct ady_job *ady_flights_next(struct ady_flights *fl, struct ady_job *leader)
{
	struct ady_job **link, *next;

	pthread_mutex_lock(&fl->lock);
	link = find(fl, &leader->flight.name);
	next = leader->flight.first;
	if (next) {
		next->flight.first = next->next;
		next->flight.last = leader->flight.last;
		next->flight.other = leader->flight.other;
		next->next = NULL;
		*link = next;
		fl->waiting--;
	} else {
		*link = leader->flight.other;
	}
	pthread_mutex_unlock(&fl->lock);
	return next;
}

/* Move those behind leader whose time is over to the end of a list. */
static struct ady_job **take_expired(struct ady_flights *fl, struct ady_job *leader,
                                     struct ady_job **end)
{
	struct ady_job **link = &leader->flight.first, *job;

	leader->flight.last = NULL;
	while ((job = *link)) {
		if (!ady_job_expired(job)) {
			leader->flight.last = job;
			link = &job->next;
			continue;
		}
		*link = job->next;
		job->next = NULL;
		*end = job;
		end = &job->next;
		fl->waiting--;
	}
	return end;
}

struct ady_job *ady_flights_expired(struct ady_flights *fl)
{
	struct ady_job *expired = NULL, **end = &expired;

	pthread_mutex_lock(&fl->lock);
	for (struct ady_job *leader = fl->leaders; leader; leader = leader->flight.other)
		end = take_expired(fl, leader, end);
	pthread_mutex_unlock(&fl->lock);
	return expired;
}

size_t ady_flights_waiting(struct ady_flights *fl)
{
	size_t n;

	pthread_mutex_lock(&fl->lock);
	n = fl->waiting;
	pthread_mutex_unlock(&fl->lock);
	return n;
}
