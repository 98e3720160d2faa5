/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/credentials.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"

struct ady_credentials {
	pthread_mutex_t lock;
	bool any;
	struct ady_aws_credentials now;
};

enum ady_err ady_credentials_open(struct ady_credentials **c)
{
	*c = calloc(1, sizeof **c);
	if (!*c)
		return ADY_E_MEMORY;
	pthread_mutex_init(&(*c)->lock, NULL);
	return ADY_OK;
}

void ady_credentials_close(struct ady_credentials *c)
{
	if (!c)
		return;
	ady_aws_credentials_wipe(&c->now);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* The reader of the message has checked that these are visible ASCII of bounded length: they go
 * into header lines. */
static bool take_all(struct ady_aws_credentials *out, const struct ady_wire_credentials *m)
{
	out->expires_unix_s = (int64_t)m->expires_unix_s;
	return ady_bytes_to_str(out->access_key, sizeof out->access_key, m->access_key) &&
	       ady_bytes_to_str(out->secret_key, sizeof out->secret_key, m->secret_key) &&
	       ady_bytes_to_str(out->token, sizeof out->token, m->token);
}

enum ady_err ady_credentials_set(struct ady_credentials *c, const struct ady_wire_credentials *m,
                                 bool *changed, struct ady_fault *f)
{
	struct ady_aws_credentials next = {0};
	enum ady_err err = ADY_OK;

	*changed = false;
	if (take_all(&next, m)) {
		pthread_mutex_lock(&c->lock);
		*changed = !c->any || !ady_secret_eq_ct(&next, &c->now, sizeof next);
		c->now = next;
		c->any = true;
		pthread_mutex_unlock(&c->lock);
	} else {
		err = ady_fail(f, ADY_E_FIELD_RANGE, "credentials", "a text is too long");
	}
	ady_aws_credentials_wipe(&next);
	return err;
}

static bool valid_locked(const struct ady_credentials *c)
{
	return c->any &&
	       (c->now.expires_unix_s == 0 || c->now.expires_unix_s > ady_wall_ms() / 1000);
}

enum ady_err ady_credentials_get(struct ady_credentials *c, struct ady_aws_credentials *out,
                                 struct ady_fault *f)
{
	bool any, valid;

	memset(out, 0, sizeof *out);
	pthread_mutex_lock(&c->lock);
	any = c->any;
	valid = valid_locked(c);
	if (valid)
		*out = c->now;
	pthread_mutex_unlock(&c->lock);
	if (!valid)
		return ady_fail(f, ADY_E_CREDENTIALS, "",
		                any ? "the AWS credentials have expired"
		                    : "no AWS credentials have arrived yet");
	return ADY_OK;
}

bool ady_credentials_valid(struct ady_credentials *c)
{
	bool valid;

	pthread_mutex_lock(&c->lock);
	valid = valid_locked(c);
	pthread_mutex_unlock(&c->lock);
	return valid;
}
