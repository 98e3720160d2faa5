/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/nsm_codec.h"

#include <string.h>

#include "codec/cbor.h"

/* A member that is looked for: read is called with the cursor on its value. */
struct member {
	const char *name;
	void (*read)(struct ady_cbor *c, void *out);
	void *out;
	bool seen;
};

void ady_nsm_put_plain(struct ady_buf *b, const char *name)
{
	ady_cbor_put_str(b, name);
}

static void put_call(struct ady_buf *b, const char *name, size_t fields)
{
	ady_cbor_put_map(b, 1);
	ady_cbor_put_str(b, name);
	ady_cbor_put_map(b, fields);
}

void ady_nsm_put_number(struct ady_buf *b, const char *name, const char *field, uint32_t value)
{
	put_call(b, name, 1);
	ady_cbor_put_str(b, field);
	ady_cbor_put_uint(b, value);
}

void ady_nsm_put_extend(struct ady_buf *b, uint32_t index, struct ady_bytes data)
{
	put_call(b, "ExtendPCR", 2);
	ady_cbor_put_str(b, "index");
	ady_cbor_put_uint(b, index);
	ady_cbor_put_str(b, "data");
	ady_cbor_put_bytes(b, data);
}

static void put_optional(struct ady_buf *b, const char *name, struct ady_bytes v)
{
	ady_cbor_put_str(b, name);
	if (v.n)
		ady_cbor_put_bytes(b, v);
	else
		ady_cbor_put_null(b);
}

void ady_nsm_put_attest(struct ady_buf *b, const struct ady_nsm_attest *a)
{
	put_call(b, "Attestation", 3);
	put_optional(b, "user_data", a->user_data);
	put_optional(b, "nonce", a->nonce);
	put_optional(b, "public_key", a->public_key);
}

static enum ady_err malformed(struct ady_fault *f)
{
	return ady_fail(f, ADY_E_NSM, "", "the answer of the NSM is malformed");
}

/* Take {"Error": name} off, if the answer is that. */
static enum ady_err take_error(struct ady_bytes answer, struct ady_fault *f)
{
	struct ady_cbor c = ady_cbor(answer);
	struct ady_bytes name;

	if (ady_cbor_peek(&c) != ADY_CBOR_MAP || ady_cbor_map(&c) != 1 ||
	    !ady_bytes_is(ady_cbor_text(&c), "Error"))
		return ADY_OK;
	name = ady_cbor_text(&c);
	if (ady_cbor_end(&c) != ADY_OK)
		return malformed(f);
	(void)ady_fail(f, ADY_E_NSM, "", "the NSM refused the request");
	if (f && !ady_bytes_to_str(f->cause, sizeof f->cause, name))
		memcpy(f->cause, "(a long name)", sizeof "(a long name)");
	return ADY_E_NSM;
}

/* Read {name: {members}}: each member exactly once; members of other names are left alone, so that
 * a newer module may say more. */
static enum ady_err read_call(struct ady_bytes answer, const char *name, struct member *members,
                              size_t n, struct ady_fault *f)
{
	struct ady_cbor c = ady_cbor(answer);
	enum ady_err err = take_error(answer, f);
	size_t fields;

	if (err != ADY_OK)
		return err;
	if (ady_cbor_map(&c) != 1 || !ady_bytes_is(ady_cbor_text(&c), name))
		return malformed(f);
	fields = ady_cbor_map(&c);
	for (size_t i = 0; i < fields && c.err == ADY_OK; i++) {
		struct ady_bytes key = ady_cbor_text(&c);
		struct member *m = members;

		while (m < members + n && !ady_bytes_is(key, m->name))
			m++;
		if (m == members + n) {
			ady_cbor_skip(&c);
			continue;
		}
		if (m->seen)
			ady_cbor_fail(&c);
		m->seen = true;
		m->read(&c, m->out);
	}
	for (size_t i = 0; i < n; i++)
		if (!members[i].seen)
			return malformed(f);
	return ady_cbor_end(&c) == ADY_OK ? ADY_OK : malformed(f);
}

static void read_bytes(struct ady_cbor *c, void *out)
{
	*(struct ady_bytes *)out = ady_cbor_bytes(c);
}

static void read_digest(struct ady_cbor *c, void *out)
{
	struct ady_bytes b = ady_cbor_bytes(c);

	if (b.n == 48)
		memcpy(out, b.p, 48);
	else
		ady_cbor_fail(c);
}

static void read_flag(struct ady_cbor *c, void *out)
{
	*(bool *)out = ady_cbor_bool(c);
}

static void read_pcr_count(struct ady_cbor *c, void *out)
{
	uint64_t v = ady_cbor_uint(c);

	if (v == 0 || v > ADY_NSM_PCRS)
		ady_cbor_fail(c);
	else
		*(uint32_t *)out = (uint32_t)v;
}

static void read_locked(struct ady_cbor *c, void *out)
{
	size_t n = ady_cbor_array(c);
	uint32_t *locked = out;

	for (size_t i = 0; i < n && c->err == ADY_OK; i++) {
		uint64_t v = ady_cbor_uint(c);

		if (v < ADY_NSM_PCRS)
			*locked |= UINT32_C(1) << v;
		else
			ady_cbor_fail(c);
	}
}

static void read_module_id(struct ady_cbor *c, void *out)
{
	struct ady_nsm_info *info = out;

	if (!ady_bytes_to_str(info->module_id, sizeof info->module_id, ady_cbor_text(c)))
		ady_cbor_fail(c);
}

static void check_sha384(struct ady_cbor *c, void *out)
{
	(void)out;
	if (!ady_bytes_is(ady_cbor_text(c), "SHA384"))
		ady_cbor_fail(c);
}

enum ady_err ady_nsm_read_plain(struct ady_bytes answer, const char *name, struct ady_fault *f)
{
	struct ady_cbor c = ady_cbor(answer);
	enum ady_err err = take_error(answer, f);
	struct ady_bytes got;

	if (err != ADY_OK)
		return err;
	got = ady_cbor_text(&c);
	if (ady_cbor_end(&c) != ADY_OK || !ady_bytes_is(got, name))
		return malformed(f);
	return ADY_OK;
}

enum ady_err ady_nsm_read_random(struct ady_bytes answer, struct ady_bytes *random,
                                 struct ady_fault *f)
{
	struct member m = {.name = "random", .read = read_bytes, .out = random};
	enum ady_err err;

	*random = (struct ady_bytes){0};
	if ((err = read_call(answer, "GetRandom", &m, 1, f)) != ADY_OK)
		return err;
	return random->n >= 1 && random->n <= 256 ? ADY_OK : malformed(f);
}

enum ady_err ady_nsm_read_info(struct ady_bytes answer, struct ady_nsm_info *info,
                               struct ady_fault *f)
{
	struct member m[] = {
	    {.name = "module_id", .read = read_module_id, .out = info},
	    {.name = "max_pcrs", .read = read_pcr_count, .out = &info->max_pcrs},
	    {.name = "locked_pcrs", .read = read_locked, .out = &info->locked},
	    {.name = "digest", .read = check_sha384},
	};

	*info = (struct ady_nsm_info){0};
	return read_call(answer, "DescribeNSM", m, sizeof m / sizeof *m, f);
}

enum ady_err ady_nsm_read_pcr(struct ady_bytes answer, struct ady_nsm_pcr *pcr, struct ady_fault *f)
{
	struct member m[] = {
	    {.name = "lock", .read = read_flag, .out = &pcr->locked},
	    {.name = "data", .read = read_digest, .out = pcr->data},
	};

	*pcr = (struct ady_nsm_pcr){0};
	return read_call(answer, "DescribePCR", m, sizeof m / sizeof *m, f);
}

enum ady_err ady_nsm_read_extend(struct ady_bytes answer, uint8_t data48[static 48],
                                 struct ady_fault *f)
{
	struct member m = {.name = "data", .read = read_digest, .out = data48};

	memset(data48, 0, 48);
	return read_call(answer, "ExtendPCR", &m, 1, f);
}

enum ady_err ady_nsm_read_attest(struct ady_bytes answer, struct ady_bytes *document,
                                 struct ady_fault *f)
{
	struct member m = {.name = "document", .read = read_bytes, .out = document};
	enum ady_err err;

	*document = (struct ady_bytes){0};
	if ((err = read_call(answer, "Attestation", &m, 1, f)) != ADY_OK)
		return err;
	return document->n ? ADY_OK : malformed(f);
}

/* COSE_Sign1 (RFC 9052 section 4.2), tagged or not: the third of four is the payload. */
static struct ady_bytes payload_of(struct ady_cbor *c)
{
	struct ady_bytes payload;

	if (ady_cbor_peek(c) == ADY_CBOR_TAG)
		(void)ady_cbor_tag(c);
	if (ady_cbor_array(c) != 4)
		ady_cbor_fail(c);
	ady_cbor_skip(c);
	ady_cbor_skip(c);
	payload = ady_cbor_bytes(c);
	ady_cbor_skip(c);
	return ady_cbor_end(c) == ADY_OK ? payload : (struct ady_bytes){0};
}

enum ady_err ady_nsm_read_time(struct ady_bytes document, int64_t *unix_ms, struct ady_fault *f)
{
	struct ady_cbor c = ady_cbor(document);
	struct ady_cbor p = ady_cbor(payload_of(&c));
	uint64_t ms = 0;

	*unix_ms = 0;
	for (size_t pairs = ady_cbor_map(&p); pairs > 0 && p.err == ADY_OK; pairs--) {
		if (ady_bytes_is(ady_cbor_text(&p), "timestamp"))
			ms = ady_cbor_uint(&p);
		else
			ady_cbor_skip(&p);
	}
	if (ady_cbor_end(&p) != ADY_OK || ms == 0 || ms > INT64_MAX)
		return malformed(f);
	*unix_ms = (int64_t)ms;
	return ADY_OK;
}
