/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/proof_ring.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct place {
	uint64_t sequence, at; /* at: since the beginning of time; in the ring modulo its size */
	size_t n;              /* 0: nothing is here */
};

struct ady_proof_ring {
	pthread_mutex_t lock;
	uint64_t written;                           /* bytes, since the beginning of time */
	struct place places[ADY_PROOF_RING_PLACES]; /* by the sequence modulo their number */
	uint8_t bytes[ADY_PROOF_RING_BYTES];
};

enum ady_err ady_proof_ring_open(struct ady_proof_ring **out)
{
	struct ady_proof_ring *ring =
	    mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*out = ring == MAP_FAILED ? NULL : ring;
	if (!*out)
		return ADY_E_MEMORY;
	pthread_mutex_init(&ring->lock, NULL);
	return ADY_OK;
}

void ady_proof_ring_close(struct ady_proof_ring *ring)
{
	if (!ring)
		return;
	pthread_mutex_destroy(&ring->lock);
	munmap(ring, sizeof *ring);
}

void ady_proof_ring_keep(struct ady_proof_ring *ring, uint64_t sequence, struct ady_bytes proof)
{
	struct place *p = &ring->places[sequence % ADY_PROOF_RING_PLACES];
	size_t at;

	pthread_mutex_lock(&ring->lock);
	at = ring->written % ADY_PROOF_RING_BYTES;
	if (at + proof.n > ADY_PROOF_RING_BYTES) { /* a proof lies in one piece */
		ring->written += ADY_PROOF_RING_BYTES - at;
		at = 0;
	}
	memcpy(ring->bytes + at, proof.p, proof.n);
	*p = (struct place){.sequence = sequence, .at = ring->written, .n = proof.n};
	ring->written += proof.n;
	pthread_mutex_unlock(&ring->lock);
}

bool ady_proof_ring_get(struct ady_proof_ring *ring, uint64_t sequence, struct ady_buf *out)
{
	const struct place *p = &ring->places[sequence % ADY_PROOF_RING_PLACES];
	bool there;

	pthread_mutex_lock(&ring->lock);
	there =
	    p->n > 0 && p->sequence == sequence && ring->written - p->at <= ADY_PROOF_RING_BYTES;
	if (there)
		ady_buf_put(out, ring->bytes + p->at % ADY_PROOF_RING_BYTES, p->n);
	pthread_mutex_unlock(&ring->lock);
	return there;
}
