/* SPDX-License-Identifier: Apache-2.0 */
#include "image/eif.h"

#include <stdio.h>
#include <string.h>

/* Offsets in the header. */
enum {
	AT_VERSION = 4,
	AT_FLAGS = 6,
	AT_MEMORY = 8,
	AT_CPUS = 16,
	AT_RESERVED = 24,
	AT_COUNT = 26,
	AT_OFFSETS = 28,
	AT_SIZES = AT_OFFSETS + 8 * ADY_EIF_SECTIONS,
	AT_UNUSED = AT_SIZES + 8 * ADY_EIF_SECTIONS,
	AT_CRC = AT_UNUSED + 4,
};
_Static_assert(AT_CRC + 4 == ADY_EIF_HEADER, "the header has 548 bytes");

enum { FLAG_AARCH64 = 1, COUNT_MIN = 2 };

/* What nitro-cli writes; run-enclave takes other values from its own options. */
static const uint64_t default_memory = 1024 * 1024 * 1024, default_cpus = 2;
static const uint8_t magic[4] = ".eif";

/* CRC-32/ISO-HDLC, as zlib's crc32: reflected, polynomial 0x04c11db7. Begin with 0. */
static uint32_t crc32(uint32_t crc, struct ady_bytes b)
{
	uint32_t table[256];

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int k = 0; k < 8; k++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
	}
	crc = ~crc;
	for (size_t i = 0; i < b.n; i++)
		crc = crc >> 8 ^ table[(crc ^ b.p[i]) & 0xff];
	return ~crc;
}

/* The CRC leaves out the field that holds it. */
static uint32_t crc_of(struct ady_bytes file)
{
	return crc32(crc32(0, ady_bytes_sub(file, 0, AT_CRC)),
	             ady_bytes_sub(file, ADY_EIF_HEADER, file.n - ADY_EIF_HEADER));
}

const char *ady_eif_type_name(enum ady_eif_type type)
{
	switch (type) {
	case ADY_EIF_KERNEL:
		return "kernel";
	case ADY_EIF_CMDLINE:
		return "command line";
	case ADY_EIF_RAMDISK:
		return "ramdisk";
	case ADY_EIF_SIGNATURE:
		return "signature";
	case ADY_EIF_METADATA:
		return "metadata";
	}
	return "unknown";
}

const char *ady_eif_where(char out[static ADY_EIF_WHERE], const struct ady_eif *eif, size_t i)
{
	snprintf(out, ADY_EIF_WHERE, "section %zu (%s)", i,
	         ady_eif_type_name(eif->sections[i].type));
	return out;
}

const struct ady_eif_section *ady_eif_find(const struct ady_eif *eif, enum ady_eif_type type)
{
	for (size_t i = 0; i < eif->n; i++)
		if (eif->sections[i].type == type)
			return &eif->sections[i];
	return NULL;
}

struct ady_bytes ady_eif_data(const struct ady_eif *eif, enum ady_eif_type type)
{
	const struct ady_eif_section *s = ady_eif_find(eif, type);

	return s ? s->data : (struct ady_bytes){0};
}

static enum ady_err refuse(struct ady_fault *f, const char *where, const char *why)
{
	return ady_fail(f, ADY_E_IMAGE, where, "%s", why);
}

static enum ady_err read_header(struct ady_eif *eif, struct ady_bytes file, struct ady_fault *f)
{
	const uint8_t *p = file.p;

	if (file.n < sizeof magic || memcmp(p, magic, sizeof magic) != 0)
		return refuse(f, "header.magic", "is not .eif: this is no enclave image");
	if (file.n < ADY_EIF_HEADER)
		return ady_fail(f, ADY_E_IMAGE, "header", "is cut off: %zu of 548 bytes", file.n);
	if (ady_be16(p + AT_VERSION) != ADY_EIF_VERSION)
		return ady_fail(f, ADY_E_IMAGE, "header.version", "is %u; only 4 is read",
		                ady_be16(p + AT_VERSION));
	if (ady_be16(p + AT_FLAGS) & ~FLAG_AARCH64)
		return refuse(f, "header.flags", "has bits that have no meaning");
	if (ady_be16(p + AT_RESERVED) != 0 || ady_be32(p + AT_UNUSED) != 0)
		return refuse(f, "header", "has reserved fields that are not zero");
	eif->n = ady_be16(p + AT_COUNT);
	if (eif->n < COUNT_MIN || eif->n > ADY_EIF_SECTIONS)
		return ady_fail(f, ADY_E_IMAGE, "header.num_sections", "is %zu, not 2 to 32",
		                eif->n);
	for (size_t i = eif->n; i < ADY_EIF_SECTIONS; i++)
		if (ady_be64(p + AT_OFFSETS + 8 * i) || ady_be64(p + AT_SIZES + 8 * i))
			return refuse(f, "header", "has entries behind the last section");
	eif->aarch64 = ady_be16(p + AT_FLAGS) & FLAG_AARCH64;
	eif->default_memory = ady_be64(p + AT_MEMORY);
	eif->default_cpus = ady_be64(p + AT_CPUS);
	eif->crc_stored = ady_be32(p + AT_CRC);
	return ADY_OK;
}

/* The section's header, which must say what the table says. */
static enum ady_err read_section_header(struct ady_eif *eif, size_t i, const uint8_t *p,
                                        uint64_t size, struct ady_fault *f)
{
	struct ady_eif_section *s = &eif->sections[i];
	uint16_t type = ady_be16(p);
	char where[ADY_EIF_WHERE];

	snprintf(where, sizeof where, "section %zu", i);
	if (type < ADY_EIF_KERNEL || type > ADY_EIF_METADATA)
		return ady_fail(f, ADY_E_IMAGE, where, "has the unknown type %u", type);
	s->type = (enum ady_eif_type)type;
	ady_eif_where(where, eif, i);
	if (ady_be16(p + 2) != 0)
		return refuse(f, where, "has flags, which have no meaning");
	if (ady_be64(p + 4) != size)
		return ady_fail(f, ADY_E_IMAGE, where,
		                "has %llu bytes by its own header, %llu by the image's",
		                (unsigned long long)ady_be64(p + 4), (unsigned long long)size);
	return ADY_OK;
}

/* at: where the section before ends. */
static enum ady_err read_section(struct ady_eif *eif, size_t i, struct ady_bytes file, size_t at,
                                 struct ady_fault *f)
{
	uint64_t offset = ady_be64(file.p + AT_OFFSETS + 8 * i);
	uint64_t size = ady_be64(file.p + AT_SIZES + 8 * i);
	char where[ADY_EIF_WHERE];
	enum ady_err err;

	snprintf(where, sizeof where, "section %zu", i);
	if (offset != at)
		return ady_fail(f, ADY_E_IMAGE, where,
		                "begins at byte %llu, not at %zu where the one before ends",
		                (unsigned long long)offset, at);
	if (file.n - at < ADY_EIF_SECTION_HEADER)
		return refuse(f, where, "is cut off: its header does not fit the file");
	err = read_section_header(eif, i, file.p + at, size, f);
	if (err != ADY_OK)
		return err;
	if (size > file.n - at - ADY_EIF_SECTION_HEADER)
		return ady_fail(f, ADY_E_IMAGE, ady_eif_where(where, eif, i),
		                "is cut off: %zu of %llu bytes",
		                file.n - at - ADY_EIF_SECTION_HEADER, (unsigned long long)size);
	eif->sections[i].at = at;
	eif->sections[i].data = ady_bytes_sub(file, at + ADY_EIF_SECTION_HEADER, (size_t)size);
	return ADY_OK;
}

/* It is shown on terminals, and a NUL would end it early for the kernel. */
static bool is_printable(struct ady_bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] > 0x7e)
			return false;
	return true;
}

/* What is measured must stand in one order, as builders write it: no two readers may differ in what
 * "file order" means. All three types are there. */
static bool is_early(const struct ady_eif *eif, const struct ady_eif_section *s)
{
	const struct ady_eif_section *kernel = ady_eif_find(eif, ADY_EIF_KERNEL);
	const struct ady_eif_section *cmdline = ady_eif_find(eif, ADY_EIF_CMDLINE);

	if (s->type != ADY_EIF_RAMDISK && s->type != ADY_EIF_CMDLINE)
		return false;
	return kernel > s || cmdline > s;
}

static enum ady_err check_section(const struct ady_eif *eif, size_t i, struct ady_fault *f)
{
	const struct ady_eif_section *s = &eif->sections[i];
	char where[ADY_EIF_WHERE];

	ady_eif_where(where, eif, i);
	if (s->type != ADY_EIF_RAMDISK && ady_eif_find(eif, s->type) != s)
		return refuse(f, where, "is the second of its type");
	if (s->type != ADY_EIF_CMDLINE && s->data.n == 0)
		return refuse(f, where, "is empty");
	if (is_early(eif, s))
		return refuse(f, where, "stands before the kernel or the command line");
	if (s->type == ADY_EIF_CMDLINE && !is_printable(s->data))
		return refuse(f, where, "has characters that are not printable");
	if (s->type == ADY_EIF_SIGNATURE && s->data.n > ADY_EIF_SIGNATURE_MAX)
		return refuse(f, where, "exceeds 32768 bytes");
	return ADY_OK;
}

static enum ady_err check_all(const struct ady_eif *eif, struct ady_fault *f)
{
	static const enum ady_eif_type needed[] = {ADY_EIF_KERNEL, ADY_EIF_CMDLINE, ADY_EIF_RAMDISK,
	                                           ADY_EIF_METADATA};
	enum ady_err err = ADY_OK;

	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		if (!ady_eif_find(eif, needed[i]))
			return ady_fail(f, ADY_E_IMAGE, ady_eif_type_name(needed[i]),
			                "is missing: the image has no such section");
	for (size_t i = 0; i < eif->n && err == ADY_OK; i++)
		err = check_section(eif, i, f);
	return err;
}

enum ady_err ady_eif_read(struct ady_eif *eif, struct ady_bytes file, struct ady_fault *f)
{
	size_t at = ADY_EIF_HEADER;
	enum ady_err err;

	*eif = (struct ady_eif){0};
	err = read_header(eif, file, f);
	for (size_t i = 0; i < eif->n && err == ADY_OK; i++) {
		err = read_section(eif, i, file, at, f);
		at += ADY_EIF_SECTION_HEADER + eif->sections[i].data.n;
	}
	if (err == ADY_OK && at != file.n)
		err = ady_fail(f, ADY_E_IMAGE, "image", "has %zu bytes behind its last section",
		               file.n - at);
	if (err == ADY_OK)
		err = check_all(eif, f);
	if (err == ADY_OK)
		eif->crc_computed = crc_of(file);
	return err;
}

static void put_be(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

/* begin: where the image begins in out. */
static void put_section(struct ady_dyn *out, size_t begin, const struct ady_eif_section *s)
{
	uint8_t head[ADY_EIF_SECTION_HEADER] = {0};
	uint64_t i = ady_be16(out->p + begin + AT_COUNT), at = out->n - begin;

	put_be(head, (uint64_t)s->type, 2);
	put_be(head + 4, s->data.n, 8);
	ady_dyn_put(out, head, sizeof head);
	ady_dyn_put(out, s->data.p, s->data.n);
	put_be(out->p + begin + AT_OFFSETS + 8 * i, at, 8);
	put_be(out->p + begin + AT_SIZES + 8 * i, s->data.n, 8);
	put_be(out->p + begin + AT_COUNT, i + 1, 2);
}

void ady_eif_write(struct ady_dyn *out, const struct ady_eif_parts *parts)
{
	const struct ady_eif_section sections[] = {
	    {ADY_EIF_KERNEL, 0, parts->kernel},       {ADY_EIF_CMDLINE, 0, parts->cmdline},
	    {ADY_EIF_METADATA, 0, parts->metadata},   {ADY_EIF_RAMDISK, 0, parts->ramdisk},
	    {ADY_EIF_SIGNATURE, 0, parts->signature},
	};
	size_t n = parts->signature.n ? 5 : 4, begin = out->n;
	uint8_t header[ADY_EIF_HEADER] = {0};

	memcpy(header, magic, sizeof magic);
	put_be(header + AT_VERSION, ADY_EIF_VERSION, 2);
	put_be(header + AT_MEMORY, default_memory, 8);
	put_be(header + AT_CPUS, default_cpus, 8);
	ady_dyn_put(out, header, sizeof header);
	for (size_t i = 0; i < n; i++)
		put_section(out, begin, &sections[i]);
	put_be(out->p + begin + AT_CRC,
	       crc_of(ady_bytes_sub(ady_dyn_bytes(out), begin, out->n - begin)), 4);
}
