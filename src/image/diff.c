/* SPDX-License-Identifier: Apache-2.0 */
#include "image/diff.h"

#include <string.h>

#include "image/describe.h"

static const char *text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/* One line of a difference, then both values. */
static size_t put(struct ady_dyn *out, const char *kind, const char *name, const json_t *a,
                  const json_t *b)
{
	ady_dyn_printf(out, "%s %s\n  - ", kind, name);
	ady_image_put_json(out, a);
	ady_dyn_str(out, "\n  + ");
	ady_image_put_json(out, b);
	ady_dyn_str(out, "\n");
	return 1;
}

static size_t compare(struct ady_dyn *out, const char *kind, const char *name, const json_t *a,
                      const json_t *b)
{
	const json_t *was = json_object_get(a, name), *is = json_object_get(b, name);

	return (!was && !is) || json_equal(was, is) ? 0 : put(out, kind, name, was, is);
}

/* Section number n of a type, or NULL. */
static const json_t *section(const json_t *d, const char *type, size_t n)
{
	const json_t *list = json_object_get(d, "Sections");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(text(json_array_get(list, i), "Type"), type) == 0 && n-- == 0)
			return json_array_get(list, i);
	return NULL;
}

static const json_t *find(const json_t *entries, const char *name)
{
	for (size_t i = 0; i < json_array_size(entries); i++)
		if (strcmp(text(json_array_get(entries, i), "Name"), name) == 0)
			return json_array_get(entries, i);
	return NULL;
}

/* What stands in a and not, or otherwise, in b; with only_new, what stands in b alone. */
static size_t entries(struct ady_dyn *out, const json_t *a, const json_t *b, bool only_new)
{
	const json_t *list = only_new ? b : a;
	size_t found = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i);
		const json_t *other = find(only_new ? a : b, text(e, "Name"));

		if (only_new && !other)
			found += put(out, "measured file", text(e, "Name"), NULL, e);
		if (!only_new && (!other || !json_equal(e, other)))
			found += put(out, "measured file", text(e, "Name"), e, other);
	}
	return found;
}

static bool same_section(const json_t *a, const json_t *b)
{
	return a && b && strcmp(text(a, "Sha384"), text(b, "Sha384")) == 0;
}

static size_t ramdisk(struct ady_dyn *out, const json_t *a, const json_t *b, size_t n)
{
	const json_t *was = section(a, "ramdisk", n), *is = section(b, "ramdisk", n);
	const json_t *disk_a = json_array_get(json_object_get(a, "Ramdisks"), n);
	const json_t *disk_b = json_array_get(json_object_get(b, "Ramdisks"), n);
	size_t found;

	if ((!was && !is) || same_section(was, is))
		return 0;
	disk_a = json_object_get(disk_a, "Entries");
	disk_b = json_object_get(disk_b, "Entries");
	found = entries(out, disk_a, disk_b, false) + entries(out, disk_a, disk_b, true);
	/* The same files: then times, owners, order or compression differ. */
	return found ? found : put(out, "measured", "ramdisk", was, is);
}

size_t ady_image_diff(struct ady_dyn *out, const json_t *a, const json_t *b)
{
	static const char *const labels[] = {"Metadata", "IsSigned", "SigningCertificate",
	                                     "DefaultMemory", "DefaultCpus"};
	const json_t *was = section(a, "kernel", 0), *is = section(b, "kernel", 0);
	size_t found = compare(out, "measured", "Architecture", a, b);

	if (!same_section(was, is))
		found += put(out, "measured", "kernel", was, is);
	found += compare(out, "measured", "CommandLine", a, b);
	for (size_t n = 0; section(a, "ramdisk", n) || section(b, "ramdisk", n); n++)
		found += ramdisk(out, a, b, n);
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		found += compare(out, "not measured", labels[i], a, b);
	was = section(a, "signature", 0);
	is = section(b, "signature", 0);
	if (was && is && !same_section(was, is))
		found += put(out, "not measured", "signature", was, is);
	if (found)
		found += compare(out, "result", "Measurements", a, b);
	return found;
}
