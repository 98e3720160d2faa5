/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rpc_accounts.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/caller.h"
#include "gateway/rpc_params.h"
#include "gateway/shard.h"

enum { ADDRESS = 20 };

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* A listing in work: call->state. It outlives a call that is cancelled: pages come in any case. */
struct listing {
	struct ady_rpc_call *call; /* NULL: cancelled */
	struct ady_shard *shard;
	struct ady_store_page page;
	struct ady_dyn addresses;
	char after[ADY_KEY_ID_MAX + 1];
};

static void end_listing(struct listing *l)
{
	struct ady_shard *shard = l->shard;

	ady_store_page_clear(&l->page);
	ady_dyn_free(&l->addresses);
	free(l);
	ady_shard_let(shard);
}

static void cancel(struct ady_rpc_call *call)
{
	struct listing *l = call->state;

	l->call = NULL;
}

static void fail(struct listing *l, const struct ady_fault *f)
{
	struct ady_rpc_call *call = l->call;

	call->cancel = NULL;
	ady_rpc_fail(call, f);
	end_listing(l);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, ADDRESS);
}

/* Several keys may be of one account. */
static void answer(struct listing *l)
{
	struct ady_rpc_call *call = l->call;
	const uint8_t *p = l->addresses.p;
	size_t n = l->addresses.n / ADDRESS;
	struct ady_dyn *out;

	call->cancel = NULL;
	if (n > 0)
		qsort(l->addresses.p, n, ADDRESS, compare);
	out = ady_rpc_result(call);
	ady_dyn_str(out, "[");
	for (size_t i = 0; i < n; i++, p += ADDRESS) {
		if (i > 0 && memcmp(p, p - ADDRESS, ADDRESS) == 0)
			continue;
		if (i > 0)
			ady_dyn_str(out, ",");
		ady_rpc_put_hex(out, ady_bytes(p, ADDRESS));
	}
	ady_dyn_str(out, "]");
	ady_rpc_end(call);
	end_listing(l);
}

static void take_page(struct listing *l)
{
	const struct ady_caller *caller = l->call->caller;

	for (size_t i = 0; i < l->page.n; i++) {
		const struct ady_entry *e = &l->page.entries[i];

		if (e->has_address && ady_caller_may_use(caller, e->tenant))
			ady_dyn_put(&l->addresses, e->address, ADDRESS);
	}
	if (l->page.n > 0)
		memcpy(l->after, l->page.entries[l->page.n - 1].id, sizeof l->after);
}

static void next_page(struct listing *l);

static void on_page(struct ady_store_job *job)
{
	struct listing *l = OWNER(job, struct listing, page.job);

	if (!l->call) {
		end_listing(l);
	} else if (job->fault.err != ADY_OK) {
		fail(l, &job->fault);
	} else {
		take_page(l);
		if (l->page.more && l->addresses.n / ADDRESS < ADY_RPC_ACCOUNTS_MAX)
			next_page(l);
		else
			answer(l);
	}
}

static void next_page(struct listing *l)
{
	struct ady_fault f;

	ady_store_page_clear(&l->page);
	l->page = (struct ady_store_page){
	    .job = {.loop = l->shard->loop, .done = on_page},
	    .query = {.after = l->after,
	              .limit = ADY_RECORDS_PAGE_MAX,
	              .tenant = ady_caller_scope(l->call->caller),
	              .enabled = ADY_ENABLED_ONLY},
	};
	if (ady_store_list(l->shard->gateway->store, &l->page) == ADY_OK)
		return;
	(void)ady_fail(&f, ADY_E_BUSY, NULL, "too much waits for the store");
	fail(l, &f);
}

void ady_rpc_accounts(struct ady_rpc_call *call)
{
	struct listing *l = calloc(1, sizeof *l);

	if (!l)
		ADY_BUG("out of memory");
	l->call = call;
	l->shard = call->shard;
	ady_shard_hold(l->shard);
	call->state = l;
	call->cancel = cancel;
	next_page(l);
}
