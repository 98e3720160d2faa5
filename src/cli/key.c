/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "chain/eth_tx.h"
#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/policy_file.h"
#include "cli/session.h"
#include "crypto/rng.h"
#include "signer/sign.h"

enum { KEY_FILE_MAX = 200, SECRET_MAX = 65536 };

struct put {
	struct ady_session_options aws;
	const char *id, *file, *key_arn, *tenant, *policy;
	struct ady_values chains, callers;
	bool aws_sample, replace, allow_digest, allow_unprotected, json;
};

/* Of a key, before and after it is encrypted. */
struct material {
	struct ady_seckey key;
	uint8_t pub33[33];
	char address[43];
	struct ady_dyn policy;
	struct ady_record record;
};

/* No core file, and no other process of ours may look (cli/wiping_heap.h does the rest). */
static void guard_memory(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
}

bool ady_key_id_valid(const char *id)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                              "0123456789/_+=.@-";
	const size_t n = strlen(id);

	return n > 0 && n <= 255 && strspn(id, allowed) == n;
}

static bool is_hex_text(struct ady_bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (!strchr("0123456789abcdefABCDEFxX", b.p[i]) || b.p[i] == 0)
			return false;
	return true;
}

enum ady_err ady_key_read(struct ady_seckey *key, const struct ady_secp *secp,
                          struct ady_bytes content, struct ady_fault *f)
{
	const size_t whole = content.n;
	enum ady_err err;

	while (content.n && strchr(" \t\r\n", content.p[content.n - 1]) &&
	       content.p[content.n - 1] != 0)
		content.n--;
	/* 32 bytes may be a raw key that happens to end in a byte of white space. */
	if (whole == 32 && !is_hex_text(content))
		content.n = whole;
	else if (whole == 32)
		return ady_fail(f, ADY_E_KEY_FORM, NULL,
		                "32 bytes of hex digits could be a raw key or half a hex key; "
		                "write it as 64 hex digits");
	/* The enclave takes a key whose leading zeros are missing, as some programs write it. Here
	 * fewer digits are a line that was not copied whole, and would be another key. */
	err = content.n == 32 || content.n == 64 || (content.n == 66 && content.p[0] == '0')
	          ? ady_sign_read_key(key, secp, content)
	          : ADY_E_KEY_FORM;
	if (err == ADY_E_KEY_FORM)
		return ady_fail(f, err, NULL, "the input is neither 64 hex digits nor 32 bytes");
	if (err != ADY_OK)
		return ady_fail(f, err, NULL, "%s", ady_err_text(err));
	return ADY_OK;
}

static enum ady_err load(struct material *m, const struct put *put, struct ady_fault *f)
{
	const char *file = put->file ? put->file : "-";
	const bool typed = strcmp(file, "-") == 0 && isatty(STDIN_FILENO);
	struct ady_secp *secp = NULL;
	struct ady_dyn content = {0};
	uint8_t pub65[65], address[20];
	enum ady_err err;

	if (typed)
		ady_file_echo(false);
	err = ady_file_read(&content, file, KEY_FILE_MAX, f);
	if (typed)
		ady_file_echo(true);
	if (err == ADY_OK)
		err = ady_secp_open(&secp);
	if (err == ADY_OK)
		err = ady_key_read(&m->key, secp, ady_dyn_bytes(&content), f);
	ady_file_wipe(&content);
	if (err == ADY_OK)
		err = ady_secp_public(secp, pub65, &m->key);
	ady_secp_close(secp);
	if (err != ADY_OK)
		return err;
	ady_secp_compress(m->pub33, pub65);
	ady_eth_address(address, pub65);
	ady_eth_address_format(m->address, address);
	return ADY_OK;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

enum ady_err ady_key_chains(struct ady_record *r, const struct ady_values *values)
{
	uint64_t chains[ADY_CLI_VALUES] = {0};

	for (size_t i = 0; i < values->n; i++) {
		char *end;

		errno = 0;
		chains[i] = strtoull(values->v[i], &end, 10);
		if (values->v[i][0] < '0' || values->v[i][0] > '9' || *end || errno)
			return ADY_E_RECORD;
	}
	qsort(chains, values->n, sizeof *chains, by_value);
	for (size_t i = 0; i < values->n; i++)
		if (ady_record_add_chain(r, chains[i]) != ADY_OK)
			return ADY_E_RECORD;
	return ADY_OK;
}

enum ady_err ady_key_callers(struct ady_record *r, const struct ady_values *values)
{
	for (size_t i = 0; i < values->n; i++)
		if (ady_record_add_caller(r, ady_bytes_str(values->v[i])) != ADY_OK)
			return ADY_E_RECORD;
	return ADY_OK;
}

static void fill_record(struct material *m, const struct put *put)
{
	struct ady_record *r = &m->record;

	r->sample = put->aws_sample;
	if (put->aws_sample)
		return;
	(void)ady_bytes_to_str(r->id, sizeof r->id, ady_bytes_str(put->id));
	(void)ady_bytes_to_str(r->tenant, sizeof r->tenant, ady_bytes_str(put->tenant));
	r->allow = (put->allow_digest ? ADY_ALLOW_DIGEST : 0) |
	           (put->allow_unprotected ? ADY_ALLOW_UNPROTECTED : 0);
	r->created = (uint64_t)(ady_wall_ms() / 1000);
	memcpy(r->pub, m->pub33, sizeof m->pub33);
	ady_record_bind(r);
}

static json_t *encrypt_body(const struct material *m, const char *key_arn)
{
	char hex[65], plain[ADY_BASE64_SIZE(64)];
	json_t *body;

	/* The AWS sample encrypts the hex text of the key, our records its 32 bytes. */
	ady_hex_encode(hex, ady_bytes(m->key.b, 32));
	ady_base64_encode(plain, m->record.sample ? ady_bytes(hex, 64) : ady_bytes(m->key.b, 32));
	body = json_pack("{ssss}", "KeyId", key_arn, "Plaintext", plain);
	ady_zero(hex, sizeof hex);
	ady_zero(plain, sizeof plain);
	if (body && m->record.context_n) {
		json_t *context = json_object();

		for (size_t i = 0; i < m->record.context_n; i++)
			json_object_set_new(context, m->record.context[i].key,
			                    json_string(m->record.context[i].value));
		json_object_set_new(body, "EncryptionContext", context);
	}
	return body;
}

static enum ady_err encrypt(struct material *m, struct ady_session *s, const char *key_arn,
                            struct ady_fault *f)
{
	json_t *reply;
	const char *text;
	enum ady_err err;

	err =
	    ady_session_call(s, "kms", "TrentService.Encrypt", encrypt_body(m, key_arn), &reply, f);
	if (err != ADY_OK)
		return err;
	text = json_string_value(json_object_get(reply, "CiphertextBlob"));
	err = text ? ady_base64_decode(m->record.ciphertext, sizeof m->record.ciphertext,
	                               &m->record.ciphertext_n, ady_bytes_str(text))
	           : ADY_E_KMS_REPLY;
	json_decref(reply);
	if (err != ADY_OK)
		return ady_fail(f, ADY_E_KMS_REPLY, NULL, "KMS answered without a ciphertext");
	return ADY_OK;
}

/* The text of the secret: our record, or the bare ciphertext as the AWS sample stores it. */
static enum ady_err put_secret_text(struct ady_buf *b, const struct material *m)
{
	struct ady_bytes ct = ady_bytes(m->record.ciphertext, m->record.ciphertext_n);

	if (!m->record.sample) {
		ady_record_put(b, &m->record);
	} else if (b->cap >= ADY_BASE64_SIZE(ct.n)) {
		b->n = ady_base64_encode((char *)b->p, ct);
	}
	return b->full || b->n == 0 ? ADY_E_TOO_LARGE : ADY_OK;
}

static enum ady_err store(const struct material *m, struct ady_session *s, const struct put *put,
                          json_t **reply, struct ady_fault *f)
{
	const char *target =
	    put->replace ? "secretsmanager.PutSecretValue" : "secretsmanager.CreateSecret";
	char space[SECRET_MAX], token[33];
	struct ady_buf text = ady_buf(space, sizeof space);
	uint8_t random[16];
	json_t *body;

	if (put_secret_text(&text, m) != ADY_OK)
		return ady_fail(f, ADY_E_TOO_LARGE, NULL, "the record is too large");
	ady_random(random, sizeof random);
	ady_hex_encode(token, ady_bytes(random, sizeof random));
	body = json_pack("{ssssss%}", put->replace ? "SecretId" : "Name", put->id,
	                 "ClientRequestToken", token, "SecretString", space, text.n);
	if (body && !put->replace)
		json_object_set_new(body, "Description",
		                    json_sprintf("Adyton key of %s", m->address));
	return ady_session_call(s, "secretsmanager", target, body, reply, f);
}

static int report(const struct material *m, const struct put *put, json_t *reply)
{
	const char *arn = json_string_value(json_object_get(reply, "ARN"));
	json_t *out;

	if (!put->json) {
		printf("stored      %s\naddress     %s\n", put->id, m->address);
		if (!m->record.sample)
			printf("public key  %s\ntenant      %s\n", m->record.public_key,
			       m->record.tenant);
		printf("secret      %s\n", arn ? arn : "");
		return ADY_EXIT_OK;
	}
	out = json_pack("{sssssssb}", "id", put->id, "address", m->address, "secret_arn",
	                arn ? arn : "", "aws_sample", put->aws_sample);
	if (!m->record.sample)
		json_object_set_new(out, "public_key", json_string(m->record.public_key));
	json_dumpf(out, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(out);
	return ADY_EXIT_OK;
}

static const char *store_advice(const struct ady_fault *f)
{
	if (strcmp(f->cause, "ResourceExistsException") == 0)
		return "A secret of that name exists: choose another id, or --replace its key.";
	if (strcmp(f->cause, "ResourceNotFoundException") == 0)
		return "There is no such secret to replace: leave out --replace.";
	if (strcmp(f->cause, "AccessDeniedException") == 0)
		return "The caller needs secretsmanager:CreateSecret and PutSecretValue.";
	return NULL;
}

static int run_put(const struct ady_command *self, const struct put *put)
{
	struct material m = {0};
	struct ady_session s;
	struct ady_fault f = {0};
	json_t *reply = NULL;
	enum ady_err err;
	int status;

	if (ady_key_chains(&m.record, &put->chains) != ADY_OK)
		return ady_cli_usage(self, "up to 32 different chain ids, each from 1 on");
	if (ady_key_callers(&m.record, &put->callers) != ADY_OK)
		return ady_cli_usage(self, ADY_CALLERS_USAGE);
	if (put->policy && ady_policy_load(&m.policy, put->policy, &f) != ADY_OK)
		return ady_cli_fault(&f, "read the policy", "doc/policy.md has the language.");
	if (put->policy)
		ady_record_set_policy(&m.record, ady_dyn_bytes(&m.policy));
	err = ady_session_open(&s, &put->aws, &f);
	if (err != ADY_OK)
		return ady_cli_fault(&f, "call AWS", NULL);
	err = load(&m, put, &f);
	status = err == ADY_OK ? -1 : ady_cli_fault(&f, "read the key", NULL);
	if (status < 0) {
		fill_record(&m, put);
		err = encrypt(&m, &s, put->key_arn, &f);
		ady_zero(&m.key, sizeof m.key);
		if (err != ADY_OK)
			status = ady_cli_fault(&f, "encrypt under KMS",
			                       f.err == ADY_E_KMS
			                           ? "The caller needs kms:Encrypt on --key-arn."
			                           : NULL);
	}
	if (status < 0) {
		err = store(&m, &s, put, &reply, &f);
		status = err == ADY_OK ? report(&m, put, reply)
		                       : ady_cli_fault(&f, "store the secret", store_advice(&f));
	}
	json_decref(reply);
	ady_session_close(&s);
	ady_dyn_free(&m.policy);
	ady_zero(&m.key, sizeof m.key);
	ady_stack_wipe();
	return status;
}

int ady_cmd_key_put(const struct ady_command *self, int argc, char **argv)
{
	struct put put = {0};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"file", "FILE", "64 hex digits or 32 bytes; -: standard input", .text = &put.file},
	    {"key-arn", "ARN", "KMS key; else $ADYTON_KEY_ARN", .text = &put.key_arn},
	    {"tenant", "NAME", "whose key it is (default)", .text = &put.tenant},
	    {"aws-sample", NULL, "store it as the AWS sample does", .flag = &put.aws_sample},
	    {"chain", "ID", "let it sign for this chain (repeatable); else any",
	     .values = &put.chains},
	    {"policy", "FILE", "what it may sign (doc/policy.md); else anything",
	     .text = &put.policy},
	    {"caller", "KEY", "whose stamp a request needs (repeatable); else none",
	     .values = &put.callers},
	    {"allow-digest", NULL, "let it sign any 32 bytes, unseen", .flag = &put.allow_digest},
	    {"allow-unprotected", NULL, "let it sign legacy transactions without chain id",
	     .flag = &put.allow_unprotected},
	    {"replace", NULL, "put another key into an existing secret", .flag = &put.replace},
	    {"endpoint", "URL", ADY_ENDPOINT_HELP, .text = &put.aws.endpoint},
	    {"region", "REGION", ADY_REGION_HELP, .text = &put.aws.region},
	    {"ca", "FILE", ADY_CA_HELP, .text = &put.aws.ca},
	    {"json", NULL, "one JSON object on one line", .flag = &put.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n > 1) /* a key in argv would be seen by every process of the machine */
		return ady_cli_usage(self, "one ID, and the key never as an argument");
	if (rest.n == 0 || !ady_key_id_valid(rest.v[0]))
		return ady_cli_usage(self,
		                     "an ID is needed: up to 255 of A-Z a-z 0-9 / _ + = . @ -");
	if (!put.file && isatty(STDIN_FILENO))
		return ady_cli_usage(self,
		                     "give --file FILE, or the key on standard input (--file - "
		                     "to type it)");
	put.id = rest.v[0];
	if ((put.allow_digest || put.allow_unprotected) && put.aws_sample)
		return ady_cli_usage(self, "the AWS sample's form cannot say what is allowed");
	if (put.chains.n && put.aws_sample)
		return ady_cli_usage(self, "the AWS sample's form cannot say --chain");
	if ((put.policy || put.callers.n) && put.aws_sample)
		return ady_cli_usage(self, "the AWS sample's form has no --policy and no --caller");
	if (!put.key_arn)
		put.key_arn = getenv("ADYTON_KEY_ARN");
	if (!put.key_arn || !put.key_arn[0])
		return ady_cli_usage(self, "give --key-arn, or ADYTON_KEY_ARN");
	if (!put.tenant)
		put.tenant = "default";
	if (strlen(put.tenant) > 63 || !ady_key_id_valid(put.tenant))
		return ady_cli_usage(self, "a tenant is up to 63 of A-Z a-z 0-9 / _ + = . @ -");
	guard_memory();
	return run_put(self, &put);
}
