/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/start.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "enclave/entropy.h"
#include "enclave/harden.h"
#include "enclave/heartbeat.h"
#include "enclave/held.h"
#include "enclave/isolate.h"
#include "enclave/measure.h"
#include "enclave/memory.h"
#include "enclave/seccomp.h"
#include "enclave/server.h"

/* Blocks of so many bytes are mapped, and unmapped when they are freed. */
enum { LARGE_BLOCK = 128 * 1024 };

/* Everything that lives as long as the process. */
struct enclave {
	const struct ady_enclave_config *config;
	struct ady_nsm *nsm;
	struct ady_nsm_info info;
	struct ady_endpoint listen;
	int listener;
	bool machine;
	bool lock_by_capability;
	size_t lanes;
	struct ady_memory memory;
	int64_t key_ms; /* what the first RSA key took */
	struct ady_credentials *credentials;
	struct ady_recipient *recipient;
	struct ady_kms_session *kms;
	struct ady_status *status;
	struct ady_time_watch *watch;
	struct ady_keeper *keeper;
	struct ady_jobs *jobs;
	struct ady_keyroom *room;
	struct ady_signing *signing;
	struct ady_validators *validators;
	struct ady_server *server;
};

/* A step of the start, and what it means when it fails. */
struct step {
	const char *what;
	enum ady_err (*take)(struct enclave *e, struct ady_fault *f);
	enum ady_enclave_exit exit;
};

static enum ady_err lock_memory(struct enclave *e, struct ady_fault *f)
{
	enum ady_err err = ady_harden_memory(&e->lock_by_capability, f);

	if (err == ADY_OK || !e->config->development)
		return err;
	e->lock_by_capability = false;
	ADY_WARN("memory is not locked", "development=true reason=\"%s\"", f->detail);
	return ADY_OK;
}

static enum ady_err open_listener(struct enclave *e, struct ady_fault *f)
{
	e->listen = e->config->listen;
	return ady_listen(&e->listener, &e->listen, f);
}

/* In a machine there is no one to be isolated from, and nothing to see but two files of the image,
 * once the devices are open. */
static enum ady_err empty_root(struct ady_fault *f)
{
	unsigned long flags = MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (umount2("/dev", MNT_DETACH) != 0 || mount(NULL, "/", NULL, flags, NULL) != 0)
		return ady_fail(f, ADY_E_IO, "", "the root: %s", strerrordesc_np(errno));
	return ADY_OK;
}

static enum ady_err isolate(struct enclave *e, struct ady_fault *f)
{
	const struct ady_endpoint *relay = &e->config->relay;
	bool network = e->config->listen.kind == ADY_UNIX && relay->kind == ADY_UNIX;
	char dir[sizeof relay->path] = "/";
	struct ady_isolation done;

	if (e->machine)
		return empty_root(f);
	if (relay->kind == ADY_UNIX && strrchr(relay->path, '/') != relay->path)
		memcpy(dir, relay->path, (size_t)(strrchr(relay->path, '/') - relay->path));
	ady_isolate(&done, relay->kind == ADY_UNIX ? dir : NULL, network);
	if (done.root)
		ADY_INFO("isolated", "namespaces=true root=empty network=%s",
		         network ? "none" : "shared");
	else
		ADY_WARN("not fully isolated", "namespaces=%s root=shared reason=\"%s\"",
		         done.namespaces ? "true" : "false", done.why_not);
	return ADY_OK;
}

static enum ady_err drop_privileges(struct enclave *e, struct ady_fault *f)
{
	return ady_harden_privileges(e->lock_by_capability ? 1u << CAP_IPC_LOCK : 0, f);
}

static enum ady_err check_image(struct enclave *e, struct ady_fault *f)
{
	return ady_measure_image(e->nsm, e->config->development, f);
}

static enum ady_err measure(struct enclave *e, struct ady_fault *f)
{
	return ady_measure_self(e->nsm, e->config, &e->info, f);
}

static enum ady_err mix_entropy(struct enclave *e, struct ady_fault *f)
{
	return ady_entropy_mix(e->nsm, f);
}

static enum ady_err check_entropy(struct enclave *e, struct ady_fault *f)
{
	(void)e;
	return ady_entropy_check(f);
}

static enum ady_err watch_time(struct enclave *e, struct ady_fault *f)
{
	return ady_time_watch_open(&e->watch, e->nsm, e->config->clock_check_s, f);
}

static enum ady_err make_keys(struct enclave *e, struct ady_fault *f)
{
	const struct ady_enclave_config *c = e->config;
	struct ady_recipient_config recipient = {
	    .nsm = e->nsm,
	    .rsa_bits = c->rsa_bits,
	    .rsa_max_age_s = c->rsa_max_age_s,
	    .attestation_max_age_s = c->attestation_max_age_s,
	    .config_hash = c->hash48,
	};
	int64_t began_ms = ady_mono_ms();
	enum ady_err err = ady_recipient_open(&e->recipient, &recipient, f);

	e->key_ms = ady_mono_ms() - began_ms;
	if (err == ADY_OK)
		err = ady_credentials_open(&e->credentials);
	return err;
}

static enum ady_err open_kms(struct enclave *e, struct ady_fault *f)
{
	struct ady_kms_session_config kms = {
	    .config = e->config,
	    .credentials = e->credentials,
	    .recipient = e->recipient,
	    .watch = e->watch,
	    .workers = e->config->kms_connections + 1, /* the last is the keeper's */
	};
	enum ady_err err = ady_kms_session_open(&e->kms, &kms, f);

	if (err == ADY_OK)
		err = ady_status_open(&e->status);
	if (err == ADY_OK)
		err = ady_jobs_open(&e->jobs, e->memory.jobs_n);
	return err == ADY_OK ? ady_held_open() : err;
}

/* Those we may run on; sysconf(3) would look for files that are no longer there. */
static size_t cores(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}

/* What was freed goes back to the kernel, whatever its size: the C library would keep more and more
 * of it, and what is kept is in no part. */
static enum ady_err divide_memory(struct enclave *e, uint64_t there, struct ady_fault *f)
{
	const struct ady_enclave_config *c = e->config;
	const uint64_t mib = 1024 * 1024;
	struct ady_memory *m = &e->memory;
	enum ady_err err;

	e->lanes = c->lanes ? c->lanes : cores();
	if ((err = ady_memory_divide(m, c, there, e->lanes, f)) != ADY_OK)
		return err;
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
	ady_channels_memory(m->frames);
	ADY_INFO("memory",
	         "total_mib=%" PRIu64 " own_mib=%" PRIu64 " frames_mib=%" PRIu64
	         " requests_mib=%" PRIu64 " keystores_mib=%" PRIu64 " counters_mib=%" PRIu64,
	         m->total / mib, m->own / mib, m->frames / mib, m->jobs / mib, m->keystores / mib,
	         m->counters / mib);
	if (m->less)
		ADY_WARN("less memory than the configuration would use",
		         "depth=%zu of=%u keystores_mib=%" PRIu64 " of=%u counters_mib=%" PRIu64,
		         m->depth, c->depth, m->keystores / mib, c->keystore_mib,
		         m->counters / mib);
	return ADY_OK;
}

static enum ady_err start_threads(struct enclave *e, struct ady_fault *f)
{
	const struct ady_enclave_config *c = e->config;
	enum ady_err err;

	(void)f;
	err = ady_keyroom_open(
	    &e->room, &(struct ady_keyroom_config){
	                  .config = c,
	                  .kms = e->kms,
	                  .jobs = e->jobs,
	                  .status = e->status,
	                  .watch = e->watch,
	                  .keystore_threads = c->keystore_threads ? c->keystore_threads : cores(),
	                  .keystore_memory = e->memory.keystores,
	                  .counters_memory = e->memory.counters,
	                  .jobs_n = e->memory.jobs_n});
	if (err == ADY_OK)
		err = ady_signing_open(&e->signing, e->room);
	if (err == ADY_OK)
		err = ady_validators_open(&e->validators, e->room, e->watch);
	if (err == ADY_OK)
		err = ady_keeper_open(&e->keeper,
		                      &(struct ady_keeper_config){.credentials = e->credentials,
		                                                  .recipient = e->recipient,
		                                                  .kms = e->kms,
		                                                  .worker = c->kms_connections,
		                                                  .watch = e->watch,
		                                                  .status = e->status});
	if (err != ADY_OK)
		return err;
	return ady_server_open(&e->server,
	                       &(struct ady_server_config){.config = c,
	                                                   .module_id = e->info.module_id,
	                                                   .lanes = e->lanes,
	                                                   .depth = e->memory.depth,
	                                                   .listener = e->listener,
	                                                   .credentials = e->credentials,
	                                                   .recipient = e->recipient,
	                                                   .status = e->status,
	                                                   .watch = e->watch,
	                                                   .keeper = e->keeper,
	                                                   .room = e->room,
	                                                   .signing = e->signing,
	                                                   .validators = e->validators});
}

static enum ady_err filter_calls(struct enclave *e, struct ady_fault *f)
{
#ifdef ADY_UNFILTERED
	(void)f;
	ADY_WARN("system calls are not filtered", "reason=\"an instrumented build\" allowed=%zu",
	         ady_seccomp_count(e->config->nsm_device));
	return ADY_OK;
#else
	return ady_seccomp_enter(e->config->nsm_device, f);
#endif
}

/* The start in its order. The NSM and the listener are opened while the file system is there; no
 * key is made before others can no longer look; no thread before the namespaces are left, which the
 * kernel allows to single threads only; no byte of the parent is read before the filter. */
static const struct step steps[] = {
    {"memory cannot be locked", lock_memory, ADY_EXIT_HARDEN},
    {"no randomness of the NSM", mix_entropy, ADY_EXIT_NSM},
    {"the random pool is not ready", check_entropy, ADY_EXIT_ENTROPY},
    {"cannot listen", open_listener, ADY_EXIT_LISTEN},
    {"cannot be isolated", isolate, ADY_EXIT_HARDEN},
    {"privileges cannot be dropped", drop_privileges, ADY_EXIT_HARDEN},
    {"the image is not measured", check_image, ADY_EXIT_DEBUG},
    {"the measurement is not acceptable", measure, ADY_EXIT_MEASUREMENT},
    {"the NSM does not tell the time", watch_time, ADY_EXIT_NSM},
    {"the recipient's key cannot be made", make_keys, ADY_EXIT_RESOURCES},
    {"the KMS session cannot be made", open_kms, ADY_EXIT_RESOURCES},
    {"the threads cannot be started", start_threads, ADY_EXIT_RESOURCES},
    {"system calls cannot be filtered", filter_calls, ADY_EXIT_HARDEN},
};

static enum ady_enclave_exit refuse(const char *what, enum ady_enclave_exit exit,
                                    const struct ady_fault *f, enum ady_err err)
{
	ADY_ERROR("refuses to start", "what=\"%s\" code=%s where=\"%s\" reason=\"%s\" cause=\"%s\"",
	          what, ady_err_code(err), f->where, f->detail[0] ? f->detail : ady_err_text(err),
	          f->cause);
	/* A module that answers with a refusal is there: the step tells what that means. */
	return err == ADY_E_NSM && !f->cause[0] ? ADY_EXIT_NSM : exit;
}

static enum ady_err open_nsm(struct enclave *e, int config_fd, struct ady_fault *f)
{
	int program_fd = e->config->nsm_device ? -1 : open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct ady_nsm_config nsm = {.device = e->config->nsm_device,
	                             .path = e->config->nsm_path,
	                             .program_fd = program_fd,
	                             .config_fd = config_fd};
	enum ady_err err;

	if (!nsm.device && program_fd < 0)
		return ady_fail(f, ADY_E_NSM, "nsm", "the program's own file cannot be opened");
	err = ady_nsm_open(&e->nsm, &nsm, f);
	if (program_fd >= 0)
		close(program_fd);
	if (err == ADY_OK && !nsm.device)
		ADY_WARN("the NSM is simulated: nothing here is attested by AWS", "nsm=\"%s\"",
		         nsm.path);
	return err;
}

static void say_ready(const struct enclave *e)
{
	const struct ady_enclave_config *c = e->config;
	char hash[2 * sizeof c->hash48 + 1];

	ady_hex_encode(hash, ady_bytes(c->hash48, sizeof c->hash48));
	ADY_INFO("ready",
	         "version=%s deployment=%s development=%s module=%s config_sha384=%s lanes=%zu "
	         "kms_connections=%u depth=%zu syscalls=%zu key_ms=%" PRId64 " uptime_ms=%" PRId64,
	         ADY_VERSION, c->deployment, c->development ? "true" : "false", e->info.module_id,
	         hash, e->lanes, c->kms_connections, e->memory.depth,
	         ady_seccomp_count(c->nsm_device), e->key_ms, ady_mono_ms());
	if (!c->verify_signatures)
		ADY_WARN("signatures are not verified before they leave",
		         "verify_signatures=false");
}

/* The last step, for it says that all the others succeeded. */
static void beat(const struct ady_enclave_start *start)
{
	enum ady_err err = ady_heartbeat(start->parent_cid);

	if (err == ADY_OK)
		ADY_INFO("heartbeat", "parent_cid=%u", start->parent_cid);
	else
		ADY_INFO("nobody waits for the heartbeat", "parent_cid=%u code=%s",
		         start->parent_cid, ady_err_code(err));
}

enum ady_enclave_exit ady_enclave_run(const struct ady_enclave_start *start)
{
	static struct enclave e;
	const uint64_t there = ady_memory_free();
	struct ady_fault f = {0};
	enum ady_err err;
	sigset_t ends;
	int sig;

	e = (struct enclave){.config = start->config, .machine = start->machine, .listener = -1};
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	if ((err = open_nsm(&e, start->config_fd, &f)) != ADY_OK)
		return refuse("no NSM", ADY_EXIT_NSM, &f, err);
	close(start->config_fd);
	if ((err = divide_memory(&e, there, &f)) != ADY_OK)
		return refuse("too little memory", ADY_EXIT_RESOURCES, &f, err);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if ((err = steps[i].take(&e, &f)) != ADY_OK)
			return refuse(steps[i].what, steps[i].exit, &f, err);
	ady_server_accept(e.server);
	say_ready(&e);
	if (start->machine)
		beat(start);
	(void)sigwait(&ends, &sig);
	ADY_INFO("stops", "signal=%d", sig);
	return ADY_EXIT_OK;
}
