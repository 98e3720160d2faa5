/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "aws/client_http.h"
#include "base/clock.h"
#include "base/secret.h"

/* The text between the first <name> and </name>. STS answers in flat XML without attributes on
 * the elements read here (AWS STS API reference, AssumeRole). */
static struct ady_bytes element(const char *xml, const char *name)
{
	char open[64], close[64];
	const char *from, *to;

	snprintf(open, sizeof open, "<%s>", name);
	snprintf(close, sizeof close, "</%s>", name);
	from = strstr(xml, open);
	if (!from)
		return ady_bytes(NULL, 0);
	from += strlen(open);
	to = strstr(from, close);
	return to ? ady_bytes(from, (size_t)(to - from)) : ady_bytes(NULL, 0);
}

static void add_parameter(struct ady_aws *aws, struct ady_dyn *form, const char *name,
                          const char *value)
{
	char *escaped = curl_easy_escape(aws->curl, value, 0);

	if (!escaped)
		ADY_BUG("out of memory");
	ady_dyn_printf(form, "&%s=%s", name, escaped);
	curl_free(escaped);
}

static enum ady_err read_credentials(const char *xml, struct ady_aws_credentials *out,
                                     struct ady_fault *f)
{
	bool ok = ady_bytes_to_str(out->access_key, sizeof out->access_key,
	                           element(xml, "AccessKeyId")) &&
	          ady_bytes_to_str(out->secret_key, sizeof out->secret_key,
	                           element(xml, "SecretAccessKey")) &&
	          ady_bytes_to_str(out->token, sizeof out->token, element(xml, "SessionToken")) &&
	          out->access_key[0] && out->secret_key[0] && out->token[0] &&
	          ady_time_parse(&out->expires_unix_s, element(xml, "Expiration")) == ADY_OK;

	if (ok)
		return ADY_OK;
	ady_aws_credentials_wipe(out);
	return ady_fail(f, ADY_E_CREDENTIALS, NULL, "the reply of STS has no credentials");
}

enum ady_err ady_aws_assume_role(struct ady_aws *aws, const struct ady_aws_credentials *credentials,
                                 const char *role_arn, const char *session_name,
                                 const char *session_policy, int seconds,
                                 struct ady_aws_credentials *out, struct ady_fault *f)
{
	struct ady_aws_post post = {.service = "sts",
	                            .type = "application/x-www-form-urlencoded; charset=utf-8"};
	struct ady_dyn form = {0};
	enum ady_err err;
	const char *xml;

	ady_aws_credentials_wipe(out);
	ady_dyn_printf(&form, "Action=AssumeRole&Version=2011-06-15&DurationSeconds=%d", seconds);
	add_parameter(aws, &form, "RoleArn", role_arn);
	add_parameter(aws, &form, "RoleSessionName", session_name);
	if (session_policy)
		add_parameter(aws, &form, "Policy", session_policy);
	post.body = ady_dyn_bytes(&form);
	err = ady_aws_post(aws, credentials, &post, f);
	ady_dyn_free(&form);
	if (err != ADY_OK)
		return err;
	xml = ady_dyn_cstr(&aws->reply);
	if (aws->status != 200)
		return ady_aws_refused(aws, element(xml, "Code"), element(xml, "Message"), f);
	return read_credentials(xml, out, f);
}
