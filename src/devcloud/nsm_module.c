/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/nsm_module.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "codec/cbor.h"
#include "codec/cose.h"
#include "crypto/hash.h"
#include "crypto/rng.h"

enum { BOOT_LOCKED = 16, RANDOM_BYTES = 256, FIELD_MAX = 1024, PAYLOAD_MAX = 10240 };

enum field { INDEX, RANGE, DATA, USER_DATA, NONCE, PUBLIC_KEY, FIELDS };
static const char *const field_names[FIELDS] = {"index",     "range", "data",
                                                "user_data", "nonce", "public_key"};

struct fields {
	bool there[FIELDS];
	uint64_t number;               /* of INDEX or RANGE */
	struct ady_bytes data[FIELDS]; /* of the others */
};

/* NULL is success; else the name in {"Error": name}. */
typedef const char *(*answer_fn)(struct ady_nsm_module *m, struct ady_buf *out,
                                 const struct fields *in);

void ady_nsm_put_error(struct ady_buf *out, const char *name)
{
	ady_cbor_put_map(out, 1);
	ady_cbor_put_str(out, "Error");
	ady_cbor_put_str(out, name);
}

void ady_nsm_module_init(struct ady_nsm_module *m, struct ady_nsm_pki *pki,
                         const struct ady_measurement *measured, const char *role_arn,
                         const char *instance_id)
{
	uint8_t random[8];

	*m = (struct ady_nsm_module){.pki = pki, .locked = (UINT32_C(1) << BOOT_LOCKED) - 1};
	memcpy(m->pcr, measured->pcr, sizeof measured->pcr);
	if (role_arn[0])
		ady_measure_identity(m->pcr[3], role_arn);
	ady_measure_identity(m->pcr[4], instance_id);
	ady_random(random, sizeof random);
	snprintf(m->id, sizeof m->id, "%.19s-enc%016llx", instance_id,
	         (unsigned long long)ady_be64(random));
}

void ady_nsm_module_clear(struct ady_nsm_module *m)
{
	ady_nsm_leaf_clear(&m->leaf);
}

static const char *check_index(const struct fields *in)
{
	if (!in->there[INDEX])
		return "InvalidOperation";
	return in->number < ADY_NSM_PCRS ? NULL : "InvalidIndex";
}

static const char *check_writable(const struct ady_nsm_module *m, const struct fields *in)
{
	const char *error = check_index(in);

	if (error)
		return error;
	return m->locked & UINT32_C(1) << in->number ? "ReadOnlyIndex" : NULL;
}

static const char *get_random(struct ady_nsm_module *, struct ady_buf *out, const struct fields *)
{
	uint8_t random[RANDOM_BYTES];

	ady_random(random, sizeof random);
	ady_cbor_put_map(out, 1);
	ady_cbor_put_str(out, "GetRandom");
	ady_cbor_put_map(out, 1);
	ady_cbor_put_str(out, "random");
	ady_cbor_put_bytes(out, ady_bytes(random, sizeof random));
	return NULL;
}

static void put_number(struct ady_buf *out, const char *name, uint64_t v)
{
	ady_cbor_put_str(out, name);
	ady_cbor_put_uint(out, v);
}

static const char *describe_nsm(struct ady_nsm_module *m, struct ady_buf *out,
                                const struct fields *)
{
	ady_cbor_put_map(out, 1);
	ady_cbor_put_str(out, "DescribeNSM");
	ady_cbor_put_map(out, 7);
	put_number(out, "version_major", 1);
	put_number(out, "version_minor", 0);
	put_number(out, "version_patch", 0);
	ady_cbor_put_str(out, "module_id");
	ady_cbor_put_str(out, m->id);
	put_number(out, "max_pcrs", ADY_NSM_PCRS);
	ady_cbor_put_str(out, "locked_pcrs");
	ady_cbor_put_array(out, (size_t)__builtin_popcount(m->locked));
	for (uint32_t i = 0; i < ADY_NSM_PCRS; i++)
		if (m->locked & UINT32_C(1) << i)
			ady_cbor_put_uint(out, i);
	ady_cbor_put_str(out, "digest");
	ady_cbor_put_str(out, "SHA384");
	return NULL;
}

static const char *describe_pcr(struct ady_nsm_module *m, struct ady_buf *out,
                                const struct fields *in)
{
	const char *error = check_index(in);

	if (error)
		return error;
	ady_cbor_put_map(out, 1);
	ady_cbor_put_str(out, "DescribePCR");
	ady_cbor_put_map(out, 2);
	ady_cbor_put_str(out, "lock");
	ady_cbor_put_bool(out, m->locked & UINT32_C(1) << in->number);
	ady_cbor_put_str(out, "data");
	ady_cbor_put_bytes(out, ady_bytes(m->pcr[in->number], 48));
	return NULL;
}

static const char *extend_pcr(struct ady_nsm_module *m, struct ady_buf *out,
                              const struct fields *in)
{
	const char *error = check_writable(m, in);
	uint8_t next[48];

	if (error)
		return error;
	if (!in->there[DATA])
		return "InvalidOperation";
	ady_sha384(next, (struct ady_bytes[]){ady_bytes(m->pcr[in->number], 48), in->data[DATA]},
	           2);
	memcpy(m->pcr[in->number], next, sizeof next);
	ady_cbor_put_map(out, 1);
	ady_cbor_put_str(out, "ExtendPCR");
	ady_cbor_put_map(out, 1);
	ady_cbor_put_str(out, "data");
	ady_cbor_put_bytes(out, ady_bytes(next, sizeof next));
	return NULL;
}

static const char *lock_pcr(struct ady_nsm_module *m, struct ady_buf *out, const struct fields *in)
{
	const char *error = check_writable(m, in);

	if (error)
		return error;
	m->locked |= UINT32_C(1) << in->number;
	ady_cbor_put_str(out, "LockPCR");
	return NULL;
}

/* Unlike LockPCR, this one passes over PCRs that are locked already. */
static const char *lock_pcrs(struct ady_nsm_module *m, struct ady_buf *out, const struct fields *in)
{
	if (!in->there[RANGE])
		return "InvalidOperation";
	if (in->number > ADY_NSM_PCRS)
		return "InvalidIndex";
	for (uint32_t i = 0; i < in->number; i++)
		m->locked |= UINT32_C(1) << i;
	ady_cbor_put_str(out, "LockPCRs");
	return NULL;
}

static void put_optional(struct ady_buf *out, const struct fields *in, enum field field)
{
	ady_cbor_put_str(out, field_names[field]);
	if (in->there[field])
		ady_cbor_put_bytes(out, in->data[field]);
	else
		ady_cbor_put_null(out);
}

static void put_pcrs(struct ady_buf *out, const struct ady_nsm_module *m)
{
	ady_cbor_put_str(out, "pcrs");
	ady_cbor_put_map(out, (size_t)__builtin_popcount(m->locked));
	for (uint32_t i = 0; i < ADY_NSM_PCRS; i++) {
		if (!(m->locked & UINT32_C(1) << i))
			continue;
		ady_cbor_put_uint(out, i);
		ady_cbor_put_bytes(out, ady_bytes(m->pcr[i], 48));
	}
}

/* The payload in the order in which the hardware writes it, absent fields as null. */
static void put_payload(struct ady_buf *out, const struct ady_nsm_module *m,
                        const struct fields *in, int64_t now_ms)
{
	struct ady_bytes bundle[ADY_NSM_BUNDLE];

	ady_nsm_pki_bundle(m->pki, bundle);
	ady_cbor_put_map(out, 9);
	ady_cbor_put_str(out, "module_id");
	ady_cbor_put_str(out, m->id);
	ady_cbor_put_str(out, "digest");
	ady_cbor_put_str(out, "SHA384");
	put_number(out, "timestamp", (uint64_t)now_ms);
	put_pcrs(out, m);
	ady_cbor_put_str(out, "certificate");
	ady_cbor_put_bytes(out, ady_bytes(m->leaf.der, m->leaf.n));
	ady_cbor_put_str(out, "cabundle");
	ady_cbor_put_array(out, ADY_NSM_BUNDLE);
	for (size_t i = 0; i < ADY_NSM_BUNDLE; i++)
		ady_cbor_put_bytes(out, bundle[i]);
	put_optional(out, in, PUBLIC_KEY);
	put_optional(out, in, USER_DATA);
	put_optional(out, in, NONCE);
}

static enum ady_err put_document(struct ady_buf *out, const struct ady_nsm_module *m,
                                 struct ady_bytes payload)
{
	struct ady_cose cose = {.payload = payload};
	struct ady_bytes parts[ADY_COSE_PARTS];
	static const uint8_t protected[] = {0xa1, 0x01, 0x38, 0x22}; /* {1: -35}, ES384 */
	uint8_t head[24], sig[96];
	enum ady_err err;

	cose.protected_raw = ady_bytes(protected, sizeof protected);
	ady_cose_to_verify(parts, head, &cose);
	err = ady_nsm_leaf_sign(&m->leaf, sig, parts, ADY_COSE_PARTS);
	if (err == ADY_OK)
		ady_cose_put(out, payload, sig);
	return err;
}

/* AWS states 512 bytes for user_data and nonce in one place and 1024 in another; its own check
 * sends 1024 and the hardware takes them. */
static const char *check_attestation(const struct fields *in)
{
	if (in->there[PUBLIC_KEY] && in->data[PUBLIC_KEY].n == 0)
		return "InvalidArgument";
	for (enum field i = USER_DATA; i <= PUBLIC_KEY; i++)
		if (in->there[i] && in->data[i].n > FIELD_MAX)
			return "InputTooLarge";
	return NULL;
}

static const char *attestation(struct ady_nsm_module *m, struct ady_buf *out,
                               const struct fields *in)
{
	uint8_t payload_space[PAYLOAD_MAX], document_space[PAYLOAD_MAX + 256];
	struct ady_buf payload = ady_buf(payload_space, sizeof payload_space);
	struct ady_buf document = ady_buf(document_space, sizeof document_space);
	const int64_t now_ms = ady_wall_ms();
	const char *error = check_attestation(in);

	if (error)
		return error;
	if (ady_nsm_pki_leaf(m->pki, &m->leaf, m->id, now_ms / 1000) != ADY_OK)
		return "InternalError";
	put_payload(&payload, m, in, now_ms);
	if (payload.full || put_document(&document, m, ady_buf_bytes(&payload)) != ADY_OK ||
	    document.full)
		return "InternalError";
	ady_cbor_put_map(out, 1);
	ady_cbor_put_str(out, "Attestation");
	ady_cbor_put_map(out, 1);
	ady_cbor_put_str(out, "document");
	ady_cbor_put_bytes(out, ady_buf_bytes(&document));
	return NULL;
}

static void read_field(struct ady_cbor *c, struct fields *in, enum field field)
{
	if (in->there[field])
		ady_cbor_fail(c);
	if (field >= USER_DATA && ady_cbor_null(c))
		return;
	in->there[field] = true;
	if (field <= RANGE)
		in->number = ady_cbor_uint(c);
	else
		in->data[field] = ady_cbor_bytes(c);
}

/* Fields in any order; unknown ones are passed over, as serde does. */
static void read_fields(struct ady_cbor *c, struct fields *in)
{
	const size_t pairs = ady_cbor_map(c);

	for (size_t i = 0; i < pairs && c->err == ADY_OK; i++) {
		struct ady_bytes name = ady_cbor_text(c);
		enum field field = INDEX;

		while (field < FIELDS && !ady_bytes_is(name, field_names[field]))
			field++;
		if (field < FIELDS)
			read_field(c, in, field);
		else
			ady_cbor_skip(c);
	}
}

static const struct request {
	const char *name;
	bool has_fields;
	answer_fn answer;
} requests[] = {
    {"GetRandom", false, get_random},    {"DescribeNSM", false, describe_nsm},
    {"DescribePCR", true, describe_pcr}, {"ExtendPCR", true, extend_pcr},
    {"LockPCR", true, lock_pcr},         {"LockPCRs", true, lock_pcrs},
    {"Attestation", true, attestation},
};

static const struct request *read_request(struct ady_bytes bytes, struct fields *in)
{
	struct ady_cbor c = ady_cbor(bytes);
	const bool has_fields = ady_cbor_peek(&c) == ADY_CBOR_MAP;
	struct ady_bytes name;

	if (has_fields && ady_cbor_map(&c) != 1)
		return NULL;
	name = ady_cbor_text(&c);
	if (has_fields)
		read_fields(&c, in);
	if (ady_cbor_end(&c) != ADY_OK)
		return NULL;
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
		if (requests[i].has_fields == has_fields && ady_bytes_is(name, requests[i].name))
			return &requests[i];
	return NULL;
}

void ady_nsm_module_answer(struct ady_nsm_module *m, struct ady_buf *out, struct ady_bytes bytes)
{
	struct fields in = {0};
	const struct request *request;
	const char *error;

	if (bytes.n > ADY_NSM_REQUEST_MAX) {
		ady_nsm_put_error(out, "InputTooLarge");
		return;
	}
	request = read_request(bytes, &in);
	error = request ? request->answer(m, out, &in) : "InvalidOperation";
	if (error)
		ady_nsm_put_error(out, error);
}
