/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/exit.h"

#include <stddef.h>

static const struct {
	int number;
	const char *text;
} rows[] = {
#define ROW(name, number, text) {number, text},
    ADY_EXITS(ROW)
#undef ROW
};

const char *ady_enclave_exit_text(int status)
{
	size_t n = sizeof rows / sizeof *rows;

	for (size_t i = 0; i < n; i++)
		if (rows[i].number == status)
			return rows[i].text;
	return rows[n - 1].text;
}
