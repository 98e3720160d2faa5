// SPDX-License-Identifier: Apache-2.0
// A lying parent and wallets: what it may ask for it gets with the wallet's rights only, and a record of which anything
// was changed opens nothing. The wire itself, without a gateway.
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { HDNodeWallet, Mnemonic, Transaction } from 'ethers';
import { test, done, random } from './lib/tap.mjs';
import { scratch } from './lib/stack.mjs';
import { T, cbor } from './lib/parent.mjs';
import { backupPair, openBackup, sealImport } from './lib/import.mjs';
import { startDevcloud, startEnclave, roleCredentials, createKey, goodTx } from './lib/hostile.mjs';

const r = random();
const cloud = await startDevcloud(join(scratch(), 'a'));
const keyArn = await createKey(cloud);
const owner = await backupPair();
const parent = await backupPair();
const hex = (b) => b.toString('hex');
const e = await startEnclave(cloud, keyArn, { changes: { backup_keys: [hex(owner.public)] } });
const link = e.link();
await link.credentials(await roleCredentials(cloud));

const document = (await link.ask(T.IMPORT_KEY, cbor([Buffer.alloc(0)]))).value[0];
const at = document.indexOf(Buffer.from('6a7075626c69635f6b65795820', 'hex')) + 13;
const importKey = document.subarray(at, at + 32);
const phrase = Mnemonic.entropyToPhrase(r.hex(32));
const root = HDNodeWallet.fromSeed(Mnemonic.fromPhrase(phrase).computeSeed());
const plain = Buffer.concat([Buffer.of(phrase.length), Buffer.from(phrase)]);
const path = "m/44'/60'/0'/0/0";

async function bring(id, { options = {}, tenant = 'default' } = {}) {
  const text = JSON.stringify({ id, ...options });
  const { enc, sealed } = await sealImport(importKey, plain, { options: text, curve: 'wallet', tenant });
  const w = await link.import(id, sealed, { options: text, enc, form: 4, curve: 3, tenant });
  assert.ok(w.ok, JSON.stringify(w.error));
  return w;
}
const refused = async (answer) => {
  const { error } = await answer;
  return error && [error.code, error.where];
};

// The record that the enclave has sealed for a derived key, put together as a gateway does.
async function child(w, id, more = {}, at = path) {
  const answer = await link.derive(w.id, w.text, { path: at, options: { id } });
  assert.ok(answer.ok, JSON.stringify(answer.error));
  const record = {
    adyton: 1, wrapping: 'envelope', id, tenant: w.record.tenant, curve: 'secp256k1', public_key: '0x' + answer.keys.subarray(0, 33).toString('hex'),
    data_key: w.record.data_key, ciphertext: answer.keys.subarray(33, 93).toString('base64'), ...more, created: answer.created, origin: `${w.id} ${at}`,
  };
  return { id, record, text: JSON.stringify(record) };
}

await test('the record of a derived key opens as it was sealed only', async () => {
  const w = await bring('w');
  const k = await child(w, 'k');
  const answer = await link.sign('k', k.text, goodTx());
  assert.equal(Transaction.from('0x' + answer.value[0].toString('hex')).from, root.derivePath(path.slice(2)).address);
  for (const change of [{ origin: undefined }, { origin: "w m/44'/60'/0'/0/1" }, { origin: 'v ' + path }, { chains: [31337] }, { allow: ['digest'] }, { tenant: 'other' }, { curve: 'wallet' }]) {
    const code = (await link.sign('k', JSON.stringify({ ...k.record, ...change }), goodTx())).error?.code;
    assert.match(code, /^(record_mismatch|record_malformed|kms_refused)$/, JSON.stringify(change));
  }
});

await test('the record of a wallet opens as it was sealed only, and is no key', async () => {
  const w = await bring('w', { options: { chains: [31337] } });
  for (const change of [{ chains: undefined }, { chains: [1] }, { allow: ['digest'] }, { created: 1 }, { tenant: 'other' }, { public_key: '0x02' + '11'.repeat(32) }, { ciphertext: randomBytes(125).toString('base64') }])
    assert.match((await link.derive('w', JSON.stringify({ ...w.record, ...change }), { path })).error?.code, /^(record_mismatch|kms_refused)$/, JSON.stringify(change));
  const other = await bring('v');
  assert.deepEqual(await refused(link.derive('w', other.text, { path })), ['record_mismatch', 'record.id']);
  assert.deepEqual(await refused(link.sign('w', w.text, goodTx())), ['record_malformed', 'record.curve']);
  assert.deepEqual(await refused(link.derive('w', JSON.stringify({ ...w.record, curve: 'secp256k1' }), { path })), ['record_malformed', 'record.ciphertext']);
  const k = await child(w, 'k', { chains: [31337] });
  assert.deepEqual(await refused(link.derive('k', k.text, { path })), ['record_malformed', 'record.curve']);
});

await test('the same key a second time has no more rights than the first', async () => {
  const w = await bring('w', { options: { chains: [31337] } });
  for (const more of [{ chains: [1] }, { allow: ['digest'] }, { policy: {} }, { callers: ['gateway'] }, { backup: 'aa'.repeat(32) }])
    assert.deepEqual(await refused(link.derive('w', w.text, { path, options: { id: 'k2', ...more } })), ['denied', Object.keys(more)[0]]);
  const k = await child(w, 'k2', { chains: [31337] });
  assert.equal((await link.sign('k2', k.text, goodTx({ chainId: 1 }))).error?.code, 'denied');
  const { chains, ...without } = k.record;
  assert.deepEqual(chains, [31337]);
  assert.equal((await link.sign('k2', JSON.stringify(without), goodTx({ chainId: 1 }))).error?.code, 'record_mismatch');
});

await test('a wallet whose callers stamp gives nothing without a stamp', async () => {
  const pair = generateKeyPairSync('ed25519');
  const pub = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x, 'base64url').toString('hex');
  const w = await bring('w', { options: { callers: [`ed25519:${pub}`] } });
  assert.deepEqual(await refused(link.derive('w', w.text, { path })), ['unauthorized', 'stamp']);
  assert.deepEqual(await refused(link.derive('w', w.text, { path, options: { id: 'k' } })), ['unauthorized', 'stamp']);
});

await test('what was sealed as a key is no wallet, and the other way round', async () => {
  const text = JSON.stringify({ id: 'x' });
  const key = await sealImport(importKey, randomBytes(32), { options: text, curve: 'secp256k1' });
  const wallet = await sealImport(importKey, plain, { options: text, curve: 'wallet' });
  assert.deepEqual(await refused(link.import('x', key.sealed, { options: text, enc: key.enc, form: 4, curve: 3 })), ['field_invalid', 'sealed']);
  assert.deepEqual(await refused(link.import('x', wallet.sealed, { options: text, enc: wallet.enc, form: 0, curve: 3 })), ['field_invalid', 'curve']);
  assert.deepEqual(await refused(link.import('x', wallet.sealed, { options: text, enc: wallet.enc, form: 4, curve: 0 })), ['field_invalid', 'curve']);
  for (const [bad, why] of [[Buffer.alloc(0), 'key_malformed'], [Buffer.of(200), 'key_malformed'], [Buffer.concat([Buffer.of(5), Buffer.from('hello')]), 'key_malformed'], [Buffer.concat([plain, Buffer.from('é')]), 'field_invalid'], [Buffer.concat([plain, Buffer.alloc(257, 0x61)]), 'field_invalid']]) {
    const s = await sealImport(importKey, bad, { options: text, curve: 'wallet' });
    assert.deepEqual(await refused(link.import('x', s.sealed, { options: text, enc: s.enc, form: 4, curve: 3 })), [why, 'sealed'], bad.toString());
  }
});

await test('sealed anew, a wallet gives the same keys; the old record too', async () => {
  const w = await bring('w');
  const anew = await link.ask(T.REWRAP, cbor(['w', Buffer.from(w.text), Buffer.alloc(0), '']));
  assert.ok(anew.value, JSON.stringify(anew.error));
  const text = anew.value[0].toString();
  assert.notEqual(JSON.parse(text).data_key, w.record.data_key);
  for (const record of [text, w.text]) {
    const { keys } = await link.derive('w', record, { path });
    assert.equal('0x' + keys.toString('hex'), root.derivePath(path.slice(2)).publicKey);
  }
});

await test('a wallet is backed up to the key that its record was sealed with, and to none of the parent', async () => {
  const open = async (w, answer, { secret }) => {
    const { curve, tenant, id, public_key } = w.record;
    return openBackup({ curve, tenant, id, public_key: Buffer.from(public_key.slice(2), 'hex'), enc: answer.enc, sealed: answer.sealed }, secret);
  };
  assert.deepEqual(await refused(link.create('m', { curve: 3, options: { backup: hex(parent.public) } })), ['denied', 'backup']);
  const made = await link.create('m', { curve: 3, options: { words: 12, backup: hex(owner.public) } });
  const brought = await bring('w', { options: { backup: hex(owner.public) } });
  const without = await bring('v');
  for (const w of [made, brought]) {
    const answer = await link.backup(w.id, w.text);
    assert.ok(answer.ok, JSON.stringify(answer.error));
    const wallet = await open(w, answer, owner);
    const seed = wallet.subarray(33);
    assert.equal(HDNodeWallet.fromSeed(seed).publicKey, w.record.public_key);
    await assert.rejects(open(w, answer, parent));
    await assert.rejects(open({ record: { ...w.record, id: 'x' } }, answer, owner));
    // Nothing of it may be said otherwise: the key that it goes to first of all.
    for (const change of [{ backup: hex(parent.public) }, { backup: undefined }, { callers: ['gateway'] }, { public_key: '0x02' + '11'.repeat(32) }, { ciphertext: without.record.ciphertext }, { tenant: 'other' }]) {
      const no = await refused(link.backup(w.id, JSON.stringify({ ...w.record, ...change })));
      assert.match(no[0], 'backup' in change && !change.backup ? /^denied$/ : /^(record_mismatch|kms_refused)$/, JSON.stringify(change));
    }
    assert.deepEqual(await refused(link.backup('x', w.text)), ['record_mismatch', 'record.id']);
    assert.deepEqual(await refused(link.backup(w.id, JSON.stringify({ ...w.record, curve: 'secp256k1' }))), ['record_malformed', 'record.ciphertext']);
  }
  assert.deepEqual(await refused(link.backup('v', without.text)), ['denied', 'record.backup']);
  assert.equal((await refused(link.backup('v', JSON.stringify({ ...without.record, backup: hex(parent.public) }))))[0], 'record_mismatch');
  // A key that the parent has derived of it gets no backup key, neither its own nor the wallet's.
  for (const key of [parent, owner]) assert.deepEqual(await refused(link.derive('w', brought.text, { path, options: { id: 'k', backup: hex(key.public) } })), ['denied', 'backup']);
  const k = await child(brought, 'k');
  assert.deepEqual(await refused(link.backup('k', k.text)), ['denied', 'record.backup']);
  // Sealed anew it is bound to the same.
  const anew = await link.rewrap('w', brought.text);
  assert.equal(anew.record.backup, hex(owner.public));
  assert.equal((await open(anew, await link.backup('w', anew.text), owner)).length, 97);
});

await test('what a backup held is taken in again as the same wallet, whole and for its options only', async () => {
  const w = await link.create('m', { curve: 3, options: { words: 15, backup: hex(owner.public) } });
  const { enc, sealed } = await link.backup('m', w.text);
  const wallet = await openBackup({ curve: 'wallet', tenant: 'default', id: 'm', public_key: Buffer.from(w.record.public_key.slice(2), 'hex'), enc, sealed }, owner.secret);
  const options = JSON.stringify({ id: 'm', chains: [1], backup: hex(owner.public) });
  const take = async (content, said = options) => {
    const s = await sealImport(importKey, content, { options, curve: 'wallet' });
    return link.import('m', s.sealed, { options: said, enc: s.enc, form: 4, curve: 3 });
  };
  const plain = Buffer.concat([Buffer.of(0), wallet]);
  const back = await take(plain);
  assert.ok(back.ok, JSON.stringify(back.error));
  assert.deepEqual([back.record.public_key, back.record.backup, back.record.chains], [w.record.public_key, hex(owner.public), [1]]);
  const keys = [w, back].map((one) => link.derive('m', one.text, { path }));
  assert.deepEqual((await keys[0]).keys, (await keys[1]).keys);
  assert.deepEqual(await refused(take(plain, JSON.stringify({ id: 'm', backup: hex(parent.public) }))), ['field_invalid', 'sealed']);
  const changed = (at, v) => Buffer.from(plain).fill(v, at, at + 1);
  for (const bad of [plain.subarray(0, 97), Buffer.concat([plain, Buffer.of(0)]), Buffer.of(0), changed(1, 0), changed(1, 19), changed(1, 255), changed(1 + 32, 1)])
    assert.deepEqual(await refused(take(bad)), ['key_malformed', 'sealed'], bad.toString('hex'));
});

await test('policies with limits, wallets by the hundred, and a time that is over', async () => {
  const limited = { policy: 1, rules: [{ name: 'a', effect: 'allow', when: { kind: ['derive', 'message'] }, limits: [{ name: 'n', per: '24h', max: 3 }] }] };
  // this parent keeps no rows, without which there is no such wallet
  assert.deepEqual(await refused(link.create('l', { curve: 3, options: { policy: limited } })), ['counters_refused', 'counters']);
  const changed = { ...limited, change: { need: 1, of: ['ed25519:' + '00'.repeat(31) + '01'] } };
  assert.deepEqual(await refused(link.create('l', { curve: 3, options: { policy: changed } })), ['field_invalid', 'policy.change']);
  assert.deepEqual(await refused(link.batch('l', 2, { curve: 3 })), ['field_invalid', 'curve']);
  const w = await bring('w');
  const late = await link.derive('w', w.text, { path: 'm/12381/3600/*/0/0', curve: 'bls12-381', count: 1000 }, { deadline: 50 });
  assert.equal(late.error?.code, 'deadline_exceeded');
});

link.end();
done();
