/* SPDX-License-Identifier: Apache-2.0
 *
 * The Nitro Secure Module: the device /dev/nsm, or the development socket that stands in for it
 * (and says so). One request at a time, as the kernel's driver has it too. Thread rule: all calls
 * from any thread; they wait for one another. */
#ifndef ADY_ENCLAVE_NSM_H
#define ADY_ENCLAVE_NSM_H

#include "enclave/nsm_codec.h"

struct ady_nsm;

struct ady_nsm_config {
	bool device; /* path is a device; else a Unix socket of the development NSM */
	const char *path;
	int program_fd, config_fd; /* what the development NSM measures; borrowed for the call */
};

/* Open the module. Development socket: have program and configuration measured, which gives this
 * connection its PCRs. Returns ADY_E_NSM with the reason in f. */
enum ady_err ady_nsm_open(struct ady_nsm **nsm, const struct ady_nsm_config *config,
                          struct ady_fault *f);

/* Close. NULL is allowed. */
void ady_nsm_close(struct ady_nsm *nsm);

/* All calls below: ADY_E_NSM with the reason in f, the module's error name in f->cause. They block
 * for a round trip to the hypervisor. */

/* DescribeNSM. */
enum ady_err ady_nsm_describe(struct ady_nsm *nsm, struct ady_nsm_info *info, struct ady_fault *f);

/* DescribePCR. */
enum ady_err ady_nsm_pcr(struct ady_nsm *nsm, uint32_t index, struct ady_nsm_pcr *pcr,
                         struct ady_fault *f);

/* ExtendPCR: the new value is SHA-384(old || data). */
enum ady_err ady_nsm_extend(struct ady_nsm *nsm, uint32_t index, struct ady_bytes data,
                            uint8_t data48[static 48], struct ady_fault *f);

/* LockPCRs: lock PCR 0..range-1. */
enum ady_err ady_nsm_lock(struct ady_nsm *nsm, uint32_t range, struct ady_fault *f);

/* GetRandom, repeated until n bytes are there. */
enum ady_err ady_nsm_random(struct ady_nsm *nsm, uint8_t *out, size_t n, struct ady_fault *f);

/* Attestation: append the document to out; ADY_E_TOO_LARGE when it does not fit. */
enum ady_err ady_nsm_attest(struct ady_nsm *nsm, const struct ady_nsm_attest *attest,
                            struct ady_buf *out, struct ady_fault *f);

#endif
