/* SPDX-License-Identifier: Apache-2.0
 *
 * The hash tree root of a JSON value, by a table that says what type it has: every member of a
 * container must be there and no other, numbers are decimal strings or whole JSON numbers, bytes
 * and bits "0x" and hex as in the beacon API. Recursion is as deep as the table, not as the text.
 * Heap: none. */
#ifndef ADY_CODEC_SSZ_JSON_H
#define ADY_CODEC_SSZ_JSON_H

#include "codec/json.h"
#include "codec/ssz.h"

enum ady_ssz_kind {
	ADY_SSZ_UINT, /* n bytes: 8 or 32 */
	ADY_SSZ_BOOL,
	ADY_SSZ_BYTES,     /* exactly n */
	ADY_SSZ_BYTE_LIST, /* at most n; of a progressive one there is no limit */
	ADY_SSZ_BITS,      /* exactly n bits */
	ADY_SSZ_BIT_LIST,  /* at most n, with a bit that marks the end */
	ADY_SSZ_VECTOR,    /* exactly n items */
	ADY_SSZ_LIST,      /* at most n */
	ADY_SSZ_CONTAINER, /* n fields */
};

struct ady_ssz_field;

struct ady_ssz_type {
	enum ady_ssz_kind kind;
	bool progressive; /* of lists, bit lists, byte lists and containers */
	uint8_t preset;   /* n is presets[preset - 1] instead, when not 0 */
	uint64_t n;
	const struct ady_ssz_type *item;
	const struct ady_ssz_field *fields;
};

struct ady_ssz_field {
	const char *name;
	const struct ady_ssz_type *type;
};

struct ady_ssz_reader {
	const struct ady_json *doc;
	const uint64_t *presets; /* sizes that differ between networks */
	struct ady_fault *f;
};

/* The root of token i as type; name is its path in faults.
 * Returns: ADY_E_FIELD_MISSING, _UNKNOWN, _INVALID, _RANGE with the path in r->f. */
enum ady_err ady_ssz_root(const struct ady_ssz_reader *r, uint8_t root32[static 32],
                          const struct ady_ssz_type *type, uint32_t i, const char *name);

/* A number of at most 64 bits, as ady_ssz_root reads them; name as there. */
enum ady_err ady_ssz_read_u64(const struct ady_ssz_reader *r, uint64_t *v, uint32_t i,
                              const char *name);

/* Exactly n bytes, as ady_ssz_root reads them; name as there. */
enum ady_err ady_ssz_read_bytes(const struct ady_ssz_reader *r, uint8_t *out, size_t n, uint32_t i,
                                const char *name);

#endif
