/* SPDX-License-Identifier: Apache-2.0
 *
 * The data keys that KMS has opened, kept in guarded, locked memory for as long as the measured
 * configuration allows: since they were last used, since they were opened, for a number of uses. A
 * data key is found by its tenant and its KMS ciphertext. Thread rule: any thread. */
#ifndef ADY_ENCLAVE_DATA_KEYS_H
#define ADY_ENCLAVE_DATA_KEYS_H

#include "enclave/config.h"

enum { ADY_DATA_KEY_SIZE = 32 };

struct ady_data_keys;

/* The name of a data key: SHA-256 of its tenant and its ciphertext. */
struct ady_data_key_name {
	uint8_t b[32];
};

/* Numbers for STATUS; all but held are sums since the start. */
struct ady_data_keys_report {
	uint64_t held, hits, misses, expired, locked;
};

/* Make an empty cache of config->data_keys places. Returns ADY_E_MEMORY or ADY_E_CRYPTO. */
enum ady_err ady_data_keys_open(struct ady_data_keys **d, const struct ady_enclave_config *config);

/* Wipe and free. NULL is allowed. */
void ady_data_keys_close(struct ady_data_keys *d);

/* Write the name of a data key. */
void ady_data_key_name(struct ady_data_key_name *name, const char *tenant, struct ady_bytes blob);

/* Whether the configuration lets any be kept. */
bool ady_data_keys_enabled(const struct ady_data_keys *d);

/* Copy a data key to out32, locked memory that the caller wipes, and count a use. False: it is not
 * there, or no longer. */
bool ady_data_keys_get(struct ady_data_keys *d, const struct ady_data_key_name *name,
                       uint8_t out32[static ADY_DATA_KEY_SIZE]);

/* The number of locks so far: to be read before KMS is asked for a key that is then put. */
uint64_t ady_data_keys_epoch(struct ady_data_keys *d);

/* Keep a data key, in place of the one unused for longest when all places are taken; not when there
 * was a lock since epoch was read: the key may be of those that it was to take away. */
void ady_data_keys_put(struct ady_data_keys *d, const struct ady_data_key_name *name,
                       const char *tenant, const uint8_t key32[static ADY_DATA_KEY_SIZE],
                       uint64_t epoch);

/* Wipe all data keys of a tenant (NULL: all). Returns how many there were. */
size_t ady_data_keys_lock(struct ady_data_keys *d, const char *tenant);

/* Wipe those whose time is over. To be called from time to time: they are not used meanwhile, but
 * are there. */
void ady_data_keys_sweep(struct ady_data_keys *d);

/* Fill the report. */
void ady_data_keys_report(struct ady_data_keys *d, struct ady_data_keys_report *report);

#endif
