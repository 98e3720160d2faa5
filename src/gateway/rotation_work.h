/* SPDX-License-Identifier: Apache-2.0
 *
 * One rotation, between the loop (rotation.c) and a thread of the store (rotation_work.c). Internal
 * to them. */
#ifndef ADY_GATEWAY_ROTATION_WORK_H
#define ADY_GATEWAY_ROTATION_WORK_H

#include "gateway/rotation.h"

/* What the store's thread is to do. */
enum ady_rotation_step {
	ADY_ROTATION_FIND,  /* is one under way; else one record of the tenant, to begin with */
	ADY_ROTATION_NOTE,  /* write the note */
	ADY_ROTATION_READ,  /* the next page: what of it is under another data key */
	ADY_ROTATION_WRITE, /* the re-wrapped records, and the note */
};

struct ady_rotation_item {
	struct ady_call call; /* first */
	struct ady_rotation *all;
	char id[ADY_KEY_ID_MAX + 1], revision[40];
	struct ady_dyn text; /* the record, then the one that takes its place */
	bool ready;
};

struct ady_rotation {
	struct ady_store_job job; /* first */
	struct ady_shard *shard;
	struct ady_op *op; /* who asked for it, until it has begun; NULL */
	struct ady_rotation_note note;
	enum ady_rotation_step step;
	bool begun;      /* the new data key is there and noted */
	bool stored;     /* the store has the job */
	bool again;      /* the store did not take the step, or not do it: once more */
	bool superseded; /* out of READ: the note is of another rotation */
	bool full;       /* out of READ: there are more pages */
	bool pass_clean; /* nothing was to be done in this pass so far */
	int64_t begun_ms, pass_ms;
	uint64_t skipped, failed; /* in this pass */
	struct ady_rotation_item items[ADY_ROTATION_PAGE];
	size_t n, asked, in_flight;
	struct ady_timer timer;
	int64_t due_us; /* when the next may be asked */
	struct ady_rotation *next;
};

/* Do r->step; r->job.fault tells the outcome. Blocks. */
void ady_rotation_work(struct ady_store_job *job, struct ady_records *records, size_t worker);

#endif
