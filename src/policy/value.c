/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/value.h"

#include <string.h>

#include "base/text.h"
#include "chain/eip712_word.h"

void ady_value_uint(struct ady_value *v, const struct ady_u256 *number)
{
	v->kind = ADY_T_UINT;
	memcpy(v->word, number->be, sizeof v->word);
}

void ady_value_small(struct ady_value *v, enum ady_type_kind kind, uint64_t number)
{
	struct ady_u256 wide = ady_u256_from_u64(number);

	ady_value_uint(v, &wide);
	v->kind = kind;
}

void ady_value_address(struct ady_value *v, const uint8_t address20[static 20])
{
	v->kind = ADY_T_ADDRESS;
	memset(v->word, 0, 12);
	memcpy(v->word + 12, address20, 20);
}

static const char *read_string(struct ady_value *v, const struct ady_json *doc, uint32_t i,
                               struct ady_buf *space)
{
	char *out = (char *)space->p + space->n;
	size_t n;
	enum ady_err err = ady_json_string(doc, i, out, space->cap - space->n, &n);

	if (err == ADY_E_TOO_LARGE)
		return "does not fit what a policy may have of texts";
	if (err != ADY_OK)
		return "must be a string";
	v->bytes = ady_bytes(out, n);
	space->n += n;
	return NULL;
}

static const char *read_bytes(struct ady_value *v, const struct ady_json *doc, uint32_t i,
                              struct ady_buf *space)
{
	static const char form[] = "must be \"0x\" and an even number of hex digits";
	struct ady_bytes text = ady_json_raw(doc, i);
	uint8_t *out = space->p + space->n;
	enum ady_err err;
	size_t n;

	if (ady_json_kind(doc, i) != ADY_JSON_STRING || text.n < 2 || memcmp(text.p, "0x", 2) != 0)
		return form;
	text = ady_bytes_sub(text, 2, text.n - 2);
	err = ady_hex_decode(out, space->cap - space->n, &n, text);
	if (err == ADY_E_TOO_LARGE)
		return "does not fit what a policy may have of texts";
	if (err != ADY_OK)
		return form;
	v->bytes = ady_bytes(out, n);
	space->n += n;
	return NULL;
}

/* By the reader of typed data, whose words are the ABI's. */
static const char *read_word(struct ady_value *v, const struct ady_json *doc, uint32_t i,
                             uint16_t size)
{
	static const struct {
		enum ady_eip712_kind kind;
		const char *why;
	} as[] = {
	    [ADY_T_UINT] = {ADY_EIP712_UINT,
	                    "must be a number that fits its type: digits, a decimal "
	                    "string, or \"0x\" and hex"},
	    [ADY_T_INT] = {ADY_EIP712_INT, "must be a number that fits its type: digits, a decimal "
	                                   "string, or \"0x\" and hex, \"-\" before them"},
	    [ADY_T_ADDRESS] = {ADY_EIP712_ADDRESS, "must be an address: \"0x\" and 40 hex digits, "
	                                           "its checksum right where it is in mixed case"},
	    [ADY_T_BOOL] = {ADY_EIP712_BOOL, "must be true or false"},
	    [ADY_T_FIXED] = {ADY_EIP712_FIXED_BYTES,
	                     "must be \"0x\" and the hex digits of as many bytes as its type has"},
	};
	const struct ady_eip712_ref ref = {.kind = as[v->kind].kind, .size = size};
	const struct ady_eth_reader r = {.doc = doc, .at = ""};

	if (ady_eip712_word(v->word, &r, &ref, NULL, i) != ADY_OK)
		return as[v->kind].why;
	if (v->kind == ADY_T_INT)
		v->word[0] ^= 0x80;
	return NULL;
}

const char *ady_value_read(struct ady_value *v, const struct ady_json *doc, uint32_t i,
                           enum ady_type_kind kind, uint16_t size, struct ady_buf *space)
{
	v->kind = kind;
	if (kind == ADY_T_STRING)
		return read_string(v, doc, i, space);
	if (kind == ADY_T_BYTES)
		return read_bytes(v, doc, i, space);
	return read_word(v, doc, i, size);
}

int ady_word_cmp(const uint8_t a[static 32], const uint8_t b[static 32])
{
	int order = memcmp(a, b, 32);

	return (order > 0) - (order < 0);
}

/* Let values[at] sink to its place below in a heap of n. */
static void sink(struct ady_value *values, size_t at, size_t n)
{
	struct ady_value v = values[at];
	size_t child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && ady_word_cmp(values[child].word, values[child + 1].word) < 0)
			child++;
		if (ady_word_cmp(v.word, values[child].word) >= 0)
			break;
		values[at] = values[child];
		at = child;
	}
	values[at] = v;
}

void ady_values_sort(struct ady_value *values, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sink(values, i, n);
	while (n-- > 1) {
		struct ady_value last = values[n];

		values[n] = values[0];
		values[0] = last;
		sink(values, 0, n);
	}
}

static bool have_bytes(const struct ady_value *values, size_t n, struct ady_bytes b)
{
	for (size_t i = 0; i < n; i++)
		if (ady_bytes_eq(values[i].bytes, b))
			return true;
	return false;
}

bool ady_values_have(const struct ady_value *values, size_t n, const struct ady_value *v)
{
	size_t low = 0;

	if (ady_kind_is_bytes(v->kind))
		return have_bytes(values, n, v->bytes);
	while (low < n) {
		size_t middle = low + (n - low) / 2;
		int order = memcmp(values[middle].word, v->word, 32);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			n = middle;
	}
	return false;
}

static bool have_prefix(const struct ady_value *values, size_t n, struct ady_bytes b)
{
	for (size_t i = 0; i < n; i++)
		if (values[i].bytes.n <= b.n &&
		    memcmp(values[i].bytes.p, b.p, values[i].bytes.n) == 0)
			return true;
	return false;
}

static bool in_order(enum ady_op op, int order)
{
	if (op == ADY_OP_LT)
		return order < 0;
	if (op == ADY_OP_LE)
		return order <= 0;
	return op == ADY_OP_GT ? order > 0 : order >= 0;
}

bool ady_value_test(enum ady_op op, const struct ady_value *values, size_t n,
                    const struct ady_value *v)
{
	if (op == ADY_OP_IN)
		return ady_values_have(values, n, v);
	if (op == ADY_OP_NOT_IN)
		return !ady_values_have(values, n, v);
	if (op == ADY_OP_PREFIX)
		return have_prefix(values, n, v->bytes);
	return in_order(op, ady_word_cmp(v->word, values->word));
}
