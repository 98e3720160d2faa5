/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/keeper.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	ROUND_MS = 500,
	PROBE_AFTER_MS = 30000, /* of silence */
	PROBE_TIMEOUT_MS = 10000,
	RETRY_MS = 5000, /* after a failed probe or renewal */
};

struct ady_keeper {
	struct ady_keeper_config config;
	pthread_t thread;
	pthread_mutex_t lock; /* for woken */
	pthread_cond_t wake;
	bool woken;
	int64_t probe_not_before_ms, renew_not_before_ms;
};

/* Sleep for a round or until woken; true when woken. */
static bool rest(struct ady_keeper *k)
{
	int64_t until = ady_mono_ms() + ROUND_MS;
	struct timespec at = {.tv_sec = until / 1000, .tv_nsec = (long)(until % 1000) * 1000000};
	bool woken;

	pthread_mutex_lock(&k->lock);
	while (!k->woken && pthread_cond_timedwait(&k->wake, &k->lock, &at) == 0)
		;
	woken = k->woken;
	k->woken = false;
	pthread_mutex_unlock(&k->lock);
	return woken;
}

static void renew(struct ady_keeper *k)
{
	struct ady_fault f = {0};

	if (ady_mono_ms() < k->renew_not_before_ms ||
	    ady_recipient_renew(k->config.recipient, &f) == ADY_OK)
		return;
	k->renew_not_before_ms = ady_mono_ms() + RETRY_MS;
	ADY_WARN("the recipient's key or document could not be renewed", "code=%s detail=\"%s\"",
	         ady_err_code(f.err), f.detail);
}

static void probe(struct ady_keeper *k)
{
	struct ady_fault f = {0};
	enum ady_err err;

	err = ady_kms_session_probe(k->config.kms, k->config.worker,
	                            ady_mono_ms() + PROBE_TIMEOUT_MS, &f);
	/* To the probe a deadline is KMS's failure: nobody else set it. */
	if (err == ADY_E_DEADLINE)
		err = ady_fail(&f, ADY_E_KMS_UNAVAILABLE, "", "KMS did not answer in time");
	ady_status_kms(k->config.status, err == ADY_OK ? f.err : err, &f);
	k->probe_not_before_ms = ady_mono_ms() + RETRY_MS;
}

static __attribute__((noreturn)) void *keeper_main(void *arg)
{
	struct ady_keeper *k = arg;

	for (;;) {
		bool woken = rest(k);

		renew(k);
		if (k->config.watch)
			ady_time_watch_check(k->config.watch);
		if (!ady_credentials_valid(k->config.credentials))
			continue;
		if (woken || (ady_mono_ms() >= k->probe_not_before_ms &&
		              ady_status_stale(k->config.status, PROBE_AFTER_MS)))
			probe(k);
	}
}

enum ady_err ady_keeper_open(struct ady_keeper **out, const struct ady_keeper_config *config)
{
	struct ady_keeper *k = calloc(1, sizeof *k);
	pthread_condattr_t attr;

	*out = NULL;
	if (!k)
		return ADY_E_MEMORY;
	k->config = *config;
	pthread_mutex_init(&k->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&k->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&k->thread, NULL, keeper_main, k) != 0) {
		free(k);
		return ADY_E_MEMORY;
	}
	*out = k;
	return ADY_OK;
}

void ady_keeper_wake(struct ady_keeper *k)
{
	pthread_mutex_lock(&k->lock);
	k->woken = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
}
