/* SPDX-License-Identifier: Apache-2.0
 *
 * The "newc" cpio archives that Linux unpacks as its first file system (Linux,
 * Documentation/driver-api/early-userspace/buffer-format.rst). What is written depends on its input
 * and on nothing else: times and owners are 0, inode numbers count from 1. */
#ifndef ADY_IMAGE_CPIO_H
#define ADY_IMAGE_CPIO_H

#include "base/bytes.h"

struct ady_cpio_entry {
	struct ady_bytes name; /* a path without a leading slash */
	uint32_t mode;         /* kind and permissions, as stat(2) has them */
	uint32_t major, minor; /* of a device node */
	struct ady_bytes data; /* of a file, or the target of a symbolic link */
};

/* A cursor in an archive. where names the archive in faults and outlives the cursor. */
struct ady_cpio {
	struct ady_bytes archive;
	const char *where;
	size_t at, n; /* n: entries read so far */
	bool ended;   /* the trailer was read */
};

/* Append an archive of n entries in the order given, with its trailer, padded to 4 bytes. A folder
 * must stand before what lies in it: the kernel makes none. Ends the program without memory. */
void ady_cpio_write(struct ady_dyn *out, const struct ady_cpio_entry *entries, size_t n);

/* A reader at the start of archive. */
struct ady_cpio ady_cpio(struct ady_bytes archive, const char *where);

/* Read the next entry; the views point into the archive. At the end entry->name is empty.
 * Strict: magic 070701 in every header, hexadecimal fields, a name of 1 to 4095 bytes that ends in
 * its only NUL, padding of zeros, one trailer without data and nothing but zeros behind it.
 * Returns ADY_E_IMAGE with where, the number of the entry and the reason in f. */
enum ady_err ady_cpio_next(struct ady_cpio *c, struct ady_cpio_entry *entry, struct ady_fault *f);

#endif
