/* SPDX-License-Identifier: Apache-2.0
 *
 * BENCHMARK ONLY. With ADY_BENCH_HOLD_KMS the enclave keeps what KMS decrypted and signs later
 * requests for the same ciphertext without asking again, so that everything but KMS can be
 * measured. Such a build breaks the enclave's promise, says so in its log and its status, and must
 * never be deployed. In every other build this file is empty functions. */
#ifndef ADY_ENCLAVE_HELD_H
#define ADY_ENCLAVE_HELD_H

#include "base/bytes.h"
#include "signer/record.h"

#ifdef ADY_BENCH_HOLD_KMS

#define ADY_HELD_NOTICE "BENCHMARK BUILD THAT HOLDS KEYS: never deploy"

/* Make the store. Returns ADY_E_MEMORY. */
enum ady_err ady_held_open(void);

/* The plaintext of record, or an empty view. Valid for the life of the process. */
struct ady_bytes ady_held_find(const struct ady_record *record);

/* Keep plaintext for record, while there is room. */
void ady_held_keep(const struct ady_record *record, struct ady_bytes plaintext);

#else

#define ADY_HELD_NOTICE ""

/* Nothing is held. */
static inline enum ady_err ady_held_open(void)
{
	return ADY_OK;
}

/* Nothing is held. */
static inline struct ady_bytes ady_held_find(const struct ady_record *record)
{
	(void)record;
	return (struct ady_bytes){0};
}

/* Nothing is held. */
static inline void ady_held_keep(const struct ady_record *record, struct ady_bytes plaintext)
{
	(void)record;
	(void)plaintext;
}

#endif

#endif
