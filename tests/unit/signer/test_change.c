/* SPDX-License-Identifier: Apache-2.0
 *
 * A change of a policy: the row goes on first, then the record; each refusal with its reason.
 * (Stamps: test_stamp.c; the whole way: tests/e2e/policychange.test.mjs.) */
#include "signer/change.h"

#include "crypto/ed25519.h"
#include "crypto/hash.h"

#include "base/text.h"
#include "signer/make.h"
#include "test.h"

#define RULES(max)                                                                \
	"\"rules\":[{\"name\":\"r\",\"effect\":\"allow\",\"when\":{},\"limits\":" \
	"[{\"name\":\"n\",\"per\":\"1h\",\"max\":" max "}]}]"

enum { NOW = 1764000000 };

static struct ady_json_tok job_toks[ADY_DUTY_TOKENS];
static struct ady_sign_job job = {.toks = job_toks};
static struct ady_policies policies;
static struct ady_secp *secp;
static struct ady_envelope envelope = {.deployment = "prod"};
static struct ady_record rec;
static struct ady_fault fault;
static struct ady_seckey approver = {{1, 2, 3}};
static uint8_t data_key[32] = {5}, first_row[ADY_TALLY_ROW_MAX];
static size_t first_n;
static char record[16384], policy[512], options[2048], by[80], stamp_space[4096];
static const struct ady_charging_memory all_known;

static struct ady_bytes key32(void)
{
	return ady_bytes(data_key, sizeof data_key);
}

static void put_record(void)
{
	struct ady_buf b = ady_buf(record, sizeof record - 1);

	ady_record_put(&b, &rec);
	record[b.n] = '\0';
}

/* A new key with a policy of one limit, and its first row. */
static void make(const char *change)
{
	uint8_t address[20];

	snprintf(policy, sizeof policy, "{\"policy\":1," RULES("1") "%s}", change);
	snprintf(options, sizeof options, "{\"id\":\"k1\",\"policy\":%s}", policy);
	CHECK_ERR(ady_record_begin(&rec, ADY_CURVE_SECP256K1, ady_bytes_str("team"),
	                           ady_bytes_str(options), &fault),
	          ADY_OK);
	memcpy(rec.data_key, "blob", 4);
	rec.data_key_n = 4;
	rec.created = NOW - 100;
	CHECK_ERR(ady_make_key(&rec, address, secp, &envelope, data_key, &fault), ADY_OK);
	put_record();
	CHECK_ERR(ady_record_parse_in(&job.record, job.toks, ADY_SIGN_TOKENS, ady_bytes_str(record),
	                              ady_bytes_str("k1"), &fault),
	          ADY_OK);
	job.envelope = envelope;
	job.charging.counters_n = 0; /* a counter that is not in the row is zero */
	ady_charging_name(&job.charging, &job.record, "prod");
	CHECK_ERR(ady_charging_create(&job, secp, key32(), &fault), ADY_OK);
	first_n = job.charging.new_row_n;
	memcpy(first_row, job.charging.new_row, first_n);
}

static void make_with_quorum(void)
{
	char change[256];
	uint8_t pub[32];
	char hex[65];

	ady_ed25519_public(pub, &approver);
	ady_hex_encode(hex, ady_bytes(pub, 32));
	snprintf(by, sizeof by, "ed25519:%s", hex);
	snprintf(change, sizeof change, ",\"change\":{\"need\":1,\"of\":[\"%s\"]}", by);
	make(change);
}

static struct ady_bytes stamp_of(const char *body)
{
	struct ady_stamp_want want = {.aud = "prod",
	                              .tenant = "team",
	                              .key = ady_bytes_str("k1"),
	                              .op = "policy",
	                              .now_s = NOW - 5,
	                              .life_s = 3600};
	struct ady_bytes text = ady_bytes_str(body);
	struct ady_buf b = ady_buf(stamp_space, sizeof stamp_space);
	uint8_t sig[64];

	ady_sha256(want.body32, &text, 1);
	ady_stamp_put_input(&b, &want, by, "id-1");
	ady_ed25519_sign(sig, ady_buf_bytes(&b), &approver);
	ady_buf_u8(&b, '.');
	ady_base64url_put(&b, ady_bytes(sig, sizeof sig));
	return ady_bytes(stamp_space + 15, b.n - 15);
}

static enum ady_err prepare(const char *body, struct ady_bytes stamp)
{
	const struct ady_wire_policy_change m = {.key_id = ady_bytes_str("k1"),
	                                         .record = ady_bytes_str(record),
	                                         .change = ady_bytes_str(body),
	                                         .stamp = stamp};

	fault = (struct ady_fault){0};
	job.policies = &policies;
	job.setting = (struct ady_sign_setting){.deployment = "prod", .now_s = NOW};
	job.envelope = envelope;
	return ady_change_prepare(&job, &m, &fault);
}

static enum ady_err decide(const uint8_t *row, size_t n)
{
	fault = (struct ady_fault){0};
	CHECK_ERR(ady_charging_set_row(&job.charging, ady_bytes(row, n), &fault), ADY_OK);
	return ady_change_decide(&job, &all_known, secp, key32(), &fault);
}

static const char *change_to(const char *max)
{
	static char body[1024];

	snprintf(
	    body, sizeof body,
	    "{\"revision\":0,\"policy\":{\"policy\":1,\"rules\":[{\"name\":\"r\",\"effect\":"
	    "\"allow\",\"when\":{},\"limits\":[{\"name\":\"n\",\"per\":\"1h\",\"max\":%s}]}]}}",
	    max);
	return body;
}

CASE(the_row_first_and_then_the_record)
{
	static uint8_t next[ADY_TALLY_ROW_MAX];
	const char *body = change_to("5");
	size_t n;

	make_with_quorum();
	CHECK_ERR(prepare(body, stamp_of(body)), ADY_OK);
	CHECK_ERR(ady_change_finish(&job, secp, key32(), &fault), ADY_E_COUNTERS);
	CHECK_ERR(decide(first_row, first_n), ADY_E_AGAIN);
	CHECK_ERR(ady_change_finish(&job, secp, key32(), &fault), ADY_E_COUNTERS);
	n = job.charging.new_row_n;
	memcpy(next, job.charging.new_row, n);
	CHECK_INT(ady_tally_version(ady_bytes(next, n)), 2);
	ady_charging_permit(&job.charging);
	CHECK_ERR(ady_change_finish(&job, secp, key32(), &fault), ADY_OK);
	CHECK_INT(job.record.revision, 1);
	CHECK(strstr((const char *)job.record.policy.p, "\"max\":5") != NULL);
	/* cut off before the record was stored: the same again makes it again */
	CHECK_ERR(prepare(body, stamp_of(body)), ADY_OK);
	CHECK_ERR(decide(next, n), ADY_OK);
	CHECK_ERR(ady_change_finish(&job, secp, key32(), &fault), ADY_OK);
	CHECK_INT(job.record.revision, 1);
	/* another change of the same revision comes too late */
	body = change_to("6");
	CHECK_ERR(prepare(body, stamp_of(body)), ADY_OK);
	CHECK_ERR(decide(next, n), ADY_E_COUNTERS);
	CHECK_STR(fault.where, "record.revision");
}

CASE(the_old_record_opens_nothing_new)
{
	const char *body = change_to("5");
	ADY_SECRET struct ady_seckey key = {0};
	struct ady_record old;

	make_with_quorum();
	CHECK_ERR(prepare(body, stamp_of(body)), ADY_OK);
	CHECK_ERR(decide(first_row, first_n), ADY_E_AGAIN);
	ady_charging_permit(&job.charging);
	CHECK_ERR(ady_change_finish(&job, secp, key32(), &fault), ADY_OK);
	CHECK_ERR(ady_envelope_open(&key, &job.record, &envelope, data_key, &fault), ADY_OK);
	old = job.record; /* the new one with another revision */
	old.revision = 2;
	CHECK_ERR(ady_envelope_open(&key, &old, &envelope, data_key, &fault),
	          ADY_E_RECORD_MISMATCH);
	old.revision = 0;
	CHECK_ERR(ady_envelope_open(&key, &old, &envelope, data_key, &fault),
	          ADY_E_RECORD_MISMATCH);
}

CASE(rows_that_do_not_fit)
{
	const char *body = change_to("5");

	make_with_quorum();
	CHECK_ERR(prepare(body, stamp_of(body)), ADY_OK);
	CHECK_ERR(decide(first_row, 0), ADY_E_COUNTERS);
	CHECK(strstr(fault.detail, "are missing"));
	first_row[50] ^= 1;
	CHECK_ERR(decide(first_row, first_n), ADY_E_COUNTERS);
	CHECK_STR(fault.detail, "were not written by an enclave for this key");
	first_row[50] ^= 1;
	CHECK_ERR(prepare(body, stamp_of(body)), ADY_OK);
	job.setting.now_s = 0;
	CHECK_ERR(decide(first_row, first_n), ADY_E_CLOCK);
	data_key[0] ^= 1;
	CHECK_ERR(decide(first_row, first_n), ADY_E_RECORD_MISMATCH);
	data_key[0] ^= 1;
}

CASE(what_is_for_good)
{
	const char *body = change_to("5");
	const struct ady_bytes none = {0};
	char *wrapping;

	make("");
	CHECK_ERR(prepare(body, none), ADY_E_DENIED);
	CHECK_STR(fault.where, "policy.change");
	make_with_quorum();
	CHECK_ERR(prepare(body, none), ADY_E_DENIED);
	CHECK_STR(fault.detail, "needs 1 approvals and has 0");
	wrapping = strstr(record, "\"envelope\"");
	memcpy(wrapping, "\"direct\"  ", 10);
	CHECK(prepare(body, none) != ADY_OK);
	snprintf(record, sizeof record, "AQID");
	CHECK_ERR(prepare(body, none), ADY_E_RECORD);
	CHECK_STR(fault.where, "record.wrapping");
}

CASE(requests_that_are_refused)
{
	static const struct {
		const char *body;
		enum ady_err err;
		const char *where;
	} v[] = {
	    {"{", ADY_E_JSON, NULL},
	    {"[]", ADY_E_FIELD_INVALID, ""},
	    {"{\"revision\":0,\"policy\":{},\"x\":1}", ADY_E_FIELD_UNKNOWN, ""},
	    {"{\"revision\":0}", ADY_E_FIELD_INVALID, "policy"},
	    {"{\"revision\":0,\"policy\":[]}", ADY_E_FIELD_INVALID, "policy"},
	    {"{\"policy\":{}}", ADY_E_FIELD_INVALID, "revision"},
	    {"{\"revision\":\"0\",\"policy\":{}}", ADY_E_FIELD_INVALID, "revision"},
	    {"{\"revision\":1,\"policy\":{}}", ADY_E_CONFLICT, "revision"},
	    {"{\"revision\":0,\"policy\":{}}", ADY_E_FIELD_INVALID, "policy"},
	    {"{\"revision\":0,\"policy\":{\"policy\":1,\"rules\":[1]}}", ADY_E_FIELD_INVALID,
	     "policy.rules[0]"},
	};

	make_with_quorum();
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		CHECK_ERR(prepare(v[i].body, stamp_of(v[i].body)), v[i].err);
		if (v[i].where)
			CHECK_STR(fault.where, v[i].where);
	}
}

int main(void)
{
	CHECK_ERR(ady_secp_open(&secp), ADY_OK);
	CHECK_ERR(ady_gcm_new(&envelope.gcm), ADY_OK);
	RUN(the_row_first_and_then_the_record);
	RUN(the_old_record_opens_nothing_new);
	RUN(rows_that_do_not_fit);
	RUN(what_is_for_good);
	RUN(requests_that_are_refused);
	ady_gcm_free(envelope.gcm);
	ady_secp_close(secp);
	return test_end();
}
