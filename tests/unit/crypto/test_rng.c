/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/rng.h"

#include "test.h"

/* Every byte is written, also where getrandom(2) may give less than was asked for (256 bytes). */
CASE(all_bytes_are_filled)
{
	static uint8_t p[100000];
	size_t zeros = 0;

	ady_random(p, sizeof p);
	for (size_t i = 0; i < sizeof p; i++)
		zeros += p[i] == 0;
	CHECK(zeros > 200 && zeros < 600); /* 391 expected, deviation 20 */
}

CASE(two_draws_differ)
{
	uint8_t a[32], b[32];

	ady_random(a, sizeof a);
	ady_random(b, sizeof b);
	CHECK(memcmp(a, b, sizeof a) != 0);
	ady_random(a, 0);
}

int main(void)
{
	RUN(all_bytes_are_filled);
	RUN(two_draws_differ);
	return test_end();
}
