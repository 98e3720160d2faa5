/* SPDX-License-Identifier: Apache-2.0
 *
 * Envelopes: made, sealed, opened, signed with; and everything that must not open. */
#include "signer/envelope.h"

#include "signer/make.h"
#include "signer/sign.h"

#include "test.h"

static struct ady_secp *secp;
static struct ady_envelope envelope = {.deployment = "prod"};
static struct ady_fault fault;
static struct ady_record rec;
static struct ady_json_tok toks[ADY_DUTY_TOKENS];
static struct ady_sign_job job = {.toks = toks};
static struct ady_wire_signed answer;
static uint8_t data_key[32] = {1, 2, 3}, address[20];

static void make(const char *options)
{
	CHECK_ERR(ady_record_begin(&rec, ADY_CURVE_SECP256K1, ady_bytes_str("team"),
	                           ady_bytes_str(options), &fault),
	          ADY_OK);
	memcpy(rec.data_key, "blob", 4);
	rec.data_key_n = 4;
	rec.created = 1764100000;
	CHECK_ERR(ady_make_key(&rec, address, secp, &envelope, data_key, &fault), ADY_OK);
}

static enum ady_err reopen(const struct ady_record *r, struct ady_seckey *key)
{
	fault = (struct ady_fault){0};
	return ady_envelope_open(key, r, &envelope, data_key, &fault);
}

CASE(a_made_key_is_that_of_its_record)
{
	ADY_SECRET struct ady_seckey key = {0};
	uint8_t pub65[65], pub33[33], from[20];

	for (int i = 0; i < 20; i++) {
		make("{\"id\":\"k1\"}");
		CHECK_ERR(reopen(&rec, &key), ADY_OK);
		CHECK_ERR(ady_secp_public(secp, pub65, &key), ADY_OK);
		ady_secp_compress(pub33, pub65);
		CHECK(memcmp(pub33, rec.pub, sizeof pub33) == 0);
		ady_eth_address(from, pub65);
		CHECK(memcmp(from, address, sizeof from) == 0);
	}
}

static void check_refused(const struct ady_record *r)
{
	static const struct ady_seckey none;
	ADY_SECRET struct ady_seckey key = {.b = {7}};

	CHECK_ERR(reopen(r, &key), ADY_E_RECORD_MISMATCH);
	CHECK_STR(fault.where, "record.ciphertext");
	CHECK(ady_secret_eq_ct(&key, &none, sizeof key));
}

/* Every bit of nonce, ciphertext and tag, and each member of the record. */
CASE(nothing_changed_opens)
{
	struct ady_record changed;

	make("{\"id\":\"k1\",\"chains\":[1]}");
	for (size_t bit = 0; bit < 8u * ADY_RECORD_SEALED; bit++) {
		changed = rec;
		changed.ciphertext[bit / 8] ^= (uint8_t)(1 << bit % 8);
		check_refused(&changed);
	}
	for (int i = 0; i < 8; i++) {
		changed = rec;
		changed.id[0] ^= i == 0;
		changed.tenant[0] ^= i == 1;
		changed.pub[1] ^= i == 2;
		changed.allow ^= i == 3;
		changed.chains[0] += i == 4;
		changed.created += i == 5;
		changed.ciphertext_n -= i == 6;
		changed.curve = i == 7 ? ADY_CURVE_ED25519 : ADY_CURVE_SECP256K1;
		ady_record_bind(&changed);
		check_refused(&changed);
	}
	data_key[31] ^= 1;
	check_refused(&rec);
	data_key[31] ^= 1;
	envelope.deployment = "prog";
	check_refused(&rec);
	envelope.deployment = "prod";
}

/* The blob is not in the additional data: which key it is shows when it opens. */
CASE(the_same_data_key_under_another_ciphertext_of_kms_opens)
{
	ADY_SECRET struct ady_seckey key = {0};

	make("{\"id\":\"k1\"}");
	rec.data_key[0] ^= 1;
	CHECK_ERR(reopen(&rec, &key), ADY_OK);
}

/* What is brought in is sealed like what is made; each form of key that signing takes. */
CASE(a_key_is_taken_in)
{
	static const char hex[] =
	    "4646464646464646464646464646464646464646464646464646464646464646";
	ADY_SECRET struct ady_seckey key = {0};
	uint8_t zero[32] = {0};

	make("{\"id\":\"k1\"}");
	CHECK_ERR(
	    ady_take_key(&rec, address, secp, &envelope, data_key, ady_bytes_str(hex), &fault),
	    ADY_OK);
	CHECK_HEX(rec.pub, 33,
	          "024bc2a31265153f07e70e0bab08724e6b85e217f8cd628ceb62974247bb493382");
	CHECK_HEX(address, 20, "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f");
	CHECK_ERR(reopen(&rec, &key), ADY_OK);
	CHECK_HEX(key.b, 32, hex);
	CHECK_ERR(
	    ady_take_key(&rec, address, secp, &envelope, data_key, ady_bytes(zero, 32), &fault),
	    ADY_E_KEY_RANGE);
	CHECK_ERR(
	    ady_take_key(&rec, address, secp, &envelope, data_key, ady_bytes(zero, 0), &fault),
	    ADY_E_KEY_FORM);
}

#define TX(more)                                                                           \
	"{\"transaction\":{\"chainId\":1,\"nonce\":0,\"gas\":21000,\"gasPrice\":1,\"to\":" \
	"\"0x3535353535353535353535353535353535353535\"" more "}}"

static enum ady_err prepare(const char *request)
{
	static char text[16384];
	struct ady_buf b = ady_buf(text, sizeof text);
	struct ady_wire_sign m = {.key_id = ady_bytes_str("k1"), .request = ady_bytes_str(request)};

	ady_record_put(&b, &rec);
	m.record = ady_buf_bytes(&b);
	fault = (struct ady_fault){0};
	return ady_sign_prepare(&job, &m, &fault);
}

static enum ady_err finish(struct ady_bytes key)
{
	fault = (struct ady_fault){0};
	job.envelope = envelope;
	return ady_sign_finish(&job, secp, key, &answer, &fault);
}

static void check_signed(void)
{
	uint8_t pub65[65], pub33[33];

	CHECK_ERR(ady_secp_recover(secp, pub65, &job.sig, job.digest), ADY_OK);
	ady_secp_compress(pub33, pub65);
	CHECK(memcmp(pub33, rec.pub, sizeof pub33) == 0);
	CHECK(answer.from.n == 20 && memcmp(answer.from.p, address, 20) == 0);
}

CASE(an_envelope_signs)
{
	make("{\"id\":\"k1\",\"chains\":[1]}");
	for (int skip = 0; skip < 2; skip++) {
		job.skip_verify = skip;
		CHECK_ERR(prepare(TX("")), ADY_OK);
		CHECK_ERR(finish(ady_bytes(data_key, 32)), ADY_OK);
		check_signed();
	}
	job.skip_verify = false;
	CHECK_ERR(prepare("{\"message\":{\"text\":\"hello\"}}"), ADY_OK);
	CHECK_ERR(finish(ady_bytes(data_key, 32)), ADY_OK);
	check_signed();
}

CASE(an_envelope_that_does_not_open_signs_nothing)
{
	make("{\"id\":\"k1\"}");
	CHECK_ERR(prepare(TX("")), ADY_OK);
	CHECK_ERR(finish(ady_bytes(data_key, 31)), ADY_E_KEY_FORM);
	CHECK_STR(fault.where, "record.data_key");
	CHECK(answer.raw.n == 0 && answer.r.n == 0);
	rec.created++;
	ady_record_bind(&rec);
	CHECK_ERR(prepare(TX("")), ADY_OK);
	CHECK_ERR(finish(ady_bytes(data_key, 32)), ADY_E_RECORD_MISMATCH);
	CHECK(answer.raw.n == 0 && answer.r.n == 0);
}

CASE(what_the_record_says_is_checked_before_the_key_is_asked_for)
{
	make("{\"id\":\"k1\"}");
	CHECK_ERR(prepare(TX(",\"from\":\"0x3535353535353535353535353535353535353535\"")),
	          ADY_E_FROM);
	CHECK_STR(fault.where, "transaction.from");
	memset(rec.pub + 1, 0xff, 32);
	ady_record_bind(&rec);
	CHECK_ERR(prepare(TX("")), ADY_E_RECORD);
	CHECK_STR(fault.where, "record.public_key");
}

/* A key that is sealed under the right data key with another's public key: only whoever has the
 * data key can make that, and the check of the signature still finds it. */
CASE(a_signature_of_another_key_does_not_leave)
{
	ADY_SECRET struct ady_seckey other = {.b = {[31] = 1}};

	make("{\"id\":\"k1\"}");
	CHECK_ERR(ady_envelope_seal(&rec, &envelope, data_key, &other), ADY_OK);
	CHECK_ERR(prepare(TX("")), ADY_OK);
	CHECK_ERR(finish(ady_bytes(data_key, 32)), ADY_E_CRYPTO);
	CHECK(answer.raw.n == 0 && answer.r.n == 0);
}

int main(void)
{
	CHECK_ERR(ady_secp_open(&secp), ADY_OK);
	CHECK_ERR(ady_gcm_new(&envelope.gcm), ADY_OK);
	RUN(a_made_key_is_that_of_its_record);
	RUN(nothing_changed_opens);
	RUN(the_same_data_key_under_another_ciphertext_of_kms_opens);
	RUN(a_key_is_taken_in);
	RUN(an_envelope_signs);
	RUN(an_envelope_that_does_not_open_signs_nothing);
	RUN(what_the_record_says_is_checked_before_the_key_is_asked_for);
	RUN(a_signature_of_another_key_does_not_leave);
	ady_gcm_free(envelope.gcm);
	ady_secp_close(secp);
	return test_end();
}
