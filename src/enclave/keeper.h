/* SPDX-License-Identifier: Apache-2.0
 *
 * The background thread: renews the recipient's key and document before they come of age, asks
 * KMS how it is when nothing else did, and holds the clock against the NSM's time. Thread rule:
 * wake from any thread. */
#ifndef ADY_ENCLAVE_KEEPER_H
#define ADY_ENCLAVE_KEEPER_H

#include "enclave/kms_session.h"
#include "enclave/status.h"
#include "enclave/time_watch.h"

struct ady_keeper;

struct ady_keeper_config {
	struct ady_credentials *credentials;
	struct ady_recipient *recipient;
	struct ady_kms_session *kms;
	size_t worker; /* the session's worker number that is the keeper's own */
	struct ady_status *status;
	struct ady_time_watch *watch; /* NULL: nobody watches the clock */
};

/* Start the thread; it runs until the process ends. Returns ADY_E_MEMORY. */
enum ady_err ady_keeper_open(struct ady_keeper **k, const struct ady_keeper_config *config);

/* New credentials have come: probe KMS with them now. */
void ady_keeper_wake(struct ady_keeper *k);

#endif
