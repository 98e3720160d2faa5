/* SPDX-License-Identifier: Apache-2.0
 *
 * Duties that a validator's policy counts: nothing is signed, and no mark raised, before they were.
 */
#include "signer/duty.h"

#include "signer/make.h"
#include "test.h"

#define OPTIONS                                                                           \
	"{\"id\":\"v\",\"policy\":{\"policy\":1,\"rules\":["                              \
	"{\"name\":\"free\",\"effect\":\"allow\",\"when\":{\"duty\":\"RANDAO_REVEAL\"}}," \
	"{\"name\":\"exit\",\"effect\":\"allow\",\"when\":{\"duty\":\"VOLUNTARY_EXIT\"}," \
	"\"limits\":[{\"name\":\"n\",\"per\":\"24h\",\"max\":1}]},"                       \
	"{\"name\":\"attest\",\"effect\":\"allow\",\"when\":{\"duty\":\"ATTESTATION\"},"  \
	"\"limits\":[{\"name\":\"n\",\"per\":\"24h\",\"max\":1}]}]}}"
#define ROOT "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95"
#define FORK                                                                                \
	"\"fork_info\":{\"fork\":{\"previous_version\":\"0x03000000\",\"current_version\":" \
	"\"0x04000000\",\"epoch\":\"269568\"},\"genesis_validators_root\":\"" ROOT "\"}"
#define EXIT(epoch)                                                                    \
	"{\"type\":\"VOLUNTARY_EXIT\"," FORK ",\"voluntary_exit\":{\"epoch\":\"" epoch \
	"\",\"validator_index\":\"9\"}}"
#define REVEAL "{\"type\":\"RANDAO_REVEAL\"," FORK ",\"randao_reveal\":{\"epoch\":\"269570\"}}"
#define ZERO32 "0x0000000000000000000000000000000000000000000000000000000000000000"
#define ATTEST                                                                                   \
	"{\"type\":\"ATTESTATION\"," FORK                                                        \
	",\"attestation\":{\"slot\":\"8626240\",\"index\":\"0\",\"beacon_block_root\":\"" ZERO32 \
	"\",\"source\":{\"epoch\":\"269569\",\"root\":\"" ZERO32                                 \
	"\"},\"target\":{\"epoch\":\"269570\",\"root\":\"" ZERO32 "\"}}}"

enum { T = 1764000100 };

static const struct ady_beacon_network *net;
static struct ady_secp *secp;
static struct ady_json_tok job_toks[ADY_DUTY_TOKENS];
static struct ady_sign_job job = {.toks = job_toks};
static struct ady_duty_job duty;
static struct ady_policies policies;
static struct ady_fault fault;
static struct ady_record rec;
static uint8_t record_space[65536], data_key[32] = {5}, row[ADY_TALLY_ROW_MAX];
static struct ady_bytes record;
static unsigned asked; /* how often slashing protection was */

static enum ady_err no_slashing(void *ctx, const uint8_t pub48[static 48],
                                const struct ady_slash_state *state,
                                const struct ady_slash_ask *ask, struct ady_slash_state *next,
                                bool *repeat, struct ady_fault *f)
{
	(void)ctx, (void)pub48, (void)state, (void)ask, (void)f;
	asked++;
	*next = (struct ady_slash_state){.version = 1};
	*repeat = false;
	return ADY_OK;
}

static const struct ady_duty_host host = {.begin = no_slashing};

static void prepare(const char *body)
{
	const struct ady_wire_duty m = {.key_id = ady_bytes_str("v"),
	                                .record = record,
	                                .request = ady_bytes_str(body),
	                                .until_slot = UINT64_MAX,
	                                .until_epoch = UINT64_MAX};

	fault = (struct ady_fault){0};
	job.policies = &policies;
	job.setting = (struct ady_sign_setting){.deployment = "prod", .now_s = T};
	if (!CHECK_ERR(ady_duty_prepare(&job, &duty, &m, net, &fault), ADY_OK))
		fprintf(stderr, "    %s %s\n", fault.where, fault.detail);
}

static enum ady_err decide(struct ady_bytes stored)
{
	const struct ady_charging_memory fresh = {.fresh = true};

	CHECK_ERR(ady_charging_set_row(&job.charging, stored, &fault), ADY_OK);
	return ady_charging_decide(&job, &fresh, secp, ady_bytes(data_key, 32), &fault);
}

static enum ady_err begin(void)
{
	return ady_duty_begin(&job, &duty, &host, net, ady_bytes(data_key, 32), &fault);
}

CASE(a_duty_without_a_limit_is_not_counted)
{
	prepare(REVEAL);
	CHECK(!job.charging.guarded);
	CHECK_ERR(begin(), ADY_OK);
	CHECK_ERR(ady_bls_verify(rec.pub, duty.duty.root, duty.signature), ADY_OK);
}

CASE(what_is_counted_is_signed_after_that)
{
	size_t n;

	prepare(EXIT("269570"));
	CHECK(job.charging.guarded);
	CHECK_ERR(begin(), ADY_E_COUNTERS);
	CHECK_STR(fault.where, "policy");
	CHECK_STR(fault.detail, "has limits, and nothing counts here");
	CHECK_ERR(ady_duty_sign(&job, &duty, ady_bytes(data_key, 32), &fault), ADY_E_COUNTERS);
	CHECK_ERR(decide(ady_bytes(NULL, 0)), ADY_E_AGAIN);
	CHECK_ERR(begin(), ADY_E_COUNTERS);
	n = job.charging.new_row_n;
	memcpy(row, job.charging.new_row, n);
	ady_charging_permit(&job.charging);
	CHECK_ERR(begin(), ADY_OK);
	CHECK_ERR(ady_bls_verify(rec.pub, duty.duty.root, duty.signature), ADY_OK);
	prepare(EXIT("269570"));
	CHECK_ERR(decide(ady_bytes(row, n)), ADY_OK); /* the same again */
	CHECK_ERR(begin(), ADY_OK);
	prepare(EXIT("269571"));
	CHECK_ERR(decide(ady_bytes(row, n)), ADY_E_DENIED);
	CHECK_STR(fault.where, "policy.rules[1]");
	CHECK_ERR(begin(), ADY_E_COUNTERS);
}

CASE(slashing_protection_is_asked_after_the_limit)
{
	size_t n = job.charging.row_n;

	asked = 0;
	prepare(ATTEST);
	CHECK_ERR(decide(ady_bytes(row, n)), ADY_E_DENIED); /* the exit has used the limit up */
	CHECK_ERR(begin(), ADY_E_COUNTERS);
	CHECK_INT(asked, 0);
	CHECK_ERR(decide(ady_bytes(NULL, 0)), ADY_E_AGAIN);
	ady_charging_permit(&job.charging);
	CHECK_ERR(begin(), ADY_E_AGAIN);
	CHECK_INT(asked, 1);
}

static void make_record(void)
{
	static struct ady_json_tok toks[ADY_SIGN_TOKENS];
	struct ady_buf b = ady_buf(record_space, sizeof record_space);
	uint8_t address[20];

	CHECK_ERR(ady_record_begin_in(&rec, toks, ADY_SIGN_TOKENS, ADY_CURVE_BLS12_381,
	                              ady_bytes_str("team"), ady_bytes_str(OPTIONS), &fault),
	          ADY_OK);
	memcpy(rec.data_key, "blob", 4);
	rec.data_key_n = 4;
	CHECK_ERR(ady_make_key(&rec, address, secp, &job.envelope, data_key, &fault), ADY_OK);
	ady_record_put(&b, &rec);
	record = ady_buf_bytes(&b);
}

int main(void)
{
	net = ady_beacon_network_find("mainnet");
	if (ady_secp_open(&secp) != ADY_OK || ady_gcm_new(&job.envelope.gcm) != ADY_OK)
		return 1;
	job.envelope.deployment = "prod";
	make_record();
	RUN(a_duty_without_a_limit_is_not_counted);
	RUN(what_is_counted_is_signed_after_that);
	RUN(slashing_protection_is_asked_after_the_limit);
	ady_gcm_free(job.envelope.gcm);
	ady_secp_close(secp);
	return test_end();
}
