// SPDX-License-Identifier: Apache-2.0
// Keystores are opened inside the enclave: those that ethers and @chainsafe/bls-keystore write, and the published ones;
// a lying parent in place of the gateway gets nothing else out of a sealed one, and a hostile file costs what it may cost.
import assert from 'node:assert/strict';
import { readFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Keystore } from '@chainsafe/bls-keystore';
import blst from '@chainsafe/blst';
import { Transaction, Wallet, computeAddress, encryptKeystoreJson, pbkdf2 } from 'ethers';
import { test, done, random, skip } from './lib/tap.mjs';
import { bin, root, run, scratch } from './lib/stack.mjs';
import { sealImport, sealKeystore } from './lib/import.mjs';
import { PBKDF2 as pbkdf2Of, SCRYPT as scrypt } from './lib/keystores.mjs';
import { T, cbor, nonce } from './lib/parent.mjs';
import { startDevcloud, startEnclave, roleCredentials, createKey, goodTx } from './lib/hostile.mjs';

const r = random();
const dir = scratch();
const cloud = await startDevcloud(join(dir, 'a'));
const keyArn = await createKey(cloud);
const e = await startEnclave(cloud, keyArn);
const link = e.link();
await link.credentials(await roleCredentials(cloud));

async function importKey(l = link) {
  const n = nonce();
  const answer = await l.ask(T.IMPORT_KEY, cbor([n]));
  assert.ok(answer.ok, JSON.stringify(answer.error));
  const file = join(dir, 'document');
  writeFileSync(file, answer.value[0]);
  const p = run(`${bin}/adyton`, ['attestation', 'verify', file, '--root', cloud.nsm_root_file, '--nonce', n.toString('hex'), '--json']);
  assert.equal(p.status, 0, p.stderr);
  return Buffer.from(JSON.parse(p.stdout).public_key, 'hex');
}

const publicKey = await importKey();

async function bring(keystore, password, more = {}) {
  const { enc, sealed, ...rest } = await sealKeystore(publicKey, keystore, password, { id: 'k', ...more.seal });
  return link.import('k', sealed, { enc, ...rest, deadline: 60000, ...more });
}

async function signsAs(made, address) {
  assert.ok(made.ok, JSON.stringify(made.error));
  assert.equal('0x' + made.address.toString('hex'), address.toLowerCase());
  const answer = await link.sign(made.id, made.text, goodTx());
  assert.ok(answer.ok, JSON.stringify(answer.error));
  assert.equal(Transaction.from('0x' + answer.value[0].toString('hex')).from, address);
}

const blsPublic = (secret) => Buffer.from(blst.SecretKey.fromBytes(secret).toPublicKey().toBytes());
const SCRYPT = (n) => scrypt(r, n);
const PBKDF2 = (c) => pbkdf2Of(r, c);
const blsKey = () => {
  const secret = Buffer.from(r.hex(32).slice(2), 'hex');
  secret[0] &= 0x3f;
  return secret;
};
const eip2335 = async (secret, password, kdf) => (await Keystore.create(password, secret, blsPublic(secret), 'm/12381/3600/0/0/0', 'test', kdf)).stringify();

await test('keystores that ethers writes, at low and at the usual cost, sign with their key', async () => {
  for (const [scrypt, password] of [
    [{ N: 1024, r: 8, p: 1 }, 'pässword 🔑'],
    [{ N: 262144, r: 8, p: 1 }, 'x'],
    [{ N: 4096, r: 1, p: 8 }, ''],
  ]) {
    const key = r.hex(32);
    const json = await encryptKeystoreJson({ address: computeAddress(key), privateKey: key }, password, { scrypt });
    await signsAs(await bring(json, password), computeAddress(key));
    const { address, ...rest } = JSON.parse(json);
    await signsAs(await bring({ ...rest, name: 'x', meta: {} }, password), computeAddress(key));
  }
  const wallet = Wallet.createRandom();
  await signsAs(await bring(await wallet.encrypt('pw'), 'pw'), wallet.address);
});

await test('the published keystores of version 3', async () => {
  const file = join(root, '../shared/vectors/keystore/basic_tests.json');
  if (!existsSync(file)) return skip('../shared/vectors/keystore is not there');
  const all = Object.values(JSON.parse(readFileSync(file)));
  assert.equal(all.length, 5);
  for (const { json, password, priv } of all) {
    await signsAs(await bring(json, password), computeAddress('0x' + priv));
    assert.equal((await bring(json, password + 'x')).error.code, 'password_wrong');
  }
});

await test('keystores that @chainsafe/bls-keystore writes, scrypt and pbkdf2, have the public key of their key', async () => {
  for (const kdf of [SCRYPT(1024), SCRYPT(262144), PBKDF2(1000), PBKDF2(262144)]) {
    const secret = blsKey();
    const made = await bring(await eip2335(secret, 'testpassword🔑', kdf), 'testpassword🔑');
    assert.ok(made.ok, JSON.stringify(made.error));
    assert.deepEqual(made.publicKey, blsPublic(secret));
    assert.equal(made.record.curve, 'bls12-381');
    assert.ok(!made.text.includes(secret.toString('hex')));
  }
});

await test('a wrong password and a broken file are told apart, and neither is repeated', async () => {
  const secret = blsKey();
  const json = await eip2335(secret, 'the-right-password', PBKDF2(1000));
  const wrong = (await bring(json, 'the-wrong-password')).error;
  assert.deepEqual([wrong.code, wrong.where], ['password_wrong', 'password']);
  const broken = (await bring({ ...JSON.parse(json), version: 5 }, 'the-right-password', { seal: { id: 'k', form: 3 } })).error;
  assert.deepEqual([broken.code, broken.where], ['keystore_malformed', 'keystore.version']);
  const bad = JSON.parse(json);
  bad.crypto.cipher.message = bad.crypto.cipher.message.replace(/^../, (x) => (x === '00' ? '01' : '00'));
  assert.equal((await bring(bad, 'the-right-password')).error.code, 'password_wrong', 'the checksum is over the ciphertext');
  for (const text of [JSON.stringify(wrong), JSON.stringify(broken), readFileSync(e.log, 'utf8')]) assert.ok(!/the-(right|wrong)-password/.test(text));
});

await test('a file that names another key than it holds is refused', async () => {
  const [a, b] = [blsKey(), blsKey()];
  const json = JSON.parse(await eip2335(a, 'pw', PBKDF2(10)));
  json.pubkey = blsPublic(b).toString('hex');
  const { code, where } = (await bring(json, 'pw')).error;
  assert.deepEqual([code, where], ['keystore_mismatch', 'keystore.pubkey']);
  const v3 = JSON.parse(await encryptKeystoreJson({ address: computeAddress(r.hex(32)), privateKey: r.hex(32) }, 'pw', { scrypt: { N: 2, r: 1, p: 1 } }));
  const other = (await bring(v3, 'pw')).error;
  assert.deepEqual([other.code, other.where], ['keystore_mismatch', 'keystore.address']);
});

await test('keys that are none of their curve', async () => {
  const v3 = async (key) => {
    // ethers refuses to write these: by hand, PBKDF2 with c = 1
    const { createCipheriv } = await import('node:crypto');
    const { keccak256 } = await import('ethers');
    const dk = Buffer.from(pbkdf2(Buffer.from('pw'), Buffer.alloc(8), 1, 32, 'sha256').slice(2), 'hex');
    const cipher = createCipheriv('aes-128-ctr', dk.subarray(0, 16), Buffer.alloc(16));
    const text = Buffer.concat([cipher.update(key), cipher.final()]);
    return { version: 3, crypto: { cipher: 'aes-128-ctr', cipherparams: { iv: '00'.repeat(16) }, ciphertext: text.toString('hex'), kdf: 'pbkdf2', kdfparams: { dklen: 32, c: 1, prf: 'hmac-sha256', salt: '00'.repeat(8) }, mac: keccak256(Buffer.concat([dk.subarray(16, 32), text])).slice(2) } };
  };
  for (const key of [Buffer.alloc(32), Buffer.alloc(32, 255), Buffer.alloc(5)]) assert.equal((await bring(await v3(key), 'pw')).error.code, 'key_out_of_range');
  const short = Buffer.from(r.hex(31).slice(2), 'hex');
  await signsAs(await bring(await v3(short), 'pw'), computeAddress('0x00' + short.toString('hex')));
});

await test('what was sealed for one id, tenant, rights, form or enclave is taken for no other', async () => {
  const json = await eip2335(blsKey(), 'pw', PBKDF2(10));
  const { enc, sealed, form, curve, options } = await sealKeystore(publicKey, json, 'pw', { id: 'mine' });
  const ask = async (more) => (await link.import('mine', sealed, { options, enc, form, curve, ...more })).error?.code;
  assert.equal(await ask({}), undefined);
  assert.equal(await ask({}), undefined, 'the parent may have the same key sealed again, for the same id and rights');
  for (const more of [{ options: '{"id":"other"}' }, { options: '{"id":"mine","allow":["digest"]}' }, { tenant: 'other' }, { enc: Buffer.alloc(32, 9) }, { form: 2, curve: 0 }]) assert.equal(await ask(more), 'field_invalid', JSON.stringify(more));
  assert.equal(await ask({ form: 2 }), 'field_invalid', 'a V3 form of a BLS key');
  assert.equal(await ask({ curve: 0 }), 'field_invalid', 'an EIP-2335 form of a secp256k1 key');
  assert.equal(await ask({ form: 0 }), 'key_malformed', 'as a key it is none');
  const raw = await sealImport(publicKey, Buffer.from(r.hex(32).slice(2), 'hex'), { curve: 'bls12-381', options });
  assert.equal((await link.import('mine', raw.sealed, { options, enc: raw.enc, form: 3, curve: 2 })).error?.code, 'keystore_malformed', 'a key taken for a keystore');
  const other = await startEnclave(cloud, keyArn, { admit: false });
  const l = other.link();
  await l.credentials(await roleCredentials(cloud));
  assert.equal((await l.import('mine', sealed, { options, enc, form, curve })).error?.code, 'field_invalid');
  l.end();
});

/** Seconds of the processors that a process has had. */
const cpuOf = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

await test('what a file may ask for is bounded by time and by memory', async () => {
  const json = JSON.parse(await eip2335(blsKey(), 'pw', SCRYPT(1024)));
  const asks = async (params) => {
    const file = structuredClone(json);
    Object.assign(file.crypto.kdf.params, params);
    const cpu = cpuOf(e.child.pid);
    const { code, where, detail } = (await bring(file, 'pw')).error;
    assert.ok(cpuOf(e.child.pid) - cpu < 1, 'refused before it costs anything');
    return [code, where, detail];
  };
  assert.deepEqual((await asks({ n: 2 ** 22 })).slice(0, 2), ['keystore_malformed', 'keystore.crypto.kdf.params']);
  assert.deepEqual((await asks({ n: 2 ** 31 })).slice(0, 2), ['keystore_malformed', 'keystore.crypto.kdf.params.n']);
  assert.deepEqual((await asks({ r: 2 ** 29 })).slice(0, 2), ['keystore_malformed', 'keystore.crypto.kdf.params.r']);
  assert.deepEqual((await asks({ p: 2 ** 29 })).slice(0, 2), ['keystore_malformed', 'keystore.crypto.kdf.params.p']);
  const small = await startEnclave(cloud, keyArn, { admit: false, changes: { keystore_mib: 100 } });
  const l = small.link();
  await l.credentials(await roleCredentials(cloud));
  const key = await importKey(l);
  const full = structuredClone(json);
  full.crypto.kdf.params.n = 262144;
  const { enc, sealed, ...rest } = await sealKeystore(key, full, 'pw', { id: 'k' });
  const { code, where, detail } = (await l.import('k', sealed, { enc, ...rest })).error;
  assert.deepEqual([code, where, detail], ['too_large', 'keystore.crypto', 'needs 256 MiB of memory, and this enclave has 100 MiB for keystores']);
  const none = await startEnclave(cloud, keyArn, { admit: false, changes: { keystore_mib: 0 } });
  const m = none.link();
  await m.credentials(await roleCredentials(cloud));
  const sealedFor = await sealKeystore(await importKey(m), json, 'pw', { id: 'k' });
  assert.equal((await m.import('k', sealedFor.sealed, sealedFor)).error.code, 'denied');
  l.end();
  m.end();
});

await test('memory for one at a time: ten at once wait for each other, and each gets its turn or its deadline', async () => {
  const one = await startEnclave(cloud, keyArn, { admit: false, changes: { keystore_mib: 40, keystore_threads: 4 } });
  const l = one.link();
  await l.credentials(await roleCredentials(cloud));
  const key = await importKey(l);
  const json = await eip2335(blsKey(), 'pw', SCRYPT(32768));
  const ask = async (deadline) => {
    const { enc, sealed, ...rest } = await sealKeystore(key, json, 'not it', { id: 'k' });
    return (await l.import('k', sealed, { enc, ...rest, deadline })).error.code;
  };
  assert.deepEqual(await Promise.all(Array.from({ length: 10 }, () => ask(60000))), Array(10).fill('password_wrong'));
  const rushed = await Promise.all(Array.from({ length: 10 }, () => ask(150)));
  assert.ok(rushed.includes('deadline_exceeded'), rushed.join());
  for (const code of rushed) assert.ok(['deadline_exceeded', 'password_wrong'].includes(code), code);
  const rss = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${one.child.pid}/status`, 'utf8'))[1]) / 1024;
  assert.ok(rss < 90, `${rss} MiB at most`);
  l.end();
});

link.end();
await done();
