/* SPDX-License-Identifier: Apache-2.0
 *
 * What a signature is charged for, and what may be asked for again without a charge, when the store
 * of the rows is the parent's. */
#include "signer/charging.h"

#include "signer/sign.h"
#include "test.h"

#define KEY "4646464646464646464646464646464646464646464646464646464646464646"
#define RECORD(first)                                                                           \
	"{\"adyton\":1,\"wrapping\":\"direct\",\"id\":\"k1\",\"tenant\":\"team\","              \
	"\"curve\":\"secp256k1\",\"public_key\":"                                               \
	"\"0x024bc2a31265153f07e70e0bab08724e6b85e217f8cd628ceb62974247bb493382\","             \
	"\"allow\":[\"digest\"],\"created\":1764000000,\"ciphertext\":\"AQIDBA==\",\"policy\":" \
	"{\"policy\":1,\"rules\":[" first "{\"name\":\"pay\",\"effect\":\"allow\",\"when\":{}," \
	"\"limits\":[{\"name\":\"n\",\"per\":\"1h\",\"max\":1}]}]}}"
#define APPROVED                                                             \
	"{\"name\":\"boss\",\"effect\":\"allow\",\"when\":{},\"approvals\":" \
	"{\"need\":1,\"of\":[\"ed25519:"                                     \
	"0000000000000000000000000000000000000000000000000000000000000001\"]}},"

enum { T = 1764000100, HOUR = 3600 };

static struct ady_json_tok toks[ADY_DUTY_TOKENS];
static struct ady_sign_job job = {.toks = toks};
static struct ady_policies policies;
static struct ady_secp *secp;
static struct ady_fault fault;
static uint8_t rows[4][ADY_TALLY_ROW_MAX];
static const char *record = RECORD("");

/* Ask for a message, at a time, of the row that is stored. */
static enum ady_err ask(const char *request, struct ady_bytes row, struct ady_charging_memory m,
                        uint64_t now_s)
{
	const struct ady_wire_sign w = {.form = ADY_FORM_NATIVE,
	                                .key_id = ady_bytes_str("k1"),
	                                .record = ady_bytes_str(record),
	                                .request = ady_bytes_str(request)};

	fault = (struct ady_fault){0};
	job.policies = &policies;
	job.setting = (struct ady_sign_setting){.deployment = "prod", .now_s = now_s};
	if (!CHECK_ERR(ady_sign_prepare(&job, &w, &fault), ADY_OK))
		return ADY_E_INTERNAL;
	CHECK(job.charging.guarded);
	CHECK_ERR(ady_charging_set_row(&job.charging, row, &fault), ADY_OK);
	return ady_charging_decide(&job, &m, secp, ady_bytes_str(KEY), &fault);
}

/* The row that was to be written, kept. */
static struct ady_bytes new_row(size_t i)
{
	memcpy(rows[i], job.charging.new_row, job.charging.new_row_n);
	return ady_bytes(rows[i], job.charging.new_row_n);
}

static const struct ady_charging_memory fresh = {.fresh = true}, all_known;

#define ONE "{\"message\":{\"text\":\"one\"}}"
#define TWO "{\"message\":{\"text\":\"two\"}}"

CASE(the_same_again_is_charged_once)
{
	struct ady_bytes row;

	CHECK_ERR(ask(ONE, ady_bytes(NULL, 0), fresh, T), ADY_E_AGAIN);
	CHECK(!job.charging.permitted);
	row = new_row(0);
	CHECK_ERR(ask(ONE, row, all_known, T + ADY_CHARGING_AGAIN_S), ADY_OK);
	CHECK(job.charging.permitted);
	CHECK_ERR(ask(TWO, row, all_known, T + 1), ADY_E_DENIED);
	CHECK(strstr(fault.detail, "does not hold: n"));
}

/* It was charged and, for all that is known, never signed: at another time it is another use. */
CASE(what_was_charged_long_ago_is_charged_again)
{
	struct ady_bytes row;

	CHECK_ERR(ask(ONE, ady_bytes(NULL, 0), fresh, T), ADY_E_AGAIN);
	row = new_row(0);
	CHECK_ERR(ask(ONE, row, all_known, T + ADY_CHARGING_AGAIN_S + 1), ADY_E_DENIED);
	CHECK_ERR(ask(TWO, row, all_known, T + 2 * HOUR), ADY_E_AGAIN);
	row = new_row(1);
	CHECK_ERR(ask(ONE, row, all_known, T + 2 * HOUR + 1), ADY_E_DENIED);
	CHECK(!job.charging.permitted);
}

/* The parent kept a row whose write it called failed, had another request signed over the same row,
 * and starts the enclave again. */
CASE(a_row_of_another_history_gives_nothing_away)
{
	const struct ady_charging_memory restarted = {.known_s = T + 5};
	struct ady_bytes row;

	CHECK_ERR(ask(ONE, ady_bytes(NULL, 0), fresh, T), ADY_E_AGAIN);
	row = new_row(0);
	CHECK_ERR(ask(ONE, row, restarted, T + 10), ADY_E_DENIED);
	CHECK(!job.charging.permitted);
	/* What was counted after the start is known again, whoever has counted it. */
	CHECK_ERR(ask(TWO, row, all_known, T + 2 * HOUR), ADY_E_AGAIN);
	row = new_row(1);
	CHECK_ERR(ask(TWO, row, restarted, T + 2 * HOUR + 10), ADY_OK);
}

CASE(a_clock_that_is_not_known_permits_nothing)
{
	struct ady_bytes row;

	CHECK_ERR(ask(ONE, ady_bytes(NULL, 0), fresh, T), ADY_E_AGAIN);
	row = new_row(0);
	CHECK_ERR(ask(ONE, row, all_known, 0), ADY_E_DENIED);
	CHECK(!job.charging.permitted);
}

CASE(a_digest_of_zeros_is_charged_like_any_other)
{
	static const char zeros[] =
	    "{\"digest\":\"0x0000000000000000000000000000000000000000000000000000000000000000\"}";
	struct ady_bytes row;

	CHECK_ERR(ask(ONE, ady_bytes(NULL, 0), fresh, T), ADY_E_AGAIN);
	row = new_row(0);
	CHECK_ERR(ask(zeros, row, all_known, T + 1), ADY_E_DENIED);
	CHECK(!job.charging.permitted);
}

/* Two rules would allow it: one that wants an approval, and one whose limit does not hold. The
 * first of them is why it is refused. */
CASE(the_first_rule_that_is_met_says_why)
{
	struct ady_bytes row;

	record = RECORD(APPROVED);
	CHECK_ERR(ask(ONE, ady_bytes(NULL, 0), fresh, T), ADY_E_AGAIN);
	row = new_row(0);
	CHECK_ERR(ask(TWO, row, all_known, T + 1), ADY_E_DENIED);
	CHECK(!job.charging.permitted);
	CHECK_STR(fault.where, "policy.rules[0]");
	CHECK_STR(fault.detail, "the rule \"boss\" needs 1 approvals and has 0");
	record = RECORD("");
}

int main(void)
{
	CHECK_ERR(ady_secp_open(&secp), ADY_OK);
	RUN(the_same_again_is_charged_once);
	RUN(what_was_charged_long_ago_is_charged_again);
	RUN(a_row_of_another_history_gives_nothing_away);
	RUN(a_clock_that_is_not_known_permits_nothing);
	RUN(a_digest_of_zeros_is_charged_like_any_other);
	RUN(the_first_rule_that_is_met_says_why);
	ady_secp_close(secp);
	return test_end();
}
