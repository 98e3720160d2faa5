/* SPDX-License-Identifier: Apache-2.0
 *
 * How memory is divided, and that no machine is promised more than it has. */
#include "enclave/memory.h"

#include "enclave/jobs.h"
#include "enclave/ledger.h"
#include "test.h"

static const uint64_t MIB = 1024 * 1024;

static struct ady_memory m;

/* As the configuration's file has them when it says nothing. */
static struct ady_enclave_config usual(void)
{
	return (struct ady_enclave_config){.kms_connections = 16,
	                                   .depth = 1024,
	                                   .data_keys = 1024,
	                                   .keystore_mib = 1024,
	                                   .counters_keys = 65536};
}

static uint64_t sum(void)
{
	return m.own + m.frames + m.jobs + m.keystores + m.counters;
}

CASE(a_large_machine_has_what_the_configuration_asks_for)
{
	struct ady_enclave_config c = usual();

	CHECK_ERR(ady_memory_divide(&m, &c, 8192 * MIB, 4, NULL), ADY_OK);
	CHECK(!m.less && sum() <= m.total);
	CHECK_INT(m.jobs_n, 1040);
	CHECK_INT(m.depth, 1024);
	CHECK_INT(m.keystores, 1024 * MIB);
	CHECK_INT(m.counters, 65536ull * ADY_LEDGER_KEY_BYTES);
}

/* What doc/protocol.md says of enclaves of 512 MiB and more, less what their kernel takes. */
CASE(small_machines_divide_what_they_have)
{
	static const struct {
		uint64_t there;
		size_t depth;
		uint64_t keystores, counters; /* MiB */
	} of[] = {{470, 145, 304, 21}, {970, 358, 704, 50}, {1980, 787, 1024, 596}};
	struct ady_enclave_config c = usual();

	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		CHECK_ERR(ady_memory_divide(&m, &c, of[i].there * MIB, 2, NULL), ADY_OK);
		CHECK(m.less && sum() <= m.total && m.total == of[i].there * MIB);
		CHECK_INT(m.depth, of[i].depth);
		CHECK_INT(m.keystores / MIB, of[i].keystores);
		CHECK_INT(m.counters / MIB, of[i].counters);
		CHECK(m.jobs_n * ADY_JOB_BYTES <= m.jobs);
	}
}

CASE(without_keystores_the_others_have_their_part)
{
	struct ady_enclave_config c = usual();

	c.keystore_mib = 0;
	CHECK_ERR(ady_memory_divide(&m, &c, 470 * MIB, 2, NULL), ADY_OK);
	CHECK_INT(m.keystores, 0);
	CHECK(m.counters > 200 * MIB && sum() <= m.total);
	c.counters_keys = 1; /* what nobody wants is for requests */
	CHECK_ERR(ady_memory_divide(&m, &c, 470 * MIB, 2, NULL), ADY_OK);
	CHECK(m.depth > 900 && sum() <= m.total);
}

CASE(the_configuration_may_set_less_but_not_more_than_there_is)
{
	struct ady_enclave_config c = usual();

	c.memory_mib = 300;
	CHECK_ERR(ady_memory_divide(&m, &c, 8192 * MIB, 2, NULL), ADY_OK);
	CHECK_INT(m.total, 300 * MIB);
	CHECK(m.less && sum() <= m.total);
	c.memory_mib = 16384;
	CHECK_ERR(ady_memory_divide(&m, &c, 8192 * MIB, 2, NULL), ADY_OK);
	CHECK_INT(m.total, 8192 * MIB);
	CHECK(m.less);
}

CASE(tables_are_part_of_what_the_process_has)
{
	struct ady_enclave_config c = usual();
	uint64_t before;

	CHECK_ERR(ady_memory_divide(&m, &c, 8192 * MIB, 2, NULL), ADY_OK);
	before = m.own;
	c.validators.enabled = true;
	c.validators.keys = 65536;
	c.data_keys += 65536;
	CHECK_ERR(ady_memory_divide(&m, &c, 8192 * MIB, 3, NULL), ADY_OK);
	CHECK_INT(m.own - before, 131072 * 192 + 65536 * 256 + 3 * MIB);
}

CASE(a_machine_without_room_for_requests_is_refused)
{
	struct ady_enclave_config c = usual();
	struct ady_fault f = {0};
	uint64_t least = 32 * MIB;

	while (ady_memory_divide(&m, &c, least, 2, NULL) != ADY_OK)
		least += MIB;
	CHECK(sum() <= m.total && m.depth >= 1 && m.jobs_n >= 16);
	CHECK_ERR(ady_memory_divide(&m, &c, least - MIB, 2, &f), ADY_E_MEMORY);
	CHECK_STR(f.where, "memory_mib");
	CHECK_STR(f.detail, "there are 153 MiB, and this configuration needs 154");
	c.kms_connections = 128; /* more threads than requests: one may wait all the same */
	CHECK_ERR(ady_memory_divide(&m, &c, 230 * MIB, 2, NULL), ADY_OK);
	CHECK(m.depth >= 1 && sum() <= m.total);
}

CASE(the_free_memory_is_a_number_of_this_machine)
{
	const uint64_t there = ady_memory_free();

	CHECK(there > 16 * MIB && there < 1ull << 50);
}

int main(void)
{
	RUN(a_large_machine_has_what_the_configuration_asks_for);
	RUN(small_machines_divide_what_they_have);
	RUN(without_keystores_the_others_have_their_part);
	RUN(the_configuration_may_set_less_but_not_more_than_there_is);
	RUN(tables_are_part_of_what_the_process_has);
	RUN(a_machine_without_room_for_requests_is_refused);
	RUN(the_free_memory_is_a_number_of_this_machine);
	return test_end();
}
