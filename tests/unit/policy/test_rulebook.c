/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_fixture.h"

#define RULE(members) "{'policy':1,'rules':[{'name':'r','effect':'allow','when':{}" members "}]}"

static char text[FIX_TEXT];

struct bad {
	const char *policy, *where, *why;
	enum ady_err err;
};

static void check_bad(const struct bad *bad, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!CHECK_ERR(read_policy(bad[i].policy), bad[i].err))
			printf("# %s\n", bad[i].policy);
		check_fault(bad[i].where, bad[i].why);
	}
}

CASE(policies_of_another_form_are_refused)
{
	static const struct bad bad[] = {
	    {"[]", "policy", "must be an object", ADY_E_FIELD_INVALID},
	    {"{'rules':[]}", "policy", "needs \"policy\"", ADY_E_FIELD_MISSING},
	    {"{'policy':1}", "policy", "needs \"rules\"", ADY_E_FIELD_MISSING},
	    {"{'policy':2,'rules':[]}", "policy.policy", "must be 1", ADY_E_FIELD_INVALID},
	    {"{'policy':'1','rules':[]}", "policy.policy", "must be 1", ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':{}}", "policy.rules", "must be an array", ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[],'x':1}", "policy.x", "is not known", ADY_E_FIELD_UNKNOWN},
	    {"{'policy':1,'rules':[],'0123456789012345678901234567890123456789012345678':1}",
	     "policy.012345678901234567890123456789012345678901234567", "is not known",
	     ADY_E_FIELD_UNKNOWN},
	    {"{'policy':1,'rules':[],'count':'wallets'}", "policy.count",
	     "must be \"wallet\" or \"key\"", ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[],'count':1}", "policy.count", "must be \"wallet\" or \"key\"",
	     ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[],'lists':[]}", "policy.lists", "must be an object of arrays",
	     ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[],'lists':{'a':1}}", "policy.a", "must be an array",
	     ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[],'lists':{'':[]}}", "policy.", "must be a name",
	     ADY_E_FIELD_INVALID},
	};

	check_bad(bad, sizeof bad / sizeof *bad);
}

CASE(rules_of_another_form_are_refused)
{
	static const struct bad bad[] = {
	    {"{'policy':1,'rules':[1]}", "policy.rules[0]", "must be an object",
	     ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[{'effect':'allow','when':{}}]}", "policy.rules[0]",
	     "needs \"name\"", ADY_E_FIELD_MISSING},
	    {"{'policy':1,'rules':[{'name':'r','when':{}}]}", "policy.rules[0]", "needs \"effect\"",
	     ADY_E_FIELD_MISSING},
	    {"{'policy':1,'rules':[{'name':'r','effect':'allow'}]}", "policy.rules[0]",
	     "needs \"when\"", ADY_E_FIELD_MISSING},
	    {"{'policy':1,'rules':[{'name':'r','effect':'permit','when':{}}]}",
	     "policy.rules[0].effect", "must be \"allow\"", ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[{'name':'','effect':'allow','when':{}}]}",
	     "policy.rules[0].name", "must be a name", ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[{'name':1,'effect':'allow','when':{}}]}", "policy.rules[0].name",
	     "must be a name", ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[{'name':'a\\n','effect':'allow','when':{}}]}",
	     "policy.rules[0].name", "must be a name", ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[{'name':'\x7f','effect':'allow','when':{}}]}",
	     "policy.rules[0].name", "must be a name", ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[{'name':'0123456789012345678901234567890123456789012345678','"
	     "effect':"
	     "'allow','when':{}}]}",
	     "policy.rules[0].name", "must be a name", ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[{'name':'r','effect':'allow','when':{}},{'name':'r','effect':'"
	     "deny',"
	     "'when':{}}]}",
	     "policy.rules[1].name", "is the name of an earlier rule", ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[{'name':'r','effect':'deny','when':{},'limits':[]}]}",
	     "policy.rules[0].limits", "belongs to an allow rule", ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[{'name':'r','effect':'deny','when':{},'approvals':{}}]}",
	     "policy.rules[0].approvals", "belongs to an allow rule", ADY_E_FIELD_INVALID},
	};

	check_bad(bad, sizeof bad / sizeof *bad);
}

CASE(quorums_of_another_form_are_refused)
{
	static const struct bad bad[] = {
	    {"{'policy':1,'rules':[],'change':1}", "policy", "must be an object",
	     ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[],'change':{'need':1}}", "policy", "needs \"of\"",
	     ADY_E_FIELD_MISSING},
	    {RULE(",'approvals':{'need':1,'of':1}"), "policy.rules[0].of",
	     "must be an array or the", ADY_E_FIELD_INVALID},
	    {RULE(",'approvals':{'need':1,'of':['x']}"), "policy.rules[0].of", "must have keys",
	     ADY_E_FIELD_INVALID},
	    {RULE(",'approvals':{'need':1,'of':['" KEY1 "','" KEY1 "']}"), "policy.rules[0].of",
	     "has a key twice", ADY_E_FIELD_INVALID},
	    {RULE(",'approvals':{'need':0,'of':['" KEY1 "']}"), "policy.rules[0].need",
	     "from 1 to the number of keys", ADY_E_FIELD_INVALID},
	    {RULE(",'approvals':{'need':2,'of':['" KEY1 "']}"), "policy.rules[0].need",
	     "from 1 to the number of keys", ADY_E_FIELD_INVALID},
	    {RULE(",'approvals':{'need':'1','of':['" KEY1 "']}"), "policy.rules[0].need",
	     "from 1 to the number of keys", ADY_E_FIELD_INVALID},
	    {RULE(",'approvals':{'need':1.5,'of':['" KEY1 "']}"), "policy.rules[0].need",
	     "from 1 to the number of keys", ADY_E_FIELD_INVALID},
	    {RULE(",'approvals':{'need':18446744073709551617,'of':['" KEY1 "']}"),
	     "policy.rules[0].need", "from 1 to the number of keys", ADY_E_FIELD_INVALID},
	};

	check_bad(bad, sizeof bad / sizeof *bad);
}

CASE(limits_of_another_form_are_refused)
{
	static const struct bad bad[] = {
	    {RULE(",'limits':{}"), "policy.rules[0].limits", "must be an array of limits",
	     ADY_E_FIELD_INVALID},
	    {RULE(",'limits':[1]"), "policy.rules[0]", "must be an object", ADY_E_FIELD_INVALID},
	    {RULE(",'limits':[{'per':'1h','max':1}]"), "policy.rules[0]", "needs \"name\"",
	     ADY_E_FIELD_MISSING},
	    {RULE(",'limits':[{'name':'a','per':'1h'}]"), "policy.rules[0]", "needs \"max\"",
	     ADY_E_FIELD_MISSING},
	    {RULE(",'limits':[{'name':'a','max':1}]"), "policy.rules[0]", "needs \"per\"",
	     ADY_E_FIELD_MISSING},
	    {RULE(",'limits':[{'name':1,'per':'1h','max':1}]"), "policy.rules[0].name",
	     "must be a name", ADY_E_FIELD_INVALID},
	    {RULE(",'limits':[{'name':'a','per':'1h','max':-1}]"), "policy.rules[0].max",
	     "must be a number", ADY_E_FIELD_INVALID},
	    {RULE(",'limits':[{'name':'a','per':'1h','max':1,'sum':1}]"), "policy.rules[0].sum",
	     "must be the name of a field", ADY_E_FIELD_INVALID},
	    {RULE(",'limits':[{'name':'a','per':'1h','max':1,'sum':'x'}]"), "policy.rules[0].sum",
	     "is no field", ADY_E_FIELD_INVALID},
	    {RULE(",'limits':[{'name':'a','per':'1h','max':1,'sum':'to'}]"), "policy.rules[0].sum",
	     "unsigned numbers", ADY_E_FIELD_INVALID},
	    {RULE(",'limits':[{'name':'a','per':'1h','max':1,'sum':'args.x'}]"),
	     "policy.rules[0].sum", "needs \"function\"", ADY_E_FIELD_INVALID},
	    {"{'policy':1,'rules':[{'name':'r','effect':'allow','when':{'function':'f(uint8[] "
	     "a)'},'limits':[{'name':'a','per':'1h','max':1,'sum':'args.a[*]'}]}]}",
	     "policy.rules[0].sum", "not the items of a list", ADY_E_FIELD_INVALID},
	    {RULE(",'limits':[{'name':'a','per':'1h','max':1},{'name':'a','per':'1h','max':2}]"),
	     "policy.rules[0].name", "another limit of this rule", ADY_E_FIELD_INVALID},
	    {RULE(",'limits':[{'name':'a','per':'1h','max':1},{'name':'a','per':'2h','max':2}]"),
	     "policy.rules[0].name", "but another period", ADY_E_FIELD_INVALID},
	};

	check_bad(bad, sizeof bad / sizeof *bad);
}

CASE(periods)
{
	static const struct {
		const char *per;
		uint32_t s; /* 0: refused */
	} cases[] = {{"'60s'", 60},        {"'59s'", 0},
	             {"'1m'", 60},         {"'0m'", 0},
	             {"'24h'", 86400},     {"'366d'", 366 * 86400},
	             {"'367d'", 0},        {"'1w'", 0},
	             {"'h'", 0},           {"''", 0},
	             {"3600", 0},          {"'01h'", 0},
	             {"'1.5h'", 0},        {"'18446744073709551617s'", 0},
	             {"'99999999999d'", 0}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(text, sizeof text, RULE(",'limits':[{'name':'a','per':%s,'max':1}]"),
		         cases[i].per);
		if (cases[i].s == 0) {
			CHECK_ERR(read_policy(text), ADY_E_FIELD_INVALID);
			check_fault("policy.rules[0].per", "must be a period");
			continue;
		}
		CHECK_ERR(read_policy(text), ADY_OK);
		CHECK_INT(book.counters[0].per_s, cases[i].s);
	}
}

CASE(lists_by_name)
{
	ask_call(TO35, "0x");
	CHECK_ERR(
	    read_policy("{'policy':1,'note':'n','lists':{'first':[],'vaults':['" DEAD "','" TO35
	                "'],'unused':"
	                "[{}]},'rules':[{'name':'a','note':'n','effect':'allow','when':{'to':"
	                "{'in':'vaults'}}},{'name':'b','effect':'deny','when':{'to':{'not_in':"
	                "'vaults'}}}]}"),
	    ADY_OK);
	CHECK_INT(book.values_n, 2); /* once, though used twice */
	CHECK_INT(decide(NULL, NULL).verdict, ADY_ALLOWED);
	CHECK_ERR(read_policy("{'policy':1,'lists':{'l':['" DEAD
	                      "']},'rules':[{'name':'a','effect':"
	                      "'allow','when':{'to':{'in':'l'},'chain':{'in':'l'}}}]}"),
	          ADY_E_FIELD_INVALID);
	check_fault("policy.rules[0].chain", "another type");
	CHECK_ERR(
	    read_policy("{'policy':1,'lists':{'l':['0x01']},'rules':[{'name':'a','effect':"
	                "'allow','when':{'function':'f(uint8 a,uint16 b)','args.a':{'in':'l'},"
	                "'args.b':{'in':'l'}}}]}"),
	    ADY_E_FIELD_INVALID);
	check_fault("policy.rules[0].args.b", "another type");
	CHECK_ERR(
	    read_policy("{'policy':1,'lists':{'l':['x']},'rules':[{'name':'a','effect':'allow',"
	                "'when':{'to':{'in':'l'}}}]}"),
	    ADY_E_FIELD_INVALID);
	check_fault("policy.rules[0].to", "must be an address");
	CHECK_ERR(
	    read_policy("{'policy':1,'lists':{'k':['" KEY1 "','" KEY2 "']},'change':{'need':2,"
	                "'of':'k'},'rules':[{'name':'a','effect':'allow','when':{},'approvals':"
	                "{'need':1,'of':'k'}}]}"),
	    ADY_OK);
	CHECK_INT(book.change.need, 2);
	CHECK_INT(book.change.n, 2);
	CHECK_INT(book.rules[0].approvals.need, 1);
}

CASE(limits_count_for_the_wallet_unless_it_is_said)
{
	CHECK_ERR(read_policy("{'policy':1,'count':'key','rules':[]}"), ADY_OK);
	CHECK(book.each_key);
	CHECK_ERR(read_policy("{'policy':1,'count':'wallet','rules':[]}"), ADY_OK);
	CHECK(!book.each_key);
	book.each_key = true;
	CHECK_ERR(read_policy("{'policy':1,'rules':[]}"), ADY_OK);
	CHECK(!book.each_key);
}

/* A policy with so many of something; each part is printed with its number. */
static enum ady_err many(const char *head, const char *part, unsigned n, const char *tail)
{
	struct ady_buf b = ady_buf(text, sizeof text - 1);

	ady_buf_str(&b, head);
	for (unsigned i = 0; i < n; i++) {
		const char *number = strchr(part, '#');

		ady_buf_str(&b, i ? "," : "");
		if (!number) {
			ady_buf_str(&b, part);
			continue;
		}
		ady_buf_printf(&b, "%.*s%u%s", (int)(number - part), part, i, number + 1);
	}
	ady_buf_str(&b, tail);
	text[b.n] = '\0';
	CHECK(!b.full);
	return read_policy(text);
}

#define RULE_HEAD "{'policy':1,'rules':[{'name':'r','effect':'allow','when':{"
#define RULE_TAIL "}}]}"

CASE(tables_are_full_at_their_ends)
{
	static const struct {
		const char *head, *part, *tail;
		unsigned max;
	} cases[] = {
	    {"{'policy':1,'rules':[", "{'name':'#','effect':'allow','when':{}}", "]}",
	     ADY_RULES_MAX},
	    {RULE_HEAD "'value':[", "#", "]" RULE_TAIL, ADY_VALUES_MAX},
	    {RULE_HEAD "'time':[", "{'days':['mon']}", "]" RULE_TAIL, ADY_WINDOWS_MAX},
	    {RULE_HEAD "'function':[", "'f#()'", "]" RULE_TAIL, ADY_FUNCTIONS_MAX},
	    {RULE_HEAD "'function':'f(uint8[] a)',", "'args.a[#]':1", RULE_TAIL, ADY_PATHS_MAX},
	    {"{'policy':1,'rules':[],'lists':{", "'l#':[]", "}}", 32},
	};
	char where[64];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CHECK_ERR(many(cases[i].head, cases[i].part, cases[i].max, cases[i].tail), ADY_OK);
		CHECK_ERR(many(cases[i].head, cases[i].part, cases[i].max + 1, cases[i].tail),
		          ADY_E_TOO_LARGE);
		snprintf(where, sizeof where, "%s", fault.where);
		check_fault(where, "more than a policy may have");
	}
}

/* 256 rules of four conditions are all that there may be. */
CASE(conditions_are_full_at_their_end)
{
	static const char *const last[] = {"{'time':{'days':['mon']}}", "{'kind':'digest'}"};
	static char part[512];

	for (size_t i = 0; i < 2; i++) {
		CHECK_ERR(
		    many(
		        "{'policy':1,'rules':[",
		        "{'name':'#','effect':'deny','when':{'value':1,'nonce':1,'gas':1,'chain':1,"
		        "'fee':1}}",
		        204, "]}"),
		    ADY_OK);
		CHECK_INT(book.conds_n, 1020);
		snprintf(
		    part, sizeof part,
		    ",{'name':'x','effect':'deny','when':{'value':1,'nonce':1,'gas':1,'chain':1}},"
		    "{'name':'y','effect':'deny','when':%s}]}",
		    last[i]);
		CHECK_ERR(
		    many(
		        "{'policy':1,'rules':[",
		        "{'name':'#','effect':'deny','when':{'value':1,'nonce':1,'gas':1,'chain':1,"
		        "'fee':1}}",
		        204, part),
		    ADY_E_TOO_LARGE);
		CHECK_INT(book.conds_n, ADY_CONDS_MAX);
	}
}

CASE(limits_and_counters_are_full_at_their_ends)
{
	static const char shared[] =
	    "{'name':'r#','effect':'allow','when':{},'limits':[{'name':'n',"
	    "'per':'1h','max':1}]}";
	struct ady_buf b = ady_buf(text, sizeof text - 1);

	CHECK_ERR(many("{'policy':1,'rules':[", shared, ADY_LIMITS_MAX, "]}"), ADY_OK);
	CHECK_ERR(many("{'policy':1,'rules':[", shared, ADY_LIMITS_MAX + 1, "]}"), ADY_E_TOO_LARGE);
	ady_buf_str(&b, "{'policy':1,'rules':[");
	for (unsigned i = 0; i <= ADY_COUNTERS_MAX; i++)
		ady_buf_printf(&b,
		               "%s{'name':'r%u','effect':'allow','when':{},'limits':[{'name':'%u',"
		               "'per':'1h','max':1}]}",
		               i ? "," : "", i, i);
	ady_buf_str(&b, "]}");
	text[b.n] = '\0';
	CHECK_ERR(read_policy(text), ADY_E_TOO_LARGE);
	check_fault("policy.rules[32].name", "more than a policy may have");
	CHECK_INT(book.counters_n, ADY_COUNTERS_MAX);
}

int main(void)
{
	fixture_used();
	RUN(limits_count_for_the_wallet_unless_it_is_said);
	RUN(policies_of_another_form_are_refused);
	RUN(rules_of_another_form_are_refused);
	RUN(quorums_of_another_form_are_refused);
	RUN(limits_of_another_form_are_refused);
	RUN(periods);
	RUN(lists_by_name);
	RUN(tables_are_full_at_their_ends);
	RUN(conditions_are_full_at_their_end);
	RUN(limits_and_counters_are_full_at_their_ends);
	return test_end();
}
