/* SPDX-License-Identifier: Apache-2.0
 *
 * Decides requests by policies, for tests that compare the decisions with those of a model: reads
 * lines of JSON from standard input,
 *   {"policy": {..}, "request": {..}, "now": seconds, "stamps": ["ed25519:..", ..], "state":
 * "hex"}, the last three optional, and writes a line for each:
 *   {"verdict": "allowed", "rule": "name", "state": "hex"} or {"error": "code", "where": "..",
 * "why": ".."} With an argument it writes the explanation instead. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/explain.h"
#include "signer/request.h"

enum { LINE = 256 << 10, TOKENS = 16384, STAMPS = 16, STATE = 16384 };

static char line[LINE], keys[STAMPS][512];
static struct ady_json_tok toks[TOKENS];
static struct ady_json_tok job_toks[ADY_DUTY_TOKENS];
static struct ady_sign_job job = {.toks = job_toks};
static struct ady_rulebook book;
static struct ady_counters before, after;
static uint8_t state[STATE], out[1 << 20];

static void fail(const struct ady_fault *f)
{
	printf("{\"error\":\"%s\",\"where\":\"%s\",\"why\":\"", ady_err_code(f->err), f->where);
	for (const char *p = f->detail; *p; p++)
		printf(*p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
	printf("\"}\n");
}

static void read_stamps(const struct ady_json *doc, struct ady_bytes *stamps)
{
	uint32_t list = ady_json_get(doc, 0, "stamps");
	size_t n;

	for (uint32_t i = list ? ady_json_first(doc, list) : 0; i && job.object.stamps_n < STAMPS;
	     i = ady_json_after(doc, list, i)) {
		char *key = keys[job.object.stamps_n];

		if (ady_json_string(doc, i, key, sizeof keys[0], &n) == ADY_OK)
			stamps[job.object.stamps_n++] = ady_bytes(key, n);
	}
	job.object.stamps = stamps;
}

static void read_state(const struct ady_json *doc)
{
	uint32_t i = ady_json_get(doc, 0, "state");
	size_t n = 0;

	if (i && ady_hex_decode(state, sizeof state, &n, ady_json_raw(doc, i)) != ADY_OK)
		abort();
	if (ady_counters_read(&before, book.counters, book.counters_n, job.object.now_s,
	                      ady_bytes(state, n)) != ADY_OK)
		abort();
}

static void decide(bool explain)
{
	static const char *const verdicts[] = {"allowed", "rule",      "undecided",
	                                       "default", "approvals", "limit"};
	struct ady_deciding d = {.book = &book, .object = &job.object, .counters = &before};
	struct ady_buf b = ady_buf(out, sizeof out);
	struct ady_decision decision;

	if (explain) {
		ady_explain(&b, &decision, &d);
		fwrite(b.p, 1, b.n, stdout);
		return;
	}
	ady_decide(&decision, &d, &after);
	ady_counters_put(&b, &after, book.counters, book.counters_n);
	printf("{\"verdict\":\"%s\"", verdicts[decision.verdict]);
	if (decision.verdict != ADY_DENIED_BY_DEFAULT)
		printf(",\"rule\":\"%.*s\"", (int)book.rules[decision.rule].name.n,
		       (const char *)book.rules[decision.rule].name.p);
	printf(",\"state\":\"");
	for (size_t i = 0; i < b.n; i++)
		printf("%02x", b.p[i]);
	printf("\"}\n");
}

/* A request for a signature as it is sent; {"duty": "NAME"} and {"derive": {}} for what has no part
 * in a decision but its kind. */
static enum ady_err read_request(const struct ady_json *doc, uint32_t request, struct ady_fault *f)
{
	struct ady_wire_sign m = {.form = ADY_FORM_NATIVE, .request = ady_json_raw(doc, request)};
	uint32_t duty = ady_json_get(doc, request, "duty");
	unsigned type = 0;

	if (ady_json_get(doc, request, "derive")) {
		job.object = (struct ady_object){.kind = ADY_OBJECT_DERIVE};
		return ADY_OK;
	}
	if (!duty)
		return ady_request_read(&job, &m, f);
	while (type < ADY_DUTIES &&
	       !ady_json_is(doc, duty, ady_duty_name((enum ady_duty_type)type)))
		type++;
	job.object = (struct ady_object){.kind = ADY_OBJECT_DUTY, .duty = (enum ady_duty_type)type};
	return type < ADY_DUTIES ? ADY_OK : ADY_E_FIELD_INVALID;
}

static void one(struct ady_bytes text, bool explain)
{
	struct ady_bytes stamps[STAMPS];
	struct ady_fault f = {0};
	struct ady_json doc;
	uint32_t policy, request, now;

	if (ady_json_parse(&doc, toks, TOKENS, text, &f) != ADY_OK) {
		fail(&f);
		return;
	}
	policy = ady_json_get(&doc, 0, "policy");
	request = ady_json_get(&doc, 0, "request");
	now = ady_json_get(&doc, 0, "now");
	job.record.allow = ADY_ALLOW_DIGEST | ADY_ALLOW_UNPROTECTED;
	if (ady_rulebook_read(&book, &doc, policy, "policy", &f) != ADY_OK ||
	    read_request(&doc, request, &f) != ADY_OK) {
		fail(&f);
		return;
	}
	if (now)
		(void)ady_json_u64(&doc, now, &job.object.now_s);
	read_stamps(&doc, stamps);
	read_state(&doc);
	decide(explain);
}

int main(int argc, char **argv)
{
	(void)argv;
	while (fgets(line, sizeof line, stdin)) {
		one(ady_bytes(line, strcspn(line, "\n")), argc > 1);
		fflush(stdout);
	}
	return 0;
}
