/* SPDX-License-Identifier: Apache-2.0
 *
 * An enclave's memory under /dev/nitro_enclaves: huge pages of ours that the driver takes from the
 * parent, region by region, with the image written into them beforehand. */
#ifndef ADY_CLI_ENCLAVE_MEMORY_H
#define ADY_CLI_ENCLAVE_MEMORY_H

#include "base/bytes.h"

enum {
	ADY_NE_REGIONS = 1024,
	ADY_NE_PAGE = 2 << 20,       /* regions are aligned to it, and multiples of it */
	ADY_NE_REGION_MAX = 1 << 30, /* the largest page there is */
	ADY_NE_MEMORY_MIN_MIB = 64,  /* the driver's */
	ADY_NE_IMAGE_FACTOR = 4,     /* nitro-cli: memory is at least four times the image */
};

struct ady_ne_region {
	uint8_t *at;
	uint64_t n;
};

struct ady_ne_memory {
	struct ady_ne_region regions[ADY_NE_REGIONS];
	size_t n;
};

/* Divide memory of mib MiB into regions, without addresses: as large ones as there are, the rest
 * last. Returns ADY_E_CONFIG, with the reason in f, when it is not a multiple of 2 MiB, less than
 * the driver takes, less than four times an image of image_n bytes, or over 1 TiB. */
enum ady_err ady_ne_split(struct ady_ne_memory *m, uint32_t mib, uint64_t image_n,
                          struct ady_fault *f);

/* Write image at offset, counted through the regions in their order. Returns ADY_E_TOO_LARGE with
 * the reason in f, and writes nothing, when it does not fit. */
enum ady_err ady_ne_place(const struct ady_ne_memory *m, uint64_t offset, struct ady_bytes image,
                          struct ady_fault *f);

/* Map all regions on huge pages: 1 GiB pages for regions of that size when there are, else 2 MiB
 * pages. Returns ADY_E_MEMORY with the reason in f. */
enum ady_err ady_ne_map(struct ady_ne_memory *m, struct ady_fault *f);

/* Unmap what ady_ne_map mapped. */
void ady_ne_unmap(struct ady_ne_memory *m);

#endif
