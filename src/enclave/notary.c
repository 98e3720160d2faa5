/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/notary.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/ed25519.h"
#include "crypto/rng.h"
#include "enclave/proof_ring.h"

/* An Ed25519 SubjectPublicKeyInfo up to the key (RFC 8410 section 4). */
static const uint8_t spki_head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                    0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

struct ady_notary {
	struct ady_arena *arena;
	struct ady_ed25519_pair *pair; /* in the arena */
	uint8_t spki[ADY_NOTARY_SPKI];
	struct ady_proof_ring *ring;
	pthread_mutex_t lock; /* guards the chain */
	uint64_t next, time_ms;
	uint8_t head[32];
};

/* The entries that are being proved together. */
struct group {
	uint8_t before[ADY_NOTARY_TOGETHER + 1][32]; /* each entry; the last: the head */
	uint8_t digests[ADY_NOTARY_TOGETHER][32];
	uint8_t bytes[ADY_NOTARY_TOGETHER * ADY_AUDIT_ENTRY_MAX];
	size_t ends[ADY_NOTARY_TOGETHER];
	uint64_t first;
	uint8_t signature[64];
};

static const uint8_t *public_of(const struct ady_notary *n)
{
	return n->spki + sizeof spki_head;
}

static enum ady_err make_key(struct ady_notary *n)
{
	ADY_SECRET struct ady_seckey seed = {0};
	enum ady_err err = ady_arena_open(&n->arena, 1, sizeof *n->pair);

	if (err != ADY_OK)
		return err;
	n->pair = ady_arena_take(n->arena);
	ady_random(seed.b, sizeof seed.b);
	memcpy(n->spki, spki_head, sizeof spki_head);
	ady_ed25519_expand(n->pair, n->spki + sizeof spki_head, &seed);
	ady_stack_wipe();
	return ADY_OK;
}

/* The entry that says what the chain is: its key, and when it began. */
static void begin(struct ady_notary *n)
{
	const struct ady_audit_entry first = {.public = ady_bytes(public_of(n), 32)};
	uint8_t space[ADY_AUDIT_ENTRY_MAX], out[ADY_PROOF_MAX];
	struct ady_buf tail = ady_buf(space, sizeof space), proof = ady_buf(out, sizeof out);
	struct ady_bytes view;
	size_t end;

	ady_audit_chain_start(n->head, public_of(n));
	ady_audit_put_tail(&tail, &first);
	view = ady_buf_bytes(&tail);
	ady_notary_prove(n, &view, 1, &proof, &end);
}

enum ady_err ady_notary_open(struct ady_notary **out)
{
	struct ady_notary *n = calloc(1, sizeof *n);
	enum ady_err err = n ? make_key(n) : ADY_E_MEMORY;

	*out = NULL;
	if (err == ADY_OK)
		err = ady_proof_ring_open(&n->ring);
	if (err != ADY_OK) {
		if (n)
			ady_arena_close(n->arena);
		free(n);
		return err;
	}
	pthread_mutex_init(&n->lock, NULL);
	begin(n);
	*out = n;
	return ADY_OK;
}

void ady_notary_close(struct ady_notary *n)
{
	if (!n)
		return;
	ady_arena_close(n->arena);
	ady_proof_ring_close(n->ring);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

struct ady_bytes ady_notary_public(const struct ady_notary *n)
{
	return ady_bytes(n->spki, sizeof n->spki);
}

/* Times in a chain never go back, whatever the clock does. */
static uint64_t now_ms(struct ady_notary *n)
{
	int64_t now = ady_wall_ms();

	if (now > 0 && (uint64_t)now > n->time_ms)
		n->time_ms = (uint64_t)now;
	return n->time_ms;
}

static void place_all(struct ady_notary *n, struct group *g, const struct ady_bytes *tails,
                      size_t count)
{
	struct ady_buf b = ady_buf(g->bytes, sizeof g->bytes);
	uint64_t time_ms;

	pthread_mutex_lock(&n->lock);
	g->first = n->next;
	time_ms = now_ms(n);
	for (size_t i = 0; i < count; i++) {
		size_t at = b.n;

		ady_audit_put_placed(&b, n->next++, time_ms, tails[i]);
		g->ends[i] = b.n;
		ady_audit_digest(g->digests[i], ady_bytes(g->bytes + at, b.n - at));
		memcpy(g->before[i], n->head, sizeof n->head);
		ady_audit_chain(n->head, g->digests[i]);
	}
	memcpy(g->before[count], n->head, sizeof n->head);
	pthread_mutex_unlock(&n->lock);
	if (b.full)
		ADY_BUG("an entry outgrew its place");
}

void ady_notary_prove(struct ady_notary *n, const struct ady_bytes *tails, size_t count,
                      struct ady_buf *proofs, size_t *ends)
{
	uint8_t message[ADY_PROOF_SIGNED];
	struct group g;

	place_all(n, &g, tails, count);
	ady_proof_message(message, g.before[count]);
	ady_ed25519_sign_with(g.signature, ady_bytes(message, sizeof message), n->pair);
	for (size_t i = 0; i < count; i++) {
		size_t from = i ? g.ends[i - 1] : 0, at = proofs->n;
		const struct ady_proof p = {
		    .public = ady_bytes(public_of(n), 32),
		    .before = ady_bytes(g.before[i], 32),
		    .entry = ady_bytes(g.bytes + from, g.ends[i] - from),
		    .later =
		        ady_bytes(i + 1 < count ? g.digests[i + 1] : NULL, (count - i - 1) * 32),
		    .signature = ady_bytes(g.signature, sizeof g.signature),
		};

		ady_proof_put(proofs, &p);
		ends[i] = proofs->n;
		ady_proof_ring_keep(n->ring, g.first + i,
		                    ady_bytes(proofs->p + at, proofs->n - at));
	}
	if (proofs->full)
		ADY_BUG("a proof outgrew its place");
}

void ady_notary_again(struct ady_notary *n, uint64_t from, struct ady_buf *proofs, uint64_t *end,
                      uint64_t *next)
{
	uint64_t oldest;

	pthread_mutex_lock(&n->lock);
	*end = n->next;
	pthread_mutex_unlock(&n->lock);
	oldest = *end > ADY_PROOF_RING_PLACES ? *end - ADY_PROOF_RING_PLACES : 0;
	for (*next = from > oldest ? from : oldest; *next < *end; ++*next) {
		(void)ady_proof_ring_get(n->ring, *next, proofs);
		if (proofs->full)
			break;
	}
	if (*next > *end)
		*next = *end;
}
