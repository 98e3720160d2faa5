/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keystore_slashing.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "codec/wire.h"
#include "policy/interchange.h"

enum { TIMEOUT_MS = 600000, FILE_MAX = 64 * 1024 * 1024 };

enum ady_err ady_keystore_history_check(const struct ady_keystore_history *h, struct ady_fault *f)
{
	struct ady_interchange ix = {0};
	struct ady_json_tok *toks = NULL;
	struct ady_dyn file = {0};
	struct ady_json doc;
	size_t cap;
	enum ady_err err;

	if (!h->file)
		return ADY_OK;
	err = ady_file_read(&file, h->file, FILE_MAX, f);
	cap = file.n / 2 + 16;
	if (err == ADY_OK && !(toks = malloc(cap * sizeof *toks)))
		err = ady_fail(f, ADY_E_MEMORY, NULL, "no memory");
	if (err == ADY_OK)
		err = ady_json_parse(&doc, toks, cap, ady_dyn_bytes(&file), f);
	if (err == ADY_OK)
		err = ady_interchange_open(&ix, &doc, f);
	free(toks);
	ady_dyn_free(&file);
	return err;
}

/* Whether the run has this key in the store now. */
static bool is_in(const struct ady_keystore_file *file)
{
	return file->form == ADY_IMPORT_EIP2335 && file->key[0] &&
	       (file->outcome == ADY_KEYSTORE_IMPORTED || file->outcome == ADY_KEYSTORE_THERE);
}

/* The interchange of the file, its keys found by name; a new one without. */
static json_t *load(const struct ady_keystore_history *h, json_t *by_key)
{
	json_t *whole = h->file ? json_load_file(h->file, 0, NULL) : NULL, *entry;
	size_t i;

	json_array_foreach(json_object_get(whole, "data"), i, entry)
	{
		const char *key = json_string_value(json_object_get(entry, "pubkey"));
		char name[99] = "";

		for (size_t c = 0; key && key[c] && c < sizeof name - 1; c++)
			name[c] = (char)(key[c] >= 'A' && key[c] <= 'F' ? key[c] + 32 : key[c]);
		if (!json_object_get(by_key, name))
			json_object_set_new(by_key, name, json_array());
		json_array_append(json_object_get(by_key, name), entry);
	}
	if (!whole)
		whole = json_pack("{s{ssss}}", "metadata", "interchange_format_version", "5",
		                  "genesis_validators_root", h->root ? h->root : "");
	json_object_set_new(whole, "data", json_array());
	return whole;
}

/* The file may name a key several times; the gateway takes all that is said of it. */
static json_t *select_keys(const struct ady_keystore_history *h,
                           const struct ady_keystore_files *files, size_t *given, size_t *bare)
{
	json_t *by_key = json_object(), *whole = load(h, by_key);
	json_t *data = json_object_get(whole, "data");

	for (size_t i = 0; i < files->n; i++) {
		const struct ady_keystore_file *file = &files->v[i];
		json_t *said = json_object_get(by_key, file->key);

		if (!is_in(file))
			continue;
		if (said)
			json_array_extend(data, said);
		else if (h->fresh)
			json_array_append_new(data,
			                      json_pack("{sss[]s[]}", "pubkey", file->key,
			                                "signed_blocks", "signed_attestations"));
		*(said || h->fresh ? given : bare) += 1;
	}
	json_decref(by_key);
	return whole;
}

static enum ady_err read_answer(const struct ady_gateway_reply *reply, struct ady_fault *f)
{
	json_t *answer = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	const json_t *first = json_array_get(json_object_get(answer, "failed"), 0);
	const char *why = json_string_value(json_object_get(first, "message"));
	const char *code = json_string_value(json_object_get(first, "code"));
	enum ady_err err = ADY_OK;

	if (first)
		err = ady_fail(f, ady_err_from_code(code ? code : ""), "slashing",
		               "%zu keys were refused their state, the first: %s",
		               json_array_size(json_object_get(answer, "failed")), why ? why : "");
	json_decref(answer);
	return err;
}

enum ady_err ady_keystore_history_give(const struct ady_keystore_history *h,
                                       const struct ady_gateway *gateway,
                                       const struct ady_keystore_files *files, size_t *given,
                                       size_t *bare, struct ady_fault *f)
{
	struct ady_gateway_reply reply = {0};
	struct ady_dyn body = {0};
	json_t *interchange;
	char *text;
	enum ady_err err = ADY_OK;

	*given = *bare = 0;
	interchange = select_keys(h, files, given, bare);
	text = json_dumps(interchange, JSON_COMPACT);
	ady_dyn_str(&body, text ? text : "");
	if (*given > 0)
		err = ady_gateway_call(gateway, "/v1/slashing", &body, TIMEOUT_MS, &reply, f);
	if (err == ADY_OK && *given > 0)
		err = reply.status == 200 ? read_answer(&reply, f) : ady_gateway_fault(&reply, f);
	ady_dyn_free(&reply.body);
	ady_dyn_free(&body);
	json_decref(interchange);
	free(text);
	return err;
}
