/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/decision.h"

#include "test.h"

static struct ady_policies policies;
static struct ady_fault fault;
static struct ady_record rec;
static struct ady_charging charging;

/* A policy whose one rule has this name and allows messages of that text. */
static struct ady_bytes policy(char *space, size_t cap, const char *name, const char *text)
{
	int n = snprintf(space, cap,
	                 "{\"policy\":1,\"rules\":[{\"name\":\"%s\",\"effect\":\"allow\",\"when\":{"
	                 "\"text\":\"%s\"}}]}",
	                 name, text);

	return ady_bytes(space, (size_t)n);
}

static enum ady_err decide(struct ady_bytes text, const char *message)
{
	struct ady_object object = {.kind = ADY_OBJECT_MESSAGE, .text = ady_bytes_str(message)};

	fault = (struct ady_fault){0};
	ady_record_set_policy(&rec, text);
	return ady_policies_decide(&policies, &rec, &object, &charging, &fault);
}

CASE(a_record_without_a_policy_allows)
{
	struct ady_object object = {.kind = ADY_OBJECT_DIGEST};

	rec = (struct ady_record){0};
	CHECK_ERR(ady_policies_decide(&policies, &rec, &object, &charging, &fault), ADY_OK);
}

CASE(a_policy_decides)
{
	char space[256];

	CHECK_ERR(decide(policy(space, sizeof space, "a", "x"), "x"), ADY_OK);
	CHECK_ERR(decide(policy(space, sizeof space, "a", "x"), "y"), ADY_E_DENIED);
	CHECK_STR(fault.where, "policy.rules");
	CHECK_STR(fault.detail, "no rule allows this");
}

/* Whose row has a say: of validators' keys, whose policies are for good, limits alone. */
CASE(a_key_is_guarded_by_limits_and_by_who_may_change_its_policy)
{
	static const char changeable[] =
	    "{\"policy\":1,\"rules\":[{\"name\":\"a\",\"effect\":\"allow\",\"when\":{}}],"
	    "\"change\":{\"need\":1,\"of\":[\"ed25519:"
	    "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"]}}";
	static const char limited[] =
	    "{\"policy\":1,\"rules\":[{\"name\":\"a\",\"effect\":\"allow\",\"when\":{\"text\":"
	    "\"x\"}},{\"name\":\"b\",\"effect\":\"allow\",\"when\":{},\"limits\":[{\"name\":\"n\","
	    "\"per\":\"1h\",\"max\":1}]}]}";
	char space[256];

	for (int bls = 0; bls < 2; bls++) {
		rec = (struct ady_record){.curve = bls ? ADY_CURVE_BLS12_381 : ADY_CURVE_SECP256K1};
		CHECK_ERR(decide(ady_bytes_str(changeable), "x"), ADY_OK);
		CHECK_INT(charging.guarded, !bls);
		CHECK_ERR(decide(ady_bytes_str(limited), "x"), ADY_OK);
		CHECK(!charging.guarded);
		CHECK_ERR(decide(ady_bytes_str(limited), "y"), ADY_OK);
		CHECK(charging.guarded);
		rec.revision = 1;
		CHECK_ERR(decide(policy(space, sizeof space, "a", "x"), "x"), ADY_OK);
		CHECK_INT(charging.guarded, !bls);
	}
	rec = (struct ady_record){0};
}

/* More of them than there are places, over and over: each decides by its own text. */
CASE(many_policies_are_not_mixed_up)
{
	char space[256], name[16], text[16];

	for (unsigned round = 0; round < 100; round++) {
		unsigned i = round * 7 % 9;

		snprintf(name, sizeof name, "rule %u", i);
		snprintf(text, sizeof text, "text %u", i);
		CHECK_ERR(decide(policy(space, sizeof space, name, text), text), ADY_OK);
		memset(space, 'x', sizeof space); /* the caller's text goes, the policy stays */
		CHECK_ERR(decide(policy(space, sizeof space, name, text), "text"), ADY_E_DENIED);
	}
}

CASE(what_cannot_be_read_is_refused_and_not_kept)
{
	static const char bad[] =
	    "{\"policy\":1,\"rules\":[{\"name\":\"a\",\"effect\":\"allow\",\"when\":{"
	    "\"txt\":1}}]}";
	static char large[ADY_RECORD_POLICY_MAX + 1];
	const struct ady_rulebook *book;

	for (int i = 0; i < 2; i++) {
		CHECK_ERR(decide(ady_bytes_str(bad), "x"), ADY_E_RECORD);
		CHECK_ERR(fault.err, ADY_E_RECORD);
		CHECK_STR(fault.where, "record.policy.rules[0].txt");
		CHECK_STR(fault.detail, "is no field that is known");
	}
	CHECK_ERR(decide(ady_bytes_str("{"), "x"), ADY_E_RECORD);
	CHECK_ERR(decide(ady_bytes_str("[]"), "x"), ADY_E_RECORD);
	memset(large, ' ', sizeof large);
	CHECK_ERR(ady_policies_get(&policies, &book, ady_bytes(large, sizeof large), "p", &fault),
	          ADY_E_RECORD);
	CHECK_STR(fault.where, "p");
	CHECK_ERR(ady_policies_get(&policies, &book, ady_bytes_str("{}"), "p", NULL), ADY_E_RECORD);
	CHECK(!book);
}

int main(void)
{
	RUN(a_record_without_a_policy_allows);
	RUN(a_policy_decides);
	RUN(a_key_is_guarded_by_limits_and_by_who_may_change_its_policy);
	RUN(many_policies_are_not_mixed_up);
	RUN(what_cannot_be_read_is_refused_and_not_kept);
	return test_end();
}
