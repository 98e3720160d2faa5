/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks and the time formats of AWS. Deadlines use the monotonic clock only. */
#ifndef ADY_BASE_CLOCK_H
#define ADY_BASE_CLOCK_H

#include <stdint.h>

#include "base/bytes.h"

/* Milliseconds of the monotonic clock. */
int64_t ady_mono_ms(void);

/* Microseconds of the monotonic clock. */
int64_t ady_mono_us(void);

/* Milliseconds since 1970-01-01T00:00:00Z by the system's clock. */
int64_t ady_wall_ms(void);

/* Write "20261123T124500Z" for seconds since 1970 (SigV4's basic form). */
void ady_time_basic(char out[static 17], int64_t unix_s);

/* Write "2026-11-23T12:45:00Z" for seconds since 1970 (RFC 3339). */
void ady_time_rfc3339(char out[static 21], int64_t unix_s);

/* Parse either form; fractions of a second are accepted in the second and dropped.
 * Returns ADY_E_FIELD_INVALID otherwise; *unix_s is then 0. */
enum ady_err ady_time_parse(int64_t *unix_s, struct ady_bytes text);

#endif
