/* SPDX-License-Identifier: Apache-2.0
 *
 * What is read of wallets: paths, sentences, requests for keys, and what is sealed to the enclave
 * as a wallet. What is read has one spelling, so it is written as it was; a refusal has its reason.
 */
#include "crypto/bip39.h"
#include "signer/derive.h"
#include "signer/wallet.h"
#include "test.h"

/* The entry point of the fuzzers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A path without a level that counts is written as it was; with one, as it is with a number. */
static void path(struct ady_bytes text, enum ady_hd_path_kind kind)
{
	char out[ADY_HD_PATH_TEXT];
	struct ady_buf b = ady_buf(out, sizeof out);
	struct ady_hd_path p;
	struct ady_fault f = {0};
	enum ady_err err = ady_hd_path_read(&p, kind, text, &f);

	if (err != ADY_OK) {
		if (f.err != err || strcmp(f.where, "path") != 0 || !f.detail[0])
			ADY_BUG("a refusal without a reason");
		return;
	}
	ady_hd_path_put(&b, &p, 0);
	if (b.full || (p.star == p.n && !ady_bytes_eq(ady_buf_bytes(&b), text)))
		ADY_BUG("a path with two spellings");
	if (p.star < p.n && !ady_hd_path_counts(&p, 0, 1000))
		ADY_BUG("a path that does not count");
}

static void sentence(struct ady_bytes text)
{
	struct ady_bip39_entropy e;
	struct ady_bip39_sentence s;

	if (ady_bip39_read(&e, text) != ADY_OK)
		return;
	ady_bip39_write(&s, &e);
	if (!ady_bytes_eq(ady_bytes(s.text, s.n), text))
		ADY_BUG("a sentence with two spellings");
}

static void request(struct ady_bytes text)
{
	static struct ady_json_tok toks[512];
	static struct ady_record wallet, rec;
	struct ady_derive d;
	struct ady_json doc;
	struct ady_fault f = {0};
	enum ady_err err = ady_derive_read(&d, &doc, toks, 512, text, &f);

	wallet = (struct ady_record){
	    .envelope = true, .curve = ADY_CURVE_WALLET, .id = "w", .tenant = "t"};
	if (err == ADY_OK && d.options.n > 0)
		err = ady_derive_record(&rec, &d, &wallet, toks, 512, &f);
	if (err != ADY_OK) {
		if (f.err != err || !f.detail[0])
			ADY_BUG("a refusal without a reason");
		return;
	}
	if (d.options.n == 0)
		return;
	if (rec.allow || rec.chains_n || rec.callers_text[0] || rec.policy.n || rec.has_backup)
		ADY_BUG("a key with more rights than its wallet");
	ady_derive_number(&rec, &d, &wallet, d.first + d.count - 1);
}

static void brought_in(struct ady_bytes plaintext)
{
	static const uint8_t data_key[32] = {1};
	static struct ady_envelope e = {.deployment = "fuzz"};
	static struct ady_secp *secp;
	static struct ady_record rec;
	struct ady_wallet w;
	struct ady_fault f = {0};
	enum ady_err err;

	if (!secp && (ady_secp_open(&secp) != ADY_OK || ady_gcm_new(&e.gcm) != ADY_OK))
		ADY_BUG("no memory");
	rec = (struct ady_record){
	    .envelope = true, .curve = ADY_CURVE_WALLET, .id = "w", .tenant = "t"};
	err = ady_wallet_take(&rec, secp, &e, data_key, plaintext, &f);
	if (err != ADY_OK) {
		if (f.err != err || strcmp(f.where, "sealed") != 0 || !f.detail[0])
			ADY_BUG("a refusal without a reason");
		return;
	}
	if (ady_wallet_open(&w, &rec, secp, &e, data_key) != ADY_OK)
		ADY_BUG("a wallet that does not open");
	if (plaintext.p[0] == 0 && memcmp(&w, plaintext.p + 1, sizeof w) != 0)
		ADY_BUG("another wallet than the backup's");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ady_bytes text = ady_bytes(data, size);

	path(text, ADY_HD_PATH_BIP32);
	path(text, ADY_HD_PATH_SLIP10);
	path(text, ADY_HD_PATH_EIP2334);
	sentence(text);
	request(text);
	brought_in(text);
	return 0;
}
