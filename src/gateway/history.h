/* SPDX-License-Identifier: Apache-2.0
 *
 * A history of validators (policy/interchange.h) that came in a request. Its values may take five
 * times what its text does, 320 MiB of the longest: one is read at a time in the whole gateway, and
 * who comes meanwhile waits for as long as that takes, a second of the longest. Thread rule:
 * any thread; it is closed on the thread that opened it, before that serves anything else. */
#ifndef ADY_GATEWAY_HISTORY_H
#define ADY_GATEWAY_HISTORY_H

#include "policy/interchange.h"

struct ady_history {
	struct ady_json doc; /* over text */
	struct ady_json_tok *toks;
	struct ady_interchange ix;
};

/* Read text, which must outlive it, and check all of it. To be closed in any case.
 * Returns: ADY_E_MEMORY; what ady_json_parse and ady_interchange_open return, ADY_E_TOO_LARGE also
 *          for more values than any history of that length has. Blocks while another is open. */
enum ady_err ady_history_open(struct ady_history *h, struct ady_bytes text, struct ady_fault *f);

/* Let the next be read. */
void ady_history_close(struct ady_history *h);

#endif
