/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/eth_read.h"

#include <stdio.h>

#include "base/text.h"
#include "chain/eth_tx.h"

enum { ETHER_DECIMALS = 18 };

static void path_of(char *out, size_t cap, const struct ady_eth_reader *r, const char *field)
{
	char item[16] = "";

	if (r->in_array)
		snprintf(item, sizeof item, "[%u]", r->index);
	snprintf(out, cap, "%s%s%s%s", r->at, item, field ? "." : "", field ? field : "");
}

enum ady_err ady_eth_refuse(const struct ady_eth_reader *r, enum ady_err err, const char *field,
                            const char *why)
{
	char where[sizeof r->f->where];

	path_of(where, sizeof where, r, field);
	return ady_fail(r->f, err, where, "%s", why);
}

enum ady_err ady_eth_refuse_unknown(const struct ady_eth_reader *r, uint32_t key)
{
	char name[48];
	struct ady_bytes raw = ady_json_raw(r->doc, key);

	snprintf(name, sizeof name, "%.*s", (int)(raw.n < sizeof name ? raw.n : sizeof name - 1),
	         (const char *)raw.p);
	return ady_eth_refuse(r, ADY_E_FIELD_UNKNOWN, name, "is not known");
}

/* The text of string token i. What this library reads has no use for escapes, so a string with
 * them is refused rather than unescaped. */
static enum ady_err plain_string(const struct ady_eth_reader *r, struct ady_bytes *text, uint32_t i,
                                 const char *field, const char *form)
{
	*text = (struct ady_bytes){0};
	if (ady_json_kind(r->doc, i) != ADY_JSON_STRING || r->doc->toks[i].escaped)
		return ady_eth_refuse(r, ADY_E_FIELD_INVALID, field, form);
	*text = ady_json_raw(r->doc, i);
	return ADY_OK;
}

static bool has_hex_prefix(struct ady_bytes text)
{
	return text.n >= 2 && text.p[0] == '0' && text.p[1] == 'x';
}

static enum ady_err number_fault(const struct ady_eth_reader *r, enum ady_err err,
                                 const char *field, const char *form)
{
	if (err == ADY_OK)
		return ADY_OK;
	if (err == ADY_E_FIELD_RANGE)
		return ady_eth_refuse(r, err, field, "exceeds 2^256 - 1");
	return ady_eth_refuse(r, err, field, form);
}

enum ady_err ady_eth_read_u256(const struct ady_eth_reader *r, struct ady_u256 *v, uint32_t i,
                               const char *field)
{
	static const char form[] =
	    "must be \"0x\" and hex digits, a decimal string, or a whole JSON number in digits";
	struct ady_bytes text;
	enum ady_err err;

	*v = (struct ady_u256){0};
	if (ady_json_kind(r->doc, i) == ADY_JSON_NUMBER)
		return number_fault(r, ady_u256_parse_dec(v, ady_json_raw(r->doc, i)), field, form);
	if ((err = plain_string(r, &text, i, field, form)) != ADY_OK)
		return err;
	err = has_hex_prefix(text) ? ady_u256_parse_hex(v, text) : ady_u256_parse_dec(v, text);
	return number_fault(r, err, field, form);
}

enum ady_err ady_eth_read_u64(const struct ady_eth_reader *r, uint64_t *v, uint64_t max, uint32_t i,
                              const char *field)
{
	struct ady_u256 wide;
	enum ady_err err;
	char why[48];

	*v = 0;
	if ((err = ady_eth_read_u256(r, &wide, i, field)) != ADY_OK)
		return err;
	if (ady_u256_to_u64(v, &wide) && *v <= max)
		return ADY_OK;
	*v = 0;
	snprintf(why, sizeof why, "exceeds %llu", (unsigned long long)max);
	return ady_eth_refuse(r, ADY_E_FIELD_RANGE, field, why);
}

enum ady_err ady_eth_read_ether(const struct ady_eth_reader *r, struct ady_u256 *wei, uint32_t i,
                                const char *field)
{
	struct ady_bytes text = ady_json_raw(r->doc, i);

	return number_fault(r, ady_u256_parse_scaled(wei, text, ETHER_DECIMALS), field,
	                    "must be an amount of ether with at most 18 decimals, not negative");
}

enum ady_err ady_eth_read_address(const struct ady_eth_reader *r, uint8_t out20[static 20],
                                  uint32_t i, const char *field)
{
	static const char form[] = "must be \"0x\" and 40 hex digits";
	struct ady_bytes text;
	enum ady_err err;

	if ((err = plain_string(r, &text, i, field, form)) != ADY_OK)
		return err;
	err = ady_eth_address_parse(out20, text);
	if (err == ADY_E_CHECKSUM)
		return ady_eth_refuse(r, err, field, "fails its EIP-55 checksum");
	return err == ADY_OK ? ADY_OK : ady_eth_refuse(r, err, field, form);
}

enum ady_err ady_eth_read_fixed(const struct ady_eth_reader *r, uint8_t *out, size_t n, uint32_t i,
                                const char *field, const char *why)
{
	struct ady_bytes text;
	enum ady_err err;
	size_t got;

	if ((err = plain_string(r, &text, i, field, why)) != ADY_OK)
		return err;
	if (!has_hex_prefix(text) || text.n != 2 + 2 * n ||
	    ady_hex_decode(out, n, &got, ady_bytes(text.p + 2, text.n - 2)) != ADY_OK)
		return ady_eth_refuse(r, ADY_E_FIELD_INVALID, field, why);
	return ADY_OK;
}

enum ady_err ady_eth_read_bytes(const struct ady_eth_reader *r, struct ady_bytes *out, uint32_t i,
                                const char *field)
{
	static const char form[] = "must be \"0x\" and an even number of hex digits";
	struct ady_buf *s = r->scratch;
	struct ady_bytes text;
	enum ady_err err;
	size_t n;

	*out = (struct ady_bytes){0};
	if ((err = plain_string(r, &text, i, field, form)) != ADY_OK)
		return err;
	if (!has_hex_prefix(text))
		return ady_eth_refuse(r, ADY_E_FIELD_INVALID, field, form);
	err = ady_hex_decode(s->p + s->n, s->cap - s->n, &n, ady_bytes(text.p + 2, text.n - 2));
	if (err == ADY_E_TOO_LARGE)
		return ady_eth_refuse(r, err, field, "is too large");
	if (err != ADY_OK)
		return ady_eth_refuse(r, err, field, form);
	*out = ady_bytes(s->p + s->n, n);
	s->n += n;
	return ADY_OK;
}
