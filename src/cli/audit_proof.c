/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton audit proof: the proof of one answer, offline. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/audit_entry.h"
#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/proof.h"

enum { REQUEST_MAX = 8 << 20, ANSWER_MAX = 4 << 20, DOCUMENT_MAX = 64 << 10, HEADER_MAX = 8192 };

struct proof {
	const char *proof, *request, *answer, *key, *response_key, *document, *root, *age;
	struct ady_attest_expected expected;
	bool json;
};

/* The response key: given, or that of a document of any age. */
static enum ady_err find_key(const struct proof *p, uint8_t public32[static 32],
                             struct ady_fault *f)
{
	struct ady_attestation_rules rules = {.root = ady_nitro_root_g1()};
	uint8_t root[ADY_ATTESTATION_ROOT_MAX];
	struct ady_dyn document = {0};
	struct ady_attestation att;
	enum ady_err err = ADY_OK;
	size_t n;

	if (p->response_key) {
		if (ady_hex_decode(public32, 32, &n, ady_bytes_str(p->response_key)) != ADY_OK ||
		    n != 32)
			return ady_fail(f, ADY_E_FIELD_INVALID, "--response-key",
			                "is not 64 digits of hex");
		return ADY_OK;
	}
	if (p->root && (err = ady_attestation_read_root(root, &n, p->root, f)) == ADY_OK)
		rules.root = ady_bytes(root, n);
	if (err == ADY_OK)
		err = ady_file_read(&document, p->document, DOCUMENT_MAX, f);
	if (err == ADY_OK)
		err = ady_attest_decode(&document, f);
	if (err == ADY_OK)
		err = ady_attestation_verify(&att, ady_dyn_bytes(&document), &rules, f);
	if (err == ADY_OK)
		err = ady_attest_check(&att, &p->expected, f);
	if (err == ADY_OK)
		err = ady_proof_key_of(public32, &att, f);
	ady_dyn_free(&document);
	return err;
}

static int say(const struct proof *p, const struct ady_audit_entry *e, const uint8_t *public32)
{
	const struct ady_proof chain = {.public = ady_bytes(public32, 32)};
	json_t *o = ady_audit_entry_json(&chain, e);

	if (p->json) {
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		const char *name;
		json_t *value;

		json_object_foreach(o, name, value)
		{
			if (json_is_string(value))
				printf("%-16s %s\n", name, json_string_value(value));
			else
				printf("%-16s %lld\n", name, (long long)json_integer_value(value));
		}
	}
	json_decref(o);
	return ADY_EXIT_OK;
}

static enum ady_err read_all(const struct proof *p, struct ady_dyn *header, struct ady_dyn *request,
                             struct ady_dyn *answer, struct ady_fault *f)
{
	enum ady_err err = ady_file_read(header, p->proof, HEADER_MAX, f);

	while (header->n > 0 && header->p[header->n - 1] <= ' ')
		header->n--;
	if (err == ADY_OK)
		err = ady_file_read(request, p->request, REQUEST_MAX, f);
	if (err == ADY_OK && p->answer)
		err = ady_file_read(answer, p->answer, ANSWER_MAX, f);
	return err;
}

static int run_proof(const struct proof *p)
{
	struct ady_dyn header = {0}, request = {0}, answer = {0};
	struct ady_proof_want want = {.key = p->key, .now_s = ady_wall_ms() / 1000};
	uint8_t space[ADY_PROOF_MAX];
	struct ady_audit_entry e;
	struct ady_fault f = {0};
	enum ady_err err = read_all(p, &header, &request, &answer, &f);
	int status;

	want.age_s = p->age ? strtoll(p->age, NULL, 10) : 0;
	want.request = ady_dyn_bytes(&request);
	want.answer = ady_dyn_bytes(&answer);
	if (err == ADY_OK)
		err = find_key(p, want.public, &f);
	if (err == ADY_OK)
		err = ady_proof_check(&e, space, &want, ady_dyn_bytes(&header), &f);
	if (err == ADY_E_ATTESTATION) {
		fprintf(stderr, "adyton: refused: %s%s%s\n", f.where, f.where[0] ? " " : "",
		        f.detail);
		status = ADY_EXIT_REFUSED;
	} else {
		status = err == ADY_OK ? say(p, &e, want.public)
		                       : ady_cli_fault(&f, "verify the proof", NULL);
	}
	ady_dyn_free(&header);
	ady_dyn_free(&request);
	ady_dyn_free(&answer);
	return status;
}

int ady_cmd_audit_proof(const struct ady_command *self, int argc, char **argv)
{
	struct proof p = {0};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"request", "FILE", "the body, as it was sent", .text = &p.request},
	    {"answer", "FILE", "the body that came: must be what was proved", .text = &p.answer},
	    {"key", "ID", "must be the key's", .text = &p.key},
	    {"document", "FILE", "attestation of the response key, of any age",
	     .text = &p.document},
	    {"root", "PEM", "the root to trust; else AWS Nitro Enclaves G1", .text = &p.root},
	    {"pcr0", "HEX", "of the enclave; several times: any of them",
	     .values = &p.expected.pcrs[0]},
	    {"response-key", "HEX", "instead of a document: the key itself",
	     .text = &p.response_key},
	    {"max-age", "SECONDS", "how old the answer may be (any)", .text = &p.age},
	    {"json", NULL, "one JSON object on one line", .flag = &p.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 1)
		return ady_cli_usage(self,
		                     "one FILE is needed: the X-Adyton-Proof header (-: standard "
		                     "input)");
	if (!p.request || !p.document == !p.response_key)
		return ady_cli_usage(self, "--request and either --document or --response-key are "
		                           "needed");
	p.proof = rest.v[0];
	return run_proof(&p);
}
