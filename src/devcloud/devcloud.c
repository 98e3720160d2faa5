/* SPDX-License-Identifier: Apache-2.0
 *
 * Order of opening: folder, CA, database, identities, NSM (it makes the root that KMS trusts),
 * listeners. */
#include "devcloud/devcloud.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "crypto/rng.h"
#include "devcloud/ca.h"
#include "devcloud/identity.h"
#include "devcloud/imds.h"
#include "devcloud/keyring.h"
#include "devcloud/nsm.h"
#include "devcloud/recipient.h"
#include "devcloud/serve.h"

enum { PATH_SIZE = 4096, BODY_MAX = 1024 * 1024, CONNECTION_MS = 24 * 3600 * 1000 };

static const char ROLE[] = "adyton-instance";

struct ady_devcloud {
	struct ady_dev_config config;
	struct ady_dev_cloud cloud;
	struct ady_dev_serve serve;
	struct ady_dev_nsm *nsm;
	struct ady_http_server *api, *api_v6, *imds;
	uint32_t api_port, imds_port;
	char dir[PATH_SIZE], nsm_path[PATH_SIZE], nsm_root[PATH_SIZE];
};

static enum ady_err join(char out[static PATH_SIZE], const char *dir, const char *name,
                         struct ady_fault *f)
{
	if (snprintf(out, PATH_SIZE, "%s/%s", dir, name) < PATH_SIZE)
		return ADY_OK;
	return ady_fail(f, ADY_E_CONFIG, "dir", "is too long");
}

/* The folder by its absolute path: what is printed of it must hold for every reader. */
static enum ady_err prepare_dir(struct ady_devcloud *d, struct ady_fault *f)
{
	char path[PATH_SIZE];

	if (mkdir(d->config.dir, 0700) < 0 && errno != EEXIST)
		return ady_fail(f, ADY_E_IO, "dir", "cannot make %s: %s", d->config.dir,
		                strerror(errno));
	if (!realpath(d->config.dir, path) || strlen(path) > PATH_SIZE - 64)
		return ady_fail(f, ADY_E_IO, "dir", "cannot find %s", d->config.dir);
	memcpy(d->dir, path, sizeof d->dir);
	return ADY_OK;
}

/* The instance keeps its id over restarts: PCR4 is made of it. */
static enum ady_err load_instance_id(struct ady_dev_cloud *cloud)
{
	uint8_t r[8];
	char hex[17], id[32];
	sqlite3_stmt *row;
	enum ady_err err;

	ady_random(r, sizeof r);
	ady_hex_encode(hex, ady_bytes(r, sizeof r));
	snprintf(id, sizeof id, "i-0%s", hex);
	err = ady_dev_db_run(cloud->db,
	                     "INSERT OR IGNORE INTO meta (name, value) VALUES ('instance_id', ?1)",
	                     "s", id);
	row = ady_dev_db_query(cloud->db, "SELECT value FROM meta WHERE name = 'instance_id'", "");
	if (err != ADY_OK || !ady_dev_db_row(row))
		return ADY_E_STORE;
	snprintf(cloud->instance_id, sizeof cloud->instance_id, "%s", ady_dev_db_text(row, 0));
	ady_dev_db_done(row);
	return ADY_OK;
}

static enum ady_err set_role(struct ady_dev_cloud *cloud, const char *assignment,
                             struct ady_fault *f)
{
	const char *eq = strchr(assignment, '=');
	char name[65], *text;
	json_t *policy;
	enum ady_err err;

	if (!eq ||
	    !ady_bytes_to_str(name, sizeof name, ady_bytes(assignment, (size_t)(eq - assignment))))
		return ady_fail(f, ADY_E_CONFIG, "role", "is not of the form NAME=FILE");
	policy = json_load_file(eq + 1, JSON_REJECT_DUPLICATES, NULL);
	text = policy ? json_dumps(policy, JSON_COMPACT) : NULL;
	json_decref(policy);
	if (!text)
		return ady_fail(f, ADY_E_CONFIG, "role", "%s is not a JSON file", eq + 1);
	err = ady_dev_role_set(cloud, name, text, f);
	free(text);
	return err;
}

/* Files that came by a copy or an unpacked archive are as private as those made here. */
static void make_private(const struct ady_devcloud *d)
{
	static const char *const names[] = {"ca-key.pem",          "server-key.pem",
	                                    "nsm-root-key.pem",    "devcloud.sqlite",
	                                    "devcloud.sqlite-wal", "devcloud.sqlite-shm"};
	char path[PATH_SIZE];
	struct ady_fault f;
	struct stat st;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (join(path, d->dir, names[i], &f) != ADY_OK || lstat(path, &st) < 0 ||
		    !S_ISREG(st.st_mode) || !(st.st_mode & 077))
			continue;
		if (chmod(path, 0600) == 0)
			ADY_WARN("others could read this file; now they cannot", "path=%s", path);
		else
			ADY_WARN("others can read this file", "path=%s", path);
	}
}

static enum ady_err open_state(struct ady_devcloud *d, struct ady_fault *f)
{
	char path[PATH_SIZE];
	enum ady_err err;

	make_private(d);
	if ((err = ady_dev_ca_prepare(d->dir, d->config.region, f)) != ADY_OK ||
	    (err = join(path, d->dir, "devcloud.sqlite", f)) != ADY_OK ||
	    (err = ady_dev_db_open(&d->cloud.db, path, f)) != ADY_OK ||
	    (err = ady_dev_identity_open(&d->cloud, f)) != ADY_OK)
		return err;
	for (size_t i = 0; i < d->config.roles_n; i++)
		if ((err = set_role(&d->cloud, d->config.roles[i], f)) != ADY_OK)
			return err;
	if ((err = load_instance_id(&d->cloud)) != ADY_OK ||
	    (err = ady_dev_keyring_open(&d->cloud)) != ADY_OK)
		return ady_fail(f, err, "dir", "the database cannot be used");
	return ADY_OK;
}

static enum ady_err open_nsm(struct ady_devcloud *d, struct ady_fault *f)
{
	char role_arn[160];
	struct ady_dev_nsm_config config = {.socket_path = d->nsm_path,
	                                    .data_dir = d->dir,
	                                    .role_arn = role_arn,
	                                    .instance_id = d->cloud.instance_id,
	                                    .region = d->config.region};
	enum ady_err err;

	snprintf(role_arn, sizeof role_arn, "arn:aws:iam::%s:role/%s", d->cloud.account, ROLE);
	if (d->config.nsm)
		snprintf(d->nsm_path, PATH_SIZE, "%s", d->config.nsm);
	else if ((err = join(d->nsm_path, d->dir, "nsm.sock", f)) != ADY_OK)
		return err;
	if ((err = join(d->nsm_root, d->dir, "nsm-root.pem", f)) != ADY_OK ||
	    (err = ady_dev_nsm_open(&d->nsm, d->serve.loop, &config, f)) != ADY_OK)
		return err;
	return ady_dev_documents_open(&d->cloud,
	                              d->config.nsm_root ? d->config.nsm_root : d->nsm_root, f);
}

static struct ady_http_config http_config(struct ady_devcloud *d, struct ady_endpoint listen,
                                          void (*request)(void *, struct ady_http_request *))
{
	struct ady_http_config http = {.listen = listen,
	                               .limits = ady_http_default_limits(),
	                               .request = request,
	                               .ctx = &d->serve};

	http.limits.body_max = BODY_MAX;
	/* A client that keeps its connections finds them open, as at AWS. */
	http.limits.requests_max = SIZE_MAX;
	http.limits.connection_ms = CONNECTION_MS;
	return http;
}

/* The endpoint that is told is at "localhost", which is ::1 first where /etc/hosts has both, and
 * Node 18 tries no other address. A machine without IPv6 has no ::1. */
static void open_v6(struct ady_devcloud *d, struct ady_http_config api)
{
	struct ady_fault f = {0};

	if (strcmp(api.listen.path, "127.0.0.1") != 0)
		return;
	snprintf(api.listen.path, sizeof api.listen.path, "::1");
	if (ady_http_server_open(&d->api_v6, d->serve.loop, &api, &f) != ADY_OK)
		ADY_INFO("not at ::1", "reason=\"%s\"", f.detail);
}

static enum ady_err open_listeners(struct ady_devcloud *d, struct ady_fault *f)
{
	struct ady_http_config api = http_config(d, d->config.api, ady_dev_serve);
	struct ady_http_config imds = http_config(d, d->config.imds, ady_dev_imds);
	char cert[PATH_SIZE], key[PATH_SIZE];
	enum ady_err err;

	if ((err = join(cert, d->dir, "server.pem", f)) != ADY_OK ||
	    (err = join(key, d->dir, "server-key.pem", f)) != ADY_OK ||
	    (err = ady_tls_server(&api.tls, cert, key, NULL, f)) != ADY_OK)
		return err;
	err = ady_http_server_open(&d->api, d->serve.loop, &api, f);
	if (err == ADY_OK)
		open_v6(d, api);
	SSL_CTX_free(api.tls);
	if (err != ADY_OK ||
	    (err = ady_http_server_open(&d->imds, d->serve.loop, &imds, f)) != ADY_OK)
		return err;
	d->api_port = api.listen.port;
	d->imds_port = imds.listen.port;
	return ADY_OK;
}

static enum ady_err open_all(struct ady_devcloud *d, struct ady_fault *f)
{
	enum ady_err err;

	if ((err = prepare_dir(d, f)) != ADY_OK || (err = open_state(d, f)) != ADY_OK ||
	    (err = open_nsm(d, f)) != ADY_OK)
		return err;
	if (d->config.faults &&
	    (err = ady_dev_faults_open(&d->serve.faults, d->config.faults)) != ADY_OK)
		return ady_fail(f, err, "fault", "no memory");
	return open_listeners(d, f);
}

enum ady_err ady_devcloud_open(struct ady_devcloud **cloud, struct ady_loop *loop,
                               const struct ady_dev_config *config, struct ady_fault *f)
{
	struct ady_devcloud *d = (struct ady_devcloud *)calloc(1, sizeof *d);
	enum ady_err err;

	*cloud = NULL;
	if (!d)
		return ady_fail(f, ADY_E_MEMORY, NULL, "no memory");
	d->config = *config;
	d->serve = (struct ady_dev_serve){.cloud = &d->cloud, .loop = loop};
	d->cloud.credential_ttl_s = config->credential_ttl_s;
	d->cloud.accept_unsigned = config->accept_unsigned;
	if (config->accept_unsigned)
		ADY_WARN("attestation documents without proof are taken", "%s", "");
	snprintf(d->cloud.region, sizeof d->cloud.region, "%s", config->region);
	snprintf(d->cloud.account, sizeof d->cloud.account, "%s", config->account);
	snprintf(d->cloud.role_name, sizeof d->cloud.role_name, "%s", ROLE);
	if ((err = open_all(d, f)) != ADY_OK) {
		ady_devcloud_close(d);
		return err;
	}
	*cloud = d;
	return ADY_OK;
}

void ady_devcloud_close(struct ady_devcloud *cloud)
{
	if (!cloud)
		return;
	ady_http_server_close(cloud->api);
	ady_http_server_close(cloud->api_v6);
	ady_http_server_close(cloud->imds);
	ady_dev_nsm_close(cloud->nsm);
	ady_dev_faults_close(cloud->serve.faults);
	ady_dev_documents_close(&cloud->cloud);
	ady_dev_keyring_close(&cloud->cloud);
	ady_dev_identity_close(&cloud->cloud);
	ady_dev_db_close(cloud->cloud.db);
	free(cloud);
}

json_t *ady_devcloud_describe(const struct ady_devcloud *d)
{
	/* Wiped below; jansson's copy is what is asked for. */
	struct ady_dev_cloud cloud = d->cloud;
	struct ady_aws_credentials k;
	json_t *o;

	if (ady_dev_administrator(&cloud, &k) != ADY_OK)
		return NULL;
	o = json_pack("{s:o, s:o, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:s}", "endpoint",
	              json_sprintf("https://localhost:%u", d->api_port), "imds",
	              json_sprintf("http://127.0.0.1:%u", d->imds_port), "nsm", d->nsm_path,
	              "ca_file", json_sprintf("%s/ca.pem", d->dir), "nsm_root_file",
	              d->config.nsm_root ? d->config.nsm_root : d->nsm_root, "region",
	              d->cloud.region, "account_id", d->cloud.account, "access_key_id",
	              k.access_key, "secret_access_key", k.secret_key, "role_arn",
	              json_sprintf("arn:aws:iam::%s:role/%s", d->cloud.account, ROLE),
	              "instance_id", d->cloud.instance_id);
	ady_aws_credentials_wipe(&k);
	return o;
}
