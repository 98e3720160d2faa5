/* SPDX-License-Identifier: Apache-2.0 */
#include "image/build.h"

#include <sys/stat.h>

#include "image/cpio.h"
#include "image/inputs.h"
#include "image/metadata.h"

enum { CMDLINE_MAX = 2047 }; /* COMMAND_LINE_SIZE of x86 is 2048, with the NUL */

/* The kernel opens /dev/console before it runs /init: without the node PID 1 would be mute until it
 * has mounted /dev, and then a reason to stop would be lost. */
static void put_ramdisk(struct ady_dyn *out, const struct ady_image_recipe *r)
{
	const struct ady_cpio_entry entries[] = {
	    {.name = ady_bytes_str("dev"), .mode = S_IFDIR | 0755},
	    {.name = ady_bytes_str("dev/console"), .mode = S_IFCHR | 0600, .major = 5, .minor = 1},
	    {.name = ady_bytes_str(ADY_IMAGE_CONFIG_PATH),
	     .mode = S_IFREG | 0444,
	     .data = r->config},
	    {.name = ady_bytes_str("init"), .mode = S_IFREG | 0755, .data = r->init},
	    {.name = ady_bytes_str("proc"), .mode = S_IFDIR | 0755},
	    {.name = ady_bytes_str("sys"), .mode = S_IFDIR | 0755},
	};

	ady_cpio_write(out, entries, sizeof entries / sizeof *entries);
}

static enum ady_err check_cmdline(const char *cmdline, struct ady_fault *f)
{
	size_t n = 0;

	for (; cmdline[n]; n++)
		if (cmdline[n] < 0x20 || cmdline[n] > 0x7e)
			return ady_fail(f, ADY_E_IMAGE, "command line",
			                "has characters that are not printable");
	if (n > CMDLINE_MAX)
		return ady_fail(f, ADY_E_IMAGE, "command line", "exceeds 2047 bytes");
	return ADY_OK;
}

static enum ady_err put_metadata(struct ady_dyn *out, const struct ady_image_recipe *r,
                                 struct ady_fault *f)
{
	struct ady_image_metadata m = {
	    .name = r->name, .version = r->version, .built_unix_s = r->built_unix_s};
	enum ady_err err = ady_kernel_version(m.kernel, r->kernel, f);

	return err == ADY_OK ? ady_image_metadata_put(out, &m, f) : err;
}

/* Read back what was written: what is measured is what a reader sees. */
static enum ady_err measure(struct ady_image_pcrs *pcrs, struct ady_bytes image,
                            struct ady_fault *f)
{
	struct ady_image_signature signature = {0};
	struct ady_eif eif;
	enum ady_err err = ady_eif_read(&eif, image, f);
	struct ady_bytes section = {0};

	if (err != ADY_OK)
		return err;
	section = ady_eif_data(&eif, ADY_EIF_SIGNATURE);
	if (section.n)
		err = ady_image_signature_read(&signature, section, "signature", f);
	if (err == ADY_OK)
		ady_image_measure(pcrs, &eif, ady_dyn_bytes(&signature.der));
	ady_image_signature_clear(&signature);
	return err;
}

static enum ady_err assemble(struct ady_dyn *out, struct ady_image_pcrs *pcrs,
                             struct ady_eif_parts *parts, const struct ady_image_signer *signer,
                             struct ady_fault *f)
{
	struct ady_dyn signature = {0};
	size_t begin = out->n;
	enum ady_err err;

	ady_eif_write(out, parts);
	err = measure(pcrs, ady_bytes_sub(ady_dyn_bytes(out), begin, out->n - begin), f);
	if (err != ADY_OK || !signer)
		return err;
	out->n = begin;
	err = ady_image_sign(&signature, signer, pcrs->pcr[0], f);
	parts->signature = ady_dyn_bytes(&signature);
	if (err == ADY_OK) {
		ady_eif_write(out, parts);
		err = measure(pcrs, ady_bytes_sub(ady_dyn_bytes(out), begin, out->n - begin), f);
	}
	ady_dyn_free(&signature);
	return err;
}

enum ady_err ady_image_build(struct ady_dyn *out, struct ady_image_pcrs *pcrs,
                             const struct ady_image_recipe *recipe, struct ady_fault *f)
{
	struct ady_dyn ramdisk = {0}, metadata = {0};
	struct ady_eif_parts parts;
	enum ady_err err;

	if ((err = check_cmdline(recipe->cmdline, f)) != ADY_OK ||
	    (err = ady_init_check(recipe->init, f)) != ADY_OK ||
	    (err = put_metadata(&metadata, recipe, f)) != ADY_OK)
		return err;
	put_ramdisk(&ramdisk, recipe);
	parts = (struct ady_eif_parts){.kernel = recipe->kernel,
	                               .cmdline = ady_bytes_str(recipe->cmdline),
	                               .metadata = ady_dyn_bytes(&metadata),
	                               .ramdisk = ady_dyn_bytes(&ramdisk)};
	err = assemble(out, pcrs, &parts, recipe->signer, f);
	ady_dyn_free(&ramdisk);
	ady_dyn_free(&metadata);
	return err;
}
