/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/proofs.h"

#include "test.h"

static struct ady_http_request req;

/* What a head asks for: 1 or 0; -1: it is refused. */
static int asks(const char *head)
{
	struct ady_fault f = {0};
	bool asked = true;
	enum ady_err err;

	CHECK_ERR(ady_http_parse_request(&req.head, ady_bytes_str(head), &f), ADY_OK);
	err = ady_proofs_asked(&asked, &req, &f);
	if (err == ADY_OK)
		return asked;
	CHECK_ERR(err, ADY_E_FIELD_INVALID);
	CHECK(!asked);
	CHECK(f.where[0] && f.detail[0]);
	return -1;
}

#define HEAD(target, fields) "POST " target " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"

CASE(a_header_or_the_query_asks_and_nothing_else)
{
	CHECK_INT(asks(HEAD("/", "")), 0);
	CHECK_INT(asks(HEAD("/?check=1", "")), 0);
	CHECK_INT(asks(HEAD("/", "X-Adyton-Proofs: true\r\n")), 1);
	CHECK_INT(asks(HEAD("/", "x-adyton-proofs: false\r\n")), 0);
	CHECK_INT(asks(HEAD("/?proofs=true", "")), 1);
	CHECK_INT(asks(HEAD("/?a=b&proofs=%74rue", "")), 1);
	CHECK_INT(asks(HEAD("/?proofs=false", "")), 0);
	CHECK_INT(asks(HEAD("/?proofs=true", "X-Adyton-Proofs: false\r\n")), 0);
	CHECK_INT(asks(HEAD("/", "X-Adyton-Proof: true\r\n")), 0);
}

CASE(what_is_neither_true_nor_false_is_refused)
{
	CHECK_INT(asks(HEAD("/", "X-Adyton-Proofs: 1\r\n")), -1);
	CHECK_INT(asks(HEAD("/", "X-Adyton-Proofs: True\r\n")), -1);
	CHECK_INT(asks(HEAD("/", "X-Adyton-Proofs:\r\n")), -1);
	CHECK_INT(asks(HEAD("/?proofs", "")), -1);
	CHECK_INT(asks(HEAD("/?proofs=", "")), -1);
	CHECK_INT(asks(HEAD("/?proofs=%zz", "")), -1);
	CHECK_INT(asks(HEAD("/?proofs=truetruetruetrue", "")), -1);
}

static const char *put(const char *body, struct ady_bytes list)
{
	static struct ady_dyn out;

	out.n = 0;
	ady_dyn_str(&out, body);
	ady_proofs_put(&out, list);
	return ady_dyn_cstr(&out);
}

CASE(a_list_is_the_last_member_of_an_object_and_of_nothing_else)
{
	static const uint8_t proof[] = {0xfb, 0xff};
	struct ady_dyn list = {0};
	struct ady_bytes l;

	ady_proofs_add(&list, ady_bytes(NULL, 0), ady_bytes_str("{}"));
	CHECK_INT(list.n, 0);
	CHECK_STR(put("{\"a\":1}", ady_dyn_bytes(&list)), "{\"a\":1}");
	ady_proofs_add(&list, ady_bytes(proof, 2), ady_bytes(NULL, 0));
	ady_proofs_add(&list, ady_bytes(proof, 1), ady_bytes_str("{\"t\":\"\\n\"}"));
	l = ady_dyn_bytes(&list);
	CHECK_STR(put("{\"a\":1}\n", l),
	          "{\"a\":1,\"adyton_proofs\":[{\"proof\":\"-_8\"},{\"proof\":\"-w\",\"request\":"
	          "\"{\\\"t\\\":\\\"\\\\n\\\"}\"}]}\n");
	CHECK_INT(strlen(put("{}", l)), strlen("{\"adyton_proofs\":[]}") + list.n);
	CHECK_STR(put("", l), "");
	CHECK_STR(put("}", l), "}");
	CHECK_STR(put("\n", l), "\n");
	CHECK_STR(put("0x0102", l), "0x0102");
	CHECK_STR(put("[{}]", l), "[{}]");
	ady_dyn_free(&list);
}

int main(void)
{
	RUN(a_header_or_the_query_asks_and_nothing_else);
	RUN(what_is_neither_true_nor_false_is_refused);
	RUN(a_list_is_the_last_member_of_an_object_and_of_nothing_else);
	return test_end();
}
