/* SPDX-License-Identifier: Apache-2.0
 *
 * What the image commands share. */
#ifndef ADY_CLI_IMAGE_H
#define ADY_CLI_IMAGE_H

#include "image/describe.h"

enum { ADY_IMAGE_FILE_MAX = 1 << 30 };

/* An image file and what it holds. */
struct ady_image_file {
	struct ady_dyn bytes;
	struct ady_image image;
};

/* Read path. Returns ADY_E_IO or ADY_E_IMAGE with the reason in f; file is to be closed in any
 * case. */
enum ady_err ady_image_file_open(struct ady_image_file *file, const char *path,
                                 struct ady_fault *f);

/* Free. */
void ady_image_file_close(struct ady_image_file *file);

/* Print a JSON object on one line of standard output and free it. */
void ady_image_print_json(json_t *json);

#endif
