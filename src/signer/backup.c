/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/backup.h"

#include <string.h>

#include "crypto/hash.h"
#include "signer/make.h"
#include "signer/stamped.h"

void ady_backup_bind(uint8_t out32[static 32], const char *curve, const char *tenant,
                     const char *id, struct ady_bytes public_key)
{
	const struct ady_bytes nul = ady_bytes("", 1);
	const struct ady_bytes parts[] = {ady_bytes_str(curve),
	                                  nul,
	                                  ady_bytes_str(tenant),
	                                  nul,
	                                  ady_bytes_str(id),
	                                  nul,
	                                  public_key};

	ady_sha256(out32, parts, sizeof parts / sizeof *parts);
}

/* A stamp is not used up: the answer is worth nothing to who repeats it. */
enum ady_err ady_backup_permit(struct ady_sign_job *job, struct ady_bytes key_id,
                               struct ady_bytes body, struct ady_bytes stamp, struct ady_fault *f)
{
	if (!job->record.has_backup)
		return ady_fail(f, ADY_E_DENIED, "record.backup",
		                "the key was made without a key to back it up to");
	return ady_stamped_check(job, ADY_FORM_BACKUP, key_id, body, stamp, f);
}

size_t ady_backup_size(enum ady_curve curve)
{
	return curve == ADY_CURVE_WALLET ? ADY_BACKUP_WALLET : ADY_BACKUP_KEY;
}

static enum ady_err seal_bytes(struct ady_backup *out, const struct ady_record *rec,
                               struct ady_bytes secret)
{
	uint8_t bind[32];

	ady_backup_bind(bind, ady_curve_name(rec->curve), rec->tenant, rec->id,
	                ady_bytes(rec->pub, ady_curve_public_size(rec->curve)));
	out->sealed_n = secret.n + ADY_HPKE_TAG;
	return ady_hpke_seal(out->enc, out->sealed, rec->backup, ady_bytes_str(ADY_BACKUP_INFO),
	                     ady_bytes(bind, sizeof bind), secret);
}

static __attribute__((noinline)) enum ady_err seal_key(struct ady_backup *out,
                                                       const struct ady_record *rec,
                                                       const struct ady_secp *secp,
                                                       const struct ady_envelope *e,
                                                       struct ady_bytes opened)
{
	ADY_SECRET struct ady_seckey key = {0};
	enum ady_err err = ady_open_key(&key, rec, secp, e, opened);

	return err == ADY_OK ? seal_bytes(out, rec, ady_bytes(key.b, sizeof key.b)) : err;
}

/* A wallet's record is an envelope: what was opened is a data key. */
static __attribute__((noinline)) enum ady_err seal_wallet(struct ady_backup *out,
                                                          const struct ady_record *rec,
                                                          const struct ady_secp *secp,
                                                          const struct ady_envelope *e,
                                                          struct ady_bytes opened)
{
	ADY_SECRET_WALLET wallet = {0};
	enum ady_err err =
	    opened.n == 32 ? ady_wallet_open(&wallet, rec, secp, e, opened.p) : ADY_E_KEY_FORM;

	return err == ADY_OK ? seal_bytes(out, rec, ady_bytes(&wallet, sizeof wallet)) : err;
}

enum ady_err ady_backup_seal(struct ady_backup *out, const struct ady_record *rec,
                             const struct ady_secp *secp, const struct ady_envelope *e,
                             struct ady_bytes opened, struct ady_fault *f)
{
	enum ady_err err = rec->curve == ADY_CURVE_WALLET ? seal_wallet(out, rec, secp, e, opened)
	                                                  : seal_key(out, rec, secp, e, opened);

	ady_stack_wipe();
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, "record", "%s", ady_err_text(err));
}

/* To out, which has room for n bytes and is zero on error. */
static enum ady_err open_bytes(uint8_t *out, size_t n, const struct ady_backup *backup,
                               const uint8_t *secret32, const uint8_t *bind32)
{
	uint8_t mine[ADY_HPKE_KEY];
	enum ady_err err;

	memset(out, 0, n);
	if (backup->sealed_n != n + ADY_HPKE_TAG)
		return ADY_E_CRYPTO;
	if ((err = ady_hpke_public(mine, secret32)) != ADY_OK)
		return err;
	return ady_hpke_open(out, secret32, mine, backup->enc, ady_bytes_str(ADY_BACKUP_INFO),
	                     ady_bytes(bind32, 32), ady_bytes(backup->sealed, backup->sealed_n));
}

enum ady_err ady_backup_open(struct ady_seckey *key, const struct ady_backup *backup,
                             const uint8_t secret32[static ADY_HPKE_KEY],
                             const uint8_t bind32[static 32], enum ady_curve curve,
                             struct ady_bytes public_key, const struct ady_secp *secp)
{
	enum ady_err err = open_bytes(key->b, sizeof key->b, backup, secret32, bind32);

	if (err == ADY_OK && !ady_key_is_of(key, curve, public_key, secp))
		err = ADY_E_RECORD_MISMATCH;
	if (err != ADY_OK)
		ady_zero(key, sizeof *key);
	return err;
}

enum ady_err ady_backup_open_wallet(struct ady_wallet *wallet, const struct ady_backup *backup,
                                    const uint8_t secret32[static ADY_HPKE_KEY],
                                    const uint8_t bind32[static 32], const uint8_t pub33[static 33],
                                    const struct ady_secp *secp)
{
	enum ady_err err = open_bytes((uint8_t *)wallet, sizeof *wallet, backup, secret32, bind32);

	if (err == ADY_OK && !ady_wallet_is_of(wallet, pub33, secp))
		err = ADY_E_RECORD_MISMATCH;
	if (err != ADY_OK)
		ady_wallet_wipe(wallet);
	return err;
}
