/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/wiping_heap.h"

#include <curl/curl.h>
#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

static void wipe_free(void *p)
{
	if (p)
		ady_zero(p, malloc_usable_size(p));
	free(p);
}

/* Always moves: realloc(3) would leave the old bytes where they were. */
static void *wipe_realloc(void *p, size_t n)
{
	const size_t had = p ? malloc_usable_size(p) : 0;
	void *moved = malloc(n ? n : 1);

	if (!moved)
		return NULL;
	if (p)
		memcpy(moved, p, had < n ? had : n);
	wipe_free(p);
	return moved;
}

bool ady_wiping_heap_init(void)
{
	json_set_alloc_funcs(malloc, wipe_free);
	return curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_free, wipe_realloc, strdup,
	                            calloc) == CURLE_OK;
}
