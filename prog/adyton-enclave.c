/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton-enclave: the process that holds keys for the length of a signature. It reads one measured
 * configuration, gives up everything it will not need, and then talks to three parties only: the
 * gateway, which it does not trust, over one socket; KMS, through the gateway's relay, inside TLS;
 * and the Nitro Secure Module. Begin to read in src/enclave/start.c. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "enclave/config_file.h"
#include "enclave/harden.h"
#include "enclave/init.h"
#include "enclave/start.h"

static const char usage[] =
    "usage: adyton-enclave --config FILE [--check]\n"
    "       adyton-enclave --help | --version\n"
    "\n"
    "Serves signing requests of adyton-gateway inside a Nitro Enclave, or, with\n"
    "\"development\": true and a simulated NSM, as an ordinary process.\n"
    "\n"
    "  --config FILE  the measured configuration (JSON, doc/protocol.md)\n"
    "  --check        validate the configuration, print its SHA-384, and exit\n"
    "\n"
    "Started by a kernel as /init it takes no arguments, reads /enclave.json, and ends with\n"
    "\"adyton-enclave: stop STATUS REASON\" on the console and a reset of the machine.\n"
    "\n"
    "exit status: 0 stopped or checked, 2 usage, 3 configuration, 4 hardening, 5 NSM,\n"
    "             6 PCR16-31, 7 cannot listen, 8 resources, 11 entropy, 13 debug mode;\n"
    "             as /init also 9 kernel, 10 random generator, 12 clock source, 14 lost\n";

struct options {
	const char *config;
	bool check, help, version;
};

static bool read_options(struct options *o, int argc, char **argv)
{
	*o = (struct options){0};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
			o->config = argv[++i];
		else if (strcmp(argv[i], "--check") == 0)
			o->check = true;
		else if (strcmp(argv[i], "--help") == 0)
			o->help = true;
		else if (strcmp(argv[i], "--version") == 0)
			o->version = true;
		else
			return false;
	}
	return o->config || o->help || o->version;
}

static int print_check(const struct ady_enclave_config *c)
{
	char hash[2 * sizeof c->hash48 + 1];

	ady_hex_encode(hash, ady_bytes(c->hash48, sizeof c->hash48));
	printf("configuration: accepted\ndeployment: %s\ndevelopment: %s\nsha384: %s\n",
	       c->deployment, c->development ? "true" : "false", hash);
	return ADY_EXIT_OK;
}

static int refused(const char *file, const struct ady_fault *f, enum ady_err err)
{
	ADY_ERROR("refuses to start", "file=\"%s\" code=%s where=\"%s\" reason=\"%s\"", file,
	          ady_err_code(err), f->where, f->detail[0] ? f->detail : ady_err_text(err));
	return ADY_EXIT_CONFIG;
}

int main(int argc, char **argv)
{
	static struct ady_enclave_config config;
	struct ady_fault f = {0};
	struct options o;
	enum ady_err err;
	int fd;

	ady_log_open("adyton-enclave", ADY_LOG_INFO);
	if (ady_init_is(argv[0]))
		ady_init_run();
	if (!read_options(&o, argc, argv)) {
		fputs(usage, stderr);
		return ADY_EXIT_USAGE;
	}
	if (o.help || o.version) {
		fputs(o.help ? usage : "adyton-enclave " ADY_VERSION "\n", stdout);
		return ADY_EXIT_OK;
	}
	if (ady_harden_process(&f) != ADY_OK) {
		ADY_ERROR("refuses to start", "reason=\"%s\"", f.detail);
		return ADY_EXIT_HARDEN;
	}
	err = ady_config_file_read(&config, &fd, o.config, &f);
	if (err != ADY_OK)
		return refused(o.config, &f, err);
	if (o.check)
		return print_check(&config);
	return (int)ady_enclave_run(
	    &(struct ady_enclave_start){.config = &config, .config_fd = fd});
}
