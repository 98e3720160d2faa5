/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents without proof: taken only exactly as QEMU writes them. */
#include "devcloud/unsigned.h"

#include "test.h"
#include "unsigned_document.h"

enum { NOW_S = 1800000000 };

static struct unsigned_document right(void)
{
	return unsigned_document(NOW_S * 1000LL);
}

/* Where the reader refuses u: "taken" when it takes it. */
static const char *refused(const struct unsigned_document *u)
{
	static struct ady_fault f;
	uint8_t document[UNSIGNED_MAX], room[ADY_ATTESTATION_MAX];
	struct ady_attestation att;

	f = (struct ady_fault){0};
	if (ady_dev_unsigned_read(&att, room, unsigned_put(document, u), NOW_S, &f) == ADY_OK)
		return "taken";
	CHECK_INT(att.pcrs[0].n, 0);
	CHECK(f.detail[0]);
	return f.where;
}

CASE(a_document_of_the_emulator_is_read)
{
	struct unsigned_document u = right();
	uint8_t document[UNSIGNED_MAX], room[ADY_ATTESTATION_MAX];
	struct ady_bytes b = unsigned_put(document, &u);
	struct ady_attestation att;
	struct ady_fault f = {0};

	CHECK(ady_dev_unsigned_is(b));
	CHECK_ERR(ady_dev_unsigned_read(&att, room, b, NOW_S, &f), ADY_OK);
	CHECK_INT(att.timestamp_ms, NOW_S * 1000LL);
	CHECK_INT(att.pcrs[0].n, 48);
	CHECK_INT(att.pcrs[0].p[0], 7);
}

CASE(other_algorithms_are_not_unsigned)
{
	static const int algs[] = {-35, -7, -2, 0, 1};
	uint8_t document[UNSIGNED_MAX];

	for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
		struct unsigned_document u = right();

		u.alg = algs[i];
		CHECK(!ady_dev_unsigned_is(unsigned_put(document, &u)));
		CHECK_STR(refused(&u), "protected");
	}
	CHECK(!ady_dev_unsigned_is(ady_bytes_str("")));
}

CASE(the_place_of_the_proof_holds_zeros)
{
	struct unsigned_document u = right();

	u.signature0 = 1;
	CHECK_STR(refused(&u), "signature");
	u = right();
	u.signature_n = 96;
	CHECK_STR(refused(&u), "signature");
	u = right();
	u.certificate0 = 0x30;
	CHECK_STR(refused(&u), "certificate");
	u = right();
	u.certificate_n = 65;
	CHECK_STR(refused(&u), "certificate");
	u = right();
	u.bundle_n = 2;
	CHECK_STR(refused(&u), "cabundle");
}

CASE(the_syntax_is_that_of_signed_ones)
{
	struct unsigned_document u = right();

	u.unknown_field = true;
	CHECK_STR(refused(&u), "");
	u = right();
	u.no_pcrs = true;
	CHECK_STR(refused(&u), "pcrs");
	u = right();
	u.bundle_n = 0;
	CHECK_STR(refused(&u), "cabundle");
	u = right();
	u.trailing_n = 1;
	CHECK_STR(refused(&u), "");
}

CASE(its_time_is_now)
{
	struct unsigned_document u = right();

	u.timestamp_ms = (NOW_S - ADY_DEV_UNSIGNED_LIFE_S) * 1000LL;
	CHECK_STR(refused(&u), "taken");
	u.timestamp_ms -= 1000;
	CHECK_STR(refused(&u), "timestamp");
	u.timestamp_ms = (NOW_S + ADY_DEV_UNSIGNED_AHEAD_S + 1) * 1000LL;
	CHECK_STR(refused(&u), "timestamp");
}

int main(void)
{
	RUN(a_document_of_the_emulator_is_read);
	RUN(other_algorithms_are_not_unsigned);
	RUN(the_place_of_the_proof_holds_zeros);
	RUN(the_syntax_is_that_of_signed_ones);
	RUN(its_time_is_now);
	return test_end();
}
