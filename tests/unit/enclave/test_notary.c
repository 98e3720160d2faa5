/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain of decisions: entries that are proved together and alone, by several threads, and given
 * again. */
#include "enclave/notary.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "enclave/proof_ring.h"
#include "test.h"

static const uint8_t hash[32] = {9};

static struct ady_bytes tail_of(uint8_t *space, size_t cap, const char *key)
{
	struct ady_buf b = ady_buf(space, cap);
	const struct ady_audit_entry e = {.op = 3,
	                                  .key = ady_bytes_str(key),
	                                  .request = ady_bytes(hash, 32),
	                                  .result = ady_bytes(hash, 32)};

	ady_audit_put_tail(&b, &e);
	return ady_buf_bytes(&b);
}

/* Prove n entries at once. */
static void prove(struct ady_notary *notary, size_t n, struct ady_buf *proofs, size_t *ends)
{
	uint8_t space[ADY_AUDIT_ENTRY_MAX];
	struct ady_bytes tails[ADY_NOTARY_TOGETHER];

	for (size_t i = 0; i < n; i++)
		tails[i] = tail_of(space, sizeof space, "k");
	ady_notary_prove(notary, tails, n, proofs, ends);
}

/* Verify all that the notary gives again, from the first entry to the last. */
static uint64_t verify_all(struct ady_notary *notary)
{
	static uint8_t space[64 * 1024];
	struct ady_bytes spki = ady_notary_public(notary);
	uint8_t head[32], after[32], signed_head[32];
	uint64_t n = 0, end = 1, next = 0, time_ms = 0;

	ady_audit_chain_start(head, spki.p + spki.n - 32);
	while (next < end) {
		struct ady_buf proofs = ady_buf(space, sizeof space);
		struct ady_bytes rest;

		ady_notary_again(notary, next, &proofs, &end, &next);
		rest = ady_buf_bytes(&proofs);
		while (rest.n > 0) {
			size_t length = ady_proof_length(rest);
			struct ady_audit_entry e;
			struct ady_proof p;

			if (!CHECK(length > 0) ||
			    !CHECK_ERR(ady_proof_read(&p, &e, ady_bytes(rest.p, length)), ADY_OK))
				return n;
			CHECK(e.sequence == n++ && e.time_ms >= time_ms);
			time_ms = e.time_ms;
			CHECK(memcmp(p.before.p, head, 32) == 0 && ady_proof_verify(&p));
			ady_proof_heads(after, signed_head, &p);
			memcpy(head, after, 32);
			rest = ady_bytes_sub(rest, length, rest.n - length);
		}
	}
	CHECK_INT(n, end);
	return n;
}

CASE(a_chain_begins_with_its_key)
{
	static const uint8_t spki_head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
	                                    0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
	uint8_t space[ADY_PROOF_MAX];
	struct ady_buf proofs = ady_buf(space, sizeof space);
	struct ady_notary *notary;
	struct ady_audit_entry e;
	uint64_t end, next;
	struct ady_bytes spki;
	struct ady_proof p;
	int64_t before_ms = ady_wall_ms();

	CHECK_ERR(ady_notary_open(&notary), ADY_OK);
	spki = ady_notary_public(notary);
	CHECK_INT(spki.n, 44);
	CHECK(memcmp(spki.p, spki_head, sizeof spki_head) == 0);
	ady_notary_again(notary, 0, &proofs, &end, &next);
	CHECK(end == 1 && next == 1);
	CHECK_ERR(ady_proof_read(&p, &e, ady_buf_bytes(&proofs)), ADY_OK);
	CHECK(e.op == 0 && e.sequence == 0);
	CHECK((int64_t)e.time_ms >= before_ms && (int64_t)e.time_ms <= ady_wall_ms());
	CHECK(ady_bytes_eq(e.public, ady_bytes_sub(spki, 12, 32)));
	CHECK(ady_bytes_eq(p.public, e.public) && ady_proof_verify(&p));
	ady_notary_close(notary);
}

CASE(keys_differ_from_start_to_start)
{
	struct ady_notary *a, *b;

	CHECK_ERR(ady_notary_open(&a), ADY_OK);
	CHECK_ERR(ady_notary_open(&b), ADY_OK);
	CHECK(!ady_bytes_eq(ady_notary_public(a), ady_notary_public(b)));
	ady_notary_close(a);
	ady_notary_close(b);
}

CASE(groups_of_every_size_are_one_chain)
{
	static uint8_t space[ADY_NOTARY_PROOFS];
	size_t ends[ADY_NOTARY_TOGETHER];
	struct ady_notary *notary;
	uint64_t n = 1;

	CHECK_ERR(ady_notary_open(&notary), ADY_OK);
	for (size_t together = 1; together <= ADY_NOTARY_TOGETHER; together++) {
		struct ady_buf proofs = ady_buf(space, sizeof space);

		prove(notary, together, &proofs, ends);
		CHECK_INT(ends[together - 1], proofs.n);
		n += together;
	}
	CHECK_INT(verify_all(notary), n);
	ady_notary_close(notary);
}

static void *prove_many(void *arg)
{
	uint8_t *space = malloc(ADY_NOTARY_PROOFS);
	size_t ends[ADY_NOTARY_TOGETHER];

	for (size_t i = 0; i < 100 && space; i++) {
		struct ady_buf proofs = ady_buf(space, ADY_NOTARY_PROOFS);

		prove(arg, 1 + i % 5, &proofs, ends);
	}
	free(space);
	return NULL;
}

CASE(threads_prove_into_one_chain)
{
	struct ady_notary *notary;
	pthread_t threads[4];

	CHECK_ERR(ady_notary_open(&notary), ADY_OK);
	for (size_t i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, prove_many, notary) == 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_INT(verify_all(notary), 1 + 4 * 300);
	ady_notary_close(notary);
}

CASE(the_ring_keeps_the_last_ones_whole)
{
	enum { LONG = 1000 };
	static uint8_t proof[LONG], out[LONG];
	struct ady_proof_ring *ring;
	uint64_t last = 3 * (ADY_PROOF_RING_BYTES / LONG);
	struct ady_buf b;

	CHECK_ERR(ady_proof_ring_open(&ring), ADY_OK);
	for (uint64_t i = 0; i <= last; i++) {
		memset(proof, (int)i, sizeof proof);
		ady_proof_ring_keep(ring, i, ady_bytes(proof, sizeof proof));
	}
	for (uint64_t i = last - 8000; i <= last; i += 100) {
		b = ady_buf(out, sizeof out);
		CHECK(ady_proof_ring_get(ring, i, &b));
		CHECK(b.n == LONG && out[0] == (uint8_t)i && out[LONG - 1] == (uint8_t)i);
	}
	b = ady_buf(out, sizeof out);
	CHECK(!ady_proof_ring_get(ring, last - ADY_PROOF_RING_BYTES / LONG - 1, &b));
	CHECK(!ady_proof_ring_get(ring, last + 1, &b));
	CHECK(!ady_proof_ring_get(ring, 0, &b) && b.n == 0);
	b = ady_buf(out, LONG - 1);
	CHECK(ady_proof_ring_get(ring, last, &b) && b.full);
	ady_proof_ring_close(ring);
}

int main(void)
{
	RUN(a_chain_begins_with_its_key);
	RUN(keys_differ_from_start_to_start);
	RUN(groups_of_every_size_are_one_chain);
	RUN(threads_prove_into_one_chain);
	RUN(the_ring_keeps_the_last_ones_whole);
	return test_end();
}
