/* SPDX-License-Identifier: Apache-2.0
 *
 * The types of what a rule looks into: a function's arguments from its signature (Solidity ABI),
 * "transfer(address to, uint256 amount)", and a typed message's members from its encodeType
 * (EIP-712), "Mail(Person from,string text)Person(address wallet)". Both become trees in one table
 * without heap; names may be left out of a signature. */
#ifndef ADY_POLICY_TYPE_H
#define ADY_POLICY_TYPE_H

#include "base/bytes.h"

enum { ADY_TYPES_MAX = 512, ADY_TYPE_DEPTH = 8, ADY_TYPE_WORDS_MAX = 4096 };

enum ady_type_kind {
	ADY_T_UINT, /* of these, and of the two at the end, a value is one word */
	ADY_T_INT,
	ADY_T_ADDRESS,
	ADY_T_BOOL,
	ADY_T_FIXED, /* bytes1 to bytes32 */
	ADY_T_BYTES,
	ADY_T_STRING,
	ADY_T_TUPLE,
	ADY_T_ARRAY,
	ADY_T_KIND, /* of a request; no Solidity type */
	ADY_T_DUTY, /* of a validator; no Solidity type */
};

struct ady_type {
	enum ady_type_kind kind;
	uint16_t size;         /* bits of a number, bytes of FIXED, items of an array or 0 */
	uint16_t first, count; /* a tuple's components; an array's element, count 1 */
	uint16_t next;         /* the component behind this one; 0: none */
	uint32_t words;        /* of 32 bytes in the ABI; 0: as many as the value needs */
	struct ady_bytes name; /* of the component; may be empty */
};

/* t[0] is not used, so that 0 is no type. */
struct ady_types {
	uint16_t n;
	struct ady_type t[ADY_TYPES_MAX];
};

/* Read a signature; names point into text.
 * Out:     *root, a tuple of the arguments; selector4, the head of the calldata.
 * Returns: NULL, or why it is none. */
const char *ady_types_read_function(struct ady_types *types, uint16_t *root,
                                    uint8_t selector4[static 4], struct ady_bytes text);

/* Read an encodeType, exactly as EIP-712 has it: the structs that are used, no others, behind the
 * first in the order of their names. Recursive types are refused.
 * Out:     *root, a tuple of the members; hash32, the typeHash.
 * Returns: NULL, or why it is none. */
const char *ady_types_read_struct(struct ady_types *types, uint16_t *root,
                                  uint8_t hash32[static 32], struct ady_bytes text);

/* Component or element number i of type `of`; the caller has checked that it is there. */
uint16_t ady_type_child(const struct ady_types *types, uint16_t of, uint32_t i);

#endif
