/* SPDX-License-Identifier: Apache-2.0
 *
 * A change of a key's policy by those whom the old one names. The request is JSON,
 *
 *   {"revision": 0, "policy": {..}}
 *
 * the revision that is changed (of a record without one: 0) and the new policy; so many of the keys
 * of the old policy's "change" must have stamped these very bytes, for the operation "policy"
 * (signer/stamp.h). The row of counters goes on to the next revision first, then the record is
 * sealed anew: of an older one nothing is signed from then on. Pure, as signer/charging.h. */
#ifndef ADY_SIGNER_CHANGE_H
#define ADY_SIGNER_CHANGE_H

#include "signer/sign.h"

/* How long an approval of a change may be good for: people have to look at it. It is for one
 * revision, and so for one use. */
enum { ADY_CHANGE_LIFE_S = 7 * 86400 };

/* Check all that can be checked without the key. job->policies and setting are the owner's. The new
 * policy's text is kept at the beginning of raw_space, job->raw is its view.
 * Returns: ADY_E_DENIED when the policy is for good, or has too few approvals; ADY_E_CONFLICT when
 * it is of another revision; ADY_E_UNAUTHORIZED; ADY_E_RECORD; the ADY_E_FIELD_*. */
enum ady_err ady_change_prepare(struct ady_sign_job *job, const struct ady_wire_policy_change *m,
                                struct ady_fault *f);

/* Make the row of the next revision, with the data key. As ady_charging_decide. ADY_OK: it was
 * written before, when its record may have been lost: ady_change_finish makes it again. */
enum ady_err ady_change_decide(struct ady_sign_job *job, const struct ady_charging_memory *m,
                               const struct ady_secp *secp, struct ady_bytes data_key,
                               struct ady_fault *f);

/* Seal the record anew. What ady_rebind_key returns; ADY_E_COUNTERS when the row is not written. */
enum ady_err ady_change_finish(struct ady_sign_job *job, const struct ady_secp *secp,
                               struct ady_bytes data_key, struct ady_fault *f);

#endif
