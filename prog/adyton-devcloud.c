/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton-devcloud: AWS's KMS, Secrets Manager, STS, instance metadata and Nitro Secure Module on
 * one machine, for development. All of it is in src/devcloud. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "devcloud/devcloud.h"

static const char HELP[] =
    "adyton-devcloud " ADY_VERSION " - a local stand-in for AWS. It is NOT AWS: for development\n"
    "and tests only. Whoever runs it can read every key in it.\n"
    "\n"
    "usage: adyton-devcloud --dir DIR [options]\n"
    "\n"
    "  --dir DIR            data folder: CA, server certificate, NSM root, database; it is made\n"
    "                       when missing and survives restarts\n"
    "  --listen tcp:H:P     KMS, Secrets Manager and STS over TLS (default tcp:127.0.0.1:0)\n"
    "  --imds tcp:H:P       instance metadata, version 2, plain HTTP (default tcp:127.0.0.1:0)\n"
    "  --nsm PATH           socket of the Nitro Secure Module (default DIR/nsm.sock)\n"
    "  --nsm-root FILE      trust the root in this PEM file instead of DIR/nsm-root.pem\n"
    "  --region NAME        (default us-east-1)\n"
    "  --account NUMBER     (default 111122223333)\n"
    "  --credential-ttl S   life of the instance's credentials (default 21600)\n"
    "  --role NAME=FILE     give role NAME the identity policy in FILE, making the role if it is\n"
    "                       new; may be repeated; the instance's role is adyton-instance\n"
    "  --accept-unsigned-documents\n"
    "                       take attestation documents of QEMU's NSM, which prove nothing; each\n"
    "                       use is warned about; for tests of the enclave's image\n"
    "  --fault FILE         faults on demand; see doc/devcloud.md\n"
    "  --json               print one JSON object on one line once requests are accepted\n"
    "  --verbose            log every call, not refused ones only\n"
    "  --help, --version\n"
    "\n"
    "examples:\n"
    "  adyton-devcloud --dir /tmp/cloud --listen tcp:127.0.0.1:4566\n"
    "  AWS_CA_BUNDLE=/tmp/cloud/ca.pem AWS_DEFAULT_REGION=us-east-1 \\\n"
    "    aws --endpoint-url https://localhost:4566 kms create-key\n"
    "\n"
    "exit codes: 0 ended by SIGINT or SIGTERM, 1 could not start, 2 wrong usage\n";

static struct ady_loop *running;

static void on_signal(int sig)
{
	(void)sig;
	ady_loop_stop(running);
}

struct options {
	struct ady_dev_config config;
	const char *listen, *imds;
	bool json, verbose;
};

static int usage(const char *why, const char *what)
{
	fprintf(stderr, "adyton-devcloud: %s%s%s; --help shows the options\n", why,
	        what ? ": " : "", what ? what : "");
	return 2;
}

static bool take_role(struct ady_dev_config *config, const char *value)
{
	if (config->roles_n == ADY_DEV_ROLES_MAX)
		return false;
	config->roles[config->roles_n++] = value;
	return true;
}

enum {
	OPT_DIR = 256,
	OPT_LISTEN,
	OPT_IMDS,
	OPT_NSM,
	OPT_ROOT,
	OPT_REGION,
	OPT_ACCOUNT,
	OPT_TTL,
	OPT_ROLE,
	OPT_FAULT,
	OPT_UNSIGNED,
	OPT_JSON,
	OPT_VERBOSE,
	OPT_HELP,
	OPT_VERSION
};

static const struct option LONG[] = {
    {"dir", required_argument, NULL, OPT_DIR},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"imds", required_argument, NULL, OPT_IMDS},
    {"nsm", required_argument, NULL, OPT_NSM},
    {"nsm-root", required_argument, NULL, OPT_ROOT},
    {"region", required_argument, NULL, OPT_REGION},
    {"account", required_argument, NULL, OPT_ACCOUNT},
    {"credential-ttl", required_argument, NULL, OPT_TTL},
    {"role", required_argument, NULL, OPT_ROLE},
    {"fault", required_argument, NULL, OPT_FAULT},
    {"accept-unsigned-documents", no_argument, NULL, OPT_UNSIGNED},
    {"json", no_argument, NULL, OPT_JSON},
    {"verbose", no_argument, NULL, OPT_VERBOSE},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {0},
};

/* A number of at most nine digits; -1: it is none. */
static int number(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && n < 10 && !text[n] ? (int)strtol(text, NULL, 10) : -1;
}

/* -1: go on; else the exit code. */
static int take(struct options *o, int opt, const char *value)
{
	/* In the order of their options. */
	const char **const texts[] = {&o->config.dir,    &o->listen,          &o->imds,
	                              &o->config.nsm,    &o->config.nsm_root, &o->config.region,
	                              &o->config.account};

	if (opt == OPT_HELP || opt == OPT_VERSION) {
		fputs(opt == OPT_HELP ? HELP : "adyton-devcloud " ADY_VERSION "\n", stdout);
		return 0;
	}
	if (opt == '?')
		return usage("an option is not known or lacks its value", NULL);
	if (opt <= OPT_ACCOUNT)
		*texts[opt - OPT_DIR] = value;
	else if (opt == OPT_TTL)
		o->config.credential_ttl_s = number(value);
	else if (opt == OPT_FAULT)
		o->config.faults = value;
	else if (opt == OPT_UNSIGNED)
		o->config.accept_unsigned = true;
	else if (opt == OPT_JSON)
		o->json = true;
	else if (opt == OPT_VERBOSE)
		o->verbose = true;
	else if (!take_role(&o->config, value))
		return usage("too many roles", NULL);
	return -1;
}

static int check(struct options *o)
{
	const char *region = o->config.region;
	struct ady_fault f;

	if (!o->config.dir)
		return usage("--dir is required", NULL);
	if (strspn(o->config.account, "0123456789") != 12 || o->config.account[12])
		return usage("--account takes twelve digits", o->config.account);
	if (!*region || strlen(region) > 31 ||
	    strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(region))
		return usage("--region takes a name like us-east-1", region);
	if (o->config.credential_ttl_s < 2 || o->config.credential_ttl_s > 43200)
		return usage("--credential-ttl takes 2 to 43200 seconds", NULL);
	if (ady_endpoint_parse(&o->config.api, o->listen, &f) != ADY_OK ||
	    o->config.api.kind != ADY_TCP)
		return usage("--listen takes tcp:HOST:PORT", o->listen);
	if (ady_endpoint_parse(&o->config.imds, o->imds, &f) != ADY_OK ||
	    o->config.imds.kind != ADY_TCP)
		return usage("--imds takes tcp:HOST:PORT", o->imds);
	return -1;
}

static int read_options(struct options *o, int argc, char **argv)
{
	int opt, rc;

	*o = (struct options){.listen = "tcp:127.0.0.1:0",
	                      .imds = "tcp:127.0.0.1:0",
	                      .config = {.region = "us-east-1",
	                                 .account = "111122223333",
	                                 .credential_ttl_s = 21600}};
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "", LONG, NULL)) != -1)
		if ((rc = take(o, opt, optarg)) >= 0)
			return rc;
	if (optind < argc)
		return usage("unexpected argument", argv[optind]);
	return check(o);
}

static void announce(const struct ady_devcloud *cloud, bool json)
{
	json_t *o = ady_devcloud_describe(cloud), *v;
	const char *name;

	fputs("adyton-devcloud: THIS IS NOT AWS. A local stand-in for development: its keys,\n"
	      "attestation documents and credentials protect nothing.\n",
	      stderr);
	if (json) {
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		json_object_foreach(o, name, v)
		{
			printf("%-18s %s\n", name, json_string_value(v));
		}
	}
	fflush(stdout);
	json_decref(o);
}

static int serve(const struct options *o, struct ady_loop *loop)
{
	struct sigaction stop = {.sa_handler = on_signal};
	struct ady_devcloud *cloud;
	struct ady_fault f = {0};

	if (ady_devcloud_open(&cloud, loop, &o->config, &f) != ADY_OK) {
		fprintf(stderr, "adyton-devcloud: %s%s%s\n", f.where, *f.where ? ": " : "",
		        f.detail);
		return 1;
	}
	running = loop;
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	announce(cloud, o->json);
	ady_loop_run(loop);
	ady_devcloud_close(cloud);
	return 0;
}

int main(int argc, char **argv)
{
	struct ady_loop *loop;
	struct options o;
	int rc = read_options(&o, argc, argv);

	if (rc >= 0)
		return rc;
	ady_log_open("adyton-devcloud", o.verbose ? ADY_LOG_DEBUG : ADY_LOG_INFO);
	signal(SIGPIPE, SIG_IGN);
	if (ady_loop_open(&loop) != ADY_OK) {
		fputs("adyton-devcloud: no event loop\n", stderr);
		return 1;
	}
	rc = serve(&o, loop);
	ady_loop_close(loop);
	return rc;
}
