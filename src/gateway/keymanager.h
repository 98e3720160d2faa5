/* SPDX-License-Identifier: Apache-2.0
 *
 * The Keymanager API (ethereum/keymanager-APIs v1.1.0) over the keys of this store:
 * doc/validators.md says what each route does and what a signer cannot do. Who asks shows a token
 * of its own, from a file, and is of that token's tenant. Thread rule: the shard's thread, but for
 * _open and _close. */
#ifndef ADY_GATEWAY_KEYMANAGER_H
#define ADY_GATEWAY_KEYMANAGER_H

#include "gateway/op.h"
#include "gateway/settings.h"

/* Keys in one request, and its bytes: keystores, and a history of them. */
enum { ADY_KEYMANAGER_MAX = 1000, ADY_KEYMANAGER_BODY_MAX = 32 * 1024 * 1024 };

struct ady_keymanager {
	struct ady_keymanager_token {
		uint8_t sha256[32];
		const char *tenant; /* of the configuration */
	} * tokens;
	size_t n;
};

/* Read the token files that config names, and make those that are not there (mode 0600).
 * Returns ADY_E_CONFIG with the reason in f: a file that cannot be read or written, or without a
 * token of at least 64 hex digits. In keymanager_token.c, as the next two. */
enum ady_err ady_keymanager_open(struct ady_keymanager **km,
                                 const struct ady_gateway_config *config, struct ady_fault *f);

/* Free. NULL is allowed. */
void ady_keymanager_close(struct ady_keymanager *km);

/* Find the caller of a request.
 * Returns: ADY_E_UNAUTHORIZED without a bearer token, ADY_E_DENIED with another one.
 * Time: does not depend on how much of a token's hash is right. */
enum ady_err ady_keymanager_caller(const struct ady_keymanager *km,
                                   const struct ady_http_request *req, struct ady_caller *caller,
                                   struct ady_fault *f);

/* An op for a request; NULL: it was refused (where no Keymanager API is configured as a page that
 * is not there). is_long: its time is not the usual one, but ten minutes. */
struct ady_op *ady_keymanager_begin(struct ady_shard *shard, struct ady_http_request *req,
                                    bool is_long);

/* Answer {"code", "message"} by the error's status, and end the op. */
void ady_keymanager_fail(struct ady_op *op, const struct ady_fault *f);

/* "0x" and 96 hex digits, in either case. */
bool ady_keymanager_public_key(uint8_t public_key[static ADY_STATE_KEY], struct ady_bytes text);

/* Append a public key as JSON. */
void ady_keymanager_put_key(struct ady_dyn *out, const uint8_t public_key[static ADY_STATE_KEY]);

/* Append {"status": .., "message": ..}, the second when f is not NULL. */
void ady_keymanager_put_status(struct ady_dyn *out, const char *status, const struct ady_fault *f);

/* Read {"name": [..]} of 0 to ADY_KEYMANAGER_MAX public keys, as objects with a member "pubkey" or
 * as texts. Returns the ADY_E_FIELD_* or ADY_E_TOO_LARGE in f; *keys is then NULL, else heap. */
enum ady_err ady_keymanager_read_keys(struct ady_op *op, const char *name, uint8_t **keys,
                                      size_t *n, struct ady_fault *f);

/* GET /eth/v1/keystores. */
void ady_keymanager_list(struct ady_shard *shard, struct ady_http_request *req);

/* POST. In keymanager_import.c. */
void ady_keymanager_import(struct ady_shard *shard, struct ady_http_request *req);

/* DELETE. In keymanager_delete.c. */
void ady_keymanager_delete(struct ady_shard *shard, struct ady_http_request *req);

/* GET, POST and DELETE /eth/v1/remotekeys: there are none, and can be none. */
void ady_keymanager_remote(struct ady_shard *shard, struct ady_http_request *req);

/* GET, POST and DELETE /eth/v1/validator/{pubkey}/feerecipient. In keymanager_settings.c, as the
 * next two. */
void ady_keymanager_fee_recipient(struct ady_shard *shard, struct ady_http_request *req,
                                  struct ady_bytes id);

/* .../gas_limit. */
void ady_keymanager_gas_limit(struct ady_shard *shard, struct ady_http_request *req,
                              struct ady_bytes id);

/* .../graffiti. */
void ady_keymanager_graffiti(struct ady_shard *shard, struct ady_http_request *req,
                             struct ady_bytes id);

/* POST /eth/v1/validator/{pubkey}/voluntary_exit. In keymanager_exit.c. */
void ady_keymanager_exit(struct ady_shard *shard, struct ady_http_request *req,
                         struct ady_bytes id);

#endif
