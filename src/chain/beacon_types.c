/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/beacon_types.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define BYTES(size)                                \
	{                                          \
		.kind = ADY_SSZ_BYTES, .n = (size) \
	}
#define LIST(type, limit)                                           \
	{                                                           \
		.kind = ADY_SSZ_LIST, .n = (limit), .item = &(type) \
	}
#define PROGRESSIVE_LIST(type)                                             \
	{                                                                  \
		.kind = ADY_SSZ_LIST, .progressive = true, .item = &(type) \
	}
#define CONTAINER(table)                                                        \
	{                                                                       \
		.kind = ADY_SSZ_CONTAINER, .n = COUNT(table), .fields = (table) \
	}
#define PROGRESSIVE(table)                                                         \
	{                                                                          \
		.kind = ADY_SSZ_CONTAINER, .progressive = true, .n = COUNT(table), \
		.fields = (table)                                                  \
	}
#define PRESET(what, size)                           \
	{                                            \
		.kind = (what), .preset = 1 + (size) \
	}

typedef const struct ady_ssz_type type;
typedef const struct ady_ssz_field field;

type ady_ssz_uint64 = {.kind = ADY_SSZ_UINT, .n = 8};
type ady_ssz_bytes32 = BYTES(32);
#define uint64 ady_ssz_uint64
#define bytes32 ady_ssz_bytes32
static type uint256 = {.kind = ADY_SSZ_UINT, .n = 32};
static type boolean = {.kind = ADY_SSZ_BOOL};
static type address = BYTES(20), pubkey = BYTES(48), signature = BYTES(96), bloom = BYTES(256);
static type committee_bits = PRESET(ADY_SSZ_BITS, ADY_SIZE_COMMITTEES);
static type sync_bits = PRESET(ADY_SSZ_BITS, ADY_SIZE_SYNC_COMMITTEE);
static type subcommittee_bits = PRESET(ADY_SSZ_BITS, ADY_SIZE_SYNC_SUBCOMMITTEE);
static type bits_phase0 = {.kind = ADY_SSZ_BIT_LIST, .n = 2048};
static type bits_electra = PRESET(ADY_SSZ_BIT_LIST, ADY_SIZE_SLOT_VALIDATORS);
static type bits_gloas = {.kind = ADY_SSZ_BIT_LIST, .progressive = true};

/* Phase 0 and Altair. */

static field checkpoint_fields[] = {
    {"epoch", &uint64},
    {"root", &bytes32},
};
static type checkpoint = CONTAINER(checkpoint_fields);

static field attestation_data_fields[] = {
    {"slot", &uint64},       {"index", &uint64},      {"beacon_block_root", &bytes32},
    {"source", &checkpoint}, {"target", &checkpoint},
};
type ady_beacon_attestation_data = CONTAINER(attestation_data_fields);

static field attestation_phase0_fields[] = {
    {"aggregation_bits", &bits_phase0},
    {"data", &ady_beacon_attestation_data},
    {"signature", &signature},
};
static type attestation_phase0 = CONTAINER(attestation_phase0_fields);

static field aggregate_phase0_fields[] = {
    {"aggregator_index", &uint64},
    {"aggregate", &attestation_phase0},
    {"selection_proof", &signature},
};
type ady_beacon_aggregate_phase0 = CONTAINER(aggregate_phase0_fields);

static field header_fields[] = {
    {"slot", &uint64},        {"proposer_index", &uint64}, {"parent_root", &bytes32},
    {"state_root", &bytes32}, {"body_root", &bytes32},
};
type ady_beacon_block_header = CONTAINER(header_fields);

static field signed_header_fields[] = {
    {"message", &ady_beacon_block_header},
    {"signature", &signature},
};
static type signed_header = CONTAINER(signed_header_fields);

static field proposer_slashing_fields[] = {
    {"signed_header_1", &signed_header},
    {"signed_header_2", &signed_header},
};
static type proposer_slashing = CONTAINER(proposer_slashing_fields);

static type attesting_indices = LIST(uint64, 2048);

static field indexed_attestation_fields[] = {
    {"attesting_indices", &attesting_indices},
    {"data", &ady_beacon_attestation_data},
    {"signature", &signature},
};
static type indexed_attestation = CONTAINER(indexed_attestation_fields);

static field attester_slashing_fields[] = {
    {"attestation_1", &indexed_attestation},
    {"attestation_2", &indexed_attestation},
};
static type attester_slashing = CONTAINER(attester_slashing_fields);

static field deposit_data_fields[] = {
    {"pubkey", &pubkey},
    {"withdrawal_credentials", &bytes32},
    {"amount", &uint64},
    {"signature", &signature},
};
static type deposit_data = CONTAINER(deposit_data_fields);

static type deposit_proof = {.kind = ADY_SSZ_VECTOR, .n = 33, .item = &bytes32};

static field deposit_fields[] = {
    {"proof", &deposit_proof},
    {"data", &deposit_data},
};
static type deposit = CONTAINER(deposit_fields);

static field exit_fields[] = {
    {"epoch", &uint64},
    {"validator_index", &uint64},
};
type ady_beacon_voluntary_exit = CONTAINER(exit_fields);

static field signed_exit_fields[] = {
    {"message", &ady_beacon_voluntary_exit},
    {"signature", &signature},
};
static type signed_exit = CONTAINER(signed_exit_fields);

static field eth1_data_fields[] = {
    {"deposit_root", &bytes32},
    {"deposit_count", &uint64},
    {"block_hash", &bytes32},
};
static type eth1_data = CONTAINER(eth1_data_fields);

static field sync_aggregate_fields[] = {
    {"sync_committee_bits", &sync_bits},
    {"sync_committee_signature", &signature},
};
static type sync_aggregate = CONTAINER(sync_aggregate_fields);

static type proposer_slashings = LIST(proposer_slashing, 16);
static type attester_slashings = LIST(attester_slashing, 2);
static type attestations = LIST(attestation_phase0, 128);
static type deposits = LIST(deposit, 16);
static type signed_exits = LIST(signed_exit, 16);

static field body_phase0_fields[] = {
    {"randao_reveal", &signature},
    {"eth1_data", &eth1_data},
    {"graffiti", &bytes32},
    {"proposer_slashings", &proposer_slashings},
    {"attester_slashings", &attester_slashings},
    {"attestations", &attestations},
    {"deposits", &deposits},
    {"voluntary_exits", &signed_exits},
};
static type body_phase0 = CONTAINER(body_phase0_fields);

static field body_altair_fields[] = {
    {"randao_reveal", &signature},
    {"eth1_data", &eth1_data},
    {"graffiti", &bytes32},
    {"proposer_slashings", &proposer_slashings},
    {"attester_slashings", &attester_slashings},
    {"attestations", &attestations},
    {"deposits", &deposits},
    {"voluntary_exits", &signed_exits},
    {"sync_aggregate", &sync_aggregate},
};
static type body_altair = CONTAINER(body_altair_fields);

static field block_phase0_fields[] = {
    {"slot", &uint64},        {"proposer_index", &uint64}, {"parent_root", &bytes32},
    {"state_root", &bytes32}, {"body", &body_phase0},
};
type ady_beacon_block_phase0 = CONTAINER(block_phase0_fields);

static field block_altair_fields[] = {
    {"slot", &uint64},        {"proposer_index", &uint64}, {"parent_root", &bytes32},
    {"state_root", &bytes32}, {"body", &body_altair},
};
type ady_beacon_block_altair = CONTAINER(block_altair_fields);

static field deposit_message_fields[] = {
    {"pubkey", &pubkey},
    {"withdrawal_credentials", &bytes32},
    {"amount", &uint64},
};
type ady_beacon_deposit_message = CONTAINER(deposit_message_fields);

static field sync_selection_fields[] = {
    {"slot", &uint64},
    {"subcommittee_index", &uint64},
};
type ady_beacon_sync_selection = CONTAINER(sync_selection_fields);

static field contribution_fields[] = {
    {"slot", &uint64},
    {"beacon_block_root", &bytes32},
    {"subcommittee_index", &uint64},
    {"aggregation_bits", &subcommittee_bits},
    {"signature", &signature},
};
static type contribution = CONTAINER(contribution_fields);

static field contribution_and_proof_fields[] = {
    {"aggregator_index", &uint64},
    {"contribution", &contribution},
    {"selection_proof", &signature},
};
type ady_beacon_contribution = CONTAINER(contribution_and_proof_fields);

static field registration_fields[] = {
    {"fee_recipient", &address},
    {"gas_limit", &uint64},
    {"timestamp", &uint64},
    {"pubkey", &pubkey},
};
type ady_beacon_registration = CONTAINER(registration_fields);

/* Electra. */

static field attestation_electra_fields[] = {
    {"aggregation_bits", &bits_electra},
    {"data", &ady_beacon_attestation_data},
    {"signature", &signature},
    {"committee_bits", &committee_bits},
};
static type attestation_electra = CONTAINER(attestation_electra_fields);

static field aggregate_electra_fields[] = {
    {"aggregator_index", &uint64},
    {"aggregate", &attestation_electra},
    {"selection_proof", &signature},
};
type ady_beacon_aggregate_electra = CONTAINER(aggregate_electra_fields);

/* Gloas. */

static field attestation_gloas_fields[] = {
    {"aggregation_bits", &bits_gloas},
    {"data", &ady_beacon_attestation_data},
    {"signature", &signature},
    {"committee_bits", &committee_bits},
};
static type attestation_gloas = PROGRESSIVE(attestation_gloas_fields);

static field aggregate_gloas_fields[] = {
    {"aggregator_index", &uint64},
    {"aggregate", &attestation_gloas},
    {"selection_proof", &signature},
};
type ady_beacon_aggregate_gloas = CONTAINER(aggregate_gloas_fields);

static type commitments = PROGRESSIVE_LIST(pubkey); /* 48 bytes, as keys are */

static field payload_bid_fields[] = {
    {"parent_block_hash", &bytes32},
    {"parent_block_root", &bytes32},
    {"block_hash", &bytes32},
    {"prev_randao", &bytes32},
    {"fee_recipient", &address},
    {"gas_limit", &uint64},
    {"builder_index", &uint64},
    {"slot", &uint64},
    {"value", &uint64},
    {"execution_payment", &uint64},
    {"blob_kzg_commitments", &commitments},
    {"execution_requests_root", &bytes32},
};
type ady_beacon_payload_bid = PROGRESSIVE(payload_bid_fields);

static type progressive_bytes = {.kind = ADY_SSZ_BYTE_LIST, .progressive = true};
static type transactions = PROGRESSIVE_LIST(progressive_bytes);
static type extra_data = {.kind = ADY_SSZ_BYTE_LIST, .n = 32};

static field withdrawal_fields[] = {
    {"index", &uint64},
    {"validator_index", &uint64},
    {"address", &address},
    {"amount", &uint64},
};
static type withdrawal = CONTAINER(withdrawal_fields);

static type withdrawals = PROGRESSIVE_LIST(withdrawal);

static field payload_fields[] = {
    {"parent_hash", &bytes32},     {"fee_recipient", &address},
    {"state_root", &bytes32},      {"receipts_root", &bytes32},
    {"logs_bloom", &bloom},        {"prev_randao", &bytes32},
    {"block_number", &uint64},     {"gas_limit", &uint64},
    {"gas_used", &uint64},         {"timestamp", &uint64},
    {"extra_data", &extra_data},   {"base_fee_per_gas", &uint256},
    {"block_hash", &bytes32},      {"transactions", &transactions},
    {"withdrawals", &withdrawals}, {"blob_gas_used", &uint64},
    {"excess_blob_gas", &uint64},  {"block_access_list", &progressive_bytes},
    {"slot_number", &uint64},
};
static type payload = PROGRESSIVE(payload_fields);

static field deposit_request_fields[] = {
    {"pubkey", &pubkey}, {"withdrawal_credentials", &bytes32},
    {"amount", &uint64}, {"signature", &signature},
    {"index", &uint64},
};
static type deposit_request = CONTAINER(deposit_request_fields);

static field withdrawal_request_fields[] = {
    {"source_address", &address},
    {"validator_pubkey", &pubkey},
    {"amount", &uint64},
};
static type withdrawal_request = CONTAINER(withdrawal_request_fields);

static field consolidation_request_fields[] = {
    {"source_address", &address},
    {"source_pubkey", &pubkey},
    {"target_pubkey", &pubkey},
};
static type consolidation_request = CONTAINER(consolidation_request_fields);

static field builder_exit_request_fields[] = {
    {"source_address", &address},
    {"pubkey", &pubkey},
};
static type builder_exit_request = CONTAINER(builder_exit_request_fields);

static type deposit_requests = PROGRESSIVE_LIST(deposit_request);
static type withdrawal_requests = PROGRESSIVE_LIST(withdrawal_request);
static type consolidation_requests = PROGRESSIVE_LIST(consolidation_request);
static type builder_deposits = PROGRESSIVE_LIST(deposit_data); /* the same four fields */
static type builder_exits = PROGRESSIVE_LIST(builder_exit_request);

static field requests_fields[] = {
    {"deposits", &deposit_requests},
    {"withdrawals", &withdrawal_requests},
    {"consolidations", &consolidation_requests},
    {"builder_deposits", &builder_deposits},
    {"builder_exits", &builder_exits},
};
static type requests = PROGRESSIVE(requests_fields);

static field payload_envelope_fields[] = {
    {"payload", &payload},
    {"execution_requests", &requests},
    {"builder_index", &uint64},
    {"beacon_block_root", &bytes32},
    {"parent_beacon_block_root", &bytes32},
};
type ady_beacon_payload_envelope = PROGRESSIVE(payload_envelope_fields);

static field payload_attestation_fields[] = {
    {"beacon_block_root", &bytes32},
    {"slot", &uint64},
    {"payload_present", &boolean},
    {"blob_data_available", &boolean},
};
type ady_beacon_payload_attestation = CONTAINER(payload_attestation_fields);

static field preferences_fields[] = {
    {"dependent_root", &bytes32}, {"proposal_slot", &uint64},    {"validator_index", &uint64},
    {"fee_recipient", &address},  {"target_gas_limit", &uint64},
};
type ady_beacon_preferences = CONTAINER(preferences_fields);

static type auth_data = {.kind = ADY_SSZ_BYTE_LIST, .n = 4096};

static field request_auth_fields[] = {
    {"data", &auth_data},
    {"slot", &uint64},
};
type ady_beacon_request_auth = CONTAINER(request_auth_fields);

/* Commit-Boost's PropCommitSigningInfo and ProxyDelegation
 * (docs/docs/developing/prop-commit-signing.md there); the first member is "data" there. */
static field commitment_fields[] = {
    {"object_root", &bytes32},
    {"module_signing_id", &bytes32},
    {"nonce", &uint64},
    {"chain_id", &uint256},
};
type ady_beacon_commitment = CONTAINER(commitment_fields);

static field delegation_bls_fields[] = {
    {"delegator", &pubkey},
    {"proxy", &pubkey},
};
type ady_beacon_delegation_bls = CONTAINER(delegation_bls_fields);

static field delegation_ecdsa_fields[] = {
    {"delegator", &pubkey},
    {"proxy", &address},
};
type ady_beacon_delegation_ecdsa = CONTAINER(delegation_ecdsa_fields);
