/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/metrics.h"

static const uint32_t bounds_us[ADY_METRICS_BUCKETS] = {
    50,    100,   250,    500,    1000,   2500,    5000,    10000,
    25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 10000000};
static const char *const stage_texts[ADY_STAGE_COUNT] = {"store", "enclave", "total"};

#define ADY_ROUTE_TEXT(name, text) text,
static const char *const route_texts[ADY_ROUTE_COUNT] = {ADY_ROUTES(ADY_ROUTE_TEXT)};
#undef ADY_ROUTE_TEXT

static void add(_Atomic uint64_t *at, uint64_t n)
{
	atomic_store_explicit(at, atomic_load_explicit(at, memory_order_relaxed) + n,
	                      memory_order_relaxed);
}

static uint64_t get(_Atomic uint64_t *at)
{
	return atomic_load_explicit(at, memory_order_relaxed);
}

const char *ady_route_text(enum ady_route route)
{
	return route < ADY_ROUTE_COUNT ? route_texts[route] : "other";
}

void ady_metrics_request(struct ady_metrics *m, enum ady_route route, int status)
{
	if (status > 0 && status < ADY_METRICS_STATUS_MAX)
		add(&m->requests[route][status], 1);
}

void ady_metrics_stage(struct ady_metrics *m, enum ady_stage stage, int64_t us)
{
	struct ady_histogram *h = &m->stages[stage];
	size_t i = 0;

	while (i < ADY_METRICS_BUCKETS && us > bounds_us[i])
		i++;
	add(&h->buckets[i], 1);
	add(&h->sum_us, us > 0 ? (uint64_t)us : 0);
}

static void put_requests(struct ady_dyn *out, struct ady_metrics *const *sets, size_t n)
{
	ady_dyn_str(out, "# HELP adyton_requests_total Requests answered.\n"
	                 "# TYPE adyton_requests_total counter\n");
	for (size_t route = 0; route < ADY_ROUTE_COUNT; route++)
		for (size_t status = 0; status < ADY_METRICS_STATUS_MAX; status++) {
			uint64_t sum = 0;

			for (size_t i = 0; i < n; i++)
				sum += get(&sets[i]->requests[route][status]);
			if (sum > 0)
				ady_dyn_printf(
				    out,
				    "adyton_requests_total{route=\"%s\",status=\"%zu\"} %llu\n",
				    route_texts[route], status, (unsigned long long)sum);
		}
}

static void put_stage(struct ady_dyn *out, struct ady_metrics *const *sets, size_t n, size_t stage)
{
	uint64_t count = 0, us = 0;
	const char *text = stage_texts[stage];

	for (size_t b = 0; b <= ADY_METRICS_BUCKETS; b++) {
		for (size_t i = 0; i < n; i++)
			count += get(&sets[i]->stages[stage].buckets[b]);
		if (b < ADY_METRICS_BUCKETS)
			ady_dyn_printf(out,
			               "adyton_stage_seconds_bucket{stage=\"%s\",le=\"%g\"} %llu\n",
			               text, bounds_us[b] / 1e6, (unsigned long long)count);
	}
	for (size_t i = 0; i < n; i++)
		us += get(&sets[i]->stages[stage].sum_us);
	ady_dyn_printf(out, "adyton_stage_seconds_bucket{stage=\"%s\",le=\"+Inf\"} %llu\n", text,
	               (unsigned long long)count);
	ady_dyn_printf(out, "adyton_stage_seconds_sum{stage=\"%s\"} %.6f\n", text,
	               (double)us / 1e6);
	ady_dyn_printf(out, "adyton_stage_seconds_count{stage=\"%s\"} %llu\n", text,
	               (unsigned long long)count);
}

void ady_metrics_put(struct ady_dyn *out, struct ady_metrics *const *sets, size_t n)
{
	put_requests(out, sets, n);
	ady_dyn_str(out, "# HELP adyton_stage_seconds Time of a signing request in a stage.\n"
	                 "# TYPE adyton_stage_seconds histogram\n");
	for (size_t stage = 0; stage < ADY_STAGE_COUNT; stage++)
		put_stage(out, sets, n, stage);
}

void ady_metrics_put_one(struct ady_dyn *out, const char *name, const char *type, const char *help,
                         double value)
{
	ady_dyn_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, type, name,
	               value);
}
