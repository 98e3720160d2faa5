/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/eth_message.h"

#include <stdio.h>

#include "crypto/hash.h"

/* Of the two versions of EIP-191 that are bytes with a head. */
static void digest_of(uint8_t digest32[static 32], struct ady_bytes head, struct ady_bytes body)
{
	struct ady_keccak k;

	ady_keccak_init(&k);
	ady_keccak_update(&k, head);
	ady_keccak_update(&k, body);
	ady_keccak_final(&k, digest32);
}

void ady_eth_personal_digest(uint8_t digest32[static 32], struct ady_bytes message)
{
	char head[64];
	int n = snprintf(head, sizeof head,
	                 "\x19"
	                 "Ethereum Signed Message:\n%zu",
	                 message.n);

	digest_of(digest32, ady_bytes(head, (size_t)n), message);
}

void ady_eth_validator_digest(uint8_t digest32[static 32], const uint8_t address20[static 20],
                              struct ady_bytes data)
{
	uint8_t space[22];
	struct ady_buf head = ady_buf(space, sizeof space);

	ady_buf_be16(&head, 0x1900);
	ady_buf_put(&head, address20, 20);
	digest_of(digest32, ady_buf_bytes(&head), data);
}

/* Find the members with these two names; no others may be there. */
static enum ady_err find_two(const struct ady_eth_reader *r, uint32_t value[static 2], uint32_t i,
                             const char *first, const char *second)
{
	value[0] = value[1] = 0;
	if (ady_json_kind(r->doc, i) != ADY_JSON_OBJECT)
		return ady_eth_refuse(r, ADY_E_FIELD_INVALID, NULL, "must be an object");
	for (uint32_t k = ady_json_first(r->doc, i); k; k = ady_json_after(r->doc, i, k)) {
		bool is_first = ady_json_is(r->doc, k, first);

		if (!is_first && !ady_json_is(r->doc, k, second))
			return ady_eth_refuse_unknown(r, k);
		value[!is_first] = k + 1;
	}
	return ADY_OK;
}

static enum ady_err read_text(const struct ady_eth_reader *r, struct ady_bytes *text, uint32_t i)
{
	struct ady_buf *s = r->scratch;
	enum ady_err err;
	size_t n;

	err = ady_json_string(r->doc, i, (char *)s->p + s->n, s->cap - s->n, &n);
	if (err == ADY_E_TOO_LARGE)
		return ady_eth_refuse(r, err, "text", "is too large");
	if (err != ADY_OK)
		return ady_eth_refuse(r, err, "text", "must be a string");
	*text = ady_bytes(s->p + s->n, n);
	s->n += n;
	return ADY_OK;
}

enum ady_err ady_eth_read_message_bytes(struct ady_bytes *message, const struct ady_eth_reader *r,
                                        uint32_t i)
{
	uint32_t value[2];
	enum ady_err err = find_two(r, value, i, "text", "hex");

	*message = (struct ady_bytes){0};
	if (err != ADY_OK)
		return err;
	if (!value[0] == !value[1])
		return ady_eth_refuse(r, value[0] ? ADY_E_FIELD_INVALID : ADY_E_FIELD_MISSING, NULL,
		                      "must have either text or hex");
	return value[0] ? read_text(r, message, value[0])
	                : ady_eth_read_bytes(r, message, value[1], "hex");
}

enum ady_err ady_eth_read_message(uint8_t digest32[static 32], const struct ady_eth_reader *r,
                                  uint32_t i)
{
	struct ady_bytes message;
	enum ady_err err = ady_eth_read_message_bytes(&message, r, i);

	if (err == ADY_OK)
		ady_eth_personal_digest(digest32, message);
	return err;
}

enum ady_err ady_eth_read_validator_parts(uint8_t address20[static 20], struct ady_bytes *data,
                                          const struct ady_eth_reader *r, uint32_t i)
{
	uint32_t value[2];
	enum ady_err err = find_two(r, value, i, "address", "data");

	*data = (struct ady_bytes){0};
	if (err != ADY_OK)
		return err;
	if (!value[0] || !value[1])
		return ady_eth_refuse(r, ADY_E_FIELD_MISSING, value[0] ? "data" : "address",
		                      "is required");
	err = ady_eth_read_address(r, address20, value[0], "address");
	return err != ADY_OK ? err : ady_eth_read_bytes(r, data, value[1], "data");
}

enum ady_err ady_eth_read_validator_data(uint8_t digest32[static 32],
                                         const struct ady_eth_reader *r, uint32_t i)
{
	struct ady_bytes data;
	uint8_t address[20];
	enum ady_err err = ady_eth_read_validator_parts(address, &data, r, i);

	if (err == ADY_OK)
		ady_eth_validator_digest(digest32, address, data);
	return err;
}
