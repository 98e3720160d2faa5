/* SPDX-License-Identifier: Apache-2.0
 *
 * The SSZ types of what validators sign, as tables for codec/ssz_json: consensus-specs, phase0 to
 * gloas (there with the progressive types of EIP-7688), builder-specs. */
#ifndef ADY_CHAIN_BEACON_TYPES_H
#define ADY_CHAIN_BEACON_TYPES_H

#include "codec/ssz_json.h"

/* Sizes that a network's preset fixes, as indices into its table of them. */
enum ady_beacon_size {
	ADY_SIZE_COMMITTEES,      /* MAX_COMMITTEES_PER_SLOT */
	ADY_SIZE_SLOT_VALIDATORS, /* MAX_VALIDATORS_PER_COMMITTEE * MAX_COMMITTEES_PER_SLOT */
	ADY_SIZE_SYNC_COMMITTEE,
	ADY_SIZE_SYNC_SUBCOMMITTEE,
	ADY_SIZES,
};

extern const struct ady_ssz_type ady_ssz_uint64, ady_ssz_bytes32;
extern const struct ady_ssz_type ady_beacon_attestation_data;
extern const struct ady_ssz_type ady_beacon_aggregate_phase0, ady_beacon_aggregate_electra,
    ady_beacon_aggregate_gloas;
extern const struct ady_ssz_type ady_beacon_block_phase0, ady_beacon_block_altair,
    ady_beacon_block_header;
extern const struct ady_ssz_type ady_beacon_deposit_message, ady_beacon_voluntary_exit,
    ady_beacon_sync_selection, ady_beacon_contribution, ady_beacon_registration;
extern const struct ady_ssz_type ady_beacon_payload_bid, ady_beacon_payload_envelope,
    ady_beacon_payload_attestation, ady_beacon_preferences, ady_beacon_request_auth;
extern const struct ady_ssz_type ady_beacon_commitment, ady_beacon_delegation_bls,
    ady_beacon_delegation_ecdsa; /* of Commit-Boost */

#endif
