/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton backup keygen, key backup, backup open: keys and wallets that the enclave has sealed to a
 * key of the owner's, and what opens them, on a machine without network. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/backup_file.h"
#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/gateway.h"
#include "cli/key.h"
#include "cli/stamp.h"

enum { TIMEOUT_MS = 30000 };

/* --- the key that is backed up to --- */

static int keygen(const char *path)
{
	ADY_SECRET struct ady_seckey secret = {0};
	uint8_t public[ADY_HPKE_KEY];
	struct ady_fault f = {0};
	char line[128], hex[65];
	enum ady_err err;

	ady_hpke_keypair(secret.b, public);
	ady_hex_encode(hex, ady_bytes(secret.b, sizeof secret.b));
	snprintf(line, sizeof line, "%s%s\n", ADY_BACKUP_KEY_HEAD, hex);
	err = ady_file_write(path, 0600, ady_bytes_str(line), &f);
	ady_zero(hex, sizeof hex);
	ady_zero(line, sizeof line);
	if (err != ADY_OK)
		return ady_cli_fault(&f, "write the key", NULL);
	ady_hex_encode(hex, ady_bytes(public, sizeof public));
	puts(hex);
	return ADY_EXIT_OK;
}

int ady_cmd_backup_keygen(const struct ady_command *self, int argc, char **argv)
{
	const char *path = NULL;
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"output", "FILE", "where the private key goes, for you alone", .text = &path}, {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n > 0 || !path)
		return ady_cli_usage(self, "give --output FILE");
	return keygen(path);
}

/* --- having one made --- */

struct backup {
	struct ady_gateway gateway;
	struct ady_stamp_order stamp;
	const char *output;
};

static int save(const struct backup *b, const struct ady_gateway_reply *reply)
{
	struct ady_fault f = {0};

	if (reply->status != 200)
		return ady_gateway_refusal(reply);
	if (!b->output) {
		fwrite(reply->body.p, 1, reply->body.n, stdout);
		return ADY_EXIT_OK;
	}
	if (ady_file_write(b->output, 0600, ady_dyn_bytes(&reply->body), &f) != ADY_OK)
		return ady_cli_fault(&f, "write the backup", NULL);
	return ADY_EXIT_OK;
}

static int back_up(struct backup *b, const char *id)
{
	struct ady_gateway_reply reply = {0};
	struct ady_dyn path = {0}, body = {0}, stamp = {0};
	struct ady_fault f = {0};
	enum ady_err err = ADY_OK;
	int status;

	ady_dyn_str(&body, "{}");
	ady_dyn_str(&path, "/v1/keys/");
	ady_gateway_put_id(&path, id);
	ady_dyn_str(&path, "/backup");
	b->stamp.op = "backup";
	if (b->stamp.key_file)
		err = ady_stamp_make(&stamp, &b->stamp, id, ady_dyn_bytes(&body), &f);
	if (err == ADY_OK && stamp.n)
		b->gateway.stamp = ady_dyn_cstr(&stamp);
	if (err == ADY_OK)
		err = ady_gateway_call(&b->gateway, ady_dyn_cstr(&path), &body, TIMEOUT_MS, &reply,
		                       &f);
	status = err == ADY_OK
	             ? save(b, &reply)
	             : ady_cli_fault(&f, "back the key up", "Give the gateway with --gateway URL.");
	ady_dyn_free(&reply.body);
	ady_dyn_free(&path);
	ady_dyn_free(&body);
	ady_dyn_free(&stamp);
	return status;
}

int ady_cmd_key_backup(const struct ady_command *self, int argc, char **argv)
{
	struct backup b = {0};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"output", "FILE", "where the backup goes; else standard output", .text = &b.output},
	    {"stamp-key", "FILE", "stamp the request with this key (adyton stamp keygen)",
	     .text = &b.stamp.key_file},
	    {"deployment", "NAME", ADY_STAMP_AUD_HELP, .text = &b.stamp.aud},
	    {"tenant", "NAME", "whose key it is, for the stamp (default)", .text = &b.stamp.tenant},
	    ADY_GATEWAY_OPTIONS(b.gateway),
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 1 || !ady_key_id_valid(rest.v[0]))
		return ady_cli_usage(self, "give the ID of a key");
	return back_up(&b, rest.v[0]);
}

/* --- opening one --- */

/* Write a line that is secret. */
static enum ady_err put_line(char *line, size_t n, const char *path, struct ady_fault *f)
{
	enum ady_err err = ADY_OK;

	line[n++] = '\n';
	if (strcmp(path, "-") == 0)
		fwrite(line, 1, n, stdout);
	else
		err = ady_file_write(path, 0600, ady_bytes(line, n), f);
	return err;
}

static enum ady_err put_hex(struct ady_bytes secret, const char *path, struct ady_fault *f)
{
	char line[2 * ADY_BIP39_SEED + 2];
	enum ady_err err;

	ady_hex_encode(line, secret);
	err = put_line(line, 2 * secret.n, path, f);
	ady_zero(line, sizeof line);
	return err;
}

static enum ady_err put_sentence(const struct ady_wallet *wallet, const char *path,
                                 struct ady_fault *f)
{
	ADY_SECRET_SENTENCE s = {0};
	char line[ADY_BIP39_SENTENCE_MAX + 1];
	enum ady_err err;

	ady_bip39_write(&s, &wallet->entropy);
	memcpy(line, s.text, s.n);
	err = put_line(line, s.n, path, f);
	ady_zero(line, sizeof line);
	return err;
}

/* A private key in hex, as `adyton key import` takes it; of a wallet the sentence, as `adyton
 * wallet import` does, or the seed. */
static enum ady_err put_secret(const struct ady_backup_secret *secret, enum ady_curve curve,
                               bool seed, const char *path, struct ady_fault *f)
{
	if (curve != ADY_CURVE_WALLET)
		return put_hex(ady_bytes(secret->key.b, sizeof secret->key.b), path, f);
	return seed ? put_hex(ady_bytes(secret->wallet.seed, ADY_BIP39_SEED), path, f)
	            : put_sentence(&secret->wallet, path, f);
}

/* Whether the sentence alone gives the seed. */
static bool is_bare(const struct ady_wallet *wallet)
{
	ADY_SECRET_SENTENCE s = {0};
	uint8_t seed[ADY_BIP39_SEED];
	bool same;

	ady_bip39_write(&s, &wallet->entropy);
	same = ady_bip39_seed(seed, &s, ady_bytes(NULL, 0)) == ADY_OK &&
	       ady_secret_eq_ct(seed, wallet->seed, sizeof seed);
	ady_zero(seed, sizeof seed);
	return same;
}

static void report(FILE *say, const struct ady_backup_file *b,
                   const struct ady_backup_secret *secret)
{
	fprintf(say, "opened      %s\ntenant      %s\ncurve       %s\npublic key  %s\n", b->id,
	        b->tenant, b->curve_name, b->public_text);
	if (b->curve == ADY_CURVE_WALLET)
		fprintf(say, "words       %u\npassphrase  %s\n", secret->wallet.entropy.n / 4u * 3u,
		        is_bare(&secret->wallet)
		            ? "none"
		            : "needed with the words, and not in the backup; the seed is");
}

static int open_backup(const char *path, const char *key_file, const char *output, bool seed)
{
	__attribute__((cleanup(ady_backup_secret_wipe))) struct ady_backup_secret secret = {0};
	struct ady_backup_file b = {0};
	struct ady_fault f = {0};
	FILE *say = output && strcmp(output, "-") == 0 ? stderr : stdout;
	enum ady_err err = ady_backup_file_read(&b, path, &f);
	int status;

	if (err == ADY_OK && seed && b.curve != ADY_CURVE_WALLET)
		err = ady_fail(&f, ADY_E_FIELD_INVALID, path, "is of a key, which has no seed");
	if (err == ADY_OK)
		err = ady_backup_file_open(&secret, &b, key_file, &f);
	if (err == ADY_OK && output)
		err = put_secret(&secret, b.curve, seed, output, &f);
	if (err == ADY_OK)
		report(say, &b, &secret);
	status = err == ADY_OK ? ADY_EXIT_OK : ady_cli_fault(&f, "open the backup", NULL);
	ady_backup_file_free(&b);
	ady_stack_wipe();
	return status;
}

int ady_cmd_backup_open(const struct ady_command *self, int argc, char **argv)
{
	const char *key = NULL, *output = NULL;
	struct ady_values rest;
	bool seed = false;
	const struct ady_option options[] = {
	    {"key", "FILE", "the private key (adyton backup keygen)", .text = &key},
	    {"output", "FILE",
	     "write the key in hex, or a wallet's words, there (-: standard output); else it is "
	     "only checked",
	     .text = &output},
	    {"seed", NULL, "of a wallet the seed in hex, not the words", .flag = &seed},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 1 || !key)
		return ady_cli_usage(self, "give the FILE of a backup, and --key");
	return open_backup(rest.v[0], key, output, seed);
}
