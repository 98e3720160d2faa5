/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/tenant_keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "codec/wire.h"

enum { TENANTS_MAX = 4096 };

struct entry {
	char tenant[ADY_WIRE_TENANT_MAX + 1];
	uint8_t blob[ADY_WIRE_DATA_KEY_MAX];
	size_t blob_n;
};

/* Keys are made rarely: a search from one end to the other will do. */
struct ady_tenant_keys {
	pthread_mutex_t lock;
	struct entry **entries;
	size_t n;
};

enum ady_err ady_tenant_keys_open(struct ady_tenant_keys **out)
{
	struct ady_tenant_keys *t = calloc(1, sizeof *t);

	*out = NULL;
	if (!t || !(t->entries = calloc(TENANTS_MAX, sizeof(struct entry *)))) {
		free(t);
		return ADY_E_MEMORY;
	}
	pthread_mutex_init(&t->lock, NULL);
	*out = t;
	return ADY_OK;
}

void ady_tenant_keys_close(struct ady_tenant_keys *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		free(t->entries[i]);
	pthread_mutex_destroy(&t->lock);
	free(t->entries);
	free(t);
}

static struct entry *find(struct ady_tenant_keys *t, const char *tenant)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->entries[i]->tenant, tenant) == 0)
			return t->entries[i];
	return NULL;
}

static struct entry *add(struct ady_tenant_keys *t, const char *tenant)
{
	struct entry *e = t->n < TENANTS_MAX ? calloc(1, sizeof *e) : NULL;

	if (e && ady_bytes_to_str(e->tenant, sizeof e->tenant, ady_bytes_str(tenant)))
		return t->entries[t->n++] = e;
	free(e);
	return NULL;
}

void ady_tenant_keys_get(struct ady_tenant_keys *t, const char *tenant, struct ady_buf *blob)
{
	struct entry *e;

	pthread_mutex_lock(&t->lock);
	e = find(t, tenant);
	if (e)
		ady_buf_put(blob, e->blob, e->blob_n);
	pthread_mutex_unlock(&t->lock);
}

void ady_tenant_keys_set(struct ady_tenant_keys *t, const char *tenant, struct ady_bytes blob)
{
	struct entry *e;

	pthread_mutex_lock(&t->lock);
	e = find(t, tenant);
	if (!e && blob.n > 0)
		e = add(t, tenant);
	if (e && blob.n <= sizeof e->blob) {
		e->blob_n = blob.n;
		if (blob.n > 0)
			memcpy(e->blob, blob.p, blob.n);
	}
	pthread_mutex_unlock(&t->lock);
}
