/* SPDX-License-Identifier: Apache-2.0
 *
 * One module of the development NSM: 32 PCRs and the requests of /dev/nsm on them. Requests and
 * answers are those of AWS's nsm-io (CBOR of serde's externally tagged enums); limits and error
 * names as the hardware and QEMU's model of it give them. Thread rule: one thread. */
#ifndef ADY_DEVCLOUD_NSM_MODULE_H
#define ADY_DEVCLOUD_NSM_MODULE_H

#include "aws/measure.h"
#include "devcloud/nsm_pki.h"

enum { ADY_NSM_REQUEST_MAX = 4096, ADY_NSM_ANSWER_MAX = 12288, ADY_NSM_PCRS = 32 };

struct ady_nsm_module {
	struct ady_nsm_pki *pki;
	struct ady_nsm_leaf leaf;
	char id[64]; /* "i-...-enc<16 hex>" */
	uint8_t pcr[ADY_NSM_PCRS][48];
	uint32_t locked; /* bit i: PCR i */
};

/* Begin a module with PCR0..15 as at the boot of an enclave, and locked. role_arn: "" for none. */
void ady_nsm_module_init(struct ady_nsm_module *m, struct ady_nsm_pki *pki,
                         const struct ady_measurement *measured, const char *role_arn,
                         const char *instance_id);

/* Answer one request of at most ADY_NSM_REQUEST_MAX bytes. out has room for ADY_NSM_ANSWER_MAX. */
void ady_nsm_module_answer(struct ady_nsm_module *m, struct ady_buf *out, struct ady_bytes request);

/* Write {"Error": name}. */
void ady_nsm_put_error(struct ady_buf *out, const char *name);

/* Wipe the module's key. */
void ady_nsm_module_clear(struct ady_nsm_module *m);

#endif
