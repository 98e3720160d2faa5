/* SPDX-License-Identifier: Apache-2.0
 *
 * The enclave's configuration from its file. */
#ifndef ADY_ENCLAVE_CONFIG_FILE_H
#define ADY_ENCLAVE_CONFIG_FILE_H

#include "enclave/config.h"

/* Open and read a configuration, and check that its roots are certificates.
 * Out:     *fd, the open file, for the development NSM to measure; -1 on error.
 * Returns: ADY_E_CONFIG when the file cannot be read or its roots are not acceptable, else as
 *          ady_enclave_config_read. */
enum ady_err ady_config_file_read(struct ady_enclave_config *c, int *fd, const char *path,
                                  struct ady_fault *f);

#endif
