/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "image/diff.h"

enum { PEM_MAX = 1 << 20 };

enum ady_err ady_image_file_open(struct ady_image_file *file, const char *path, struct ady_fault *f)
{
	enum ady_err err;

	*file = (struct ady_image_file){0};
	err = ady_file_read(&file->bytes, path, ADY_IMAGE_FILE_MAX, f);
	return err == ADY_OK ? ady_image_read(&file->image, ady_dyn_bytes(&file->bytes), f) : err;
}

void ady_image_file_close(struct ady_image_file *file)
{
	ady_image_clear(&file->image);
	ady_dyn_free(&file->bytes);
}

void ady_image_print_json(json_t *json)
{
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(json);
}

/* A file, or "the image" for standard input, in front of what is wrong with it. */
static int cannot(const char *doing, const char *path, const struct ady_fault *f)
{
	char text[128];

	snprintf(text, sizeof text, "%s %.100s", doing, path);
	return ady_cli_fault(f, text, NULL);
}

static int64_t now(void)
{
	return ady_wall_ms() / 1000;
}

static int run_describe(const char *path, bool json)
{
	struct ady_image_file file;
	struct ady_fault f = {0};
	struct ady_dyn text = {0};
	json_t *description = NULL;
	enum ady_err err = ady_image_file_open(&file, path, &f);
	int status = ADY_EXIT_OK;

	if (err == ADY_OK)
		err = ady_image_describe(&description, &file.image, now(), &f);
	if (err != ADY_OK) {
		status = cannot("describe", path, &f);
	} else if (json) {
		ady_image_print_json(description);
	} else {
		ady_image_describe_text(&text, description);
		fputs(ady_dyn_cstr(&text), stdout);
		json_decref(description);
	}
	if (err == ADY_OK && ady_image_check(&file.image, now(), &f) != ADY_OK)
		status = cannot("accept", path, &f);
	ady_dyn_free(&text);
	ady_image_file_close(&file);
	return status;
}

int ady_cmd_image_describe(const struct ady_command *self, int argc, char **argv)
{
	struct ady_values rest;
	bool json = false;
	const struct ady_option options[] = {
	    {"json", NULL, "one JSON object on one line", .flag = &json}, {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 1)
		return ady_cli_usage(self, "one FILE is needed (-: standard input)");
	return run_describe(rest.v[0], json);
}

struct verify {
	const char *file, *cert;
	struct ady_values pcrs[ADY_IMAGE_PCRS];
};

static enum ady_err check_pcr(const struct ady_image *image, const struct verify *v, size_t i,
                              struct ady_fault *f)
{
	char where[16];

	snprintf(where, sizeof where, "PCR%u", ady_image_pcr_index[i]);
	for (size_t k = 0; k < v->pcrs[i].n; k++) {
		uint8_t want[64];
		size_t n;

		if (ady_hex_decode(want, sizeof want, &n, ady_bytes_str(v->pcrs[i].v[k])) !=
		        ADY_OK ||
		    n != 48)
			return ady_fail(f, ADY_E_FIELD_INVALID, where, "must be 96 hex digits");
		if (memcmp(image->pcrs.pcr[i], want, n) == 0)
			return ADY_OK;
	}
	return v->pcrs[i].n ? ady_fail(f, ADY_E_IMAGE, where, "is not what was expected") : ADY_OK;
}

/* The image is signed, by the certificate in that file. */
static enum ady_err check_certificate(const struct ady_image *image, const char *path,
                                      struct ady_fault *f)
{
	struct ady_dyn pem = {0};
	X509 *want = NULL;
	enum ady_err err;

	if (!image->is_signed)
		return ady_fail(f, ADY_E_IMAGE, "signature", "is missing: the image is not signed");
	err = ady_file_read(&pem, path, PEM_MAX, f);
	if (err == ADY_OK)
		err = ady_image_certificate_read(&want, ady_dyn_bytes(&pem), f);
	if (err == ADY_OK && X509_cmp(want, image->signature.certificate) != 0)
		err = ady_fail(f, ADY_E_IMAGE, "certificate", "is not the one in %.100s", path);
	X509_free(want);
	ady_dyn_free(&pem);
	return err;
}

static enum ady_err check(const struct ady_image *image, const struct verify *v,
                          struct ady_fault *f)
{
	enum ady_err err = ady_image_check(image, now(), f);

	if (err == ADY_OK && v->cert)
		err = check_certificate(image, v->cert, f);
	for (size_t i = 0; i < ADY_IMAGE_PCRS && err == ADY_OK; i++)
		err = check_pcr(image, v, i, f);
	return err;
}

static int run_verify(const struct ady_command *self, const struct verify *v)
{
	struct ady_image_file file;
	struct ady_fault f = {0};
	enum ady_err err = ady_image_file_open(&file, v->file, &f);
	int status = ADY_EXIT_OK;

	if (err == ADY_OK)
		err = check(&file.image, v, &f);
	if (err == ADY_E_FIELD_INVALID)
		status = ady_cli_usage(self, "%s %s", f.where, f.detail);
	else if (err != ADY_OK)
		status = cannot("accept", v->file, &f);
	else
		printf("verified: %s%s\n", v->file,
		       file.image.is_signed ? ", signed" : ", not signed");
	ady_image_file_close(&file);
	return status;
}

int ady_cmd_image_verify(const struct ady_command *self, int argc, char **argv)
{
	struct verify v = {0};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"pcr0", "HEX", "expected; several times: any of them", .values = &v.pcrs[0]},
	    {"pcr1", "HEX", "expected", .values = &v.pcrs[1]},
	    {"pcr2", "HEX", "expected", .values = &v.pcrs[2]},
	    {"pcr8", "HEX", "expected", .values = &v.pcrs[3]},
	    {"cert", "PEM", "must have signed the image", .text = &v.cert},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 1)
		return ady_cli_usage(self, "one FILE is needed (-: standard input)");
	if (!v.pcrs[0].n && !v.pcrs[3].n && !v.cert)
		return ady_cli_usage(self, "--pcr0, --pcr8 or --cert is needed: what is expected?");
	v.file = rest.v[0];
	return run_verify(self, &v);
}

/* Read and describe one image. Returns -1 to go on. */
static int open_one(struct ady_image_file *file, json_t **description, const char *path)
{
	struct ady_fault f = {0};
	enum ady_err err = ady_image_file_open(file, path, &f);

	if (err == ADY_OK)
		err = ady_image_describe(description, &file->image, now(), &f);
	return err == ADY_OK ? -1 : cannot("read", path, &f);
}

static int print_diff(const struct ady_image_file files[static 2], json_t *const d[static 2])
{
	bool same = ady_bytes_eq(ady_dyn_bytes(&files[0].bytes), ady_dyn_bytes(&files[1].bytes));
	struct ady_dyn text = {0};

	if (same)
		puts("the same bytes");
	else if (ady_image_diff(&text, d[0], d[1]) == 0)
		puts("not measured header or the writing of metadata differs");
	else
		fputs(ady_dyn_cstr(&text), stdout);
	ady_dyn_free(&text);
	return same ? ADY_EXIT_OK : ADY_EXIT_REFUSED;
}

int ady_cmd_image_diff(const struct ady_command *self, int argc, char **argv)
{
	struct ady_image_file files[2] = {0};
	json_t *descriptions[2] = {NULL, NULL};
	struct ady_values rest;
	const struct ady_option options[] = {{0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 2)
		return ady_cli_usage(self, "two FILEs are needed");
	for (size_t i = 0; i < 2 && status < 0; i++)
		status = open_one(&files[i], &descriptions[i], rest.v[i]);
	if (status < 0)
		status = print_diff(files, descriptions);
	for (size_t i = 0; i < 2; i++) {
		json_decref(descriptions[i]);
		ady_image_file_close(&files[i]);
	}
	return status;
}
