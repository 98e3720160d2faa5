/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/config_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "enclave/tls.h"

/* A byte more than the limit, so that a file beyond it is refused and not cut. */
static enum ady_err read_all(struct ady_enclave_config *c, int fd, struct ady_fault *f)
{
	static uint8_t file[ADY_CONFIG_FILE_MAX + 1];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof file && (got = read(fd, file + n, sizeof file - n)) > 0)
		n += (size_t)got;
	if (n == 0)
		return ady_fail(f, ADY_E_CONFIG, "", "the file is empty or cannot be read");
	return ady_enclave_config_read(c, ady_bytes(file, n), f);
}

static enum ady_err check_roots(const struct ady_enclave_config *c, struct ady_fault *f)
{
	struct ady_tls_client client;
	enum ady_err err = ady_tls_client_open(&client, c->kms.roots_pem, f);

	if (err == ADY_OK)
		ady_tls_client_close(&client);
	return err;
}

enum ady_err ady_config_file_read(struct ady_enclave_config *c, int *fd, const char *path,
                                  struct ady_fault *f)
{
	enum ady_err err;

	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return ady_fail(f, ADY_E_CONFIG, "", "the file cannot be opened");
	err = read_all(c, *fd, f);
	if (err == ADY_OK)
		err = check_roots(c, f);
	if (err != ADY_OK) {
		close(*fd);
		*fd = -1;
	}
	return err;
}
