/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "enclave/jobs.h"
#include "enclave/ledger.h"

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)

/* What of the process is there whatever is asked, measured and rounded up. */
enum {
	PROCESS_MIB = 32,     /* program, libraries, 8.5 MiB of proofs, used stamps, heap */
	LANE_KIB = 3072,      /* its policies (1.6 MiB when all are in use), answers, stack */
	WORKER_KIB = 640,     /* a thread that calls KMS: 230 KiB of it are its connection */
	DATA_KEY_BYTES = 256, /* each place for one */
	COUNTER_BYTES = 16,   /* of the table of rows: each place */
	VALIDATOR_BYTES = 192 /* of the table of validators: each place */
};

/* /proc is there for a process; a machine of its own has nothing in its caches. */
uint64_t ady_memory_free(void)
{
	static const char name[] = "MemAvailable:";
	char text[512];
	struct sysinfo info;
	const char *at;
	int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	if ((at = strstr(text, name)))
		return strtoull(at + sizeof name - 1, NULL, 10) * KIB;
	return sysinfo(&info) == 0 ? (uint64_t)info.freeram * info.mem_unit : 0;
}

/* Places of a table that is at most half full, a power of two of them. */
static uint64_t places(uint64_t keys)
{
	uint64_t n = 2;

	while (n < 2 * keys)
		n *= 2;
	return n;
}

static uint64_t own(const struct ady_enclave_config *c, size_t lanes)
{
	const uint64_t validators = c->validators.enabled ? places(c->validators.keys) : 0;

	return PROCESS_MIB * MIB + lanes * LANE_KIB * KIB +
	       (c->kms_connections + 1) * WORKER_KIB * KIB +
	       (uint64_t)c->data_keys * DATA_KEY_BYTES +
	       (uint64_t)c->counters_keys * COUNTER_BYTES + validators * VALIDATOR_BYTES;
}

/* Take of *left what is wanted, at most so much. */
static uint64_t cut(uint64_t *left, uint64_t wanted, uint64_t most)
{
	uint64_t n = wanted < most ? wanted : most;

	n = n < *left ? n : *left;
	*left -= n;
	return n;
}

/* A seventh is for requests at first, and four fifths at most for keystores, of which one of the
 * usual kind needs 256 MiB; rows of counters get what these leave, and requests what is left then.
 */
static void divide(struct ady_memory *m, const struct ady_enclave_config *c, uint64_t left)
{
	const uint64_t all = left;
	const uint64_t jobs = (uint64_t)(c->depth + c->kms_connections) * ADY_JOB_BYTES;
	const uint64_t keystores = c->keystore_mib * MIB;
	const uint64_t counters = (uint64_t)c->counters_keys * ADY_LEDGER_KEY_BYTES;

	m->jobs = cut(&left, jobs, all / 7);
	m->keystores = cut(&left, keystores, all / 5 * 4);
	m->counters = cut(&left, counters, left);
	m->jobs += cut(&left, jobs - m->jobs, left);
	m->jobs_n = m->jobs / ADY_JOB_BYTES;
	m->depth = m->jobs_n > c->kms_connections ? m->jobs_n - c->kms_connections : 1;
	m->less = m->jobs < jobs || m->keystores < keystores || m->counters < counters;
}

enum ady_err ady_memory_divide(struct ady_memory *m, const struct ady_enclave_config *c,
                               uint64_t there, size_t lanes, struct ady_fault *f)
{
	const uint64_t wanted = c->memory_mib * MIB;
	uint64_t fixed;

	*m = (struct ady_memory){.frames = ADY_MEMORY_FRAMES};
	m->total = wanted > 0 && wanted < there ? wanted : there;
	m->own = own(c, lanes);
	fixed = m->own + m->frames;
	if (m->total < fixed + ADY_MEMORY_LEAST)
		return ady_fail(f, ADY_E_MEMORY, "memory_mib",
		                "there are %llu MiB, and this configuration needs %llu",
		                (unsigned long long)(m->total / MIB),
		                (unsigned long long)((fixed + ADY_MEMORY_LEAST + MIB - 1) / MIB));
	divide(m, c, m->total - fixed);
	m->less = m->less || wanted > there;
	return ADY_OK;
}
