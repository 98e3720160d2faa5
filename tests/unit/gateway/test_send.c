/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/node.h"
#include "gateway/send_error.h"
#include "gateway/send_tx.h"
#include "test.h"

CASE(the_words_of_nodes)
{
	static const struct {
		const char *error;
		enum ady_send_error means;
	} rows[] = {
	    {"{\"code\":-32000,\"message\":\"already known\"}", ADY_SEND_KNOWN},
	    {"{\"code\":-32000,\"message\":\"Known transaction\"}", ADY_SEND_KNOWN},
	    {"{\"code\":-32010,\"message\":\"AlreadyKnown\"}", ADY_SEND_KNOWN},
	    {"{\"code\":-32003,\"message\":\"transaction already imported\"}", ADY_SEND_KNOWN},
	    {"{\"code\":-32000,\"message\":\"nonce too low: next nonce 5, tx nonce 4\"}",
	     ADY_SEND_NONCE_LOW},
	    {"{\"code\":-32001,\"message\":\"Nonce too low\"}", ADY_SEND_NONCE_LOW},
	    {"{\"code\":-32010,\"message\":\"OldNonce\"}", ADY_SEND_NONCE_LOW},
	    {"{\"code\":-32000,\"message\":\"replacement transaction underpriced: ..\"}",
	     ADY_SEND_NONCE_HELD},
	    {"{\"code\":-32000,\"message\":\"Replacement transaction underpriced\"}",
	     ADY_SEND_NONCE_HELD},
	    {"{\"code\":-32010,\"message\":\"ReplacementNotAllowed\"}", ADY_SEND_NONCE_HELD},
	    {"{\"code\":-32000,\"message\":\"transaction underpriced\"}", ADY_SEND_OTHER},
	    {"{\"code\":-32000,\"message\":\"insufficient funds for gas * price + value\"}",
	     ADY_SEND_OTHER},
	    {"{\"code\":-32000,\"message\":\"nonce too high\"}", ADY_SEND_OTHER},
	    {"{\"code\":-32000,\"data\":\"nonce too low\"}", ADY_SEND_OTHER},
	    {"[]", ADY_SEND_OTHER},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		CHECK_INT(ady_send_error_read(ady_bytes_str(rows[i].error)), rows[i].means);
}

CASE(quantities_of_nodes)
{
	static const char *const bad[] = {
	    "0x1",  "\"0x\"", "\"1\"", "\"0xg\"", "\"0x10000000000000000\"",
	    "null", "",       "\"0x1", "\"0x1 \""};
	uint64_t v;

	CHECK(ady_node_quantity(ady_bytes_str("\"0x0\""), &v) && v == 0);
	CHECK(ady_node_quantity(ady_bytes_str("\"0xfFffFFFFffffffff\""), &v) && v == UINT64_MAX);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(!ady_node_quantity(ady_bytes_str(bad[i]), &v));
}

/* --- transactions --- */

static struct ady_json_tok toks[256];
static struct ady_json doc;
static struct ady_rpc_call call;
static char text[2048];

static enum ady_err read_tx(struct ady_send_tx *tx, uint64_t *chain, const char *object,
                            struct ady_fault *f)
{
	snprintf(text, sizeof text, "{\"params\":[%s]}", object);
	CHECK_ERR(ady_json_parse(&doc, toks, 256, ady_bytes_str(text), f), ADY_OK);
	call = (struct ady_rpc_call){.doc = &doc, .params = ady_json_get(&doc, 0, "params")};
	return ady_send_tx_read(tx, &call, chain, f);
}

CASE(how_a_transaction_pays)
{
	static const struct {
		const char *object;
		int pays;
		bool blobs;
	} rows[] = {
	    {"{\"from\":\"0x\"}", ADY_PAYS_AS_CHAIN, false},
	    {"{\"gasPrice\":null,\"accessList\":[]}", ADY_PAYS_AS_CHAIN, false},
	    {"{\"gasPrice\":\"0x1\"}", ADY_PAYS_PRICE, false},
	    {"{\"type\":\"0x0\"}", ADY_PAYS_PRICE, false},
	    {"{\"type\":1}", ADY_PAYS_PRICE, false},
	    {"{\"type\":\"0x2\"}", ADY_PAYS_FEE, false},
	    {"{\"maxPriorityFeePerGas\":\"0x1\"}", ADY_PAYS_FEE, false},
	    {"{\"authorizationList\":[]}", ADY_PAYS_FEE, false},
	    {"{\"blobs\":[]}", ADY_PAYS_FEE, true},
	    {"{\"type\":\"0x3\"}", ADY_PAYS_FEE, true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_send_tx tx;
		struct ady_fault f = {0};
		uint64_t chain;

		CHECK_ERR(read_tx(&tx, &chain, rows[i].object, &f), ADY_OK);
		CHECK_INT(tx.pays, rows[i].pays);
		CHECK_INT(tx.blobs, rows[i].blobs);
	}
}

CASE(what_is_filled_in_stands_beside_what_was_given)
{
	struct ady_send_tx tx;
	struct ady_fault f = {0};
	struct ady_dyn out = {0};
	uint64_t chain;

	CHECK_ERR(
	    read_tx(&tx, &chain,
	            "{\"to\":\"0xab\",\"nonce\":null,\"chainId\":\"0x5\",\"gasLimit\":\"0x1\","
	            "\"blobs\":[\"0x00\"],\"type\":\"0x3\"}",
	            &f),
	    ADY_OK);
	CHECK_INT(chain, 5);
	CHECK(ady_send_tx_has(&tx, ADY_SEND_GAS) && !ady_send_tx_has(&tx, ADY_SEND_NONCE));
	ady_send_tx_fill(&tx, ADY_SEND_NONCE, 7);
	ady_send_tx_fill(&tx, ADY_SEND_NONCE, 255);
	ady_send_tx_fill(&tx, ADY_SEND_FEE, UINT64_MAX);
	ady_send_tx_put(&out, &tx);
	CHECK_STR(ady_dyn_cstr(&out),
	          "{\"to\":\"0xab\",\"chainId\":\"0x5\",\"gasLimit\":\"0x1\",\"blobs\":[\"0x00\"],"
	          "\"type\":\"0x3\",\"nonce\":\"0xff\",\"maxFeePerGas\":\"0xffffffffffffffff\"}");
	out.n = 0;
	ady_send_tx_put_call(&out, &tx);
	CHECK_STR(ady_dyn_cstr(&out), "{\"to\":\"0xab\",\"chainId\":\"0x5\"}");
	ady_dyn_free(&out);
}

CASE(refusals_name_the_field)
{
	static const struct {
		const char *object, *where;
		enum ady_err err;
	} rows[] = {
	    {"", "params[0]", ADY_E_FIELD_MISSING},
	    {"null", "params[0]", ADY_E_FIELD_MISSING},
	    {"\"0x\"", "params[0]", ADY_E_FIELD_INVALID},
	    {"{\"chainId\":\"x\"}", "transaction.chainId", ADY_E_FIELD_INVALID},
	    {"{\"chainId\":\"0x10000000000000000\"}", "transaction.chainId", ADY_E_FIELD_RANGE},
	    {"{\"type\":\"0x100\"}", "transaction.type", ADY_E_FIELD_RANGE},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_send_tx tx;
		struct ady_fault f = {0};
		uint64_t chain;

		CHECK_ERR(read_tx(&tx, &chain, rows[i].object, &f), rows[i].err);
		CHECK_STR(f.where, rows[i].where);
	}
}

int main(void)
{
	RUN(the_words_of_nodes);
	RUN(quantities_of_nodes);
	RUN(how_a_transaction_pays);
	RUN(what_is_filled_in_stands_beside_what_was_given);
	RUN(refusals_name_the_field);
	return test_end();
}
