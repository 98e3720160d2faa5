/* SPDX-License-Identifier: Apache-2.0
 *
 * Keystores in a folder, and where their passwords are. The layouts of the deposit tools, Lodestar,
 * Lighthouse, Nimbus and Teku are known:
 *
 *   FOLDER/keystore-m_12381_3600_0_0_0-1700000000.json   and beside it, or in the passwords'
 * folder, the same name with .txt FOLDER/0x8a../voting-keystore.json, keystore.json    passwords:
 * FOLDER2/0x8a..
 *
 * A JSON file without "crypto" (deposit_data-*.json, say) is no keystore and left out. */
#ifndef ADY_CLI_KEYSTORE_FILES_H
#define ADY_CLI_KEYSTORE_FILES_H

#include "base/bytes.h"

enum ady_keystore_outcome {
	ADY_KEYSTORE_WAITS,
	ADY_KEYSTORE_IMPORTED,
	ADY_KEYSTORE_THERE, /* was in the store already */
	ADY_KEYSTORE_FAILED,
	ADY_KEYSTORE_LEFT_OUT,
};

struct ady_keystore_file {
	char *path;
	uint64_t form; /* enum ady_wire_import_form */
	char key[99];  /* the public key or address that it names: "0x" and hex; "": none */
	char id[256];  /* of the key in the gateway's store */
	enum ady_keystore_outcome outcome;
	struct ady_fault fault; /* of ADY_KEYSTORE_FAILED */
};

struct ady_keystore_files {
	struct ady_keystore_file *v;
	size_t n;
};

/* Find the *.json files in folder and in the folders in it, in the order of their names.
 * Returns ADY_E_IO with the reason in f; ady_keystore_files_free in every case. */
enum ady_err ady_keystore_files_find(struct ady_keystore_files *files, const char *folder,
                                     struct ady_fault *f);

/* One file alone. */
void ady_keystore_files_one(struct ady_keystore_files *files, const char *path);

/* Free the list. */
void ady_keystore_files_free(struct ady_keystore_files *files);

/* Read a keystore into text: its form and the key that it names.
 * Returns: ADY_E_NOT_FOUND for JSON that is no keystore at all; ADY_E_KEYSTORE; ADY_E_IO. */
enum ady_err ady_keystore_file_read(struct ady_keystore_file *file, struct ady_dyn *text,
                                    struct ady_fault *f);

enum { ADY_PASSWORD_FILE_MAX = 4096 };

/* Cut the ends of lines off a password. */
void ady_keystore_trim(struct ady_dyn *password);

/* Append the password of a keystore, without the ends of lines behind it: of the file `one`, or,
 * when that is NULL, of a file in folder (NULL: where the keystore is) with the keystore's name and
 * .txt, or named by its public key with and without "0x", alone or with .txt.
 * Returns: ADY_E_NOT_FOUND; ADY_E_IO. The caller wipes it. */
enum ady_err ady_keystore_password(struct ady_dyn *password, const struct ady_keystore_file *file,
                                   const char *folder, const char *one, struct ady_fault *f);

#endif
