/* SPDX-License-Identifier: Apache-2.0
 *
 * What a lane of the enclave does for one EIP-1559 signature of an envelope, without sockets: the
 * request and the record read and checked, the key opened, the signature made and verified, the
 * transaction encoded, the entry of the audit log proved, 16 together. lane N does it N times and
 * prints nothing: for valgrind --tool=callgrind (bench/lane.run). */
#include <stdio.h>
#include <stdlib.h>

#include "enclave/notary.h"
#include "enclave/outcome.h"
#include "signer/make.h"
#include "signer/sign.h"

static const char request[] =
    "{\"transaction\":{\"type\":2,\"chainId\":31337,\"nonce\":7,"
    "\"to\":\"0x000000000000000000000000000000000000dEaD\",\"value\":\"1000000000000000\","
    "\"gas\":21000,\"maxFeePerGas\":\"20000000000\",\"maxPriorityFeePerGas\":\"1000000000\"}}";

static struct ady_json_tok toks[ADY_DUTY_TOKENS];
static struct ady_sign_job job = {.toks = toks};

static struct ady_points points;
static struct ady_secp *secp;
static struct ady_notary *notary;
static struct ady_envelope envelope = {.deployment = "bench"};
static const uint8_t data_key[32] = {1, 2, 3};
static uint8_t record_space[4096];
static uint8_t tail_space[ADY_NOTARY_TOGETHER][ADY_AUDIT_ENTRY_MAX];
static uint8_t proof_space[ADY_NOTARY_PROOFS], answer_space[ADY_WIRE_RAW_MAX + 256];
static struct ady_bytes tails[ADY_NOTARY_TOGETHER];

static void must(enum ady_err err, const char *what)
{
	if (err == ADY_OK)
		return;
	fprintf(stderr, "lane: %s: %s\n", what, ady_err_code(err));
	exit(1);
}

static struct ady_bytes make_record(void)
{
	static struct ady_record rec;
	struct ady_buf text = ady_buf(record_space, sizeof record_space);
	struct ady_fault f = {0};
	uint8_t address[20];

	must(ady_record_begin(&rec, ADY_CURVE_SECP256K1, ady_bytes_str("default"),
	                      ady_bytes_str("{\"id\":\"bench\"}"), &f),
	     "begin");
	for (size_t i = 0; i < 200; i++) /* as long as KMS's ciphertext of a data key */
		rec.data_key[i] = (uint8_t)i;
	rec.data_key_n = 200;
	rec.created = 1764100000;
	must(ady_make_key(&rec, address, secp, &envelope, data_key, &f), "make");
	ady_record_put(&text, &rec);
	return ady_buf_bytes(&text);
}

static void sign(struct ady_bytes record, size_t i)
{
	struct ady_wire_sign ask = {.form = ADY_FORM_NATIVE,
	                            .key_id = ady_bytes_str("bench"),
	                            .record = record,
	                            .request = ady_bytes_str(request)};
	struct ady_asker asker = {.op = ADY_WIRE_SIGN, .record = &job.record};
	struct ady_wire_signed answer;
	struct ady_outcome outcome;
	struct ady_fault f = {0};
	struct ady_buf body = ady_buf(answer_space, sizeof answer_space);
	struct ady_buf tail = ady_buf(tail_space[i], sizeof tail_space[i]);
	size_t ends[ADY_NOTARY_TOGETHER];
	struct ady_buf proofs = ady_buf(proof_space, sizeof proof_space);

	job.points = &points;
	job.envelope = envelope;
	must(ady_sign_prepare(&job, &ask, &f), f.detail);
	must(ady_sign_finish(&job, secp, ady_bytes(data_key, sizeof data_key), &answer, &f),
	     f.detail);
	ady_wire_put_signed(&body, &answer);
	ady_outcome(&outcome, &asker, ADY_WIRE_SIGN, ady_buf_bytes(&body), NULL);
	ady_audit_put_tail(&tail, &outcome.entry);
	tails[i] = ady_buf_bytes(&tail);
	if (i + 1 == ADY_NOTARY_TOGETHER)
		ady_notary_prove(notary, tails, ADY_NOTARY_TOGETHER, &proofs, ends);
}

int main(int argc, char **argv)
{
	size_t n = argc == 2 ? strtoul(argv[1], NULL, 10) : 16;
	struct ady_bytes record;

	must(ady_secp_open(&secp), "secp");
	must(ady_gcm_new(&envelope.gcm), "gcm");
	must(ady_notary_open(&notary), "notary");
	record = make_record();
	for (size_t i = 0; i < n; i++)
		sign(record, i % ADY_NOTARY_TOGETHER);
	ady_notary_close(notary);
	ady_gcm_free(envelope.gcm);
	ady_secp_close(secp);
	return 0;
}
