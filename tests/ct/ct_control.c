/* SPDX-License-Identifier: Apache-2.0
 *
 * The positive control: a comparison that ends at the first difference. Valgrind must report it, or
 * the silence of the other tests would mean nothing. */
#include "ct.h"

#include "crypto/rng.h"

static __attribute__((noinline)) bool leaky_equal(const volatile uint8_t *a,
                                                  const volatile uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

int main(void)
{
	uint8_t a[32], b[32] = {0};

	ct_need_valgrind();
	ady_random(a, sizeof a);
	ct_secret(a, sizeof a);
	return leaky_equal(a, b, sizeof a) ? 1 : 0;
}
