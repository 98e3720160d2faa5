/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton wallet import: a BIP-39 sentence, or the wallet in a backup, goes to the enclave, sealed
 * to a key that its attestation document vouches for, and is stored as a wallet by the gateway. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/text.h"
#include "cli/backup_file.h"
#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/import_key.h"
#include "cli/key_options.h"
#include "cli/wallet.h"
#include "crypto/bip39.h"
#include "store/seal.h"

enum { FILE_MAX = 4096 };

struct import {
	struct ady_gateway gateway;
	struct ady_key_options key;
	const char *file, *passphrase_file, *from_backup, *backup_private, *root;
	struct ady_attest_expected expected;
	bool json;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The words as BIP-39 has them: lower case, one space between them. */
static void squeeze(struct ady_dyn *text)
{
	size_t n = 0;

	for (size_t i = 0; i < text->n; i++) {
		char c = (char)text->p[i];

		if (is_space(c) && (n == 0 || text->p[n - 1] == ' '))
			continue;
		text->p[n++] = (uint8_t)(is_space(c)            ? ' '
		                         : c >= 'A' && c <= 'Z' ? c - 'A' + 'a'
		                                                : c);
	}
	text->n = n > 0 && text->p[n - 1] == ' ' ? n - 1 : n;
}

/* Length, sentence, passphrase: what the enclave reads (signer/wallet.h). */
static enum ady_err read_plain(const struct import *m, struct ady_dyn *plain, struct ady_fault *f)
{
	struct ady_dyn sentence = {0}, passphrase = {0};
	ADY_SECRET_ENTROPY entropy = {0};
	enum ady_err err = ady_file_read(&sentence, m->file ? m->file : "-", FILE_MAX, f);
	uint8_t n;

	squeeze(&sentence);
	if (err == ADY_OK && ady_bip39_read(&entropy, ady_dyn_bytes(&sentence)) != ADY_OK)
		err = ady_fail(f, ADY_E_KEY_FORM, NULL,
		               "these are not 12, 15, 18, 21 or 24 words of BIP-39's English list "
		               "with a right checksum");
	if (err == ADY_OK && m->passphrase_file)
		err = ady_file_read(&passphrase, m->passphrase_file, FILE_MAX, f);
	if (passphrase.n > 0 && passphrase.p[passphrase.n - 1] == '\n')
		passphrase.n--;
	for (size_t i = 0; i < passphrase.n && err == ADY_OK; i++)
		if (passphrase.p[i] < 0x20 || passphrase.p[i] > 0x7e)
			err = ady_fail(f, ADY_E_FIELD_INVALID, NULL,
			               "a passphrase is printable ASCII, on one line");
	if (err == ADY_OK && passphrase.n > ADY_BIP39_PASSPHRASE_MAX)
		err = ady_fail(f, ADY_E_FIELD_INVALID, NULL,
		               "a passphrase has 256 characters at most");
	n = (uint8_t)sentence.n;
	if (err == ADY_OK) {
		ady_dyn_put(plain, &n, 1);
		ady_dyn_put(plain, sentence.p, sentence.n);
		ady_dyn_put(plain, passphrase.p, passphrase.n);
	}
	ady_file_wipe(&sentence);
	ady_file_wipe(&passphrase);
	return err;
}

/* A zero byte and the wallet. The id is that which it had: nothing else is a restored wallet. */
static enum ady_err read_backup(const struct import *m, struct ady_dyn *plain, struct ady_fault *f)
{
	__attribute__((cleanup(ady_backup_secret_wipe))) struct ady_backup_secret secret = {0};
	struct ady_backup_file b = {0};
	const uint8_t mark = 0;
	enum ady_err err = ady_backup_file_read(&b, m->from_backup, f);

	if (err == ADY_OK && b.curve != ADY_CURVE_WALLET)
		err = ady_fail(f, ADY_E_FIELD_INVALID, m->from_backup,
		               "is the backup of a key, not of a wallet");
	if (err == ADY_OK && (strcmp(b.id, m->key.id) != 0 || strcmp(b.tenant, m->key.tenant) != 0))
		err = ady_fail(f, ADY_E_FIELD_INVALID, m->from_backup,
		               "is of the wallet %.100s of tenant %.63s", b.id, b.tenant);
	if (err == ADY_OK)
		err = ady_backup_file_open(&secret, &b, m->backup_private, f);
	if (err == ADY_OK) {
		ady_dyn_put(plain, &mark, 1);
		ady_dyn_put(plain, &secret.wallet, sizeof secret.wallet);
	}
	ady_backup_file_free(&b);
	return err;
}

static void put_base64(json_t *body, const char *name, const uint8_t *p, size_t n)
{
	char text[ADY_BASE64_SIZE(FILE_MAX)];

	ady_base64_encode(text, ady_bytes(p, n));
	json_object_set_new(body, name, json_string(text));
}

/* Seal the sentence for these options and no others, and put it into body. */
static enum ady_err put_sealed(const struct import *m, const char *options, json_t *body,
                               struct ady_fault *f)
{
	uint8_t public[ADY_HPKE_KEY];
	const struct ady_seal to = {.import_key = public,
	                            .curve = "wallet",
	                            .tenant = m->key.tenant,
	                            .options = ady_bytes_str(options)};
	struct ady_sealed *sealed = calloc(1, sizeof *sealed);
	struct ady_dyn plain = {0};
	enum ady_err err = sealed ? ADY_OK : ADY_E_MEMORY;

	if (err == ADY_OK)
		err = ady_import_key_fetch(public, &m->gateway, m->root, &m->expected, f);
	if (err == ADY_OK)
		err = m->from_backup ? read_backup(m, &plain, f) : read_plain(m, &plain, f);
	if (err == ADY_OK)
		err = ady_seal(sealed, &to, ady_dyn_bytes(&plain), f);
	if (err == ADY_OK) {
		put_base64(body, "enc", sealed->enc, sizeof sealed->enc);
		put_base64(body, "sealed", sealed->sealed, sealed->sealed_n);
	}
	ady_file_wipe(&plain);
	free(sealed);
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
	body = json_pack("{ssssssss}", "tenant", m->key.tenant, "curve", "wallet", "form", "bip39",
	                 "options", ady_dyn_cstr(&options));
	ady_key_options_label(body, &m->key);
	err = put_sealed(m, ady_dyn_cstr(&options), body, &f);
	if (err == ADY_OK)
		status = ady_key_post_object(&m->key, &m->gateway, body, ADY_WALLET_TIMEOUT_MS,
		                             "imported", "import the wallet", m->json);
	else
		status = ady_cli_fault(&f, "import the wallet",
		                       err == ADY_E_ATTESTATION
		                           ? "The root of a local stack is --root "
		                             "\"$ADYTON_NSM_ROOT\"; adyton dev measure prints PCR0."
		                           : NULL);
	json_decref(body);
	ady_dyn_free(&options);
	return status;
}

int ady_cmd_wallet_import(const struct ady_command *self, int argc, char **argv)
{
	const struct rlimit none = {0, 0};
	struct import m = {0};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"file", "FILE", "the words; -: standard input (usual)", .text = &m.file},
	    {"passphrase-file", "FILE", "the passphrase, on one line; else none",
	     .text = &m.passphrase_file},
	    {"from-backup", "FILE",
	     "restore this backup (adyton key backup); no words are asked for",
	     .text = &m.from_backup},
	    {"key", "FILE", "the private key of the backup", .text = &m.backup_private},
	    {"pcr0", "HEX", "the enclave's measurement; several times: any of them",
	     .values = &m.expected.pcrs[0]},
	    {"pcr8", "HEX", "of a signed image: its signer's", .values = &m.expected.pcrs[8]},
	    {"root", "PEM", "the root to trust; else AWS Nitro Enclaves G1", .text = &m.root},
	    ADY_KEY_RIGHTS(m.key),
	    ADY_GATEWAY_OPTIONS(m.gateway),
	    {"json", NULL, "one JSON object on one line", .flag = &m.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0 || (status = ady_key_options_check(self, &m.key, &rest)) >= 0)
		return status;
	if (!m.from_backup != !m.backup_private || (m.from_backup && (m.file || m.passphrase_file)))
		return ady_cli_usage(self, "give --from-backup and --key together, or words");
	if (m.expected.pcrs[0].n == 0 && m.expected.pcrs[8].n == 0)
		return ady_cli_usage(
		    self, "give --pcr0 (or --pcr8): which enclave is to have the sentence");
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	status = run_import(&m);
	ady_stack_wipe();
	ady_key_options_free(&m.key);
	return status;
}
