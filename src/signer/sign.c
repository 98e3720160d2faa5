/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/sign.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "signer/request.h"
#include "signer/stamped.h"

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

static enum ady_err check_from(const struct ady_sign_job *job, struct ady_fault *f)
{
	char where[64];

	if (!job->is_tx || !job->tx.has_from ||
	    memcmp(job->from, job->tx.from, sizeof job->from) == 0)
		return ADY_OK;
	snprintf(where, sizeof where, "%s.from", job->at);
	return ady_fail(f, ADY_E_FROM, where, "is not the address of this key");
}

/* What an envelope's record says of its key. */
static enum ady_err take_identity(struct ady_sign_job *job, struct ady_fault *f)
{
	if (ady_points_expand(job->points, job->pub65, job->record.pub) != ADY_OK)
		return ady_fail(f, ADY_E_RECORD, "record.public_key", "is no point of the curve");
	ady_eth_address(job->from, job->pub65);
	return check_from(job, f);
}

static bool is_ed25519(const struct ady_sign_job *job)
{
	return job->record.curve == ADY_CURVE_ED25519;
}

enum ady_err ady_sign_prepare(struct ady_sign_job *job, const struct ady_wire_sign *m,
                              struct ady_fault *f)
{
	enum ady_err err;

	err =
	    ady_record_parse_in(&job->record, job->toks, ADY_SIGN_TOKENS, m->record, m->key_id, f);
	if (err != ADY_OK || (err = ady_request_read(job, m, f)) != ADY_OK)
		return err;
	if ((err = ady_stamped_check(job, (uint8_t)m->form, m->key_id, m->request, m->stamp, f)) !=
	    ADY_OK)
		return err;
	job->object.now_s = job->setting.now_s;
	err = ady_policies_decide(job->policies, &job->record, &job->object, &job->charging, f);
	if (err != ADY_OK)
		return err;
	if (job->charging.guarded)
		ady_charging_name(&job->charging, &job->record, job->setting.deployment);
	if (job->is_tx)
		encode_and_hash(job, job->digest, NULL);
	return job->record.envelope && !is_ed25519(job) ? take_identity(job, f) : ADY_OK;
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

	if ((err = decode_key(key, plaintext)) == ADY_OK && secp)
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
	uint8_t pub33[33];

	ady_secp_compress(pub33, job->pub65);
	if (!job->record.sample && memcmp(pub33, job->record.pub, sizeof pub33) != 0)
		return ady_fail(f, ADY_E_RECORD_MISMATCH, "record.public_key",
		                "does not belong to the decrypted key");
	ady_eth_address(job->from, job->pub65);
	return check_from(job, f);
}

static enum ady_err key_of_envelope(struct ady_seckey *key, const struct ady_sign_job *job,
                                    struct ady_bytes data_key, struct ady_fault *f)
{
	if (data_key.n != 32)
		return ady_fail(f, ADY_E_KEY_FORM, "record.data_key", "is no key of 32 bytes");
	return ady_envelope_open(key, &job->record, &job->envelope, data_key.p, f);
}

static enum ady_err key_itself(struct ady_seckey *key, struct ady_sign_job *job,
                               const struct ady_secp *secp, struct ady_bytes plaintext,
                               struct ady_fault *f)
{
	enum ady_err err = read_key(key, secp, plaintext);

	if (err == ADY_OK)
		err = ady_secp_public(secp, job->pub65, key);
	if (err != ADY_OK)
		return ady_fail(f, err, NULL, "%s", ady_err_text(err));
	return check_identity(job, f);
}

/* The signature goes where that of the other curve has r and s, which are as long. */
static enum ady_err sign_message(struct ady_sign_job *job, const struct ady_seckey *key)
{
	uint8_t sig64[64];

	ady_ed25519_sign(sig64, job->message, key);
	if (!job->skip_verify && !ady_ed25519_verify(sig64, job->record.pub, job->message))
		return ADY_E_CRYPTO;
	memcpy(job->sig.r, sig64, 32);
	memcpy(job->sig.s, sig64 + 32, 32);
	job->sig.y_parity = 0;
	return ADY_OK;
}

static enum ady_err open_key(struct ady_seckey *key, struct ady_sign_job *job,
                             const struct ady_secp *secp, struct ady_bytes plaintext,
                             struct ady_fault *f)
{
	return job->record.envelope ? key_of_envelope(key, job, plaintext, f)
	                            : key_itself(key, job, secp, plaintext, f);
}

enum ady_err ady_sign_row_key(struct ady_seckey *row_key, struct ady_sign_job *job,
                              const struct ady_secp *secp, struct ady_bytes plaintext,
                              struct ady_fault *f)
{
	ADY_SECRET struct ady_seckey key = {0};
	enum ady_err err = open_key(&key, job, secp, plaintext, f);

	if (err == ADY_OK)
		ady_tally_row_key(row_key, &key);
	return err;
}

/* Everything that touches the private key. Never inlined: its frame and those below it are what
 * ady_stack_wipe overwrites afterwards. */
static __attribute__((noinline)) enum ady_err sign_digest(struct ady_sign_job *job,
                                                          const struct ady_secp *secp,
                                                          struct ady_bytes plaintext,
                                                          struct ady_fault *f)
{
	ADY_SECRET struct ady_seckey key = {0};
	enum ady_err err = open_key(&key, job, secp, plaintext, f);

	if (err != ADY_OK)
		return err;
#ifdef ADY_TEST_LEAK_KEY
	leak(&key);
#endif
	if (is_ed25519(job))
		err = sign_message(job, &key);
	else
		err = ady_secp_sign(secp, &job->sig, job->digest,
		                    job->skip_verify ? NULL : job->pub65, &key);
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, NULL, "%s", ady_err_text(err));
}

enum ady_err ady_sign_finish(struct ady_sign_job *job, const struct ady_secp *secp,
                             struct ady_bytes plaintext, struct ady_wire_signed *answer,
                             struct ady_fault *f)
{
	enum ady_err err;

	*answer = (struct ady_wire_signed){0};
	if (job->charging.guarded && !job->charging.permitted)
		return ady_fail(f, ADY_E_COUNTERS, "policy", "has limits, and nothing counts here");
	err = sign_digest(job, secp, plaintext, f);
	ady_stack_wipe();
	if (err != ADY_OK)
		return err;
	if (job->is_tx) {
		encode_and_hash(job, job->hash, &job->sig);
	} else {
		job->raw.n = 0;
		memcpy(job->hash, job->digest, sizeof job->hash);
	}
	*answer = (struct ady_wire_signed){
	    .raw = ady_buf_bytes(&job->raw),
	    .hash = ady_bytes(job->hash, sizeof job->hash),
	    .from = ady_bytes(job->from, is_ed25519(job) ? 0 : sizeof job->from),
	    .r = ady_bytes(job->sig.r, sizeof job->sig.r),
	    .s = ady_bytes(job->sig.s, sizeof job->sig.s),
	    .y_parity = job->sig.y_parity,
	};
	return ADY_OK;
}
