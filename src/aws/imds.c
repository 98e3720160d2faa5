/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "aws/client_http.h"
#include "base/clock.h"
#include "base/secret.h"

/* EC2 user guide, "Use the Instance Metadata Service": a token is fetched by PUT and shown with
 * each GET (version 2). It is taken anew for each reading, which happens a few times an hour. */
enum { IMDS_TIMEOUT_MS = 2000 };

static enum ady_err imds_request(struct ady_aws *aws, const char *method, const char *url,
                                 const char *line, struct ady_fault *f)
{
	struct ady_aws_exchange x = {
	    .method = method, .url = url, .timeout_ms = IMDS_TIMEOUT_MS, .direct = true};
	struct ady_fault why;
	enum ady_err err;

	x.fields = curl_slist_append(NULL, line);
	if (!x.fields)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	err = ady_aws_exchange(aws, &x, &why);
	curl_slist_free_all(x.fields);
	if (err != ADY_OK)
		return ady_fail(f, ADY_E_CREDENTIALS, NULL, "IMDS: %s", why.detail);
	if (aws->status != 200)
		return ady_fail(f, ADY_E_CREDENTIALS, NULL, "IMDS answered with status %ld",
		                aws->status);
	return ADY_OK;
}

/* A token or a role's name: one line of printable characters. */
static bool take_line(struct ady_aws *aws, char *out, size_t cap)
{
	struct ady_bytes line = ady_dyn_bytes(&aws->reply);

	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '\n') {
			line.n = i; /* of several roles the first */
			break;
		}
		if (line.p[i] <= ' ' || line.p[i] > '~')
			return false;
	}
	return line.n > 0 && ady_bytes_to_str(out, cap, line);
}

static bool take_member(const json_t *object, const char *name, char *out, size_t cap)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s && *s && ady_bytes_to_str(out, cap, ady_bytes_str(s));
}

static enum ady_err read_document(struct ady_aws *aws, struct ady_aws_credentials *out,
                                  struct ady_fault *f)
{
	json_t *doc =
	    json_loadb((const char *)aws->reply.p, aws->reply.n, JSON_REJECT_DUPLICATES, NULL);
	const char *code = json_string_value(json_object_get(doc, "Code"));
	const char *expires = json_string_value(json_object_get(doc, "Expiration"));
	bool ok = code && strcmp(code, "Success") == 0 && expires &&
	          take_member(doc, "AccessKeyId", out->access_key, sizeof out->access_key) &&
	          take_member(doc, "SecretAccessKey", out->secret_key, sizeof out->secret_key) &&
	          take_member(doc, "Token", out->token, sizeof out->token) &&
	          ady_time_parse(&out->expires_unix_s, ady_bytes_str(expires)) == ADY_OK;

	json_decref(doc);
	if (ok)
		return ADY_OK;
	ady_aws_credentials_wipe(out);
	return ady_fail(f, ADY_E_CREDENTIALS, NULL, "IMDS has no credentials for the role");
}

enum ady_err ady_aws_imds(struct ady_aws *aws, const char *base, struct ady_aws_credentials *out,
                          struct ady_fault *f)
{
	char url[512], line[512], token[400], role[128];
	enum ady_err err;

	ady_aws_credentials_wipe(out);
	snprintf(url, sizeof url, "%s/latest/api/token", base);
	err = imds_request(aws, "PUT", url, "X-aws-ec2-metadata-token-ttl-seconds: 60", f);
	if (err != ADY_OK)
		return err;
	if (!take_line(aws, token, sizeof token))
		return ady_fail(f, ADY_E_CREDENTIALS, NULL, "IMDS gave no token");
	snprintf(line, sizeof line, "X-aws-ec2-metadata-token: %s", token);
	snprintf(url, sizeof url, "%s/latest/meta-data/iam/security-credentials/", base);
	err = imds_request(aws, "GET", url, line, f);
	if (err != ADY_OK)
		return err;
	if (!take_line(aws, role, sizeof role))
		return ady_fail(f, ADY_E_CREDENTIALS, NULL, "the instance has no role");
	snprintf(url, sizeof url, "%s/latest/meta-data/iam/security-credentials/%s", base, role);
	err = imds_request(aws, "GET", url, line, f);
	return err == ADY_OK ? read_document(aws, out, f) : err;
}
