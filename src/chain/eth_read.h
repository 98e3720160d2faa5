/* SPDX-License-Identifier: Apache-2.0
 *
 * One JSON value of a transaction to one checked value. Every refusal names the field by its path;
 * a path is only put together when something is refused. Used by eth_*.c alone. */
#ifndef ADY_CHAIN_ETH_READ_H
#define ADY_CHAIN_ETH_READ_H

#include "base/u256.h"
#include "codec/json.h"

struct ady_eth_reader {
	const struct ady_json *doc;
	const char *at;          /* path of the object or array that is read */
	bool in_array;           /* "at[index].field" instead of "at.field" */
	uint32_t index;          /* the item of the array */
	struct ady_buf *scratch; /* where byte strings are decoded to */
	struct ady_fault *f;
};

/* Refuse: the fault names field (NULL: the object itself) below r's path; why is one clause. */
enum ady_err ady_eth_refuse(const struct ady_eth_reader *r, enum ady_err err, const char *field,
                            const char *why);

/* Refuse the member whose key is token key: ADY_E_FIELD_UNKNOWN. */
enum ady_err ady_eth_refuse_unknown(const struct ady_eth_reader *r, uint32_t key);

/* A quantity: "0x" hex, a decimal string or a JSON integer written out in digits.
 * Returns ADY_E_FIELD_INVALID or ADY_E_FIELD_RANGE. */
enum ady_err ady_eth_read_u256(const struct ady_eth_reader *r, struct ady_u256 *v, uint32_t i,
                               const char *field);

/* A quantity of at most max. Errors as ady_eth_read_u256. */
enum ady_err ady_eth_read_u64(const struct ady_eth_reader *r, uint64_t *v, uint64_t max, uint32_t i,
                              const char *field);

/* A JSON number of ether, exactly, in wei. Errors as ady_eth_read_u256. */
enum ady_err ady_eth_read_ether(const struct ady_eth_reader *r, struct ady_u256 *wei, uint32_t i,
                                const char *field);

/* An address. Returns ADY_E_FIELD_INVALID or ADY_E_CHECKSUM. */
enum ady_err ady_eth_read_address(const struct ady_eth_reader *r, uint8_t out20[static 20],
                                  uint32_t i, const char *field);

/* Exactly n bytes in hex with "0x". Returns ADY_E_FIELD_INVALID; why says what must be there. */
enum ady_err ady_eth_read_fixed(const struct ady_eth_reader *r, uint8_t *out, size_t n, uint32_t i,
                                const char *field, const char *why);

/* Bytes in hex with "0x", decoded behind what the scratch space holds; *out is a view of them.
 * Returns ADY_E_FIELD_INVALID or ADY_E_TOO_LARGE. */
enum ady_err ady_eth_read_bytes(const struct ady_eth_reader *r, struct ady_bytes *out, uint32_t i,
                                const char *field);

/* An access list as JSON-RPC has it, [{"address", "storageKeys": [..]}], to its RLP (EIP-2930) in
 * the scratch space. Returns the ADY_E_FIELD_*, ADY_E_CHECKSUM or ADY_E_TOO_LARGE. */
enum ady_err ady_eth_read_access_list(const struct ady_eth_reader *r, struct ady_bytes *rlp,
                                      uint32_t i);

/* The versioned hashes of a blob transaction, an array of at least one of 32 bytes with version 1
 * (EIP-4844), to their RLP in the scratch space; *n is how many. Errors as above. */
enum ady_err ady_eth_read_blob_hashes(const struct ady_eth_reader *r, struct ady_bytes *rlp,
                                      uint64_t *n, uint32_t i);

/* Check that the commitments in array i are those of the hashes in array hashes, one for one.
 * Returns ADY_E_FIELD_INVALID. */
enum ady_err ady_eth_check_commitments(const struct ady_eth_reader *r, uint32_t i, uint32_t hashes);

/* The signed tuples of a type 4 transaction, an array of at least one, to their RLP (EIP-7702) in
 * the scratch space. Errors as for access lists. */
enum ady_err ady_eth_read_authorizations(const struct ady_eth_reader *r, struct ady_bytes *rlp,
                                         uint32_t i);

#endif
