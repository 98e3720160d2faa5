/* SPDX-License-Identifier: Apache-2.0
 *
 * Between store.c and store_jobs.c. */
#ifndef ADY_GATEWAY_STORE_JOBS_H
#define ADY_GATEWAY_STORE_JOBS_H

#include "gateway/store.h"

/* A job's turn has come: run it on this worker, and post it to its loop. */
void ady_store_job_work(struct ady_work *work, size_t worker);

/* Run a job with the store's records, and note what that says about the store's health. */
void ady_store_job_run(struct ady_store *store, struct ady_store_job *job, size_t worker);

#endif
