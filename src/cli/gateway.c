/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/gateway.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/fault.h"
#include "cli/file.h"
#include "cli/options.h"
#include "cli/progress.h"

enum { REPLY_MAX = 4 << 20, TOKEN_MAX = 4096 };

static size_t take(char *p, size_t size, size_t n, void *ctx)
{
	struct ady_dyn *body = ctx;

	if (body->n + size * n > REPLY_MAX)
		return 0;
	ady_dyn_put(body, p, size * n);
	return size * n;
}

/* A header line that has the proof. */
static size_t take_header(char *p, size_t size, size_t n, void *ctx)
{
	static const char name[] = "X-Adyton-Proof:";
	struct ady_dyn *proof = ctx;
	size_t at = sizeof name - 1, end = size * n;

	if (end <= at || strncasecmp(p, name, at) != 0)
		return end;
	while (end > at && p[end - 1] <= ' ')
		end--;
	while (at < end && p[at] == ' ')
		at++;
	proof->n = 0;
	ady_dyn_put(proof, p + at, end - at);
	return size * n;
}

static const char *or_environment(const char *option, const char *name, const char *otherwise)
{
	const char *value = option ? option : getenv(name);

	return value && value[0] ? value : otherwise;
}

static void set_certificate(CURL *curl, const struct ady_gateway *gateway)
{
	const char *cert = or_environment(gateway->cert, "ADYTON_CERT", NULL);
	const char *key = or_environment(gateway->cert_key, "ADYTON_CERT_KEY", NULL);

	if (cert)
		curl_easy_setopt(curl, CURLOPT_SSLCERT, cert);
	if (key)
		curl_easy_setopt(curl, CURLOPT_SSLKEY, key);
}

static void set_up(CURL *curl, const struct ady_gateway *gateway, const char *url, int timeout_ms)
{
	const char *ca = or_environment(gateway->ca, "ADYTON_CA", NULL);

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "adyton/" ADY_VERSION);
	if (ca)
		curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
	set_certificate(curl, gateway);
	if (gateway->unverified) {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

/* The Authorization line, from the file or the environment; "" without a token. */
static enum ady_err put_token(struct ady_dyn *line, const struct ady_gateway *gateway,
                              struct ady_fault *f)
{
	const char *token = getenv("ADYTON_TOKEN");
	enum ady_err err = ADY_OK;

	ady_dyn_str(line, "Authorization: Bearer ");
	if (gateway->token_file)
		err = ady_file_read(line, gateway->token_file, TOKEN_MAX, f);
	else if (token && token[0])
		ady_dyn_str(line, token);
	else
		line->n = 0;
	while (line->n > 0 && line->p[line->n - 1] <= ' ')
		line->n--;
	for (size_t i = 0; err == ADY_OK && i < line->n; i++)
		if (line->p[i] < ' ' || line->p[i] > '~')
			err = ady_fail(f, ADY_E_CONFIG, NULL, "the token is no line of ASCII");
	return err;
}

static struct curl_slist *append(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	return longer ? longer : list;
}

static void read_head(CURL *curl, struct ady_gateway_reply *reply)
{
	const char *type = NULL;
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	reply->status = (int)status;
	if (type)
		(void)ady_bytes_to_str(reply->type, sizeof reply->type,
		                       ady_bytes(type, strcspn(type, "; ")));
}

static CURLcode perform(CURL *curl, const char *method, struct curl_slist *headers,
                        const struct ady_dyn *body, bool quiet, struct ady_gateway_reply *reply)
{
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply->body);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (strcmp(method, "GET") != 0) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
		                 (curl_off_t)(body ? body->n : 0));
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body ? (const char *)body->p : "");
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	}
	if (!quiet)
		ady_progress_begin("the gateway");
	code = curl_easy_perform(curl);
	if (!quiet)
		ady_progress_end();
	read_head(curl, reply);
	return code;
}

enum ady_err ady_gateway_request(const struct ady_gateway *gateway, const char *method,
                                 const char *path, const struct ady_dyn *body, int timeout_ms,
                                 struct ady_gateway_reply *reply, struct ady_fault *f)
{
	const char *base = or_environment(gateway->url, "ADYTON_GATEWAY", "http://127.0.0.1:8080");
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	struct ady_dyn url = {0}, token = {0}, stamp = {0};
	CURL *curl = curl_easy_init();
	CURLcode code = CURLE_OUT_OF_MEMORY;
	enum ady_err err = put_token(&token, gateway, f);

	*reply = (struct ady_gateway_reply){0};
	if (gateway->stamp) {
		ady_dyn_printf(&stamp, "X-Adyton-Stamp: %s", gateway->stamp);
		headers = curl_slist_append(headers, ady_dyn_cstr(&stamp));
	}
	ady_dyn_put(&url, base, strlen(base) - (base[strlen(base) - 1] == '/'));
	ady_dyn_str(&url, path);
	if (token.n > 0)
		headers = append(headers, ady_dyn_cstr(&token));
	if (err == ADY_OK && curl && headers) {
		set_up(curl, gateway, ady_dyn_cstr(&url), timeout_ms);
		if (gateway->wants_proof) {
			curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
			curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply->proof);
		}
		code = perform(curl, method, headers, body, gateway->quiet, reply);
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	ady_dyn_free(&url);
	ady_dyn_free(&stamp);
	ady_file_wipe(&token);
	if (err == ADY_OK && code != CURLE_OK)
		err = ady_fail(f, ADY_E_STORE, NULL, "no answer from %s: %s", base,
		               curl_easy_strerror(code));
	return err;
}

enum ady_err ady_gateway_call(const struct ady_gateway *gateway, const char *path,
                              const struct ady_dyn *body, int timeout_ms,
                              struct ady_gateway_reply *reply, struct ady_fault *f)
{
	return ady_gateway_request(gateway, body ? "POST" : "GET", path, body, timeout_ms, reply,
	                           f);
}

static const char *member(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

enum ady_err ady_gateway_fault(const struct ady_gateway_reply *reply, struct ady_fault *f)
{
	json_t *problem = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	const char *code = member(problem, "code"), *detail = member(problem, "detail");
	enum ady_err err = code[0] ? ady_err_from_code(code) : ADY_E_STORE;

	if (!detail[0])
		detail = member(problem, "title");
	if (detail[0])
		(void)ady_fail(f, err, member(problem, "where"), "%s", detail);
	else
		(void)ady_fail(f, err, NULL, "the gateway answered with status %d", reply->status);
	json_decref(problem);
	return err;
}

int ady_gateway_refusal(const struct ady_gateway_reply *reply)
{
	json_t *problem = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	const char *code = member(problem, "code"), *detail = member(problem, "detail");
	const char *where = member(problem, "where"), *cause = member(problem, "cause");
	const char *next = ady_cli_advice(code);

	if (!detail[0])
		detail = member(problem, "title");
	fprintf(stderr, "adyton: the gateway refused (HTTP %d): %s%s%s", reply->status, where,
	        where[0] ? " " : "", detail[0] ? detail : "without a reason");
	if (code[0])
		fprintf(stderr, " (%s%s%s)", code, cause[0] ? ", " : "", cause);
	fputc('\n', stderr);
	if (next)
		fprintf(stderr, "  %s\n", next);
	if (member(problem, "request_id")[0])
		fprintf(stderr, "  request %s\n", member(problem, "request_id"));
	json_decref(problem);
	return reply->status >= 500 && reply->status != 502 ? ADY_EXIT_FAILED : ADY_EXIT_REFUSED;
}

void ady_gateway_put_id(struct ady_dyn *path, const char *id)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                                 "0123456789-._~";

	for (; *id; id++) {
		if (strchr(unreserved, *id))
			ady_dyn_put(path, id, 1);
		else
			ady_dyn_printf(path, "%%%02X", (unsigned char)*id);
	}
}
