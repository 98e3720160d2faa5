/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_fixture.h"

/* 2025-11-24 is a Monday; its midnight. */
enum { MONDAY = 1763942400, HOUR = 3600, DAY = 24 * HOUR };

static void at(uint64_t now_s)
{
	object = (struct ady_object){.kind = ADY_OBJECT_DIGEST, .now_s = now_s};
}

CASE(days_of_the_week_in_utc)
{
	static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
	char when[96];

	for (uint64_t d = 0; d < 7; d++)
		for (uint64_t name = 0; name < 7; name++) {
			snprintf(when, sizeof when, "{'time':{'days':['%s']}}", days[name]);
			at(MONDAY + d * DAY);
			CHECK_INT(met(when), d == name ? ADY_YES : ADY_NO);
			at(MONDAY + d * DAY + DAY - 1);
			CHECK_INT(met(when), d == name ? ADY_YES : ADY_NO);
		}
}

CASE(hours_begin_and_end)
{
	static const char office[] = "{'time':{'from':'09:30','to':'17:00'}}";

	at(MONDAY + 9 * HOUR + 1799);
	NOT_MET(office);
	at(MONDAY + 9 * HOUR + 1800);
	MET(office);
	at(MONDAY + 17 * HOUR - 1);
	MET(office);
	at(MONDAY + 17 * HOUR);
	NOT_MET(office);
	at(MONDAY + 24 * HOUR - 1);
	MET("{'time':{'from':'23:59','to':'24:00'}}");
}

CASE(an_interval_and_several_windows)
{
	static const char interval[] =
	    "{'time':{'after':'2025-11-24T00:00:00Z','before':'2025-11-24T01:00:00Z'}}";

	at(MONDAY - 1);
	NOT_MET(interval);
	at(MONDAY);
	MET(interval);
	at(MONDAY + HOUR);
	NOT_MET(interval);
	MET("{'time':[{'days':['sun']},{'from':'01:00','to':'02:00'}]}");
	NOT_MET("{'time':[{'days':['sun']},{'from':'02:00','to':'03:00'}]}");
	/* the windows of another rule are not its own */
	CHECK_ERR(
	    read_policy("{'policy':1,'rules':[{'name':'a','effect':'allow','when':{'time':{'days':"
	                "['sun']}}},{'name':'b','effect':'allow','when':{'time':{'days':['mon']},"
	                "'kind':'message'}}]}"),
	    ADY_OK);
	CHECK_INT(decide(NULL, NULL).verdict, ADY_DENIED_BY_DEFAULT);
	at(0);
	UNSURE(interval);
}

CASE(windows_of_another_form_are_refused)
{
	static const char *const bad[] = {
	    "{}",
	    "[]",
	    "1",
	    "{'days':[]}",
	    "{'days':'mon'}",
	    "{'days':['Mon']}",
	    "{'from':9}",
	    "{'from':'9:00'}",
	    "{'from':'09-00'}",
	    "{'from':'/9:00'}",
	    "{'from':'0:000'}",
	    "{'from':'09:60'}",
	    "{'from':'09:0a'}",
	    "{'from':'0a:00'}",
	    "{'from':'09:00:00'}",
	    "{'to':'24:01'}",
	    "{'to':'99:00'}",
	    "{'after':1}",
	    "{'after':'monday'}",
	    "{'before':'x'}",
	    "{'until':'09:00'}",
	    "{'from':'10:00','to':'10:00'}",
	    "{'from':'22:00','to':'06:00'}",
	    "{'after':'2025-11-24T00:00:00Z','before':'2025-11-24T00:00:00Z'}"};
	char when[160];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(when, sizeof when, "{'time':%s}", bad[i]);
		if (!CHECK(read_when(when) == ADY_E_FIELD_INVALID))
			printf("# %s\n", when);
		CHECK_STR(fault.where, "policy.rules[0].time");
	}
	refused("{'time':{'from':'22:00','to':'06:00'}}", "time", "is never open");
}

int main(void)
{
	fixture_used();
	RUN(days_of_the_week_in_utc);
	RUN(hours_begin_and_end);
	RUN(an_interval_and_several_windows);
	RUN(windows_of_another_form_are_refused);
	return test_end();
}
