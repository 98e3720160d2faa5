/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/eth_read.h"

#include <stdio.h>

#include "codec/rlp.h"

enum { ADDRESS_RLP = 1 + 20, KEY_RLP = 1 + 32 };

struct entry {
	uint32_t address, keys; /* tokens */
};

static enum ady_err find_members(const struct ady_eth_reader *r, struct entry *e, uint32_t i)
{
	*e = (struct entry){0};
	if (ady_json_kind(r->doc, i) != ADY_JSON_OBJECT)
		return ady_eth_refuse(r, ADY_E_FIELD_INVALID, NULL,
		                      "must be an object of address and storageKeys");
	for (uint32_t k = ady_json_first(r->doc, i); k; k = ady_json_after(r->doc, i, k)) {
		if (ady_json_is(r->doc, k, "address"))
			e->address = k + 1;
		else if (ady_json_is(r->doc, k, "storageKeys"))
			e->keys = k + 1;
		else
			return ady_eth_refuse_unknown(r, k);
	}
	if (!e->address)
		return ady_eth_refuse(r, ADY_E_FIELD_MISSING, "address", "is required");
	if (!e->keys)
		return ady_eth_refuse(r, ADY_E_FIELD_MISSING, "storageKeys", "is required");
	if (ady_json_kind(r->doc, e->keys) != ADY_JSON_ARRAY)
		return ady_eth_refuse(r, ADY_E_FIELD_INVALID, "storageKeys", "must be an array");
	return ADY_OK;
}

/* All parts have a fixed size, so the number of keys is all that an entry's heads need. */
static size_t keys_payload(const struct ady_eth_reader *r, const struct entry *e)
{
	return (size_t)r->doc->toks[e->keys].count * KEY_RLP;
}

static size_t entry_payload(const struct ady_eth_reader *r, const struct entry *e)
{
	return ADDRESS_RLP + ady_rlp_size_list(keys_payload(r, e));
}

static enum ady_err write_key(const struct ady_eth_reader *r, uint32_t i, uint32_t number)
{
	uint8_t key[32];
	enum ady_err err;
	char field[32];

	snprintf(field, sizeof field, "storageKeys[%u]", number);
	err = ady_eth_read_fixed(r, key, sizeof key, i, field, "must be \"0x\" and 64 hex digits");
	if (err == ADY_OK)
		ady_rlp_put_string(r->scratch, ady_bytes(key, sizeof key));
	return err;
}

/* EIP-2930: [address, [storage key, ...]] */
static enum ady_err write_entry(const struct ady_eth_reader *r, const struct entry *e)
{
	uint8_t address[20];
	enum ady_err err;
	uint32_t number = 0;

	if ((err = ady_eth_read_address(r, address, e->address, "address")) != ADY_OK)
		return err;
	ady_rlp_put_list(r->scratch, entry_payload(r, e));
	ady_rlp_put_string(r->scratch, ady_bytes(address, sizeof address));
	ady_rlp_put_list(r->scratch, keys_payload(r, e));
	for (uint32_t k = ady_json_first(r->doc, e->keys); k;
	     k = ady_json_after(r->doc, e->keys, k))
		if ((err = write_key(r, k, number++)) != ADY_OK)
			return err;
	return ADY_OK;
}

/* Sum up what the entries take, checking their shape. */
static enum ady_err measure(struct ady_eth_reader *r, size_t *payload, uint32_t i)
{
	struct entry e;
	enum ady_err err;

	*payload = 0;
	r->index = 0;
	for (uint32_t k = ady_json_first(r->doc, i); k; k = ady_json_after(r->doc, i, k)) {
		if ((err = find_members(r, &e, k)) != ADY_OK)
			return err;
		*payload += ady_rlp_size_list(entry_payload(r, &e));
		r->index++;
	}
	return ADY_OK;
}

static enum ady_err write_list(struct ady_eth_reader *r, size_t payload, uint32_t i)
{
	struct entry e;
	enum ady_err err;

	r->index = 0;
	ady_rlp_put_list(r->scratch, payload);
	for (uint32_t k = ady_json_first(r->doc, i); k; k = ady_json_after(r->doc, i, k)) {
		if ((err = find_members(r, &e, k)) != ADY_OK ||
		    (err = write_entry(r, &e)) != ADY_OK)
			return err;
		r->index++;
	}
	return ADY_OK;
}

enum ady_err ady_eth_read_access_list(const struct ady_eth_reader *r, struct ady_bytes *rlp,
                                      uint32_t i)
{
	struct ady_eth_reader items = *r;
	size_t payload, start = r->scratch->n;
	enum ady_err err;
	char at[48];

	*rlp = (struct ady_bytes){0};
	if (ady_json_kind(r->doc, i) != ADY_JSON_ARRAY)
		return ady_eth_refuse(r, ADY_E_FIELD_INVALID, "accessList", "must be an array");
	snprintf(at, sizeof at, "%s.accessList", r->at);
	items.at = at;
	items.in_array = true;
	if ((err = measure(&items, &payload, i)) != ADY_OK ||
	    (err = write_list(&items, payload, i)) != ADY_OK)
		return err;
	if (r->scratch->full)
		return ady_eth_refuse(r, ADY_E_TOO_LARGE, "accessList", "is too large");
	*rlp = ady_bytes(r->scratch->p + start, r->scratch->n - start);
	return ADY_OK;
}
