/* SPDX-License-Identifier: Apache-2.0
 *
 * One enclave and how it is run: by the Nitro hypervisor through its driver or through nitro-cli,
 * or by QEMU's emulation of it. What is common to the three is in enclave_run.c; each has a table
 * of functions here. Thread rule: one thread, which children die with. */
#ifndef ADY_CLI_ENCLAVE_H
#define ADY_CLI_ENCLAVE_H

#include <limits.h>

#include "cli/child.h"
#include "cli/enclave_memory.h"
#include "net/transport.h"

enum {
	ADY_ENCLAVE_PORT = 5000,  /* where the enclave listens */
	ADY_RELAY_PORT = 8000,    /* where the gateway relays for it */
	ADY_BEAT_PORT = 9000,     /* where it says that it has booted (nitro-cli, enclave_proc) */
	ADY_BEAT_BYTE = 0xb7,     /* and how; the same byte answers */
	ADY_ENCLAVE_DIR_MAX = 88, /* the socket DIR/vm.vsock_8000 must fit into sockaddr_un */
};

/* What is to run. Paths are absolute; texts outlive the machine. */
struct ady_enclave_plan {
	const char *dir, *image_path;
	struct ady_bytes image;
	uint32_t memory_mib, cpus, cid;
	bool debug;
	const char *accel; /* QEMU's: "kvm", "tcg" or "auto" */
};

struct ady_machine;

struct ady_machine_kind {
	const char *name;
	uint32_t default_cid, default_cpus;
	bool beats;     /* the heartbeat comes to us; else start returns after it */
	bool simulated; /* it proves nothing */

	/* Start plan's image. On error nothing is left running, and the reason is in f. */
	enum ady_err (*start)(struct ady_machine *m, struct ady_fault *f);
	/* Whether it has ended; does not wait. */
	bool (*ended)(struct ady_machine *m);
	/* A descriptor that hangs up when it ends, or -1. */
	int (*descriptor)(const struct ady_machine *m);
	/* End it if it runs and free what start took. */
	void (*stop)(struct ady_machine *m);
	/* Append why it ended, if that is known. */
	void (*last_words)(const struct ady_machine *m, struct ady_dyn *out);
	/* The endpoint of a port, as the gateway's configuration names it. */
	void (*endpoint)(const struct ady_machine *m, bool listen, unsigned port, char *out,
	                 size_t cap);
};

struct ady_machine {
	const struct ady_machine_kind *kind;
	const struct ady_enclave_plan *plan;
	uint32_t cid;                /* as it was given */
	int fd;                      /* nitro: of the enclave; qemu: of the image */
	struct ady_ne_memory memory; /* nitro */
	char id[128];                /* nitro-cli */
	int64_t looked_ms;           /* nitro-cli: when it was last asked */
	struct ady_child vsock, vm;  /* qemu */
	char accel[8];               /* qemu: what was chosen */
	long console_at;             /* qemu: where this start's console begins */
};

extern const struct ady_machine_kind ady_machine_nitro, ady_machine_nitro_cli, ady_machine_qemu;

/* Find a program: $variable when it is set, then BIN/../vm/bin (script/vm-tools puts it there),
 * then $PATH. Returns ADY_E_NOT_FOUND with the reason in f. */
enum ady_err ady_program_find(char out[static PATH_MAX], const char *variable, const char *name,
                              struct ady_fault *f);

/* How long a boot may take, as nitro-cli reckons it: 90 s, 90 s more for each started 6 GiB of
 * image, and for each started 100 GiB of memory (aws-nitro-enclaves-cli, enclave_proc). */
int64_t ady_boot_limit_ms(uint64_t image_bytes, uint32_t memory_mib);

#endif
