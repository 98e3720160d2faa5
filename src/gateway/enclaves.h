/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of one loop to the enclaves: a link to each that is configured. A question goes to the
 * one that has least to do, of those that are up and whose KMS works; when a link ends, what was in
 * flight on it fails, and whoever may ask twice asks again. Enclaves keep nothing that another
 * needs, but for the key that imports are sealed to. Thread rule: all on the loop's thread but
 * ady_enclaves_report. */
#ifndef ADY_GATEWAY_ENCLAVES_H
#define ADY_GATEWAY_ENCLAVES_H

#include "gateway/audit_fetch.h"
#include "gateway/config.h"
#include "gateway/link.h"

struct ady_enclaves_config {
	struct ady_loop *loop;
	const struct ady_endpoint *at;
	size_t n; /* 1 .. ADY_GATEWAY_ENCLAVES_MAX */
	struct ady_pool *dialers;
	struct ady_gate *gates; /* n, shared by all loops */
	struct ady_credentials *credentials;
	/* As of links; after every link was given the new ones. */
	void (*refreshed)(void *ctx);
	void (*question)(void *ctx, const struct ady_wire_head *head, struct ady_bytes body);
	void *ctx;
	struct ady_audit *audit; /* as of links */
	struct ady_bytes *proof;
	bool fetches; /* this loop looks after what the audit log lacks */
};

struct ady_enclaves;

/* Make the links and begin to connect. Returns ADY_E_MEMORY. */
enum ady_err ady_enclaves_open(struct ady_enclaves **e, const struct ady_enclaves_config *config);

/* Ask one of them. As ady_link_ask; ADY_E_ENCLAVE when no link is up. */
enum ady_err ady_enclaves_ask(struct ady_enclaves *e, struct ady_call *call, uint8_t type,
                              struct ady_bytes body, uint32_t deadline_ms);

/* Ask one of them that is not in *tried (a bit each), and put it there. ADY_E_ENCLAVE when no such
 * link is up. */
enum ady_err ady_enclaves_ask_other(struct ady_enclaves *e, struct ady_call *call, uint8_t type,
                                    struct ady_bytes body, uint32_t deadline_ms, unsigned *tried);

/* Ask that one, below ady_enclaves_n. */
enum ady_err ady_enclaves_ask_at(struct ady_enclaves *e, size_t i, struct ady_call *call,
                                 uint8_t type, struct ady_bytes body, uint32_t deadline_ms);

/* How many are configured. */
size_t ady_enclaves_n(const struct ady_enclaves *e);

/* Whether one is up: it is worth asking again what failed with ADY_E_ENCLAVE. */
bool ady_enclaves_up(const struct ady_enclaves *e);

/* Whether one that is up has less in flight than it works on and holds waiting. */
bool ady_enclaves_have_room(const struct ady_enclaves *e);

/* Forget a call that is in flight (harmless otherwise), as ady_link_forget. */
void ady_enclaves_forget(struct ady_enclaves *e, struct ady_call *call);

/* The version of the credentials that all links that are up have; 0: one has none. */
uint64_t ady_enclaves_credentials(const struct ady_enclaves *e);

/* While a question is told: what it came by, for the reply. */
uint64_t ady_enclaves_connection(const struct ady_enclaves *e);

/* Answer a question that came by that; nothing when it has ended. */
void ady_enclaves_reply(struct ady_enclaves *e, uint64_t connection, uint64_t id, uint8_t type,
                        struct ady_bytes body);

/* What is known of one of them now. Any thread. */
void ady_enclaves_report(struct ady_enclaves *e, size_t i, struct ady_link_report *report);

/* End the links and do not come back; stopped(ctx) is called on the loop when nothing of them is
 * under way any more. */
void ady_enclaves_stop(struct ady_enclaves *e, void (*stopped)(void *ctx));

/* Free. Only when stopped, or when the loop will not run again and no dialer works. NULL is
 * allowed. */
void ady_enclaves_close(struct ady_enclaves *e);

#endif
