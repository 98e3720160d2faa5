/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton backup keygen, key backup, backup open: keys that the enclave has sealed to a key of the
 * owner's, and what opens them, on a machine without network. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/gateway.h"
#include "cli/key.h"
#include "cli/stamp.h"
#include "signer/backup.h"

enum { TIMEOUT_MS = 30000, KEY_FILE_MAX = 256, BACKUP_MAX = 8192 };

static const char key_head[] = "adyton-backup-key x25519 ";

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
	snprintf(line, sizeof line, "%s%s\n", key_head, hex);
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

static enum ady_err load(struct ady_seckey *secret, const char *path, struct ady_fault *f)
{
	const size_t head = sizeof key_head - 1;
	struct ady_dyn text = {0};
	enum ady_err err = ady_file_read(&text, path, KEY_FILE_MAX, f);
	struct ady_bytes line = ady_dyn_bytes(&text);

	while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	if (err == ADY_OK &&
	    (line.n != head + 64 || memcmp(line.p, key_head, head) != 0 ||
	     ady_hex_decode32_ct(secret->b, ady_bytes_sub(line, head, 64)) != ADY_OK))
		err =
		    ady_fail(f, ADY_E_FIELD_INVALID, path, "holds no key of adyton backup keygen");
	ady_file_wipe(&text);
	return err;
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

struct opened {
	json_t *json;
	const char *id, *tenant, *curve_name, *public_text;
	enum ady_curve curve;
	uint8_t public[48], to[32];
	struct ady_backup sealed;
};

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static bool blob_of(const json_t *o, const char *name, uint8_t *out, size_t size)
{
	size_t n;

	return ady_base64_decode(out, size, &n, ady_bytes_str(text_of(o, name))) == ADY_OK &&
	       n == size;
}

static bool read_curve(struct opened *o)
{
	for (enum ady_curve c = ADY_CURVE_SECP256K1; c <= ADY_CURVE_BLS12_381; c++)
		if (strcmp(o->curve_name, ady_curve_name(c)) == 0) {
			o->curve = c;
			return true;
		}
	return false;
}

static bool read_members(struct opened *o)
{
	size_t n;

	o->id = text_of(o->json, "id");
	o->tenant = text_of(o->json, "tenant");
	o->curve_name = text_of(o->json, "curve");
	o->public_text = text_of(o->json, "public_key");
	return json_integer_value(json_object_get(o->json, "adyton_backup")) == 1 && *o->id &&
	       *o->tenant && read_curve(o) && strncmp(o->public_text, "0x", 2) == 0 &&
	       ady_hex_decode(o->public, sizeof o->public, &n, ady_bytes_str(o->public_text + 2)) ==
	           ADY_OK &&
	       n == ady_curve_public_size(o->curve) &&
	       ady_hex_decode(o->to, sizeof o->to, &n, ady_bytes_str(text_of(o->json, "backup"))) ==
	           ADY_OK &&
	       n == sizeof o->to && blob_of(o->json, "enc", o->sealed.enc, sizeof o->sealed.enc) &&
	       blob_of(o->json, "sealed", o->sealed.sealed, sizeof o->sealed.sealed);
}

static enum ady_err read_file(struct opened *o, const char *path, struct ady_fault *f)
{
	struct ady_dyn text = {0};
	enum ady_err err = ady_file_read(&text, path, BACKUP_MAX, f);

	if (err == ADY_OK) {
		o->json = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
		if (!read_members(o))
			err = ady_fail(f, ADY_E_FIELD_INVALID, path, "is no backup of a key");
	}
	ady_dyn_free(&text);
	return err;
}

static enum ady_err open_sealed(struct ady_seckey *key, const struct opened *o,
                                const struct ady_seckey *secret, struct ady_fault *f)
{
	const struct ady_bytes public = ady_bytes(o->public, ady_curve_public_size(o->curve));
	struct ady_secp *secp;
	uint8_t bind[32];
	enum ady_err err = ady_secp_open(&secp);

	if (err != ADY_OK)
		return ady_fail(f, err, NULL, "%s", ady_err_text(err));
	ady_backup_bind(bind, o->curve_name, o->tenant, o->id, public);
	err = ady_backup_open(key, &o->sealed, secret->b, bind, o->curve, public, secp);
	ady_secp_close(secp);
	if (err == ADY_E_RECORD_MISMATCH)
		return ady_fail(f, err, "public_key", "is not that of the key in the backup");
	return err == ADY_OK
	           ? ADY_OK
	           : ady_fail(f, err, "sealed", "was not sealed to this key, or was changed since");
}

/* The private key in hex, as `adyton key import` takes it. */
static enum ady_err put_key(const struct ady_seckey *key, const char *path, struct ady_fault *f)
{
	char line[66];
	enum ady_err err = ADY_OK;

	ady_hex_encode(line, ady_bytes(key->b, sizeof key->b));
	line[64] = '\n';
	if (strcmp(path, "-") == 0)
		fwrite(line, 1, 65, stdout);
	else
		err = ady_file_write(path, 0600, ady_bytes(line, 65), f);
	ady_zero(line, sizeof line);
	return err;
}

static int open_backup(const char *path, const char *key_file, const char *output)
{
	ADY_SECRET struct ady_seckey secret = {0}, key = {0};
	struct opened o = {0};
	struct ady_fault f = {0};
	FILE *say = output && strcmp(output, "-") == 0 ? stderr : stdout;
	enum ady_err err = read_file(&o, path, &f);
	int status;

	if (err == ADY_OK)
		err = load(&secret, key_file, &f);
	if (err == ADY_OK)
		err = open_sealed(&key, &o, &secret, &f);
	if (err == ADY_OK && output)
		err = put_key(&key, output, &f);
	if (err == ADY_OK)
		fprintf(say, "opened      %s\ntenant      %s\ncurve       %s\npublic key  %s\n",
		        o.id, o.tenant, o.curve_name, o.public_text);
	status = err == ADY_OK ? ADY_EXIT_OK : ady_cli_fault(&f, "open the backup", NULL);
	json_decref(o.json);
	ady_stack_wipe();
	return status;
}

int ady_cmd_backup_open(const struct ady_command *self, int argc, char **argv)
{
	const char *key = NULL, *output = NULL;
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"key", "FILE", "the private key (adyton backup keygen)", .text = &key},
	    {"output", "FILE",
	     "write the key there in hex (-: standard output); else it is only "
	     "checked",
	     .text = &output},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 1 || !key)
		return ady_cli_usage(self, "give the FILE of a backup, and --key");
	return open_backup(rest.v[0], key, output);
}
