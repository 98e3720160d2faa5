/* SPDX-License-Identifier: Apache-2.0
 *
 * Who asks. A caller is known by a bearer token, of which the configuration has the SHA-256, or by
 * the certificate of its TLS connection, or must show both. It belongs to a tenant, whose keys it
 * may use; the keys of others do not exist for it. Where no callers are configured, whoever reaches
 * a listener may use every key. Thread rule: any thread; the configuration does not change. */
#ifndef ADY_GATEWAY_CALLER_H
#define ADY_GATEWAY_CALLER_H

#include "gateway/store.h"
#include "net/http_server.h"

struct ady_caller {
	const char *tenant;  /* lives as long as the configuration; NULL: of no tenant */
	size_t tenant_index; /* with a tenant: its place among the configured callers */
	bool everyone;       /* no callers are configured: every tenant's keys, all rights */
	bool admin;          /* may list, create, change and delete the keys of every tenant */
	bool manage;         /* may create, change and delete keys of its own tenant */
};

struct ady_shard;

/* Find out who sent a request, by "Authorization: Bearer TOKEN" and the client's certificate.
 * Returns: ADY_E_UNAUTHORIZED when callers are configured and it is none of them (status 401; the
 * answer needs ADY_CALLER_CHALLENGE, which ady_op_fail and ady_problem_now add).
 * Time: does not depend on how much of a token's hash is right. */
enum ady_err ady_caller_find(const struct ady_gateway_config *config,
                             const struct ady_http_request *req, struct ady_caller *caller,
                             struct ady_fault *f);

/* The token of "Authorization: Bearer TOKEN" (RFC 6750 2.1). False: another scheme, or none. */
bool ady_caller_bearer(const struct ady_http_request *req, struct ady_bytes *token);

/* The same with the configuration of a shard's gateway. */
enum ady_err ady_caller_of(const struct ady_shard *shard, const struct ady_http_request *req,
                           struct ady_caller *caller, struct ady_fault *f);

/* The header line that goes with status 401 (RFC 9110 11.6.1, RFC 6750 3). */
#define ADY_CALLER_CHALLENGE "WWW-Authenticate: Bearer realm=\"adyton\"\r\n"

/* Whether the caller may sign with the keys of a tenant. Those it may not use do not exist for it.
 */
bool ady_caller_may_use(const struct ady_caller *caller, const char *tenant);

/* Whether the keys of a tenant exist for the caller in lists and when they are managed. */
bool ady_caller_may_see(const struct ady_caller *caller, const char *tenant);

/* Whether the caller may sign with a record now. Returns ADY_E_NOT_FOUND for another tenant's, in
 * the words for a key that is not there; ADY_E_DENIED for one that is disabled or to be deleted. */
enum ady_err ady_caller_permits(const struct ady_caller *caller, const struct ady_stored *record,
                                struct ady_fault *f);

/* Where callers are told apart, what a store says when it gives no record (that a secret may not be
 * read, or is being deleted) would tell of another tenant's keys: it becomes what
 * ady_caller_permits says. */
void ady_caller_hide(const struct ady_caller *caller, struct ady_fault *f);

/* The tenant to restrict a search of keys that the caller may use to; NULL: any. What is found may
 * still have to be asked about with ady_caller_may_use. */
const char *ady_caller_scope(const struct ady_caller *caller);

#endif
