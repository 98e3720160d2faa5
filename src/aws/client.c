/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/client.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aws/client_http.h"
#include "base/clock.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "crypto/rng.h"

enum { REPLY_MAX = 1 << 20, ATTEMPTS = 3, FIELDS_MAX = 6 };

static char *copy(const char *s)
{
	char *d = s ? strdup(s) : NULL;

	if (s && !d)
		ADY_BUG("out of memory");
	return d;
}

enum ady_err ady_aws_open(struct ady_aws **aws, const struct ady_aws_config *config)
{
	struct ady_aws *a = calloc(1, sizeof *a);

	*aws = NULL;
	if (!a)
		return ADY_E_MEMORY;
	a->curl = curl_easy_init(); /* initialises libcurl too, thread-safe since 7.84 */
	if (!a->curl) {
		free(a);
		return ADY_E_MEMORY;
	}
	a->endpoint = copy(config->endpoint);
	a->region = copy(config->region ? config->region : "us-east-1");
	a->ca_file = copy(config->ca_file);
	a->timeout_ms = config->timeout_ms > 0 ? config->timeout_ms : 10000;
	a->stop = config->stop;
	*aws = a;
	return ADY_OK;
}

void ady_aws_close(struct ady_aws *a)
{
	if (!a)
		return;
	curl_easy_cleanup(a->curl);
	if (a->reply.n > 0)
		ady_zero(a->reply.p, a->reply.n);
	ady_dyn_free(&a->reply);
	free(a->endpoint);
	free(a->region);
	free(a->ca_file);
	free(a);
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct ady_aws *a = ctx;

	if (size * n > REPLY_MAX - a->reply.n)
		return 0; /* libcurl ends the transfer */
	ady_dyn_put(&a->reply, p, size * n);
	return size * n;
}

static bool stopped(const struct ady_aws *a)
{
	return a->stop && atomic_load_explicit(a->stop, memory_order_relaxed);
}

/* libcurl asks this at least once a second; non-zero ends the transfer. */
static int on_progress(void *ctx, curl_off_t dl_total, curl_off_t dl, curl_off_t ul_total,
                       curl_off_t ul)
{
	(void)dl_total, (void)dl, (void)ul_total, (void)ul;
	return stopped(ctx);
}

/* Options are set anew for each exchange; the handle keeps its connections (curl_easy_reset). */
static void set_options(struct ady_aws *a, const struct ady_aws_exchange *x)
{
	CURL *c = a->curl;

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, x->url);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, x->method);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, x->timeout_ms);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, x->timeout_ms < 3000 ? x->timeout_ms : 3000);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, x->fields);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, a);
	if (a->stop) {
		curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
		curl_easy_setopt(c, CURLOPT_XFERINFODATA, a);
		curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	}
	if (a->ca_file)
		curl_easy_setopt(c, CURLOPT_CAINFO, a->ca_file);
	if (x->direct)
		curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	if (strcmp(x->method, "GET") == 0)
		return;
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)x->body.n);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, x->body.n ? (const char *)x->body.p : "");
}

enum ady_err ady_aws_exchange(struct ady_aws *a, const struct ady_aws_exchange *x,
                              struct ady_fault *f)
{
	CURLcode rc;

	if (a->reply.n > 0)
		ady_zero(a->reply.p, a->reply.n); /* may have held credentials */
	a->reply.n = 0;
	a->status = 0;
	set_options(a, x);
	rc = curl_easy_perform(a->curl);
	if (rc != CURLE_OK)
		return ady_fail(f, ADY_E_STORE, NULL, "no reply from AWS: %s",
		                curl_easy_strerror(rc));
	curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &a->status);
	return ADY_OK;
}

/* "https://host:port" of a service, without a path. */
static void service_url(const struct ady_aws *a, const char *service, char *out, size_t cap)
{
	size_t n;

	if (a->endpoint)
		snprintf(out, cap, "%s", a->endpoint);
	else
		snprintf(out, cap, "https://%s.%s.amazonaws.com%s", service, a->region,
		         strncmp(a->region, "cn-", 3) == 0 ? ".cn" : "");
	n = strlen(out);
	if (n > 0 && out[n - 1] == '/')
		out[n - 1] = '\0';
}

static void add_line(struct curl_slist **list, const char *name, const char *value)
{
	struct ady_dyn line = {0};
	struct curl_slist *longer;

	ady_dyn_printf(&line, "%s: %s", name, value);
	longer = curl_slist_append(*list, ady_dyn_cstr(&line));
	ady_zero(line.p, line.n);
	ady_dyn_free(&line);
	if (!longer)
		ADY_BUG("out of memory");
	*list = longer;
}

static void free_lines(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l; l = l->next)
		ady_zero(l->data, strlen(l->data)); /* the session token */
	curl_slist_free_all(list);
}

/* The header lines of a signed POST. Fields are signed in the order of their names (SigV4). */
static enum ady_err sign_lines(struct ady_aws *a, const struct ady_aws_credentials *credentials,
                               const struct ady_aws_post *post, const char *host,
                               struct curl_slist **lines)
{
	struct ady_sigv4_scope scope = {
	    .region = a->region, .service = post->service, .unix_s = ady_wall_ms() / 1000};
	const char *pairs[FIELDS_MAX][2] = {{"content-type", post->type}, {"host", host}};
	struct ady_sigv4_field fields[FIELDS_MAX];
	char date[17], authorization[1024];
	struct ady_buf b = ady_buf(authorization, sizeof authorization - 1);
	struct ady_sigv4_request request = {
	    .method = ady_bytes("POST", 4), .path = ady_bytes("/", 1), .fields = fields};
	uint8_t hash[32];
	enum ady_err err;
	size_t n = 2;

	ady_time_basic(date, scope.unix_s);
	pairs[n][0] = "x-amz-date", pairs[n++][1] = date;
	if (credentials->token[0])
		pairs[n][0] = "x-amz-security-token", pairs[n++][1] = credentials->token;
	if (post->target)
		pairs[n][0] = "x-amz-target", pairs[n++][1] = post->target;
	ady_sha256(hash, &post->body, 1);
	request.payload_sha256 = hash;
	request.fields_n = n;
	for (size_t i = 0; i < n; i++) {
		fields[i] = (struct ady_sigv4_field){.name = ady_bytes_str(pairs[i][0]),
		                                     .value = ady_bytes_str(pairs[i][1])};
		add_line(lines, pairs[i][0], pairs[i][1]);
	}
	err = ady_sigv4_authorize(&b, credentials, &scope, &request);
	if (err != ADY_OK)
		return err;
	authorization[b.n] = '\0';
	add_line(lines, "authorization", authorization);
	add_line(lines, "expect", ""); /* no 100-continue round */
	return ADY_OK;
}

/* Whether the last reply asks for another attempt (AWS: error retries of the SDKs). */
static bool transient(struct ady_aws *a)
{
	const char *body = ady_dyn_cstr(&a->reply);

	return a->status >= 500 || a->status == 429 ||
	       (a->status == 400 && (strstr(body, "Throttl") || strstr(body, "TooManyRequests")));
}

static void back_off(int attempt)
{
	struct timespec t = {0};
	uint16_t jitter;

	ady_random(&jitter, sizeof jitter);
	t.tv_nsec = (50L << attempt) * 1000000L * (32768 + jitter % 32768) / 65536;
	nanosleep(&t, NULL);
}

static enum ady_err post_once(struct ady_aws *a, const struct ady_aws_credentials *credentials,
                              const struct ady_aws_post *post, struct ady_fault *f)
{
	char base[320], url[322];
	struct ady_aws_exchange x = {.method = "POST", .url = url, .timeout_ms = a->timeout_ms};
	const char *host;
	enum ady_err err;

	service_url(a, post->service, base, sizeof base);
	snprintf(url, sizeof url, "%s/", base);
	host = strstr(base, "://");
	if (!host)
		return ady_fail(f, ADY_E_CONFIG, "endpoint", "has no scheme");
	err = sign_lines(a, credentials, post, host + 3, &x.fields);
	x.body = post->body;
	if (err == ADY_OK)
		err = ady_aws_exchange(a, &x, f);
	else
		err = ady_fail(f, err, NULL, "the request could not be signed");
	free_lines(x.fields);
	return err;
}

enum ady_err ady_aws_post(struct ady_aws *a, const struct ady_aws_credentials *credentials,
                          const struct ady_aws_post *post, struct ady_fault *f)
{
	enum ady_err err;

	for (int attempt = 0;; attempt++) {
		err = post_once(a, credentials, post, f);
		if (attempt == ATTEMPTS - 1 || stopped(a))
			return err;
		if (err != ADY_E_STORE && (err != ADY_OK || !transient(a)))
			return err;
		back_off(attempt);
	}
}

static bool names_credentials(const char *name)
{
	static const char *const all[] = {
	    "ExpiredTokenException",        "ExpiredToken",
	    "UnrecognizedClientException",  "InvalidClientTokenId",
	    "IncompleteSignature",          "InvalidSignatureException",
	    "SignatureDoesNotMatch",        "AuthFailure",
	    "IncompleteSignatureException", "RequestExpired",
	    "InvalidAccessKeyId",           "MissingAuthenticationTokenException",
	    "MissingAuthenticationToken",
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(name, all[i]) == 0)
			return true;
	return false;
}

/* "com.amazonaws.kms#NotFoundException" and "NotFoundException:http://.." are both in use. */
static struct ady_bytes bare_name(struct ady_bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '#')
			return bare_name(ady_bytes_sub(name, i + 1, name.n - i - 1));
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == ':')
			return ady_bytes_sub(name, 0, i);
	return name;
}

enum ady_err ady_aws_refused(const struct ady_aws *a, struct ady_bytes name,
                             struct ady_bytes message, struct ady_fault *f)
{
	enum ady_err err = ADY_E_KMS;
	char cause[48];

	name = bare_name(name);
	if (name.n >= sizeof cause)
		name.n = sizeof cause - 1;
	if (!ady_bytes_to_str(cause, sizeof cause, name))
		cause[0] = '\0';
	if (names_credentials(cause))
		err = ADY_E_CREDENTIALS;
	else if (a->status >= 500 || a->status == 429 || strstr(cause, "Throttl"))
		err = ADY_E_STORE;
	if (message.n > 0)
		err = ady_fail(f, err, NULL, "%.*s", (int)(message.n < 150 ? message.n : 150),
		               (const char *)message.p);
	else
		err = ady_fail(f, err, NULL, "AWS answered with status %ld", a->status);
	if (f)
		snprintf(f->cause, sizeof f->cause, "%s", cause);
	return err;
}

static struct ady_bytes member_text(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? ady_bytes_str(s) : ady_bytes(NULL, 0);
}

/* AWS JSON 1.1 errors: "__type" and "message", which some services write "Message". */
static enum ady_err json_refusal(struct ady_aws *a, const json_t *reply, struct ady_fault *f)
{
	struct ady_bytes message = member_text(reply, "message");

	if (message.n == 0)
		message = member_text(reply, "Message");
	return ady_aws_refused(a, member_text(reply, "__type"), message, f);
}

enum ady_err ady_aws_json(struct ady_aws *a, const struct ady_aws_credentials *credentials,
                          const char *service, const char *target, json_t *body, json_t **reply,
                          struct ady_fault *f)
{
	char *text = json_dumps(body, JSON_COMPACT);
	struct ady_aws_post post = {
	    .service = service, .type = "application/x-amz-json-1.1", .target = target};
	json_t *got;
	enum ady_err err;

	*reply = NULL;
	if (!text)
		return ady_fail(f, ADY_E_INTERNAL, NULL, "the request cannot be written as JSON");
	post.body = ady_bytes_str(text);
	err = ady_aws_post(a, credentials, &post, f);
	ady_zero(text, strlen(text)); /* Encrypt carries a plaintext */
	free(text);
	if (err != ADY_OK)
		return err;
	/* Operations that return nothing (CreateAlias, PutKeyPolicy) answer with an empty body. */
	got = a->reply.n == 0
	          ? json_object()
	          : json_loadb((const char *)a->reply.p, a->reply.n, JSON_REJECT_DUPLICATES, NULL);
	if (a->status == 200 && json_is_object(got)) {
		*reply = got;
		return ADY_OK;
	}
	err = a->status == 200 ? ady_fail(f, ADY_E_STORE, NULL, "the reply of AWS is not JSON")
	                       : json_refusal(a, got, f);
	json_decref(got);
	return err;
}
