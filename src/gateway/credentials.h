/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway's AWS credentials, kept fresh by a thread of their own. Two sets: what the source
 * gives (for the store), and what the enclave gets: the same, or those of a narrower role. Old ones
 * stay in use until new ones have come. Thread rule: any thread, but as said below. */
#ifndef ADY_GATEWAY_CREDENTIALS_H
#define ADY_GATEWAY_CREDENTIALS_H

#include <stdatomic.h>

#include "aws/client.h"
#include "gateway/config.h"
#include "net/loop.h"

struct ady_credentials;

enum ady_credentials_use { ADY_FOR_STORE, ADY_FOR_ENCLAVE };

/* Someone to be told, on a loop, after each attempt to refresh. Storage of the caller. */
struct ady_credentials_watch {
	struct ady_task task;
	struct ady_loop *loop;
	void (*fn)(struct ady_credentials_watch *w);
	atomic_bool posted;
	struct ady_credentials_watch *next;
};

/* Start the thread; config must outlive it. Returns ADY_E_MEMORY. */
enum ady_err ady_credentials_open(struct ady_credentials **c, const struct ady_config_aws *config,
                                  struct ady_fault *f);

/* Copy the current set to *out (wipe it) and return its version; 0: there is none yet. */
uint64_t ady_credentials_get(struct ady_credentials *c, enum ady_credentials_use use,
                             struct ady_aws_credentials *out);

/* The current version; 0: there are none yet. */
uint64_t ady_credentials_version(struct ady_credentials *c);

/* The current ones were refused: ask for a refresh as soon as possible (at most one attempt a
 * second). If it succeeds there is a new version, even of the same credentials. Returns the value
 * that ady_credentials_attempts will have reached when that attempt has ended. */
uint64_t ady_credentials_refresh(struct ady_credentials *c);

/* How many attempts have ended. */
uint64_t ady_credentials_attempts(struct ady_credentials *c);

/* Ask for a refresh and wait until there is a version above used, or the attempt has failed, or
 * timeout_ms have passed. Returns whether there is. Blocks: not for loops. */
bool ady_credentials_await(struct ady_credentials *c, uint64_t used, int timeout_ms);

/* Be told after each attempt. Before the loop of w runs, or on it. */
void ady_credentials_watch(struct ady_credentials *c, struct ady_credentials_watch *w);

/* Seconds until the enclave's set expires: 0 when expired or none, -1 when it never does. */
int64_t ady_credentials_life_s(struct ady_credentials *c);

/* Let calls under way and waits end soon; nothing is refreshed any more. */
void ady_credentials_stop(struct ady_credentials *c);

/* End the thread, wipe, free. Watches and their loops must still be there. NULL is allowed. */
void ady_credentials_close(struct ady_credentials *c);

/* How long to wait before the next refresh, in ms, of credentials that live for life_ms more (0:
 * they never expire): until 15 minutes remain, or half of the life when that is sooner, less up to
 * a tenth of the wait by jitter (0..65535). */
int64_t ady_credentials_wait_ms(int64_t life_ms, uint16_t jitter);

#endif
