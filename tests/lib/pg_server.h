/* SPDX-License-Identifier: Apache-2.0
 *
 * A PostgreSQL server of the test program's own (tests/lib/postgres.sh). */
#ifndef ADY_TEST_PG_SERVER_H
#define ADY_TEST_PG_SERVER_H

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static char pg_folder[] = "/tmp/ady-pg-XXXXXX", pg_conninfo[128];

/* Run the script; its output, if any is wanted, goes to out. */
static inline int pg_script(const char *arguments, char *out, size_t cap)
{
	char command[256];
	FILE *p;
	size_t n;

	snprintf(command, sizeof command, "exec tests/lib/postgres.sh %s", arguments);
	p = popen(command, "r"); /* NOLINT(cert-env33-c): a test starts its server */
	if (!p)
		return -1;
	n = out ? fread(out, 1, cap - 1, p) : 0;
	if (out)
		out[n > 0 && out[n - 1] == '\n' ? n - 1 : n] = '\0';
	return pclose(p) >> 8;
}

/* "start" or "stop" with a mode. Returns the script's exit status: 77: PostgreSQL is not installed.
 */
static inline int pg_server(const char *what, const char *mode)
{
	char arguments[96];

	snprintf(arguments, sizeof arguments, "%s %s %s", what, pg_folder, mode);
	return pg_script(arguments, strcmp(what, "start") == 0 ? pg_conninfo : NULL,
	                 sizeof pg_conninfo);
}

/* The first value of what SQL brings; "" when there is none. */
static inline const char *pg_ask(const char *sql)
{
	static char value[128];
	PGconn *pg = PQconnectdb(pg_conninfo);
	PGresult *r = PQexec(pg, sql);

	if (!CHECK(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK))
		fprintf(stderr, "    %s\n", PQerrorMessage(pg));
	snprintf(value, sizeof value, "%s", PQntuples(r) ? PQgetvalue(r, 0, 0) : "");
	PQclear(r);
	PQfinish(pg);
	return value;
}

/* End the server, and what there was of it. */
static inline void pg_end(void)
{
	char command[64];

	(void)pg_server("stop", "immediate");
	snprintf(command, sizeof command, "rm -rf %s", pg_folder);
	(void)!system(command); /* NOLINT(cert-env33-c): a folder of the test's own */
}

#endif
