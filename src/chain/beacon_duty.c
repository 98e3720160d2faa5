/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/beacon_duty.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "chain/beacon_domain.h"

enum { TYPE_MAX = 48, VERSION_MAX = 16 };

/* How the payload holds what is signed. */
enum shape {
	WHOLE,      /* it is the object */
	MEMBER,     /* one member of it is; the others say when */
	DEPOSIT,    /* three of its four members are */
	AGGREGATE,  /* bare, or {"version", "data"} */
	BLOCK_V2,   /* {"version", "block" or "block_header"} */
	VERSIONED,  /* {"version": "GLOAS", "data"} */
	DELEGATION, /* to a key of either curve */
};

/* when: the path to the slot or epoch whose fork version counts, NULL: the genesis version, without
 * a genesis validators root. member: see MEMBER. */
struct row {
	const char *name, *key;
	uint8_t domain[4];
	enum shape shape;
	const struct ady_ssz_type *type;
	const char *member, *when;
	bool is_epoch;
};

static const struct row rows[ADY_DUTIES] = {
    {"AGGREGATION_SLOT", "aggregation_slot", {5}, MEMBER, &ady_ssz_uint64, "slot", "slot", false},
    {"AGGREGATE_AND_PROOF",
     "aggregate_and_proof",
     {6},
     AGGREGATE,
     NULL,
     NULL,
     "aggregate.data.slot",
     false},
    {"AGGREGATE_AND_PROOF_V2",
     "aggregate_and_proof",
     {6},
     AGGREGATE,
     NULL,
     NULL,
     "aggregate.data.slot",
     false},
    {"ATTESTATION",
     "attestation",
     {1},
     WHOLE,
     &ady_beacon_attestation_data,
     NULL,
     "target.epoch",
     true},
    {"BLOCK", "block", {0}, WHOLE, &ady_beacon_block_phase0, NULL, "slot", false},
    {"BLOCK_V2", "beacon_block", {0}, BLOCK_V2, NULL, NULL, "slot", false},
    {"DEPOSIT", "deposit", {3}, DEPOSIT, &ady_beacon_deposit_message, NULL, NULL, false},
    {"RANDAO_REVEAL", "randao_reveal", {2}, MEMBER, &ady_ssz_uint64, "epoch", "epoch", true},
    {"VOLUNTARY_EXIT",
     "voluntary_exit",
     {4},
     WHOLE,
     &ady_beacon_voluntary_exit,
     NULL,
     "epoch",
     true},
    {"SYNC_COMMITTEE_MESSAGE",
     "sync_committee_message",
     {7},
     MEMBER,
     &ady_ssz_bytes32,
     "beacon_block_root",
     "slot",
     false},
    {"SYNC_COMMITTEE_SELECTION_PROOF",
     "sync_aggregator_selection_data",
     {8},
     WHOLE,
     &ady_beacon_sync_selection,
     NULL,
     "slot",
     false},
    {"SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF",
     "contribution_and_proof",
     {9},
     WHOLE,
     &ady_beacon_contribution,
     NULL,
     "contribution.slot",
     false},
    {"VALIDATOR_REGISTRATION",
     "validator_registration",
     {0, 0, 0, 1},
     WHOLE,
     &ady_beacon_registration,
     NULL,
     NULL,
     false},
    {"EXECUTION_PAYLOAD_BID",
     "execution_payload_bid",
     {11},
     VERSIONED,
     &ady_beacon_payload_bid,
     NULL,
     "slot",
     false},
    {"EXECUTION_PAYLOAD_ENVELOPE",
     "execution_payload_envelope",
     {11},
     VERSIONED,
     &ady_beacon_payload_envelope,
     NULL,
     "payload.slot_number",
     false},
    {"PAYLOAD_ATTESTATION_MESSAGE",
     "payload_attestation_message",
     {12},
     VERSIONED,
     &ady_beacon_payload_attestation,
     NULL,
     "slot",
     false},
    {"PROPOSER_PREFERENCES",
     "proposer_preferences",
     {13},
     VERSIONED,
     &ady_beacon_preferences,
     NULL,
     "proposal_slot",
     false},
    {"BUILDER_REQUEST_AUTH",
     "builder_request_auth",
     {11, 0, 0, 1},
     VERSIONED,
     &ady_beacon_request_auth,
     NULL,
     NULL,
     false},
    {"COMMITMENT",
     "commitment",
     {0x6d, 0x6d, 0x6f, 0x43},
     WHOLE,
     &ady_beacon_commitment,
     NULL,
     NULL,
     false},
    {"PROXY_DELEGATION",
     "proxy_delegation",
     {0x6d, 0x6d, 0x6f, 0x43},
     DELEGATION,
     NULL,
     NULL,
     NULL,
     false},
};

struct reader {
	struct ady_ssz_reader ssz;
	const struct ady_beacon_network *net;
	const struct row *row;
	uint32_t request; /* the request's token */
	bool strict;
	const struct ady_ssz_type *type; /* of object */
	uint32_t object;                 /* what is signed */
	char at[64];                     /* its path */
};

static enum ady_err fail(const struct reader *r, enum ady_err err, const char *where,
                         const char *why)
{
	return ady_fail(r->ssz.f, err, where, "%s", why);
}

static enum ady_err fail_at(const struct reader *r, enum ady_err err, const char *member,
                            const char *why)
{
	char where[64];

	snprintf(where, sizeof where, "%.31s.%.31s", r->at, member);
	return fail(r, err, where, why);
}

/* A short text, or "" when i is none. */
static void short_text(const struct reader *r, uint32_t i, char *out, size_t cap)
{
	size_t n;

	if (!i || ady_json_string(r->ssz.doc, i, out, cap, &n) != ADY_OK || strlen(out) != n)
		out[0] = '\0';
}

bool ady_duty_find(enum ady_duty_type *type, const char *name)
{
	for (*type = 0; *type < ADY_DUTIES; (*type)++)
		if (strcasecmp(rows[*type].name, name) == 0)
			return true;
	return false;
}

static enum ady_err find_row(struct reader *r)
{
	uint32_t i = ady_json_get(r->ssz.doc, r->request, "type");
	char name[TYPE_MAX];
	enum ady_duty_type type;

	if (ady_json_kind(r->ssz.doc, r->request) != ADY_JSON_OBJECT)
		return fail(r, ADY_E_FIELD_INVALID, NULL, "the request must be a JSON object");
	if (!i)
		return fail(r, ADY_E_FIELD_MISSING, "type", "is required");
	short_text(r, i, name, sizeof name);
	if (!ady_duty_find(&type, name))
		return fail(r, ADY_E_FIELD_INVALID, "type", "is not the name of a type");
	r->row = &rows[type];
	snprintf(r->at, sizeof r->at, "%s", r->row->key);
	r->object = ady_json_get(r->ssz.doc, r->request, r->row->key);
	if (!r->object)
		return fail(r, ADY_E_FIELD_MISSING, r->at, "is required");
	if (ady_json_kind(r->ssz.doc, r->object) != ADY_JSON_OBJECT)
		return fail(r, ADY_E_FIELD_INVALID, r->at, "must be an object");
	r->type = r->row->type;
	return ADY_OK;
}

static enum ady_err check_strict(const struct reader *r, uint32_t i, const char *const *names,
                                 size_t n)
{
	const struct ady_json *doc = r->ssz.doc;

	for (uint32_t key = ady_json_first(doc, i); key && r->strict;
	     key = ady_json_after(doc, i, key)) {
		char name[TYPE_MAX];
		size_t k = 0;

		while (k < n && !ady_json_is(doc, key, names[k]))
			k++;
		if (k < n)
			continue;
		short_text(r, key, name, sizeof name);
		return fail(r, ADY_E_FIELD_UNKNOWN, name, "is not known");
	}
	return ADY_OK;
}

static enum ady_err read_version(const struct reader *r, enum ady_beacon_fork *fork)
{
	uint32_t i = ady_json_get(r->ssz.doc, r->object, "version");
	char name[VERSION_MAX];

	*fork = ADY_FORK_PHASE0;
	if (!i)
		return fail_at(r, ADY_E_FIELD_MISSING, "version", "is required");
	short_text(r, i, name, sizeof name);
	for (unsigned k = 0; k < ADY_FORKS; k++) {
		*fork = (enum ady_beacon_fork)k;
		if (strcasecmp(ady_beacon_fork_name(*fork), name) == 0)
			return ADY_OK;
	}
	return fail_at(r, ADY_E_FIELD_INVALID, "version", "is not the name of a fork");
}

/* Go from {"version", member} to the member. */
static enum ady_err step_into(struct reader *r, const char *member)
{
	const char *const names[] = {"version", member};
	uint32_t i = ady_json_get(r->ssz.doc, r->object, member);
	size_t n = strlen(r->at);
	enum ady_err err;

	if (!i)
		return fail_at(r, ADY_E_FIELD_MISSING, member, "is required");
	if ((err = check_strict(r, r->object, names, 2)) != ADY_OK)
		return err;
	snprintf(r->at + n, sizeof r->at - n, ".%s", member);
	r->object = i;
	return ADY_OK;
}

/* The value at a path below the object; a missing one is for ady_ssz_root to refuse by name, so
 * that 0 is an answer. */
static uint32_t find(const struct reader *r, const char *path)
{
	uint32_t i = r->object;

	while (i && *path) {
		size_t n = strcspn(path, ".");
		char name[32];

		snprintf(name, sizeof name, "%.*s", (int)n, path);
		i = ady_json_get(r->ssz.doc, i, name);
		path += path[n] ? n + 1 : n;
	}
	return i;
}

static enum ady_err number_at(const struct reader *r, const char *path, uint64_t *v)
{
	uint32_t i = find(r, path);
	char where[64];

	*v = 0;
	if (!i)
		return fail_at(r, ADY_E_FIELD_MISSING, path, "is required");
	snprintf(where, sizeof where, "%.31s.%.31s", r->at, path);
	return ady_ssz_read_u64(&r->ssz, v, i, where);
}

/* Both names of the type come with both shapes. Without a version, Electra's aggregate is told by
 * its committee_bits, and Gloas's by its slot. */
static enum ady_err aggregate_type(struct reader *r)
{
	enum ady_beacon_fork fork = ADY_FORK_PHASE0;
	enum ady_err err;
	uint64_t slot;

	if (ady_json_get(r->ssz.doc, r->object, "version")) {
		if ((err = read_version(r, &fork)) != ADY_OK ||
		    (err = step_into(r, "data")) != ADY_OK)
			return err;
	} else if (find(r, "aggregate.committee_bits")) {
		if ((err = number_at(r, r->row->when, &slot)) != ADY_OK)
			return err;
		fork = ady_beacon_fork_at(r->net, slot / r->net->slots_per_epoch);
		fork = fork < ADY_FORK_ELECTRA ? ADY_FORK_ELECTRA : fork;
	}
	r->type = fork >= ADY_FORK_GLOAS     ? &ady_beacon_aggregate_gloas
	          : fork >= ADY_FORK_ELECTRA ? &ady_beacon_aggregate_electra
	                                     : &ady_beacon_aggregate_phase0;
	return ADY_OK;
}

/* Whole blocks before Bellatrix; headers, which have the same root, from there on. */
static enum ady_err block_type(struct reader *r)
{
	enum ady_beacon_fork fork;
	enum ady_err err;

	if ((err = read_version(r, &fork)) != ADY_OK)
		return err;
	if (fork >= ADY_FORK_BELLATRIX || ady_json_get(r->ssz.doc, r->object, "block_header")) {
		r->type = &ady_beacon_block_header;
		return step_into(r, "block_header");
	}
	r->type = fork == ADY_FORK_ALTAIR ? &ady_beacon_block_altair : &ady_beacon_block_phase0;
	return step_into(r, "block");
}

static enum ady_err versioned_type(struct reader *r)
{
	enum ady_beacon_fork fork;
	enum ady_err err;

	if ((err = read_version(r, &fork)) != ADY_OK)
		return err;
	if (fork < ADY_FORK_GLOAS)
		return fail_at(r, ADY_E_FIELD_INVALID, "version", "must be GLOAS");
	return step_into(r, "data");
}

/* The three members that are signed; the fourth must be the network's own. */
static enum ady_err deposit_root(const struct reader *r, uint8_t root[static 32])
{
	static const char *const names[] = {"pubkey", "withdrawal_credentials", "amount",
	                                    "genesis_fork_version"};
	const struct ady_ssz_type *type = &ady_beacon_deposit_message;
	uint32_t version = ady_json_get(r->ssz.doc, r->object, names[3]);
	uint8_t version4[4], field[32];
	struct ady_ssz t;
	enum ady_err err;

	if ((err = check_strict(r, r->object, names, 4)) != ADY_OK)
		return err;
	if (!version)
		return fail_at(r, ADY_E_FIELD_MISSING, names[3], "is required");
	err = ady_ssz_read_bytes(&r->ssz, version4, 4, version, "deposit.genesis_fork_version");
	if (err != ADY_OK)
		return err;
	if (memcmp(version4, r->net->fork[0].version, 4) != 0)
		return fail_at(r, ADY_E_FIELD_INVALID, names[3], "is not that of the network");
	ady_ssz_begin(&t, type->n);
	for (uint64_t k = 0; k < type->n; k++) {
		uint32_t i = ady_json_get(r->ssz.doc, r->object, names[k]);

		if (!i)
			return fail_at(r, ADY_E_FIELD_MISSING, names[k], "is required");
		err = ady_ssz_root(&r->ssz, field, type->fields[k].type, i, names[k]);
		if (err != ADY_OK)
			return err;
		ady_ssz_chunk(&t, field);
	}
	ady_ssz_end(&t, root);
	return ADY_OK;
}

static enum ady_err member_root(const struct reader *r, uint8_t root[static 32])
{
	uint32_t i = ady_json_get(r->ssz.doc, r->object, r->row->member);
	const char *const names[] = {r->row->member, r->row->when};
	enum ady_err err;
	char where[64];

	if (!i)
		return fail_at(r, ADY_E_FIELD_MISSING, r->row->member, "is required");
	if ((err = check_strict(r, r->object, names, 2)) != ADY_OK)
		return err;
	snprintf(where, sizeof where, "%.31s.%.31s", r->at, r->row->member);
	return ady_ssz_root(&r->ssz, root, r->type, i, where);
}

static enum ady_err object_root(struct reader *r, uint8_t root[static 32])
{
	enum ady_err err = ADY_OK;

	switch (r->row->shape) {
	case DEPOSIT:
		return deposit_root(r, root);
	case MEMBER:
		return member_root(r, root);
	case AGGREGATE:
		err = aggregate_type(r);
		break;
	case BLOCK_V2:
		err = block_type(r);
		break;
	case VERSIONED:
		err = versioned_type(r);
		break;
	case DELEGATION:
		r->type = ady_json_raw(r->ssz.doc, find(r, "proxy")).n == 42
		              ? &ady_beacon_delegation_ecdsa
		              : &ady_beacon_delegation_bls;
		break;
	case WHOLE:
		break;
	}
	return err == ADY_OK ? ady_ssz_root(&r->ssz, root, r->type, r->object, r->at) : err;
}

static enum ady_err mix_domain(const struct reader *r, uint8_t root[static 32])
{
	static const uint8_t no_root[32];
	struct ady_beacon_fork_info info;
	uint8_t version[4];
	enum ady_err err;
	uint64_t epoch;

	if (!r->row->when) {
		ady_beacon_signing_root(root, r->row->domain, r->net->fork[0].version, no_root);
		return ADY_OK;
	}
	if ((err = ady_beacon_read_fork_info(&info, &r->ssz, r->request, r->strict)) != ADY_OK ||
	    (err = number_at(r, r->row->when, &epoch)) != ADY_OK)
		return err;
	if (memcmp(info.genesis_validators_root, r->net->genesis_validators_root, 32) != 0)
		return fail(r, ADY_E_FIELD_INVALID, "fork_info.genesis_validators_root",
		            "is not that of the network");
	if (!r->row->is_epoch)
		epoch /= r->net->slots_per_epoch;
	err = r->row == &rows[ADY_DUTY_VOLUNTARY_EXIT]
	          ? ady_beacon_exit_version(r->net, &info, epoch, version, r->ssz.f)
	          : ady_beacon_version_at(r->net, &info, epoch, version, r->ssz.f);
	if (err == ADY_OK)
		ady_beacon_signing_root(root, r->row->domain, version,
		                        r->net->genesis_validators_root);
	return err;
}

static enum ady_err compare_given(const struct reader *r, const uint8_t root[static 32])
{
	static const char *const names[] = {"signingRoot", "signing_root"};
	uint8_t given[32];
	enum ady_err err;

	for (size_t k = 0; k < 2; k++) {
		uint32_t i = ady_json_get(r->ssz.doc, r->request, names[k]);

		if (!i || ady_json_kind(r->ssz.doc, i) == ADY_JSON_NULL)
			continue;
		if ((err = ady_ssz_read_bytes(&r->ssz, given, 32, i, names[k])) != ADY_OK)
			return err;
		if (memcmp(given, root, 32) != 0)
			return fail(r, ADY_E_SIGNING_ROOT, names[k],
			            "is not the root of what is asked to be signed");
	}
	return ADY_OK;
}

/* What the slashing rules look at. */
static enum ady_err read_limits(const struct reader *r, struct ady_duty *duty)
{
	enum ady_err err;

	duty->type = (enum ady_duty_type)(r->row - rows);
	duty->kind = ADY_DUTY_FREE;
	if (duty->type == ADY_DUTY_ATTESTATION) {
		duty->kind = ADY_DUTY_OF_ATTESTATION;
		if ((err = number_at(r, "source.epoch", &duty->source)) != ADY_OK)
			return err;
		return number_at(r, "target.epoch", &duty->target);
	}
	if (duty->type != ADY_DUTY_BLOCK && duty->type != ADY_DUTY_BLOCK_V2)
		return ADY_OK;
	duty->kind = ADY_DUTY_OF_BLOCK;
	return number_at(r, "slot", &duty->slot);
}

static enum ady_err read_duty(struct reader *r, struct ady_duty *duty)
{
	enum ady_err err;

	if ((err = find_row(r)) != ADY_OK)
		return err;
	if ((err = check_strict(r, r->request,
	                        (const char *const[]){"type", "fork_info", "signingRoot",
	                                              "signing_root", r->row->key},
	                        5)) != ADY_OK ||
	    (err = object_root(r, duty->root)) != ADY_OK ||
	    (err = mix_domain(r, duty->root)) != ADY_OK ||
	    (err = compare_given(r, duty->root)) != ADY_OK)
		return err;
	return read_limits(r, duty);
}

enum ady_err ady_duty_read(struct ady_duty *duty, const struct ady_beacon_network *net,
                           const struct ady_json *doc, uint32_t i, bool strict, struct ady_fault *f)
{
	struct reader r = {.ssz = {.doc = doc, .presets = net->sizes, .f = f},
	                   .net = net,
	                   .row = rows,
	                   .request = i,
	                   .strict = strict};
	enum ady_err err;

	*duty = (struct ady_duty){0};
	if ((err = read_duty(&r, duty)) != ADY_OK)
		*duty = (struct ady_duty){0};
	return err;
}

const char *ady_duty_name(enum ady_duty_type type)
{
	return rows[type].name;
}
