/* SPDX-License-Identifier: Apache-2.0 */
#include "image/ramdisk.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "crypto/hash.h"
#include "image/cpio.h"
#include "image/describe.h"

/* Linux, lib/decompress.c. */
static const struct {
	const char *name;
	uint8_t magic[2];
} compressions[] = {
    {"gzip", {0x1f, 0x8b}}, {"bzip2", {0x42, 0x5a}}, {"lzma", {0x5d, 0x00}}, {"xz", {0xfd, 0x37}},
    {"lzo", {0x89, 0x4c}},  {"lz4", {0x02, 0x21}},   {"zstd", {0x28, 0xb5}},
};

const char *ady_ramdisk_compression(struct ady_bytes ramdisk)
{
	for (size_t i = 0; i < sizeof compressions / sizeof *compressions; i++)
		if (ramdisk.n >= 2 && memcmp(ramdisk.p, compressions[i].magic, 2) == 0)
			return compressions[i].name;
	return NULL;
}

static json_t *describe(const struct ady_cpio_entry *e)
{
	json_t *out = json_object();
	char text[97];
	uint8_t hash[48];

	json_object_set_new(out, "Name", ady_image_text(e->name));
	snprintf(text, sizeof text, "%06o", e->mode);
	json_object_set_new(out, "Mode", json_string(text));
	json_object_set_new(out, "Size", json_integer((json_int_t)e->data.n));
	if (S_ISCHR(e->mode) || S_ISBLK(e->mode)) {
		snprintf(text, sizeof text, "%c %u:%u", S_ISCHR(e->mode) ? 'c' : 'b', e->major,
		         e->minor);
		json_object_set_new(out, "Device", json_string(text));
	}
	if (S_ISREG(e->mode)) {
		ady_sha384(hash, &e->data, 1);
		ady_hex_encode(text, ady_bytes(hash, sizeof hash));
		json_object_set_new(out, "Sha384", json_string(text));
	}
	if (S_ISLNK(e->mode))
		json_object_set_new(out, "Target", ady_image_text(e->data));
	return out;
}

enum ady_err ady_ramdisk_list(json_t **out, struct ady_bytes ramdisk, const char *where,
                              struct ady_fault *f)
{
	struct ady_cpio c = ady_cpio(ramdisk, where);
	json_t *list = json_array();
	struct ady_cpio_entry e;
	enum ady_err err;

	*out = NULL;
	while ((err = ady_cpio_next(&c, &e, f)) == ADY_OK && e.name.n)
		json_array_append_new(list, describe(&e));
	if (err == ADY_OK)
		*out = list;
	else
		json_decref(list);
	return err;
}
