/* SPDX-License-Identifier: Apache-2.0
 *
 * A private key passes through the storage of jansson and libcurl on its way to KMS. Here both are
 * given an allocator that overwrites what is freed. (glibc's M_PERTURB would seem to do it, but
 * leaves out its per-thread cache.) */
#ifndef ADY_CLI_WIPING_HEAP_H
#define ADY_CLI_WIPING_HEAP_H

#include <stdbool.h>

/* Initialise libcurl and jansson with it. Before any other use of either, once. */
bool ady_wiping_heap_init(void);

#endif
