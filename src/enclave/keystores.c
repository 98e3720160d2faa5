/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/keystores.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "signer/import.h"

/* A tenth of a lane's share of a core that both want: imports go on under load, and slowly. */
enum { NICE = 10, WAITING_MAX = 128, MIB = 1024 * 1024 };

/* What the pool queues: whose turn it is is found when a thread is free. */
struct ticket {
	struct ady_work work; /* first: the pool gives it back as this */
	struct ady_keystores *owner;
	struct ticket *next;
};

struct ady_keystores {
	struct ady_pool *pool;
	pthread_mutex_t queue_lock; /* guards the queue */
	struct ticket *tickets, *free;
	struct ady_job *first; /* who waits, by turn, by next */
	uint64_t round;        /* the turn of the last that was begun */
	struct ady_budget places;
	struct ady_shares shares;
	struct ady_arena *sealed; /* what was sealed, one a thread */
	struct ady_arena *keys;
	uint8_t **plain; /* of each thread, in sealed */
	pthread_mutex_t lock;
	pthread_cond_t freed;
	uint64_t memory, used;
	uint64_t next, turn; /* who waits has a number; it is the turn of one of them */
};

/* --- memory --- */

/* Wait for room until the job's time is over. Whoever is first in line may take what is free. */
static enum ady_err reserve(struct ady_keystores *ks, uint64_t bytes, const struct ady_job *job,
                            struct ady_fault *f)
{
	const struct timespec due = {.tv_sec = job->deadline_ms / 1000,
	                             .tv_nsec = job->deadline_ms % 1000 * 1000000};
	enum ady_err err;
	uint64_t number;

	if (bytes > ks->memory)
		return ady_fail(f, ADY_E_TOO_LARGE, "keystore.crypto",
		                "needs %llu MiB of memory, and this enclave has %llu MiB for "
		                "keystores",
		                (unsigned long long)(bytes / MIB),
		                (unsigned long long)(ks->memory / MIB));
	pthread_mutex_lock(&ks->lock);
	number = ks->next++;
	while (number != ks->turn)
		pthread_cond_wait(&ks->freed, &ks->lock);
	while (bytes > ks->memory - ks->used && !ady_job_expired(job))
		(void)pthread_cond_clockwait(&ks->freed, &ks->lock, CLOCK_MONOTONIC, &due);
	err = ady_job_in_time(job, "there was memory for the keystore", f);
	if (err == ADY_OK)
		ks->used += bytes;
	ks->turn++;
	pthread_cond_broadcast(&ks->freed);
	pthread_mutex_unlock(&ks->lock);
	return err;
}

static void release(struct ady_keystores *ks, uint64_t bytes)
{
	pthread_mutex_lock(&ks->lock);
	ks->used -= bytes;
	pthread_cond_broadcast(&ks->freed);
	pthread_mutex_unlock(&ks->lock);
}

/* --- opening --- */

static enum ady_err open_keystore(struct ady_keystores *ks, struct ady_job *job,
                                  struct ady_bytes password, struct ady_fault *f)
{
	const uint64_t memory = ady_keystore_memory(&job->keystore);
	enum ady_err err = reserve(ks, memory, job, f);

	if (err != ADY_OK)
		return err;
	job->taken = ady_arena_take(ks->keys);
	if (!job->taken)
		ADY_BUG("more keys than jobs");
	err = ady_keystore_open(job->taken, &job->keystore, password, f);
	release(ks, memory);
	return err;
}

/* Not inlined: see ady_stack_wipe. */
static __attribute__((noinline)) enum ady_err derive(struct ady_keystores *ks, uint8_t *room,
                                                     const struct ady_import_key *import_key,
                                                     struct ady_job *job, struct ady_fault *f)
{
	const bool v3 = job->import_form == ADY_IMPORT_V3;
	struct ady_bytes plain = {0}, text = {0}, password = {0};
	enum ady_err err = ady_import_key_unseal(import_key, room, ady_buf_bytes(&job->sign.raw),
	                                         job->sign.digest, &plain, f);

	if (err == ADY_OK)
		err = ady_keystore_pair_read(&text, &password, plain, f);
	if (err == ADY_OK)
		err = ady_keystore_read(&job->keystore, v3 ? ADY_KEYSTORE_V3 : ADY_KEYSTORE_EIP2335,
		                        text, f);
	return err == ADY_OK ? open_keystore(ks, job, password, f) : err;
}

enum ady_err ady_keystores_derive(struct ady_keystores *ks, size_t worker,
                                  const struct ady_import_key *import_key, struct ady_job *job,
                                  struct ady_fault *f)
{
	uint8_t *room = ks->plain[worker];
	enum ady_err err = ady_job_in_time(job, "the keystore was opened", f);

	if (err != ADY_OK)
		return err;
	err = derive(ks, room, import_key, job, f);
	ady_zero(room, ADY_WIRE_KEYSTORE_MAX);
	ady_stack_wipe();
	if (err == ADY_OK)
		return ADY_OK;
	ady_keystores_give(ks, job->taken);
	job->taken = NULL;
	return err;
}

void ady_keystores_give(struct ady_keystores *ks, struct ady_seckey *key)
{
	ady_arena_give(ks->keys, key);
}

/* --- threads --- */

/* Let the first of those that wait begin, on a thread that is free. */
static void run_next(struct ady_work *work, size_t worker)
{
	struct ticket *ticket = (struct ticket *)work;
	struct ady_keystores *ks = ticket->owner;
	struct ady_job *job;

	pthread_mutex_lock(&ks->queue_lock);
	ticket->next = ks->free;
	ks->free = ticket;
	job = ks->first;
	ks->first = job->next;
	ks->round = job->turn;
	ady_budget_give(&ks->places, job->place, 1);
	pthread_mutex_unlock(&ks->queue_lock);
	job->work.fn(&job->work, worker);
}

/* Behind those of the same turn. The lock is held, and there is a ticket for each place. */
static struct ticket *enqueue(struct ady_keystores *ks, struct ady_job *job)
{
	struct ady_job **at = &ks->first;
	struct ticket *ticket = ks->free;

	while (*at && (*at)->turn <= job->turn)
		at = &(*at)->next;
	job->next = *at;
	*at = job;
	ks->free = ticket->next;
	ticket->work = (struct ady_work){.fn = run_next};
	ticket->owner = ks;
	return ticket;
}

/* The n-th of a tenant that waits has its turn n rounds from now. */
enum ady_err ady_keystores_submit(struct ady_keystores *ks, struct ady_job *job,
                                  struct ady_fault *f)
{
	struct ticket *ticket = NULL;

	if (!ks->pool)
		return ady_fail(f, ADY_E_DENIED, "", "this enclave takes no keystores");
	job->place = ady_share_of(&ks->shares, job->sign.record.tenant);
	pthread_mutex_lock(&ks->queue_lock);
	job->turn = ks->round + job->place->held;
	if (ady_budget_take(&ks->places, job->place, 1))
		ticket = enqueue(ks, job);
	pthread_mutex_unlock(&ks->queue_lock);
	if (!ticket)
		return ady_fail(f, ADY_E_BUSY, "",
		                "the tenant has its share of the keystores that may wait");
	if (ady_pool_submit(ks->pool, &ticket->work) != ADY_OK)
		ADY_BUG("the pool has fewer places than there are");
	return ADY_OK;
}

static enum ady_err make_tickets(struct ady_keystores *ks, size_t n)
{
	ks->places.total = WAITING_MAX;
	ks->tickets = calloc(n, sizeof *ks->tickets);
	if (!ks->tickets)
		return ADY_E_MEMORY;
	for (size_t i = n; i-- > 0; ks->free = &ks->tickets[i])
		ks->tickets[i].next = ks->free;
	return ADY_OK;
}

static enum ady_err open_all(struct ady_keystores *ks, size_t threads, size_t keys)
{
	enum ady_err err = ady_arena_open(&ks->sealed, threads, ADY_WIRE_KEYSTORE_MAX);

	if (err == ADY_OK)
		err = make_tickets(ks, WAITING_MAX + threads);
	if (err == ADY_OK)
		err = ady_arena_open(&ks->keys, keys, sizeof(struct ady_seckey));
	ks->plain = calloc(threads, sizeof *ks->plain);
	if (!ks->plain)
		return ADY_E_MEMORY;
	for (size_t i = 0; i < threads && err == ADY_OK; i++)
		ks->plain[i] = ady_arena_take(ks->sealed);
	return err == ADY_OK ? ady_pool_open_nice(&ks->pool, threads, WAITING_MAX + threads, NICE)
	                     : err;
}

enum ady_err ady_keystores_open(struct ady_keystores **out, size_t threads, uint64_t memory,
                                size_t keys)
{
	struct ady_keystores *ks = calloc(1, sizeof *ks);
	enum ady_err err = ADY_OK;

	*out = NULL;
	if (!ks)
		return ADY_E_MEMORY;
	pthread_mutex_init(&ks->lock, NULL);
	pthread_mutex_init(&ks->queue_lock, NULL);
	pthread_mutex_init(&ks->places.lock, NULL);
	pthread_cond_init(&ks->freed, NULL);
	ks->memory = memory;
	if (threads > 0 && memory > 0)
		err = open_all(ks, threads, keys);
	if (err != ADY_OK) {
		ady_keystores_close(ks);
		return err;
	}
	*out = ks;
	return ADY_OK;
}

void ady_keystores_close(struct ady_keystores *ks)
{
	if (!ks)
		return;
	ady_pool_close(ks->pool);
	ady_arena_close(ks->keys);
	ady_arena_close(ks->sealed);
	free(ks->plain);
	free(ks->tickets);
	pthread_mutex_destroy(&ks->places.lock);
	pthread_mutex_destroy(&ks->queue_lock);
	pthread_cond_destroy(&ks->freed);
	pthread_mutex_destroy(&ks->lock);
	free(ks);
}
