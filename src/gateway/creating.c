/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/creating.h"

#include "base/text.h"
#include "codec/json.h"
#include "gateway/shard.h"

enum { RECORD_TOKENS = 8192 }; /* a policy has many */

/* The next key of the tenant is sealed under the data key of this record. */
static void remember(struct ady_creating *c, struct ady_bytes record)
{
	struct ady_json_tok toks[RECORD_TOKENS];
	char text[ADY_BASE64_SIZE(ADY_WIRE_DATA_KEY_MAX)];
	uint8_t blob[ADY_WIRE_DATA_KEY_MAX];
	struct ady_json doc;
	uint32_t i;
	size_t n;

	if (ady_json_parse(&doc, toks, RECORD_TOKENS, record, NULL) == ADY_OK &&
	    (i = ady_json_get(&doc, 0, "data_key")) != 0 &&
	    ady_json_string(&doc, i, text, sizeof text, &n) == ADY_OK &&
	    ady_base64_decode(blob, sizeof blob, &n, ady_bytes(text, n)) == ADY_OK)
		ady_tenant_keys_set(c->shard->gateway->tenant_keys, c->tenant, ady_bytes(blob, n));
}

static void on_answer(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_creating *c =
	    (struct ady_creating *)((char *)call - offsetof(struct ady_creating, call));
	struct ady_wire_created m;
	struct ady_fault malformed;

	/* A data key that KMS no longer opens is no use to the next key. */
	if (f && f->err == ADY_E_KMS && c->reused)
		ady_tenant_keys_set(c->shard->gateway->tenant_keys, c->tenant,
		                    (struct ady_bytes){0});
	if (!f && ady_wire_read_created(&m, body) != ADY_OK) {
		(void)ady_fail(&malformed, ADY_E_PROTOCOL, NULL,
		               "the answer of the enclave is malformed");
		f = &malformed;
	}
	if (!f)
		remember(c, m.record);
	c->done(c, f ? NULL : &m, f);
}

enum ady_err ady_creating_ask(struct ady_creating *c, struct ady_shard *shard, enum ady_curve curve,
                              struct ady_bytes tenant, struct ady_bytes options,
                              uint32_t deadline_ms)
{
	struct ady_buf b = ady_buf(shard->frame, sizeof shard->frame);
	uint8_t space[ADY_WIRE_DATA_KEY_MAX];
	struct ady_buf blob = ady_buf(space, sizeof space);

	if (!ady_bytes_to_str(c->tenant, sizeof c->tenant, tenant))
		return ADY_E_FIELD_INVALID;
	c->shard = shard;
	c->call = (struct ady_call){.done = on_answer};
	ady_tenant_keys_get(shard->gateway->tenant_keys, c->tenant, &blob);
	c->reused = blob.n > 0;
	ady_wire_put_create(&b, &(struct ady_wire_create){.curve = (uint64_t)curve,
	                                                  .tenant = tenant,
	                                                  .options = options,
	                                                  .data_key = ady_buf_bytes(&blob)});
	if (b.full)
		return ADY_E_TOO_LARGE;
	return ady_link_ask(shard->link, &c->call, ADY_WIRE_CREATE, ady_buf_bytes(&b), deadline_ms);
}
