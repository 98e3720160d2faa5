/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes into an image, checked before it is measured: a mistake found here is a sentence, found
 * later it is an enclave that does not start and cannot say why. */
#ifndef ADY_IMAGE_INPUTS_H
#define ADY_IMAGE_INPUTS_H

#include "base/bytes.h"

/* The version of a bzImage (Linux, Documentation/arch/x86/boot.rst): the first word of the text
 * that its header points to, such as "6.12.95". Returns ADY_E_IMAGE with the reason in f. */
enum ady_err ady_kernel_version(char out[static 64], struct ady_bytes kernel, struct ady_fault *f);

/* Whether a program can be /init where nothing else is: a position-independent ELF program for
 * x86_64 that needs no loader and no library. Returns ADY_E_IMAGE with the reason in f. */
enum ady_err ady_init_check(struct ady_bytes program, struct ady_fault *f);

/* Append the configuration that the image carries: file as it stands, or, with roots (PEM), with
 * these as kms.roots_pem, which it must not have then. Roots are written anew, certificate by
 * certificate, without the comments between them. Only the JSON is checked and that there are
 * roots in the end: the enclave's own reader checks the rest (adyton-enclave --check).
 * Returns ADY_E_JSON and so on, ADY_E_FIELD_MISSING, ADY_E_FIELD_INVALID, with the reason in f. */
enum ady_err ady_image_config(struct ady_dyn *out, struct ady_bytes file, struct ady_bytes roots,
                              struct ady_fault *f);

#endif
