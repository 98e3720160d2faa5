/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/duty.h"

#include <string.h>

#include "base/text.h"
#include "signer/stamped.h"

static enum ady_err read_record(struct ady_sign_job *job, struct ady_bytes record,
                                struct ady_bytes key_id, struct ady_fault *f)
{
	enum ady_err err =
	    ady_record_parse_in(&job->record, job->toks, ADY_SIGN_TOKENS, record, key_id, f);

	if (err != ADY_OK)
		return err;
	return job->record.sample
	           ? ady_fail(f, ADY_E_DENIED, "record.curve", "is not that of a validator")
	           : ADY_OK;
}

/* Validators' keys sign duties; those whose record says so sign commitments, and so may a secp256k1
 * key in an envelope, as a proxy. */
static enum ady_err check_curve(const struct ady_record *rec, const struct ady_duty *duty,
                                struct ady_fault *f)
{
	bool commits =
	    duty && (duty->type == ADY_DUTY_COMMITMENT || duty->type == ADY_DUTY_DELEGATION);
	bool proxy = duty && duty->type == ADY_DUTY_COMMITMENT && rec->envelope &&
	             rec->curve == ADY_CURVE_SECP256K1;

	if (rec->curve != ADY_CURVE_BLS12_381 && !proxy)
		return ady_fail(f, ADY_E_DENIED, "record.curve", "is not that of a validator");
	if (commits && !(rec->allow & ADY_ALLOW_COMMITMENT))
		return ady_fail(f, ADY_E_DENIED, "record.allow",
		                "the record of this key allows no commitments");
	return ADY_OK;
}

enum ady_err ady_duty_set_row(struct ady_duty_job *d, struct ady_bytes row, struct ady_fault *f)
{
	d->row_n = 0;
	if (row.n > sizeof d->row)
		return ady_fail(f, ADY_E_SLASHING, "state", "is not a slashing protection row");
	d->row_n = row.n;
	if (row.n)
		memcpy(d->row, row.p, row.n);
	return ADY_OK;
}

/* The parent may say where signing ends. That it could leave this out is no loss: it could say
 * nothing at all. */
static enum ady_err check_until(const struct ady_duty *duty, const struct ady_wire_duty *m,
                                struct ady_fault *f)
{
	bool beyond = (duty->kind == ADY_DUTY_OF_BLOCK && duty->slot >= m->until_slot) ||
	              (duty->kind == ADY_DUTY_OF_ATTESTATION &&
	               (duty->source >= m->until_epoch || duty->target >= m->until_epoch));

	return beyond ? ady_fail(f, ADY_E_SLASHING, NULL, "is at or above the high watermark")
	              : ADY_OK;
}

enum ady_err ady_duty_prepare(struct ady_sign_job *job, struct ady_duty_job *d,
                              const struct ady_wire_duty *m, const struct ady_beacon_network *net,
                              struct ady_fault *f)
{
	enum ady_err err;

	if ((err = read_record(job, m->record, m->key_id, f)) != ADY_OK ||
	    (err = ady_duty_set_row(d, m->state, f)) != ADY_OK ||
	    (err = ady_json_parse(&job->doc, job->toks, ADY_DUTY_TOKENS, m->request, f)) !=
	        ADY_OK ||
	    (err = ady_duty_read(&d->duty, net, &job->doc, 0, m->strict, f)) != ADY_OK ||
	    (err = check_curve(&job->record, &d->duty, f)) != ADY_OK ||
	    (err = check_until(&d->duty, m, f)) != ADY_OK)
		return err;
	job->object = (struct ady_object){
	    .kind = ADY_OBJECT_DUTY, .duty = d->duty.type, .now_s = job->setting.now_s};
	err = ady_stamped_check(job, ADY_FORM_DUTY, m->key_id, m->request, m->stamp, f);
	if (err != ADY_OK)
		return err;
	memcpy(job->digest, d->duty.root, sizeof job->digest);
	err = ady_policies_decide(job->policies, &job->record, &job->object, &job->charging, f);
	if (err == ADY_OK && job->charging.guarded)
		ady_charging_name(&job->charging, &job->record, job->setting.deployment);
	return err;
}

/* Hex text or the 32 bytes themselves, as KMS opened them; its length is no secret. */
static enum ady_err decode_key(struct ady_seckey *key, struct ady_bytes text)
{
	if (text.n == sizeof key->b) {
		memcpy(key->b, text.p, sizeof key->b);
		return ADY_OK;
	}
	if (text.n == 66)
		text = ady_bytes_sub(text, 2, 64);
	return text.n == 64 ? ady_hex_decode32_ct(key->b, text) : ADY_E_KEY_FORM;
}

/* Out of an envelope the key comes authenticated with its public key; a direct one is derived
 * again and compared. */
static enum ady_err open_key(struct ady_seckey *key, const struct ady_sign_job *job,
                             struct ady_bytes plaintext, struct ady_fault *f)
{
	uint8_t pub[ADY_BLS_PUBLIC];
	enum ady_err err;

	if (job->record.envelope && plaintext.n == 32)
		return ady_envelope_open(key, &job->record, &job->envelope, plaintext.p, f);
	err = job->record.envelope ? ADY_E_KEY_FORM : decode_key(key, plaintext);
	if (err == ADY_OK)
		err = ady_bls_public(pub, key);
	if (err != ADY_OK)
		return ady_fail(f, err, NULL, "%s", ady_err_text(err));
	if (memcmp(pub, job->record.pub, sizeof pub) != 0)
		return ady_fail(f, ADY_E_RECORD_MISMATCH, "record.public_key",
		                "does not belong to the decrypted key");
	return ADY_OK;
}

enum ady_err ady_duty_row_key(struct ady_seckey *row_key, const struct ady_sign_job *job,
                              struct ady_bytes plaintext, struct ady_fault *f)
{
	ADY_SECRET struct ady_seckey key = {0};
	enum ady_err err = open_key(&key, job, plaintext, f);

	if (err == ADY_OK)
		ady_tally_row_key(row_key, &key);
	return err;
}

/* What is counted is counted before the key is used, and before its slashing protection is asked:
 * what a limit refuses must not raise the marks. */
static enum ady_err check_counted(const struct ady_sign_job *job, struct ady_fault *f)
{
	return !job->charging.guarded || job->charging.permitted
	           ? ADY_OK
	           : ady_fail(f, ADY_E_COUNTERS, "policy", "has limits, and nothing counts here");
}

/* As Ethereum writes it: r, s, and 27 or 28. Verified before it leaves. */
static enum ady_err sign_secp(struct ady_duty_job *d, const struct ady_record *rec,
                              const struct ady_seckey *key)
{
	struct ady_secp_sig sig;
	uint8_t pub65[65];
	enum ady_err err = ady_secp_expand(pub65, rec->pub);

	if (err == ADY_OK)
		err = ady_secp_sign(d->secp, &sig, d->duty.root, pub65, key);
	if (err != ADY_OK)
		return err;
	memcpy(d->signature, sig.r, 32);
	memcpy(d->signature + 32, sig.s, 32);
	d->signature[64] = (uint8_t)(27 + sig.y_parity);
	d->signature_n = 65;
	return ADY_OK;
}

static enum ady_err sign_root(struct ady_duty_job *d, const struct ady_record *rec,
                              const struct ady_seckey *key, struct ady_fault *f)
{
	enum ady_err err;

	d->signature_n = ADY_BLS_SIGNATURE;
	err = rec->curve == ADY_CURVE_BLS12_381 ? ady_bls_sign(d->signature, d->duty.root, key)
	                                        : sign_secp(d, rec, key);
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, NULL, "%s", ady_err_text(err));
}

static struct ady_slash_ask ask_of(const struct ady_duty *duty)
{
	struct ady_slash_ask ask = {.is_block = duty->kind == ADY_DUTY_OF_BLOCK,
	                            .slot = duty->slot,
	                            .source = duty->source,
	                            .target = duty->target};

	memcpy(ask.root, duty->root, sizeof ask.root);
	return ask;
}

/* The private key authenticates the row, the row and the memory decide. */
static enum ady_err decide(struct ady_sign_job *job, struct ady_duty_job *d,
                           const struct ady_duty_host *host, const struct ady_beacon_network *net,
                           const struct ady_seckey *key, struct ady_fault *f)
{
	ADY_SECRET struct ady_seckey row_key = {0};
	struct ady_slash_ask ask = ask_of(&d->duty);
	struct ady_slash_state row;
	enum ady_err err;
	bool repeat;

	ady_slash_row_key(&row_key, key);
	if ((err = ady_slash_row_open(&row, ady_bytes(d->row, d->row_n),
	                              net->genesis_validators_root, &row_key, f)) != ADY_OK ||
	    (err = host->begin(host->ctx, job->record.pub, &row, &ask, &d->next, &repeat, f)) !=
	        ADY_OK)
		return err;
	if (repeat)
		return ADY_OK;
	ady_slash_row_seal(d->new_row, &d->next, net->genesis_validators_root, &row_key);
	return ADY_E_AGAIN;
}

/* Everything that touches the private key: never inlined, see signer/sign.c. */
static __attribute__((noinline)) enum ady_err begin(struct ady_sign_job *job,
                                                    struct ady_duty_job *d,
                                                    const struct ady_duty_host *host,
                                                    const struct ady_beacon_network *net,
                                                    struct ady_bytes plaintext, struct ady_fault *f)
{
	ADY_SECRET struct ady_seckey key = {0};
	enum ady_err err = open_key(&key, job, plaintext, f);

	if (err == ADY_OK && d->duty.kind != ADY_DUTY_FREE)
		err = decide(job, d, host, net, &key, f);
	return err == ADY_OK ? sign_root(d, &job->record, &key, f) : err;
}

enum ady_err ady_duty_begin(struct ady_sign_job *job, struct ady_duty_job *d,
                            const struct ady_duty_host *host, const struct ady_beacon_network *net,
                            struct ady_bytes plaintext, struct ady_fault *f)
{
	enum ady_err err = check_counted(job, f);

	if (err != ADY_OK)
		return err;
	err = begin(job, d, host, net, plaintext, f);
	ady_stack_wipe();
	return err;
}

static __attribute__((noinline)) enum ady_err sign(struct ady_sign_job *job, struct ady_duty_job *d,
                                                   struct ady_bytes plaintext, struct ady_fault *f)
{
	ADY_SECRET struct ady_seckey key = {0};
	enum ady_err err = open_key(&key, job, plaintext, f);

	return err == ADY_OK ? sign_root(d, &job->record, &key, f) : err;
}

enum ady_err ady_duty_sign(struct ady_sign_job *job, struct ady_duty_job *d,
                           struct ady_bytes plaintext, struct ady_fault *f)
{
	enum ady_err err = check_counted(job, f);

	if (err != ADY_OK)
		return err;
	err = sign(job, d, plaintext, f);
	ady_stack_wipe();
	return err;
}

enum ady_err ady_watermark_prepare(struct ady_sign_job *job, struct ady_duty_job *d,
                                   const struct ady_wire_watermark *m,
                                   const struct ady_beacon_network *net, struct ady_fault *f)
{
	enum ady_err err;

	if ((err = read_record(job, m->record, m->key_id, f)) != ADY_OK ||
	    (err = check_curve(&job->record, NULL, f)) != ADY_OK ||
	    (err = ady_duty_set_row(d, m->state, f)) != ADY_OK)
		return err;
	if (m->genesis_root.n == 32 &&
	    memcmp(m->genesis_root.p, net->genesis_validators_root, 32) != 0)
		return ady_fail(f, ADY_E_FIELD_INVALID, "genesis_validators_root",
		                "is not that of the network");
	d->marks = *m;
	return ADY_OK;
}

static void raise_by(struct ady_slash_state *s, const struct ady_wire_watermark *m)
{
	const struct ady_slash_state marks = {
	    .has_block = m->marks & 1,
	    .slot = m->slot,
	    .has_attestation = m->marks & 2,
	    .source = m->source,
	    .target = m->target,
	    .retired = m->op == ADY_WATERMARK_RETIRE,
	};

	ady_slash_merge(s, &marks);
}

/* What was signed elsewhere meanwhile is of before now, in every enclave. */
static void revive(struct ady_slash_state *s, const struct ady_watermark_from *from)
{
	if (s->retired && s->from_epoch < from->revived)
		s->from_epoch = from->revived;
	s->retired = false;
}

static __attribute__((noinline)) enum ady_err make_row(
    struct ady_sign_job *job, struct ady_duty_job *d, const struct ady_beacon_network *net,
    const struct ady_watermark_from *from, struct ady_bytes plaintext, struct ady_fault *f)
{
	ADY_SECRET struct ady_seckey key = {0};
	ADY_SECRET struct ady_seckey row_key = {0};
	enum ady_err err = open_key(&key, job, plaintext, f);

	if (err != ADY_OK)
		return err;
	ady_slash_row_key(&row_key, &key);
	err = ady_slash_row_open(&d->next, ady_bytes(d->row, d->row_n),
	                         net->genesis_validators_root, &row_key, f);
	if (err != ADY_OK)
		return err;
	if (d->next.version == 0)
		d->next.from_epoch = from->made;
	if (d->marks.op == ADY_WATERMARK_REVIVE)
		revive(&d->next, from);
	raise_by(&d->next, &d->marks);
	ady_slash_row_seal(d->new_row, &d->next, net->genesis_validators_root, &row_key);
	return ADY_OK;
}

enum ady_err ady_watermark_make(struct ady_sign_job *job, struct ady_duty_job *d,
                                const struct ady_beacon_network *net,
                                const struct ady_watermark_from *from, struct ady_bytes plaintext,
                                struct ady_fault *f)
{
	enum ady_err err = make_row(job, d, net, from, plaintext, f);

	ady_stack_wipe();
	return err;
}
