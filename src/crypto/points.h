/* SPDX-License-Identifier: Apache-2.0
 *
 * Public keys that were expanded lately, so that the square root which a compressed one costs, a
 * fifth of a signature, is taken once for a key that signs often. Public data only, and nothing
 * that is relied on: what is remembered is used when it is this key's x and parity and lies on the
 * curve, which leaves one point. Thread rule: of one thread. */
#ifndef ADY_CRYPTO_POINTS_H
#define ADY_CRYPTO_POINTS_H

#include <stdint.h>

#include "base/err.h"

enum { ADY_POINTS = 256 };

/* Starts all zero. A key has one place, by its last byte. */
struct ady_points {
	uint8_t pub65[ADY_POINTS][65];
};

/* As ady_secp_expand, and the same result. points NULL: nothing is remembered.
 * Returns ADY_E_CRYPTO when pub33 is no point: nothing is forgotten then.
 * Time: variable; public data only. */
enum ady_err ady_points_expand(struct ady_points *points, uint8_t pub65[static 65],
                               const uint8_t pub33[static 33]);

#endif
