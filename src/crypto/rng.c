/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/rng.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

#include "base/err.h"

void ady_random(void *p, size_t n)
{
	uint8_t *at = p;

	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			ADY_BUG("no randomness");
		at += got;
		n -= (size_t)got;
	}
}
