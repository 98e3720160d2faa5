/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/unsigned.h"

#include <string.h>

#include "codec/cbor.h"
#include "codec/cose.h"

enum { ZEROS = 64 };

/* {1: -1}: QEMU, hw/virtio/cbor-helpers.c and virtio-nsm.c. */
static const uint8_t no_algorithm[] = {0xa1, 0x01, 0x20};

static enum ady_err refuse(struct ady_fault *f, const char *where, const char *why)
{
	return ady_fail(f, ADY_E_ATTESTATION, where, "%s", why);
}

static bool is_zeros(struct ady_bytes b)
{
	static const uint8_t zeros[ZEROS];

	return ady_bytes_eq(b, ady_bytes(zeros, sizeof zeros));
}

/* The reader stands behind the protected header afterwards. */
static bool open_unsigned(struct ady_cbor *c)
{
	return ady_cbor_array(c) == 4 &&
	       ady_bytes_eq(ady_cbor_bytes(c), ady_bytes(no_algorithm, sizeof no_algorithm));
}

bool ady_dev_unsigned_is(struct ady_bytes document)
{
	struct ady_cbor c = ady_cbor(document);

	return open_unsigned(&c);
}

static enum ady_err read_message(struct ady_bytes *payload, struct ady_bytes document,
                                 struct ady_fault *f)
{
	struct ady_cbor c = ady_cbor(document);
	struct ady_bytes signature;

	if (!open_unsigned(&c))
		return refuse(f, "protected", "is not {1: -1}");
	if (ady_cbor_map(&c) != 0 || c.err != ADY_OK)
		return refuse(f, "unprotected", "must be an empty map");
	*payload = ady_cbor_bytes(&c);
	signature = ady_cbor_bytes(&c);
	if (ady_cbor_end(&c) != ADY_OK)
		return refuse(f, "", "has bytes behind the message, or too few");
	if (!is_zeros(signature))
		return refuse(f, "signature", "of an unsigned document is 64 zero bytes");
	return ADY_OK;
}

static enum ady_err check(const struct ady_attestation *att, int64_t at_unix_s, struct ady_fault *f)
{
	const int64_t age_s = at_unix_s - att->timestamp_ms / 1000;

	if (att->pcrs[0].n == 0)
		return refuse(f, "pcrs", "has no PCR0");
	if (!is_zeros(att->certificate))
		return refuse(f, "certificate", "of an unsigned document is 64 zero bytes");
	if (att->cabundle_n != 1 || !is_zeros(att->cabundle[0]))
		return refuse(f, "cabundle", "of an unsigned document is one entry of zero bytes");
	if (age_s > ADY_DEV_UNSIGNED_LIFE_S || age_s < -ADY_DEV_UNSIGNED_AHEAD_S)
		return refuse(f, "timestamp", "is not of now");
	return ADY_OK;
}

/* There is one strict reader of the syntax, and it knows messages with ES384 only: it gets the
 * payload in such a message. */
static enum ady_err read_payload(struct ady_attestation *att, uint8_t *room,
                                 struct ady_bytes payload, struct ady_fault *f)
{
	static const uint8_t sig96[96];
	struct ady_buf b = ady_buf(room, ADY_ATTESTATION_MAX);

	ady_cose_put(&b, payload, sig96);
	if (b.full)
		return refuse(f, "", "has more than 16384 bytes");
	return ady_attestation_parse(att, ady_buf_bytes(&b), f);
}

enum ady_err ady_dev_unsigned_read(struct ady_attestation *att, uint8_t *room,
                                   struct ady_bytes document, int64_t at_unix_s,
                                   struct ady_fault *f)
{
	struct ady_bytes payload = {0};
	enum ady_err err;

	memset(att, 0, sizeof *att);
	if ((err = read_message(&payload, document, f)) == ADY_OK &&
	    (err = read_payload(att, room, payload, f)) == ADY_OK)
		err = check(att, at_unix_s, f);
	if (err != ADY_OK)
		memset(att, 0, sizeof *att);
	return err;
}
