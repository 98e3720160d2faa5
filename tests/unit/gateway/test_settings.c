/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/settings.h"

#include "test.h"

CASE(rows_go_round)
{
	struct ady_settings s = {.version = 6, .has_fee = true, .has_graffiti = true}, got;
	struct ady_state_row row;

	memset(s.fee_recipient, 0xab, 20);
	memcpy(s.graffiti, "thirty-two bytes of graffiti ....", ADY_GRAFFITI_MAX);
	ady_settings_write(&row, &s);
	CHECK(ady_settings_is_row(&row) && row.n <= ADY_STATE_MAX);
	ady_settings_read(&got, &row);
	CHECK_INT(got.version, 7);
	CHECK(got.has_fee && got.has_graffiti && !got.has_gas);
	CHECK(memcmp(got.fee_recipient, s.fee_recipient, 20) == 0);
	CHECK_STR(got.graffiti, "thirty-two bytes of graffiti ...");
	s = (struct ady_settings){.has_gas = true, .gas_limit = UINT64_MAX};
	ady_settings_write(&row, &s);
	ady_settings_read(&got, &row);
	CHECK(got.has_gas && !got.has_fee && !got.has_graffiti && got.gas_limit == UINT64_MAX);
	CHECK_STR(got.graffiti, "");
}

/* Whoever owns the store may write anything there. */
CASE(other_rows_have_no_settings)
{
	struct ady_settings s = {.has_graffiti = true, .graffiti = "x"}, got;
	struct ady_state_row row, none = {0};

	ady_settings_read(&got, &none);
	CHECK(got.version == 0 && !got.has_fee && !got.has_gas && !got.has_graffiti);
	ady_settings_write(&row, &s);
	row.bytes[9] = 255; /* longer than there is room for */
	ady_settings_read(&got, &row);
	CHECK_STR(got.graffiti, "");
	row.n--;
	CHECK(!ady_settings_is_row(&row));
	row.n++;
	row.bytes[0] ^= 1;
	CHECK(!ady_settings_is_row(&row));
	ady_settings_read(&got, &row);
	CHECK(got.version == 0 && !got.has_graffiti);
}

CASE(keys_are_of_one_validator_each)
{
	uint8_t a[ADY_STATE_KEY] = {1}, b[ADY_STATE_KEY] = {2}, ka[ADY_STATE_KEY],
	        kb[ADY_STATE_KEY];

	ady_settings_key(ka, a);
	ady_settings_key(kb, b);
	CHECK(memcmp(ka, kb, sizeof ka) != 0 && memcmp(ka, a, sizeof ka) != 0);
}

int main(void)
{
	RUN(rows_go_round);
	RUN(other_rows_have_no_settings);
	RUN(keys_are_of_one_validator_each);
	return test_end();
}
