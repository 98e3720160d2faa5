/* SPDX-License-Identifier: Apache-2.0
 *
 * Published vectors in JSON, for tests. */
#ifndef ADY_TEST_VECTORS_H
#define ADY_TEST_VECTORS_H

#include <jansson.h>

#include "test.h"

/* A vector of a Wycheproof file and the group that it belongs to. */
typedef void test_wycheproof_fn(json_t *group, json_t *vector);

/* Call fn for every vector of ../shared/vectors/wycheproof/NAME; skips the case without the file.
 * Returns how many there were. */
size_t test_wycheproof(const char *name, test_wycheproof_fn *fn);

/* The bytes of a member in hex; test_hex says how long they last. */
struct ady_bytes test_json_hex(json_t *object, const char *member);

/* Whether a Wycheproof vector must be accepted. */
bool test_json_valid(json_t *vector);

#endif
