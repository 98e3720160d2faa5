/* SPDX-License-Identifier: Apache-2.0 */
#include "image/sign_section.h"

#include <string.h>

#include "codec/cbor.h"
#include "codec/cose.h"
#include "image/eif.h"

enum { PCR = 48, COSE_MAX = 512 };

static const char certificate_key[] = "signing_certificate", signature_key[] = "signature";
static const char index_key[] = "register_index", value_key[] = "register_value";

static void put_numbers(struct ady_buf *b, struct ady_bytes v)
{
	ady_cbor_put_array(b, v.n);
	for (size_t i = 0; i < v.n; i++)
		ady_cbor_put_uint(b, v.p[i]);
}

static void read_key(struct ady_cbor *c, const char *key)
{
	if (!ady_bytes_is(ady_cbor_text(c), key))
		ady_cbor_fail(c);
}

static void read_numbers(struct ady_cbor *c, struct ady_dyn *out)
{
	size_t n = ady_cbor_array(c);

	for (size_t i = 0; i < n && c->err == ADY_OK; i++) {
		uint64_t v = ady_cbor_uint(c);
		uint8_t byte = (uint8_t)v;

		if (v > UINT8_MAX)
			ady_cbor_fail(c);
		ady_dyn_put(out, &byte, 1);
	}
}

void ady_sign_payload_put(struct ady_buf *b, const uint8_t pcr0[static 48])
{
	ady_cbor_put_map(b, 2);
	ady_cbor_put_str(b, index_key);
	ady_cbor_put_uint(b, 0);
	ady_cbor_put_str(b, value_key);
	put_numbers(b, ady_bytes(pcr0, PCR));
}

bool ady_sign_payload_read(uint8_t pcr0[static 48], struct ady_bytes payload)
{
	struct ady_cbor c = ady_cbor(payload);
	struct ady_dyn value = {0};
	bool ok = ady_cbor_map(&c) == 2;

	read_key(&c, index_key);
	ok = ady_cbor_uint(&c) == 0 && ok;
	read_key(&c, value_key);
	read_numbers(&c, &value);
	ok = ok && ady_cbor_end(&c) == ADY_OK && value.n == PCR;
	if (ok)
		memcpy(pcr0, value.p, PCR);
	ady_dyn_free(&value);
	return ok;
}

enum ady_err ady_sign_section_put(struct ady_dyn *out, struct ady_bytes pem,
                                  struct ady_bytes payload, const uint8_t sig96[static 96],
                                  struct ady_fault *f)
{
	uint8_t space[COSE_MAX];
	struct ady_buf cose = ady_buf(space, sizeof space);
	struct ady_buf b = ady_buf(ady_dyn_room(out, ADY_EIF_SIGNATURE_MAX), ADY_EIF_SIGNATURE_MAX);

	ady_cose_put(&cose, payload, sig96);
	ady_cbor_put_array(&b, 1);
	ady_cbor_put_map(&b, 2);
	ady_cbor_put_str(&b, certificate_key);
	put_numbers(&b, pem);
	ady_cbor_put_str(&b, signature_key);
	put_numbers(&b, ady_buf_bytes(&cose));
	if (b.full)
		return ady_fail(f, ADY_E_TOO_LARGE, "certificate",
		                "is too large for a signature section of 32768 bytes");
	out->n += b.n;
	return ADY_OK;
}

bool ady_sign_section_read(struct ady_bytes section, struct ady_dyn *pem, struct ady_dyn *cose)
{
	struct ady_cbor c = ady_cbor(section);
	bool ok = ady_cbor_array(&c) == 1 && ady_cbor_map(&c) == 2;

	if (!ok)
		return false;
	read_key(&c, certificate_key);
	read_numbers(&c, pem);
	read_key(&c, signature_key);
	read_numbers(&c, cose);
	return ady_cbor_end(&c) == ADY_OK;
}
