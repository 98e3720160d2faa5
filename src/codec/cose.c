/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/cose.h"

#include <string.h>

#include "codec/cbor.h"

enum { TAG_SIGN1 = 18, SIGNATURE = 96, PAYLOAD_MAX = 16384 };

/* {1: -35}, alg ES384 (RFC 9053 section 2.1): the NSM writes these bytes and no others. */
static const uint8_t es384[] = {0xa1, 0x01, 0x38, 0x22};

static enum ady_err refuse(struct ady_fault *f, const char *where, const char *why)
{
	return ady_fail(f, ADY_E_ATTESTATION, where, "%s", why);
}

/* Tag 18 may be there or not (RFC 9052 section 2). */
static bool open_message(struct ady_cbor *c)
{
	if (ady_cbor_peek(c) == ADY_CBOR_TAG && ady_cbor_tag(c) != TAG_SIGN1)
		return false;
	return ady_cbor_array(c) == 4;
}

enum ady_err ady_cose_parse(struct ady_cose *cose, struct ady_bytes b, struct ady_fault *f)
{
	struct ady_cbor c = ady_cbor(b);
	struct ady_cose m;
	bool bare;

	memset(cose, 0, sizeof *cose);
	if (!open_message(&c))
		return refuse(f, "", "is not a COSE_Sign1 message");
	m.protected_raw = ady_cbor_bytes(&c);
	bare = ady_cbor_map(&c) == 0 && c.err == ADY_OK;
	m.payload = bare ? ady_cbor_bytes(&c) : (struct ady_bytes){0};
	m.signature = bare ? ady_cbor_bytes(&c) : (struct ady_bytes){0};
	if (!ady_bytes_eq(m.protected_raw, ady_bytes(es384, sizeof es384)))
		return refuse(f, "protected", "is not {1: -35}, the algorithm ES384");
	if (!bare)
		return refuse(f, "unprotected", "must be an empty map");
	if (m.payload.n < 1 || m.payload.n > PAYLOAD_MAX)
		return refuse(f, "payload", "must have 1 to 16384 bytes");
	if (m.signature.n != SIGNATURE)
		return refuse(f, "signature", "must have 96 bytes");
	if (ady_cbor_end(&c) != ADY_OK)
		return refuse(f, "", "has bytes behind the message");
	*cose = m;
	return ADY_OK;
}

void ady_cose_to_verify(struct ady_bytes parts[static ADY_COSE_PARTS], uint8_t head[static 24],
                        const struct ady_cose *cose)
{
	struct ady_buf b = ady_buf(head, 24);

	ady_cbor_put_array(&b, 4);
	ady_cbor_put_str(&b, "Signature1");
	ady_cbor_put_bytes(&b, ady_bytes(es384, sizeof es384));
	ady_cbor_put_bytes(&b, (struct ady_bytes){0}); /* external_aad */
	ady_cbor_put_bytes_head(&b, cose->payload.n);
	parts[0] = ady_buf_bytes(&b);
	parts[1] = cose->payload;
}

void ady_cose_put(struct ady_buf *b, struct ady_bytes payload, const uint8_t sig96[static 96])
{
	ady_cbor_put_array(b, 4);
	ady_cbor_put_bytes(b, ady_bytes(es384, sizeof es384));
	ady_cbor_put_map(b, 0);
	ady_cbor_put_bytes(b, payload);
	ady_cbor_put_bytes(b, ady_bytes(sig96, SIGNATURE));
}
