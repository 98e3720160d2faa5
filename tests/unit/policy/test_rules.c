/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_fixture.h"

enum { NOW = 1764000000, HOUR = 3600 };

static struct ady_counters before, after;

#define RULES(rules) "{'policy':1,'rules':[" rules "]}"
#define TWO(a, b) a "," b
#define ALLOW(name, when) "{'name':'" name "','effect':'allow','when':" when "}"
#define DENY(name, when) "{'name':'" name "','effect':'deny','when':" when "}"

static void check_verdict(enum ady_verdict verdict, const char *where, const char *why)
{
	struct ady_decision d = decide(&before, &after);

	CHECK_INT(d.verdict, verdict);
	check_fault(where, why);
}

CASE(nothing_is_allowed_by_default)
{
	ask_call(TO35, "0x");
	CHECK_ERR(read_policy(RULES(TWO(ALLOW("a", "{}"), DENY("b", "{}")))), ADY_OK);
	check_verdict(ADY_DENIED_BY_RULE, "policy.rules[1]", "denies this");
	CHECK_ERR(read_policy(RULES(ALLOW("a", "{}"))), ADY_OK);
	check_verdict(ADY_ALLOWED, "", "");
	CHECK_ERR(read_policy(RULES("")), ADY_OK);
	check_verdict(ADY_DENIED_BY_DEFAULT, "policy.rules", "no rule allows this");
	CHECK_ERR(read_policy(RULES(DENY("d", "{'value':9}"))), ADY_OK);
	check_verdict(ADY_DENIED_BY_DEFAULT, "policy.rules", "no rule allows this");
	CHECK_ERR(read_policy(RULES(ALLOW("a", "{'value':9}"))), ADY_OK);
	check_verdict(ADY_DENIED_BY_DEFAULT, "policy.rules", "no rule allows this");
	CHECK_ERR(read_policy(RULES(ALLOW("a", "{}"))), ADY_OK);
	check_verdict(ADY_ALLOWED, "", "");
}

CASE(deny_wins_wherever_it_stands)
{
	ask_call(TO35, "0x");
	CHECK_ERR(read_policy(RULES(TWO(ALLOW("a", "{}"), DENY("not five", "{'value':5}")))),
	          ADY_OK);
	check_verdict(ADY_DENIED_BY_RULE, "policy.rules[1]", "the rule \"not five\" denies this");
	CHECK_ERR(read_policy(RULES(TWO(DENY("six", "{'value':6}"), ALLOW("a", "{}")))), ADY_OK);
	check_verdict(ADY_ALLOWED, "", "");
}

CASE(what_is_undecided_is_denied)
{
	ask_call(TO35, "0xa9059cbb00");
	CHECK_ERR(read_policy(RULES(ALLOW("a", "{'function':'transfer(address,uint256)'}"))),
	          ADY_OK);
	check_verdict(ADY_DENIED_BY_DEFAULT, "policy.rules", "no rule allows this");
	CHECK_ERR(read_policy(RULES(TWO(ALLOW("a", "{}"),
	                                DENY("d", "{'function':'transfer(address,uint256)'}")))),
	          ADY_OK);
	check_verdict(ADY_DENIED_UNDECIDED, "policy.rules[1]",
	              "the rule \"d\" cannot be ruled out");
	/* a condition that is not met rules it out */
	CHECK_ERR(read_policy(
	              RULES(TWO(ALLOW("a", "{}"),
	                        DENY("d", "{'function':'transfer(address,uint256)','value':6}")))),
	          ADY_OK);
	check_verdict(ADY_ALLOWED, "", "");
}

CASE(the_first_rule_that_allows_is_the_one)
{
	struct ady_decision d;

	ask_call(TO35, "0x");
	CHECK_ERR(read_policy(RULES(TWO(ALLOW("a", "{'value':6}"),
	                                TWO(ALLOW("b", "{'value':5}"), ALLOW("c", "{}"))))),
	          ADY_OK);
	d = decide(NULL, NULL);
	CHECK_INT(d.verdict, ADY_ALLOWED);
	CHECK_INT(d.rule, 1);
}

#define APPROVED                                                                                 \
	"{'name':'big','effect':'allow','when':{},'approvals':{'need':2,'of':['" KEY1 "','" KEY2 \
	"','" KEY3 "']}}"

CASE(approvals_are_counted_once_a_key)
{
	ask_call(TO35, "0x");
	CHECK_ERR(read_policy(RULES(APPROVED)), ADY_OK);
	object.stamps = stamps;
	check_verdict(ADY_DENIED_APPROVALS, "policy.rules[0]", "needs 2 approvals and has 0");
	stamps[0] = stamps[1] = ady_bytes_str(KEY1);
	object.stamps_n = 2;
	check_verdict(ADY_DENIED_APPROVALS, "policy.rules[0]", "needs 2 approvals and has 1");
	stamps[1] = ady_bytes_str("ed25519:ff");
	check_verdict(ADY_DENIED_APPROVALS, "policy.rules[0]", "needs 2 approvals and has 1");
	stamps[1] = ady_bytes_str(KEY3);
	check_verdict(ADY_ALLOWED, "", "");
	/* the keys of another rule are not its own */
	CHECK_ERR(read_policy(RULES(
	              "{'name':'a','effect':'allow','when':{},'approvals':{'need':1,'of':['" KEY2
	              "']}},{'name':'b','effect':'allow','when':{'function':'f()'},'approvals':"
	              "{'need':1,'of':['" KEY1 "']}}")),
	          ADY_OK);
	stamps[0] = ady_bytes_str(KEY1);
	object.stamps_n = 1;
	check_verdict(ADY_DENIED_APPROVALS, "policy.rules[0]", "needs 1 approvals and has 0");
	/* a later rule may do without */
	object.stamps_n = 0;
	CHECK_ERR(read_policy(RULES(TWO(APPROVED, ALLOW("a", "{}")))), ADY_OK);
	check_verdict(ADY_ALLOWED, "", "");
	/* of several reasons the first is told */
	CHECK_ERR(
	    read_policy(RULES(TWO(APPROVED, "{'name':'l','effect':'allow','when':{},'limits':[{'"
	                                    "name':'n','per':'1h','max':0}]}"))),
	    ADY_OK);
	check_verdict(ADY_DENIED_APPROVALS, "policy.rules[0]", "needs 2 approvals");
}

#define LIMITED(limits) RULES("{'name':'lim','effect':'allow','when':{},'limits':[" limits "]}")

/* Ask at a time; the counters go on. */
static enum ady_verdict ask_at(uint64_t now)
{
	struct ady_decision d;

	object.now_s = now;
	d = decide(&before, &after);
	before = after;
	return d.verdict;
}

CASE(a_count_in_a_period)
{
	ask_call(TO35, "0x");
	before = (struct ady_counters){0};
	CHECK_ERR(read_policy(LIMITED("{'name':'n','per':'1h','max':2}")), ADY_OK);
	CHECK_INT(ask_at(NOW), ADY_ALLOWED);
	CHECK_INT(ask_at(NOW), ADY_ALLOWED);
	CHECK_INT(ask_at(NOW), ADY_DENIED_LIMIT);
	check_fault("policy.rules[0]", "a limit of the rule \"lim\" does not hold: n");
	CHECK_INT(ask_at(NOW + HOUR - 1), ADY_DENIED_LIMIT);
	CHECK_INT(ask_at(NOW + HOUR), ADY_DENIED_LIMIT); /* up to an eighth more */
	CHECK_INT(ask_at(NOW + HOUR + HOUR / 8), ADY_ALLOWED);
	CHECK_INT(ask_at(NOW), ADY_ALLOWED); /* the clock goes back, the counter does not */
	CHECK_INT(ask_at(NOW), ADY_DENIED_LIMIT);
}

CASE(a_value_in_a_period)
{
	ask_call(TO35, "0x"); /* value 5, fee 200000 */
	before = (struct ady_counters){0};
	CHECK_ERR(read_policy(LIMITED("{'name':'v','per':'7d','max':14,'sum':'value'},"
	                              "{'name':'f','per':'90s','max':'0x61a80','sum':'fee'}")),
	          ADY_OK);
	CHECK_INT(ask_at(NOW), ADY_ALLOWED);
	CHECK_INT(ask_at(NOW), ADY_ALLOWED);
	CHECK_INT(ask_at(NOW), ADY_DENIED_LIMIT);
	check_fault("policy.rules[0]", "does not hold: v");
	tx.value = ady_u256_from_u64(4);
	CHECK_INT(ask_at(NOW), ADY_DENIED_LIMIT);
	check_fault("policy.rules[0]", "does not hold: f");
	CHECK_INT(ask_at(NOW + 120), ADY_ALLOWED);
	tx.value = ady_u256_from_u64(1);
	CHECK_INT(ask_at(NOW + 300), ADY_DENIED_LIMIT);
	tx.value = ady_u256_from_u64(0);
	CHECK_INT(ask_at(NOW + 300), ADY_ALLOWED);
	memset(tx.value.be, 0xff, 32);
	CHECK_INT(ask_at(NOW + 600), ADY_DENIED_LIMIT); /* no number of 256 bits */
}

CASE(arguments_and_members_add_up)
{
	before = (struct ady_counters){0};
	ask_call(USDC, "0xa9059cbb"
	               "0000000000000000000000003535353535353535353535353535353535353535"
	               "0000000000000000000000000000000000000000000000000000000000000064");
	CHECK_ERR(
	    read_policy(RULES("{'name':'t','effect':'allow','when':{'function':'transfer(address "
	                      "to,uint256 n)'},'limits':[{'name':'usdc','per':'1d','max':150,"
	                      "'sum':'args.n'}]}")),
	    ADY_OK);
	CHECK_INT(ask_at(NOW), ADY_ALLOWED);
	CHECK_INT(ask_at(NOW), ADY_DENIED_LIMIT);
	ask_typed(
	    "{'types':{'P':[{'name':'v','type':'uint8'},{'name':'s','type':'S'}],'S':[{'name':"
	    "'w','type':'uint8'}]},'primaryType':'P','domain':{},'message':{'v':100,'s':null}}");
	CHECK_ERR(
	    read_policy(RULES("{'name':'t','effect':'allow','when':{'type':'P(uint8 v,S s)S(uint8 "
	                      "w)'},'limits':[{'name':'usdc','per':'1d','max':200,'sum':"
	                      "'message.v'}]}")),
	    ADY_OK);
	CHECK_INT(ask_at(NOW), ADY_ALLOWED);
	CHECK_INT(ask_at(NOW), ADY_DENIED_LIMIT);
	/* what is not there is not nothing */
	CHECK_ERR(
	    read_policy(RULES("{'name':'t','effect':'allow','when':{'type':'P(uint8 v,S s)S(uint8 "
	                      "w)'},'limits':[{'name':'x','per':'1d','max':200,'sum':"
	                      "'message.s.w'}]}")),
	    ADY_OK);
	CHECK_INT(ask_at(NOW), ADY_DENIED_LIMIT);
}

CASE(a_limit_needs_its_term_time_and_counters)
{
	struct ady_counters none = {0};

	ask_message("x");
	before = none;
	CHECK_ERR(read_policy(LIMITED("{'name':'v','per':'1h','max':14,'sum':'value'}")), ADY_OK);
	CHECK_INT(ask_at(NOW), ADY_DENIED_LIMIT);
	CHECK_ERR(read_policy(LIMITED("{'name':'v','per':'1h','max':14}")), ADY_OK);
	CHECK_INT(ask_at(0), ADY_DENIED_LIMIT);
	object.now_s = NOW;
	CHECK_INT(decide(NULL, &after).verdict, ADY_DENIED_LIMIT);
	CHECK_INT(memcmp(&after, &none, sizeof none), 0);
	CHECK_INT(decide(&none, NULL).verdict, ADY_ALLOWED);
	CHECK_INT(memcmp(&before, &none, sizeof none), 0);
	/* of the function that the rule denies: no amount of it */
	CHECK_ERR(
	    read_policy(RULES("{'name':'t','effect':'allow','when':{'kind':'message'},'limits':"
	                      "[{'name':'x','per':'1d','max':2,'sum':'value'}]}")),
	    ADY_OK);
	CHECK_INT(ask_at(NOW), ADY_DENIED_LIMIT);
}

CASE(rules_share_a_counter_by_its_name)
{
	ask_call(TO35, "0x");
	before = (struct ady_counters){0};
	CHECK_ERR(read_policy(
	              RULES("{'name':'a','effect':'allow','when':{'value':5},'limits':[{'name':'n',"
	                    "'per':'1h','max':1}]},{'name':'b','effect':'allow','when':{},"
	                    "'limits':[{'name':'n','per':'60m','max':3}]}")),
	          ADY_OK);
	CHECK_INT(book.counters_n, 1);
	CHECK_INT(ask_at(NOW), ADY_ALLOWED); /* by a */
	CHECK_INT(ask_at(NOW), ADY_ALLOWED); /* by b */
	CHECK_INT(ask_at(NOW), ADY_ALLOWED);
	CHECK_INT(ask_at(NOW), ADY_DENIED_LIMIT);
	check_fault("policy.rules[0]", "does not hold: n");
}

CASE(counters_are_written_and_read)
{
	static uint8_t space[1024];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_counters read;
	struct ady_counter_info other = {.name = ady_bytes_str("v"), .per_s = 7200};

	ask_call(TO35, "0x");
	before = (struct ady_counters){0};
	CHECK_ERR(read_policy(LIMITED("{'name':'v','per':'1h','max':14,'sum':'value'},"
	                              "{'name':'n','per':'2h','max':14}")),
	          ADY_OK);
	CHECK_INT(ask_at(NOW), ADY_ALLOWED);
	CHECK_INT(ask_at(NOW + 2000), ADY_ALLOWED);
	ady_counters_put(&b, &before, book.counters, book.counters_n);
	CHECK(!b.full);
	CHECK_ERR(ady_counters_read(&read, book.counters, 2, NOW, ady_buf_bytes(&b)), ADY_OK);
	CHECK_INT(memcmp(&read, &before, sizeof read), 0);
	CHECK_ERR(ady_counters_read(&read, book.counters, 1, NOW, ady_buf_bytes(&b)), ADY_OK);
	CHECK(!ady_u256_is_zero(&read.c[0].sum[0]) && read.c[1].slot == 0);
	/* another policy: the names that it has, all of a changed period as of now */
	CHECK_ERR(ady_counters_read(&read, &other, 1, NOW + 9000, ady_buf_bytes(&b)), ADY_OK);
	CHECK_INT(read.c[0].slot, (NOW + 9000) / 900);
	CHECK_INT(read.c[0].sum[0].be[31], 10);
	CHECK(ady_u256_is_zero(&read.c[0].sum[1]));
	for (size_t n = 1; n < b.n; n++) {
		enum ady_err err = ady_counters_read(&read, &other, 1, NOW, ady_bytes(space, n));

		if (n != b.n / 2)
			CHECK_ERR(err, ADY_E_FIELD_INVALID);
		if (err != ADY_OK)
			CHECK(ady_u256_is_zero(&read.c[0].sum[0]));
	}
	/* sums beyond 256 bits stay at the most */
	memset(space + 2 + 4 + 8, 0xff, 64);
	CHECK_ERR(ady_counters_read(&read, &other, 1, NOW, ady_buf_bytes(&b)), ADY_OK);
	CHECK_INT(read.c[0].sum[0].be[0], 0xff);
	CHECK_INT(read.c[0].sum[0].be[31], 0xff);
}

CASE(slots_go_as_time_goes)
{
	struct ady_counter c = {0};
	const struct ady_u256 one = ady_u256_from_u64(1);
	struct ady_u256 total;

	for (uint64_t i = 0; i < 12; i++) {
		ady_counter_advance(&c, 80, 1000 + i * 10);
		ady_counter_add(&c, &one);
		CHECK(ady_counter_total(&total, &c, &one));
		CHECK_INT(total.be[31], (i < 8 ? i + 1 : 9) + 1);
	}
	ady_counter_advance(&c, 80, 1110 + 80);
	CHECK(ady_counter_total(&total, &c, &one));
	CHECK_INT(total.be[31], 2);
	ady_counter_advance(&c, 80, 1110 + 90);
	CHECK(ady_counter_total(&total, &c, &one));
	CHECK_INT(total.be[31], 1);
	/* a period that eight does not divide: the slots are longer, never shorter */
	c = (struct ady_counter){0};
	ady_counter_advance(&c, 63, 8 * 100);
	ady_counter_add(&c, &one);
	ady_counter_advance(&c, 63, 8 * 100 + 64 + 7);
	CHECK(ady_counter_total(&total, &c, &one));
	CHECK_INT(total.be[31], 2);
}

/* The promise of a limit: no interval of the period's length holds more. */
CASE(no_interval_holds_more_than_the_limit)
{
	static uint64_t when[4000];
	uint64_t now = NOW, seed = 88172645463325252u, first = 0, n = 0;

	ask_call(TO35, "0x");
	before = (struct ady_counters){0};
	CHECK_ERR(read_policy(LIMITED("{'name':'n','per':'100s','max':7}")), ADY_OK);
	for (int i = 0; i < 4000; i++) {
		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		now += seed % 29;
		if (ask_at(now) != ADY_ALLOWED)
			continue;
		when[n++] = now;
		while (when[first] + 100 <= now)
			first++;
		if (!CHECK(n - first <= 7))
			return;
	}
	CHECK(n > 500);
}

CASE(explanations_say_why)
{
	const char *text;

	ask_call(USDC, "0xa9059cbb"
	               "0000000000000000000000003535353535353535353535353535353535353535"
	               "0000000000000000000000000000000000000000000000000000000000000064");
	before = (struct ady_counters){0};
	CHECK_ERR(read_policy(
	              "{'policy':1,'change':{'need':1,'of':['" KEY1 "']},'rules':["
	              "{'name':'t','effect':'allow','when':{'args.to':'" TO35
	              "','function':'transfer(address to,uint256 n)','args.n':{'ge':1,'lt':100},"
	              "'time':{'days':['mon']}},'limits':[{'name':'usdc','per':'1d','max':150,"
	              "'sum':'args.n'}],'approvals':{'need':1,'of':['" KEY1 "']}},"
	              "{'name':'d','effect':'deny','when':{'creates':true,'data':{'prefix':'0x00'},"
	              "'selector':{'not_in':['0x00000000']},'kind':'transaction','value':{'gt':9},"
	              "'gas':{'le':9},'text':'x'}}]}"),
	          ADY_OK);
	text = explain(&before);
	CHECK_STR(text, "allow \"t\": not met\n"
	                "    function is transfer(address to,uint256 n): met\n"
	                "    args.to is " TO35 ": met, it is " TO35 "\n"
	                "    args.n >= 1: met, it is 100\n"
	                "    args.n < 100: not met, it is 100\n"
	                "    time is {\"days\":[\"mon\"]}: met\n"
	                "    limit usdc: holds, 100 more make 100 of 150 in 86400 s\n"
	                "    approvals: 0 given, 1 of 1 needed\n"
	                "deny \"d\": not met\n"
	                "    creates is true: not met, it is false\n"
	                "    data begins with 0x00: not met, it is "
	                "0xa9059cbb0000000000000000000000003535353535353535"
	                "353535353535353535353535000000000000000000000000..\n"
	                "    selector is not [\"0x00000000\"]: met, it is 0xa9059cbb"
	                "00000000000000000000000000000000000000000000000000000000\n"
	                "    kind is transaction: met, it is transaction\n"
	                "    value > 9: not met, it is 5\n"
	                "    gas <= 9: not met, it is 100000\n"
	                "    text is x: not met\n"
	                "denied: no rule allows this (policy.rules)\n");
	CHECK(strstr(explain(NULL), "limit usdc: does not hold, there are no counters\n"));
	object.now_s = 0;
	CHECK(strstr(explain(&before), "limit usdc: does not hold, there are no counters\n"));
	CHECK(strstr(explain(&before), "time is {\"days\":[\"mon\"]}: undecided\n"));
	CHECK_ERR(read_policy(RULES(ALLOW("a", "{}"))), ADY_OK);
	CHECK_STR(explain(NULL), "allow \"a\": met\nallowed by \"a\"\n");
}

CASE(explanations_of_a_change_say_who_may_agree)
{
	static uint8_t space[4096];
	struct ady_deciding d = {.book = &book, .object = &object};
	struct ady_buf b = ady_buf(space, sizeof space - 1);

	ask_call(TO35, "0x");
	CHECK_ERR(
	    read_policy("{'policy':1,'change':{'need':2,'of':['" KEY1 "','" KEY2 "']},'rules':[]}"),
	    ADY_OK);
	stamps[0] = ady_bytes_str(KEY2);
	object.stamps = stamps;
	object.stamps_n = 1;
	CHECK(!ady_explain_change(&b, &d));
	stamps[1] = ady_bytes_str(KEY1);
	object.stamps_n = 2;
	CHECK(ady_explain_change(&b, &d));
	CHECK_ERR(read_policy("{'policy':1,'rules':[]}"), ADY_OK);
	CHECK(!ady_explain_change(&b, &d));
	space[b.n] = '\0';
	CHECK_STR((const char *)space,
	          "change: 1 given, 2 of 2 needed\n    has not: " KEY1 "\n    has approved: " KEY2
	          "\ndenied: too few of them have approved\n"
	          "change: 2 given, 2 of 2 needed\n    has approved: " KEY1
	          "\n    has approved: " KEY2 "\nallowed: enough of them have approved\n"
	          "denied: the policy names nobody who may change it: it is for good\n");
	object.stamps_n = 0;
}

CASE(explanations_say_whose_limits_they_are)
{
	before = (struct ady_counters){0};
	ask_call(TO35, "0x");
	CHECK_ERR(read_policy("{'policy':1,'count':'key','rules':[{'name':'a','effect':'allow',"
	                      "'when':{},'limits':[{'name':'n','per':'1h','max':2}]}]}"),
	          ADY_OK);
	CHECK_STR(explain(&before),
	          "allow \"a\": met\n"
	          "    limit n: holds, 1 more make 1 of 2 in 3600 s, each key of a "
	          "wallet by itself\nallowed by \"a\"\n");
}

/* Conditions that a decision does not come to are explained all the same. */
CASE(explanations_go_on_where_decisions_end)
{
	static const char policy[] =
	    RULES("{'name':'t','effect':'allow','when':{'function':'pause(uint8 a)','args.a':1},"
	          "'limits':[{'name':'n','per':'1d','max':1,'sum':'args.a'}]},"
	          "{'name':'m','effect':'allow','when':{'type':'P(uint8 v)','message.v':1}}");

	ask_call(TO35, "0x");
	CHECK_ERR(read_policy(policy), ADY_OK);
	CHECK_STR(explain(&before), "allow \"t\": not met\n"
	                            "    function is pause(uint8 a): not met\n"
	                            "    args.a is 1: not met\n"
	                            "    limit n: does not hold, 0 more make 0 of 1 in 86400 s\n"
	                            "allow \"m\": not met\n"
	                            "    type is P(uint8 v): not met\n"
	                            "    message.v is 1: not met\n"
	                            "denied: no rule allows this (policy.rules)\n");
	ask_call(TO35, "0x00000000");
	CHECK(strstr(explain(&before), "args.a is 1: not met\n"));
	ask_typed("{'types':{'EIP712Domain':[]},'primaryType':'EIP712Domain','domain':{}}");
	CHECK(strstr(explain(&before), "message.v is 1: not met\n"));
	ask_typed("{'types':{'P':[{'name':'w','type':'uint8'}]},'primaryType':'P','domain':{},"
	          "'message':{'w':1}}");
	CHECK(strstr(explain(&before), "message.v is 1: not met\n"));
}

CASE(long_texts_are_cut_in_explanations)
{
	ask_message("0123456789012345678901234567890123456789012345678901234567890123456789"
	            "01234567890123456789012345678901234567890123456789");
	CHECK_ERR(read_policy(RULES(ALLOW("a", "{'text':'x'}"))), ADY_OK);
	CHECK(strstr(
	    explain(NULL),
	    "text is x: not met, it is 012345678901234567890123456789012345678901234567890123"
	    "456789012345678901234567890123456789012345..\n"));
}

CASE(values_in_explanations)
{
	struct ady_buf b = ady_buf(explanation, sizeof explanation);
	struct ady_value v = {.kind = ADY_T_INT};

	v.word[0] = 0x80;
	ady_explain_value(&b, &v);
	ady_buf_str(&b, " ");
	memset(v.word, 0xff, 32);
	v.word[0] = 0x7f;
	ady_explain_value(&b, &v);
	ady_buf_str(&b, " ");
	memset(v.word, 0, 32);
	ady_explain_value(&b, &v);
	ady_buf_str(&b, " ");
	v.kind = ADY_T_BOOL;
	v.word[31] = 1;
	ady_explain_value(&b, &v);
	ady_buf_str(&b, " ");
	v.kind = ADY_T_DUTY;
	ady_explain_value(&b, &v);
	ady_buf_str(&b, " ");
	v = (struct ady_value){.kind = ADY_T_STRING, .bytes = ady_bytes_str("a\n\xc3\xa4~")};
	ady_explain_value(&b, &v);
	ady_buf_str(&b, " ");
	v = (struct ady_value){.kind = ADY_T_BYTES, .bytes = ady_bytes_str("a")};
	ady_explain_value(&b, &v);
	ady_buf_u8(&b, 0);
	CHECK_STR(
	    explanation,
	    "0 -1 -578960446186580977117854925043439539266349923328202820197287920039565648199"
	    "68 true AGGREGATE_AND_PROOF a???~ 0x61");
}

int main(void)
{
	fixture_used();
	RUN(nothing_is_allowed_by_default);
	RUN(deny_wins_wherever_it_stands);
	RUN(what_is_undecided_is_denied);
	RUN(the_first_rule_that_allows_is_the_one);
	RUN(approvals_are_counted_once_a_key);
	RUN(a_count_in_a_period);
	RUN(a_value_in_a_period);
	RUN(arguments_and_members_add_up);
	RUN(a_limit_needs_its_term_time_and_counters);
	RUN(rules_share_a_counter_by_its_name);
	RUN(counters_are_written_and_read);
	RUN(slots_go_as_time_goes);
	RUN(no_interval_holds_more_than_the_limit);
	RUN(explanations_say_why);
	RUN(explanations_of_a_change_say_who_may_agree);
	RUN(explanations_say_whose_limits_they_are);
	RUN(explanations_go_on_where_decisions_end);
	RUN(long_texts_are_cut_in_explanations);
	RUN(values_in_explanations);
	return test_end();
}
