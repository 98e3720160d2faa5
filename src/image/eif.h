/* SPDX-License-Identifier: Apache-2.0
 *
 * The Enclave Image Format, version 4 (aws/aws-nitro-enclaves-image-format, eif_defs.rs): a header
 * of 548 bytes, then sections, each with a header of its own; all numbers big-endian. The reader
 * takes what nitro-cli and we write: sections without gaps, in the order of the table. */
#ifndef ADY_IMAGE_EIF_H
#define ADY_IMAGE_EIF_H

#include "base/bytes.h"

enum {
	ADY_EIF_VERSION = 4,
	ADY_EIF_SECTIONS = 32,
	ADY_EIF_HEADER = 548,
	ADY_EIF_SECTION_HEADER = 12,
	ADY_EIF_SIGNATURE_MAX = 32768,
	ADY_EIF_WHERE = 40, /* bytes of ady_eif_where's text */
};

/* Section types as they stand in the file. */
enum ady_eif_type {
	ADY_EIF_KERNEL = 1,
	ADY_EIF_CMDLINE,
	ADY_EIF_RAMDISK,
	ADY_EIF_SIGNATURE,
	ADY_EIF_METADATA,
};

struct ady_eif_section {
	enum ady_eif_type type;
	uint64_t at;           /* of its header in the file */
	struct ady_bytes data; /* a view into the file */
};

struct ady_eif {
	bool aarch64;
	uint64_t default_memory, default_cpus;
	uint32_t crc_stored, crc_computed; /* a reader that relies on the image compares them */
	size_t n;
	struct ady_eif_section sections[ADY_EIF_SECTIONS];
};

/* What an image of ours is made of. signature: empty for none. */
struct ady_eif_parts {
	struct ady_bytes kernel, cmdline, metadata, ramdisk, signature;
};

/* Read an image; views point into file. Checked: every field of the header and its table, every
 * section header, that the sections fill the file, one kernel, command line (printable) and
 * metadata, at least one ramdisk, at most one signature; kernel, command line and ramdisks in this
 * order. Not checked: the CRC, which is computed, and what sections hold.
 * Returns ADY_E_IMAGE with the header's field or the section and the reason in f. */
enum ady_err ady_eif_read(struct ady_eif *eif, struct ady_bytes file, struct ady_fault *f);

/* The first section of type, or NULL. */
const struct ady_eif_section *ady_eif_find(const struct ady_eif *eif, enum ady_eif_type type);

/* The data of the first section of type, empty when there is none. */
struct ady_bytes ady_eif_data(const struct ady_eif *eif, enum ady_eif_type type);

/* "kernel", "command line" and so on. Never NULL. */
const char *ady_eif_type_name(enum ady_eif_type type);

/* Name section i as faults do: "section 4 (ramdisk)". Returns out. */
const char *ady_eif_where(char out[static ADY_EIF_WHERE], const struct ady_eif *eif, size_t i);

/* Append an image for x86_64: kernel, command line, metadata, ramdisk, signature, the order of
 * nitro-cli, whose default memory and CPUs it carries. Ends the program without memory. */
void ady_eif_write(struct ady_dyn *out, const struct ady_eif_parts *parts);

#endif
