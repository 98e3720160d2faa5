/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/outcome.h"

#include <string.h>

#include "codec/wire_duty.h"
#include "crypto/hash.h"
#include "signer/record.h"

/* A transaction as it was signed; of all else r, s and v (27 or 28), as wallets have it; of an
 * ed25519 key, which has no address, its 64 bytes. */
static void of_signature(struct ady_outcome *out, struct ady_bytes body)
{
	struct ady_wire_signed m;
	uint8_t v;

	if (ady_wire_read_signed(&m, body) != ADY_OK)
		ADY_BUG("an answer of ours cannot be read");
	v = (uint8_t)(27 + m.y_parity);
	if (m.raw.n > 0)
		ady_sha256(out->result, &m.raw, 1);
	else
		ady_sha256(out->result, (struct ady_bytes[]){m.r, m.s, ady_bytes(&v, 1)},
		           m.from.n > 0 ? 3 : 2);
	if (m.from.n > 0)
		out->entry.public = m.from;
	out->entry.digest = m.hash;
}

/* A key's record, as it is stored; false: the answer has none. */
static bool of_record(struct ady_outcome *out, struct ady_bytes body)
{
	struct ady_wire_created m;

	if (ady_wire_read_created(&m, body) != ADY_OK)
		return false;
	ady_sha256(out->result, &m.record, 1);
	out->entry.public = m.public_key;
	return true;
}

static void of_duty(struct ady_outcome *out, struct ady_bytes body)
{
	struct ady_bytes signature;

	if (ady_wire_read_blob(&signature, ADY_WIRE_STATE_MAX, body) != ADY_OK)
		ADY_BUG("an answer of ours cannot be read");
	ady_sha256(out->result, &signature, 1);
}

static void of_answer(struct ady_outcome *out, const struct ady_asker *to, enum ady_wire_type type,
                      struct ady_bytes body)
{
	if (to->result)
		memcpy(out->result, to->result, sizeof out->result);
	else if (type == ADY_WIRE_SIGN)
		of_signature(out, body);
	else if (type == ADY_WIRE_DUTY)
		of_duty(out, body);
	else if (!of_record(out, body))
		ady_sha256(out->result, &body, 1);
	out->entry.result = ady_bytes(out->result, sizeof out->result);
}

/* Whose key it is, as far as the question told. */
static void of_question(struct ady_audit_entry *e, const struct ady_asker *to)
{
	const struct ady_record *rec = to->record;
	bool parsed = rec && rec->id[0];

	e->op = to->op;
	e->request = ady_bytes(to->request, sizeof to->request);
	e->key = ady_bytes_str(parsed ? rec->id : to->key);
	e->tenant = ady_bytes_str(rec && rec->tenant[0] ? rec->tenant
	                          : to->tenant          ? to->tenant
	                                                : "");
	if (parsed && rec->curve != ADY_CURVE_SECP256K1)
		e->public = ady_bytes(rec->pub, ady_curve_public_size(rec->curve));
	if (to->digest)
		e->digest = ady_bytes(to->digest, 32);
}

void ady_outcome(struct ady_outcome *out, const struct ady_asker *to, enum ady_wire_type type,
                 struct ady_bytes body, const struct ady_fault *f)
{
	out->entry = (struct ady_audit_entry){0};
	of_question(&out->entry, to);
	if (f) {
		out->entry.code = ady_bytes_str(ady_err_code(f->err));
		out->entry.where = ady_bytes_str(f->where);
	} else {
		of_answer(out, to, type, body);
	}
}
