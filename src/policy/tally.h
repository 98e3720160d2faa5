/* SPDX-License-Identifier: Apache-2.0
 *
 * What is durable of a key's policy: its counters and its revision, as one row that the store
 * keeps and the enclave authenticates with a key that only who holds the private key can make. Its
 * name in the store says whose it is, and is authenticated with it: no row passes for that of
 * another key, tenant or deployment, nor, with the policy's hash in it, for that of another policy.
 *
 *   "ADYTALLY" | 1 | 7 zero | version | revision (8 bytes big-endian each) | SHA-256 of the policy
 * | what was charged last, 8 of: digest (32 bytes), when (8 bytes) | counters (policy/counter.h) |
 * HMAC-SHA-256 of the name and all before (32)
 *
 * Each row is of the version behind the one it was written over. A store can lose rows or bring
 * back old ones; what an enclave does against that stands in doc/policy.md, "Limits". */
#ifndef ADY_POLICY_TALLY_H
#define ADY_POLICY_TALLY_H

#include "base/secret.h"
#include "policy/counter.h"

enum {
	ADY_TALLY_NAME = 32,
	ADY_TALLY_RECENT = 8,
	ADY_TALLY_HEAD = 16 + 16 + 32 + ADY_TALLY_RECENT * (32 + 8),
	ADY_TALLY_MAC = 32,
	ADY_TALLY_ROW_MAX = 12 * 1024,
};

/* What was charged: its digest, and when, in seconds since 1970; 0: nothing is here. */
struct ady_tally_recent {
	uint8_t digest[32];
	uint64_t at_s;
};

struct ady_tally {
	uint64_t version;  /* counts what was written, from 1 on */
	uint64_t revision; /* of the policy: counts its changes, from 0 on */
	uint8_t policy_hash[32];
	struct ady_tally_recent recent[ADY_TALLY_RECENT]; /* the last first */
	struct ady_bytes counters;                        /* of an opened row, a view into it */
};

/* Whose row. The texts are a record's; pub is its public key. */
struct ady_tally_owner {
	const char *deployment, *tenant, *id, *curve;
	struct ady_bytes pub;
};

/* The name of a key's row. */
void ady_tally_name(uint8_t name[static ADY_TALLY_NAME], const struct ady_tally_owner *owner);

/* The name of the row that a wallet's key has for itself: of the wallet's row, and what the key is.
 * Its id has no part in it. */
void ady_tally_key_name(uint8_t name[static ADY_TALLY_NAME],
                        const uint8_t wallet[static ADY_TALLY_NAME], const char *curve,
                        struct ady_bytes pub);

/* The row key of a wallet: the same of its seed, for "adyton counters row of a wallet 1". */
void ady_tally_wallet_key(struct ady_seckey *row_key, struct ady_bytes seed);

/* The row key of a private key: HMAC-SHA-256(key, "adyton counters row 1").
 * Time: constant in the key; leaves copies on the stack. */
void ady_tally_row_key(struct ady_seckey *row_key, const struct ady_seckey *key);

/* Append a row: t, and the n counters. b has room for ADY_TALLY_ROW_MAX. Time: constant in the key.
 */
void ady_tally_seal(struct ady_buf *b, const struct ady_tally *t,
                    const struct ady_counters *counters, const struct ady_counter_info *info,
                    size_t n, const uint8_t name[static ADY_TALLY_NAME],
                    const struct ady_seckey *row_key);

/* Read a row after its authenticity was checked.
 * Returns: ADY_E_COUNTERS for one that is missing (empty), or of another form or key; *t is zero
 * then. */
enum ady_err ady_tally_open(struct ady_tally *t, struct ady_bytes row,
                            const uint8_t name[static ADY_TALLY_NAME],
                            const struct ady_seckey *row_key, struct ady_fault *f);

/* The version of a row that is known to be authentic. */
uint64_t ady_tally_version(struct ady_bytes row);

/* Whether row, authentic, may come after known, the newest that this enclave has seen (empty: it
 * has seen none): it is not older, and of the same version only the very same.
 * Returns: ADY_E_COUNTERS. */
enum ady_err ady_tally_follows(struct ady_bytes known, struct ady_bytes row, struct ady_fault *f);

/* Whether a record of this revision with a policy of this hash is the one that the row is of.
 * Returns: ADY_E_COUNTERS, which says whether record or row is the older. */
enum ady_err ady_tally_matches(const struct ady_tally *t, uint64_t revision,
                               const uint8_t policy_hash[static 32], struct ady_fault *f);

/* Whether a digest is among those that were charged last, at since_s or later. */
bool ady_tally_has(const struct ady_tally *t, const uint8_t digest[static 32], uint64_t since_s);

/* Count a version, in which this was charged, at now_s. */
void ady_tally_charge(struct ady_tally *t, const uint8_t digest[static 32], uint64_t now_s);

#endif
