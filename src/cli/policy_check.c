/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/policy_file.h"
#include "cli/policy_request.h"
#include "codec/wire_duty.h"
#include "policy/explain.h"

enum { RECORD_MAX = 65536, EXPLANATION_MAX = 1 << 20 };

struct check {
	const char *policy, *request, *record, *now;
	enum ady_asked asked;
	struct ady_values stamps, spent;
	struct ady_dyn policy_text, request_text, record_text;
	struct ady_sign_job job;
	struct ady_json_tok toks[ADY_DUTY_TOKENS];
	struct ady_policies policies;
	struct ady_bytes keys[ADY_CLI_VALUES];
};

/* The record says what else the key may sign; without one, everything. */
static enum ady_err load_record(struct check *c, struct ady_fault *f)
{
	struct ady_record *rec = &c->job.record;
	struct ady_json doc;
	struct ady_bytes text;
	enum ady_err err;

	rec->allow = ADY_ALLOW_DIGEST | ADY_ALLOW_UNPROTECTED;
	if (!c->record)
		return ADY_OK;
	if ((err = ady_file_read(&c->record_text, c->record, RECORD_MAX, f)) != ADY_OK)
		return err;
	text = ady_dyn_bytes(&c->record_text);
	err = ady_json_parse(&doc, c->job.toks, ADY_SIGN_TOKENS, text, f);
	if (err != ADY_OK)
		return err;
	text = ady_json_raw(&doc, ady_json_get(&doc, 0, "id"));
	return ady_record_parse_in(rec, c->job.toks, ADY_SIGN_TOKENS,
	                           ady_dyn_bytes(&c->record_text), text, f);
}

static enum ady_err load(struct check *c, struct ady_fault *f)
{
	enum ady_err err;

	if ((err = load_record(c, f)) != ADY_OK)
		return err;
	if (c->policy) {
		if ((err = ady_policy_load(&c->policy_text, c->policy, f)) != ADY_OK)
			return err;
		ady_record_set_policy(&c->job.record, ady_dyn_bytes(&c->policy_text));
	}
	err = ady_file_read(&c->request_text, c->request, ADY_WIRE_DUTY_MAX, f);
	if (err != ADY_OK)
		return err;
	return ady_policy_request_read(&c->asked, &c->job, ady_dyn_bytes(&c->request_text),
	                               c->record != NULL, f);
}

/* What the command line says about time and stamps. */
static enum ady_err suppose(struct check *c, struct ady_fault *f)
{
	struct ady_object *o = &c->job.object;
	int64_t now = ady_wall_ms() / 1000;

	if (c->now && ady_time_parse(&now, ady_bytes_str(c->now)) != ADY_OK)
		return ady_fail(f, ADY_E_FIELD_INVALID, "--now",
		                "must be a time such as 2026-01-31T09:00:00Z");
	o->now_s = (uint64_t)now;
	for (size_t i = 0; i < c->stamps.n; i++)
		c->keys[i] = ady_bytes_str(c->stamps.v[i]);
	o->stamps = c->keys;
	o->stamps_n = c->stamps.n;
	return ADY_OK;
}

/* Let the counters have what --spent says, as of now. */
static enum ady_err spend(struct ady_counters *counters, const struct check *c,
                          const struct ady_rulebook *book, struct ady_fault *f)
{
	for (size_t i = 0; i < c->spent.n; i++) {
		const char *text = c->spent.v[i], *is = strrchr(text, '=');
		struct ady_u256 amount;
		size_t k = 0;

		if (!is || ady_u256_parse_dec(&amount, ady_bytes_str(is + 1)) != ADY_OK)
			return ady_fail(f, ADY_E_FIELD_INVALID, "--spent",
			                "must be the name of a limit, = and a number");
		while (k < book->counters_n &&
		       !ady_bytes_eq(book->counters[k].name, ady_bytes(text, (size_t)(is - text))))
			k++;
		if (k == book->counters_n)
			return ady_fail(f, ADY_E_FIELD_INVALID, "--spent",
			                "names no limit of the policy");
		ady_counter_advance(&counters->c[k], book->counters[k].per_s, c->job.object.now_s);
		ady_counter_add(&counters->c[k], &amount);
	}
	return ADY_OK;
}

static int explain(struct check *c)
{
	static struct ady_counters counters;
	static uint8_t space[EXPLANATION_MAX];
	struct ady_buf out = ady_buf(space, sizeof space);
	struct ady_deciding *d = &c->policies.deciding;
	struct ady_decision decision = {.verdict = ADY_DENIED_BY_DEFAULT};
	const struct ady_rulebook *book;
	struct ady_fault f = {0};
	bool allowed = false;

	if (c->job.record.policy.n == 0) {
		puts(c->asked == ADY_ASKED_CHANGE
		         ? "denied: the record has no policy, and that is for good"
		         : "allowed: the record has no policy");
		return c->asked == ADY_ASKED_CHANGE ? ADY_EXIT_REFUSED : ADY_EXIT_OK;
	}
	if (ady_policies_get(&c->policies, &book, c->job.record.policy, "record.policy", &f) !=
	    ADY_OK)
		return ady_cli_fault(&f, "read the record's policy", NULL);
	if (spend(&counters, c, book, &f) != ADY_OK)
		return ady_cli_fault(&f, "check the policy", NULL);
	*d = (struct ady_deciding){.book = book, .object = &c->job.object, .counters = &counters};
	if (c->asked == ADY_ASKED_CHANGE)
		allowed = ady_explain_change(&out, d);
	else
		ady_explain(&out, &decision, d);
	fwrite(out.p, 1, out.n, stdout);
	return allowed || decision.verdict == ADY_ALLOWED ? ADY_EXIT_OK : ADY_EXIT_REFUSED;
}

int ady_cmd_policy_check(const struct ady_command *self, int argc, char **argv)
{
	static struct check c = {.job.toks = c.toks};
	struct ady_values rest;
	struct ady_fault f = {0};
	const struct ady_option options[] = {
	    {"policy", "FILE", "the policy (doc/policy.md)", .text = &c.policy},
	    {"request", "FILE", "the request, as it is sent (see below); -: standard input",
	     .text = &c.request},
	    {"record", "FILE", "a key's record: its policy and what it allows", .text = &c.record},
	    {"now", "TIME", "suppose that it is then; else the present", .text = &c.now},
	    {"stamp", "KEY", "suppose that this key has stamped it (repeatable)",
	     .values = &c.stamps},
	    {"spent", "LIMIT=N", "suppose that this much of a limit is used (repeatable)",
	     .values = &c.spent},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n > 0 || !c.request || (!c.policy && !c.record))
		return ady_cli_usage(self, "give --request, and --policy or --record");
	if (load(&c, &f) != ADY_OK || suppose(&c, &f) != ADY_OK)
		status = ady_cli_fault(&f, "check the policy", NULL);
	else
		status = explain(&c);
	ady_dyn_free(&c.policy_text);
	ady_dyn_free(&c.request_text);
	ady_dyn_free(&c.record_text);
	return status;
}
