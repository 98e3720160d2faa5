/* SPDX-License-Identifier: Apache-2.0
 *
 * Where programs are, and how long a boot may take. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/enclave.h"

enum { BOOT_MS = 90000 };

static bool is_program(const char *path)
{
	return access(path, X_OK) == 0;
}

/* What script/vm-tools unpacks lies beside the build folder that this program is in. */
static bool beside(char out[static PATH_MAX], const char *name)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	self[n > 0 ? n : 0] = 0;
	if (!strrchr(self, '/'))
		return false;
	*strrchr(self, '/') = 0;
	return snprintf(out, PATH_MAX, "%s/../vm/bin/%s", self, name) < PATH_MAX && is_program(out);
}

static bool in_path(char out[static PATH_MAX], const char *name)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		const int n = (int)strcspn(path, ":");

		if (n > 0 && snprintf(out, PATH_MAX, "%.*s/%s", n, path, name) < PATH_MAX &&
		    is_program(out))
			return true;
		path += n;
		path += *path == ':';
	}
	return false;
}

enum ady_err ady_program_find(char out[static PATH_MAX], const char *variable, const char *name,
                              struct ady_fault *f)
{
	const char *given = getenv(variable);

	if (given && *given) {
		snprintf(out, PATH_MAX, "%s", given);
		return is_program(out)
		           ? ADY_OK
		           : ady_fail(f, ADY_E_NOT_FOUND, variable, "%s is no program", given);
	}
	if (beside(out, name) || in_path(out, name))
		return ADY_OK;
	out[0] = 0;
	return ady_fail(f, ADY_E_NOT_FOUND, name,
	                "is not in PATH; name it with %s, or run script/vm-tools", variable);
}

int64_t ady_boot_limit_ms(uint64_t image_bytes, uint32_t memory_mib)
{
	const uint64_t by_image = (image_bytes ? image_bytes - 1 : 0) / (6ull << 30);
	const uint64_t by_memory = (memory_mib ? memory_mib - 1 : 0) / (100u << 10);

	return BOOT_MS * (int64_t)(1 + by_image) + BOOT_MS * (int64_t)(1 + by_memory);
}
