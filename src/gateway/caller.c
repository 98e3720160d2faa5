/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/caller.h"

#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "crypto/hash.h"
#include "gateway/shard.h"

/* What a request shows. */
struct shown {
	bool token, certificate;
	uint8_t token_sha256[32], certificate_sha256[32];
	char subject[512];
};

/* "Bearer" in any case, spaces, the token. */
bool ady_caller_bearer(const struct ady_http_request *req, struct ady_bytes *token)
{
	struct ady_bytes v = ady_http_field(&req->head, "authorization");

	if (v.n < 8 || strncasecmp((const char *)v.p, "bearer ", 7) != 0)
		return false;
	v = ady_bytes_sub(v, 7, v.n - 7);
	while (v.n > 0 && v.p[0] == ' ')
		v = ady_bytes(v.p + 1, v.n - 1);
	*token = v;
	return v.n > 0;
}

static bool fits(const struct ady_config_caller *who, const struct shown *s)
{
	bool ok = true;

	if (who->has_token)
		ok &= (s->token & ady_secret_eq_ct(who->token_sha256, s->token_sha256, 32)) != 0;
	if (who->has_certificate)
		ok &= (s->certificate &
		       ady_secret_eq_ct(who->certificate_sha256, s->certificate_sha256, 32)) != 0;
	if (who->subject)
		ok &= s->certificate && strcmp(who->subject, s->subject) == 0;
	return ok;
}

/* A caller that must show more is meant before one that must show less. */
static unsigned weight(const struct ady_config_caller *who)
{
	return who->has_token * 1u + who->has_certificate * 2u + (who->subject != NULL) * 1u;
}

enum ady_err ady_caller_find(const struct ady_gateway_config *config,
                             const struct ady_http_request *req, struct ady_caller *caller,
                             struct ady_fault *f)
{
	const struct ady_config_caller *found = NULL;
	struct shown s = {0};
	struct ady_bytes token;

	*caller = (struct ady_caller){0};
	if (config->callers_n == 0) {
		*caller = (struct ady_caller){.everyone = true, .admin = true, .manage = true};
		return ADY_OK;
	}
	s.token = ady_caller_bearer(req, &token);
	if (s.token)
		ady_sha256(s.token_sha256, &token, 1);
	s.certificate = config->tls.client_ca && ady_http_certificate(req, s.certificate_sha256,
	                                                              s.subject, sizeof s.subject);
	for (size_t i = 0; i < config->callers_n; i++) {
		const struct ady_config_caller *who = &config->callers[i];

		if (fits(who, &s) && (!found || weight(who) > weight(found)))
			found = who;
	}
	if (!found)
		return ady_fail(f, ADY_E_UNAUTHORIZED, "authorization",
		                s.token ? "the token is not known" : "a token is required");
	*caller = (struct ady_caller){.tenant_index = found->tenant_index,
	                              .tenant = found->tenant,
	                              .admin = found->admin,
	                              .manage = found->manage};
	return ADY_OK;
}

enum ady_err ady_caller_of(const struct ady_shard *shard, const struct ady_http_request *req,
                           struct ady_caller *caller, struct ady_fault *f)
{
	return ady_caller_find(shard->gateway->config, req, caller, f);
}

bool ady_caller_may_use(const struct ady_caller *c, const char *tenant)
{
	return c->everyone || (c->tenant && strcmp(c->tenant, tenant) == 0);
}

bool ady_caller_may_see(const struct ady_caller *c, const char *tenant)
{
	return c->admin || ady_caller_may_use(c, tenant);
}

static enum ady_err not_there(struct ady_fault *f)
{
	return ady_fail(f, ADY_E_NOT_FOUND, NULL, "the store has no such key");
}

void ady_caller_hide(const struct ady_caller *c, struct ady_fault *f)
{
	if (!c->everyone && (f->err == ADY_E_NOT_FOUND || f->err == ADY_E_DENIED ||
	                     f->err == ADY_E_RECORD || f->err == ADY_E_RECORD_MISMATCH))
		(void)not_there(f);
}

enum ady_err ady_caller_permits(const struct ady_caller *c, const struct ady_stored *record,
                                struct ady_fault *f)
{
	if (!ady_caller_may_use(c, record->tenant))
		return not_there(f);
	if (record->deletion_s)
		return ady_fail(f, ADY_E_DENIED, NULL, "the key waits for its deletion");
	if (record->disabled)
		return ady_fail(f, ADY_E_DENIED, NULL, "the key is disabled");
	return ADY_OK;
}

const char *ady_caller_scope(const struct ady_caller *c)
{
	if (c->everyone)
		return NULL;
	return c->tenant ? c->tenant : "";
}
