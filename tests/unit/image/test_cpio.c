/* SPDX-License-Identifier: Apache-2.0 */
#include "image/cpio.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static const struct ady_cpio_entry entries[] = {
    {.name = {(const uint8_t *)"dev", 3}, .mode = S_IFDIR | 0755},
    {.name = {(const uint8_t *)"dev/console", 11}, .mode = S_IFCHR | 0600, .major = 5, .minor = 1},
    {.name = {(const uint8_t *)"a", 1},
     .mode = S_IFREG | 0444,
     .data = {(const uint8_t *)"xyz", 3}},
    {.name = {(const uint8_t *)"four", 4},
     .mode = S_IFREG | 0755,
     .data = {(const uint8_t *)"1234", 4}},
};

static struct ady_dyn archive(void)
{
	struct ady_dyn d = {0};

	ady_cpio_write(&d, entries, sizeof entries / sizeof *entries);
	return d;
}

CASE(the_first_bytes_are_those_of_the_format)
{
	struct ady_dyn d = archive();

	/* inode 1, mode 040755, owners, links 2, time, size, devices, name of 4 bytes, check */
	CHECK(d.n > 116 && memcmp(d.p,
	                          "070701"
	                          "00000001000041ED000000000000000000000002000000000000000000000000"
	                          "00000000000000000000000000000004"
	                          "00000000"
	                          "dev\0\0\0"
	                          "070701",
	                          116 + 6) == 0);
	CHECK_INT(d.n % 4, 0);
	ady_dyn_free(&d);
}

CASE(entries_round_trip)
{
	struct ady_dyn d = archive();
	struct ady_cpio c = ady_cpio(ady_dyn_bytes(&d), "ramdisk");
	struct ady_cpio_entry e;
	struct ady_fault f = {0};

	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
		CHECK_ERR(ady_cpio_next(&c, &e, &f), ADY_OK);
		CHECK(ady_bytes_eq(e.name, entries[i].name) &&
		      ady_bytes_eq(e.data, entries[i].data));
		CHECK_INT(e.mode, entries[i].mode);
		CHECK(e.major == entries[i].major && e.minor == entries[i].minor);
	}
	for (int i = 0; i < 2; i++) {
		CHECK_ERR(ady_cpio_next(&c, &e, &f), ADY_OK);
		CHECK_INT(e.name.n, 0);
	}
	ady_dyn_free(&d);
}

/* Another program's reader: GNU cpio lists the same. */
CASE(cpio_lists_it)
{
	char path[] = "/tmp/adyton-cpio-XXXXXX", command[128], line[512], all[4096] = "";
	struct ady_dyn d = archive();
	int fd = mkstemp(path);
	FILE *out;

	if (system("command -v cpio >/dev/null") != 0) {
		test_skip("cpio is not installed; left out: its reading of the archive");
	} else if (CHECK(fd >= 0 && write(fd, d.p, d.n) == (ssize_t)d.n)) {
		snprintf(command, sizeof command, "cpio -itvn --quiet <%s 2>&1", path);
		out = popen(command, "re");
		while (out && fgets(line, sizeof line, out) &&
		       strlen(all) + strlen(line) < sizeof all)
			memcpy(all + strlen(all), line, strlen(line) + 1);
		CHECK(out && pclose(out) == 0);
		CHECK(strstr(all, "drwxr-xr-x   2 0        0") != NULL);
		CHECK(strstr(all, "crw-------   1 0        0          5,   1") != NULL);
		CHECK(strstr(all, "-rwxr-xr-x   1 0        0               4") != NULL);
	}
	close(fd);
	unlink(path);
	ady_dyn_free(&d);
}

/* Read all of it and give the reason of the refusal. */
static const char *reason(struct ady_bytes b)
{
	static struct ady_fault f;
	struct ady_cpio c = ady_cpio(b, "ramdisk");
	struct ady_cpio_entry e;
	enum ady_err err;

	f = (struct ady_fault){0};
	while ((err = ady_cpio_next(&c, &e, &f)) == ADY_OK && e.name.n)
		;
	CHECK_ERR(err, ADY_E_IMAGE);
	CHECK_STR(f.where, "ramdisk");
	return f.detail;
}

static void refused(size_t at, const char *bytes, size_t n, const char *why)
{
	struct ady_dyn d = archive();

	memcpy(d.p + at, bytes, n);
	CHECK_STR(reason(ady_dyn_bytes(&d)), why);
	ady_dyn_free(&d);
}

CASE(each_malformation_is_named)
{
	refused(5, "2", 1, "entry 1 at byte 0: has not the magic 070701");
	refused(6 + 8, "G", 1, "entry 1 at byte 0: has a field that is no hexadecimal number");
	refused(6 + 8, "\x10", 1, "entry 1 at byte 0: has a field that is no hexadecimal number");
	refused(6 + 8, "\0", 1, "entry 1 at byte 0: has a field that is no hexadecimal number");
	refused(6 + 8 * 11, "00000001", 8,
	        "entry 1 at byte 0: has a name that is empty or exceeds 4095 bytes");
	refused(6 + 8 * 11, "00001001", 8,
	        "entry 1 at byte 0: has a name that is empty or exceeds 4095 bytes");
	refused(6 + 8 * 11, "00001000", 8, "entry 1 at byte 110: does not fit the archive");
	refused(6 + 8 * 6, "FFFFFFFF", 8, "entry 1 at byte 116: does not fit the archive");
	refused(110 + 3, "x", 1,
	        "entry 1 at byte 116: has a name that does not end in its only NUL");
	refused(110 + 1, "\0", 1,
	        "entry 1 at byte 116: has a name that does not end in its only NUL");
	refused(110 + 4, "x", 1, "entry 1 at byte 110: is padded with other bytes than zeros");
}

CASE(the_end_is_exact)
{
	struct ady_dyn d = archive();
	struct ady_bytes all = ady_dyn_bytes(&d);
	struct ady_cpio c = ady_cpio(all, "ramdisk");
	struct ady_cpio_entry e;

	CHECK_STR(reason((struct ady_bytes){0}), "entry 1 at byte 0: does not fit the archive");
	CHECK_STR(reason(ady_bytes_sub(all, 0, 116)),
	          "entry 2 at byte 116: does not fit the archive");
	d.p[d.n - 1] = 'x';
	CHECK_STR(reason(all), "entry 5 at byte 586: is padded with other bytes than zeros");
	d.p[d.n - 1] = 0;
	/* Linux skips zeros behind the trailer, and so do we; another archive would be unpacked
	 * too. */
	ady_dyn_put(&d, (const uint8_t[8]){0}, 8);
	c = ady_cpio(ady_dyn_bytes(&d), "ramdisk");
	while (CHECK(ady_cpio_next(&c, &e, NULL) == ADY_OK) && e.name.n)
		;
	ady_dyn_str(&d, "070701");
	CHECK(
	    strstr(reason(ady_dyn_bytes(&d)), "is the trailer, and behind it are more than zeros"));
	ady_dyn_free(&d);
}

CASE(a_trailer_has_no_data)
{
	static const struct ady_cpio_entry last[] = {
	    {.name = {(const uint8_t *)"TRAILER!!!", 10}, .data = {(const uint8_t *)"x", 1}}};
	struct ady_dyn d = {0};

	ady_cpio_write(&d, last, 1);
	CHECK(strstr(reason(ady_dyn_bytes(&d)), "is a trailer with data") != NULL);
	ady_dyn_free(&d);
}

int main(void)
{
	RUN(the_first_bytes_are_those_of_the_format);
	RUN(entries_round_trip);
	RUN(cpio_lists_it);
	RUN(each_malformation_is_named);
	RUN(the_end_is_exact);
	RUN(a_trailer_has_no_data);
	return test_end();
}
