/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/op.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/eth2.h"
#include "gateway/proofs.h"
#include "gateway/w3s.h"

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static bool is_request_id(struct ady_bytes id)
{
	if (id.n == 0 || id.n > ADY_REQUEST_ID_MAX)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		uint8_t c = id.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '.' && c != '_' && c != ':' && c != '-')
			return false;
	}
	return true;
}

/* New ids must differ, not be hard to guess: a counter from a random start, stirred (splitmix64) so
 * that they do not look alike in logs. */
void ady_request_id(struct ady_shard *shard, const struct ady_http_request *req,
                    char out[static ADY_REQUEST_ID_MAX + 1])
{
	struct ady_bytes given = ady_http_field(&req->head, "x-request-id");
	uint64_t z = shard->next_id += 0x9e3779b97f4a7c15;

	if (is_request_id(given)) {
		memcpy(out, given.p, given.n);
		out[given.n] = '\0';
		return;
	}
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	z ^= z >> 31;
	ady_hex_encode(out, ady_bytes(&z, sizeof z));
}

static void deadline(struct ady_timer *timer)
{
	struct ady_op *op = OWNER(timer, struct ady_op, deadline);

	ady_op_refuse(op, ADY_E_DEADLINE, NULL,
	              op->abandon ? "the store did not answer in time"
	                          : ady_signing_late(op->signing));
}

struct ady_op *ady_op_open_untimed(struct ady_shard *shard, struct ady_http_request *req,
                                   enum ady_route route)
{
	struct ady_op *op = shard->free_ops;
	struct ady_fault f;

	if (op)
		shard->free_ops = op->next;
	else
		op = malloc(sizeof *op);
	if (!op)
		ADY_BUG("out of memory");
	/* The buffers behind next are written before they are read. */
	memset(op, 0, offsetof(struct ady_op, request_id));
	op->shard = shard;
	op->req = req;
	op->route = route;
	op->older = shard->ops;
	if (op->older)
		op->older->newer = op;
	shard->ops = op;
	(void)ady_proofs_asked(&op->wants_proofs, req, &f); /* bad ones came to no op */
	ady_request_id(shard, req, op->request_id);
	return op;
}

struct ady_op *ady_op_open(struct ady_shard *shard, struct ady_http_request *req,
                           enum ady_route route)
{
	struct ady_op *op = ady_op_open_untimed(shard, req, route);
	int timeout = shard->gateway->config->request_timeout_ms;

	op->deadline.fn = deadline;
	op->due_ms = ady_mono_ms() + timeout;
	ady_timer_set(shard->loop, &op->deadline, timeout);
	return op;
}

uint32_t ady_op_left_ms(const struct ady_op *op)
{
	int64_t left = op->due_ms - ady_mono_ms();

	if (left < 1)
		return 1;
	return left < ADY_WIRE_DEADLINE_MAX_MS ? (uint32_t)left : ADY_WIRE_DEADLINE_MAX_MS;
}

static void release(struct ady_op *op)
{
	*(op->newer ? &op->newer->older : &op->shard->ops) = op->older;
	if (op->older)
		op->older->newer = op->newer;
	op->next = op->shard->free_ops;
	op->shard->free_ops = op;
}

/* Count and log an answer, and write the header lines that all answers have. */
static void finish(struct ady_shard *shard, struct ady_http_request *req, enum ady_route route,
                   int status, const char *type, const char *extra, const char *request_id,
                   struct ady_bytes proof, struct ady_bytes body)
{
	char fields[192 + ADY_BASE64_SIZE(ADY_PROOF_MAX)];
	struct ady_buf b = ady_buf(fields, sizeof fields - 1);
	int64_t us = ady_mono_us() - req->arrived_us;

	ady_buf_str(&b, "X-Request-Id: ");
	ady_buf_str(&b, request_id);
	ady_buf_str(&b, "\r\n");
	if (extra)
		ady_buf_str(&b, extra);
	if (proof.n > 0) {
		ady_buf_str(&b, ADY_PROOF_FIELD ": ");
		ady_base64url_put(&b, proof);
		ady_buf_str(&b, "\r\n");
	}
	fields[b.n] = '\0';
	ady_metrics_request(&shard->metrics, route, status);
	if (route == ADY_ROUTE_SIGN || route == ADY_ROUTE_SAMPLE || route == ADY_ROUTE_ETH1_SIGN)
		ady_metrics_stage(&shard->metrics, ADY_STAGE_TOTAL, us);
	if (route == ADY_ROUTE_ETH1_SIGN)
		ady_w3s_count(&shard->metrics, ADY_W3S_SECP256K1, status, req->arrived_us);
	if (shard->gateway->config->access_log)
		ADY_INFO("request", "route=%s status=%d us=%lld peer=%s id=%s",
		         ady_route_text(route), status, (long long)us, req->peer, request_id);
	ady_http_answer(req, status, type, fields, body);
}

/* The proof for the header: that of the one decision that the answer rests on. */
static struct ady_bytes proof_of(const struct ady_op *op)
{
	if (op->unproved || op->duties)
		return ady_bytes(NULL, 0);
	return op->proof.n > 0 ? ady_dyn_bytes(&op->proof) : op->shard->proof;
}

/* The body with its proofs in it, in wide; or as it is. */
static struct ady_bytes with_proofs(struct ady_op *op, struct ady_dyn *wide, struct ady_bytes body)
{
	struct ady_bytes made = op->made ? ady_dyn_bytes(&op->body) : ady_bytes(NULL, 0);

	if (!op->wants_proofs)
		return body;
	if (op->proofs.n == 0)
		ady_proofs_add(&op->proofs, proof_of(op), made);
	if (op->proofs.n == 0)
		return body;
	ady_dyn_put(wide, body.p, body.n);
	ady_proofs_put(wide, ady_dyn_bytes(&op->proofs));
	return ady_dyn_bytes(wide);
}

static void end(struct ady_op *op, int status, const char *type, const char *extra,
                struct ady_bytes body)
{
	struct ady_http_request *req = op->req;
	struct ady_dyn kept = op->proof, wide = {0};
	struct ady_bytes proof = proof_of(op);

	body = with_proofs(op, &wide, body);
	op->shard->proof = ady_bytes(NULL, 0); /* it is of one answer */
	ady_timer_cancel(op->shard->loop, &op->deadline);
	ady_enclaves_forget(op->shard->enclaves, &op->call);
	ady_creating_drop(&op->creating);
	ady_signing_drop(op->signing);
	ady_listing_drop(op->listing);
	ady_eth2_drop(op);
	ady_dyn_free(&op->body);
	ady_dyn_free(&op->proofs);
	if (op->abandon)
		op->abandon(op);
	op->req = NULL;
	finish(op->shard, req, op->route, status, type, extra, op->request_id, proof, body);
	ady_dyn_free(&kept);
	ady_dyn_free(&wide);
	release(op);
}

void ady_op_keep_proof(struct ady_op *op)
{
	op->proof.n = 0;
	ady_dyn_put(&op->proof, op->shard->proof.p, op->shard->proof.n);
	if (op->wants_proofs)
		ady_proofs_add(&op->proofs, op->shard->proof,
		               op->made ? ady_dyn_bytes(&op->body) : ady_bytes(NULL, 0));
}

void ady_op_answer(struct ady_op *op)
{
	end(op, 200, ADY_JSON_TYPE, NULL, ady_dyn_bytes(&op->shard->out));
}

void ady_op_answer_with(struct ady_op *op, int status, const char *type, struct ady_bytes body)
{
	end(op, status, type, NULL, body);
}

/* 503 and 429 are worth another try, soon (a rate is at least one a second); 401 says how to
 * identify oneself. */
static const char *fields_of(int status)
{
	if (status == 401)
		return ADY_CALLER_CHALLENGE;
	return status == 503 || status == 429 ? "Retry-After: 1\r\n" : NULL;
}

void ady_op_fail(struct ady_op *op, const struct ady_fault *f)
{
	int status = ady_err_status(f->err);

	op->shard->out.n = 0;
	ady_answer_problem(&op->shard->out, status, f, op->request_id);
	end(op, status, ADY_PROBLEM_TYPE, fields_of(status), ady_dyn_bytes(&op->shard->out));
}

void ady_op_refuse(struct ady_op *op, enum ady_err err, const char *where, const char *detail)
{
	struct ady_fault f;

	(void)ady_fail(&f, err, where, "%s", detail ? detail : "");
	ady_op_fail(op, &f);
}

void ady_op_fail_all(struct ady_shard *shard)
{
	struct ady_op *op, *older;

	for (op = shard->ops; op; op = older) {
		older = op->older;
		if (op->req)
			ady_op_refuse(op, ADY_E_ENCLAVE, NULL, "the gateway is ending");
	}
}

void ady_answer_now(struct ady_shard *shard, struct ady_http_request *req, enum ady_route route,
                    int status, const char *type, const char *extra, const char *request_id)
{
	finish(shard, req, route, status, type, extra, request_id, ady_bytes(NULL, 0),
	       ady_dyn_bytes(&shard->out));
}

void ady_problem_now(struct ady_shard *shard, struct ady_http_request *req, enum ady_route route,
                     const struct ady_fault *f, const char *extra)
{
	int status = ady_err_status(f->err);
	char id[ADY_REQUEST_ID_MAX + 1];

	ady_request_id(shard, req, id);
	shard->out.n = 0;
	ady_answer_problem(&shard->out, status, f, id);
	finish(shard, req, route, status, ADY_PROBLEM_TYPE, extra ? extra : fields_of(status), id,
	       ady_bytes(NULL, 0), ady_dyn_bytes(&shard->out));
}
