/* SPDX-License-Identifier: Apache-2.0
 *
 * One endpoint for three services. KMS and Secrets Manager speak AWS JSON 1.1 and name the
 * operation in X-Amz-Target; STS speaks the query protocol and names it in the form's Action. */
#include "devcloud/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "devcloud/auth.h"
#include "devcloud/kms.h"
#include "devcloud/recipient.h"
#include "devcloud/secrets.h"
#include "devcloud/sts.h"

static const char JSON_TYPE[] = "application/x-amz-json-1.1";
static const char XML_TYPE[] = "text/xml";
static const char NOTICE[] =
    "adyton-devcloud: a local stand-in for AWS KMS, Secrets Manager and STS.\n"
    "This is NOT AWS. Nothing here is secret from whoever runs it.\n";

struct route {
	enum ady_dev_service service;
	char target[128];      /* "TrentService.Decrypt", "sts.AssumeRole" */
	const char *operation; /* behind the dot */
};

static const char *const SCOPES[] = {
    [ADY_DEV_KMS] = "kms",
    [ADY_DEV_SECRETS] = "secretsmanager",
    [ADY_DEV_STS] = "sts",
};

static bool has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Which operation is meant. Of STS the form is read here already: its Action is in it. */
static enum ady_err find_route(struct ady_dev_call *c, struct route *r,
                               const struct ady_http_request *req)
{
	struct ady_bytes target = ady_http_field(&req->head, "x-amz-target");
	const char *action;

	r->operation = r->target;
	if (!target.p) {
		r->service = ADY_DEV_STS;
		c->in = ady_dev_sts_form(req->body);
		action = json_string_value(json_object_get(c->in, "Action"));
		snprintf(r->target, sizeof r->target, "sts.%s", action ? action : "");
		r->operation = r->target + 4;
		return ADY_OK;
	}
	if (!ady_bytes_to_str(r->target, sizeof r->target, target))
		r->target[0] = '\0';
	r->service = has_prefix(r->target, "secretsmanager.") ? ADY_DEV_SECRETS : ADY_DEV_KMS;
	if (!has_prefix(r->target, "TrentService.") && r->service == ADY_DEV_KMS)
		return ady_dev_refuse(c, 400, "UnknownOperationException", "%s", "");
	r->operation = strchr(r->target, '.') + 1;
	return ADY_OK;
}

static enum ady_err read_body(struct ady_dev_call *c, struct ady_bytes body)
{
	if (c->in)
		return ADY_OK;
	c->in = json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(c->in))
		return ady_dev_refuse(c, 400, "SerializationException",
		                      "The body is not a JSON object");
	return ADY_OK;
}

static enum ady_err run(struct ady_dev_call *c, const struct route *r)
{
	enum ady_err err = ADY_E_NOT_FOUND;

	switch (r->service) {
	case ADY_DEV_KMS:
		err = ady_dev_kms(r->operation, c);
		break;
	case ADY_DEV_SECRETS:
		err = ady_dev_secrets(r->operation, c);
		break;
	case ADY_DEV_STS:
		err = ady_dev_sts(r->operation, c);
		break;
	}
	if (err == ADY_E_NOT_FOUND)
		return ady_dev_refuse(c, 400, "UnknownOperationException",
		                      "%s is not an operation of this local stand-in", r->target);
	if (err != ADY_OK && !c->refusal.type[0])
		return ady_dev_refuse(c, 500,
		                      r->service == ADY_DEV_KMS ? "KMSInternalException"
		                                                : "InternalServiceError",
		                      "%s", ady_err_text(err));
	return err;
}

/* The envelope a liar could have made: whoever knows the public key can. */
static enum ady_err forge(struct ady_dev_call *c, const char *base64)
{
	const struct ady_dev_document *doc;
	struct ady_dev_facts facts = {.n = 0};
	struct ady_bytes pt, cms;
	enum ady_err err;
	uint8_t *p = (uint8_t *)ady_dev_scratch(c, strlen(base64));
	size_t n;

	if ((err = ady_dev_recipient(c, &doc, &facts)) != ADY_OK || !doc)
		return err;
	if (ady_base64_decode(p, strlen(base64), &n, ady_bytes_str(base64)) != ADY_OK)
		return ADY_E_CONFIG;
	pt = ady_bytes(p, n);
	if ((err = ady_dev_recipient_seal(c, &cms, doc, pt)) == ADY_OK)
		ady_dev_put_blob(c, c->out, "CiphertextForRecipient", cms);
	return err;
}

/* Another bit in the last ciphertext block, in front of the end-of-contents octets. */
static void spoil(struct ady_dev_call *c)
{
	const char *text = json_string_value(json_object_get(c->out, "CiphertextForRecipient"));
	uint8_t *p;
	size_t n;

	if (!text)
		return;
	p = (uint8_t *)ady_dev_scratch(c, strlen(text));
	if (ady_base64_decode(p, strlen(text), &n, ady_bytes_str(text)) != ADY_OK || n < 32)
		return;
	p[n - 12] ^= 1;
	ady_dev_put_blob(c, c->out, "CiphertextForRecipient", ady_bytes(p, n));
}

static enum ady_err distort(struct ady_dev_call *c, const struct ady_dev_effect *e)
{
	if (e->key_id)
		json_object_set_new(c->out, "KeyId", json_string(e->key_id));
	if (e->plaintext)
		json_object_set_new(c->out, "Plaintext", json_string(e->plaintext));
	if (e->bad_cms)
		spoil(c);
	return e->forge_cms ? forge(c, e->forge_cms) : ADY_OK;
}

static enum ady_err perform(struct ady_dev_call *c, const struct route *r,
                            const struct ady_http_request *req, const struct ady_dev_effect *e)
{
	enum ady_err err;

	if (e->error)
		return ady_dev_refuse(c, e->status, e->error, "%s", e->message);
	if ((err = ady_dev_authenticate(c, &req->head, req->body, SCOPES[r->service])) != ADY_OK ||
	    (err = read_body(c, req->body)) != ADY_OK || (err = run(c, r)) != ADY_OK)
		return err;
	return distort(c, e);
}

static void put_json(struct ady_dyn *d, const json_t *o)
{
	size_t n = json_dumpb(o, NULL, 0, JSON_COMPACT);

	(void)json_dumpb(o, (char *)ady_dyn_room(d, n), n, JSON_COMPACT);
	d->n += n;
}

/* KMS writes "message", Secrets Manager "Message"; a refusal may have none. */
static void put_refusal(struct ady_dyn *d, const struct ady_dev_refusal *r,
                        enum ady_dev_service service)
{
	json_t *o = json_pack("{s:s}", "__type", r->type);

	if (r->message[0])
		json_object_set_new(o, service == ADY_DEV_SECRETS ? "Message" : "message",
		                    json_string(r->message));
	put_json(d, o);
	json_decref(o);
}

static void compose(struct ady_dev_answer *a, const struct ady_dev_call *c, const struct route *r,
                    bool ok)
{
	char id[37];

	ady_dev_uuid(id);
	snprintf(a->fields, sizeof a->fields, "x-amzn-RequestId: %s\r\n", id);
	a->type = r->service == ADY_DEV_STS ? XML_TYPE : JSON_TYPE;
	a->status = ok ? 200 : c->refusal.status;
	if (r->service == ADY_DEV_STS && ok)
		ady_dev_sts_answer(&a->body, r->operation, c->out, id);
	else if (r->service == ADY_DEV_STS)
		a->status = ady_dev_sts_refusal(&a->body, &c->refusal, id);
	else if (!ok)
		put_refusal(&a->body, &c->refusal, r->service);
	else if (json_object_size(c->out))
		put_json(&a->body, c->out);
}

/* Operation and outcome; never what was asked or answered. */
static void note(const struct ady_dev_call *c, const struct route *r, bool ok)
{
	const char *who = c->who ? c->who->arn : "-";

	if (ok)
		ADY_DEBUG("call", "target=%s caller=%s", r->target, who);
	else
		ADY_INFO("refused", "target=%s caller=%s error=%s", r->target, who,
		         c->refusal.type);
}

static void answer_call(struct ady_dev_serve *s, struct ady_http_request *req)
{
	struct ady_dev_call c = {.cloud = s->cloud, .now_s = ady_wall_ms() / 1000};
	struct ady_dev_answer a = {0};
	struct ady_dev_effect e = {0};
	struct route r = {0};
	enum ady_err err;
	bool ok;

	if ((err = find_route(&c, &r, req)) == ADY_OK) {
		(void)ady_dev_faults_take(s->faults, r.target, &e);
		err = perform(&c, &r, req, &e);
	}
	ok = err == ADY_OK;
	if (!ok && !c.refusal.type[0])
		(void)ady_dev_refuse(&c, 500, "InternalFailure", "%s", ady_err_text(err));
	compose(&a, &c, &r, ok);
	note(&c, &r, ok);
	a.delay_ms = e.delay_ms;
	a.cut = e.close_mid_body ? (a.body.n + 1) / 2 : 0;
	ady_dev_call_end(&c);
	ady_dev_send(s->loop, req, &a);
}

void ady_dev_serve(void *ctx, struct ady_http_request *req)
{
	struct ady_dev_serve *s = (struct ady_dev_serve *)ctx;

	if (ady_bytes_is(req->head.path, "/") && ady_bytes_is(req->head.method, "POST"))
		answer_call(s, req);
	else if (ady_bytes_is(req->head.path, "/") && ady_bytes_is(req->head.method, "GET"))
		ady_http_answer(req, 200, "text/plain", NULL, ady_bytes_str(NOTICE));
	else
		ady_http_answer(req, 404, "text/plain", NULL, ady_bytes_str(NOTICE));
}
