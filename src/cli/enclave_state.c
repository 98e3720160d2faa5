/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/enclave_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/file.h"

enum { STATE_MAX = 65536 };

static bool join(char out[static PATH_MAX], const char *dir, const char *file)
{
	return snprintf(out, PATH_MAX, "%s/%s", dir, file) < PATH_MAX;
}

enum ady_err ady_enclave_dir_take(char out[static PATH_MAX], const char *dir, struct ady_fault *f)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_MAX];
	int fd;

	if ((mkdir(dir, 0700) != 0 && errno != EEXIST) || !realpath(dir, out) ||
	    !join(path, out, "enclave.lock"))
		return ady_fail(f, ADY_E_IO, NULL, "%s: %s", dir, strerror(errno));
	/* Left open for good: a lock of this kind goes when any descriptor of the file is closed,
	 * but tells others who holds it. */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0)
		return ADY_OK;
	if (fd < 0)
		return ady_fail(f, ADY_E_IO, NULL, "%s: %s", path, strerror(errno));
	close(fd);
	return ady_fail(f, ADY_E_CONFIG, NULL,
	                "an enclave runs in %s already: adyton enclave stop, or another --dir",
	                out);
}

pid_t ady_enclave_dir_owner(const char *dir)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_MAX];
	int fd = join(path, dir, "enclave.lock") ? open(path, O_RDWR | O_CLOEXEC) : -1;
	pid_t owner = 0;

	if (fd < 0)
		return 0;
	if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		owner = lock.l_pid;
	close(fd);
	return owner;
}

enum ady_err ady_enclave_state_save(const char *dir, const json_t *state, struct ady_fault *f)
{
	char path[PATH_MAX], *text = json_dumps(state, JSON_INDENT(2));
	enum ady_err err;

	if (!text || !join(path, dir, "enclave-run.json")) {
		free(text);
		return ady_fail(f, ADY_E_IO, NULL, "the state cannot be written");
	}
	err = ady_file_write(path, 0600, ady_bytes_str(text), f);
	free(text);
	return err;
}

enum ady_err ady_enclave_state_load(json_t **out, const char *dir, struct ady_fault *f)
{
	struct ady_dyn text = {0};
	char path[PATH_MAX] = "";
	enum ady_err err;

	*out = NULL;
	err = join(path, dir, "enclave-run.json") ? ady_file_read(&text, path, STATE_MAX, f)
	                                          : ADY_E_IO;
	if (err == ADY_OK)
		*out = json_loadb((const char *)text.p, text.n, 0, NULL);
	ady_dyn_free(&text);
	if (err != ADY_OK)
		return ady_fail(f, ADY_E_NOT_FOUND, NULL, "no enclave has run in %s", dir);
	if (!json_is_object(*out)) {
		json_decref(*out);
		*out = NULL;
		return ady_fail(f, ADY_E_JSON, NULL, "%s is damaged", path);
	}
	if (ady_enclave_dir_owner(dir) == 0)
		json_object_set_new(*out, "state", json_string("stopped"));
	return ADY_OK;
}
