/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/kms_session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aws/kms.h"
#include "base/clock.h"
#include "codec/cms.h"
#include "crypto/aes.h"
#include "crypto/rng.h"
#include "enclave/kms_link.h"
#include "enclave/kms_request.h"

enum {
	BODY_MAX = 48 * 1024,    /* document and ciphertext in base64, context */
	REQUEST_MAX = 56 * 1024, /* and the head with a session token */
	PLAIN_MAX = ADY_RECORD_CIPHERTEXT_MAX,
	ATTEMPTS = 6,
	BACKOFF_MS = 50, /* doubled each time, the whole of it random ("full jitter") */
	BACKOFF_MAX_MS = 1000,
};

/* The secret part of a worker, a slot of the arena. */
struct secret {
	uint8_t content_key[32];
	uint8_t plain[PLAIN_MAX];
};

/* The space of one worker; nothing of it is secret. */
struct worker {
	struct ady_kms_link link;
	struct secret *secret;
	uint8_t document[ADY_NSM_ANSWER_MAX];
	uint8_t body[BODY_MAX], request[REQUEST_MAX];
	struct ady_http_reply reply;
	uint8_t cms[PLAIN_MAX], content[PLAIN_MAX];
};

struct ady_kms_session {
	struct ady_kms_session_config config;
	struct ady_tls_client client;
	struct ady_arena *arena;
	struct worker *workers;
};

/* A call in progress. */
struct call {
	struct ady_kms_session *s;
	struct worker *w;
	const struct ady_kms_ask *ask;
	struct ady_recipient_key *key; /* of this attempt; borrowed */
	struct ady_fault *f;
};

enum ady_err ady_kms_session_open(struct ady_kms_session **out,
                                  const struct ady_kms_session_config *config, struct ady_fault *f)
{
	struct ady_kms_session *s = calloc(1, sizeof *s);
	enum ady_err err;

	*out = NULL;
	if (!s)
		return ADY_E_MEMORY;
	s->config = *config;
	s->workers = calloc(config->workers, sizeof *s->workers);
	err = s->workers ? ADY_OK : ADY_E_MEMORY;
	if (err == ADY_OK)
		err = ady_arena_open(&s->arena, config->workers, sizeof(struct secret));
	if (err == ADY_OK)
		err = ady_tls_client_open(&s->client, config->config->kms.roots_pem, f);
	if (err != ADY_OK) {
		s->config.workers = 0;
		ady_kms_session_close(s);
		return err;
	}
	for (size_t i = 0; i < config->workers; i++) {
		ady_kms_link_init(&s->workers[i].link, &s->client, config->config);
		s->workers[i].secret = ady_arena_take(s->arena);
	}
	*out = s;
	return ADY_OK;
}

void ady_kms_session_close(struct ady_kms_session *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->config.workers; i++)
		ady_kms_link_close(&s->workers[i].link);
	ady_arena_close(s->arena);
	ady_tls_client_close(&s->client);
	free(s->workers);
	free(s);
}

uint8_t *ady_kms_session_room(struct ady_kms_session *s, size_t worker)
{
	return s->workers[worker].secret->plain;
}

void ady_kms_session_wipe(struct ady_kms_session *s, size_t worker)
{
	ady_zero(s->workers[worker].secret, sizeof(struct secret));
}

/* Of several keys KMS finds the one of a ciphertext by itself. */
static void put_body(const struct call *c, struct ady_buf *body, struct ady_bytes document)
{
	const struct ady_config_kms *kms = &c->s->config.config->kms;
	struct ady_kms_request request = {.ciphertext = c->ask->ciphertext,
	                                  .key_arn = c->ask->key_arn,
	                                  .context = c->ask->context,
	                                  .context_n = c->ask->context_n,
	                                  .document = document};

	if (!request.key_arn && (kms->keys_n == 1 || c->ask->blob))
		request.key_arn = kms->keys[0];
	if (c->ask->blob)
		ady_kms_put_generate(body, &request);
	else
		ady_kms_put_decrypt(body, &request);
}

/* Build, sign and send one request, and read its reply; the document's key is borrowed in c->key.
 */
static enum ady_err send_once(struct call *c, int64_t deadline_ms)
{
	const struct ady_enclave_config *config = c->s->config.config;
	struct ady_buf document = ady_buf(c->w->document, sizeof c->w->document);
	struct ady_buf body = ady_buf(c->w->body, sizeof c->w->body);
	struct ady_buf request = ady_buf(c->w->request, sizeof c->w->request);
	struct ady_aws_credentials credentials;
	enum ady_err err;

	err = ady_recipient_get(c->s->config.recipient, &c->key, &document, c->f);
	if (err != ADY_OK)
		return err;
	put_body(c, &body, ady_buf_bytes(&document));
	if (body.full)
		return ady_fail(c->f, ADY_E_TOO_LARGE, "", "the request to KMS is too large");
	err = ady_credentials_get(c->s->config.credentials, &credentials, c->f);
	if (err == ADY_OK)
		err = ady_kms_request_put(&request, config, &credentials,
		                          c->ask->blob ? "GenerateDataKey" : "Decrypt",
		                          ady_buf_bytes(&body));
	ady_aws_credentials_wipe(&credentials);
	if (err == ADY_OK)
		err = ady_kms_link_call(&c->w->link, ady_buf_bytes(&request), &c->w->reply,
		                        deadline_ms, c->f);
	/* It held the session token and a signature. */
	ady_zero(c->w->request, request.n);
	if (err == ADY_OK && c->w->reply.status != 200)
		err = ady_kms_read_error(c->f, c->w->reply.status, c->w->reply.body);
	return err;
}

/* The CMS of a reply: RSA-OAEP to the content key, AES-CBC to the plaintext, both in the secret
 * slot. Whatever fails fails with the same words: which of the two it was would be an oracle. */
static enum ady_err open_cms(struct call *c, struct ady_bytes der, size_t *n)
{
	const struct ady_rsa *rsa = ady_recipient_rsa(c->key);
	struct ady_buf content = ady_buf(c->w->content, sizeof c->w->content);
	struct secret *secret = c->w->secret;
	struct ady_cms cms;
	enum ady_err err = ady_cms_parse(&cms, der, c->f);

	if (err != ADY_OK)
		return err;
	for (size_t i = 0; i < cms.chunks_n; i++)
		ady_buf_view(&content, cms.chunks[i]);
	if (content.full || cms.encrypted_key.n != ady_rsa_size(rsa) ||
	    ady_rsa_oaep_open32(secret->content_key, rsa, cms.encrypted_key) != ADY_OK ||
	    ady_aes_cbc_open(secret->plain, n, secret->content_key, cms.iv.p,
	                     ady_buf_bytes(&content)) != ADY_OK) {
		ady_zero(secret, sizeof *secret);
		return ady_fail(c->f, ADY_E_KMS_REPLY, "CiphertextForRecipient",
		                "cannot be opened with this enclave's key");
	}
	ady_zero(secret->content_key, sizeof secret->content_key);
	return ADY_OK;
}

static enum ady_err open_reply(struct call *c, size_t *n)
{
	const struct ady_config_kms *kms = &c->s->config.config->kms;
	const char *arns[ADY_CONFIG_KEYS_MAX];
	struct ady_buf der = ady_buf(c->w->cms, sizeof c->w->cms);
	enum ady_err err;

	for (size_t i = 0; i < kms->keys_n; i++)
		arns[i] = kms->keys[i];
	err = ady_kms_read_reply(&der, c->ask->blob, c->w->reply.body, arns, kms->keys_n, c->f);
	return err == ADY_OK ? open_cms(c, ady_buf_bytes(&der), n) : err;
}

/* One attempt: at most kms_timeout_ms of the time that is left. */
static enum ady_err attempt(struct call *c, size_t *n)
{
	int64_t now = ady_mono_ms(), until = now + c->s->config.config->kms_timeout_ms;
	enum ady_err err;

	if (now >= c->ask->deadline_ms)
		return ady_fail(c->f, ADY_E_DEADLINE, "", "the time allowed passed before KMS");
	if ((err = ady_time_watch_right(c->s->config.watch, c->f)) != ADY_OK)
		return err;
	err = send_once(c, until < c->ask->deadline_ms ? until : c->ask->deadline_ms);
	if (err == ADY_OK)
		err = open_reply(c, n);
	ady_recipient_put(c->key);
	c->key = NULL;
	if (err == ADY_E_DEADLINE && ady_mono_ms() < c->ask->deadline_ms)
		return ady_fail(c->f, ADY_E_KMS_UNAVAILABLE, "", "KMS did not answer in time");
	return err;
}

/* Wait before another attempt; false when there is no time for it. AWS's "exponential backoff and
 * jitter": the whole delay is random, so that many enclaves do not come back together. */
static bool back_off(int tries, int64_t deadline_ms)
{
	uint32_t random, most = (uint32_t)BACKOFF_MS << tries, ms;
	struct timespec nap;

	if (most > BACKOFF_MAX_MS)
		most = BACKOFF_MAX_MS;
	ady_random(&random, sizeof random);
	ms = random % (most + 1);
	if (ady_mono_ms() + ms >= deadline_ms)
		return false;
	nap = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	return true;
}

enum ady_err ady_kms_session_call(struct ady_kms_session *s, size_t worker,
                                  const struct ady_kms_ask *ask, struct ady_bytes *plaintext,
                                  struct ady_fault *f)
{
	struct call c = {.s = s, .w = &s->workers[worker], .ask = ask, .f = f};
	enum ady_err err = ADY_E_KMS_UNAVAILABLE;
	size_t n = 0;

	*plaintext = (struct ady_bytes){0};
	for (int tries = 0; tries < ATTEMPTS && err == ADY_E_KMS_UNAVAILABLE; tries++) {
		if (tries > 0 && !back_off(tries - 1, ask->deadline_ms))
			break;
		err = attempt(&c, &n);
	}
	if (err == ADY_OK)
		*plaintext = ady_bytes(c.w->secret->plain, n);
	return err;
}

enum ady_err ady_kms_session_probe(struct ady_kms_session *s, size_t worker, int64_t deadline_ms,
                                   struct ady_fault *f)
{
	static const char no_ciphertext[] = "adyton probes KMS: this is no ciphertext";
	struct ady_kms_ask ask = {.ciphertext = ady_bytes_str(no_ciphertext),
	                          .deadline_ms = deadline_ms};
	struct ady_bytes plaintext;
	enum ady_err err;

	*f = (struct ady_fault){0};
	err = ady_kms_session_call(s, worker, &ask, &plaintext, f);
	ady_kms_session_wipe(s, worker);
	if (err == ADY_E_KMS && (strcmp(f->cause, "InvalidCiphertextException") == 0 ||
	                         strcmp(f->cause, "AccessDeniedException") == 0))
		return ADY_OK;
	if (err == ADY_OK)
		return ady_fail(f, ADY_E_KMS_REPLY, "", "KMS decrypted what is no ciphertext");
	return err;
}
