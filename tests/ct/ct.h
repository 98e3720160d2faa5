/* SPDX-License-Identifier: Apache-2.0
 *
 * Constant-time tests: secrets are marked undefined for valgrind's memcheck, which then reports
 * every branch and every address that depends on one. The code that is under test says with
 * ADY_DECLASSIFY where a result becomes public. */
#ifndef ADY_TEST_CT_H
#define ADY_TEST_CT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/memcheck.h>

#ifndef ADY_CT_TEST
#error "build with VARIANT=ct: without it ADY_DECLASSIFY does nothing"
#endif

/* Mark n bytes as secret. */
static inline void ct_secret(void *p, size_t n)
{
	(void)VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

/* Mark n bytes as public, where the test itself looks at a result. */
static inline void ct_public(void *p, size_t n)
{
	(void)VALGRIND_MAKE_MEM_DEFINED(p, n);
}

/* Whether the first byte at p is secret as valgrind sees it: that a secret has reached its place.
 */
static inline bool ct_is_secret(const void *p)
{
	uint8_t bits = 0;

	(void)VALGRIND_GET_VBITS(p, &bits, 1);
	return bits != 0;
}

/* Without valgrind a test would pass whatever the code does. */
static inline void ct_need_valgrind(void)
{
	if (RUNNING_ON_VALGRIND)
		return;
	fprintf(stderr, "run this with script/test-ct, under valgrind\n");
	exit(2);
}

/* The test itself must have worked, whatever valgrind says. */
static inline void ct_must(bool ok)
{
	if (ok)
		return;
	fprintf(stderr, "a call that must succeed failed\n");
	exit(3);
}

#endif
