/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/recipient.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct ady_recipient_key {
	atomic_uint refs;
	struct ady_rsa *rsa;
	int64_t made_ms;
};

struct ady_recipient {
	struct ady_recipient_config config;
	uint8_t config_hash[48];
	pthread_mutex_t lock; /* for what follows */
	struct ady_recipient_key *key;
	int64_t document_made_ms;
	size_t document_n;
	uint8_t document[ADY_NSM_ANSWER_MAX];
};

static struct ady_recipient_key *key_new(unsigned bits)
{
	struct ady_recipient_key *key = calloc(1, sizeof *key);

	if (!key)
		return NULL;
	if (ady_rsa_new(&key->rsa, bits) != ADY_OK) {
		free(key);
		return NULL;
	}
	atomic_init(&key->refs, 1);
	key->made_ms = ady_mono_ms();
	return key;
}

void ady_recipient_put(struct ady_recipient_key *key)
{
	if (!key || atomic_fetch_sub(&key->refs, 1) != 1)
		return;
	ady_rsa_free(key->rsa);
	free(key);
}

const struct ady_rsa *ady_recipient_rsa(const struct ady_recipient_key *key)
{
	return key->rsa;
}

enum ady_err ady_recipient_attest_key(struct ady_recipient *r, struct ady_bytes public_key,
                                      struct ady_bytes nonce, struct ady_buf *out,
                                      struct ady_fault *f)
{
	struct ady_nsm_attest attest = {
	    .public_key = public_key,
	    .user_data = ady_bytes(r->config_hash, sizeof r->config_hash),
	    .nonce = nonce,
	};

	return ady_nsm_attest(r->config.nsm, &attest, out, f);
}

static enum ady_err document_for(struct ady_recipient *r, const struct ady_recipient_key *key,
                                 struct ady_bytes nonce, struct ady_buf *out, struct ady_fault *f)
{
	return ady_recipient_attest_key(r, ady_rsa_spki(key->rsa), nonce, out, f);
}

/* Put a new document for key in place, and key itself when it is another. The lock is held. */
static enum ady_err renew_document(struct ady_recipient *r, struct ady_recipient_key *key,
                                   struct ady_fault *f)
{
	uint8_t space[ADY_NSM_ANSWER_MAX];
	struct ady_buf b = ady_buf(space, sizeof space);
	enum ady_err err = document_for(r, key, (struct ady_bytes){0}, &b, f);

	if (err != ADY_OK)
		return err;
	memcpy(r->document, space, b.n);
	r->document_n = b.n;
	r->document_made_ms = ady_mono_ms();
	if (key != r->key) {
		ady_recipient_put(r->key);
		r->key = key;
	}
	return ADY_OK;
}

/* Whether the document has n quarters of its age behind it. The lock is held. */
static bool document_due(const struct ady_recipient *r, int quarters)
{
	int64_t age = ady_mono_ms() - r->document_made_ms;

	return age >= (int64_t)r->config.attestation_max_age_s * 250 * quarters;
}

enum ady_err ady_recipient_open(struct ady_recipient **out,
                                const struct ady_recipient_config *config, struct ady_fault *f)
{
	struct ady_recipient *r = calloc(1, sizeof *r);
	struct ady_recipient_key *key;
	enum ady_err err;

	*out = NULL;
	if (!r)
		return ADY_E_MEMORY;
	r->config = *config;
	memcpy(r->config_hash, config->config_hash, sizeof r->config_hash);
	pthread_mutex_init(&r->lock, NULL);
	key = key_new(config->rsa_bits);
	err = key ? renew_document(r, key, f)
	          : ady_fail(f, ADY_E_CRYPTO, "", "no RSA key could be made");
	if (err != ADY_OK) {
		ady_recipient_put(key);
		ady_recipient_close(r);
		return err;
	}
	*out = r;
	return ADY_OK;
}

void ady_recipient_close(struct ady_recipient *r)
{
	if (!r)
		return;
	ady_recipient_put(r->key);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

enum ady_err ady_recipient_get(struct ady_recipient *r, struct ady_recipient_key **key,
                               struct ady_buf *out, struct ady_fault *f)
{
	enum ady_err err = ADY_OK;

	*key = NULL;
	pthread_mutex_lock(&r->lock);
	if (document_due(r, 4))
		err = renew_document(r, r->key, f);
	if (err == ADY_OK) {
		ady_buf_put(out, r->document, r->document_n);
		atomic_fetch_add(&r->key->refs, 1);
		*key = r->key;
	}
	pthread_mutex_unlock(&r->lock);
	return err;
}

enum ady_err ady_recipient_attest(struct ady_recipient *r, struct ady_bytes nonce,
                                  struct ady_buf *out, struct ady_fault *f)
{
	struct ady_recipient_key *key;
	enum ady_err err;

	pthread_mutex_lock(&r->lock);
	key = r->key;
	atomic_fetch_add(&key->refs, 1);
	pthread_mutex_unlock(&r->lock);
	err = document_for(r, key, nonce, out, f);
	ady_recipient_put(key);
	return err;
}

enum ady_err ady_recipient_renew(struct ady_recipient *r, struct ady_fault *f)
{
	struct ady_recipient_key *next = NULL;
	enum ady_err err = ADY_OK;
	bool key_due, due;

	pthread_mutex_lock(&r->lock);
	key_due = ady_mono_ms() - r->key->made_ms >= (int64_t)r->config.rsa_max_age_s * 1000;
	due = key_due || (r->config.attestation_max_age_s > 0 && document_due(r, 3));
	pthread_mutex_unlock(&r->lock);
	if (!due)
		return ADY_OK;
	if (key_due && !(next = key_new(r->config.rsa_bits)))
		return ady_fail(f, ADY_E_CRYPTO, "", "no RSA key could be made");
	pthread_mutex_lock(&r->lock);
	err = renew_document(r, next ? next : r->key, f);
	pthread_mutex_unlock(&r->lock);
	if (err != ADY_OK)
		ady_recipient_put(next);
	return err;
}
