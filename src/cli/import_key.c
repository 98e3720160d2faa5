/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/import_key.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/rng.h"

enum { TIMEOUT_MS = 30000, NONCE = 32 };

enum ady_err ady_import_key_fetch(uint8_t public[static ADY_HPKE_KEY],
                                  const struct ady_gateway *gateway, const char *root_file,
                                  const struct ady_attest_expected *wanted, struct ady_fault *f)
{
	struct ady_attestation_rules rules = {.root = ady_nitro_root_g1(),
	                                      .at_unix_s = ady_wall_ms() / 1000};
	struct ady_attest_expected expected = *wanted;
	struct ady_gateway_reply reply = {0};
	struct ady_attestation att;
	struct ady_dyn document = {0};
	uint8_t random[NONCE], root[ADY_ATTESTATION_ROOT_MAX];
	char nonce[2 * NONCE + 1], path[128];
	size_t root_n;
	enum ady_err err = ADY_OK;

	ady_random(random, sizeof random);
	ady_hex_encode(nonce, ady_bytes(random, sizeof random));
	expected.nonce = nonce;
	snprintf(path, sizeof path, "/v1/import-key?nonce=%s", nonce);
	if (root_file && (err = ady_attestation_read_root(root, &root_n, root_file, f)) == ADY_OK)
		rules.root = ady_bytes(root, root_n);
	if (err == ADY_OK)
		err = ady_gateway_call(gateway, path, NULL, TIMEOUT_MS, &reply, f);
	if (err == ADY_OK && reply.status != 200)
		err = ady_gateway_fault(&reply, f);
	if (err == ADY_OK) {
		json_t *o = json_loadb((const char *)reply.body.p, reply.body.n, 0, NULL);
		const char *text = json_string_value(json_object_get(o, "document"));

		ady_dyn_str(&document, text ? text : "");
		json_decref(o);
		err = ady_attest_decode(&document, f);
	}
	if (err == ADY_OK)
		err = ady_attestation_verify(&att, ady_dyn_bytes(&document), &rules, f);
	if (err == ADY_OK)
		err = ady_attest_check(&att, &expected, f);
	if (err == ADY_OK && att.public_key.n != ADY_HPKE_KEY)
		err = ady_fail(f, ADY_E_ATTESTATION, "public_key", "is no import key");
	if (err == ADY_OK)
		memcpy(public, att.public_key.p, ADY_HPKE_KEY);
	ady_dyn_free(&document);
	ady_dyn_free(&reply.body);
	return err;
}
