// SPDX-License-Identifier: Apache-2.0
// Signing roots of validators' duties: those of @lodestar/types and @chainsafe/ssz for random objects of
// every type and fork, and the signatures over them those of @chainsafe/blst; those that a real Lodestar
// computed in recorded requests, and the built-in networks against @lodestar/config.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SecretKey } from '@chainsafe/blst';
import { networksChainConfig, genesisData } from '@lodestar/config/networks';
import { test, done, random, skip } from './lib/tap.mjs';
import { bin, root as home } from './lib/stack.mjs';
import { TYPES, network, randomDuty } from './lib/duties.mjs';

const N = Number(process.env.ADYTON_ORACLE ?? 10000);
const r = random();

function roots(net, requests, ...args) {
  const input = requests.map((q) => (typeof q === 'string' ? q : JSON.stringify(q)) + '\n').join('');
  const out = spawnSync(`${bin}/tools/beacon_root`, [typeof net === 'string' ? net : JSON.stringify(net), ...args], { input, maxBuffer: 1 << 28 });
  assert.equal(out.status, 0, String(out.stdout));
  return String(out.stdout).trimEnd().split('\n');
}

const types = Object.keys(TYPES);
const duties = Array.from({ length: N }, (_, i) => randomDuty(r, types[i % types.length]));
let computed; // "TYPE ROOT slot source target"

await test(`${N} random duties of all types and forks have the roots of @lodestar/types`, () => {
  computed = roots(network, duties.map((d) => d.request));
  computed.forEach((line, i) => {
    const d = duties[i];
    const [type, root] = line.split(' ');
    assert.equal(`${type} ${root}`, `${d.type} ${d.root.slice(2)}`, `${line} for ${JSON.stringify(d.request).slice(0, 2000)}`);
  });
});

await test(`${N} signatures over these roots are those of @chainsafe/blst`, () => {
  const keys = Array.from({ length: 64 }, () => SecretKey.fromKeygen(r.bytes(32)));
  const input = computed.map((line, i) => `sign ${keys[i % 64].toHex().slice(2)} ${line.split(' ')[1]}\n`).join('');
  const out = spawnSync(`${bin}/tools/bls`, { input, maxBuffer: 1 << 28 });
  assert.equal(out.status, 0, String(out.stderr));
  const signed = String(out.stdout).trimEnd().split('\n');
  assert.equal(signed.length, N);
  duties.forEach((d, i) => {
    const want = keys[i % 64].sign(Buffer.from(d.root.slice(2), 'hex')).toHex();
    assert.equal(signed[i].split(' ')[1], want.slice(2), `${d.type} ${d.root}`);
  });
});

await test('every type was tried in every fork it exists in', () => {
  for (const [type, [first, last]] of Object.entries(TYPES)) {
    for (let fork = first; fork <= last; fork++) {
      const d = randomDuty(r, type, fork);
      assert.equal(roots(network, [d.request])[0].split(' ')[1], d.root.slice(2), `${type} ${fork}`);
    }
  }
});

await test('slot, source and target are those of the object', () => {
  for (let i = 0; i < 50; i++) {
    const a = randomDuty(r, 'ATTESTATION');
    const b = randomDuty(r, 'BLOCK_V2');
    const [x, y] = roots(network, [a.request, b.request]);
    assert.deepEqual(x.split(' ').slice(2), ['0', a.request.attestation.source.epoch, a.request.attestation.target.epoch]);
    assert.deepEqual(y.split(' ').slice(2), [String(b.value.slot), '0', '0']);
  }
});

await test('requests that a real Lodestar sent have the roots that it gave', () => {
  const file = join(home, '../shared/vectors/web3signer/lodestar-requests.txt');
  if (!existsSync(file)) skip('../shared/vectors is not there: 5 recorded requests');
  const whole = readFileSync(file, 'utf8').split('\n').map((l) => l.slice(l.indexOf(' {') + 1)).filter((l) => { try { JSON.parse(l); return true; } catch { return false; } });
  assert.equal(whole.length, 5);
  const net = {
    name: 'lodestar-dev', genesis_validators_root: JSON.parse(whole[0]).fork_info.genesis_validators_root,
    genesis_time: '1700000000', seconds_per_slot: '12', slots_per_epoch: '8', preset: 'minimal',
    forks: ['0x00000001', '0x01000001', '0x02000001'].map((version) => ({ version, epoch: '0' })),
  };
  roots(net, whole).forEach((line, i) => {
    const q = JSON.parse(whole[i]);
    assert.equal(line.split(' ').slice(0, 2).join(' '), `${q.type} ${q.signingRoot.slice(2)}`);
  });
});

// Which this version of @lodestar/config has no more: metadata/config.yaml and README.md of eth-clients/holesky.
const holesky = {
  PRESET_BASE: 'mainnet', SLOT_DURATION_MS: 12000, ...Object.fromEntries(
    Object.entries({ GENESIS: 0, ALTAIR: 0, BELLATRIX: 0, CAPELLA: 256, DENEB: 29696, ELECTRA: 115968, FULU: 165120 }).flatMap(([fork, epoch], k) => [
      [`${fork}_FORK_VERSION`, Uint8Array.of(k + 1, 0x01, 0x70, 0x00)], [`${fork}_FORK_EPOCH`, epoch]])),
};
const holeskyGenesis = { genesisTime: 1695902100 + 300, genesisValidatorsRoot: '0x9143aa7c615a7f7115e2b6aac319c03529df8242ae705fba9df39b79c59fa8b1' };

await test('the built-in networks are those of @lodestar/config', () => {
  const upper = ['GENESIS', 'ALTAIR', 'BELLATRIX', 'CAPELLA', 'DENEB', 'ELECTRA', 'FULU', 'GLOAS'];
  const networks = { ...networksChainConfig, holesky }, data = { ...genesisData, holesky: holeskyGenesis };
  for (const name of ['mainnet', 'sepolia', 'hoodi', 'holesky', 'gnosis', 'chiado']) {
    const config = networks[name];
    const { genesisTime, genesisValidatorsRoot } = data[name];
    const at = [[0, 0], [config.SLOT_DURATION_MS / 1000 - 1, 0], [config.SLOT_DURATION_MS / 1000, 1], [config.SLOT_DURATION_MS, 1000]];
    assert.deepEqual(roots(name, at.map(([s]) => String(genesisTime + s)), 'slots'), at.map(([, slot]) => String(slot)), name);
    const slots = config.PRESET_BASE === 'gnosis' ? 16 : 32;
    const version = (k) => '0x' + Buffer.from(config[`${upper[k]}_FORK_VERSION`]).toString('hex');
    upper.forEach((fork, k) => {
      const epoch = k === 0 ? 0 : config[`${fork}_FORK_EPOCH`];
      if (!Number.isFinite(epoch)) return;
      const ask = (given, at) => roots(name, [{
        type: 'AGGREGATION_SLOT', aggregation_slot: { slot: String(at * slots) },
        fork_info: { fork: { previous_version: given, current_version: given, epoch: '0' }, genesis_validators_root: genesisValidatorsRoot },
      }])[0];
      // forks of one epoch: only the last of them ever is
      const later = upper.findLastIndex((f, j) => j > k && config[`${f}_FORK_EPOCH`] === epoch);
      if (later < 0) assert.match(ask(version(k), epoch), /^AGGREGATION_SLOT/, `${name} ${fork}`);
      if (later < 0 && k > 0 && epoch > 0) assert.match(ask(version(k), epoch - 1), /^field_invalid fork_info.fork/, `${name} ${fork}`);
    });
    const registration = { fee_recipient: '0x' + '11'.repeat(20), gas_limit: '1', timestamp: '2', pubkey: '0x' + '22'.repeat(48) };
    assert.match(roots(name, [{ type: 'VALIDATOR_REGISTRATION', validator_registration: registration }])[0], /^VALIDATOR/);
  }
});

await test('the network that doc/validators.md writes into the configuration file is read', () => {
  const [, text] = /\n {4}(\{"validators": \{"network": \{\n[^]*?\}\}\})\n/.exec(readFileSync(join(home, 'doc/validators.md'), 'utf8'));
  const { network: net } = JSON.parse(text.replace('<64 hex>', '11'.repeat(32))).validators;
  assert.deepEqual(roots(net, ['1700000035', '1700000036'], 'slots'), ['2', '3']);
});

await test('a signing root that is another is refused, under both of its names', () => {
  for (const name of ['signingRoot', 'signing_root']) {
    const { request } = randomDuty(r, 'ATTESTATION');
    delete request.signingRoot; delete request.signing_root;
    assert.match(roots(network, [{ ...request, [name]: r.hex(32) }])[0], new RegExp(`^signing_root_mismatch ${name}`));
    assert.match(roots(network, [{ ...request, [name]: null }])[0], /^ATTESTATION/);
  }
});

await test('strict reading refuses what the remote signing API ignores', () => {
  const { request } = randomDuty(r, 'RANDAO_REVEAL');
  delete request.unknown_to_us;
  assert.match(roots(network, [request], 'strict')[0], /^RANDAO_REVEAL/);
  assert.match(roots(network, [{ ...request, extra: 1 }], 'strict')[0], /^field_unknown extra/);
  assert.match(roots(network, [{ ...request, fork_info: { ...request.fork_info, extra: 1 } }], 'strict')[0], /^field_unknown fork_info/);
  assert.match(roots(network, [{ ...request, randao_reveal: { epoch: request.randao_reveal.epoch, extra: 1 } }], 'strict')[0], /^field_unknown extra/);
});

await done();
