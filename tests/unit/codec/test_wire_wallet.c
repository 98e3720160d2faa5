/* SPDX-License-Identifier: Apache-2.0
 *
 * The messages about wallets. */
#include "codec/wire_wallet.h"

#include "wire_kind.h"

static const struct ady_wire_derive derive = {
    .key_id = {(const uint8_t *)"w", 1},
    .record = {filler, 300},
    .request = {filler, 70},
    .stamp = {filler, 5},
};
static const struct ady_wire_derived derived = {
    .created = 1764100000, .counters = {filler, 92}, .keys = {filler, 93}};

static void put_derive(struct ady_buf *b, const void *m)
{
	ady_wire_put_derive(b, m);
}

static enum ady_err read_derive(struct ady_bytes body)
{
	struct ady_wire_derive m;

	return ady_wire_read_derive(&m, body);
}

static void put_derived(struct ady_buf *b, const void *m)
{
	ady_wire_put_derived(b, m);
}

static enum ady_err read_derived(struct ady_bytes body)
{
	struct ady_wire_derived m;

	return ady_wire_read_derived(&m, body);
}

enum { DERIVE, DERIVED, KINDS };

static const struct kind kinds[KINDS] = {
    [DERIVE] = {"derive", put_derive, read_derive, &derive, sizeof derive},
    [DERIVED] = {"derived", put_derived, read_derived, &derived, sizeof derived},
};

CASE(round_trips)
{
	struct ady_wire_derive q;
	struct ady_wire_derived a;
	struct ady_buf b = body_of(&kinds[DERIVE]);

	CHECK_ERR(ady_wire_read_derive(&q, ady_buf_bytes(&b)), ADY_OK);
	CHECK(ady_bytes_is(q.key_id, "w") && q.record.n == 300 && q.request.n == 70);
	CHECK_INT(q.stamp.n, 5);
	b = body_of(&kinds[DERIVED]);
	CHECK_ERR(ady_wire_read_derived(&a, ady_buf_bytes(&b)), ADY_OK);
	CHECK(a.created == 1764100000 && a.keys.n == 93 && a.counters.n == 92);
}

CASE(counters_are_a_name_or_a_name_and_a_key)
{
	for (size_t n = 0; n <= 93; n++) {
		struct ady_wire_derived m = derived, a;
		uint8_t out[512];
		struct ady_buf b = ady_buf(out, sizeof out);

		m.counters.n = n;
		ady_wire_put_derived(&b, &m);
		CHECK_ERR(ady_wire_read_derived(&a, ady_buf_bytes(&b)),
		          n == 0 || n == 32 || n == 92 ? ADY_OK : ADY_E_PROTOCOL);
	}
}

CASE(every_truncation_and_any_byte_more_is_refused)
{
	check_truncations(kinds, KINDS);
}

CASE(missing_repeated_unsorted_unknown_and_mistyped_fields)
{
	check_fields(kinds, KINDS);
}

CASE(every_bound)
{
	static const struct bound rows[] = {
	    {DERIVE, FIELD(struct ady_wire_derive, key_id), 1, ADY_WIRE_KEY_ID_MAX},
	    {DERIVE, FIELD(struct ady_wire_derive, record), 1, ADY_WIRE_RECORD_MAX},
	    {DERIVE, FIELD(struct ady_wire_derive, request), 0, ADY_WIRE_REQUEST_MAX},
	    {DERIVE, FIELD(struct ady_wire_derive, stamp), 0, ADY_WIRE_STAMP_MAX},
	    {DERIVED, FIELD(struct ady_wire_derived, created), 0, ADY_WIRE_EXPIRY_MAX},
	    {DERIVED, FIELD(struct ady_wire_derived, keys), 32, 108000},
	};

	check_bounds(kinds, rows, sizeof rows / sizeof *rows);
}

CASE(a_body_that_does_not_fit_is_full)
{
	check_full(kinds, KINDS);
}

int main(void)
{
	memset(filler, 'a', sizeof filler);
	RUN(round_trips);
	RUN(counters_are_a_name_or_a_name_and_a_key);
	RUN(every_truncation_and_any_byte_more_is_refused);
	RUN(missing_repeated_unsorted_unknown_and_mistyped_fields);
	RUN(every_bound);
	RUN(a_body_that_does_not_fit_is_full);
	return test_end();
}
