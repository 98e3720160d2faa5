/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts records into a store of SQLite, one line of JSON each on standard input, under the ids in
 * them. Usage: store_put FILE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "store/sqlite.h"

enum { TOKENS = 256, BATCH = 1000 };

static void die(const struct ady_fault *f)
{
	fprintf(stderr, "store_put: %s %s: %s\n", ady_err_code(f->err), f->where, f->detail);
	exit(1);
}

static void read_entry(struct ady_entry *e, struct ady_bytes line)
{
	static struct ady_json_tok toks[TOKENS];
	struct ady_fault f = {0};
	struct ady_json doc;
	char id[ADY_KEY_ID_MAX + 1];
	size_t n;

	if (ady_json_parse(&doc, toks, TOKENS, line, &f) != ADY_OK ||
	    ady_json_string(&doc, ady_json_get(&doc, 0, "id"), id, sizeof id, &n) != ADY_OK ||
	    ady_entry_read(e, id, line, &f) != ADY_OK)
		die(&f);
}

int main(int argc, char **argv)
{
	static struct ady_entry entries[BATCH], *list[BATCH];
	struct ady_records *records;
	struct ady_fault f = {0};
	char *line = NULL;
	size_t cap = 0, n = 0;
	ssize_t len;

	if (argc != 2)
		return 2;
	if (ady_sqlite_open(&records, argv[1], 1, &f) != ADY_OK)
		die(&f);
	for (;;) {
		len = getline(&line, &cap, stdin);
		if (len > 1) {
			read_entry(&entries[n], ady_bytes(line, (size_t)len - 1));
			list[n] = &entries[n];
			n++;
		}
		if (n == BATCH || (len <= 0 && n > 0)) {
			if (ady_records_create(records, 0, list, n, &f) != ADY_OK)
				die(&f);
			while (n > 0)
				ady_entry_clear(&entries[--n]);
		}
		if (len <= 0)
			break;
	}
	free(line);
	ady_records_close(records);
	return 0;
}
