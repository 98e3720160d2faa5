/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/eth_tx.h"

#include "test.h"

/* EIP-55, Test Cases. */
static const char *const checksummed[] = {
    "0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
};

static enum ady_err parse(uint8_t out[static 20], const char *text)
{
	return ady_eth_address_parse(out, ady_bytes_str(text));
}

CASE(eip_55_addresses_are_read_and_written)
{
	for (size_t i = 0; i < sizeof checksummed / sizeof *checksummed; i++) {
		uint8_t address[20];
		char text[43];

		CHECK_ERR(parse(address, checksummed[i]), ADY_OK);
		ady_eth_address_format(text, address);
		CHECK_STR(text, checksummed[i]);
	}
}

CASE(one_case_needs_no_checksum)
{
	uint8_t address[20];

	CHECK_ERR(parse(address, "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"), ADY_OK);
	CHECK_HEX(address, 20, "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed");
	CHECK_ERR(parse(address, "0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED"), ADY_OK);
	CHECK_HEX(address, 20, "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed");
}

/* Change the case of each letter in turn: each must fail, unless one case is left. */
CASE(each_letter_is_checked)
{
	for (size_t i = 4; i < sizeof checksummed / sizeof *checksummed; i++) {
		for (size_t k = 2; k < 42; k++) {
			uint8_t address[20];
			char text[43];

			memcpy(text, checksummed[i], sizeof text);
			if (text[k] <= '9')
				continue;
			text[k] ^= 0x20;
			CHECK_ERR(parse(address, text), ADY_E_CHECKSUM);
			CHECK_HEX(address, 4, "00000000");
		}
	}
}

CASE(other_forms_are_refused)
{
	static const char *const bad[] = {
	    "",
	    "0x",
	    "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
	    "0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
	    "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae",
	    "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed0",
	    "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg",
	    " 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae",
	    "XE7338O073KYGTWWZN0F2WZ0R8PX5ZPPZS00000000",
	};
	uint8_t address[20];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_ERR(parse(address, bad[i]), ADY_E_FIELD_INVALID);
}

/* The address of private key 1, whose public key is the generator (SEC 2, 2.4.1). */
CASE(address_of_a_public_key)
{
	struct ady_bytes pub = test_hex(
	    "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4"
	    "fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8");
	uint8_t address[20];
	char text[43];

	ady_eth_address(address, pub.p);
	ady_eth_address_format(text, address);
	CHECK_STR(text, "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
}

int main(void)
{
	RUN(eip_55_addresses_are_read_and_written);
	RUN(one_case_needs_no_checksum);
	RUN(each_letter_is_checked);
	RUN(other_forms_are_refused);
	RUN(address_of_a_public_key);
	return test_end();
}
