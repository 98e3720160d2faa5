/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/sign.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "crypto/hash.h"

#ifdef ADY_TEST_LEAK_KEY
#include <stdatomic.h>

#include "base/log.h"

/* Test build only: a copy of the key that the search of the process's memory must find. */
static volatile uint8_t leaked_key[32];

static void leak(const struct ady_seckey *key)
{
	static atomic_flag said = ATOMIC_FLAG_INIT;

	if (!atomic_flag_test_and_set(&said))
		ADY_ERROR("TEST BUILD THAT KEEPS PRIVATE KEYS IN MEMORY", "%s", "deploy=never");
	for (size_t i = 0; i < sizeof key->b; i++)
		leaked_key[i] = key->b[i];
}
#endif

/* The two request bodies. Both name one transaction; the sample's names the secret as well, which
 * is the gateway's to look up. */
struct form {
	const char *transaction, *other;
	enum ady_eth_units units;
};

static const struct form forms[] = {
    [ADY_FORM_NATIVE] = {"transaction", NULL, ADY_ETH_WEI},
    [ADY_FORM_SAMPLE] = {"transaction_payload", "secret_id", ADY_ETH_SAMPLE_ETHER},
};

/* Find the transaction's token; the form's members must be there and no others. */
static enum ady_err find_transaction(uint32_t *i, const struct form *form,
                                     const struct ady_json *doc, struct ady_fault *f)
{
	uint32_t other;

	*i = ady_json_get(doc, 0, form->transaction);
	if (ady_json_kind(doc, 0) != ADY_JSON_OBJECT)
		return ady_fail(f, ADY_E_FIELD_INVALID, NULL, "the body must be a JSON object");
	for (uint32_t k = ady_json_first(doc, 0); k; k = ady_json_after(doc, 0, k)) {
		struct ady_bytes name = ady_json_raw(doc, k);
		char where[64];

		if (ady_json_is(doc, k, form->transaction) ||
		    (form->other && ady_json_is(doc, k, form->other)))
			continue;
		name.n = name.n < sizeof where ? name.n : sizeof where - 1;
		(void)ady_bytes_to_str(where, sizeof where, name);
		return ady_fail(f, ADY_E_FIELD_UNKNOWN, where, "is not known");
	}
	if (!*i)
		return ady_fail(f, ADY_E_FIELD_MISSING, form->transaction, "is required");
	if (!form->other)
		return ADY_OK;
	other = ady_json_get(doc, 0, form->other);
	if (!other)
		return ady_fail(f, ADY_E_FIELD_MISSING, form->other, "is required");
	if (ady_json_kind(doc, other) != ADY_JSON_STRING)
		return ady_fail(f, ADY_E_FIELD_INVALID, form->other, "must be a string");
	return ADY_OK;
}

static enum ady_err parse_request(struct ady_sign_job *job, const struct ady_wire_sign *m,
                                  struct ady_fault *f)
{
	const struct form *form = &forms[m->form == ADY_FORM_SAMPLE];
	struct ady_buf scratch = ady_buf(job->scratch, sizeof job->scratch);
	struct ady_json doc;
	enum ady_err err;
	uint32_t i;

	if (m->request.n > sizeof job->scratch)
		return ady_fail(f, ADY_E_TOO_LARGE, NULL, "the body exceeds 65536 bytes");
	job->at = form->transaction;
	if ((err = ady_json_parse(&doc, job->toks, ADY_SIGN_TOKENS, m->request, f)) != ADY_OK ||
	    (err = find_transaction(&i, form, &doc, f)) != ADY_OK)
		return err;
	return ady_eth_tx_parse(&job->tx, &doc, i, form->units, job->at, &scratch, f);
}

/* Encode to raw_space, unsigned when sig is NULL, and hash. raw_space has room for the largest
 * transaction that fits a request. */
static void encode_and_hash(struct ady_sign_job *job, uint8_t hash32[static 32],
                            const struct ady_secp_sig *sig)
{
	job->raw = ady_buf(job->raw_space, sizeof job->raw_space);
	ady_eth_tx_encode(&job->raw, &job->tx, sig);
	if (job->raw.full)
		ADY_BUG("a transaction outgrew its request");
	ady_keccak256(hash32, ady_buf_bytes(&job->raw));
}

enum ady_err ady_sign_prepare(struct ady_sign_job *job, const struct ady_wire_sign *m,
                              struct ady_fault *f)
{
	enum ady_err err;

	if ((err = ady_record_parse(&job->record, m->record, m->key_id, f)) != ADY_OK ||
	    (err = parse_request(job, m, f)) != ADY_OK)
		return err;
	encode_and_hash(job, job->digest, NULL);
	return ADY_OK;
}

/* Whether hex text starts with "0x" or ends with a newline is its form, not its value: found
 * without a branch on the bytes, then free to be known. */
static bool byte_is(uint8_t b, char c)
{
	bool is = !(b ^ (uint8_t)c);

	ADY_DECLASSIFY(&is, sizeof is);
	return is;
}

static bool has_prefix(struct ady_bytes text)
{
	bool is = text.n >= 2 && !((text.p[0] ^ '0') | (text.p[1] ^ 'x'));

	ADY_DECLASSIFY(&is, sizeof is);
	return is;
}

static enum ady_err decode_key(struct ady_seckey *key, struct ady_bytes text)
{
	if (text.n == sizeof key->b) {
		memcpy(key->b, text.p, sizeof key->b);
		return ADY_OK;
	}
	if (text.n > 0 && byte_is(text.p[text.n - 1], '\n'))
		text.n--;
	if (has_prefix(text))
		text = ady_bytes(text.p + 2, text.n - 2);
	return ady_hex_decode32_ct(key->b, text);
}

static enum ady_err read_key(struct ady_seckey *key, const struct ady_secp *secp,
                             struct ady_bytes plaintext)
{
	enum ady_err err;

	if ((err = decode_key(key, plaintext)) == ADY_OK)
		err = ady_secp_check(secp, key);
	if (err != ADY_OK)
		ady_seckey_wipe(key);
	return err;
}

enum ady_err ady_sign_read_key(struct ady_seckey *key, const struct ady_secp *secp,
                               struct ady_bytes plaintext)
{
	enum ady_err err = read_key(key, secp, plaintext);

	ady_stack_wipe();
	return err;
}

/* The key that KMS released must be the record's and the sender's before it signs anything. */
static enum ady_err check_identity(struct ady_sign_job *job, struct ady_fault *f)
{
	char where[64];
	uint8_t pub33[33];

	ady_secp_compress(pub33, job->pub65);
	if (!job->record.sample && memcmp(pub33, job->record.pub33, sizeof pub33) != 0)
		return ady_fail(f, ADY_E_RECORD_MISMATCH, "record.public_key",
		                "does not belong to the decrypted key");
	ady_eth_address(job->from, job->pub65);
	if (!job->tx.has_from || memcmp(job->from, job->tx.from, sizeof job->from) == 0)
		return ADY_OK;
	snprintf(where, sizeof where, "%s.from", job->at);
	return ady_fail(f, ADY_E_FROM, where, "is not the address of this key");
}

/* Everything that touches the private key. Never inlined: its frame and those below it are what
 * ady_stack_wipe overwrites afterwards. */
static __attribute__((noinline)) enum ady_err sign_digest(struct ady_sign_job *job,
                                                          const struct ady_secp *secp,
                                                          struct ady_bytes plaintext,
                                                          struct ady_fault *f)
{
	ADY_SECRET struct ady_seckey key = {0};
	enum ady_err err;

	if ((err = read_key(&key, secp, plaintext)) != ADY_OK)
		return ady_fail(f, err, NULL, "%s", ady_err_text(err));
#ifdef ADY_TEST_LEAK_KEY
	leak(&key);
#endif
	if ((err = ady_secp_public(secp, job->pub65, &key)) != ADY_OK)
		return ady_fail(f, err, NULL, "%s", ady_err_text(err));
	if ((err = check_identity(job, f)) != ADY_OK)
		return err;
	err =
	    ady_secp_sign(secp, &job->sig, job->digest, job->skip_verify ? NULL : job->pub65, &key);
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, NULL, "%s", ady_err_text(err));
}

enum ady_err ady_sign_finish(struct ady_sign_job *job, const struct ady_secp *secp,
                             struct ady_bytes plaintext, struct ady_wire_signed *answer,
                             struct ady_fault *f)
{
	enum ady_err err;

	*answer = (struct ady_wire_signed){0};
	err = sign_digest(job, secp, plaintext, f);
	ady_stack_wipe();
	if (err != ADY_OK)
		return err;
	encode_and_hash(job, job->hash, &job->sig);
	*answer = (struct ady_wire_signed){
	    .raw = ady_buf_bytes(&job->raw),
	    .hash = ady_bytes(job->hash, sizeof job->hash),
	    .from = ady_bytes(job->from, sizeof job->from),
	    .r = ady_bytes(job->sig.r, sizeof job->sig.r),
	    .s = ady_bytes(job->sig.s, sizeof job->sig.s),
	    .y_parity = job->sig.y_parity,
	};
	return ADY_OK;
}
