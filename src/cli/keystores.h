/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton key import --keystore FILE and --keystores FOLDER. */
#ifndef ADY_CLI_KEYSTORES_H
#define ADY_CLI_KEYSTORES_H

#include "cli/keystore_import.h"
#include "cli/keystore_slashing.h"

/* What the command line says of keystores. */
struct ady_keystores_asked {
	const char *file, *folder; /* one of them */
	const char *passwords, *password_file, *jobs;
	const char *slashing, *network; /* network: its name, or a genesis validators root */
	bool fresh;
};

#define ADY_KEYSTORES_OPTIONS(a)                                                                   \
	{"keystore", "FILE", "instead: a keystore of geth or of EIP-2335", .text = &(a).file},     \
	    {"keystores", "FOLDER", "all keystores in it; ID may have {key} in it",                \
	     .text = &(a).folder},                                                                 \
	    {"password-file", "FILE", "the password (of all of them); -: standard input (usual)",  \
	     .text = &(a).password_file},                                                          \
	    {"passwords", "FOLDER", "where each keystore's password is; else beside it",           \
	     .text = &(a).passwords},                                                              \
	    {"jobs", "N", "keystores at once, 1 to 64 (8)", .text = &(a).jobs},                    \
	    {"slashing", "FILE", "the validators' histories (EIP-3076)", .text = &(a).slashing},   \
	    {"new", NULL, "validators without history never signed anywhere", .flag = &(a).fresh}, \
	{                                                                                          \
		"network", "NAME", "for --new without --slashing: of the validators",              \
		    .text = &(a).network                                                           \
	}

/* Import what was asked for. m: gateway, key, root and expected are set; the rest comes from asked.
 * Returns the exit status. */
int ady_keystores_run(const struct ady_command *self, struct ady_keystore_import *m,
                      const struct ady_keystores_asked *asked, const struct ady_values *rest,
                      bool json);

#endif
