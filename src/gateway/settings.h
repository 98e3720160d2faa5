/* SPDX-License-Identifier: Apache-2.0
 *
 * What the Keymanager API keeps of a validator beside its key: fee recipient, gas limit, graffiti.
 * They are rows of the states' store (gateway/states.h), under keys that no validator has, so that
 * every gateway of that store sees them. The enclave never does: nothing here is signed. No state;
 * any thread. */
#ifndef ADY_GATEWAY_SETTINGS_H
#define ADY_GATEWAY_SETTINGS_H

#include "store/states.h"

enum { ADY_GRAFFITI_MAX = 32 };

struct ady_settings {
	uint64_t version; /* of the row; 0: there is none */
	bool has_fee, has_gas, has_graffiti;
	uint8_t fee_recipient[20];
	uint64_t gas_limit;
	char graffiti[ADY_GRAFFITI_MAX + 1]; /* UTF-8 */
};

/* The key of a validator's settings: SHA-384("adyton settings 1" || public key). */
void ady_settings_key(uint8_t key[static ADY_STATE_KEY],
                      const uint8_t public_key[static ADY_STATE_KEY]);

/* Whether a row of the store is one of settings. */
bool ady_settings_is_row(const struct ady_state_row *row);

/* Read a row; one that is empty, or none of settings, has none. */
void ady_settings_read(struct ady_settings *s, const struct ady_state_row *row);

/* Write the row of the version behind s->version. */
void ady_settings_write(struct ady_state_row *row, const struct ady_settings *s);

#endif
