/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "codec/wire.h"

bool ady_secret_is_outage(enum ady_err err)
{
	return err == ADY_E_STORE || err == ADY_E_CREDENTIALS || err == ADY_E_MEMORY;
}

/* AWS's refusals of GetSecretValue in our words (Secrets Manager API reference). What it says about
 * the secret is not passed on: its messages repeat names. */
static enum ady_err translate(struct ady_fault *f)
{
	static const struct {
		const char *name;
		enum ady_err err;
		const char *detail;
	} all[] = {
	    {"ResourceNotFoundException", ADY_E_NOT_FOUND, "the store has no such key"},
	    {"InvalidRequestException", ADY_E_NOT_FOUND, "the secret is being deleted"},
	    {"ValidationException", ADY_E_NOT_FOUND, "the store has no such key"},
	    {"InvalidParameterException", ADY_E_NOT_FOUND, "the store has no such key"},
	    {"AccessDeniedException", ADY_E_DENIED, "the gateway's role may not read this secret"},
	    {"DecryptionFailure", ADY_E_RECORD, "the store could not decrypt the secret"},
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(f->cause, all[i].name) == 0) {
			snprintf(f->detail, sizeof f->detail, "%s", all[i].detail);
			return f->err = all[i].err;
		}
	return f->err = ADY_E_STORE;
}

/* SecretBinary is base64 of the bytes. */
static enum ady_err from_binary(const char *name, const char *base64, struct ady_stored **record,
                                struct ady_fault *f)
{
	size_t n, cap = strlen(base64) / 4 * 3;
	uint8_t *bytes = malloc(cap + 1);
	enum ady_err err;

	if (!bytes)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	err = ady_base64_decode(bytes, cap, &n, ady_bytes_str(base64));
	if (err == ADY_OK)
		*record = ady_stored_new(ady_bytes_str(name), ady_bytes(bytes, n));
	free(bytes);
	return err == ADY_OK ? ADY_OK
	                     : ady_fail(f, ADY_E_RECORD, NULL, "the secret's bytes are no base64");
}

static enum ady_err read_reply(const json_t *reply, struct ady_stored **record, struct ady_fault *f)
{
	const char *name = json_string_value(json_object_get(reply, "Name"));
	const json_t *text = json_object_get(reply, "SecretString");
	const char *binary = json_string_value(json_object_get(reply, "SecretBinary"));
	enum ady_err err = ADY_OK;

	if (!name || !*name || strlen(name) > ADY_WIRE_KEY_ID_MAX)
		return ady_fail(f, ADY_E_STORE, NULL, "the reply of the store has no name");
	if (json_is_string(text))
		*record = ady_stored_new(ady_bytes_str(name), ady_bytes(json_string_value(text),
		                                                        json_string_length(text)));
	else if (binary)
		err = from_binary(name, binary, record, f);
	else
		err = ady_fail(f, ADY_E_RECORD, NULL, "the secret has no value");
	if (*record && ((*record)->text.n == 0 || (*record)->text.n > ADY_WIRE_RECORD_MAX)) {
		ady_stored_unref(*record);
		*record = NULL;
		err = ady_fail(f, ADY_E_RECORD, NULL, "the secret is empty or too large");
	}
	return err;
}

enum ady_err ady_secret_fetch(struct ady_aws *aws, const struct ady_aws_credentials *credentials,
                              const char *secret_id, struct ady_stored **record,
                              struct ady_fault *f)
{
	json_t *body = json_pack("{s:s}", "SecretId", secret_id), *reply = NULL;
	enum ady_err err;

	*record = NULL;
	if (!body)
		return ady_fail(f, ADY_E_NOT_FOUND, NULL, "the name is not UTF-8");
	err = ady_aws_json(aws, credentials, "secretsmanager", "secretsmanager.GetSecretValue",
	                   body, &reply, f);
	json_decref(body);
	if (err == ADY_E_KMS)
		return translate(f);
	if (err == ADY_OK)
		err = read_reply(reply, record, f);
	json_decref(reply);
	return err;
}
