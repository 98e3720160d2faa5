/* SPDX-License-Identifier: Apache-2.0
 *
 * What the threads of a bulk import share. Used by cli/keystore_import.c and cli/keystore_post.c
 * alone. */
#ifndef ADY_CLI_KEYSTORE_RUN_H
#define ADY_CLI_KEYSTORE_RUN_H

#include <pthread.h>

#include "cli/keystore_import.h"
#include "crypto/hpke.h"

struct ady_keystore_run {
	const struct ady_keystore_import *m;
	struct ady_keystore_files *files;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t next, done, failed; /* files */
	size_t in_flight, limit;   /* requests; limit grows with what succeeds */
	uint8_t import_key[ADY_HPKE_KEY];
	unsigned generation; /* of import_key */
	int64_t answered_ms; /* when the gateway last did something for us */
	bool stopped;
	struct ady_fault why; /* of stopped */
};

/* Import one file: read it, look whether it is there, seal, ask, and again until there is an
 * answer. Fills its outcome. */
void ady_keystore_post(struct ady_keystore_run *run, struct ady_keystore_file *file);

#endif
