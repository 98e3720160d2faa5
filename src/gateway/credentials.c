/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/credentials.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "crypto/rng.h"

enum {
	EARLY_MS = 15 * 60 * 1000, /* IMDS publishes new ones at least 5 minutes before the end */
	STATIC_MS = 5 * 60 * 1000, /* how often a source without expiry is read again */
	FORCED_GAP_MS = 1000,
	RETRY_FIRST_MS = 500,
	RETRY_LAST_MS = 30000,
	CALL_TIMEOUT_MS = 5000,
};

struct ady_credentials {
	const struct ady_config_aws *config;
	struct ady_aws *aws;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;    /* for the thread */
	pthread_cond_t attempt; /* an attempt has ended */
	atomic_bool closing;    /* read by a call of AWS in progress too */
	bool forced;            /* someone asks for an attempt */
	bool doubted;           /* the attempt under way was asked for */
	bool running;           /* there is an attempt under way */
	uint64_t version, attempts;
	struct ady_aws_credentials source, enclave;
	struct ady_credentials_watch *watches;
};

int64_t ady_credentials_wait_ms(int64_t life_ms, uint16_t jitter)
{
	int64_t wait = life_ms == 0 ? STATIC_MS : life_ms / 2;

	if (life_ms - EARLY_MS > wait)
		wait = life_ms - EARLY_MS;
	if (wait < RETRY_FIRST_MS)
		return RETRY_FIRST_MS;
	return wait - wait / 10 * jitter / 65536;
}

static enum ady_err load_source(struct ady_credentials *c, struct ady_aws_credentials *out,
                                struct ady_fault *f)
{
	switch (c->config->source) {
	case ADY_FROM_IMDS:
		return ady_aws_imds(c->aws, c->config->imds, out, f);
	case ADY_FROM_ENVIRONMENT:
		return ady_aws_environment(out, f);
	case ADY_FROM_FILE:
		return ady_aws_credential_file(NULL, NULL, out, f);
	case ADY_FROM_AUTO:
		break;
	}
	if (ady_aws_environment(out, f) == ADY_OK)
		return ADY_OK;
	if (ady_aws_credential_file(NULL, NULL, out, f) == ADY_OK)
		return ADY_OK;
	return ady_aws_imds(c->aws, c->config->imds, out, f);
}

/* What the enclave gets. A role of few rights is better than the instance's own: what reaches the
 * enclave passes through one more process. */
static enum ady_err narrow(struct ady_credentials *c, const struct ady_aws_credentials *source,
                           struct ady_aws_credentials *out, struct ady_fault *f)
{
	if (!c->config->role_arn) {
		*out = *source;
		return ADY_OK;
	}
	return ady_aws_assume_role(c->aws, source, c->config->role_arn, "adyton-enclave",
	                           c->config->session_policy, c->config->role_seconds, out, f);
}

static bool same(const struct ady_aws_credentials *a, const struct ady_aws_credentials *b)
{
	return strcmp(a->access_key, b->access_key) == 0 &&
	       strcmp(a->secret_key, b->secret_key) == 0 && strcmp(a->token, b->token) == 0 &&
	       a->expires_unix_s == b->expires_unix_s;
}

/* When they were doubted, the same ones count as new: whoever was refused tries once more, and the
 * enclave gets them again. A refusal may have been a passing one, or the clock's. */
static void publish(struct ady_credentials *c, const struct ady_aws_credentials *source,
                    const struct ady_aws_credentials *enclave)
{
	pthread_mutex_lock(&c->lock);
	if (c->version == 0 || c->doubted || !same(source, &c->source) ||
	    !same(enclave, &c->enclave)) {
		c->source = *source;
		c->enclave = *enclave;
		c->version++;
	}
	pthread_mutex_unlock(&c->lock);
}

/* The life in ms of what would end first; 0: neither ends. */
static int64_t life_of(const struct ady_aws_credentials *a, const struct ady_aws_credentials *b)
{
	int64_t first = a->expires_unix_s, life;

	if (first == 0 || (b->expires_unix_s != 0 && b->expires_unix_s < first))
		first = b->expires_unix_s;
	if (first == 0)
		return 0;
	life = first * 1000 - ady_wall_ms();
	return life > 0 ? life : 1;
}

/* One attempt. Returns how long to wait for the next; *failures counts those in a row. */
static int64_t attempt(struct ady_credentials *c, unsigned *failures)
{
	struct ady_aws_credentials source = {0}, enclave = {0};
	struct ady_fault f = {0};
	int64_t wait = RETRY_LAST_MS;
	uint16_t jitter;
	enum ady_err err;

	ady_random(&jitter, sizeof jitter);
	err = load_source(c, &source, &f);
	if (err == ADY_OK)
		err = narrow(c, &source, &enclave, &f);
	if (err == ADY_OK) {
		publish(c, &source, &enclave);
		wait = ady_credentials_wait_ms(life_of(&source, &enclave), jitter);
		if (*failures > 0)
			ADY_INFO("credentials are back", "failures=%u", *failures);
		*failures = 0;
	} else {
		if (*failures < 6)
			wait = (int64_t)RETRY_FIRST_MS << *failures;
		wait -= wait / 4 * jitter / 65536;
		++*failures;
		ADY_WARN("credentials not refreshed", "error=%s cause=%s detail=\"%s\"",
		         ady_err_code(err), f.cause, f.detail);
	}
	ady_aws_credentials_wipe(&source);
	ady_aws_credentials_wipe(&enclave);
	return wait;
}

static void tell(struct ady_credentials *c)
{
	pthread_mutex_lock(&c->lock);
	c->attempts++;
	c->running = false;
	pthread_cond_broadcast(&c->attempt);
	for (struct ady_credentials_watch *w = c->watches; w; w = w->next)
		if (!atomic_exchange(&w->posted, true))
			ady_loop_post(w->loop, &w->task);
	pthread_mutex_unlock(&c->lock);
}

static struct timespec at_mono(int64_t ms)
{
	return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

/* Sleep until due, or until someone forces an attempt (not before a gap behind the last one).
 * False: the thread is to end. */
static bool sleep_until(struct ady_credentials *c, int64_t last, int64_t due)
{
	bool go_on;

	pthread_mutex_lock(&c->lock);
	while (!c->closing) {
		int64_t until = due;
		struct timespec t;

		if (c->forced && last + FORCED_GAP_MS < due)
			until = last + FORCED_GAP_MS;
		if (ady_mono_ms() >= until)
			break;
		t = at_mono(until);
		pthread_cond_timedwait(&c->wake, &c->lock, &t);
	}
	c->doubted = c->forced;
	c->forced = false;
	c->running = true;
	go_on = !c->closing;
	pthread_mutex_unlock(&c->lock);
	return go_on;
}

static void *credentials_main(void *arg)
{
	struct ady_credentials *c = arg;
	unsigned failures = 0;
	int64_t last, wait;

	do {
		last = ady_mono_ms();
		wait = attempt(c, &failures);
		tell(c);
	} while (sleep_until(c, last, ady_mono_ms() + wait));
	return NULL;
}

enum ady_err ady_credentials_open(struct ady_credentials **out, const struct ady_config_aws *config,
                                  struct ady_fault *f)
{
	struct ady_aws_config aws = {.endpoint = config->endpoint,
	                             .region = config->region,
	                             .ca_file = config->ca_file,
	                             .timeout_ms = CALL_TIMEOUT_MS};
	struct ady_credentials *c = calloc(1, sizeof *c);
	pthread_condattr_t clock;

	*out = NULL;
	aws.stop = c ? &c->closing : NULL;
	if (!c || ady_aws_open(&c->aws, &aws) != ADY_OK) {
		free(c);
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	}
	c->config = config;
	c->running = true; /* the thread begins with one */
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&c->wake, &clock);
	pthread_cond_init(&c->attempt, &clock);
	pthread_condattr_destroy(&clock);
	if (pthread_create(&c->thread, NULL, credentials_main, c) != 0) {
		ady_aws_close(c->aws);
		free(c);
		return ady_fail(f, ADY_E_MEMORY, NULL, "the thread could not be started");
	}
	*out = c;
	return ADY_OK;
}

uint64_t ady_credentials_get(struct ady_credentials *c, enum ady_credentials_use use,
                             struct ady_aws_credentials *out)
{
	uint64_t version;

	pthread_mutex_lock(&c->lock);
	*out = use == ADY_FOR_STORE ? c->source : c->enclave;
	version = c->version;
	pthread_mutex_unlock(&c->lock);
	return version;
}

uint64_t ady_credentials_version(struct ady_credentials *c)
{
	uint64_t version;

	pthread_mutex_lock(&c->lock);
	version = c->version;
	pthread_mutex_unlock(&c->lock);
	return version;
}

/* An attempt that is under way began before the refusal and may bring what was refused. */
static uint64_t force(struct ady_credentials *c)
{
	c->forced = true;
	pthread_cond_signal(&c->wake);
	return c->attempts + 1 + c->running;
}

uint64_t ady_credentials_refresh(struct ady_credentials *c)
{
	uint64_t due;

	pthread_mutex_lock(&c->lock);
	due = force(c);
	pthread_mutex_unlock(&c->lock);
	return due;
}

uint64_t ady_credentials_attempts(struct ady_credentials *c)
{
	uint64_t attempts;

	pthread_mutex_lock(&c->lock);
	attempts = c->attempts;
	pthread_mutex_unlock(&c->lock);
	return attempts;
}

bool ady_credentials_await(struct ady_credentials *c, uint64_t used, int timeout_ms)
{
	struct timespec until = at_mono(ady_mono_ms() + timeout_ms);
	uint64_t due = 0;
	bool newer;

	pthread_mutex_lock(&c->lock);
	if (c->version <= used)
		due = force(c);
	while (c->version <= used && c->attempts < due && !c->closing)
		if (pthread_cond_timedwait(&c->attempt, &c->lock, &until) != 0)
			break;
	newer = c->version > used;
	pthread_mutex_unlock(&c->lock);
	return newer;
}

/* Cleared before fn looks, so that a later attempt posts again. */
static void on_task(struct ady_task *task)
{
	struct ady_credentials_watch *w = (struct ady_credentials_watch *)task;

	atomic_store(&w->posted, false);
	w->fn(w);
}

void ady_credentials_watch(struct ady_credentials *c, struct ady_credentials_watch *w)
{
	w->task.fn = on_task;
	atomic_init(&w->posted, false);
	pthread_mutex_lock(&c->lock);
	w->next = c->watches;
	c->watches = w;
	pthread_mutex_unlock(&c->lock);
}

int64_t ady_credentials_life_s(struct ady_credentials *c)
{
	int64_t life = 0;

	pthread_mutex_lock(&c->lock);
	if (c->version > 0 && c->enclave.expires_unix_s == 0)
		life = -1;
	else if (c->enclave.expires_unix_s > ady_wall_ms() / 1000)
		life = c->enclave.expires_unix_s - ady_wall_ms() / 1000;
	pthread_mutex_unlock(&c->lock);
	return life;
}

void ady_credentials_stop(struct ady_credentials *c)
{
	pthread_mutex_lock(&c->lock);
	c->closing = true;
	pthread_cond_broadcast(&c->wake);
	pthread_cond_broadcast(&c->attempt);
	pthread_mutex_unlock(&c->lock);
}

void ady_credentials_close(struct ady_credentials *c)
{
	if (!c)
		return;
	ady_credentials_stop(c);
	pthread_join(c->thread, NULL);
	pthread_cond_destroy(&c->wake);
	pthread_cond_destroy(&c->attempt);
	pthread_mutex_destroy(&c->lock);
	ady_aws_close(c->aws);
	ady_zero(c, sizeof *c);
	free(c);
}
