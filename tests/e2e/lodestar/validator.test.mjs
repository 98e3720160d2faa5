// SPDX-License-Identifier: Apache-2.0
// A real Lodestar validator client (1.5.1 from npm) with 64 keys that were made in the enclave does its duties
// through a gateway, before a simulated beacon node that verifies each signature: three epochs, each of
// another fork, in which nothing may be missing; then the gateway, and then the enclave, are killed.
import '../lib/minimal.mjs';
import assert from 'node:assert/strict';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { test, done, random, atEnd, until } from '../lib/tap.mjs';
import { request, root, scratch, spawnBound } from '../lib/stack.mjs';
import { FORKS, versionOf } from '../lib/duties.mjs';
import { startSides } from '../lib/sides.mjs';
import { beaconSpec, startBeacon } from '../lib/beacon-simulated.mjs';
import { attestation, epochNow, fastNetwork, freshStates, makeKeys, sign, slotNow, startValidators, untilSlot } from '../lib/validators.mjs';

const KEYS = 64, PER_EPOCH = 8;
// The client leaves a slot out when its duties of the slot before took longer than that.
const busy = loadavg()[0] > 2 * cpus().length;
const SLOT_S = Number(process.env.ADYTON_SLOT_S ?? (busy ? 5 : 3));
const FIRST = 5; // the first epoch of the three; those before are for starting up
const r = random();
const lodestar = join(root, 'tests/e2e/lodestar/node_modules/.bin/lodestar');
if (!existsSync(lodestar)) {
  console.log('not ok Lodestar is not installed: run script/bootstrap');
  process.exit(1);
}

// Altair up to the first of the three epochs, then Bellatrix, then Capella.
const epochs = { altair: 0, bellatrix: FIRST + 1, capella: FIRST + 2 };
const network = fastNetwork({
  name: 'simulated', preset: 'minimal', slots_per_epoch: String(PER_EPOCH), seconds_per_slot: String(SLOT_S),
  genesis_time: String(Math.floor(Date.now() / 1000) - 2 * PER_EPOCH * SLOT_S),
  forks: FORKS.slice(0, 4).map((name, i) => ({ version: versionOf(i), epoch: String(epochs[name] ?? 0) })),
});
const s = await startValidators({ network });
const keys = await makeKeys(s, KEYS);
await freshStates(s, keys);
const [side] = await startSides(s, 1);
const url = side.gateway.gateway;
// A first use, from which the floor counts; it is refused.
const altair = { fork: { previous_version: versionOf(0), current_version: versionOf(1), epoch: '0' }, genesis_validators_root: network.genesis_validators_root };
for (const k of keys) assert.equal((await sign(s, k.pubkey, { ...attestation(s, 0, 1), fork_info: altair }, { gateway: url })).status, 412);
const beacon = await startBeacon(network, (await request(`${url}/api/v1/eth2/publicKeys`)).json, r);
const { chain, checks } = beacon;

const dir = scratch('lode');
writeFileSync(join(dir, 'network.yaml'), Object.entries(beaconSpec(network)).map(([k, v]) => `${k}: ${/^(0x|minimal|simul)/.test(v) ? `"${v}"` : v}`).join('\n') + '\n');
const ARGS = [
  'validator', '--dataDir', join(dir, 'data'), '--paramsFile', join(dir, 'network.yaml'), '--beaconNodes', beacon.url,
  '--externalSigner.url', url, '--externalSigner.fetch', '--suggestedFeeRecipient', '0x' + 'fe'.repeat(20),
  '--builder', '--builder.selection', 'maxprofit', '--logLevel', 'debug',
];
const log = join(dir, 'log');
const client = spawnBound(lodestar, ARGS, { stdio: ['ignore', openSync(log, 'a'), openSync(log, 'a')], env: { ...process.env, LODESTAR_PRESET: 'minimal', NODE_BACKEND: 'js' } });
const ended = new Promise((resolve) => client.on('exit', resolve));
atEnd(() => (client.kill('SIGKILL'), ended));
const said = () => readFileSync(log, 'utf8');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const slots = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);
const missing = (list) => list.flatMap((slot) => checks.missing(slot));
/** Wait until what belongs to an epoch has had its time. */
const through = (epoch) => untilSlot(s, (epoch + 1) * PER_EPOCH + 1);
const good = () => {
  assert.deepEqual(beacon.wrong, []);
  assert.deepEqual([...beacon.unknown], []);
  assert.equal(client.exitCode, null, 'the client has ended');
};

await test('the client fetches the keys and begins before the first of the three epochs', async () => {
  await until(40000, 'the client to know its validators', () => client.exitCode !== null || /Discovered new validators/.test(said()));
  assert.ok(slotNow(s) < FIRST * PER_EPOCH - 1, `slot ${slotNow(s)}: the machine is too slow to have started by slot ${FIRST * PER_EPOCH - 1}`);
  assert.equal(chain.pubkeys.length, KEYS);
});

for (const [i, fork] of ['altair', 'bellatrix', 'capella'].entries())
  await test(`epoch of ${fork}: every attestation, aggregate, block, sync committee message and contribution`, async () => {
    const first = (FIRST + i) * PER_EPOCH;
    await through(FIRST + i);
    assert.equal(chain.forkName(first), fork);
    assert.deepEqual(missing(slots(first, first + PER_EPOCH)), []);
    good();
  });
console.log(`# signatures verified: ${JSON.stringify(checks.verified)}`);

await test('a registration for the builder of each key; blocks of the builder and of the node', async () => {
  assert.deepEqual(slots(0, KEYS).filter((i) => !checks.taken.has(`registration ${i}`)), []);
  assert.ok(beacon.published.blinded > 3 && beacon.published.full > 3, JSON.stringify(beacon.published));
});

const crashed = { gateway: (FIRST + 3) * PER_EPOCH + 1, enclave: (FIRST + 4) * PER_EPOCH + 1 };
/** Kill something in the middle of the first half of a slot, when attestations are signed. */
async function crash(slot, restart) {
  await untilSlot(s, slot);
  await sleep(SLOT_S * 250);
  await restart();
  assert.ok(slotNow(s) <= slot + 1, 'the machine is too slow: it took more than a slot to start again');
}

await test('the gateway is killed and started again: from the next slot but one on nothing is missing', async () => {
  await crash(crashed.gateway, side.restartGateway);
  assert.equal(side.gateway.gateway, url);
  await through(FIRST + 3);
  assert.deepEqual(missing(slots(crashed.gateway + 2, (FIRST + 4) * PER_EPOCH)), []);
  good();
});

/** What the floor costs from slot on, of the validators that have signed nothing since the enclave started: the first
 * duty of each that could be slashed for, and what is of the time up to the slot after it. */
function floored(slot, end) {
  const floor = new Map(); // by validator: the slot up to which all is refused
  const names = new Set();
  const refused = (index, at, what, is) => {
    if (!floor.has(index)) floor.set(index, at + 1);
    if (is(floor.get(index))) names.add(what);
  };
  for (const at of slots(slot, end)) {
    const epoch = chain.epochOf(at);
    refused(chain.proposer(at), at, `block ${at}`, (f) => at <= f);
    for (const index of chain.pubkeys.keys())
      if (chain.attester(epoch, index).slot === at) refused(index, at, `attestation ${epoch} ${index}`, (f) => epoch <= chain.epochOf(f));
  }
  return names;
}

await test('the enclave is killed and started again: each key misses what the floor costs, once, and no more', async () => {
  await crash(crashed.enclave, side.restartEnclave);
  const from = crashed.enclave + 2, end = (FIRST + 7) * PER_EPOCH;
  await through(FIRST + 6);
  const expected = floored(from, end);
  const unsure = new Set(slots(crashed.enclave, from).flatMap((at) => [chain.proposer(at), ...slots(0, KEYS).filter((i) => chain.attester(chain.epochOf(at), i).slot === at)]));
  const got = missing(slots(from, end));
  const of = (what) => got.filter((name) => name.startsWith(what));
  const sure = (name) => !unsure.has(name.startsWith('block') ? chain.proposer(Number(name.split(' ')[1])) : Number(name.split(' ')[2]));
  assert.deepEqual([...of('attestation'), ...of('block')].filter(sure).sort(), [...expected].filter(sure).sort());
  assert.deepEqual([...of('randao'), ...of('sync'), ...of('contribution')], [], 'what cannot be slashed for goes on');
  assert.deepEqual(missing(slots((FIRST + 6) * PER_EPOCH, end)), [], 'the last epoch is whole');
  console.log(`# after the enclave's restart: ${of('attestation').length} attestations and ${of('block').length} blocks were refused`);
  good();
});

await test('what the client could not sign was refused for the time floor, or lost with what was killed', () => {
  const reasons = {};
  for (const [, why] of said().matchAll(/(?:Error signing|Error proposing).*?(\{"code":\d+.*?\}|ECONNREFUSED|ECONNRESET|socket hang up|[^,]*$)/gm)) {
    const reason = /"message":"(.*?)"/.exec(why)?.[1] ?? why.trim();
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  console.log(`# not signed: ${JSON.stringify(reasons)}`);
  assert.ok(!Object.keys(reasons).some((why) => /signing root|network|malformed/i.test(why)), JSON.stringify(reasons));
});

await test('the simulated node does refuse a signature of another key', async () => {
  const slot = slotNow(s);
  const [mine, other] = slots(0, KEYS).filter((i) => chain.syncPlaces(chain.syncEpoch(slot), i).length);
  const message = { beacon_block_root: chain.rootAt(slot), slot: String(slot) };
  const fork_info = { ...altair, fork: { previous_version: versionOf(2), current_version: versionOf(3), epoch: String(epochs.capella) } };
  const { json } = await sign(s, chain.pubkeys[mine], { type: 'SYNC_COMMITTEE_MESSAGE', fork_info, sync_committee_message: message }, { gateway: url });
  const got = await request(`${beacon.url}/eth/v1/beacon/pool/sync_committees`, { method: 'POST', body: [{ ...message, validator_index: String(other), signature: json.signature }] });
  assert.equal(got.status, 400);
  assert.match(beacon.wrong.at(-1), new RegExp(`signature of validator ${other} is not good`));
});

console.log(`# signatures verified: ${JSON.stringify(checks.verified)}`);
await done();
