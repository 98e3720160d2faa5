/* SPDX-License-Identifier: Apache-2.0
 *
 * The local AWS as a whole: everything that adyton-devcloud listens for, on one loop. */
#ifndef ADY_DEVCLOUD_DEVCLOUD_H
#define ADY_DEVCLOUD_DEVCLOUD_H

#include <jansson.h>

#include "net/loop.h"
#include "net/transport.h"

struct ady_devcloud;

enum { ADY_DEV_ROLES_MAX = 16 };

/* Texts must live as long as the devcloud. */
struct ady_dev_config {
	const char *dir;               /* made when missing, mode 0700 */
	struct ady_endpoint api, imds; /* tcp; port 0: any */
	const char *nsm;               /* socket path; NULL: DIR/nsm.sock */
	const char *nsm_root;          /* PEM file; NULL: DIR/nsm-root.pem, the development root */
	const char *region, *account;
	const char *faults; /* file of fault rules, or NULL */
	int credential_ttl_s;
	bool accept_unsigned; /* attestation documents without proof, with a warning each */
	const char *roles[ADY_DEV_ROLES_MAX]; /* NAME=FILE: an identity policy */
	size_t roles_n;
};

/* Open the data folder and accept requests on loop. Returns an error with the reason in f; *cloud
 * is NULL then. */
enum ady_err ady_devcloud_open(struct ady_devcloud **cloud, struct ady_loop *loop,
                               const struct ady_dev_config *config, struct ady_fault *f);

/* End all connections, close the database, wipe, free. NULL is allowed. */
void ady_devcloud_close(struct ady_devcloud *cloud);

/* Where everything is, the administrator's credentials included: the object that --json prints. A
 * new reference. */
json_t *ady_devcloud_describe(const struct ady_devcloud *cloud);

#endif
