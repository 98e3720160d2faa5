/* SPDX-License-Identifier: Apache-2.0
 *
 * From an object's root to the root that is signed: compute_domain and compute_signing_root of
 * consensus-specs, and the choice of the fork version. */
#ifndef ADY_CHAIN_BEACON_DOMAIN_H
#define ADY_CHAIN_BEACON_DOMAIN_H

#include "chain/beacon_network.h"

struct ady_beacon_fork_info {
	uint8_t previous[4], current[4];
	uint64_t epoch;
	uint8_t genesis_validators_root[32];
};

/* Read "fork_info" of object i. strict: see beacon_duty.h. Errors as there. */
enum ady_err ady_beacon_read_fork_info(struct ady_beacon_fork_info *info,
                                       const struct ady_ssz_reader *r, uint32_t i, bool strict);

/* The version for an object of epoch: previous before info->epoch, else current. In the epochs that
 * the network's schedule covers it must be the schedule's, so that nothing is signed for a fork
 * that never was; from its last fork on a version that it does not know is a later fork.
 * Returns ADY_E_FIELD_INVALID. */
enum ady_err ady_beacon_version_at(const struct ady_beacon_network *net,
                                   const struct ady_beacon_fork_info *info, uint64_t epoch,
                                   uint8_t version4[static 4], struct ady_fault *f);

/* The version for a voluntary exit: from Deneb on Capella's, whatever the epoch (EIP-7044); whether
 * it is Deneb is told by info->current. Errors as above. */
enum ady_err ady_beacon_exit_version(const struct ady_beacon_network *net,
                                     const struct ady_beacon_fork_info *info, uint64_t epoch,
                                     uint8_t version4[static 4], struct ady_fault *f);

/* root := hash_tree_root(SigningData(root, domain)). genesis_validators_root may be 32 zeros. */
void ady_beacon_signing_root(uint8_t root32[static 32], const uint8_t domain_type4[static 4],
                             const uint8_t version4[static 4],
                             const uint8_t genesis_validators_root32[static 32]);

#endif
