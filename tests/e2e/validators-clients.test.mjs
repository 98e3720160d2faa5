// SPDX-License-Identifier: Apache-2.0
// What validator clients send, each in its own shape (their sources and recordings; not the clients
// themselves): accept headers, names of types, where the signing root is and what it is called, extra and
// missing members. Every signature is verified by @chainsafe/blst for the root of @lodestar/types.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PublicKey, Signature, verify } from '@chainsafe/blst';
import { ssz } from '@lodestar/types';
import { test, done, random, skip } from './lib/tap.mjs';
import { request, root as home } from './lib/stack.mjs';
import { randomValue, signingRoot, versionOf } from './lib/duties.mjs';
import { SLOTS, epochNow, fastNetwork, forkInfo, freshStates, makeKeys, slotNow, startValidators, untilSlot } from './lib/validators.mjs';

const r = random();
const s = await startValidators();
const clients = {
  // accept, the signing root's name, aggregates as, blocks as, more members
  Teku: { root: 'signingRoot', aggregate: ['AGGREGATE_AND_PROOF', 'bare'] },
  Prysm: { root: 'signingRoot', aggregate: ['AGGREGATE_AND_PROOF_V2', 'versioned'] },
  Lighthouse: { accept: 'application/json', root: 'signingRoot', aggregate: ['AGGREGATE_AND_PROOF', 'bare'] },
  Lodestar: { accept: '*/*', root: 'signingRoot', aggregate: ['AGGREGATE_AND_PROOF_V2', 'versioned'], json: true, pinsExits: true },
  Nimbus: { accept: 'application/json', root: 'signingRoot', aggregate: ['AGGREGATE_AND_PROOF', 'bare'], alwaysForkInfo: true, proofs: true },
  Vero: { accept: 'text/plain', aggregate: ['AGGREGATE_AND_PROOF_V2', 'versioned'] },
  SSV: { accept: 'application/json', root: 'signing_root', aggregate: ['AGGREGATE_AND_PROOF', 'bare'] },
};
const keys = Object.fromEntries((await makeKeys(s, Object.keys(clients).length)).map((k, i) => [Object.keys(clients)[i], k]));
await freshStates(s, Object.values(keys));
const gvr = s.network.genesis_validators_root;
const hex = (b) => '0x' + Buffer.from(b).toString('hex');

const whole = (type, key, sszType, domain, change, more = {}) => {
  const v = { ...randomValue(r, sszType), ...change };
  return { type, key, payload: sszType.toJson(v), object: sszType.hashTreeRoot(v), domain, ...more };
};

/** Every duty of an epoch, as a client asks for it. */
function dutiesOf(c) {
  const epoch = epochNow(s), slot = slotNow(s);
  const aggregate = randomValue(r, ssz.electra.AggregateAndProof);
  aggregate.aggregate.data.slot = slot;
  const bare = ssz.electra.AggregateAndProof.toJson(aggregate);
  const header = { ...randomValue(r, ssz.phase0.BeaconBlockHeader), slot };
  const contribution = randomValue(r, ssz.altair.ContributionAndProof);
  contribution.contribution.slot = slot;
  const list = [
    whole('ATTESTATION', 'attestation', ssz.phase0.AttestationData, '0x01000000', { source: { epoch: epoch - 1, root: r.bytes(32) }, target: { epoch, root: r.bytes(32) } }),
    { type: 'BLOCK_V2', key: 'beacon_block', payload: { version: 'FULU', block_header: ssz.phase0.BeaconBlockHeader.toJson(header) }, object: ssz.phase0.BeaconBlockHeader.hashTreeRoot(header), domain: '0x00000000' },
    { type: c.aggregate[0], key: 'aggregate_and_proof', payload: c.aggregate[1] === 'bare' ? bare : { version: 'FULU', data: bare }, object: ssz.electra.AggregateAndProof.hashTreeRoot(aggregate), domain: '0x06000000' },
    { type: 'AGGREGATION_SLOT', key: 'aggregation_slot', payload: { slot: String(slot) }, object: ssz.Slot.hashTreeRoot(slot), domain: '0x05000000' },
    { type: 'RANDAO_REVEAL', key: 'randao_reveal', payload: { epoch: String(epoch) }, object: ssz.Epoch.hashTreeRoot(epoch), domain: '0x02000000' },
    { type: 'SYNC_COMMITTEE_MESSAGE', key: 'sync_committee_message', payload: { beacon_block_root: hex(header.bodyRoot), slot: String(slot) }, object: header.bodyRoot, domain: '0x07000000' },
    whole('SYNC_COMMITTEE_SELECTION_PROOF', 'sync_aggregator_selection_data', ssz.altair.SyncAggregatorSelectionData, '0x08000000', { slot }),
    { type: 'SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF', key: 'contribution_and_proof', payload: ssz.altair.ContributionAndProof.toJson(contribution), object: ssz.altair.ContributionAndProof.hashTreeRoot(contribution), domain: '0x09000000' },
    whole('VOLUNTARY_EXIT', 'voluntary_exit', ssz.phase0.VoluntaryExit, '0x04000000', { epoch }, { version: versionOf(3), exit: true }),
    whole('VALIDATOR_REGISTRATION', 'validator_registration', ssz.bellatrix.ValidatorRegistrationV1, '0x00000001', {}, { version: versionOf(0), zero: true }),
  ];
  return list.map((d) => {
    const root = signingRoot(d.object, d.domain, d.version ?? versionOf(6), d.zero ? '0x' + '00'.repeat(32) : gvr);
    const body = { type: d.type, [d.key]: d.payload };
    if (!d.zero || c.alwaysForkInfo) body.fork_info = forkInfo(s);
    if (d.exit && c.pinsExits) body.fork_info = { fork: { previous_version: versionOf(3), current_version: versionOf(3), epoch: '0' }, genesis_validators_root: gvr };
    if (c.root) body[c.root] = hex(root);
    if (c.proofs && d.type === 'BLOCK_V2') body.proofs = [{ index: '401', proof: [hex(r.bytes(32)), hex(r.bytes(32))] }]; // its "verifying" mode
    return { body, root };
  });
}

const ask = (k, body, accept) => request(`${s.gateway}/api/v1/eth2/sign/${k.pubkey}`, { method: 'POST', body, headers: accept ? { accept } : {} });
for (const [name, c] of Object.entries(clients)) await ask(keys[name], dutiesOf(c)[0].body); // the first use, from which the floor counts
await untilSlot(s, (epochNow(s) + 2) * SLOTS);

for (const [name, c] of Object.entries(clients)) {
  await test(`every duty as ${name} asks for it`, async () => {
    await untilSlot(s, slotNow(s) + 1);
    for (const { body, root } of dutiesOf(c)) {
      const got = await ask(keys[name], body, c.accept);
      assert.equal(got.status, 200, `${body.type}: ${got.body}`);
      const json = c.json || c.accept === 'application/json';
      assert.equal(got.headers['content-type'].split(';')[0], json ? 'application/json' : 'text/plain', body.type);
      const signature = json ? got.json.signature : got.body;
      assert.ok(verify(Buffer.from(root), PublicKey.fromHex(keys[name].pubkey, true), Signature.fromHex(signature, true)), body.type);
    }
  });
}

/** A stack whose network is of one fork from genesis on, with a fresh key for each of these clients. */
async function atFork(fork, names) {
  const t = await startValidators({ network: fastNetwork({ forks: Array.from({ length: fork + 1 }, (_, i) => ({ version: versionOf(i), epoch: '0' })) }) });
  const made = await makeKeys(t, names.length);
  await freshStates(t, made);
  const info = { fork: { previous_version: versionOf(Math.max(fork - 1, 0)), current_version: versionOf(fork), epoch: '0' }, genesis_validators_root: t.network.genesis_validators_root };
  const signs = async (name, type, members, object, domain, { noFork } = {}) => {
    const c = clients[name], k = made[names.indexOf(name)];
    const root = noFork ? signingRoot(object, domain, versionOf(0), '0x' + '00'.repeat(32)) : signingRoot(object, domain, versionOf(fork), t.network.genesis_validators_root);
    const body = { type, ...(!noFork && { fork_info: info }), ...members, ...(c.root && { [c.root]: hex(root) }) };
    const got = await request(`${t.gateway}/api/v1/eth2/sign/${k.pubkey}`, { method: 'POST', body, headers: c.accept ? { accept: c.accept } : {} });
    if (got.status !== 200) return got;
    assert.ok(verify(Buffer.from(root), PublicKey.fromHex(k.pubkey, true), Signature.fromHex(got.json?.signature ?? got.body, true)), `${name}: ${type}`);
    return got;
  };
  return { t, signs };
}

/** The block of now, as name asks for it; again when the slot is of before the key's first use. */
async function proposes({ t, signs }, name, type, sszType, version) {
  for (let i = 0; ; i++) {
    const v = { ...randomValue(r, sszType), slot: slotNow(t) };
    const block = sszType.toJson(v);
    const got = await signs(name, type, type === 'BLOCK' ? { block } : { beacon_block: { version, block } }, sszType.hashTreeRoot(v), '0x00000000');
    if (got.status === 200) return;
    assert.ok(got.status === 412 && i < 5, `${name}: ${got.status} ${got.body}`);
    await untilSlot(t, slotNow(t) + 1);
  }
}

await test('blocks of phase0 as BLOCK (Teku, Prysm) and as BLOCK_V2 (Lighthouse, Lodestar), aggregates in the shape of then (SSV, Nimbus)', async () => {
  const names = ['Teku', 'Prysm', 'Lighthouse', 'Lodestar', 'SSV', 'Nimbus'];
  const at = await atFork(0, names);
  for (const name of names) {
    const old = name === 'Teku' || name === 'Prysm';
    await proposes(at, name, old ? 'BLOCK' : 'BLOCK_V2', ssz.phase0.BeaconBlock, 'PHASE0');
    const v = randomValue(r, ssz.phase0.AggregateAndProof);
    v.aggregate.data.slot = slotNow(at.t);
    const data = ssz.phase0.AggregateAndProof.toJson(v);
    const [type, shape] = name === 'Lodestar' ? ['AGGREGATE_AND_PROOF', 'bare'] : clients[name].aggregate;
    const got = await at.signs(name, type, { aggregate_and_proof: shape === 'bare' ? data : { version: 'PHASE0', data } }, ssz.phase0.AggregateAndProof.hashTreeRoot(v), '0x06000000');
    assert.equal(got.status, 200, `${name}: ${got.body}`);
  }
  await at.t.stop();
});

await test('whole blocks of Altair (Teku, Prysm, Lighthouse, Lodestar)', async () => {
  const names = ['Teku', 'Prysm', 'Lighthouse', 'Lodestar'];
  const at = await atFork(1, names);
  for (const name of names) await proposes(at, name, 'BLOCK_V2', ssz.altair.BeaconBlock, 'ALTAIR');
  await at.t.stop();
});

await test('what Gloas brings (Prysm, Teku, Lodestar)', async () => {
  const names = ['Prysm', 'Teku', 'Lodestar'];
  const at = await atFork(7, names);
  for (const name of names) {
    const slot = slotNow(at.t);
    for (const [type, key, sszType, domain, change, noFork] of [
      ['PAYLOAD_ATTESTATION_MESSAGE', 'payload_attestation_message', ssz.gloas.PayloadAttestationData, '0x0C000000', { slot }],
      ['PROPOSER_PREFERENCES', 'proposer_preferences', ssz.gloas.ProposerPreferences, '0x0D000000', { proposalSlot: slot + 1 }],
      ['EXECUTION_PAYLOAD_BID', 'execution_payload_bid', ssz.gloas.ExecutionPayloadBid, '0x0B000000', { slot }],
      ['BUILDER_REQUEST_AUTH', 'builder_request_auth', ssz.gloas.BuilderRequestAuth, '0x0B000001', {}, true],
    ]) {
      const v = { ...randomValue(r, sszType), ...change };
      const got = await at.signs(name, type, { [key]: { version: 'GLOAS', data: sszType.toJson(v) } }, sszType.hashTreeRoot(v), domain, { noFork });
      assert.equal(got.status, 200, `${name}: ${type}: ${got.body}`);
    }
  }
  await at.t.stop();
});

await test('requests recorded from a real Lodestar', async () => {
  const file = join(home, '../shared/vectors/web3signer/lodestar-requests.txt');
  if (!existsSync(file)) skip('../shared/vectors is not there: 5 recorded requests');
  const lines = readFileSync(file, 'utf8').split('\n');
  const whole_ = lines.map((l) => ({ accept: /accept=(\S+)/.exec(l)?.[1], text: l.slice(l.indexOf(' {') + 1) })).filter(({ text }) => { try { JSON.parse(text); return true; } catch { return false; } });
  assert.equal(whole_.length, 5);
  const recorded = JSON.parse(whole_[0].text).fork_info.genesis_validators_root;
  const other = await startValidators({ network: fastNetwork({ genesis_validators_root: recorded, slots_per_epoch: '8', preset: 'minimal', forks: ['0x00000001', '0x01000001', '0x02000001'].map((version) => ({ version, epoch: '0' })) }) });
  const [k] = await makeKeys(other, 1);
  await freshStates(other, [k]);
  for (const { accept, text } of whole_) {
    const q = JSON.parse(text);
    const got = await request(`${other.gateway}/api/v1/eth2/sign/${k.pubkey}`, { method: 'POST', body: text, headers: { accept } });
    if (q.type === 'ATTESTATION') { // of epoch 0, long before this enclave was there
      assert.equal(got.status, 412, got.body);
      assert.match(got.json.message, /before this enclave first used the key/);
      continue;
    }
    assert.equal(got.status, 200, got.body);
    assert.match(got.headers['content-type'], /^application\/json/);
    assert.ok(verify(Buffer.from(q.signingRoot.slice(2), 'hex'), PublicKey.fromHex(k.pubkey, true), Signature.fromHex(got.json.signature, true)), q.type);
  }
  await other.stop();
});

await test('what clients ask before they sign: upcheck and public keys', async () => {
  for (const accept of [undefined, 'text/plain']) {
    const text = await request(`${s.gateway}/upcheck`, { headers: accept ? { accept } : {} });
    assert.deepEqual([text.status, text.body], [200, 'OK']);
  }
  const json = await request(`${s.gateway}/upcheck`, { headers: { accept: 'application/json' } });
  assert.equal(json.json.status, 'OK');
  assert.equal((await request(`${s.gateway}/api/v1/eth2/publicKeys`)).json.length, Object.keys(clients).length);
});

await done();
