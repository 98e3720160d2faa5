// SPDX-License-Identifier: Apache-2.0
// Encrypted backups: a key or wallet that was made with a backup key leaves the enclave sealed to that, and no other way; what
// comes opens with @hpke/core as with `adyton backup open`, and what was opened is imported again.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HDNodeWallet, Mnemonic, Transaction, computeAddress } from 'ethers';
import { test, done } from './lib/tap.mjs';
import { awsEnv, bin, request, run, scratch, sign, startStack } from './lib/stack.mjs';
import { goodTx, makeRecord } from './lib/hostile.mjs';
import { openBackup } from './lib/import.mjs';
import { clientOptions } from './lib/aws.mjs';
import { EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { DeleteSecretCommand, GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { generateKey, stamp } from '../../clients/js/index.js';

const dir = scratch();
const keygen = (name) => run(`${bin}/adyton`, ['backup', 'keygen', '--output', join(dir, name)]).stdout.trim();
const [backupKey, other, parents] = ['b.key', 'other.key', 'parents.key'].map(keygen);
const zero = '00'.repeat(32);
// A rotation waits until every gateway has heard of it, which with Secrets Manager takes as long as its list may be old.
const s = await startStack({ args: ['--enclave-option', `backup_keys=${JSON.stringify([backupKey, zero])}`, '--gateway-option', 'store.index_ms=1000'] });
const env = awsEnv(s);
const adyton = (...args) => run(`${bin}/adyton`, args, { env });
const ok = (...args) => {
  const p = adyton(...args);
  assert.equal(p.status, 0, `${args.join(' ')}: ${p.stderr}`);
  return p.stdout;
};
const file = (name) => join(dir, name);
const post = (path, body, headers) => request(`${s.gateway}${path}`, { method: 'POST', body, headers, agent: s.gatewayAgent });
const sm = new SecretsManagerClient(clientOptions(s));
const trusted = ['--root', s.nsm_root_file, '--pcr0', s.pcr0];

assert.match(backupKey, /^[0-9a-f]{64}$/);
assert.equal(statSync(file('b.key')).mode & 0o777, 0o600);
assert.notEqual(other, backupKey);

/** The secret in a backup, by other software. */
const secretOf = (name) => Buffer.from(readFileSync(file(name), 'utf8').trim().split(' ')[2], 'hex');
const openWithHpke = (b) => openBackup({ ...b, public_key: Buffer.from(b.public_key.slice(2), 'hex'), enc: Buffer.from(b.enc, 'base64'), sealed: Buffer.from(b.sealed, 'base64') }, secretOf('b.key'));

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

const path = "m/44'/60'/0'/0/3";
const addressOf = (id) => JSON.parse(ok('wallet', 'addresses', id, '--path', path, '--json')).keys[0].address;
const lose = async (id) => {
  await sm.send(new DeleteSecretCommand({ SecretId: id, ForceDeleteWithoutRecovery: true }));
  const until = Date.now() + 15000; // the gateway keeps its list of secrets for some seconds
  while ((await request(`${s.gateway}/v1/keys/${id}`)).status !== 404) assert.ok(Date.now() < until, `${id} is still there`);
};

await test('a wallet that was made with a backup key: its words come out, and give its addresses in other software', async () => {
  ok('wallet', 'create', 'w', '--words', '18', '--backup-key', backupKey);
  ok('key', 'backup', 'w', '--output', file('w'));
  const b = JSON.parse(readFileSync(file('w'), 'utf8'));
  assert.deepEqual([b.adyton_backup, b.id, b.tenant, b.curve, b.backup], [1, 'w', 'default', 'wallet', backupKey]);
  const plain = await openWithHpke(b);
  assert.deepEqual([plain.length, plain[0], plain.subarray(25, 33)], [97, 24, Buffer.alloc(8)]);
  const phrase = Mnemonic.entropyToPhrase(plain.subarray(1, 25));
  assert.equal(plain.subarray(33).toString('hex'), Mnemonic.fromPhrase(phrase).computeSeed().slice(2));
  assert.equal(addressOf('w'), HDNodeWallet.fromPhrase(phrase, '', path).address);
  const said = ok('backup', 'open', file('w'), '--key', file('b.key'));
  for (const line of [`public key  ${b.public_key}`, 'words       18', 'passphrase  none']) assert.ok(said.includes(line + '\n'), said);
  assert.ok(!said.includes(phrase.split(' ')[0] + ' '));
  assert.equal(ok('backup', 'open', file('w'), '--key', file('b.key'), '--output', '-'), phrase + '\n');
  assert.equal(ok('backup', 'open', file('w'), '--key', file('b.key'), '--output', '-', '--seed'), plain.subarray(33).toString('hex') + '\n');
  ok('backup', 'open', file('w'), '--key', file('b.key'), '--output', file('w.words'));
  assert.equal(statSync(file('w.words')).mode & 0o777, 0o600);
});

await test('a wallet is restored under its id: the same addresses, and a key that was derived before signs beside one after', async () => {
  const before = addressOf('w');
  ok('wallet', 'derive', 'w', '--path', path, '--id', 'w-before');
  await lose('w');
  ok('wallet', 'import', 'w', '--from-backup', file('w'), '--key', file('b.key'), '--backup-key', backupKey, ...trusted);
  assert.equal((await request(`${s.gateway}/v1/keys/w`)).json.public_key, JSON.parse(readFileSync(file('w'), 'utf8')).public_key);
  assert.equal(addressOf('w'), before);
  ok('wallet', 'derive', 'w', '--path', path, '--id', 'w-after');
  for (const id of ['w-before', 'w-after']) assert.equal(Transaction.from((await sign(s, id, goodTx())).json.signed_transaction).from, before, id);
  ok('key', 'backup', 'w', '--output', file('w2'));
  assert.deepEqual(await openWithHpke(JSON.parse(readFileSync(file('w2'), 'utf8'))), await openWithHpke(JSON.parse(readFileSync(file('w'), 'utf8'))));
  ok('wallet', 'import', 'by-words', '--file', file('w.words'), ...trusted);
  assert.equal(addressOf('by-words'), before);
});

await test('a wallet with a passphrase is restored without it, from the seed', async () => {
  const phrase = Mnemonic.entropyToPhrase('0x' + '5a'.repeat(32));
  writeFileSync(file('words'), phrase);
  writeFileSync(file('pass'), 'correct horse');
  ok('wallet', 'import', 'secretly', '--file', file('words'), '--passphrase-file', file('pass'), '--backup-key', other, ...trusted); // whoever seals it names any key
  ok('key', 'backup', 'secretly', '--output', file('secretly'));
  assert.match(ok('backup', 'open', file('secretly'), '--key', file('other.key')), /^passphrase +needed/m);
  const seed = ok('backup', 'open', file('secretly'), '--key', file('other.key'), '--output', '-', '--seed').trim();
  const { address } = HDNodeWallet.fromPhrase(phrase, 'correct horse', path);
  assert.equal(HDNodeWallet.fromSeed('0x' + seed).derivePath(path).address, address);
  await lose('secretly');
  ok('wallet', 'import', 'secretly', '--from-backup', file('secretly'), '--key', file('other.key'), ...trusted);
  assert.equal(addressOf('secretly'), address);
  const no = await post('/v1/keys/secretly/backup', {}); // it was restored without a backup key
  assert.deepEqual([no.status, no.json.where], [403, 'record.backup'], no.body);
});

await test('what is no backup of that wallet is not restored', () => {
  const restore = (id, from, key, ...more) => adyton('wallet', 'import', id, '--from-backup', file(from), '--key', file(key), ...trusted, ...more);
  for (const [p, why] of [
    [restore('other', 'w', 'b.key'), /is of the wallet w of tenant default/],
    [restore('w', 'w', 'b.key', '--tenant', 'acme'), /is of the wallet w of tenant default/],
    [restore('k-secp256k1', 'k-secp256k1', 'b.key'), /is the backup of a key, not of a wallet/],
    [restore('w', 'w', 'other.key'), /was not sealed to this key/],
    [adyton('backup', 'open', file('k-secp256k1'), '--key', file('b.key'), '--seed'), /is of a key, which has no seed/],
  ]) assert.deepEqual([p.status, why.test(p.stderr)], [1, true], p.stderr);
  for (const args of [['--from-backup', file('w')], ['--key', file('b.key')], ['--from-backup', file('w'), '--key', file('b.key'), '--file', file('words')]])
    assert.equal(adyton('wallet', 'import', 'w', ...args, ...trusted).status, 2, args.join(' '));
});

await test('a key that was made without one is never backed up, whatever the record says later', async () => {
  ok('key', 'create', 'plain');
  const no = await post('/v1/keys/plain/backup', {});
  assert.deepEqual([no.status, no.json.code, no.json.where], [403, 'denied', 'record.backup'], no.body);
  const p = adyton('key', 'backup', 'plain');
  assert.deepEqual([p.status, /without a key to back it up/.test(p.stderr)], [1, true], p.stderr);
  // the store's owner puts a backup key in, or another one in its place: the record does not open
  ok('wallet', 'create', 'plain-wallet');
  assert.equal((await post('/v1/keys/plain-wallet/backup', {})).json.where, 'record.backup');
  for (const id of ['plain', 'k-secp256k1', 'plain-wallet', 'w']) {
    const { SecretString } = await sm.send(new GetSecretValueCommand({ SecretId: id }));
    const record = JSON.parse(SecretString);
    await sm.send(new PutSecretValueCommand({ SecretId: id, SecretString: JSON.stringify({ ...record, backup: other }) }));
    const lie = await post(`/v1/keys/${id}/backup`, {});
    assert.equal(lie.json.code, 'record_mismatch', lie.body);
    await sm.send(new PutSecretValueCommand({ SecretId: id, SecretString }));
  }
});

await test('the parent has no key backed up to itself: not one that is made, and not one of the AWS sample', async () => {
  for (const body of [{ id: 'mine', backup: parents }, { id: 'mine', curve: 'wallet', backup: parents }, { options: JSON.stringify({ id: 'mine-', backup: parents }), first: 0, count: 2 }]) {
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

for (const [name, make, key, size] of [
  ['a key whose record names callers is backed up by the stamp of one of them, for this operation', 'key', 'stamped', 32],
  ['a wallet whose record names callers is backed up by the stamp of one of them, too', 'wallet', 'stamped-wallet', 97],
])
  await test(name, async () => {
    const alice = await generateKey('ed25519');
    const mallory = await generateKey('ed25519');
    ok(make, 'create', key, '--backup-key', backupKey, '--caller', alice.name);
    const of = (over = {}) => ({ key, deployment: 'dev', body: '{}', op: 'backup', ...over });
    const ask = (st) => post(`/v1/keys/${key}/backup`, '{}', { 'content-type': 'application/json', ...(st && { 'x-adyton-stamp': st }) });
    for (const [st, where] of [
      [undefined, 'stamp'],
      [await stamp(mallory, of()), 'stamp'],
      [await stamp(alice, of({ op: 'sign' })), 'stamp[0].op'],
      [await stamp(alice, of({ op: 'derive' })), 'stamp[0].op'],
      [await stamp(alice, of({ body: '{} ' })), 'stamp[0].body'],
      [await stamp(alice, of({ key: 'k-secp256k1' })), 'stamp[0].key'],
    ]) {
      const no = await ask(st);
      assert.deepEqual([no.status, no.json.code, no.json.where], [401, 'unauthorized', where], no.body);
    }
    const yes = await ask(await stamp(alice, of()));
    assert.equal(yes.status, 200, yes.body);
    assert.equal((await openWithHpke(yes.json)).length, size);
    ok('stamp', 'keygen', '--output', file(`${make}.stamp`));
    assert.equal(adyton('key', 'backup', key, '--stamp-key', file(`${make}.stamp`)).status, 1);
  });

await test('after a rotation the backup is of the same key', async () => {
  const over = adyton('tenant', 'rotate', 'default');
  assert.deepEqual([over.status, /^state +incomplete$/m.test(over.stdout), /^failed +1,/m.test(over.stdout), /^problem +direct: kms_refused/m.test(over.stdout)], [3, true, true, true], over.stdout + over.stderr);
  assert.match(ok('tenant', 'rotate', 'default', '--no-wait'), /^state +running$/m);
  assert.match(ok('tenant', 'rotate', 'default', '--show'), /^tenant +default$/m);
  ok('key', 'backup', 'w', '--output', file('w3'));
  assert.equal(ok('backup', 'open', file('w3'), '--key', file('b.key'), '--output', '-'), readFileSync(file('w.words'), 'utf8'));
  ok('key', 'backup', 'k-secp256k1', '--output', file('rotated'));
  assert.equal(ok('backup', 'open', file('rotated'), '--key', file('b.key'), '--output', '-'), readFileSync(file('k-secp256k1.hex'), 'utf8'));
});

await done();
