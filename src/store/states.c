/* SPDX-License-Identifier: Apache-2.0 */
#include "store/states.h"

#include <string.h>

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
	return ady_fail(f, ADY_E_CONFIG, "validators.states",
	                "must be \"memory\", \"sqlite:PATH\" or \"postgres:CONNINFO\"");
}
