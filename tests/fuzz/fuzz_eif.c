/* SPDX-License-Identifier: Apache-2.0
 *
 * Enclave images: what is read is described and compared without harm, and what we write reads back
 * as the same sections. */
#include <stdlib.h>

#include "image/describe.h"
#include "image/diff.h"

/* The entry point of libFuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* nitro-cli's and our own order: what the writer can write. */
static void check_round_trip(const struct ady_eif *eif)
{
	const struct ady_eif_parts parts = {.kernel = ady_eif_data(eif, ADY_EIF_KERNEL),
	                                    .cmdline = ady_eif_data(eif, ADY_EIF_CMDLINE),
	                                    .metadata = ady_eif_data(eif, ADY_EIF_METADATA),
	                                    .ramdisk = ady_eif_data(eif, ADY_EIF_RAMDISK),
	                                    .signature = ady_eif_data(eif, ADY_EIF_SIGNATURE)};
	struct ady_dyn out = {0};
	struct ady_eif again;

	ady_eif_write(&out, &parts);
	must(ady_eif_read(&again, ady_dyn_bytes(&out), NULL) == ADY_OK);
	must(again.crc_stored == again.crc_computed);
	for (int t = ADY_EIF_KERNEL; t <= ADY_EIF_METADATA; t++)
		must(ady_bytes_eq(ady_eif_data(eif, (enum ady_eif_type)t),
		                  ady_eif_data(&again, (enum ady_eif_type)t)));
	ady_dyn_free(&out);
}

static void describe(const struct ady_image *image)
{
	struct ady_dyn text = {0};
	struct ady_fault f = {0};
	json_t *json;

	if (ady_image_describe(&json, image, 1700000000, &f) != ADY_OK) {
		must(!json && f.err == ADY_E_IMAGE && f.where[0] && f.detail[0]);
		return;
	}
	ady_image_describe_text(&text, json);
	for (size_t i = 0; i < text.n; i++)
		must(text.p[i] == '\n' || (text.p[i] >= 0x20 && text.p[i] != 0x7f));
	must(ady_image_diff(&text, json, json) == 0);
	ady_dyn_free(&text);
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ady_fault f = {0};
	struct ady_image image;

	if (ady_image_read(&image, ady_bytes(data, size), &f) == ADY_OK) {
		describe(&image);
		(void)ady_image_check(&image, 1700000000, &f);
		check_round_trip(&image.eif);
	} else {
		must(f.err == ADY_E_IMAGE && f.where[0] && f.detail[0]);
	}
	ady_image_clear(&image);
	return 0;
}
