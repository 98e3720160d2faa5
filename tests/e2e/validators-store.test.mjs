// SPDX-License-Identifier: Apache-2.0
// Whoever owns the store of states loses them, brings back old ones, exchanges them; the stack is
// started again on them. Nothing is signed that a validator could be slashed for.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test, done, random, until } from './lib/tap.mjs';
import { bin, request, run, scratch, spawnBound } from './lib/stack.mjs';
import { metric, startGateway } from './lib/gateway.mjs';
import { SLOTS, attestation, block, epochNow, fastNetwork, freshStates, makeKeys, sign, slotNow, startValidators, untilSlot } from './lib/validators.mjs';

const r = random();
const dir = scratch('vst');
const network = fastNetwork();
const db = join(dir, 'states.db');
const start = () => startValidators({ dir, network });

/** Take or bring back a copy of the database with all that belongs to it. */
const copy = (from, to) => {
  for (const end of ['', '-wal', '-shm']) {
    rmSync(to + end, { force: true });
    if (existsSync(from + end)) copyFileSync(from + end, to + end);
  }
};
const nextEpoch = async (s) => (await untilSlot(s, (epochNow(s) + 1) * SLOTS), epochNow(s));
const refused = async (s, k, body, why) => {
  const got = await sign(s, k.pubkey, body);
  assert.equal(got.status, 412, got.body);
  assert.match(got.json.message, why);
};

let s = await start();
const [a, b] = await makeKeys(s, 2);
await freshStates(s, [a, b]);
for (const k of [a, b]) await sign(s, k.pubkey, attestation(s, 1, 2)); // the first use, from which the floor counts
await untilSlot(s, (epochNow(s) + 2) * SLOTS);

const signed = {};
await test('what is signed and written', async () => {
  const target = await nextEpoch(s);
  assert.equal((await sign(s, a.pubkey, attestation(s, target - 1, target))).status, 200);
  copy(db, `${db}.old`);
  signed.target = await nextEpoch(s);
  signed.slot = slotNow(s);
  for (const q of [attestation(s, signed.target - 1, signed.target), block(s, signed.slot)])
    assert.equal((await sign(s, a.pubkey, q)).status, 200);
});

await test('another gateway on an old copy: the enclave remembers what it signed', async () => {
  const other = await startGateway(s, { validators: { states: `sqlite:${db}.old` } });
  const got = await sign(s, a.pubkey, attestation(s, signed.target - 1, signed.target, r.hex(32)), { gateway: other.gateway });
  assert.equal(got.status, 412, got.body);
  // what would be new is not written over a row that is older than what the enclave has seen
  const target = await nextEpoch(s);
  const next = await sign(s, a.pubkey, attestation(s, target - 1, target), { gateway: other.gateway });
  assert.equal(next.status, 412, next.body);
  assert.match(next.json.message, /the store was rolled back/);
  await other.stop();
});

await test('another gateway on an empty store: the enclave remembers that the key had a state', async () => {
  const other = await startGateway(s, { validators: { states: `sqlite:${db}.empty` } });
  const target = await nextEpoch(s);
  for (const q of [attestation(s, target - 1, target), block(s, slotNow(s))]) {
    const got = await sign(s, a.pubkey, q, { gateway: other.gateway });
    assert.equal(got.status, 412, got.body);
    assert.match(got.json.message, /the store was rolled back/);
  }
  // a state made anew there is of a version that the enclave has seen another of
  await freshStates(s, [a], other.gateway);
  const again = await sign(s, a.pubkey, attestation(s, signed.target - 1, signed.target, r.hex(32)), { gateway: other.gateway });
  assert.equal(again.status, 412, again.body);
  assert.equal((await sign(s, a.pubkey, attestation(s, target - 1, target))).status, 200); // the store that is kept
  await other.stop();
});

await test('all of it started again on the old copy: neither the block nor the attestation of then', async () => {
  await s.stop();
  copy(`${db}.old`, db);
  s = await start();
  await refused(s, a, attestation(s, signed.target - 1, signed.target, r.hex(32)), /before this enclave first used the key/);
  await refused(s, a, block(s, signed.slot, r.hex(32)), /before this enclave first used the key/);
  await refused(s, a, attestation(s, signed.target - 3, epochNow(s)), /source/);
  await untilSlot(s, (epochNow(s) + 2) * SLOTS);
  const target = epochNow(s);
  assert.equal((await sign(s, a.pubkey, attestation(s, target - 1, target))).status, 200);
});

await test('a forged state is refused: one bit of a row is another', async () => {
  const [byte, bit] = [r.below(184), r.below(8)];
  const flip = () => {
    const p = run('python3', ['-c', `
import sqlite3
c = sqlite3.connect('${db}')
key = bytes.fromhex('${b.pubkey.slice(2)}')
row = bytearray(c.execute('SELECT state FROM adyton_state WHERE public_key = ?', (key,)).fetchone()[0])
row[${byte}] ^= ${1 << bit}
c.execute('UPDATE adyton_state SET state = ? WHERE public_key = ?', (bytes(row), key))
c.commit()`]);
    assert.equal(p.status, 0, p.stderr);
  };
  await s.stop();
  flip();
  s = await start();
  for (const k of [a, b]) await sign(s, k.pubkey, attestation(s, epochNow(s) - 1, epochNow(s))); // the first use
  await untilSlot(s, (epochNow(s) + 2) * SLOTS);
  const yes = await sign(s, a.pubkey, attestation(s, epochNow(s) - 1, epochNow(s)));
  assert.equal(yes.status, 200, yes.body);
  const no = await sign(s, b.pubkey, attestation(s, epochNow(s) - 1, epochNow(s)));
  assert.equal(no.status, 412, `byte ${byte}, bit ${bit}: ${no.body}`);
  assert.match(no.json.message, /^state: /, `byte ${byte}, bit ${bit}`);
  await s.stop();
  flip();
});

await test('a state in another key\'s place is refused', async () => {
  await s.stop();
  const swap = run(join(bin, 'tools/states'), [`sqlite:${db}`, 'swap', a.pubkey, b.pubkey]);
  assert.equal(swap.status, 0, swap.stderr);
  s = await start();
  await untilSlot(s, (epochNow(s) + 2) * SLOTS);
  for (const k of [a, b]) await refused(s, k, attestation(s, epochNow(s) - 1, epochNow(s)), /was not written by an enclave for this key/);
});

await test('an empty store: no key has a state, and none signs', async () => {
  await s.stop();
  for (const end of ['', '-wal', '-shm']) rmSync(db + end, { force: true });
  s = await start();
  await untilSlot(s, (epochNow(s) + 2) * SLOTS);
  for (const k of [a, b]) await refused(s, k, attestation(s, epochNow(s) - 1, epochNow(s)), /no slashing protection state/);
});

await test('states made anew are bound by the floor like any others', async () => {
  await s.stop();
  s = await start();
  await freshStates(s, [a, b]);
  await refused(s, a, attestation(s, signed.target - 1, signed.target, r.hex(32)), /before this enclave/);
  await refused(s, a, block(s, signed.slot, r.hex(32)), /before this enclave/);
});

await test('states that wait for the disk are committed together: 64 attestations in a few transactions', async () => {
  const keys = await makeKeys(s, 64, 'many');
  await freshStates(s, keys);
  const attest = (target) => Promise.all(keys.map((k) => sign(s, k.pubkey, attestation(s, target - 1, target))));
  await attest(epochNow(s)); // the first use
  const read = async (name) => metric((await request(`${s.gateway}/metrics`)).body, name);
  let answers, took;
  do {
    await untilSlot(s, (epochNow(s) + 2) * SLOTS);
    const before = await read('eth2_slashingprotection_database_duration_count');
    // Another program has the file while all of them come in.
    const hold = spawnBound('python3', ['-c', `import sqlite3, sys; c = sqlite3.connect('${db}', isolation_level=None); c.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read(); c.execute('ROLLBACK')`], { stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise((resolve) => hold.stdout.once('data', resolve));
    let over = false;
    const attesting = attest(epochNow(s)).finally(() => (over = true));
    await until(4000, 'all of them to wait', async () => over || (await read('adyton_in_flight')) >= keys.length);
    hold.stdin.end();
    answers = await attesting;
    took = (await read('eth2_slashingprotection_database_duration_count')) - before;
    // An enclave waits two seconds for a row: a busy machine may have needed them all before the file was let go.
  } while (answers.some((x) => /is not known: it counts as written/.test(x.json?.message)));
  for (const x of answers) assert.equal(x.status, 200, x.body);
  console.log(`# ${took} transactions`);
  assert.ok(took >= 1 && took <= 8, `${took} transactions`);
});

await done();
