/* SPDX-License-Identifier: Apache-2.0 */
#include "image/measure.h"

#include <string.h>

#include "aws/measure.h"

const unsigned ady_image_pcr_index[ADY_IMAGE_PCRS] = {0, 1, 2, 8};

enum { FIRST_RAMDISK = 2 };

/* Kernel, command line, ramdisks: what PCR0 to 2 are made of. "File order" is of the ramdisks
 * among themselves. Returns how many parts there are. */
static size_t measured(struct ady_bytes parts[static ADY_EIF_SECTIONS], const struct ady_eif *eif)
{
	size_t n = FIRST_RAMDISK;

	parts[0] = ady_eif_data(eif, ADY_EIF_KERNEL);
	parts[1] = ady_eif_data(eif, ADY_EIF_CMDLINE);
	for (size_t i = 0; i < eif->n; i++)
		if (eif->sections[i].type == ADY_EIF_RAMDISK)
			parts[n++] = eif->sections[i].data;
	return n;
}

void ady_image_measure(struct ady_image_pcrs *pcrs, const struct ady_eif *eif,
                       struct ady_bytes certificate)
{
	struct ady_bytes parts[ADY_EIF_SECTIONS];
	size_t n = measured(parts, eif), others = FIRST_RAMDISK + 1;

	ady_measure_extend(pcrs->pcr[0], parts, n);
	ady_measure_extend(pcrs->pcr[1], parts, others);
	ady_measure_extend(pcrs->pcr[2], parts + others, n - others);
	memset(pcrs->pcr[3], 0, sizeof pcrs->pcr[3]);
	if (certificate.n)
		ady_measure_extend(pcrs->pcr[3], &certificate, 1);
}
