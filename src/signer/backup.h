/* SPDX-License-Identifier: Apache-2.0
 *
 * A private key or a wallet leaves the enclave in one way only: sealed by HPKE (crypto/hpke.h) to
 * the public key that its options named when it was made, and that its record is bound to
 * ("backup"). Who has the private half of that opens it, wherever; nobody else. Heap: none. */
#ifndef ADY_SIGNER_BACKUP_H
#define ADY_SIGNER_BACKUP_H

#include "crypto/hpke.h"
#include "signer/sign.h"
#include "signer/wallet.h"

/* The info of backups in HPKE. */
#define ADY_BACKUP_INFO "adyton backup 1"

/* What is sealed: a key's 32 bytes, or a wallet's entropy and seed as its record has them. */
enum {
	ADY_BACKUP_KEY = 32 + ADY_HPKE_TAG,
	ADY_BACKUP_WALLET = sizeof(struct ady_wallet) + ADY_HPKE_TAG,
};

struct ady_backup {
	uint8_t enc[ADY_HPKE_KEY];
	uint8_t sealed[ADY_BACKUP_WALLET];
	size_t sealed_n;
};

/* Bytes that are sealed of a key of that curve, or of a wallet. */
size_t ady_backup_size(enum ady_curve curve);

/* What binds a backup to its key: SHA-256(curve || 0x00 || tenant || 0x00 || id || 0x00 || public
 * key). */
void ady_backup_bind(uint8_t out32[static 32], const char *curve, const char *tenant,
                     const char *id, struct ady_bytes public_key);

/* Whether the key or wallet of job->record may be backed up, for who asks with that body and these
 * stamps (operation "backup"). job->setting is set. Returns: ADY_E_DENIED when the record names no
 * key to back up to; ADY_E_UNAUTHORIZED when it names callers and none of them has stamped;
 * ADY_E_TOO_LARGE. */
enum ady_err ady_backup_permit(struct ady_sign_job *job, struct ady_bytes key_id,
                               struct ady_bytes body, struct ady_bytes stamp, struct ady_fault *f);

/* Seal the key or wallet of rec. opened, secret: what KMS opened for rec, the data key of an
 * envelope or the key itself.
 * Returns: ADY_E_RECORD_MISMATCH when it does not open, or to another key than the record's;
 *          ADY_E_KEY_FORM, ADY_E_KEY_RANGE; ADY_E_CRYPTO for a backup key of small order. */
enum ady_err ady_backup_seal(struct ady_backup *out, const struct ady_record *rec,
                             const struct ady_secp *secp, const struct ady_envelope *e,
                             struct ady_bytes opened, struct ady_fault *f);

/* Open a key's backup, in the owner's program, not in the enclave: secret32 is the private half of
 * the backup key.
 * Returns: ADY_E_CRYPTO when it is not of that key, or anything of it was changed;
 *          ADY_E_RECORD_MISMATCH when what is in it is not the key of public_key. key is zero then.
 */
enum ady_err ady_backup_open(struct ady_seckey *key, const struct ady_backup *backup,
                             const uint8_t secret32[static ADY_HPKE_KEY],
                             const uint8_t bind32[static 32], enum ady_curve curve,
                             struct ady_bytes public_key, const struct ady_secp *secp);

/* Open a wallet's backup, as ady_backup_open does. */
enum ady_err ady_backup_open_wallet(struct ady_wallet *wallet, const struct ady_backup *backup,
                                    const uint8_t secret32[static ADY_HPKE_KEY],
                                    const uint8_t bind32[static 32], const uint8_t pub33[static 33],
                                    const struct ady_secp *secp);

#endif
