/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/link_calls.h"

#include "test.h"

CASE(calls_are_found_by_id_and_only_while_in_flight)
{
	enum { N = 200 };
	struct ady_calls c = {0};
	struct ady_call calls[N] = {0};
	uint64_t id;

	for (int i = 0; i < N; i++)
		ady_calls_add(&c, &calls[i], (uint8_t)i, false);
	CHECK_INT(c.n, N);
	for (int i = 0; i < N; i++) {
		struct ady_call_slot *slot = ady_calls_find(&c, calls[i].id);

		CHECK(slot && slot->call == &calls[i] && slot->type == (uint8_t)i);
	}
	id = calls[7].id;
	CHECK(ady_calls_take(&c, ady_calls_find(&c, id)) == &calls[7]);
	CHECK_INT(calls[7].id, 0);
	CHECK(ady_calls_find(&c, id) == NULL);
	/* the place is used again, under another id */
	ady_calls_add(&c, &calls[7], 1, true);
	CHECK_INT((uint32_t)calls[7].id, (uint32_t)id);
	CHECK(calls[7].id != id);
	CHECK(ady_calls_find(&c, id) == NULL);
	ady_calls_free(&c);
}

CASE(ids_that_never_were_find_nothing)
{
	static const uint64_t ids[] = {0,
	                               1,
	                               UINT32_MAX,
	                               UINT64_MAX,
	                               (uint64_t)1 << 32,
	                               (uint64_t)2 << 32 | 1,
	                               (uint64_t)1 << 32 | 65};
	struct ady_calls c = {0};
	struct ady_call call;

	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		CHECK(ady_calls_find(&c, ids[i]) == NULL);
	ady_calls_add(&c, &call, 1, false);
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		CHECK(ady_calls_find(&c, ids[i]) == NULL);
	ady_calls_free(&c);
}

int main(void)
{
	RUN(calls_are_found_by_id_and_only_while_in_flight);
	RUN(ids_that_never_were_find_nothing);
	return test_end();
}
