// SPDX-License-Identifier: Apache-2.0
// Ed25519 keys through the whole stack: made one by one and by the hundred, brought in by `adyton key import`; what they
// sign is verified by node:crypto and by @noble/curves; what they do not sign is refused by name.
import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519';
import { test, done, random } from './lib/tap.mjs';
import { startStack, run, bin, awsEnv, request, signAny, scratch } from './lib/stack.mjs';

const r = random();
const s = await startStack();
const env = awsEnv(s);
const dir = scratch();
const adyton = (...args) => run(`${bin}/adyton`, args, { env });
const get = async (id) => (await request(`${s.gateway}/v1/keys/${id}`, { agent: s.gatewayAgent })).json;
const spki = (pub) => createPublicKey({ format: 'der', type: 'spki', key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), pub]) });

async function signs(id, publicKey, message) {
  const answer = await signAny(s, id, { data: '0x' + message.toString('hex') });
  assert.equal(answer.status, 200, answer.body);
  const signature = Buffer.from(answer.json.signature.slice(2), 'hex');
  const pub = Buffer.from(publicKey.slice(2), 'hex');
  assert.equal(answer.json.hash, '0x' + createHash('sha256').update(message).digest('hex'));
  assert.ok(verify(null, message, spki(pub), signature), 'node:crypto says no');
  assert.ok(ed25519.verify(signature, message, pub), '@noble/curves says no');
  return signature;
}

await test('a key is made and signs bytes of any length, as two other libraries have it', async () => {
  const p = adyton('key', 'create', 'ed', '--curve', 'ed25519', '--allow-digest', '--json');
  assert.equal(p.status, 0, p.stderr);
  const key = JSON.parse(p.stdout);
  assert.match(key.public_key, /^0x[0-9a-f]{64}$/);
  assert.ok(!key.address);
  for (const n of [0, 1, 31, 32, 64, 255, 1232, 60000]) await signs('ed', key.public_key, Buffer.from(r.hex(n).slice(2), 'hex'));
});

await test('100 at once, each with its own signature', async () => {
  const p = adyton('key', 'create', 'ed-', '--curve', 'ed25519', '--allow-digest', '--count', '100', '--json');
  assert.equal(p.status, 0, p.stderr);
  const message = Buffer.from('the same for all');
  const seen = new Set();
  for (let i = 0; i < 100; i++) seen.add((await signs(`ed-${i}`, (await get(`ed-${i}`)).public_key, message)).toString('hex'));
  assert.equal(seen.size, 100);
});

await test('a key that was made elsewhere is brought in and signs as there', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'jwk' }).d;
  const file = join(dir, 'seed');
  writeFileSync(file, Buffer.from(seed, 'base64url').toString('hex') + '\n');
  const p = adyton('key', 'import', 'ed-in', '--file', file, '--curve', 'ed25519', '--allow-digest', '--root', s.nsm_root_file, '--pcr0', s.pcr0, '--json');
  assert.equal(p.status, 0, p.stderr);
  const pub = '0x' + Buffer.from(publicKey.export({ format: 'jwk' }).x, 'base64url').toString('hex');
  assert.equal(JSON.parse(p.stdout).public_key, pub);
  const message = Buffer.from('hello');
  assert.equal((await signs('ed-in', pub, message)).toString('hex'), Buffer.from(ed25519.sign(message, Buffer.from(seed, 'base64url'))).toString('hex'));
});

await test('adyton sign --bytes', async () => {
  const { public_key: pub } = await get('ed');
  const p = adyton('sign', 'ed', '--bytes', '0x6869', '--raw');
  assert.equal(p.status, 0, p.stderr);
  assert.ok(ed25519.verify(p.stdout.trim().slice(2), Buffer.from('hi'), pub.slice(2)));
  assert.match(adyton('sign', 'ed', '--bytes', '0x6869').stdout, /^signature {4}0x[0-9a-f]{128}$/m);
  assert.equal(JSON.parse(adyton('sign', 'ed', '--bytes', '0x6869', '--output-json').stdout).signature, p.stdout.trim());
  assert.equal(adyton('sign', 'ed', '--bytes', '0x6869', '--to', '0x' + '11'.repeat(20)).status, 2);
  assert.equal(adyton('key', 'create', 'secp', '--allow-digest').status, 0);
  assert.match(adyton('sign', 'secp', '--bytes', '0x6869').stdout, /^signature {4}0x[0-9a-f]{130}$/m);
});

await test('without the right, and what is no bytes, is refused by name', async () => {
  assert.equal(adyton('key', 'create', 'shy', '--curve', 'ed25519').status, 0);
  const refused = async (id, body) => {
    const { status, json } = await signAny(s, id, body);
    return [status, json.code, json.where];
  };
  assert.deepEqual(await refused('shy', { data: '0x01' }), [403, 'denied', 'data']);
  assert.deepEqual(await refused('ed', { message: { text: 'x' } }), [400, 'field_invalid', 'message']);
  assert.deepEqual(await refused('ed', { digest: '0x' + '11'.repeat(32) }), [400, 'field_invalid', 'digest']);
  assert.deepEqual(await refused('ed', { transaction: { chainId: 1 } }), [400, 'field_invalid', 'transaction']);
  assert.deepEqual(await refused('ed', { data: '0x0' }), [400, 'field_invalid', 'data']);
});

await test('a policy decides by the kind "digest"', async () => {
  const policy = join(dir, 'p.json');
  for (const [kind, status] of [['digest', 200], ['message', 403]]) {
    writeFileSync(policy, JSON.stringify({ policy: 1, rules: [{ name: 'a', effect: 'allow', when: { kind } }] }));
    const p = adyton('key', 'create', `with-${kind}`, '--curve', 'ed25519', '--allow-digest', '--policy', policy);
    assert.equal(p.status, 0, p.stderr);
    assert.equal((await signAny(s, `with-${kind}`, { data: '0x01' })).status, status);
  }
});

done();
