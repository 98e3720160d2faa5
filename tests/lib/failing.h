/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes calls fail that otherwise fail only on a machine at its end: calloc, sodium_malloc,
 * sodium_mlock, pthread_create, (interrupted) getrandom and the making of a libsecp256k1 context
 * where our own code calls them, by the linker's --wrap, and, when asked for, every allocation of
 * OpenSSL. Thread rule: calls of the thread that asked. */
#ifndef ADY_TEST_FAILING_H
#define ADY_TEST_FAILING_H

#include <stdbool.h>

/* Let the n-th of these calls from now on fail, once; 1 is the next, 0 none. */
void test_fail_at(unsigned n);

/* Whether that call came and failed. No call fails from here on. */
bool test_fail_end(void);

/* Take in OpenSSL's allocations. Must come before anything else of OpenSSL; false when too late. */
bool test_fail_openssl(void);

#endif
