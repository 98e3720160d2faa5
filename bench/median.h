/* SPDX-License-Identifier: Apache-2.0
 *
 * How long something takes, for the benchmarks: the median of nine rounds, in CPU time of the
 * process, which other work on the machine disturbs least. */
#ifndef ADY_BENCH_MEDIAN_H
#define ADY_BENCH_MEDIAN_H

#include <stdlib.h>
#include <time.h>

enum { ADY_BENCH_ROUNDS = 9 };

static double ady_bench_cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int ady_bench_ascending(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return (d > 0) - (d < 0);
}

/* Microseconds of one call of fn, by rounds of so many calls. */
static double ady_bench_median_us(void (*fn)(void), int per_round)
{
	double rounds[ADY_BENCH_ROUNDS];

	for (int i = 0; i < ADY_BENCH_ROUNDS; i++) {
		double began = ady_bench_cpu_us();

		for (int k = 0; k < per_round; k++)
			fn();
		rounds[i] = (ady_bench_cpu_us() - began) / per_round;
	}
	qsort(rounds, ADY_BENCH_ROUNDS, sizeof *rounds, ady_bench_ascending);
	return rounds[ADY_BENCH_ROUNDS / 2];
}

#endif
