/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a validator's key through src/signer/duty.c, out of a direct record: opened, its row
 * authenticated and written anew, the duty signed; and of a proxy's secp256k1 key, out of an
 * envelope, to a commitment. */
#include "ct.h"

#include <string.h>

#include "base/text.h"
#include "crypto/rng.h"
#include "signer/duty.h"

static struct ady_json_tok toks[ADY_DUTY_TOKENS];
static struct ady_sign_job job = {.toks = toks};
static struct ady_duty_job duty;
static struct ady_slash_memory memory;
static const struct ady_slash_time any_time = {.last_slot = UINT64_MAX, .slots_per_epoch = 32};

static enum ady_err begin(void *ctx, const uint8_t pub48[static 48],
                          const struct ady_slash_state *row, const struct ady_slash_ask *ask,
                          struct ady_slash_state *next, bool *repeat, struct ady_fault *f)
{
	(void)ctx, (void)pub48;
	return ady_slash_begin(&memory, row, ask, any_time, next, repeat, f);
}

static void sign_with(const struct ady_beacon_network *net, const struct ady_seckey *key,
                      const char *hex, bool as_text)
{
	const struct ady_duty_host host = {.begin = begin};
	struct ady_bytes plaintext =
	    as_text ? ady_bytes(hex, 64) : ady_bytes(key->b, sizeof key->b);
	const struct ady_watermark_from from = {0};
	ADY_SECRET struct ady_seckey row_key = {0};
	struct ady_fault f;

	/* the state is made, then a block signed over it */
	duty.marks = (struct ady_wire_watermark){.op = ADY_WATERMARK_RAISE};
	duty.row_n = 0;
	ct_must(ady_watermark_make(&job, &duty, net, &from, plaintext, &f) == ADY_OK);
	ct_public(duty.new_row, sizeof duty.new_row);
	ct_must(ady_duty_set_row(&duty, ady_bytes(duty.new_row, sizeof duty.new_row), &f) ==
	        ADY_OK);
	ady_slash_remember(&memory, 0);
	duty.duty = (struct ady_duty){.kind = ADY_DUTY_OF_BLOCK, .slot = 64, .root = {7}};
	ct_must(ady_duty_begin(&job, &duty, &host, net, plaintext, &f) == ADY_E_AGAIN);
	ct_must(ady_slash_end(&memory, &duty.next, ADY_SLASH_WRITTEN, &f) == ADY_OK);
	ct_must(ady_duty_row_key(&row_key, &job, plaintext, &f) == ADY_OK);
	ct_must(ct_is_secret(&row_key));
	ct_must(ady_duty_sign(&job, &duty, plaintext, &f) == ADY_OK);
	ct_must(ady_bls_verify(job.record.pub, duty.duty.root, duty.signature) == ADY_OK);
}

static void commit(const struct ady_beacon_network *net, struct ady_secp *secp)
{
	const struct ady_duty_host host = {.begin = begin};
	struct ady_seckey key;
	uint8_t data_key[32], pub65[65];
	struct ady_fault f;

	ct_must(ady_record_begin(&job.record, ADY_CURVE_SECP256K1, ady_bytes_str("t"),
	                         ady_bytes_str("{\"id\":\"k\",\"allow\":[\"commitment\"]}"),
	                         &f) == ADY_OK);
	ady_random(key.b, sizeof key.b);
	key.b[0] &= 0x7f;
	ady_random(data_key, sizeof data_key);
	ct_must(ady_secp_public(secp, pub65, &key) == ADY_OK);
	ady_secp_compress(job.record.pub, pub65);
	ct_secret(&key, sizeof key);
	ct_secret(data_key, sizeof data_key);
	ct_must(ady_envelope_seal(&job.record, &job.envelope, data_key, &key) == ADY_OK);
	ct_public(job.record.ciphertext, job.record.ciphertext_n); /* it is stored outside */
	duty.secp = secp;
	duty.duty =
	    (struct ady_duty){.kind = ADY_DUTY_FREE, .type = ADY_DUTY_COMMITMENT, .root = {7}};
	ct_must(ady_duty_begin(&job, &duty, &host, net, ady_bytes(data_key, 32), &f) == ADY_OK);
	ct_must(duty.signature_n == 65);
	ct_public(duty.signature, sizeof duty.signature); /* it leaves */
	ct_must(duty.signature[64] == 27 || duty.signature[64] == 28);
}

int main(void)
{
	const struct ady_beacon_network *net = ady_beacon_network_find("mainnet");
	struct ady_secp *secp;
	struct ady_seckey key;
	char hex[65];

	ct_need_valgrind();
	ct_must(ady_secp_open(&secp) == ADY_OK && ady_gcm_new(&job.envelope.gcm) == ADY_OK);
	job.envelope.deployment = "ct";
	for (int i = 0; i < 2; i++) {
		job.record = (struct ady_record){.curve = ADY_CURVE_BLS12_381};
		ady_bls_generate(&key);
		ct_must(ady_bls_public(job.record.pub, &key) == ADY_OK);
		ady_hex_encode(hex, ady_bytes(key.b, sizeof key.b));
		ct_secret(&key, sizeof key);
		ct_secret(hex, 64);
		sign_with(net, &key, hex, i == 1);
		commit(net, secp);
	}
	ady_gcm_free(job.envelope.gcm);
	ady_secp_close(secp);
	return 0;
}
