/* SPDX-License-Identifier: Apache-2.0
 *
 * The accounts that a caller may use, as JSON-RPC has them. */
#ifndef ADY_GATEWAY_RPC_ACCOUNTS_H
#define ADY_GATEWAY_RPC_ACCOUNTS_H

#include "gateway/rpc.h"

/* Answer with an array of addresses in ascending order, in lower case: eth_accounts,
 * eth_requestAccounts, account_list. */
void ady_rpc_accounts(struct ady_rpc_call *call);

/* Make an account for the caller's tenant and answer with its address: account_new. Its key's id is
 * store.prefix, "account-" and 32 random hex digits. In rpc_new.c. */
void ady_rpc_account_new(struct ady_rpc_call *call);

#endif
