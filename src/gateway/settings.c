/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/settings.h"

#include <string.h>

#include "crypto/hash.h"

/* "ADYSETT1" | flags | bytes of graffiti | 6 zero | version | fee recipient | gas limit | graffiti.
 * The version lies where every row of the store has it. */
enum {
	FLAGS_AT = 8,
	GRAFFITI_N_AT = 9,
	VERSION_AT = 16,
	FEE_AT = 24,
	GAS_AT = 44,
	GRAFFITI_AT = 52,
	ROW = GRAFFITI_AT + ADY_GRAFFITI_MAX,
	FEE = 1,
	GAS = 2,
	GRAFFITI = 4,
};

static const char magic[8] = {'A', 'D', 'Y', 'S', 'E', 'T', 'T', '1'};

void ady_settings_key(uint8_t key[static ADY_STATE_KEY],
                      const uint8_t public_key[static ADY_STATE_KEY])
{
	const struct ady_bytes parts[] = {ady_bytes_str("adyton settings 1"),
	                                  ady_bytes(public_key, ADY_STATE_KEY)};

	ady_sha384(key, parts, 2);
}

bool ady_settings_is_row(const struct ady_state_row *row)
{
	return row->n == ROW && memcmp(row->bytes, magic, sizeof magic) == 0;
}

void ady_settings_read(struct ady_settings *s, const struct ady_state_row *row)
{
	const uint8_t *p = row->bytes;
	size_t n;

	*s = (struct ady_settings){0};
	if (!ady_settings_is_row(row))
		return;
	s->version = ady_be64(p + VERSION_AT);
	s->has_fee = p[FLAGS_AT] & FEE;
	s->has_gas = p[FLAGS_AT] & GAS;
	s->has_graffiti = p[FLAGS_AT] & GRAFFITI;
	memcpy(s->fee_recipient, p + FEE_AT, sizeof s->fee_recipient);
	s->gas_limit = ady_be64(p + GAS_AT);
	n = p[GRAFFITI_N_AT] <= ADY_GRAFFITI_MAX ? p[GRAFFITI_N_AT] : 0;
	memcpy(s->graffiti, p + GRAFFITI_AT, n);
}

static void put_be64(uint8_t *p, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
}

void ady_settings_write(struct ady_state_row *row, const struct ady_settings *s)
{
	uint8_t *p = row->bytes;
	size_t n = strlen(s->graffiti);

	memset(row, 0, sizeof *row);
	row->n = ROW;
	memcpy(p, magic, sizeof magic);
	p[FLAGS_AT] = (uint8_t)((s->has_fee ? FEE : 0) | (s->has_gas ? GAS : 0) |
	                        (s->has_graffiti ? GRAFFITI : 0));
	put_be64(p + VERSION_AT, s->version + 1);
	if (s->has_fee)
		memcpy(p + FEE_AT, s->fee_recipient, sizeof s->fee_recipient);
	put_be64(p + GAS_AT, s->has_gas ? s->gas_limit : 0);
	if (s->has_graffiti) {
		p[GRAFFITI_N_AT] = (uint8_t)n;
		memcpy(p + GRAFFITI_AT, s->graffiti, n);
	}
}
