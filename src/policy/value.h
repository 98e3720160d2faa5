/* SPDX-License-Identifier: Apache-2.0
 *
 * Values that rules compare, the constants of a policy and the parts of a request alike. Public
 * data: time is variable. */
#ifndef ADY_POLICY_VALUE_H
#define ADY_POLICY_VALUE_H

#include "base/u256.h"
#include "codec/json.h"
#include "policy/type.h"

/* What a condition comes to. In this order, "and" is the least and "or" the greatest. UNDECIDED:
 * the request does not say (calldata that is not the function's, a field that is not there under
 * "not_in"): no reason to allow, and reason enough to deny. */
enum ady_tri { ADY_NO, ADY_UNDECIDED, ADY_YES };

enum ady_op { ADY_OP_IN, ADY_OP_NOT_IN, ADY_OP_LT, ADY_OP_LE, ADY_OP_GT, ADY_OP_GE, ADY_OP_PREFIX };

/* bytes for BYTES and STRING, word for all others, such that memcmp orders them: INT has its sign
 * bit turned over, FIXED stands at the left, the rest at the right. */
struct ady_value {
	enum ady_type_kind kind;
	union {
		uint8_t word[32];
		struct ady_bytes bytes;
	};
};

/* Whether values of a kind are compared as bytes of any length. */
static inline bool ady_kind_is_bytes(enum ady_type_kind kind)
{
	return kind == ADY_T_BYTES || kind == ADY_T_STRING;
}

/* Set v to an unsigned number. */
void ady_value_uint(struct ady_value *v, const struct ady_u256 *number);

/* Set v to a small number of kind UINT, BOOL, KIND or DUTY. */
void ady_value_small(struct ady_value *v, enum ady_type_kind kind, uint64_t number);

/* Set v to an address. */
void ady_value_address(struct ady_value *v, const uint8_t address20[static 20]);

/* Read the value of token i, of type kind and size (bits, or bytes of FIXED), as the requests write
 * it: chain/eip712_word.h; BYTES are "0x" and hex. KIND and DUTY are not read here. Bytes go to
 * space and stay there.
 * Returns: NULL, or why it is none; *v is then undefined. */
const char *ady_value_read(struct ady_value *v, const struct ady_json *doc, uint32_t i,
                           enum ady_type_kind kind, uint16_t size, struct ady_buf *space);

/* -1, 0 or 1 as a sorts before, like or behind b, words of 32 bytes. */
int ady_word_cmp(const uint8_t a[static 32], const uint8_t b[static 32]);

/* Sort n values whose words count. No heap, no recursion; n log n. */
void ady_values_sort(struct ady_value *values, size_t n);

/* Whether v is one of n values of its kind; those of words are sorted. */
bool ady_values_have(const struct ady_value *values, size_t n, const struct ady_value *v);

/* Whether op holds between v and the n >= 1 constants of its kind (of the orders: the one). */
bool ady_value_test(enum ady_op op, const struct ady_value *values, size_t n,
                    const struct ady_value *v);

#endif
