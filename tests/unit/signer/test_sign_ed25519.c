/* SPDX-License-Identifier: Apache-2.0
 *
 * Ed25519 keys: made, brought in, and what they sign and do not sign. */
#include "base/text.h"
#include "crypto/ed25519.h"
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

static void begin(const char *options)
{
	CHECK_ERR(ady_record_begin(&rec, ADY_CURVE_ED25519, ady_bytes_str("team"),
	                           ady_bytes_str(options), &fault),
	          ADY_OK);
	memcpy(rec.data_key, "blob", 4);
	rec.data_key_n = 4;
	rec.created = 1764100000;
}

static enum ady_err prepare(const struct ady_record *r, const char *request)
{
	static uint8_t space[4096];
	struct ady_buf text = ady_buf(space, sizeof space);
	struct ady_wire_sign m = {.form = ADY_FORM_NATIVE, .key_id = ady_bytes_str("k1")};

	ady_record_put(&text, r);
	m.record = ady_buf_bytes(&text);
	m.request = ady_bytes_str(request);
	fault = (struct ady_fault){0};
	return ady_sign_prepare(&job, &m, &fault);
}

static enum ady_err finish(void)
{
	job.envelope = envelope;
	return ady_sign_finish(&job, secp, ady_bytes(data_key, sizeof data_key), &answer, &fault);
}

/* RFC 8032, 7.1, test 3, through the whole core. */
CASE(a_key_that_was_brought_in_signs)
{
	begin("{\"id\":\"k1\",\"allow\":[\"digest\"]}");
	CHECK_ERR(ady_take_key(
	              &rec, address, secp, &envelope, data_key,
	              test_hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"),
	              &fault),
	          ADY_OK);
	CHECK_HEX(rec.pub, 32, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
	CHECK_ERR(prepare(&rec, "{\"data\":\"0xaf82\"}"), ADY_OK);
	CHECK_INT(job.object.kind, ADY_OBJECT_DIGEST);
	CHECK_ERR(finish(), ADY_OK);
	CHECK_HEX(answer.r.p, 32,
	          "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac");
	CHECK_HEX(answer.s.p, 32,
	          "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
	CHECK_HEX(answer.hash.p, 32, /* SHA-256 */
	          "0598c67e908a9766b29fe74fd2d7035524a17616ce6a5d1bf3bf9db9b3a6ace7");
	CHECK_INT(answer.from.n, 0);
	CHECK_INT(answer.raw.n, 0);
	CHECK_INT(answer.y_parity, 0);
}

/* Above the order of secp256k1, which is no bound here. */
CASE(any_32_bytes_are_a_key)
{
	static const uint8_t ones[32] = {[0 ... 31] = 0xff};

	begin("{\"id\":\"k1\"}");
	CHECK_ERR(
	    ady_take_key(&rec, address, secp, &envelope, data_key, ady_bytes(ones, 32), &fault),
	    ADY_OK);
	CHECK_ERR(
	    ady_take_key(&rec, address, secp, &envelope, data_key, ady_bytes(ones, 31), &fault),
	    ADY_E_KEY_FORM);
}

CASE(a_made_key_signs)
{
	static const uint8_t none[20];
	uint8_t sig[64];

	begin("{\"id\":\"k1\",\"allow\":[\"digest\"]}");
	CHECK_ERR(ady_make_key(&rec, address, secp, &envelope, data_key, &fault), ADY_OK);
	CHECK(memcmp(address, none, sizeof none) == 0);
	CHECK_ERR(prepare(&rec, "{\"data\":\"0x\"}"), ADY_OK);
	CHECK_ERR(finish(), ADY_OK);
	memcpy(sig, answer.r.p, 32);
	memcpy(sig + 32, answer.s.p, 32);
	CHECK(ady_ed25519_verify(sig, rec.pub, ady_bytes_str("")));
	data_key[0] ^= 1;
	CHECK_ERR(prepare(&rec, "{\"data\":\"0x\"}"), ADY_OK);
	CHECK_ERR(finish(), ADY_E_RECORD_MISMATCH);
	data_key[0] ^= 1;
}

CASE(what_it_does_not_sign)
{
	static const struct {
		const char *options, *request;
		enum ady_err err;
		const char *where;
	} rows[] = {
	    {"{\"id\":\"k1\"}", "{\"data\":\"0x01\"}", ADY_E_DENIED, "data"},
	    {"{\"id\":\"k1\",\"allow\":[\"digest\"]}", "{\"digest\":\"0x01\"}", ADY_E_FIELD_INVALID,
	     "digest"},
	    {"{\"id\":\"k1\",\"allow\":[\"digest\"]}", "{\"message\":{\"text\":\"a\"}}",
	     ADY_E_FIELD_INVALID, "message"},
	    {"{\"id\":\"k1\",\"allow\":[\"digest\"]}", "{\"transaction\":{}}", ADY_E_FIELD_INVALID,
	     "transaction"},
	    {"{\"id\":\"k1\",\"allow\":[\"digest\"]}", "{}", ADY_E_FIELD_INVALID, "transaction"},
	    {"{\"id\":\"k1\",\"allow\":[\"digest\"]}", "{\"data\":\"0x0\"}", ADY_E_FIELD_INVALID,
	     "data"},
	    {"{\"id\":\"k1\",\"allow\":[\"digest\"]}", "{\"data\":\"0x\",\"x\":1}",
	     ADY_E_FIELD_UNKNOWN, "x"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		begin(rows[i].options);
		CHECK_ERR(ady_make_key(&rec, address, secp, &envelope, data_key, &fault), ADY_OK);
		if (!CHECK_ERR(prepare(&rec, rows[i].request), rows[i].err) ||
		    !CHECK_STR(fault.where, rows[i].where))
			printf("# %s\n", rows[i].request);
	}
	rec.envelope = false;
	rec.data_key_n = 0;
	CHECK_ERR(prepare(&rec, "{\"data\":\"0x\"}"), ADY_E_RECORD);
	CHECK_STR(fault.where, "record.wrapping");
}

int main(void)
{
	if (ady_secp_open(&secp) != ADY_OK || ady_gcm_new(&envelope.gcm) != ADY_OK)
		return 1;
	RUN(a_key_that_was_brought_in_signs);
	RUN(any_32_bytes_are_a_key);
	RUN(a_made_key_signs);
	RUN(what_it_does_not_sign);
	ady_gcm_free(envelope.gcm);
	ady_secp_close(secp);
	return test_end();
}
