/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton audit verify, adyton audit head. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/audit_check.h"
#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/file.h"

enum { PINS_MAX = 1 << 20 };

struct audit {
	struct ady_audit_trust trust;
	struct ady_values heads;
	const char *root;
	bool json, allow_debug;
};

static void hex32(char out[static 65], const uint8_t *b)
{
	ady_hex_encode(out, ady_bytes(b, 32));
}

static void time_text(char out[static 21], uint64_t ms)
{
	ady_time_rfc3339(out, (int64_t)(ms / 1000));
}

static void print_chain(const struct ady_audit_chain_seen *c)
{
	char key[65], head[65], from[21], to[21];

	hex32(key, c->public);
	printf("chain        %s\n", key);
	if (c->attested)
		printf("attested     %s, module %s\nPCR0         %s\n", c->time, c->module,
		       c->pcr0);
	if (c->n > 0) {
		const struct ady_audit_seen *first = &c->entries[0], *last = &c->entries[c->n - 1];

		hex32(head, last->after);
		time_text(from, first->time_ms);
		time_text(to, last->time_ms);
		printf("entries      %" PRIu64 " to %" PRIu64 ", %s to %s\nhead         %s\n",
		       first->sequence, last->sequence, from, to, head);
	}
}

static void print_finding(const struct ady_audit_finding *f)
{
	fprintf(stderr, "adyton: %s: ", ady_audit_fault_word(f->fault));
	if (f->at.file)
		fprintf(stderr, "%s:%zu: ", f->at.file, f->at.line);
	if (f->in_chain)
		fprintf(stderr, "chain %02x%02x%02x%02x: ", f->public[0], f -> public[1],
		        f -> public[2], f -> public[3]);
	fprintf(stderr, "%s\n", f->detail);
}

static json_t *chain_json(const struct ady_audit_chain_seen *c)
{
	char key[65], head[65] = "";
	json_t *o = json_object();

	hex32(key, c->public);
	json_object_set_new(o, "chain", json_string(key));
	json_object_set_new(o, "attested", json_boolean(c->attested));
	if (c->attested) {
		json_object_set_new(o, "module_id", json_string(c->module));
		json_object_set_new(o, "pcr0", json_string(c->pcr0));
	}
	if (c->n > 0) {
		hex32(head, c->entries[c->n - 1].after);
		json_object_set_new(o, "first", json_integer((json_int_t)c->entries[0].sequence));
		json_object_set_new(o, "entries",
		                    json_integer((json_int_t)c->entries[c->n - 1].sequence + 1));
		json_object_set_new(o, "head", json_string(head));
		json_object_set_new(o, "time_ms",
		                    json_integer((json_int_t)c->entries[c->n - 1].time_ms));
	}
	return o;
}

static json_t *finding_json(const struct ady_audit_finding *f)
{
	json_t *o = json_object();
	char key[65];

	json_object_set_new(o, "fault", json_string(ady_audit_fault_word(f->fault)));
	if (f->at.file) {
		json_object_set_new(o, "file", json_string(f->at.file));
		json_object_set_new(o, "line", json_integer((json_int_t)f->at.line));
	}
	if (f->in_chain) {
		hex32(key, f->public);
		json_object_set_new(o, "chain", json_string(key));
	}
	json_object_set_new(o, "detail", json_string(f->detail));
	return o;
}

static void print_json(const struct ady_audit_check *c)
{
	json_t *out = json_object(), *chains = json_array(), *findings = json_array();

	for (size_t i = 0; i < c->chains_n; i++)
		json_array_append_new(chains, chain_json(&c->chains[i]));
	for (size_t i = 0; i < c->findings_n; i++)
		json_array_append_new(findings, finding_json(&c->findings[i]));
	json_object_set_new(out, "verified", json_boolean(c->findings_n == 0));
	json_object_set_new(out, "chains", chains);
	json_object_set_new(out, "late", json_integer((json_int_t)c->late));
	json_object_set_new(out, "torn", json_integer((json_int_t)c->torn));
	json_object_set_new(out, "findings", findings);
	json_dumpf(out, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(out);
}

/* What a reader without experience would do next. */
static void advise_root(const struct audit *a, const struct ady_audit_check *c)
{
	bool untrusted = false;

	for (size_t i = 0; i < c->findings_n; i++)
		untrusted |= c->findings[i].fault == ADY_AUDIT_ATTESTATION;
	if (untrusted && !a->root)
		fprintf(stderr, "  The root of a local stack is --root \"$ADYTON_NSM_ROOT\".\n");
}

/* The same, and what he would take for granted. */
static void advise(const struct audit *a, const struct ady_audit_check *c)
{
	advise_root(a, c);
	if (c->findings_n == 0 && a->trust.expected.pcrs[0].n == 0 &&
	    a->trust.expected.pcrs[8].n == 0)
		fprintf(stderr,
		        "adyton: no --pcr0 was given: that PCR0 is your image's is yours to see\n");
}

static int say_verified(const struct audit *a, const struct ady_audit_check *c)
{
	if (a->json) {
		print_json(c);
	} else {
		for (size_t i = 0; i < c->chains_n; i++)
			print_chain(&c->chains[i]);
		if (c->late > 0)
			printf("late         %" PRIu64
			       " entries stand behind later ones, as marked\n",
			       c->late);
		if (c->torn > 0)
			printf("torn         %" PRIu64 " files end within a line, which nobody was "
			       "answered for\n",
			       c->torn);
	}
	for (size_t i = 0; i < c->findings_n; i++)
		print_finding(&c->findings[i]);
	if (!a->json)
		advise(a, c);
	if (c->findings_n > 0)
		return ADY_EXIT_REFUSED;
	if (!a->json)
		printf("verified by  %s\n", a->root ? a->root : "AWS Nitro Enclaves root G1");
	return ADY_EXIT_OK;
}

static int say_heads(const struct audit *a, const struct ady_audit_check *c)
{
	for (size_t i = 0; i < c->findings_n; i++)
		print_finding(&c->findings[i]);
	advise_root(a, c);
	if (c->findings_n > 0)
		return ADY_EXIT_REFUSED;
	for (size_t i = 0; i < c->chains_n; i++) {
		const struct ady_audit_chain_seen *chain = &c->chains[i];
		char key[65], head[65], time[21];

		if (chain->n == 0)
			continue;
		hex32(key, chain->public);
		hex32(head, chain->entries[chain->n - 1].after);
		time_text(time, chain->entries[chain->n - 1].time_ms);
		printf("{\"chain\":\"%s\",\"entries\":%" PRIu64
		       ",\"head\":\"%s\",\"time\":\"%s\"}\n",
		       key, chain->entries[chain->n - 1].sequence + 1, head, time);
	}
	return ADY_EXIT_OK;
}

static enum ady_err read_pins(const struct audit *a, struct ady_audit_check *c, struct ady_fault *f)
{
	enum ady_err err = ADY_OK;

	for (size_t i = 0; err == ADY_OK && i < a->heads.n; i++) {
		struct ady_dyn text = {0};

		err = ady_file_read(&text, a->heads.v[i], PINS_MAX, f);
		if (err == ADY_OK)
			err = ady_audit_check_pins(c, ady_dyn_bytes(&text), f);
		ady_dyn_free(&text);
	}
	return err;
}

/* Check the log of paths, and say what came of it. */
static int run(const struct audit *a, const struct ady_values *paths,
               int (*say)(const struct audit *, const struct ady_audit_check *))
{
	struct ady_audit_check *c = calloc(1, sizeof *c);
	struct ady_audit_files files = {0};
	struct ady_fault f = {0};
	enum ady_err err;
	int status;

	if (!c)
		return ADY_EXIT_FAILED;
	c->trust = &a->trust;
	err = read_pins(a, c, &f);
	if (err == ADY_OK)
		err = ady_audit_files_find(&files, paths, &f);
	if (err == ADY_OK)
		err = ady_audit_files_read(&files, ady_audit_check_line, c, &f);
	if (err == ADY_OK) {
		ady_audit_check_finish(c);
		status = say(a, c);
	} else {
		status = ady_cli_fault(&f, "read the audit log", NULL);
	}
	ady_audit_check_free(c);
	free(c);
	ady_audit_files_free(&files);
	return status;
}

static int command(const struct ady_command *self, int argc, char **argv,
                   int (*say)(const struct audit *, const struct ady_audit_check *))
{
	static uint8_t root[ADY_ATTESTATION_ROOT_MAX];
	static struct audit a;
	struct ady_values paths;
	struct ady_fault f = {0};
	const struct ady_option options[] = {
	    {"head", "FILE", "must be reached: what adyton audit head printed once",
	     .values = &a.heads},
	    {"root", "PEM", "the root to trust; else AWS Nitro Enclaves G1", .text = &a.root},
	    {"pcr0", "HEX", "of the enclaves; several times: any of them",
	     .values = &a.trust.expected.pcrs[0]},
	    {"pcr8", "HEX", "likewise", .values = &a.trust.expected.pcrs[8]},
	    {"allow-debug", NULL, "accept enclaves in debug mode", .flag = &a.allow_debug},
	    {"unattested", NULL, "accept keys that no document vouches for",
	     .flag = &a.trust.unattested},
	    {"json", NULL, "one JSON object on one line", .flag = &a.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &paths);
	size_t n;

	if (status >= 0)
		return status;
	if (paths.n == 0)
		return ady_cli_usage(self, "give the files of the log, or its folder");
	a.trust.rules = (struct ady_attestation_rules){.root = ady_nitro_root_g1(),
	                                               .allow_debug = a.allow_debug};
	if (a.root) {
		if (ady_attestation_read_root(root, &n, a.root, &f) != ADY_OK)
			return ady_cli_fault(&f, "read the root", NULL);
		a.trust.rules.root = ady_bytes(root, n);
	}
	return run(&a, &paths, say);
}

int ady_cmd_audit_verify(const struct ady_command *self, int argc, char **argv)
{
	return command(self, argc, argv, say_verified);
}

int ady_cmd_audit_head(const struct ady_command *self, int argc, char **argv)
{
	return command(self, argc, argv, say_heads);
}
