/* SPDX-License-Identifier: Apache-2.0
 *
 * The measured configuration of the enclave: one strict JSON file, read once. Whatever may differ
 * between two deployments and matters for security stands here and nowhere else, so that the
 * measurement of the image (or PCR16, which holds the hash of these bytes) tells it. */
#ifndef ADY_ENCLAVE_CONFIG_H
#define ADY_ENCLAVE_CONFIG_H

#include "enclave/config_validators.h"
#include "net/transport.h"

enum {
	ADY_CONFIG_FILE_MAX = 128 * 1024,
	ADY_CONFIG_KEYS_MAX = 16,
	ADY_CONFIG_ROOTS_MAX = 64 * 1024,
};

struct ady_config_kms {
	char host[254], region[33], account[13];
	uint32_t port;
	char keys[ADY_CONFIG_KEYS_MAX][192]; /* key ARNs, all of region and account */
	size_t keys_n;
	char roots_pem[ADY_CONFIG_ROOTS_MAX]; /* the only roots that TLS to KMS may end in */
};

/* What a counter may be relied on for that this enclave did not begin. WAIT: for nothing before its
 * period has passed since the start. STORE: the store's newest row is taken for the newest. */
enum ady_counters_after_start { ADY_COUNTERS_WAIT, ADY_COUNTERS_STORE };

struct ady_enclave_config {
	char deployment[65];
	bool development; /* allows Unix sockets, the development NSM, unlocked memory */
	struct ady_endpoint listen, relay;
	bool nsm_device; /* nsm_path is the device; false: the development socket */
	char nsm_path[108];
	struct ady_config_kms kms;
	uint32_t rsa_bits, rsa_max_age_s;
	uint32_t attestation_max_age_s; /* 0: a document for every call */
	uint32_t clock_check_s;         /* between two looks at the NSM's time */
	uint32_t kms_connections, kms_timeout_ms;
	uint32_t lanes; /* 0: one per core */
	uint32_t depth;
	uint32_t memory_mib;       /* that is divided (enclave/memory.h); 0: what is free */
	uint32_t data_keys;        /* how many are kept open */
	uint32_t data_key_idle_s;  /* since it was used; 0: none is kept */
	uint32_t data_key_max_s;   /* since KMS opened it; 0: none is kept */
	uint32_t data_key_uses;    /* signatures; 0: any number */
	uint32_t keystore_threads; /* keystores opened at once; 0: one per core */
	uint32_t keystore_mib;     /* memory for that; 0: no keystore is taken */
	uint32_t counters_keys;    /* guarded keys that may be used between two starts */
	enum ady_counters_after_start counters_after_start;
	/* What a key that is made here may be backed up to: whoever asks for it is the parent. */
	uint8_t backup_keys[ADY_CONFIG_KEYS_MAX][32];
	size_t backup_keys_n;
	uint32_t stamp_life_s;  /* the longest that a stamp may be good for */
	bool verify_signatures; /* check each signature before it leaves */
	struct ady_config_validators validators;
	uint8_t hash48[48]; /* SHA-384 of the file's bytes */
};

/* Read a configuration. Unknown, missing, duplicate and ill-formed members are refused, each with
 * its path in f->where.
 * Returns: ADY_E_JSON, ADY_E_TOO_LARGE, ADY_E_FIELD_UNKNOWN, _MISSING, _INVALID, _RANGE, or
 * ADY_E_CONFIG for values that do not go together. *c is unusable on error. Heap: none. */
enum ady_err ady_enclave_config_read(struct ady_enclave_config *c, struct ady_bytes file,
                                     struct ady_fault *f);

#endif
