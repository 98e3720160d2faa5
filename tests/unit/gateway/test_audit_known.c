/* SPDX-License-Identifier: Apache-2.0
 *
 * What the gateway knows of the chains of its enclaves. */
#include "gateway/audit_known.h"

#include "gateway/config.h"
#include "test.h"

static struct ady_audit_known known;

static const uint8_t *chain(uint8_t i)
{
	static uint8_t public[32];

	memset(public, 0, sizeof public);
	public[31] = (uint8_t)(i + 1);
	return public;
}

CASE(an_entry_is_new_once)
{
	known = (struct ady_audit_known){0};
	CHECK(ady_audit_known_add(&known, chain(0), 0));
	CHECK(ady_audit_known_add(&known, chain(0), 2));
	CHECK_INT(ady_audit_known_lacks(&known, chain(0)), 1);
	CHECK(ady_audit_known_add(&known, chain(0), 1));
	CHECK(!ady_audit_known_add(&known, chain(0), 1));
	CHECK_INT(ady_audit_known_lacks(&known, chain(0)), 3);
	CHECK(!ady_audit_known_add(&known, chain(0), UINT64_MAX));
}

/* Each enclave answers in turn, and each has been started again once. */
CASE(no_enclave_of_a_gateway_is_forgotten)
{
	enum { N = 2 * ADY_GATEWAY_ENCLAVES_MAX };

	known = (struct ady_audit_known){0};
	for (uint64_t s = 0; s < 20; s++)
		for (uint8_t i = 0; i < N; i++)
			CHECK(ady_audit_known_add(&known, chain(i), s));
	for (uint8_t i = 0; i < N; i++) {
		CHECK_INT(ady_audit_known_lacks(&known, chain(i)), 20);
		CHECK(!ady_audit_known_add(&known, chain(i), 7));
	}
}

CASE(far_ahead_the_window_begins_anew)
{
	known = (struct ady_audit_known){0};
	CHECK(ady_audit_known_add(&known, chain(0), 5));
	CHECK(ady_audit_known_add(&known, chain(0), 5 + 3ull * ADY_AUDIT_WINDOW));
	CHECK(!ady_audit_known_add(&known, chain(0), 5)); /* before the window: taken for there */
	CHECK_INT(ady_audit_known_lacks(&known, chain(0)), 6 + 2ull * ADY_AUDIT_WINDOW);
}

int main(void)
{
	RUN(an_entry_is_new_once);
	RUN(no_enclave_of_a_gateway_is_forgotten);
	RUN(far_ahead_the_window_begins_anew);
	return test_end();
}
