/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a SIGN message through the enclave: checked on the lane that received it, decrypted by
 * KMS on one of the KMS threads, signed and answered there. No lane ever waits for KMS, and no
 * more work is taken on than there are jobs and places in the queue: what does not fit is refused
 * at once. Thread rule: ady_signing_take on a lane, the rest on any thread. */
#ifndef ADY_ENCLAVE_SIGNING_H
#define ADY_ENCLAVE_SIGNING_H

#include "enclave/config.h"
#include "enclave/jobs.h"
#include "enclave/kms_session.h"
#include "enclave/status.h"

struct ady_signing;

struct ady_signing_config {
	const struct ady_enclave_config *config;
	struct ady_kms_session *kms; /* with kms_connections workers or more */
	struct ady_jobs *jobs;
	struct ady_status *status;
};

/* Room for one answer; each thread that answers has its own. */
struct ady_signing_space {
	uint8_t bytes[ADY_WIRE_RAW_MAX + 256];
};

/* Start the KMS threads. Returns ADY_E_MEMORY or ADY_E_CRYPTO. */
enum ady_err ady_signing_open(struct ady_signing **s, const struct ady_signing_config *config);

/* Finish what is queued and end the threads. NULL is allowed. */
void ady_signing_close(struct ady_signing *s);

/* Take on a SIGN message. It will be answered, now or later. space: of the calling lane. */
void ady_signing_take(struct ady_signing *s, struct ady_signing_space *space,
                      struct ady_channel *ch, const struct ady_wire_head *head,
                      struct ady_bytes body);

/* How many wait for a KMS thread. */
size_t ady_signing_waiting(struct ady_signing *s);

#endif
