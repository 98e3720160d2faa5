/* SPDX-License-Identifier: Apache-2.0
 *
 * Attestation, health, readiness, metrics. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/op.h"
#include "gateway/w3s.h"

enum { NONCE_MAX = 512, DOCUMENT_MAX = 16 * 1024 };

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* --- attestation --- */

static void on_document(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_op *op = OWNER(call, struct ady_op, call);
	struct ady_bytes document;

	if (f) {
		ady_op_fail(op, f);
		return;
	}
	if (ady_wire_read_blob(&document, DOCUMENT_MAX, body) != ADY_OK) {
		ady_op_refuse(op, ADY_E_PROTOCOL, NULL, "the answer of the enclave is malformed");
		return;
	}
	op->shard->out.n = 0;
	ady_answer_document(&op->shard->out, document);
	ady_op_answer(op);
}

/* The query is empty or "nonce=HEX" and nothing else: a misspelt parameter must not lead to a
 * document without the nonce. */
static bool read_nonce(struct ady_bytes query, uint8_t *out, size_t *n)
{
	static const char name[] = "nonce=";

	*n = 0;
	if (query.n == 0)
		return true;
	if (query.n < sizeof name - 1 || memcmp(query.p, name, sizeof name - 1) != 0)
		return false;
	return ady_hex_decode(out, NONCE_MAX, n, ady_bytes_sub(query, 6, query.n - 6)) == ADY_OK;
}

static void ask_document(struct ady_shard *shard, struct ady_http_request *req, uint8_t type)
{
	struct ady_op *op = ady_op_open(shard, req, ADY_ROUTE_ATTESTATION);
	uint8_t nonce[NONCE_MAX];
	struct ady_buf b = ady_buf(shard->frame, sizeof shard->frame);
	struct ady_fault f;
	enum ady_err err;
	size_t n;

	if (ady_caller_of(shard, req, &op->caller, &f) != ADY_OK) {
		ady_op_fail(op, &f);
		return;
	}

	if (!read_nonce(req->head.query, nonce, &n)) {
		ady_op_refuse(op, ADY_E_FIELD_INVALID, "nonce", "is not 0 to 512 bytes in hex");
		return;
	}
	op->call.done = on_document;
	ady_wire_put_blob(&b, ady_bytes(nonce, n));
	err = ady_enclaves_ask(shard->enclaves, &op->call, type, ady_buf_bytes(&b),
	                       ady_op_left_ms(op));
	if (err != ADY_OK)
		ady_op_refuse(op, err, NULL, "the enclave cannot be asked now");
}

void ady_page_attestation(struct ady_shard *shard, struct ady_http_request *req)
{
	ask_document(shard, req, ADY_WIRE_ATTEST);
}

void ady_page_import_key(struct ady_shard *shard, struct ady_http_request *req)
{
	ask_document(shard, req, ADY_WIRE_IMPORT_KEY);
}

void ady_page_response_key(struct ady_shard *shard, struct ady_http_request *req)
{
	ask_document(shard, req, ADY_WIRE_RESPONSE_KEY);
}

/* --- health --- */

void ady_page_health(struct ady_shard *shard, struct ady_http_request *req)
{
	char id[ADY_REQUEST_ID_MAX + 1];

	ady_request_id(shard, req, id);
	shard->out.n = 0;
	ady_dyn_str(&shard->out, "{\"alive\":true}\n");
	ady_answer_now(shard, req, ADY_ROUTE_HEALTH, 200, ADY_JSON_TYPE, NULL, id);
}

static void check_kms(const struct ady_link_report *r, struct ady_ready_part *kms)
{
	if (!r->has_status || kms->ok)
		return;
	kms->ok = r->status.kms != ADY_KMS_FAILING && r->status.has_credentials;
	snprintf(kms->why, sizeof kms->why, "%s",
	         r->status.has_credentials ? r->kms_text : "the enclave has no credentials");
}

/* Each thread must reach an enclave: a request may land on any of them. */
static void check_enclave(struct ady_gateway *g, struct ady_ready_part *enclave,
                          struct ady_ready_part *kms)
{
	const size_t n = g->config->enclaves_n;
	struct ady_link_report r;

	*enclave = (struct ady_ready_part){.ok = true};
	*kms = (struct ady_ready_part){.why = "the enclave has not said yet"};
	for (size_t i = 0; i < g->shards_n; i++) {
		size_t up = 0;

		for (size_t k = 0; k < n; k++) {
			ady_enclaves_report(g->shards[i]->enclaves, k, &r);
			up += r.up;
			if (!r.up)
				snprintf(enclave->why, sizeof enclave->why, "%s", r.why);
			check_kms(&r, kms);
		}
		enclave->ok = enclave->ok && up > 0;
		if (up > 0 && up < n && enclave->ok)
			snprintf(enclave->why, sizeof enclave->why, "%zu of %zu enclaves answer",
			         up, n);
	}
}

static void check_store(struct ady_gateway *g, struct ady_ready_part *store)
{
	struct ady_store_report r;

	ady_store_probe(g->store);
	ady_store_report(g->store, &r);
	*store = (struct ady_ready_part){.ok = r.known && r.ok};
	snprintf(store->why, sizeof store->why, "%s", r.why);
}

/* Not known yet is no fault: the first request opens what is closed. */
static void check_states(struct ady_gateway *g, struct ady_readiness *r)
{
	struct ady_states_report now = {0};

	r->has_states = g->states != NULL;
	r->states = (struct ady_ready_part){.ok = true};
	if (!g->states)
		return;
	ady_states_probe(g->states);
	ady_states_report(g->states, &now);
	r->states.ok = !now.known || now.ok;
	snprintf(r->states.why, sizeof r->states.why, "%s", now.why);
}

static void check_audit(struct ady_gateway *g, struct ady_readiness *r)
{
	struct ady_audit_report now = {0};

	r->has_audit = g->audit != NULL;
	r->audit = (struct ady_ready_part){.ok = true};
	if (!g->audit)
		return;
	ady_audit_report(g->audit, &now);
	r->audit.ok = !now.failing;
	snprintf(r->audit.why, sizeof r->audit.why, "%s", now.why);
}

void ady_readiness(struct ady_gateway *g, struct ady_readiness *r)
{
	check_audit(g, r);
	check_states(g, r);
	check_enclave(g, &r->enclave, &r->kms);
	check_store(g, &r->store);
}

static void put_part(struct ady_dyn *out, const char *name, const struct ady_ready_part *p)
{
	ady_dyn_printf(out, ",\"%s\":{\"ok\":%s", name, p->ok ? "true" : "false");
	if (p->why[0]) {
		ady_dyn_str(out, ",\"detail\":");
		ady_answer_string(out, p->why);
	}
	ady_dyn_str(out, "}");
}

void ady_page_ready(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_readiness r;
	char id[ADY_REQUEST_ID_MAX + 1];
	bool ready;

	ady_readiness(shard->gateway, &r);
	ready = r.enclave.ok && r.kms.ok && r.store.ok && r.states.ok && r.audit.ok;
	ady_request_id(shard, req, id);
	shard->out.n = 0;
	ady_dyn_printf(&shard->out, "{\"ready\":%s", ready ? "true" : "false");
	put_part(&shard->out, "enclave", &r.enclave);
	put_part(&shard->out, "kms", &r.kms);
	put_part(&shard->out, "store", &r.store);
	if (r.has_states)
		put_part(&shard->out, "states", &r.states);
	if (r.has_audit)
		put_part(&shard->out, "audit", &r.audit);
	ady_dyn_str(&shard->out, "}\n");
	ady_answer_now(shard, req, ADY_ROUTE_READY, ready ? 200 : 503, ADY_JSON_TYPE, NULL, id);
}

/* --- metrics --- */

static void put_store(struct ady_dyn *out, struct ady_store *store)
{
	struct ady_store_report r;

	ady_store_report(store, &r);
	ady_metrics_put_one(out, "adyton_store_hits_total", "counter",
	                    "Records served from the cache.", (double)r.hits);
	ady_metrics_put_one(out, "adyton_store_misses_total", "counter",
	                    "Records that were not in the cache.", (double)r.misses);
	ady_metrics_put_one(out, "adyton_store_fetches_total", "counter",
	                    "Records that the store was asked for.", (double)r.fetches);
	ady_metrics_put_one(out, "adyton_store_failures_total", "counter",
	                    "Those of them that it did not give.", (double)r.failures);
	ady_metrics_put_one(out, "adyton_store_entries", "gauge", "Entries in the cache.",
	                    (double)r.entries);
	ady_metrics_put_one(out, "adyton_store_bytes", "gauge", "Bytes of records in the cache.",
	                    (double)r.bytes);
	ady_metrics_put_one(out, "adyton_store_copies", "gauge",
	                    "Copies of records of a store that tells of changes.",
	                    (double)r.copies);
	ady_metrics_put_one(out, "adyton_store_copies_bytes", "gauge", "Bytes of these copies.",
	                    (double)r.copies_bytes);
	ady_metrics_put_one(out, "adyton_store_waiting", "gauge", "Requests waiting for a record.",
	                    (double)r.waiting);
}

static void put_audit(struct ady_dyn *out, struct ady_audit *audit)
{
	struct ady_audit_report r;

	if (!audit)
		return;
	ady_audit_report(audit, &r);
	ady_metrics_put_one(out, "adyton_audit_entries_total", "counter",
	                    "Entries written to the audit log.", (double)r.entries);
	ady_metrics_put_one(out, "adyton_audit_syncs_total", "counter",
	                    "Groups of them that were synced.", (double)r.syncs);
	ady_metrics_put_one(out, "adyton_audit_failures_total", "counter",
	                    "Attempts to write that failed.", (double)r.failures);
	ady_metrics_put_one(out, "adyton_audit_waiting_bytes", "gauge",
	                    "Bytes of entries that are not written yet.", (double)r.waiting);
	ady_metrics_put_one(out, "adyton_audit_failing", "gauge",
	                    "1 while the audit log cannot be written.", r.failing);
}

static void put_relay(struct ady_dyn *out, struct ady_relay *relay)
{
	struct ady_relay_report r;

	if (!relay)
		return;
	ady_relay_report(relay, &r);
	ady_metrics_put_one(out, "adyton_relay_open", "gauge", "Streams of the enclave now.",
	                    (double)r.open);
	ady_metrics_put_one(out, "adyton_relay_streams_total", "counter",
	                    "Streams that were connected.", (double)r.streams);
	ady_metrics_put_one(out, "adyton_relay_refused_total", "counter",
	                    "Streams that were refused.", (double)r.refused);
	ady_metrics_put_one(out, "adyton_relay_to_host_bytes_total", "counter",
	                    "Bytes from the enclave.", (double)r.to_host_bytes);
	ady_metrics_put_one(out, "adyton_relay_to_enclave_bytes_total", "counter",
	                    "Bytes to the enclave.", (double)r.to_enclave_bytes);
}

static void put_status(struct ady_dyn *out, const struct ady_wire_status *s)
{
	static const char *const stages[] = {"prepare", "kms", "sign"};
	const uint64_t us[] = {s->prepare_us, s->kms_us, s->sign_us};

	ady_metrics_put_one(out, "adyton_enclave_waiting", "gauge",
	                    "Requests waiting in the enclave.", (double)s->waiting);
	ady_metrics_put_one(out, "adyton_enclave_signed_total", "counter",
	                    "Signatures the enclave made.", (double)s->signed_n);
	ady_metrics_put_one(out, "adyton_enclave_refused_total", "counter",
	                    "Requests the enclave refused.", (double)s->refused_n);
	ady_metrics_put_one(out, "adyton_enclave_created_total", "counter",
	                    "Keys the enclave made.", (double)s->created);
	ady_metrics_put_one(out, "adyton_enclave_data_keys", "gauge",
	                    "Opened data keys that the enclave keeps.", (double)s->data_keys);
	ady_metrics_put_one(out, "adyton_enclave_data_key_hits_total", "counter",
	                    "Data keys that were there.", (double)s->data_key_hits);
	ady_metrics_put_one(out, "adyton_enclave_data_key_misses_total", "counter",
	                    "Data keys that were not there.", (double)s->data_key_misses);
	ady_metrics_put_one(out, "adyton_enclave_data_keys_expired_total", "counter",
	                    "Data keys whose time or uses were over.",
	                    (double)s->data_keys_expired);
	ady_metrics_put_one(out, "adyton_enclave_data_keys_locked_total", "counter",
	                    "Data keys that a lock took away.", (double)s->data_keys_locked);
	ady_metrics_put_one(out, "adyton_enclave_kms_calls_total", "counter",
	                    "The enclave's calls to KMS.", (double)s->kms_calls);
	ady_metrics_put_one(out, "adyton_enclave_kms_failures_total", "counter",
	                    "The enclave's calls to KMS that failed.", (double)s->kms_failures);
	ady_metrics_put_one(out, "adyton_enclave_kms_health", "gauge",
	                    "0 not known, 1 answers, 2 fails.", (double)s->kms);
	ady_metrics_put_one(out, "adyton_enclave_clock_drift_seconds", "gauge",
	                    "Between the enclave's clock and the NSM's.",
	                    (double)s->drift_ms / 1e3);
	ady_dyn_str(out, "# HELP adyton_enclave_stage_seconds_total Time in the enclave's stages.\n"
	                 "# TYPE adyton_enclave_stage_seconds_total counter\n");
	for (size_t i = 0; i < 3; i++)
		ady_dyn_printf(out, "adyton_enclave_stage_seconds_total{stage=\"%s\"} %.6f\n",
		               stages[i], (double)us[i] / 1e6);
}

/* What all enclaves have done together; of what cannot be added, the worst. */
static void add_status(struct ady_wire_status *sum, const struct ady_wire_status *s)
{
	sum->waiting += s->waiting;
	sum->signed_n += s->signed_n;
	sum->refused_n += s->refused_n;
	sum->kms_calls += s->kms_calls;
	sum->kms_failures += s->kms_failures;
	sum->prepare_us += s->prepare_us;
	sum->kms_us += s->kms_us;
	sum->sign_us += s->sign_us;
	sum->created += s->created;
	sum->data_keys += s->data_keys;
	sum->data_key_hits += s->data_key_hits;
	sum->data_key_misses += s->data_key_misses;
	sum->data_keys_expired += s->data_keys_expired;
	sum->data_keys_locked += s->data_keys_locked;
	if (s->kms > sum->kms)
		sum->kms = s->kms;
	if (s->drift_ms > sum->drift_ms)
		sum->drift_ms = s->drift_ms;
}

/* Whether an enclave has said how it is, to any thread. */
static bool status_of(struct ady_gateway *g, size_t enclave, struct ady_wire_status *status)
{
	struct ady_link_report r;

	for (size_t i = 0; i < g->shards_n; i++) {
		ady_enclaves_report(g->shards[i]->enclaves, enclave, &r);
		*status = r.status;
		if (r.has_status)
			return true;
	}
	return false;
}

static void put_enclaves(struct ady_dyn *out, struct ady_gateway *g)
{
	struct ady_wire_status sum = {0}, one;
	bool any = false;

	ady_dyn_str(out, "# HELP adyton_enclave_up Whether the enclave answers.\n"
	                 "# TYPE adyton_enclave_up gauge\n");
	for (size_t k = 0; k < g->config->enclaves_n; k++) {
		bool up = status_of(g, k, &one);

		ady_dyn_printf(out, "adyton_enclave_up{enclave=\"%zu\"} %d\n", k, up);
		if (up)
			add_status(&sum, &one);
		any = any || up;
	}
	if (any)
		put_status(out, &sum);
}

static void put_links(struct ady_dyn *out, struct ady_gateway *g)
{
	struct ady_link_report r;
	uint64_t connects = 0;
	size_t up = 0, n = g->config->enclaves_n;

	for (size_t i = 0; i < g->shards_n * n; i++) {
		ady_enclaves_report(g->shards[i / n]->enclaves, i % n, &r);
		up += r.up;
		connects += r.connects;
	}
	ady_metrics_put_one(out, "adyton_links_up", "gauge", "Connections to the enclave.",
	                    (double)up);
	ady_metrics_put_one(out, "adyton_links_wanted", "gauge",
	                    "Connections to the enclave when all is well.",
	                    (double)(g->shards_n * n));
	ady_metrics_put_one(out, "adyton_link_connects_total", "counter",
	                    "Connections made to the enclave.", (double)connects);
	put_enclaves(out, g);
}

static void put_gates(struct ady_dyn *out, struct ady_gateway *g)
{
	uint64_t in_flight = 0, limit = 0;

	for (size_t k = 0; k < g->config->enclaves_n; k++) {
		in_flight += atomic_load(&g->gates[k].in_flight);
		limit += atomic_load(&g->gates[k].limit);
	}
	ady_metrics_put_one(out, "adyton_in_flight", "gauge", "Requests with the enclave.",
	                    (double)in_flight);
	ady_metrics_put_one(out, "adyton_in_flight_limit", "gauge",
	                    "Requests that may be with the enclave; more are shed.", (double)limit);
}

static void put_sessions(struct ady_dyn *out, struct ady_gateway *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->shards_n; i++)
		n += atomic_load(&g->shards[i]->sessions_n);
	ady_metrics_put_one(out, "adyton_sessions", "gauge",
	                    "Clients connected by WebSocket or IPC.", (double)n);
}

/* They tell of all tenants: for administrators only, where callers are told apart. */
static bool may_read_metrics(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_caller caller;
	struct ady_fault f;
	enum ady_err err = ady_caller_of(shard, req, &caller, &f);

	if (err == ADY_OK && !caller.admin)
		err = ady_fail(&f, ADY_E_DENIED, NULL, "metrics are for administrators");
	if (err != ADY_OK)
		ady_problem_now(shard, req, ADY_ROUTE_METRICS, &f, NULL);
	return err == ADY_OK;
}

void ady_page_metrics(struct ady_shard *shard, struct ady_http_request *req)
{
	struct ady_metrics *sets[ADY_GATEWAY_THREADS_MAX];
	struct ady_gateway *g = shard->gateway;
	char id[ADY_REQUEST_ID_MAX + 1];
	struct ady_dyn *out = &shard->out;

	if (!may_read_metrics(shard, req))
		return;
	for (size_t i = 0; i < g->shards_n; i++)
		sets[i] = &g->shards[i]->metrics;
	ady_request_id(shard, req, id);
	out->n = 0;
	ady_metrics_put(out, sets, g->shards_n);
	put_gates(out, g);
	put_sessions(out, g);
	ady_node_put_metrics(out, &g->nodes);
	put_links(out, g);
	ady_metrics_put_one(out, "adyton_credentials_life_seconds", "gauge",
	                    "Until the enclave's credentials expire; -1 never.",
	                    (double)ady_credentials_life_s(g->credentials));
	put_store(out, g->store);
	put_relay(out, g->relay);
	put_audit(out, g->audit);
	ady_w3s_put(out, shard);
	ady_dyn_str(out, "# TYPE adyton_build_info gauge\n"
	                 "adyton_build_info{version=\"" ADY_VERSION "\"} 1\n");
	ady_answer_now(shard, req, ADY_ROUTE_METRICS, 200, "text/plain; version=0.0.4", NULL, id);
}
