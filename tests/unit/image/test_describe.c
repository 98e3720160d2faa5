/* SPDX-License-Identifier: Apache-2.0 */
#include "image/describe.h"

#include "image/cpio.h"
#include "image/diff.h"
#include "image_fixture.h"

/* Describe an image as text and as JSON. */
static json_t *describe(struct ady_dyn *text, struct ady_bytes file)
{
	struct ady_image image;
	struct ady_fault f = {0};
	json_t *out = NULL;

	CHECK_ERR(ady_image_read(&image, file, &f), ADY_OK);
	CHECK_ERR(ady_image_describe(&out, &image, (int64_t)time(NULL), &f), ADY_OK);
	CHECK_STR(f.detail, "");
	if (out && text)
		ady_image_describe_text(text, out);
	ady_image_clear(&image);
	return out;
}

static bool has(struct ady_dyn *text, const char *part)
{
	return strstr(ady_dyn_cstr(text), part) != NULL;
}

CASE(a_description_has_all_of_it)
{
	struct ady_image_recipe r = test_recipe();
	struct ady_dyn image = {0}, text = {0};
	struct test_signer s;
	json_t *d;

	test_signer_make(&s, "P-384", -10, 1000);
	r.signer = &s.signer;
	(void)test_build(&image, &r);
	d = describe(&text, ady_dyn_bytes(&image));
	CHECK(has(&text, "format         EIF version 4, x86_64\n"));
	CHECK(has(&text, "defaults       1024 MiB of memory, 2 CPUs\n"));
	CHECK(has(&text, ", correct\n"));
	CHECK(has(&text, "PCR2           " TEST_PCR2_EMPTY "\n"));
	CHECK(has(&text, "PCR8           "));
	CHECK(has(&text, "command line   console=ttyS0 panic=1\n"));
	CHECK(has(&text, "section 0      kernel "));
	CHECK(has(&text, "1024 bytes at 548 "));
	CHECK(has(&text, "ramdisk 0      020600          0 /dev/console c 5:1\n"));
	CHECK(has(&text, "ramdisk 0      100444         10 /enclave.json\n"));
	CHECK(has(&text, "signature      made by the key of this certificate for this PCR0\n"));
	CHECK(has(&text, "certificate    CN=release, issued by CN=release\n"));
	CHECK(has(&text, "\"KernelVersion\":\"6.1.2\""));
	CHECK(json_is_true(json_object_get(d, "IsSigned")));
	CHECK(json_is_true(json_object_get(d, "SignatureCheck")));
	CHECK_INT(json_array_size(json_object_get(d, "Sections")), 5);
	json_decref(d);
	ady_dyn_free(&image);
	ady_dyn_free(&text);
	test_signer_free(&s);
}

CASE(what_is_wrong_is_shown)
{
	struct ady_image_recipe r = test_recipe();
	struct ady_dyn image = {0}, text = {0};
	struct test_signer s;
	json_t *d;

	test_signer_make(&s, "P-384", -100, -10);
	r.signer = &s.signer;
	(void)test_build(&image, &r);
	json_decref(describe(&text, ady_dyn_bytes(&image)));
	CHECK(has(&text, "certificate has expired: no enclave starts from this image\n"));
	image.p[548 + 12 + 900] ^= 1;
	text.n = 0;
	d = describe(&text, ady_dyn_bytes(&image));
	CHECK(has(&text, ", WRONG: the image has "));
	CHECK(has(&text, "signature      WRONG\n"));
	CHECK(has(&text, "signature is of another image: it names another PCR0\n"));
	CHECK(json_is_false(json_object_get(d, "CheckCRC")));
	CHECK(json_is_false(json_object_get(d, "SignatureCheck")));
	json_decref(d);
	ady_dyn_free(&image);
	ady_dyn_free(&text);
	test_signer_free(&s);
}

/* An image around any ramdisk and metadata. */
static struct ady_dyn around(struct ady_bytes ramdisk, const char *metadata)
{
	const struct ady_eif_parts parts = {.kernel = ady_bytes_str("K"),
	                                    .cmdline = ady_bytes_str("c"),
	                                    .metadata = ady_bytes_str(metadata),
	                                    .ramdisk = ramdisk};
	struct ady_dyn out = {0};

	ady_eif_write(&out, &parts);
	return out;
}

static void refused(struct ady_bytes ramdisk, const char *metadata, const char *where,
                    const char *why)
{
	struct ady_dyn file = around(ramdisk, metadata);
	struct ady_image image;
	struct ady_fault f = {0};
	json_t *out;

	CHECK_ERR(ady_image_read(&image, ady_dyn_bytes(&file), &f), ADY_OK);
	CHECK_ERR(ady_image_describe(&out, &image, 0, &f), ADY_E_IMAGE);
	CHECK(out == NULL);
	CHECK_STR(f.where, where);
	CHECK(strncmp(f.detail, why, strlen(why)) == 0);
	ady_image_clear(&image);
	ady_dyn_free(&file);
}

CASE(a_section_that_cannot_be_read_is_named)
{
	struct ady_dyn empty = {0};

	ady_cpio_write(&empty, NULL, 0);
	refused(ady_bytes_str("no archive"), "{}", "section 3 (ramdisk)",
	        "entry 1 at byte 0: does not fit the archive");
	refused(ady_dyn_bytes(&empty), "{", "section 2 (metadata)", "is not JSON: ");
	refused(ady_dyn_bytes(&empty), "{\"a\":1,\"a\":2}", "section 2 (metadata)",
	        "is not JSON: ");
	refused(ady_dyn_bytes(&empty), "[]", "section 2 (metadata)", "is not a JSON object");
	ady_dyn_free(&empty);
}

CASE(a_broken_signature_section_is_named)
{
	const struct ady_eif_parts parts = {.kernel = ady_bytes_str("K"),
	                                    .metadata = ady_bytes_str("{}"),
	                                    .ramdisk = ady_bytes_str("R"),
	                                    .signature = ady_bytes_str("S")};
	struct ady_image image;
	struct ady_dyn file = {0};
	struct ady_fault f = {0};

	ady_eif_write(&file, &parts);
	CHECK_ERR(ady_image_read(&image, ady_dyn_bytes(&file), &f), ADY_E_IMAGE);
	CHECK_STR(f.where, "section 4 (signature)");
	ady_image_clear(&image);
	ady_dyn_free(&file);
}

CASE(compressed_ramdisks_are_not_unpacked)
{
	struct ady_dyn file = around(ady_bytes_str("\x1f\x8b..."), "{}"), text = {0};

	json_decref(describe(&text, ady_dyn_bytes(&file)));
	CHECK(has(&text, "ramdisk 0      compressed (gzip), not listed\n"));
	ady_dyn_free(&file);
	ady_dyn_free(&text);
}

/* Names in an image are a stranger's: nothing in them may steer a terminal. */
CASE(control_characters_do_not_reach_a_terminal)
{
	static const struct ady_cpio_entry entries[] = {
	    {.name = {(const uint8_t *)"\x1b[2J\xff", 5}, .mode = 0100644},
	    {.name = {(const uint8_t *)"z\xc3\xbcrich\xc2\x9bm", 10},
	     .mode = 0120777,
	     .data = {(const uint8_t *)"\n", 1}}};
	struct ady_dyn ramdisk = {0}, text = {0}, file;

	ady_cpio_write(&ramdisk, entries, 2);
	file = around(ady_dyn_bytes(&ramdisk), "{\"a\":\"\\u001b\x7f\xc2\x9b\"}");
	json_decref(describe(&text, ady_dyn_bytes(&file)));
	CHECK(has(&text, "/\\x1b[2J\\xff\n"));
	CHECK(has(&text, "/z\xc3\xbcrich\\xc2\\x9bm -> \\x0a\n"));
	CHECK(has(&text, "{\"a\":\"\\u001B\\u007F\\u009B\"}"));
	CHECK(memchr(text.p, 0x1b, text.n) == NULL);
	ady_dyn_free(&ramdisk);
	ady_dyn_free(&file);
	ady_dyn_free(&text);
}

/* What differs between the image of r and the first one. */
static size_t differs(struct ady_dyn *text, const struct ady_image_recipe *r)
{
	const struct ady_image_recipe first = test_recipe();
	struct ady_dyn a = {0}, b = {0};
	json_t *was, *is;
	size_t n;

	(void)test_build(&a, &first);
	(void)test_build(&b, r);
	was = describe(NULL, ady_dyn_bytes(&a));
	is = describe(NULL, ady_dyn_bytes(&b));
	text->n = 0;
	n = ady_image_diff(text, was, is);
	json_decref(was);
	json_decref(is);
	ady_dyn_free(&a);
	ady_dyn_free(&b);
	return n;
}

CASE(differences_are_named)
{
	struct ady_image_recipe r = test_recipe();
	struct ady_dyn text = {0};
	uint8_t kernel[1024];

	CHECK_INT(differs(&text, &r), 0);
	r.cmdline = "other";
	CHECK_INT(differs(&text, &r), 2);
	CHECK(has(&text, "measured CommandLine\n  - \"console=ttyS0 panic=1\"\n  + \"other\"\n"));
	CHECK(has(&text, "result Measurements\n"));
	r = test_recipe();
	r.config = ady_bytes_str("{\"kms\":[]}");
	CHECK_INT(differs(&text, &r), 2);
	CHECK(has(&text, "measured file enclave.json\n"));
	r = test_recipe();
	memcpy(kernel, r.kernel.p, sizeof kernel);
	kernel[1000] ^= 1;
	r.kernel = ady_bytes(kernel, sizeof kernel);
	CHECK_INT(differs(&text, &r), 2);
	CHECK(has(&text, "measured kernel\n"));
	r = test_recipe();
	r.name = "x";
	CHECK_INT(differs(&text, &r), 1);
	CHECK(has(&text, "not measured Metadata\n"));
	ady_dyn_free(&text);
}

CASE(files_come_and_go)
{
	static const struct ady_cpio_entry entries[] = {
	    {.name = {(const uint8_t *)"a", 1}, .mode = 0100644},
	    {.name = {(const uint8_t *)"b", 1}, .mode = 0100644},
	    {.name = {(const uint8_t *)"c", 1}, .mode = 0100644}};
	struct ady_dyn first = {0}, second = {0}, a, b, text = {0};
	json_t *was, *is;

	ady_cpio_write(&first, entries, 2);
	ady_cpio_write(&second, entries + 1, 2);
	a = around(ady_dyn_bytes(&first), "{}");
	b = around(ady_dyn_bytes(&second), "{}");
	was = describe(NULL, ady_dyn_bytes(&a));
	is = describe(NULL, ady_dyn_bytes(&b));
	CHECK_INT(ady_image_diff(&text, was, is), 3);
	CHECK(has(&text, "measured file a\n  - {") && has(&text, "measured file c\n  - (none)\n"));
	json_decref(is);
	ady_dyn_free(&b);
	first.p[6 + 8 * 5 + 7] = '1'; /* the time of the first file */
	b = around(ady_dyn_bytes(&first), "{}");
	is = describe(NULL, ady_dyn_bytes(&b));
	text.n = 0;
	CHECK_INT(ady_image_diff(&text, was, is), 2);
	CHECK(has(&text, "measured ramdisk\n"));
	json_decref(was);
	json_decref(is);
	ady_dyn_free(&a);
	ady_dyn_free(&b);
	ady_dyn_free(&first);
	ady_dyn_free(&second);
	ady_dyn_free(&text);
}

int main(void)
{
	RUN(a_description_has_all_of_it);
	RUN(what_is_wrong_is_shown);
	RUN(a_section_that_cannot_be_read_is_named);
	RUN(a_broken_signature_section_is_named);
	RUN(compressed_ramdisks_are_not_unpacked);
	RUN(control_characters_do_not_reach_a_terminal);
	RUN(differences_are_named);
	RUN(files_come_and_go);
	return test_end();
}
