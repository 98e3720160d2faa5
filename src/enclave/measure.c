/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/measure.h"

#include <string.h>

#include "base/log.h"
#include "crypto/hash.h"

enum { CONFIG_PCR = 16, ALL_LOCKED = 0xffffffff };

static const uint8_t zeros[48];

/* In debug mode the console shows everything and PCR0 is zero: whoever sealed a key to such a
 * measurement sealed it to nobody. */
enum ady_err ady_measure_image(struct ady_nsm *nsm, bool development, struct ady_fault *f)
{
	struct ady_nsm_pcr pcr;
	enum ady_err err = ady_nsm_pcr(nsm, 0, &pcr, f);

	if (err != ADY_OK)
		return err;
	if (memcmp(pcr.data, zeros, sizeof zeros) != 0)
		return ADY_OK;
	if (!development)
		return ady_fail(f, ADY_E_ATTESTATION, "PCR0",
		                "is zero: this enclave runs in debug mode");
	ADY_WARN("PCR0 is zero: debug mode", "development=true");
	return ADY_OK;
}

static enum ady_err extend_config(struct ady_nsm *nsm, const uint8_t hash48[static 48],
                                  struct ady_fault *f)
{
	struct ady_bytes parts[] = {ady_bytes(zeros, 48), ady_bytes(hash48, 48)};
	uint8_t want[48], got[48];
	struct ady_nsm_pcr pcr;
	enum ady_err err;

	ady_sha384(want, parts, 2);
	if ((err = ady_nsm_pcr(nsm, CONFIG_PCR, &pcr, f)) != ADY_OK)
		return err;
	if (memcmp(pcr.data, want, sizeof want) == 0)
		return ADY_OK;
	if (pcr.locked || memcmp(pcr.data, zeros, sizeof zeros) != 0)
		return ady_fail(f, ADY_E_ATTESTATION, "PCR16", "holds something else already");
	return ady_nsm_extend(nsm, CONFIG_PCR, parts[1], got, f);
}

/* Read back instead of believing the answers above. */
static enum ady_err check_config(struct ady_nsm *nsm, const uint8_t hash48[static 48],
                                 struct ady_fault *f)
{
	struct ady_bytes parts[] = {ady_bytes(zeros, 48), ady_bytes(hash48, 48)};
	struct ady_nsm_pcr pcr;
	uint8_t want[48];
	enum ady_err err;

	ady_sha384(want, parts, 2);
	if ((err = ady_nsm_pcr(nsm, CONFIG_PCR, &pcr, f)) != ADY_OK)
		return err;
	if (!pcr.locked || memcmp(pcr.data, want, sizeof want) != 0)
		return ady_fail(f, ADY_E_ATTESTATION, "PCR16",
		                "does not hold the configuration's hash, locked");
	return ADY_OK;
}

enum ady_err ady_measure_self(struct ady_nsm *nsm, const struct ady_enclave_config *config,
                              struct ady_nsm_info *info, struct ady_fault *f)
{
	enum ady_err err;

	if ((err = ady_nsm_describe(nsm, info, f)) != ADY_OK ||
	    (err = extend_config(nsm, config->hash48, f)) != ADY_OK)
		return err;
	if (info->max_pcrs != ADY_NSM_PCRS)
		return ady_fail(f, ADY_E_ATTESTATION, "", "the NSM has not 32 PCRs");
	if (info->locked != ALL_LOCKED && (err = ady_nsm_lock(nsm, ADY_NSM_PCRS, f)) != ADY_OK)
		return err;
	if ((err = ady_nsm_describe(nsm, info, f)) != ADY_OK)
		return err;
	if (info->locked != ALL_LOCKED)
		return ady_fail(f, ADY_E_ATTESTATION, "", "not all PCRs are locked");
	return check_config(nsm, config->hash48, f);
}
