// SPDX-License-Identifier: Apache-2.0
// Random duties of validators, of every type and fork, as requests of the remote signing API, with the
// roots that @lodestar/types and @chainsafe/ssz compute for them.
import { ssz } from '@lodestar/types';

/** A network of our own, in which every fork has its epochs (mainnet's preset). */
export const FORKS = ['phase0', 'altair', 'bellatrix', 'capella', 'deneb', 'electra', 'fulu', 'gloas'];
export const STEP = 1000;
export const versionOf = (i) => `0x0${i}0000aa`;
export const network = {
  name: 'test', genesis_validators_root: '0x' + '5a'.repeat(32), genesis_time: '1700000000', seconds_per_slot: '12',
  slots_per_epoch: '32', preset: 'mainnet',
  forks: FORKS.map((_, i) => ({ version: versionOf(i), epoch: String(i * STEP) })),
};
const ZERO = '0x' + '00'.repeat(32);
const bytes = (hex) => Uint8Array.from(Buffer.from(hex.slice(2), 'hex'));
const hex = (b) => '0x' + Buffer.from(b).toString('hex');

// Lists are short, so that a request stays below its limit, but sometimes full enough to fill chunks.
const some = (r, limit) => Math.min(limit, r.pick([0, 1, 2, 3, 5]));

/** A random value of an SSZ type. */
export function randomValue(r, type) {
  switch (type.constructor.name) {
    case 'UintNumberType': return Number(r.big(Math.min(8 * type.byteLength, 53)));
    case 'UintBigintType': return r.big(8 * type.byteLength);
    case 'BooleanType': return r.below(2) === 1;
    case 'ByteVectorType': case 'ExecutionAddressType': return Uint8Array.from(r.bytes(type.lengthBytes));
    case 'ByteListType': case 'ProgressiveByteListType':
      return Uint8Array.from(r.bytes(Math.min(type.limitBytes ?? 600, r.pick([0, 1, 31, 32, 33, 600]))));
    case 'BitVectorType': return bits(r, type, type.lengthBits);
    case 'BitListType': case 'ProgressiveBitListType':
      return bits(r, type, Math.min(type.limitBits ?? 9999, r.pick([0, 1, 7, 8, 9, 255, 256, 257, 2000, 5000])));
    case 'VectorBasicType': case 'VectorCompositeType':
      return Array.from({ length: type.length }, () => randomValue(r, type.elementType));
    case 'ListBasicType': case 'ListCompositeType': case 'ProgressiveListBasicType':
    case 'ProgressiveListCompositeType': case 'ListUintNum64Type':
      return Array.from({ length: some(r, type.limit ?? 5) }, () => randomValue(r, type.elementType));
    case 'ContainerType': case 'ProgressiveContainerType': case 'ContainerNodeStructType': {
      const out = {};
      for (const [name, t] of Object.entries(type.fields)) out[name] = randomValue(r, t);
      return out;
    }
    default: throw new Error(`no random value for ${type.constructor.name}`);
  }
}

function bits(r, type, n) {
  const b = type.defaultValue();
  const full = b.constructor.fromBitLen(n);
  for (let i = 0; i < n; i++) full.set(i, r.below(2) === 1);
  return full;
}

export function signingRoot(objectRoot, domainType, version, gvr) {
  const data = ssz.phase0.ForkData.hashTreeRoot({ currentVersion: bytes(version), genesisValidatorsRoot: bytes(gvr) });
  const domain = Uint8Array.from([...bytes(domainType), ...data.slice(0, 28)]);
  return ssz.phase0.SigningData.hashTreeRoot({ objectRoot, domain });
}

/** fork_info as a client at that epoch sends it. */
export function forkInfo(fork, net = network) {
  const at = Math.max(fork, 1);
  return {
    fork: { previous_version: versionOf(at - 1), current_version: versionOf(at), epoch: String(at * STEP) },
    genesis_validators_root: net.genesis_validators_root,
  };
}

const inFork = (r, fork) => fork * STEP + r.below(STEP);
const slotIn = (r, fork) => inFork(r, fork) * 32 + r.below(32);
const aggregateType = (fork) => (ssz[FORKS[fork]] ?? ssz.phase0).AggregateAndProof ?? ssz.phase0.AggregateAndProof;

function whole(key, type, domain, setTime) {
  return (r, fork) => {
    const v = randomValue(r, type);
    setTime(v, r, fork);
    return { key, payload: type.toJson(v), root: type.hashTreeRoot(v), domain, value: v };
  };
}

function aggregate(named) {
  return (r, fork) => {
    const type = aggregateType(fork);
    const v = randomValue(r, type);
    v.aggregate.data.slot = slotIn(r, fork);
    const data = type.toJson(v);
    const payload = named === 'both' && r.below(2) ? data : { version: FORKS[fork].toUpperCase(), data };
    return { key: 'aggregate_and_proof', payload, root: type.hashTreeRoot(v), domain: '0x06000000' };
  };
}

const gloas = (key, type, domain, setTime, needsInfo = true) => (r, fork) => {
  const made = whole(key, type, domain, setTime)(r, fork);
  return { ...made, payload: { version: 'GLOAS', data: made.payload }, noFork: !needsInfo };
};

/** Every type: the forks it exists in, and how to make one. */
export const TYPES = {
  AGGREGATION_SLOT: [0, 7, (r, fork) => {
    const slot = slotIn(r, fork);
    return { key: 'aggregation_slot', payload: { slot: String(slot) }, root: ssz.Slot.hashTreeRoot(slot), domain: '0x05000000' };
  }],
  AGGREGATE_AND_PROOF: [0, 7, aggregate('both')],
  AGGREGATE_AND_PROOF_V2: [0, 7, aggregate('both')],
  ATTESTATION: [0, 7, whole('attestation', ssz.phase0.AttestationData, '0x01000000', (v, r, fork) => {
    v.target.epoch = inFork(r, fork);
  })],
  BLOCK: [0, 0, whole('block', ssz.phase0.BeaconBlock, '0x00000000', (v, r, fork) => { v.slot = slotIn(r, fork); })],
  BLOCK_V2: [0, 7, (r, fork) => {
    const type = fork >= 2 ? ssz.phase0.BeaconBlockHeader : ssz[FORKS[fork]].BeaconBlock;
    const v = randomValue(r, type);
    v.slot = slotIn(r, fork);
    const payload = { version: FORKS[fork].toUpperCase(), [fork >= 2 ? 'block_header' : 'block']: type.toJson(v) };
    return { key: 'beacon_block', payload, root: type.hashTreeRoot(v), domain: '0x00000000', value: v };
  }],
  DEPOSIT: [0, 7, (r) => {
    const v = randomValue(r, ssz.phase0.DepositMessage);
    const payload = { ...ssz.phase0.DepositMessage.toJson(v), genesis_fork_version: versionOf(0) };
    return { key: 'deposit', payload, root: ssz.phase0.DepositMessage.hashTreeRoot(v), domain: '0x03000000', noFork: true };
  }],
  RANDAO_REVEAL: [0, 7, (r, fork) => {
    const epoch = inFork(r, fork);
    return { key: 'randao_reveal', payload: { epoch: String(epoch) }, root: ssz.Epoch.hashTreeRoot(epoch), domain: '0x02000000' };
  }],
  VOLUNTARY_EXIT: [0, 7, (r, fork) => {
    const v = { epoch: fork >= 4 ? r.below((fork + 1) * STEP) : inFork(r, fork), validatorIndex: r.below(2 ** 40) };
    // EIP-7044: from Deneb on Capella's version, for an exit of any epoch
    const version = fork >= 4 ? versionOf(3) : undefined;
    return { key: 'voluntary_exit', payload: ssz.phase0.VoluntaryExit.toJson(v), root: ssz.phase0.VoluntaryExit.hashTreeRoot(v), domain: '0x04000000', version };
  }],
  SYNC_COMMITTEE_MESSAGE: [1, 7, (r, fork) => {
    const root = r.bytes(32);
    return { key: 'sync_committee_message', payload: { beacon_block_root: hex(root), slot: String(slotIn(r, fork)) }, root: Uint8Array.from(root), domain: '0x07000000' };
  }],
  SYNC_COMMITTEE_SELECTION_PROOF: [1, 7, whole('sync_aggregator_selection_data', ssz.altair.SyncAggregatorSelectionData, '0x08000000', (v, r, fork) => { v.slot = slotIn(r, fork); })],
  SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF: [1, 7, whole('contribution_and_proof', ssz.altair.ContributionAndProof, '0x09000000', (v, r, fork) => { v.contribution.slot = slotIn(r, fork); })],
  VALIDATOR_REGISTRATION: [0, 7, (r, fork) => ({
    ...whole('validator_registration', ssz.bellatrix.ValidatorRegistrationV1, '0x00000001', () => {})(r, fork), noFork: true,
  })],
  EXECUTION_PAYLOAD_BID: [7, 7, gloas('execution_payload_bid', ssz.gloas.ExecutionPayloadBid, '0x0B000000', (v, r, fork) => { v.slot = slotIn(r, fork); })],
  EXECUTION_PAYLOAD_ENVELOPE: [7, 7, gloas('execution_payload_envelope', ssz.gloas.ExecutionPayloadEnvelope, '0x0B000000', (v, r, fork) => { v.payload.slotNumber = slotIn(r, fork); })],
  PAYLOAD_ATTESTATION_MESSAGE: [7, 7, gloas('payload_attestation_message', ssz.gloas.PayloadAttestationData, '0x0C000000', (v, r, fork) => { v.slot = slotIn(r, fork); })],
  PROPOSER_PREFERENCES: [7, 7, gloas('proposer_preferences', ssz.gloas.ProposerPreferences, '0x0D000000', (v, r, fork) => { v.proposalSlot = slotIn(r, fork); })],
  BUILDER_REQUEST_AUTH: [7, 7, gloas('builder_request_auth', ssz.gloas.BuilderRequestAuth, '0x0B000001', () => {}, false)],
};

/** A random duty: {type, fork, request, root (hex)}. Clients differ in what they leave out or add. */
export function randomDuty(r, type = r.pick(Object.keys(TYPES)), fork) {
  const [first, last, make] = TYPES[type];
  fork ??= first + r.below(last - first + 1);
  const made = make(r, fork);
  const version = made.noFork ? versionOf(0) : (made.version ?? versionOf(fork));
  const root = hex(signingRoot(made.root, made.domain, version, made.noFork ? ZERO : network.genesis_validators_root));
  const request = { type: r.below(4) ? type : type.toLowerCase(), [made.key]: made.payload };
  if (!made.noFork || r.below(2)) request.fork_info = forkInfo(fork);
  if (r.below(2)) request[r.pick(['signingRoot', 'signing_root'])] = root;
  if (r.below(4) === 0) request.unknown_to_us = { a: [1] };
  return { type, fork, request, root, value: made.value };
}
