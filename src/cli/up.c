/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/child.h"
#include "cli/fault.h"
#include "cli/gateway.h"
#include "cli/signals.h"
#include "cli/stack.h"

/* In the order in which they start; they stop in the opposite one. */
enum which { DEVCLOUD, ENCLAVE, GATEWAY, CHILDREN };

enum {
	READY_VM_MS = 150000, /* for /readyz, when a machine is emulated as well */
	READY_MS = 30000,     /* for devcloud's line and for /readyz */
	SAY_MS = 2000,        /* what takes longer is reported */
	STOP_MS = 5000,       /* between SIGTERM and SIGKILL */
};

struct up {
	struct ady_stack stack;
	struct ady_child children[CHILDREN];
	struct ady_values enclave, gateway, devcloud; /* options to pass on */
	const char *dir, *bin, *port_text, *image, *kernel, *memory;
	struct ady_signals signals;
	int port;
	bool json, vm;
};

static void say_last_words(const struct ady_child *c)
{
	struct ady_dyn text = {0};

	ady_child_last_words(c, &text, 1500);
	if (text.n)
		fprintf(stderr, "  the end of %s:\n%s\n", c->log, ady_dyn_cstr(&text));
	ady_dyn_free(&text);
}

static enum ady_err prepare_child(struct up *up, enum which which, const char *name,
                                  const char *const *args)
{
	struct ady_child *c = &up->children[which];
	char program[PATH_MAX], log[PATH_MAX];
	enum ady_err err = ADY_OK;

	snprintf(program, sizeof program, "%s/adyton-%s", up->stack.bin, name);
	snprintf(log, sizeof log, "%s/log/%s.log", up->stack.dir, name);
	ady_child_init(c, name, program, log);
	for (; *args && err == ADY_OK; args++)
		err = ady_child_arg(c, *args);
	return err;
}

/* Start devcloud and read the line that it prints once it accepts requests. */
static enum ady_err start_devcloud(struct up *up, struct ady_fault *f)
{
	struct ady_child *c = &up->children[DEVCLOUD];
	struct ady_dyn line = {0};
	json_t *cloud = NULL;
	enum ady_err err = ady_child_start(c, true, f);

	if (err == ADY_OK) {
		err = ady_child_line(c, &line, READY_MS);
		cloud = json_loadb((const char *)line.p, line.n, 0, NULL);
	}
	ady_dyn_free(&line);
	if (err == ADY_OK && !cloud)
		err = ADY_E_PROTOCOL;
	if (err != ADY_OK)
		return ady_fail(f, ADY_E_IO, "adyton-devcloud", "did not become ready");
	json_decref(up->stack.cloud);
	up->stack.cloud = cloud;
	return ADY_OK;
}

static enum ady_err first_devcloud(struct up *up, struct ady_fault *f)
{
	char data[PATH_MAX], nsm[PATH_MAX];
	const char *args[] = {"--dir", data, "--nsm", nsm, "--json", NULL};
	enum ady_err err;

	snprintf(data, sizeof data, "%s/devcloud", up->stack.dir);
	snprintf(nsm, sizeof nsm, "%s/nsm.sock", up->stack.run);
	err = prepare_child(up, DEVCLOUD, "devcloud", args);
	for (size_t i = 0; i < up->devcloud.n && err == ADY_OK; i++)
		err = ady_child_arg(&up->children[DEVCLOUD], up->devcloud.v[i]);
	if (err == ADY_OK && up->stack.vm)
		err = ady_child_arg(&up->children[DEVCLOUD], "--accept-unsigned-documents");
	return err == ADY_OK ? start_devcloud(up, f) : err;
}

static bool has_argument(const struct ady_child *c, const char *name)
{
	for (size_t i = 0; i < c->argc; i++)
		if (strcmp(c->argv[i], name) == 0)
			return true;
	return false;
}

/* Enclave and clients know devcloud's ports: when it is started again it must have the same. */
static enum ady_err pin_ports(struct up *up)
{
	static const char *const pairs[][2] = {{"--listen", "endpoint"}, {"--imds", "imds"}};
	struct ady_child *c = &up->children[DEVCLOUD];
	enum ady_err err = ADY_OK;

	for (size_t i = 0; i < 2 && err == ADY_OK; i++) {
		const char *colon = strrchr(ady_stack_text(up->stack.cloud, pairs[i][1]), ':');
		char endpoint[64];

		if (!colon || has_argument(c, pairs[i][0]))
			continue;
		snprintf(endpoint, sizeof endpoint, "tcp:127.0.0.1:%.5s", colon + 1);
		err = ady_child_arg(c, pairs[i][0]);
		if (err == ADY_OK)
			err = ady_child_arg(c, endpoint);
	}
	return err;
}

static enum ady_err start_configured(struct up *up, enum which which, const char *name,
                                     struct ady_fault *f)
{
	char config[PATH_MAX];
	const char *args[] = {"--config", config, NULL};
	enum ady_err err;

	snprintf(config, sizeof config, "%s/%s.json", up->stack.dir, name);
	err = prepare_child(up, which, name, args);
	return err == ADY_OK ? ady_child_start(&up->children[which], false, f) : err;
}

/* `adyton enclave run` looks after the machine, and starts it again. */
static enum ady_err start_vm(struct up *up, struct ady_fault *f)
{
	struct ady_child *c = &up->children[ENCLAVE];
	const char *args[] = {"enclave",       "run",         "--image",
	                      up->stack.image, "--backend",   "qemu",
	                      "--dir",         up->stack.run, up->memory ? "--memory" : NULL,
	                      up->memory,      NULL};
	char program[PATH_MAX], log[PATH_MAX];
	enum ady_err err = ADY_OK;

	snprintf(program, sizeof program, "%s/adyton", up->stack.bin);
	snprintf(log, sizeof log, "%s/log/enclave.log", up->stack.dir);
	ady_child_init(c, "enclave", program, log);
	for (size_t i = 0; args[i] && err == ADY_OK; i++)
		err = ady_child_arg(c, args[i]);
	return err == ADY_OK ? ady_child_start(c, false, f) : err;
}

static enum ady_err start_enclave(struct up *up, struct ady_fault *f)
{
	return up->stack.vm ? start_vm(up, f) : start_configured(up, ENCLAVE, "enclave", f);
}

static enum ady_err measure(struct up *up, struct ady_fault *f)
{
	return up->stack.vm ? ady_stack_image(&up->stack, up->image, up->kernel, f)
	                    : ady_stack_measure(&up->stack, f);
}

/* Note children that have ended; returns one of them, or NULL. */
static struct ady_child *reap(struct up *up, int *wait_status)
{
	pid_t pid = waitpid(-1, wait_status, WNOHANG);

	for (size_t i = 0; pid > 0 && i < CHILDREN; i++) {
		if (up->children[i].pid == pid) {
			up->children[i].pid = 0;
			return &up->children[i];
		}
	}
	return NULL;
}

static bool is_ready(const struct up *up, struct ady_dyn *why)
{
	struct ady_gateway gateway = {.url = up->stack.gateway_url, .unverified = true};
	struct ady_gateway_reply reply;
	struct ady_fault f = {0};
	bool ready;

	ready = ady_gateway_call(&gateway, "/readyz", NULL, 1500, &reply, &f) == ADY_OK &&
	        reply.status == 200;
	why->n = 0;
	ady_dyn_put(why, reply.body.p, reply.body.n < 300 ? reply.body.n : 300);
	ady_dyn_free(&reply.body);
	return ready;
}

static enum ady_err wait_ready(struct up *up, struct ady_fault *f)
{
	const int64_t began = ady_mono_ms();
	const int limit_ms = up->stack.vm ? READY_VM_MS : READY_MS;
	int64_t say = began + SAY_MS;
	struct ady_dyn why = {0};
	enum ady_err err = ADY_OK;
	int wait_status;

	while (!is_ready(up, &why) && err == ADY_OK) {
		const struct ady_child *dead = reap(up, &wait_status);

		if (dead) {
			err = ady_fail(f, ADY_E_IO, dead->name, "ended at once");
			say_last_words(dead);
		} else if (up->signals.stopping) {
			err = ady_fail(f, ADY_E_IO, NULL, "stopped by a signal");
		} else if (ady_mono_ms() - began > limit_ms) {
			err = ady_fail(f, ADY_E_DEADLINE, NULL, "/readyz is not 200 after %d s: %s",
			               limit_ms / 1000, ady_dyn_cstr(&why));
			say_last_words(&up->children[ENCLAVE]);
		} else if (ady_mono_ms() > say) {
			ady_cli_say("still waiting for /readyz: %s", ady_dyn_cstr(&why));
			say += SAY_MS;
		}
		(void)ady_signals_wait(&up->signals, -1, 50);
	}
	ady_dyn_free(&why);
	return err;
}

static enum ady_err start_all(struct up *up, struct ady_fault *f)
{
	enum ady_err err = first_devcloud(up, f);

	if (err != ADY_OK && up->children[DEVCLOUD].argc)
		say_last_words(&up->children[DEVCLOUD]);
	if (err == ADY_OK)
		err = pin_ports(up);
	if (err == ADY_OK)
		err = ady_stack_key(&up->stack, f);
	if (err == ADY_OK)
		err = ady_stack_configure(&up->stack, &up->enclave, f);
	if (err == ADY_OK)
		err = measure(up, f);
	if (err == ADY_OK)
		err = ady_stack_configure_gateway(&up->stack, &up->gateway, f);
	if (err == ADY_OK)
		err = ady_stack_admit(&up->stack, f);
	if (err == ADY_OK)
		err = start_enclave(up, f);
	if (err == ADY_OK)
		err = start_configured(up, GATEWAY, "gateway", f);
	return err == ADY_OK ? wait_ready(up, f) : err;
}

static json_t *describe(const struct up *up)
{
	json_t *json = ady_stack_json(&up->stack), *pids = json_object();

	for (size_t i = 0; i < CHILDREN; i++)
		json_object_set_new(pids, up->children[i].name, json_integer(up->children[i].pid));
	json_object_set_new(json, "pids", pids);
	return json;
}

static void save(const struct up *up)
{
	struct ady_fault f = {0};
	json_t *json = describe(up);

	if (ady_stack_save(&up->stack, json, &f) != ADY_OK)
		(void)ady_cli_fault(&f, "write stack.json", NULL);
	json_decref(json);
}

static void print_json(const struct up *up)
{
	json_t *json = describe(up);

	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(json);
}

static void print_table(const struct up *up)
{
	static const char *const rows[][2] = {{"gateway", "gateway"},
	                                      {"devcloud", "devcloud"},
	                                      {"imds", "imds"},
	                                      {"CA file", "ca_file"},
	                                      {"NSM root", "nsm_root_file"},
	                                      {"region", "region"},
	                                      {"access key", "access_key_id"},
	                                      {"secret key", "secret_access_key"},
	                                      {"key ARN", "key_arn"},
	                                      {"PCR0", "pcr0"}};
	json_t *json = describe(up);
	const char *dir = up->stack.dir;
	char program[PATH_MAX];

	printf("A local stack is ready. AWS is simulated: use no key here that guards value.\n\n");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		printf("  %-12s %s\n", rows[i][0], ady_stack_text(json, rows[i][1]));
	printf("  %-12s %s/log\n\nTry in another terminal:\n", "logs", dir);
	snprintf(program, sizeof program, "%s/adyton", up->stack.bin);
	printf("  eval \"$(");
	ady_cli_put_quoted(program);
	printf(" dev env --dir ");
	ady_cli_put_quoted(dir);
	printf(")\"\n  openssl rand -hex 32 | ");
	ady_cli_put_quoted(program);
	printf(" key put demo\n  ");
	ady_cli_put_quoted(program);
	printf(" sign demo --to 0x000000000000000000000000000000000000dead --value 0.1ether \\\n"
	       "    --nonce 0 --gas 21000 --chain 31337 --max-fee 2gwei --max-priority-fee "
	       "1gwei\n\n");
	if (up->stack.vm)
		printf("The enclave is an emulated machine: its attestation documents are NOT "
		       "SIGNED, and the\nsimulated KMS was told to take them all the same.\n");
	printf("Ctrl-C stops it; the same --dir later has the same keys.\n");
	fflush(stdout);
	json_decref(json);
}

static void plan_restart(struct ady_child *c, int wait_status)
{
	const int64_t now = ady_mono_ms();
	const int wait_ms = ady_backoff_ms(&c->backoff_ms, now - c->started_ms);

	ady_cli_say("%s ended (%s %d); starts again in %d ms; see %s", c->name,
	            WIFSIGNALED(wait_status) ? "signal" : "exit status",
	            WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status),
	            wait_ms, c->log);
	c->restart_ms = now + wait_ms;
}

static void restart(struct up *up, enum which which)
{
	struct ady_child *c = &up->children[which], *enclave = &up->children[ENCLAVE];
	struct ady_fault f = {0};
	enum ady_err err =
	    which == DEVCLOUD ? start_devcloud(up, &f) : ady_child_start(c, false, &f);

	if (err != ADY_OK) {
		(void)ady_cli_fault(&f, "start it again", "Trying again.");
		ady_child_stop(c, 0, true);
		c->restart_ms = ady_mono_ms() + c->backoff_ms;
		return;
	}
	/* The enclave's module went with devcloud, as an enclave goes with its hypervisor; a
	 * machine has its own. */
	if (which == DEVCLOUD && enclave->pid && !up->stack.vm) {
		ady_child_stop(enclave, STOP_MS, false);
		enclave->restart_ms = ady_mono_ms();
	}
	save(up);
}

static int next_restart_ms(const struct up *up)
{
	int64_t ms = 60000;

	for (size_t i = 0; i < CHILDREN; i++) {
		const int64_t due = up->children[i].restart_ms;
		const int64_t left = due - ady_mono_ms();

		if (due && left < ms)
			ms = left > 0 ? left : 0;
	}
	return (int)ms;
}

static void supervise(struct up *up)
{
	struct ady_child *dead;
	int wait_status;

	while (!up->signals.stopping) {
		(void)ady_signals_wait(&up->signals, -1, next_restart_ms(up));
		while ((dead = reap(up, &wait_status)) != NULL)
			plan_restart(dead, wait_status);
		for (enum which i = DEVCLOUD; i < CHILDREN && !up->signals.stopping; i++)
			if (up->children[i].restart_ms &&
			    up->children[i].restart_ms <= ady_mono_ms())
				restart(up, i);
	}
}

/* The gateway first, so that requests in flight end with answers. */
static void stop_all(struct up *up)
{
	for (size_t i = CHILDREN; i > 0; i--) {
		struct ady_child *c = &up->children[i - 1];

		if (!c->argc)
			continue;
		(void)ady_signals_wait(&up->signals, -1, 0);
		ady_child_stop(c, STOP_MS, up->signals.again);
		ady_child_clear(c);
	}
}

static int run_up(struct up *up)
{
	struct ady_fault f = {0};
	enum ady_err err = ady_signals_open(&up->signals);
	int status = ADY_EXIT_OK;

	if (err == ADY_OK)
		err = ady_stack_open(&up->stack, up->dir, up->bin, up->port, &f);
	up->stack.vm = up->vm;
	if (err == ADY_OK && up->vm)
		ady_cli_say("the enclave will be an emulated machine, whose documents are not "
		            "signed: the simulated KMS takes them all the same");
	if (err == ADY_OK) {
		if (!up->json)
			ady_cli_say("starting a local stack in %s", up->stack.dir);
		err = start_all(up, &f);
	}
	if (err == ADY_OK) {
		save(up);
		if (up->json)
			print_json(up);
		else
			print_table(up);
		supervise(up);
		ady_cli_say("stopping");
	} else {
		f.err = err;
		status = ady_cli_fault(&f, "start the stack", NULL);
	}
	stop_all(up);
	ady_stack_close(&up->stack);
	return status;
}

int ady_cmd_dev_up(const struct ady_command *self, int argc, char **argv)
{
	struct up up = {.stack = {.lock = -1, .reserved = -1}};
	struct ady_values rest;
	char *end;
	const struct ady_option options[] = {
	    {"dir", "DIR", "where it keeps everything (./.adyton-dev)", .text = &up.dir},
	    {"port", "N", "of the gateway, on 127.0.0.1 (any that is free)", .text = &up.port_text},
	    {"bin", "DIR", "where the programs are (beside this one)", .text = &up.bin},
	    {"enclave-option", "NAME=VALUE", "set a member of enclave.json", .values = &up.enclave},
	    {"gateway-option", "NAME=VALUE", "set a member of gateway.json", .values = &up.gateway},
	    {"devcloud-arg", "ARG", "one more argument of adyton-devcloud", .values = &up.devcloud},
	    {"vm", NULL, "boot the enclave's image in QEMU", .flag = &up.vm},
	    {"image", "FILE", "--vm: this image (one built from DIR/enclave.json)",
	     .text = &up.image},
	    {"kernel", "FILE", "--vm: the image's kernel", .text = &up.kernel},
	    {"memory", "MIB", "--vm: the machine's (512)", .text = &up.memory},
	    {"json", NULL, "one JSON object on one line, once all is ready", .flag = &up.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);
	long port;

	if (status >= 0)
		return status;
	if (rest.n)
		return ady_cli_usage(self, "there is no argument %s", rest.v[0]);
	if (!up.vm && (up.image || up.kernel || up.memory))
		return ady_cli_usage(self, "--image, --kernel and --memory go with --vm");
	if (up.image && up.kernel)
		return ady_cli_usage(self, "an image has its kernel: give --image or --kernel");
	port = up.port_text ? strtol(up.port_text, &end, 10) : 0;
	if (up.port_text && (*end || end == up.port_text || port < 0 || port > 65535))
		return ady_cli_usage(self, "--port must be 0 to 65535");
	up.port = (int)port;
	if (!up.dir)
		up.dir = ".adyton-dev";
	return run_up(&up);
}
