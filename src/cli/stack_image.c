/* SPDX-License-Identifier: Apache-2.0
 *
 * The image of a stack whose enclave is a machine: built from the stack's own configuration, or
 * given. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/enclave.h"
#include "cli/file.h"
#include "cli/image.h"
#include "cli/stack.h"
#include "image/build.h"
#include "image/inputs.h"

enum { KERNEL_MAX = 64 << 20, INIT_MAX = 256 << 20, CONFIG_MAX = 128 << 10, STRIP_MS = 20000 };

/* For QEMU: the parent is at CID 2, not 3; no keyboard controller to reset the machine by, and no
 * second clock to check the first one with, are waited for; and each line costs time. */
#define CMDLINE                                                                            \
	"reboot=t panic=-1 quiet pci=off nomodules console=ttyS0 i8042.noaux i8042.nomux " \
	"i8042.nopnp i8042.dumbkbd random.trust_cpu=on tsc=reliable adyton.parent_cid=2"

struct inputs {
	struct ady_dyn kernel, init, file, config;
};

/* Without symbols the program is a third smaller. No strip, no harm: *path stays as it is. */
static void strip(const struct ady_stack *s, char path[static PATH_MAX])
{
	char program[PATH_MAX], log[PATH_MAX], out[PATH_MAX];
	const char *const list[] = {"-s", "-o", out, path};
	struct ady_child c;
	struct ady_dyn none = {0};
	struct ady_fault f = {0};
	enum ady_err err = ADY_OK;

	if (ady_program_find(program, "STRIP", "strip", &f) != ADY_OK)
		return;
	snprintf(log, sizeof log, "%s/log/strip.log", s->dir);
	snprintf(out, sizeof out, "%s/init", s->dir);
	(void)unlink(out);
	ady_child_init(&c, "strip", program, log);
	for (size_t i = 0; i < sizeof list / sizeof *list && err == ADY_OK; i++)
		err = ady_child_arg(&c, list[i]);
	if (err == ADY_OK && ady_child_start(&c, true, &f) == ADY_OK)
		err = ady_child_output(&c, &none, STRIP_MS);
	ady_child_stop(&c, STRIP_MS, false);
	ady_child_clear(&c);
	ady_dyn_free(&none);
	if (err == ADY_OK && access(out, X_OK) == 0)
		snprintf(path, PATH_MAX, "%s", out);
}

/* Ours, what script/vm-tools found, AWS's. */
static enum ady_err find_kernel(const struct ady_stack *s, char path[static PATH_MAX],
                                struct ady_fault *f)
{
	static const char *const places[] = {"kernel", "vm"};
	static const char aws[] = "/usr/share/nitro_enclaves/blobs/bzImage";

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		snprintf(path, PATH_MAX, "%s/../%s/bzImage", s->bin, places[i]);
		if (access(path, R_OK) == 0)
			return ADY_OK;
	}
	snprintf(path, PATH_MAX, "%s", aws);
	if (access(path, R_OK) == 0)
		return ADY_OK;
	return ady_fail(f, ADY_E_NOT_FOUND, "kernel",
	                "there is none: give --kernel, or make one with script/build-kernel");
}

static enum ady_err read_inputs(struct inputs *in, const struct ady_stack *s, const char *kernel,
                                struct ady_fault *f)
{
	char path[PATH_MAX];
	enum ady_err err = ADY_OK;

	if (kernel)
		snprintf(path, sizeof path, "%s", kernel);
	else
		err = find_kernel(s, path, f);
	if (err == ADY_OK)
		err = ady_file_read(&in->kernel, path, KERNEL_MAX, f);
	if (err != ADY_OK)
		return err;
	snprintf(path, sizeof path, "%s/adyton-enclave", s->bin);
	strip(s, path);
	if ((err = ady_file_read(&in->init, path, INIT_MAX, f)) != ADY_OK)
		return err;
	snprintf(path, sizeof path, "%s/enclave.json", s->dir);
	if ((err = ady_file_read(&in->file, path, CONFIG_MAX, f)) != ADY_OK)
		return err;
	return ady_image_config(&in->config, ady_dyn_bytes(&in->file), (struct ady_bytes){0}, f);
}

static enum ady_err build(struct ady_stack *s, const char *kernel, struct ady_fault *f)
{
	struct inputs in = {0};
	struct ady_dyn image = {0};
	struct ady_image_pcrs pcrs;
	enum ady_err err = read_inputs(&in, s, kernel, f);

	if (err == ADY_OK)
		err = ady_image_build(&image, &pcrs,
		                      &(struct ady_image_recipe){
		                          .kernel = ady_dyn_bytes(&in.kernel),
		                          .init = ady_dyn_bytes(&in.init),
		                          .config = ady_dyn_bytes(&in.config),
		                          .cmdline = CMDLINE,
		                          .name = "adyton",
		                          .version = ADY_VERSION,
		                      },
		                      f);
	snprintf(s->image, sizeof s->image, "%s/adyton.eif", s->dir);
	if (err == ADY_OK)
		err = ady_file_write(s->image, 0600, ady_dyn_bytes(&image), f);
	ady_dyn_free(&image);
	ady_dyn_free(&in.kernel);
	ady_dyn_free(&in.init);
	ady_dyn_free(&in.file);
	ady_dyn_free(&in.config);
	return err;
}

enum ady_err ady_stack_image(struct ady_stack *s, const char *image, const char *kernel,
                             struct ady_fault *f)
{
	struct ady_image_file file = {0};
	enum ady_err err = ADY_OK;

	if (!image)
		err = build(s, kernel, f);
	else if (!realpath(image, s->image))
		err = ady_fail(f, ADY_E_IO, NULL, "%s: %s", image, strerror(errno));
	if (err == ADY_OK)
		err = ady_image_file_open(&file, s->image, f);
	for (size_t i = 0; i < 3 && err == ADY_OK; i++)
		memcpy(s->pcr.pcr[i], file.image.pcrs.pcr[i], sizeof s->pcr.pcr[i]);
	ady_image_file_close(&file);
	return err;
}
