/* SPDX-License-Identifier: Apache-2.0
 *
 * Envelopes: a secret key sealed under a secret data key, opened again, and signed with. That the
 * tag fits is public, and all that may be seen. */
#include "ct.h"

#include <string.h>

#include "crypto/rng.h"
#include "signer/envelope.h"
#include "signer/sign.h"

static struct ady_json_tok toks[ADY_DUTY_TOKENS];
static struct ady_sign_job job = {.toks = toks};
static struct ady_secp *secp;
static struct ady_envelope envelope = {.deployment = "ct"};
static struct ady_record rec;

/* A record of key, whose public key is public. */
static void begin(struct ady_seckey *key)
{
	uint8_t pub65[65];

	ct_must(ady_record_begin(&rec, ADY_CURVE_SECP256K1, ady_bytes_str("t"),
	                         ady_bytes_str("{\"id\":\"k\"}"), NULL) == ADY_OK);
	memcpy(rec.data_key, "blob", 4);
	rec.data_key_n = 4;
	ct_must(ady_secp_public(secp, pub65, key) == ADY_OK);
	ady_secp_compress(rec.pub, pub65);
	ady_record_bind(&rec);
}

static void sign(uint8_t data_key[static 32], enum ady_err want)
{
	static const char request[] = "{\"message\":{\"text\":\"hello\"}}";
	static char text[4096];
	struct ady_buf b = ady_buf(text, sizeof text);
	struct ady_wire_signed answer;
	struct ady_wire_sign m = {.key_id = ady_bytes_str("k"), .request = ady_bytes_str(request)};

	ady_record_put(&b, &rec);
	m.record = ady_buf_bytes(&b);
	ct_must(ady_sign_prepare(&job, &m, NULL) == ADY_OK);
	job.envelope = envelope;
	ct_must(ady_sign_finish(&job, secp, ady_bytes(data_key, 32), &answer, NULL) == want);
	for (size_t i = 0; i < answer.r.n; i++)
		ct_must(!ct_is_secret(answer.r.p + i) && !ct_is_secret(answer.s.p + i));
}

int main(void)
{
	struct ady_seckey key, opened;
	uint8_t data_key[32];

	ct_need_valgrind();
	ct_must(ady_secp_open(&secp) == ADY_OK && ady_gcm_new(&envelope.gcm) == ADY_OK);
	ady_random(key.b, sizeof key.b);
	key.b[0] &= 0x7f;
	ady_random(data_key, sizeof data_key);
	begin(&key);
	ct_secret(&key, sizeof key);
	ct_secret(data_key, sizeof data_key);
	ct_must(ady_envelope_seal(&rec, &envelope, data_key, &key) == ADY_OK);
	ct_must(ct_is_secret(rec.ciphertext + 12));
	ct_public(rec.ciphertext, rec.ciphertext_n); /* it is stored outside */
	ct_must(ady_envelope_open(&opened, &rec, &envelope, data_key, NULL) == ADY_OK);
	ct_must(ct_is_secret(opened.b));
	sign(data_key, ADY_OK);
	rec.ciphertext[12] ^= 1;
	sign(data_key, ADY_E_RECORD_MISMATCH);
	ady_gcm_free(envelope.gcm);
	ady_secp_close(secp);
	return 0;
}
