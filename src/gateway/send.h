/* SPDX-License-Identifier: Apache-2.0
 *
 * eth_sendTransaction: what the transaction leaves open is asked of the node (send_fill.c); then,
 * by turns where several send from one account, a nonce is chosen, the enclave signs, the node gets
 * the transaction (send.c). Nothing is lost and nothing is sent twice: a transaction whose fate is
 * not known is looked for by its hash, and sent again with the same bytes. Internal to send*.c. */
#ifndef ADY_GATEWAY_SEND_H
#define ADY_GATEWAY_SEND_H

#include "gateway/account.h"
#include "gateway/node.h"
#include "gateway/send_tx.h"
#include "gateway/signing.h"

struct ady_send;

/* What to do with a node's answer; error is an error object, and one of the two is empty. */
typedef void ady_send_answered(struct ady_send *s, struct ady_bytes result, struct ady_bytes error);

struct ady_send {
	struct ady_rpc_call *call;
	uint64_t chain;
	struct ady_send_tx tx;
	uint8_t from[20];
	/* What is waited for: one of these, or a timer. */
	struct ady_node_call *asking;
	struct ady_signing *signing;
	struct ady_timer pause;
	void (*after_pause)(struct ady_send *s);
	ady_send_answered *answered; /* to asking */
	void (*unanswered)(struct ady_send *s, bool sent, const struct ady_fault *f);
	const char *method; /* of the question that is asked again when nobody answers */
	struct ady_dyn params;
	struct ady_turn *turn; /* NULL: not taken; waited for, or had */
	/* Of filling. */
	bool fees_known, tip_known;
	uint64_t base_fee, blob_base_fee; /* of the next block; 0: the chain has none */
	/* Of sending. */
	struct ady_dyn text, body; /* the filled object; the enclave's request */
	struct ady_json doc;       /* of text */
	struct ady_json_tok *toks;
	struct ady_dyn raw; /* parameters of eth_sendRawTransaction */
	uint8_t hash[32];
	bool maybe_sent; /* these bytes may have arrived */
	unsigned conflicts, pauses;
};

/* Ask the node, about something that may be asked twice. */
void ady_send_ask(struct ady_send *s, const char *method, struct ady_bytes params,
                  ady_send_answered *answered);

/* Fill in what the transaction leaves open, but for the nonce; then ady_send_filled, or the call is
 * answered with an error. */
void ady_send_fill(struct ady_send *s);

/* Go on: all is there but for the nonce. */
void ady_send_filled(struct ady_send *s);

/* Answer the call with the node's error object, and end. */
void ady_send_refused(struct ady_send *s, struct ady_bytes error);

/* Answer the call with a fault, and end. */
void ady_send_fail(struct ady_send *s, const struct ady_fault *f);

#endif
