/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton audit show. Nothing is verified here. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/audit_entry.h"
#include "cli/audit_files.h"
#include "cli/commands.h"
#include "cli/fault.h"

struct show {
	const char *key, *tenant, *op, *since, *until;
	int64_t since_s, until_s; /* 0: not given */
	bool refused, json;
	uint64_t malformed;
};

static bool is_wanted(const struct show *s, const struct ady_audit_entry *e)
{
	int64_t at = (int64_t)(e->time_ms / 1000);

	return (!s->key || ady_bytes_is(e->key, s->key)) &&
	       (!s->tenant || ady_bytes_is(e->tenant, s->tenant)) &&
	       (!s->op || strcmp(ady_audit_op_text(e->op), s->op) == 0) &&
	       (!s->refused || e->code.n > 0) && (!s->since_s || at >= s->since_s) &&
	       (!s->until_s || at < s->until_s);
}

static void print_row(const struct ady_audit_entry *e)
{
	char time[21], digest[65] = "", subject[97] = "";

	ady_time_rfc3339(time, (int64_t)(e->time_ms / 1000));
	if (e->digest.n > 0)
		ady_hex_encode(digest, e->digest);
	if (e->public.n > 0)
		ady_hex_encode(subject, e->public);
	printf("%8" PRIu64 "  %s  %-12s %-12.*s %-20.*s ", e->sequence, time,
	       ady_audit_op_text(e->op), (int)e->tenant.n,
	       e->tenant.n ? (const char *)e->tenant.p : "", (int)e->key.n,
	       e->key.n ? (const char *)e->key.p : "");
	if (e->code.n > 0)
		printf("%.*s%s%.*s\n", (int)e->code.n, (const char *)e->code.p,
		       e->where.n ? " " : "", (int)e->where.n,
		       e->where.n ? (const char *)e->where.p : "");
	else
		printf("ok %s%s%s\n", subject, subject[0] && digest[0] ? " " : "", digest);
}

static void on_line(void *ctx, const struct ady_audit_place *at, char kind,
                    struct ady_bytes content)
{
	struct show *s = ctx;
	struct ady_audit_entry e;
	struct ady_proof p;
	json_t *o;

	if (kind == 'A' || kind == '-')
		return;
	if (ady_proof_read(&p, &e, content) != ADY_OK) {
		s->malformed++;
		return;
	}
	if (!is_wanted(s, &e))
		return;
	if (!s->json) {
		print_row(&e);
		return;
	}
	o = ady_audit_entry_json(&p, &e);
	json_object_set_new(o, "file", json_string(at->file));
	json_object_set_new(o, "line", json_integer((json_int_t)at->line));
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

static int run_show(struct show *s, const struct ady_values *paths)
{
	struct ady_audit_files files;
	struct ady_fault f = {0};
	enum ady_err err = ady_audit_files_find(&files, paths, &f);

	if (err == ADY_OK) {
		err = ady_audit_files_read(&files, on_line, s, &f);
		ady_audit_files_free(&files);
	}
	if (err != ADY_OK)
		return ady_cli_fault(&f, "read the audit log", NULL);
	if (s->malformed > 0)
		ady_cli_say("%" PRIu64 " lines are malformed: adyton audit verify says where",
		            s->malformed);
	return ADY_EXIT_OK;
}

static bool read_time(int64_t *out, const char *text)
{
	return !text || ady_time_parse(out, ady_bytes_str(text)) == ADY_OK;
}

int ady_cmd_audit_show(const struct ady_command *self, int argc, char **argv)
{
	struct show s = {0};
	struct ady_values paths;
	const struct ady_option options[] = {
	    {"key", "ID", "of this key alone", .text = &s.key},
	    {"tenant", "NAME", "of this tenant alone", .text = &s.tenant},
	    {"op", "OP", "sign, create, duty, ...", .text = &s.op},
	    {"refused", NULL, "only what was refused", .flag = &s.refused},
	    {"since", "TIME", "like 2026-11-23T12:45:00Z", .text = &s.since},
	    {"until", "TIME", "before then", .text = &s.until},
	    {"json", NULL, "one JSON object a line", .flag = &s.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &paths);

	if (status >= 0)
		return status;
	if (paths.n == 0)
		return ady_cli_usage(self, "give the files of the log, or its folder");
	if (!read_time(&s.since_s, s.since) || !read_time(&s.until_s, s.until))
		return ady_cli_usage(self, "times are like 2026-11-23T12:45:00Z");
	return run_show(&s, &paths);
}
