/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/stamped.h"

#include "crypto/hash.h"

/* All that the answer depends on but the record, which is found by its id. */
static void hash_request(struct ady_sign_job *job, uint8_t form, struct ady_bytes key_id,
                         const uint8_t body32[static 32])
{
	const struct ady_bytes parts[] = {ady_bytes(&form, 1), ady_bytes(body32, 32), key_id};

	ady_sha256(job->request_hash, parts, sizeof parts / sizeof *parts);
}

static const char *op_of(uint8_t form)
{
	return form == ADY_FORM_DERIVE ? "derive" : form == ADY_FORM_BACKUP ? "backup" : "sign";
}

/* One of the callers must have stamped, where the record names them. Stamps of others count as
 * approvals. */
static enum ady_err find_caller(const struct ady_sign_job *job, struct ady_fault *f)
{
	if (!ady_record_needs_stamp(&job->record))
		return ADY_OK;
	for (size_t i = 0; i < job->stamps_n; i++)
		if (ady_record_has_caller(&job->record, job->stamp_keys[i]))
			return ADY_OK;
	return ady_fail(f, ADY_E_UNAUTHORIZED, "stamp",
	                "the record of this key needs the stamp of one of its callers");
}

enum ady_err ady_stamped_check(struct ady_sign_job *job, uint8_t form, struct ady_bytes key_id,
                               struct ady_bytes body, struct ady_bytes stamp, struct ady_fault *f)
{
	struct ady_stamp_want want = {.aud = job->setting.deployment,
	                              .tenant = job->record.tenant,
	                              .key = key_id,
	                              .op = op_of(form),
	                              .now_s = job->setting.now_s,
	                              .born_s = job->setting.born_s,
	                              .life_s = job->setting.stamp_life_s};
	enum ady_err err;

	job->stamps_n = 0;
	if (stamp.n > 0) {
		ady_sha256(want.body32, &body, 1);
		hash_request(job, form, key_id, want.body32);
		err = ady_stamps_verify(job->stamps, &job->stamps_n, &want, stamp, f);
		if (err != ADY_OK)
			return err;
	}
	for (size_t i = 0; i < job->stamps_n; i++)
		job->stamp_keys[i] = ady_bytes_str(job->stamps[i].by);
	job->object.stamps = job->stamp_keys;
	job->object.stamps_n = job->stamps_n;
	return find_caller(job, f);
}
