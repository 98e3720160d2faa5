/* SPDX-License-Identifier: Apache-2.0
 *
 * What differs between two images, section by section and file by file: for the one who has rebuilt
 * an image, got another PCR0, and wants to know why. */
#ifndef ADY_IMAGE_DIFF_H
#define ADY_IMAGE_DIFF_H

#include <jansson.h>

#include "base/bytes.h"

/* Append a line for each difference between two descriptions of ady_image_describe; those that are
 * measured begin with "measured". Returns how many there are: 0 for the same description. */
size_t ady_image_diff(struct ady_dyn *out, const json_t *a, const json_t *b);

#endif
