/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a private key through src/signer/sign.c: from each form of plaintext to the answer,
 * with a record whose public key is compared. Only the form of a plaintext may show. */
#include "ct.h"

#include <string.h>

#include "base/text.h"
#include "crypto/rng.h"
#include "signer/sign.h"

static struct ady_json_tok toks[ADY_DUTY_TOKENS];
static struct ady_sign_job job = {.toks = toks};
static struct ady_secp *secp;

static const char request[] =
    "{\"transaction\":{\"chainId\":1,\"nonce\":9,\"gas\":21000,\"gasPrice\":20000000000,"
    "\"to\":\"0x3535353535353535353535353535353535353535\",\"value\":1}}";

/* A record of key. */
static struct ady_bytes record_of(char text[static 512], const struct ady_seckey *key)
{
	uint8_t pub65[65], pub33[33];
	char hex[67];

	ct_must(ady_secp_public(secp, pub65, key) == ADY_OK);
	ady_secp_compress(pub33, pub65);
	ady_hex_encode(hex, ady_bytes(pub33, sizeof pub33));
	snprintf(text, 512,
	         "{\"adyton\":1,\"wrapping\":\"direct\",\"id\":\"k\",\"tenant\":\"t\","
	         "\"curve\":\"secp256k1\",\"public_key\":\"0x%s\",\"ciphertext\":\"AQID\"}",
	         hex);
	return ady_bytes_str(text);
}

/* Sign with the plaintext, which becomes secret here; the outcome must be want. */
static void finish(uint8_t *plaintext, size_t n, enum ady_err want)
{
	struct ady_wire_signed answer;
	struct ady_fault f;

	ct_secret(plaintext, n);
	ct_must(ady_sign_finish(&job, secp, ady_bytes(plaintext, n), &answer, &f) == want);
	for (size_t i = 0; i < answer.raw.n; i++)
		ct_must(!ct_is_secret(answer.raw.p + i));
	for (size_t i = 0; i < answer.hash.n; i++)
		ct_must(!ct_is_secret(answer.hash.p + i) && !ct_is_secret(answer.r.p + i) &&
		        !ct_is_secret(answer.s.p + i));
}

static void prepare(struct ady_bytes record)
{
	struct ady_wire_sign m = {
	    .key_id = ady_bytes_str("k"), .record = record, .request = ady_bytes_str(request)};

	ct_must(ady_sign_prepare(&job, &m, NULL) == ADY_OK);
}

/* What is no transaction takes another way behind the signature. */
static void message_too(const struct ady_seckey *key)
{
	static const char message[] = "{\"message\":{\"text\":\"hello\"}}";
	struct ady_wire_sign m = {.key_id = ady_bytes_str("k"),
	                          .record = ady_bytes_str("AQID"),
	                          .request = ady_bytes_str(message)};
	uint8_t plaintext[32];

	memcpy(plaintext, key->b, sizeof plaintext);
	ct_must(ady_sign_prepare(&job, &m, NULL) == ADY_OK);
	finish(plaintext, sizeof plaintext, ADY_OK);
}

static void all_forms(const struct ady_seckey *key, bool sample, enum ady_err want)
{
	static const char *const before[] = {"", "0x", "", "0x"}, *const behind[] = {"", "", "\n",
	                                                                             "\n"};
	uint8_t plaintext[80];
	char hex[65], record[512];

	memcpy(plaintext, key->b, sizeof key->b);
	prepare(sample ? ady_bytes_str("AQID") : record_of(record, key));
	finish(plaintext, sizeof key->b, want);
	ady_hex_encode(hex, ady_bytes(key->b, sizeof key->b));
	for (size_t i = 0; i < 4; i++) {
		int n = snprintf((char *)plaintext, sizeof plaintext, "%s%s%s", before[i], hex,
		                 behind[i]);

		finish(plaintext, (size_t)n, want);
	}
}

int main(void)
{
	struct ady_seckey key, out_of_range;
	uint8_t no_hex[] = "00000000000000000000000000000000000000000000000000000000000000g0";

	ct_need_valgrind();
	ct_must(ady_secp_open(&secp) == ADY_OK);
	ady_random(key.b, sizeof key.b);
	key.b[0] &= 0x7f;
	all_forms(&key, false, ADY_OK);
	all_forms(&key, true, ADY_OK);
	message_too(&key);
	finish(no_hex, sizeof no_hex - 1, ADY_E_KEY_FORM);
	memset(out_of_range.b, 0xff, sizeof out_of_range.b);
	finish(out_of_range.b, sizeof out_of_range.b, ADY_E_KEY_RANGE);
	ady_secp_close(secp);
	return 0;
}
