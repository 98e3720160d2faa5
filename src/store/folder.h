/* SPDX-License-Identifier: Apache-2.0
 *
 * Records in a folder, one JSON file each: to look at, to back up, to keep in a repository. Files
 * are written whole, synchronised, and renamed into place. The folder is searched by an index in
 * memory, which is read anew when the folder has changed. For some thousands of keys. */
#ifndef ADY_STORE_FOLDER_H
#define ADY_STORE_FOLDER_H

#include "store/records.h"

/* Open or create the folder (mode 0700); index_ms: how often it is looked at for changes by others.
 * The path must outlive the store. Returns ADY_E_STORE or ADY_E_MEMORY with the reason in f. */
enum ady_err ady_folder_open(struct ady_records **r, const char *path, int64_t index_ms,
                             struct ady_fault *f);

#endif
