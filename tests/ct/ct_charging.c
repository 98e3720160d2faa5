/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters: the row key out of a secret private key, the first row, a charged one, and a record
 * that is sealed anew. That a row is authentic is public, and all that may be seen. */
#include "ct.h"

#include <string.h>

#include "crypto/rng.h"
#include "signer/charging.h"
#include "signer/make.h"
#include "signer/sign.h"

#define POLICY                                                                       \
	"{\"policy\":1,\"rules\":[{\"name\":\"r\",\"effect\":\"allow\",\"when\":{}," \
	"\"limits\":[{\"name\":\"n\",\"per\":\"1h\",\"max\":5}]}]}"

static struct ady_json_tok toks[ADY_DUTY_TOKENS];
static struct ady_sign_job job = {.toks = toks};
static struct ady_policies policies;
static struct ady_secp *secp;
static struct ady_envelope envelope = {.deployment = "ct"};
static struct ady_record rec;

static void make(uint8_t data_key[static 32])
{
	uint8_t address[20];

	ct_must(ady_record_begin(&rec, ADY_CURVE_SECP256K1, ady_bytes_str("t"),
	                         ady_bytes_str("{\"id\":\"k\",\"policy\":" POLICY "}"),
	                         NULL) == ADY_OK);
	memcpy(rec.data_key, "blob", 4);
	rec.data_key_n = 4;
	ct_must(ady_make_key(&rec, address, secp, &envelope, data_key, NULL) == ADY_OK);
}

static void prepare(void)
{
	static char text[8192];
	struct ady_buf b = ady_buf(text, sizeof text);
	struct ady_wire_sign m = {.key_id = ady_bytes_str("k"),
	                          .request = ady_bytes_str("{\"message\":{\"text\":\"x\"}}")};

	ady_record_put(&b, &rec);
	m.record = ady_buf_bytes(&b);
	job.policies = &policies;
	job.setting = (struct ady_sign_setting){.deployment = "ct", .now_s = 1764000000};
	ct_must(ady_sign_prepare(&job, &m, NULL) == ADY_OK && job.charging.guarded);
	job.envelope = envelope;
}

static void is_public(struct ady_bytes row)
{
	for (size_t i = 0; i < row.n; i++)
		ct_must(!ct_is_secret(row.p + i));
}

int main(void)
{
	const struct ady_charging_memory all_known = {0};
	struct ady_wire_signed answer;
	uint8_t data_key[32], address[20];
	struct ady_bytes dk = ady_bytes(data_key, sizeof data_key), row;

	ct_need_valgrind();
	ct_must(ady_secp_open(&secp) == ADY_OK && ady_gcm_new(&envelope.gcm) == ADY_OK);
	ady_random(data_key, sizeof data_key);
	ct_secret(data_key, sizeof data_key);
	make(data_key);
	ct_public(rec.ciphertext, rec.ciphertext_n); /* it is stored outside */
	prepare();
	ct_must(ady_charging_create(&job, secp, dk, NULL) == ADY_OK);
	row = ady_bytes(job.charging.new_row, job.charging.new_row_n);
	is_public(row);
	ct_must(ady_charging_set_row(&job.charging, row, NULL) == ADY_OK);
	ct_must(ady_charging_decide(&job, &all_known, secp, dk, NULL) == ADY_E_AGAIN);
	is_public(ady_bytes(job.charging.new_row, job.charging.new_row_n));
	ady_charging_permit(&job.charging);
	ct_must(ady_sign_finish(&job, secp, dk, &answer, NULL) == ADY_OK);
	job.charging.row[100] ^= 1; /* a forged row */
	ct_must(ady_charging_decide(&job, &all_known, secp, dk, NULL) == ADY_E_COUNTERS);
	ct_must(ady_rebind_key(&rec, address, secp, &envelope, data_key, ady_bytes_str(POLICY),
	                       NULL) == ADY_OK);
	ct_must(rec.revision == 1);
	return 0;
}
