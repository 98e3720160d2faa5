/* SPDX-License-Identifier: Apache-2.0
 *
 * Block headers of Clique, and bytes that are hashed as they are: what is signed, and what is
 * refused, with code and reason. */
#include "chain/eth_message.h"

#include "base/text.h"
#include "codec/rlp.h"
#include "crypto/hash.h"

#include "test.h"

enum { ITEMS = 16 };

static struct ady_json_tok toks[16];
static uint8_t space[8192], digest[32];
static struct ady_fault fault;

typedef enum ady_err read_fn(uint8_t digest32[static 32], const struct ady_eth_reader *r,
                             uint32_t i);

static enum ady_err read_text(read_fn *read, const char *json)
{
	struct ady_buf scratch = ady_buf(space, sizeof space);
	struct ady_json doc;
	struct ady_eth_reader r = {.doc = &doc, .at = "it", .scratch = &scratch, .f = &fault};

	fault = (struct ady_fault){0};
	if (!CHECK_ERR(ady_json_parse(&doc, toks, 16, ady_bytes_str(json), &fault), ADY_OK))
		return ADY_E_JSON;
	return read(digest, &r, 0);
}

static enum ady_err read_bytes(read_fn *read, struct ady_bytes b)
{
	static char json[8192];

	snprintf(json, sizeof json, "\"0x");
	ady_hex_encode(json + 3, b);
	snprintf(json + 3 + 2 * b.n, 2, "\"");
	return read_text(read, json);
}

/* --- headers --- */

struct header {
	size_t size[ITEMS + 1], n; /* of each item, and how many there are */
	uint8_t first[ITEMS + 1];  /* the first byte of each */
	bool list[ITEMS + 1];
};

static struct header good_header(void)
{
	return (struct header){.size = {32, 32, 20, 32, 32, 32, 256, 1, 3, 4, 0, 4, 72, 32, 8, 1},
	                       .n = 16,
	                       .first = {1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 0, 0, 0, 7}};
}

static struct ady_bytes encode(const struct header *h)
{
	static uint8_t items[4096], whole[4200];
	struct ady_buf b = ady_buf(items, sizeof items), out = ady_buf(whole, sizeof whole);

	for (size_t i = 0; i < h->n; i++) {
		uint8_t v[512] = {h->first[i], 0x55, 0x66};

		if (h->list[i])
			ady_rlp_put_list(&b, 0);
		else
			ady_rlp_put_string(&b, ady_bytes(v, h->size[i]));
	}
	ady_rlp_put_list(&out, b.n);
	ady_buf_view(&out, ady_buf_bytes(&b));
	return ady_buf_bytes(&out);
}

CASE(a_header_s_digest_is_that_of_its_rlp)
{
	static const size_t extra[] = {32, 52, 72, 32 + 20 * 23};
	uint8_t want[32];
	char hex[65];

	for (size_t i = 0; i < sizeof extra / sizeof *extra; i++) {
		for (size_t n = 15; n <= 16; n++) {
			struct header h = good_header();

			h.size[12] = extra[i];
			h.n = n;
			CHECK_ERR(read_bytes(ady_eth_clique_digest, encode(&h)), ADY_OK);
			ady_keccak256(want, encode(&h));
			ady_hex_encode(hex, ady_bytes(want, 32));
			CHECK_HEX(digest, 32, hex);
		}
	}
}

static void header_refused(const struct header *h, const char *why)
{
	CHECK_ERR(read_bytes(ady_eth_clique_digest, encode(h)), ADY_E_RLP);
	CHECK_STR(fault.where, "it");
	CHECK_STR(fault.detail, why);
}

CASE(headers_that_are_refused)
{
	static const char *const names[ITEMS] = {
	    "parentHash",       "sha3Uncles",   "miner",     "stateRoot",
	    "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty",
	    "number",           "gasLimit",     "gasUsed",   "timestamp",
	    "extraData",        "mixHash",      "nonce",     "baseFeePerGas"};
	struct header h;
	char why[96];

	for (size_t i = 0; i < ITEMS; i++) {
		bool number = (i >= 7 && i <= 11) || i == 15;

		snprintf(why, sizeof why, "has a wrong %s (item %zu of the header)", names[i], i);
		h = good_header();
		h.list[i] = true;
		header_refused(&h, why);
		h = good_header();
		h.size[i] = number ? (i >= 9 && i <= 11 ? 9 : 33) : h.size[i] + 1;
		header_refused(&h, why);
		if (!number) {
			h.size[i] -= 2;
			header_refused(&h, why);
		} else {
			h = good_header();
			h.size[i] = 2; /* a zero in front */
			h.first[i] = 0;
			header_refused(&h, why);
		}
	}
	h = good_header();
	h.size[12] = 32 + 65; /* sealed already */
	header_refused(&h, "has a wrong extraData (item 12 of the header)");
	h.size[12] = 12;
	header_refused(&h, "has a wrong extraData (item 12 of the header)");
}

CASE(what_is_no_header_is_refused)
{
	struct header h = good_header();
	struct ady_bytes rlp;
	uint8_t copy[4200];

	h.n = 14;
	header_refused(&h, "is no block header of 15 or 16 items");
	h.n = 9; /* as many as a legacy transaction has */
	header_refused(&h, "is no block header of 15 or 16 items");
	h.n = 17;
	header_refused(&h, "is no block header of 15 or 16 items");
	h.n = 0;
	header_refused(&h, "is no block header of 15 or 16 items");
	h = good_header();
	rlp = encode(&h);
	memcpy(copy, rlp.p, rlp.n);
	copy[rlp.n] = 0;
	CHECK_ERR(read_bytes(ady_eth_clique_digest, ady_bytes(copy, rlp.n + 1)), ADY_E_RLP);
	CHECK_STR(fault.detail, "is no list in canonical RLP");
	CHECK_ERR(read_bytes(ady_eth_clique_digest, ady_bytes(copy, rlp.n - 1)), ADY_E_RLP);
	CHECK_ERR(read_bytes(ady_eth_clique_digest, ady_bytes("", 0)), ADY_E_RLP);
	CHECK_ERR(read_bytes(ady_eth_clique_digest, ady_bytes("\x83"
	                                                      "abc",
	                                                      4)),
	          ADY_E_RLP);
	CHECK_ERR(read_text(ady_eth_clique_digest, "{}"), ADY_E_FIELD_INVALID);
	CHECK_ERR(read_text(ady_eth_clique_digest, "\"f8\""), ADY_E_FIELD_INVALID);
}

/* --- bytes --- */

CASE(bytes_are_hashed_without_a_prefix)
{
	/* keccak256 of nothing and of "abc" */
	CHECK_ERR(read_text(ady_eth_data_digest, "\"0x\""), ADY_OK);
	CHECK_HEX(digest, 32, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
	CHECK_ERR(read_text(ady_eth_data_digest, "\"0x616263\""), ADY_OK);
	CHECK_HEX(digest, 32, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
	/* lists that end early or late, and more than a byte before one, are no transactions */
	CHECK_ERR(read_text(ady_eth_data_digest, "\"0xc0c0\""), ADY_OK);
	CHECK_ERR(read_text(ady_eth_data_digest, "\"0xc1\""), ADY_OK);
	CHECK_ERR(read_text(ady_eth_data_digest, "\"0x0202c0\""), ADY_OK);
	CHECK_ERR(read_text(ady_eth_data_digest, "\"0x80c0\""), ADY_OK);
	CHECK_ERR(read_text(ady_eth_data_digest, "\"0x19457f\""), ADY_OK);
}

CASE(bytes_in_the_form_of_a_transaction_are_refused)
{
	static const char *const texts[] = {
	    "\"0xc0\"", "\"0xc101\"", "\"0x01c0\"", "\"0x02c101\"", "\"0x05c101\"", "\"0x7fc0\"",
	    "\"0x00c0\"",
	    /* legacy with EIP-155 for chain 1, as hashed for signing */
	    "\"0xec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a7640000"
	    "80018080\"",
	    /* and before EIP-155 */
	    "\"0xe9098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a7640000"
	    "80\""};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		CHECK_ERR(read_text(ady_eth_data_digest, texts[i]), ADY_E_DENIED);
		CHECK_STR(fault.where, "it");
		CHECK_STR(fault.detail,
		          "has the form of a transaction: that must be signed as one");
	}
}

int main(void)
{
	RUN(a_header_s_digest_is_that_of_its_rlp);
	RUN(headers_that_are_refused);
	RUN(what_is_no_header_is_refused);
	RUN(bytes_are_hashed_without_a_prefix);
	RUN(bytes_in_the_form_of_a_transaction_are_refused);
	return test_end();
}
