/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/marks.h"

#include "test.h"

enum { GENESIS = 1000000 };

static struct ady_config_validators config = {
    .enabled = true,
    .network = {.genesis_time_s = GENESIS, .seconds_per_slot = 12, .slots_per_epoch = 32},
    .keys = 2,
    .clock_error_s = 30,
};
static const struct ady_slash_state row = {.version = 1};

static enum ady_err ask_block(struct ady_marks *m, uint8_t key, int64_t unix_s, uint64_t slot,
                              struct ady_slash_state *next, struct ady_fault *f)
{
	uint8_t pub[48] = {[47] = key};
	struct ady_slash_ask ask = {.is_block = true, .slot = slot, .root = {1}};
	bool repeat;

	return ady_marks_begin(m, pub, unix_s, &row, &ask, next, &repeat, f);
}

/* One slot ahead and twice the error of a clock: 72 s are six slots. */
CASE(the_floor_is_of_the_first_use)
{
	int64_t now = GENESIS + 100 * 12;
	struct ady_slash_state next;
	struct ady_marks *m;
	struct ady_fault f;

	CHECK_ERR(ady_marks_open(&m, &config), ADY_OK);
	CHECK_ERR(ask_block(m, 1, now, 101, &next, &f), ADY_E_SLASHING);
	CHECK_STR(f.detail, "it is of a time before this enclave first used the key");
	CHECK_STR(f.where, ADY_SLASH_FLOOR);
	CHECK_ERR(ask_block(m, 1, now, 102, &next, &f), ADY_E_SLASHING);
	CHECK_STR(f.detail, "it is of the future");
	CHECK_ERR(ask_block(m, 1, now + 6 * 12, 106, &next, &f), ADY_E_SLASHING);
	CHECK_STR(f.detail, "it is of a time before this enclave first used the key");
	CHECK_ERR(ask_block(m, 1, now + 7 * 12, 107, &next, &f), ADY_OK);
	CHECK_INT(next.version, 2);
	/* another key begins with its own floor */
	CHECK_ERR(ask_block(m, 2, now + 7 * 12, 108, &next, &f), ADY_E_SLASHING);
	ady_marks_close(m);
}

/* What was signed elsewhere until then is behind it, in the row and in this enclave. */
CASE(a_revived_key_begins_anew)
{
	int64_t now = GENESIS + 100 * 12, later = GENESIS + 320 * 12;
	uint8_t pub[48] = {[47] = 1}, other[48] = {[47] = 9};
	struct ady_slash_state next;
	struct ady_marks *m;
	struct ady_fault f;

	CHECK_ERR(ady_marks_open(&m, &config), ADY_OK);
	CHECK_ERR(ask_block(m, 1, now, 101, &next, &f), ADY_E_SLASHING); /* first use */
	CHECK_ERR(ask_block(m, 1, later, 320, &next, &f), ADY_OK);
	ady_marks_renew(m, pub, later);
	CHECK_ERR(ask_block(m, 1, later + 12, 321, &next, &f), ADY_E_SLASHING);
	CHECK_STR(f.detail, "it is of a time before this enclave first used the key");
	CHECK_ERR(ask_block(m, 1, later + 7 * 12, 327, &next, &f), ADY_OK);
	ady_marks_renew(m, pub, now); /* never back */
	CHECK_ERR(ask_block(m, 1, later + 7 * 12, 326, &next, &f), ADY_E_SLASHING);
	ady_marks_renew(m, other, later); /* of a key that was not used: its first use is later */
	CHECK_INT(ady_marks_revival(m, later), 326 / 32 + 1);
	CHECK_INT(ady_marks_revival(m, 0), 1);
	ady_marks_close(m);
}

CASE(no_more_keys_than_configured)
{
	struct ady_slash_state next;
	struct ady_marks *m;
	struct ady_fault f;

	CHECK_ERR(ady_marks_open(&m, &config), ADY_OK);
	CHECK_ERR(ask_block(m, 1, GENESIS, 5, &next, &f), ADY_E_SLASHING);
	CHECK_ERR(ask_block(m, 2, GENESIS, 5, &next, &f), ADY_E_SLASHING);
	CHECK_ERR(ask_block(m, 3, GENESIS, 5, &next, &f), ADY_E_BUSY);
	CHECK_ERR(ask_block(m, 1, GENESIS + 100 * 12, 100, &next, &f), ADY_OK);
	ady_marks_close(m);
}

CASE(what_was_written_is_remembered)
{
	uint8_t pub[48] = {[47] = 1};
	struct ady_slash_state next;
	struct ady_marks *m;
	struct ady_fault f;

	CHECK_ERR(ady_marks_open(&m, &config), ADY_OK);
	CHECK_ERR(ask_block(m, 1, GENESIS, 5, &next, &f), ADY_E_SLASHING);
	CHECK_ERR(ask_block(m, 1, GENESIS + 100 * 12, 100, &next, &f), ADY_OK);
	CHECK_ERR(ady_marks_end(m, pub, &next, ADY_SLASH_UNKNOWN, &f), ADY_E_SLASHING);
	CHECK_ERR(ady_marks_end(m, pub, &next, ADY_SLASH_CONFLICT, &f), ADY_E_AGAIN);
	CHECK_ERR(ady_marks_end(m, pub, &next, ADY_SLASH_WRITTEN, &f), ADY_OK);
	CHECK_ERR(ask_block(m, 1, GENESIS + 100 * 12, 99, &next, &f), ADY_E_SLASHING);
	ady_marks_close(m);
}

CASE(quarantine)
{
	struct ady_marks *m;

	CHECK_ERR(ady_marks_open(&m, &config), ADY_OK);
	CHECK_INT(ady_marks_quarantine(m, GENESIS + 12 * 32 * 7), 0);
	config.quarantine_epochs = 2;
	CHECK_INT(ady_marks_quarantine(m, GENESIS + 12 * 32 * 7), 9);
	config.quarantine_epochs = 0;
	ady_marks_close(m);
}

int main(void)
{
	RUN(the_floor_is_of_the_first_use);
	RUN(a_revived_key_begins_anew);
	RUN(no_more_keys_than_configured);
	RUN(what_was_written_is_remembered);
	RUN(quarantine);
	return test_end();
}
