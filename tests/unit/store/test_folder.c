/* SPDX-License-Identifier: Apache-2.0 */
#include "store/folder.h"

#include <dirent.h>
#include <sys/stat.h>

#include "suite.h"

static char path[] = "/tmp/ady-folder-XXXXXX";

static void empty_folder(void)
{
	DIR *d = opendir(path);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

static struct ady_records *open_folder(bool fresh)
{
	struct ady_fault f = {0};
	struct ady_records *r;

	if (fresh)
		empty_folder();
	if (!CHECK_ERR(ady_folder_open(&r, path, 50, &f), ADY_OK))
		fprintf(stderr, "    %s\n", f.detail);
	return r;
}

static void write_file(const char *name, const char *text)
{
	char from[96], to[96];
	FILE *file;

	snprintf(from, sizeof from, "%s/.mine", path);
	snprintf(to, sizeof to, "%s/%s", path, name);
	file = fopen(from, "w");
	fputs(text, file);
	fclose(file);
	CHECK(rename(from, to) == 0);
}

CASE(a_file_holds_the_record_as_it_is)
{
	struct ady_entry e = suite_entry("team/.a", "acme", 0, 5, NULL), *list = &e;
	struct ady_fault f = {0};
	struct ady_bytes file;
	char name[96];
	struct stat st;

	records = open_folder(true);
	CHECK_ERR(ady_records_create(records, 0, &list, 1, &f), ADY_OK);
	snprintf(name, sizeof name, "%s/team%%2F.a.json", path);
	CHECK(stat(name, &st) == 0 && (st.st_mode & 0777) == 0600);
	file = test_read_file(name);
	CHECK(file.p && memmem(file.p, file.n, e.text.p, e.text.n) != NULL);
	CHECK(file.n > 13 && memcmp(file.p, "{\"adyton_key\"", 13) == 0);
	free((void *)(uintptr_t)file.p);
	ady_entry_clear(&e);
	suite_end();
}

CASE(files_of_others_are_found_and_spoilt_ones_left_out)
{
	static const char good[] =
	    "{\"adyton_key\":1,\"id\":\"x\",\"revision\":\"1\",\"label\":\"\","
	    "\"disabled\":true,\"deletion\":0,\"record\":\"AAAA\"}";
	struct ady_entry e = {0};
	struct ady_fault f = {0};

	records = open_folder(true);
	CHECK_STR(suite_list((struct ady_records_query){0}), "");
	write_file("x.json", good);
	write_file("y.json", good); /* a copy is no other key */
	write_file("z.json", "{");
	write_file("readme.txt", "hello");
	for (int i = 0; i < 2000 && !*suite_list((struct ady_records_query){0}); i++)
		usleep(10000);
	CHECK_STR(suite_list((struct ady_records_query){0}), "x ");
	CHECK_ERR(ady_records_get(records, 0, "x", &e, &f), ADY_OK);
	CHECK(e.disabled && ady_bytes_is(ady_dyn_bytes(&e.text), "AAAA"));
	ady_entry_clear(&e);
	CHECK_ERR(ady_records_get(records, 0, "y", &e, &f), ADY_E_RECORD_MISMATCH);
	CHECK_ERR(ady_records_get(records, 0, "z", &e, &f), ADY_E_RECORD);
	CHECK(strstr(f.detail, "z.json") != NULL);
	suite_end();
}

CASE(ids_that_no_file_can_have_are_refused)
{
	struct ady_entry e = {0}, *list = &e;
	struct ady_fault f = {0};

	records = open_folder(true);
	memset(e.id, 'a', 250);
	ady_dyn_str(&e.text, "AAAA");
	CHECK_ERR(ady_records_create(records, 0, &list, 1, &f), ADY_E_TOO_LARGE);
	CHECK_ERR(ady_records_get(records, 0, e.id, &e, &f), ADY_E_NOT_FOUND);
	CHECK_ERR(ady_records_get(records, 0, "../../etc/passwd", &e, &f), ADY_E_NOT_FOUND);
	ady_entry_clear(&e);
	suite_end();
}

int main(void)
{
	static const struct suite s = {.open = open_folder, .keeps_deletion = true};
	struct ady_records *r;
	struct ady_fault f = {0};

	if (!mkdtemp(path))
		return 1;
	suite_run(&s);
	RUN(a_file_holds_the_record_as_it_is);
	RUN(files_of_others_are_found_and_spoilt_ones_left_out);
	RUN(ids_that_no_file_can_have_are_refused);
	CHECK_ERR(ady_folder_open(&r, "/proc/nowhere", 1000, &f), ADY_E_STORE);
	empty_folder();
	(void)rmdir(path);
	return test_end();
}
