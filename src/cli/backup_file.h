/* SPDX-License-Identifier: Apache-2.0
 *
 * The file that `adyton key backup` writes, and its opening with the private half of the backup
 * key: for backup open, and for wallet import. */
#ifndef ADY_CLI_BACKUP_FILE_H
#define ADY_CLI_BACKUP_FILE_H

#include <jansson.h>

#include "signer/backup.h"

/* What stands before the hex of a private backup key in its file. */
#define ADY_BACKUP_KEY_HEAD "adyton-backup-key x25519 "

struct ady_backup_file {
	json_t *json; /* the texts are its */
	const char *id, *tenant, *curve_name, *public_text;
	enum ady_curve curve;
	uint8_t public[48];
	struct ady_backup sealed;
};

/* What was in it: of a wallet its entropy and seed, else the key. */
struct ady_backup_secret {
	struct ady_seckey key;
	struct ady_wallet wallet;
};

/* For the attribute cleanup. */
void ady_backup_secret_wipe(struct ady_backup_secret *secret);

/* Read the file at path. Out: file, to be freed also on error.
 * Returns: ADY_E_FIELD_INVALID for what is no backup; the errors of ady_file_read. */
enum ady_err ady_backup_file_read(struct ady_backup_file *file, const char *path,
                                  struct ady_fault *f);

/* Free it. */
void ady_backup_file_free(struct ady_backup_file *file);

/* Open it with the private key in key_file, and check that what was in it is the key, or the
 * wallet, of its public key. Out: secret, all zero on error.
 * Returns: ADY_E_FIELD_INVALID for a key file that is none; ADY_E_CRYPTO; ADY_E_RECORD_MISMATCH. */
enum ady_err ady_backup_file_open(struct ady_backup_secret *secret,
                                  const struct ady_backup_file *file, const char *key_file,
                                  struct ady_fault *f);

#endif
