/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults on demand, for tests of clients: a file of rules that is looked at for every request.
 * doc/devcloud.md describes the rules. Each use is a warning in the log. */
#ifndef ADY_DEVCLOUD_FAULTS_H
#define ADY_DEVCLOUD_FAULTS_H

#include <jansson.h>

#include "base/bytes.h"

struct ady_dev_faults;

/* What is to go wrong with one request. Texts live until the next call of ady_dev_faults_take. */
struct ady_dev_effect {
	const char *error, *message; /* refuse with this error instead of doing it */
	int status;
	int64_t delay_ms;      /* answer that much later */
	bool close_mid_body;   /* send half of the answer's body, then close */
	const char *key_id;    /* another KeyId in the answer */
	const char *forge_cms; /* base64: CiphertextForRecipient becomes a CMS of these bytes, as
	                        * anyone can make it who knows the public key */
	bool bad_cms;          /* one bit of CiphertextForRecipient is wrong */
	const char *plaintext; /* base64: a Plaintext member that should not be there */
};

/* Watch path, which need not exist yet. Returns ADY_E_MEMORY. */
enum ady_err ady_dev_faults_open(struct ady_dev_faults **faults, const char *path);

/* Free. NULL is allowed. */
void ady_dev_faults_close(struct ady_dev_faults *faults);

/* The first rule for target that is not used up, counted as used; false when there is none (or
 * faults is NULL). A file that cannot be read as rules is an error in the log, and no rule. */
bool ady_dev_faults_take(struct ady_dev_faults *faults, const char *target,
                         struct ady_dev_effect *effect);

#endif
