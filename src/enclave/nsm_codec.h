/* SPDX-License-Identifier: Apache-2.0
 *
 * The CBOR messages of the Nitro Secure Module (aws-nitro-enclaves-nsm-api, "externally tagged"):
 * requests are written, answers read; no I/O. Answers are read by the names of their members, in
 * any order; a member that is missing, twice there or of another type is refused. */
#ifndef ADY_ENCLAVE_NSM_CODEC_H
#define ADY_ENCLAVE_NSM_CODEC_H

#include "base/bytes.h"

enum {
	ADY_NSM_REQUEST_MAX = 4096,
	ADY_NSM_ANSWER_MAX = 12288,
	ADY_NSM_PCRS = 32,
	ADY_NSM_NONCE_MAX = 512, /* what every text of AWS allows for nonce and user data */
};

struct ady_nsm_info {
	char module_id[129];
	uint32_t max_pcrs;
	uint32_t locked; /* bit i: PCR i is locked */
};

struct ady_nsm_pcr {
	bool locked;
	uint8_t data[48];
};

/* What an attestation document shall carry; an empty view is sent as null. */
struct ady_nsm_attest {
	struct ady_bytes public_key, user_data, nonce;
};

/* Write a request without arguments: "GetRandom", "DescribeNSM". */
void ady_nsm_put_plain(struct ady_buf *b, const char *name);

/* Write {name: {field: value}}: DescribePCR and LockPCR with "index", LockPCRs with "range". */
void ady_nsm_put_number(struct ady_buf *b, const char *name, const char *field, uint32_t value);

/* Write ExtendPCR. */
void ady_nsm_put_extend(struct ady_buf *b, uint32_t index, struct ady_bytes data);

/* Write Attestation. */
void ady_nsm_put_attest(struct ady_buf *b, const struct ady_nsm_attest *a);

/* All readers: ADY_E_NSM with the reason in f; when the module refused, its error's name is in
 * f->cause. Views point into answer. */

/* Read an answer that only repeats the request's name. */
enum ady_err ady_nsm_read_plain(struct ady_bytes answer, const char *name, struct ady_fault *f);

/* Read GetRandom's answer: 1..256 bytes. */
enum ady_err ady_nsm_read_random(struct ady_bytes answer, struct ady_bytes *random,
                                 struct ady_fault *f);

/* Read DescribeNSM's answer; the digest must be SHA384. */
enum ady_err ady_nsm_read_info(struct ady_bytes answer, struct ady_nsm_info *info,
                               struct ady_fault *f);

/* Read DescribePCR's answer. */
enum ady_err ady_nsm_read_pcr(struct ady_bytes answer, struct ady_nsm_pcr *pcr,
                              struct ady_fault *f);

/* Read ExtendPCR's answer: the PCR's new value. */
enum ady_err ady_nsm_read_extend(struct ady_bytes answer, uint8_t data48[static 48],
                                 struct ady_fault *f);

/* Read Attestation's answer: a document that is not verified here. */
enum ady_err ady_nsm_read_attest(struct ady_bytes answer, struct ady_bytes *document,
                                 struct ady_fault *f);

/* Read the time of a document that the module itself has just given, in milliseconds since 1970:
 * its signature is not looked at. */
enum ady_err ady_nsm_read_time(struct ady_bytes document, int64_t *unix_ms, struct ady_fault *f);

#endif
