/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/status.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct ady_status {
	struct ady_status_counters counters;
	pthread_mutex_t lock; /* for what follows */
	enum ady_kms_health health;
	int64_t heard_ms;
	char text[160];
};

enum ady_err ady_status_open(struct ady_status **s)
{
	*s = calloc(1, sizeof **s);
	if (!*s)
		return ADY_E_MEMORY;
	pthread_mutex_init(&(*s)->lock, NULL);
	return ADY_OK;
}

void ady_status_close(struct ady_status *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct ady_status_counters *ady_status_counters(struct ady_status *s)
{
	return &s->counters;
}

/* Refusals that say something about one ciphertext, one context or one policy, not about KMS. */
static bool concerns_one_request(enum ady_err err, const struct ady_fault *f)
{
	static const char *const names[] = {"InvalidCiphertextException", "IncorrectKeyException",
	                                    "AccessDeniedException"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (err == ADY_E_KMS && strcmp(f->cause, names[i]) == 0)
			return true;
	return false;
}

/* Errors that say nothing about KMS: the asker's time was over, the request was too large. */
static bool says_nothing(enum ady_err err)
{
	return err == ADY_E_DEADLINE || err == ADY_E_TOO_LARGE;
}

void ady_status_kms(struct ady_status *s, enum ady_err err, const struct ady_fault *f)
{
	bool well = err == ADY_OK || concerns_one_request(err, f);
	char text[sizeof s->text] = "";

	if (says_nothing(err))
		return;
	if (err != ADY_OK && (!well || strcmp(f->cause, "AccessDeniedException") == 0))
		snprintf(text, sizeof text, "%s%s%.48s: %.90s", ady_err_code(err),
		         f->cause[0] ? ", " : "", f->cause,
		         f->detail[0] ? f->detail : ady_err_text(err));
	pthread_mutex_lock(&s->lock);
	s->health = well ? ADY_KMS_OK : ADY_KMS_FAILING;
	s->heard_ms = ady_mono_ms();
	memcpy(s->text, text, sizeof text);
	pthread_mutex_unlock(&s->lock);
}

bool ady_status_stale(struct ady_status *s, int64_t max_age_ms)
{
	bool stale;

	pthread_mutex_lock(&s->lock);
	stale = s->health != ADY_KMS_OK || ady_mono_ms() - s->heard_ms > max_age_ms;
	pthread_mutex_unlock(&s->lock);
	return stale;
}

void ady_status_read(struct ady_status *s, struct ady_wire_status *m, char text[static 160])
{
	struct ady_status_counters *c = &s->counters;

	pthread_mutex_lock(&s->lock);
	memcpy(text, s->text, sizeof s->text);
	m->kms = (uint64_t)s->health;
	pthread_mutex_unlock(&s->lock);
	m->kms_text = ady_bytes_str(text);
	m->signed_n = atomic_load(&c->signed_n);
	m->refused_n = atomic_load(&c->refused_n);
	m->created = atomic_load(&c->created);
	m->kms_calls = atomic_load(&c->kms_calls);
	m->kms_failures = atomic_load(&c->kms_failures);
	m->prepare_us = atomic_load(&c->prepare_us);
	m->kms_us = atomic_load(&c->kms_us);
	m->sign_us = atomic_load(&c->sign_us);
}
