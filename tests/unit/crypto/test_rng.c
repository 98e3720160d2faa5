/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/rng.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failing.h"
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

CASE(an_interrupted_draw_is_repeated)
{
	uint8_t a[32] = {0}, zero[32] = {0};

	test_fail_at(1);
	ady_random(a, sizeof a);
	CHECK(test_fail_end());
	CHECK(memcmp(a, zero, sizeof a) != 0);
}

CASE(a_failed_draw_aborts)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		(void)close(STDERR_FILENO);
		ady_random((void *)(uintptr_t)16, 32); /* EFAULT */
		_exit(0);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	RUN(an_interrupted_draw_is_repeated);
	RUN(a_failed_draw_aborts);
	RUN(all_bytes_are_filled);
	RUN(two_draws_differ);
	return test_end();
}
