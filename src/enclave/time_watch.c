/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/time_watch.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	SAY_MS = 2000,
	WRONG_MS = 30000,
	PAUSE_WRONG_MS = 10000, /* at most: the pause itself may be shorter */
};

struct ady_time_watch {
	struct ady_nsm *nsm;
	int64_t pause_ms;
	int64_t next_ms;          /* ady_mono_ms */
	_Atomic int64_t drift_ms; /* clock minus NSM */
	uint8_t document[ADY_NSM_ANSWER_MAX];
};

static int64_t distance(int64_t v)
{
	return v < 0 ? -v : v;
}

/* The NSM took its time between our two looks at the clock: only what lies outside is drift. */
static enum ady_err compare(struct ady_time_watch *w, int64_t *drift_ms, struct ady_fault *f)
{
	struct ady_buf b = ady_buf(w->document, sizeof w->document);
	int64_t before = ady_wall_ms(), after, nsm_ms;
	enum ady_err err;

	if ((err = ady_nsm_attest(w->nsm, &(struct ady_nsm_attest){0}, &b, f)) != ADY_OK)
		return err;
	after = ady_wall_ms();
	if ((err = ady_nsm_read_time(ady_buf_bytes(&b), &nsm_ms, f)) != ADY_OK)
		return err;
	*drift_ms = before > nsm_ms ? before - nsm_ms : after < nsm_ms ? after - nsm_ms : 0;
	return ADY_OK;
}

static void say(int64_t was, int64_t is)
{
	if (distance(is) > WRONG_MS && distance(was) > WRONG_MS)
		return;
	if (distance(is) > WRONG_MS)
		ADY_ERROR("the clock is wrong: KMS is not called until it is right",
		          "drift_ms=%" PRId64, is);
	else if (distance(is) > SAY_MS)
		ADY_WARN("the clock drifts", "drift_ms=%" PRId64, is);
	else if (distance(was) > SAY_MS)
		ADY_INFO("the clock is right again", "drift_ms=%" PRId64, is);
}

static enum ady_err check(struct ady_time_watch *w, struct ady_fault *f)
{
	int64_t was = atomic_load(&w->drift_ms), is, pause_ms = w->pause_ms;
	enum ady_err err = compare(w, &is, f);

	if (err == ADY_OK) {
		atomic_store(&w->drift_ms, is);
		say(was, is);
	}
	if ((err != ADY_OK || distance(is) > WRONG_MS) && pause_ms > PAUSE_WRONG_MS)
		pause_ms = PAUSE_WRONG_MS;
	w->next_ms = ady_mono_ms() + pause_ms;
	return err;
}

enum ady_err ady_time_watch_open(struct ady_time_watch **out, struct ady_nsm *nsm, unsigned pause_s,
                                 struct ady_fault *f)
{
	struct ady_time_watch *w = calloc(1, sizeof *w);
	enum ady_err err;

	*out = NULL;
	if (!w)
		return ADY_E_MEMORY;
	w->nsm = nsm;
	w->pause_ms = (int64_t)pause_s * 1000;
	if ((err = check(w, f)) != ADY_OK) {
		free(w);
		return err;
	}
	*out = w;
	return ADY_OK;
}

void ady_time_watch_close(struct ady_time_watch *w)
{
	free(w);
}

void ady_time_watch_check(struct ady_time_watch *w)
{
	struct ady_fault f = {0};

	if (ady_mono_ms() < w->next_ms || check(w, &f) == ADY_OK)
		return;
	ADY_WARN("the NSM does not tell the time", "code=%s detail=\"%s\"", ady_err_code(f.err),
	         f.detail);
}

uint64_t ady_time_watch_drift_ms(const struct ady_time_watch *w)
{
	return (uint64_t)distance(atomic_load(&w->drift_ms));
}

enum ady_err ady_time_watch_right(const struct ady_time_watch *w, struct ady_fault *f)
{
	if (!w || ady_time_watch_drift_ms(w) <= WRONG_MS)
		return ADY_OK;
	return ady_fail(f, ADY_E_CLOCK, "",
	                "the clock differs from the NSM's time by %" PRIu64 " s",
	                ady_time_watch_drift_ms(w) / 1000);
}
