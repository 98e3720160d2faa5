/* SPDX-License-Identifier: Apache-2.0
 *
 * Random bytes from the kernel. */
#ifndef ADY_CRYPTO_RNG_H
#define ADY_CRYPTO_RNG_H

#include <stddef.h>

/* Fill p with n random bytes from getrandom(2). Failure ends the program: there is no safe way to
 * go on. */
void ady_random(void *p, size_t n);

#endif
