/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/utf8.h"

#include <string.h>

/* What the first byte of a character of several bytes allows (RFC 3629 section 4): its length and
 * the range of the second byte, which is where overlong forms and surrogates show. */
struct lead {
	uint8_t length, low, high;
};

static struct lead lead_of(uint8_t c)
{
	if (c >= 0xc2 && c <= 0xdf)
		return (struct lead){2, 0x80, 0xbf};
	if (c == 0xe0)
		return (struct lead){3, 0xa0, 0xbf};
	if (c == 0xed)
		return (struct lead){3, 0x80, 0x9f};
	if (c >= 0xe1 && c <= 0xef)
		return (struct lead){3, 0x80, 0xbf};
	if (c == 0xf0)
		return (struct lead){4, 0x90, 0xbf};
	if (c >= 0xf1 && c <= 0xf3)
		return (struct lead){4, 0x80, 0xbf};
	if (c == 0xf4)
		return (struct lead){4, 0x80, 0x8f};
	return (struct lead){0};
}

size_t ady_utf8_char(const uint8_t *p, size_t n)
{
	struct lead lead;

	if (p[0] < 0x80)
		return 1;
	lead = lead_of(p[0]);
	if (lead.length == 0 || lead.length > n || p[1] < lead.low || p[1] > lead.high)
		return 0;
	for (size_t i = 2; i < lead.length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return lead.length;
}

/* Whether the 8 bytes at p are all ASCII. */
static bool ascii8(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return (word & 0x8080808080808080) == 0;
}

bool ady_utf8_valid(struct ady_bytes text)
{
	size_t i = 0;

	while (i < text.n) {
		size_t step = 8;

		if (text.n - i < 8 || !ascii8(text.p + i))
			step = ady_utf8_char(text.p + i, text.n - i);
		if (step == 0)
			return false;
		i += step;
	}
	return true;
}
