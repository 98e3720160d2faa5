/* SPDX-License-Identifier: Apache-2.0
 *
 * The words for people, from the JSON: what the two say cannot differ. */
#include "image/describe.h"

#include <stdlib.h>

void ady_image_put_json(struct ady_dyn *out, const json_t *v)
{
	char *dump = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;

	if (!dump)
		ady_dyn_str(out, "(none)");
	for (const char *p = dump; p && *p; p++)
		if (*p == 0x7f) /* the one control character that JSON need not escape */
			ady_dyn_str(out, "\\u007F");
		else
			ady_dyn_put(out, p, 1);
	free(dump);
}

static const char *text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static long long number(const json_t *o, const char *name)
{
	return (long long)json_integer_value(json_object_get(o, name));
}

static void put_crc(struct ady_dyn *out, const json_t *d)
{
	ady_dyn_printf(out, "CRC-32         %s, ", text(d, "CrcStored"));
	if (json_is_true(json_object_get(d, "CheckCRC")))
		ady_dyn_str(out, "correct\n");
	else
		ady_dyn_printf(out, "WRONG: the image has %s\n", text(d, "CrcComputed"));
}

static void put_header(struct ady_dyn *out, const json_t *d)
{
	static const char *const registers[] = {"PCR0", "PCR1", "PCR2", "PCR8"};
	const json_t *pcrs = json_object_get(d, "Measurements");

	ady_dyn_printf(out, "format         EIF version %lld, %s\n", number(d, "EifVersion"),
	               text(d, "Architecture"));
	ady_dyn_printf(out, "defaults       %lld MiB of memory, %lld CPUs\n",
	               number(d, "DefaultMemory") >> 20, number(d, "DefaultCpus"));
	put_crc(out, d);
	for (size_t i = 0; i < sizeof registers / sizeof *registers; i++)
		if (*text(pcrs, registers[i]))
			ady_dyn_printf(out, "%-14s %s\n", registers[i], text(pcrs, registers[i]));
	ady_dyn_printf(out, "command line   %s\n", text(d, "CommandLine"));
}

static void put_sections(struct ady_dyn *out, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *s = json_array_get(list, i);

		ady_dyn_printf(out, "section %-6zu %-13s %10lld bytes at %-9lld sha384 %.16s..\n",
		               i, text(s, "Type"), number(s, "Size"), number(s, "Offset"),
		               text(s, "Sha384"));
	}
}

static void put_entries(struct ady_dyn *out, size_t n, const json_t *ramdisk)
{
	const json_t *list = json_object_get(ramdisk, "Entries");

	if (!json_is_array(list))
		ady_dyn_printf(out, "ramdisk %-6zu compressed (%s), not listed\n", n,
		               text(ramdisk, "Compression"));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i);

		ady_dyn_printf(out, "ramdisk %-6zu %s %10lld /%s%s%s%s%s\n", n, text(e, "Mode"),
		               number(e, "Size"), text(e, "Name"), *text(e, "Device") ? " " : "",
		               text(e, "Device"), *text(e, "Target") ? " -> " : "",
		               text(e, "Target"));
	}
}

static void put_signature(struct ady_dyn *out, const json_t *d)
{
	const json_t *c = json_object_get(d, "SigningCertificate");

	if (!c) {
		ady_dyn_str(out, "signature      none\n");
		return;
	}
	ady_dyn_printf(out, "signature      %s\n",
	               json_is_true(json_object_get(d, "SignatureCheck"))
	                   ? "made by the key of this certificate for this PCR0"
	                   : "WRONG");
	if (*text(d, "SignatureFault"))
		ady_dyn_printf(out, "               %s\n", text(d, "SignatureFault"));
	ady_dyn_printf(out, "certificate    %s, issued by %s\n", text(c, "SubjectName"),
	               text(c, "IssuerName"));
	ady_dyn_printf(out, "               valid %s to %s\n", text(c, "NotBefore"),
	               text(c, "NotAfter"));
}

void ady_image_describe_text(struct ady_dyn *out, const json_t *description)
{
	const json_t *disks = json_object_get(description, "Ramdisks");

	put_header(out, description);
	put_sections(out, json_object_get(description, "Sections"));
	for (size_t i = 0; i < json_array_size(disks); i++)
		put_entries(out, i, json_array_get(disks, i));
	put_signature(out, description);
	ady_dyn_str(out, "metadata       ");
	ady_image_put_json(out, json_object_get(description, "Metadata"));
	ady_dyn_str(out, "\n               (a label: nothing measures it)\n");
}
