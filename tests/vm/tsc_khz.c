/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints how fast this machine's time-stamp counter runs, in kHz. Without KVM a guest counts the
 * same counter but cannot find out its speed when the machine is busy; told by tsc_early_khz= it
 * keeps time. */
#include <stdio.h>
#include <time.h>

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(void)
{
	double from = now_ms(), to;
	unsigned long long ticks = __builtin_ia32_rdtsc();

	do
		to = now_ms();
	while (to - from < 100);
	printf("%.0f\n", (double)(__builtin_ia32_rdtsc() - ticks) / (to - from));
	return 0;
}
