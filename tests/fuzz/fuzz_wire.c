/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames: the first byte chooses the reader, the rest is a header or a body. What a reader accepts
 * is written again and must be the same bytes, so that a message has one encoding. */
#include <stdlib.h>

#include "codec/wire_audit.h"
#include "codec/wire_duty.h"
#include "codec/wire_wallet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static bool head(struct ady_bytes in, struct ady_buf *b)
{
	uint8_t out[ADY_WIRE_HEAD];
	struct ady_wire_head h;

	if (in.n != ADY_WIRE_HEAD || ady_wire_read_head(&h, in.p) != ADY_OK)
		return false;
	demand(h.proof == 0 || h.proof < h.length);
	demand(h.length <= ady_wire_body_max(h.type) && h.deadline_ms <= ADY_WIRE_DEADLINE_MAX_MS);
	ady_wire_put_head(out, &h);
	ady_buf_put(b, out, sizeof out);
	return true;
}

static bool empty(struct ady_bytes in, struct ady_buf *b)
{
	if (ady_wire_read_empty(in) != ADY_OK)
		return false;
	ady_wire_put_empty(b);
	return true;
}

static bool hello(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_hello m;

	if (ady_wire_read_hello(&m, in) != ADY_OK)
		return false;
	ady_wire_put_hello(b, &m);
	return true;
}

static bool credentials(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_credentials m;

	if (ady_wire_read_credentials(&m, in) != ADY_OK)
		return false;
	ady_wire_put_credentials(b, &m);
	return true;
}

static bool sign(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_sign m;

	if (ady_wire_read_sign(&m, in) != ADY_OK)
		return false;
	ady_wire_put_sign(b, &m);
	return true;
}

static bool answer(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_signed m;

	if (ady_wire_read_signed(&m, in) != ADY_OK)
		return false;
	ady_wire_put_signed(b, &m);
	return true;
}

static bool duty(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_duty m;

	if (ady_wire_read_duty(&m, in) != ADY_OK)
		return false;
	ady_wire_put_duty(b, &m);
	return true;
}

static bool watermark(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_watermark m;

	if (ady_wire_read_watermark(&m, in) != ADY_OK)
		return false;
	ady_wire_put_watermark(b, &m);
	return true;
}

static bool state_cas(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_state_cas m;

	if (ady_wire_read_state_cas(&m, in) != ADY_OK)
		return false;
	ady_wire_put_state_cas(b, &m);
	return true;
}

static bool state_outcome(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_state_outcome m;

	if (ady_wire_read_state_outcome(&m, in) != ADY_OK)
		return false;
	ady_wire_put_state_outcome(b, &m);
	return true;
}

static bool create(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_create m;

	if (ady_wire_read_create(&m, in) != ADY_OK)
		return false;
	ady_wire_put_create(b, &m);
	return true;
}

static bool created(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_created m;

	if (ady_wire_read_created(&m, in) != ADY_OK)
		return false;
	ady_wire_put_created(b, &m);
	return true;
}

static bool batch(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_batch m;

	if (ady_wire_read_batch(&m, in) != ADY_OK)
		return false;
	ady_wire_put_batch(b, &m);
	return true;
}

static bool batched(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_batched m;

	if (ady_wire_read_batched(&m, in) != ADY_OK)
		return false;
	ady_wire_put_batched(b, &m);
	return true;
}

static bool rewrap(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_rewrap m;

	if (ady_wire_read_rewrap(&m, in) != ADY_OK)
		return false;
	ady_wire_put_rewrap(b, &m);
	return true;
}

static bool derive(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_derive m;

	if (ady_wire_read_derive(&m, in) != ADY_OK)
		return false;
	ady_wire_put_derive(b, &m);
	return true;
}

static bool derived(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_derived m;

	if (ady_wire_read_derived(&m, in) != ADY_OK)
		return false;
	ady_wire_put_derived(b, &m);
	return true;
}

static bool backup(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_backup m;

	if (ady_wire_read_backup(&m, in) != ADY_OK)
		return false;
	ady_wire_put_backup(b, &m);
	return true;
}

static bool backed_up(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_backed_up m;

	if (ady_wire_read_backed_up(&m, in) != ADY_OK)
		return false;
	ady_wire_put_backed_up(b, &m);
	return true;
}

static bool import(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_import m;

	if (ady_wire_read_import(&m, in) != ADY_OK)
		return false;
	ady_wire_put_import(b, &m);
	return true;
}

static bool lock(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_bytes tenant;

	if (ady_wire_read_lock(&tenant, in) != ADY_OK)
		return false;
	ady_wire_put_lock(b, tenant);
	return true;
}

static bool locked(struct ady_bytes in, struct ady_buf *b)
{
	uint64_t n;

	if (ady_wire_read_locked(&n, in) != ADY_OK)
		return false;
	ady_wire_put_locked(b, n);
	return true;
}

static bool blob(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_bytes m;

	if (ady_wire_read_blob(&m, ADY_WIRE_NONCE_MAX, in) != ADY_OK)
		return false;
	demand(m.n <= ADY_WIRE_NONCE_MAX);
	ady_wire_put_blob(b, m);
	return true;
}

static bool status(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_status m;

	if (ady_wire_read_status(&m, in) != ADY_OK)
		return false;
	ady_wire_put_status(b, &m);
	return true;
}

static bool relay(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_bytes host;
	uint16_t port;

	if (ady_wire_read_relay(&host, &port, in) != ADY_OK)
		return false;
	demand(port != 0);
	ady_wire_put_relay(b, host, port);
	return true;
}

/* A fault is rewritten on its way (unknown codes, bytes that do not print): what is written must be
 * read as the same fault. */
static bool fault(struct ady_bytes in, struct ady_buf *b)
{
	uint8_t space[1024];
	struct ady_buf copy = ady_buf(space, sizeof space);
	struct ady_fault f, again;

	if (ady_wire_read_fault(&f, in) != ADY_OK)
		return false;
	demand(f.err != ADY_OK);
	ady_wire_put_fault(&copy, &f);
	demand(!copy.full && ady_wire_read_fault(&again, ady_buf_bytes(&copy)) == ADY_OK);
	demand(again.err == f.err);
	ady_buf_view(b, in);
	return true;
}

static bool audit(struct ady_bytes in, struct ady_buf *b)
{
	uint64_t from;

	if (ady_wire_read_audit(&from, in) != ADY_OK)
		return false;
	ady_wire_put_audit(b, from);
	return true;
}

static bool audited(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_audited m;

	if (ady_wire_read_audited(&m, in) != ADY_OK)
		return false;
	demand(m.next <= m.end);
	ady_wire_put_audited(b, &m);
	return true;
}

static bool policy_change(struct ady_bytes in, struct ady_buf *b)
{
	struct ady_wire_policy_change m;

	if (ady_wire_read_policy_change(&m, in) != ADY_OK)
		return false;
	ady_wire_put_policy_change(b, &m);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool (*const readers[])(struct ady_bytes in, struct ady_buf * b) = {
	    head,          empty,   hello,   credentials, sign,      answer,        blob,   status,
	    relay,         fault,   duty,    watermark,   state_cas, state_outcome, create, created,
	    batch,         batched, rewrap,  import,      lock,      locked,        audit,  audited,
	    policy_change, derive,  derived, backup,      backed_up,
	};
	static uint8_t space[ADY_WIRE_BODY_MAX];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_bytes in;

	if (size == 0 || size > sizeof space)
		return 0;
	in = ady_bytes(data + 1, size - 1);
	if (readers[data[0] % (sizeof readers / sizeof *readers)](in, &b))
		demand(ady_bytes_eq(ady_buf_bytes(&b), in));
	return 0;
}
