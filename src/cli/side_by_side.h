/* SPDX-License-Identifier: Apache-2.0
 *
 * Two texts side by side, line by line, as diff -y shows them. */
#ifndef ADY_CLI_SIDE_BY_SIDE_H
#define ADY_CLI_SIDE_BY_SIDE_H

#include "base/bytes.h"

/* Append the lines of a and b in two columns: " " between equal ones, "<" behind one that only a
 * has, ">" before one that only b has. Long lines are cut where they are equal. Out of memory ends
 * the program. */
void ady_side_by_side(struct ady_dyn *out, const char *a, const char *b);

#endif
