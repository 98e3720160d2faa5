/* SPDX-License-Identifier: Apache-2.0
 *
 * Trees of keys out of one seed: BIP-32 for secp256k1, SLIP-10 for ed25519. (EIP-2333, for
 * BLS12-381, is in crypto/bls.h.) Private children of private parents only. No heap; what these
 * leave on the stack is the caller's to wipe (ady_stack_wipe). */
#ifndef ADY_CRYPTO_HD_H
#define ADY_CRYPTO_HD_H

#include "crypto/secp.h"

/* Added to an index: the child comes of the parent's private key. */
#define ADY_HD_HARDENED 0x80000000u

enum { ADY_HD_SEED_MIN = 16, ADY_HD_SEED_MAX = 64 };

/* A node of a tree: private key and chain code. */
struct ady_hd_node {
	struct ady_seckey key;
	uint8_t chain[32];
};

/* For the attribute of ADY_SECRET_NODE. */
void ady_hd_node_wipe(struct ady_hd_node *node);

/* A local node that is wiped whenever its scope is left. */
#define ADY_SECRET_NODE __attribute__((cleanup(ady_hd_node_wipe))) struct ady_hd_node

/* The master node of a seed of 16 to 64 bytes (BIP-32 "Master key generation").
 * Returns: ADY_E_KEY_FORM for another length; ADY_E_KEY_RANGE, with a chance of 2^-127, when the
 * seed gives no key: *node is zero then. Time: constant in the seed. */
enum ady_err ady_bip32_master(struct ady_hd_node *node, const struct ady_secp *secp,
                              struct ady_bytes seed);

/* Put child index in place of its parent (BIP-32 CKDpriv).
 * Returns: ADY_E_KEY_RANGE, with a chance of 2^-127, when there is no such child; *node is zero
 * then. Time: constant in the node; the index is public. */
enum ady_err ady_bip32_child(struct ady_hd_node *node, const struct ady_secp *secp, uint32_t index);

/* The master node of an ed25519 tree (SLIP-10). Returns ADY_E_KEY_FORM. Time: as above. */
enum ady_err ady_slip10_master(struct ady_hd_node *node, struct ady_bytes seed);

/* Put child index in place of its parent (SLIP-10 for ed25519: hardened children only).
 * Returns: ADY_E_FIELD_INVALID for another index, *node is zero then. Time: as above. */
enum ady_err ady_slip10_child(struct ady_hd_node *node, uint32_t index);

#endif
