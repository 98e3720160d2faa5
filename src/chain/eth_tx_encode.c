/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/eth_tx.h"

#include "codec/rlp.h"

enum { NUMBERS = 4, ITEMS = 14 };

/* The items of the transaction's list in order. RLP puts the size of a list before it, so all
 * items are gathered as views first, measured, and then written in one pass. */
struct plan {
	struct ady_u256 number[NUMBERS];
	size_t numbers;
	struct {
		struct ady_bytes v;
		bool verbatim; /* already RLP */
	} item[ITEMS];
	size_t items, payload;
};

static void add_string(struct plan *p, struct ady_bytes v)
{
	p->item[p->items++].v = v;
	p->payload += ady_rlp_size_string(v);
}

static void add_u256(struct plan *p, const struct ady_u256 *v)
{
	add_string(p, ady_u256_minimal(v));
}

static void add_u64(struct plan *p, uint64_t v)
{
	struct ady_u256 *n = &p->number[p->numbers++];

	*n = ady_u256_from_u64(v);
	add_u256(p, n);
}

static void add_be32(struct plan *p, const uint8_t be[static 32])
{
	struct ady_bytes v = ady_bytes(be, 32);

	while (v.n > 0 && v.p[0] == 0)
		v = ady_bytes(v.p + 1, v.n - 1);
	add_string(p, v);
}

static void add_list(struct plan *p, struct ady_bytes rlp)
{
	static const uint8_t empty_list = 0xc0;

	if (rlp.n == 0)
		rlp = ady_bytes(&empty_list, 1);
	p->item[p->items].v = rlp;
	p->item[p->items++].verbatim = true;
	p->payload += rlp.n;
}

static void add_fees(struct plan *p, const struct ady_eth_tx *tx)
{
	if (tx->type >= ADY_ETH_DYNAMIC_FEE) {
		add_u256(p, &tx->max_priority_fee);
		add_u256(p, &tx->max_fee);
	} else {
		add_u256(p, &tx->gas_price);
	}
}

/* EIP-155: v = chain id * 2 + 35 + parity, and (chain id, 0, 0) in its place for hashing. Before
 * it, v = 27 + parity and nothing. The typed envelopes carry the parity itself, and nothing for
 * hashing. */
static void add_signature(struct plan *p, const struct ady_eth_tx *tx,
                          const struct ady_secp_sig *sig)
{
	bool legacy = tx->type == ADY_ETH_LEGACY;
	uint64_t v = !legacy ? 0 : tx->chain_id ? tx->chain_id * 2 + 35 : 27;

	if (sig) {
		add_u64(p, v + sig->y_parity);
		add_be32(p, sig->r);
		add_be32(p, sig->s);
	} else if (legacy && tx->chain_id) {
		add_u64(p, tx->chain_id);
		add_string(p, (struct ady_bytes){0});
		add_string(p, (struct ady_bytes){0});
	}
}

static void write(struct ady_buf *b, const struct plan *p)
{
	ady_rlp_put_list(b, p->payload);
	for (size_t i = 0; i < p->items; i++) {
		if (p->item[i].verbatim)
			ady_buf_view(b, p->item[i].v);
		else
			ady_rlp_put_string(b, p->item[i].v);
	}
}

void ady_eth_tx_encode(struct ady_buf *b, const struct ady_eth_tx *tx,
                       const struct ady_secp_sig *sig)
{
	struct plan p = {0};
	bool legacy = tx->type == ADY_ETH_LEGACY;

	if (!legacy)
		add_u64(&p, tx->chain_id);
	add_u64(&p, tx->nonce);
	add_fees(&p, tx);
	add_u64(&p, tx->gas);
	add_string(&p, ady_bytes(tx->to, tx->has_to ? sizeof tx->to : 0));
	add_u256(&p, &tx->value);
	add_string(&p, tx->data);
	if (!legacy)
		add_list(&p, tx->access_list);
	if (tx->type == ADY_ETH_BLOB) {
		add_u256(&p, &tx->max_blob_fee);
		add_list(&p, tx->blob_hashes);
	}
	if (tx->type == ADY_ETH_SET_CODE)
		add_list(&p, tx->authorizations);
	add_signature(&p, tx, sig);
	if (!legacy)
		ady_buf_u8(b, (uint8_t)tx->type);
	write(b, &p);
}
