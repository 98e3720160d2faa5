/* SPDX-License-Identifier: Apache-2.0
 *
 * An image from its inputs. The same inputs give the same bytes, wherever, whenever and by whomever
 * they are put together; a signature (ECDSA takes a random number) is the one exception, and is not
 * measured. */
#ifndef ADY_IMAGE_BUILD_H
#define ADY_IMAGE_BUILD_H

#include "image/measure.h"
#include "image/sign.h"

/* Where the enclave finds its configuration. */
#define ADY_IMAGE_CONFIG_PATH "enclave.json"

/* The command line of AWS's own kernel images for x86_64 (aws-nitro-enclaves-cli, blobs/x86_64). */
#define ADY_IMAGE_CMDLINE                                                                        \
	"reboot=k panic=30 pci=off nomodules console=ttyS0 i8042.noaux i8042.nomux i8042.nopnp " \
	"i8042.dumbkbd random.trust_cpu=on"

struct ady_image_recipe {
	struct ady_bytes kernel, init, config; /* config: as ady_image_config makes it */
	const char *cmdline, *name, *version;
	int64_t built_unix_s;                  /* what metadata says; not measured */
	const struct ady_image_signer *signer; /* NULL: no signature */
};

/* Append the image and measure it. Its ramdisk holds /dev with the console, /proc, /sys, /init and
 * /enclave.json, and nothing else.
 * Returns ADY_E_IMAGE for an input that is not acceptable, or what signing returns, with the reason
 * in f. */
enum ady_err ady_image_build(struct ady_dyn *out, struct ady_image_pcrs *pcrs,
                             const struct ady_image_recipe *recipe, struct ady_fault *f);

#endif
