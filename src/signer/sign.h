/* SPDX-License-Identifier: Apache-2.0
 *
 * The signing core: a request becomes a job, KMS opens the job's ciphertext, the job becomes an
 * answer. No sockets, files, clock or heap; every path to a private key goes through
 * ady_sign_finish. Thread rule: a job belongs to one thread at a time. */
#ifndef ADY_SIGNER_SIGN_H
#define ADY_SIGNER_SIGN_H

#include "chain/eth_tx.h"
#include "codec/wire.h"
#include "crypto/points.h"
#include "signer/decision.h"
#include "signer/envelope.h"
#include "signer/stamp.h"

/* JSON values of a request; of a duty, whose payload may have thousands of transactions. */
enum { ADY_SIGN_TOKENS = 4096, ADY_DUTY_TOKENS = 16384 };

/* What the owner knows of time and of itself. */
struct ady_sign_setting {
	const char *deployment;
	uint64_t now_s;  /* checked against the NSM; 0: not known, and no stamp is good */
	uint64_t born_s; /* when the window of used stamps began */
	uint32_t stamp_life_s;
};

/* All that one signature needs but the key; about 330 KiB, made once per lane and used again. */
struct ady_sign_job {
	/* Set by the owner, kept by prepare: leave out the check of each signature
	 * ("verify_signatures": false). */
	bool skip_verify;
	struct ady_policies *policies;   /* of the thread that prepares */
	struct ady_points *points;       /* of it too, kept by prepare; NULL: none */
	struct ady_json_tok *toks;       /* of it too: ADY_DUTY_TOKENS of them */
	struct ady_sign_setting setting; /* set by the owner before prepare */
	struct ady_envelope envelope;    /* set by the owner before finish opens an envelope */
	struct ady_record record;        /* what KMS must open: ciphertext and context */
	const char *at;                  /* the member of the request that is signed, for faults */
	bool is_tx;                      /* else digest is all there is */
	struct ady_eth_tx tx;
	struct ady_eip712_view typed;
	/* What a policy decides on: tx, typed, or other parts of the request, whose text it needs.
	 * */
	struct ady_object object;
	struct ady_charging charging; /* of a guarded key: what is counted before it signs */
	/* The stamps that were verified, and what they are good for: the owner must see to it that
	 * each is used for one request only (signer/replay.h). */
	struct ady_stamp stamps[ADY_STAMPS_MAX];
	size_t stamps_n;
	struct ady_bytes stamp_keys[ADY_STAMPS_MAX];
	uint8_t request_hash[32];
	uint8_t digest[32];
	struct ady_bytes message; /* of an ed25519 key: what is signed, in scratch */
	uint8_t hash[32], from[20], pub65[65];
	struct ady_secp_sig sig;
	struct ady_buf raw;  /* over raw_space: the signed transaction; empty when it is none */
	struct ady_json doc; /* of the request, over toks; usable while it is prepared */
	uint8_t scratch[ADY_WIRE_REQUEST_MAX];
	uint8_t raw_space[ADY_WIRE_RAW_MAX];
};

/* Check everything that can be checked without the key: record, request (signer/request.h) and what
 * it asks to sign; compute the digest. An envelope's public key is taken from the record, so "from"
 * is compared here already; whether the record is authentic shows when it is opened. m's views need
 * not outlive the call. Returns: the error with field and reason in f; job is then unusable but may
 * be prepared again. */
enum ady_err ady_sign_prepare(struct ady_sign_job *job, const struct ady_wire_sign *m,
                              struct ady_fault *f);

/* Turn KMS's plaintext into a key, sign the digest, verify the signature, encode.
 *
 * Direct: the plaintext is the key. Its public key must be the record's and its address "from".
 * An ed25519 key signs the message itself, as an envelope only; its signature is r || s.
 * Accepted: exactly 32 bytes are the raw key, whatever they look like; all else is hex text as the
 * AWS sample stores it, 1 to 64 digits, "0x" before and one newline behind allowed. Envelope: the
 * plaintext is the data key, 32 bytes. The public key is authenticated with the key, and not
 * derived again; with skip_verify nothing then compares the two.
 * In:      plaintext, secret; the caller wipes it. Local copies are wiped here, stack included.
 * Out:     answer, views into job, on ADY_OK only.
 * A guarded key signs only what was permitted (signer/charging.h).
 * Returns: ADY_E_KEY_FORM, ADY_E_KEY_RANGE, ADY_E_RECORD_MISMATCH, ADY_E_FROM, ADY_E_CRYPTO,
 *          ADY_E_COUNTERS.
 * Time:    constant in the key (not in its form or length). Heap: none. Blocks: never. */
enum ady_err ady_sign_finish(struct ady_sign_job *job, const struct ady_secp *secp,
                             struct ady_bytes plaintext, struct ady_wire_signed *answer,
                             struct ady_fault *f);

/* The key that authenticates rows of counters (policy/tally.h), out of the plaintext. Returns as
 * ady_sign_finish. The caller wipes row_key and the stack. */
enum ady_err ady_sign_row_key(struct ady_seckey *row_key, struct ady_sign_job *job,
                              const struct ady_secp *secp, struct ady_bytes plaintext,
                              struct ady_fault *f);

/* The key in a plaintext, by the rules of ady_sign_finish, in secp's range; secp NULL: any 32 bytes
 * are one, as of ed25519. For key import too. */
enum ady_err ady_sign_read_key(struct ady_seckey *key, const struct ady_secp *secp,
                               struct ady_bytes plaintext);

#endif
