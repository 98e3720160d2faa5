/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/client.h"
#include "base/clock.h"
#include "base/secret.h"

static bool take(char *out, size_t cap, const char *value)
{
	return value && *value && ady_bytes_to_str(out, cap, ady_bytes_str(value));
}

enum ady_err ady_aws_environment(struct ady_aws_credentials *out, struct ady_fault *f)
{
	const char *token = getenv("AWS_SESSION_TOKEN");

	ady_aws_credentials_wipe(out);
	if (!take(out->access_key, sizeof out->access_key, getenv("AWS_ACCESS_KEY_ID")))
		return ady_fail(f, ADY_E_CREDENTIALS, NULL, "AWS_ACCESS_KEY_ID is not set");
	if (take(out->secret_key, sizeof out->secret_key, getenv("AWS_SECRET_ACCESS_KEY")) &&
	    (!token || !*token || take(out->token, sizeof out->token, token)))
		return ADY_OK;
	ady_aws_credentials_wipe(out);
	return ady_fail(f, ADY_E_CREDENTIALS, NULL,
	                "AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN is not usable");
}

static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t");
	end = s + strlen(s);
	while (end > s && strchr(" \t\r\n", end[-1]))
		*--end = '\0';
	return s;
}

/* A line "[name]": whether it opens the wanted profile. */
static bool opens(char *line, const char *profile)
{
	char *end = strchr(line, ']');

	if (!end)
		return false;
	*end = '\0';
	return strcmp(trim(line + 1), profile) == 0;
}

static bool set_member(struct ady_aws_credentials *out, char *line)
{
	char *eq = strchr(line, '='), *name, *value;

	if (!eq)
		return true;
	*eq = '\0';
	name = trim(line);
	value = trim(eq + 1);
	if (strcmp(name, "aws_access_key_id") == 0)
		return take(out->access_key, sizeof out->access_key, value);
	if (strcmp(name, "aws_secret_access_key") == 0)
		return take(out->secret_key, sizeof out->secret_key, value);
	if (strcmp(name, "aws_session_token") == 0)
		return take(out->token, sizeof out->token, value);
	return true; /* region and others are for other programs */
}

/* AWS SDKs and tools reference guide, "Shared config and credentials files". */
static bool read_profile(FILE *file, const char *profile, struct ady_aws_credentials *out)
{
	bool inside = false, ok = true;
	char line[4400];

	while (ok && fgets(line, sizeof line, file)) {
		char *text = trim(line);

		if (*text == '#' || *text == ';' || *text == '\0')
			continue;
		if (*text == '[')
			inside = opens(text, profile);
		else if (inside)
			ok = set_member(out, text);
	}
	ady_zero(line, sizeof line);
	return ok && out->access_key[0] && out->secret_key[0];
}

enum ady_err ady_aws_credential_file(const char *path, const char *profile,
                                     struct ady_aws_credentials *out, struct ady_fault *f)
{
	const char *home = getenv("HOME");
	char usual[1024];
	FILE *file;
	bool ok;

	ady_aws_credentials_wipe(out);
	if (!path)
		path = getenv("AWS_SHARED_CREDENTIALS_FILE");
	if (!profile)
		profile = getenv("AWS_PROFILE");
	if (!profile || !*profile)
		profile = "default";
	if (!path || !*path) {
		snprintf(usual, sizeof usual, "%s/.aws/credentials", home ? home : "");
		path = usual;
	}
	file = fopen(path, "re");
	if (!file)
		return ady_fail(f, ADY_E_CREDENTIALS, NULL, "%.100s cannot be read", path);
	ok = read_profile(file, profile, out);
	fclose(file);
	if (ok)
		return ADY_OK;
	ady_aws_credentials_wipe(out);
	return ady_fail(f, ADY_E_CREDENTIALS, NULL, "%.80s has no credentials for profile %.40s",
	                path, profile);
}

enum ady_err ady_aws_find_credentials(struct ady_aws *aws, struct ady_aws_credentials *out,
                                      struct ady_fault *f)
{
	const char *imds = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	char base[256];

	if (ady_aws_environment(out, f) == ADY_OK)
		return ADY_OK;
	if (ady_aws_credential_file(NULL, NULL, out, f) == ADY_OK)
		return ADY_OK;
	if (!imds || !*imds)
		imds = "http://169.254.169.254";
	snprintf(base, sizeof base, "%s", imds);
	if (base[strlen(base) - 1] == '/')
		base[strlen(base) - 1] = '\0';
	return ady_aws_imds(aws, base, out, f);
}
