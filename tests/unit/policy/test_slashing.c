/* SPDX-License-Identifier: Apache-2.0
 *
 * The slashing rules: each refusal with its reason, rows, and the 38 published interchange tests.
 */
#include "policy/slashing.h"

#include <dirent.h>
#include <stdlib.h>

#include "codec/ssz_json.h"
#include "policy/interchange.h"
#include "policy/slashing_row.h"
#include "test.h"

enum { TOKENS = 20000, KEYS = 16, VECTORS = 38 };

static const struct ady_slash_time any_time = {.last_slot = UINT64_MAX, .slots_per_epoch = 32};

static struct ady_slash_ask block(uint64_t slot, uint8_t root)
{
	return (struct ady_slash_ask){.is_block = true, .slot = slot, .root = {root}};
}

static struct ady_slash_ask vote(uint64_t source, uint64_t target, uint8_t root)
{
	return (struct ady_slash_ask){.source = source, .target = target, .root = {root}};
}

static const char *why(const struct ady_slash_state *s, struct ady_slash_ask ask,
                       struct ady_slash_time time)
{
	static struct ady_fault f;
	bool repeat;

	f = (struct ady_fault){0};
	if (ady_slash_check(s, &ask, &time, &repeat, &f) == ADY_OK)
		return repeat ? "repeat" : "new";
	return f.err == ADY_E_SLASHING ? f.detail : "another error";
}

CASE(blocks)
{
	struct ady_slash_state s = {.version = 1};
	struct ady_slash_ask ask = block(100, 1);

	CHECK_STR(why(&s, block(0, 1), any_time), "new");
	ady_slash_raise(&s, &ask);
	CHECK_INT(s.version, 2);
	CHECK_STR(why(&s, block(100, 1), any_time), "repeat");
	CHECK_STR(why(&s, block(100, 2), any_time), "another block of this slot was signed");
	CHECK_STR(why(&s, block(99, 1), any_time), "a block of a later slot was signed");
	CHECK_STR(why(&s, block(101, 1), any_time), "new");
	s.has_block_root = false;
	CHECK_STR(why(&s, block(100, 1), any_time), "another block of this slot was signed");
	CHECK_STR(why(&s, vote(0, 1, 1), any_time), "new"); /* votes are another matter */
}

CASE(attestations)
{
	struct ady_slash_state s = {.version = 1};
	struct ady_slash_ask ask = vote(10, 12, 1);

	CHECK_STR(why(&s, vote(0, 0, 1), any_time), "new"); /* at genesis */
	CHECK_STR(why(&s, vote(3, 3, 1), any_time), "the source is not before the target");
	CHECK_STR(why(&s, vote(4, 3, 1), any_time), "the source is not before the target");
	CHECK_STR(why(&s, vote(1, 0, 1), any_time), "the source is not before the target");
	ady_slash_raise(&s, &ask);
	CHECK_STR(why(&s, vote(10, 12, 1), any_time), "repeat");
	CHECK_STR(why(&s, vote(10, 12, 2), any_time),
	          "an attestation with this target or a later one was signed");
	CHECK_STR(why(&s, vote(11, 12, 1), any_time),
	          "an attestation with this target or a later one was signed");
	CHECK_STR(why(&s, vote(10, 11, 1), any_time),
	          "an attestation with this target or a later one was signed");
	CHECK_STR(why(&s, vote(9, 13, 1), any_time),
	          "an attestation with a later source was signed");
	CHECK_STR(why(&s, vote(10, 13, 1), any_time), "new");
	CHECK_STR(why(&s, vote(12, 13, 1), any_time), "new");
}

CASE(states_that_never_sign)
{
	struct ady_slash_state s = {0};
	struct ady_slash_ask ask = block(64, 1);

	CHECK_STR(why(&s, ask, any_time), "the key has no slashing protection state");
	s.version = 1;
	ady_slash_raise(&s, &ask);
	s.from_epoch = 3;
	CHECK_STR(why(&s, block(95, 1), any_time), "the key is in quarantine");
	CHECK_STR(why(&s, block(96, 1), any_time), "new");
	CHECK_STR(why(&s, vote(1, 2, 1), any_time), "the key is in quarantine");
	CHECK_STR(why(&s, vote(1, 3, 1), any_time), "new");
	s.from_epoch = 0;
	s.retired = true;
	CHECK_STR(why(&s, ask, any_time), "the key was exported or deleted and signs no more");
}

CASE(time_bounds)
{
	struct ady_slash_state s = {.version = 1};
	struct ady_slash_time t = {
	    .has_floor = true, .floor_slot = 325, .last_slot = 400, .slots_per_epoch = 32};
	static const char old[] = "it is of a time before this enclave first used the key";

	CHECK_STR(why(&s, block(325, 1), t), old);
	CHECK_STR(why(&s, block(326, 1), t), "new");
	CHECK_STR(why(&s, block(400, 1), t), "new");
	CHECK_STR(why(&s, block(401, 1), t), "it is of the future");
	CHECK_STR(why(&s, vote(9, 10, 1), t), old);
	CHECK_STR(why(&s, vote(9, 11, 1), t), "new");
	CHECK_STR(why(&s, vote(8, 11, 1), t),
	          "its source is of a time before this enclave first used the key");
	CHECK_STR(why(&s, vote(9, 13, 1), t), "it is of the future");
	t.lagging_source = true;
	CHECK_STR(why(&s, vote(8, 11, 1), t), "new");
}

/* What was signed before the floor is not signed again either: the row may be one that was never
 * written. */
CASE(a_repeat_is_bound_by_the_floor)
{
	struct ady_slash_state s = {.version = 1};
	struct ady_slash_ask ask = block(64, 1);
	struct ady_slash_time t = {
	    .has_floor = true, .floor_slot = 64, .last_slot = 400, .slots_per_epoch = 32};

	ady_slash_raise(&s, &ask);
	CHECK_STR(why(&s, ask, t), "it is of a time before this enclave first used the key");
}

CASE(merging_never_lowers)
{
	struct ady_slash_state s = {.version = 1}, other = {.has_block = true, .slot = 5};
	struct ady_slash_ask a = block(9, 7), b = vote(3, 8, 7);

	ady_slash_raise(&s, &a);
	ady_slash_raise(&s, &b);
	ady_slash_merge(&s, &other);
	CHECK_INT(s.slot, 9);
	CHECK(s.has_block_root);
	other.slot = 9; /* the same slot, and who knows which block */
	ady_slash_merge(&s, &other);
	CHECK(!s.has_block_root && s.block_root[0] == 0);
	other = (struct ady_slash_state){.has_attestation = true, .source = 5, .target = 6};
	ady_slash_merge(&s, &other);
	CHECK_INT(s.source, 5);
	CHECK_INT(s.target, 8);
	CHECK(!s.has_attestation_root);
	CHECK_INT(s.version, 6);
}

CASE(memory_sees_a_store_that_goes_back)
{
	struct ady_slash_state v1 = {.version = 1}, next, other;
	struct ady_slash_ask x = vote(5, 20, 1), y = vote(5, 20, 2), z = vote(5, 21, 3);
	struct ady_slash_memory m;
	struct ady_fault f;
	bool repeat;

	ady_slash_remember(&m, 0);
	CHECK_ERR(ady_slash_begin(&m, &v1, &x, any_time, &next, &repeat, &f), ADY_OK);
	CHECK(!repeat && next.version == 2);
	CHECK_ERR(ady_slash_end(&m, &next, ADY_SLASH_UNKNOWN, &f), ADY_E_SLASHING);
	CHECK_ERR(ady_slash_end(&m, &next, ADY_SLASH_CONFLICT, &f), ADY_E_AGAIN);
	CHECK_ERR(ady_slash_end(&m, &next, ADY_SLASH_WRITTEN, &f), ADY_OK);
	/* the row from before: what was written counts */
	CHECK_ERR(ady_slash_begin(&m, &v1, &y, any_time, &other, &repeat, &f), ADY_E_SLASHING);
	CHECK_ERR(ady_slash_begin(&m, &v1, &x, any_time, &other, &repeat, &f), ADY_OK);
	CHECK(repeat);
	/* another row of the same version */
	other = v1;
	ady_slash_raise(&other, &y);
	CHECK_ERR(ady_slash_begin(&m, &other, &z, any_time, &next, &repeat, &f), ADY_E_SLASHING);
	CHECK_STR(f.detail, "the state's history has split: the store was rolled back");
	/* an answer that comes after a newer one */
	CHECK_ERR(ady_slash_end(&m, &m.last, ADY_SLASH_WRITTEN, &f), ADY_E_AGAIN);
}

CASE(rows)
{
	struct ady_slash_state s = {.version = 7, .from_epoch = 9}, got;
	struct ady_slash_ask a = block(123456789, 7), b = vote(3, 8, 9);
	struct ady_seckey key = {{1}}, row_key, other_key;
	uint8_t row[ADY_SLASH_ROW], gvr[32] = {5}, other_gvr[32] = {6};
	struct ady_fault f;

	ady_slash_raise(&s, &a);
	ady_slash_raise(&s, &b);
	ady_slash_row_key(&row_key, &key);
	key.b[31] = 1;
	ady_slash_row_key(&other_key, &key);
	ady_slash_row_seal(row, &s, gvr, &row_key);
	CHECK_ERR(ady_slash_row_open(&got, ady_bytes(row, sizeof row), gvr, &row_key, &f), ADY_OK);
	CHECK(memcmp(&got, &s, sizeof s) == 0);
	CHECK_ERR(ady_slash_row_open(&got, ady_bytes(row, 0), gvr, &row_key, &f), ADY_OK);
	CHECK_INT(got.version, 0);
	CHECK_ERR(ady_slash_row_open(&got, ady_bytes(row, sizeof row), gvr, &other_key, &f),
	          ADY_E_SLASHING);
	CHECK_STR(f.detail, "was not written by an enclave for this key");
	CHECK_ERR(ady_slash_row_open(&got, ady_bytes(row, sizeof row), other_gvr, &row_key, &f),
	          ADY_E_SLASHING);
	CHECK_STR(f.detail, "is of another network");
	for (size_t i = 0; i < sizeof row; i++) {
		row[i] ^= 1;
		CHECK_ERR(ady_slash_row_open(&got, ady_bytes(row, sizeof row), gvr, &row_key, &f),
		          ADY_E_SLASHING);
		row[i] ^= 1;
	}
	CHECK_ERR(ady_slash_row_open(&got, ady_bytes(row, sizeof row - 1), gvr, &row_key, &f),
	          ADY_E_SLASHING);
}

CASE(an_interchange_goes_round)
{
	struct ady_slash_state s = {.version = 1};
	struct ady_slash_ask a = block(77, 7), b = vote(3, 8, 9);
	static struct ady_json_tok toks[256];
	struct ady_interchange_entry e;
	struct ady_interchange ix;
	uint8_t space[2048], pub[48] = {0x99}, gvr[32] = {1};
	struct ady_buf out = ady_buf(space, sizeof space);
	struct ady_json doc;
	struct ady_fault f;
	uint32_t at = 0;

	ady_slash_raise(&s, &a);
	ady_slash_raise(&s, &b);
	ady_interchange_put_head(&out, gvr);
	ady_interchange_put_entry(&out, pub, &s);
	ady_interchange_put_entry(&out, pub, &s);
	ady_interchange_put_end(&out);
	CHECK(!out.full);
	CHECK_ERR(ady_json_parse(&doc, toks, 256, ady_buf_bytes(&out), &f), ADY_OK);
	CHECK_ERR(ady_interchange_open(&ix, &doc, &f), ADY_OK);
	CHECK_INT(ix.validators, 2);
	CHECK(memcmp(ix.genesis_validators_root, gvr, 32) == 0);
	CHECK(ady_interchange_next(&ix, &at, &e) && ady_interchange_next(&ix, &at, &e));
	CHECK(memcmp(e.pubkey, pub, 48) == 0);
	CHECK_INT(e.state.slot, 77);
	CHECK_INT(e.state.source, 3);
	CHECK_INT(e.state.target, 8);
	CHECK(!e.state.has_block_root && !e.state.has_attestation_root);
	CHECK(!ady_interchange_next(&ix, &at, &e));
}

#define META(version)                                                                            \
	"{\"metadata\":{\"interchange_format_version\":" version ",\"genesis_validators_root\":" \
	"\"0x0000000000000000000000000000000000000000000000000000000000000000\"},\"data\":"
#define KEY                                                                                        \
	"\"pubkey\":\"0x"                                                                          \
	"a99a76ed7796f7be22d5b7e85deeb7c5677e88e511e0b337618f8c4eb61349b4bf2d153f649f7b53359fe8b9" \
	"4a38e44c\""

CASE(interchange_files_that_are_refused)
{
	static const struct {
		const char *text;
		enum ady_err err;
		const char *where;
	} v[] = {
	    {"{}", ADY_E_FIELD_MISSING, "metadata"},
	    {META("\"4\"") "[]}", ADY_E_FIELD_INVALID, "metadata.interchange_format_version"},
	    {META("\"5\"") "{}}", ADY_E_FIELD_MISSING, "data"},
	    {META("\"5\"") "[{}]}", ADY_E_FIELD_MISSING, "data[0].pubkey"},
	    {META("\"5\"") "[{" KEY "}]}", ADY_E_FIELD_MISSING, "data[0].signed_blocks"},
	    {META("\"5\"") "[{" KEY ",\"signed_blocks\":[{\"slot\":\"1\"},{\"slot\":\"x\"}],"
	                   "\"signed_attestations\":[]}]}",
	     ADY_E_FIELD_INVALID, "data[0].signed_blocks[1].slot"},
	    {META("\"5\"") "[{" KEY ",\"signed_blocks\":[],\"signed_attestations\":"
	                   "[{\"source_epoch\":\"1\"}]}]}",
	     ADY_E_FIELD_MISSING, "data[0].signed_attestations[0].target_epoch"},
	    {META("\"5\"") "[{" KEY ",\"signed_blocks\":[{\"slot\":\"1\",\"signing_root\":\"0x\"}],"
	                   "\"signed_attestations\":[]}]}",
	     ADY_E_FIELD_INVALID, "data[0].signed_blocks[0].signing_root"},
	};
	static struct ady_json_tok toks[256];
	struct ady_interchange ix;
	struct ady_json doc;
	struct ady_fault f;

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		f = (struct ady_fault){0};
		CHECK_ERR(ady_json_parse(&doc, toks, 256, ady_bytes_str(v[i].text), &f), ADY_OK);
		CHECK_ERR(ady_interchange_open(&ix, &doc, &f), v[i].err);
		if (strlen(v[i].where) < 40)
			CHECK_STR(f.where, v[i].where);
	}
}

/* The published tests. States by public key; a key without one has a first, empty one, as a key
 * that is made has. */
static struct {
	uint8_t pub[48];
	struct ady_slash_state state;
} known[KEYS];
static size_t known_n;
static struct ady_json vec;

static struct ady_slash_state *state_of(const uint8_t pub[48])
{
	for (size_t i = 0; i < known_n; i++)
		if (memcmp(known[i].pub, pub, 48) == 0)
			return &known[i].state;
	if (known_n == KEYS)
		abort();
	memcpy(known[known_n].pub, pub, 48);
	known[known_n].state = (struct ady_slash_state){.version = 1};
	return &known[known_n++].state;
}

static uint64_t u64(uint32_t i, const char *name)
{
	struct ady_ssz_reader r = {.doc = &vec};
	uint64_t v = 0;

	CHECK_ERR(ady_ssz_read_u64(&r, &v, ady_json_get(&vec, i, name), name), ADY_OK);
	return v;
}

static void hex(uint32_t i, const char *name, uint8_t *out, size_t n)
{
	struct ady_ssz_reader r = {.doc = &vec};
	uint32_t at = ady_json_get(&vec, i, name);

	memset(out, 0, n);
	if (at)
		CHECK_ERR(ady_ssz_read_bytes(&r, out, n, at, name), ADY_OK);
}

static void try_message(uint32_t i, bool is_block)
{
	bool want = ady_json_kind(&vec, ady_json_get(&vec, i, "should_succeed")) == ADY_JSON_TRUE;
	struct ady_slash_ask ask = {.is_block = is_block};
	struct ady_slash_state *s;
	uint8_t pub[48];
	bool repeat, ok;

	hex(i, "pubkey", pub, sizeof pub);
	hex(i, "signing_root", ask.root, sizeof ask.root);
	if (is_block)
		ask.slot = u64(i, "slot");
	else
		ask.source = u64(i, "source_epoch"), ask.target = u64(i, "target_epoch");
	s = state_of(pub);
	ok = ady_slash_check(s, &ask, &any_time, &repeat, NULL) == ADY_OK;
	if (ok && !repeat)
		ady_slash_raise(s, &ask);
	CHECK_INT(ok, want);
}

static bool import_step(uint32_t step, const uint8_t gvr[32])
{
	static struct ady_json_tok toks[TOKENS];
	struct ady_interchange_entry e;
	struct ady_interchange ix;
	struct ady_json doc;
	uint32_t at = 0, i = ady_json_get(&vec, step, "interchange");
	struct ady_bytes text = ady_json_raw(&vec, i);

	if (ady_json_parse(&doc, toks, TOKENS, text, NULL) != ADY_OK ||
	    ady_interchange_open(&ix, &doc, NULL) != ADY_OK ||
	    memcmp(ix.genesis_validators_root, gvr, 32) != 0)
		return false;
	while (ady_interchange_next(&ix, &at, &e))
		ady_slash_merge(state_of(e.pubkey), &e.state);
	return true;
}

static void run_vector(const char *path)
{
	static struct ady_json_tok toks[TOKENS];
	struct ady_bytes text = test_read_file(path);
	uint8_t gvr[32];
	uint32_t steps;

	known_n = 0;
	CHECK_ERR(ady_json_parse(&vec, toks, TOKENS, text, NULL), ADY_OK);
	hex(0, "genesis_validators_root", gvr, sizeof gvr);
	steps = ady_json_get(&vec, 0, "steps");
	for (uint32_t s = ady_json_first(&vec, steps); s; s = ady_json_after(&vec, steps, s)) {
		uint32_t lists[] = {ady_json_get(&vec, s, "blocks"),
		                    ady_json_get(&vec, s, "attestations")};

		CHECK_INT(import_step(s, gvr),
		          ady_json_kind(&vec, ady_json_get(&vec, s, "should_succeed")) ==
		              ADY_JSON_TRUE);
		for (unsigned l = 0; l < 2; l++)
			for (uint32_t k = ady_json_first(&vec, lists[l]); k;
			     k = ady_json_after(&vec, lists[l], k))
				try_message(k, l == 0);
	}
	free((void *)(uintptr_t)text.p);
}

CASE(published_interchange_tests)
{
	const char *folder = test_vector("eip3076");
	struct dirent *d;
	char path[512];
	int n = 0;
	DIR *dir;

	if (!folder || !(dir = opendir(folder))) {
		test_skip("../shared/vectors/eip3076 is not there: 38 files");
		return;
	}
	while ((d = readdir(dir)))
		if (strstr(d->d_name, ".json")) {
			snprintf(path, sizeof path, "%s/%s", folder, d->d_name);
			run_vector(path);
			n++;
		}
	closedir(dir);
	CHECK_INT(n, VECTORS);
}

int main(void)
{
	RUN(blocks);
	RUN(attestations);
	RUN(states_that_never_sign);
	RUN(time_bounds);
	RUN(a_repeat_is_bound_by_the_floor);
	RUN(merging_never_lowers);
	RUN(memory_sees_a_store_that_goes_back);
	RUN(rows);
	RUN(an_interchange_goes_round);
	RUN(interchange_files_that_are_refused);
	RUN(published_interchange_tests);
	return test_end();
}
