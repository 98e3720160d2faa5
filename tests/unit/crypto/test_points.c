/* SPDX-License-Identifier: Apache-2.0
 *
 * Remembered points are what the square root gives, whatever the memory holds. */
#include "crypto/points.h"

#include "crypto/secp.h"
#include "test.h"

static struct ady_points points;
static struct ady_secp *secp;

static void key_number(uint8_t pub33[33], uint8_t pub65[65], unsigned i)
{
	struct ady_seckey key = {.b = {[30] = (uint8_t)(i >> 8), [31] = (uint8_t)i}};

	CHECK_ERR(ady_secp_public(secp, pub65, &key), ADY_OK);
	ady_secp_compress(pub33, pub65);
}

static void check_expands(struct ady_points *p, const uint8_t pub33[33], const uint8_t pub65[65])
{
	uint8_t out[65] = {0};

	CHECK_ERR(ady_points_expand(p, out, pub33), ADY_OK);
	CHECK(memcmp(out, pub65, sizeof out) == 0);
}

/* More keys than places, each twice: once put there, once found, and its negative, which has the
 * same place and x. */
CASE(the_same_as_without)
{
	uint8_t pub33[33], pub65[65], other65[65];

	for (unsigned i = 1; i <= 600; i++) {
		key_number(pub33, pub65, i);
		check_expands(NULL, pub33, pub65);
		check_expands(&points, pub33, pub65);
		check_expands(&points, pub33, pub65);
		pub33[0] ^= 1;
		CHECK_ERR(ady_secp_expand(other65, pub33), ADY_OK);
		CHECK(memcmp(other65, pub65, sizeof pub65) != 0);
		check_expands(&points, pub33, other65);
	}
}

CASE(what_is_found_is_used)
{
	uint8_t pub33[33], pub65[65];

	key_number(pub33, pub65, 7);
	check_expands(&points, pub33, pub65);
	CHECK(memcmp(points.pub65[pub33[32]], pub65, sizeof pub65) == 0);
}

/* Each bit of a place turned over: the answer is right, and the place is put right. */
CASE(a_place_that_was_spoilt)
{
	uint8_t pub33[33], pub65[65], *place;

	key_number(pub33, pub65, 9);
	place = points.pub65[pub33[32]];
	for (size_t bit = 0; bit < sizeof pub65 * 8; bit++) {
		check_expands(&points, pub33, pub65);
		place[bit / 8] ^= (uint8_t)(1 << bit % 8);
		check_expands(&points, pub33, pub65);
		CHECK(memcmp(place, pub65, sizeof pub65) == 0);
	}
}

CASE(no_point)
{
	uint8_t pub33[33] = {0x02}, pub65[65], before[65], out[65];

	memset(&points, 0, sizeof points);
	CHECK_ERR(ady_points_expand(&points, out, pub33), ADY_E_CRYPTO); /* x = 0 */
	pub33[0] = 0;
	CHECK_ERR(ady_points_expand(&points, out, pub33), ADY_E_CRYPTO);
	key_number(pub33, pub65, 9);
	check_expands(&points, pub33, pub65);
	memcpy(before, points.pub65[pub33[32]], sizeof before);
	pub33[0] = 0x04;
	CHECK_ERR(ady_points_expand(&points, out, pub33), ADY_E_CRYPTO);
	CHECK(memcmp(before, points.pub65[pub33[32]], sizeof before) == 0);
}

CASE(points_of_the_curve)
{
	uint8_t pub33[33], pub65[65];

	key_number(pub33, pub65, 11);
	CHECK(ady_secp_is_point(pub65));
	pub65[0] = (uint8_t)(0x06 | (pub65[64] & 1)); /* hybrid: the library reads it */
	CHECK(!ady_secp_is_point(pub65));
	pub65[0] = 0x04;
	pub65[64] ^= 1;
	CHECK(!ady_secp_is_point(pub65));
}

int main(void)
{
	if (ady_secp_open(&secp) != ADY_OK)
		return 1;
	RUN(the_same_as_without);
	RUN(what_is_found_is_used);
	RUN(a_place_that_was_spoilt);
	RUN(no_point);
	RUN(points_of_the_curve);
	ady_secp_close(secp);
	return test_end();
}
