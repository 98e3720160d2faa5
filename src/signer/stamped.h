/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a request's stamps are good, and whether those are there that its key's record needs: the
 * same for all that is asked of a key. */
#ifndef ADY_SIGNER_STAMPED_H
#define ADY_SIGNER_STAMPED_H

#include "signer/sign.h"

/* The forms of a validator's duty, of a request for a wallet's keys and of one for a backup, beside
 * those of enum ady_wire_form. */
enum { ADY_FORM_DUTY = 2, ADY_FORM_DERIVE = 3, ADY_FORM_BACKUP = 4 };

/* Verify the stamps over body, made for the operation "derive" or "backup" of these forms, else
 * "sign", for the key of job->record, and note them in job (stamps, stamp_keys, request_hash,
 * object). job->setting is set. Each stamp is the owner's to use up. Returns: ADY_E_UNAUTHORIZED
 * when one is not good, or the record names callers and none of them has stamped; ADY_E_TOO_LARGE.
 * As ady_stamps_verify. */
enum ady_err ady_stamped_check(struct ady_sign_job *job, uint8_t form, struct ady_bytes key_id,
                               struct ady_bytes body, struct ady_bytes stamp, struct ady_fault *f);

#endif
