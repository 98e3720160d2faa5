/* SPDX-License-Identifier: Apache-2.0 */
#include "store/states.h"

#include <string.h>

void ady_state_write_take(struct ady_state_write *w, struct ady_bytes row)
{
	w->row.n = 0;
	if (w->large) {
		w->large->n = 0;
		if (row.n <= ADY_STATE_LARGE_MAX)
			ady_dyn_put(w->large, row.p, row.n);
	} else if (row.n > 0 && row.n <= ADY_STATE_MAX) {
		w->row.n = row.n;
		memcpy(w->row.bytes, row.p, row.n);
	}
}

enum ady_err ady_states_store_open(struct ady_states_store **s, const char *place,
                                   struct ady_fault *f)
{
	static const char sqlite[] = "sqlite:", postgres[] = "postgres:";

	*s = NULL;
	if (strcmp(place, "memory") == 0)
		return ady_states_sqlite_open(s, NULL, f);
	if (strncmp(place, sqlite, sizeof sqlite - 1) == 0)
		return ady_states_sqlite_open(s, place + sizeof sqlite - 1, f);
	if (strncmp(place, postgres, sizeof postgres - 1) == 0)
		return ady_states_postgres_open(s, place + sizeof postgres - 1, f);
	return ady_fail(f, ADY_E_CONFIG, "states",
	                "must be \"memory\", \"sqlite:PATH\" or \"postgres:CONNINFO\"");
}
