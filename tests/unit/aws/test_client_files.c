/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials from the environment and from the shared file. */
#include "aws/client.h"

#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static void clear_environment(void)
{
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	unsetenv("AWS_SESSION_TOKEN");
	unsetenv("AWS_PROFILE");
	unsetenv("AWS_SHARED_CREDENTIALS_FILE");
	setenv("HOME", "/nonexistent", 1);
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1/", 1);
}

CASE(the_environment_is_read)
{
	struct ady_aws_credentials c;
	struct ady_fault f;

	clear_environment();
	CHECK_ERR(ady_aws_environment(&c, &f), ADY_E_CREDENTIALS);
	CHECK_STR(f.detail, "AWS_ACCESS_KEY_ID is not set");
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	CHECK_ERR(ady_aws_environment(&c, &f), ADY_E_CREDENTIALS);
	CHECK_STR(c.access_key, "");
	setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
	CHECK_ERR(ady_aws_environment(&c, &f), ADY_OK);
	CHECK_STR(c.access_key, "AKID");
	CHECK_STR(c.token, "");
	CHECK_INT(c.expires_unix_s, 0);
	setenv("AWS_SESSION_TOKEN", "t", 1);
	CHECK_ERR(ady_aws_environment(&c, &f), ADY_OK);
	CHECK_STR(c.token, "t");
}

static const char file_text[] = "# a comment\n"
                                "[default]\n"
                                "aws_access_key_id = AK1\r\n"
                                "aws_secret_access_key=s1\n"
                                "region = eu-west-1\n"
                                "\n"
                                "[ other ]\n"
                                "aws_access_key_id=AK2\n"
                                "aws_secret_access_key = a=b/c+d \n"
                                "aws_session_token=t2\n"
                                "[half]\n"
                                "aws_access_key_id=AK3\n";

static const char *write_file(void)
{
	static char path[32];
	int fd;

	snprintf(path, sizeof path, "/tmp/ady-credentials-XXXXXX");
	fd = mkstemp(path);

	CHECK(fd >= 0 && write(fd, file_text, sizeof file_text - 1) > 0);
	close(fd);
	return path;
}

CASE(profiles_of_the_shared_file_are_read)
{
	const char *path = write_file();
	struct ady_aws_credentials c;
	struct ady_fault f;

	clear_environment();
	CHECK_ERR(ady_aws_credential_file(path, NULL, &c, &f), ADY_OK);
	CHECK_STR(c.access_key, "AK1");
	CHECK_STR(c.secret_key, "s1");
	CHECK_STR(c.token, "");
	CHECK_ERR(ady_aws_credential_file(path, "other", &c, &f), ADY_OK);
	CHECK_STR(c.access_key, "AK2");
	CHECK_STR(c.secret_key, "a=b/c+d");
	CHECK_STR(c.token, "t2");
	CHECK_ERR(ady_aws_credential_file(path, "half", &c, &f), ADY_E_CREDENTIALS);
	CHECK_STR(c.access_key, "");
	CHECK_ERR(ady_aws_credential_file(path, "none", &c, &f), ADY_E_CREDENTIALS);
	CHECK_ERR(ady_aws_credential_file("/nonexistent/x", NULL, &c, &f), ADY_E_CREDENTIALS);
	CHECK(strstr(f.detail, "/nonexistent/x") != NULL);
	unlink(path);
}

CASE(the_usual_order_is_kept)
{
	const struct ady_aws_config config = {.region = "r", .timeout_ms = 500};
	const char *path = write_file();
	struct ady_aws_credentials c;
	struct ady_fault f;
	struct ady_aws *aws;

	clear_environment();
	CHECK_ERR(ady_aws_open(&aws, &config), ADY_OK);
	CHECK_ERR(ady_aws_find_credentials(aws, &c, &f), ADY_E_CREDENTIALS);
	CHECK(strncmp(f.detail, "IMDS: ", 6) == 0); /* it was the last to be asked */
	setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
	setenv("AWS_PROFILE", "other", 1);
	CHECK_ERR(ady_aws_find_credentials(aws, &c, &f), ADY_OK);
	CHECK_STR(c.access_key, "AK2");
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
	CHECK_ERR(ady_aws_find_credentials(aws, &c, &f), ADY_OK);
	CHECK_STR(c.access_key, "AKID");
	ady_aws_close(aws);
	unlink(path);
}

int main(void)
{
	RUN(the_environment_is_read);
	RUN(profiles_of_the_shared_file_are_read);
	RUN(the_usual_order_is_kept);
	return test_end();
}
