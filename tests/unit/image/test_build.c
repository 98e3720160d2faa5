/* SPDX-License-Identifier: Apache-2.0 */
#include "image/build.h"

#include <sys/stat.h>
#include <unistd.h>

#include "aws/measure.h"
#include "crypto/hash.h"
#include "image/cpio.h"
#include "image/describe.h"
#include "image_fixture.h"

/* SHA384(48 zero bytes || SHA384(content)), written out with OpenSSL. */
static void by_hand(char hex[static 97], const struct ady_bytes *parts, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t both[96] = {0}, out[48];

	EVP_DigestInit(ctx, EVP_sha384());
	for (size_t i = 0; i < n; i++)
		EVP_DigestUpdate(ctx, parts[i].p, parts[i].n);
	EVP_DigestFinal(ctx, both + 48, NULL);
	EVP_Digest(both, sizeof both, out, NULL, EVP_sha384(), NULL);
	EVP_MD_CTX_free(ctx);
	ady_hex_encode(hex, ady_bytes(out, 48));
}

CASE(registers_follow_the_formulas)
{
	const struct ady_image_recipe r = test_recipe();
	struct ady_dyn image = {0};
	struct ady_image_pcrs pcrs = test_build(&image, &r);
	struct ady_bytes parts[3];
	struct ady_eif eif;
	char want[97];

	CHECK_ERR(ady_eif_read(&eif, ady_dyn_bytes(&image), NULL), ADY_OK);
	parts[0] = r.kernel;
	parts[1] = ady_bytes_str(r.cmdline);
	parts[2] = ady_eif_data(&eif, ADY_EIF_RAMDISK);
	by_hand(want, parts, 3);
	CHECK_HEX(pcrs.pcr[0], 48, want);
	CHECK_HEX(pcrs.pcr[1], 48, want); /* the only ramdisk is the first */
	CHECK_HEX(pcrs.pcr[2], 48, TEST_PCR2_EMPTY);
	memset(want, '0', 96);
	CHECK_HEX(pcrs.pcr[3], 48, want);
	ady_dyn_free(&image);
}

/* An image with two ramdisks, as nitro-cli makes them. */
CASE(two_ramdisks_are_measured_apart)
{
	static uint8_t file[] = "kernelcmdlinefirstsecond";
	const struct ady_eif eif = {.n = 4,
	                            .sections = {{ADY_EIF_KERNEL, 0, {file, 6}},
	                                         {ADY_EIF_CMDLINE, 0, {file + 6, 7}},
	                                         {ADY_EIF_RAMDISK, 0, {file + 13, 5}},
	                                         {ADY_EIF_RAMDISK, 0, {file + 18, 6}}}};
	struct ady_bytes all = ady_bytes(file, 24), first = ady_bytes(file, 18),
	                 second = ady_bytes(file + 18, 6), cert = ady_bytes_str("certificate");
	struct ady_image_pcrs pcrs;
	char want[97];

	ady_image_measure(&pcrs, &eif, cert);
	by_hand(want, &all, 1);
	CHECK_HEX(pcrs.pcr[0], 48, want);
	by_hand(want, &first, 1);
	CHECK_HEX(pcrs.pcr[1], 48, want);
	by_hand(want, &second, 1);
	CHECK_HEX(pcrs.pcr[2], 48, want);
	by_hand(want, &cert, 1);
	CHECK_HEX(pcrs.pcr[3], 48, want);
}

static bool same_pcr(const struct ady_image_pcrs *a, const struct ady_image_pcrs *b, size_t i)
{
	return memcmp(a->pcr[i], b->pcr[i], 48) == 0;
}

CASE(what_is_measured_changes_pcr0)
{
	struct ady_image_recipe r = test_recipe();
	struct ady_dyn image = {0};
	struct ady_image_pcrs before = test_build(&image, &r), after;
	uint8_t *kernel = (uint8_t *)(uintptr_t)r.kernel.p, *init = (uint8_t *)(uintptr_t)r.init.p;

	kernel[1000] ^= 1;
	after = test_build(&image, &r);
	CHECK(!same_pcr(&before, &after, 0) && !same_pcr(&before, &after, 1));
	kernel[1000] ^= 1;
	init[r.init.n - 1] ^= 1;
	after = test_build(&image, &r);
	CHECK(!same_pcr(&before, &after, 0) && !same_pcr(&before, &after, 1));
	init[r.init.n - 1] ^= 1;
	r.cmdline = "console=ttyS0 panic=2";
	after = test_build(&image, &r);
	CHECK(!same_pcr(&before, &after, 0) && !same_pcr(&before, &after, 1));
	r = test_recipe();
	r.config = ady_bytes_str("{\"kms\":[]}");
	after = test_build(&image, &r);
	CHECK(!same_pcr(&before, &after, 0) && !same_pcr(&before, &after, 1));
	ady_dyn_free(&image);
}

CASE(labels_are_not_measured)
{
	struct ady_image_recipe r = test_recipe();
	struct ady_dyn a = {0}, b = {0};
	struct ady_image_pcrs before = test_build(&a, &r), after;

	r.name = "other";
	r.version = "2";
	r.built_unix_s = 1700000000;
	after = test_build(&b, &r);
	CHECK(memcmp(&before, &after, sizeof before) == 0);
	CHECK(!ady_bytes_eq(ady_dyn_bytes(&a), ady_dyn_bytes(&b)));
	ady_dyn_free(&a);
	ady_dyn_free(&b);
}

CASE(the_same_inputs_give_the_same_bytes)
{
	const struct ady_image_recipe r = test_recipe();
	struct ady_dyn a = {0}, b = {0};
	mode_t was = umask(077);

	(void)test_build(&a, &r);
	umask(0);
	(void)test_build(&b, &r);
	umask(was);
	CHECK(ady_bytes_eq(ady_dyn_bytes(&a), ady_dyn_bytes(&b)));
	ady_dyn_free(&a);
	ady_dyn_free(&b);
}

CASE(the_ramdisk_holds_this_and_no_more)
{
	static const struct {
		const char *name;
		uint32_t mode;
	} want[] = {{"dev", 040755},   {"dev/console", 020600}, {"enclave.json", 0100444},
	            {"init", 0100755}, {"proc", 040755},        {"sys", 040755}};
	const struct ady_image_recipe r = test_recipe();
	struct ady_dyn image = {0};
	struct ady_cpio_entry e;
	struct ady_eif eif;
	struct ady_cpio c;

	(void)test_build(&image, &r);
	CHECK_ERR(ady_eif_read(&eif, ady_dyn_bytes(&image), NULL), ADY_OK);
	c = ady_cpio(ady_eif_data(&eif, ADY_EIF_RAMDISK), "ramdisk");
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		CHECK_ERR(ady_cpio_next(&c, &e, NULL), ADY_OK);
		CHECK(ady_bytes_is(e.name, want[i].name));
		CHECK_INT(e.mode, want[i].mode);
		if (i == 1)
			CHECK(e.major == 5 && e.minor == 1);
		if (i == 2)
			CHECK(ady_bytes_eq(e.data, r.config));
		if (i == 3)
			CHECK(ady_bytes_eq(e.data, r.init));
	}
	CHECK_ERR(ady_cpio_next(&c, &e, NULL), ADY_OK);
	CHECK_INT(e.name.n, 0);
	ady_dyn_free(&image);
}

CASE(metadata_reads_as_nitro_cli_writes_it)
{
	struct ady_image_recipe r = test_recipe();
	struct ady_dyn image = {0};
	struct ady_bytes metadata;
	struct ady_eif eif;
	char text[512];

	r.built_unix_s = 86400;
	(void)test_build(&image, &r);
	CHECK_ERR(ady_eif_read(&eif, ady_dyn_bytes(&image), NULL), ADY_OK);
	metadata = ady_eif_data(&eif, ADY_EIF_METADATA);
	CHECK(ady_bytes_to_str(text, sizeof text, metadata));
	CHECK_STR(text, "{\"ImageName\":\"test\",\"ImageVersion\":\"1\",\"BuildMetadata\":{"
	                "\"BuildTime\":\"1970-01-02T00:00:00Z\",\"BuildTool\":\"adyton\","
	                "\"BuildToolVersion\":\"" ADY_VERSION "\",\"OperatingSystem\":\"Linux\","
	                "\"KernelVersion\":\"6.1.2\"},\"DockerInfo\":{},\"CustomMetadata\":null}");
	ady_dyn_free(&image);
}

static void refuse(const struct ady_image_recipe *r, enum ady_err want, const char *where,
                   const char *why)
{
	struct ady_dyn image = {0};
	struct ady_image_pcrs pcrs;
	struct ady_fault f = {0};

	CHECK_ERR(ady_image_build(&image, &pcrs, r, &f), want);
	CHECK_STR(f.where, where);
	CHECK_STR(f.detail, why);
	ady_dyn_free(&image);
}

CASE(inputs_that_cannot_be_are_refused)
{
	struct ady_image_recipe r = test_recipe();
	char longest[2049];

	r.cmdline = "a\nb";
	refuse(&r, ADY_E_IMAGE, "command line", "has characters that are not printable");
	memset(longest, 'x', sizeof longest);
	longest[2048] = '\0';
	r.cmdline = longest;
	refuse(&r, ADY_E_IMAGE, "command line", "exceeds 2047 bytes");
	r = test_recipe();
	r.name = "\xff";
	refuse(&r, ADY_E_FIELD_INVALID, "metadata", "has a text that is not UTF-8");
	r = test_recipe();
	r.kernel = ady_bytes_str("no kernel");
	refuse(&r, ADY_E_IMAGE, "kernel", "is no bzImage: it has no HdrS at 0x202");
	r = test_recipe();
	r.init = ady_bytes_str("#!/bin/sh");
	refuse(&r, ADY_E_IMAGE, "init", "is no ELF program");
}

int main(void)
{
	RUN(registers_follow_the_formulas);
	RUN(two_ramdisks_are_measured_apart);
	RUN(what_is_measured_changes_pcr0);
	RUN(labels_are_not_measured);
	RUN(the_same_inputs_give_the_same_bytes);
	RUN(the_ramdisk_holds_this_and_no_more);
	RUN(metadata_reads_as_nitro_cli_writes_it);
	RUN(inputs_that_cannot_be_are_refused);
	return test_end();
}
