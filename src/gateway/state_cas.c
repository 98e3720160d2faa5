/* SPDX-License-Identifier: Apache-2.0
 *
 * The one question of the enclave: write this row if the stored one is still of that version. It
 * is answered on the connection it came by, or not at all: the enclave then counts it as written.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "codec/wire_duty.h"
#include "gateway/shard.h"

struct question {
	struct ady_state_call call; /* first */
	struct ady_shard *shard;
	uint64_t connection, id;
	struct ady_dyn row; /* of counters */
};

static void answer_fault(struct ady_shard *shard, uint64_t connection, uint64_t id,
                         const struct ady_fault *f)
{
	uint8_t space[512];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_wire_put_fault(&b, f);
	ady_enclaves_reply(shard->enclaves, connection, id, ADY_WIRE_ERROR, ady_buf_bytes(&b));
}

/* Whoever asked for a signature is told to look here. Once a second is enough. */
static void tell(const char *why)
{
	static _Atomic int64_t next_ms;
	int64_t now = ady_mono_ms(), next = next_ms;

	if (now >= next && atomic_compare_exchange_strong(&next_ms, &next, now + 1000))
		ADY_WARN("a question of the enclave is not answered", "reason=\"%s\"", why);
}

static void on_done(struct ady_state_call *call)
{
	struct question *q = (struct question *)call;
	struct ady_shard *shard = q->shard;
	const struct ady_wire_state_outcome m = {
	    .written = call->w.written,
	    .state = call->w.written ? ady_bytes(NULL, 0) : ady_state_write_row(&call->w)};
	uint8_t space[ADY_WIRE_ROW_MAX + 16];
	struct ady_buf b = ady_buf(space, sizeof space);

	if (call->err == ADY_OK) {
		ady_wire_put_state_outcome(&b, &m);
		ady_enclaves_reply(shard->enclaves, q->connection, q->id,
		                   ADY_WIRE_STATE_CAS | ADY_WIRE_ANSWER, ady_buf_bytes(&b));
	} else {
		tell(call->fault.detail);
		answer_fault(shard, q->connection, q->id, &call->fault);
	}
	ady_dyn_free(&q->row);
	free(q);
	ady_shard_let(shard);
}

void ady_shard_question(void *ctx, const struct ady_wire_head *head, struct ady_bytes body)
{
	struct ady_shard *shard = ctx;
	uint64_t connection = ady_enclaves_connection(shard->enclaves);
	struct ady_wire_state_cas m;
	struct ady_fault f = {0};
	struct question *q;

	if (head->type == ADY_WIRE_STATE_CAS && !shard->gateway->states)
		tell("there is no place for counters: set states in the configuration");
	if (head->type != ADY_WIRE_STATE_CAS || !shard->gateway->states ||
	    ady_wire_read_state_cas(&m, body) != ADY_OK ||
	    (m.key.n == ADY_STATE_KEY && m.state.n > ADY_STATE_MAX)) {
		(void)ady_fail(&f, ADY_E_PROTOCOL, NULL, "the gateway does not answer this");
		answer_fault(shard, connection, head->id, &f);
		return;
	}
	q = calloc(1, sizeof *q);
	if (!q)
		ADY_BUG("out of memory");
	q->shard = shard;
	q->connection = connection;
	q->id = head->id;
	q->call.loop = shard->loop;
	q->call.done = on_done;
	memcpy(q->call.w.public_key, m.key.p, m.key.n);
	q->call.w.version = m.version;
	if (m.key.n < ADY_STATE_KEY) {
		q->call.w.key_n = m.key.n;
		q->call.w.large = &q->row;
		ady_dyn_put(&q->row, m.state.p, m.state.n);
	} else {
		q->call.w.row.n = m.state.n;
		memcpy(q->call.w.row.bytes, m.state.p, m.state.n);
	}
	ady_shard_hold(shard);
	ady_states_do(shard->gateway->states, &q->call);
}
