/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/file.h"
#include "cli/policy.h"
#include "crypto/hash.h"

enum { SOCKET_NAME_MAX = 20, AWS_TIMEOUT_MS = 15000 };

static enum ady_err make_dir(const char *path, struct ady_fault *f)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return ady_fail(f, ADY_E_IO, NULL, "%s: %s", path, strerror(errno));
	return ADY_OK;
}

static enum ady_err make_dirs(const struct ady_stack *s, struct ady_fault *f)
{
	static const char *const names[] = {"log", "run", "devcloud"};
	char path[PATH_MAX];
	enum ady_err err = ADY_OK;

	for (size_t i = 0; i < sizeof names / sizeof *names && err == ADY_OK; i++) {
		snprintf(path, sizeof path, "%s/%s", s->dir, names[i]);
		err = make_dir(path, f);
	}
	return err;
}

/* A folder in a place that others may write to is ours only if it is a folder, owned by us, and
 * nobody else may look into it. */
static enum ady_err make_private_dir(const char *path, struct ady_fault *f)
{
	struct stat st;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return ady_fail(f, ADY_E_IO, NULL, "%s: %s", path, strerror(errno));
	if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 077))
		return ady_fail(f, ADY_E_IO, NULL, "%s is not a private folder of ours", path);
	return ADY_OK;
}

/* sockaddr_un holds 107 bytes. The short folder's name follows from the long one, so that a
 * restart measures the same configuration. */
static enum ady_err find_run_dir(struct ady_stack *s, struct ady_fault *f)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	uint8_t hash[32];
	char hex[65];

	if (strlen(s->dir) + strlen("/run/") + SOCKET_NAME_MAX < sizeof s->run) {
		snprintf(s->run, sizeof s->run, "%.60s/run", s->dir);
		return ADY_OK;
	}
	if (!base || base[0] != '/' || strlen(base) > 40)
		base = "/tmp";
	ady_sha256(hash, (struct ady_bytes[]){ady_bytes_str(s->dir)}, 1);
	ady_hex_encode(hex, ady_bytes(hash, sizeof hash));
	snprintf(s->run, sizeof s->run, "%.40s/adyton-%u-%.12s", base, (unsigned)geteuid(), hex);
	return make_private_dir(s->run, f);
}

static enum ady_err lock(struct ady_stack *s, struct ady_fault *f)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/lock", s->dir);
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock < 0)
		return ady_fail(f, ADY_E_IO, NULL, "%s: %s", path, strerror(errno));
	if (flock(s->lock, LOCK_EX | LOCK_NB) != 0)
		return ady_fail(f, ADY_E_CONFIG, NULL,
		                "a stack runs in %s already; stop it, or give another --dir",
		                s->dir);
	return ADY_OK;
}

static int bind_port(bool shared, int port, int *bound)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_port = htons((uint16_t)port),
	                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){shared}, sizeof(int)) == 0 &&
	    bind(fd, (struct sockaddr *)&address, n) == 0 &&
	    getsockname(fd, (struct sockaddr *)&address, &n) == 0) {
		*bound = ntohs(address.sin_port);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Keep the port from others by a socket that does not listen; the gateway listens beside it
 * (SO_REUSEPORT), also when it is started again. First make sure that nobody listens there. */
static enum ady_err reserve(struct ady_stack *s, int port, struct ady_fault *f)
{
	int probe = bind_port(false, port, &s->port);

	if (probe >= 0)
		close(probe);
	if (probe >= 0)
		s->reserved = bind_port(true, s->port, &s->port);
	if (s->reserved < 0)
		return ady_fail(f, ADY_E_IO, NULL, "port %d: %s", port, strerror(errno));
	return ADY_OK;
}

static enum ady_err find_programs(struct ady_stack *s, const char *bin, struct ady_fault *f)
{
	static const char *const names[] = {"adyton-devcloud", "adyton-enclave", "adyton-gateway"};
	char path[PATH_MAX];
	ssize_t n;

	if (bin) {
		if (!realpath(bin, path))
			return ady_fail(f, ADY_E_IO, NULL, "%s: %s", bin, strerror(errno));
		snprintf(s->bin, sizeof s->bin, "%.*s", (int)sizeof s->bin - 1, path);
	} else {
		n = readlink("/proc/self/exe", s->bin, sizeof s->bin - 1);
		if (n > 0)
			s->bin[n] = 0;
		if (n <= 0 || !strrchr(s->bin, '/'))
			return ady_fail(f, ADY_E_IO, NULL, "cannot find the programs; give --bin");
		*strrchr(s->bin, '/') = 0;
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", s->bin, names[i]);
		if (access(path, X_OK) != 0)
			return ady_fail(f, ADY_E_IO, NULL,
			                "no program %s; build it (make), or give "
			                "--bin",
			                path);
	}
	return ADY_OK;
}

enum ady_err ady_stack_open(struct ady_stack *s, const char *dir, const char *bin, int port,
                            struct ady_fault *f)
{
	char path[PATH_MAX];
	enum ady_err err;

	*s = (struct ady_stack){.lock = -1, .reserved = -1};
	err = find_programs(s, bin, f);
	if (err == ADY_OK)
		err = make_dir(dir, f);
	if (err != ADY_OK)
		return err;
	if (!realpath(dir, path) || strlen(path) >= sizeof s->dir)
		return ady_fail(f, ADY_E_IO, NULL, "%s: %s", dir, strerror(errno));
	snprintf(s->dir, sizeof s->dir, "%.*s", (int)sizeof s->dir - 1, path);
	err = lock(s, f);
	if (err == ADY_OK)
		err = make_dirs(s, f);
	if (err == ADY_OK)
		err = find_run_dir(s, f);
	return err == ADY_OK ? reserve(s, port, f) : err;
}

void ady_stack_close(struct ady_stack *s)
{
	json_decref(s->cloud);
	s->cloud = NULL;
	if (s->reserved >= 0)
		close(s->reserved);
	if (s->lock >= 0)
		close(s->lock);
	s->reserved = s->lock = -1;
}

const char *ady_stack_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

/* The administrator of the local AWS, by what devcloud printed. */
static enum ady_err call(struct ady_stack *s, const char *target, json_t *body, json_t **reply,
                         struct ady_fault *f)
{
	struct ady_aws_credentials administrator = {0};
	struct ady_aws_config config = {.endpoint = ady_stack_text(s->cloud, "endpoint"),
	                                .region = ady_stack_text(s->cloud, "region"),
	                                .ca_file = ady_stack_text(s->cloud, "ca_file"),
	                                .timeout_ms = AWS_TIMEOUT_MS};
	struct ady_aws *aws;
	enum ady_err err = ady_aws_open(&aws, &config);

	*reply = NULL;
	if (err != ADY_OK || !body) {
		ady_aws_close(aws);
		return ady_fail(f, ADY_E_INTERNAL, NULL, "no client for the local AWS");
	}
	snprintf(administrator.access_key, sizeof administrator.access_key, "%s",
	         ady_stack_text(s->cloud, "access_key_id"));
	snprintf(administrator.secret_key, sizeof administrator.secret_key, "%s",
	         ady_stack_text(s->cloud, "secret_access_key"));
	err = ady_aws_json(aws, &administrator, "kms", target, body, reply, f);
	json_decref(body);
	ady_aws_close(aws);
	ady_aws_credentials_wipe(&administrator);
	return err;
}

static bool key_usable(struct ady_stack *s, const char *arn)
{
	json_t *reply = NULL;
	struct ady_fault f = {0};
	const json_t *meta;
	bool ok;

	if (!arn[0] || call(s, "TrentService.DescribeKey", json_pack("{ss}", "KeyId", arn), &reply,
	                    &f) != ADY_OK)
		return false;
	meta = json_object_get(reply, "KeyMetadata");
	ok = strcmp(ady_stack_text(meta, "KeyState"), "Enabled") == 0;
	json_decref(reply);
	return ok;
}

static char *policy_text(const struct ady_stack *s, const struct ady_measurement *pcr)
{
	const struct ady_policy policy = {.account = ady_stack_text(s->cloud, "account_id"),
	                                  .role_arn = ady_stack_text(s->cloud, "role_arn"),
	                                  .pcr = pcr};
	json_t *json = ady_policy_json(&policy);
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text;
}

enum ady_err ady_stack_key(struct ady_stack *s, struct ady_fault *f)
{
	struct ady_fault none = {0};
	json_t *before = NULL, *reply = NULL;
	enum ady_err err;
	char *policy;

	if (ady_stack_load(&before, s->dir, &none) == ADY_OK)
		snprintf(s->key_arn, sizeof s->key_arn, "%s", ady_stack_text(before, "key_arn"));
	json_decref(before);
	if (key_usable(s, s->key_arn))
		return ADY_OK;
	policy = policy_text(s, NULL);
	err = call(s, "TrentService.CreateKey",
	           json_pack("{ssss}", "Description", "Adyton development stack", "Policy", policy),
	           &reply, f);
	free(policy);
	if (err == ADY_OK)
		snprintf(s->key_arn, sizeof s->key_arn, "%s",
		         ady_stack_text(json_object_get(reply, "KeyMetadata"), "Arn"));
	json_decref(reply);
	return err;
}

enum ady_err ady_stack_measure(struct ady_stack *s, struct ady_fault *f)
{
	char program[PATH_MAX], config[PATH_MAX];
	enum ady_err err;
	int fds[2];

	snprintf(program, sizeof program, "%s/adyton-enclave", s->bin);
	snprintf(config, sizeof config, "%s/enclave.json", s->dir);
	fds[0] = open(program, O_RDONLY | O_CLOEXEC);
	fds[1] = open(config, O_RDONLY | O_CLOEXEC);
	err = ady_measure_files(&s->pcr, fds[0], fds[1], f);
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return err;
}

enum ady_err ady_stack_admit(struct ady_stack *s, struct ady_fault *f)
{
	char *policy = policy_text(s, &s->pcr);
	json_t *reply = NULL;
	enum ady_err err = call(
	    s, "TrentService.PutKeyPolicy",
	    json_pack("{ssssss}", "KeyId", s->key_arn, "PolicyName", "default", "Policy", policy),
	    &reply, f);

	free(policy);
	json_decref(reply);
	return err;
}
