/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/keystores.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "crypto/hpke.h"
#include "failing.h"
#include "signer/import.h"
#include "test.h"

enum { JOBS = 12, MIB = 1024 * 1024 };

/* scrypt with n 16384 and r 8 takes 16 MiB; the password is another, so that no key comes out. */
static const char file[] =
    "{\"version\":4,\"crypto\":{\"kdf\":{\"function\":\"scrypt\",\"params\":{\"dklen\":32,"
    "\"n\":16384,\"p\":1,\"r\":8,\"salt\":\"00\"},\"message\":\"\"},\"checksum\":{\"function\":"
    "\"sha256\",\"params\":{},\"message\":"
    "\"0000000000000000000000000000000000000000000000000000000000000000\"},\"cipher\":{"
    "\"function\":\"aes-128-ctr\",\"params\":{\"iv\":\"00000000000000000000000000000000\"},"
    "\"message\":\"0000000000000000000000000000000000000000000000000000000000000000\"}}}";

static struct ady_keystores *ks;
static struct ady_import_key *import_key;
static struct ady_job *jobs[JOBS];
static struct ady_fault faults[JOBS];
static atomic_uint answered;

static void run(struct ady_work *work, size_t worker)
{
	struct ady_job *job = (struct ady_job *)work;
	size_t i = job->id_n;

	faults[i] = (struct ady_fault){0};
	(void)!ady_keystores_derive(ks, worker, import_key, job, &faults[i]);
	atomic_fetch_add(&answered, 1);
}

/* A job with a sealed keystore in it. */
static struct ady_job *make(size_t i, int64_t wait_ms)
{
	struct ady_job *job = calloc(1, sizeof *job);
	uint8_t enc[ADY_HPKE_KEY], plain[2048], sealed[2048 + ADY_HPKE_TAG];
	struct ady_buf b = ady_buf(plain, sizeof plain);

	ady_keystore_pair_put(&b, ady_bytes_str(file), ady_bytes_str("password"));
	CHECK_ERR(ady_hpke_seal(enc, sealed, ady_import_key_public(import_key).p,
	                        ady_bytes_str(ADY_IMPORT_INFO), ady_bytes(job->sign.digest, 32),
	                        ady_buf_bytes(&b)),
	          ADY_OK);
	job->sign.raw = ady_buf(job->sign.raw_space, sizeof job->sign.raw_space);
	ady_buf_put(&job->sign.raw, enc, sizeof enc);
	ady_buf_put(&job->sign.raw, sealed, b.n + ADY_HPKE_TAG);
	job->import_form = ADY_IMPORT_EIP2335;
	job->deadline_ms = ady_mono_ms() + wait_ms;
	job->id_n = i;
	job->work = (struct ady_work){.fn = run};
	return job;
}

/* Run n jobs to their ends, and count those that ended with err. */
static unsigned run_all(size_t threads, uint64_t memory, size_t n, int64_t wait_ms,
                        enum ady_err err)
{
	struct ady_fault f = {0};
	unsigned count = 0;

	atomic_store(&answered, 0);
	CHECK_ERR(ady_import_key_open(&import_key), ADY_OK);
	CHECK_ERR(ady_keystores_open(&ks, threads, memory, n), ADY_OK);
	for (size_t i = 0; i < n; i++) {
		jobs[i] = make(i, wait_ms);
		CHECK_ERR(ady_keystores_submit(ks, jobs[i], &f), ADY_OK);
	}
	ady_keystores_close(ks);
	CHECK_INT(atomic_load(&answered), n);
	for (size_t i = 0; i < n; i++) {
		count += faults[i].err == err;
		CHECK(!jobs[i]->taken && (faults[i].err == err || wait_ms < 1000));
		free(jobs[i]);
	}
	ady_import_key_close(import_key);
	return count;
}

CASE(more_threads_than_memory_wait_for_each_other)
{
	CHECK_INT(run_all(4, 17 * MIB, JOBS, 600000, ADY_E_PASSWORD), JOBS);
	CHECK_INT(run_all(4, 200 * MIB, JOBS, 600000, ADY_E_PASSWORD), JOBS);
}

CASE(what_does_not_fit_at_all_is_refused_at_once)
{
	int64_t began = ady_mono_ms();

	CHECK_INT(run_all(2, 16 * MIB, 4, 600000, ADY_E_TOO_LARGE), 4);
	CHECK(ady_mono_ms() - began < 5000);
	CHECK_STR(faults[0].where, "keystore.crypto");
	CHECK_STR(faults[0].detail,
	          "needs 16 MiB of memory, and this enclave has 16 MiB for keystores");
}

/* Those behind the first have no time left, whether their turn comes or not. */
CASE(a_deadline_passes_while_waiting)
{
	CHECK(run_all(4, 17 * MIB, JOBS, 60, ADY_E_DEADLINE) > 0);
	CHECK_INT(run_all(4, 17 * MIB, JOBS, 0, ADY_E_DEADLINE), JOBS);
}

CASE(without_threads_or_memory_nothing_is_taken)
{
	static const struct {
		size_t threads;
		uint64_t memory;
	} none[] = {{0, MIB}, {2, 0}};
	static struct ady_job job;
	struct ady_fault f = {0};

	for (size_t i = 0; i < 2; i++) {
		CHECK_ERR(ady_keystores_open(&ks, none[i].threads, none[i].memory, 1), ADY_OK);
		CHECK_ERR(ady_keystores_submit(ks, &job, &f), ADY_E_DENIED);
		CHECK_STR(f.detail, "this enclave takes no keystores");
		ady_keystores_give(ks, NULL);
		ady_keystores_close(ks);
	}
	ady_keystores_close(NULL);
}

CASE(what_was_not_sealed_for_this_job_is_refused)
{
	struct ady_fault f = {0};
	struct ady_job *job;

	CHECK_ERR(ady_import_key_open(&import_key), ADY_OK);
	CHECK_ERR(ady_keystores_open(&ks, 1, 64 * MIB, 1), ADY_OK);
	job = make(0, 60000);
	job->sign.digest[0] ^= 1;
	CHECK_ERR(ady_keystores_derive(ks, 0, import_key, job, &f), ADY_E_FIELD_INVALID);
	CHECK_STR(f.where, "sealed");
	job->sign.digest[0] ^= 1;
	job->sign.raw.n = ADY_HPKE_KEY + ADY_HPKE_TAG - 1;
	CHECK_ERR(ady_keystores_derive(ks, 0, import_key, job, &f), ADY_E_FIELD_INVALID);
	free(job);
	ady_keystores_close(ks);
	ady_import_key_close(import_key);
}

/* Two arenas, their slots, the threads: each may fail. */
CASE(what_cannot_start_is_refused)
{
	unsigned n = 1;

	for (; n < 40; n++) {
		enum ady_err err;

		test_fail_at(n);
		err = ady_keystores_open(&ks, 2, MIB, 4);
		if (!test_fail_end()) {
			CHECK_ERR(err, ADY_OK);
			ady_keystores_close(ks);
			break;
		}
		CHECK(err != ADY_OK && !ks);
	}
	CHECK(n > 6 && n < 40);
}

/* --- whose turn it is --- */

enum { PLACES = 128 };

static struct ady_job *waiting[PLACES + 1];
static atomic_uint begun;
static char order[PLACES + 2];
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void note(struct ady_work *work, size_t worker)
{
	const struct ady_job *job = (struct ady_job *)work;

	(void)worker;
	order[atomic_fetch_add(&begun, 1)] = job->sign.record.tenant[0];
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
}

/* One thread, which is kept by the first job. */
static void keep_the_thread(void)
{
	atomic_store(&begun, 0);
	memset(order, 0, sizeof order);
	CHECK_ERR(ady_keystores_open(&ks, 1, MIB, 1), ADY_OK);
	pthread_mutex_lock(&gate);
}

static enum ady_err bring(size_t i, char tenant)
{
	struct ady_fault f = {0};
	enum ady_err err;

	waiting[i] = calloc(1, sizeof **waiting);
	waiting[i]->sign.record.tenant[0] = tenant;
	waiting[i]->work = (struct ady_work){.fn = note};
	err = ady_keystores_submit(ks, waiting[i], &f);
	if (err != ADY_OK)
		CHECK_STR(f.detail, "the tenant has its share of the keystores that may wait");
	while (i == 0 && atomic_load(&begun) == 0)
		sched_yield();
	return err;
}

static void let_go(size_t n)
{
	pthread_mutex_unlock(&gate);
	ady_keystores_close(ks);
	CHECK_INT(atomic_load(&begun), n);
	for (size_t i = 0; i < PLACES + 1; i++) {
		free(waiting[i]);
		waiting[i] = NULL;
	}
}

CASE(the_next_of_another_tenant_comes_after_one_of_the_first)
{
	keep_the_thread();
	for (size_t i = 0; i < 6; i++)
		CHECK_ERR(bring(i, 'a'), ADY_OK);
	CHECK_ERR(bring(6, 'b'), ADY_OK);
	CHECK_ERR(bring(7, 'b'), ADY_OK);
	CHECK_ERR(bring(8, 'c'), ADY_OK);
	let_go(9);
	CHECK_STR(order, "aabcabaaa"); /* the first is begun before the others are there */
}

CASE(no_tenant_has_all_places)
{
	size_t n = 0;

	keep_the_thread();
	CHECK_ERR(bring(n++, 'a'), ADY_OK);
	while (bring(n, 'a') == ADY_OK)
		n++;
	CHECK_INT(n, 1 + 3 * PLACES / 4);
	free(waiting[n]);
	CHECK_ERR(bring(n++, 'b'), ADY_OK);
	let_go(n);
	CHECK(order[1] == 'a' && order[2] == 'b');
}

int main(void)
{
	RUN(more_threads_than_memory_wait_for_each_other);
	RUN(what_does_not_fit_at_all_is_refused_at_once);
	RUN(a_deadline_passes_while_waiting);
	RUN(without_threads_or_memory_nothing_is_taken);
	RUN(what_was_not_sealed_for_this_job_is_refused);
	RUN(what_cannot_start_is_refused);
	RUN(the_next_of_another_tenant_comes_after_one_of_the_first);
	RUN(no_tenant_has_all_places);
	return test_end();
}
