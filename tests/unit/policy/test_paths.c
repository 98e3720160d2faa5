/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/abi.h"
#include "policy/typed.h"
#include "policy_fixture.h"

#include <stdlib.h>

#define W0 "0000000000000000000000000000000000000000000000000000000000000000"
#define W(hex2) "00000000000000000000000000000000000000000000000000000000000000" hex2
#define A35 "0000000000000000000000003535353535353535353535353535353535353535"
#define TRANSFER "transfer(address to,uint256 amount)"
#define CALL_TRANSFER "0xa9059cbb" A35 W("64")

/* Calldata of a signature: its selector and words. */
static void call(const char *signature, const char *words)
{
	static char data[FIX_TEXT];
	struct ady_types types = {.n = 1};
	uint8_t selector[4];
	uint16_t root;

	CHECK(!ady_types_read_function(&types, &root, selector, ady_bytes_str(signature)));
	snprintf(data, sizeof data, "0x%02x%02x%02x%02x%s", selector[0], selector[1], selector[2],
	         selector[3], words);
	ask_call(TO35, data);
}

/* What a condition on a path comes to in a rule that names the function. */
static enum ady_tri arg(const char *signature, const char *condition)
{
	char when[1024];

	snprintf(when, sizeof when, "{%s,'function':'%s'}", condition, signature);
	return met(when);
}

static void check_canonical(const char *signature, const char *words, enum ady_tri want)
{
	char when[256];

	call(signature, words);
	snprintf(when, sizeof when, "{'function':'%s'}", signature);
	if (!CHECK_INT(met(when), want))
		printf("# %s %s\n", signature, words);
}

CASE(selectors_are_those_of_canonical_signatures)
{
	struct ady_types types = {.n = 1};
	uint8_t selector[4];
	uint16_t root;

	CHECK(!ady_types_read_function(&types, &root, selector, ady_bytes_str(TRANSFER)));
	CHECK_HEX(selector, 4, "a9059cbb");
	CHECK_INT(types.t[root].count, 2);
	CHECK(!ady_types_read_function(
	    &types, &root, selector,
	    ady_bytes_str(
	        "exactInputSingle((address tokenIn, address tokenOut, uint24 fee, address "
	        "recipient, uint256 deadline, uint256 amountIn, uint256 amountOutMinimum, "
	        "uint160 sqrtPriceLimitX96) params)")));
	CHECK_HEX(selector, 4, "414bf389");
	CHECK(!ady_types_read_function(&types, &root, selector, ady_bytes_str("pause()")));
	CHECK_HEX(selector, 4, "8456cb59");
	CHECK(!ady_types_read_function(&types, &root, selector, ady_bytes_str("f_$9(uint8)")));
}

CASE(signatures_of_another_form_are_refused)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
	    {"", "is not of the form"},
	    {"transfer", "is not of the form"},
	    {"(uint256)", "is not of the form"},
	    {"f(uint256", "is not of the form"},
	    {"f(uint256)x", "has something behind"},
	    {"f(uint)", "neither a Solidity type"},
	    {"f(foo)", "neither a Solidity type"},
	    {"f(uint256 )", "without a name"},
	    {"f(,)", "neither a Solidity type"},
	    {"f(())", "empty tuple"},
	    {"f(uint8[)", "without its closing bracket"},
	    {"f(uint8[0])", "not from 1 to 9999"},
	    {"f(uint8[01])", "not from 1 to 9999"},
	    {"f(uint8[10000])", "not from 1 to 9999"},
	    {"f(uint8[x])", "no number"},
	    {"f(uint8[$])", "no number"},
	    {"f{uint8)", "is not of the form"},
	    {"f(uint8[-])", "without its closing bracket"},
	    {"f(uint8[5000])", "too large"},
	    {"f(uint8[2048][2],uint8[2048])", "too large"},
	    {"f((((((((((uint8))))))))))", "nested"},
	    {"f(uint8[][][][][][][][][])", "nested"},
	};
	struct ady_types types;
	uint8_t selector[4];
	uint16_t root;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *why;

		types.n = 1;
		why = ady_types_read_function(&types, &root, selector, ady_bytes_str(bad[i].text));
		if (!CHECK(why && strstr(why, bad[i].why)))
			printf("# %s: %s\n", bad[i].text, why ? why : "accepted");
	}
}

CASE(types_have_bounds)
{
	static char text[8192];
	struct ady_types types = {.n = 1};
	struct ady_buf b = ady_buf(text, sizeof text);
	uint8_t selector[4];
	uint16_t root;
	const char *why;

	ady_buf_str(&b, "f(uint8");
	for (int i = 0; i < 300; i++)
		ady_buf_str(&b, ",uint8");
	ady_buf_str(&b, ")");
	why = ady_types_read_function(&types, &root, selector, ady_buf_bytes(&b));
	CHECK(why && strstr(why, "longer than 1024"));
	why = ady_types_read_function(&types, &root, selector, ady_buf_bytes(&b));
	CHECK(why && strstr(why, "more types"));
	types.n = ADY_TYPES_MAX;
	why = ady_types_read_function(&types, &root, selector, ady_bytes_str("f(uint8)"));
	CHECK(why && strstr(why, "more types"));
	types.n = ADY_TYPES_MAX - 1;
	why = ady_types_read_function(&types, &root, selector, ady_bytes_str("f((uint8))"));
	CHECK(why && strstr(why, "more types"));
	types.n = ADY_TYPES_MAX - 2;
	why = ady_types_read_function(&types, &root, selector, ady_bytes_str("f(uint8[])"));
	CHECK(why && strstr(why, "more types"));
}

CASE(encode_types_of_messages)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
	    {"Mail(Person from,Person to,string contents)Person(string name,address wallet)", NULL},
	    {"A(B b,C[2] c)B(bool x)C(bytes4 y)", NULL},
	    {"", "is empty"},
	    {"Mail", "is not of the form"},
	    {"(bool a)", "is not of the form"},
	    {"Mail(bool a", "is not of the form"},
	    {"Mail(bool a)x", "is not of the form"},
	    {"Mail(bool)", "member without a name"},
	    {"Mail(bool a, bool b)", "neither a Solidity type"},
	    {"Mail(bool  a)", "without a name"},
	    {"Mail(Person p)", "neither a Solidity type"},
	    {"Mail()", "empty tuple"},
	    {"A(C c,B b)C(bool x)B(bool x)", "in the order"},
	    {"A(B b,Ba c)Ba(bool x)B(bool x)", "in the order"},
	    {"A(bool b)B(bool x)", "not used"},
	    {"A(B b,B c)B(bool x)B(bool x)", "not used"},
	    {"A(A a)", "nested"},
	    {"Mail((bool a) b)", "is not of the form"},
	    {"A(bool a(", "is not of the form"},
	    {"A(bool a x)", "is not of the form"},
	};
	struct ady_types types = {.n = 1};
	static char many[2048];
	struct ady_buf b = ady_buf(many, sizeof many);
	uint8_t hash[32];
	uint16_t root;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *why =
		    ady_types_read_struct(&types, &root, hash, ady_bytes_str(cases[i].text));

		if (!CHECK(cases[i].why ? why && strstr(why, cases[i].why) : !why))
			printf("# %s: %s\n", cases[i].text, why ? why : "accepted");
	}
	/* of EIP-712's own example */
	CHECK(!ady_types_read_struct(&types, &root, hash, ady_bytes_str(cases[0].text)));
	CHECK_HEX(hash, 32, "a0cedeb2dc280ba39b857546d74f5549c3a1d7bdc2dd96bf881f76108e23dac2");
	for (int i = 0; i < 17; i++)
		ady_buf_printf(&b, "S%d(bool x)", i);
	CHECK_STR(ady_types_read_struct(&types, &root, hash, ady_buf_bytes(&b)),
	          "has more than 16 structs");
}

CASE(arguments_of_one_word)
{
	ask_call(USDC, CALL_TRANSFER);
	CHECK_INT(arg(TRANSFER, "'args.to':'" TO35 "'"), ADY_YES);
	CHECK_INT(arg(TRANSFER, "'args[0]':'" DEAD "'"), ADY_NO);
	CHECK_INT(arg(TRANSFER, "'args.amount':{'le':100}"), ADY_YES);
	CHECK_INT(arg(TRANSFER, "'args[1]':{'lt':100}"), ADY_NO);
	CHECK_INT(arg("approve(address a,uint256 b)", "'args.a':'" TO35 "'"), ADY_NO);
	CHECK_INT(arg("approve(address a,uint256 b)", "'args.a':{'ne':'" TO35 "'}"), ADY_NO);
	ask_message("x");
	CHECK_INT(arg(TRANSFER, "'args.to':{'ne':'" TO35 "'}"), ADY_NO);
}

CASE(signed_numbers_order_across_zero)
{
	call("f(int8 v)", "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe");
	CHECK_INT(arg("f(int8 v)", "'args.v':-2"), ADY_YES);
	CHECK_INT(arg("f(int8 v)", "'args.v':{'lt':-1}"), ADY_YES);
	CHECK_INT(arg("f(int8 v)", "'args.v':{'lt':0}"), ADY_YES);
	CHECK_INT(arg("f(int8 v)", "'args.v':{'gt':-3}"), ADY_YES);
	CHECK_INT(arg("f(int8 v)", "'args.v':{'ge':1}"), ADY_NO);
	call("f(int8 v)", W("02"));
	CHECK_INT(arg("f(int8 v)", "'args.v':{'gt':-128}"), ADY_YES);
}

CASE(lists_every_and_any)
{
	static const char f[] = "f((address to,uint64 n)[] p,bool b)";

	call(f, W("40") W("01") W("02") A35 W("05") A35 W("09"));
	CHECK_INT(arg(f, "'args.p.length':2"), ADY_YES);
	CHECK_INT(arg(f, "'args.p[*].to':'" TO35 "'"), ADY_YES);
	CHECK_INT(arg(f, "'args.p[*].n':{'le':8}"), ADY_NO);
	CHECK_INT(arg(f, "'args.p[?].n':{'le':8}"), ADY_YES);
	CHECK_INT(arg(f, "'args.p[?].n':{'le':4}"), ADY_NO);
	CHECK_INT(arg(f, "'args.p[1].n':9"), ADY_YES);
	CHECK_INT(arg(f, "'args.p[1][0]':'" TO35 "'"), ADY_YES);
	CHECK_INT(arg(f, "'args.p[2].n':9"), ADY_NO);
	CHECK_INT(arg(f, "'args.p[2].n':{'ne':9}"), ADY_UNDECIDED);
	CHECK_INT(arg(f, "'args.p[12].n':{'ne':9}"), ADY_UNDECIDED);
	CHECK_INT(arg(f, "'args.p[1234].n':{'ne':9}"), ADY_UNDECIDED);
	CHECK_INT(arg(f, "'args.b':true"), ADY_YES);
	call(f, W("40") W0 W0);
	CHECK_INT(arg(f, "'args.p[*].n':1"), ADY_YES);
	CHECK_INT(arg(f, "'args.p[?].n':1"), ADY_NO);
	CHECK_INT(arg(f, "'args.b':false"), ADY_YES);
}

CASE(nested_dynamic_parts)
{
	static const char f[] = "f(string[] s,bytes b,uint8[2][] g)";
	static const char *const hi =
	    "6869000000000000000000000000000000000000000000000000000000000000";
	char words[4096];

	snprintf(words, sizeof words, "%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s", W("60"),
	         "0000000000000000000000000000000000000000000000000000000000000140",
	         "0000000000000000000000000000000000000000000000000000000000000180", W("02"),
	         W("40"), W("80"), W("02"), hi, W("02"), hi, W("02"), hi, W("01"), W("01"),
	         W("02"));
	call(f, words);
	CHECK_INT(arg(f, "'args.s[*]':'hi'"), ADY_YES);
	CHECK_INT(arg(f, "'args.s[1].length':2"), ADY_YES);
	CHECK_INT(arg(f, "'args.b':'0x6869'"), ADY_YES);
	CHECK_INT(arg(f, "'args.b.length':2"), ADY_YES);
	CHECK_INT(arg(f, "'args.b':{'prefix':'0x68'}"), ADY_YES);
	CHECK_INT(arg(f, "'args.g[0][1]':2"), ADY_YES);
	CHECK_INT(arg(f, "'args.g[0].length':2"), ADY_YES);
	CHECK_INT(arg(f, "'args.g[*][?]':1"), ADY_YES);
	CHECK_INT(arg(f, "'args.g[*][*]':1"), ADY_NO);
}

/* Each word that contracts might read in another way. */
CASE(only_canonical_calldata_is_decided)
{
	check_canonical("f(uint8 v)", W("ff"), ADY_YES);
	check_canonical("f(uint8 v)", "", ADY_UNDECIDED);
	check_canonical("f(uint8 v)", "00", ADY_UNDECIDED);
	check_canonical("f(uint8 v)", W("ff") W0, ADY_UNDECIDED);
	check_canonical("f(uint8 v)",
	                "0000000000000000000000000000000000000000000000000000000000000100",
	                ADY_UNDECIDED);
	check_canonical("f(uint256 v)",
	                "ff00000000000000000000000000000000000000000000000000000000000000",
	                ADY_YES);
	check_canonical("f(int8 v)",
	                "ff000000000000000000000000000000000000000000000000000000000000ff",
	                ADY_UNDECIDED);
	check_canonical("f(int8 v)", W("ff"), ADY_UNDECIDED);
	check_canonical("f(int8 v)", W("7f"), ADY_YES);
	check_canonical("f(address v)", A35, ADY_YES);
	check_canonical("f(address v)",
	                "0100000000000000000000003535353535353535353535353535353535353535",
	                ADY_UNDECIDED);
	check_canonical("f(bool v)", W("01"), ADY_YES);
	check_canonical("f(bool v)", W("02"), ADY_UNDECIDED);
	check_canonical("f(bool v)",
	                "0100000000000000000000000000000000000000000000000000000000000001",
	                ADY_UNDECIDED);
	check_canonical("f(bytes4 v)",
	                "0102030400000000000000000000000000000000000000000000000000000000",
	                ADY_YES);
	check_canonical("f(bytes4 v)",
	                "0102030400000000000000000000000000000000000000000000000000000001",
	                ADY_UNDECIDED);
	check_canonical("f(bytes v)", W("20") W0, ADY_YES);
	check_canonical("f(bytes v)", W("20"), ADY_UNDECIDED);
	check_canonical("f(bytes v)", W("40") W0 W0, ADY_UNDECIDED);
	check_canonical("f(bytes v)", W("20") W("01") W0, ADY_YES);
	check_canonical("f(bytes v)", W("20") W("01"), ADY_UNDECIDED);
	check_canonical("f(bytes v)", W("20") W("01") W("01"), ADY_UNDECIDED);
	check_canonical("f(bytes v)",
	                "ff00000000000000000000000000000000000000000000000000000000000020" W0,
	                ADY_UNDECIDED);
	check_canonical("f(bytes v)",
	                W("20") "000000000000000000000000000000000000000000000000000000007fffffff",
	                ADY_UNDECIDED);
	check_canonical("f(uint8[] v)", W("20") W("01") W("05"), ADY_YES);
	check_canonical("f(uint8[] v)", W("20") W("02") W("05"), ADY_UNDECIDED);
	check_canonical("f(uint8[] v)", W("20"), ADY_UNDECIDED);
	check_canonical("f(uint8[2] v)", W("01") W("02"), ADY_YES);
	check_canonical("f(bytes[2] v)", W("20") W("40") W("60") W0 W0, ADY_YES);
	check_canonical("f(bytes[2] v)", W("20") W("40") W("40") W0 W0, ADY_UNDECIDED);
	check_canonical("f((bytes a,bool b) v)", W("20") W("40") W("01") W0, ADY_YES);
	check_canonical("f((bytes a,bool b) v)", W("20") W("40") W("02") W0, ADY_UNDECIDED);
	check_canonical("f()", "", ADY_YES);
	check_canonical("f()", W0, ADY_UNDECIDED);
}

/* In memory that ends where the data ends, for the sanitizers. */
CASE(calldata_that_is_cut_short_is_not_canonical)
{
	static const char f[] = "f(string[] s,bytes b,uint8[2][] g,(int8 x,bytes4 y) t)";
	struct ady_types types = {.n = 1};
	uint8_t selector[4];
	uint16_t root;

	call(f, W("a0") "0000000000000000000000000000000000000000000000000000000000000100"
	                "0000000000000000000000000000000000000000000000000000000000000120" W("05")
	                    W0 W("01") W("20") W0 W0 W("01") W("01") W("02"));
	CHECK(!ady_types_read_function(&types, &root, selector, ady_bytes_str(f)));
	for (size_t n = 0; n <= tx.data.n - 4; n++) {
		uint8_t *copy = malloc(n + !n);

		memcpy(copy, tx.data.p + 4, n);
		CHECK_INT(ady_abi_check(&types, root, ady_bytes(copy, n)), n == tx.data.n - 4);
		free(copy);
	}
}

CASE(functions_are_matched_whole)
{
	ask_call(USDC, CALL_TRANSFER);
	MET("{'function':'" TRANSFER "'}");
	MET("{'function':['pause()','transfer(address,uint256)']}");
	CHECK_INT(book.functions_n, 2);
	CHECK_ERR(
	    read_policy(
	        "{'policy':1,'rules':[{'name':'a','effect':'allow','when':{'function':'A(bool "
	        "b)'}},{'name':'b','effect':'allow','when':{'function':'f()'}},{'name':'c',"
	        "'effect':'allow','when':{'function':'A(bool b)','args.b':true}},{'name':'d',"
	        "'effect':'allow','when':{'type':'A(bool b)','message.b':true}}]}"),
	    ADY_OK);
	call("f()", "");
	CHECK_INT(decide(NULL, NULL).rule, 1); /* the function of another rule is not its own */
	CHECK_INT(book.functions_n, 3);        /* a text once, but a type is no function */
	CHECK_INT(book.conds[2].at, 0);
	CHECK_INT(book.conds[4].at, 2);
	ask_call(USDC, CALL_TRANSFER);
	NOT_MET("{'function':'pause()'}");
	NOT_MET("{'function':{'ne':'" TRANSFER "'}}");
	MET("{'function':{'not_in':['pause()']}}");
	ask_call(USDC, CALL_TRANSFER "00");
	UNSURE("{'function':'" TRANSFER "'}");
	UNSURE("{'function':{'ne':'" TRANSFER "'}}");
	UNSURE("{'function':['pause()','transfer(address,uint256)']}");
	CHECK_INT(arg(TRANSFER, "'args.to':'" TO35 "'"), ADY_UNDECIDED);
	CHECK_INT(arg(TRANSFER, "'args.to':'" DEAD "'"), ADY_UNDECIDED);
	ask_call(USDC, "0x");
	NOT_MET("{'function':'" TRANSFER "'}");
	UNSURE("{'function':{'ne':'" TRANSFER "'}}");
}

static const char mail[] =
    "{'types':{'Mail':[{'name':'to','type':'Person[]'},{'name':'n','type':'int16'},"
    "{'name':'text','type':'string'},{'name':'raw','type':'bytes'},{'name':'next','type':"
    "'Person'}],'Person':[{'name':'w','type':'address'},{'name':'ok','type':'bool'}]},"
    "'primaryType':'Mail','domain':{},'message':{'to':[{'w':'" TO35 "','ok':true},{'w':'" DEAD
    "','ok':true}],'n':-3,'text':'h\\u0069','raw':'0x0102','next':null}}";
#define MAIL                                                                                 \
	"'type':'Mail(Person[] to,int16 n,string text,bytes raw,Person next)Person(address " \
	"w,bool ok)'"

CASE(members_of_typed_data)
{
	ask_typed(mail);
	MET("{" MAIL "}");
	MET("{" MAIL ",'message.n':-3,'message.text':'hi','message.raw':'0x0102'}");
	MET("{'message.to[0].w':'" TO35 "','message.to[*].ok':true," MAIL "}");
	MET("{'message.to[?].w':'" DEAD "'," MAIL "}");
	NOT_MET("{'message.to[*].w':'" DEAD "'," MAIL "}");
	MET("{'message.to[1].w':'" DEAD "','message.to[0].ok':true," MAIL "}");
	MET("{'message.to.length':2,'message.text.length':2,'message.raw.length':2," MAIL "}");
	NOT_MET("{'message.to[2].w':'" DEAD "'," MAIL "}");
	NOT_MET("{'message.next.ok':true," MAIL "}");
	UNSURE("{'message.next.w':{'ne':'" DEAD "'}," MAIL "}");
	NOT_MET("{'type':'Person(address w,bool ok)'}");
	NOT_MET("{'type':'Person(address w,bool ok)','message.w':'" DEAD "'}");
	MET("{'type':{'ne':'Person(address w,bool ok)'}}");
	ask_message("x");
	NOT_MET("{" MAIL "}");
	UNSURE("{'type':{'ne':'Person(address w,bool ok)'}}");
	NOT_MET("{'message.n':-3," MAIL "}");
	ask_typed("{'types':{'EIP712Domain':[]},'primaryType':'EIP712Domain','domain':{}}");
	NOT_MET("{" MAIL "}");
	UNSURE("{'type':{'ne':'Person(address w,bool ok)'}}");
}

/* A view that is not of its document: nothing is read beyond what is there. */
CASE(values_that_cannot_be_read_are_undecided)
{
	ask_typed(mail);
	object.space.cap = 1;
	UNSURE("{'message.text':'hi'," MAIL "}");
	UNSURE("{'message.text.length':2," MAIL "}");
	ask_typed(mail);
	MET("{'message.to[*].w':{'ne':'" USDC "'}," MAIL "}");
	typed.message = ady_json_get(&request_doc, 0, "primaryType");
	NOT_MET("{'message.n':-3," MAIL "}");
	NOT_MET("{'message.to.length':2," MAIL "}");
	NOT_MET("{'message.to[*].ok':true," MAIL "}");
}

CASE(items_are_found_in_any_order)
{
	struct ady_types types = {.n = 1};
	struct ady_typed walked;
	ady_cursor list, item[3];
	uint8_t hash[32];
	uint16_t root;

	ask_typed(mail);
	CHECK(!ady_types_read_struct(&types, &root, hash,
	                             ady_bytes_str("Mail(Person[] to)Person(address w)")));
	ady_typed_init(&walked, &types, &typed, object.space);
	CHECK(walked.tree.child(&walked.tree, &list, root, 0, typed.message));
	root = ady_type_child(&types, root, 0);
	for (uint32_t i = 2; i-- > 0;)
		CHECK(walked.tree.child(&walked.tree, &item[i], root, i, list));
	CHECK(walked.tree.child(&walked.tree, &item[2], root, 1, list));
	CHECK(!walked.tree.child(&walked.tree, &item[2], root, 2, list));
	CHECK(item[0] < item[1]);
}

CASE(paths_that_lead_nowhere_are_refused)
{
	static const struct {
		const char *path, *why;
	} bad[] = {
	    {"args.x", "names a part that is not there"},
	    {"args.", "names a part that is not there"},
	    {"args[4]", "names a part that is not there"},
	    {"args.k[2]", "names a part that is not there"},
	    {"args.to.x", "goes into a value that has no parts"},
	    {"args.to[0]", "goes into a value that has no parts"},
	    {"args.p.x", "something else than its length"},
	    {"args.p.length.x", "behind the length"},
	    {"args.p", "leads to a list"},
	    {"args.p[0]", "leads to a list"},
	    {"args[*]", "no list"},
	    {"args.to[?]", "no list"},
	    {"args.p[01].q", "or a number"},
	    {"args.p[].q", "or a number"},
	    {"args.p[x].q", "or a number"},
	    {"args.p[12345].q", "or a number"},
	    {"args.p[-].q", "or a number"},
	    {"args.p[0", "no closing bracket"},
	    {"args.p[0]q", "go on with"},
	    {"args.d[0][0][0][0][0][0][0].length.length", "behind the length"},
	    {"argsx", "is no field"},
	    {"args", "is no field"},
	    {"arg.x", "is no field"},
	};
	char when[512];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(
		    when, sizeof when,
		    "{'function':'f(address to,(bool q)[] p,uint8[2] k,bytes[][][][][][][] d)',"
		    "'%s':1}",
		    bad[i].path);
		refused(when, bad[i].path, bad[i].why);
	}
}

CASE(parts_without_a_name_have_none)
{
	refused("{'function':'f(uint8,uint8 b)','args.':1}", "args.",
	        "names a part that is not there");
	CHECK_ERR(read_when("{'function':'f(uint8,uint8 b)','args[0]':1,'args.b':1}"), ADY_OK);
}

CASE(paths_have_few_steps)
{
	struct ady_types types = {.n = 2};
	struct ady_path path;
	char text[17 * 3];

	/* a type that no signature can be: a list of itself */
	types.t[1] = (struct ady_type){.kind = ADY_T_ARRAY, .first = 1, .count = 1};
	for (int i = 0; i < 17; i++)
		memcpy(text + 3 * i, "[0]", 3);
	CHECK_STR(ady_path_read(&path, &types, 1, ady_bytes(text, sizeof text)),
	          "has more than 16 steps");
	CHECK_STR(ady_path_read(&path, &types, 1, ady_bytes_str("")),
	          "leads to a list or a structure: go on to a value in it");
}

int main(void)
{
	fixture_used();
	RUN(selectors_are_those_of_canonical_signatures);
	RUN(signatures_of_another_form_are_refused);
	RUN(types_have_bounds);
	RUN(encode_types_of_messages);
	RUN(arguments_of_one_word);
	RUN(signed_numbers_order_across_zero);
	RUN(lists_every_and_any);
	RUN(nested_dynamic_parts);
	RUN(only_canonical_calldata_is_decided);
	RUN(calldata_that_is_cut_short_is_not_canonical);
	RUN(functions_are_matched_whole);
	RUN(members_of_typed_data);
	RUN(values_that_cannot_be_read_are_undecided);
	RUN(items_are_found_in_any_order);
	RUN(paths_that_lead_nowhere_are_refused);
	RUN(parts_without_a_name_have_none);
	RUN(paths_have_few_steps);
	return test_end();
}
