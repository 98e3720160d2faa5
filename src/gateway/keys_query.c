/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands behind the ? of a request about keys. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "chain/eth_tx.h"
#include "gateway/keys_call.h"

enum { LIMIT_USUAL = 100 };

bool ady_keys_query_known(struct ady_bytes query, const char *const *names)
{
	unsigned seen = 0;

	while (query.n > 0) {
		const uint8_t *amp = memchr(query.p, '&', query.n);
		size_t n = amp ? (size_t)(amp - query.p) : query.n, name = 0, i = 0;

		while (name < n && query.p[name] != '=')
			name++;
		while (names[i] && !ady_bytes_is(ady_bytes(query.p, name), names[i]))
			i++;
		if (!names[i] || seen & 1u << i)
			return false;
		seen |= 1u << i;
		query = ady_bytes_sub(query, n + (amp != NULL), query.n - n - (amp != NULL));
	}
	return true;
}

bool ady_keys_query_text(struct ady_bytes query, const char *name, char *out, size_t cap, bool *ok)
{
	enum ady_err err = ady_http_query(out, cap, query, name);

	if (err != ADY_OK && err != ADY_E_NOT_FOUND)
		*ok = false;
	return err == ADY_OK;
}

bool ady_keys_query_number(const char *text, int64_t low, int64_t high, int64_t *out)
{
	char *end;

	*out = strtoll(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *out >= low && *out <= high;
}

/* Ids in the store have the configured prefix before those of requests. */
static bool take_id(struct ady_keys_call *call, struct ady_bytes query, const char *name,
                    char out[static ADY_KEY_ID_MAX + 1], bool *ok)
{
	const size_t n = strlen(call->prefix);

	memcpy(out, call->prefix, n + 1);
	return ady_keys_query_text(query, name, out + n, ADY_KEY_ID_MAX + 1 - n, ok);
}

static const char *read_page(struct ady_keys_call *call, struct ady_bytes query)
{
	char text[24];
	int64_t limit = LIMIT_USUAL;
	bool ok = true;

	if (take_id(call, query, "after", call->after, &ok))
		call->query.after = call->after;
	if (!ok)
		return "after";
	(void)take_id(call, query, "prefix", call->under, &ok);
	call->query.prefix = call->under;
	if (!ok)
		return "prefix";
	if (ady_keys_query_text(query, "limit", text, sizeof text, &ok) &&
	    !ady_keys_query_number(text, 1, ADY_RECORDS_PAGE_MAX, &limit))
		return "limit";
	call->query.limit = (size_t)limit;
	return NULL;
}

static const char *read_names(struct ady_keys_call *call, struct ady_bytes query)
{
	bool ok = true;

	if (ady_keys_query_text(query, "label", call->label, sizeof call->label, &ok))
		call->query.label = call->label;
	if (!ok || !ady_entry_is_label(ady_bytes_str(call->label)))
		return "label";
	if (ady_keys_query_text(query, "curve", call->curve, sizeof call->curve, &ok))
		call->query.curve = call->curve;
	return ok ? NULL : "curve";
}

/* Few keys are of one account: there are no pages of them. */
static const char *read_account(struct ady_keys_call *call, struct ady_bytes query)
{
	char text[2 + 2 * ADY_PUBLIC_KEY_MAX + 1] = "";
	bool ok = true;
	size_t n;

	if (ady_keys_query_text(query, "address", text, sizeof text, &ok)) {
		if (ady_eth_address_parse(call->address, ady_bytes_str(text)) != ADY_OK)
			return "address";
		call->query.address = call->address;
	}
	if (!ok)
		return "address";
	if (ady_keys_query_text(query, "public_key", text, sizeof text, &ok)) {
		if (strncmp(text, "0x", 2) != 0 ||
		    ady_hex_decode(call->public_key, sizeof call->public_key, &n,
		                   ady_bytes_str(text + 2)) != ADY_OK ||
		    n == 0)
			return "public_key";
		call->query.public_key = ady_bytes(call->public_key, n);
	}
	if (!ok)
		return "public_key";
	return (call->query.address || call->query.public_key.n) && call->query.after ? "after"
	                                                                              : NULL;
}

static const char *read_state(struct ady_keys_call *call, struct ady_bytes query)
{
	char text[8] = "";
	bool ok = true;

	if (ady_keys_query_text(query, "enabled", text, sizeof text, &ok)) {
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return "enabled";
		call->query.enabled =
		    strcmp(text, "true") == 0 ? ADY_ENABLED_ONLY : ADY_DISABLED_ONLY;
	}
	if (!ok)
		return "enabled";
	if (ady_keys_query_text(query, "tenant", call->tenant, sizeof call->tenant, &ok))
		call->query.tenant = call->tenant;
	return ok ? NULL : "tenant";
}

const char *ady_keys_query_list(struct ady_keys_call *call, struct ady_bytes query)
{
	static const char *const names[] = {"after",   "limit",   "prefix",     "label",  "curve",
	                                    "enabled", "address", "public_key", "tenant", NULL};
	const char *wrong = ady_keys_query_known(query, names) ? NULL : "query";

	if (!wrong)
		wrong = read_page(call, query);
	if (!wrong)
		wrong = read_names(call, query);
	if (!wrong)
		wrong = read_state(call, query);
	return wrong ? wrong : read_account(call, query);
}
