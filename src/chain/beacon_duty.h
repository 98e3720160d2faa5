/* SPDX-License-Identifier: Apache-2.0
 *
 * What a validator is asked to sign, in the request of the remote signing API (Web3Signer's eth2
 * interface, ethereum/remote-signing-api v1.4.0):
 *
 *   {"type": "ATTESTATION", "fork_info": {"fork": {"previous_version": "0x..", "current_version":
 *    "0x..", "epoch": ".."}, "genesis_validators_root": "0x.."}, "signingRoot": "0x..",
 *    "attestation": {..}}
 *
 * and two of our own, under Commit-Boost's domain 0x6d6d6f43 with the genesis version and no
 * genesis validators root, so that neither can pass for a duty:
 *
 *   {"type": "COMMITMENT", "commitment": {"object_root": "0x..", "module_signing_id": "0x..",
 *    "nonce": "..", "chain_id": ".."}}
 *   {"type": "PROXY_DELEGATION", "proxy_delegation": {"delegator": "0x..", "proxy": "0x.."}}
 *
 * The signing root is computed here from the typed fields; one that is given ("signingRoot" or
 * "signing_root") must be the same. Inside the object that is signed every member is known; outside
 * of it unknown members are ignored, as clients send them, unless the reading is strict. */
#ifndef ADY_CHAIN_BEACON_DUTY_H
#define ADY_CHAIN_BEACON_DUTY_H

#include "chain/beacon_network.h"

/* In the order of the table of types; ady_duty_name gives the name in requests. */
enum ady_duty_type {
	ADY_DUTY_AGGREGATION_SLOT,
	ADY_DUTY_AGGREGATE_AND_PROOF,
	ADY_DUTY_AGGREGATE_AND_PROOF_V2,
	ADY_DUTY_ATTESTATION,
	ADY_DUTY_BLOCK,
	ADY_DUTY_BLOCK_V2,
	ADY_DUTY_DEPOSIT,
	ADY_DUTY_RANDAO_REVEAL,
	ADY_DUTY_VOLUNTARY_EXIT,
	ADY_DUTY_SYNC_COMMITTEE_MESSAGE,
	ADY_DUTY_SYNC_SELECTION_PROOF,
	ADY_DUTY_SYNC_CONTRIBUTION,
	ADY_DUTY_REGISTRATION,
	ADY_DUTY_PAYLOAD_BID,
	ADY_DUTY_PAYLOAD_ENVELOPE,
	ADY_DUTY_PAYLOAD_ATTESTATION,
	ADY_DUTY_PREFERENCES,
	ADY_DUTY_REQUEST_AUTH,
	ADY_DUTY_COMMITMENT, /* of Commit-Boost, as the next: no duty of the consensus layer */
	ADY_DUTY_DELEGATION,
	ADY_DUTIES,
};

/* Which of them can be slashed for. */
enum ady_duty_kind { ADY_DUTY_FREE, ADY_DUTY_OF_BLOCK, ADY_DUTY_OF_ATTESTATION };

struct ady_duty {
	enum ady_duty_type type;
	enum ady_duty_kind kind;
	uint64_t slot;           /* of a block */
	uint64_t source, target; /* epochs of an attestation */
	uint8_t root[32];        /* the signing root */
};

/* Read object i of doc. strict: unknown members outside of the signed object are refused too.
 * Returns: the ADY_E_FIELD_* with the path in f; ADY_E_FIELD_INVALID for another network or a fork
 * version that contradicts its schedule; ADY_E_SIGNING_ROOT for a given root that is another.
 * *duty is zero then. Time: variable; nothing here is secret. */
enum ady_err ady_duty_read(struct ady_duty *duty, const struct ady_beacon_network *net,
                           const struct ady_json *doc, uint32_t i, bool strict,
                           struct ady_fault *f);

/* The name of a type, such as "ATTESTATION". */
const char *ady_duty_name(enum ady_duty_type type);

/* The type of that name, in upper or lower case; false: there is none. */
bool ady_duty_find(enum ady_duty_type *type, const char *name);

#endif
