/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /signer/v1/get_pubkeys: the validators of a module, each with the proxy keys that were made
 * for it here. Which proxy is whose stands in its id. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/commit_boost.h"

enum { FOLDER_MAX = 512, KEYS_MAX = 10000, HEX = 96 };

struct one {
	uint8_t validator[48];
	enum { ITSELF, PROXY_BLS, PROXY_ECDSA } what;
	uint8_t name[48];
};

struct keys {
	struct ady_store_job job; /* first */
	struct ady_shard *shard;
	struct ady_op *op; /* NULL: nobody waits any more */
	const struct ady_config_module *module;
	char own[FOLDER_MAX], all[FOLDER_MAX]; /* folders of proxies */
	struct ady_dyn found;                  /* of struct one */
	size_t page_n;
	char last[ADY_KEY_ID_MAX + 1];
};

/* "HEX/bls/.." or "HEX/ecdsa/.." behind the folder. */
static bool read_proxy(struct one *o, const char *rest, const struct ady_entry *e)
{
	size_t n;

	if (strlen(rest) <= HEX ||
	    ady_hex_decode(o->validator, 48, &n, ady_bytes(rest, HEX)) != ADY_OK)
		return false;
	if (strncmp(rest + HEX, "/bls/", 5) == 0 && e->public_key_n == 48) {
		o->what = PROXY_BLS;
		memcpy(o->name, e->public_key, 48);
		return true;
	}
	o->what = PROXY_ECDSA;
	memcpy(o->name, e->address, 20);
	return strncmp(rest + HEX, "/ecdsa/", 7) == 0 && e->has_address;
}

static void take(void *ctx, const struct ady_entry *e)
{
	struct keys *k = ctx;
	size_t own = strlen(k->own), all = strlen(k->all);
	struct one o = {0};
	bool ok;

	k->page_n++;
	memcpy(k->last, e->id, sizeof k->last);
	if (k->found.n / sizeof o >= KEYS_MAX)
		return;
	if (strncmp(e->id, k->own, own) == 0) {
		ok = read_proxy(&o, e->id + own, e);
	} else {
		ok = e->public_key_n == 48 && strcmp(e->curve, "bls12-381") == 0 &&
		     strncmp(e->id, k->all, all) != 0;
		memcpy(o.validator, e->public_key, 48);
	}
	if (ok && ady_cb_may_use(k->module, o.validator))
		ady_dyn_put(&k->found, &o, sizeof o);
}

static void run(struct ady_store_job *job, struct ady_records *records, size_t worker)
{
	struct keys *k = (struct keys *)job;
	char after[ADY_KEY_ID_MAX + 1] = "";
	const struct ady_records_query q = {.after = after,
	                                    .limit = ADY_RECORDS_PAGE_MAX,
	                                    .prefix = k->shard->gateway->config->store.prefix,
	                                    .tenant = k->module->tenant,
	                                    .enabled = ADY_ENABLED_ONLY};

	do {
		memcpy(after, k->last, sizeof after);
		k->page_n = 0;
		if (ady_records_list(records, worker, &q, take, k, &job->fault) != ADY_OK)
			return;
	} while (k->page_n == ADY_RECORDS_PAGE_MAX);
}

static int by_validator(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct one));
}

/* The proxies of one kind that follow at i. */
static void put_proxies(struct ady_dyn *out, const struct one *all, size_t *i, size_t n,
                        const uint8_t *validator, int what)
{
	const char *between = "";

	for (; *i < n && (int)all[*i].what == what && memcmp(all[*i].validator, validator, 48) == 0;
	     ++*i) {
		ady_dyn_str(out, between);
		ady_cb_put_hex(out, ady_bytes(all[*i].name, what == PROXY_BLS ? 48 : 20));
		between = ",";
	}
}

/* Sorted by validator, itself first; proxies of a validator that is not there are left out. */
static void answer(struct keys *k)
{
	struct one *all = (struct one *)k->found.p;
	size_t n = k->found.n / sizeof *all, i = 0;
	struct ady_dyn *out = &k->shard->out;
	const char *between = "";

	if (n > 0)
		qsort(all, n, sizeof *all, by_validator);
	out->n = 0;
	ady_dyn_str(out, "{\"keys\":[");
	while (i < n) {
		const uint8_t *validator = all[i].validator;

		if (all[i].what != ITSELF) {
			i++;
			continue;
		}
		while (i < n && all[i].what == ITSELF &&
		       memcmp(all[i].validator, validator, 48) == 0)
			i++; /* two records of one key */
		ady_dyn_str(out, between);
		ady_dyn_str(out, "{\"consensus\":");
		ady_cb_put_hex(out, ady_bytes(validator, 48));
		ady_dyn_str(out, ",\"proxy_bls\":[");
		put_proxies(out, all, &i, n, validator, PROXY_BLS);
		ady_dyn_str(out, "],\"proxy_ecdsa\":[");
		put_proxies(out, all, &i, n, validator, PROXY_ECDSA);
		ady_dyn_str(out, "]}");
		between = ",";
	}
	ady_dyn_str(out, "]}\n");
	k->op->abandon = NULL;
	ady_op_answer(k->op);
}

static void end(struct keys *k)
{
	struct ady_shard *shard = k->shard;

	ady_dyn_free(&k->found);
	free(k);
	ady_shard_let(shard);
}

static void on_done(struct ady_store_job *job)
{
	struct keys *k = (struct keys *)job;

	if (k->op && job->fault.err == ADY_OK) {
		answer(k);
	} else if (k->op) {
		k->op->abandon = NULL;
		ady_cb_fail(k->op, &job->fault);
	}
	end(k);
}

static void abandon(struct ady_op *op)
{
	((struct keys *)op->waiting)->op = NULL;
}

void ady_cb_get_pubkeys(struct ady_shard *shard, struct ady_http_request *req)
{
	const struct ady_cb_module *module;
	struct ady_op *op = ady_cb_begin(shard, req, &module);
	struct keys *k;

	if (!op)
		return;
	k = calloc(1, sizeof *k);
	if (!k)
		ADY_BUG("out of memory");
	k->shard = shard;
	k->op = op;
	k->module = module->config;
	k->job = (struct ady_store_job){.loop = shard->loop, .run = run, .done = on_done};
	op->waiting = k;
	op->abandon = abandon;
	ady_shard_hold(shard);
	if (ady_cb_folder(k->own, sizeof k->own, shard, k->module->tenant, k->module->id) &&
	    ady_cb_folder(k->all, sizeof k->all, shard, k->module->tenant, NULL) &&
	    ady_store_run(shard->gateway->store, &k->job) == ADY_OK)
		return;
	(void)ady_fail(&k->job.fault, ADY_E_BUSY, NULL, "too much is asked of the store");
	on_done(&k->job);
}

void ady_cb_status(struct ady_shard *shard, struct ady_http_request *req)
{
	char id[ADY_REQUEST_ID_MAX + 1];

	ady_request_id(shard, req, id);
	shard->out.n = 0;
	ady_answer_now(shard, req, ADY_ROUTE_COMMIT_BOOST, 200, "", NULL, id);
}
