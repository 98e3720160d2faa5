/* SPDX-License-Identifier: Apache-2.0
 *
 * Many keystores to the enclave, several at once. What the store has already is left alone, so that
 * a run that was cut off goes on where it was. A gateway or enclave that is not there, or has too
 * much to do, is waited for; an enclave that began anew is attested anew; a file that is refused
 * does not stop the others. */
#ifndef ADY_CLI_KEYSTORE_IMPORT_H
#define ADY_CLI_KEYSTORE_IMPORT_H

#include "cli/attest.h"
#include "cli/key_options.h"
#include "cli/keystore_files.h"

enum { ADY_KEYSTORE_JOBS_MAX = 64 };

struct ady_keystore_import {
	struct ady_gateway gateway;
	struct ady_key_options key; /* of all of them; not its id */
	const char *name;           /* an id with "{key}" where public key or address go */
	const char *root;
	struct ady_attest_expected expected;
	const struct ady_dyn *password;        /* of all of them, or NULL: */
	const char *passwords, *password_file; /* see ady_keystore_password */
	size_t jobs;                           /* 1..ADY_KEYSTORE_JOBS_MAX at once */
};

/* Import all files, with progress on standard error. Out: each file's id, outcome and fault.
 * Returns: ADY_OK when every file was tried; else why the run ended before, in f: the enclave is
 * not the one that was expected, or nobody answered for two minutes. */
enum ady_err ady_keystores_import(struct ady_keystore_files *files,
                                  const struct ady_keystore_import *m, struct ady_fault *f);

#endif
