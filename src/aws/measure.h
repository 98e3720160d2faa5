/* SPDX-License-Identifier: Apache-2.0
 *
 * PCRs of an enclave that runs as an ordinary process for development: the same registers as an
 * image has, over the bytes of its program and its configuration. With X(h) = SHA384(48 zero bytes
 * || h), as the Nitro hypervisor extends:
 *   PCR0 = X(SHA384(program || configuration)), PCR1 = X(SHA384(program)),
 *   PCR2 = X(SHA384(configuration)), PCR3 = SHA384(48 zero bytes || role ARN),
 *   PCR4 = SHA384(48 zero bytes || instance id).
 * For programs of the parent; nothing in the enclave uses it. */
#ifndef ADY_AWS_MEASURE_H
#define ADY_AWS_MEASURE_H

#include "base/bytes.h"

struct ady_measurement {
	uint8_t pcr[3][48];
};

/* PCR0, PCR1 and PCR2 of a process. */
void ady_measure_process(struct ady_measurement *m, struct ady_bytes program,
                         struct ady_bytes config);

/* The same of two open files, read from their beginning whatever their offset; at most 256 MiB and
 * 1 MiB. Returns ADY_E_IO or ADY_E_TOO_LARGE with the reason in f; m is all zero then. */
enum ady_err ady_measure_files(struct ady_measurement *m, int program_fd, int config_fd,
                               struct ady_fault *f);

/* A register that is extended once from zero: X(SHA384 of the concatenation of n parts). */
void ady_measure_extend(uint8_t pcr48[static 48], const struct ady_bytes *parts, size_t n);

/* PCR3 or PCR4: of a role ARN or an instance id. */
void ady_measure_identity(uint8_t pcr48[static 48], const char *identity);

#endif
