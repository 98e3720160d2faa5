/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel of an enclave says of the machine, asked once at boot, before anything secret
 * exists. The paths are arguments, for the tests. */
#ifndef ADY_ENCLAVE_BOOT_CHECKS_H
#define ADY_ENCLAVE_BOOT_CHECKS_H

#include <stdint.h>

#include "base/err.h"

enum { ADY_PARENT_CID = 3 };

/* Read the option adyton.parent_cid=N (2..4294967294) of the kernel's command line; without it the
 * CID is 3, as on Nitro. The hypervisor appends to the measured line, so a second one is refused.
 * Returns ADY_E_CONFIG with the reason in f. */
enum ady_err ady_boot_parent_cid(uint32_t *cid, const char *cmdline_path, struct ady_fault *f);

/* Check that the kernel draws on the NSM: sysfs/class/misc/hw_random/rng_current is nsm-hwrng.
 * Returns ADY_E_CRYPTO with the reason in f. */
enum ady_err ady_boot_check_rng(const char *sysfs, struct ady_fault *f);

/* Check that time comes from the hypervisor's kvm-clock, where the machine has it: choose it when
 * the kernel has chosen another, and read back. A machine without it, as an emulator, passes.
 * Returns ADY_E_INTERNAL with the reason in f. */
enum ady_err ady_boot_check_clock(const char *sysfs, struct ady_fault *f);

#endif
