/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton key import: a private key goes to the enclave, sealed to a key that its attestation
 * document vouches for, and is stored as a record by the gateway. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/attest.h"
#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/gateway.h"
#include "cli/import_key.h"
#include "cli/key.h"
#include "cli/key_options.h"
#include "cli/keystores.h"
#include "crypto/hpke.h"
#include "crypto/rng.h"
#include "signer/import.h"

enum { TIMEOUT_MS = 30000, KEY_FILE_MAX = 200, KMS_FILE_MAX = 16384, NONCE = 32 };

static const char no_measurement[] =
    "give --pcr0 (or --pcr8): which enclave is to have the key. adyton dev up and image "
    "build print it";

struct import {
	struct ady_gateway gateway;
	struct ady_key_options key;
	const char *file, *kms_file, *root;
	struct ady_attest_expected expected;
	bool json;
};

/* Seal what the file holds, for these options and no others, and put it into body. */
static enum ady_err put_sealed(const struct import *m, const char *options, json_t *body,
                               struct ady_fault *f)
{
	uint8_t public[ADY_HPKE_KEY], enc[ADY_HPKE_KEY], aad[32], sealed[32 + ADY_HPKE_TAG];
	char enc_text[ADY_BASE64_SIZE(ADY_HPKE_KEY)], text[ADY_BASE64_SIZE(sizeof sealed)];
	ADY_SECRET struct ady_seckey key = {0};
	struct ady_dyn content = {0};
	struct ady_secp *secp = NULL;
	enum ady_err err = ady_import_key_fetch(public, &m->gateway, m->root, &m->expected, f);

	if (err == ADY_OK)
		err = ady_file_read(&content, m->file ? m->file : "-", KEY_FILE_MAX, f);
	if (err == ADY_OK)
		err = ady_secp_open(&secp);
	if (err == ADY_OK)
		err = ady_key_read(&key, secp, ady_dyn_bytes(&content), f);
	ady_file_wipe(&content);
	ady_secp_close(secp);
	if (err != ADY_OK)
		return err;
	ady_import_bind(aad, m->key.curve ? m->key.curve : "secp256k1",
	                ady_bytes_str(m->key.tenant), ady_bytes_str(options));
	err = ady_hpke_seal(enc, sealed, public, ady_bytes_str(ADY_IMPORT_INFO),
	                    ady_bytes(aad, sizeof aad), ady_bytes(key.b, sizeof key.b));
	if (err != ADY_OK)
		return ady_fail(f, err, NULL, "the import key is no good key");
	ady_base64_encode(enc_text, ady_bytes(enc, sizeof enc));
	ady_base64_encode(text, ady_bytes(sealed, sizeof sealed));
	json_object_set_new(body, "enc", json_string(enc_text));
	json_object_set_new(body, "sealed", json_string(text));
	return ADY_OK;
}

/* A secret of the AWS sample is base64 already. */
static enum ady_err put_kms(const struct import *m, json_t *body, struct ady_fault *f)
{
	struct ady_dyn content = {0};
	enum ady_err err = ady_file_read(&content, m->kms_file, KMS_FILE_MAX, f);

	while (content.n > 0 && strchr(" \t\r\n", content.p[content.n - 1]))
		content.n--;
	if (err == ADY_OK)
		json_object_set_new(body, "kms_ciphertext",
		                    json_stringn((const char *)content.p, content.n));
	ady_dyn_free(&content);
	return err;
}

static int run_import(const struct import *m)
{
	struct ady_dyn options = {0};
	struct ady_fault f = {0};
	json_t *body;
	enum ady_err err;
	int status;

	ady_key_options_put(&options, &m->key);
	body = json_pack("{ssss}", "tenant", m->key.tenant, "options", ady_dyn_cstr(&options));
	if (m->key.curve)
		json_object_set_new(body, "curve", json_string(m->key.curve));
	ady_key_options_label(body, &m->key);
	err = m->kms_file ? put_kms(m, body, &f) : put_sealed(m, ady_dyn_cstr(&options), body, &f);
	if (err == ADY_OK)
		status = ady_key_post_object(&m->key, &m->gateway, body, TIMEOUT_MS, "imported",
		                             "import the key", m->json);
	else
		status = ady_cli_fault(&f, "import the key",
		                       err == ADY_E_ATTESTATION ? ADY_KEY_IMPORT_ROOT : NULL);
	json_decref(body);
	ady_dyn_free(&options);
	return status;
}

/* No core file, and no other process of the user reads this one. */
static void shut_in(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
}

/* Their ids may be made of their keys: "{key}" is no part of an id itself. */
static int import_keystores(const struct ady_command *self, struct import *m,
                            const struct ady_keystores_asked *asked, const struct ady_values *rest)
{
	const struct ady_values any = {.v = {"key"}, .n = 1};
	struct ady_keystore_import all = {
	    .gateway = m->gateway, .root = m->root, .expected = m->expected};
	int status;

	if (m->kms_file || m->file || m->key.curve)
		return ady_cli_usage(self, "--file, --kms-ciphertext and --curve do not go with "
		                           "keystores");
	if (rest->n > 1)
		return ady_cli_usage(self, "give one ID at most");
	if (m->expected.pcrs[0].n == 0 && m->expected.pcrs[8].n == 0)
		return ady_cli_usage(self, no_measurement);
	if ((status = ady_key_options_check(self, &m->key, &any)) >= 0)
		return status;
	shut_in();
	all.key = m->key;
	status = ady_keystores_run(self, &all, asked, rest, m->json);
	ady_stack_wipe();
	ady_key_options_free(&m->key);
	return status;
}

int ady_cmd_key_import(const struct ady_command *self, int argc, char **argv)
{
	struct import m = {0};
	struct ady_keystores_asked keystores = {0};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"file", "FILE", "64 hex digits or 32 bytes; -: standard input (usual)",
	     .text = &m.file},
	    {"kms-ciphertext", "FILE", "instead: a secret of the AWS sample, base64",
	     .text = &m.kms_file},
	    ADY_KEYSTORES_OPTIONS(keystores),
	    {"pcr0", "HEX", "the enclave's measurement; several times: any of them",
	     .values = &m.expected.pcrs[0]},
	    {"pcr8", "HEX", "of a signed image: its signer's", .values = &m.expected.pcrs[8]},
	    {"root", "PEM", "the root to trust; else AWS Nitro Enclaves G1", .text = &m.root},
	    ADY_KEY_OPTIONS(m.key),
	    ADY_GATEWAY_OPTIONS(m.gateway),
	    {"json", NULL, "one JSON object on one line", .flag = &m.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status < 0 && (keystores.file || keystores.folder))
		return import_keystores(self, &m, &keystores, &rest);
	if (status >= 0 || (status = ady_key_options_check(self, &m.key, &rest)) >= 0)
		return status;
	if (m.kms_file && m.file)
		return ady_cli_usage(self, "give --file or --kms-ciphertext, not both");
	if (!m.kms_file && m.expected.pcrs[0].n == 0 && m.expected.pcrs[8].n == 0)
		return ady_cli_usage(self, no_measurement);
	shut_in();
	status = run_import(&m);
	ady_stack_wipe();
	ady_key_options_free(&m.key);
	return status;
}
