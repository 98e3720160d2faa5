/* SPDX-License-Identifier: Apache-2.0
 *
 * The signing core for validators: a duty becomes a signing root, the rules of slashing protection
 * decide, the new state is written by somebody else, the key signs. As signer/sign.h; every path
 * to a validator's key goes through the three functions below that take a plaintext. */
#ifndef ADY_SIGNER_DUTY_H
#define ADY_SIGNER_DUTY_H

#include "chain/beacon_duty.h"
#include "codec/wire_duty.h"
#include "crypto/bls.h"
#include "policy/slashing_row.h"
#include "signer/sign.h"

/* What a duty needs beside the job's record. */
struct ady_duty_job {
	const struct ady_secp *secp; /* set by the owner: for a commitment of a secp256k1 key */
	struct ady_duty duty;
	struct ady_wire_watermark marks; /* of a WATERMARK; its views are not kept */
	uint8_t row[ADY_SLASH_ROW];      /* as it is stored */
	size_t row_n;                    /* 0: there is none */
	struct ady_slash_state next;     /* what is to be written before the key is used */
	uint8_t new_row[ADY_SLASH_ROW];
	uint8_t signature[ADY_BLS_SIGNATURE];
	size_t signature_n; /* ADY_BLS_SIGNATURE; of a secp256k1 key 65: r, s, and 27 or 28 */
};

/* What the rules need beside the row: this enclave's memory of the key, and the time. */
struct ady_duty_host {
	void *ctx;
	/* ady_slash_begin with the memory of that key. */
	enum ady_err (*begin)(void *ctx, const uint8_t pub48[static 48],
	                      const struct ady_slash_state *row, const struct ady_slash_ask *ask,
	                      struct ady_slash_state *next, bool *repeat, struct ady_fault *f);
};

/* Check all that can be checked without the key, the record's policy too, and compute the signing
 * root. job->charging.guarded: the duty is counted first (signer/charging.h), and what is not is
 * signed by none of the functions below (ADY_E_COUNTERS). job's policies and setting are set by the
 * owner. m's views need not outlive the call. Returns: the error with field and reason in f. */
enum ady_err ady_duty_prepare(struct ady_sign_job *job, struct ady_duty_job *d,
                              const struct ady_wire_duty *m, const struct ady_beacon_network *net,
                              struct ady_fault *f);

/* The key that authenticates rows of counters (policy/tally.h), as ady_sign_row_key: of a BLS key,
 * or of a secp256k1 one in an envelope. */
enum ady_err ady_duty_row_key(struct ady_seckey *row_key, const struct ady_sign_job *job,
                              struct ady_bytes plaintext, struct ady_fault *f);

/* Keep another row, the one that is stored now. Returns ADY_E_PROTOCOL when it is too long. */
enum ady_err ady_duty_set_row(struct ady_duty_job *d, struct ady_bytes row, struct ady_fault *f);

/* Open the key and decide. plaintext: as in ady_sign_finish, here of a BLS key or of its data key.
 * Returns: ADY_OK when it could be signed at once, and d->signature is there; ADY_E_AGAIN when
 * d->new_row must be written over version d->next.version - 1 first, then ady_duty_sign;
 * ADY_E_SLASHING; ADY_E_KEY_FORM, ADY_E_KEY_RANGE, ADY_E_RECORD_MISMATCH, ADY_E_CRYPTO.
 * Time: constant in the key. Heap: that of an HMAC. */
enum ady_err ady_duty_begin(struct ady_sign_job *job, struct ady_duty_job *d,
                            const struct ady_duty_host *host, const struct ady_beacon_network *net,
                            struct ady_bytes plaintext, struct ady_fault *f);

/* Sign what was begun, after the state was written and ady_slash_end has said so. As above. */
enum ady_err ady_duty_sign(struct ady_sign_job *job, struct ady_duty_job *d,
                           struct ady_bytes plaintext, struct ady_fault *f);

/* Check a WATERMARK. As ady_duty_prepare. */
enum ady_err ady_watermark_prepare(struct ady_sign_job *job, struct ady_duty_job *d,
                                   const struct ady_wire_watermark *m,
                                   const struct ady_beacon_network *net, struct ady_fault *f);

/* The first epochs in which a key may sign. */
struct ady_watermark_from {
	uint64_t made, revived;
};

/* Make d->new_row out of d->row and the marks: raised, never lowered. A row that is new signs
 * nothing before from->made, one that was retired and is revived nothing before from->revived.
 * Returns as ady_duty_begin. */
enum ady_err ady_watermark_make(struct ady_sign_job *job, struct ady_duty_job *d,
                                const struct ady_beacon_network *net,
                                const struct ady_watermark_from *from, struct ady_bytes plaintext,
                                struct ady_fault *f);

#endif
