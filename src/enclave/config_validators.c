/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/config_validators.h"

#include <stdio.h>

static const char *const names[] = {"network", "keys", "clock_error_s", "quarantine_epochs",
                                    "lagging_source"};

enum { NAMES = sizeof names / sizeof *names };

static enum ady_err refuse(struct ady_fault *f, enum ady_err err, const char *name, const char *why)
{
	char where[64];

	snprintf(where, sizeof where, "validators.%.40s", name);
	return ady_fail(f, err, where, "%s", why);
}

static enum ady_err only_known(const struct ady_json *doc, uint32_t i, struct ady_fault *f)
{
	if (ady_json_kind(doc, i) != ADY_JSON_OBJECT)
		return ady_fail(f, ADY_E_FIELD_INVALID, "validators", "must be an object");
	for (uint32_t key = ady_json_first(doc, i); key; key = ady_json_after(doc, i, key)) {
		struct ady_bytes raw = ady_json_raw(doc, key);
		char got[41];
		unsigned k = 0;

		while (k < NAMES && !ady_json_is(doc, key, names[k]))
			k++;
		if (k < NAMES)
			continue;
		(void)ady_bytes_to_str(got, sizeof got,
		                       ady_bytes_sub(raw, 0, raw.n < 40 ? raw.n : 40));
		return refuse(f, ADY_E_FIELD_UNKNOWN, got, "is not known");
	}
	return ADY_OK;
}

static enum ady_err read_number(uint32_t *out, const struct ady_json *doc, uint32_t i,
                                const char *name, const uint32_t bounds[static 3],
                                struct ady_fault *f)
{
	uint32_t at = ady_json_get(doc, i, name);
	uint64_t v = bounds[2];

	if (at &&
	    (ady_json_kind(doc, at) != ADY_JSON_NUMBER || ady_json_u64(doc, at, &v) != ADY_OK))
		return refuse(f, ADY_E_FIELD_INVALID, name, "must be a whole number");
	if (v < bounds[0] || v > bounds[1])
		return refuse(f, ADY_E_FIELD_RANGE, name, "is out of range");
	*out = (uint32_t)v;
	return ADY_OK;
}

enum ady_err ady_config_validators_read(struct ady_config_validators *v, const struct ady_json *doc,
                                        struct ady_fault *f)
{
	uint32_t i = ady_json_get(doc, 0, "validators"), network, lagging;
	enum ady_err err;

	*v = (struct ady_config_validators){0};
	if (!i)
		return ADY_OK;
	if ((err = only_known(doc, i, f)) != ADY_OK)
		return err;
	if (!(network = ady_json_get(doc, i, "network")))
		return refuse(f, ADY_E_FIELD_MISSING, "network", "is required");
	if ((err = ady_beacon_network_read(&v->network, doc, network, f)) != ADY_OK ||
	    (err = read_number(&v->keys, doc, i, "keys", (uint32_t[]){1, 1 << 20, 1 << 16}, f)) !=
	        ADY_OK ||
	    (err = read_number(&v->clock_error_s, doc, i, "clock_error_s", (uint32_t[]){0, 600, 30},
	                       f)) != ADY_OK ||
	    (err = read_number(&v->quarantine_epochs, doc, i, "quarantine_epochs",
	                       (uint32_t[]){0, 1 << 16, 0}, f)) != ADY_OK)
		return err;
	lagging = ady_json_get(doc, i, "lagging_source");
	v->lagging_source = lagging && ady_json_kind(doc, lagging) == ADY_JSON_TRUE;
	if (lagging && !v->lagging_source && ady_json_kind(doc, lagging) != ADY_JSON_FALSE)
		return refuse(f, ADY_E_FIELD_INVALID, "lagging_source", "must be true or false");
	v->enabled = true;
	return ADY_OK;
}
