/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/boot_checks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 4096 }; /* COMMAND_LINE_SIZE is 2048 */

static const char option[] = "adyton.parent_cid=";

/* Read a file of the kernel's, without the end of its line; false when it cannot be read whole. */
static bool read_line(char line[static LINE], const char *dir, const char *name)
{
	char path[PATH_MAX];
	ssize_t n = -1;
	int fd;

	line[0] = '\0';
	if (snprintf(path, sizeof path, "%s%s", dir, name) >= (int)sizeof path)
		return false;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	n = read(fd, line, LINE);
	close(fd);
	if (n < 0 || n == LINE)
		return false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/* Whether word stands in line, between blanks. */
static bool has_word(const char *line, const char *word)
{
	size_t n = strlen(word);

	for (; *line; line += strcspn(line, " ")) {
		line += strspn(line, " ");
		if (strcspn(line, " ") == n && memcmp(line, word, n) == 0)
			return true;
	}
	return false;
}

/* Digits up to the next blank. */
static bool parse_cid(uint32_t *cid, const char *digits)
{
	size_t n = strspn(digits, "0123456789");
	unsigned long v;

	if (n < 1 || n > 10 || (digits[n] != ' ' && digits[n] != '\0'))
		return false;
	v = strtoul(digits, NULL, 10);
	*cid = (uint32_t)v;
	return v >= 2 && v < UINT32_MAX;
}

enum ady_err ady_boot_parent_cid(uint32_t *cid, const char *cmdline_path, struct ady_fault *f)
{
	char line[LINE];
	bool seen = false;

	*cid = ADY_PARENT_CID;
	if (!read_line(line, "", cmdline_path))
		return ady_fail(f, ADY_E_CONFIG, "", "the kernel's command line cannot be read");
	for (const char *p = line; *p; p += strcspn(p, " ")) {
		p += strspn(p, " ");
		if (strncmp(p, option, sizeof option - 1) != 0)
			continue;
		if (seen || !parse_cid(cid, p + sizeof option - 1))
			return ady_fail(f, ADY_E_CONFIG, "adyton.parent_cid",
			                seen ? "is given twice" : "is no CID of a parent");
		seen = true;
	}
	return ADY_OK;
}

enum ady_err ady_boot_check_rng(const char *sysfs, struct ady_fault *f)
{
	char line[LINE];

	if (!read_line(line, sysfs, "/class/misc/hw_random/rng_current"))
		return ady_fail(f, ADY_E_CRYPTO, "rng_current", "cannot be read");
	if (strcmp(line, "nsm-hwrng") != 0)
		return ady_fail(f, ADY_E_CRYPTO, "rng_current", "is '%s', not nsm-hwrng", line);
	return ADY_OK;
}

#define CLOCK "/devices/system/clocksource/clocksource0/"

/* A kernel that sees an invariant TSC prefers it to kvm-clock. */
static void choose_kvm_clock(const char *sysfs)
{
	static const char name[] = "kvm-clock";
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof path, "%s" CLOCK "current_clocksource", sysfs);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Whether it took is what the caller reads back. */
	if (write(fd, name, sizeof name - 1) < 0)
		errno = 0;
	close(fd);
}

enum ady_err ady_boot_check_clock(const char *sysfs, struct ady_fault *f)
{
	char line[LINE];

	if (!read_line(line, sysfs, CLOCK "available_clocksource"))
		return ady_fail(f, ADY_E_INTERNAL, "clocksource", "cannot be read");
	if (!has_word(line, "kvm-clock"))
		return ADY_OK;
	if (read_line(line, sysfs, CLOCK "current_clocksource") && strcmp(line, "kvm-clock") != 0)
		choose_kvm_clock(sysfs);
	if (!read_line(line, sysfs, CLOCK "current_clocksource") || strcmp(line, "kvm-clock") != 0)
		return ady_fail(f, ADY_E_INTERNAL, "clocksource", "is '%s' and stays so", line);
	return ADY_OK;
}
