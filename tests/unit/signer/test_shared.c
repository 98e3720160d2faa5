/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of a wallet whose policy has limits: they count in the wallet's row, or each in one of its
 * own, by records that open that row and no other. */
#include "signer/shared.h"

#include "signer/derive.h"
#include "signer/make.h"
#include "signer/sign.h"
#include "signer/wallet.h"
#include "test.h"

#define LIMITED(count, max)                                                                      \
	"{\"id\":\"w\",\"policy\":{\"policy\":1" count ",\"rules\":[{\"name\":\"a\",\"effect\":" \
	"\"allow\",\"when\":{},\"limits\":[{\"name\":\"n\",\"per\":\"1h\",\"max\":" #max "}]}]}}"
#define EACH ",\"count\":\"key\""

enum { T = 1764000100 };

static struct ady_secp *secp;
static struct ady_envelope envelope = {.deployment = "prod"};
static struct ady_fault fault;
static struct ady_record wallet, keys[3];
static struct ady_policies policies;
static struct ady_json_tok job_toks[ADY_DUTY_TOKENS];
static struct ady_sign_job job = {.toks = job_toks};
static struct ady_wire_signed answer;
static uint8_t data_key[32] = {1, 2, 3}, rows[4][ADY_TALLY_ROW_MAX];
static struct ady_json_tok toks[ADY_SIGN_TOKENS];

static struct ady_bytes new_row(size_t i)
{
	memcpy(rows[i], job.charging.new_row, job.charging.new_row_n);
	return ady_bytes(rows[i], job.charging.new_row_n);
}

/* A wallet of this policy, and the first row that it has. */
static struct ady_bytes make_wallet(const char *options)
{
	CHECK_ERR(ady_record_begin_in(&wallet, toks, ADY_SIGN_TOKENS, ADY_CURVE_WALLET,
	                              ady_bytes_str("team"), ady_bytes_str(options), &fault),
	          ADY_OK);
	memcpy(wallet.data_key, "blob", 4);
	wallet.data_key_n = 4;
	CHECK_ERR(ady_wallet_make(&wallet, secp, &envelope, data_key, &fault), ADY_OK);
	job.record = wallet;
	job.envelope = envelope;
	job.charging = (struct ady_charging){0};
	ady_charging_name(&job.charging, &wallet, "prod");
	CHECK_ERR(ady_charging_create(&job, secp, ady_bytes(data_key, 32), &fault), ADY_OK);
	CHECK_ERR(ady_charging_create(&job, secp, ady_bytes(data_key, 31), &fault), ADY_E_KEY_FORM);
	return new_row(3);
}

/* Its key of that number, which counts as the enclave lets it. */
static void make_key(struct ady_record *rec, const char *id, uint32_t number, bool each)
{
	ADY_SECRET struct ady_seckey row_key = {0};
	struct ady_wallet_walk walk;
	struct ady_json doc;
	struct ady_derive d;
	char body[128];

	snprintf(body, sizeof body, "{\"path\":\"m/44'/60'/0'/0/%u\",\"options\":{\"id\":\"%s\"}}",
	         (unsigned)number, id);
	CHECK_ERR(ady_derive_read(&d, &doc, toks, ADY_SIGN_TOKENS, ady_bytes_str(body), &fault),
	          ADY_OK);
	CHECK_ERR(ady_derive_record(rec, &d, &wallet, toks, ADY_SIGN_TOKENS, &fault), ADY_OK);
	rec->counted = true;
	ady_shared_name(rec->counters, &wallet, "prod", each);
	CHECK_ERR(ady_wallet_row_key(&row_key, &wallet, &envelope, data_key, &fault), ADY_OK);
	if (!each)
		CHECK_ERR(ady_shared_seal(rec, &envelope, data_key, &row_key), ADY_OK);
	ady_derive_number(rec, &d, &wallet, number);
	CHECK_ERR(ady_wallet_walk_begin(&walk, ADY_CURVE_SECP256K1, &d.path, &wallet, secp,
	                                &envelope, data_key, &fault),
	          ADY_OK);
	CHECK_ERR(ady_wallet_child(rec, &walk, secp, &envelope, data_key, number, &fault), ADY_OK);
	ady_wallet_walk_wipe(&walk);
}

/* Ask for the signature of a text by a key of that record, with that row. */
static enum ady_err ask(const struct ady_record *rec, const char *text, struct ady_bytes row,
                        bool fresh)
{
	static uint8_t space[65536];
	struct ady_buf b = ady_buf(space, sizeof space);
	const struct ady_charging_memory m = {.fresh = fresh};
	struct ady_wire_sign w = {.key_id = ady_bytes_str(rec->id)};
	char request[128];

	snprintf(request, sizeof request, "{\"message\":{\"text\":\"%s\"}}", text);
	w.request = ady_bytes_str(request);
	ady_record_put(&b, rec);
	w.record = ady_buf_bytes(&b);
	fault = (struct ady_fault){0};
	job.policies = &policies;
	job.setting = (struct ady_sign_setting){.deployment = "prod", .now_s = T};
	if (!CHECK_ERR(ady_sign_prepare(&job, &w, &fault), ADY_OK))
		return ADY_E_INTERNAL;
	job.envelope = envelope;
	CHECK(job.charging.guarded);
	CHECK_ERR(ady_charging_set_row(&job.charging, row, &fault), ADY_OK);
	return ady_charging_decide(&job, &m, secp, ady_bytes(data_key, 32), &fault);
}

CASE(keys_of_a_wallet_count_in_its_row)
{
	struct ady_bytes row = make_wallet(LIMITED("", 2));

	for (uint32_t i = 0; i < 3; i++)
		make_key(&keys[i], i == 0 ? "a" : i == 1 ? "b" : "c", i, false);
	CHECK_ERR(ask(&keys[0], "one", row, false), ADY_E_AGAIN);
	CHECK_ERR(ady_sign_finish(&job, secp, ady_bytes(data_key, 32), &answer, &fault),
	          ADY_E_COUNTERS);
	ady_charging_permit(&job.charging);
	CHECK_ERR(ady_sign_finish(&job, secp, ady_bytes(data_key, 32), &answer, &fault), ADY_OK);
	row = new_row(0);
	CHECK_INT(ady_tally_version(row), 2);
	/* The same again is free for the same key, and counted for another. */
	CHECK_ERR(ask(&keys[0], "one", row, false), ADY_OK);
	CHECK_ERR(ask(&keys[1], "one", row, false), ADY_E_AGAIN);
	row = new_row(1);
	CHECK_ERR(ask(&keys[1], "one", row, false), ADY_OK);
	CHECK_ERR(ask(&keys[2], "one", row, false), ADY_E_DENIED);
	CHECK(strstr(fault.detail, "does not hold: n"));
	CHECK_ERR(ask(&keys[0], "two", row, false), ADY_E_DENIED);
	/* A row that has gone is not made anew, by whatever the caller knows of it. */
	CHECK_ERR(ask(&keys[0], "two", ady_bytes(NULL, 0), false), ADY_E_COUNTERS);
}

CASE(with_count_key_each_has_its_own_under_any_id)
{
	uint8_t names[3][ADY_TALLY_NAME];
	struct ady_bytes row;

	(void)make_wallet(LIMITED(EACH, 1));
	make_key(&keys[0], "a", 0, true);
	make_key(&keys[1], "again", 0, true);
	make_key(&keys[2], "c", 2, true);
	for (size_t i = 0; i < 3; i++) {
		CHECK_ERR(ask(&keys[i], "one", ady_bytes(NULL, 0), false), ADY_E_COUNTERS);
		CHECK(job.charging.late && !job.charging.shared);
		memcpy(names[i], job.charging.name, sizeof names[i]);
	}
	CHECK(memcmp(names[0], names[1], sizeof names[0]) == 0);
	CHECK(memcmp(names[0], names[2], sizeof names[0]) != 0);
	CHECK(memcmp(names[0], wallet.counters, sizeof names[0]) != 0);
	CHECK_ERR(ask(&keys[0], "one", ady_bytes(NULL, 0), true), ADY_E_AGAIN);
	row = new_row(0);
	CHECK_INT(ady_tally_version(row), 1);
	CHECK_ERR(ask(&keys[1], "two", row, true), ADY_E_DENIED);
	CHECK_ERR(ask(&keys[1], "one", row, true), ADY_OK);
	CHECK_ERR(ask(&keys[2], "one", row, true), ADY_E_COUNTERS);
}

/* What is changed of a record is found before anything is counted. */
CASE(a_record_opens_its_own_row_only)
{
	struct ady_bytes row = make_wallet(LIMITED("", 2)), other;
	struct ady_record key, theirs, bad;

	memcpy(rows[2], row.p, row.n);
	row.p = rows[2];
	make_key(&key, "a", 0, false);
	other = make_wallet(LIMITED("", 2));
	make_key(&theirs, "a", 0, false);
	bad = key;
	memcpy(bad.counters, theirs.counters, sizeof bad.counters);
	CHECK_ERR(ask(&bad, "one", row, false), ADY_E_RECORD_MISMATCH);
	CHECK_STR(fault.where, "record.ciphertext");
	memcpy(bad.row_key, theirs.row_key, sizeof bad.row_key);
	CHECK_ERR(ask(&bad, "one", other, false), ADY_E_RECORD_MISMATCH);
	CHECK_STR(fault.where, "record.ciphertext");
	memcpy(bad.counters, key.counters, sizeof bad.counters);
	CHECK_ERR(ask(&bad, "one", row, false), ADY_E_RECORD_MISMATCH);
	CHECK_STR(fault.where, "record.counters");
	bad.row_key_n = 0;
	CHECK_ERR(ask(&bad, "one", row, false), ADY_E_RECORD_MISMATCH);
	CHECK_STR(fault.where, "record.counters");
	bad = key;
	bad.row_key_n = 0;
	CHECK_ERR(ask(&bad, "one", row, false), ADY_E_RECORD_MISMATCH);
	CHECK_STR(fault.where, "record.counters");
	bad = key;
	bad.counted = false;
	CHECK_ERR(ask(&bad, "one", row, false), ADY_E_RECORD_MISMATCH);
	CHECK_ERR(ask(&theirs, "one", row, false), ADY_E_COUNTERS);
}

/* The same data key may serve more than one of them. */
CASE(a_row_key_opens_for_its_deployment_and_tenant_only)
{
	static const uint8_t none[32];
	ADY_SECRET struct ady_seckey row_key = {0};
	const struct ady_envelope elsewhere = {.deployment = "test", .gcm = envelope.gcm};
	struct ady_record key, bad;

	(void)make_wallet(LIMITED("", 2));
	make_key(&key, "a", 0, false);
	CHECK_ERR(ady_shared_open(&row_key, &key, &envelope, data_key, &fault), ADY_OK);
	CHECK(memcmp(row_key.b, none, sizeof none) != 0);
	bad = key;
	bad.row_key_n--; /* whole, but said to be shorter */
	CHECK_ERR(ady_shared_open(&row_key, &bad, &envelope, data_key, &fault),
	          ADY_E_RECORD_MISMATCH);
	CHECK(memcmp(row_key.b, none, sizeof none) == 0);
	bad = key;
	bad.tenant[0] ^= 1;
	CHECK_ERR(ady_shared_open(&row_key, &bad, &envelope, data_key, &fault),
	          ADY_E_RECORD_MISMATCH);
	CHECK_ERR(ady_shared_open(&row_key, &key, &elsewhere, data_key, &fault),
	          ADY_E_RECORD_MISMATCH);
}

/* REWRAP: the row stays, and the old record with it. */
CASE(sealed_anew_a_key_counts_where_it_did)
{
	static const uint8_t next[32] = {9};
	ADY_SECRET struct ady_seckey one = {0};
	ADY_SECRET struct ady_seckey two = {0};
	struct ady_record before;
	uint8_t address[20];

	(void)make_wallet(LIMITED("", 2));
	make_key(&keys[0], "a", 0, false);
	before = keys[0];
	CHECK_ERR(ady_shared_open(&one, &keys[0], &envelope, data_key, &fault), ADY_OK);
	CHECK_ERR(ady_reseal_key(&keys[0], address, secp, &envelope, ady_bytes(data_key, 32), next,
	                         ady_bytes_str("next"), &fault),
	          ADY_OK);
	CHECK(memcmp(before.counters, keys[0].counters, sizeof before.counters) == 0);
	CHECK(memcmp(before.row_key, keys[0].row_key, sizeof before.row_key) != 0);
	CHECK_ERR(ady_shared_open(&two, &keys[0], &envelope, next, &fault), ADY_OK);
	CHECK(memcmp(one.b, two.b, sizeof one.b) == 0);
	CHECK_ERR(ady_shared_open(&two, &keys[0], &envelope, data_key, &fault),
	          ADY_E_RECORD_MISMATCH);
	/* One that cannot be opened is not sealed anew either. */
	before.row_key[20] ^= 1;
	CHECK_ERR(ady_reseal_key(&before, address, secp, &envelope, ady_bytes(data_key, 32), next,
	                         ady_bytes_str("next"), &fault),
	          ADY_E_RECORD_MISMATCH);
}

int main(void)
{
	if (ady_secp_open(&secp) != ADY_OK || ady_gcm_new(&envelope.gcm) != ADY_OK)
		return 1;
	RUN(keys_of_a_wallet_count_in_its_row);
	RUN(with_count_key_each_has_its_own_under_any_id);
	RUN(a_record_opens_its_own_row_only);
	RUN(a_row_key_opens_for_its_deployment_and_tenant_only);
	RUN(sealed_anew_a_key_counts_where_it_did);
	ady_gcm_free(envelope.gcm);
	ady_secp_close(secp);
	return test_end();
}
