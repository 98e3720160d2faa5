/* SPDX-License-Identifier: Apache-2.0
 *
 * What an account signs beside transactions, from JSON to the digest: EIP-191 messages, EIP-712
 * typed data (chain/eip712.c), EIP-7702 authorizations. Each digest is of bytes that begin with
 * 0x19 or 0x05, which no transaction does: none can be passed off as one. The digests of
 * chain/eth_clique.c are of the bytes as given, which are looked at before. */
#ifndef ADY_CHAIN_ETH_MESSAGE_H
#define ADY_CHAIN_ETH_MESSAGE_H

#include "chain/eth_read.h"

enum { ADY_EIP712_TYPES = 64, ADY_EIP712_TYPE_TEXT = 256 * 1024, ADY_EIP712_VALUES = 4096 };

enum ady_eip712_version { ADY_EIP712_V3 = 3, ADY_EIP712_V4 = 4 };

/* What becomes of members of a value that its type does not name. */
enum ady_eip712_unknown { ADY_EIP712_REFUSE, ADY_EIP712_IGNORE };

/* A personal message (EIP-191, version 0x45): keccak256("\x19" "Ethereum Signed Message:\n" ||
 * decimal length || message). */
void ady_eth_personal_digest(uint8_t digest32[static 32], struct ady_bytes message);

/* Data for a validator contract (EIP-191, version 0x00): keccak256(0x19 0x00 || address || data).
 */
void ady_eth_validator_digest(uint8_t digest32[static 32], const uint8_t address20[static 20],
                              struct ady_bytes data);

/* The readers: object token i, whose path is r->at; r->scratch needs as much room as the JSON text.
 * Unknown, missing and malformed members are refused with their path.
 * Returns: the ADY_E_FIELD_*, ADY_E_CHECKSUM or ADY_E_TOO_LARGE; digest32 is then undefined. */

/* {"text": ".."} or {"hex": "0x.."}: of a text the UTF-8 bytes are signed. */
enum ady_err ady_eth_read_message(uint8_t digest32[static 32], const struct ady_eth_reader *r,
                                  uint32_t i);

/* The bytes of the same: in the scratch space, behind what it held, or in its text. */
enum ady_err ady_eth_read_message_bytes(struct ady_bytes *message, const struct ady_eth_reader *r,
                                        uint32_t i);

/* {"address": "0x..", "data": "0x.."}, and its parts; data is in the scratch space. */
enum ady_err ady_eth_read_validator_parts(uint8_t address20[static 20], struct ady_bytes *data,
                                          const struct ady_eth_reader *r, uint32_t i);

/* {"address": "0x..", "data": "0x.."} */
enum ady_err ady_eth_read_validator_data(uint8_t digest32[static 32],
                                         const struct ady_eth_reader *r, uint32_t i);

/* What an authorization says (EIP-7702). */
struct ady_eth_authorization {
	struct ady_u256 chain; /* 0: any chain */
	uint8_t address[20];
	uint64_t nonce;
};

/* {"chainId", "address", "nonce"}, its parts and its digest (below). */
enum ady_err ady_eth_read_authorization(struct ady_eth_authorization *a,
                                        uint8_t digest32[static 32], const struct ady_eth_reader *r,
                                        uint32_t i);

/* {"chainId", "address", "nonce"}: keccak256(0x05 || rlp([chainId, address, nonce])), EIP-7702.
 * chainId 0 authorizes on every chain. */
enum ady_err ady_eth_authorization_digest(uint8_t digest32[static 32],
                                          const struct ady_eth_reader *r, uint32_t i);

/* "0x..": the header of a Clique block (EIP-225) in RLP, without the 65 bytes of the seal that its
 * extraData will end in: keccak256 of it. Canonical RLP, 15 items or, with baseFeePerGas, 16, each
 * of its size; extraData is 32 bytes and any number of addresses. Returns: ADY_E_RLP with the item,
 * beside the errors of above. */
enum ady_err ady_eth_clique_digest(uint8_t digest32[static 32], const struct ady_eth_reader *r,
                                   uint32_t i);

/* "0x..": keccak256 of any bytes but those that could be hashed for a transaction or an
 * authorization: one RLP list, alone or behind a byte below 0x80.
 * Returns: ADY_E_DENIED for those, beside the errors of above. */
enum ady_err ady_eth_data_digest(uint8_t digest32[static 32], const struct ady_eth_reader *r,
                                 uint32_t i);

/* {"types", "primaryType", "domain", "message"} of EIP-712, as eth_signTypedData_v4 has it:
 * keccak256(0x19 0x01 || domain separator || hashStruct(message)); without the last part when
 * primaryType is EIP712Domain.
 *
 * Types: at most ADY_EIP712_TYPES structs, with at most ADY_EIP712_TYPE_TEXT bytes to hash for the
 * typeHashes of those that values have; whose names and members' names are printable ASCII
 * without space, brackets, comma and quotes; every member's type must be known, also of structs
 * that are not used. Recursive types are fine. EIP712Domain may be absent: it is then made of the
 * members of domain in the order of the EIP. Values: address (checksummed when in mixed case),
 * bool (true, false), intN and uintN (quantities, "-" before for intN), bytesN of exactly N bytes,
 * bytes, string, arrays of any depth that JSON allows here (ADY_JSON_DEPTH) and of the length that
 * T[n] says. Members of a value that its type does not name are not signed: refused, so that what
 * is shown is what is signed, or ignored as eth-sig-util, ethers and viem do. Missing ones are
 * refused, but for a struct in V4, which is 32 zero bytes when null or absent, as in eth-sig-util:
 * a recursive value ends so. V3 has no arrays. At most ADY_EIP712_VALUES members, absent ones
 * included. Time: bounded by these limits; no heap. */
enum ady_err ady_eip712_digest(uint8_t digest32[static 32], const struct ady_eth_reader *r,
                               uint32_t i, enum ady_eip712_version version,
                               enum ady_eip712_unknown unknown);

/* What a checked document says, for who decides on it: tokens of its JSON, valid as long as that.
 * type_hash is keccak256 of the encodeType of primaryType. */
struct ady_eip712_view {
	const struct ady_json *doc;
	uint32_t types, primary, domain;
	uint32_t message; /* 0: the domain itself is signed */
	uint8_t type_hash[32];
};

/* ady_eip712_digest, and what was found on the way; view is complete on ADY_OK only. */
enum ady_err ady_eip712_read(struct ady_eip712_view *view, uint8_t digest32[static 32],
                             const struct ady_eth_reader *r, uint32_t i,
                             enum ady_eip712_version version, enum ady_eip712_unknown unknown);

#endif
