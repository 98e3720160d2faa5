/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 (RFC 3629): shortest forms only, no surrogates, nothing above U+10FFFF. For public data:
 * time depends on the bytes. Heap: none. */
#ifndef ADY_CODEC_UTF8_H
#define ADY_CODEC_UTF8_H

#include "base/bytes.h"

/* The length (1 to 4) of the well-formed character at p, of which n > 0 bytes may be read; 0 when
 * there is none. */
size_t ady_utf8_char(const uint8_t *p, size_t n);

/* Whether text is UTF-8 all through. */
bool ady_utf8_valid(struct ady_bytes text);

#endif
