/* SPDX-License-Identifier: Apache-2.0 */
#include "image/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/image.h"
#include "cli/image_kms.h"
#include "image/inputs.h"

enum { KERNEL_MAX = 64 << 20, INIT_MAX = 256 << 20, CONFIG_MAX = 128 << 10, PEM_MAX = 1 << 20 };

/* An ISO 8601 year has four digits. */
static const long long year_10000 = 253402300800;

struct options {
	const char *kernel, *init, *config, *ca, *cmdline, *append, *key, *cert, *name, *version,
	    *out;
	bool json;
};

struct inputs {
	struct ady_dyn kernel, init, file, roots, config, cmdline, cert;
};

static void inputs_free(struct inputs *in)
{
	ady_dyn_free(&in->kernel);
	ady_dyn_free(&in->init);
	ady_dyn_free(&in->file);
	ady_dyn_free(&in->roots);
	ady_dyn_free(&in->config);
	ady_dyn_free(&in->cmdline);
	ady_dyn_free(&in->cert);
}

static enum ady_err inputs_read(struct inputs *in, const struct options *o, struct ady_fault *f)
{
	enum ady_err err;

	if ((err = ady_file_read(&in->kernel, o->kernel, KERNEL_MAX, f)) != ADY_OK ||
	    (err = ady_file_read(&in->init, o->init, INIT_MAX, f)) != ADY_OK ||
	    (err = ady_file_read(&in->file, o->config, CONFIG_MAX, f)) != ADY_OK)
		return err;
	if (o->ca && (err = ady_file_read(&in->roots, o->ca, PEM_MAX, f)) != ADY_OK)
		return err;
	if (o->cert && (err = ady_file_read(&in->cert, o->cert, PEM_MAX, f)) != ADY_OK)
		return err;
	err = ady_image_config(&in->config, ady_dyn_bytes(&in->file), ady_dyn_bytes(&in->roots), f);
	if (err == ADY_OK && in->config.n > CONFIG_MAX)
		err = ady_fail(f, ADY_E_TOO_LARGE, "configuration", "exceeds %d bytes", CONFIG_MAX);
	ady_dyn_str(&in->cmdline, o->cmdline ? o->cmdline : ADY_IMAGE_CMDLINE);
	if (o->append)
		ady_dyn_printf(&in->cmdline, " %s", o->append);
	return err;
}

/* SOURCE_DATE_EPOCH (reproducible-builds.org), else 1970: never the clock. */
static enum ady_err built_at(int64_t *unix_s, struct ady_fault *f)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	char *end = NULL;

	*unix_s = 0;
	if (!text || !*text)
		return ADY_OK;
	*unix_s = strtoll(text, &end, 10);
	if (*end || *unix_s < 0 || *unix_s >= year_10000)
		return ady_fail(f, ADY_E_FIELD_INVALID, "SOURCE_DATE_EPOCH",
		                "must be seconds since 1970");
	return ADY_OK;
}

/* The recipe with a key in a file. */
static enum ady_err build_with_file(struct ady_dyn *out, struct ady_image_pcrs *pcrs,
                                    const struct ady_image_recipe *base, const char *path,
                                    struct ady_fault *f)
{
	struct ady_image_recipe recipe = *base;
	struct ady_image_signer signer = *recipe.signer;
	struct ady_dyn pem = {0};
	EVP_PKEY *key = NULL;
	enum ady_err err = ady_file_read(&pem, path, PEM_MAX, f);

	if (err == ADY_OK)
		err = ady_image_key_read(&key, ady_dyn_bytes(&pem), f);
	ady_file_wipe(&pem);
	signer.sign = ady_image_sign_file;
	signer.context = key;
	recipe.signer = &signer;
	if (err == ADY_OK)
		err = ady_image_build(out, pcrs, &recipe, f);
	EVP_PKEY_free(key);
	return err;
}

/* The recipe with a key in KMS. */
static enum ady_err build_with_kms(struct ady_dyn *out, struct ady_image_pcrs *pcrs,
                                   const struct ady_image_recipe *base, const char *arn,
                                   struct ady_fault *f)
{
	struct ady_image_recipe recipe = *base;
	struct ady_image_signer signer = *recipe.signer;
	struct ady_image_kms kms;
	enum ady_err err = ady_image_kms_open(&kms, arn, f);

	if (err != ADY_OK)
		return err;
	signer.sign = ady_image_kms_sign;
	signer.context = &kms;
	recipe.signer = &signer;
	err = ady_image_build(out, pcrs, &recipe, f);
	ady_image_kms_close(&kms);
	return err;
}

static enum ady_err build(struct ady_dyn *out, struct ady_image_pcrs *pcrs, const struct options *o,
                          struct inputs *in, struct ady_fault *f)
{
	const struct ady_image_signer signer = {.certificate = ady_dyn_bytes(&in->cert)};
	struct ady_image_recipe recipe = {.kernel = ady_dyn_bytes(&in->kernel),
	                                  .init = ady_dyn_bytes(&in->init),
	                                  .config = ady_dyn_bytes(&in->config),
	                                  .cmdline = ady_dyn_cstr(&in->cmdline),
	                                  .name = o->name ? o->name : "adyton",
	                                  .version = o->version ? o->version : ADY_VERSION};
	enum ady_err err = built_at(&recipe.built_unix_s, f);

	if (err != ADY_OK)
		return err;
	if (!o->key)
		return ady_image_build(out, pcrs, &recipe, f);
	recipe.signer = &signer;
	return ady_image_kms_is_arn(o->key) ? build_with_kms(out, pcrs, &recipe, o->key, f)
	                                    : build_with_file(out, pcrs, &recipe, o->key, f);
}

static void print_built(const struct options *o, const struct ady_image_pcrs *pcrs, size_t size)
{
	json_t *measurements = ady_image_measurements(pcrs);

	if (!o->json)
		fprintf(stderr, "adyton: %s, %zu bytes\n", o->out, size);
	if (o->json) {
		ady_image_print_json(json_pack("{so}", "Measurements", measurements));
		return;
	}
	for (size_t i = 0; i < ADY_IMAGE_PCRS; i++) {
		char name[16];
		const char *value;

		snprintf(name, sizeof name, "PCR%u", ady_image_pcr_index[i]);
		value = json_string_value(json_object_get(measurements, name));
		if (value)
			printf("%s  %s\n", name, value);
	}
	json_decref(measurements);
}

static int run_build(const struct options *o)
{
	struct inputs in = {0};
	struct ady_dyn image = {0};
	struct ady_image_pcrs pcrs;
	struct ady_fault f = {0};
	enum ady_err err = inputs_read(&in, o, &f);

	if (err == ADY_OK)
		err = build(&image, &pcrs, o, &in, &f);
	if (err == ADY_OK)
		err = ady_file_write(o->out, 0644, ady_dyn_bytes(&image), &f);
	if (err == ADY_OK)
		print_built(o, &pcrs, image.n);
	ady_dyn_free(&image);
	inputs_free(&in);
	return err == ADY_OK ? ADY_EXIT_OK : ady_cli_fault(&f, "build the image", NULL);
}

int ady_cmd_image_build(const struct ady_command *self, int argc, char **argv)
{
	struct options o = {0};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"kernel", "FILE", "a bzImage", .text = &o.kernel},
	    {"init", "FILE", "the program adyton-enclave, stripped", .text = &o.init},
	    {"config", "FILE", "its configuration", .text = &o.config},
	    {"ca", "PEM", "roots for KMS, when the configuration has none", .text = &o.ca},
	    {"cmdline", "TEXT", "the kernel's; else that of AWS's images", .text = &o.cmdline},
	    {"append", "TEXT", "put behind the command line", .text = &o.append},
	    {"sign-key", "KEY", "P-384: a PEM file, or the ARN of a KMS key", .text = &o.key},
	    {"sign-cert", "PEM", "its certificate", .text = &o.cert},
	    {"name", "TEXT", "a label in the metadata (adyton)", .text = &o.name},
	    {"version", "TEXT", "a label in the metadata (" ADY_VERSION ")", .text = &o.version},
	    {"output", "FILE", "where to", .text = &o.out, .letter = 'o'},
	    {"json", NULL, "the measurements as nitro-cli prints them, on one line",
	     .flag = &o.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (!o.kernel || !o.init || !o.config || !o.out || rest.n)
		return ady_cli_usage(
		    self, "--kernel, --init, --config and -o are needed, and no argument");
	if (!o.key != !o.cert)
		return ady_cli_usage(self, "--sign-key and --sign-cert belong together");
	return run_build(&o);
}
