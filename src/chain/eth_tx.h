/* SPDX-License-Identifier: Apache-2.0
 *
 * Ethereum transactions: from JSON to a checked value, and from the value to the bytes that are
 * hashed and sent. Legacy with and without EIP-155, EIP-2930, EIP-1559, EIP-4844 and EIP-7702
 * (EIP-2718 envelopes). */
#ifndef ADY_CHAIN_ETH_TX_H
#define ADY_CHAIN_ETH_TX_H

#include "base/u256.h"
#include "codec/json.h"
#include "crypto/secp.h"

enum ady_eth_type {
	ADY_ETH_LEGACY = 0,
	ADY_ETH_ACCESS_LIST = 1,
	ADY_ETH_DYNAMIC_FEE = 2,
	ADY_ETH_BLOB = 3,
	ADY_ETH_SET_CODE = 4,
};

/* Bytes that the encoding of a transaction takes at most beside its data and lists. */
enum { ADY_ETH_TX_FIXED_MAX = 256 };

struct ady_eth_tx {
	enum ady_eth_type type;
	/* 1 .. 2^63 - 37 (EIP-2294). 0 is of a legacy transaction without EIP-155: good for every
	 * chain, so whoever signs it must have asked whether this key may. */
	uint64_t chain_id;
	uint64_t nonce; /* 0 .. 2^64 - 2 (EIP-2681) */
	uint64_t gas;
	struct ady_u256 gas_price;                 /* types 0 and 1 */
	struct ady_u256 max_fee, max_priority_fee; /* types 2 to 4 */
	struct ady_u256 max_blob_fee;              /* type 3, per unit of blob gas */
	struct ady_u256 value;
	bool has_to; /* false: contract creation; data is then not empty */
	uint8_t to[20];
	struct ady_bytes data; /* in the scratch space */
	/* There too, each as RLP, complete with its head; empty: none. */
	struct ady_bytes access_list;
	struct ady_bytes blob_hashes;    /* type 3, never an empty list */
	struct ady_bytes authorizations; /* type 4, never an empty list */
	uint64_t blobs;                  /* how many hashes */
	bool has_from;                   /* "from" was given and must be the key's address */
	uint8_t from[20];
};

/* How amounts are written. */
enum ady_eth_units {
	ADY_ETH_WEI, /* all in wei: "0x..", decimal strings or JSON integers */
	/* The AWS sample: value as a JSON number is ether, exactly; as a string it is wei. */
	ADY_ETH_SAMPLE_ETHER,
};

/* Read the transaction in object token i. Names as JSON-RPC has them: type, chainId, nonce, to,
 * value, gas or gasLimit, gasPrice, maxFeePerGas, maxPriorityFeePerGas, data or input (both only
 * when equal), accessList, from; maxFeePerBlobGas, blobVersionedHashes and commitments of type 3;
 * authorizationList of type 4, whose tuples are signed already: {"chainId", "address", "nonce",
 * "yParity", "r", "s"}. type may be absent: with blobVersionedHashes it is 3, with
 * authorizationList 4; else with gasPrice 0, or 1 when there is an access list as well; else 2.
 * chainId may be absent of a legacy transaction, which is then one without EIP-155; it is never 0.
 * to absent or null: creation, the type is then at most 2, and data required; only with to null and
 * no value it may be empty (value would be lost). value may be absent (0), data too (empty),
 * accessList too; null is read as absent for to, the fees and the lists only.
 * Every quantity is "0x" hex, a decimal string or a JSON integer in digits, exact to 256 bits. An
 * address in mixed case must carry its EIP-55 checksum. Unknown, contradictory and missing fields
 * are refused with the field's path, which begins with at ("transaction"), as is what is valid
 * under no rules: a nonce of 2^64 - 1, gas * price or the blobs' cost above 2^256 - 1. What a
 * chain's rules may change is the node's to refuse: intrinsic gas, the size of initcode. (Duplicate
 * fields never get here: codec/json.h.)
 *
 * A blob transaction is signed without its sidecar, which the signature covers by the hashes alone;
 * a blob is larger than a request. commitments, when given, must be those of the hashes: one of 48
 * bytes each, 0x01 || sha256(commitment)[1:]. Who sends the transaction attaches the sidecar.
 *
 * scratch: storage for data and lists, as large as the JSON text; it must outlive tx.
 * Returns: the ADY_E_FIELD_*, ADY_E_CHECKSUM, ADY_E_CHAIN_ID, ADY_E_FEES or ADY_E_TOO_LARGE. */
enum ady_err ady_eth_tx_parse(struct ady_eth_tx *tx, const struct ady_json *doc, uint32_t i,
                              enum ady_eth_units units, const char *at, struct ady_buf *scratch,
                              struct ady_fault *f);

/* Write the transaction: with sig NULL what is hashed for signing, else what is broadcast.
 * b is full when it does not fit (ADY_ETH_TX_FIXED_MAX + data + lists always suffice). */
void ady_eth_tx_encode(struct ady_buf *b, const struct ady_eth_tx *tx,
                       const struct ady_secp_sig *sig);

/* The address of a public key: the last 20 bytes of its Keccak-256. */
void ady_eth_address(uint8_t address20[static 20], const uint8_t pub65[static 65]);

/* Write the EIP-55 text of an address with "0x" and a NUL. */
void ady_eth_address_format(char out[static 43], const uint8_t address20[static 20]);

/* Parse an address: "0x" and 40 hex digits, all lower, all upper, or mixed with a right checksum.
 * Returns ADY_E_FIELD_INVALID or ADY_E_CHECKSUM. */
enum ady_err ady_eth_address_parse(uint8_t address20[static 20], struct ady_bytes text);

#endif
