/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzzer's entry point over the files of a folder: the corpus as an ordinary test, without
 * libFuzzer. Usage: fuzz_NAME CORPUS_DIR; prints one line, as the unit tests do. */
#include <dirent.h>
#include <libgen.h>
#include <stdlib.h>

#include "test.h"

/* The entry point that libFuzzer calls as well. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	const char *dir_name = argc > 1 ? argv[1] : "";
	DIR *dir = opendir(dir_name);
	struct dirent *e;
	char path[4096];
	unsigned n = 0;

	(void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	while (dir && (e = readdir(dir))) {
		struct ady_bytes b;

		snprintf(path, sizeof path, "%s/%s", dir_name, e->d_name);
		if (e->d_name[0] == '.' || !(b = test_read_file(path)).p)
			continue;
		(void)LLVMFuzzerTestOneInput(b.p, b.n);
		free((void *)(uintptr_t)b.p);
		n++;
	}
	if (dir)
		closedir(dir);
	if (n > 0)
		printf("ok replay %s: %u inputs\n", basename(argv[0]), n);
	else
		printf("not ok replay %s: no corpus in '%s'\n", basename(argv[0]), dir_name);
	return n > 0 ? 0 : 1;
}
