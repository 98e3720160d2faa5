// SPDX-License-Identifier: Apache-2.0
// Envelopes: keys that the enclave makes and seals under its tenant's data key; one call to KMS serves many
// requests; and whatever a lying parent changes, swaps or replays in a record does not open.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Transaction, Wallet, computeAddress } from 'ethers';
import { EncryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { test, done, random, until } from './lib/tap.mjs';
import { scratch } from './lib/stack.mjs';
import { clientOptions } from './lib/aws.mjs';
import { startDevcloud, startEnclave, roleCredentials, createKey, makeEnvelope, goodTx } from './lib/hostile.mjs';

const r = random();
const cloud = await startDevcloud(join(scratch(), 'a'));
const keyArn = await createKey(cloud);
const role = await roleCredentials(cloud);

/** An enclave of its own with credentials: { e, link }. */
async function start(changes = {}) {
  const e = await startEnclave(cloud, keyArn, { changes });
  const link = e.link();
  assert.ok((await link.credentials(role)).ok);
  return { e, link };
}
const { e, link } = await start();

async function signs(k, l = link, options) {
  const answer = await l.sign(k.id, k.text, goodTx(), options);
  assert.ok(answer.ok, JSON.stringify(answer.error));
  const tx = Transaction.from('0x' + answer.value[0].toString('hex'));
  assert.equal(tx.from, k.address);
  return answer;
}
async function refused(k, code, where, more = {}, l = link) {
  const answer = await l.sign(k.id, k.text, goodTx());
  assert.equal(answer.error?.code, code, JSON.stringify(answer.error ?? 'it was signed'));
  assert.equal(answer.error.where, where);
  for (const [name, v] of Object.entries(more)) assert.match(answer.error[name], v);
}
const withAddress = (made) => ({ ...made, address: computeAddress('0x' + made.publicKey.toString('hex')) });
/** Calls to KMS that fn costs. */
async function kmsCalls(fn, l = link) {
  const before = (await l.status()).kmsCalls;
  await fn();
  return (await l.status()).kmsCalls - before;
}

await test('a key is made in the enclave, and signs under the address that the answer names', async () => {
  const made = await link.create('hot/1', { options: { chains: [1, 31337], allow: ['digest'] } });
  assert.ok(made.ok, JSON.stringify(made.error));
  assert.equal('0x' + made.address.toString('hex'), computeAddress('0x' + made.publicKey.toString('hex')).toLowerCase());
  const { data_key, ciphertext, created, public_key, ...rest } = made.record;
  assert.deepEqual(rest, { adyton: 1, wrapping: 'envelope', id: 'hot/1', tenant: 'default', curve: 'secp256k1', allow: ['digest'], chains: [1, 31337] });
  assert.equal(public_key, '0x' + made.publicKey.toString('hex'));
  assert.equal(Buffer.from(ciphertext, 'base64').length, 60);
  assert.ok(Math.abs(created - Date.now() / 1000) < 60);
  await signs(withAddress(made));
});

await test('many keys of a tenant share a data key, no two a key, and one call to KMS serves them all', async () => {
  const first = await link.create('k0', { tenant: 'many' });
  const keys = [first];
  const calls = await kmsCalls(async () => {
    for (let i = 1; i < 50; i++) keys.push(await link.create(`k${i}`, { tenant: 'many', dataKey: first.dataKey }));
    for (const k of keys) await signs(withAddress(k));
  });
  assert.equal(calls, 0);
  assert.equal(new Set(keys.map((k) => k.record.public_key)).size, 50);
  assert.equal(new Set(keys.map((k) => k.record.ciphertext.slice(0, 16))).size, 50, 'a nonce came twice');
  assert.equal(new Set(keys.map((k) => k.record.data_key)).size, 1);
});

await test('an envelope that was sealed by other software from the protocol page opens', async () => {
  for (const more of [{}, { allow: ['digest', 'unprotected'] }, { chains: [1, 31337], created: 1764100000 }]) {
    await signs(await makeEnvelope(cloud, keyArn, 'made-here', r.hex(32), { more }));
  }
});

await test('300 requests that find no data key there cost one call to KMS', async () => {
  const made = await makeEnvelope(cloud, keyArn, 'cold', r.hex(32));
  const calls = await kmsCalls(() => Promise.all(Array.from({ length: 300 }, () => signs(made))));
  assert.equal(calls, 1);
});

await test('whatever decides is bound: a record of which anything was changed does not open', async () => {
  const key = r.hex(32);
  const k = await makeEnvelope(cloud, keyArn, 'bound', key, { more: { chains: [31337], created: 1764100000 } });
  const other = await makeEnvelope(cloud, keyArn, 'other', r.hex(32), { dataKey: k.dataKey, blob: k.blob, more: { chains: [31337], created: 1764100000 } });
  await signs(k);
  await signs(other);
  const flipped = Buffer.from(k.record.ciphertext, 'base64');
  flipped[20] ^= 1;
  const changes = {
    'another chain': { chains: [1, 31337] },
    'no chains': { chains: undefined },
    'raw digests allowed': { allow: ['digest'] },
    'another time': { created: 1764100001 },
    "another key's public key": { public_key: other.record.public_key },
    "another key's ciphertext": { ciphertext: other.record.ciphertext },
    'a bit of the ciphertext': { ciphertext: flipped.toString('base64') },
    'its id': { id: 'renamed' },
  };
  for (const [what, change] of Object.entries(changes)) {
    const record = { ...k.record, ...change };
    const copy = { ...k, id: record.id, record, text: JSON.stringify(record) };
    const answer = await link.sign(copy.id, copy.text, goodTx());
    assert.deepEqual([answer.error?.code, answer.error?.where], ['record_mismatch', 'record.ciphertext'], what);
  }
  await signs(k);
});

await test("a data key of another tenant, of another deployment, or for another purpose opens nothing", async () => {
  const key = r.hex(32);
  const k = await makeEnvelope(cloud, keyArn, 'k', key, { tenant: 'red' });
  const foreign = await makeEnvelope(cloud, keyArn, 'k', key, { tenant: 'blue' });
  await signs(k);
  await signs(foreign);
  const kms = { cause: /^InvalidCiphertextException$/ };
  const as = (record) => ({ ...k, record, text: JSON.stringify(record) });
  // the blob of blue, whose key is in the cache, under the name of red: another name there, and another context at KMS
  await refused(as({ ...k.record, data_key: foreign.record.data_key }), 'kms_refused', '', kms);
  await refused(as({ ...foreign.record, tenant: 'red' }), 'kms_refused', '', kms);
  await refused(await makeEnvelope(cloud, keyArn, 'k', key, { deployment: 'elsewhere' }), 'kms_refused', '', kms);
  const plain = await cloud.kms.send(new EncryptCommand({ KeyId: keyArn, Plaintext: k.dataKey, EncryptionContext: { 'adyton:tenant': 'red' } }));
  await refused(as({ ...k.record, data_key: Buffer.from(plain.CiphertextBlob).toString('base64') }), 'kms_refused', '', kms);
  assert.match((await link.create('new', { tenant: 'red', dataKey: foreign.blob })).error.cause, kms.cause);
});

await test('a data key that is none, and one under which another was sealed', async () => {
  const key = r.hex(32);
  const short = await makeEnvelope(cloud, keyArn, 'k', key);
  const context = { 'adyton:deployment': 'test', 'adyton:purpose': 'data-key', 'adyton:tenant': 'default' };
  const { CiphertextBlob } = await cloud.kms.send(new EncryptCommand({ KeyId: keyArn, Plaintext: Buffer.alloc(31, 7), EncryptionContext: context }));
  const record = { ...short.record, data_key: Buffer.from(CiphertextBlob).toString('base64') };
  await refused({ ...short, text: JSON.stringify(record) }, 'key_malformed', 'record.data_key');
  const later = await makeEnvelope(cloud, keyArn, 'k', key);
  await refused({ ...short, text: JSON.stringify({ ...short.record, data_key: later.record.data_key }) }, 'record_mismatch', 'record.ciphertext');
  await refused({ ...short, text: JSON.stringify({ ...short.record, public_key: '0x02' + 'ff'.repeat(32) }) }, 'record_malformed', 'record.public_key');
});

await test('options of a new key are refused by name', async () => {
  const rows = [
    [{ curve: 1, options: { words: 12 } }, 'field_invalid', 'words'],
    [{ options: { id: 7 } }, 'field_invalid', 'id'],
    [{ options: { id: 'a b' } }, 'field_invalid', 'id'],
    [{ options: { id: undefined } }, 'field_missing', 'id'],
    [{ options: { chains: [10, 1] } }, 'field_invalid', 'chains'],
    [{ options: { chains: [] } }, 'field_invalid', 'chains'],
    [{ options: { allow: ['everything'] } }, 'field_invalid', 'allow'],
    [{ options: { public_key: '0x' } }, 'field_unknown', 'public_key'],
    [{ options: { created: 1 } }, 'field_unknown', 'created'],
    [{ options: { tenant: 'blue' } }, 'field_invalid', 'tenant'],
    [{ options: { curve: 'ed25519' } }, 'field_invalid', 'curve'],
    [{ tenant: 'te nant' }, 'field_invalid', 'tenant'],
    [{ tenant: 'x'.repeat(64) }, 'protocol_violation', ''],
    [{ tenant: '' }, 'protocol_violation', ''],
    [{ dataKey: Buffer.alloc(1025) }, 'protocol_violation', ''],
    [{ curve: 4 }, 'protocol_violation', ''],
  ];
  for (const [how, code, where] of rows) {
    const answer = await link.create('new', how);
    assert.deepEqual([answer.error?.code, answer.error?.where], [code, where], JSON.stringify(how));
  }
});

await test('KMS makes and opens data keys for the measured enclave only', async () => {
  const asRole = new KMSClient(clientOptions(cloud, { accessKeyId: role.AccessKeyId, secretAccessKey: role.SecretAccessKey, sessionToken: role.Token }));
  const context = { 'adyton:deployment': 'test', 'adyton:purpose': 'data-key', 'adyton:tenant': 'default' };
  const ask = () => new GenerateDataKeyCommand({ KeyId: keyArn, KeySpec: 'AES_256', EncryptionContext: context });
  for (const kms of [asRole, cloud.kms]) await assert.rejects(kms.send(ask()), { name: 'AccessDeniedException' });
  const other = await startEnclave(cloud, keyArn, { changes: { deployment: 'other' }, admit: false });
  const l = other.link();
  await l.credentials(role);
  assert.equal((await l.create('k')).error.cause, 'AccessDeniedException');
  l.end();
});

await test('a data key is asked for again when it was idle, when it is old, and when its uses are used up', async () => {
  const key = r.hex(32);
  for (const [changes, times, pause, want] of [
    [{ data_key_idle_s: 1 }, 2, 1700, 2],
    [{ data_key_idle_s: 60, data_key_max_s: 1 }, 4, 1700, 4],
    [{ data_key_uses: 3 }, 10, 0, 4],
    [{ data_key_idle_s: 0 }, 4, 0, 4],
    [{ data_key_max_s: 0 }, 4, 0, 4],
    [{}, 5, 0, 1],
  ]) {
    const own = await start(changes);
    const k = await makeEnvelope(cloud, keyArn, 'k', key);
    const calls = await kmsCalls(async () => {
      for (let i = 0; i < times; i++) {
        await signs(k, own.link);
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }, own.link);
    assert.equal(calls, want, JSON.stringify(changes));
    own.link.end();
    own.e.child.kill('SIGKILL');
  }
});

await test('a lock takes the data keys of a tenant away at once, those of others stay; STATUS counts', async () => {
  const own = await start();
  const keys = {};
  for (const tenant of ['red', 'blue']) keys[tenant] = await makeEnvelope(cloud, keyArn, 'k', r.hex(32), { tenant });
  const sign = (tenant) => kmsCalls(() => signs(keys[tenant], own.link), own.link);
  assert.deepEqual([await sign('red'), await sign('red'), await sign('blue')], [1, 0, 1]);
  assert.equal(await own.link.lock('red'), 1);
  assert.deepEqual([await sign('blue'), await sign('red')], [0, 1]);
  assert.equal(await own.link.lock('nobody'), 0);
  assert.equal(await own.link.lock(''), 2);
  assert.deepEqual([await sign('blue'), await sign('red')], [1, 1]);
  const made = await own.link.create('n', { tenant: 'red', dataKey: keys.red.blob });
  assert.ok(made.ok);
  const s = await own.link.status();
  assert.deepEqual([s.dataKeys, s.locked, s.expired, s.created], [2, 3, 0, 1]);
  assert.ok(s.hits >= 3 && s.misses >= 5, JSON.stringify(s));
  own.link.end();
});

await test('at once and with a limit of uses: everyone is served, in order, by as few calls as the limit needs', async () => {
  const own = await start({ data_key_uses: 25 });
  const k = await makeEnvelope(cloud, keyArn, 'k', r.hex(32));
  const order = [];
  const calls = await kmsCalls(() => Promise.all(Array.from({ length: 100 }, (_, i) => signs(k, own.link).then(() => order.push(i)))), own.link);
  assert.ok(calls === 4, `${calls} calls`);
  own.link.end();
});

await test('who waits for a data key keeps its own deadline, whatever that of the first', async () => {
  const own = await start({ kms_timeout_ms: 8000 });
  const k = await makeEnvelope(cloud, keyArn, 'k', r.hex(32));
  const through = own.e.relay.handle;
  own.e.relay.handle = () => {}; // KMS is silent
  own.e.relay.cut();
  const began = Date.now();
  const first = own.link.sign(k.id, k.text, goodTx(), { deadline: 5000 });
  const behind = await Promise.all([300, 600, 900].map((deadline) => own.link.sign(k.id, k.text, goodTx(), { deadline })));
  assert.ok(Date.now() - began < 4900, `answered after ${Date.now() - began} ms, with the first`);
  for (const a of behind) assert.equal(a.error?.code, 'deadline_exceeded');
  const late = own.link.sign(k.id, k.text, goodTx(), { deadline: 15000 });
  own.e.relay.handle = through.bind(own.e.relay);
  assert.match((await first).error?.code ?? 'signed', /^(deadline_exceeded|kms_unavailable|signed)$/);
  assert.ok((await late).ok, 'the one with time left was not served');
  await until(5000, 'nobody to wait', async () => (await own.link.status()).waiting === 0);
  own.link.end();
});

await test('what KMS refuses for the first it refuses for all that wait', async () => {
  const own = await start();
  const k = await makeEnvelope(cloud, keyArn, 'k', r.hex(32));
  const bad = { ...k.record, data_key: Buffer.from('no data key of anybody').toString('base64') };
  const answers = await Promise.all(Array.from({ length: 100 }, () => own.link.sign('k', JSON.stringify(bad), goodTx())));
  for (const a of answers) assert.deepEqual([a.error?.code, a.error?.cause], ['kms_refused', 'InvalidCiphertextException']);
  await signs(k, own.link);
  own.link.end();
});

await test("a from that is not the record's is refused before the key is opened", async () => {
  const k = await makeEnvelope(cloud, keyArn, 'k', r.hex(32));
  const calls = await kmsCalls(async () => {
    const answer = await link.sign(k.id, k.text, goodTx({ from: new Wallet(r.hex(32)).address }));
    assert.deepEqual([answer.error?.code, answer.error?.where], ['from_mismatch', 'transaction.from']);
  });
  assert.equal(calls, 0);
});

link.end();
assert.equal(e.child.exitCode, null);
await done();
