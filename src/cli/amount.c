/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/amount.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	size_t decimals;
} units[] = {{"", 0}, {"wei", 0}, {"gwei", 9}, {"ether", 18}, {"eth", 18}};

static bool find_unit(size_t *decimals, const char *name)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strcmp(units[i].name, name) == 0) {
			*decimals = units[i].decimals;
			return true;
		}
	}
	return false;
}

static bool is_hex(const char *text)
{
	return text[0] == '0' && text[1] == 'x' && text[2] != 0 && strlen(text) <= 66 &&
	       strspn(text + 2, "0123456789abcdefABCDEF") == strlen(text + 2);
}

/* Digits without the point, then as many zeros as are left of the unit's decimals. */
static void shift(char *out, const char *whole, size_t whole_n, const char *part, size_t part_n,
                  size_t decimals)
{
	char digits[2 * ADY_AMOUNT_SIZE];
	const char *first = digits;

	snprintf(digits, sizeof digits, "%.*s%.*s%.*s", (int)whole_n, whole, (int)part_n, part,
	         (int)(decimals - part_n), "000000000000000000");
	while (first[0] == '0' && first[1])
		first++;
	snprintf(out, ADY_AMOUNT_SIZE, "%.78s", first);
}

enum ady_err ady_amount_wei(char out[static ADY_AMOUNT_SIZE], const char *text, const char *name,
                            struct ady_fault *f)
{
	const size_t whole_n = strspn(text, "0123456789");
	const char *part = text + whole_n + (text[whole_n] == '.');
	const size_t part_n = strspn(part, "0123456789");
	const char *unit = part + (part > text + whole_n ? part_n : 0);
	size_t decimals = 0;

	out[0] = 0;
	if (is_hex(text)) {
		snprintf(out, ADY_AMOUNT_SIZE, "%s", text);
		return ADY_OK;
	}
	if (whole_n == 0 || whole_n > 60 || (part > text + whole_n && part_n == 0))
		return ady_fail(f, ADY_E_FIELD_INVALID, name,
		                "is no amount; write it as 0.1ether, 20gwei or 1000");
	if (!find_unit(&decimals, unit))
		return ady_fail(f, ADY_E_FIELD_INVALID, name,
		                "has an unknown unit; there are wei, gwei and ether");
	if (part > text + whole_n && part_n > decimals)
		return ady_fail(f, ADY_E_FIELD_INVALID, name,
		                "has more than the %zu decimals of its unit", decimals);
	shift(out, text, whole_n, part, part > text + whole_n ? part_n : 0, decimals);
	return ADY_OK;
}
