// SPDX-License-Identifier: Apache-2.0
// Keys that are brought in: sealed by @hpke/core (RFC 9180, not our code) to a key that an attestation document
// vouches for, for one id, tenant and set of permissions; or as the KMS ciphertext of the AWS sample.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EncryptCommand } from '@aws-sdk/client-kms';
import { Transaction, computeAddress } from 'ethers';
import { test, done, random } from './lib/tap.mjs';
import { bin, run, scratch } from './lib/stack.mjs';
import { sealImport as seal } from './lib/import.mjs';
import { T, cbor, nonce } from './lib/parent.mjs';
import { startDevcloud, startEnclave, roleCredentials, createKey, goodTx } from './lib/hostile.mjs';

const r = random();
const dir = scratch();
const cloud = await startDevcloud(join(dir, 'a'));
const keyArn = await createKey(cloud);
const e = await startEnclave(cloud, keyArn);
const link = e.link();
await link.credentials(await roleCredentials(cloud));

/** The import key, out of a document that `adyton attestation verify` accepts. */
async function importKey(l = link, of = e) {
  const n = nonce();
  const answer = await l.ask(T.IMPORT_KEY, cbor([n]));
  assert.ok(answer.ok, JSON.stringify(answer.error));
  const file = join(dir, 'document');
  writeFileSync(file, answer.value[0]);
  const p = run(`${bin}/adyton`, ['attestation', 'verify', file, '--root', cloud.nsm_root_file, '--nonce', n.toString('hex'), '--pcr0', of.pcr0, '--json']);
  assert.equal(p.status, 0, p.stderr);
  return Buffer.from(JSON.parse(p.stdout).public_key, 'hex');
}

async function signsAs(made, address) {
  assert.ok(made.ok, JSON.stringify(made.error));
  const answer = await link.sign(made.id, made.text, goodTx());
  assert.ok(answer.ok, JSON.stringify(answer.error));
  assert.equal(Transaction.from('0x' + answer.value[0].toString('hex')).from, address);
  assert.equal('0x' + made.address.toString('hex'), address.toLowerCase());
}

const publicKey = await importKey();

await test('a key sealed by @hpke/core to the attested key comes in, in each form, and signs', async () => {
  assert.equal(publicKey.length, 32);
  const key = r.hex(32);
  const hex = key.slice(2);
  for (const text of [Buffer.from(hex, 'hex'), Buffer.from(hex), Buffer.from(`0x${hex}`), Buffer.from(`0x${hex}\n`)]) {
    const options = JSON.stringify({ id: 'in', chains: [31337], allow: ['digest'] });
    const { enc, sealed } = await seal(publicKey, text, { options });
    const { enc: enc2 } = await seal(publicKey, text, { options });
    assert.equal((await link.import('in', sealed, { options, enc: enc2 })).error?.code, 'field_invalid', 'of two messages');
    const good = await link.import('in', sealed, { options, enc });
    await signsAs(good, computeAddress(key));
    assert.deepEqual([good.record.chains, good.record.allow, good.record.wrapping], [[31337], ['digest'], 'envelope']);
    const again = await link.import('in', sealed, { options, enc, dataKey: good.dataKey });
    assert.equal(again.record.data_key, good.record.data_key);
    assert.notEqual(again.record.ciphertext, good.record.ciphertext);
  }
});

await test('what was sealed for one id, tenant, curve or set of permissions is taken for no other', async () => {
  const key = Buffer.from(r.hex(32).slice(2), 'hex');
  const options = JSON.stringify({ id: 'mine', chains: [1] });
  const { enc, sealed } = await seal(publicKey, key, { options });
  const ask = async (more) => (await link.import('mine', sealed, { options, enc, ...more })).error;
  const where = { code: 'field_invalid', where: 'sealed' };
  for (const more of [
    { options: JSON.stringify({ id: 'other', chains: [1] }) },
    { options: JSON.stringify({ id: 'mine' }) },
    { options: JSON.stringify({ id: 'mine', chains: [1], allow: ['digest'] }) },
    { options: ` ${options}` },
    { tenant: 'other' },
    { enc: Buffer.from(r.hex(32).slice(2), 'hex') },
    { enc: Buffer.alloc(32) },
  ]) {
    const { code, where: at } = await ask(more);
    assert.deepEqual({ code, where: at }, where, JSON.stringify(more));
  }
  assert.equal(await ask({}), undefined);
});

await test('another info, another key, another enclave: nothing opens', async () => {
  const key = Buffer.from(r.hex(32).slice(2), 'hex');
  const options = JSON.stringify({ id: 'k' });
  const other = await startEnclave(cloud, keyArn, { admit: false });
  const l = other.link();
  await l.credentials(await roleCredentials(cloud));
  const theirs = await importKey(l, other);
  assert.notDeepEqual(theirs, publicKey);
  for (const { enc, sealed } of [await seal(publicKey, key, { options, info: 'adyton import 2' }), await seal(theirs, key, { options })]) {
    assert.equal((await link.import('k', sealed, { options, enc })).error?.code, 'field_invalid');
  }
  l.end();
});

await test('what is sealed and no key', async () => {
  const options = JSON.stringify({ id: 'k' });
  for (const [text, code] of [
    [Buffer.alloc(0), 'key_malformed'],
    [Buffer.from('zz'), 'key_malformed'],
    [Buffer.alloc(33, 1), 'key_malformed'],
    [Buffer.alloc(32), 'key_out_of_range'],
    [Buffer.alloc(32, 255), 'key_out_of_range'],
    [Buffer.alloc(4000, 0x31), 'key_malformed'],
  ]) {
    const { enc, sealed } = await seal(publicKey, text, { options });
    assert.equal((await link.import('k', sealed, { options, enc })).error?.code, code, `${text.length} bytes`);
  }
});

await test('a ciphertext of the AWS sample becomes a record, with no more rights than it had', async () => {
  const key = r.hex(32);
  const { CiphertextBlob } = await cloud.kms.send(new EncryptCommand({ KeyId: keyArn, Plaintext: Buffer.from(key.slice(2)) }));
  const blob = Buffer.from(CiphertextBlob);
  await signsAs(await link.import('old', blob), computeAddress(key));
  const options = JSON.stringify({ id: 'old', allow: ['digest'] });
  const { error } = await link.import('old', blob, { options });
  assert.deepEqual([error.code, error.where], ['denied', 'allow']);
  const { error: none } = await link.import('old', Buffer.from('no ciphertext'));
  assert.deepEqual([none.code, none.cause], ['kms_refused', 'InvalidCiphertextException']);
});

await test('IMPORT and IMPORT_KEY bodies that are not the one form', async () => {
  const options = Buffer.from('{"id":"k"}');
  const none = Buffer.alloc(0);
  const enc = Buffer.alloc(32, 9);
  const some = Buffer.alloc(40);
  const bad = {
    'a field missing': cbor([0, 'default', options, none, 0, enc]),
    'a field too many': cbor([0, 'default', options, none, 0, enc, some, 1]),
    'no enc': cbor([0, 'default', options, none, 0, none, some]),
    'a short enc': cbor([0, 'default', options, none, 0, enc.subarray(1), some]),
    'an enc beside a ciphertext of KMS': cbor([0, 'default', options, none, 1, enc, some]),
    'an unknown form': cbor([0, 'default', options, none, 9, enc, some]),
    'a keystore without enc': cbor([0, 'default', options, none, 2, none, some]),
    'too long a keystore': cbor([0, 'default', options, none, 2, enc, Buffer.alloc(16385)]),
    'nothing sealed': cbor([0, 'default', options, none, 0, enc, none]),
    'too much sealed': cbor([0, 'default', options, none, 0, enc, Buffer.alloc(4097)]),
    'too long a ciphertext': cbor([0, 'default', options, none, 1, none, Buffer.alloc(6145)]),
  };
  for (const [what, body] of Object.entries(bad)) assert.equal((await link.ask(T.IMPORT, body)).error?.code, 'protocol_violation', what);
  for (const body of [cbor([]), cbor(['text']), cbor([Buffer.alloc(513)])]) assert.equal((await link.ask(T.IMPORT_KEY, body)).error?.code, 'protocol_violation');
  const short = await link.ask(T.IMPORT, cbor([0, 'default', options, none, 0, enc, Buffer.alloc(15)]));
  assert.equal(short.error?.code, 'field_invalid');
});

link.end();
await done();
