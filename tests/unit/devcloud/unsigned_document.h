/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents as QEMU's virtio-nsm writes them, with a fault where a test wants one. */
#ifndef ADY_TEST_UNSIGNED_DOCUMENT_H
#define ADY_TEST_UNSIGNED_DOCUMENT_H

#include <string.h>

#include "codec/cbor.h"
#include "devcloud/unsigned.h"

enum { UNSIGNED_MAX = 2048 };

struct unsigned_document {
	int alg;
	size_t certificate_n, bundle_n, signature_n, trailing_n;
	uint8_t certificate0, signature0; /* first bytes, all others are zero */
	int64_t timestamp_ms;
	bool no_pcrs, unknown_field;
	uint8_t pcr0[48];
	struct ady_bytes public_key;
};

/* One that is right. */
static inline struct unsigned_document unsigned_document(int64_t now_ms)
{
	return (struct unsigned_document){.alg = -1,
	                                  .certificate_n = 64,
	                                  .bundle_n = 1,
	                                  .signature_n = 64,
	                                  .timestamp_ms = now_ms,
	                                  .pcr0 = {7}};
}

static inline void unsigned_fields(struct ady_buf *b, const struct unsigned_document *u)
{
	uint8_t certificate[128] = {u->certificate0};

	ady_cbor_put_map(b, 9);
	ady_cbor_put_str(b, "module_id");
	ady_cbor_put_str(b, "test");
	ady_cbor_put_str(b, u->unknown_field ? "digits" : "digest");
	ady_cbor_put_str(b, "SHA384");
	ady_cbor_put_str(b, "timestamp");
	ady_cbor_put_uint(b, (uint64_t)u->timestamp_ms);
	ady_cbor_put_str(b, "pcrs");
	ady_cbor_put_map(b, 1);
	ady_cbor_put_uint(b, u->no_pcrs ? 1 : 0);
	ady_cbor_put_bytes(b, ady_bytes(u->pcr0, 48));
	ady_cbor_put_str(b, "certificate");
	ady_cbor_put_bytes(b, ady_bytes(certificate, u->certificate_n));
	ady_cbor_put_str(b, "cabundle");
	ady_cbor_put_array(b, u->bundle_n);
	memset(certificate, 0, sizeof certificate);
	for (size_t i = 0; i < u->bundle_n; i++)
		ady_cbor_put_bytes(b, ady_bytes(certificate, 64));
	ady_cbor_put_str(b, "public_key");
	if (u->public_key.n)
		ady_cbor_put_bytes(b, u->public_key);
	else
		ady_cbor_put_null(b);
	ady_cbor_put_str(b, "user_data");
	ady_cbor_put_null(b);
	ady_cbor_put_str(b, "nonce");
	ady_cbor_put_null(b);
}

/* Write the message to room of UNSIGNED_MAX bytes. */
static inline struct ady_bytes unsigned_put(uint8_t *room, const struct unsigned_document *u)
{
	struct ady_buf b = ady_buf(room, UNSIGNED_MAX);
	uint8_t header[8], payload[UNSIGNED_MAX], signature[128] = {u->signature0};
	struct ady_buf h = ady_buf(header, sizeof header), p = ady_buf(payload, sizeof payload);

	ady_cbor_put_map(&h, 1);
	ady_cbor_put_uint(&h, 1);
	ady_cbor_put_int(&h, u->alg);
	unsigned_fields(&p, u);
	ady_cbor_put_array(&b, 4);
	ady_cbor_put_bytes(&b, ady_buf_bytes(&h));
	ady_cbor_put_map(&b, 0);
	ady_cbor_put_bytes(&b, ady_buf_bytes(&p));
	ady_cbor_put_bytes(&b, ady_bytes(signature, u->signature_n));
	for (size_t i = 0; i < u->trailing_n; i++)
		ady_cbor_put_null(&b);
	return ady_buf_bytes(&b);
}

#endif
