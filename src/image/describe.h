/* SPDX-License-Identifier: Apache-2.0
 *
 * What an image is, in JSON with the names of `nitro-cli describe-eif` and more, and in words. */
#ifndef ADY_IMAGE_DESCRIBE_H
#define ADY_IMAGE_DESCRIBE_H

#include <jansson.h>

#include "image/measure.h"
#include "image/sign.h"

/* An image that was read whole. The file must outlive it. */
struct ady_image {
	struct ady_eif eif;
	struct ady_image_pcrs pcrs;
	struct ady_image_signature signature; /* when is_signed */
	bool is_signed;
};

/* Read and measure an image and read its signature. Neither the CRC nor the signature is verified:
 * see ady_image_check. image is to be cleared in any case.
 * Returns ADY_E_IMAGE with section and reason in f. */
enum ady_err ady_image_read(struct ady_image *image, struct ady_bytes file, struct ady_fault *f);

/* Whether the CRC and, of a signed image, the signature hold. at_unix_s: when its certificate must
 * be valid. Returns ADY_E_IMAGE with the reason in f. */
enum ady_err ady_image_check(const struct ady_image *image, int64_t at_unix_s, struct ady_fault *f);

/* Free what ady_image_read made. */
void ady_image_clear(struct ady_image *image);

/* {"HashAlgorithm": .., "PCR0": .., ..}, a new object, as nitro-cli prints it; PCR8 only of a
 * signed image. */
json_t *ady_image_measurements(const struct ady_image_pcrs *pcrs);

/* Describe an image: *out is a new object, NULL on error. Returns ADY_E_IMAGE, with section and
 * reason in f, when metadata or a ramdisk cannot be read. */
enum ady_err ady_image_describe(json_t **out, const struct ady_image *image, int64_t at_unix_s,
                                struct ady_fault *f);

/* Append the same for people; description is one of ady_image_describe. */
void ady_image_describe_text(struct ady_dyn *out, const json_t *description);

/* Append JSON for people: on one line, printable ASCII. NULL: "(none)". */
void ady_image_put_json(struct ady_dyn *out, const json_t *v);

/* Bytes as a JSON string; what is not UTF-8, and control characters, become \xNN. */
json_t *ady_image_text(struct ady_bytes b);

#endif
