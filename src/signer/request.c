/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/request.h"

#include <string.h>

#include "chain/eth_message.h"
#include "crypto/hash.h"

/* One way to read what is signed: token i, named r->at. other is the token of the member that goes
 * with it, or 0. */
typedef enum ady_err read_fn(struct ady_sign_job *job, const struct ady_eth_reader *r, uint32_t i,
                             uint32_t other);

/* What a body may have: the member that is signed, and one that may or must go with it. (Typed data
 * has a second one, UNKNOWN_MEMBERS, which its reader looks for.) */
struct kind {
	enum ady_wire_form form;
	const char *member, *other;
	read_fn *read;
};

#define UNKNOWN_MEMBERS "unknown_members"

static enum ady_err refuse_chain(const struct ady_eth_reader *r, const char *field)
{
	return ady_eth_refuse(r, ADY_E_DENIED, field,
	                      "is none of the chains that the record of this key allows");
}

/* For what was only hashed; value: the token of its chain id, 0 where it names none. What
 * is no number here is no chain that the record names. */
static enum ady_err check_chain(const struct ady_sign_job *job, const struct ady_eth_reader *r,
                                uint32_t value, const char *field)
{
	struct ady_eth_reader silent = *r;
	struct ady_u256 wide;
	uint64_t chain;

	silent.f = NULL;
	if (!value || job->record.chains_n == 0 ||
	    (ady_eth_read_u256(&silent, &wide, value, field) == ADY_OK &&
	     ady_u256_to_u64(&chain, &wide) && ady_record_allows_chain(&job->record, chain)))
		return ADY_OK;
	return refuse_chain(r, field);
}

static enum ady_err read_in_units(struct ady_sign_job *job, const struct ady_eth_reader *r,
                                  uint32_t i, enum ady_eth_units units)
{
	enum ady_err err = ady_eth_tx_parse(&job->tx, r->doc, i, units, r->at, r->scratch, r->f);

	job->is_tx = true;
	job->object = (struct ady_object){.kind = ADY_OBJECT_TRANSACTION, .tx = &job->tx};
	if (err != ADY_OK)
		return err;
	if (job->tx.chain_id == 0 && !(job->record.allow & ADY_ALLOW_UNPROTECTED))
		return ady_eth_refuse(r, ADY_E_DENIED, "chainId",
		                      "is required: without it the transaction is good for every "
		                      "chain, which the record of this key does not allow "
		                      "(\"allow\": [\"unprotected\"])");
	return ady_record_allows_chain(&job->record, job->tx.chain_id) ? ADY_OK
	                                                               : refuse_chain(r, "chainId");
}

static enum ady_err read_tx(struct ady_sign_job *job, const struct ady_eth_reader *r, uint32_t i,
                            uint32_t other)
{
	(void)other;
	return read_in_units(job, r, i, ADY_ETH_WEI);
}

static enum ady_err read_sample(struct ady_sign_job *job, const struct ady_eth_reader *r,
                                uint32_t i, uint32_t other)
{
	if (!other)
		return ady_fail(r->f, ADY_E_FIELD_MISSING, "secret_id", "is required");
	if (ady_json_kind(r->doc, other) != ADY_JSON_STRING)
		return ady_fail(r->f, ADY_E_FIELD_INVALID, "secret_id", "must be a string");
	return read_in_units(job, r, i, ADY_ETH_SAMPLE_ETHER);
}

static enum ady_err read_message(struct ady_sign_job *job, const struct ady_eth_reader *r,
                                 uint32_t i, uint32_t other)
{
	struct ady_bytes message;
	enum ady_err err = ady_eth_read_message_bytes(&message, r, i);

	(void)other;
	if (err != ADY_OK)
		return err;
	job->object = (struct ady_object){.kind = ADY_OBJECT_MESSAGE, .text = message};
	ady_eth_personal_digest(job->digest, message);
	return ADY_OK;
}

static enum ady_err read_validator_data(struct ady_sign_job *job, const struct ady_eth_reader *r,
                                        uint32_t i, uint32_t other)
{
	struct ady_object *o = &job->object;
	enum ady_err err;

	(void)other;
	*o = (struct ady_object){.kind = ADY_OBJECT_VALIDATOR_DATA};
	if ((err = ady_eth_read_validator_parts(o->address, &o->data, r, i)) == ADY_OK)
		ady_eth_validator_digest(job->digest, o->address, o->data);
	return err;
}

static enum ady_err read_typed_data(struct ady_sign_job *job, const struct ady_eth_reader *r,
                                    uint32_t i, uint32_t other)
{
	uint32_t unknown = ady_json_get(r->doc, 0, UNKNOWN_MEMBERS);
	bool v3 = other && ady_json_is(r->doc, other, "V3");
	bool ignore = unknown && ady_json_is(r->doc, unknown, "ignore");
	enum ady_err err;

	if (other && !v3 && !ady_json_is(r->doc, other, "V4"))
		return ady_fail(r->f, ADY_E_FIELD_INVALID, "version", "must be \"V4\" or \"V3\"");
	if (unknown && !ignore && !ady_json_is(r->doc, unknown, "refuse"))
		return ady_fail(r->f, ADY_E_FIELD_INVALID, UNKNOWN_MEMBERS,
		                "must be \"refuse\" or \"ignore\"");
	job->object = (struct ady_object){.kind = ADY_OBJECT_TYPED_DATA, .typed = &job->typed};
	err = ady_eip712_read(&job->typed, job->digest, r, i, v3 ? ADY_EIP712_V3 : ADY_EIP712_V4,
	                      ignore ? ADY_EIP712_IGNORE : ADY_EIP712_REFUSE);
	if (err != ADY_OK)
		return err;
	return check_chain(job, r,
	                   ady_json_get(r->doc, ady_json_get(r->doc, i, "domain"), "chainId"),
	                   "domain.chainId");
}

static enum ady_err read_authorization(struct ady_sign_job *job, const struct ady_eth_reader *r,
                                       uint32_t i, uint32_t other)
{
	struct ady_eth_authorization a;
	enum ady_err err = ady_eth_read_authorization(&a, job->digest, r, i);

	(void)other;
	if (err != ADY_OK)
		return err;
	job->object = (struct ady_object){
	    .kind = ADY_OBJECT_AUTHORIZATION, .chain = a.chain, .nonce = a.nonce};
	memcpy(job->object.address, a.address, sizeof a.address);
	return check_chain(job, r, ady_json_get(r->doc, i, "chainId"), "chainId");
}

static enum ady_err read_clique_header(struct ady_sign_job *job, const struct ady_eth_reader *r,
                                       uint32_t i, uint32_t other)
{
	(void)other;
	job->object = (struct ady_object){.kind = ADY_OBJECT_CLIQUE};
	return ady_eth_clique_digest(job->digest, r, i);
}

/* Bytes and digests of the caller's choice may be of something that nobody here has seen: no chain,
 * no recipient, no amount. */
static enum ady_err need_digest_right(const struct ady_sign_job *job,
                                      const struct ady_eth_reader *r)
{
	if (job->record.allow & ADY_ALLOW_DIGEST)
		return ADY_OK;
	return ady_fail(r->f, ADY_E_DENIED, r->at,
	                "the record of this key does not allow raw digests "
	                "(\"allow\": [\"digest\"])");
}

static enum ady_err read_data(struct ady_sign_job *job, const struct ady_eth_reader *r, uint32_t i,
                              uint32_t other)
{
	enum ady_err err = need_digest_right(job, r);

	(void)other;
	job->object = (struct ady_object){.kind = ADY_OBJECT_DIGEST};
	return err == ADY_OK ? ady_eth_data_digest(job->digest, r, i) : err;
}

/* Any bytes, decoded to scratch, where they stay until they are signed. What names them in the
 * answer is their SHA-256. */
static enum ady_err read_ed25519(struct ady_sign_job *job, const struct ady_eth_reader *r,
                                 uint32_t i)
{
	enum ady_err err = need_digest_right(job, r);

	job->object = (struct ady_object){.kind = ADY_OBJECT_DIGEST};
	if (err == ADY_OK)
		err = ady_eth_read_bytes(r, &job->message, i, NULL);
	if (err == ADY_OK)
		ady_sha256(job->digest, &job->message, 1);
	return err;
}

static enum ady_err read_digest(struct ady_sign_job *job, const struct ady_eth_reader *r,
                                uint32_t i, uint32_t other)
{
	enum ady_err err = need_digest_right(job, r);

	(void)other;
	if (err != ADY_OK)
		return err;
	job->object = (struct ady_object){.kind = ADY_OBJECT_DIGEST};
	return ady_eth_read_fixed(r, job->digest, sizeof job->digest, i, NULL,
	                          "must be \"0x\" and 64 hex digits");
}

static const struct kind kinds[] = {
    {ADY_FORM_NATIVE, "transaction", NULL, read_tx},
    {ADY_FORM_NATIVE, "message", NULL, read_message},
    {ADY_FORM_NATIVE, "validator_data", NULL, read_validator_data},
    {ADY_FORM_NATIVE, "typed_data", "version", read_typed_data},
    {ADY_FORM_NATIVE, "authorization", NULL, read_authorization},
    {ADY_FORM_NATIVE, "clique_header", NULL, read_clique_header},
    {ADY_FORM_NATIVE, "data", NULL, read_data},
    {ADY_FORM_NATIVE, "digest", NULL, read_digest},
    {ADY_FORM_SAMPLE, "transaction_payload", "secret_id", read_sample},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* The first kind of the form that doc has the member of; else the form's first, which is then what
 * is missing. */
static const struct kind *find_kind(const struct ady_json *doc, enum ady_wire_form form)
{
	const struct kind *first = NULL;

	for (size_t k = 0; k < KINDS; k++) {
		if (kinds[k].form != form)
			continue;
		if (ady_json_get(doc, 0, kinds[k].member))
			return &kinds[k];
		first = first ? first : &kinds[k];
	}
	return first;
}

static bool is_member(const struct ady_json *doc, uint32_t key, enum ady_wire_form form)
{
	for (size_t k = 0; k < KINDS; k++)
		if (kinds[k].form == form && ady_json_is(doc, key, kinds[k].member))
			return true;
	return false;
}

static bool goes_with(const struct ady_json *doc, uint32_t key, const struct kind *kind)
{
	return (kind->other && ady_json_is(doc, key, kind->other)) ||
	       (kind->read == read_typed_data && ady_json_is(doc, key, UNKNOWN_MEMBERS));
}

static enum ady_err check_members(const struct ady_json *doc, const struct kind *kind,
                                  struct ady_fault *f)
{
	if (ady_json_kind(doc, 0) != ADY_JSON_OBJECT)
		return ady_fail(f, ADY_E_FIELD_INVALID, NULL, "the body must be a JSON object");
	for (uint32_t k = ady_json_first(doc, 0); k; k = ady_json_after(doc, 0, k)) {
		struct ady_bytes name = ady_json_raw(doc, k);
		char where[64];

		if (ady_json_is(doc, k, kind->member) || goes_with(doc, k, kind))
			continue;
		name.n = name.n < sizeof where ? name.n : sizeof where - 1;
		(void)ady_bytes_to_str(where, sizeof where, name);
		if (is_member(doc, k, kind->form))
			return ady_fail(f, ADY_E_FIELD_INVALID, where,
			                "is one thing too many: a request signs one");
		return ady_fail(f, ADY_E_FIELD_UNKNOWN, where, "is not known");
	}
	return ADY_OK;
}

static enum ady_err check_curve(const struct ady_record *rec, struct ady_fault *f)
{
	if (rec->curve == ADY_CURVE_SECP256K1 || (rec->curve == ADY_CURVE_ED25519 && rec->envelope))
		return ADY_OK;
	if (rec->curve == ADY_CURVE_ED25519)
		return ady_fail(f, ADY_E_RECORD, "record.wrapping",
		                "must be \"envelope\" for an ed25519 key");
	if (rec->curve == ADY_CURVE_WALLET)
		return ady_fail(f, ADY_E_RECORD, "record.curve",
		                "is a wallet's, which signs nothing itself: derive keys of it");
	return ady_fail(f, ADY_E_RECORD, "record.curve", "signs nothing of Ethereum");
}

enum ady_err ady_request_read(struct ady_sign_job *job, const struct ady_wire_sign *m,
                              struct ady_fault *f)
{
	struct ady_buf scratch = ady_buf(job->scratch, sizeof job->scratch);
	struct ady_json *doc = &job->doc;
	struct ady_eth_reader r = {.doc = doc, .scratch = &scratch, .f = f};
	const struct kind *kind;
	enum ady_err err;
	uint32_t i, other;

	job->is_tx = false;
	job->object = (struct ady_object){.kind = ADY_OBJECT_UNKNOWN};
	if ((err = check_curve(&job->record, f)) != ADY_OK)
		return err;
	if (m->request.n > sizeof job->scratch)
		return ady_fail(f, ADY_E_TOO_LARGE, NULL, "the body exceeds 131072 bytes");
	if ((err = ady_json_parse(doc, job->toks, ADY_SIGN_TOKENS, m->request, f)) != ADY_OK)
		return err;
	kind = find_kind(doc, m->form);
	if ((err = check_members(doc, kind, f)) != ADY_OK)
		return err;
	job->at = r.at = kind->member;
	i = ady_json_get(doc, 0, kind->member);
	if (job->record.curve == ADY_CURVE_ED25519 && kind->read != read_data)
		return ady_fail(f, ADY_E_FIELD_INVALID, kind->member,
		                "is not signed by ed25519 keys, which sign \"data\" alone");
	if (!i)
		return ady_fail(f, ADY_E_FIELD_MISSING, kind->member, "is required");
	other = kind->other ? ady_json_get(doc, 0, kind->other) : 0;
	err = job->record.curve == ADY_CURVE_ED25519 ? read_ed25519(job, &r, i)
	                                             : kind->read(job, &r, i, other);
	job->object.space = ady_buf(scratch.p + scratch.n, scratch.cap - scratch.n);
	return err;
}
