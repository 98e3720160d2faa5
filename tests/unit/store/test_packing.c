/* SPDX-License-Identifier: Apache-2.0 */
#include "store/packing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/rng.h"
#include "record_text.h"

#define SECP_PUB "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define NAMED(id, tenant, curve, pub, rest)                                              \
	"{\"adyton\":1,\"wrapping\":\"envelope\",\"id\":\"" id "\",\"tenant\":\"" tenant \
	"\",\"curve\":\"" curve "\",\"public_key\":\"0x" pub "\",\"data_key\":\"BQYH\"," rest "}"
#define SECP(id, rest) NAMED(id, "acme", "secp256k1", "02" SECP_PUB, rest)
#define DATED M_SEALED ",\"created\":1795660761"

static struct ady_packing *packing;
static uint8_t packed[ADY_PACKED_MAX];

/* Pack a text; what comes out of it again must be the same. Returns how long it is packed. */
static size_t pack_entry(const struct ady_entry *e)
{
	static struct ady_unpacked u;
	const size_t n = ady_pack(packing, e, packed);

	if (n == 0)
		return 0;
	memset(&u, 0xee, sizeof u);
	ady_unpack(packing, ady_bytes_str(e->id), ady_bytes(packed, n), &u);
	if (!CHECK(ady_bytes_eq(ady_bytes(u.text, u.text_n), ady_dyn_bytes(&e->text))))
		printf("# %.*s\n", (int)e->text.n, (const char *)e->text.p);
	CHECK(ady_bytes_eq(ady_bytes(u.public_key, u.public_key_n),
	                   ady_bytes(e->public_key, e->public_key_n)));
	CHECK_STR(u.tenant, e->tenant);
	CHECK_STR(u.curve, e->curve);
	return n;
}

static size_t pack(const char *id, const char *text)
{
	struct ady_entry e;
	struct ady_fault f = {0};
	size_t n;

	if (!CHECK_ERR(ady_entry_read(&e, id, ady_bytes_str(text), &f), ADY_OK))
		printf("# %s: %s: %s\n", text, f.where, f.detail);
	n = pack_entry(&e);
	ady_entry_clear(&e);
	return n;
}

static void begin(void)
{
	CHECK_ERR(ady_packing_open(&packing), ADY_OK);
}

static void end(void)
{
	ady_packing_close(packing);
}

/* Shape 2, public key 33, length 1, ciphertext 60, time 4. */
CASE(records_of_one_shape_take_a_hundred_bytes_each)
{
	uint8_t first[ADY_PACKED_MAX];

	begin();
	CHECK_INT(pack("a", SECP("a", DATED)), 100);
	memcpy(first, packed, 100);
	CHECK_INT(pack("team/b-17", SECP("team/b-17", M_SEALED ",\"created\":7")), 100);
	CHECK(memcmp(first, packed, 96) == 0);
	CHECK_HEX(packed + 96, 4, "00000007");
	CHECK_INT(pack("a", SECP("a", DATED ",\"chains\":[1]")), 100);
	CHECK(memcmp(first, packed, 2) != 0);
	end();
}

CASE(every_curve_and_member_comes_back)
{
	begin();
	CHECK_INT(pack("e", NAMED("e", "t", "ed25519", SECP_PUB, DATED)), 99);
	CHECK_INT(pack("b", NAMED("b", "t", "bls12-381",
	                          SECP_PUB "00112233445566778899aabbccddeeff", DATED)),
	          115);
	CHECK(pack("w", NAMED("w", "t", "wallet", "02" SECP_PUB, DATED)) > 0);
	CHECK(pack(ID, GOOD) > 0);
	CHECK(pack(ID, WITH("\"policy\":{\"id\":\"" ID "\",\"ciphertext\":\"AQ==\"}")) > 0);
	CHECK(pack("id", SECP("id", "\"note\":\"\\\"id\\\":\\\"id\\\"\"," DATED)) > 0);
	CHECK_INT(pack("a", SECP("a", M_SEALED ",\"created\":99999999999999999")), 100);
	CHECK(pack("a", " \n" SECP("a", DATED) "\n") > 0);
	end();
}

/* Their bytes would come back in another form. */
CASE(what_is_written_otherwise_is_not_packed)
{
	begin();
	CHECK_INT(
	    pack("a",
	         NAMED("a", "t", "ed25519",
	               "79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798", DATED)),
	    0);
	CHECK_INT(pack("a", SECP("a", M_SEALED ",\"created\":4294967296")), 0);
	end();
}

CASE(what_has_no_ciphertext_to_leave_out_is_not_packed)
{
	char longest[1400], text[2200];

	begin();
	CHECK_INT(pack("sample", "AQIDBA=="), 0);
	CHECK_INT(pack("a", SECP("a", "\"ciphertext\":\"A\"")), 0);
	memset(longest, 'A', sizeof longest);
	snprintf(text, sizeof text, SECP("a", "\"ciphertext\":\"%.340s\""), longest);
	CHECK_INT(pack("a", text), 2 + 33 + 1 + 255 + 4);
	snprintf(text, sizeof text, SECP("a", "\"ciphertext\":\"%.344s\""), longest);
	CHECK_INT(pack("a", text), 0);
	snprintf(text, sizeof text, SECP("a", DATED ",\"note\":\"%.1400s\""), longest);
	CHECK(pack("a", text) > 0);
	end();
}

CASE(longer_records_are_not_packed)
{
	char text[ADY_PACKED_TEXT_MAX + 2];
	struct ady_buf b = ady_buf(text, sizeof text);

	begin();
	ady_buf_str(&b, SECP("a", DATED));
	memset(text + b.n, ' ', sizeof text - b.n);
	text[ADY_PACKED_TEXT_MAX] = '\0';
	CHECK(pack("a", text) > 0);
	text[ADY_PACKED_TEXT_MAX] = ' ';
	text[ADY_PACKED_TEXT_MAX + 1] = '\0';
	CHECK_INT(pack("a", text), 0);
	end();
}

/* Those that were packed before come back as well. */
CASE(there_are_so_many_shapes_and_no_more)
{
	char text[400];
	size_t n = 0;

	begin();
	for (int i = 0; i < ADY_PACKED_SHAPES_MAX + 10; i++) {
		snprintf(text, sizeof text, SECP("a", DATED ",\"note\":%d"), i);
		n += pack("a", text) > 0;
	}
	CHECK_INT(n, ADY_PACKED_SHAPES_MAX);
	CHECK(pack("a", SECP("a", DATED ",\"note\":4095")) > 0);
	CHECK_INT(pack("a", SECP("a", DATED ",\"note\":4096")), 0);
	end();
}

/* Two tenants whose records read alike are not one. */
CASE(what_the_store_says_of_a_record_comes_back_with_it)
{
	struct ady_entry e;
	struct ady_fault f = {0};

	begin();
	CHECK_ERR(ady_entry_read(&e, "a", ady_bytes_str(SECP("a", DATED)), &f), ADY_OK);
	CHECK_INT(pack_entry(&e), 100);
	snprintf(e.tenant, sizeof e.tenant, "%s", "other");
	CHECK_INT(pack_entry(&e), 100);
	snprintf(e.curve, sizeof e.curve, "%s", "wallet");
	CHECK_INT(pack_entry(&e), 100);
	e.public_key_n = 32;
	CHECK_INT(pack_entry(&e), 99); /* its hex stays in the shape */
	ady_entry_clear(&e);
	end();
}

/* Whatever bytes a store has: they come back, or are not packed. */
CASE(texts_at_random_come_back_or_are_not_packed)
{
	static const char good[] = SECP("a", DATED ",\"chains\":[1,31337]");
	struct ady_entry e;
	struct ady_fault f = {0};
	uint32_t r[4];
	size_t n = 0;

	begin();
	CHECK_ERR(ady_entry_read(&e, "a", ady_bytes_str(good), &f), ADY_OK);
	for (int i = 0; i < 20000; i++) {
		memcpy(e.text.p, good, sizeof good - 1);
		e.text.n = sizeof good - 1;
		ady_random(r, sizeof r);
		e.text.p[r[0] % e.text.n] = (uint8_t)r[1];
		if (r[1] & 0x100)
			e.text.n = r[2] % e.text.n;
		n += pack_entry(&e) > 0;
	}
	CHECK(n > 1000 && n < 20000);
	ady_entry_clear(&e);
	end();
}

int main(void)
{
	RUN(records_of_one_shape_take_a_hundred_bytes_each);
	RUN(every_curve_and_member_comes_back);
	RUN(what_is_written_otherwise_is_not_packed);
	RUN(what_has_no_ciphertext_to_leave_out_is_not_packed);
	RUN(longer_records_are_not_packed);
	RUN(there_are_so_many_shapes_and_no_more);
	RUN(what_the_store_says_of_a_record_comes_back_with_it);
	RUN(texts_at_random_come_back_or_are_not_packed);
	return test_end();
}
