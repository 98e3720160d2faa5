/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/policy_request.h"

#include "signer/derive.h"
#include "signer/request.h"

/* A member that only requests of that kind have; a duty's type must be one. */
static enum ady_asked kind_of(const struct ady_json *doc, enum ady_duty_type *duty)
{
	char name[64];
	uint32_t type = ady_json_get(doc, 0, "type");
	size_t n;

	if (ady_json_get(doc, 0, "path"))
		return ADY_ASKED_DERIVE;
	if (ady_json_get(doc, 0, "revision"))
		return ADY_ASKED_CHANGE;
	return type && ady_json_string(doc, type, name, sizeof name, &n) == ADY_OK &&
	               ady_duty_find(duty, name)
	           ? ADY_ASKED_DUTY
	           : ADY_ASKED_SIGN;
}

static enum ady_err read_sign(struct ady_sign_job *job, struct ady_bytes text, struct ady_fault *f)
{
	struct ady_wire_sign m = {.form = ADY_FORM_NATIVE, .request = text};

	if (text.n > ADY_WIRE_REQUEST_MAX)
		return ady_fail(f, ADY_E_TOO_LARGE, NULL, "the body exceeds 131072 bytes");
	if (ady_json_get(&job->doc, 0, "transaction_payload"))
		m.form = ADY_FORM_SAMPLE;
	return ady_request_read(job, &m, f);
}

/* Policies look at nothing of a duty but its type. */
static enum ady_err read_duty(struct ady_sign_job *job, enum ady_duty_type type, bool has_record,
                              struct ady_fault *f)
{
	if (has_record && job->record.curve != ADY_CURVE_BLS12_381 && type != ADY_DUTY_COMMITMENT)
		return ady_fail(f, ADY_E_DENIED, "record.curve", "is not that of a validator");
	job->object = (struct ady_object){.kind = ADY_OBJECT_DUTY, .duty = type};
	return ADY_OK;
}

static enum ady_err read_derive(struct ady_sign_job *job, struct ady_bytes text, bool has_record,
                                struct ady_fault *f)
{
	struct ady_derive d;
	enum ady_err err = ady_derive_read(&d, &job->doc, job->toks, ADY_SIGN_TOKENS, text, f);

	if (err != ADY_OK)
		return err;
	if (has_record && job->record.curve != ADY_CURVE_WALLET)
		return ady_fail(f, ADY_E_RECORD, "record.curve",
		                "is not that of a wallet: keys are derived of wallets");
	job->object = (struct ady_object){.kind = ADY_OBJECT_DERIVE};
	return ADY_OK;
}

enum ady_err ady_policy_request_read(enum ady_asked *asked, struct ady_sign_job *job,
                                     struct ady_bytes text, bool has_record, struct ady_fault *f)
{
	enum ady_duty_type duty = ADY_DUTY_ATTESTATION;
	enum ady_err err = ady_json_parse(&job->doc, job->toks, ADY_DUTY_TOKENS, text, f);

	*asked = ADY_ASKED_SIGN;
	if (err != ADY_OK)
		return err;
	if (ady_json_kind(&job->doc, 0) == ADY_JSON_OBJECT)
		*asked = kind_of(&job->doc, &duty);
	switch (*asked) {
	case ADY_ASKED_DUTY:
		return read_duty(job, duty, has_record, f);
	case ADY_ASKED_DERIVE:
		return read_derive(job, text, has_record, f);
	case ADY_ASKED_CHANGE:
		job->object = (struct ady_object){.kind = ADY_OBJECT_UNKNOWN};
		return ADY_OK;
	case ADY_ASKED_SIGN:
		break;
	}
	return read_sign(job, text, f);
}
