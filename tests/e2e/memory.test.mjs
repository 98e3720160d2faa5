// SPDX-License-Identifier: Apache-2.0
// After a signature no copy of the private key is in the enclave's memory, and no log of any process
// holds a key, a credential or a body. The same search must find the key where a test build leaves it
// on purpose (VARIANT=leak), or it would prove nothing.
import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createCipheriv, pbkdf2Sync, scryptSync } from 'node:crypto';
import { EncryptCommand } from '@aws-sdk/client-kms';
import { HDNodeWallet, Mnemonic, keccak256 } from 'ethers';
import { test, done, random, skip, until } from './lib/tap.mjs';
import { backupPair, openBackup, sealImport, sealKeystore } from './lib/import.mjs';
import { T, cbor } from './lib/parent.mjs';
import { root, scratch, startStack, putKey, sign, request } from './lib/stack.mjs';
import { startDevcloud, startEnclave, roleCredentials, createKey, makeRecord, makeEnvelope, goodTx } from './lib/hostile.mjs';

const r = random();

/** The forms in which a key of 32 bytes may lie in memory. */
function forms(key) {
  const raw = Buffer.from(key.slice(2), 'hex');
  const reversed = Buffer.from(raw).reverse(); // limbs of a scalar on a little-endian machine
  const limbs52 = []; // libsecp256k1's field and scalar limbs of 5 x 52 bits
  let v = BigInt(key);
  for (let i = 0; i < 5; i++, v >>= 52n) {
    const b = Buffer.alloc(8);
    b.writeBigUInt64LE(v & ((1n << 52n) - 1n));
    limbs52.push(b);
  }
  return {
    'raw bytes': raw,
    'the first half': raw.subarray(0, 16),
    'the second half': raw.subarray(16),
    'reversed bytes': reversed,
    'reversed first half': reversed.subarray(0, 16),
    'reversed second half': reversed.subarray(16),
    '52-bit limbs': Buffer.concat(limbs52),
    'hex text': Buffer.from(raw.toString('hex').slice(0, 32)),
    'hex text, second half': Buffer.from(raw.toString('hex').slice(32)),
    'HEX TEXT': Buffer.from(raw.toString('hex').toUpperCase().slice(0, 32)),
    base64: Buffer.from(raw.toString('base64').slice(0, 40)),
  };
}

/** The mappings of a process: { line, guarded }. Guarded is what libsodium allocates: locked, and not in dumps. */
function mappings(pid) {
  const out = [];
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) out.push({ line, guarded: false });
    else if (/^VmFlags:.* lo .*\bdd\b/.test(line)) out.at(-1).guarded = true;
  }
  return out;
}

/** Search all readable memory of a process; returns the names of the forms found, those found outside of guarded
 * memory, and bytes read. */
function searchMemory(pid, needles) {
  const mem = openSync(`/proc/${pid}/mem`, 'r');
  const found = new Set();
  const outside = new Set();
  let bytes = 0;
  for (const { line, guarded } of mappings(pid)) {
    const m = /^([0-9a-f]+)-([0-9a-f]+) (r|-)/.exec(line);
    if (!m || /\[vsyscall\]|\[vvar/.test(line)) continue;
    const from = BigInt('0x' + m[1]);
    const size = Number(BigInt('0x' + m[2]) - from);
    const step = 4 << 20;
    for (let at = 0; at < size; at += step - 64) {
      const buffer = Buffer.alloc(Math.min(step, size - at));
      let n;
      try {
        n = readSync(mem, buffer, 0, buffer.length, from + BigInt(at));
      } catch {
        break; // a guard page
      }
      bytes += n;
      for (const [name, needle] of Object.entries(needles)) {
        if (!buffer.subarray(0, n).includes(needle)) continue;
        found.add(name);
        if (!guarded) outside.add(name);
      }
    }
  }
  closeSync(mem);
  return { found: [...found], outside: [...outside], bytes };
}

const canSearch = process.getuid() === 0;
const dir = scratch();
const cloud = await startDevcloud(join(dir, 'a'));
const keyArn = await createKey(cloud);
const role = await roleCredentials(cloud);

async function signAndSearch(program, plaintextOf) {
  const e = await startEnclave(cloud, keyArn, { program });
  const key = r.hex(32);
  const record = await makeRecord(cloud, keyArn, 'k', key, { plaintext: plaintextOf(key) });
  const link = e.link();
  await link.credentials(role);
  const before = searchMemory(e.child.pid, forms(key));
  for (let i = 0; i < 50; i++) {
    const answer = await link.sign('k', record.text, goodTx({ nonce: i }));
    assert.ok(answer.ok, JSON.stringify(answer.error));
  }
  const after = searchMemory(e.child.pid, forms(key));
  link.end();
  return { before, after, e };
}

for (const [what, plaintextOf] of [
  ['32 raw bytes', (k) => Buffer.from(k.slice(2), 'hex')],
  ['hex text', (k) => Buffer.from(k.slice(2))],
]) {
  await test(`after 50 signatures by a key stored as ${what}, no form of it is in memory`, async () => {
    if (!canSearch) skip("only root may read another process's memory; left out: this search of the enclave");
    const { before, after } = await signAndSearch(join(root, 'build/release/adyton-enclave'), plaintextOf);
    assert.deepEqual(before.found, []);
    assert.ok(after.bytes > 1 << 20, `only ${after.bytes} bytes could be read`);
    assert.deepEqual(after.found, []);
    console.log(`# searched ${(after.bytes / 1048576).toFixed(1)} MiB`);
  });
}

await test('a key that was opened and then refused is not in memory either', async () => {
  if (!canSearch) skip("only root may read another process's memory; left out: this search of the enclave");
  const e = await startEnclave(cloud, keyArn);
  const link = e.link();
  await link.credentials(role);
  const key = r.hex(32);
  const hex = key.slice(2);
  const records = {
    from_mismatch: await makeRecord(cloud, keyArn, 'a', key, { plaintext: Buffer.from(hex) }),
    record_mismatch: await makeRecord(cloud, keyArn, 'b', r.hex(32), { plaintext: Buffer.from(hex, 'hex') }),
    key_malformed: await makeRecord(cloud, keyArn, 'c', key, { plaintext: Buffer.from(`${hex}z`) }),
    key_out_of_range: await makeRecord(cloud, keyArn, 'd', key, { plaintext: Buffer.from(`0x${'f'.repeat(64)}`) }),
  };
  for (let i = 0; i < 20; i++) {
    for (const [code, k] of Object.entries(records)) {
      const answer = await link.sign(k.id, k.text, goodTx({ from: r.hex(20) }));
      assert.equal(answer.error?.code, code);
    }
    // the key comes back when nobody waits for it any more, or not at all
    const late = await link.sign('a', records.from_mismatch.text, goodTx(), { deadline: 1 + i });
    if (late.error) assert.match(late.error.code, /^(deadline_exceeded|kms_unavailable)$/);
  }
  const { found } = searchMemory(e.child.pid, forms(key));
  link.end();
  assert.deepEqual(found, []);
});

await test('a data key is in guarded memory only, for its time only; the keys under it are nowhere', async () => {
  if (!canSearch) skip("only root may read another process's memory; left out: this search of the enclave");
  const e = await startEnclave(cloud, keyArn, { changes: { data_key_idle_s: 10 } });
  const link = e.link();
  await link.credentials(role);
  const keys = [];
  for (let i = 0; i < 5; i++) keys.push(await makeEnvelope(cloud, keyArn, `k${i}`, r.hex(32), keys[0] ?? {}));
  const dataKey = '0x' + keys[0].dataKey.toString('hex');
  for (let i = 0; i < 20; i++) {
    for (const k of keys) {
      const answers = await Promise.all([goodTx({ nonce: i }), goodTx({ nonce: i, from: k.address })].map((tx) => link.sign(k.id, k.text, tx)));
      for (const a of answers) assert.ok(a.ok, JSON.stringify(a.error));
      const swapped = await link.sign(k.id, JSON.stringify({ ...k.record, created: 1 }), goodTx());
      assert.equal(swapped.error?.code, 'record_mismatch');
    }
    const made = await link.create(`new${i}`, { dataKey: keys[0].blob });
    assert.ok(made.ok, JSON.stringify(made.error));
  }
  e.child.kill('SIGSTOP'); // a search takes its time, in which nothing is to be forgotten
  const kept = searchMemory(e.child.pid, forms(dataKey));
  assert.deepEqual(kept.found.includes('raw bytes'), true, 'the search does not find the data key that is kept');
  assert.deepEqual(kept.outside, []);
  for (const k of keys) assert.deepEqual(searchMemory(e.child.pid, forms(k.privateKey)).found, []);
  e.child.kill('SIGCONT');
  await until(20000, 'the data key to be forgotten', () => searchMemory(e.child.pid, forms(dataKey)).found.length === 0);
  link.end();
});

await test('a key that was brought in, sealed or as a ciphertext of KMS, is not in memory', async () => {
  if (!canSearch) skip("only root may read another process's memory; left out: this search of the enclave");
  const e = await startEnclave(cloud, keyArn);
  const link = e.link();
  await link.credentials(role);
  const document = (await link.ask(T.IMPORT_KEY, cbor([Buffer.alloc(0)]))).value[0];
  // "public_key" and the head of 32 bytes; the document itself is verified in import.test.mjs
  const at = document.indexOf(Buffer.from('6a7075626c69635f6b65795820', 'hex')) + 13;
  assert.ok(at > 13);
  const key = r.hex(32);
  const options = JSON.stringify({ id: 'in' });
  for (const text of [Buffer.from(key.slice(2), 'hex'), Buffer.from(key.slice(2))]) {
    const { enc, sealed } = await sealImport(document.subarray(at, at + 32), text, { options });
    for (let i = 0; i < 10; i++) {
      assert.ok((await link.import('in', sealed, { options, enc })).ok);
      assert.equal((await link.import('in', sealed, { options, enc, tenant: 'other' })).error?.code, 'field_invalid');
    }
    const { CiphertextBlob } = await cloud.kms.send(new EncryptCommand({ KeyId: keyArn, Plaintext: text }));
    for (let i = 0; i < 10; i++) assert.ok((await link.import('in', Buffer.from(CiphertextBlob), { options })).ok);
  }
  assert.deepEqual(searchMemory(e.child.pid, forms(key)).found, []);
  link.end();
});

await test('of a keystore that was opened neither its key, nor its password, nor what was derived from that is in memory', async () => {
  if (!canSearch) skip("only root may read another process's memory; left out: this search of the enclave");
  const e = await startEnclave(cloud, keyArn);
  const link = e.link();
  await link.credentials(role);
  const document = (await link.ask(T.IMPORT_KEY, cbor([Buffer.alloc(0)]))).value[0];
  const at = document.indexOf(Buffer.from('6a7075626c69635f6b65795820', 'hex')) + 13;
  const importKey = document.subarray(at, at + 32);
  const salt = Buffer.from(r.hex(32).slice(2), 'hex');
  for (const [kdf, kdfparams, derive] of [
    ['scrypt', { n: 16384, r: 8, p: 1 }, (p) => scryptSync(p, salt, 32, { N: 16384, r: 8, p: 1 })],
    ['pbkdf2', { c: 5000, prf: 'hmac-sha256' }, (p) => pbkdf2Sync(p, salt, 5000, 32, 'sha256')],
  ]) {
    const key = r.hex(32);
    const password = `password ${r.hex(24)}`;
    const dk = derive(password);
    const cipher = createCipheriv('aes-128-ctr', dk.subarray(0, 16), Buffer.alloc(16));
    const text = Buffer.concat([cipher.update(Buffer.from(key.slice(2), 'hex')), cipher.final()]);
    const mac = keccak256(Buffer.concat([dk.subarray(16), text])).slice(2);
    const file = { version: 3, crypto: { cipher: 'aes-128-ctr', cipherparams: { iv: '00'.repeat(16) }, ciphertext: text.toString('hex'), kdf, kdfparams: { dklen: 32, salt: salt.toString('hex'), ...kdfparams }, mac } };
    const needles = { ...forms(key), ...Object.fromEntries(Object.entries(forms('0x' + dk.toString('hex'))).map(([n, v]) => [`derived: ${n}`, v])), password: Buffer.from(password.slice(0, 32)), 'its end': Buffer.from(password.slice(-32)) };
    const wrong = `password ${r.hex(24)}`;
    for (let i = 0; i < 8; i++) {
      const good = await sealKeystore(importKey, file, password, { id: 'in' });
      assert.ok((await link.import('in', good.sealed, good)).ok);
      const bad = await sealKeystore(importKey, file, wrong, { id: 'in' });
      assert.equal((await link.import('in', bad.sealed, bad)).error?.code, 'password_wrong');
      const other = await sealKeystore(importKey, { ...file, address: r.hex(20) }, password, { id: 'in' });
      assert.equal((await link.import('in', other.sealed, other)).error?.code, 'keystore_mismatch');
      const broken = await sealKeystore(importKey, { ...file, crypto: { ...file.crypto, kdf: 'x' } }, password, { id: 'in' });
      assert.equal((await link.import('in', broken.sealed, broken)).error?.code, 'keystore_malformed');
    }
    const { found } = searchMemory(e.child.pid, { ...needles, 'the wrong password': Buffer.from(wrong.slice(0, 32)) });
    assert.deepEqual(found, [], kdf);
    const log = readFileSync(e.log);
    for (const [name, needle] of Object.entries(needles)) assert.ok(!log.includes(needle), `the log holds ${name}`);
  }
  link.end();
});

await test('a wallet that was brought in, derived of, backed up and restored: no word, entropy, seed or key of it is in memory', async () => {
  if (!canSearch) skip("only root may read another process's memory; left out: this search of the enclave");
  const e = await startEnclave(cloud, keyArn);
  const link = e.link();
  await link.credentials(role);
  const document = (await link.ask(T.IMPORT_KEY, cbor([Buffer.alloc(0)]))).value[0];
  const at = document.indexOf(Buffer.from('6a7075626c69635f6b65795820', 'hex')) + 13;
  const wallet = Mnemonic.fromEntropy(r.hex(32), 'a passphrase of some length');
  const owner = await backupPair();
  const options = JSON.stringify({ id: 'w', backup: owner.public.toString('hex') });
  const plain = Buffer.concat([Buffer.of(wallet.phrase.length), Buffer.from(wallet.phrase + wallet.password)]);
  const { enc, sealed } = await sealImport(document.subarray(at, at + 32), plain, { options, curve: 'wallet' });
  const paths = { 0: "m/44'/60'/0'/0/*", 1: "m/44'/501'/*'/0'", 2: 'm/12381/3600/*/0/0' };
  for (let i = 0; i < 5; i++) {
    const w = await link.import('w', sealed, { options, enc, form: 4, curve: 3 });
    assert.ok(w.ok, JSON.stringify(w.error));
    assert.equal((await link.import('w', sealed, { options, enc, form: 4, curve: 3, tenant: 'other' })).error?.code, 'field_invalid');
    for (const [curve, path] of Object.entries(paths)) {
      const body = { path, curve: ['secp256k1', 'ed25519', 'bls12-381'][curve], first: i, count: 3 };
      for (const more of [{}, { options: { id: 'c' } }]) assert.ok((await link.derive('w', w.text, { ...body, ...more })).ok);
    }
    assert.equal((await link.derive('w', JSON.stringify({ ...w.record, created: 1 }), { path: 'm/0' })).error?.code, 'record_mismatch');
    const b = await link.backup('w', w.text);
    const opened = await openBackup({ curve: 'wallet', tenant: 'default', id: 'w', public_key: Buffer.from(w.record.public_key.slice(2), 'hex'), enc: b.enc, sealed: b.sealed }, owner.secret);
    assert.equal(opened.subarray(1, 33).toString('hex'), wallet.entropy.slice(2));
    const anew = await sealImport(document.subarray(at, at + 32), Buffer.concat([Buffer.of(0), opened]), { options, curve: 'wallet' });
    assert.equal((await link.import('w', anew.sealed, { options, enc: anew.enc, form: 4, curve: 3 })).record?.public_key, w.record.public_key);
  }
  const seed = wallet.computeSeed();
  const root = HDNodeWallet.fromSeed(seed);
  const words = wallet.phrase.split(' ');
  const needles = {
    ...Object.fromEntries([wallet.entropy, '0x' + seed.slice(2, 66), '0x' + seed.slice(66), root.privateKey, root.chainCode, root.derivePath("44'/60'/0'/0").privateKey, root.derivePath("44'/60'/0'/0").chainCode, root.derivePath("44'/60'/0'/0/2").privateKey]
      .flatMap((secret, i) => Object.entries(forms(secret)).map(([name, bytes]) => [`${i} ${name}`, bytes]))),
    'three words': Buffer.from(words.slice(0, 3).join(' ')),
    'the last words': Buffer.from(words.slice(-3).join(' ')),
    'the passphrase': Buffer.from(wallet.password),
  };
  assert.deepEqual(searchMemory(e.child.pid, needles).found, []);
  for (let i = 0; i < 5; i++) {
    const made = await link.create('made', { curve: 3, options: { words: 12 } });
    assert.ok(made.ok, JSON.stringify(made.error));
  }
  link.end();
});

await test('the same search finds the key that a test build leaves on purpose', async () => {
  if (!canSearch) skip("only root may read another process's memory; left out: this search of the enclave");
  const program = join(root, 'build/leak/adyton-enclave');
  if (!existsSync(program)) skip('build/leak/adyton-enclave is not built: make VARIANT=leak build/leak/adyton-enclave');
  const { after } = await signAndSearch(program, (k) => Buffer.from(k.slice(2), 'hex'));
  assert.ok(after.found.includes('raw bytes'), 'the search finds nothing');
});

await test('no log holds a key, a credential or a body', async () => {
  const s = await startStack();
  const key = r.hex(32);
  putKey(s, 'logged', key.slice(2));
  const to = r.hex(20);
  for (let i = 0; i < 20; i++) assert.equal((await sign(s, 'logged', goodTx({ to, nonce: i }))).status, 200);
  // refusals log more than successes do
  const refusals = [goodTx({ to, chainId: 0 }), goodTx({ to, extra: 'marker-in-a-body' }), goodTx({ to: 'marker-in-a-body' })];
  for (const tx of refusals) assert.equal((await sign(s, 'logged', tx)).status, 400);
  await sign(s, 'nobody-there', goodTx({ to }));
  await request(`${s.gateway}/`, { method: 'POST', body: 'marker-in-a-body' });
  const imds = await roleCredentials(s);
  const needles = {
    ...forms(key),
    'the administrator secret': Buffer.from(s.secret_access_key),
    'the role secret': Buffer.from(imds.SecretAccessKey),
    'the role token': Buffer.from(imds.Token.slice(0, 40)),
    'a body': Buffer.from('marker-in-a-body'),
    'an address of a body': Buffer.from(to.slice(2)),
  };
  await s.stop();
  const logs = [s.log, ...readdirSync(join(s.dir, 'log')).map((f) => join(s.dir, 'log', f))];
  assert.ok(logs.length >= 4, `only ${logs.length} logs`);
  for (const log of logs) {
    const text = readFileSync(log);
    for (const [name, needle] of Object.entries(needles)) assert.ok(!text.includes(needle), `${log} holds ${name}`);
  }
});

await done();
