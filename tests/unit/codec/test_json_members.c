/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_members.h"
#include "test.h"

static enum ady_err get(const char *text, const char *name, char *out)
{
	struct ady_bytes value;
	enum ady_err err = ady_json_members_get(ady_bytes_str(text), name, &value);

	(void)ady_bytes_to_str(out, 100, value);
	return err;
}

CASE(values_are_given_as_they_stand)
{
	static const char text[] =
	    " {\"id\" : 1,\"result\": {\"a\":[1,\"}\\\"\"]} ,\"x\":-1.5e3,\"n\":null,\"s\":\"\"}\n";
	char out[100];

	CHECK_ERR(get(text, "result", out), ADY_OK);
	CHECK_STR(out, "{\"a\":[1,\"}\\\"\"]}");
	CHECK_ERR(get(text, "id", out), ADY_OK);
	CHECK_STR(out, "1");
	CHECK_ERR(get(text, "x", out), ADY_OK);
	CHECK_STR(out, "-1.5e3");
	CHECK_ERR(get(text, "s", out), ADY_OK);
	CHECK_STR(out, "\"\"");
	CHECK_ERR(get(text, "error", out), ADY_E_NOT_FOUND);
	CHECK_ERR(get("{}", "id", out), ADY_E_NOT_FOUND);
}

CASE(what_is_no_object_is_refused)
{
	static const char *const texts[] = {
	    "",
	    "[]",
	    "{",
	    "{\"result\":}",
	    "{\"result\":1",
	    "{\"result\":1}}",
	    "{\"result\":1},{\"result\":2}",
	    "{\"result\":[}}",
	    "{\"result\":[},{\"result\":2]}",
	    "{\"result\":\"a}",
	    "{\"result\" 1}",
	    "{\"result\":1 \"b\":2}",
	    "{,\"result\":1}",
	    "{result:1}",
	    "{\"result\":\"\n\"}",
	    "{\"result\":\"\\",
	};
	char out[100];

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		CHECK_ERR(get(texts[i], "result", out), ADY_E_JSON);
}

CASE(depth_is_bounded)
{
	static char text[20000];
	char out[100];
	size_t n = (size_t)snprintf(text, sizeof text, "{\"result\":");

	memset(text + n, '[', 4096);
	memset(text + n + 4096, ']', 4096);
	text[n + 8192] = '}';
	CHECK_ERR(get(text, "result", out), ADY_OK);
	memset(text + n, '[', 4097);
	CHECK_ERR(get(text, "result", out), ADY_E_TOO_LARGE);
}

int main(void)
{
	RUN(values_are_given_as_they_stand);
	RUN(what_is_no_object_is_refused);
	RUN(depth_is_bounded);
	return test_end();
}
