/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_stream.h"
#include "test.h"

/* Give text byte by byte (step 1) or in pieces; the values found, joined by '|'. */
static enum ady_err split(char *out, size_t cap, const char *text, size_t step)
{
	struct ady_json_stream s = {0};
	struct ady_buf b = ady_buf(out, cap - 1);
	size_t n = strlen(text), begin = 0;
	enum ady_err err = ADY_E_AGAIN;

	for (size_t have = step < n ? step : n;;) {
		struct ady_bytes value;
		size_t used;

		err =
		    ady_json_stream_next(&s, &value, &used, ady_bytes(text + begin, have - begin));
		begin += used;
		if (err == ADY_OK) {
			ady_buf_view(&b, value);
			ady_buf_str(&b, "|");
			continue;
		}
		if (err != ADY_E_AGAIN || have == n)
			break;
		have = have + step < n ? have + step : n;
	}
	out[b.n] = '\0';
	return err;
}

CASE(values_are_found_however_they_come)
{
	static const char text[] =
	    " {\"a\":[1,{}]}[]\n{\"q\":\"}\\\"{\\\\\"}\t[[\"]\"]] {\"half\":";
	char out[128];

	for (size_t step = 1; step < sizeof text; step++) {
		CHECK_ERR(split(out, sizeof out, text, step), ADY_E_AGAIN);
		CHECK_STR(out, "{\"a\":[1,{}]}|[]|{\"q\":\"}\\\"{\\\\\"}|[[\"]\"]]|");
	}
}

CASE(what_is_no_object_or_array_is_refused)
{
	static const char *const texts[] = {"1", "\"x\"", "null", "{} x", "{},{}", "]", "\xff"};
	char out[64];

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		CHECK_ERR(split(out, sizeof out, texts[i], 64), ADY_E_JSON);
	CHECK_ERR(split(out, sizeof out, "{}}", 1), ADY_E_JSON);
	CHECK_STR(out, "{}|");
}

CASE(blanks_may_be_dropped_while_waiting)
{
	struct ady_json_stream s = {0};
	struct ady_bytes value;
	size_t used;

	CHECK_ERR(ady_json_stream_next(&s, &value, &used, ady_bytes_str("  \n")), ADY_E_AGAIN);
	CHECK_INT(used, 3);
	CHECK_INT(s.at, 0);
	CHECK_ERR(ady_json_stream_next(&s, &value, &used, ady_bytes_str(" {\"a")), ADY_E_AGAIN);
	CHECK_INT(used, 1);
	CHECK_INT(s.at, 3);
}

int main(void)
{
	RUN(values_are_found_however_they_come);
	RUN(what_is_no_object_or_array_is_refused);
	RUN(blanks_may_be_dropped_while_waiting);
	return test_end();
}
