/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/jobs.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/clock.h"

struct ady_jobs {
	pthread_mutex_t lock;
	struct ady_job *free;
	struct ady_job *all;
	size_t n;
	struct ady_budget makers; /* jobs */
	struct ady_shares shares;
};

enum ady_err ady_jobs_open(struct ady_jobs **out, size_t n)
{
	struct ady_jobs *jobs = calloc(1, sizeof *jobs);

	*out = NULL;
	if (!jobs)
		return ADY_E_MEMORY;
	/* mmap and not calloc: pages of jobs that are never used are never touched. All of them may
	 * be more than a small machine has, which the kernel refuses unless it is told not to
	 * count.
	 */
	jobs->n = n;
	jobs->all = mmap(NULL, n * sizeof *jobs->all, PROT_READ | PROT_WRITE,
	                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (jobs->all == MAP_FAILED) {
		free(jobs);
		return ADY_E_MEMORY;
	}
	pthread_mutex_init(&jobs->lock, NULL);
	pthread_mutex_init(&jobs->makers.lock, NULL);
	jobs->makers.total = n > 1 ? n / 2 : 1;
	for (size_t i = n; i-- > 0;) {
		jobs->all[i].next = jobs->free;
		jobs->free = &jobs->all[i];
	}
	*out = jobs;
	return ADY_OK;
}

void ady_jobs_close(struct ady_jobs *jobs)
{
	if (!jobs)
		return;
	munmap(jobs->all, jobs->n * sizeof *jobs->all);
	pthread_mutex_destroy(&jobs->lock);
	pthread_mutex_destroy(&jobs->makers.lock);
	free(jobs);
}

struct ady_job *ady_jobs_take(struct ady_jobs *jobs, struct ady_desk *desk, struct ady_channel *ch,
                              const struct ady_wire_head *head, struct ady_bytes body)
{
	struct ady_job *job;

	pthread_mutex_lock(&jobs->lock);
	job = jobs->free;
	if (job)
		jobs->free = job->next;
	pthread_mutex_unlock(&jobs->lock);
	if (!job)
		return NULL;
	ady_channel_ref(ch);
	job->sign.record.id[0] = job->sign.record.tenant[0] = '\0'; /* of the job before */
	job->asker = ady_asker(desk, ch, head, body);
	job->asker.record = &job->sign.record;
	job->has_turn = false;
	job->share = NULL;
	job->deadline_ms = ady_mono_ms() + head->deadline_ms;
	return job;
}

enum ady_err ady_jobs_share(struct ady_jobs *jobs, struct ady_job *job, struct ady_fault *f)
{
	struct ady_share *share = ady_share_of(&jobs->shares, job->sign.record.tenant);

	if (!ady_budget_take(&jobs->makers, share, 1))
		return ady_fail(f, ADY_E_BUSY, "",
		                "the tenant has its share of what makes or changes keys");
	job->share = share;
	return ADY_OK;
}

void ady_jobs_give(struct ady_jobs *jobs, struct ady_job *job)
{
	if (job->share)
		ady_budget_give(&jobs->makers, job->share, 1);
	job->share = NULL;
	ady_channel_unref(job->asker.ch);
	job->asker.ch = NULL;
	pthread_mutex_lock(&jobs->lock);
	job->next = jobs->free;
	jobs->free = job;
	pthread_mutex_unlock(&jobs->lock);
}

bool ady_job_expired(const struct ady_job *job)
{
	return ady_mono_ms() >= job->deadline_ms;
}

enum ady_err ady_job_in_time(const struct ady_job *job, const char *before, struct ady_fault *f)
{
	return ady_job_expired(job)
	           ? ady_fail(f, ADY_E_DEADLINE, "", "the time allowed passed before %s", before)
	           : ADY_OK;
}
