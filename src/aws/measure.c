/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/measure.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "crypto/hash.h"

enum { PROGRAM_MAX = 256 << 20, CONFIG_MAX = 1 << 20, STEP = 1 << 20 };

static const uint8_t zero48[48];

static void extend_zero(uint8_t pcr48[static 48], struct ady_bytes content)
{
	ady_sha384(pcr48, (struct ady_bytes[]){ady_bytes(zero48, 48), content}, 2);
}

void ady_measure_extend(uint8_t pcr48[static 48], const struct ady_bytes *parts, size_t n)
{
	uint8_t hash[48];

	ady_sha384(hash, parts, n);
	extend_zero(pcr48, ady_bytes(hash, sizeof hash));
}

void ady_measure_process(struct ady_measurement *m, struct ady_bytes program,
                         struct ady_bytes config)
{
	struct ady_bytes parts[2] = {program, config};

	ady_measure_extend(m->pcr[0], parts, 2);
	ady_measure_extend(m->pcr[1], &parts[0], 1);
	ady_measure_extend(m->pcr[2], &parts[1], 1);
}

void ady_measure_identity(uint8_t pcr48[static 48], const char *identity)
{
	extend_zero(pcr48, ady_bytes_str(identity));
}

static enum ady_err read_all(struct ady_dyn *out, int fd, size_t max, const char *what,
                             struct ady_fault *f)
{
	for (;;) {
		uint8_t *room = ady_dyn_room(out, STEP);
		ssize_t n = pread(fd, room, STEP, (off_t)out->n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ady_fail(f, ADY_E_IO, what, "cannot be read: %s", strerror(errno));
		if (n == 0)
			return ADY_OK;
		out->n += (size_t)n;
		if (out->n > max)
			return ady_fail(f, ADY_E_TOO_LARGE, what, "exceeds %zu bytes", max);
	}
}

enum ady_err ady_measure_files(struct ady_measurement *m, int program_fd, int config_fd,
                               struct ady_fault *f)
{
	struct ady_dyn program = {0}, config = {0};
	enum ady_err err;

	memset(m, 0, sizeof *m);
	err = read_all(&program, program_fd, PROGRAM_MAX, "program", f);
	if (err == ADY_OK)
		err = read_all(&config, config_fd, CONFIG_MAX, "configuration", f);
	if (err == ADY_OK)
		ady_measure_process(m, ady_dyn_bytes(&program), ady_dyn_bytes(&config));
	ady_dyn_free(&program);
	ady_dyn_free(&config);
	return err;
}
