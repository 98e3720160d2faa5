/* SPDX-License-Identifier: Apache-2.0
 *
 * Decrypt and GenerateDataKey at KMS with a Recipient: build and sign the request, call, retry what
 * AWS documents as retriable, check the reply, open its CMS into locked memory. The plaintext
 * exists there and nowhere else. Thread rule: each worker number belongs to one thread; different
 * workers run at the same time. */
#ifndef ADY_ENCLAVE_KMS_SESSION_H
#define ADY_ENCLAVE_KMS_SESSION_H

#include "base/secret.h"
#include "enclave/config.h"
#include "enclave/credentials.h"
#include "enclave/recipient.h"
#include "enclave/time_watch.h"
#include "signer/record.h"

struct ady_kms_session;

struct ady_kms_session_config {
	const struct ady_enclave_config *config;
	struct ady_credentials *credentials;
	struct ady_recipient *recipient;
	const struct ady_time_watch *watch; /* NULL: nobody watches the clock */
	size_t workers;
};

/* What to decrypt, or under what to make a data key, until when. */
struct ady_kms_ask {
	struct ady_bytes ciphertext;
	const char *key_arn;  /* NULL: the configured key, the first one for a data key */
	struct ady_buf *blob; /* NULL: Decrypt; else GenerateDataKey, whose ciphertext goes here */
	const struct ady_context_pair *context;
	size_t context_n;
	int64_t deadline_ms; /* ady_mono_ms */
};

/* Make a session for workers threads; the parts of config are borrowed. About 200 KiB a worker.
 * Returns: ADY_E_CONFIG for roots that cannot be read, ADY_E_MEMORY. */
enum ady_err ady_kms_session_open(struct ady_kms_session **s,
                                  const struct ady_kms_session_config *config, struct ady_fault *f);

/* Close connections, wipe, free. NULL is allowed. */
void ady_kms_session_close(struct ady_kms_session *s);

/* Call KMS. Out: *plaintext, secret, in locked memory of the worker until ady_kms_session_wipe;
 * empty on error.
 * Returns: ADY_E_KMS with AWS's error name in f->cause; ADY_E_CREDENTIALS; ADY_E_KMS_UNAVAILABLE
 *          when retries did not help; ADY_E_TLS; ADY_E_KMS_REPLY for a reply that is not
 *          acceptable, with one text for all failures to open the CMS; ADY_E_NSM; ADY_E_CLOCK
 *          while the clock is wrong; ADY_E_DEADLINE.
 * Blocks until ask->deadline_ms at most. */
enum ady_err ady_kms_session_call(struct ady_kms_session *s, size_t worker,
                                  const struct ady_kms_ask *ask, struct ady_bytes *plaintext,
                                  struct ady_fault *f);

/* The worker's locked memory, ADY_RECORD_CIPHERTEXT_MAX bytes, for a secret that came another way
 * than from KMS. To be wiped as well, and gone with the next call. */
uint8_t *ady_kms_session_room(struct ady_kms_session *s, size_t worker);

/* Wipe the worker's plaintext. To be called after each call. */
void ady_kms_session_wipe(struct ady_kms_session *s, size_t worker);

/* Ask KMS to decrypt what cannot be decrypted: it answers with an error that proves that it is
 * reachable and knows the credentials.
 * Returns: ADY_OK for such an answer (f->cause says which), else as ady_kms_session_call. */
enum ady_err ady_kms_session_probe(struct ady_kms_session *s, size_t worker, int64_t deadline_ms,
                                   struct ady_fault *f);

#endif
