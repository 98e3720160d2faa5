/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectors that others published, as Debian's packages carry them: script/fetch-vectors puts those
 * files into build/vectors. A case whose file is not there is skipped and says so. */
#ifndef ADY_TEST_PUBLISHED_H
#define ADY_TEST_PUBLISHED_H

#include "test.h"

/* A whole file of build/vectors, for test_published_free; p is NULL, and the case skipped, when it
 * is not there. */
struct ady_bytes test_published(const char *name);

/* Free such a file. */
void test_published_free(struct ady_bytes file);

/* The blobs of one vector. */
typedef void test_blobs_fn(const struct ady_bytes *blobs);

/* Call fn for each n blobs of a file in the form of RustCrypto's crate blobby, 0.3. Returns how
 * many times. */
size_t test_published_blobs(const char *name, size_t n, test_blobs_fn *fn);

/* A vector of lines "NAME = value". */
struct test_record {
	struct {
		struct ady_bytes name, value;
	} line[16];
	size_t n;
};

/* What is called for each vector of such a file. */
typedef void test_record_fn(const struct test_record *record);

/* Call fn for each record of a file in which empty lines part them, as those of BoringSSL and of
 * NIST's CAVP; lines with # and [ are passed over. Returns how many there were. */
size_t test_published_records(const char *name, test_record_fn *fn);

/* The value of a line as it is written; empty without such a line. */
struct ady_bytes test_record_text(const struct test_record *record, const char *name);

/* The bytes that a value means: "text", or hex (test_hex says how long those last). */
struct ady_bytes test_record_bytes(const struct test_record *record, const char *name);

#endif
