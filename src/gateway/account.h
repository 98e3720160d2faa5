/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose turn it is to send from an account: of all that send from one account of one chain, one at
 * a time chooses a nonce and hands its transaction to the node; the others wait in the order in
 * which they came, whatever thread they are on. What is kept of an account is a hint, that the node
 * may lag behind: the node decides. Thread rule: any thread; a turn is given on its own loop. */
#ifndef ADY_GATEWAY_ACCOUNT_H
#define ADY_GATEWAY_ACCOUNT_H

#include <stdint.h>

#include "base/err.h"
#include "net/loop.h"

struct ady_accounts;
struct ady_turn;

/* Returns ADY_E_MEMORY. */
enum ady_err ady_accounts_open(struct ady_accounts **accounts);

/* Free. No turn may be left. NULL is allowed. */
void ady_accounts_close(struct ady_accounts *accounts);

/* Wait for a turn: given(ctx) is called on loop, once, never from inside this call. Out of memory
 * ends the program. */
struct ady_turn *ady_turn_take(struct ady_accounts *accounts, uint64_t chain,
                               const uint8_t address20[static 20], struct ady_loop *loop,
                               void (*given)(void *ctx), void *ctx);

/* The nonce that the account's last transaction makes the next one, if it was accepted less than
 * 10 s ago; else 0. Only with the turn. */
uint64_t ady_turn_hint(const struct ady_turn *turn);

/* A transaction with this nonce was accepted. Only with the turn. */
void ady_turn_used(struct ady_turn *turn, uint64_t nonce);

/* Give the turn to the next, or wait no longer for it (given is then not called). turn is gone.
 * NULL is allowed. */
void ady_turn_end(struct ady_turn *turn);

#endif
