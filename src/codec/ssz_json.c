/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/ssz_json.h"

#include <string.h>

#include "base/text.h"
#include "base/u256.h"

enum { CHUNK = 32, WHERE = sizeof((struct ady_fault *)0)->where };

/* The way from the root to a value, put into words only when it is refused. */
struct at {
	const struct at *up;
	const char *name; /* NULL: item index of an array */
	uint32_t index;
};

static void put_path(struct ady_buf *b, const struct at *at)
{
	if (at->up)
		put_path(b, at->up);
	if (!at->name)
		ady_buf_printf(b, "[%u]", at->index);
	else
		ady_buf_printf(b, "%s%s", at->up ? "." : "", at->name);
}

static enum ady_err refuse(const struct ady_ssz_reader *r, enum ady_err err, const struct at *at,
                           const char *why)
{
	char where[WHERE];
	struct ady_buf b = ady_buf(where, sizeof where - 1);

	put_path(&b, at);
	where[b.n] = '\0';
	return ady_fail(r->f, err, where, "%s", why);
}

static enum ady_err refuse_unknown(const struct ady_ssz_reader *r, const struct at *at,
                                   uint32_t key)
{
	char name[48];
	struct ady_bytes raw = ady_json_raw(r->doc, key);
	struct at child = {.up = at, .name = name};

	(void)ady_bytes_to_str(name, sizeof name, ady_bytes_sub(raw, 0, raw.n < 47 ? raw.n : 47));
	return refuse(r, ADY_E_FIELD_UNKNOWN, &child, "is not known");
}

/* The digits of "0x..", an even number of them. */
static enum ady_err hex_text(const struct ady_ssz_reader *r, struct ady_bytes *hex, uint32_t i,
                             const struct at *at)
{
	struct ady_bytes raw = ady_json_raw(r->doc, i);

	*hex = (struct ady_bytes){0};
	if (ady_json_kind(r->doc, i) != ADY_JSON_STRING || r->doc->toks[i].escaped || raw.n < 2 ||
	    raw.n % 2 != 0 || memcmp(raw.p, "0x", 2) != 0)
		return refuse(r, ADY_E_FIELD_INVALID, at,
		              "must be \"0x\" and an even number of hex digits");
	*hex = ady_bytes_sub(raw, 2, raw.n - 2);
	return ADY_OK;
}

/* The n bytes from byte `from` on. */
static enum ady_err hex_part(const struct ady_ssz_reader *r, uint8_t *out, size_t n,
                             struct ady_bytes hex, size_t from, const struct at *at)
{
	size_t got;

	if (ady_hex_decode(out, n, &got, ady_bytes_sub(hex, 2 * from, 2 * n)) != ADY_OK)
		return refuse(r, ADY_E_FIELD_INVALID, at, "has a character that is no hex digit");
	return ADY_OK;
}

/* The first n bytes of hex as chunks; the last byte is masked. */
static enum ady_err put_chunks(const struct ady_ssz_reader *r, struct ady_ssz *t,
                               struct ady_bytes hex, size_t n, uint8_t mask, const struct at *at)
{
	enum ady_err err;

	for (size_t from = 0; from < n; from += CHUNK) {
		size_t part = n - from < CHUNK ? n - from : CHUNK;
		uint8_t chunk[CHUNK] = {0};

		if ((err = hex_part(r, chunk, part, hex, from, at)) != ADY_OK)
			return err;
		if (from + part == n)
			chunk[part - 1] &= mask;
		ady_ssz_chunk(t, chunk);
	}
	return ADY_OK;
}

static void begin(struct ady_ssz *t, bool progressive, uint64_t limit)
{
	if (progressive)
		ady_ssz_begin_progressive(t);
	else
		ady_ssz_begin(t, limit);
}

static enum ady_err read_number(const struct ady_ssz_reader *r, struct ady_u256 *v, uint32_t i,
                                const struct at *at)
{
	enum ady_json_kind kind = ady_json_kind(r->doc, i);
	enum ady_err err = ADY_E_FIELD_INVALID;

	*v = (struct ady_u256){0};
	if (kind == ADY_JSON_NUMBER || kind == ADY_JSON_STRING)
		err = ady_u256_parse_dec(v, ady_json_raw(r->doc, i));
	if (err == ADY_E_FIELD_RANGE)
		return refuse(r, err, at, "exceeds its type");
	return err == ADY_OK ? ADY_OK : refuse(r, err, at, "must be a decimal string");
}

static enum ady_err read_u64(const struct ady_ssz_reader *r, uint64_t *v, uint32_t i,
                             const struct at *at)
{
	struct ady_u256 wide;
	enum ady_err err;

	*v = 0;
	if ((err = read_number(r, &wide, i, at)) != ADY_OK)
		return err;
	if (!ady_u256_to_u64(v, &wide))
		return refuse(r, ADY_E_FIELD_RANGE, at, "exceeds 64 bits");
	return ADY_OK;
}

static enum ady_err uint_chunk(const struct ady_ssz_reader *r, uint8_t chunk[static CHUNK],
                               uint64_t bytes, uint32_t i, const struct at *at)
{
	struct ady_u256 wide;
	enum ady_err err;
	uint64_t v;

	if (bytes == 8) {
		if ((err = read_u64(r, &v, i, at)) == ADY_OK)
			ady_ssz_u64(chunk, v);
		return err;
	}
	if ((err = read_number(r, &wide, i, at)) != ADY_OK)
		return err;
	for (unsigned k = 0; k < CHUNK; k++)
		chunk[k] = wide.be[CHUNK - 1 - k];
	return ADY_OK;
}

static enum ady_err bool_chunk(const struct ady_ssz_reader *r, uint8_t chunk[static CHUNK],
                               uint32_t i, const struct at *at)
{
	enum ady_json_kind kind = ady_json_kind(r->doc, i);

	if (kind != ADY_JSON_TRUE && kind != ADY_JSON_FALSE)
		return refuse(r, ADY_E_FIELD_INVALID, at, "must be true or false");
	ady_ssz_u64(chunk, kind == ADY_JSON_TRUE);
	return ADY_OK;
}

static enum ady_err bytes_root(const struct ady_ssz_reader *r, uint8_t root[static CHUNK],
                               const struct ady_ssz_type *type, uint64_t n, uint32_t i,
                               const struct at *at)
{
	bool list = type->kind == ADY_SSZ_BYTE_LIST;
	struct ady_bytes hex;
	struct ady_ssz t;
	enum ady_err err;

	if ((err = hex_text(r, &hex, i, at)) != ADY_OK)
		return err;
	if (list ? !type->progressive && hex.n / 2 > n : hex.n / 2 != n)
		return refuse(r, ADY_E_FIELD_INVALID, at, "has the wrong length");
	begin(&t, type->progressive, (n + CHUNK - 1) / CHUNK);
	if ((err = put_chunks(r, &t, hex, hex.n / 2, 0xff, at)) != ADY_OK)
		return err;
	ady_ssz_end(&t, root);
	if (list)
		ady_ssz_mix_length(root, hex.n / 2);
	return ADY_OK;
}

/* How many bits a bit list has: those below the last one bit, which marks the end. */
static enum ady_err bit_length(const struct ady_ssz_reader *r, uint64_t *bits, struct ady_bytes hex,
                               const struct at *at)
{
	uint8_t last = 0;
	enum ady_err err;
	unsigned top = 7;

	if (hex.n > 0 && (err = hex_part(r, &last, 1, hex, hex.n / 2 - 1, at)) != ADY_OK)
		return err;
	if (last == 0)
		return refuse(r, ADY_E_FIELD_INVALID, at, "has no bit that marks its end");
	while (!(last >> top & 1))
		top--;
	*bits = (hex.n / 2 - 1) * 8 + top;
	return ADY_OK;
}

static enum ady_err bit_list_root(const struct ady_ssz_reader *r, uint8_t root[static CHUNK],
                                  const struct ady_ssz_type *type, uint64_t n, uint32_t i,
                                  const struct at *at)
{
	struct ady_bytes hex;
	struct ady_ssz t;
	enum ady_err err;
	uint64_t bits = 0;

	if ((err = hex_text(r, &hex, i, at)) != ADY_OK ||
	    (err = bit_length(r, &bits, hex, at)) != ADY_OK)
		return err;
	if (!type->progressive && bits > n)
		return refuse(r, ADY_E_FIELD_INVALID, at, "has too many bits");
	begin(&t, type->progressive, (n + 255) / 256);
	err = put_chunks(r, &t, hex, (bits + 7) / 8,
	                 bits % 8 ? (uint8_t)((1U << (bits % 8)) - 1) : 0xff, at);
	if (err != ADY_OK)
		return err;
	ady_ssz_end(&t, root);
	ady_ssz_mix_length(root, bits);
	return ADY_OK;
}

static enum ady_err bits_root(const struct ady_ssz_reader *r, uint8_t root[static CHUNK],
                              uint64_t n, uint32_t i, const struct at *at)
{
	uint64_t bytes = (n + 7) / 8;
	struct ady_bytes hex;
	struct ady_ssz t;
	uint8_t last;
	enum ady_err err;

	if ((err = hex_text(r, &hex, i, at)) != ADY_OK)
		return err;
	if (hex.n / 2 != bytes)
		return refuse(r, ADY_E_FIELD_INVALID, at, "has the wrong length");
	if ((err = hex_part(r, &last, 1, hex, bytes - 1, at)) != ADY_OK)
		return err;
	if (n % 8 && last >> (n % 8))
		return refuse(r, ADY_E_FIELD_INVALID, at, "has bits beyond its length");
	ady_ssz_begin(&t, (n + 255) / 256);
	if ((err = put_chunks(r, &t, hex, bytes, 0xff, at)) != ADY_OK)
		return err;
	ady_ssz_end(&t, root);
	return ADY_OK;
}

static enum ady_err root_of(const struct ady_ssz_reader *r, uint8_t root[static CHUNK],
                            const struct ady_ssz_type *type, uint32_t i, const struct at *at);

/* Four numbers of 64 bits share a chunk. */
static enum ady_err put_packed(const struct ady_ssz_reader *r, struct ady_ssz *t, uint32_t i,
                               const struct at *at)
{
	struct at child = {.up = at};
	uint8_t chunk[CHUNK], all[CHUNK] = {0};
	enum ady_err err;

	for (uint32_t k = ady_json_first(r->doc, i); k; k = ady_json_after(r->doc, i, k)) {
		if ((err = uint_chunk(r, chunk, 8, k, &child)) != ADY_OK)
			return err;
		memcpy(all + (child.index % 4) * 8, chunk, 8);
		if (child.index++ % 4 == 3) {
			ady_ssz_chunk(t, all);
			memset(all, 0, sizeof all);
		}
	}
	if (child.index % 4)
		ady_ssz_chunk(t, all);
	return ADY_OK;
}

static enum ady_err put_items(const struct ady_ssz_reader *r, struct ady_ssz *t,
                              const struct ady_ssz_type *item, uint32_t i, const struct at *at)
{
	struct at child = {.up = at};
	uint8_t root[CHUNK];
	enum ady_err err;

	for (uint32_t k = ady_json_first(r->doc, i); k; k = ady_json_after(r->doc, i, k)) {
		if ((err = root_of(r, root, item, k, &child)) != ADY_OK)
			return err;
		ady_ssz_chunk(t, root);
		child.index++;
	}
	return ADY_OK;
}

static enum ady_err items_root(const struct ady_ssz_reader *r, uint8_t root[static CHUNK],
                               const struct ady_ssz_type *type, uint64_t n, uint32_t i,
                               const struct at *at)
{
	bool list = type->kind == ADY_SSZ_LIST, packed = type->item->kind == ADY_SSZ_UINT;
	struct ady_ssz t;
	enum ady_err err;
	uint32_t count;

	if (ady_json_kind(r->doc, i) != ADY_JSON_ARRAY)
		return refuse(r, ADY_E_FIELD_INVALID, at, "must be an array");
	count = r->doc->toks[i].count;
	if (list ? !type->progressive && count > n : count != n)
		return refuse(r, ADY_E_FIELD_INVALID, at, "has the wrong number of items");
	begin(&t, type->progressive, packed ? (n + 3) / 4 : n);
	err = packed ? put_packed(r, &t, i, at) : put_items(r, &t, type->item, i, at);
	if (err != ADY_OK)
		return err;
	ady_ssz_end(&t, root);
	if (list)
		ady_ssz_mix_length(root, count);
	return ADY_OK;
}

/* As many members as fields, and each field among them: then there is no other member. */
static enum ady_err check_members(const struct ady_ssz_reader *r, const struct ady_ssz_type *type,
                                  uint32_t i, const struct at *at)
{
	if (ady_json_kind(r->doc, i) != ADY_JSON_OBJECT)
		return refuse(r, ADY_E_FIELD_INVALID, at, "must be an object");
	for (uint64_t k = 0; k < type->n; k++) {
		struct at child = {.up = at, .name = type->fields[k].name};

		if (!ady_json_get(r->doc, i, type->fields[k].name))
			return refuse(r, ADY_E_FIELD_MISSING, &child, "is required");
	}
	if (r->doc->toks[i].count == type->n)
		return ADY_OK;
	for (uint32_t key = ady_json_first(r->doc, i); key; key = ady_json_after(r->doc, i, key)) {
		uint64_t k = 0;

		while (k < type->n && !ady_json_is(r->doc, key, type->fields[k].name))
			k++;
		if (k == type->n)
			return refuse_unknown(r, at, key);
	}
	return ADY_OK;
}

static enum ady_err container_root(const struct ady_ssz_reader *r, uint8_t root[static CHUNK],
                                   const struct ady_ssz_type *type, uint32_t i, const struct at *at)
{
	struct ady_ssz t;
	uint8_t field[CHUNK];
	enum ady_err err;

	if ((err = check_members(r, type, i, at)) != ADY_OK)
		return err;
	begin(&t, type->progressive, type->n);
	for (uint64_t k = 0; k < type->n; k++) {
		struct at child = {.up = at, .name = type->fields[k].name};

		err = root_of(r, field, type->fields[k].type,
		              ady_json_get(r->doc, i, type->fields[k].name), &child);
		if (err != ADY_OK)
			return err;
		ady_ssz_chunk(&t, field);
	}
	ady_ssz_end(&t, root);
	if (type->progressive)
		ady_ssz_mix_fields(root, (unsigned)type->n);
	return ADY_OK;
}

static enum ady_err root_of(const struct ady_ssz_reader *r, uint8_t root[static CHUNK],
                            const struct ady_ssz_type *type, uint32_t i, const struct at *at)
{
	uint64_t n = type->preset ? r->presets[type->preset - 1] : type->n;

	switch (type->kind) {
	case ADY_SSZ_UINT:
		return uint_chunk(r, root, n, i, at);
	case ADY_SSZ_BOOL:
		return bool_chunk(r, root, i, at);
	case ADY_SSZ_BYTES:
	case ADY_SSZ_BYTE_LIST:
		return bytes_root(r, root, type, n, i, at);
	case ADY_SSZ_BITS:
		return bits_root(r, root, n, i, at);
	case ADY_SSZ_BIT_LIST:
		return bit_list_root(r, root, type, n, i, at);
	case ADY_SSZ_VECTOR:
	case ADY_SSZ_LIST:
		return items_root(r, root, type, n, i, at);
	case ADY_SSZ_CONTAINER:
		return container_root(r, root, type, i, at);
	}
	return ADY_E_INTERNAL;
}

enum ady_err ady_ssz_root(const struct ady_ssz_reader *r, uint8_t root32[static 32],
                          const struct ady_ssz_type *type, uint32_t i, const char *name)
{
	struct at at = {.name = name};
	enum ady_err err = root_of(r, root32, type, i, &at);

	if (err != ADY_OK)
		memset(root32, 0, 32);
	return err;
}

enum ady_err ady_ssz_read_u64(const struct ady_ssz_reader *r, uint64_t *v, uint32_t i,
                              const char *name)
{
	return read_u64(r, v, i, &(struct at){.name = name});
}

enum ady_err ady_ssz_read_bytes(const struct ady_ssz_reader *r, uint8_t *out, size_t n, uint32_t i,
                                const char *name)
{
	struct at at = {.name = name};
	struct ady_bytes hex;
	enum ady_err err;

	memset(out, 0, n);
	if ((err = hex_text(r, &hex, i, &at)) != ADY_OK)
		return err;
	if (hex.n != 2 * n)
		return refuse(r, ADY_E_FIELD_INVALID, &at, "has the wrong length");
	return hex_part(r, out, n, hex, 0, &at);
}
