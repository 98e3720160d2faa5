/* SPDX-License-Identifier: Apache-2.0
 *
 * Amounts as people write them: "0.1ether", "20gwei", "1000wei", "1000", "0x3e8". */
#ifndef ADY_CLI_AMOUNT_H
#define ADY_CLI_AMOUNT_H

#include "base/bytes.h"

enum { ADY_AMOUNT_SIZE = 80 }; /* 78 decimal digits, a NUL */

/* Write the amount in wei, exactly: decimal digits, or hex as it stands. Without a unit it is wei.
 * Returns ADY_E_FIELD_INVALID with the reason in f (where: name). */
enum ady_err ady_amount_wei(char out[static ADY_AMOUNT_SIZE], const char *text, const char *name,
                            struct ady_fault *f);

#endif
