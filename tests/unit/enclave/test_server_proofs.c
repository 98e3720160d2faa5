/* SPDX-License-Identifier: Apache-2.0
 *
 * The proofs of the enclave's answers, and the chain that they are of. */
#include "enclave/server.h"

#include "codec/wire_audit.h"
#include "crypto/hash.h"
#include "server_world.h"

/* The entry of the answer that was heard last, once its proof has been found to hold. */
static struct ady_audit_entry proved(struct ady_proof *p)
{
	struct ady_audit_entry e;

	CHECK_ERR(ady_proof_read(p, &e, last_proof), ADY_OK);
	CHECK(p->public.p && ady_proof_verify(p));
	return e;
}

CASE(an_answer_has_its_proof)
{
	int fd = dial();
	const struct ady_bytes asked = ady_bytes_str(request);
	struct ady_audit_entry e;
	struct ady_wire_head head;
	struct ady_wire_signed m;
	struct ady_bytes body;
	struct ady_proof p;
	uint8_t hash[32];

	CHECK(say_sign(fd, 3, 5000, request));
	if (!CHECK(hear(fd, &head, &body)) || !CHECK_ERR(ady_wire_read_signed(&m, body), ADY_OK))
		return;
	e = proved(&p);
	CHECK_INT(e.op, ADY_WIRE_SIGN);
	CHECK(ady_bytes_is(e.key, "one") && e.code.n == 0);
	ady_sha256(hash, &asked, 1);
	CHECK(ady_bytes_eq(e.request, ady_bytes(hash, 32)));
	ady_sha256(hash, &m.raw, 1);
	CHECK(ady_bytes_eq(e.result, ady_bytes(hash, 32)));
	CHECK(ady_bytes_eq(e.digest, m.hash) && ady_bytes_eq(e.public, m.from));
	close(fd);
}

CASE(a_refusal_has_its_proof)
{
	int fd = dial();
	struct ady_audit_entry e;
	struct ady_proof p;
	struct ady_fault f;

	CHECK(say_sign(fd, 4, 5000, "{\"transaction\":{}}"));
	CHECK_ERR(hear_fault(fd, 4, &f), ADY_E_FIELD_MISSING);
	e = proved(&p);
	CHECK(ady_bytes_is(e.code, "field_missing") && e.result.n == 0);
	CHECK(ady_bytes_is(e.where, f.where));
	close(fd);
}

/* What came together is proved together, under one signature, and each by itself. */
CASE(answers_under_load_share_a_signature)
{
	enum { N = 40 };
	int fd = dial(), alone = 0;
	uint8_t space[N * 512];
	struct ady_buf b = ady_buf(space, sizeof space);
	int64_t until = ady_mono_ms() + 1000;

	for (int i = 0; i < N; i++) { /* refused on the lane: in one round */
		struct ady_wire_head head = {
		    .length = 1, .type = ADY_WIRE_SIGN, .id = (uint64_t)i + 1, .deadline_ms = 1000};
		uint8_t raw[ADY_WIRE_HEAD];

		ady_wire_put_head(raw, &head);
		ady_buf_put(&b, raw, sizeof raw);
		ady_buf_u8(&b, 0xa0);
	}
	CHECK_ERR(ady_write_all(fd, b.p, b.n, until), ADY_OK);
	for (int i = 0; i < N; i++) {
		struct ady_fault f;
		struct ady_proof p;

		CHECK_ERR(hear_fault(fd, (uint64_t)i + 1, &f), ADY_E_PROTOCOL);
		(void)proved(&p);
		alone += p.later.n == 0;
	}
	CHECK(alone < N / 2);
	close(fd);
}

/* Entries whose answers were lost are there, in their order, chained from the beginning. */
CASE(the_chain_is_given_again)
{
	int fd = dial();
	uint8_t space[16], head[32], after[32], unused[32];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_wire_audited m;
	struct ady_wire_head h;
	struct ady_bytes body, rest;
	uint64_t n = 0;

	ady_wire_put_audit(&b, 0);
	CHECK(say(fd, ADY_WIRE_AUDIT, 9, 1000, ady_buf_bytes(&b)));
	if (!CHECK(hear(fd, &h, &body)) || !CHECK_ERR(ady_wire_read_audited(&m, body), ADY_OK))
		return;
	CHECK(h.proof == 0 && m.end > 3 && m.next == m.end);
	ady_audit_chain_start(head, m.public.p);
	for (rest = m.proofs; rest.n > 0; n++) {
		size_t length = ady_proof_length(rest);
		struct ady_audit_entry e;
		struct ady_proof p;

		if (!CHECK_ERR(ady_proof_read(&p, &e, ady_bytes(rest.p, length)), ADY_OK))
			return;
		CHECK_INT(e.sequence, n);
		CHECK(ady_proof_verify(&p) && memcmp(p.before.p, head, 32) == 0);
		ady_proof_heads(after, unused, &p);
		memcpy(head, after, 32);
		rest = ady_bytes_sub(rest, length, rest.n - length);
	}
	CHECK_INT(n, m.end);
	close(fd);
}

int main(void)
{
	start_world_with_credentials();
	RUN(an_answer_has_its_proof);
	RUN(a_refusal_has_its_proof);
	RUN(answers_under_load_share_a_signature);
	RUN(the_chain_is_given_again);
	return end_world();
}
