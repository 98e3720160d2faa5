/* SPDX-License-Identifier: Apache-2.0 */
#include "image/eif.h"

#include <stdlib.h>

#include "test.h"

/* Offsets in the header, as the format has them. */
enum { COUNT = 26, OFFSETS = 28, SIZES = 284, CRC = 544 };

static struct ady_eif_parts parts(void)
{
	return (struct ady_eif_parts){.kernel = ady_bytes_str("KERNEL"),
	                              .cmdline = ady_bytes_str("cmd line"),
	                              .metadata = ady_bytes_str("{}"),
	                              .ramdisk = ady_bytes_str("RAMDISK")};
}

static struct ady_dyn image(bool is_signed)
{
	struct ady_eif_parts p = parts();
	struct ady_dyn d = {0};

	if (is_signed)
		p.signature = ady_bytes_str("SIGNATURE");
	ady_eif_write(&d, &p);
	return d;
}

/* The positions of section headers in image(): 548, 566, 586, 600, 619, the end. */
enum { AT_KERNEL = 548, AT_CMDLINE = 566, AT_METADATA = 586, AT_RAMDISK = 600, AT_SIGNATURE = 619 };

CASE(an_image_has_these_bytes)
{
	struct ady_dyn d = image(false);
	struct ady_bytes all = ady_dyn_bytes(&d);

	CHECK_INT(d.n, AT_SIGNATURE);
	CHECK_HEX(d.p, 28,
	          "2e656966"
	          "0004"
	          "0000"
	          "0000000040000000"
	          "0000000000000002"
	          "0000"
	          "0004");
	CHECK_HEX(d.p + OFFSETS, 40,
	          "0000000000000224"
	          "0000000000000236"
	          "000000000000024a"
	          "0000000000000258"
	          "0000000000000000");
	CHECK_HEX(d.p + SIZES, 40,
	          "0000000000000006"
	          "0000000000000008"
	          "0000000000000002"
	          "0000000000000007"
	          "0000000000000000");
	CHECK_HEX(d.p + AT_KERNEL, 18,
	          "0001"
	          "0000"
	          "0000000000000006"
	          "4b45524e454c");
	CHECK_HEX(d.p + AT_METADATA, 14,
	          "0005"
	          "0000"
	          "0000000000000002"
	          "7b7d");
	CHECK(ady_bytes_is(ady_bytes_sub(all, AT_RAMDISK + 12, 7), "RAMDISK"));
	/* python3: zlib.crc32(image[:544] + image[548:]) */
	CHECK_HEX(d.p + CRC, 4, "2eb759b4");
	ady_dyn_free(&d);
}

CASE(an_image_reads_back)
{
	struct ady_dyn d = image(true);
	struct ady_eif eif;
	struct ady_fault f = {0};
	char where[ADY_EIF_WHERE];

	CHECK_ERR(ady_eif_read(&eif, ady_dyn_bytes(&d), &f), ADY_OK);
	CHECK(!eif.aarch64 && eif.n == 5 && eif.crc_stored == eif.crc_computed);
	CHECK(eif.default_memory == 1 << 30 && eif.default_cpus == 2);
	CHECK(ady_bytes_is(ady_eif_data(&eif, ADY_EIF_KERNEL), "KERNEL"));
	CHECK(ady_bytes_is(ady_eif_data(&eif, ADY_EIF_CMDLINE), "cmd line"));
	CHECK(ady_bytes_is(ady_eif_data(&eif, ADY_EIF_METADATA), "{}"));
	CHECK(ady_bytes_is(ady_eif_data(&eif, ADY_EIF_RAMDISK), "RAMDISK"));
	CHECK(ady_bytes_is(ady_eif_data(&eif, ADY_EIF_SIGNATURE), "SIGNATURE"));
	CHECK_INT(eif.sections[3].at, AT_RAMDISK);
	CHECK_STR(ady_eif_where(where, &eif, 3), "section 3 (ramdisk)");
	ady_dyn_free(&d);
}

CASE(a_changed_byte_changes_the_crc)
{
	struct ady_dyn d = image(false);
	struct ady_eif eif;

	for (size_t i = AT_KERNEL + 12; i < d.n; i += 3) {
		d.p[i] ^= 1;
		if (ady_eif_read(&eif, ady_dyn_bytes(&d), NULL) == ADY_OK)
			CHECK(eif.crc_stored != eif.crc_computed);
		d.p[i] ^= 1;
	}
	d.p[12] ^= 1; /* default memory */
	CHECK_ERR(ady_eif_read(&eif, ady_dyn_bytes(&d), NULL), ADY_OK);
	CHECK(eif.crc_stored != eif.crc_computed);
	ady_dyn_free(&d);
}

static void refuse(struct ady_bytes b, const char *where, const char *why)
{
	struct ady_fault f = {0};
	struct ady_eif eif;

	CHECK_ERR(ady_eif_read(&eif, b, &f), ADY_E_IMAGE);
	CHECK_STR(f.where, where);
	CHECK_STR(f.detail, why);
}

/* An image with n bytes at a position replaced. */
static void refuse_bytes(size_t at, const char *hex, const char *where, const char *why)
{
	struct ady_dyn d = image(true);
	struct ady_bytes bytes = test_hex(hex);

	memcpy(d.p + at, bytes.p, bytes.n);
	refuse(ady_dyn_bytes(&d), where, why);
	ady_dyn_free(&d);
}

CASE(each_header_field_is_checked)
{
	refuse((struct ady_bytes){0}, "header.magic", "is not .eif: this is no enclave image");
	refuse(ady_bytes_str(".eif"), "header", "is cut off: 4 of 548 bytes");
	refuse_bytes(0, "7f", "header.magic", "is not .eif: this is no enclave image");
	refuse_bytes(4, "0003", "header.version", "is 3; only 4 is read");
	refuse_bytes(6, "0002", "header.flags", "has bits that have no meaning");
	refuse_bytes(24, "0001", "header", "has reserved fields that are not zero");
	refuse_bytes(540, "00000001", "header", "has reserved fields that are not zero");
	refuse_bytes(COUNT, "0001", "header.num_sections", "is 1, not 2 to 32");
	refuse_bytes(COUNT, "0021", "header.num_sections", "is 33, not 2 to 32");
	refuse_bytes(COUNT, "0004", "header", "has entries behind the last section");
	refuse_bytes(OFFSETS + 8 * 31, "0000000000000001", "header",
	             "has entries behind the last section");
}

CASE(sections_fill_the_file)
{
	struct ady_dyn d = image(true);
	struct ady_bytes all = ady_dyn_bytes(&d);

	refuse_bytes(OFFSETS, "0000000000000225", "section 0",
	             "begins at byte 549, not at 548 where the one before ends");
	refuse_bytes(OFFSETS + 8, "ffffffffffffffff", "section 1",
	             "begins at byte 18446744073709551615, not at 566 where the one before ends");
	refuse(ady_bytes_sub(all, 0, AT_CMDLINE + 11), "section 1",
	       "is cut off: its header does not fit the file");
	refuse(ady_bytes_sub(all, 0, AT_RAMDISK + 12 + 6), "section 3 (ramdisk)",
	       "is cut off: 6 of 7 bytes");
	ady_dyn_put(&d, "x", 1);
	refuse(ady_dyn_bytes(&d), "image", "has 1 bytes behind its last section");
	ady_dyn_free(&d);
	refuse_bytes(AT_CMDLINE + 4, "0000000000000009", "section 1 (command line)",
	             "has 9 bytes by its own header, 8 by the image's");
	refuse_bytes(AT_CMDLINE, "0000", "section 1", "has the unknown type 0");
	refuse_bytes(AT_CMDLINE, "0006", "section 1", "has the unknown type 6");
	refuse_bytes(AT_CMDLINE + 2, "0001", "section 1 (command line)",
	             "has flags, which have no meaning");
}

CASE(a_size_does_not_wrap_around)
{
	struct ady_dyn d = image(true);

	memset(d.p + SIZES + 8 * 4, 0xff, 8);
	memset(d.p + AT_SIGNATURE + 4, 0xff, 8);
	refuse(ady_dyn_bytes(&d), "section 4 (signature)",
	       "is cut off: 9 of 18446744073709551615 bytes");
	ady_dyn_free(&d);
}

CASE(every_type_has_its_place)
{
	refuse_bytes(AT_KERNEL, "0004", "kernel", "is missing: the image has no such section");
	refuse_bytes(AT_CMDLINE, "0003", "command line",
	             "is missing: the image has no such section");
	refuse_bytes(AT_METADATA, "0003", "metadata", "is missing: the image has no such section");
	refuse_bytes(AT_RAMDISK, "0004", "ramdisk", "is missing: the image has no such section");
	refuse_bytes(AT_SIGNATURE, "0001", "section 4 (kernel)", "is the second of its type");
	refuse_bytes(AT_SIGNATURE, "0005", "section 4 (metadata)", "is the second of its type");
	refuse_bytes(AT_CMDLINE + 12, "00", "section 1 (command line)",
	             "has characters that are not printable");
	refuse_bytes(AT_CMDLINE + 12, "1b", "section 1 (command line)",
	             "has characters that are not printable");
}

/* Two section headers of sizes that are equal may change places: the measured order may not. */
CASE(the_measured_order_is_fixed)
{
	struct ady_eif_parts p = parts();
	struct ady_dyn d = {0};

	ady_eif_write(&d, &p);
	d.p[AT_KERNEL + 1] = ADY_EIF_CMDLINE;
	d.p[AT_CMDLINE + 1] = ADY_EIF_KERNEL;
	refuse(ady_dyn_bytes(&d), "section 0 (command line)",
	       "stands before the kernel or the command line");
	d.p[AT_KERNEL + 1] = ADY_EIF_RAMDISK;
	d.p[AT_RAMDISK + 1] = ADY_EIF_CMDLINE;
	refuse(ady_dyn_bytes(&d), "section 0 (ramdisk)",
	       "stands before the kernel or the command line");
	ady_dyn_free(&d);
}

CASE(sections_have_limits)
{
	struct ady_eif_parts p = parts();
	uint8_t *large = calloc(1, ADY_EIF_SIGNATURE_MAX + 1);
	struct ady_dyn d = {0};
	struct ady_eif eif;

	p.ramdisk = (struct ady_bytes){0};
	ady_eif_write(&d, &p);
	refuse(ady_dyn_bytes(&d), "section 3 (ramdisk)", "is empty");
	d.n = 0;
	p = parts();
	p.signature = ady_bytes(large, ADY_EIF_SIGNATURE_MAX + 1);
	ady_eif_write(&d, &p);
	refuse(ady_dyn_bytes(&d), "section 4 (signature)", "exceeds 32768 bytes");
	d.n = 0;
	p.signature = ady_bytes(large, ADY_EIF_SIGNATURE_MAX);
	p.cmdline = (struct ady_bytes){0}; /* a kernel starts without options as well */
	ady_eif_write(&d, &p);
	CHECK_ERR(ady_eif_read(&eif, ady_dyn_bytes(&d), NULL), ADY_OK);
	ady_dyn_free(&d);
	free(large);
}

CASE(no_prefix_is_an_image)
{
	struct ady_dyn d = image(true);
	struct ady_eif eif;

	for (size_t n = 0; n < d.n; n++) {
		uint8_t *exact = malloc(n ? n : 1); /* so that a read behind it is seen */
		struct ady_fault f = {0};

		memcpy(exact, d.p, n);
		CHECK_ERR(ady_eif_read(&eif, ady_bytes(exact, n), &f), ADY_E_IMAGE);
		CHECK(f.where[0] && f.detail[0]);
		free(exact);
	}
	ady_dyn_free(&d);
}

CASE(aarch64_is_told_apart)
{
	struct ady_dyn d = image(false);
	struct ady_eif eif;

	d.p[7] = 1;
	CHECK_ERR(ady_eif_read(&eif, ady_dyn_bytes(&d), NULL), ADY_OK);
	CHECK(eif.aarch64);
	ady_dyn_free(&d);
}

int main(void)
{
	RUN(an_image_has_these_bytes);
	RUN(an_image_reads_back);
	RUN(a_changed_byte_changes_the_crc);
	RUN(each_header_field_is_checked);
	RUN(sections_fill_the_file);
	RUN(a_size_does_not_wrap_around);
	RUN(every_type_has_its_place);
	RUN(the_measured_order_is_fixed);
	RUN(sections_have_limits);
	RUN(no_prefix_is_an_image);
	RUN(aarch64_is_told_apart);
	return test_end();
}
