/* SPDX-License-Identifier: Apache-2.0
 *
 * Imports of the Keymanager API: a body that is taken has an outcome or a key for each keystore, no
 * key twice, and marks that belong together; one that is not has a reason. */
#include "gateway/keymanager_import.h"

#include <stdlib.h>

#include "test.h"

/* The entry point of the fuzzers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ady_shard shard;

static void check_item(const struct ady_km_import *im, size_t i)
{
	const struct ady_km_item *it = &im->items[i];

	if (it->outcome == ADY_KM_ERROR && !it->fault.detail[0])
		ADY_BUG("an error without a reason");
	if (!(it->marks.marks & 1) && it->marks.slot)
		ADY_BUG("a slot without its mark");
	if (!(it->marks.marks & 2) && (it->marks.source || it->marks.target))
		ADY_BUG("epochs without their mark");
	for (size_t k = 0; k < i; k++)
		if (it->outcome == ADY_KM_OPEN && im->items[k].outcome == ADY_KM_OPEN &&
		    memcmp(it->public_key, im->items[k].public_key, ADY_STATE_KEY) == 0)
			ADY_BUG("one key is imported twice");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ady_http_request req = {.body = ady_bytes(data, size)};
	struct ady_op op = {.shard = &shard, .req = &req};
	struct ady_km_import im = {.shard = &shard, .op = &op};
	struct ady_fault f = {0};

	if (ady_km_import_read(&im, &op, &f) != ADY_OK) {
		if (f.err == ADY_OK || !f.detail[0])
			ADY_BUG("a refusal without a reason");
	} else {
		for (size_t i = 0; i < im.n; i++)
			check_item(&im, i);
	}
	ady_km_import_clear(&im);
	return 0;
}
