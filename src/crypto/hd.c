/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hd.h"

#include <string.h>

#include "crypto/hmac512.h"

void ady_hd_node_wipe(struct ady_hd_node *node)
{
	ady_zero(node, sizeof *node);
}

static enum ady_err fail(struct ady_hd_node *node, enum ady_err err)
{
	ady_hd_node_wipe(node);
	return err;
}

/* Both kinds of tree begin and go on with one HMAC-SHA-512, whose halves are key and chain code. */
static enum ady_err master(struct ady_hd_node *node, const char *name, struct ady_bytes seed)
{
	ady_hd_node_wipe(node);
	if (seed.n < ADY_HD_SEED_MIN || seed.n > ADY_HD_SEED_MAX)
		return ADY_E_KEY_FORM;
	_Static_assert(sizeof *node == 64, "a node is what the HMAC makes");
	ady_hmac_sha512((uint8_t *)node, ady_bytes_str(name), &seed, 1);
	return ADY_OK;
}

/* The halves for child index of node, whose part of the data is head and body. */
static void child_of(struct ady_hd_node *out, const struct ady_hd_node *node, struct ady_bytes head,
                     struct ady_bytes body, uint32_t index)
{
	const uint8_t be[4] = {(uint8_t)(index >> 24), (uint8_t)(index >> 16),
	                       (uint8_t)(index >> 8), (uint8_t)index};
	const struct ady_bytes parts[] = {head, body, ady_bytes(be, sizeof be)};

	ady_hmac_sha512((uint8_t *)out, ady_bytes(node->chain, sizeof node->chain), parts, 3);
}

static struct ady_bytes private_of(const struct ady_hd_node *node)
{
	return ady_bytes(node->key.b, sizeof node->key.b);
}

static const uint8_t zero_byte[1];

enum ady_err ady_bip32_master(struct ady_hd_node *node, const struct ady_secp *secp,
                              struct ady_bytes seed)
{
	enum ady_err err = master(node, "Bitcoin seed", seed);

	if (err == ADY_OK)
		err = ady_secp_check(secp, &node->key);
	return err == ADY_OK ? ADY_OK : fail(node, err);
}

enum ady_err ady_bip32_child(struct ady_hd_node *node, const struct ady_secp *secp, uint32_t index)
{
	ADY_SECRET_NODE child = {0};
	uint8_t pub65[65], pub33[33];
	enum ady_err err = ADY_OK;

	if (index & ADY_HD_HARDENED) {
		child_of(&child, node, ady_bytes(zero_byte, 1), private_of(node), index);
	} else if ((err = ady_secp_public(secp, pub65, &node->key)) == ADY_OK) {
		ady_secp_compress(pub33, pub65);
		child_of(&child, node, ady_bytes(pub33, sizeof pub33), ady_bytes(NULL, 0), index);
	}
	if (err == ADY_OK)
		err = ady_secp_add(secp, &child.key, &node->key);
	if (err != ADY_OK)
		return fail(node, err);
	*node = child;
	return ADY_OK;
}

enum ady_err ady_slip10_master(struct ady_hd_node *node, struct ady_bytes seed)
{
	return master(node, "ed25519 seed", seed);
}

enum ady_err ady_slip10_child(struct ady_hd_node *node, uint32_t index)
{
	ADY_SECRET_NODE child = {0};

	if (!(index & ADY_HD_HARDENED))
		return fail(node, ADY_E_FIELD_INVALID);
	child_of(&child, node, ady_bytes(zero_byte, 1), private_of(node), index);
	*node = child;
	return ADY_OK;
}
