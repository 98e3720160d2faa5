/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton audit proof: the proof of an answer, or those in its body, offline. */
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

/* asked: what the answer says that the enclave was asked, or NULL. */
static int say(const struct proof *p, const struct ady_audit_entry *e, const uint8_t *public32,
               const char *asked)
{
	const struct ady_proof chain = {.public = ady_bytes(public32, 32)};
	json_t *o = ady_audit_entry_json(&chain, e);

	if (asked)
		json_object_set_new(o, "asked", json_string(asked));
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

static int refused(enum ady_err err, const struct ady_fault *f)
{
	if (err != ADY_E_ATTESTATION)
		return ady_cli_fault(f, "verify the proof", NULL);
	fprintf(stderr, "adyton: refused: %s%s%s\n", f->where, f->where[0] ? " " : "", f->detail);
	return ADY_EXIT_REFUSED;
}

/* One proof of an answer's body: of the object that it stands in, when it is the only one there. */
static int check_within(const struct proof *p, const struct ady_proof_want *all,
                        const json_t *object, const json_t *item)
{
	const bool alone = json_array_size(json_object_get(object, "adyton_proofs")) == 1;
	const char *header = json_string_value(json_object_get(item, "proof"));
	const char *asked = json_string_value(json_object_get(item, "request"));
	char *text = alone ? json_dumps(object, JSON_COMPACT) : NULL;
	struct ady_proof_want want = *all;
	uint8_t space[ADY_PROOF_MAX];
	struct ady_audit_entry e;
	struct ady_fault f = {0};
	enum ady_err err;

	if (asked)
		want.request = ady_bytes_str(asked);
	if (text)
		want.answer = ady_bytes_str(text);
	if (asked && all->request.p && !ady_bytes_eq(all->request, want.request))
		err = ady_fail(&f, ADY_E_ATTESTATION, "request",
		               "is not the one that the answer tells");
	else
		err = ady_proof_check(&e, space, &want, ady_bytes_str(header ? header : ""), &f);
	free(text);
	return err == ADY_OK ? say(p, &e, want.public, asked) : refused(err, &f);
}

/* All proofs of an answer's body: an object, or several in a list. */
static int check_body(const struct proof *p, const struct ady_proof_want *want,
                      struct ady_bytes text)
{
	json_t *body = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	json_t *list = json_is_array(body) ? json_incref(body) : json_pack("[O]", body);
	const json_t *object, *item;
	int status = ADY_EXIT_OK;
	size_t i, k, n = 0;

	json_array_foreach(list, i, object)
	{
		json_array_foreach(json_object_get(object, "adyton_proofs"), k, item)
		{
			int one = check_within(p, want, object, item);

			n++;
			status = one == ADY_EXIT_OK ? status : one;
		}
	}
	json_decref(list);
	json_decref(body);
	if (n > 0)
		return status;
	fprintf(stderr,
	        "adyton: the answer has no adyton_proofs: give the X-Adyton-Proof header\n");
	return ADY_EXIT_REFUSED;
}

static enum ady_err read_all(const struct proof *p, struct ady_dyn *header, struct ady_dyn *request,
                             struct ady_dyn *answer, struct ady_fault *f)
{
	enum ady_err err = p->proof ? ady_file_read(header, p->proof, HEADER_MAX, f) : ADY_OK;

	while (header->n > 0 && header->p[header->n - 1] <= ' ')
		header->n--;
	if (err == ADY_OK && p->request)
		err = ady_file_read(request, p->request, REQUEST_MAX, f);
	if (err == ADY_OK && p->answer)
		err = ady_file_read(answer, p->answer, ANSWER_MAX, f);
	return err;
}

static int check_header(const struct proof *p, const struct ady_proof_want *want,
                        struct ady_bytes header)
{
	uint8_t space[ADY_PROOF_MAX];
	struct ady_audit_entry e;
	struct ady_fault f = {0};
	enum ady_err err = ady_proof_check(&e, space, want, header, &f);

	return err == ADY_OK ? say(p, &e, want->public, NULL) : refused(err, &f);
}

static int run_proof(const struct proof *p)
{
	struct ady_dyn header = {0}, request = {0}, answer = {0};
	struct ady_proof_want want = {.key = p->key, .now_s = ady_wall_ms() / 1000};
	struct ady_fault f = {0};
	enum ady_err err = read_all(p, &header, &request, &answer, &f);
	int status;

	want.age_s = p->age ? strtoll(p->age, NULL, 10) : 0;
	if (p->request)
		want.request = ady_bytes(ady_dyn_cstr(&request), request.n);
	if (err == ADY_OK)
		err = find_key(p, want.public, &f);
	if (err != ADY_OK) {
		status = refused(err, &f);
	} else if (p->proof) {
		want.answer = ady_dyn_bytes(&answer);
		status = check_header(p, &want, ady_dyn_bytes(&header));
	} else {
		status = check_body(p, &want, ady_dyn_bytes(&answer));
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
	if (rest.n > 1 || (rest.n == 0 && !p.answer))
		return ady_cli_usage(
		    self, "FILE is the X-Adyton-Proof header (-: standard input); without "
		          "it --answer must have its proofs within (adyton_proofs)");
	if ((rest.n == 1 && !p.request) || !p.document == !p.response_key)
		return ady_cli_usage(self, "--request and either --document or --response-key are "
		                           "needed");
	p.proof = rest.n ? rest.v[0] : NULL;
	return run_proof(&p);
}
