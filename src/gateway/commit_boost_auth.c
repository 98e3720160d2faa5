/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "gateway/answer.h"
#include "gateway/commit_boost.h"
#include "gateway/jwt.h"

enum { SECRET_MIN = 16 };

/* --- secrets --- */

static enum ady_err load(struct ady_cb_module *m, struct ady_fault *f)
{
	const char *path = m->config->secret_file;
	FILE *file = fopen(path, "re");

	if (!file)
		return ady_fail(f, ADY_E_CONFIG, "commit_boost", "%s: %s", path, strerror(errno));
	m->secret_n = fread(m->secret, 1, sizeof m->secret, file);
	fclose(file);
	while (m->secret_n > 0 && isspace(m->secret[m->secret_n - 1]))
		m->secret_n--;
	if (m->secret_n < SECRET_MIN)
		return ady_fail(f, ADY_E_CONFIG, "commit_boost",
		                "%s: has no secret of at least %d bytes", path, SECRET_MIN);
	return ADY_OK;
}

enum ady_err ady_commit_boost_open(struct ady_commit_boost **out,
                                   const struct ady_gateway_config *config, struct ady_fault *f)
{
	struct ady_commit_boost *cb = calloc(1, sizeof *cb);
	enum ady_err err = ADY_OK;

	*out = NULL;
	if (cb)
		cb->modules = calloc(config->commit_boost.n, sizeof *cb->modules);
	if (!cb || !cb->modules)
		ADY_BUG("out of memory");
	cb->n = config->commit_boost.n;
	pthread_mutex_init(&cb->lock, NULL);
	for (size_t i = 0; i < cb->n && err == ADY_OK; i++) {
		cb->modules[i].config = &config->commit_boost.modules[i];
		err = load(&cb->modules[i], f);
	}
	if (err == ADY_OK)
		*out = cb;
	else
		ady_commit_boost_close(cb);
	return err;
}

void ady_commit_boost_close(struct ady_commit_boost *cb)
{
	if (!cb)
		return;
	ady_zero(cb->modules, cb->n * sizeof *cb->modules);
	free(cb->modules);
	pthread_mutex_destroy(&cb->lock);
	free(cb);
}

/* --- answers --- */

static int status_of(const struct ady_fault *f)
{
	int status = ady_err_status(f->err);

	switch (status) {
	case 400:
	case 401:
	case 403:
	case 404:
	case 429:
		return status;
	case 412:
		return 403;
	case 413:
	case 415:
		return 400;
	default:
		return 500;
	}
}

void ady_cb_fail(struct ady_op *op, const struct ady_fault *f)
{
	struct ady_dyn *out = &op->shard->out;

	out->n = 0;
	ady_answer_code(out, status_of(f), f);
	ady_dyn_str(out, "}\n");
	ady_op_answer_with(op, status_of(f), ADY_JSON_TYPE, ady_dyn_bytes(out));
}

void ady_cb_put_hex(struct ady_dyn *out, struct ady_bytes b)
{
	ady_dyn_str(out, "\"0x");
	ady_dyn_hex(out, b);
	ady_dyn_str(out, "\"");
}

/* --- who fails too often --- */

/* The address without its port. */
static void name_of(char out[static 64], const struct ady_http_request *req)
{
	char *colon;

	snprintf(out, 64, "%s", req->peer);
	colon = strrchr(out, ':');
	if (colon)
		*colon = '\0';
}

/* The peer's place, or of those that have failed longest ago. */
static struct ady_cb_peer *find(struct ady_commit_boost *cb, const char *name)
{
	struct ady_cb_peer *oldest = &cb->peers[0];

	for (size_t i = 0; i < ADY_CB_PEERS; i++) {
		if (strcmp(cb->peers[i].name, name) == 0)
			return &cb->peers[i];
		if (cb->peers[i].last_ms < oldest->last_ms)
			oldest = &cb->peers[i];
	}
	return oldest;
}

static bool is_limited(struct ady_commit_boost *cb, const struct ady_config_commit_boost *c,
                       const char *name)
{
	struct ady_cb_peer *p;
	bool limited;

	pthread_mutex_lock(&cb->lock);
	p = find(cb, name);
	limited = strcmp(p->name, name) == 0 && p->failures >= c->fail_limit &&
	          ady_mono_ms() - p->last_ms <= c->fail_timeout_ms;
	pthread_mutex_unlock(&cb->lock);
	return limited;
}

static void note_failure(struct ady_commit_boost *cb, const struct ady_config_commit_boost *c,
                         const char *name)
{
	int64_t now = ady_mono_ms();
	struct ady_cb_peer *p;

	pthread_mutex_lock(&cb->lock);
	p = find(cb, name);
	if (strcmp(p->name, name) != 0 || now - p->last_ms > c->fail_timeout_ms)
		p->failures = 0;
	snprintf(p->name, sizeof p->name, "%s", name);
	p->failures++;
	p->last_ms = now;
	pthread_mutex_unlock(&cb->lock);
}

/* --- modules --- */

static const char *identify(const struct ady_commit_boost *cb, const struct ady_http_request *req,
                            const struct ady_cb_module **module)
{
	struct ady_bytes text;
	struct ady_jwt jwt;
	const char *why;

	if (!ady_caller_bearer(req, &text))
		return "a bearer token is required";
	if ((why = ady_jwt_read(&jwt, text)))
		return why;
	for (size_t i = 0; i < cb->n; i++)
		if (strcmp(cb->modules[i].config->id, jwt.module) == 0) {
			*module = &cb->modules[i];
			return ady_jwt_check(
			    &jwt, ady_bytes((*module)->secret, (*module)->secret_n), req->head.path,
			    req->body, (uint64_t)(ady_wall_ms() / 1000));
		}
	return "its module is not known";
}

static enum ady_err check(struct ady_shard *shard, struct ady_http_request *req,
                          const struct ady_cb_module **module, struct ady_fault *f)
{
	struct ady_commit_boost *cb = shard->gateway->commit_boost;
	const struct ady_config_commit_boost *c = &shard->gateway->config->commit_boost;
	const char *why;
	char peer[64];

	name_of(peer, req);
	if (is_limited(cb, c, peer))
		return ady_fail(f, ADY_E_RATE, NULL, "too many tokens were wrong: wait");
	why = identify(cb, req, module);
	if (!why)
		return ADY_OK;
	note_failure(cb, c, peer);
	return ady_fail(f, ADY_E_UNAUTHORIZED, NULL, "the token is not good: %s", why);
}

struct ady_op *ady_cb_begin(struct ady_shard *shard, struct ady_http_request *req,
                            const struct ady_cb_module **module)
{
	struct ady_fault f = {0};
	struct ady_op *op;

	if (!shard->gateway->commit_boost) {
		(void)ady_fail(&f, ADY_E_NOT_FOUND, "path", "there is no such page");
		ady_problem_now(shard, req, ADY_ROUTE_COMMIT_BOOST, &f, NULL);
		return NULL;
	}
	op = ady_op_open(shard, req, ADY_ROUTE_COMMIT_BOOST);
	if (check(shard, req, module, &f) == ADY_OK) {
		op->caller =
		    (struct ady_caller){.tenant = (*module)->config->tenant, .manage = true};
		return op;
	}
	ady_cb_fail(op, &f);
	return NULL;
}

bool ady_cb_folder(char *out, size_t cap, const struct ady_shard *shard, const char *tenant,
                   const char *module)
{
	return (size_t)snprintf(out, cap, "%s%s/commit-boost/%s%s",
	                        shard->gateway->config->store.prefix, tenant, module ? module : "",
	                        module ? "/" : "") < cap;
}

bool ady_cb_may_use(const struct ady_config_module *m, const uint8_t public_key[static 48])
{
	for (size_t i = 0; i < m->keys_n; i++)
		if (memcmp(m->keys + 48 * i, public_key, 48) == 0)
			return true;
	return m->keys_n == 0;
}
