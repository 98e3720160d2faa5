/* SPDX-License-Identifier: Apache-2.0 */
#include "image/inputs.h"

#include "codec/json.h"
#include "image_fixture.h"

static void kernel_refused(struct ady_bytes kernel, const char *why)
{
	struct ady_fault f = {0};
	char version[64];

	CHECK_ERR(ady_kernel_version(version, kernel, &f), ADY_E_IMAGE);
	CHECK_STR(f.where, "kernel");
	CHECK_STR(f.detail, why);
	CHECK_STR(version, "");
}

CASE(a_kernel_names_its_version)
{
	uint8_t kernel[1024];
	char version[64];

	memcpy(kernel, test_kernel().p, sizeof kernel);
	CHECK_ERR(ady_kernel_version(version, ady_bytes(kernel, sizeof kernel), NULL), ADY_OK);
	CHECK_STR(version, "6.1.2");
	kernel_refused(ady_bytes(kernel, 0x20f), "is no bzImage: it has no HdrS at 0x202");
	kernel_refused(ady_bytes(kernel, 0x280), "names no version");
	kernel[0x280] = ' ';
	kernel_refused(ady_bytes(kernel, sizeof kernel), "names no version");
	memset(kernel + 0x280, '1', 100);
	kernel_refused(ady_bytes(kernel, sizeof kernel), "names no version");
	kernel[0x20e] = kernel[0x20f] = 0;
	kernel_refused(ady_bytes(kernel, sizeof kernel), "names no version");
	kernel[0x202] = 'X';
	kernel_refused(ady_bytes(kernel, sizeof kernel), "is no bzImage: it has no HdrS at 0x202");
}

static void init_refused(const struct test_elf *elf, size_t n, const char *why)
{
	struct ady_fault f = {0};

	CHECK_ERR(ady_init_check(ady_bytes(elf, n), &f), ADY_E_IMAGE);
	CHECK_STR(f.where, "init");
	CHECK_STR(f.detail, why);
}

CASE(an_init_needs_nothing)
{
	struct test_elf t = test_elf();

	CHECK_ERR(ady_init_check(ady_bytes(&t, sizeof t), NULL), ADY_OK);
	init_refused(&t, 10, "is no ELF program");
	init_refused(&t, sizeof t.e + 10, "has no readable program headers");
	init_refused(&t, sizeof t - 1, "is cut off");
	t.dynamic[1].d_tag = DT_NEEDED;
	init_refused(&t, sizeof t, "needs a library, and the image has none: link it static-pie");
	t.segments[1].p_offset = UINT64_MAX;
	init_refused(&t, sizeof t, "needs a library, and the image has none: link it static-pie");
	t.segments[1].p_type = PT_INTERP;
	init_refused(&t, sizeof t, "needs a loader, and the image has none: link it static-pie");
	t.e.e_phoff = UINT64_MAX;
	init_refused(&t, sizeof t, "has no readable program headers");
	t.e.e_type = ET_EXEC;
	init_refused(&t, sizeof t, "is not position-independent: link it static-pie");
	t.e.e_machine = EM_AARCH64;
	init_refused(&t, sizeof t, "is not for x86_64");
}

static void config_is(const char *file, const char *roots, const char *want)
{
	struct ady_dyn out = {0};
	struct ady_fault f = {0};

	CHECK_ERR(ady_image_config(&out, ady_bytes_str(file), ady_bytes_str(roots), &f), ADY_OK);
	CHECK_STR(ady_dyn_cstr(&out), want);
	ady_dyn_free(&out);
}

static void config_refused(const char *file, const char *roots, enum ady_err want,
                           const char *where, const char *why)
{
	struct ady_dyn out = {0};
	struct ady_fault f = {0};

	CHECK_ERR(ady_image_config(&out, ady_bytes_str(file), ady_bytes_str(roots), &f), want);
	CHECK_STR(f.where, where);
	if (why)
		CHECK_STR(f.detail, why);
	ady_dyn_free(&out);
}

CASE(a_configuration_with_roots_stays_as_it_is)
{
	config_is("{ \"kms\" : {\"roots_pem\":\"x\"} }\n", "",
	          "{ \"kms\" : {\"roots_pem\":\"x\"} }\n");
	config_refused("{\"kms\":{}}", "", ADY_E_FIELD_MISSING, "kms.roots_pem", "is required");
	config_refused("{}", "", ADY_E_FIELD_MISSING, "kms", "is required");
	config_refused("{\"kms\":1}", "", ADY_E_FIELD_MISSING, "kms", "is required");
	config_refused("[]", "", ADY_E_FIELD_MISSING, "kms", "is required");
	config_refused("{", "", ADY_E_JSON, "", NULL);
	config_refused("{\"kms\":{},\"kms\":{}}", "", ADY_E_JSON_DUPLICATE, "kms", NULL);
}

/* The certificates as they come out of JSON again, or "". */
static void inserted(char *out, size_t cap, const char *file, const char *roots)
{
	struct ady_json_tok toks[64];
	struct ady_json doc;
	struct ady_dyn config = {0};
	struct ady_fault f = {0};
	size_t n = 0;

	out[0] = '\0';
	CHECK_ERR(ady_image_config(&config, ady_bytes_str(file), ady_bytes_str(roots), &f), ADY_OK);
	CHECK_ERR(ady_json_parse(&doc, toks, 64, ady_dyn_bytes(&config), &f), ADY_OK);
	(void)ady_json_string(&doc, ady_json_get(&doc, ady_json_get(&doc, 0, "kms"), "roots_pem"),
	                      out, cap, &n);
	ady_dyn_free(&config);
}

CASE(roots_are_put_in)
{
	struct test_signer s;
	struct ady_dyn commented = {0};
	const char *pem;
	char got[8192];

	test_signer_make(&s, "P-384", -10, 1000);
	pem = ady_dyn_cstr(&s.cert_pem);
	ady_dyn_printf(&commented, "# a comment\n%s\nsubject=x\n%s", pem, pem);
	inserted(got, sizeof got, "{\"kms\":{}}", pem);
	CHECK_STR(got, pem);
	inserted(got, sizeof got, "{\"adyton\":1,\"kms\": { \"host\":\"h\"},\"x\":{}}",
	         ady_dyn_cstr(&commented));
	CHECK(strlen(got) == 2 * strlen(pem) && strncmp(got, pem, strlen(pem)) == 0);
	config_refused("{\"kms\":{\"roots_pem\":\"x\"}}", pem, ADY_E_FIELD_INVALID, "kms.roots_pem",
	               "is in the configuration already");
	config_refused("{\"kms\":{}}", "no certificate", ADY_E_FIELD_INVALID, "roots",
	               "hold no PEM certificate");
	ady_dyn_free(&commented);
	test_signer_free(&s);
}

int main(void)
{
	RUN(a_kernel_names_its_version);
	RUN(an_init_needs_nothing);
	RUN(a_configuration_with_roots_stays_as_it_is);
	RUN(roots_are_put_in);
	return test_end();
}
