/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/record.h"

#include <string.h>

#include "base/text.h"
#include "codec/cbor.h"
#include "codec/json.h"
#include "crypto/hash.h"

enum { AAD_VERSION = 1, AAD_MEMBERS = 11 };

static void add_pair(struct ady_record *rec, const char *key, const char *value)
{
	rec->context[rec->context_n++] = (struct ady_context_pair){key, value};
}

static void put_chains(struct ady_buf *b, const struct ady_record *rec)
{
	for (size_t i = 0; i < rec->chains_n; i++)
		ady_buf_printf(b, "%s%llu", i ? "," : "", (unsigned long long)rec->chains[i]);
}

/* Write the words of rec->allow, each between quotes, with commas between them. */
static void put_allow(struct ady_buf *b, const struct ady_record *rec, const char *quote)
{
	size_t start = b->n;

	for (unsigned word = 0; word < ADY_ALLOW_WORDS; word++) {
		if (!(rec->allow >> word & 1))
			continue;
		ady_buf_str(b, b->n > start ? "," : "");
		ady_buf_str(b, quote);
		ady_buf_str(b, ady_allow_word(word));
		ady_buf_str(b, quote);
	}
}

/* The texts of what is bound and no text, each in its one spelling. */
static void write_texts(struct ady_record *rec)
{
	struct ady_buf allow = ady_buf(rec->allow_text, sizeof rec->allow_text - 1);
	struct ady_buf chains = ady_buf(rec->chains_text, sizeof rec->chains_text - 1);
	struct ady_buf created = ady_buf(rec->created_text, sizeof rec->created_text - 1);

	memcpy(rec->public_key, "0x", 2);
	ady_hex_encode(rec->public_key + 2, ady_bytes(rec->pub, ady_curve_public_size(rec->curve)));
	put_allow(&allow, rec, "");
	rec->allow_text[allow.n] = '\0';
	put_chains(&chains, rec);
	rec->chains_text[chains.n] = '\0';
	if (rec->has_backup) {
		const struct ady_bytes key = ady_bytes(rec->backup, sizeof rec->backup);
		uint8_t hash[32];

		ady_sha256(hash, &key, 1);
		ady_hex_encode(rec->backup_text, ady_bytes(hash, sizeof hash));
	}
	ady_buf_printf(&created, "%llu", (unsigned long long)rec->created);
	rec->created_text[created.n] = '\0';
}

void ady_record_set_policy(struct ady_record *rec, struct ady_bytes policy)
{
	rec->policy = policy;
	ady_sha256(rec->policy_hash, &policy, 1);
	ady_hex_encode(rec->policy_text, ady_bytes(rec->policy_hash, sizeof rec->policy_hash));
}

void ady_record_bind(struct ady_record *rec)
{
	write_texts(rec);
	rec->context_n = 0;
	if (rec->envelope)
		return;
	if (rec->allow)
		add_pair(rec, "adyton:allow", rec->allow_text);
	if (rec->has_backup)
		add_pair(rec, "adyton:backup", rec->backup_text);
	if (rec->callers_text[0])
		add_pair(rec, "adyton:callers", rec->callers_text);
	if (rec->chains_n)
		add_pair(rec, "adyton:chains", rec->chains_text);
	if (rec->created)
		add_pair(rec, "adyton:created", rec->created_text);
	add_pair(rec, "adyton:curve", ady_curve_name(rec->curve));
	add_pair(rec, "adyton:id", rec->id);
	if (rec->policy.n)
		add_pair(rec, "adyton:policy", rec->policy_text);
	add_pair(rec, "adyton:public-key", rec->public_key);
	add_pair(rec, "adyton:tenant", rec->tenant);
}

void ady_record_data_key_context(struct ady_context_pair context[static ADY_DATA_KEY_CONTEXT],
                                 const char *deployment, const char *tenant)
{
	context[0] = (struct ady_context_pair){"adyton:deployment", deployment};
	context[1] = (struct ady_context_pair){"adyton:purpose", "data-key"};
	context[2] = (struct ady_context_pair){"adyton:tenant", tenant};
}

static void put_text(struct ady_buf *b, uint64_t key, const char *text)
{
	ady_cbor_put_uint(b, key);
	ady_cbor_put_text(b, ady_bytes_str(text));
}

static void put_hash(struct ady_buf *b, uint64_t key, struct ady_bytes of)
{
	uint8_t hash[32];

	ady_sha256(hash, &of, 1);
	ady_cbor_put_uint(b, key);
	ady_cbor_put_bytes(b, ady_bytes(hash, sizeof hash));
}

void ady_record_aad(struct ady_buf *b, const struct ady_record *rec, const char *deployment)
{
	ady_cbor_put_map(b, AAD_MEMBERS + (size_t)(rec->revision > 0) +
	                        (size_t)(rec->origin[0] != 0) + (size_t)rec->has_backup +
	                        (size_t)rec->counted);
	ady_cbor_put_uint(b, 0);
	ady_cbor_put_uint(b, AAD_VERSION);
	put_text(b, 1, deployment);
	put_text(b, 2, rec->id);
	put_text(b, 3, rec->tenant);
	put_text(b, 4, ady_curve_name(rec->curve));
	ady_cbor_put_uint(b, 5);
	ady_cbor_put_bytes(b, ady_bytes(rec->pub, ady_curve_public_size(rec->curve)));
	put_text(b, 6, rec->allow_text);
	put_text(b, 7, rec->chains_text);
	put_text(b, 8, rec->callers_text);
	ady_cbor_put_uint(b, 9);
	ady_cbor_put_bytes(b, ady_bytes(rec->policy_hash, rec->policy.n ? 32 : 0));
	ady_cbor_put_uint(b, 10);
	ady_cbor_put_uint(b, rec->created);
	if (rec->revision > 0) {
		ady_cbor_put_uint(b, 11);
		ady_cbor_put_uint(b, rec->revision);
	}
	if (rec->origin[0])
		put_text(b, 12, rec->origin);
	if (rec->has_backup)
		put_hash(b, 13, ady_bytes(rec->backup, sizeof rec->backup));
	if (rec->counted) {
		ady_cbor_put_uint(b, 14);
		ady_cbor_put_bytes(b, ady_bytes(rec->counters, sizeof rec->counters));
	}
}

static void put_member(struct ady_buf *b, const char *name, const char *value)
{
	ady_buf_str(b, ",\"");
	ady_buf_str(b, name);
	ady_buf_str(b, "\":");
	ady_json_put_string(b, ady_bytes_str(value));
}

static void put_blob(struct ady_buf *b, const char *name, const uint8_t *p, size_t n)
{
	char text[ADY_BASE64_SIZE(ADY_RECORD_CIPHERTEXT_MAX)];

	ady_base64_encode(text, ady_bytes(p, n));
	put_member(b, name, text);
}

/* Their texts need no escapes. */
static void put_callers(struct ady_buf *b, const struct ady_record *rec)
{
	if (!rec->callers_text[0])
		return;
	ady_buf_str(b, ",\"callers\":[\"");
	for (const char *c = rec->callers_text; *c; c++)
		if (*c == ',')
			ady_buf_str(b, "\",\"");
		else
			ady_buf_u8(b, (uint8_t)*c);
	ady_buf_str(b, "\"]");
}

static void put_backup(struct ady_buf *b, const struct ady_record *rec)
{
	char hex[65];

	ady_hex_encode(hex, ady_bytes(rec->backup, sizeof rec->backup));
	put_member(b, "backup", hex);
}

void ady_record_put_counters(struct ady_buf *b, const struct ady_record *rec)
{
	if (!rec->counted)
		return;
	ady_buf_put(b, rec->counters, sizeof rec->counters);
	ady_buf_put(b, rec->row_key, rec->row_key_n);
}

static void put_counters(struct ady_buf *b, const struct ady_record *rec)
{
	uint8_t both[ADY_RECORD_COUNTERS + ADY_RECORD_SEALED];
	struct ady_buf bytes = ady_buf(both, sizeof both);
	char hex[2 * sizeof both + 1];

	ady_record_put_counters(&bytes, rec);
	ady_hex_encode(hex, ady_buf_bytes(&bytes));
	put_member(b, "counters", hex);
}

void ady_record_put(struct ady_buf *b, const struct ady_record *rec)
{
	ady_buf_str(b, "{\"adyton\":1");
	put_member(b, "wrapping", rec->envelope ? "envelope" : "direct");
	put_member(b, "id", rec->id);
	put_member(b, "tenant", rec->tenant);
	put_member(b, "curve", ady_curve_name(rec->curve));
	put_member(b, "public_key", rec->public_key);
	if (rec->envelope)
		put_blob(b, "data_key", rec->data_key, rec->data_key_n);
	put_blob(b, "ciphertext", rec->ciphertext, rec->ciphertext_n);
	if (rec->allow) {
		ady_buf_str(b, ",\"allow\":[");
		put_allow(b, rec, "\"");
		ady_buf_str(b, "]");
	}
	if (rec->chains_n) {
		ady_buf_str(b, ",\"chains\":[");
		put_chains(b, rec);
		ady_buf_str(b, "]");
	}
	put_callers(b, rec);
	if (rec->policy.n) {
		ady_buf_str(b, ",\"policy\":");
		ady_buf_view(b, rec->policy);
	}
	if (rec->created)
		ady_buf_printf(b, ",\"created\":%llu", (unsigned long long)rec->created);
	if (rec->revision)
		ady_buf_printf(b, ",\"revision\":%llu", (unsigned long long)rec->revision);
	if (rec->origin[0])
		put_member(b, "origin", rec->origin);
	if (rec->counted)
		put_counters(b, rec);
	if (rec->has_backup)
		put_backup(b, rec);
	ady_buf_str(b, "}");
}
