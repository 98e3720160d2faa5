/* SPDX-License-Identifier: Apache-2.0
 *
 * `adyton enclave run`: one enclave from its image, started again when it ends, until a signal. */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/enclave.h"
#include "cli/enclave_beat.h"
#include "cli/enclave_state.h"
#include "cli/fault.h"
#include "cli/image.h"
#include "cli/signals.h"

enum { LOOK_MS = 2000, BOOT_LOOK_MS = 100, MEMORY_MIB = 512 };

struct run {
	struct ady_enclave_plan plan;
	struct ady_machine machine;
	struct ady_signals signals;
	struct ady_beat beat;
	struct ady_image_file file;
	char dir[PATH_MAX], image_path[PATH_MAX];
	const char *state; /* "starting", "running", "waiting", "stopped" */
	int64_t booted_ms; /* when the heartbeat came */
	int boot_ms;       /* how long it took */
	int backoff_ms, starts;
	bool json, once, told;
	struct ady_dyn last_end; /* why it ended before */
};

static json_t *describe(struct run *r)
{
	const struct ady_machine *m = &r->machine;
	const struct ady_machine_kind *kind = m->kind;
	char enclave[160], relay[160];
	json_t *json;

	kind->endpoint(m, false, ADY_ENCLAVE_PORT, enclave, sizeof enclave);
	kind->endpoint(m, true, ADY_RELAY_PORT, relay, sizeof relay);
	json = json_pack("{si ss ss sb si si si si sb ss so ss ss si si}", "adyton", 1, "state",
	                 r->state, "backend", kind->name, "simulated", kind->simulated, "pid",
	                 (int)getpid(), "cid", (int)m->cid, "memory_mib", (int)r->plan.memory_mib,
	                 "cpus", (int)r->plan.cpus, "debug", r->plan.debug, "image", r->image_path,
	                 "Measurements", ady_image_measurements(&r->file.image.pcrs), "enclave",
	                 enclave, "relay", relay, "starts", r->starts, "boot_ms", r->boot_ms);
	if (kind->simulated) {
		json_object_set_new(json, "accel", json_string(m->accel));
		json_object_set_new(json, "vm_pid", json_integer(m->vm.pid));
		json_object_set_new(json, "console", json_sprintf("%s/console.log", r->dir));
	}
	if (r->last_end.n)
		json_object_set_new(json, "last_end", json_string(ady_dyn_cstr(&r->last_end)));
	return json;
}

static void tell(struct run *r, const json_t *state)
{
	if (r->told)
		return;
	r->told = true;
	if (r->json) {
		json_dumpf(state, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		return;
	}
	ady_cli_say("the enclave runs: %s, CID %u, %u MiB, %u CPU, booted in %d ms%s%s",
	            r->machine.kind->name, r->machine.cid, r->plan.memory_mib, r->plan.cpus,
	            r->boot_ms, r->plan.debug ? ", DEBUG MODE: its console can be read" : "",
	            r->machine.kind->simulated ? "; an emulator: it shields nothing" : "");
}

static void set_state(struct run *r, const char *state)
{
	struct ady_fault f = {0};
	json_t *json;

	r->state = state;
	json = describe(r);
	if (ady_enclave_state_save(r->dir, json, &f) != ADY_OK)
		(void)ady_cli_fault(&f, "write the state", NULL);
	if (strcmp(state, "running") == 0)
		tell(r, json);
	json_decref(json);
}

/* What text says of the end: an enclave of ours writes "adyton-enclave: stop NUMBER REASON"; else
 * the last line. Text is changed. */
static const char *reason(struct ady_dyn *text)
{
	char *stop, *end;

	while (text->n && text->p[text->n - 1] == '\n')
		text->n--;
	(void)ady_dyn_cstr(text);
	stop = strstr((char *)text->p, "adyton-enclave: stop ");
	end = stop ? strchr(stop, '\n') : NULL;
	if (end)
		*end = 0;
	if (stop)
		return stop;
	end = strrchr((char *)text->p, '\n');
	return end ? end + 1 : (const char *)text->p;
}

static enum ady_err ended_early(struct run *r, const char *when, struct ady_fault *f)
{
	struct ady_dyn words = {0};

	r->machine.kind->last_words(&r->machine, &words);
	fprintf(stderr, "%s\n", ady_dyn_cstr(&words));
	(void)ady_fail(f, ADY_E_IO, NULL, "%s: %s", when, reason(&words));
	ady_dyn_free(&words);
	return ADY_E_IO;
}

static enum ady_err wait_for_beat(struct run *r, struct ady_fault *f)
{
	const int64_t limit_ms = ady_boot_limit_ms(r->plan.image.n, r->plan.memory_mib);
	const int64_t end_ms = ady_mono_ms() + limit_ms;

	while (!ady_beat_take(&r->beat, r->machine.cid)) {
		if (r->signals.stopping)
			return ady_fail(f, ADY_E_IO, NULL, "stopped by a signal");
		if (r->machine.kind->ended(&r->machine))
			return ended_early(r, "it ended before its heartbeat", f);
		if (ady_mono_ms() > end_ms)
			return ended_early(r, "it sent no heartbeat in time", f);
		(void)ady_signals_wait(&r->signals, r->beat.fd, BOOT_LOOK_MS);
	}
	return ADY_OK;
}

/* Start the machine and wait until the enclave has booted. On error nothing is left running. */
static enum ady_err boot(struct run *r, struct ady_fault *f)
{
	const struct ady_machine_kind *kind = r->machine.kind;
	const int64_t began_ms = ady_mono_ms();
	char endpoint[160];
	enum ady_err err = ADY_OK;

	r->beat.fd = -1;
	kind->endpoint(&r->machine, true, ADY_BEAT_PORT, endpoint, sizeof endpoint);
	if (kind->beats)
		err = ady_beat_open(&r->beat, endpoint, f);
	if (err == ADY_OK)
		err = kind->start(&r->machine, f);
	if (err == ADY_OK) {
		r->starts++;
		set_state(r, "starting");
		err = kind->beats ? wait_for_beat(r, f) : ADY_OK;
		if (err != ADY_OK)
			kind->stop(&r->machine);
	}
	ady_beat_close(&r->beat);
	r->booted_ms = ady_mono_ms();
	r->boot_ms = (int)(r->booted_ms - began_ms);
	return err;
}

/* Until it ends or a signal comes. */
static void watch(struct run *r)
{
	const struct ady_machine_kind *kind = r->machine.kind;

	while (!r->signals.stopping && !kind->ended(&r->machine))
		(void)ady_signals_wait(&r->signals, kind->descriptor(&r->machine), LOOK_MS);
	if (r->signals.stopping)
		return;
	r->last_end.n = 0;
	kind->last_words(&r->machine, &r->last_end);
	ady_cli_say("the enclave ended: %s", reason(&r->last_end));
}

static void pause_before_restart(struct run *r, int64_t lived_ms)
{
	const int wait_ms = ady_backoff_ms(&r->backoff_ms, lived_ms);
	const int64_t until_ms = ady_mono_ms() + wait_ms;

	set_state(r, "waiting");
	ady_cli_say("it is started again in %d ms", wait_ms);
	for (int64_t left = wait_ms; left > 0 && !r->signals.stopping;
	     left = until_ms - ady_mono_ms())
		(void)ady_signals_wait(&r->signals, -1, (int)left);
}

/* The first boot must succeed: what is wrong then is wrong with the image or the machine. */
static int supervise(struct run *r)
{
	struct ady_fault f = {0};
	int64_t lived_ms = 0;
	int status = ADY_EXIT_OK;

	while (!r->signals.stopping) {
		if (boot(r, &f) == ADY_OK) {
			set_state(r, "running");
			watch(r);
			lived_ms = ady_mono_ms() - r->booted_ms;
			r->machine.kind->stop(&r->machine);
		} else if (!r->signals.stopping) {
			status = ady_cli_fault(&f, "boot the enclave", NULL);
			lived_ms = 0;
		}
		if (!r->told || (r->once && !r->signals.stopping)) {
			status = status == ADY_EXIT_OK ? ADY_EXIT_REFUSED : status;
			break;
		}
		status = ADY_EXIT_OK;
		if (!r->signals.stopping)
			pause_before_restart(r, lived_ms);
	}
	set_state(r, "stopped");
	return status;
}

static enum ady_err prepare(struct run *r, const char *image, const char *dir, struct ady_fault *f)
{
	static struct ady_ne_memory layout;
	enum ady_err err;

	if (!realpath(image, r->image_path))
		return ady_fail(f, ADY_E_IO, NULL, "%s: %s", image, strerror(errno));
	if ((err = ady_image_file_open(&r->file, r->image_path, f)) != ADY_OK ||
	    (err = ady_image_check(&r->file.image, ady_wall_ms() / 1000, f)) != ADY_OK ||
	    (err = ady_enclave_dir_take(r->dir, dir, f)) != ADY_OK)
		return err;
	if (strlen(r->dir) > ADY_ENCLAVE_DIR_MAX)
		return ady_fail(f, ADY_E_CONFIG, "dir",
		                "is too long for the sockets in it: %d bytes at most",
		                ADY_ENCLAVE_DIR_MAX);
	r->plan.dir = r->dir;
	r->plan.image_path = r->image_path;
	r->plan.image = ady_dyn_bytes(&r->file.bytes);
	r->machine.plan = &r->plan;
	r->machine.cid = r->plan.cid;
	r->machine.fd = -1;
	err = ady_ne_split(&layout, r->plan.memory_mib, r->plan.image.n, f);
	if (err == ADY_OK && ady_signals_open(&r->signals) != ADY_OK)
		err = ady_fail(f, ADY_E_IO, NULL, "no signals: %s", strerror(errno));
	return err;
}

static int run_enclave(struct run *r, const char *image, const char *dir)
{
	struct ady_fault f = {0};
	int status;

	if (prepare(r, image, dir, &f) == ADY_OK)
		status = supervise(r);
	else
		status = ady_cli_fault(&f, "run the enclave", NULL);
	ady_image_file_close(&r->file);
	ady_dyn_free(&r->last_end);
	return status;
}

/* A number of an option, 1 to max; the default when it was not given. */
static bool number(uint32_t *out, const char *text, uint32_t otherwise, uint32_t max)
{
	char *end = NULL;
	unsigned long long v;

	*out = otherwise;
	if (!text)
		return true;
	v = strtoull(text, &end, 10);
	*out = (uint32_t)v;
	return text[0] >= '0' && text[0] <= '9' && !*end && v >= 1 && v <= max;
}

static const struct ady_machine_kind *kind_of(const char *name)
{
	static const struct ady_machine_kind *const kinds[] = {
	    &ady_machine_nitro, &ady_machine_nitro_cli, &ady_machine_qemu, NULL};

	if (!name)
		return access("/dev/nitro_enclaves", F_OK) == 0 ? &ady_machine_nitro
		                                                : &ady_machine_qemu;
	for (size_t i = 0; kinds[i]; i++)
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	return NULL;
}

struct texts {
	const char *image, *memory, *cpus, *cid, *backend, *dir, *accel;
};

static int check(const struct ady_command *self, struct run *r, const struct texts *t)
{
	const char *accel = t->accel ? t->accel : "auto";

	if (!t->image)
		return ady_cli_usage(self, "--image is needed");
	r->machine.kind = kind_of(t->backend);
	if (!r->machine.kind)
		return ady_cli_usage(self, "--backend is nitro, nitro-cli or qemu");
	if (strcmp(accel, "auto") != 0 && strcmp(accel, "kvm") != 0 && strcmp(accel, "tcg") != 0)
		return ady_cli_usage(self, "--accel is auto, kvm or tcg");
	r->plan.accel = accel;
	if (!number(&r->plan.memory_mib, t->memory, MEMORY_MIB, 1 << 20))
		return ady_cli_usage(self, "--memory is a number of MiB");
	if (!number(&r->plan.cpus, t->cpus, r->machine.kind->default_cpus, 1024))
		return ady_cli_usage(self, "--cpus is a number from 1");
	if (!number(&r->plan.cid, t->cid, r->machine.kind->default_cid, UINT32_MAX - 1) ||
	    r->plan.cid < 4)
		return ady_cli_usage(self, "--cid is a number from 4");
	return -1;
}

int ady_cmd_enclave_run(const struct ady_command *self, int argc, char **argv)
{
	static struct run r;
	struct texts t = {0};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"image", "FILE", "the enclave image (EIF)", .text = &t.image},
	    {"memory", "MIB", "a multiple of 2, at least 4 times the image (512)",
	     .text = &t.memory},
	    {"cpus", "N", "whole cores on Nitro (2; QEMU: 1)", .text = &t.cpus},
	    {"cid", "N", "its vsock address (16; QEMU: 4)", .text = &t.cid},
	    {"backend", "NAME", "nitro, nitro-cli or qemu (nitro where it is)", .text = &t.backend},
	    {"dir", "DIR", "for state, logs and sockets (./" ADY_ENCLAVE_DIR ")", .text = &t.dir},
	    {"accel", "NAME", "QEMU: kvm, tcg or auto", .text = &t.accel},
	    {"debug", NULL, "Nitro: the console can be read; PCRs are zero", .flag = &r.plan.debug},
	    {"once", NULL, "end when the enclave ends", .flag = &r.once},
	    {"json", NULL, "one JSON object on one line, once it has booted", .flag = &r.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n)
		return ady_cli_usage(self, "there is no argument %s", rest.v[0]);
	status = check(self, &r, &t);
	if (status >= 0)
		return status;
	return run_enclave(&r, t.image, t.dir ? t.dir : ADY_ENCLAVE_DIR);
}
