/* SPDX-License-Identifier: Apache-2.0
 *
 * A key as the answers show it: all of its record but the ciphertexts. */
#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "chain/eth_tx.h"
#include "gateway/answer.h"
#include "gateway/keys_call.h"

static void put_text(struct ady_dyn *out, const char *name, const char *value)
{
	ady_dyn_printf(out, ",\"%s\":", name);
	ady_answer_string(out, value);
}

/* Members of the record that are shown as they stand. */
static void put_from_record(struct ady_dyn *out, const struct ady_entry *e)
{
	static const char *const names[] = {"wrapping", "allow",  "chains",
	                                    "callers",  "policy", "origin"};
	json_t *o = json_loadb((const char *)e->text.p, e->text.n, 0, NULL);

	if (!json_is_object(o)) {
		put_text(out, "wrapping", "aws-sample");
		json_decref(o);
		return;
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const json_t *v = json_object_get(o, names[i]);
		char *text = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

		if (text)
			ady_dyn_printf(out, ",\"%s\":%s", names[i], text);
		free(text);
	}
	if (json_integer_value(json_object_get(o, "revision")) > 0)
		ady_dyn_printf(out, ",\"policy_revision\":%lld",
		               (long long)json_integer_value(json_object_get(o, "revision")));
	json_decref(o);
}

void ady_keys_put(struct ady_dyn *out, const struct ady_entry *e, size_t prefix_n, bool whole)
{
	char text[2 * ADY_PUBLIC_KEY_MAX + 3] = "0x", address[43];

	ady_dyn_str(out, "{\"id\":");
	ady_answer_string(out, e->id + prefix_n);
	put_text(out, "tenant", e->tenant);
	if (e->curve[0])
		put_text(out, "curve", e->curve);
	if (e->public_key_n) {
		ady_hex_encode(text + 2, ady_bytes(e->public_key, e->public_key_n));
		put_text(out, "public_key", text);
	}
	if (e->has_address) {
		ady_eth_address_format(address, e->address);
		put_text(out, "address", address);
	}
	put_text(out, "label", e->label);
	ady_dyn_printf(out, ",\"enabled\":%s,\"created\":%lld",
	               e->disabled || e->deletion_s ? "false" : "true", (long long)e->created_s);
	if (e->deletion_s)
		ady_dyn_printf(out, ",\"deletion\":%lld", (long long)e->deletion_s);
	put_text(out, "revision", e->revision);
	if (whole)
		put_from_record(out, e);
	ady_dyn_str(out, "}");
}
