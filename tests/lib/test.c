/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

#ifdef ADY_COVERAGE
/* gcov's counts are written at exit; a child that aborts on purpose writes them here. */
void __gcov_dump(void);

static void dump_counts(int sig)
{
	(void)sig;
	__gcov_dump();
}

static __attribute__((constructor)) void keep_counts(void)
{
	(void)signal(SIGABRT, dump_counts);
}
#endif

static int failed_cases;
static char why[512];
static bool case_failed, case_skipped;

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Only the first reason of a case is kept: what follows is often its consequence. */
static void note(const char *fmt, ...)
{
	va_list ap;

	if (case_failed)
		return;
	case_failed = true;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
}

void test_skip(const char *fmt, ...)
{
	va_list ap;

	if (case_failed || case_skipped)
		return;
	case_skipped = true;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
}

void test_run(const char *name, void (*fn)(void))
{
	case_failed = case_skipped = false;
	fn();
	if (case_failed) {
		failed_cases++;
		printf("not ok %s: %s\n", name, why);
	} else if (case_skipped) {
		printf("skip %s: %s\n", name, why);
	} else {
		printf("ok %s\n", name);
	}
	fflush(stdout);
}

bool test_check(bool ok, const char *file, int line, const char *what)
{
	if (!ok)
		note("%s:%d: %s", file, line, what);
	return ok;
}

bool test_check_err(enum ady_err got, enum ady_err want, const char *file, int line,
                    const char *what)
{
	if (got != want)
		note("%s:%d: %s is %s, not %s", file, line, what, ady_err_code(got),
		     ady_err_code(want));
	return got == want;
}

bool test_check_int(long long got, long long want, const char *file, int line, const char *what)
{
	if (got != want)
		note("%s:%d: %s is %lld, not %lld", file, line, what, got, want);
	return got == want;
}

bool test_check_str(const char *got, const char *want, const char *file, int line, const char *what)
{
	bool same = strcmp(got, want) == 0;

	if (!same)
		note("%s:%d: %s is \"%s\", not \"%s\"", file, line, what, got, want);
	return same;
}

bool test_check_hex(const void *got, size_t n, const char *want, const char *file, int line,
                    const char *what)
{
	char *hex = malloc(2 * n + 1);
	bool same;

	if (!hex)
		return test_check(false, file, line, "memory");
	ady_hex_encode(hex, ady_bytes(got, n));
	same = test_check_str(hex, want, file, line, what);
	free(hex);
	return same;
}

int test_end(void)
{
	return failed_cases ? 1 : 0;
}

struct ady_bytes test_read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct ady_dyn d = {0};
	size_t n;

	if (!f)
		return (struct ady_bytes){0};
	do {
		n = fread(ady_dyn_room(&d, 65536), 1, 65536, f);
		d.n += n;
	} while (n > 0);
	fclose(f);
	return ady_bytes(ady_dyn_cstr(&d), d.n);
}

const char *test_vector(const char *name)
{
	static char path[512];
	const char *dir = getenv("ADYTON_VECTORS");

	snprintf(path, sizeof path, "%s/%s", dir ? dir : "../shared/vectors", name);
	return access(path, R_OK) == 0 ? path : NULL;
}

struct ady_bytes test_hex_bytes(struct ady_bytes hex)
{
	static uint8_t space[8][16384];
	static unsigned at;
	uint8_t *out = space[at++ % 8];
	size_t n;

	if (ady_hex_decode(out, sizeof space[0], &n, hex) != ADY_OK)
		abort();
	return ady_bytes(out, n);
}

struct ady_bytes test_hex(const char *hex)
{
	return test_hex_bytes(ady_bytes_str(hex));
}
