// SPDX-License-Identifier: Apache-2.0
// What a simulated beacon node takes from a validator client: every signature is verified by @chainsafe/blst
// for the signing root of @lodestar/types, every object compared with the duty it is for. What was taken is
// written down, so that what is missing can be told.
import { PublicKey, Signature, aggregateSignatures, verify } from '@chainsafe/blst';
import { ssz } from '@lodestar/types';
import { signingRoot } from './duties.mjs';
import { SYNC_PART } from './beacon-chain.mjs';

export const hex = (b) => '0x' + Buffer.from(b).toString('hex');
const root = (type, value) => hex(type.hashTreeRoot(value));
const ZERO = '0x' + '00'.repeat(32);
const DOMAIN = { block: '00', attestation: '01', randao: '02', exit: '04', slot: '05', aggregate: '06', sync: '07', syncSlot: '08', contribution: '09' };

/** What a client did wrong. */
export class Wrong extends Error {}
/** What is not there, and need not be. */
export class Absent extends Error {}
const must = (good, what) => {
  if (!good) throw new Wrong(what);
};

/** The checks for a chain. verified counts signatures by what they are of; given is what the node has given out. */
export function beaconChecks(chain) {
  const taken = new Map(); // what and whose: the object's root
  const verified = {};
  const given = { data: new Map(), block: new Map(), aggregate: new Map(), contribution: new Map() };
  const signatures = new Map(); // of what can be aggregated: [{ place, signature }]
  const keys = chain.pubkeys.map((k) => PublicKey.fromHex(k, true));

  function verifies(what, index, object, domain, signature, version, gvr = chain.network.genesis_validators_root) {
    const message = signingRoot(object, domain, version, gvr);
    must(verify(message, keys[index], Signature.fromBytes(signature, true)), `${what}: the signature of validator ${index} is not good`);
    verified[what] = (verified[what] ?? 0) + 1;
  }
  const good = (what, index, object, slot, signature) =>
    verifies(what, index, object, `0x${DOMAIN[what]}000000`, signature, chain.versionAt(slot));

  /** Write down that something was taken: the same again is well, another is not. */
  function take(name, object) {
    must(!taken.has(name) || taken.get(name) === object, `${name}: there are two`);
    taken.set(name, object);
  }
  const inTime = (slot) => must(Math.abs(chain.now() - slot) <= 1, `slot ${slot} is not now`);
  const together = (name, place, signature) => signatures.set(name, [...(signatures.get(name) ?? []), { place, signature }]);
  const aggregateOf = (name) => aggregateSignatures(signatures.get(name).map((x) => Signature.fromBytes(x.signature, true))).toBytes();
  const attester = (slot, index) => {
    const duty = chain.attester(chain.epochOf(slot), index);
    must(duty.slot === slot, `validator ${index} does not attest in slot ${slot}`);
    return duty;
  };
  const dataRoot = (data) => root(ssz.phase0.AttestationData, data);
  // Not by spreading: an object's root is kept in it.
  const withIndex = ({ slot, beaconBlockRoot, source, target }, index) => ({ slot, index, beaconBlockRoot, source, target });

  const checks = {
    taken, verified, given, withIndex,

    randao(slot, reveal) {
      inTime(slot);
      const epoch = chain.epochOf(slot);
      good('randao', chain.proposer(slot), ssz.Epoch.hashTreeRoot(epoch), slot, reveal);
      take(`randao ${slot}`, hex(reveal));
    },

    /** A signed block of a type; the root of what was given for it is the same. Returns its root. */
    block(type, signed) {
      const { message, signature } = signed;
      inTime(message.slot);
      const is = root(type, message);
      must(given.block.get(message.slot)?.includes(is), `block of slot ${message.slot}: it is not what was given out`);
      good('block', chain.proposer(message.slot), type.hashTreeRoot(message), message.slot, signature);
      take(`block ${message.slot}`, is);
      return is;
    },

    attestation(value) {
      const { data } = value;
      inTime(data.slot);
      const bits = value.aggregationBits.getTrueBitIndexes();
      const index = chain.pubkeys.findIndex((_, i) => {
        const d = chain.attester(chain.epochOf(data.slot), i);
        return d.slot === data.slot && d.committee === data.index && d.position === bits[0];
      });
      must(bits.length === 1 && value.aggregationBits.bitLen === chain.each && index >= 0, 'an attestation has one bit, of one who attests');
      must(given.data.has(data.slot) && dataRoot(withIndex(data, 0)) === dataRoot(given.data.get(data.slot)), `attestation of slot ${data.slot}: not what was given out`);
      good('attestation', index, ssz.phase0.AttestationData.hashTreeRoot(data), data.slot, value.signature);
      take(`attestation ${chain.epochOf(data.slot)} ${index}`, dataRoot(data));
      together(dataRoot(data), bits[0], value.signature);
    },

    /** The aggregate of what was published with this root. */
    aggregate(slot, wanted) {
      const list = signatures.get(wanted);
      if (!list) throw new Absent(`nobody published such an attestation of slot ${slot}`);
      const index = [0, 1].find((i) => dataRoot(withIndex(given.data.get(slot), i)) === wanted);
      const aggregationBits = ssz.phase0.CommitteeBits.fromJson('0x' + (1 << chain.each).toString(16).padStart(2, '0'));
      for (const { place } of list) aggregationBits.set(place, true);
      const made = { aggregationBits, data: withIndex(given.data.get(slot), index), signature: aggregateOf(wanted) };
      given.aggregate.set(root(ssz.phase0.Attestation, made), slot);
      return made;
    },

    aggregateAndProof({ message, signature }) {
      const { slot } = message.aggregate.data;
      const { committee } = attester(slot, message.aggregatorIndex);
      must(committee === message.aggregate.data.index, 'an aggregate is of its own committee');
      must(given.aggregate.has(root(ssz.phase0.Attestation, message.aggregate)), `aggregate of slot ${slot}: not what was given out`);
      good('slot', message.aggregatorIndex, ssz.Slot.hashTreeRoot(slot), slot, message.selectionProof);
      good('aggregate', message.aggregatorIndex, ssz.phase0.AggregateAndProof.hashTreeRoot(message), slot, signature);
      take(`aggregate ${chain.epochOf(slot)} ${message.aggregatorIndex}`, root(ssz.phase0.AggregateAndProof, message));
    },

    sync(value) {
      const { slot, validatorIndex, beaconBlockRoot } = value;
      inTime(slot);
      const [place] = chain.syncPlaces(chain.syncEpoch(slot), validatorIndex);
      must(place !== undefined, `validator ${validatorIndex} is not in the sync committee of slot ${slot}`);
      must([chain.rootAt(slot), chain.rootAt(slot - 1)].includes(hex(beaconBlockRoot)), `sync message of slot ${slot}: its root was no head`);
      good('sync', validatorIndex, beaconBlockRoot, slot, value.signature);
      take(`sync ${slot} ${validatorIndex}`, hex(beaconBlockRoot));
      together(`${slot} ${Math.floor(place / SYNC_PART)} ${hex(beaconBlockRoot)}`, place % SYNC_PART, value.signature);
    },

    contribution(slot, subcommitteeIndex, beaconBlockRoot) {
      const name = `${slot} ${subcommitteeIndex} ${beaconBlockRoot}`;
      if (!signatures.has(name)) throw new Absent(`nobody published such a sync message of slot ${slot}`);
      const made = ssz.altair.SyncCommitteeContribution.defaultValue();
      Object.assign(made, { slot, subcommitteeIndex, beaconBlockRoot: Buffer.from(beaconBlockRoot.slice(2), 'hex'), signature: aggregateOf(name) });
      for (const { place } of signatures.get(name)) made.aggregationBits.set(place, true);
      given.contribution.set(root(ssz.altair.SyncCommitteeContribution, made), slot);
      return made;
    },

    contributionAndProof({ message, signature }) {
      const { contribution, aggregatorIndex } = message;
      const { slot, subcommitteeIndex } = contribution;
      const [place] = chain.syncPlaces(chain.syncEpoch(slot), aggregatorIndex);
      must(place !== undefined && Math.floor(place / SYNC_PART) === subcommitteeIndex, 'a contribution is of its own subcommittee');
      must(given.contribution.has(root(ssz.altair.SyncCommitteeContribution, contribution)), `contribution of slot ${slot}: not what was given out`);
      good('syncSlot', aggregatorIndex, ssz.altair.SyncAggregatorSelectionData.hashTreeRoot({ slot, subcommitteeIndex }), slot, message.selectionProof);
      good('contribution', aggregatorIndex, ssz.altair.ContributionAndProof.hashTreeRoot(message), slot, signature);
      take(`contribution ${slot} ${aggregatorIndex}`, root(ssz.altair.ContributionAndProof, message));
    },

    registration({ message, signature }) {
      const index = chain.pubkeys.indexOf(hex(message.pubkey));
      must(index >= 0, 'a registration is of a validator');
      verifies('registration', index, ssz.bellatrix.ValidatorRegistrationV1.hashTreeRoot(message), '0x00000001', signature, chain.network.forks[0].version, ZERO);
      taken.set(`registration ${index}`, hex(message.feeRecipient));
    },

    /** What a slot must have brought and did not. */
    missing(slot) {
      const epoch = chain.epochOf(slot);
      const names = [`randao ${slot}`, `block ${slot}`];
      for (const index of chain.pubkeys.keys()) {
        if (chain.attester(epoch, index).slot === slot) names.push(`attestation ${epoch} ${index}`, `aggregate ${epoch} ${index}`);
        if (chain.syncPlaces(chain.syncEpoch(slot), index).length) names.push(`sync ${slot} ${index}`, `contribution ${slot} ${index}`);
      }
      return names.filter((name) => !taken.has(name));
    },
  };
  return checks;
}
