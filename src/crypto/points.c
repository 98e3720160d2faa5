/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/points.h"

#include <string.h>

#include "crypto/secp.h"

static bool is_of(const uint8_t pub65[static 65], const uint8_t pub33[static 33])
{
	uint8_t compressed[33];

	ady_secp_compress(compressed, pub65);
	return memcmp(compressed, pub33, sizeof compressed) == 0 && ady_secp_is_point(pub65);
}

enum ady_err ady_points_expand(struct ady_points *points, uint8_t pub65[static 65],
                               const uint8_t pub33[static 33])
{
	uint8_t *place = points ? points->pub65[pub33[32]] : NULL;
	enum ady_err err;

	if (place && is_of(place, pub33)) {
		memcpy(pub65, place, 65);
		return ADY_OK;
	}
	err = ady_secp_expand(pub65, pub33);
	if (err == ADY_OK && place)
		memcpy(place, pub65, 65);
	return err;
}
