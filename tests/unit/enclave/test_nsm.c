/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>

#include "enclave/measure.h"
#include "fake_nsm.h"
#include "test.h"

static char dir[] = "/tmp/adyton-nsm-XXXXXX";

static struct ady_bytes hex(const char *text)
{
	return test_hex(text);
}

CASE(requests_are_the_bytes_of_the_reference)
{
	uint8_t space[128];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_nsm_put_plain(&b, "GetRandom");
	CHECK_HEX(b.p, b.n, "6947657452616e646f6d");
	b.n = 0;
	ady_nsm_put_plain(&b, "DescribeNSM");
	CHECK_HEX(b.p, b.n, "6b44657363726962654e534d");
	b.n = 0;
	ady_nsm_put_number(&b, "DescribePCR", "index", 16);
	CHECK_HEX(b.p, b.n, "a16b4465736372696265504352a165696e64657810");
	b.n = 0;
	ady_nsm_put_extend(&b, 16, ady_bytes("ab", 2));
	CHECK_HEX(b.p, b.n,
	          "a169457874656e64504352a265696e6465781064646174614261"
	          "62");
	b.n = 0;
	ady_nsm_put_attest(&b, &(struct ady_nsm_attest){.public_key = ady_bytes("k", 1)});
	CHECK_HEX(
	    b.p, b.n,
	    "a16b4174746573746174696f6ea369757365725f64617461f6656e6f6e6365f66a7075626c69635f6b"
	    "6579416b");
}

CASE(an_error_keeps_its_name)
{
	struct ady_nsm_pcr pcr;
	struct ady_fault f = {0};

	/* {"Error": "ReadOnlyIndex"} */
	CHECK_ERR(ady_nsm_read_pcr(hex("a1654572726f726d526561644f6e6c79496e646578"), &pcr, &f),
	          ADY_E_NSM);
	CHECK_STR(f.cause, "ReadOnlyIndex");
	CHECK_STR(f.detail, "the NSM refused the request");
}

CASE(members_are_read_by_name_in_any_order)
{
	struct ady_nsm_info info;
	struct fake_nsm n = {.locked = 0x8001};
	uint8_t space[512];
	struct ady_buf b = ady_buf(space, sizeof space);

	fake_nsm_describe(&n, &b);
	CHECK_ERR(ady_nsm_read_info(ady_buf_bytes(&b), &info, NULL), ADY_OK);
	CHECK_STR(info.module_id, "i-fake-enc0");
	CHECK_INT(info.locked, 0x8001);
	CHECK_INT(info.max_pcrs, 32);
}

/* {"GetRandom": {"random": h'0102'}} and what may be wrong with it. */
CASE(malformed_answers_are_refused)
{
	static const char *const bad[] = {
	    "",
	    "00",
	    "a0",
	    "6947657452616e646f6d",                                         /* the name alone */
	    "a16947657452616e646f6da0",                                     /* member missing */
	    "a16947657452616e646f6da16672616e646f6d40",                     /* empty */
	    "a16947657452616e646f6da16672616e646f6d626162",                 /* a text */
	    "a16947657452616e646f6da16672616e646f6d42010200",               /* trailing byte */
	    "a16947657452616e646f6da16672616e646f6d4201",                   /* cut */
	    "a16947657452616e646f6da26672616e646f6d41016672616e646f6d4102", /* twice */
	    "a16947657452616e646f6ca16672616e646f6d4101",                   /* another name */
	    "a26947657452616e646f6da16672616e646f6d41016161f6",             /* two answers */
	};
	struct ady_bytes random;
	struct ady_fault f;

	CHECK_ERR(
	    ady_nsm_read_random(hex("a16947657452616e646f6da16672616e646f6d420102"), &random, NULL),
	    ADY_OK);
	CHECK_INT(random.n, 2);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK_ERR(ady_nsm_read_random(hex(bad[i]), &random, &f), ADY_E_NSM);
		CHECK_STR(f.detail, "the answer of the NSM is malformed");
	}
}

CASE(a_pcr_of_another_size_is_refused)
{
	uint8_t space[128], data[64] = {0};
	struct ady_nsm_pcr pcr;

	for (size_t n = 0; n <= 64; n += 16) {
		struct ady_buf b = ady_buf(space, sizeof space);

		fake_nsm_call(&b, "DescribePCR", 2);
		ady_cbor_put_str(&b, "data");
		ady_cbor_put_bytes(&b, ady_bytes(data, n));
		ady_cbor_put_str(&b, "lock");
		ady_cbor_put_bool(&b, true);
		CHECK_ERR(ady_nsm_read_pcr(ady_buf_bytes(&b), &pcr, NULL),
		          n == 48 ? ADY_OK : ADY_E_NSM);
	}
}

static struct ady_nsm *open_fake(struct fake_nsm *n)
{
	int exe = open("/proc/self/exe", O_RDONLY);
	struct ady_nsm_config config = {.path = n->path, .program_fd = exe, .config_fd = exe};
	struct ady_nsm *nsm;
	struct ady_fault f = {0};

	if (!CHECK_ERR(ady_nsm_open(&nsm, &config, &f), ADY_OK))
		printf("    %s\n", f.detail);
	close(exe);
	return nsm;
}

CASE(the_socket_is_sent_program_and_configuration)
{
	struct fake_nsm n = {0};
	struct ady_nsm *nsm;
	uint8_t random[250], document[4096];
	struct ady_buf d = ady_buf(document, sizeof document);

	fake_nsm_start(&n, dir);
	nsm = open_fake(&n);
	CHECK(n.got_two_files);
	CHECK_ERR(ady_nsm_random(nsm, random, sizeof random, NULL), ADY_OK);
	CHECK_INT(random[200], 7); /* the third packet of 100 */
	CHECK_ERR(ady_nsm_attest(nsm, &(struct ady_nsm_attest){.public_key = ady_bytes("key", 3)},
	                         &d, NULL),
	          ADY_OK);
	CHECK(ady_bytes_is(ady_buf_bytes(&d), "doc:key"));
	ady_nsm_close(nsm);
	fake_nsm_end(&n);
}

CASE(a_missing_module_is_said)
{
	struct ady_nsm_config config = {.path = "/nonexistent/nsm.sock"};
	struct ady_nsm *nsm;
	struct ady_fault f = {0};

	CHECK_ERR(ady_nsm_open(&nsm, &config, &f), ADY_E_NSM);
	CHECK(strstr(f.detail, "No such file") != NULL);
	config.device = true;
	CHECK_ERR(ady_nsm_open(&nsm, &config, &f), ADY_E_NSM);
	CHECK(nsm == NULL);
}

/* Measure with a module that was prepared by `prepare`. */
static enum ady_err measured(void (*prepare)(struct fake_nsm *), bool development,
                             struct ady_fault *f)
{
	static struct ady_enclave_config config;
	struct fake_nsm n = {0};
	struct ady_nsm_info info;
	struct ady_nsm *nsm;
	enum ady_err err;

	config.development = development;
	memset(config.hash48, 0x11, sizeof config.hash48);
	fake_nsm_start(&n, dir);
	if (prepare)
		prepare(&n);
	nsm = open_fake(&n);
	err = ady_measure_image(nsm, development, f);
	if (err == ADY_OK)
		err = ady_measure_self(nsm, &config, &info, f);
	if (err == ADY_OK)
		CHECK_INT(n.locked, 0xffffffff);
	ady_nsm_close(nsm);
	fake_nsm_end(&n);
	return err;
}

static void debug_mode(struct fake_nsm *n)
{
	memset(n->pcr[0], 0, 48);
}

static void other_pcr16(struct fake_nsm *n)
{
	memset(n->pcr[16], 1, 48);
}

static void no_lock(struct fake_nsm *n)
{
	n->forget_lock = true;
}

static void run_before(struct fake_nsm *n)
{
	uint8_t hash[48];
	struct ady_bytes parts[] = {ady_bytes(n->pcr[16], 48), ady_bytes(hash, 48)};

	memset(hash, 0x11, sizeof hash);
	ady_sha384(n->pcr[16], parts, 2);
	n->locked = 0xffffffff;
}

CASE(the_configuration_is_measured_and_locked)
{
	struct ady_fault f = {0};

	CHECK_ERR(measured(NULL, false, &f), ADY_OK);
	CHECK_ERR(measured(run_before, false, &f), ADY_OK);
}

CASE(a_measurement_that_is_not_acceptable_is_refused)
{
	struct ady_fault f = {0};

	CHECK_ERR(measured(debug_mode, false, &f), ADY_E_ATTESTATION);
	CHECK_STR(f.where, "PCR0");
	CHECK_STR(f.detail, "is zero: this enclave runs in debug mode");
	CHECK_ERR(measured(debug_mode, true, &f), ADY_OK);
	CHECK_ERR(measured(other_pcr16, false, &f), ADY_E_ATTESTATION);
	CHECK_STR(f.where, "PCR16");
	CHECK_ERR(measured(no_lock, false, &f), ADY_E_ATTESTATION);
	CHECK_STR(f.detail, "not all PCRs are locked");
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	RUN(requests_are_the_bytes_of_the_reference);
	RUN(an_error_keeps_its_name);
	RUN(members_are_read_by_name_in_any_order);
	RUN(malformed_answers_are_refused);
	RUN(a_pcr_of_another_size_is_refused);
	RUN(the_socket_is_sent_program_and_configuration);
	RUN(a_missing_module_is_said);
	RUN(the_configuration_is_measured_and_locked);
	RUN(a_measurement_that_is_not_acceptable_is_refused);
	rmdir(dir);
	return test_end();
}
