// SPDX-License-Identifier: Apache-2.0
// Encrypted backups: a key that was made with a backup key leaves the enclave sealed to that, and no other way; what comes
// opens with @hpke/core as with `adyton backup open`, and what was opened is imported again.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CipherSuite, HkdfSha256, DhkemX25519HkdfSha256 } from '@hpke/core';
import { Chacha20Poly1305 } from '@hpke/chacha20poly1305';
import { Transaction, computeAddress } from 'ethers';
import { test, done } from './lib/tap.mjs';
import { awsEnv, bin, request, run, scratch, sign, startStack } from './lib/stack.mjs';
import { goodTx, makeRecord } from './lib/hostile.mjs';
import { clientOptions } from './lib/aws.mjs';
import { EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { generateKey, stamp } from '../../clients/js/index.js';

const dir = scratch();
const keygen = (name) => run(`${bin}/adyton`, ['backup', 'keygen', '--output', join(dir, name)]).stdout.trim();
const [backupKey, other, parents] = ['b.key', 'other.key', 'parents.key'].map(keygen);
const zero = '00'.repeat(32);
const s = await startStack({ args: ['--enclave-option', `backup_keys=${JSON.stringify([backupKey, zero])}`] });
const env = awsEnv(s);
const adyton = (...args) => run(`${bin}/adyton`, args, { env });
const ok = (...args) => {
  const p = adyton(...args);
  assert.equal(p.status, 0, `${args.join(' ')}: ${p.stderr}`);
  return p.stdout;
};
const file = (name) => join(dir, name);
const post = (path, body, headers) => request(`${s.gateway}${path}`, { method: 'POST', body, headers, agent: s.gatewayAgent });
const trusted = ['--root', s.nsm_root_file, '--pcr0', s.pcr0];

assert.match(backupKey, /^[0-9a-f]{64}$/);
assert.equal(statSync(file('b.key')).mode & 0o777, 0o600);
assert.notEqual(other, backupKey);

/** The private key in a backup, by other software. */
const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Chacha20Poly1305() });
async function openWithHpke(b) {
  const secret = Buffer.from(readFileSync(file('b.key'), 'utf8').trim().split(' ')[2], 'hex');
  const recipientKey = await suite.kem.importKey('raw', secret, false);
  const aad = createHash('sha256').update(`${b.curve}\0${b.tenant}\0${b.id}\0`).update(Buffer.from(b.public_key.slice(2), 'hex')).digest();
  const recipient = await suite.createRecipientContext({ recipientKey, enc: Buffer.from(b.enc, 'base64'), info: new TextEncoder().encode('adyton backup 1').buffer });
  return Buffer.from(await recipient.open(Buffer.from(b.sealed, 'base64'), aad));
}

for (const curve of ['secp256k1', 'bls12-381', 'ed25519'])
  await test(`${curve}: a key that was made with a backup key is sealed to it, opened off line, and is the key`, async () => {
    const id = `k-${curve}`;
    ok('key', 'create', id, '--backup-key', backupKey, '--curve', curve);
    ok('key', 'backup', id, '--output', file(id));
    const b = JSON.parse(readFileSync(file(id), 'utf8'));
    assert.deepEqual([b.adyton_backup, b.id, b.tenant, b.curve, b.backup], [1, id, 'default', curve, backupKey]);
    assert.equal((await request(`${s.gateway}/v1/keys/${id}`)).json.public_key, b.public_key);
    const said = ok('backup', 'open', file(id), '--key', file('b.key'));
    assert.match(said, new RegExp(`^public key +${b.public_key}$`, 'm'));
    const opened = adyton('backup', 'open', file(id), '--key', file('b.key'), '--output', '-');
    assert.equal(opened.stdout.trim(), (await openWithHpke(b)).toString('hex'));
    assert.ok(!said.includes(opened.stdout.trim()));
    ok('backup', 'open', file(id), '--key', file('b.key'), '--output', file(`${id}.hex`));
    assert.equal(statSync(file(`${id}.hex`)).mode & 0o777, 0o600);
    assert.equal(readFileSync(file(`${id}.hex`), 'utf8'), opened.stdout);
  });

await test('restore: what was opened is imported again, and signs as before', async () => {
  const before = (await request(`${s.gateway}/v1/keys/k-secp256k1`)).json;
  ok('key', 'import', 'restored', '--file', file('k-secp256k1.hex'), '--backup-key', backupKey, ...trusted);
  const answer = await sign(s, 'restored', goodTx());
  assert.equal(answer.status, 200, answer.body);
  assert.equal(Transaction.from(answer.json.signed_transaction).from, before.address);
  assert.equal(computeAddress('0x' + readFileSync(file('k-secp256k1.hex'), 'utf8').trim()), before.address);
  ok('key', 'backup', 'restored', '--output', file('again'));
  assert.match(ok('backup', 'open', file('again'), '--key', file('b.key')), /opened +restored/);
});

await test('a key that was made without one is never backed up, whatever the record says later', async () => {
  ok('key', 'create', 'plain');
  const no = await post('/v1/keys/plain/backup', {});
  assert.deepEqual([no.status, no.json.code, no.json.where], [403, 'denied', 'record.backup'], no.body);
  const p = adyton('key', 'backup', 'plain');
  assert.deepEqual([p.status, /without a key to back it up/.test(p.stderr)], [1, true], p.stderr);
  // the store's owner puts a backup key in, or another one in its place: the record does not open
  const { SecretsManagerClient, GetSecretValueCommand, PutSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const sm = new SecretsManagerClient(clientOptions(s));
  for (const id of ['plain', 'k-secp256k1']) {
    const { SecretString } = await sm.send(new GetSecretValueCommand({ SecretId: id }));
    const record = JSON.parse(SecretString);
    await sm.send(new PutSecretValueCommand({ SecretId: id, SecretString: JSON.stringify({ ...record, backup: other }) }));
    const lie = await post(`/v1/keys/${id}/backup`, {});
    assert.equal(lie.json.code, 'record_mismatch', lie.body);
    await sm.send(new PutSecretValueCommand({ SecretId: id, SecretString }));
  }
});

await test('the parent has no key backed up to itself: not one that is made, and not one of the AWS sample', async () => {
  for (const body of [{ id: 'mine', backup: parents }, { options: JSON.stringify({ id: 'mine-', backup: parents }), first: 0, count: 2 }]) {
    const no = await post('/v1/keys', body);
    assert.deepEqual([no.status, no.json.code, no.json.where], [403, 'denied', 'backup'], no.body);
  }
  const { CiphertextBlob } = await new KMSClient(clientOptions(s)).send(new EncryptCommand({ KeyId: s.key_arn, Plaintext: Buffer.from('11'.repeat(32)) }));
  for (const backup of [parents, backupKey]) {
    const no = await post('/v1/keys', { options: JSON.stringify({ id: 'old', backup }), kms_ciphertext: Buffer.from(CiphertextBlob).toString('base64') });
    assert.deepEqual([no.status, no.json.code, no.json.where], [403, 'denied', 'backup'], no.body);
  }
});

await test('direct records are bound to their backup key too', async () => {
  writeFileSync(file('raw'), 'ab'.repeat(32));
  const cloud = { kms: new KMSClient(clientOptions(s)) };
  const made = await makeRecord(cloud, s.key_arn, 'direct', '0x' + 'ab'.repeat(32));
  const lie = { ...made.record, backup: backupKey };
  assert.equal((await post('/v1/keys', { record: lie })).status, 201);
  const no = await post('/v1/keys/direct/backup', {});
  assert.deepEqual([no.json.code, no.json.cause], ['kms_refused', 'InvalidCiphertextException'], no.body);
});

await test('a backup opens with its key alone, and unchanged alone', () => {
  const good = readFileSync(file('k-secp256k1'), 'utf8');
  const b = JSON.parse(good);
  const refused = (name, text, code, key = 'b.key') => {
    writeFileSync(file('bad'), text);
    const p = adyton('backup', 'open', file('bad'), '--key', file(key), '--output', file('never'));
    assert.equal(p.status, 1, name);
    assert.match(p.stderr, code, name);
    assert.throws(() => statSync(file('never')), name);
  };
  refused('another key', good, /was not sealed to this key/, 'other.key');
  const flip = (text) => {
    const bytes = Buffer.from(text, 'base64');
    bytes[3] ^= 1;
    return bytes.toString('base64');
  };
  for (const change of [{ id: 'x' }, { tenant: 'x' }, { sealed: flip(b.sealed) }, { enc: flip(b.enc) }]) refused(JSON.stringify(change), JSON.stringify({ ...b, ...change }), /was not sealed to this key, or was changed/);
  for (const change of [{ adyton_backup: 2 }, { curve: 'p256' }, { public_key: b.public_key.slice(0, -2) }, { sealed: '' }, { backup: 'x' }]) refused(JSON.stringify(change), JSON.stringify({ ...b, ...change }), /is no backup of a key/);
  refused('no JSON', 'x', /is no backup of a key/);
  writeFileSync(file('no.key'), 'adyton-backup-key x25519 00\n');
  refused('no key', good, /holds no key/, 'no.key');
  for (const args of [['keygen'], ['open'], ['open', file('bad')], ['keygen', 'x', '--output', file('x')]]) assert.equal(adyton('backup', ...args).status, 2);
});

await test('options with a backup key that is none are refused by name', async () => {
  for (const backup of ['', 'ab', 'AB'.repeat(32), 'zz'.repeat(32), 7, null]) {
    const no = await post('/v1/keys', { id: 'no', backup });
    assert.deepEqual([no.json.code, no.json.where], ['field_invalid', 'backup'], JSON.stringify(backup));
  }
  // all zero: a point of small order, to which sealing would be for everybody
  assert.equal((await post('/v1/keys', { id: 'zero', backup: zero })).status, 201);
  assert.equal((await post('/v1/keys/zero/backup', {})).json.code, 'crypto_failed');
});

await test('a key whose record names callers is backed up by the stamp of one of them, for this operation', async () => {
  const alice = await generateKey('ed25519');
  const mallory = await generateKey('ed25519');
  ok('key', 'create', 'stamped', '--backup-key', backupKey, '--caller', alice.name);
  const of = (over = {}) => ({ key: 'stamped', deployment: 'dev', body: '{}', op: 'backup', ...over });
  const ask = (st) => post('/v1/keys/stamped/backup', '{}', { 'content-type': 'application/json', ...(st && { 'x-adyton-stamp': st }) });
  for (const [st, where] of [
    [undefined, 'stamp'],
    [await stamp(mallory, of()), 'stamp'],
    [await stamp(alice, of({ op: 'sign' })), 'stamp[0].op'],
    [await stamp(alice, of({ body: '{} ' })), 'stamp[0].body'],
    [await stamp(alice, of({ key: 'k-secp256k1' })), 'stamp[0].key'],
  ]) {
    const no = await ask(st);
    assert.deepEqual([no.status, no.json.code, no.json.where], [401, 'unauthorized', where], no.body);
  }
  const yes = await ask(await stamp(alice, of()));
  assert.equal(yes.status, 200, yes.body);
  assert.equal((await openWithHpke(yes.json)).length, 32);
  ok('stamp', 'keygen', '--output', file('stamp.key'));
  assert.equal(adyton('key', 'backup', 'stamped', '--stamp-key', file('stamp.key')).status, 1);
});

await test('after a rotation the backup is of the same key', async () => {
  const over = adyton('tenant', 'rotate', 'default');
  assert.deepEqual([over.status, /^state +incomplete$/m.test(over.stdout), /^failed +1,/m.test(over.stdout), /^problem +direct: kms_refused/m.test(over.stdout)], [3, true, true, true], over.stdout + over.stderr);
  assert.match(ok('tenant', 'rotate', 'default', '--no-wait'), /^state +running$/m);
  assert.match(ok('tenant', 'rotate', 'default', '--show'), /^tenant +default$/m);
  ok('key', 'backup', 'k-secp256k1', '--output', file('rotated'));
  assert.equal(ok('backup', 'open', file('rotated'), '--key', file('b.key'), '--output', '-'), readFileSync(file('k-secp256k1.hex'), 'utf8'));
});

await done();
