/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts one validator's stored state in another's place, as whoever owns the store can.
 * Usage: states PLACE swap PUBLIC_KEY PUBLIC_KEY     PLACE as in the gateway's configuration */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/states.h"

enum { VERSION_AT = 16 };

static void read_key(struct ady_state_write *w, const char *hex)
{
	size_t n;

	*w = (struct ady_state_write){0};
	if (strlen(hex) != 2 + 2 * ADY_STATE_KEY ||
	    ady_hex_decode(w->public_key, ADY_STATE_KEY, &n, ady_bytes_str(hex + 2)) != ADY_OK)
		exit(2);
}

static void write_both(struct ady_states_store *s, struct ady_state_write *a,
                       struct ady_state_write *b)
{
	struct ady_fault f = {0};

	if (ady_states_store_write(s, (struct ady_state_write *[]){a, b}, 2, &f) == ADY_OK)
		return;
	fprintf(stderr, "states: %s\n", f.detail);
	exit(1);
}

int main(int argc, char **argv)
{
	struct ady_states_store *s;
	struct ady_state_write a, b;
	struct ady_state_row row;
	struct ady_fault f = {0};

	if (argc != 5 || strcmp(argv[2], "swap") != 0)
		return 2;
	if (ady_states_store_open(&s, argv[1], &f) != ADY_OK) {
		fprintf(stderr, "states: %s\n", f.detail);
		return 1;
	}
	read_key(&a, argv[3]);
	read_key(&b, argv[4]);
	write_both(s, &a, &b); /* without rows these are reads */
	a.version = ady_be64(a.row.bytes + VERSION_AT);
	b.version = ady_be64(b.row.bytes + VERSION_AT);
	row = a.row;
	a.row = b.row;
	b.row = row;
	write_both(s, &a, &b);
	ady_states_store_close(s);
	return a.written && b.written ? 0 : 1;
}
