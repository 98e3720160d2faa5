/* SPDX-License-Identifier: Apache-2.0
 *
 * Entries of the audit log and proofs of answers. */
#include "codec/proof.h"

#include "codec/wire_audit.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "test.h"

static uint8_t hash_a[32], hash_b[32];

/* An entry with something in every member that a signature's has. */
static struct ady_audit_entry sample(void)
{
	memset(hash_a, 0xaa, sizeof hash_a);
	memset(hash_b, 0xbb, sizeof hash_b);
	return (struct ady_audit_entry){
	    .sequence = 7,
	    .time_ms = 1764000000123,
	    .op = ADY_WIRE_SIGN,
	    .key = ady_bytes_str("alice"),
	    .tenant = ady_bytes_str("team"),
	    .request = ady_bytes(hash_a, 32),
	    .result = ady_bytes(hash_b, 32),
	    .public = ady_bytes(hash_a, 20),
	    .digest = ady_bytes(hash_b, 32),
	};
}

static struct ady_bytes put(uint8_t *space, size_t cap, const struct ady_audit_entry *e)
{
	struct ady_buf b = ady_buf(space, cap);

	ady_audit_put(&b, e);
	CHECK(!b.full);
	return ady_buf_bytes(&b);
}

/* Whether an entry is taken. */
static bool taken(const struct ady_audit_entry *e)
{
	uint8_t space[1024];
	struct ady_audit_entry back;
	enum ady_err err = ady_audit_read(&back, put(space, sizeof space, e));

	if (err != ADY_OK)
		CHECK(back.op == 0 && back.key.p == NULL);
	return err == ADY_OK;
}

CASE(an_entry_has_the_bytes_that_are_documented)
{
	struct ady_audit_entry e = sample(), back;
	uint8_t space[1024];
	struct ady_bytes text = put(space, sizeof space, &e);

	CHECK_HEX(text.p, 31,
	          "ab00070"
	          "11b0000019ab697e87b"
	          "020303"
	          "65616c696365"
	          "04647465616d"
	          "05"
	          "5820");
	CHECK_ERR(ady_audit_read(&back, text), ADY_OK);
	CHECK(back.sequence == 7 && back.time_ms == 1764000000123 && back.op == ADY_WIRE_SIGN);
	CHECK(ady_bytes_is(back.key, "alice") && ady_bytes_is(back.tenant, "team"));
	CHECK(ady_bytes_eq(back.request, e.request) && ady_bytes_eq(back.result, e.result));
	CHECK(back.code.n == 0 && back.where.n == 0);
	CHECK(ady_bytes_eq(back.public, e.public) && ady_bytes_eq(back.digest, e.digest));
}

CASE(the_longest_entry_fits)
{
	static uint8_t text[ADY_AUDIT_KEY_MAX];
	uint8_t space[ADY_AUDIT_ENTRY_MAX];
	struct ady_audit_entry e = sample();

	memset(text, 'k', sizeof text);
	e.sequence = UINT64_MAX;
	e.time_ms = INT64_MAX;
	e.op = UINT8_MAX;
	e.key = ady_bytes(text, ADY_AUDIT_KEY_MAX);
	e.tenant = ady_bytes(text, ADY_AUDIT_TENANT_MAX);
	e.code = ady_bytes(text, ADY_AUDIT_CODE_MAX);
	e.where = ady_bytes(text, ADY_AUDIT_WHERE_MAX);
	e.public = ady_bytes(text, ADY_AUDIT_PUBLIC_MAX);
	(void)put(space, sizeof space, &e);
	e.result = ady_bytes(NULL, 0);
	CHECK(taken(&e));
	e.key.n = ADY_AUDIT_KEY_MAX - 1;
	CHECK(taken(&e));
}

CASE(an_entry_that_contradicts_itself_is_refused)
{
	struct ady_audit_entry e = sample();

	CHECK(taken(&e));
	e.code = ady_bytes_str("denied"); /* done, and refused */
	CHECK(!taken(&e));
	e.result = ady_bytes(NULL, 0);
	CHECK(taken(&e));
	e.code = ady_bytes(NULL, 0); /* neither */
	CHECK(!taken(&e));
	e = sample();
	e.request = ady_bytes(NULL, 0);
	CHECK(!taken(&e));
	e = sample();
	e.digest.n = 31;
	CHECK(!taken(&e));
	e = sample();
	e.op = 0; /* the beginning, in the middle */
	CHECK(!taken(&e));
	e.sequence = 0; /* at the beginning, with a request */
	CHECK(!taken(&e));
	e = (struct ady_audit_entry){.public = ady_bytes(hash_a, 32)};
	CHECK(taken(&e));
	e.sequence = 1;
	CHECK(!taken(&e));
}

CASE(truncated_and_longer_entries_are_refused)
{
	uint8_t space[1024];
	struct ady_audit_entry e = sample(), back;
	struct ady_bytes text = put(space, sizeof space, &e);

	for (size_t n = 0; n < text.n; n++)
		CHECK_ERR(ady_audit_read(&back, ady_bytes(text.p, n)), ADY_E_CBOR);
	CHECK_ERR(ady_audit_read(&back, ady_bytes(text.p, text.n + 1)), ADY_E_CBOR);
}

/* A proof of entry i of n entries, signed by the key of seed 1, 1, 1 .. */
struct made {
	uint8_t public[32], before[32], entry[ADY_AUDIT_ENTRY_MAX], later[15 * 32], signature[64];
	uint8_t head[32];
	struct ady_proof proof;
};

static void make(struct made *m, size_t later)
{
	struct ady_seckey seed;
	struct ady_ed25519_pair pair;
	uint8_t message[ADY_PROOF_SIGNED], digest[32];
	struct ady_audit_entry e = sample();
	struct ady_bytes entry = put(m->entry, sizeof m->entry, &e);

	memset(seed.b, 1, sizeof seed.b);
	ady_ed25519_expand(&pair, m->public, &seed);
	ady_audit_chain_start(m->before, m->public);
	memcpy(m->head, m->before, 32);
	ady_audit_digest(digest, entry);
	ady_audit_chain(m->head, digest);
	for (size_t i = 0; i < later; i++) {
		memset(m->later + 32 * i, (int)i + 1, 32);
		ady_audit_chain(m->head, m->later + 32 * i);
	}
	ady_proof_message(message, m->head);
	ady_ed25519_sign_with(m->signature, ady_bytes(message, sizeof message), &pair);
	m->proof = (struct ady_proof){.public = ady_bytes(m->public, 32),
	                              .before = ady_bytes(m->before, 32),
	                              .entry = entry,
	                              .later = ady_bytes(m->later, 32 * later),
	                              .signature = ady_bytes(m->signature, 64)};
}

CASE(hashes_are_those_of_the_document)
{
	uint8_t start[32], digest[32], want[32], both[64];
	struct made m;

	make(&m, 0);
	ady_sha256(want,
	           (struct ady_bytes[]){ady_bytes_str("adyton audit 1"), ady_bytes(m.public, 32)},
	           2);
	ady_audit_chain_start(start, m.public);
	CHECK(memcmp(start, want, 32) == 0);
	ady_sha256(want, (struct ady_bytes[]){ady_bytes_str("adyton entry 1"), m.proof.entry}, 2);
	ady_audit_digest(digest, m.proof.entry);
	CHECK(memcmp(digest, want, 32) == 0);
	memcpy(both, start, 32);
	memcpy(both + 32, digest, 32);
	ady_sha256(want, (struct ady_bytes[]){ady_bytes(both, 64)}, 1);
	CHECK(memcmp(m.head, want, 32) == 0);
}

CASE(a_proof_is_read_and_verified)
{
	for (size_t later = 0; later <= ADY_PROOF_LATER_MAX; later += 5) {
		uint8_t space[ADY_PROOF_MAX], after[32], head[32];
		struct ady_buf b = ady_buf(space, sizeof space);
		struct ady_audit_entry e;
		struct ady_proof p;
		struct made m;

		make(&m, later);
		ady_proof_put(&b, &m.proof);
		CHECK(!b.full);
		CHECK_ERR(ady_proof_read(&p, &e, ady_buf_bytes(&b)), ADY_OK);
		CHECK(ady_bytes_is(e.key, "alice"));
		CHECK(ady_proof_verify(&p));
		ady_proof_heads(after, head, &p);
		CHECK(memcmp(head, m.head, 32) == 0);
		CHECK_INT(ady_proof_length(ady_buf_bytes(&b)), b.n);
		for (size_t n = 0; n < b.n; n++)
			CHECK_ERR(ady_proof_read(&p, &e, ady_bytes(space, n)), ADY_E_CBOR);
	}
}

/* Every bit of a proof counts: changed, it is no proof, or none that holds. */
CASE(a_changed_proof_does_not_hold)
{
	uint8_t space[ADY_PROOF_MAX];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_audit_entry e;
	struct ady_proof p;
	struct made m;

	make(&m, 2);
	ady_proof_put(&b, &m.proof);
	for (size_t i = 0; i < 8 * b.n; i++) {
		space[i / 8] ^= (uint8_t)(1u << i % 8);
		if (ady_proof_read(&p, &e, ady_buf_bytes(&b)) == ADY_OK)
			CHECK(!ady_proof_verify(&p));
		space[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	CHECK_ERR(ady_proof_read(&p, &e, ady_buf_bytes(&b)), ADY_OK);
	CHECK(ady_proof_verify(&p));
}

CASE(proofs_behind_each_other_are_told_apart)
{
	uint8_t space[2 * ADY_PROOF_MAX];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct made m;
	size_t first;

	make(&m, 3);
	ady_proof_put(&b, &m.proof);
	first = b.n;
	ady_proof_put(&b, &m.proof);
	CHECK_INT(ady_proof_length(ady_buf_bytes(&b)), first);
	CHECK_INT(ady_proof_length(ady_bytes(space, first - 1)), 0);
	CHECK_INT(ady_proof_length(ady_bytes(NULL, 0)), 0);
}

CASE(the_question_for_entries_round_trips)
{
	uint8_t space[256];
	struct ady_buf b = ady_buf(space, sizeof space);
	const struct ady_wire_audited m = {
	    .public = ady_bytes(hash_a, 32), .end = 9, .next = 7, .proofs = ady_bytes(hash_b, 20)};
	struct ady_wire_audited back;
	uint64_t from;

	ady_wire_put_audit(&b, 1u << 20);
	CHECK_ERR(ady_wire_read_audit(&from, ady_buf_bytes(&b)), ADY_OK);
	CHECK_INT(from, 1 << 20);
	b.n = 0;
	ady_wire_put_audited(&b, &m);
	CHECK_ERR(ady_wire_read_audited(&back, ady_buf_bytes(&b)), ADY_OK);
	CHECK(back.end == 9 && back.next == 7 && ady_bytes_eq(back.proofs, m.proofs));
	for (size_t n = 0; n < b.n; n++)
		CHECK_ERR(ady_wire_read_audited(&back, ady_bytes(space, n)), ADY_E_PROTOCOL);
	b.n = 0;
	ady_wire_put_audited(&b, &(struct ady_wire_audited){.public = m.public, .next = 1});
	CHECK_ERR(ady_wire_read_audited(&back, ady_buf_bytes(&b)), ADY_E_PROTOCOL);
}

CASE(what_tells_of_the_enclave_decides_nothing)
{
	CHECK(ady_wire_decides(ADY_WIRE_SIGN) && ady_wire_decides(ADY_WIRE_DUTY));
	CHECK(ady_wire_decides(ADY_WIRE_CREATE) && ady_wire_decides(ADY_WIRE_LOCK));
	CHECK(!ady_wire_decides(ADY_WIRE_HELLO) && !ady_wire_decides(ADY_WIRE_STATUS));
	CHECK(!ady_wire_decides(ADY_WIRE_AUDIT) && !ady_wire_decides(ADY_WIRE_RESPONSE_KEY));
}

int main(void)
{
	RUN(an_entry_has_the_bytes_that_are_documented);
	RUN(the_longest_entry_fits);
	RUN(an_entry_that_contradicts_itself_is_refused);
	RUN(truncated_and_longer_entries_are_refused);
	RUN(hashes_are_those_of_the_document);
	RUN(a_proof_is_read_and_verified);
	RUN(a_changed_proof_does_not_hold);
	RUN(proofs_behind_each_other_are_told_apart);
	RUN(the_question_for_entries_round_trips);
	RUN(what_tells_of_the_enclave_decides_nothing);
	return test_end();
}
