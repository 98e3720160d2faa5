/* SPDX-License-Identifier: Apache-2.0
 *
 * The development NSM over its real socket: limits and error names one by one. */
#include "devcloud/nsm.h"

#include <sys/stat.h>

#include "aws/measure.h"
#include "crypto/hash.h"
#include "nsm_fixture.h"

CASE(requests_before_measuring_are_refused)
{
	int fd = dial();

	CHECK_STR(error_of(ask_name(fd, "DescribeNSM")), "InvalidOperation");
	close(fd);
}

CASE(measuring_needs_two_files)
{
	int fd = dial(), fds[4] = {file_of("program", "x"), file_of("config", "y"), -1, -1};
	int directory = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK_STR(error_of(send_descriptors(fd, fds, 0)), "InvalidArgument");
	CHECK_STR(error_of(send_descriptors(fd, fds, 1)), "InvalidArgument");
	CHECK_STR(error_of(send_descriptors(fd, (int[]){fds[0], directory}, 2)), "InvalidArgument");
	CHECK(is_text(send_descriptors(fd, fds, 2), "Measured"));
	/* A second time it is a request, and not one that there is. */
	CHECK_STR(error_of(send_descriptors(fd, fds, 2)), "InvalidOperation");
	close(directory);
	close(fds[0]);
	close(fds[1]);
	close(fd);
}

CASE(describe_nsm)
{
	int fd = module_of("{}");
	struct ady_cbor c = ady_cbor(ask_name(fd, "DescribeNSM"));
	static const char *const numbers[] = {"version_major", "version_minor", "version_patch"};
	struct ady_bytes id;

	CHECK(ady_cbor_map(&c) == 1 && ady_bytes_is(ady_cbor_text(&c), "DescribeNSM"));
	CHECK_INT(ady_cbor_map(&c), 7);
	for (uint64_t i = 0; i < 3; i++)
		CHECK(ady_bytes_is(ady_cbor_text(&c), numbers[i]) && ady_cbor_uint(&c) == (i == 0));
	CHECK(ady_bytes_is(ady_cbor_text(&c), "module_id"));
	id = ady_cbor_text(&c);
	CHECK_INT(id.n, strlen(INSTANCE "-enc") + 16);
	CHECK(ady_bytes_is(ady_bytes_sub(id, 0, strlen(INSTANCE "-enc")), INSTANCE "-enc"));
	CHECK(ady_bytes_is(ady_cbor_text(&c), "max_pcrs") && ady_cbor_uint(&c) == 32);
	CHECK(ady_bytes_is(ady_cbor_text(&c), "locked_pcrs") && ady_cbor_array(&c) == 16);
	for (uint64_t i = 0; i < 16; i++)
		CHECK_INT(ady_cbor_uint(&c), i);
	CHECK(ady_bytes_is(ady_cbor_text(&c), "digest") &&
	      ady_bytes_is(ady_cbor_text(&c), "SHA384"));
	CHECK_ERR(ady_cbor_end(&c), ADY_OK);
	close(fd);
}

CASE(pcrs_at_the_beginning)
{
	struct ady_measurement want;
	static const uint8_t zero[48];
	uint8_t pcr[48], identity[48];
	int fd = module_of("{\"a\":1}");

	ady_measure_process(&want, ady_bytes_str("program"), ady_bytes_str("{\"a\":1}"));
	for (uint64_t i = 0; i < 32; i++) {
		CHECK(pcr_of(fd, i, pcr) == (i < 16));
		if (i < 3)
			CHECK(memcmp(pcr, want.pcr[i], 48) == 0);
		else if (i > 4)
			CHECK(memcmp(pcr, zero, 48) == 0);
	}
	ady_measure_identity(identity, ROLE);
	(void)pcr_of(fd, 3, pcr);
	CHECK(memcmp(pcr, identity, 48) == 0);
	ady_measure_identity(identity, INSTANCE);
	(void)pcr_of(fd, 4, pcr);
	CHECK(memcmp(pcr, identity, 48) == 0);
	close(fd);
}

/* The formulas, by Python: SHA-384 of 48 zero bytes and of the hash of the content. */
CASE(measurement_is_the_documented_formula)
{
	struct ady_measurement m;

	ady_measure_process(&m, ady_bytes_str("abc"), ady_bytes_str("def"));
	CHECK_HEX(m.pcr[0], 48,
	          "77f653175b6df9be5f49a4b68110ee01e795b667dd6a8c6a83e4c2147598c95061f374fb93fc6a8c"
	          "49d4a556a9dc11a0");
	CHECK_HEX(m.pcr[1], 48,
	          "93732e3733514a841c982cfa75ea76ab55fe011acb9cd980ef4523913c65be1b0998e04d77f8c174"
	          "f81a82151619ca40");
	CHECK_HEX(m.pcr[2], 48,
	          "f1c07805ece4301e87d5e9e456b1e737da90b62465dcd5d949235de5b9593bfc64aa4d54ab353239"
	          "a5f8c8ee97c0300d");
}

CASE(get_random_gives_256_bytes)
{
	int fd = module_of("{}");
	uint8_t first[256];
	struct ady_bytes random = bytes_in(ask_name(fd, "GetRandom"), "GetRandom", "random");

	CHECK_INT(random.n, 256);
	if (random.n == 256)
		memcpy(first, random.p, 256);
	random = bytes_in(ask_name(fd, "GetRandom"), "GetRandom", "random");
	CHECK(random.n == 256 && memcmp(first, random.p, 256) != 0);
	close(fd);
}

CASE(extend_hashes_old_and_new)
{
	int fd = module_of("{}");
	static const uint8_t zero[48];
	uint8_t want[48], again[48];
	struct ady_bytes got;

	got = bytes_in(ask_extend(fd, 16, ady_bytes_str("one")), "ExtendPCR", "data");
	ady_sha384(want, (struct ady_bytes[]){ady_bytes(zero, 48), ady_bytes_str("one")}, 2);
	CHECK(ady_bytes_eq(got, ady_bytes(want, 48)));
	got = bytes_in(ask_extend(fd, 16, ady_bytes_str("two")), "ExtendPCR", "data");
	ady_sha384(again, (struct ady_bytes[]){ady_bytes(want, 48), ady_bytes_str("two")}, 2);
	CHECK(ady_bytes_eq(got, ady_bytes(again, 48)));
	CHECK(!pcr_of(fd, 16, want) && memcmp(want, again, 48) == 0);
	close(fd);
}

CASE(locked_pcrs_are_read_only)
{
	int fd = module_of("{}");
	uint8_t before[48], after[48];

	for (uint64_t i = 0; i < 16; i++) {
		(void)pcr_of(fd, i, before);
		CHECK_STR(error_of(ask_extend(fd, i, ady_bytes_str("x"))), "ReadOnlyIndex");
		CHECK_STR(error_of(ask_number(fd, "LockPCR", "index", i)), "ReadOnlyIndex");
		CHECK(pcr_of(fd, i, after) && memcmp(before, after, 48) == 0);
	}
	for (uint64_t i = 16; i < 32; i++) {
		CHECK(is_text(ask_number(fd, "LockPCR", "index", i), "LockPCR"));
		CHECK_STR(error_of(ask_number(fd, "LockPCR", "index", i)), "ReadOnlyIndex");
		CHECK_STR(error_of(ask_extend(fd, i, ady_bytes_str("x"))), "ReadOnlyIndex");
	}
	close(fd);
}

CASE(lock_pcrs_takes_a_range)
{
	int fd = module_of("{}");
	uint8_t pcr[48];

	CHECK(is_text(ask_number(fd, "LockPCRs", "range", 0), "LockPCRs"));
	CHECK(is_text(ask_number(fd, "LockPCRs", "range", 17), "LockPCRs"));
	CHECK(pcr_of(fd, 16, pcr) && !pcr_of(fd, 17, pcr));
	CHECK_STR(error_of(ask_number(fd, "LockPCRs", "range", 33)), "InvalidIndex");
	CHECK(!pcr_of(fd, 17, pcr));
	CHECK(is_text(ask_number(fd, "LockPCRs", "range", 32), "LockPCRs"));
	CHECK(is_text(ask_number(fd, "LockPCRs", "range", 32), "LockPCRs"));
	CHECK(pcr_of(fd, 31, pcr));
	close(fd);
}

CASE(indices_from_32_are_invalid)
{
	static const uint64_t bad[] = {32, 255, 256, 65536, UINT64_MAX};
	int fd = module_of("{}");

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK_STR(error_of(ask_number(fd, "DescribePCR", "index", bad[i])), "InvalidIndex");
		CHECK_STR(error_of(ask_number(fd, "LockPCR", "index", bad[i])), "InvalidIndex");
		CHECK_STR(error_of(ask_extend(fd, bad[i], ady_bytes_str("x"))), "InvalidIndex");
	}
	close(fd);
}

CASE(what_is_no_request_is_an_invalid_operation)
{
	static const char *const bad[] = {
	    "00",                                         /* a number */
	    "f6",                                         /* null */
	    "60",                                         /* an empty name */
	    "a0",                                         /* an empty map */
	    "a1634c6f78a0",                               /* a map of another name */
	    "6b44657363726962655043",                     /* cut */
	    "a16b4465736372696265504352a0",               /* DescribePCR without index */
	    "a16b4465736372696265504352a165696e646578f6", /* index null */
	    "a16b4465736372696265504352a165696e64657820", /* index -1 */
	    "a16b4465736372696265504352a265696e6465780065696e64657800", /* index twice */
	    "a16947657452616e646f6da0",                                 /* GetRandom with fields */
	    "6b4465736372696265504352", /* DescribePCR without fields */
	    "6947657452616e646f6d00",   /* trailing byte */
	    "7fff",                     /* indefinite length */
	    "a169457874656e64504352a165696e64657810" /* ExtendPCR without data */,
	};
	int fd = module_of("{}");

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ady_bytes b = test_hex(bad[i]);

		if (!test_check(strcmp(error_of(ask(fd, b)), "InvalidOperation") == 0, __FILE__,
		                __LINE__, bad[i]))
			break;
	}
	CHECK_STR(error_of(ask_number(fd, "LockPCRs", "index", 3)), "InvalidOperation");
	CHECK_STR(error_of(ask_number(fd, "ExtendPCR", "index", 16)), "InvalidOperation");
	close(fd);
}

CASE(unknown_fields_are_passed_over)
{
	int fd = module_of("{}");
	struct ady_buf b = request("LockPCR", 2);

	ady_cbor_put_str(&b, "colour");
	ady_cbor_put_str(&b, "green");
	ady_cbor_put_str(&b, "index");
	ady_cbor_put_uint(&b, 20);
	CHECK(is_text(ask(fd, ady_buf_bytes(&b)), "LockPCR"));
	close(fd);
}

CASE(requests_over_4096_bytes_are_too_large)
{
	static uint8_t big[4200];
	int fd = module_of("{}");
	struct ady_bytes data;
	uint8_t pcr[48];

	/* 27 bytes of CBOR around the data: ExtendPCR itself has no limit of its own. */
	data = ady_bytes(big, 4096 - 27);
	CHECK_INT(bytes_in(ask_extend(fd, 16, data), "ExtendPCR", "data").n, 48);
	data.n++;
	CHECK_STR(error_of(ask_extend(fd, 17, data)), "InputTooLarge");
	CHECK_STR(error_of(ask(fd, ady_bytes(big, sizeof big))), "InputTooLarge");
	CHECK(!pcr_of(fd, 17, pcr));
	close(fd);
}

CASE(two_connections_are_two_modules)
{
	int a = module_of("{\"a\":1}"), b = module_of("{\"b\":1}");
	uint8_t of_a[48], of_b[48];

	CHECK(pcr_of(a, 0, of_a) && pcr_of(b, 0, of_b) && memcmp(of_a, of_b, 48) != 0);
	CHECK(pcr_of(a, 1, of_a) && pcr_of(b, 1, of_b) && memcmp(of_a, of_b, 48) == 0);
	(void)ask_extend(a, 16, ady_bytes_str("x"));
	(void)ask_number(a, "LockPCR", "index", 16);
	CHECK(pcr_of(a, 16, of_a) && !pcr_of(b, 16, of_b) && memcmp(of_a, of_b, 48) != 0);
	close(a);
	CHECK(pcr_of(b, 0, of_b));
	close(b);
}

/* A client that sends and never reads is served no further, and holds up nobody else. */
CASE(who_does_not_read_waits_alone)
{
	int deaf = module_of("{}"), fd = module_of("{}");
	struct ady_buf b = ady_buf((uint8_t[16]){0}, 16);
	int sent = 0;

	ady_cbor_put_str(&b, "GetRandom");
	while (sent < 100000 && send(deaf, b.p, b.n, MSG_DONTWAIT) > 0)
		sent++;
	CHECK(sent < 100000);
	CHECK_INT(bytes_in(ask_name(fd, "GetRandom"), "GetRandom", "random").n, 256);
	close(deaf);
	CHECK_INT(bytes_in(ask_name(fd, "GetRandom"), "GetRandom", "random").n, 256);
	close(fd);
}

CASE(the_socket_and_the_key_are_private)
{
	char key[96];
	struct stat st;

	CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	snprintf(key, sizeof key, "%s/nsm-root-key.pem", dir);
	CHECK(stat(key, &st) == 0 && (st.st_mode & 0777) == 0600);
}

CASE(a_long_socket_path_is_refused)
{
	struct ady_dev_nsm *other;
	struct ady_fault f = {0};
	char long_path[160];
	const struct ady_dev_nsm_config config = {
	    .socket_path = long_path, .data_dir = dir, .instance_id = INSTANCE};

	memset(long_path, 'x', sizeof long_path);
	long_path[108] = 0;
	CHECK_ERR(ady_dev_nsm_open(&other, loop, &config, &f), ADY_E_CONFIG);
	CHECK(other == NULL && strstr(f.detail, "107"));
}

static void cases(void)
{
	RUN(requests_before_measuring_are_refused);
	RUN(measuring_needs_two_files);
	RUN(describe_nsm);
	RUN(pcrs_at_the_beginning);
	RUN(measurement_is_the_documented_formula);
	RUN(get_random_gives_256_bytes);
	RUN(extend_hashes_old_and_new);
	RUN(locked_pcrs_are_read_only);
	RUN(lock_pcrs_takes_a_range);
	RUN(indices_from_32_are_invalid);
	RUN(what_is_no_request_is_an_invalid_operation);
	RUN(unknown_fields_are_passed_over);
	RUN(requests_over_4096_bytes_are_too_large);
	RUN(two_connections_are_two_modules);
	RUN(who_does_not_read_waits_alone);
	RUN(the_socket_and_the_key_are_private);
	RUN(a_long_socket_path_is_refused);
}

int main(void)
{
	return with_module(cases);
}
