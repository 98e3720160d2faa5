/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection to the enclave, of one loop. It connects, greets (HELLO), hands over credentials,
 * asks for the status every second, and carries calls: frames whose answers come in any order. When
 * it ends or does not answer, every call in flight fails at once, and it connects again. Thread
 * rule: all on the loop's thread but ady_link_report. */
#ifndef ADY_GATEWAY_LINK_H
#define ADY_GATEWAY_LINK_H

#include "base/pool.h"
#include "codec/wire.h"
#include "gateway/audit.h"
#include "gateway/credentials.h"
#include "net/loop.h"
#include "net/transport.h"

/* The bound on requests in flight, shared by all links: twice what the enclave works on and holds
 * waiting. More would only wait longer. */
struct ady_gate {
	_Atomic uint32_t limit, in_flight;
};

/* A question and who waits for its answer, inside a structure of the caller. */
struct ady_call {
	/* The answer's body, valid during the call, when f is NULL; else why there is none: what
	 * the enclave said, or ADY_E_ENCLAVE when the link has ended. */
	void (*done)(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f);
	uint64_t id;           /* 0: not in flight */
	struct ady_link *link; /* in flight: where */
};

struct ady_link_config {
	struct ady_loop *loop;
	struct ady_endpoint endpoint;
	struct ady_pool *dialers; /* connecting blocks */
	struct ady_gate *gate;
	struct ady_credentials *credentials; /* NULL: none are handed over (tests) */
	/* The enclave asks something; NULL: it may not. Answered by ady_link_reply, now or later.
	 */
	void (*question)(void *ctx, const struct ady_wire_head *head, struct ady_bytes body);
	void *ctx;
	struct ady_audit *audit; /* where entries go before done is called; NULL: nowhere */
	struct ady_bytes *proof; /* that of the answer while done is called, else empty; NULL is
	                            allowed */
};

/* What is known about the enclave through one link. */
struct ady_link_report {
	bool up;
	char why[160]; /* when not up */
	uint64_t connects;
	bool has_status;
	struct ady_wire_status status; /* kms_text points into kms_text below */
	char kms_text[256];
	char version[64];
};

struct ady_link;

/* Make a link and begin to connect. Returns ADY_E_MEMORY. */
enum ady_err ady_link_open(struct ady_link **link, const struct ady_link_config *config);

/* Ask: call->done is called once, never from inside this call, unless an error is returned.
 * deadline_ms: how long the caller still waits, told to the enclave; its own timer is its affair.
 * Returns: ADY_E_ENCLAVE when the link is not up, ADY_E_BUSY past the gate's limit, ADY_E_AUDIT for
 * what would be a decision while the audit log cannot be written. */
enum ady_err ady_link_ask(struct ady_link *link, struct ady_call *call, uint8_t type,
                          struct ady_bytes body, uint32_t deadline_ms);

/* Forget a call that is in flight (harmless otherwise): done is not called, a late answer is
 * dropped. */
void ady_link_forget(struct ady_link *link, struct ady_call *call);

/* Whether questions can be asked. */
bool ady_link_is_up(const struct ady_link *link);

/* Whether the enclave has said, last, that KMS does not work for it. */
bool ady_link_is_ailing(const struct ady_link *link);

/* There may be new credentials: hand them over. */
void ady_link_refresh(struct ady_link *link);

/* The version of the credentials that were sent last on this connection; 0: none. */
uint64_t ady_link_credentials(const struct ady_link *link);

/* Which connection this is; another number after each reconnection. */
uint64_t ady_link_connection(const struct ady_link *link);

/* Answer a question of the enclave that came on that connection; nothing when it has ended. */
void ady_link_reply(struct ady_link *link, uint64_t connection, uint64_t id, uint8_t type,
                    struct ady_bytes body);

/* What is known now. Any thread. */
void ady_link_report(struct ady_link *link, struct ady_link_report *report);

/* End the connection and do not come back; stopped(ctx) is called on the loop when nothing of the
 * link is under way any more, and it may then be closed. */
void ady_link_stop(struct ady_link *link, void (*stopped)(void *ctx));

/* Free. Only when stopped, or when the loop will not run again and no dialer works. NULL is
 * allowed. */
void ady_link_close(struct ady_link *link);

#endif
