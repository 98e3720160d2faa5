// SPDX-License-Identifier: Apache-2.0
// Conflicting duties of one key, 100 at once over two gateways, two enclaves and one PostgreSQL: one is signed.
// In between, and in the middle, any of the five processes is killed.
//   ADYTON_ROUNDS=10000 node tests/e2e/conflicts.test.mjs     as many rounds; without, 150
import assert from 'node:assert/strict';
import { PublicKey, Signature, verify } from '@chainsafe/blst';
import { ssz } from '@lodestar/types';
import { test, done, random, until } from './lib/tap.mjs';
import { signingRoot, versionOf } from './lib/duties.mjs';
import { crashPostgres, startSides } from './lib/sides.mjs';
import { startPostgres } from './lib/postgres.mjs';
import { attestation, block, epochNow, fastNetwork, forkInfo, freshStates, makeKeys, sign, startValidators, untilSlot } from './lib/validators.mjs';

const ROUNDS = Number(process.env.ADYTON_ROUNDS ?? 150);
const AT_ONCE = 100;
const KEYS = 24; // more than an epoch has rounds
const EVERY = ROUNDS < 1000 ? 12 : 100; // rounds between two kills, on average
const r = random();
const pg = startPostgres();
if (!pg) {
  console.log('skip conflicting duties over two gateways and two enclaves: PostgreSQL is not installed');
  await done();
}

// An epoch is a slot of a second, so that a key has another target every second.
const s = await startValidators({ network: fastNetwork({ slots_per_epoch: '1' }), states: `postgres:${pg.conninfo}` });
const now = () => epochNow(s);
const untilEpoch = (epoch) => untilSlot(s, epoch);
const keys = await makeKeys(s, KEYS);
await freshStates(s, keys);
const sides = await startSides(s, 2);

const count = { requests: 0, signatures: 0, rounds: 0, blocks: 0, disturbed: 0, none: 0, slow: 0, answers: {}, kills: {} };
const ask = async (side, k, body) => {
  const got = await sign(s, k.pubkey, body, { gateway: side.gateway.gateway }).catch(() => ({ status: 'no answer' }));
  const why = got.status === 412 ? got.json.message : (got.json?.error ?? '');
  const name = `${got.status} ${why}`.trim();
  count.requests++;
  count.answers[name] = (count.answers[name] ?? 0) + 1;
  return got;
};

/** Until both sides sign duties: from its first use of a key on, an enclave signs what is of the epochs after the next. */
async function ready() {
  const randao = { type: 'RANDAO_REVEAL', fork_info: forkInfo(s), randao_reveal: { epoch: '1' } };
  for (const side of sides) {
    await until(20000, 'a gateway and its enclave to sign', async () => (await ask(side, keys[0], randao)).status === 200);
    if (!side.fresh) continue;
    for (const k of keys) await ask(side, k, attestation(s, 1, 2));
    side.fresh = false;
    side.from = now() + 2;
  }
  await untilEpoch(Math.max(...sides.map((side) => side.from)));
}

const rootOf = (q) => {
  const [type, value, domain] = q.attestation ? [ssz.phase0.AttestationData, q.attestation, '0x01000000'] : [ssz.phase0.BeaconBlockHeader, q.beacon_block.block_header, '0x00000000'];
  return signingRoot(type.hashTreeRoot(type.fromJson(value)), domain, versionOf(6), s.network.genesis_validators_root);
};

/** Send n conflicting requests at once, over both gateways; those that were signed, as [signature, root]. */
async function race(k, make, n = AT_ONCE) {
  const asked = Array.from({ length: n }, () => make(r.hex(32)));
  const got = await Promise.all(asked.map((q, i) => ask(sides[i % 2], k, q)));
  const signed = asked.flatMap((q, i) => (got[i].status === 200 ? [[got[i].json.signature, rootOf(q)]] : []));
  for (const [signature, root] of signed)
    assert.ok(verify(Uint8Array.from(root), PublicKey.fromHex(k.pubkey, true), Signature.fromHex(signature, true)), 'a signature is not of what was asked');
  count.signatures += signed.length;
  return { signed, statuses: got.map((g) => g.status), unknown: got.some((g) => /is not known: it counts as written/.test(g.json?.message)) };
}

let turn = 0;
/** The next key, and an epoch that it has signed nothing of. */
async function next() {
  const k = keys[turn++ % KEYS];
  await untilEpoch((k.last ?? 0) + 1);
  k.last = now();
  return [k, k.last];
}
const attest = (target) => (head) => attestation(s, target - 1, target, head);
const propose = (slot) => (body) => block(s, slot, body);

const restart = (i) => ((sides[i].fresh = true), sides[i].restartEnclave());
const KILLS = [
  ['gateway A', () => sides[0].restartGateway()],
  ['gateway B', () => sides[1].restartGateway()],
  ['enclave A', () => restart(0)],
  ['enclave B', () => restart(1)],
  ['PostgreSQL', () => crashPostgres(pg)],
];

/** A round in the middle of which something is killed: at most one signature, also of who asks again. */
async function disturbed() {
  const [what, kill] = KILLS[count.disturbed++ % KILLS.length];
  const [k, target] = await next();
  const first = race(k, attest(target));
  await new Promise((resolve) => setTimeout(resolve, r.below(60)));
  await kill();
  const signed = [...(await first).signed, ...(await race(k, attest(target), 20)).signed];
  await ready();
  signed.push(...(await race(k, attest(target), 20)).signed);
  count.kills[what] = (count.kills[what] ?? 0) + 1;
  assert.ok(signed.length <= 1, `${what} killed: ${signed.length} signatures of target ${target}`);
  if (signed.length === 0) count.none++;
}

/** Conflicting requests, of which one is signed. False: none was, because the machine was too busy to write in two
 * seconds, and what may be written counts as written. */
async function round(make) {
  const [k, at] = await next();
  const { signed, statuses, unknown } = await race(k, make(at));
  if (signed.length === 0 && unknown) {
    count.slow++;
    return false;
  }
  assert.equal(signed.length, 1, `round ${count.rounds + count.blocks}, epoch ${at}: ${signed.length} signatures: ${statuses}`);
  return true;
}

for (const side of sides) side.fresh = true;
await ready();

await test(`${AT_ONCE} conflicting attestations at once, ${ROUNDS} times, processes killed in between: one signature each`, async () => {
  const began = Date.now();
  for (let left = 1 + r.below(2 * EVERY); count.rounds < ROUNDS; left--) {
    if (left === 0) {
      await disturbed();
      left = 2 + r.below(2 * EVERY);
    }
    count.rounds += await round(attest);
    if (ROUNDS >= 1000 && count.rounds % 500 === 0) console.log(`# ${count.rounds} rounds, ${Math.round((Date.now() - began) / 1000)} s`);
  }
  assert.ok(count.slow <= ROUNDS, `${count.slow} rounds in which a write took too long`);
  count.seconds = Math.round((Date.now() - began) / 1000);
});

await test(`${AT_ONCE} conflicting blocks of a slot at once: one signature`, async () => {
  while (count.blocks < Math.max(KEYS, ROUNDS / 100)) count.blocks += await round(propose);
});

console.log(`# ${JSON.stringify(count)}`);
await test('each of the five processes was killed, and what was refused was refused for its conflict', async () => {
  assert.equal(Object.keys(count.kills).length, KILLS.length, JSON.stringify(count.kills));
  const conflicts = Object.entries(count.answers).filter(([why]) => /target or a later one|another block of this slot/.test(why)).reduce((n, [, x]) => n + x, 0);
  assert.ok(conflicts > 0.8 * count.requests, JSON.stringify(count.answers));
});

await done();
