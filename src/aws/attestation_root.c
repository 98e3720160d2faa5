/* SPDX-License-Identifier: Apache-2.0
 *
 * The root of a local stack, or one that an operator keeps; of parent programs only. */
#include <openssl/pem.h>
#include <stdio.h>

#include "aws/attestation.h"

enum ady_err ady_attestation_read_root(uint8_t der[static ADY_ATTESTATION_ROOT_MAX], size_t *n,
                                       const char *path, struct ady_fault *f)
{
	FILE *file = fopen(path, "re");
	X509 *cert;
	int len;

	*n = 0;
	if (!file)
		return ady_fail(f, ADY_E_IO, NULL, "%s cannot be opened", path);
	cert = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	len = cert ? i2d_X509(cert, NULL) : 0;
	if (len > 0 && len <= ADY_ATTESTATION_ROOT_MAX)
		*n = (size_t)i2d_X509(cert, &der);
	X509_free(cert);
	return *n ? ADY_OK : ady_fail(f, ADY_E_IO, NULL, "%s holds no PEM certificate", path);
}
