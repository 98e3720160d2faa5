/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/attest.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/gateway.h"

enum { FILE_MAX = 64 << 10, TIMEOUT_MS = 10000 };

struct get {
	struct ady_gateway gateway;
	const char *nonce, *out;
};

/* The document in a gateway's answer {"document": "<base64>"}. */
static enum ady_err read_answer(struct ady_dyn *document, const struct ady_gateway_reply *reply,
                                struct ady_fault *f)
{
	json_t *answer = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	const char *text = json_string_value(json_object_get(answer, "document"));
	enum ady_err err = ADY_E_PROTOCOL;

	if (text) {
		ady_dyn_str(document, text);
		err = ady_attest_decode(document, f);
	}
	json_decref(answer);
	if (err != ADY_OK)
		return ady_fail(f, ADY_E_PROTOCOL, NULL, "the gateway's answer holds no document");
	return ADY_OK;
}

static int write_document(const struct get *get, const struct ady_dyn *document)
{
	struct ady_fault f = {0};

	if (get->out && strcmp(get->out, "-") != 0) {
		if (ady_file_write(get->out, 0644, ady_dyn_bytes(document), &f) != ADY_OK)
			return ady_cli_fault(&f, "write the document", NULL);
		fprintf(stderr,
		        "adyton: %zu bytes in %s; not verified yet:\n"
		        "  adyton attestation verify %s%s%s\n",
		        document->n, get->out, get->out, get->nonce ? " --nonce " : "",
		        get->nonce ? get->nonce : "");
		return ADY_EXIT_OK;
	}
	if (isatty(STDOUT_FILENO)) {
		char *text = calloc(1, ADY_BASE64_SIZE(document->n));

		if (!text)
			return ADY_EXIT_FAILED;
		ady_base64_encode(text, ady_dyn_bytes(document));
		puts(text);
		free(text);
		return ADY_EXIT_OK;
	}
	return fwrite(document->p, 1, document->n, stdout) == document->n && fflush(stdout) == 0
	           ? ADY_EXIT_OK
	           : ADY_EXIT_FAILED;
}

static int run_get(const struct get *get)
{
	struct ady_gateway_reply reply = {0};
	struct ady_dyn path = {0}, document = {0};
	struct ady_fault f = {0};
	enum ady_err err;
	int status;

	ady_dyn_printf(&path, "/v1/attestation%s%s", get->nonce ? "?nonce=" : "",
	               get->nonce ? get->nonce : "");
	err = ady_gateway_call(&get->gateway, ady_dyn_cstr(&path), NULL, TIMEOUT_MS, &reply, &f);
	if (err == ADY_OK && reply.status != 200) {
		status = ady_gateway_refusal(&reply);
	} else {
		if (err == ADY_OK)
			err = read_answer(&document, &reply, &f);
		status = err == ADY_OK ? write_document(get, &document)
		                       : ady_cli_fault(&f, "fetch the document", NULL);
	}
	ady_dyn_free(&document);
	ady_dyn_free(&reply.body);
	ady_dyn_free(&path);
	return status;
}

int ady_cmd_attestation_get(const struct ady_command *self, int argc, char **argv)
{
	struct get get = {0};
	struct ady_values rest;
	uint8_t nonce[512];
	size_t n;
	const struct ady_option options[] = {
	    {"nonce", "HEX", "1 to 512 random bytes of yours", .text = &get.nonce},
	    {"output", "FILE", "where to; else standard output", .text = &get.out, .letter = 'o'},
	    ADY_GATEWAY_OPTIONS(get.gateway),
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n)
		return ady_cli_usage(self, "there is no argument %s", rest.v[0]);
	if (get.nonce &&
	    (ady_hex_decode(nonce, sizeof nonce, &n, ady_bytes_str(get.nonce)) != ADY_OK || n == 0))
		return ady_cli_usage(self, "--nonce must be 1 to 512 bytes of hex");
	return run_get(&get);
}

struct verify {
	struct ady_attest_expected expected;
	const char *file, *root, *at;
	bool allow_debug, json;
};

static int say_verified(const struct verify *v, const struct ady_attestation *att)
{
	struct ady_dyn text = {0};
	json_t *out;

	if (v->json) {
		out = ady_attest_json(att);
		json_object_set_new(out, "verified", json_true());
		json_object_set_new(out, "debug", json_boolean(ady_attestation_pcr_zero(att, 0)));
		json_object_set_new(out, "root",
		                    json_string(v->root ? v->root : "aws-nitro-enclaves-g1"));
		json_dumpf(out, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(out);
		return ADY_EXIT_OK;
	}
	printf("verified by  %s\n", v->root ? v->root : "AWS Nitro Enclaves root G1");
	if (v->root)
		printf(
		    "             a root of your choice: it proves what that root's owner says\n");
	if (ady_attestation_pcr_zero(att, 0))
		printf("DEBUG MODE   the parent reads this enclave's console; trust it with "
		       "nothing\n");
	ady_attest_describe(&text, att);
	fputs(ady_dyn_cstr(&text), stdout);
	ady_dyn_free(&text);
	return ADY_EXIT_OK;
}

/* What to do about the refusals that an honest document meets. */
static const char *refusal_advice(const char *reason)
{
	static const char *const advice[][2] = {
	    {"debug", "Start the enclave without --debug-mode, or look at it with --allow-debug."},
	    {"expired", "Documents live for three hours; fetch a new one. An archived one: --at "
	                "document."},
	    {"not valid yet", "Check this machine's clock."},
	    {"root", "Name the root to trust with --root; a local stack's is $ADYTON_NSM_ROOT."},
	    {"replay", "Fetch a document with a new nonce and verify it with the same one."},
	};

	for (size_t i = 0; i < sizeof advice / sizeof *advice; i++)
		if (strstr(reason, advice[i][0]))
			return advice[i][1];
	return NULL;
}

static int say_refused(const struct verify *v, const struct ady_fault *f)
{
	const char *next = refusal_advice(f->detail);
	json_t *out;

	if (v->json) {
		out = json_pack("{sbssss}", "verified", 0, "where", f->where, "reason", f->detail);
		json_dumpf(out, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(out);
	}
	fprintf(stderr, "adyton: refused: %s%s%s\n", f->where, f->where[0] ? " " : "", f->detail);
	if (next)
		fprintf(stderr, "  %s\n", next);
	return ADY_EXIT_REFUSED;
}

/* Returns -1 to go on. */
static int read_rules(const struct ady_command *self, const struct verify *v,
                      struct ady_attestation_rules *rules, uint8_t *root)
{
	struct ady_fault f = {0};

	rules->allow_debug = v->allow_debug;
	rules->root = ady_nitro_root_g1();
	rules->at_unix_s = ady_wall_ms() / 1000;
	if (v->at && strcmp(v->at, "document") == 0)
		rules->at_unix_s = 0;
	else if (v->at && strcmp(v->at, "now") != 0 &&
	         (ady_time_parse(&rules->at_unix_s, ady_bytes_str(v->at)) != ADY_OK ||
	          rules->at_unix_s <= 0))
		return ady_cli_usage(self,
		                     "--at must be now, document or like 2026-11-23T12:45:00Z");
	if (v->root) {
		size_t n;

		if (ady_attestation_read_root(root, &n, v->root, &f) != ADY_OK)
			return ady_cli_fault(&f, "read the root", NULL);
		rules->root = ady_bytes(root, n);
	}
	return -1;
}

static int run_verify(const struct ady_command *self, const struct verify *v)
{
	struct ady_attestation_rules rules = {0};
	struct ady_attestation att;
	struct ady_dyn document = {0};
	struct ady_fault f = {0};
	uint8_t root[ADY_ATTESTATION_ROOT_MAX];
	int status = read_rules(self, v, &rules, root);
	enum ady_err err;

	if (status >= 0)
		return status;
	err = ady_file_read(&document, v->file, FILE_MAX, &f);
	if (err != ADY_OK) {
		ady_dyn_free(&document);
		return ady_cli_fault(&f, "read the document", NULL);
	}
	err = ady_attest_decode(&document, &f);
	if (err == ADY_OK)
		err = ady_attestation_verify(&att, ady_dyn_bytes(&document), &rules, &f);
	if (err == ADY_OK)
		err = ady_attest_check(&att, &v->expected, &f);
	if (err == ADY_E_FIELD_INVALID)
		status = ady_cli_usage(self, "%s %s", f.where, f.detail);
	else
		status = err == ADY_OK ? say_verified(v, &att) : say_refused(v, &f);
	ady_dyn_free(&document);
	return status;
}

#define PCR_OPTION(i)                                                    \
	{                                                                \
		"pcr" #i, "HEX", "expected; several times: any of them", \
		    .values = &v.expected.pcrs[i]                        \
	}

int ady_cmd_attestation_verify(const struct ady_command *self, int argc, char **argv)
{
	struct verify v = {0};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"root", "PEM", "the root to trust; else AWS Nitro Enclaves G1", .text = &v.root},
	    {"nonce", "HEX", "must be in the document", .text = &v.expected.nonce},
	    PCR_OPTION(0),
	    PCR_OPTION(1),
	    PCR_OPTION(2),
	    PCR_OPTION(3),
	    PCR_OPTION(4),
	    PCR_OPTION(8),
	    {"at", "WHEN", "now (default), document or a time (RFC 3339)", .text = &v.at},
	    {"allow-debug", NULL, "accept an enclave in debug mode", .flag = &v.allow_debug},
	    {"json", NULL, "one JSON object on one line", .flag = &v.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 1)
		return ady_cli_usage(self, "one FILE is needed (-: standard input)");
	v.file = rest.v[0];
	return run_verify(self, &v);
}
