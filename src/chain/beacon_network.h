/* SPDX-License-Identifier: Apache-2.0
 *
 * The beacon chain's networks: genesis, time, sizes and the schedule of forks. Six are built in (as
 * published by their projects); any other is read from the measured configuration:
 *
 *   {"name": "devnet", "genesis_validators_root": "0x..", "genesis_time": "1700000000",
 *    "seconds_per_slot": "12", "slots_per_epoch": "32", "preset": "mainnet",
 *    "forks": [{"version": "0x00000000", "epoch": "0"}, ..]}
 *
 * forks are phase0, altair, bellatrix, capella, deneb, electra, fulu, gloas, in this order, at
 * least the first; one without "epoch" is not scheduled. preset is "mainnet" or "minimal". */
#ifndef ADY_CHAIN_BEACON_NETWORK_H
#define ADY_CHAIN_BEACON_NETWORK_H

#include "chain/beacon_types.h"

enum ady_beacon_fork {
	ADY_FORK_PHASE0,
	ADY_FORK_ALTAIR,
	ADY_FORK_BELLATRIX,
	ADY_FORK_CAPELLA,
	ADY_FORK_DENEB,
	ADY_FORK_ELECTRA,
	ADY_FORK_FULU,
	ADY_FORK_GLOAS,
	ADY_FORKS,
};

#define ADY_FORK_NEVER UINT64_MAX

struct ady_beacon_network {
	char name[32];
	uint8_t genesis_validators_root[32];
	uint64_t genesis_time_s;
	uint32_t seconds_per_slot, slots_per_epoch; /* not 0 */
	uint64_t sizes[ADY_SIZES];
	struct {
		uint8_t version[4];
		uint64_t epoch; /* ascending; ADY_FORK_NEVER: not scheduled */
	} fork[ADY_FORKS];
};

/* The built-in network of that name (mainnet, sepolia, hoodi, holesky, gnosis, chiado), or NULL. */
const struct ady_beacon_network *ady_beacon_network_find(const char *name);

/* Read token i: the name of a built-in network, or an object as above, read strictly.
 * Returns: the ADY_E_FIELD_* with the path in f, "network" on top. */
enum ady_err ady_beacon_network_read(struct ady_beacon_network *net, const struct ady_json *doc,
                                     uint32_t i, struct ady_fault *f);

/* The fork that is in force in epoch. */
enum ady_beacon_fork ady_beacon_fork_at(const struct ady_beacon_network *net, uint64_t epoch);

/* The slot at a time in seconds since 1970; 0 before genesis. */
uint64_t ady_beacon_slot_at(const struct ady_beacon_network *net, uint64_t unix_s);

/* The name of a fork as requests write it, in upper case. */
const char *ady_beacon_fork_name(enum ady_beacon_fork fork);

#endif
