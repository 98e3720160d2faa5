/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "crypto/aes.h"
#include "crypto/rng.h"

enum { HEADER = 4 + 16 + 4, NONCE = 12, TAG = 16 };

/* "\1" as the blobs of AWS begin, then what tells ours apart. */
static const char MAGIC[4] = {1, 'A', 'D', 'Y'};

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_text(struct ady_buf *b, const char *s)
{
	ady_buf_be32(b, (uint32_t)strlen(s));
	ady_buf_str(b, s);
}

struct ady_bytes ady_dev_context_aad(struct ady_dev_call *c, json_t *context)
{
	json_t *value;
	size_t pairs = json_object_size(context), n = 0, i = 0;
	const char *key, **keys;
	struct ady_buf b;

	if (pairs == 0)
		return (struct ady_bytes){0};
	keys = (const char **)ady_dev_scratch(c, pairs * sizeof *keys);
	json_object_foreach(context, key, value)
	{
		keys[i++] = key;
		n += 8 + strlen(key) + json_string_length(value);
	}
	qsort(keys, pairs, sizeof *keys, by_key);
	b = ady_buf(ady_dev_scratch(c, n), n);
	for (i = 0; i < pairs; i++) {
		put_text(&b, keys[i]);
		put_text(&b, json_string_value(json_object_get(context, keys[i])));
	}
	return ady_buf_bytes(&b);
}

static void put_uuid(struct ady_buf *b, const char *id)
{
	char hex[33];
	uint8_t raw[16] = {0};
	size_t n = 0;

	for (; *id && n < 32; id++)
		if (*id != '-')
			hex[n++] = *id;
	hex[n] = '\0';
	if (ady_hex_decode(raw, sizeof raw, &n, ady_bytes_str(hex)) != ADY_OK || n != 16)
		ADY_BUG("a key id that is no UUID");
	ady_buf_put(b, raw, sizeof raw);
}

bool ady_dev_blob_read(struct ady_dev_blob *blob, struct ady_bytes bytes)
{
	char hex[33];

	if (bytes.n < ADY_DEV_BLOB_OVERHEAD || memcmp(bytes.p, MAGIC, sizeof MAGIC) != 0)
		return false;
	ady_hex_encode(hex, ady_bytes_sub(bytes, 4, 16));
	snprintf(blob->key_id, sizeof blob->key_id, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
	         hex + 12, hex + 16, hex + 20);
	blob->version = ady_be32(bytes.p + 20);
	return true;
}

/* Additional data: the header, then the context. */
static struct ady_bytes additional(struct ady_dev_call *c, struct ady_bytes header, json_t *context)
{
	struct ady_bytes aad = ady_dev_context_aad(c, context);
	struct ady_buf b = ady_buf(ady_dev_scratch(c, header.n + aad.n), header.n + aad.n);

	ady_buf_view(&b, header);
	ady_buf_view(&b, aad);
	return ady_buf_bytes(&b);
}

enum ady_err ady_dev_blob_seal(struct ady_dev_call *c, struct ady_bytes *out,
                               const struct ady_dev_key *key, json_t *context, struct ady_bytes pt)
{
	ADY_SECRET struct ady_seckey material = {0};
	size_t cap = pt.n + ADY_DEV_BLOB_OVERHEAD;
	struct ady_buf b = ady_buf(ady_dev_scratch(c, cap), cap);
	struct ady_bytes aad;
	uint8_t nonce[NONCE];
	enum ady_err err;

	if ((err = ady_dev_key_material(c->cloud, key, key->version, material.b)) != ADY_OK)
		return err;
	ady_buf_put(&b, MAGIC, sizeof MAGIC);
	put_uuid(&b, key->id);
	ady_buf_be32(&b, (uint32_t)key->version);
	aad = additional(c, ady_buf_bytes(&b), context);
	ady_random(nonce, sizeof nonce);
	ady_buf_put(&b, nonce, sizeof nonce);
	*out = ady_bytes(b.p, cap);
	return ady_aes_gcm_seal(b.p + b.n, material.b, nonce, aad, pt);
}

enum ady_err ady_dev_blob_open(struct ady_dev_call *c, struct ady_bytes *out,
                               const struct ady_dev_key *key, json_t *context,
                               struct ady_bytes bytes)
{
	ADY_SECRET struct ady_seckey material = {0};
	struct ady_bytes ct, aad;
	struct ady_dev_blob blob;
	uint8_t *pt;

	if (!ady_dev_blob_read(&blob, bytes) ||
	    ady_dev_key_material(c->cloud, key, blob.version, material.b) != ADY_OK)
		return ADY_E_CRYPTO;
	aad = additional(c, ady_bytes_sub(bytes, 0, HEADER), context);
	ct = ady_bytes_sub(bytes, HEADER + NONCE, bytes.n - HEADER - NONCE);
	pt = (uint8_t *)ady_dev_scratch(c, ct.n);
	*out = ady_bytes(pt, ct.n - TAG);
	return ady_aes_gcm_open(pt, material.b, bytes.p + HEADER, aad, ct);
}
