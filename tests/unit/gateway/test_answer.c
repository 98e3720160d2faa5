/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer.h"

#include <jansson.h>
#include <stdlib.h>

#include "test.h"

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "(none)";
}

CASE(every_error_makes_a_problem_document)
{
	for (int i = ADY_OK + 1; i < ADY_ERR_COUNT; i++) {
		enum ady_err err = (enum ady_err)i;
		struct ady_fault f = {.err = err, .detail = "d\\\"", .where = "w", .cause = "c"};
		struct ady_dyn out = {0};
		json_t *o;

		ady_answer_problem(&out, ady_err_status(err), &f, "id-1");
		o = json_loadb((const char *)out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
		CHECK_INT(json_object_size(o), 8);
		CHECK_STR(text_of(o, "code"), ady_err_code(err));
		CHECK_STR(text_of(o, "title"), ady_err_text(err));
		CHECK_STR(text_of(o, "detail"), "d\\\"");
		CHECK_STR(text_of(o, "where"), "w");
		CHECK_STR(text_of(o, "cause"), "c");
		CHECK_STR(text_of(o, "request_id"), "id-1");
		CHECK_INT(json_integer_value(json_object_get(o, "status")), ady_err_status(err));
		json_decref(o);
		ady_dyn_free(&out);
	}
}

CASE(members_without_a_value_are_left_out)
{
	const struct ady_fault f = {.err = ADY_E_NOT_FOUND};
	struct ady_dyn out = {0};

	ady_answer_problem(&out, 404, &f, NULL);
	CHECK_STR(ady_dyn_cstr(&out),
	          "{\"type\":\"urn:adyton:error:not_found\",\"title\":\"there is nothing of that "
	          "name\",\"status\":404,\"code\":\"not_found\"}\n");
	ady_dyn_free(&out);
}

CASE(signatures_in_both_forms)
{
	static const uint8_t raw[] = {1, 2}, bytes[32] = {0xff}, low[32] = {0x7a};
	struct ady_wire_signed m = {.raw = ady_bytes(raw, 2),
	                            .hash = ady_bytes(bytes, 32),
	                            .from = ady_bytes(bytes, 20),
	                            .r = ady_bytes(bytes, 32),
	                            .s = ady_bytes(low, 32)};
	struct ady_dyn out = {0};
	json_t *o, *sig;

	ady_answer_signed(&out, ADY_FORM_NATIVE, &m);
	o = json_loadb((const char *)out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
	sig = json_object_get(o, "signature");
	CHECK_INT(json_object_size(o), 4);
	CHECK_STR(text_of(o, "signed_transaction"), "0x0102");
	CHECK_STR(text_of(o, "from"), "0xfF00000000000000000000000000000000000000");
	CHECK_INT(json_object_size(sig), 3);
	CHECK_INT(strlen(text_of(sig, "r")), 66);
	CHECK_INT(json_integer_value(json_object_get(sig, "yParity")), 0);
	json_decref(o);
	out.n = 0;
	m.raw.n = 0;
	m.y_parity = 1;
	ady_answer_signed(&out, ADY_FORM_NATIVE, &m);
	o = json_loadb((const char *)out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
	CHECK_INT(json_object_size(o), 5);
	CHECK_INT(strlen(text_of(o, "hash")), 66);
	CHECK_INT(strlen(text_of(o, "serialized")), 132);
	CHECK_STR(text_of(o, "serialized") + 130, "1c");
	CHECK_INT(strlen(text_of(o, "compact")), 130);
	CHECK(strncmp(text_of(o, "compact"), text_of(o, "serialized"), 66) == 0);
	CHECK(strncmp(text_of(o, "compact") + 66, "fa00", 4) == 0);
	json_decref(o);
	out.n = 0;
	m.raw.n = 2;
	ady_answer_signed(&out, ADY_FORM_SAMPLE, &m);
	o = json_loadb((const char *)out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
	CHECK_INT(json_object_size(o), 2);
	CHECK_STR(text_of(o, "transaction_signed"), "0x0102");
	CHECK_INT(strlen(text_of(o, "transaction_hash")), 66);
	json_decref(o);
	ady_dyn_free(&out);
}

/* The table of errors in doc/gateway.md is the one in base/err.h, row by row. */
#define ROW(name, code, status, text) "| `" code "` | " #status " | " text " |\n",
CASE(the_errors_table_is_right)
{
	static const char *const rows[] = {ADY_ERRS(ROW)};
#undef ROW
	struct ady_bytes doc = test_read_file("doc/gateway.md");

	CHECK(doc.p != NULL);
	for (size_t i = 2; doc.p && i < sizeof rows / sizeof *rows; i++) /* not ok, not again */
		if (!CHECK(strstr((const char *)doc.p, rows[i]) != NULL))
			fprintf(stderr, "not in doc/gateway.md: %s", rows[i]);
	free((void *)(uintptr_t)doc.p);
}

int main(void)
{
	RUN(every_error_makes_a_problem_document);
	RUN(members_without_a_value_are_left_out);
	RUN(signatures_in_both_forms);
	RUN(the_errors_table_is_right);
	return test_end();
}
