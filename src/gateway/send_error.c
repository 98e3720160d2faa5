/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/send_error.h"

#include <string.h>
#include <strings.h>

#include "codec/json_members.h"

static const struct {
	const char *words;
	enum ady_send_error means;
} rows[] = {
    {"already known", ADY_SEND_KNOWN},              /* geth, Erigon, Reth */
    {"known transaction", ADY_SEND_KNOWN},          /* Besu, geth before 1.10 */
    {"alreadyknown", ADY_SEND_KNOWN},               /* Nethermind */
    {"already imported", ADY_SEND_KNOWN},           /* anvil, OpenEthereum */
    {"existing tx with same hash", ADY_SEND_KNOWN}, /* Erigon */
    {"nonce too low", ADY_SEND_NONCE_LOW},          /* geth, Besu, Erigon, Reth, anvil */
    {"nonce is too low", ADY_SEND_NONCE_LOW},       /* OpenEthereum */
    {"oldnonce", ADY_SEND_NONCE_LOW},               /* Nethermind */
    {"replacement transaction underpriced", ADY_SEND_NONCE_HELD}, /* geth, Besu, Reth, anvil */
    {"replacementnotallowed", ADY_SEND_NONCE_HELD},               /* Nethermind */
    {"could not replace existing tx", ADY_SEND_NONCE_HELD},       /* Erigon */
    {"same nonce", ADY_SEND_NONCE_HELD},                          /* OpenEthereum */
};

static bool has(struct ady_bytes text, const char *words)
{
	size_t n = strlen(words);

	for (size_t i = 0; i + n <= text.n; i++)
		if (strncasecmp((const char *)text.p + i, words, n) == 0)
			return true;
	return false;
}

enum ady_send_error ady_send_error_read(struct ady_bytes error)
{
	struct ady_bytes message;

	if (ady_json_members_get(error, "message", &message) != ADY_OK)
		return ADY_SEND_OTHER;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (has(message, rows[i].words))
			return rows[i].means;
	return ADY_SEND_OTHER;
}
