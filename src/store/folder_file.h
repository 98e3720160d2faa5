/* SPDX-License-Identifier: Apache-2.0
 *
 * One file of a folder of records. Internal to folder.c.
 *
 *   {"adyton_key": 1, "id": "..", "revision": "..", "label": "..", "disabled": false, "deletion":
 * 0, "record": {..} as it is, or a string in the AWS sample's form} */
#ifndef ADY_STORE_FOLDER_FILE_H
#define ADY_STORE_FOLDER_FILE_H

#include "store/records.h"

enum { ADY_FOLDER_NAME_MAX = 240 };

/* The file's name for an id: the id with "/" and a leading "." escaped as in URLs, and ".json".
 * Returns ADY_E_TOO_LARGE when a file cannot have such a long name. */
enum ady_err ady_folder_name(char out[static ADY_FOLDER_NAME_MAX], const char *id,
                             struct ady_fault *f);

/* Read the file of that name in folder dir. Returns ADY_E_NOT_FOUND, ADY_E_RECORD or ADY_E_STORE.
 */
enum ady_err ady_folder_read(int dir, const char *name, struct ady_entry *out, struct ady_fault *f);

/* The notes of a folder, each a file ".note-NAME". Read one: ADY_E_NOT_FOUND, ADY_E_STORE. */
enum ady_err ady_folder_read_note(int dir, const char *name, struct ady_dyn *out,
                                  struct ady_fault *f);

/* Write one, durably. Returns ADY_E_STORE. */
enum ady_err ady_folder_write_note(int dir, const char *name, struct ady_bytes text,
                                   struct ady_fault *f);

/* Call each for all of them. Returns ADY_E_STORE. */
enum ady_err ady_folder_notes(int dir, ady_records_each_note each, void *ctx, struct ady_fault *f);

/* Write text to the file of that name, durably: a new one (ADY_E_EXISTS when there is one), or over
 * the one that is there. */
enum ady_err ady_folder_put(int dir, const char *name, struct ady_bytes text, bool fresh,
                            struct ady_fault *f);

/* Append a file's text to out, up to max bytes and a few more. Returns ADY_E_NOT_FOUND,
 * ADY_E_STORE. */
enum ady_err ady_folder_take(int dir, const char *name, size_t max, struct ady_dyn *out,
                             struct ady_fault *f);

/* Write an entry's file, durably: a new one (ADY_E_EXISTS when there is one of that name), or over
 * the one that is there. */
enum ady_err ady_folder_write(int dir, const struct ady_entry *e, bool fresh, struct ady_fault *f);

#endif
