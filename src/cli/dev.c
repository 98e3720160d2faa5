/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "aws/measure.h"
#include "base/text.h"
#include "cli/fault.h"
#include "cli/stack.h"

static void print_env(const json_t *stack)
{
	static const char *const lines[][2] = {
	    {"ADYTON_GATEWAY", "gateway"},
	    {"ADYTON_KEY_ARN", "key_arn"},
	    {"ADYTON_NSM_ROOT", "nsm_root_file"},
	    {"AWS_ACCESS_KEY_ID", "access_key_id"},
	    {"AWS_SECRET_ACCESS_KEY", "secret_access_key"},
	    {"AWS_REGION", "region"},
	    {"AWS_DEFAULT_REGION", "region"},
	    {"AWS_ENDPOINT_URL", "devcloud"},
	    {"AWS_CA_BUNDLE", "ca_file"},
	    {"NODE_EXTRA_CA_CERTS", "ca_file"},
	    {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "imds"},
	};

	printf(
	    "# a local stack: AWS is simulated\nunset AWS_SESSION_TOKEN AWS_PROFILE ADYTON_CA\n");
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		printf("export %s=", lines[i][0]);
		ady_cli_put_quoted(ady_stack_text(stack, lines[i][1]));
		putchar('\n');
	}
}

int ady_cmd_dev_env(const struct ady_command *self, int argc, char **argv)
{
	const char *dir = NULL;
	bool json = false;
	struct ady_values rest;
	struct ady_fault f = {0};
	json_t *stack;
	const struct ady_option options[] = {
	    {"dir", "DIR", "of the stack (./.adyton-dev)", .text = &dir},
	    {"json", NULL, "stack.json on one line instead", .flag = &json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n)
		return ady_cli_usage(self, "there is no argument %s", rest.v[0]);
	if (ady_stack_load(&stack, dir ? dir : ".adyton-dev", &f) != ADY_OK) {
		(void)ady_cli_fault(&f, "read the stack",
		                    "Start one: adyton dev up --dir DIR; or name it with --dir");
		return ADY_EXIT_FAILED;
	}
	if (json) {
		json_dumpf(stack, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		print_env(stack);
	}
	json_decref(stack);
	return ADY_EXIT_OK;
}

static void print_measurement(const struct ady_measurement *m, bool json)
{
	char hex[3][97];

	for (unsigned i = 0; i < 3; i++)
		ady_hex_encode(hex[i], ady_bytes(m->pcr[i], 48));
	if (json)
		printf("{\"pcr0\":\"%s\",\"pcr1\":\"%s\",\"pcr2\":\"%s\"}\n", hex[0], hex[1],
		       hex[2]);
	else
		printf("PCR0  %s  program and configuration\nPCR1  %s  program\n"
		       "PCR2  %s  configuration\n",
		       hex[0], hex[1], hex[2]);
}

int ady_cmd_dev_measure(const struct ady_command *self, int argc, char **argv)
{
	const char *enclave = NULL, *config = NULL;
	bool json = false;
	struct ady_values rest;
	struct ady_measurement m;
	struct ady_fault f = {0};
	enum ady_err err;
	int fds[2];
	const struct ady_option options[] = {
	    {"enclave", "FILE", "the program adyton-enclave", .text = &enclave},
	    {"config", "FILE", "its configuration", .text = &config},
	    {"json", NULL, "one JSON object on one line", .flag = &json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (!enclave || !config || rest.n)
		return ady_cli_usage(self, "--enclave and --config are needed, and nothing else");
	fds[0] = open(enclave, O_RDONLY | O_CLOEXEC);
	fds[1] = open(config, O_RDONLY | O_CLOEXEC);
	if (fds[0] < 0 || fds[1] < 0)
		err = ady_fail(&f, ADY_E_IO, NULL, "%s: %s", fds[0] < 0 ? enclave : config,
		               strerror(errno));
	else
		err = ady_measure_files(&m, fds[0], fds[1], &f);
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (err != ADY_OK)
		return ady_cli_fault(&f, "measure", NULL);
	print_measurement(&m, json);
	return ADY_EXIT_OK;
}
