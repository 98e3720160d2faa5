/* SPDX-License-Identifier: Apache-2.0
 *
 * The accounts that a caller may use. */
#ifndef ADY_GATEWAY_RPC_ACCOUNTS_H
#define ADY_GATEWAY_RPC_ACCOUNTS_H

#include "gateway/rpc.h"

/* Of more than these, the first in the order of their keys' ids are listed. All can be used. */
enum { ADY_RPC_ACCOUNTS_MAX = 10000 };

/* Answer with an array of addresses in ascending order, in lower case: eth_accounts,
 * eth_requestAccounts, account_list. */
void ady_rpc_accounts(struct ady_rpc_call *call);

#endif
