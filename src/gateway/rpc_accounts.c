/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/rpc_accounts.h"

#include "gateway/listing.h"
#include "gateway/rpc_params.h"

enum { ADDRESS = 20 };

static void cancel(struct ady_rpc_call *call)
{
	ady_listing_drop(call->state);
}

static void on_listed(void *ctx, struct ady_bytes items, const struct ady_fault *f)
{
	struct ady_rpc_call *call = ctx;
	struct ady_dyn *out;

	if (f) {
		ady_rpc_fail(call, f);
		return;
	}
	out = ady_rpc_result(call);
	ady_dyn_str(out, "[");
	for (size_t at = 0; at < items.n; at += ADDRESS) {
		ady_dyn_str(out, at ? "," : "");
		ady_rpc_put_hex(out, ady_bytes(items.p + at, ADDRESS));
	}
	ady_dyn_str(out, "]");
	ady_rpc_end(call);
}

void ady_rpc_accounts(struct ady_rpc_call *call)
{
	const struct ady_listing_ask ask = {.caller = *call->caller,
	                                    .what = ADY_LIST_ADDRESSES,
	                                    .width = ADDRESS,
	                                    .done = on_listed,
	                                    .ctx = call};
	struct ady_listing *listing;
	struct ady_fault f;

	if (ady_listing_start(&listing, call->shard, &ask, &f) != ADY_OK) {
		ady_rpc_fail(call, &f);
		return;
	}
	call->state = listing;
	call->cancel = cancel;
}
