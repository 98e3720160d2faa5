/* SPDX-License-Identifier: Apache-2.0
 *
 * What STATUS tells: counters, sums of times, and how KMS is doing. Thread rule: any thread. */
#ifndef ADY_ENCLAVE_STATUS_H
#define ADY_ENCLAVE_STATUS_H

#include <stdatomic.h>

#include "codec/wire.h"

struct ady_status_counters {
	atomic_uint_fast64_t signed_n, refused_n, created, kms_calls, kms_failures;
	atomic_uint_fast64_t prepare_us, kms_us, sign_us;
};

struct ady_status;

/* A status that knows nothing yet. Returns ADY_E_MEMORY. */
enum ady_err ady_status_open(struct ady_status **s);

/* Free. NULL is allowed. */
void ady_status_close(struct ady_status *s);

/* The counters, to be added to. */
struct ady_status_counters *ady_status_counters(struct ady_status *s);

/* Note what a call to KMS told of its health: err and, when it is not ADY_OK, its fault. A refusal
 * that concerns one ciphertext or one caller's policy shows that KMS works. */
void ady_status_kms(struct ady_status *s, enum ady_err err, const struct ady_fault *f);

/* Whether KMS should be asked how it is: nothing is known, it failed (while the parent is not ready
 * no request comes that would show that KMS is back), or nothing was heard for max_age_ms. */
bool ady_status_stale(struct ady_status *s, int64_t max_age_ms);

/* Fill a message; kms_text points into text. has_credentials, waiting, drift_ms and the data keys
 * are the caller's. */
void ady_status_read(struct ady_status *s, struct ady_wire_status *m, char text[static 160]);

#endif
