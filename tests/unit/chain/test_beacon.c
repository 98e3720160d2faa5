/* SPDX-License-Identifier: Apache-2.0
 *
 * What beacon_duty and beacon_network refuse, and why. That the roots are right is shown against
 * other implementations (tests/e2e/beacon.test.mjs). */
#include "chain/beacon_duty.h"

#include "base/text.h"
#include "test.h"

enum { TOKENS = 512 };

#define GVR "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"
#define ZERO "0x0000000000000000000000000000000000000000000000000000000000000000"
#define FORK(previous, current, epoch)                                     \
	"\"fork_info\":{\"fork\":{\"previous_version\":\"" previous        \
	"\",\"current_version\":\"" current "\",\"epoch\":\"" epoch "\"}," \
	"\"genesis_validators_root\":\"" GVR "\"}"
#define FULU FORK("0x05000000", "0x06000000", "411392")
#define RANDAO(epoch) "\"type\":\"RANDAO_REVEAL\",\"randao_reveal\":{\"epoch\":\"" epoch "\"}"
#define CHECKPOINT(epoch) "{\"epoch\":\"" epoch "\",\"root\":\"" ZERO "\"}"
#define ATTESTATION(source, target)                                                 \
	"\"type\":\"ATTESTATION\",\"attestation\":{\"slot\":\"1\",\"index\":\"2\"," \
	"\"beacon_block_root\":\"" ZERO "\",\"source\":" source ",\"target\":" target "}"

static enum ady_err read_with(const char *network, const char *text, struct ady_duty *duty,
                              struct ady_fault *f)
{
	struct ady_json_tok toks[TOKENS];
	struct ady_json doc;

	*f = (struct ady_fault){0};
	CHECK_ERR(ady_json_parse(&doc, toks, TOKENS, ady_bytes_str(text), f), ADY_OK);
	return ady_duty_read(duty, ady_beacon_network_find(network), &doc, 0, false, f);
}

CASE(an_attestation_says_what_the_rules_need)
{
	struct ady_duty duty;
	struct ady_fault f;

	CHECK_ERR(read_with("mainnet",
	                    "{" FULU
	                    "," ATTESTATION(CHECKPOINT("500000"), CHECKPOINT("500001")) "}",
	                    &duty, &f),
	          ADY_OK);
	CHECK_INT(duty.kind, ADY_DUTY_OF_ATTESTATION);
	CHECK_INT(duty.source, 500000);
	CHECK_INT(duty.target, 500001);
	CHECK_STR(ady_duty_name(duty.type), "ATTESTATION");
}

CASE(what_is_refused)
{
	static const struct {
		const char *text;
		enum ady_err err;
		const char *where;
	} v[] = {
	    {"[]", ADY_E_FIELD_INVALID, ""},
	    {"{}", ADY_E_FIELD_MISSING, "type"},
	    {"{\"type\":\"GENERIC\"}", ADY_E_FIELD_INVALID, "type"},
	    {"{\"type\":7}", ADY_E_FIELD_INVALID, "type"},
	    {"{\"type\":\"ATTESTATION\"}", ADY_E_FIELD_MISSING, "attestation"},
	    {"{\"type\":\"ATTESTATION\",\"attestation\":[]}", ADY_E_FIELD_INVALID, "attestation"},
	    {"{" RANDAO("1") "}", ADY_E_FIELD_MISSING, "fork_info"},
	    {"{" RANDAO("1") ",\"fork_info\":{}}", ADY_E_FIELD_MISSING, "fork_info.fork"},
	    {"{\"type\":\"RANDAO_REVEAL\",\"randao_reveal\":{}," FULU "}", ADY_E_FIELD_MISSING,
	     "randao_reveal.epoch"},
	    /* a fork that was never in force in that epoch */
	    {"{" RANDAO("400000") "," FORK("0x06000000", "0x06000000", "411392") "}",
	     ADY_E_FIELD_INVALID, "fork_info.fork"},
	    {"{" RANDAO("411392") "," FORK("0x05000000", "0x05000000", "411392") "}",
	     ADY_E_FIELD_INVALID, "fork_info.fork"},
	    {"{" RANDAO("100") "," FORK("0x77000000", "0x77000000", "0") "}", ADY_E_FIELD_INVALID,
	     "fork_info.fork"},
	    /* a part of the object missing, too much, or of another form */
	    {"{" FULU "," ATTESTATION("{\"epoch\":\"1\"}", CHECKPOINT("2")) "}",
	     ADY_E_FIELD_MISSING, "attestation.source.root"},
	    {"{" FULU "," ATTESTATION("{\"epoch\":\"1\",\"root\":\"" ZERO "\",\"x\":1}",
	                              CHECKPOINT("2")) "}",
	     ADY_E_FIELD_UNKNOWN, "attestation.source.x"},
	    {"{" FULU "," ATTESTATION(CHECKPOINT("1"), CHECKPOINT("0x2")) "}", ADY_E_FIELD_INVALID,
	     "attestation.target.epoch"},
	    {"{\"type\":\"BLOCK_V2\",\"beacon_block\":{\"version\":\"FULU\"}," FULU "}",
	     ADY_E_FIELD_MISSING, "beacon_block.block_header"},
	    {"{\"type\":\"BLOCK_V2\",\"beacon_block\":{\"version\":\"NEXT\"}," FULU "}",
	     ADY_E_FIELD_INVALID, "beacon_block.version"},
	    {"{\"type\":\"BLOCK_V2\",\"beacon_block\":{}," FULU "}", ADY_E_FIELD_MISSING,
	     "beacon_block.version"},
	    {"{\"type\":\"PROPOSER_PREFERENCES\",\"proposer_preferences\":{\"version\":\"FULU\"}}",
	     ADY_E_FIELD_INVALID, "proposer_preferences.version"},
	    {"{\"type\":\"DEPOSIT\",\"deposit\":{\"pubkey\":\"0x\",\"withdrawal_credentials\":"
	     "\"0x\","
	     "\"amount\":\"1\",\"genesis_fork_version\":\"0x10000910\"}}",
	     ADY_E_FIELD_INVALID, "deposit.genesis_fork_version"},
	};
	struct ady_duty duty;
	struct ady_fault f;

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		if (!CHECK_ERR(read_with("mainnet", v[i].text, &duty, &f), v[i].err))
			printf("  %s\n", v[i].text);
		CHECK_STR(f.where, v[i].where);
	}
}

CASE(another_network_is_refused)
{
	struct ady_duty duty;
	struct ady_fault f;

	CHECK_ERR(read_with("hoodi", "{" RANDAO("1") "," FULU "}", &duty, &f), ADY_E_FIELD_INVALID);
	CHECK_STR(f.where, "fork_info.genesis_validators_root");
}

/* A fork that the built-in schedule does not know yet may begin after its last one. */
CASE(a_later_fork_is_signed_for)
{
	struct ady_duty duty, again;
	struct ady_fault f;

	CHECK_ERR(read_with("mainnet",
	                    "{" RANDAO("900000") "," FORK("0x06000000", "0x07000000", "800000") "}",
	                    &duty, &f),
	          ADY_OK);
	CHECK_ERR(read_with("mainnet",
	                    "{" RANDAO("799999") "," FORK("0x06000000", "0x07000000", "800000") "}",
	                    &again, &f),
	          ADY_OK);
	CHECK(memcmp(duty.root, again.root, 32) != 0);
}

/* EIP-7044, from a client that gives the forks as they are and from one that pins Capella's. */
CASE(exits_are_signed_with_capella)
{
	static const char *const infos[] = {FULU, FORK("0x03000000", "0x03000000", "194048"),
	                                    FORK("0x06000000", "0x07000000", "800000")};
	struct ady_duty duty, first = {0};
	struct ady_fault f;
	char text[1024];

	for (size_t i = 0; i < 3; i++) {
		snprintf(text, sizeof text,
		         "{\"type\":\"VOLUNTARY_EXIT\",\"voluntary_exit\":{\"epoch\":\"420000\","
		         "\"validator_index\":\"9\"},%s}",
		         infos[i]);
		CHECK_ERR(read_with("mainnet", text, &duty, &f), ADY_OK);
		if (i == 0)
			first = duty;
		CHECK(memcmp(duty.root, first.root, 32) == 0);
	}
}

static enum ady_err read_network(const char *text, struct ady_beacon_network *net,
                                 struct ady_fault *f)
{
	struct ady_json_tok toks[TOKENS];
	struct ady_json doc;

	*f = (struct ady_fault){0};
	CHECK_ERR(ady_json_parse(&doc, toks, TOKENS, ady_bytes_str(text), f), ADY_OK);
	return ady_beacon_network_read(net, &doc, 0, f);
}

#define NETWORK(slots, preset, forks)                                                        \
	"{\"name\":\"n\",\"genesis_validators_root\":\"" ZERO "\",\"genesis_time\":\"5\","   \
	"\"seconds_per_slot\":\"12\",\"slots_per_epoch\":\"" slots "\",\"preset\":\"" preset \
	"\",\"forks\":" forks "}"
#define ONE_FORK "[{\"version\":\"0x00000001\",\"epoch\":\"0\"}]"

CASE(networks)
{
	static const struct {
		const char *text;
		enum ady_err err;
		const char *where;
	} v[] = {
	    {"\"mainnet\"", ADY_OK, ""},
	    {"\"Mainnet\"", ADY_E_FIELD_INVALID, "network"},
	    {"7", ADY_E_FIELD_INVALID, "network"},
	    {"{}", ADY_E_FIELD_MISSING, "network.name"},
	    {"{\"x\":1}", ADY_E_FIELD_UNKNOWN, "network"},
	    {NETWORK("32", "mainnet", ONE_FORK), ADY_OK, ""},
	    {NETWORK("0", "mainnet", ONE_FORK), ADY_E_FIELD_RANGE, "network.slots_per_epoch"},
	    {NETWORK("32", "gnosis", ONE_FORK), ADY_E_FIELD_INVALID, "network.preset"},
	    {NETWORK("32", "minimal", "[]"), ADY_E_FIELD_INVALID, "network.forks"},
	    {NETWORK("32", "minimal", "[{\"version\":\"0x00000001\"}]"), ADY_E_FIELD_INVALID,
	     "network.forks"},
	    {NETWORK("32", "minimal", "[{\"epoch\":\"0\"}]"), ADY_E_FIELD_MISSING,
	     "network.forks.version"},
	    {NETWORK("32", "minimal", "[{\"version\":\"0x00000001\",\"epoch\":\"1\"}]"),
	     ADY_E_FIELD_INVALID, "network.forks.epoch"},
	    {NETWORK("32", "minimal",
	             "[{\"version\":\"0x00000001\",\"epoch\":\"0\"},{\"version\":\"0x00000002\","
	             "\"epoch\":\"9\"},{\"version\":\"0x00000003\",\"epoch\":\"8\"}]"),
	     ADY_E_FIELD_INVALID, "network.forks.epoch"},
	};
	struct ady_beacon_network net;
	struct ady_fault f;

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		if (!CHECK_ERR(read_network(v[i].text, &net, &f), v[i].err))
			printf("  %s\n", v[i].text);
		CHECK_STR(f.where, v[i].where);
	}
}

CASE(slots_and_forks_by_time)
{
	const struct ady_beacon_network *net = ady_beacon_network_find("mainnet");

	CHECK_INT(ady_beacon_slot_at(net, 0), 0);
	CHECK_INT(ady_beacon_slot_at(net, 1606824023), 0);
	CHECK_INT(ady_beacon_slot_at(net, 1606824023 + 12), 1);
	CHECK_INT(ady_beacon_slot_at(net, 1606824023 + 35), 2);
	CHECK_INT(ady_beacon_fork_at(net, 0), ADY_FORK_PHASE0);
	CHECK_INT(ady_beacon_fork_at(net, 74239), ADY_FORK_PHASE0);
	CHECK_INT(ady_beacon_fork_at(net, 74240), ADY_FORK_ALTAIR);
	CHECK_INT(ady_beacon_fork_at(net, 1000000), ADY_FORK_FULU);
}

int main(void)
{
	RUN(an_attestation_says_what_the_rules_need);
	RUN(what_is_refused);
	RUN(another_network_is_refused);
	RUN(a_later_fork_is_signed_for);
	RUN(exits_are_signed_with_capella);
	RUN(networks);
	RUN(slots_and_forks_by_time);
	return test_end();
}
