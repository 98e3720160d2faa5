/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of counters: the bytes as a store gives them, which no key authenticates; and the same as if
 * an enclave had written them, for what is read behind the MAC. What is read is written again and
 * must say the same. */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "policy/tally.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ady_seckey row_key = {{1}};
static const uint8_t name[ADY_TALLY_NAME] = {2};
static const struct ady_counter_info info[2] = {{{(const uint8_t *)"ether", 5}, 3600},
                                                {{(const uint8_t *)"n", 1}, 60}};

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void again(const struct ady_tally *t, const struct ady_counters *c)
{
	static uint8_t space[ADY_TALLY_ROW_MAX];
	static struct ady_counters read;
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_tally got;

	ady_tally_seal(&b, t, c, info, 2, name, &row_key);
	demand(!b.full);
	demand(ady_tally_open(&got, ady_buf_bytes(&b), name, &row_key, NULL) == ADY_OK);
	demand(got.version == t->version && got.revision == t->revision &&
	       memcmp(got.recent, t->recent, sizeof got.recent) == 0);
	demand(ady_counters_read(&read, info, 2, 1764000000, got.counters) == ADY_OK);
	demand(memcmp(&read, c, sizeof read) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t row[ADY_TALLY_ROW_MAX];
	static struct ady_counters counters;
	const struct ady_bytes parts[] = {ady_bytes(name, sizeof name), ady_bytes(row, size)};
	struct ady_tally t;
	uint8_t hash[32];

	if (size == 0 || size > sizeof row - ADY_TALLY_MAC)
		return 0;
	demand(ady_tally_open(&t, ady_bytes(data, size), name, &row_key, NULL) == ADY_E_COUNTERS);
	memcpy(row, data, size);
	ady_sha256(hash, parts, 2);
	ady_hmac_sha256(row + size, ady_bytes(row_key.b, sizeof row_key.b),
	                ady_bytes(hash, sizeof hash));
	if (ady_tally_open(&t, ady_bytes(row, size + ADY_TALLY_MAC), name, &row_key, NULL) ==
	        ADY_OK &&
	    ady_counters_read(&counters, info, 2, 1764000000, t.counters) == ADY_OK)
		again(&t, &counters);
	return 0;
}
