/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/imds.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/rng.h"
#include "devcloud/identity.h"

enum { TTL_MAX_S = 21600, OVERLAP_S = 300, TOKEN_RAW = 8 + 16 + 32 };

static const char CREDENTIALS[] = "/latest/meta-data/iam/security-credentials";

/* A token is its expiry and 16 random bytes under an HMAC whose key is as old as the process: there
 * is nothing to keep. */
static void token_mac(uint8_t mac[static 32], const uint8_t *raw)
{
	static uint8_t key[32];
	static bool made;

	if (!made)
		ady_random(key, sizeof key);
	made = true;
	ady_hmac_sha256(mac, ady_bytes(key, sizeof key), ady_bytes(raw, 24));
}

static void token_make(char out[static ADY_BASE64_SIZE(TOKEN_RAW)], int64_t expires_s)
{
	uint8_t raw[TOKEN_RAW];
	struct ady_buf b = ady_buf(raw, sizeof raw);

	ady_buf_be64(&b, (uint64_t)expires_s);
	ady_random(raw + 8, 16);
	token_mac(raw + 24, raw);
	ady_base64_encode(out, ady_bytes(raw, sizeof raw));
}

static bool token_holds(struct ady_bytes text, int64_t now_s)
{
	uint8_t raw[TOKEN_RAW], mac[32];
	size_t n;

	if (ady_base64_decode(raw, sizeof raw, &n, text) != ADY_OK || n != sizeof raw)
		return false;
	token_mac(mac, raw);
	return ady_secret_eq_ct(mac, raw + 24, 32) && (int64_t)ady_be64(raw) > now_s;
}

static void plain(struct ady_http_request *req, int status, const char *text)
{
	ady_http_answer(req, status, "text/plain", "Server: adyton-devcloud (not AWS)\r\n",
	                ady_bytes_str(text));
}

static void put_token(struct ady_http_request *req)
{
	struct ady_bytes text = ady_http_field(&req->head, "x-aws-ec2-metadata-token-ttl-seconds");
	char token[ADY_BASE64_SIZE(TOKEN_RAW)], fields[80];
	long ttl = 0;

	for (size_t i = 0; i < text.n && i < 6; i++)
		ttl = text.p[i] >= '0' && text.p[i] <= '9' && ttl >= 0
		          ? ttl * 10 + (text.p[i] - '0')
		          : -1;
	if (text.n > 5 || ttl < 1 || ttl > TTL_MAX_S) {
		plain(req, 400, "The token's TTL must be 1 to 21600 seconds\n");
		return;
	}
	token_make(token, ady_wall_ms() / 1000 + ttl);
	snprintf(fields, sizeof fields, "X-Aws-Ec2-Metadata-Token-Ttl-Seconds: %ld\r\n", ttl);
	ady_http_answer(req, 200, "text/plain", fields, ady_bytes_str(token));
}

/* The credentials that are published now. New ones come five minutes before the old ones end, or,
 * where they live shorter than ten, at half their life. */
static enum ady_err current(struct ady_dev_cloud *cloud, struct ady_aws_credentials *k)
{
	int overlap =
	    cloud->credential_ttl_s / 2 < OVERLAP_S ? cloud->credential_ttl_s / 2 : OVERLAP_S;
	struct ady_dev_session s = {.role = cloud->role_name,
	                            .name = cloud->instance_id,
	                            .seconds = cloud->credential_ttl_s,
	                            .imds = true};

	if (ady_dev_session_imds(cloud, k) == ADY_OK &&
	    k->expires_unix_s - ady_wall_ms() / 1000 > overlap)
		return ADY_OK;
	ady_aws_credentials_wipe(k);
	return ady_dev_session_new(cloud, &s, k);
}

static void answer_credentials(struct ady_dev_cloud *cloud, struct ady_http_request *req)
{
	struct ady_aws_credentials k;
	char issued[21], expires[21], text[2048];
	struct ady_buf b = ady_buf(text, sizeof text);

	if (current(cloud, &k) != ADY_OK) {
		plain(req, 500, "The credentials cannot be stored\n");
		return;
	}
	ady_time_rfc3339(issued, k.expires_unix_s - cloud->credential_ttl_s);
	ady_time_rfc3339(expires, k.expires_unix_s);
	ady_buf_printf(&b,
	               "{\n  \"Code\" : \"Success\",\n  \"LastUpdated\" : \"%s\",\n"
	               "  \"Type\" : \"AWS-HMAC\",\n  \"AccessKeyId\" : \"%s\",\n"
	               "  \"SecretAccessKey\" : \"%s\",\n  \"Token\" : \"%s\",\n"
	               "  \"Expiration\" : \"%s\"\n}",
	               issued, k.access_key, k.secret_key, k.token, expires);
	ady_aws_credentials_wipe(&k);
	ady_http_answer(req, 200, "text/plain", NULL, ady_buf_bytes(&b));
	ady_zero(text, sizeof text);
}

static void answer_identity(const struct ady_dev_cloud *cloud, struct ady_http_request *req)
{
	char text[512];
	struct ady_buf b = ady_buf(text, sizeof text);

	ady_buf_printf(
	    &b,
	    "{\n  \"accountId\" : \"%s\",\n  \"architecture\" : \"x86_64\",\n"
	    "  \"availabilityZone\" : \"%sa\",\n  \"imageId\" : \"ami-00000000000000000\","
	    "\n  \"instanceId\" : \"%s\",\n  \"instanceType\" : \"m6i.xlarge\",\n"
	    "  \"privateIp\" : \"127.0.0.1\",\n  \"region\" : \"%s\",\n"
	    "  \"version\" : \"2017-09-30\"\n}",
	    cloud->account, cloud->region, cloud->instance_id, cloud->region);
	ady_http_answer(req, 200, "text/plain", NULL, ady_buf_bytes(&b));
}

/* The list of roles stands at the path with and without its last slash. */
static bool is_role_list(struct ady_bytes path)
{
	size_t n = sizeof CREDENTIALS - 1;

	return ady_bytes_is(ady_bytes_sub(path, 0, n), CREDENTIALS) &&
	       (path.n == n || (path.n == n + 1 && path.p[n] == '/'));
}

static bool is_role(const struct ady_dev_cloud *cloud, struct ady_bytes path)
{
	char want[160];

	snprintf(want, sizeof want, "%s/%s", CREDENTIALS, cloud->role_name);
	return ady_bytes_is(path, want);
}

static void get(struct ady_dev_cloud *cloud, struct ady_http_request *req)
{
	struct ady_bytes path = req->head.path;
	char zone[40];

	if (is_role_list(path)) {
		plain(req, 200, cloud->role_name);
	} else if (is_role(cloud, path)) {
		answer_credentials(cloud, req);
	} else if (ady_bytes_is(path, "/latest/dynamic/instance-identity/document")) {
		answer_identity(cloud, req);
	} else if (ady_bytes_is(path, "/latest/meta-data/placement/region")) {
		plain(req, 200, cloud->region);
	} else if (ady_bytes_is(path, "/latest/meta-data/placement/availability-zone")) {
		snprintf(zone, sizeof zone, "%sa", cloud->region);
		plain(req, 200, zone);
	} else if (ady_bytes_is(path, "/latest/meta-data/instance-id")) {
		plain(req, 200, cloud->instance_id);
	} else {
		plain(req, 404, "Not found\n");
	}
}

static void refuse(struct ady_http_request *req, const struct ady_dev_effect *e)
{
	plain(req, e->status, e->message);
}

void ady_dev_imds(void *ctx, struct ady_http_request *req)
{
	struct ady_dev_serve *s = (struct ady_dev_serve *)ctx;
	bool is_put = ady_bytes_is(req->head.method, "PUT");
	bool is_token = ady_bytes_is(req->head.path, "/latest/api/token");
	struct ady_bytes token = ady_http_field(&req->head, "x-aws-ec2-metadata-token");
	struct ady_dev_effect e;

	if (ady_dev_faults_take(s->faults, is_put ? "imds.PUT" : "imds.GET", &e) && e.error)
		refuse(req, &e);
	else if (ady_http_field(&req->head, "x-forwarded-for").p)
		plain(req, 403, "Forwarded requests are refused\n"); /* as of an open proxy */
	else if (is_token && is_put)
		put_token(req);
	else if (is_token || !ady_bytes_is(req->head.method, "GET"))
		plain(req, 405, "Method not allowed\n");
	else if (!token_holds(token, ady_wall_ms() / 1000))
		plain(req, 401, "A valid token is required (IMDSv2)\n");
	else
		get(s->cloud, req);
}
