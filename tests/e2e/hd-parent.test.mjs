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
import { sealImport } from './lib/import.mjs';
import { startDevcloud, startEnclave, roleCredentials, createKey, goodTx } from './lib/hostile.mjs';

const r = random();
const cloud = await startDevcloud(join(scratch(), 'a'));
const keyArn = await createKey(cloud);
const e = await startEnclave(cloud, keyArn);
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

await test('policies with limits, wallets by the hundred, and a time that is over', async () => {
  const limited = { policy: 1, rules: [{ name: 'a', effect: 'allow', when: { kind: ['derive', 'message'] }, limits: [{ name: 'n', per: '24h', max: 3 }] }] };
  assert.deepEqual(await refused(link.create('l', { curve: 3, options: { policy: limited } })), ['field_invalid', 'policy']);
  assert.deepEqual(await refused(link.batch('l', 2, { curve: 3 })), ['field_invalid', 'curve']);
  const w = await bring('w');
  const late = await link.derive('w', w.text, { path: 'm/12381/3600/*/0/0', curve: 'bls12-381', count: 1000 }, { deadline: 50 });
  assert.equal(late.error?.code, 'deadline_exceeded');
});

link.end();
done();
