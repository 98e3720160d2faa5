/* SPDX-License-Identifier: Apache-2.0
 *
 * A record as the cache and its users share it: one block of memory. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/store.h"

static struct ady_bytes place(uint8_t **at, const void *p, size_t n)
{
	uint8_t *to = *at;

	if (n > 0)
		memcpy(to, p, n);
	*at += n;
	return ady_bytes(to, n);
}

struct ady_stored *ady_stored_make(const struct ady_stored *like)
{
	const size_t tenant_n = strlen(like->tenant) + 1, curve_n = strlen(like->curve) + 1;
	struct ady_stored *r = malloc(sizeof *r + like->name.n + like->text.n + like->public_key.n +
	                              tenant_n + curve_n);
	uint8_t *at;

	if (!r)
		ADY_BUG("out of memory");
	at = (uint8_t *)(r + 1);
	atomic_init(&r->refs, 1);
	r->disabled = like->disabled;
	r->fetched_ms = like->fetched_ms;
	r->deletion_s = like->deletion_s;
	r->name = place(&at, like->name.p, like->name.n);
	r->text = place(&at, like->text.p, like->text.n);
	r->public_key = place(&at, like->public_key.p, like->public_key.n);
	r->tenant = (const char *)place(&at, like->tenant, tenant_n).p;
	r->curve = (const char *)place(&at, like->curve, curve_n).p;
	return r;
}

struct ady_stored *ady_stored_new(const struct ady_entry *e)
{
	return ady_stored_make(&(struct ady_stored){
	    .disabled = e->disabled,
	    .fetched_ms = ady_mono_ms(),
	    .deletion_s = e->deletion_s,
	    .name = ady_bytes_str(e->id),
	    .text = ady_dyn_bytes(&e->text),
	    .public_key = ady_bytes(e->public_key, e->public_key_n),
	    .tenant = e->tenant,
	    .curve = e->curve,
	});
}

struct ady_stored *ady_stored_ref(struct ady_stored *r)
{
	atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

void ady_stored_unref(struct ady_stored *r)
{
	if (r && atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) == 1)
		free(r);
}
