/* SPDX-License-Identifier: Apache-2.0 */
#include "store/entry.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "chain/eth_tx.h"
#include "codec/utf8.h"
#include "crypto/secp.h"

bool ady_entry_is_name(const char *s, size_t max)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                              "0123456789._:/+=@-";
	const size_t n = strspn(s, allowed);

	return n > 0 && n <= max && s[n] == '\0';
}

bool ady_entry_is_label(struct ady_bytes s)
{
	if (s.n > ADY_LABEL_MAX || !ady_utf8_valid(s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

bool ady_entry_secret_name(char *out, size_t cap, struct ady_bytes secret_id)
{
	static const char mark[] = ":secret:";
	const uint8_t *at = NULL;

	if (secret_id.n > 8 && memcmp(secret_id.p, "arn:", 4) == 0)
		at = memmem(secret_id.p, secret_id.n, mark, sizeof mark - 1);
	if (at) {
		const uint8_t *name = at + sizeof mark - 1;

		secret_id = ady_bytes(name, (size_t)(secret_id.p + secret_id.n - name));
		/* "-" and six characters stand behind the name. */
		if (secret_id.n > 7 && secret_id.p[secret_id.n - 7] == '-')
			secret_id.n -= 7;
	}
	return ady_bytes_to_str(out, cap, secret_id);
}

static enum ady_err refuse(struct ady_fault *f, const char *member, const char *why)
{
	char where[64];

	snprintf(where, sizeof where, "record.%s", member);
	return ady_fail(f, ADY_E_RECORD, where, "%s", why);
}

/* A text member of at most cap - 1 bytes, without NUL. */
static enum ady_err take_text(const json_t *o, const char *name, char *out, size_t cap,
                              struct ady_fault *f)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_string(v) ||
	    !ady_bytes_to_str(out, cap, ady_bytes(json_string_value(v), json_string_length(v))))
		return refuse(f, name, "is missing, no string, or too long");
	return ADY_OK;
}

/* The lengths that the curves' public keys have. */
static bool length_fits(const char *curve, size_t n)
{
	return (strcmp(curve, "secp256k1") == 0 && n == 33) ||
	       (strcmp(curve, "ed25519") == 0 && n == 32) ||
	       (strcmp(curve, "bls12-381") == 0 && n == 48) ||
	       (strcmp(curve, "wallet") == 0 && n == 33);
}

static enum ady_err take_public_key(struct ady_entry *e, const json_t *o, struct ady_fault *f)
{
	const char *text = json_string_value(json_object_get(o, "public_key"));
	uint8_t pub65[65];

	if (!text || strncmp(text, "0x", 2) != 0 ||
	    ady_hex_decode(e->public_key, sizeof e->public_key, &e->public_key_n,
	                   ady_bytes_str(text + 2)) != ADY_OK ||
	    !length_fits(e->curve, e->public_key_n))
		return refuse(f, "public_key", "is no public key of the record's curve");
	if (strcmp(e->curve, "secp256k1") != 0)
		return ADY_OK;
	if (ady_secp_expand(pub65, e->public_key) != ADY_OK)
		return refuse(f, "public_key", "is no point of the curve");
	ady_eth_address(e->address, pub65);
	e->has_address = true;
	return ADY_OK;
}

static enum ady_err take_members(struct ady_entry *e, const json_t *o, struct ady_fault *f)
{
	const json_t *data_key = json_object_get(o, "data_key");
	const json_t *created = json_object_get(o, "created");
	char id[ADY_KEY_ID_MAX + 1];
	enum ady_err err = take_text(o, "id", id, sizeof id, f);

	if (err == ADY_OK && strcmp(id, e->id) != 0)
		return ady_fail(f, ADY_E_RECORD_MISMATCH, "record.id", "is another key's");
	if (err == ADY_OK)
		err = take_text(o, "tenant", e->tenant, sizeof e->tenant, f);
	if (err == ADY_OK && !ady_entry_is_name(e->tenant, ADY_TENANT_MAX))
		return refuse(f, "tenant", "must consist of A-Z a-z 0-9 . _ : / + = @ -");
	if (err == ADY_OK)
		err = take_text(o, "curve", e->curve, sizeof e->curve, f);
	if (err == ADY_OK)
		err = take_public_key(e, o, f);
	if (err == ADY_OK && data_key &&
	    (!json_is_string(data_key) || json_string_length(data_key) > ADY_DATA_KEY_MAX))
		return refuse(f, "data_key", "is no string, or too long");
	if (err == ADY_OK && data_key)
		ady_dyn_put(&e->data_key, json_string_value(data_key),
		            json_string_length(data_key));
	if (err == ADY_OK && created && json_integer_value(created) <= 0)
		return refuse(f, "created", "is no time");
	if (created)
		e->created_s = json_integer_value(created);
	return err;
}

enum ady_err ady_entry_read(struct ady_entry *e, const char *id, struct ady_bytes text,
                            struct ady_fault *f)
{
	struct ady_bytes body = text;
	json_t *o;
	enum ady_err err = ADY_OK;

	*e = (struct ady_entry){.created_s = ady_wall_ms() / 1000};
	if (!ady_entry_is_name(id, ADY_KEY_ID_MAX))
		return ady_fail(f, ADY_E_FIELD_INVALID, "id",
		                "must be 1 to 255 of A-Z a-z 0-9 . _ : / + = @ -");
	if (text.n == 0 || text.n > ADY_ENTRY_TEXT_MAX)
		return ady_fail(f, ADY_E_RECORD, "record", "is empty or too large");
	snprintf(e->id, sizeof e->id, "%s", id);
	snprintf(e->tenant, sizeof e->tenant, "%s", ADY_TENANT_DEFAULT);
	while (body.n > 0 && body.p[0] <= ' ')
		body = ady_bytes(body.p + 1, body.n - 1);
	if (body.n > 0 && body.p[0] == '{') { /* else base64, the AWS sample's form */
		o = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
		err = o ? take_members(e, o, f) : ady_fail(f, ADY_E_RECORD, "record", "is no JSON");
		json_decref(o);
	}
	if (err == ADY_OK)
		ady_dyn_put(&e->text, text.p, text.n);
	else
		ady_entry_clear(e);
	return err;
}

void ady_entry_clear(struct ady_entry *e)
{
	ady_dyn_free(&e->text);
	ady_dyn_free(&e->data_key);
	*e = (struct ady_entry){0};
}

void ady_entry_copy(struct ady_entry *to, const struct ady_entry *from)
{
	*to = *from;
	to->text = to->data_key = (struct ady_dyn){0};
	ady_dyn_put(&to->text, from->text.p, from->text.n);
	ady_dyn_put(&to->data_key, from->data_key.p, from->data_key.n);
}
