/* SPDX-License-Identifier: Apache-2.0 */
#include "image/cpio.h"

#include <string.h>
#include <sys/stat.h>

/* A header is the magic and 13 fields of 8 hexadecimal digits. */
enum { MAGIC = 6, FIELDS = 13, DIGITS = 8, HEADER = MAGIC + FIELDS * DIGITS, NAME_MAX_ = 4096 };
enum field {
	INODE,
	MODE,
	UID,
	GID,
	LINKS,
	TIME,
	SIZE,
	DEV_MAJOR,
	DEV_MINOR,
	RDEV_MAJOR,
	RDEV_MINOR,
	NAME_SIZE,
	CHECK
};

static const char magic[] = "070701", trailer[] = "TRAILER!!!";

/* Header with name, and data, each end on a multiple of four. */
static size_t padding(size_t n)
{
	return (4 - n % 4) % 4;
}

static void put_entry(struct ady_dyn *out, const struct ady_cpio_entry *e, uint32_t inode)
{
	uint32_t fields[FIELDS] = {
	    [INODE] = inode,
	    [MODE] = e->mode,
	    [LINKS] = S_ISDIR(e->mode) ? 2 : 1,
	    [SIZE] = (uint32_t)e->data.n,
	    [RDEV_MAJOR] = e->major,
	    [RDEV_MINOR] = e->minor,
	    [NAME_SIZE] = (uint32_t)e->name.n + 1,
	};
	const uint8_t zeros[4] = {0};

	ady_dyn_str(out, magic);
	for (size_t i = 0; i < FIELDS; i++)
		ady_dyn_printf(out, "%08X", fields[i]);
	ady_dyn_put(out, e->name.p, e->name.n);
	ady_dyn_put(out, zeros, 1 + padding(HEADER + e->name.n + 1));
	ady_dyn_put(out, e->data.p, e->data.n);
	ady_dyn_put(out, zeros, padding(e->data.n));
}

void ady_cpio_write(struct ady_dyn *out, const struct ady_cpio_entry *entries, size_t n)
{
	const struct ady_cpio_entry last = {.name = ady_bytes_str(trailer)};

	for (size_t i = 0; i < n; i++)
		put_entry(out, &entries[i], (uint32_t)i + 1);
	put_entry(out, &last, 0);
}

struct ady_cpio ady_cpio(struct ady_bytes archive, const char *where)
{
	return (struct ady_cpio){.archive = archive, .where = where};
}

static enum ady_err refuse(const struct ady_cpio *c, const char *why, struct ady_fault *f)
{
	(void)ady_fail(f, ADY_E_IMAGE, c->where, "entry %zu at byte %zu: %s", c->n, c->at, why);
	return ADY_E_IMAGE; /* named here, for the analysers that do not look into ady_fail */
}

/* Take n bytes and the padding behind them, which must be zeros. */
static enum ady_err take(struct ady_cpio *c, size_t n, size_t pad, struct ady_bytes *out,
                         struct ady_fault *f)
{
	size_t left = c->archive.n - c->at;

	if (n > left || pad > left - n)
		return refuse(c, "does not fit the archive", f);
	*out = ady_bytes(c->archive.p + c->at, n);
	for (size_t i = 0; i < pad; i++)
		if (c->archive.p[c->at + n + i] != 0)
			return refuse(c, "is padded with other bytes than zeros", f);
	c->at += n + pad;
	return ADY_OK;
}

static bool read_hex(const uint8_t *p, uint32_t *v)
{
	*v = 0;
	for (size_t i = 0; i < DIGITS; i++) {
		const char *digits = "0123456789abcdef";
		const char *d = p[i] ? strchr(digits, p[i] | 0x20) : NULL;

		/* The kernel reads both cases; setting 0x20 leaves digits as they are. */
		if (!d || (p[i] < '0'))
			return false;
		*v = *v << 4 | (uint32_t)(d - digits);
	}
	return true;
}

static enum ady_err read_header(struct ady_cpio *c, uint32_t fields[static FIELDS],
                                struct ady_fault *f)
{
	struct ady_bytes header = {0};
	size_t began = c->at;
	enum ady_err err = take(c, HEADER, 0, &header, f);

	if (err != ADY_OK)
		return err;
	c->at = began; /* for the faults below */
	if (memcmp(header.p, magic, MAGIC) != 0)
		return refuse(c, "has not the magic 070701", f);
	for (size_t i = 0; i < FIELDS; i++)
		if (!read_hex(header.p + MAGIC + i * DIGITS, &fields[i]))
			return refuse(c, "has a field that is no hexadecimal number", f);
	if (fields[NAME_SIZE] < 2 || fields[NAME_SIZE] > NAME_MAX_)
		return refuse(c, "has a name that is empty or exceeds 4095 bytes", f);
	c->at = began + HEADER;
	return ADY_OK;
}

static enum ady_err read_name(struct ady_cpio *c, size_t size, struct ady_bytes *name,
                              struct ady_fault *f)
{
	enum ady_err err = take(c, size, padding(HEADER + size), name, f);

	if (err != ADY_OK)
		return err;
	if (memchr(name->p, 0, size) != name->p + size - 1)
		return refuse(c, "has a name that does not end in its only NUL", f);
	name->n--;
	return ADY_OK;
}

static enum ady_err read_end(struct ady_cpio *c, const struct ady_cpio_entry *last,
                             struct ady_fault *f)
{
	if (last->data.n)
		return refuse(c, "is a trailer with data", f);
	for (; c->at < c->archive.n; c->at++)
		if (c->archive.p[c->at] != 0)
			return refuse(c, "is the trailer, and behind it are more than zeros", f);
	c->ended = true;
	return ADY_OK;
}

enum ady_err ady_cpio_next(struct ady_cpio *c, struct ady_cpio_entry *entry, struct ady_fault *f)
{
	struct ady_cpio_entry e = {0};
	uint32_t fields[FIELDS] = {0};
	enum ady_err err;

	*entry = e;
	if (c->ended)
		return ADY_OK;
	c->n++;
	if ((err = read_header(c, fields, f)) != ADY_OK ||
	    (err = read_name(c, fields[NAME_SIZE], &e.name, f)) != ADY_OK ||
	    (err = take(c, fields[SIZE], padding(fields[SIZE]), &e.data, f)) != ADY_OK)
		return err;
	if (ady_bytes_is(e.name, trailer))
		return read_end(c, &e, f);
	e.mode = fields[MODE];
	e.major = fields[RDEV_MAJOR];
	e.minor = fields[RDEV_MINOR];
	*entry = e;
	return ADY_OK;
}
