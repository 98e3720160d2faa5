/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/attestation.h"

#include <string.h>

#include "codec/cbor.h"
#include "codec/cose.h"
#include "crypto/p384.h"

/* Bounds of AWS's "Verifying the root of trust", CDDL and text. user_data and nonce: the two
 * disagree (1024 and 512); the NSM accepts 1024, and so do we. module_id has no bound there; real
 * ones have 39 bytes. */
enum { MODULE_ID_MAX = 255, CERT_MAX = 1024, FREE_MAX = 1024 };

static enum ady_err refuse(struct ady_fault *f, const char *where, const char *why)
{
	return ady_fail(f, ADY_E_ATTESTATION, where, "%s", why);
}

/* Readers of the values, called in the order of the fields below. */

static enum ady_err read_module_id(struct ady_attestation *att, struct ady_cbor *c,
                                   struct ady_fault *f)
{
	att->module_id = ady_cbor_text(c);
	if (att->module_id.n < 1 || att->module_id.n > MODULE_ID_MAX)
		return refuse(f, "module_id", "must be a text of 1 to 255 bytes");
	return ADY_OK;
}

static enum ady_err read_digest(struct ady_attestation *att, struct ady_cbor *c,
                                struct ady_fault *f)
{
	(void)att;
	return ady_bytes_is(ady_cbor_text(c), "SHA384")
	           ? ADY_OK
	           : refuse(f, "digest", "must be the text SHA384");
}

static enum ady_err read_timestamp(struct ady_attestation *att, struct ady_cbor *c,
                                   struct ady_fault *f)
{
	uint64_t ms = ady_cbor_uint(c);

	if (ms == 0 || ms > INT64_MAX)
		return refuse(f, "timestamp", "must be a number of milliseconds above 0");
	att->timestamp_ms = (int64_t)ms;
	return ADY_OK;
}

static bool pcr_size_ok(size_t n)
{
	return n == 32 || n == 48 || n == 64;
}

/* The NSM writes the registers in ascending order; another order or a register twice would be a
 * second encoding of the same document. */
static enum ady_err read_pcrs(struct ady_attestation *att, struct ady_cbor *c, struct ady_fault *f)
{
	size_t n = ady_cbor_map(c), size = 0;
	uint64_t next = 0;

	if (n < 1 || n > ADY_PCRS)
		return refuse(f, "pcrs", "must be a map of 1 to 32 registers");
	for (size_t i = 0; i < n; i++) {
		bool number = ady_cbor_peek(c) == ADY_CBOR_UINT;
		uint64_t index = ady_cbor_uint(c);
		struct ady_bytes value = ady_cbor_bytes(c);

		if (!number || index >= ADY_PCRS)
			return refuse(f, "pcrs", "has an index that is not 0 to 31");
		if (index < next)
			return refuse(f, "pcrs", "has a register twice or out of order");
		if (!pcr_size_ok(value.n) || (i > 0 && value.n != size))
			return refuse(f, "pcrs", "must hold 32, 48 or 64 bytes each, all alike");
		att->pcrs[index] = value;
		size = value.n;
		next = index + 1;
	}
	return ADY_OK;
}

static enum ady_err read_certificate(struct ady_attestation *att, struct ady_cbor *c,
                                     struct ady_fault *f)
{
	att->certificate = ady_cbor_bytes(c);
	if (att->certificate.n < 1 || att->certificate.n > CERT_MAX)
		return refuse(f, "certificate", "must have 1 to 1024 bytes");
	return ADY_OK;
}

static enum ady_err read_cabundle(struct ady_attestation *att, struct ady_cbor *c,
                                  struct ady_fault *f)
{
	att->cabundle_n = ady_cbor_array(c);
	if (att->cabundle_n < 1 || att->cabundle_n > ADY_CABUNDLE_MAX)
		return refuse(f, "cabundle", "must be an array of 1 to 16 certificates");
	for (size_t i = 0; i < att->cabundle_n; i++) {
		att->cabundle[i] = ady_cbor_bytes(c);
		if (att->cabundle[i].n < 1 || att->cabundle[i].n > CERT_MAX)
			return refuse(f, "cabundle", "must hold certificates of 1 to 1024 bytes");
	}
	return ADY_OK;
}

/* AWS's text says that no field is null, yet the NSM writes null for what the request left out. */
static enum ady_err read_public_key(struct ady_attestation *att, struct ady_cbor *c,
                                    struct ady_fault *f)
{
	if (ady_cbor_null(c))
		return ADY_OK;
	att->public_key = ady_cbor_bytes(c);
	if (att->public_key.n < 1 || att->public_key.n > FREE_MAX)
		return refuse(f, "public_key", "must be null or have 1 to 1024 bytes");
	return ADY_OK;
}

/* Null, or 0 to 1024 bytes. */
static enum ady_err read_free(struct ady_bytes *out, struct ady_cbor *c, const char *where,
                              struct ady_fault *f)
{
	if (ady_cbor_null(c))
		return ADY_OK;
	*out = ady_cbor_bytes(c);
	if (c->err != ADY_OK || out->n > FREE_MAX)
		return refuse(f, where, "must be null or have at most 1024 bytes");
	return ADY_OK;
}

static enum ady_err read_user_data(struct ady_attestation *att, struct ady_cbor *c,
                                   struct ady_fault *f)
{
	return read_free(&att->user_data, c, "user_data", f);
}

static enum ady_err read_nonce(struct ady_attestation *att, struct ady_cbor *c, struct ady_fault *f)
{
	return read_free(&att->nonce, c, "nonce", f);
}

/* In the order in which the NSM writes them (and QEMU's model of it). AWS does not promise the
 * order; we ask for it so that a document has one encoding. */
static const struct field {
	const char *name;
	bool optional;
	enum ady_err (*read)(struct ady_attestation *att, struct ady_cbor *c, struct ady_fault *f);
} fields[] = {
    {"module_id", false, read_module_id},
    {"digest", false, read_digest},
    {"timestamp", false, read_timestamp},
    {"pcrs", false, read_pcrs},
    {"certificate", false, read_certificate},
    {"cabundle", false, read_cabundle},
    {"public_key", true, read_public_key},
    {"user_data", true, read_user_data},
    {"nonce", true, read_nonce},
};

enum { FIELDS = sizeof fields / sizeof *fields };

/* Move *at to the field named by the next key. Mandatory fields may not be passed over. */
static enum ady_err find_field(size_t *at, struct ady_cbor *c, struct ady_fault *f)
{
	struct ady_bytes key = ady_cbor_text(c);
	size_t i = 0;

	if (c->err != ADY_OK)
		return refuse(f, "", "has a key that is not text");
	while (i < FIELDS && !ady_bytes_is(key, fields[i].name))
		i++;
	if (i == FIELDS)
		return refuse(f, "", "has an unknown field");
	if (i < *at)
		return refuse(f, fields[i].name, "stands twice or out of order");
	for (; *at < i; ++*at)
		if (!fields[*at].optional)
			return refuse(f, fields[*at].name, "is missing or out of order");
	return ADY_OK;
}

static enum ady_err parse_payload(struct ady_attestation *att, struct ady_bytes payload,
                                  struct ady_fault *f)
{
	struct ady_cbor c = ady_cbor(payload);
	size_t n = ady_cbor_map(&c), at = 0;
	enum ady_err err;

	if (c.err != ADY_OK)
		return refuse(f, "", "is not a map");
	for (size_t i = 0; i < n; i++, at++) {
		if ((err = find_field(&at, &c, f)) != ADY_OK ||
		    (err = fields[at].read(att, &c, f)) != ADY_OK)
			return err;
	}
	for (; at < FIELDS; at++)
		if (!fields[at].optional)
			return refuse(f, fields[at].name, "is missing or out of order");
	if (ady_cbor_end(&c) != ADY_OK)
		return refuse(f, "", "has bytes behind the fields");
	return ADY_OK;
}

static enum ady_err parse(struct ady_attestation *att, struct ady_cose *cose,
                          struct ady_bytes document, struct ady_fault *f)
{
	enum ady_err err;

	if (document.n > ADY_ATTESTATION_MAX)
		return refuse(f, "", "has more than 16384 bytes");
	if ((err = ady_cose_parse(cose, document, f)) != ADY_OK)
		return err;
	return parse_payload(att, cose->payload, f);
}

enum ady_err ady_attestation_parse(struct ady_attestation *att, struct ady_bytes document,
                                   struct ady_fault *f)
{
	struct ady_cose cose;
	enum ady_err err;

	memset(att, 0, sizeof *att);
	err = parse(att, &cose, document, f);
	if (err != ADY_OK)
		memset(att, 0, sizeof *att);
	return err;
}

static enum ady_err verify_signature(const struct ady_cose *cose, const struct ady_p384_pub *pub,
                                     struct ady_fault *f)
{
	struct ady_bytes parts[ADY_COSE_PARTS];
	uint8_t head[24];

	ady_cose_to_verify(parts, head, cose);
	if (ady_p384_verify(pub, cose->signature.p, parts, ADY_COSE_PARTS) != ADY_OK)
		return refuse(f, "signature", "is not by the key of the certificate");
	return ADY_OK;
}

static enum ady_err verify(struct ady_attestation *att, struct ady_bytes document,
                           const struct ady_attestation_rules *rules, struct ady_fault *f)
{
	int64_t at = rules->at_unix_s;
	struct ady_p384_pub *pub = NULL;
	struct ady_cose cose = {0};
	enum ady_err err;

	if ((err = parse(att, &cose, document, f)) != ADY_OK)
		return err;
	if (att->pcrs[0].n == 0)
		return refuse(f, "pcrs", "has no PCR0");
	if (ady_attestation_pcr_zero(att, 0) && !rules->allow_debug)
		return refuse(f, "pcrs", "has PCR0 all zero: an enclave in debug mode");
	err = ady_p384_chain_verify(&pub,
	                            &(struct ady_p384_chain){
	                                .leaf = att->certificate,
	                                .bundle = att->cabundle,
	                                .bundle_n = att->cabundle_n,
	                                .root = rules->root,
	                                .at_unix_s = at != 0 ? at : att->timestamp_ms / 1000,
	                            },
	                            f);
	if (err != ADY_OK)
		return err;
	err = verify_signature(&cose, pub, f);
	ady_p384_pub_free(pub);
	return err;
}

enum ady_err ady_attestation_verify(struct ady_attestation *att, struct ady_bytes document,
                                    const struct ady_attestation_rules *rules, struct ady_fault *f)
{
	enum ady_err err;

	memset(att, 0, sizeof *att);
	err = verify(att, document, rules, f);
	if (err != ADY_OK)
		memset(att, 0, sizeof *att);
	return err;
}

bool ady_attestation_pcr_zero(const struct ady_attestation *att, unsigned i)
{
	uint8_t any = 0;

	if (i >= ADY_PCRS || att->pcrs[i].n == 0)
		return false;
	for (size_t k = 0; k < att->pcrs[i].n; k++)
		any |= att->pcrs[i].p[k];
	return any == 0;
}
