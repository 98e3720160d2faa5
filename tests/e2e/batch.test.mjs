// SPDX-License-Identifier: Apache-2.0
// Keys by the thousand, and records that are sealed anew: under another data key, under another KMS key, from direct
// wrapping to an envelope. What is made or sealed anew signs; what was changed on the way does not.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Transaction, computeAddress } from 'ethers';
import { PutKeyPolicyCommand, DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { test, done, random } from './lib/tap.mjs';
import { scratch } from './lib/stack.mjs';
import { T, cbor } from './lib/parent.mjs';
import { startDevcloud, startEnclave, roleCredentials, createKey, makeRecord, makeEnvelope, policyFor, goodTx } from './lib/hostile.mjs';

const r = random();
const cloud = await startDevcloud(join(scratch(), 'a'));
const [first, second] = [await createKey(cloud), await createKey(cloud)];
const e = await startEnclave(cloud, first, { kms: { keys: [first, second] } });
await cloud.kms.send(new PutKeyPolicyCommand({ KeyId: second, PolicyName: 'default', Policy: policyFor(cloud, e.pcr0) }));
const link = e.link();
await link.credentials(await roleCredentials(cloud));

async function signs(k) {
  const answer = await link.sign(k.id, k.text, goodTx());
  assert.ok(answer.ok, JSON.stringify(answer.error));
  assert.equal(Transaction.from('0x' + answer.value[0].toString('hex')).from, k.address ?? computeAddress('0x' + k.publicKey.toString('hex')));
}
const asKey = (made) => ({ ...made, address: computeAddress('0x' + made.publicKey.toString('hex')) });

await test('1,000 keys in one message: all different, all of one data key, each signs under its own number', async () => {
  const began = Date.now();
  const batch = await link.batch('hot-', 1000, { options: { chains: [31337] }, first: 41 });
  assert.ok(batch.ok, JSON.stringify(batch.error));
  console.log(`# ${Date.now() - began} ms`);
  assert.equal(batch.keys.length, 1000);
  for (const what of ['public_key', 'ciphertext']) assert.equal(new Set(batch.keys.map((k) => k.record[what])).size, 1000);
  assert.equal(new Set(batch.keys.map((k) => k.record.ciphertext.slice(0, 16))).size, 1000, 'a nonce came twice');
  assert.deepEqual([batch.keys[0].id, batch.keys[999].id], ['hot-41', 'hot-1040']);
  for (const i of [0, 1, 500, 999]) await signs(batch.keys[i]);
  // a record under another's number does not open
  const swapped = { ...batch.keys[1].record, id: 'hot-41' };
  assert.equal((await link.sign('hot-41', JSON.stringify(swapped), goodTx())).error?.code, 'record_mismatch');
  const more = await link.batch('hot-', 3, { dataKey: batch.dataKey, first: 1041, options: { chains: [31337] } });
  assert.deepEqual([more.keys.length, more.dataKey.equals(batch.dataKey)], [3, true]);
  await signs(more.keys[2]);
  assert.equal((await link.status()).created, 1003);
});

await test('a batch is refused as a whole, by name', async () => {
  const options = Buffer.from('{"id":"k"}');
  const none = Buffer.alloc(0);
  for (const body of [
    cbor([0, 'default', options, none, 0, 0]),
    cbor([0, 'default', options, none, 0, 1001]),
    cbor([0, 'default', options, none, 1000000000, 1]),
    cbor([0, 'default', options, none, 0]),
    cbor([0, 'default', options, none, '0', 1]),
  ]) {
    assert.equal((await link.ask(T.CREATE_BATCH, body)).error?.code, 'protocol_violation');
  }
  for (const [how, code, where] of [
    [{ options: { id: 'x'.repeat(246) } }, 'field_invalid', 'id'],
    [{ options: { x: 1 } }, 'field_unknown', 'x'],
    [{ curve: 3 }, 'field_invalid', 'curve'],
    [{ deadline: 1 }, 'deadline_exceeded', ''],
  ]) {
    const { error } = await link.batch('k', 1000, how);
    assert.deepEqual([error?.code, error?.where], [code, where], JSON.stringify(how));
  }
});

await test('a record is sealed under another data key; old and new both work', async () => {
  const old = asKey(await link.create('k', { options: { chains: [31337], allow: ['digest'] } }));
  const next = asKey(await link.rewrap('k', old.text));
  assert.ok(next.ok, JSON.stringify(next.error));
  const { data_key, ciphertext, ...rest } = next.record;
  const { data_key: oldDataKey, ciphertext: oldCiphertext, ...oldRest } = old.record;
  assert.deepEqual(rest, oldRest);
  assert.notEqual(data_key, oldDataKey);
  assert.notEqual(ciphertext, oldCiphertext);
  for (const k of [old, next]) await signs(k);
  // the data key that others of the tenant have already
  const third = asKey(await link.rewrap('k', next.text, { dataKey: old.dataKey }));
  assert.equal(third.record.data_key, oldDataKey);
  await signs(third);
});

await test('from one KMS key to another: the new record needs the old key no more', async () => {
  const old = asKey(await link.create('moving'));
  const moved = asKey(await link.rewrap('moving', old.text, { kmsKey: second }));
  assert.ok(moved.ok, JSON.stringify(moved.error));
  await link.lock('');
  await cloud.kms.send(new DisableKeyCommand({ KeyId: first }));
  const answer = await link.sign('moving', moved.text, goodTx());
  assert.ok(answer.ok, JSON.stringify(answer.error));
  assert.equal((await link.sign('moving', old.text, goodTx())).error?.code, 'kms_refused');
  await cloud.kms.send(new EnableKeyCommand({ KeyId: first }));
  const { error } = await link.rewrap('moving', moved.text, { kmsKey: second.replace(/.$/, (c) => (c === '0' ? '1' : '0')) });
  assert.deepEqual([error.code, error.where], ['field_invalid', 'kms_key']);
});

await test('a direct record becomes an envelope', async () => {
  const direct = await makeRecord(cloud, first, 'd', r.hex(32));
  const made = asKey(await link.rewrap('d', direct.text));
  assert.ok(made.ok, JSON.stringify(made.error));
  assert.equal(made.record.wrapping, 'envelope');
  assert.equal(made.address, direct.address);
  await signs(made);
});

await test('what does not open is not sealed anew', async () => {
  const k = await makeEnvelope(cloud, first, 'k', r.hex(32));
  const other = await makeEnvelope(cloud, first, 'k', r.hex(32), { tenant: 'other' });
  const liar = await makeRecord(cloud, first, 'k', r.hex(32), { plaintext: Buffer.from(r.hex(32).slice(2), 'hex') });
  const rows = [
    [JSON.stringify({ ...k.record, allow: ['digest'] }), {}, 'record_mismatch'],
    [JSON.stringify({ ...k.record, chains: [1] }), {}, 'record_mismatch'],
    [JSON.stringify({ ...k.record, tenant: 'other', data_key: other.record.data_key }), {}, 'record_mismatch'],
    [JSON.stringify({ ...k.record, tenant: 'other' }), {}, 'kms_refused'],
    [k.text, { dataKey: other.blob }, 'kms_refused'],
    [liar.text, {}, 'record_mismatch'],
    ['AQIDBA==', {}, 'record_malformed'],
    ['{}', {}, 'record_malformed'],
  ];
  for (const [text, how, code] of rows) assert.equal((await link.rewrap('k', text, how)).error?.code, code, text);
  assert.equal((await link.rewrap('another', k.text)).error?.code, 'record_mismatch');
  const some = Buffer.from(k.text);
  for (const body of [cbor(['k', some, Buffer.alloc(0)]), cbor(['', some, Buffer.alloc(0), '']), cbor(['k', Buffer.alloc(0), Buffer.alloc(0), '']), cbor(['k', some, Buffer.alloc(1025), '']), cbor(['k', some, Buffer.alloc(0), 'a'.repeat(192)])]) {
    assert.equal((await link.ask(T.REWRAP, body)).error?.code, 'protocol_violation');
  }
});

link.end();
await done();
