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

struct ady_stored *ady_stored_new(const struct ady_entry *e)
{
	const size_t id_n = strlen(e->id), tenant_n = strlen(e->tenant) + 1;
	const size_t curve_n = strlen(e->curve) + 1;
	struct ady_stored *r =
	    malloc(sizeof *r + id_n + e->text.n + e->public_key_n + tenant_n + curve_n);
	uint8_t *at;

	if (!r)
		ADY_BUG("out of memory");
	at = (uint8_t *)(r + 1);
	atomic_init(&r->refs, 1);
	r->disabled = e->disabled;
	r->has_address = e->has_address;
	memcpy(r->address, e->address, sizeof r->address);
	r->fetched_ms = ady_mono_ms();
	r->deletion_s = e->deletion_s;
	r->name = place(&at, e->id, id_n);
	r->text = place(&at, e->text.p, e->text.n);
	r->public_key = place(&at, e->public_key, e->public_key_n);
	r->tenant = (const char *)place(&at, e->tenant, tenant_n).p;
	r->curve = (const char *)place(&at, e->curve, curve_n).p;
	return r;
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
