/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/amount.h"

#include "test.h"

static const char *wei(const char *text)
{
	static char out[ADY_AMOUNT_SIZE];
	struct ady_fault f = {0};

	if (ady_amount_wei(out, text, "--value", &f) != ADY_OK)
		return f.detail[0] && strcmp(f.where, "--value") == 0 ? "refused" : "no reason";
	return out;
}

CASE(units_become_wei_exactly)
{
	CHECK_STR(wei("0"), "0");
	CHECK_STR(wei("1000"), "1000");
	CHECK_STR(wei("1000wei"), "1000");
	CHECK_STR(wei("20gwei"), "20000000000");
	CHECK_STR(wei("1.5gwei"), "1500000000");
	CHECK_STR(wei("0.1ether"), "100000000000000000");
	CHECK_STR(wei("1ether"), "1000000000000000000");
	CHECK_STR(wei("1eth"), "1000000000000000000");
	CHECK_STR(wei("0.000000000000000001ether"), "1");
	CHECK_STR(wei("0.0ether"), "0");
	CHECK_STR(wei("007"), "7");
	CHECK_STR(wei("123456789.123456789123456789ether"), "123456789123456789123456789");
	CHECK_STR(wei("0xde0b6b3a7640000"), "0xde0b6b3a7640000");
}

CASE(what_is_no_amount_is_refused)
{
	static const char *const bad[] = {
	    "",         " 1",    "1 ",         "-1",
	    "+1",       "1e18",  ".5",         "1.",
	    "1.ether",  "1.5",   "1.5wei",     "0.0000000001gwei",
	    "1,5ether", "ether", "1finney",    "1 ether",
	    "0x",       "0xg",   "1.2.3ether", "0.0000000000000000001ether",
	    "1Ether",   "NaN",   "1..0ether"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_STR(wei(bad[i]), "refused");
}

CASE(over_long_amounts_are_refused)
{
	char text[100];

	memset(text, '9', sizeof text);
	text[60] = 0;
	CHECK_INT(strlen(wei(text)), 60);
	text[60] = '9';
	text[61] = 0;
	CHECK_STR(wei(text), "refused");
}

int main(void)
{
	RUN(units_become_wei_exactly);
	RUN(what_is_no_amount_is_refused);
	RUN(over_long_amounts_are_refused);
	return test_end();
}
