/* SPDX-License-Identifier: Apache-2.0
 *
 * Work with the store itself, beside the cache. */
#include "gateway/store_jobs.h"

#include <stdlib.h>

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static void on_done(struct ady_task *task)
{
	struct ady_store_job *job = OWNER(task, struct ady_store_job, task);

	job->done(job);
}

void ady_store_job_work(struct ady_work *work, size_t worker)
{
	struct ady_store_job *job = OWNER(work, struct ady_store_job, work);
	struct ady_loop *loop = job->loop;

	ady_store_job_run(job->store, job, worker);
	job->task.fn = on_done;
	ady_loop_post(loop, &job->task);
}

static void take(void *ctx, const struct ady_entry *e)
{
	struct ady_store_page *page = ctx;

	if (page->n < page->query.limit)
		ady_entry_copy(&page->entries[page->n++], e);
}

static void list_run(struct ady_store_job *job, struct ady_records *records, size_t worker)
{
	struct ady_store_page *page = OWNER(job, struct ady_store_page, job);

	page->entries = calloc(page->query.limit, sizeof *page->entries);
	if (!page->entries)
		(void)ady_fail(&job->fault, ADY_E_MEMORY, NULL, "out of memory");
	else if (ady_records_list(records, worker, &page->query, take, page, &job->fault) == ADY_OK)
		job->fault.err = ADY_OK; /* a fault may have been written and overcome */
	page->more = page->n == page->query.limit;
}

enum ady_err ady_store_list(struct ady_store *store, struct ady_store_page *page)
{
	page->job.run = list_run;
	return ady_store_run(store, &page->job);
}

void ady_store_page_clear(struct ady_store_page *page)
{
	for (size_t i = 0; i < page->n; i++)
		ady_entry_clear(&page->entries[i]);
	free(page->entries);
	page->entries = NULL;
	page->n = 0;
}
