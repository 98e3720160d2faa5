/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/config_attestation.h"

#include <stdio.h>

#include "base/text.h"

static enum ady_err read_pcrs(const struct ady_conf *o, const char *name,
                              uint8_t out[ADY_GATEWAY_PCRS_MAX][48], size_t *n)
{
	const json_t *list = json_object_get(o->json, name);

	*n = 0;
	if (!list)
		return ADY_OK;
	if (json_array_size(list) == 0 || json_array_size(list) > ADY_GATEWAY_PCRS_MAX)
		return ady_conf_refuse(o, name, "is no list of 1 to 8 measurements");
	for (; *n < json_array_size(list); (*n)++) {
		const json_t *item = json_array_get(list, *n);
		size_t size = 0;

		if (!json_is_string(item) ||
		    ady_hex_decode(out[*n], 48, &size,
		                   ady_bytes(json_string_value(item), json_string_length(item))) !=
		        ADY_OK ||
		    size != 48)
			return ady_conf_refuse(o, name, "must hold measurements, 96 hex digits");
	}
	return ADY_OK;
}

enum ady_err ady_config_attestation_read(struct ady_config_attestation *a,
                                         const struct ady_conf *root)
{
	static const char *const known[] = {"pcr0", "pcr8", "root", NULL};
	struct ady_conf o = {json_object_get(root->json, "attestation"), "attestation", root->f};
	enum ady_err err;

	if (!o.json)
		return ADY_OK;
	err = ady_conf_members(&o, known);
	if (err == ADY_OK)
		err = read_pcrs(&o, "pcr0", a->pcr0, &a->pcr0_n);
	if (err == ADY_OK)
		err = read_pcrs(&o, "pcr8", a->pcr8, &a->pcr8_n);
	if (err == ADY_OK)
		err = ady_conf_text(&o, "root", &a->root);
	if (err == ADY_OK && a->pcr0_n == 0 && a->pcr8_n == 0)
		return ady_conf_refuse(&o, "pcr0", "or pcr8 is required: which enclave is it?");
	a->on = err == ADY_OK;
	return err;
}
