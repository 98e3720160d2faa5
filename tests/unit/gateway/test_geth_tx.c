/* SPDX-License-Identifier: Apache-2.0
 *
 * Transactions in geth's JSON and with their sidecars: exact texts, and bytes that are none. (What
 * geth's own reader makes of them: tests/e2e/geth.test.mjs.) */
#include "gateway/geth_tx.h"

#include <stdlib.h>

#include "base/text.h"
#include "test.h"

static const uint8_t hash[32] = {0xab};
static struct ady_dyn out;

static struct ady_bytes raw_of(const char *hex)
{
	static uint8_t space[1024];
	size_t n;

	CHECK_ERR(ady_hex_decode(space, sizeof space, &n, ady_bytes_str(hex)), ADY_OK);
	return ady_bytes(space, n);
}

static enum ady_err put(struct ady_bytes raw)
{
	const struct ady_sidecar none = {0};

	out.n = 0;
	ady_dyn_str(&out, "x");
	return ady_geth_tx_put(&out, raw, hash, &none, NULL);
}

/* nonce 9, gas price 20 gwei, 21000 gas, to 3535.., 1 ether; v, r, s: EIP-155's own example */
#define EIP155                                                                                    \
	"f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a7640000"    \
	"8025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761" \
	"aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
#define HASH "0xab00000000000000000000000000000000000000000000000000000000000000"
#define SIGNED                                                                          \
	"\"r\":\"0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276\"," \
	"\"s\":\"0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83\""

CASE(the_example_of_eip_155)
{
	CHECK_ERR(put(raw_of(EIP155)), ADY_OK);
	CHECK_STR(ady_dyn_cstr(&out),
	          "x{\"type\":\"0x0\",\"nonce\":\"0x9\",\"gasPrice\":\"0x4a817c800\","
	          "\"gas\":\"0x5208\",\"to\":\"0x3535353535353535353535353535353535353535\","
	          "\"value\":\"0xde0b6b3a7640000\",\"input\":\"0x\",\"v\":\"0x25\",\"chainId\":"
	          "\"0x1\"," SIGNED
	          ",\"maxPriorityFeePerGas\":null,\"maxFeePerGas\":null,\"hash\":\"" HASH "\"}");
}

CASE(before_eip_155_there_is_no_chain_id)
{
	char hex[512];
	char *v;

	snprintf(hex, sizeof hex, "%s", EIP155);
	v = strstr(hex, "8025a028") + 2; /* 0x25 becomes 0x1b */
	v[0] = '1';
	v[1] = 'b';
	CHECK_ERR(put(raw_of(hex)), ADY_OK);
	CHECK(strstr(ady_dyn_cstr(&out), "\"v\":\"0x1b\",\"r\":") != NULL);
	CHECK(strstr(ady_dyn_cstr(&out), "chainId") == NULL);
}

CASE(lists_in_lists)
{
	/* type 1: chain 1, nonce 0, price 1, gas 2, creation, value 0, no data, one address with no
	 * key, parity 1, r 3, s 4 */
	CHECK_ERR(put(raw_of("01e2"
	                     "01"
	                     "80"
	                     "01"
	                     "02"
	                     "80"
	                     "80"
	                     "80"
	                     "d7d6943535353535353535353535353535353535353535c0"
	                     "01"
	                     "03"
	                     "04")),
	          ADY_OK);
	CHECK_STR(
	    ady_dyn_cstr(&out),
	    "x{\"type\":\"0x1\",\"chainId\":\"0x1\",\"nonce\":\"0x0\",\"gasPrice\":\"0x1\","
	    "\"gas\":\"0x2\",\"to\":null,\"value\":\"0x0\",\"input\":\"0x\",\"accessList\":"
	    "[{\"address\":\"0x3535353535353535353535353535353535353535\",\"storageKeys\":[]}],"
	    "\"v\":\"0x1\",\"yParity\":\"0x1\",\"r\":\"0x3\",\"s\":\"0x4\","
	    "\"maxPriorityFeePerGas\":null,\"maxFeePerGas\":null,\"hash\":\"" HASH "\"}");
}

CASE(bytes_that_are_no_transaction)
{
	static const char *const none[] = {"",
	                                   "00",
	                                   "05c0",
	                                   "c0",
	                                   "02c0",
	                                   "80",
	                                   "01",
	                                   "f86c09",
	                                   "c9010101010101010101c0" /* an item too many */,
	                                   "ca010101010101010101c0" /* a list as s */};
	struct ady_bytes raw;
	uint8_t copy[256];

	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		CHECK_ERR(put(raw_of(none[i])), ADY_E_PROTOCOL);
		CHECK_STR(ady_dyn_cstr(&out), "x"); /* as before */
	}
	/* every byte changed, and every end: an answer or a refusal, and never more than is there
	 */
	raw = raw_of(EIP155);
	memcpy(copy, raw.p, raw.n);
	for (size_t i = 0; i < raw.n; i++) {
		uint8_t *exact = malloc(i ? i : 1);

		for (unsigned v = 0; v < 256; v++) {
			copy[i] = (uint8_t)v;
			(void)put(ady_bytes(copy, raw.n));
		}
		copy[i] = raw.p[i];
		memcpy(exact, raw.p, i);
		CHECK_ERR(put(ady_bytes(exact, i)), ADY_E_PROTOCOL);
		free(exact);
	}
}

int main(void)
{
	RUN(the_example_of_eip_155);
	RUN(before_eip_155_there_is_no_chain_id);
	RUN(lists_in_lists);
	RUN(bytes_that_are_no_transaction);
	ady_dyn_free(&out);
	return test_end();
}
