/* SPDX-License-Identifier: Apache-2.0
 *
 * Wallets: made, brought in, sealed anew; their keys, with which the signing core signs. */
#include "signer/wallet.h"

#include "crypto/bls.h"
#include "crypto/ed25519.h"
#include "signer/derive.h"
#include "signer/make.h"
#include "signer/sign.h"

#include "test.h"

#define ABOUT                                                                                      \
	"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon " \
	"about"

#define ROOT "02f632717d78bf73e74aa8461e2e782532abae4eed5110241025afb59ebfd3d2fd"
#define CHILD5 "0202d106a341ae9a17dbac7fa65ac5ce9b6bc9e2fa663061ca0cbc75993b8d602c"

static struct ady_secp *secp;
static struct ady_envelope envelope = {.deployment = "prod"};
static struct ady_fault fault;
static struct ady_record rec, child;
static struct ady_json_tok job_toks[ADY_DUTY_TOKENS];
static struct ady_sign_job job = {.toks = job_toks};
static struct ady_wire_signed answer;
static uint8_t data_key[32] = {1, 2, 3};

static void begin(const char *options)
{
	CHECK_ERR(ady_record_begin(&rec, ADY_CURVE_WALLET, ady_bytes_str("team"),
	                           ady_bytes_str(options), &fault),
	          ADY_OK);
	memcpy(rec.data_key, "blob", 4);
	rec.data_key_n = 4;
	rec.created = 1764100000;
}

static enum ady_err take(const char *sentence, const char *passphrase)
{
	uint8_t space[600];
	struct ady_buf b = ady_buf(space, sizeof space);

	begin("{\"id\":\"w\"}");
	fault = (struct ady_fault){0};
	ady_buf_u8(&b, (uint8_t)strlen(sentence));
	ady_buf_str(&b, sentence);
	ady_buf_str(&b, passphrase);
	return ady_wallet_take(&rec, secp, &envelope, data_key, ady_buf_bytes(&b), &fault);
}

static enum ady_err walk_to(struct ady_wallet_walk *walk, enum ady_curve curve, const char *text)
{
	struct ady_hd_path path;

	CHECK_ERR(ady_hd_path_read(&path, ady_curve_path_kind(curve), ady_bytes_str(text), NULL),
	          ADY_OK);
	fault = (struct ady_fault){0};
	return ady_wallet_walk_begin(walk, curve, &path, &rec, secp, &envelope, data_key, &fault);
}

static void check_public(enum ady_curve curve, const char *path, uint32_t number, const char *hex)
{
	struct ady_wallet_walk walk;
	uint8_t pub[48];

	CHECK_ERR(walk_to(&walk, curve, path), ADY_OK);
	CHECK_ERR(ady_wallet_public(pub, &walk, secp, number), ADY_OK);
	CHECK_HEX(pub, ady_curve_public_size(curve), hex);
	ady_wallet_walk_wipe(&walk);
}

/* Root and child by ethers 6.17: HDNodeWallet.fromSeed of the same sentence and passphrase. */
CASE(a_sentence_that_was_brought_in)
{
	CHECK_ERR(take(ABOUT, "TREZOR"), ADY_OK);
	CHECK_INT(rec.ciphertext_n, ADY_RECORD_WALLET);
	CHECK_HEX(rec.pub, 33, ROOT);
	check_public(ADY_CURVE_SECP256K1, "m/44'/60'/0'/0/5", 0, CHILD5);
	check_public(ADY_CURVE_SECP256K1, "m/44'/60'/0'/0/*", 5, CHILD5);
	CHECK_ERR(take(ABOUT, ""), ADY_OK);
	check_public(ADY_CURVE_SECP256K1, "m/44'/60'/0'/0/0",
	             0, /* 0x9858EfFD232B4033E47d90003D41EC34EcaEda94 */
	             "0237b0bb7a8288d38ed49a524b5dc98cff3eb5ca824c9f9dc0dfdb3d9cd600f299");
}

/* EIP-2333's test case 0 is of this seed; the path is walked here step by step. */
CASE(validators_keys)
{
	ADY_SECRET struct ady_seckey key = {0}, next = {0};
	static const uint32_t path[] = {12381, 3600, 7, 0, 0};
	uint8_t seed[64], pub[48];
	char hex[97];

	memcpy(seed,
	       test_hex("c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553"
	                "1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04")
	           .p,
	       64);
	CHECK_ERR(take(ABOUT, "TREZOR"), ADY_OK);
	CHECK_ERR(ady_bls_derive_master(&key, ady_bytes(seed, 64)), ADY_OK);
	for (int i = 0; i < 5; i++) {
		CHECK_ERR(ady_bls_derive_child(&next, &key, path[i]), ADY_OK);
		key = next;
	}
	CHECK_ERR(ady_bls_public(pub, &key), ADY_OK);
	for (int i = 0; i < 48; i++)
		snprintf(hex + 2 * i, 3, "%02x", pub[i]);
	check_public(ADY_CURVE_BLS12_381, "m/12381/3600/7/0/0", 0, hex);
	check_public(ADY_CURVE_BLS12_381, "m/12381/3600/*/0/0", 7, hex);
}

CASE(what_is_no_sentence_and_no_passphrase)
{
	static const uint8_t shorter[] = {200, 'a'};
	char longest[258] = {0};

	CHECK_ERR(take("", ""), ADY_E_KEY_FORM);
	CHECK_STR(fault.where, "sealed");
	CHECK_ERR(take("abandon about", ""), ADY_E_KEY_FORM);
	CHECK_ERR(take(ABOUT " ", ""), ADY_E_KEY_FORM);
	CHECK_ERR(take(ABOUT, "\xc3\xa9"), ADY_E_FIELD_INVALID);
	CHECK_STR(fault.where, "sealed");
	CHECK(strstr(fault.detail, "ASCII") != NULL);
	memset(longest, 'x', 256);
	CHECK_ERR(take(ABOUT, longest), ADY_OK);
	longest[256] = 'x';
	CHECK_ERR(take(ABOUT, longest), ADY_E_FIELD_INVALID);
	CHECK_ERR(ady_wallet_take(&rec, secp, &envelope, data_key, ady_bytes(shorter, 2), &fault),
	          ADY_E_KEY_FORM);
	CHECK_ERR(ady_wallet_take(&rec, secp, &envelope, data_key, ady_bytes(shorter, 0), &fault),
	          ADY_E_KEY_FORM);
}

/* A wallet is its entropy, and the seed of that: no two are alike. */
CASE(made_wallets)
{
	static const int words[] = {12, 15, 18, 21, 24};
	uint8_t last[33] = {0};

	for (int i = 0; i < 5; i++) {
		ADY_SECRET_WALLET w = {0};
		ADY_SECRET_SENTENCE s = {0};
		char options[40];
		uint8_t seed[64];

		snprintf(options, sizeof options, "{\"id\":\"w\",\"words\":%d}", words[i]);
		begin(options);
		CHECK_ERR(ady_wallet_make(&rec, secp, &envelope, data_key, &fault), ADY_OK);
		CHECK_ERR(ady_envelope_open_bytes((uint8_t *)&w, sizeof w, &rec, &envelope,
		                                  data_key, NULL),
		          ADY_OK);
		CHECK_INT(w.entropy.n, words[i] / 3 * 4);
		ady_bip39_write(&s, &w.entropy);
		CHECK_ERR(ady_bip39_seed(seed, &s, ady_bytes(NULL, 0)), ADY_OK);
		CHECK(memcmp(seed, w.seed, sizeof seed) == 0);
		CHECK(memcmp(last, rec.pub, sizeof last) != 0);
		memcpy(last, rec.pub, sizeof last);
	}
	begin("{\"id\":\"w\"}");
	CHECK_INT(rec.words, 24);
}

static enum ady_err parse(struct ady_record *out, const struct ady_record *from)
{
	static uint8_t space[4096];
	struct ady_buf text = ady_buf(space, sizeof space);

	ady_record_put(&text, from);
	fault = (struct ady_fault){0};
	return ady_record_parse(out, ady_buf_bytes(&text), ady_bytes_str(from->id), &fault);
}

CASE(a_wallets_record)
{
	struct ady_record back, changed;
	struct ady_wallet_walk walk;

	CHECK_ERR(take(ABOUT, ""), ADY_OK);
	CHECK_ERR(parse(&back, &rec), ADY_OK);
	CHECK(back.curve == ADY_CURVE_WALLET && back.ciphertext_n == ADY_RECORD_WALLET);
	changed = rec;
	changed.envelope = false;
	CHECK_ERR(parse(&back, &changed), ADY_E_RECORD);
	CHECK_STR(fault.where, "record.wrapping");
	changed = rec;
	changed.ciphertext_n = ADY_RECORD_SEALED;
	CHECK_ERR(parse(&back, &changed), ADY_E_RECORD);
	CHECK_STR(fault.where, "record.ciphertext");
	changed = rec;
	changed.curve = ADY_CURVE_SECP256K1; /* a wallet that passes for a key */
	CHECK_ERR(parse(&back, &changed), ADY_E_RECORD);
	CHECK_STR(fault.where, "record.ciphertext");
	for (size_t bit = 0; bit < 8u * ADY_RECORD_WALLET; bit += 7) {
		rec.ciphertext[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK_ERR(walk_to(&walk, ADY_CURVE_SECP256K1, "m/0"), ADY_E_RECORD_MISMATCH);
		rec.ciphertext[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	data_key[0] ^= 1;
	CHECK_ERR(walk_to(&walk, ADY_CURVE_SECP256K1, "m/0"), ADY_E_RECORD_MISMATCH);
	data_key[0] ^= 1;
	CHECK_ERR(walk_to(&walk, ADY_CURVE_SECP256K1, "m/0"), ADY_OK);
	ady_wallet_walk_wipe(&walk);
}

CASE(sealed_anew)
{
	uint8_t next[32] = {9}, address[20], wrong[32] = {8};

	CHECK_ERR(take(ABOUT, "TREZOR"), ADY_OK);
	CHECK_ERR(ady_reseal_key(&rec, address, secp, &envelope, ady_bytes(wrong, 32), next,
	                         ady_bytes_str("blob2"), &fault),
	          ADY_E_RECORD_MISMATCH);
	CHECK_ERR(ady_reseal_key(&rec, address, secp, &envelope, ady_bytes(data_key, 31), next,
	                         ady_bytes_str("blob2"), &fault),
	          ADY_E_KEY_FORM);
	CHECK_ERR(ady_reseal_key(&rec, address, secp, &envelope, ady_bytes(data_key, 32), next,
	                         ady_bytes_str("blob2"), &fault),
	          ADY_OK);
	CHECK(ady_bytes_is(ady_bytes(rec.data_key, rec.data_key_n), "blob2"));
	memcpy(data_key, next, 32);
	check_public(ADY_CURVE_SECP256K1, "m/44'/60'/0'/0/5", 0, CHILD5);
}

static enum ady_err derive(const char *body, uint32_t number)
{
	static struct ady_json_tok toks[256];
	struct ady_wallet_walk walk;
	struct ady_derive d;
	struct ady_json doc;
	enum ady_err err;

	CHECK_ERR(ady_derive_read(&d, &doc, toks, 256, ady_bytes_str(body), &fault), ADY_OK);
	CHECK_ERR(ady_derive_record(&child, &d, &rec, toks, 256, &fault), ADY_OK);
	ady_derive_number(&child, &d, &rec, number);
	child.created = 1764100000;
	CHECK_ERR(
	    ady_wallet_walk_begin(&walk, d.curve, &d.path, &rec, secp, &envelope, data_key, &fault),
	    ADY_OK);
	err = ady_wallet_child(&child, &walk, secp, &envelope, data_key, number, &fault);
	ady_wallet_walk_wipe(&walk);
	return err;
}

static enum ady_err sign(const struct ady_record *with, const char *request)
{
	static uint8_t space[4096];
	struct ady_buf text = ady_buf(space, sizeof space);
	struct ady_wire_sign m = {.form = ADY_FORM_NATIVE,
	                          .key_id = ady_bytes_str(with->id),
	                          .request = ady_bytes_str(request)};
	enum ady_err err;

	ady_record_put(&text, with);
	m.record = ady_buf_bytes(&text);
	fault = (struct ady_fault){0};
	if ((err = ady_sign_prepare(&job, &m, &fault)) != ADY_OK)
		return err;
	job.envelope = envelope;
	return ady_sign_finish(&job, secp, ady_bytes(data_key, 32), &answer, &fault);
}

CASE(keys_sign_and_are_bound_to_their_origin)
{
	static const char message[] = "{\"message\":{\"text\":\"a\"}}";
	struct ady_record changed;
	uint8_t sig[64];

	CHECK_ERR(take(ABOUT, "TREZOR"), ADY_OK);
	CHECK_ERR(
	    derive("{\"path\":\"m/44'/60'/0'/0/*\",\"first\":5,\"options\":{\"id\":\"k\"}}", 5),
	    ADY_OK);
	CHECK_STR(child.id, "k5");
	CHECK_STR(child.origin, "w m/44'/60'/0'/0/5");
	CHECK_HEX(child.pub, 33, CHILD5);
	CHECK_ERR(sign(&child, message), ADY_OK);
	changed = child;
	changed.origin[strlen(changed.origin) - 1] = '6';
	CHECK_ERR(sign(&changed, message), ADY_E_RECORD_MISMATCH);
	changed.origin[0] = '\0';
	CHECK_ERR(sign(&changed, message), ADY_E_RECORD_MISMATCH);
	CHECK_ERR(sign(&rec, message), ADY_E_RECORD);
	CHECK_STR(fault.where, "record.curve");
	begin("{\"id\":\"w\",\"allow\":[\"digest\"]}");
	CHECK_ERR(ady_wallet_make(&rec, secp, &envelope, data_key, &fault), ADY_OK);
	CHECK_ERR(derive("{\"curve\":\"ed25519\",\"path\":\"m/44'/501'/*'/0'\",\"options\":{\"id\":"
	                 "\"k\"}}",
	                 0),
	          ADY_OK);
	CHECK_STR(child.origin, "w m/44'/501'/0'/0'");
	CHECK_ERR(sign(&child, "{\"data\":\"0x6869\"}"), ADY_OK);
	memcpy(sig, answer.r.p, 32);
	memcpy(sig + 32, answer.s.p, 32);
	CHECK(ady_ed25519_verify(sig, child.pub, ady_bytes_str("hi")));
}

int main(void)
{
	if (ady_secp_open(&secp) != ADY_OK || ady_gcm_new(&envelope.gcm) != ADY_OK)
		return 1;
	RUN(a_sentence_that_was_brought_in);
	RUN(validators_keys);
	RUN(what_is_no_sentence_and_no_passphrase);
	RUN(made_wallets);
	RUN(a_wallets_record);
	RUN(sealed_anew);
	RUN(keys_sign_and_are_bound_to_their_origin);
	ady_gcm_free(envelope.gcm);
	ady_secp_close(secp);
	return test_end();
}
