// SPDX-License-Identifier: Apache-2.0
// A simulated beacon chain for a test of validator clients: time, forks, who has which duty, heads and
// checkpoints. There is no state and no fork choice: each block that is published becomes the head.
import { createHash } from 'node:crypto';
import { FORKS } from './duties.mjs';

export const SUBNETS = 4, COMMITTEES = 2, SYNC_SIZE = 32, SYNC_PERIOD = 8;
export const SYNC_PART = SYNC_SIZE / SUBNETS;
const hash = (...what) => '0x' + createHash('sha256').update(what.join('/')).digest('hex');

/** The chain of a network as the enclave's configuration has it, for validators with these public keys (0x..). */
export function beaconChain(network, pubkeys) {
  const genesis = Number(network.genesis_time), perSlot = Number(network.seconds_per_slot), perEpoch = Number(network.slots_per_epoch);
  const blocks = new Map([[0, hash('genesis')]]); // slot: root
  const epochOf = (slot) => Math.floor(slot / perEpoch);
  const forkAt = (epoch) => network.forks.findLastIndex((f) => Number(f.epoch) <= epoch);
  /** The root of the last block up to a slot. */
  const rootAt = (slot) => {
    for (let at = slot; ; at--) if (blocks.has(at)) return blocks.get(at);
  };
  const checkpoint = (epoch) => ({ epoch, root: rootAt(epoch * perEpoch) });
  const each = pubkeys.length / perEpoch / COMMITTEES;

  return {
    network, genesis, perSlot, perEpoch, pubkeys, blocks, epochOf, rootAt, checkpoint, forkAt, each,
    now: () => Math.floor((Date.now() / 1000 - genesis) / perSlot),
    forkName: (slot) => FORKS[forkAt(epochOf(slot))],
    versionAt: (slot) => network.forks[forkAt(epochOf(slot))].version,
    dependentRoot: (epoch) => hash('dependent', epoch),
    proposer: (slot) => (slot * 7) % pubkeys.length,
    /** A validator's attestation in an epoch: every epoch it is another slot. */
    attester(epoch, index) {
      const at = (index + epoch * 5) % pubkeys.length;
      const slot = epoch * perEpoch + (at % perEpoch);
      const place = Math.floor(at / perEpoch);
      return { index, slot, committee: Math.floor(place / each), position: place % each };
    },
    /** The places of a validator in the sync committee of a slot's messages: none or one. They are for the next slot's block. */
    syncPlaces(epoch, index) {
      const place = (index + 32 * Math.floor(epoch / SYNC_PERIOD) + 3) % pubkeys.length;
      return place < SYNC_SIZE ? [place] : [];
    },
    syncEpoch: (slot) => epochOf(slot + 1),
  };
}
