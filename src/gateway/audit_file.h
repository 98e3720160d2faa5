/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of the audit log: a folder of 00000001.log and so on, of which the last grows. Thread
 * rule: one thread. */
#ifndef ADY_GATEWAY_AUDIT_FILE_H
#define ADY_GATEWAY_AUDIT_FILE_H

#include "base/bytes.h"

struct ady_audit_file {
	int folder, lock, fd; /* fd -1: the next write begins a file */
	uint64_t number, size, rotate;
};

/* Open the folder, made when it is not there, and lock it: one gateway writes a log. The last lines
 * are passed to line, oldest first, about as many as the enclave keeps entries for. rotate: bytes
 * beyond which a file is ended. Returns the reason in f. */
enum ady_err ady_audit_file_open(struct ady_audit_file *file, const char *folder, uint64_t rotate,
                                 void (*line)(void *ctx, struct ady_bytes line), void *ctx,
                                 struct ady_fault *f);

/* Close. */
void ady_audit_file_close(struct ady_audit_file *file);

/* Look whether the file is there still, under its name and as long as it was: when somebody has
 * taken it away, or cut it, it is ended. To be called before a write, whose lines nobody would
 * find. */
void ady_audit_file_look(struct ady_audit_file *file);

/* Whether the next write begins a new file. */
bool ady_audit_file_is_new(const struct ady_audit_file *file);

/* Append whole lines and have them synced. On ADY_E_IO (f says why) nothing is appended, or the
 * file is ended: the next write begins a new one. Blocks. */
enum ady_err ady_audit_file_append(struct ady_audit_file *file, struct ady_bytes lines,
                                   struct ady_fault *f);

#endif
