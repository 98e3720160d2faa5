/* SPDX-License-Identifier: Apache-2.0
 *
 * The types of an EIP-712 document: read and checked once, then looked up. Used by eip712*.c, and
 * by src/policy. A table belongs to one document and must not outlive it. */
#ifndef ADY_CHAIN_EIP712_TYPES_H
#define ADY_CHAIN_EIP712_TYPES_H

#include "chain/eth_message.h"

enum ady_eip712_kind {
	ADY_EIP712_STRUCT,
	ADY_EIP712_ADDRESS,
	ADY_EIP712_BOOL,
	ADY_EIP712_UINT,
	ADY_EIP712_INT,
	ADY_EIP712_FIXED_BYTES,
	ADY_EIP712_BYTES,
	ADY_EIP712_STRING,
};

/* The type of a value: "Person[2][]" is base "Person" and dims "[2][]". */
struct ady_eip712_ref {
	struct ady_bytes base, dims;
	enum ady_eip712_kind kind;
	unsigned size; /* a struct's number; bits of a number; bytes of a fixed byte string */
};

struct ady_eip712_struct {
	struct ady_bytes name;
	uint32_t members; /* token of the array of {"name", "type"} */
	uint64_t uses;    /* the structs that its members name: a bit each */
	bool hashed;
	uint8_t hash[32];
};

struct ady_eip712_types {
	const struct ady_eth_reader *r;
	size_t n, text; /* text: bytes hashed for typeHashes so far */
	struct ady_eip712_struct s[ADY_EIP712_TYPES];
};

/* One step of a path, linked to the one above it: a name, or an index when name.p is NULL. */
struct ady_eip712_path {
	const struct ady_eip712_path *up;
	struct ady_bytes name;
	uint32_t index;
};

/* Refuse the value at a path. */
enum ady_err ady_eip712_refuse(const struct ady_eth_reader *r, const struct ady_eip712_path *at,
                               enum ady_err err, const char *why);

/* Read object token i, {"Person": [{"name": "..", "type": ".."}, ..], ..}, at a path.
 * Returns the ADY_E_FIELD_* or ADY_E_TOO_LARGE. */
enum ady_err ady_eip712_types_read(struct ady_eip712_types *types, const struct ady_eth_reader *r,
                                   const struct ady_eip712_path *at, uint32_t i);

/* The number of the struct of that name, or types->n. */
size_t ady_eip712_find(const struct ady_eip712_types *types, struct ady_bytes name);

/* Take a type's text apart. Returns NULL, or why it is none. */
const char *ady_eip712_ref_read(struct ady_eip712_ref *ref, const struct ady_eip712_types *types,
                                struct ady_bytes text);

/* The texts of token member, {"name": "..", "type": ".."}, which was checked. */
struct ady_bytes ady_eip712_member_name(const struct ady_json *doc, uint32_t member);

/* See ady_eip712_member_name. */
struct ady_bytes ady_eip712_member_type(const struct ady_json *doc, uint32_t member);

/* The typeHash of struct number n: keccak256 of its encodeType, the structs it needs behind it in
 * the order of their names. NULL: all types together have more text to hash than
 * ADY_EIP712_TYPE_TEXT; each may be part of every other's. */
const uint8_t *ady_eip712_type_hash(struct ady_eip712_types *types, size_t n);

#endif
