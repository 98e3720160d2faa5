/* SPDX-License-Identifier: Apache-2.0
 *
 * The content of a ramdisk section for those who describe and compare images. */
#ifndef ADY_IMAGE_RAMDISK_H
#define ADY_IMAGE_RAMDISK_H

#include <jansson.h>

#include "base/bytes.h"

/* The name of the compression that the kernel would undo ("gzip"), or NULL for a plain archive. */
const char *ady_ramdisk_compression(struct ady_bytes ramdisk);

/* List the entries of a plain archive: *out is a new array of {"Name", "Mode", "Size", "Sha384" of
 * a file, "Device" of a node}, NULL on error. where names the ramdisk in faults. Returns
 * ADY_E_IMAGE with the reason in f. */
enum ady_err ady_ramdisk_list(json_t **out, struct ady_bytes ramdisk, const char *where,
                              struct ady_fault *f);

#endif
