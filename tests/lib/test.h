/* SPDX-License-Identifier: Apache-2.0
 *
 * What a unit test needs. A test program prints one line a case, "ok NAME", "not ok NAME: why" or
 * "skip NAME: why", and exits with 1 when one failed; script/test counts the lines. */
#ifndef ADY_TEST_H
#define ADY_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

/* Run one case: CASE(name) defines it, RUN(name) runs it. */
#define CASE(name) static void name(void)
#define RUN(name) test_run(#name, name)

/* Fail the running case (and go on with it, so that clean-up runs). */
#define CHECK(cond) test_check((cond), __FILE__, __LINE__, #cond)
#define CHECK_ERR(got, want) test_check_err((got), (want), __FILE__, __LINE__, #got)
#define CHECK_INT(got, want) \
	test_check_int((long long)(got), (long long)(want), __FILE__, __LINE__, #got)
#define CHECK_STR(got, want) test_check_str((got), (want), __FILE__, __LINE__, #got)
#define CHECK_HEX(got, n, want) test_check_hex((got), (n), (want), __FILE__, __LINE__, #got)

/* Leave the running case out, saying why. */
void test_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* See RUN. */
void test_run(const char *name, void (*fn)(void));

/* See CHECK. */
bool test_check(bool ok, const char *file, int line, const char *what);

/* See CHECK_ERR: compares error values and names both. */
bool test_check_err(enum ady_err got, enum ady_err want, const char *file, int line,
                    const char *what);

/* See CHECK_INT. */
bool test_check_int(long long got, long long want, const char *file, int line, const char *what);

/* See CHECK_STR. */
bool test_check_str(const char *got, const char *want, const char *file, int line,
                    const char *what);

/* See CHECK_HEX: n bytes against lower-case hex. */
bool test_check_hex(const void *got, size_t n, const char *want, const char *file, int line,
                    const char *what);

/* The exit status of main: 0 when no case failed. */
int test_end(void);

/* Read a whole file (heap; a NUL behind it); p is NULL when it cannot be read. */
struct ady_bytes test_read_file(const char *path);

/* The path of ../shared/vectors/NAME beside the checkout (or $ADYTON_VECTORS/NAME), or NULL when it
 * is not there: the test must then call test_skip. */
const char *test_vector(const char *name);

/* Decode hex at most once per use into a static buffer: for constants in tests. Of the last eight
 * calls the bytes are there. */
struct ady_bytes test_hex(const char *hex);

/* See test_hex. */
struct ady_bytes test_hex_bytes(struct ady_bytes hex);

#endif
