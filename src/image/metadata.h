/* SPDX-License-Identifier: Apache-2.0
 *
 * The metadata section: JSON as nitro-cli writes it. Nothing measures it; it is a label that
 * anybody may change, and is shown as such. */
#ifndef ADY_IMAGE_METADATA_H
#define ADY_IMAGE_METADATA_H

#include <jansson.h>

#include "base/bytes.h"

struct ady_image_metadata {
	const char *name, *version; /* UTF-8 */
	char kernel[64];
	int64_t built_unix_s;
};

/* Append the JSON. Returns ADY_E_FIELD_INVALID for a name or version that is not UTF-8, with the
 * reason in f. */
enum ady_err ady_image_metadata_put(struct ady_dyn *out, const struct ady_image_metadata *m,
                                    struct ady_fault *f);

/* Parse a section: *out is a new JSON object, NULL on error. where names it in faults.
 * Returns ADY_E_IMAGE with the reason in f. */
enum ady_err ady_image_metadata_read(json_t **out, struct ady_bytes section, const char *where,
                                     struct ady_fault *f);

#endif
