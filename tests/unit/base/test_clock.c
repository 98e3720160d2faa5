/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "test.h"

static enum ady_err parse(int64_t *out, const char *text)
{
	return ady_time_parse(out, ady_bytes_str(text));
}

CASE(both_forms_round_trip)
{
	char basic[17], rfc[21];
	int64_t t;

	ady_time_basic(basic, 1795437600);
	CHECK_STR(basic, "20261123T124000Z");
	CHECK_ERR(parse(&t, basic), ADY_OK);
	CHECK_INT(t, 1795437600);
	ady_time_rfc3339(rfc, 1795437600);
	CHECK_STR(rfc, "2026-11-23T12:40:00Z");
	CHECK_ERR(parse(&t, rfc), ADY_OK);
	CHECK_INT(t, 1795437600);
}

CASE(fractions_are_dropped)
{
	int64_t t;

	CHECK_ERR(parse(&t, "1970-01-01T00:00:01.999Z"), ADY_OK);
	CHECK_INT(t, 1);
}

CASE(other_forms_are_refused)
{
	static const char *const bad[] = {"",
	                                  "2026-11-23",
	                                  "2026-11-23T12:40:00",
	                                  "20261123T1240Z",
	                                  "2026-02-30T00:00:00Z",
	                                  "20261323T000000Z",
	                                  "2026-11-23T25:00:00Z",
	                                  "2026-11-23T12:40:00.Z",
	                                  "2026-11-23T12:40:00+01:00",
	                                  "x0261123T124000Z",
	                                  "00000000T000000Z",
	                                  "00000100T000000Z",
	                                  "99999999T999999Z",
	                                  "99991231T240000Z",
	                                  "99991231T235960Z"};
	int64_t t;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK_ERR(parse(&t, bad[i]), ADY_E_FIELD_INVALID);
		CHECK_INT(t, 0);
	}
}

int main(void)
{
	RUN(both_forms_round_trip);
	RUN(fractions_are_dropped);
	RUN(other_forms_are_refused);
	return test_end();
}
