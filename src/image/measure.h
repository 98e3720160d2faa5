/* SPDX-License-Identifier: Apache-2.0
 *
 * What the Nitro hypervisor measures of an image (AWS Nitro Enclaves user guide, "Where to get an
 * enclave's measurements"). With X(content) = SHA384(48 zero bytes || SHA384(content)), over the
 * data of sections in file order:
 *   PCR0 = X(kernel || command line || all ramdisks), PCR1 = X(kernel || command line || the first
 *   ramdisk), PCR2 = X(the other ramdisks), PCR8 = X(signing certificate, DER), or 48 zero bytes
 *   for an image that is not signed. Neither metadata nor signature is measured. */
#ifndef ADY_IMAGE_MEASURE_H
#define ADY_IMAGE_MEASURE_H

#include "image/eif.h"

enum { ADY_IMAGE_PCRS = 4 };

struct ady_image_pcrs {
	uint8_t pcr[ADY_IMAGE_PCRS][48]; /* of the registers of ady_image_pcr_index */
};

/* The registers: 0, 1, 2 and 8. */
extern const unsigned ady_image_pcr_index[ADY_IMAGE_PCRS];

/* Measure an image. certificate: DER, empty when it is not signed. */
void ady_image_measure(struct ady_image_pcrs *pcrs, const struct ady_eif *eif,
                       struct ady_bytes certificate);

#endif
