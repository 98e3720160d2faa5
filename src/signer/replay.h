/* SPDX-License-Identifier: Apache-2.0
 *
 * The window of stamps that were used: one id of one key is good for one request, as often as that
 * is asked, until it expires. Bounded: when there is no place, the stamp is refused, never
 * forgotten. The owner gives the memory and a secret, by which the places are chosen, so that no
 * caller can fill those of another. Thread rule: the owner's lock. */
#ifndef ADY_SIGNER_REPLAY_H
#define ADY_SIGNER_REPLAY_H

#include "signer/stamp.h"

enum { ADY_REPLAY_PLACES = 65536, ADY_REPLAY_WAYS = 16 };

struct ady_replay_place {
	uint8_t id[16];      /* of the hash of key and id */
	uint8_t request[16]; /* of the hash of the request */
	uint64_t expires_s;  /* 0: free */
};

struct ady_replay {
	uint8_t secret[32];
	struct ady_replay_place place[ADY_REPLAY_PLACES];
};

/* Whether all stamps are new, or were used for the same request; then they are kept. request32 says
 * what is asked: all that the answer depends on.
 * Returns: ADY_E_UNAUTHORIZED when one was used for another request, ADY_E_BUSY when there is no
 * place; the stamps before it are then used. *again: all were used before. */
enum ady_err ady_replay_use(struct ady_replay *replay, const struct ady_stamp *stamps, size_t n,
                            const uint8_t request32[static 32], uint64_t now_s, bool *again,
                            struct ady_fault *f);

#endif
