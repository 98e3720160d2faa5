/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors in words for people: what was tried, why it failed, what to do next. */
#ifndef ADY_CLI_FAULT_H
#define ADY_CLI_FAULT_H

#include "base/err.h"

/* What to do about an error with this stable code, one sentence; NULL when the code says it all. */
const char *ady_cli_advice(const char *code);

/* Say on standard error that the program cannot do what doing says, why by f, and what to do next
 * (next, or NULL: ady_cli_advice). Returns the exit status that fits. */
int ady_cli_fault(const struct ady_fault *f, const char *doing, const char *next);

#endif
