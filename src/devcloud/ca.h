/* SPDX-License-Identifier: Apache-2.0
 *
 * The development CA and the server certificate it signs, as PEM files in the data folder. */
#ifndef ADY_DEVCLOUD_CA_H
#define ADY_DEVCLOUD_CA_H

#include "base/bytes.h"

/* Make what is missing in dir: ca.pem and ca-key.pem (P-256, ten years), server.pem and
 * server-key.pem for localhost, 127.0.0.1, ::1 and AWS's host names in region; a server certificate
 * of another region, or with less than 30 days left, is made anew. Keys have mode 0600.
 * Returns ADY_E_IO or ADY_E_CRYPTO with the reason in f, ADY_E_CONFIG for a ca.pem without its
 * key. */
enum ady_err ady_dev_ca_prepare(const char *dir, const char *region, struct ady_fault *f);

#endif
