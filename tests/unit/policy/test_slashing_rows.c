/* SPDX-License-Identifier: Apache-2.0
 *
 * Slashing protection to the last branch: rows that no enclave writes, histories that split in any
 * of their members, and the parts of interchange files that test_slashing.c leaves out. */
#include "policy/interchange.h"
#include "policy/slashing_row.h"
#include "test.h"

static struct ady_fault f;
static const uint8_t gvr[32] = {5};
static struct ady_seckey row_key;

static struct ady_slash_state full(void)
{
	struct ady_slash_state s = {.version = 3, .from_epoch = 1};
	const struct ady_slash_ask a = {.is_block = true, .slot = 9, .root = {7}},
	                           b = {.source = 2, .target = 3, .root = {8}};

	ady_slash_raise(&s, &a);
	ady_slash_raise(&s, &b);
	return s;
}

static enum ady_err through(struct ady_slash_state s, struct ady_slash_state *got)
{
	uint8_t row[ADY_SLASH_ROW];

	f = (struct ady_fault){0};
	ady_slash_row_seal(row, &s, gvr, &row_key);
	return ady_slash_row_open(got, ady_bytes(row, sizeof row), gvr, &row_key, &f);
}

CASE(every_state_goes_round)
{
	for (unsigned bits = 0; bits < 32; bits++) {
		struct ady_slash_state s = full(), got;

		s.retired = bits & 1;
		s.has_block = bits & 2;
		s.has_block_root = (bits & 2) && (bits & 4);
		s.has_attestation = bits & 8;
		s.has_attestation_root = (bits & 8) && (bits & 16);
		if (!s.has_block)
			s.slot = 0;
		if (!s.has_attestation)
			s.source = s.target = 0;
		if (!s.has_block_root)
			memset(s.block_root, 0, 32);
		if (!s.has_attestation_root)
			memset(s.attestation_root, 0, 32);
		CHECK_ERR(through(s, &got), ADY_OK);
		CHECK_INT(got.retired, s.retired);
		CHECK_INT(got.has_block, s.has_block);
		CHECK_INT(got.has_block_root, s.has_block_root);
		CHECK_INT(got.has_attestation, s.has_attestation);
		CHECK_INT(got.has_attestation_root, s.has_attestation_root);
		CHECK_INT(got.slot + got.source + got.target, s.slot + s.source + s.target);
	}
}

/* Authentic, and of a form that has another spelling: no enclave writes it, and none reads it. */
CASE(rows_with_two_spellings)
{
	struct ady_slash_state none = {.version = 1}, bad[8], got;

	for (size_t i = 0; i < 8; i++)
		bad[i] = none;
	bad[0].version = 0;
	bad[1].slot = 5;
	bad[2].has_block_root = true;
	bad[3].source = 1;
	bad[4].target = 1;
	bad[5].has_attestation_root = true;
	bad[6].has_block = true;
	bad[6].block_root[31] = 1;
	bad[7].has_attestation = true;
	bad[7].attestation_root[0] = 1;
	for (size_t i = 0; i < 8; i++) {
		CHECK_ERR(through(bad[i], &got), ADY_E_SLASHING);
		CHECK_STR(f.detail, "is not a slashing protection row");
		CHECK_INT(got.version, 0);
	}
	CHECK_ERR(through(none, &got), ADY_OK);
}

CASE(what_is_peeked_at_has_its_form)
{
	uint8_t row[ADY_SLASH_ROW], network[32];
	struct ady_slash_state s = full(), got;

	ady_slash_row_seal(row, &s, gvr, &row_key);
	CHECK_ERR(ady_slash_row_peek(&got, network, ady_bytes(row, sizeof row), &f), ADY_OK);
	CHECK(memcmp(network, gvr, 32) == 0);
	CHECK_INT(got.slot, 9);
	CHECK_ERR(ady_slash_row_peek(&got, network, ady_bytes(row, sizeof row - 1), &f),
	          ADY_E_SLASHING);
	CHECK_INT(network[0], 0);
	for (size_t i = 0; i < 16; i++) { /* magic, flags, zeros */
		uint8_t was = row[i];

		row[i] = (uint8_t)(was | 0x80);
		CHECK_ERR(ady_slash_row_peek(&got, network, ady_bytes(row, sizeof row), &f),
		          ADY_E_SLASHING);
		CHECK_STR(f.detail, "is not a slashing protection row");
		CHECK_INT(got.version, 0);
		row[i] = was;
	}
}

/* Two rows of one version that differ in one member are two histories. */
CASE(histories_split_in_any_member)
{
	const struct ady_slash_time any = {.last_slot = UINT64_MAX, .slots_per_epoch = 32};
	const struct ady_slash_ask ask = {.source = 50, .target = 60, .root = {1}};
	struct ady_slash_state s = full(), next, other[11];
	struct ady_slash_memory m;
	bool repeat;

	ady_slash_remember(&m, 0);
	next = (struct ady_slash_state){0};
	CHECK_ERR(ady_slash_begin(&m, &next, &ask, any, &next, &repeat, &f), ADY_E_SLASHING);
	CHECK_STR(f.detail, "the key has no slashing protection state");
	CHECK_ERR(ady_slash_begin(&m, &s, &ask, any, &next, &repeat, &f), ADY_OK);
	CHECK_ERR(ady_slash_begin(&m, &s, &ask, any, &next, &repeat, &f), ADY_OK);
	for (size_t i = 0; i < 11; i++)
		other[i] = s;
	other[0].retired = true;
	other[1].has_block = false;
	other[2].has_block_root = false;
	other[3].has_attestation = false;
	other[4].has_attestation_root = false;
	other[5].slot++;
	other[6].source++;
	other[7].target++;
	other[8].from_epoch++;
	other[9].block_root[31] ^= 1;
	other[10].attestation_root[31] ^= 1;
	for (size_t i = 0; i < 11; i++) {
		CHECK_ERR(ady_slash_begin(&m, &other[i], &ask, any, &next, &repeat, &f),
		          ADY_E_SLASHING);
		CHECK_STR(f.detail, "the state's history has split: the store was rolled back");
	}
}

static struct ady_json_tok toks[256];
static struct ady_json doc;
static struct ady_interchange ix;

static enum ady_err open_text(const char *text)
{
	f = (struct ady_fault){0};
	CHECK_ERR(ady_json_parse(&doc, toks, 256, ady_bytes_str(text), &f), ADY_OK);
	return ady_interchange_open(&ix, &doc, &f);
}

#define ROOT "\"0x0000000000000000000000000000000000000000000000000000000000000000\""
#define HEAD                                                                                \
	"{\"metadata\":{\"interchange_format_version\":5,\"genesis_validators_root\":" ROOT \
	"},\"data\":"
#define ENTRY                                                                \
	"{\"pubkey\":\"0x"                                                   \
	"a99a76ed7796f7be22d5b7e85deeb7c5677e88e511e0b337618f8c4eb61349b4bf" \
	"2d153f649f7b53359fe8b94a38e44c\","

CASE(interchange_files_that_lack_something)
{
	static const struct {
		const char *text, *where;
	} v[] = {
	    {"{\"metadata\":{}}", "metadata.interchange_format_version"},
	    {"{\"metadata\":{\"interchange_format_version\":\"5\"}}",
	     "metadata.genesis_validators_roo"},
	    {"{\"metadata\":{\"interchange_format_version\":\"5\",\"genesis_validators_root\":" ROOT
	     "}}",
	     "data"},
	    {HEAD "{}}", "data"},
	    {HEAD "[" ENTRY "\"signed_blocks\":{},\"signed_attestations\":[]}]}",
	     "data[0].signed_blocks"},
	    {HEAD "[" ENTRY "\"signed_blocks\":[]}]}", "data[0].signed_attestati"},
	    {HEAD "[" ENTRY "\"signed_blocks\":[{\"slot\":\"x\"},{\"slot\":\"1\"}],"
	          "\"signed_attestations\":[]}]}",
	     "data[0].signed_blocks[0].slot"},
	    {HEAD "[" ENTRY "\"signed_blocks\":[],\"signed_attestations\":[{},{}]}]}",
	     "data[0].signed_attestations[0].source_epoch"},
	    {HEAD "[" ENTRY
	          "\"signed_blocks\":[],\"signed_attestations\":[{\"source_epoch\":\"1\"}]}]}",
	     "data[0].signed_attestations[0].target_epoch"},
	};

	CHECK_ERR(open_text(HEAD "[]}"), ADY_OK); /* the version as a number, as some write it */
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		CHECK(open_text(v[i].text) != ADY_OK);
		CHECK_INT(strncmp(f.where, v[i].where, strlen(f.where)), 0);
	}
}

CASE(an_interchange_of_states_that_lack_something)
{
	struct ady_interchange_entry e;
	struct ady_slash_state s[4];
	uint8_t space[4096], pub[48] = {0x99};
	struct ady_buf out = ady_buf(space, sizeof space - 1);
	uint32_t at = 0;

	for (size_t i = 0; i < 4; i++)
		s[i] = full();
	s[1].has_block_root = s[1].has_attestation_root = false;
	s[2].has_block = s[2].has_block_root = false;
	s[3].has_attestation = s[3].has_attestation_root = false;
	ady_interchange_put_head(&out, gvr);
	for (size_t i = 0; i < 4; i++)
		ady_interchange_put_entry(&out, pub, &s[i]);
	ady_interchange_put_end(&out);
	space[out.n] = '\0';
	CHECK_ERR(open_text((const char *)space), ADY_OK);
	CHECK_INT(ix.validators, 4);
	CHECK_INT(ix.blocks, 3);
	CHECK_INT(ix.attestations, 3);
	for (size_t i = 0; i < 4; i++) {
		CHECK(ady_interchange_next(&ix, &at, &e));
		CHECK_INT(e.state.has_block, s[i].has_block);
		CHECK_INT(e.state.has_attestation, s[i].has_attestation);
	}
	CHECK(!ady_interchange_next(&ix, &at, &e));
	out = ady_buf(space, 0); /* without room */
	ady_interchange_put_entry(&out, pub, &s[0]);
	CHECK(out.full);
}

int main(void)
{
	const struct ady_seckey key = {{1, 2}};

	ady_slash_row_key(&row_key, &key);
	RUN(every_state_goes_round);
	RUN(rows_with_two_spellings);
	RUN(what_is_peeked_at_has_its_form);
	RUN(histories_split_in_any_member);
	RUN(interchange_files_that_lack_something);
	RUN(an_interchange_of_states_that_lack_something);
	return test_end();
}
