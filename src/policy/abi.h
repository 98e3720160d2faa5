/* SPDX-License-Identifier: Apache-2.0
 *
 * Calldata as the Solidity ABI has it, in its one canonical form: each dynamic part directly behind
 * the one before, padding zero, nothing behind the last. Contracts read other layouts too, and not
 * all alike; what ethers, viem and solc write is canonical. */
#ifndef ADY_POLICY_ABI_H
#define ADY_POLICY_ABI_H

#include "policy/path.h"

struct ady_abi {
	struct ady_tree tree;  /* first: the functions of the tree cast back */
	struct ady_bytes data; /* the arguments: calldata without its selector */
};

/* Whether data is the canonical encoding of the arguments in tuple root. Time: linear in data. */
bool ady_abi_check(const struct ady_types *types, uint16_t root, struct ady_bytes data);

/* A tree over data that ady_abi_check accepted; walks start at cursor 0. */
void ady_abi_init(struct ady_abi *abi, const struct ady_types *types, struct ady_bytes data);

#endif
