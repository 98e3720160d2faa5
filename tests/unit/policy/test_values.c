/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_fixture.h"

#include "policy/stamp_key.h"

CASE(numbers_compare_at_their_edges)
{
	ask_call(TO35, "0x");
	MET("{'value':5}");
	MET("{'value':[1,5,9]}");
	MET("{'value':[9,'0x5',1,3,2,4]}");
	NOT_MET("{'value':[1,2,3,4,6,7]}");
	NOT_MET("{'value':{'not_in':[1,5]}}");
	MET("{'value':{'not_in':[1,2]}}");
	MET("{'value':{'eq':'5'}}");
	MET("{'value':{'ne':4}}");
	NOT_MET("{'value':{'ne':5}}");
	MET("{'value':{'lt':6}}");
	NOT_MET("{'value':{'lt':5}}");
	MET("{'value':{'le':5}}");
	NOT_MET("{'value':{'le':4}}");
	MET("{'value':{'gt':4}}");
	NOT_MET("{'value':{'gt':5}}");
	MET("{'value':{'ge':5}}");
	NOT_MET("{'value':{'ge':6}}");
	MET("{'value':{'ge':5,'le':5}}");
	NOT_MET("{'value':{'ge':5,'lt':5}}");
}

CASE(all_of_a_list_is_found)
{
	char when[1024];
	struct ady_buf b;

	ask_call(TO35, "0x");
	for (uint64_t v = 0; v < 40; v++) {
		tx.value = ady_u256_from_u64(v * 7);
		for (unsigned n = 1; n < 40; n += 3) {
			b = ady_buf(when, sizeof when - 1);
			ady_buf_str(&b, "{'value':[0");
			/* 0, then the multiples of 7 below 7 n in an order of their own */
			for (unsigned i = 1; i < n; i++)
				ady_buf_printf(&b, ",%u", 7 * (i * 37 % n));
			ady_buf_str(&b, "]}");
			when[b.n] = '\0';
			if (n % 37 != 0 && !CHECK_INT(met(when), v < n ? ADY_YES : ADY_NO))
				return;
		}
	}
}

CASE(texts_and_their_beginnings)
{
	ask_message("Sign in");
	MET("{'text':['x','Sign in']}");
	NOT_MET("{'text':['x','Sign']}");
	MET("{'text':{'prefix':['x','Si']}}");
	MET("{'text':{'prefix':''}}");
	MET("{'text':{'prefix':'Sign in'}}");
	NOT_MET("{'text':{'prefix':'Sign in '}}");
	NOT_MET("{'text':{'prefix':['x','s']}}");
	MET("{'text':{'not_in':['x']}}");
	ask_message("h\"\xc3\xbc");
	MET("{'text':'h\\u0022\\u00fc'}");
}

CASE(values_of_another_form_are_refused)
{
	static const struct {
		const char *when, *key, *why;
	} bad[] = {
	    {"{'value':-1}", "value", "must be a number that fits"},
	    {"{'value':'x'}", "value", "must be a number that fits"},
	    {"{'value':1.5}", "value", "must be a number that fits"},
	    {"{'value':true}", "value", "must be a number that fits"},
	    {"{'value':null}", "value", "must be a number that fits"},
	    {"{'value':[]}", "value", "is an empty list"},
	    {"{'value':[1,[2]]}", "value", "must be a number that fits"},
	    {"{'value':{}}", "value", "has no operator"},
	    {"{'value':{'like':1}}", "value", "not known"},
	    {"{'value':{'eq':[1]}}", "value", "must be a number that fits"},
	    {"{'value':{'in':1}}", "value", "must be an array or the name"},
	    {"{'value':{'in':'x'}}", "value", "names none of lists"},
	    {"{'value':{'lt':[1]}}", "value", "must be a number that fits"},
	    {"{'value':{'prefix':1}}", "value", "for bytes and strings"},
	    {"{'to':'0x35'}", "to", "must be an address"},
	    {"{'to':'0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756cc2'}", "to", "must be an address"},
	    {"{'to':{'lt':'" TO35 "'}}", "to", "are for numbers"},
	    {"{'creates':1}", "creates", "must be true or false"},
	    {"{'selector':'0x0102030405'}", "selector", "as many bytes"},
	    {"{'data':'01'}", "data", "must be \"0x\""},
	    {"{'data':'0x1'}", "data", "must be \"0x\""},
	    {"{'data':''}", "data", "must be \"0x\""},
	    {"{'data':1}", "data", "must be \"0x\""},
	    {"{'data':'0xzz'}", "data", "must be \"0x\""},
	    {"{'text':1}", "text", "must be a string"},
	    {"{'text':{'gt':'a'}}", "text", "are for numbers"},
	    {"{'kind':'tx'}", "kind", "no name that is known"},
	    {"{'kind':'BLOCK'}", "kind", "no name that is known"},
	    {"{'duty':'transaction'}", "duty", "no name that is known"},
	    {"{'function':1}", "function", "must be a signature"},
	    {"{'function':'f(uint8\\u0029'}", "function", "must be a signature"},
	    {"{'function':[]}", "function", "is an empty list"},
	    {"{'function':['f()','f']}", "function", "is not of the form"},
	    {"{'function':{'prefix':'f'}}", "function", "with eq, ne, in and not_in only"},
	    {"{'type':{'lt':'A(bool b)'}}", "type", "with eq, ne, in and not_in only"},
	    {"{'type':'A(bool)'}", "type", "without a name"},
	    {"{'args.x':1}", "args.x", "needs \"function\""},
	    {"{'function':['f()','g()'],'args.x':1}", "args.x", "needs \"function\""},
	    {"{'function':{'ne':'f(bool x)'},'args.x':true}", "args.x", "needs \"function\""},
	    {"{'message.x':1}", "message.x", "needs \"type\""},
	    {"{'message[0]':1,'function':'f(bool x)'}", "message[0]", "needs \"type\""},
	    {"{'amount':1}", "amount", "is no field"},
	    {"{'messages':1}", "messages", "is no field"},
	    {"[]", "when", "must be an object"},
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refused(bad[i].when, bad[i].key, bad[i].why);
}

CASE(numbers_must_fit_the_types_of_arguments)
{
	refused("{'function':'f(uint8 a)','args.a':256}", "args.a", "must be a number that fits");
	refused("{'function':'f(int8 a)','args.a':128}", "args.a", "must be a number that fits");
	refused("{'function':'f(int8 a)','args.a':-129}", "args.a", "must be a number that fits");
	CHECK_ERR(read_when("{'function':'f(int8 a)','args.a':{'ge':-128,'le':127}}"), ADY_OK);
}

CASE(texts_have_a_room_of_their_own)
{
	static char when[FIX_TEXT];
	struct ady_buf b = ady_buf(when, sizeof when - 1);

	ady_buf_str(&b, "{'text':'");
	for (int i = 0; i < ADY_POLICY_SPACE; i++)
		ady_buf_u8(&b, 'x');
	ady_buf_str(&b, "'}");
	refused(when, "text", "of texts");
	b = ady_buf(when, sizeof when - 1);
	ady_buf_str(&b, "{'data':'0x");
	for (int i = 0; i <= ADY_POLICY_SPACE; i++)
		ady_buf_str(&b, "ab");
	ady_buf_str(&b, "'}");
	refused(when, "data", "of texts");
}

CASE(keys_have_one_text)
{
	static const char *const bad[] = {
	    "",
	    "ed25519",
	    "rsa:00",
	    "ed25519:",
	    "ed25519:00",
	    "ed25519:000000000000000000000000000000000000000000000000000000000000000A",
	    "ed25519:00000000000000000000000000000000000000000000000000000000000000\x00z",
	    "ed25519:000000000000000000000000000000000000000000000000000000000000000g",
	    "p256:0000000000000000000000000000000000000000000000000000000000000000",
	    "p256:040000000000000000000000000000000000000000000000000000000000000002",
	    "webauthn:020000000000000000000000000000000000000000000000000000000000000002",
	    "webauthn::020000000000000000000000000000000000000000000000000000000000000002",
	    "webauthn:Ex:020000000000000000000000000000000000000000000000000000000000000002",
	    "webauthn:a_b:020000000000000000000000000000000000000000000000000000000000000002",
	    "webauthn:a~b:020000000000000000000000000000000000000000000000000000000000000002",
	    "webauthn:a:050000000000000000000000000000000000000000000000000000000000000002",
	    "web:a:020000000000000000000000000000000000000000000000000000000000000002"};
	static char rp[600];
	struct ady_stamp_key key;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!CHECK(!ady_stamp_key_read(&key, ady_bytes_str(bad[i]))))
			printf("# %s\n", bad[i]);
	CHECK(!ady_stamp_key_read(
	    &key, ady_bytes("ed25519:\0"
	                    "000000000000000000000000000000000000000000000000000000000000000",
	                    72)));
	CHECK(ady_stamp_key_read(&key, ady_bytes_str(KEY1)));
	CHECK_INT(key.kind, ADY_STAMP_ED25519);
	CHECK_INT(key.pub[31], 1);
	CHECK(ady_stamp_key_read(&key, ady_bytes_str(KEY2)));
	CHECK_INT(key.kind, ADY_STAMP_P256);
	CHECK_INT(key.pub[0], 2);
	CHECK(ady_stamp_key_read(&key, ady_bytes_str(KEY3)));
	CHECK_INT(key.kind, ADY_STAMP_WEBAUTHN);
	CHECK(ady_bytes_is(key.rp, "example.org"));
	snprintf(rp, sizeof rp, "webauthn:%0254d:%s", 0, &KEY2[5]);
	CHECK(!ady_stamp_key_read(&key, ady_bytes_str(rp)));
	snprintf(rp, sizeof rp, "webauthn:a-%0251d:%s", 0, &KEY2[5]);
	CHECK(ady_stamp_key_read(&key, ady_bytes_str(rp)));
}

int main(void)
{
	fixture_used();
	RUN(numbers_compare_at_their_edges);
	RUN(all_of_a_list_is_found);
	RUN(texts_and_their_beginnings);
	RUN(values_of_another_form_are_refused);
	RUN(numbers_must_fit_the_types_of_arguments);
	RUN(texts_have_a_room_of_their_own);
	RUN(keys_have_one_text);
	return test_end();
}
