/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/w3s.h"

#include "base/clock.h"
#include "gateway/key_count.h"
#include "gateway/shard.h"

static const char *const curves[ADY_W3S_CURVES] = {"bls", "secp256k1"};

static void add(_Atomic uint64_t *at, uint64_t n)
{
	atomic_store_explicit(at, atomic_load_explicit(at, memory_order_relaxed) + n,
	                      memory_order_relaxed);
}

void ady_w3s_count(struct ady_metrics *m, enum ady_w3s_curve curve, int status, int64_t arrived_us)
{
	struct ady_w3s *w = &m->w3s;
	int64_t us = ady_mono_us() - arrived_us;

	if (status == 200) {
		add(&w->signed_n[curve], 1);
		add(&w->signed_us[curve], us > 0 ? (uint64_t)us : 0);
	} else if (status == 404) {
		add(&w->missing[curve], 1);
	} else if (status == 400) {
		add(&w->malformed[curve], 1);
	}
}

void ady_w3s_count_slashing(struct ady_metrics *m, bool signed_)
{
	add(signed_ ? &m->w3s.permitted : &m->w3s.prevented, 1);
}

static void sum_up(struct ady_w3s *sum, const struct ady_gateway *g)
{
	for (size_t i = 0; i < g->shards_n; i++) {
		struct ady_w3s *w = &g->shards[i]->metrics.w3s;

		for (size_t c = 0; c < ADY_W3S_CURVES; c++) {
			sum->signed_n[c] += w->signed_n[c];
			sum->signed_us[c] += w->signed_us[c];
			sum->missing[c] += w->missing[c];
			sum->malformed[c] += w->malformed[c];
		}
		sum->permitted += w->permitted;
		sum->prevented += w->prevented;
	}
}

/* A summary without quantiles, as its format allows. */
static void put_summary(struct ady_dyn *out, const char *name, const char *help, uint64_t n,
                        uint64_t us)
{
	ady_dyn_printf(out, "# HELP %s %s\n# TYPE %s summary\n%s_count %llu\n%s_sum %.6f\n", name,
	               help, name, name, (unsigned long long)n, name, (double)us / 1e6);
}

static void put_curve(struct ady_dyn *out, const struct ady_w3s *sum, enum ady_w3s_curve c)
{
	/* Accounts of Web3Signer name it under either; dashboards find it. */
	static const char *const folders[] = {"http", "signing"};
	char name[64];

	snprintf(name, sizeof name, "signing_%s_signing_duration", curves[c]);
	put_summary(out, name, "Seconds from a request's first byte to its signature.",
	            sum->signed_n[c], sum->signed_us[c]);
	snprintf(name, sizeof name, "signing_%s_missing_identifier_count_total", curves[c]);
	ady_metrics_put_one(out, name, "counter", "Requests for keys that are not there.",
	                    (double)sum->missing[c]);
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		snprintf(name, sizeof name, "%s_%s_malformed_request_count_total", folders[i],
		         curves[c]);
		ady_metrics_put_one(out, name, "counter", "Requests to sign that were malformed.",
		                    (double)sum->malformed[c]);
	}
}

static void put_slashing(struct ady_dyn *out, const struct ady_w3s *sum, struct ady_states *states)
{
	struct ady_states_report r;

	ady_states_report(states, &r);
	ady_metrics_put_one(out, "eth2_slashingprotection_permitted_signings_total", "counter",
	                    "Blocks and attestations that were signed.", (double)sum->permitted);
	ady_metrics_put_one(out, "eth2_slashingprotection_prevented_signings_total", "counter",
	                    "Blocks and attestations that slashing protection refused.",
	                    (double)sum->prevented);
	put_summary(out, "eth2_slashingprotection_database_duration",
	            "Seconds in transactions of the store of states.", r.transactions, r.us);
}

void ady_w3s_put(struct ady_dyn *out, struct ady_shard *shard)
{
	struct ady_gateway *g = shard->gateway;
	struct ady_w3s sum = {0};
	int64_t keys = ady_key_count_get(shard);

	sum_up(&sum, g);
	if (keys >= 0)
		ady_metrics_put_one(out, "signing_signers_loaded_count", "gauge",
		                    "Enabled keys in the store, when they were last counted.",
		                    (double)keys);
	put_curve(out, &sum, ADY_W3S_SECP256K1);
	if (!g->config->validators.on)
		return;
	put_curve(out, &sum, ADY_W3S_BLS);
	put_slashing(out, &sum, g->states);
}
