/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets Manager against the suite of all stores: adyton-devcloud of the same build stands in for
 * AWS (it is simulated), a new one for each empty store. */
#include "store/secrets.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "suite.h"

static char folder[64], program[512], line[4096];
static pid_t cloud;
static struct ady_aws_credentials administrator;
static char endpoint[128], ca_file[128], region[32];

static void end_cloud(void)
{
	char command[96];

	if (!cloud)
		return;
	kill(cloud, SIGKILL);
	waitpid(cloud, NULL, 0);
	cloud = 0;
	snprintf(command, sizeof command, "rm -rf %s", folder);
	(void)!system(command); /* NOLINT(cert-env33-c): a folder of the test's own */
}

static void run_cloud(int out)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDOUT_FILENO);
	(void)!freopen("/dev/null", "w", stderr);
	execl(program, program, "--dir", folder, "--json", (char *)NULL);
	_exit(127);
}

static void take(const json_t *o, const char *name, char *out, size_t cap)
{
	const char *v = json_string_value(json_object_get(o, name));

	CHECK(v != NULL);
	snprintf(out, cap, "%s", v ? v : "");
}

/* Start an empty one, and wait until it says where it is. */
static bool start_cloud(void)
{
	size_t n = 0;
	ssize_t got;
	json_t *o;
	int fd[2];

	snprintf(folder, sizeof folder, "/tmp/ady-secrets-XXXXXX");
	if (!mkdtemp(folder) || pipe(fd) != 0)
		return false;
	cloud = fork();
	if (cloud == 0)
		run_cloud(fd[1]);
	close(fd[1]);
	while (n + 1 < sizeof line && !memchr(line, '\n', n) &&
	       (got = read(fd[0], line + n, sizeof line - 1 - n)) > 0)
		n += (size_t)got;
	close(fd[0]);
	o = json_loadb(line, n, JSON_DISABLE_EOF_CHECK, NULL);
	if (!CHECK(o != NULL)) {
		fprintf(stderr, "    %s did not start\n", program);
		return false;
	}
	take(o, "endpoint", endpoint, sizeof endpoint);
	take(o, "ca_file", ca_file, sizeof ca_file);
	take(o, "region", region, sizeof region);
	take(o, "access_key_id", administrator.access_key, sizeof administrator.access_key);
	take(o, "secret_access_key", administrator.secret_key, sizeof administrator.secret_key);
	json_decref(o);
	return true;
}

static uint64_t credentials(void *ctx, struct ady_aws_credentials *out)
{
	(void)ctx;
	*out = administrator;
	return 1;
}

static bool await(void *ctx, uint64_t used)
{
	(void)ctx, (void)used;
	return false;
}

static struct ady_records *open_secrets(bool fresh)
{
	struct ady_secrets_config config = {
	    .prefix = "", .index_ms = 3600000, .credentials = credentials, .await = await};
	struct ady_fault f = {0};
	struct ady_records *r = NULL;

	if (fresh) {
		end_cloud();
		if (!start_cloud())
			exit(1);
	}
	config.aws = (struct ady_aws_config){
	    .endpoint = endpoint, .region = region, .ca_file = ca_file, .timeout_ms = 15000};
	if (!CHECK_ERR(ady_secrets_open(&r, &config, SUITE_WORKERS, &f), ADY_OK))
		fprintf(stderr, "    %s\n", f.detail);
	return r;
}

/* .../tests/store/test_secrets: the programs are two folders above. */
static bool find_program(void)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
	char *cut;

	for (int i = 0; n > 0 && i < 3; i++) {
		program[n] = '\0';
		if (!(cut = strrchr(program, '/')))
			return false;
		n = cut - program;
	}
	if (n <= 0)
		return false;
	snprintf(program + n, sizeof program - (size_t)n, "/adyton-devcloud");
	return access(program, X_OK) == 0;
}

CASE(an_id_that_no_secret_can_have_is_refused_as_such)
{
	struct ady_entry e = suite_entry("a:b", "acme", 0, 5, NULL), *list = &e;
	struct ady_fault f = {0};

	suite_begin();
	CHECK_ERR(ady_records_create(records, 0, &list, 1, &f), ADY_E_FIELD_INVALID);
	CHECK_STR(f.where, "id");
	ady_entry_clear(&e);
	suite_end();
}

CASE(records_in_secrets_manager)
{
	test_skip("adyton-devcloud is not built; left out: the store's whole suite on it");
}

int main(void)
{
	static const struct suite s = {.open = open_secrets, .one_revision = true};

	if (!find_program()) {
		RUN(records_in_secrets_manager);
		return test_end();
	}
	suite_run(&s);
	RUN(an_id_that_no_secret_can_have_is_refused_as_such);
	end_cloud();
	return test_end();
}
