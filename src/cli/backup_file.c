/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backup_file.h"

#include <string.h>

#include "base/text.h"
#include "cli/file.h"

enum { KEY_FILE_MAX = 256, BACKUP_MAX = 8192 };

void ady_backup_secret_wipe(struct ady_backup_secret *secret)
{
	ady_zero(secret, sizeof *secret);
}

static enum ady_err load(struct ady_seckey *secret, const char *path, struct ady_fault *f)
{
	static const char key_head[] = ADY_BACKUP_KEY_HEAD;
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

static bool read_curve(struct ady_backup_file *o)
{
	for (enum ady_curve c = ADY_CURVE_SECP256K1; c <= ADY_CURVE_WALLET; c++)
		if (strcmp(o->curve_name, ady_curve_name(c)) == 0) {
			o->curve = c;
			return true;
		}
	return false;
}

static bool read_members(struct ady_backup_file *o)
{
	uint8_t to[32];
	size_t n;

	o->id = text_of(o->json, "id");
	o->tenant = text_of(o->json, "tenant");
	o->curve_name = text_of(o->json, "curve");
	o->public_text = text_of(o->json, "public_key");
	if (!read_curve(o))
		return false;
	o->sealed.sealed_n = ady_backup_size(o->curve);
	return json_integer_value(json_object_get(o->json, "adyton_backup")) == 1 && *o->id &&
	       *o->tenant && strncmp(o->public_text, "0x", 2) == 0 &&
	       ady_hex_decode(o->public, sizeof o->public, &n, ady_bytes_str(o->public_text + 2)) ==
	           ADY_OK &&
	       n == ady_curve_public_size(o->curve) &&
	       ady_hex_decode(to, sizeof to, &n, ady_bytes_str(text_of(o->json, "backup"))) ==
	           ADY_OK &&
	       n == sizeof to && blob_of(o->json, "enc", o->sealed.enc, sizeof o->sealed.enc) &&
	       blob_of(o->json, "sealed", o->sealed.sealed, o->sealed.sealed_n);
}

enum ady_err ady_backup_file_read(struct ady_backup_file *o, const char *path, struct ady_fault *f)
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

void ady_backup_file_free(struct ady_backup_file *o)
{
	json_decref(o->json);
	*o = (struct ady_backup_file){0};
}

static enum ady_err open_sealed(struct ady_backup_secret *out, const struct ady_backup_file *o,
                                const struct ady_seckey *secret, const struct ady_secp *secp)
{
	const struct ady_bytes public = ady_bytes(o->public, ady_curve_public_size(o->curve));
	uint8_t bind[32];

	ady_backup_bind(bind, o->curve_name, o->tenant, o->id, public);
	return o->curve == ADY_CURVE_WALLET
	           ? ady_backup_open_wallet(&out->wallet, &o->sealed, secret->b, bind, o->public,
	                                    secp)
	           : ady_backup_open(&out->key, &o->sealed, secret->b, bind, o->curve, public,
	                             secp);
}

enum ady_err ady_backup_file_open(struct ady_backup_secret *out, const struct ady_backup_file *o,
                                  const char *key_file, struct ady_fault *f)
{
	ADY_SECRET struct ady_seckey secret = {0};
	struct ady_secp *secp;
	enum ady_err err;

	ady_backup_secret_wipe(out);
	if ((err = load(&secret, key_file, f)) != ADY_OK)
		return err;
	if ((err = ady_secp_open(&secp)) != ADY_OK)
		return ady_fail(f, err, NULL, "%s", ady_err_text(err));
	err = open_sealed(out, o, &secret, secp);
	ady_secp_close(secp);
	ady_stack_wipe();
	if (err == ADY_E_RECORD_MISMATCH)
		return ady_fail(f, err, "public_key", "is not that of the key in the backup");
	return err == ADY_OK
	           ? ADY_OK
	           : ady_fail(f, err, "sealed", "was not sealed to this key, or was changed since");
}
