/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/history.h"

#include <pthread.h>
#include <stdlib.h>

/* The densest that a history can be is a list of {"slot":"1"}, three values in 13 bytes. */
enum { BYTES_A_VALUE = 4, VALUES_AT_LEAST = 64 };

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

/* What is not used of the storage is never touched, and so never there. */
enum ady_err ady_history_open(struct ady_history *h, struct ady_bytes text, struct ady_fault *f)
{
	const size_t cap = text.n / BYTES_A_VALUE + VALUES_AT_LEAST;
	enum ady_err err;

	*h = (struct ady_history){0};
	pthread_mutex_lock(&one);
	h->toks = malloc(cap * sizeof *h->toks);
	if (!h->toks) {
		pthread_mutex_unlock(&one);
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	}
	err = ady_json_parse(&h->doc, h->toks, cap, text, f);
	return err == ADY_OK ? ady_interchange_open(&h->ix, &h->doc, f) : err;
}

void ady_history_close(struct ady_history *h)
{
	if (!h->toks)
		return;
	free(h->toks);
	h->toks = NULL;
	pthread_mutex_unlock(&one);
}
