/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/tally.h"

#include "crypto/hash.h"
#include "policy_fixture.h"

static const struct ady_seckey key = {{1, 2, 3}}, other_key = {{1, 2, 4}};
static struct ady_seckey row_key, other_row_key;
static const uint8_t pub33[33] = {2, 9}, pub32[32] = {2, 9};
static uint8_t name[ADY_TALLY_NAME], space[ADY_TALLY_ROW_MAX + 64];
static struct ady_counters counters, read_back;
static const struct ady_counter_info info[2] = {{{(const uint8_t *)"ether", 5}, 3600},
                                                {{(const uint8_t *)"n", 1}, 60}};

static struct ady_tally_owner owner(void)
{
	return (struct ady_tally_owner){.deployment = "d",
	                                .tenant = "t",
	                                .id = "i",
	                                .curve = "secp256k1",
	                                .pub = ady_bytes(pub33, sizeof pub33)};
}

static struct ady_tally sample(void)
{
	struct ady_tally t = {.version = 7, .revision = 3};

	for (size_t i = 0; i < sizeof t.policy_hash; i++)
		t.policy_hash[i] = (uint8_t)(i + 1);
	memset(t.recent[2].digest, 0x22, 32);
	t.recent[2].at_s = 1764000000;
	return t;
}

static struct ady_bytes sealed(struct ady_tally t)
{
	struct ady_buf b = ady_buf(space, sizeof space);
	const struct ady_tally_owner o = owner();

	ady_tally_name(name, &o);
	ady_tally_row_key(&row_key, &key);
	ady_tally_row_key(&other_row_key, &other_key);
	counters = (struct ady_counters){0};
	ady_counter_advance(&counters.c[0], 3600, 1764000000);
	ady_counter_add(&counters.c[0], &(struct ady_u256){.be = {[31] = 9}});
	ady_tally_seal(&b, &t, &counters, info, 2, name, &row_key);
	CHECK(!b.full);
	return ady_buf_bytes(&b);
}

CASE(a_row_comes_back_as_it_was)
{
	struct ady_bytes row = sealed(sample());
	struct ady_tally t, want = sample();

	CHECK_ERR(ady_tally_open(&t, row, name, &row_key, &fault), ADY_OK);
	CHECK_INT(t.version, 7);
	CHECK_INT(ady_tally_version(row), 7);
	CHECK_INT(t.revision, 3);
	CHECK(memcmp(t.policy_hash, want.policy_hash, 32) == 0);
	CHECK(memcmp(t.recent, want.recent, sizeof t.recent) == 0);
	CHECK_ERR(ady_counters_read(&read_back, info, 2, 1764000000, t.counters), ADY_OK);
	CHECK(memcmp(&read_back, &counters, sizeof counters) == 0);
}

CASE(of_no_row_one_bit_may_differ)
{
	struct ady_bytes row = sealed(sample());
	uint8_t *p = space;
	struct ady_tally t;

	for (size_t i = 0; i < row.n; i++) {
		p[i] ^= 0x10;
		CHECK_ERR(ady_tally_open(&t, row, name, &row_key, &fault), ADY_E_COUNTERS);
		CHECK_INT(t.version, 0);
		p[i] ^= 0x10;
	}
	check_fault("counters", "were not written by an enclave for this key");
	CHECK_ERR(ady_tally_open(&t, row, name, &row_key, &fault), ADY_OK);
}

CASE(a_row_is_of_one_key_only)
{
	struct ady_bytes row = sealed(sample());
	struct ady_tally t;

	CHECK_ERR(ady_tally_open(&t, row, name, &other_row_key, &fault), ADY_E_COUNTERS);
	name[5] ^= 1;
	CHECK_ERR(ady_tally_open(&t, row, name, &row_key, &fault), ADY_E_COUNTERS);
	check_fault("counters", "were not written by an enclave for this key");
}

CASE(a_name_says_whose_it_is)
{
	uint8_t names[6][ADY_TALLY_NAME];
	struct ady_tally_owner o[6];

	for (size_t i = 0; i < 6; i++)
		o[i] = owner();
	o[1].deployment = "dt";
	o[1].tenant = ""; /* no two owners run together */
	o[2].tenant = "u";
	o[3].id = "j";
	o[4].curve = "ed25519";
	o[5].pub = ady_bytes(pub32, sizeof pub32);
	for (size_t i = 0; i < 6; i++)
		ady_tally_name(names[i], &o[i]);
	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < i; k++)
			CHECK(memcmp(names[i], names[k], sizeof names[i]) != 0);
}

CASE(a_wallets_key_has_a_name_by_what_it_is)
{
	static const uint8_t wallets[2][ADY_TALLY_NAME] = {{1}, {2}};
	uint8_t names[4][ADY_TALLY_NAME];
	struct ady_seckey of_seed, of_key;
	struct ady_bytes pub = ady_bytes(pub33, sizeof pub33);

	ady_tally_key_name(names[0], wallets[0], "secp256k1", pub);
	ady_tally_key_name(names[1], wallets[1], "secp256k1", pub);
	ady_tally_key_name(names[2], wallets[0], "ed25519", pub);
	ady_tally_key_name(names[3], wallets[0], "secp256k1", ady_bytes(pub32, sizeof pub32));
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < i; k++)
			CHECK(memcmp(names[i], names[k], sizeof names[i]) != 0);
	/* HMAC-SHA-256 by Python's hmac, of a seed of 64 bytes 0x07. */
	memset(space, 7, 64);
	ady_tally_wallet_key(&of_seed, ady_bytes(space, 64));
	CHECK_HEX(of_seed.b, 32,
	          "9bac6ec007b5243581e0623de73a220912cf2c27c1de8fcc3c342dda5d31462c");
	ady_tally_row_key(&of_key, &key);
	CHECK(memcmp(of_seed.b, of_key.b, 32) != 0);
}

CASE(what_is_no_row_is_refused)
{
	struct ady_bytes row = sealed(sample());
	struct ady_tally t, zero = sample();

	CHECK_ERR(ady_tally_open(&t, (struct ady_bytes){0}, name, &row_key, &fault),
	          ADY_E_COUNTERS);
	check_fault("counters", "are missing");
	CHECK_ERR(ady_tally_open(&t, ady_bytes(row.p, ADY_TALLY_HEAD + ADY_TALLY_MAC - 1), name,
	                         &row_key, &fault),
	          ADY_E_COUNTERS);
	check_fault("counters", "are no row of counters");
	CHECK_ERR(
	    ady_tally_open(&t, ady_bytes(row.p, ADY_TALLY_ROW_MAX + 1), name, &row_key, &fault),
	    ADY_E_COUNTERS);
	check_fault("counters", "are no row of counters");
	CHECK_ERR(ady_tally_open(&t, ady_bytes(row.p, ADY_TALLY_ROW_MAX), name, &row_key, &fault),
	          ADY_E_COUNTERS);
	check_fault("counters", "were not written");
	zero.version = 0; /* which no enclave writes */
	row = sealed(zero);
	CHECK_ERR(ady_tally_open(&t, row, name, &row_key, &fault), ADY_E_COUNTERS);
	check_fault("counters", "are no row of counters");
}

/* The MAC of what a test has changed, as the row's own key makes it. */
static void reseal(struct ady_bytes row)
{
	struct ady_bytes body = ady_bytes_sub(row, 0, row.n - ADY_TALLY_MAC);
	const struct ady_bytes parts[] = {ady_bytes(name, sizeof name), body};
	uint8_t hash[32];

	ady_sha256(hash, parts, 2);
	ady_hmac_sha256(space + body.n, ady_bytes(row_key.b, 32), ady_bytes(hash, 32));
}

CASE(a_row_of_another_form_is_refused_whoever_wrote_it)
{
	struct ady_bytes row = sealed(sample());
	struct ady_tally t;

	reseal(row);
	CHECK_ERR(ady_tally_open(&t, row, name, &row_key, &fault), ADY_OK);
	for (size_t i = 0; i < 16; i++) {
		space[i] ^= 1; /* the magic, the form's number, the zeros */
		reseal(row);
		CHECK_ERR(ady_tally_open(&t, row, name, &row_key, &fault), ADY_E_COUNTERS);
		check_fault("counters", "are no row of counters");
		space[i] ^= 1;
	}
}

CASE(a_row_is_not_followed_by_an_older_one)
{
	static uint8_t old[ADY_TALLY_ROW_MAX];
	struct ady_tally t = sample();
	struct ady_bytes row = sealed(t), known;

	memcpy(old, row.p, row.n);
	known = ady_bytes(old, row.n);
	CHECK_ERR(ady_tally_follows((struct ady_bytes){0}, row, &fault), ADY_OK);
	CHECK_ERR(ady_tally_follows(known, row, &fault), ADY_OK);
	t.version = 8;
	CHECK_ERR(ady_tally_follows(known, sealed(t), &fault), ADY_OK);
	t.version = 6;
	CHECK_ERR(ady_tally_follows(known, sealed(t), &fault), ADY_E_COUNTERS);
	check_fault("counters", "are older than those seen before");
	t = sample();
	memset(t.recent[0].digest, 1, 32);
	CHECK_ERR(ady_tally_follows(known, sealed(t), &fault), ADY_E_COUNTERS);
	check_fault("counters", "have two histories");
}

CASE(a_row_is_of_one_policy)
{
	struct ady_tally t = sample();
	uint8_t hash[32];

	memcpy(hash, t.policy_hash, 32);
	CHECK_ERR(ady_tally_matches(&t, 3, hash, &fault), ADY_OK);
	CHECK_ERR(ady_tally_matches(&t, 2, hash, &fault), ADY_E_COUNTERS);
	check_fault("record.revision", "the policy has been changed since");
	CHECK_ERR(ady_tally_matches(&t, 4, hash, &fault), ADY_E_COUNTERS);
	check_fault("counters", "are of an older policy");
	hash[31] ^= 1;
	CHECK_ERR(ady_tally_matches(&t, 3, hash, &fault), ADY_E_COUNTERS);
	check_fault("counters", "are of another policy of this revision");
}

CASE(what_was_charged_last_is_remembered)
{
	struct ady_tally t = {.version = 1};
	uint8_t digest[32] = {0};

	for (uint8_t i = 1; i <= ADY_TALLY_RECENT; i++) {
		digest[31] = i;
		CHECK(!ady_tally_has(&t, digest, 1));
		ady_tally_charge(&t, digest, 100 + i);
		CHECK(ady_tally_has(&t, digest, 100 + i));
		CHECK(!ady_tally_has(&t, digest, 101 + i)); /* too long ago */
		CHECK_INT(t.version, 1 + i);
	}
	digest[31] = 1;
	CHECK(ady_tally_has(&t, digest, 1)); /* the oldest */
	digest[31] = 99;
	ady_tally_charge(&t, digest, 200);
	CHECK(ady_tally_has(&t, digest, 1));
	digest[31] = 1;
	CHECK(!ady_tally_has(&t, digest, 1));
	digest[31] = 2;
	CHECK(ady_tally_has(&t, digest, 1));
}

/* A digest may be any 32 bytes where `digest` is allowed: none is there from the beginning. */
CASE(a_row_that_was_never_charged_has_no_digest)
{
	const struct ady_tally t = {.version = 1};
	const uint8_t zero[32] = {0};

	CHECK(!ady_tally_has(&t, zero, 0));
}

CASE(a_policy_without_limits_has_the_shortest_row)
{
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_tally t = sample();

	ady_tally_seal(&b, &t, &counters, info, 0, name, &row_key);
	CHECK_INT(b.n, ADY_TALLY_HEAD + ADY_TALLY_MAC);
	CHECK_ERR(ady_tally_open(&t, ady_buf_bytes(&b), name, &row_key, &fault), ADY_OK);
	CHECK_INT(t.counters.n, 0);
}

CASE(the_largest_policy_has_room)
{
	static struct ady_counter_info many[ADY_COUNTERS_MAX];
	static const uint8_t text[ADY_COUNTER_NAME_MAX] = "x";
	static struct ady_counters all;
	struct ady_buf b = ady_buf(space, ADY_TALLY_ROW_MAX);
	const struct ady_tally t = sample();

	for (size_t i = 0; i < ADY_COUNTERS_MAX; i++)
		many[i] = (struct ady_counter_info){ady_bytes(text, sizeof text), 60};
	ady_tally_seal(&b, &t, &all, many, ADY_COUNTERS_MAX, name, &row_key);
	CHECK(!b.full);
}

int main(void)
{
	fixture_used();
	RUN(a_row_comes_back_as_it_was);
	RUN(of_no_row_one_bit_may_differ);
	RUN(a_row_is_of_one_key_only);
	RUN(a_name_says_whose_it_is);
	RUN(a_wallets_key_has_a_name_by_what_it_is);
	RUN(what_is_no_row_is_refused);
	RUN(a_row_of_another_form_is_refused_whoever_wrote_it);
	RUN(a_row_is_not_followed_by_an_older_one);
	RUN(a_row_is_of_one_policy);
	RUN(what_was_charged_last_is_remembered);
	RUN(a_row_that_was_never_charged_has_no_digest);
	RUN(a_policy_without_limits_has_the_shortest_row);
	RUN(the_largest_policy_has_room);
	return test_end();
}
