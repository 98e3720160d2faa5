// SPDX-License-Identifier: Apache-2.0
// Two other implementations of BLS12-381 as oracles for src/crypto/bls (through build/*/tools/bls):
// @chainsafe/blst, another version of the library that we use, and @noble/curves, which shares no code.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { SecretKey, PublicKey, Signature, verify } from '@chainsafe/blst';
import { bls12_381 as noble } from '@noble/curves/bls12-381';
import { test, done, random } from './lib/tap.mjs';
import { bin as B } from './lib/stack.mjs';

const N = Number(process.env.ADYTON_ORACLE ?? 500);
const r = random();
const hex = (b) => Buffer.from(b).toString('hex');

function ask(lines) {
  const out = spawnSync(`${B}/tools/bls`, { input: lines.map((l) => l.join(' ') + '\n').join('') });
  assert.equal(out.status, 0, String(out.stderr));
  return String(out.stdout).trimEnd().split('\n').map((l) => l.split(' '));
}

const keys = Array.from({ length: 32 }, () => SecretKey.fromKeygen(r.bytes(32)));
const duties = Array.from({ length: N }, (_, i) => ({ key: keys[i % keys.length], root: r.bytes(32) }));
const signed = ask(duties.map((d) => ['sign', d.key.toHex().slice(2), hex(d.root)]));

await test(`${N} signatures and public keys are those of @chainsafe/blst`, () => {
  duties.forEach((d, i) => {
    assert.equal(signed[i][0], d.key.toPublicKey().toHex().slice(2));
    assert.equal(signed[i][1], hex(d.key.sign(d.root).toBytes()));
    assert.ok(verify(d.root, PublicKey.fromHex(signed[i][0], true), Signature.fromHex(signed[i][1], true)));
  });
});

await test('signatures are those of @noble/curves', () => {
  const dst = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_';
  duties.slice(0, 24).forEach((d, i) => {
    assert.equal(hex(noble.getPublicKey(d.key.toHex().slice(2))), signed[i][0]);
    assert.equal(hex(noble.sign(d.root, d.key.toHex().slice(2), { DST: dst })), signed[i][1]);
  });
});

await test('what @chainsafe/blst signs verifies, and not for another root, key or signature', () => {
  const lines = [];
  for (const d of duties.slice(0, 48)) {
    const pub = d.key.toPublicKey().toHex().slice(2);
    const sig = hex(d.key.sign(d.root).toBytes());
    const other = keys[r.below(keys.length)].sign(r.bytes(32)).toBytes();
    lines.push(['verify', pub, hex(d.root), sig], ['verify', pub, hex(r.bytes(32)), sig]);
    lines.push(['verify', SecretKey.fromKeygen(r.bytes(32)).toPublicKey().toHex().slice(2), hex(d.root), sig]);
    lines.push(['verify', pub, hex(d.root), hex(other)]);
  }
  assert.deepEqual(ask(lines).map((a) => a[0]), lines.map((_, i) => (i % 4 === 0 ? 'ok' : 'no')));
});

await test('derivations are those of @chainsafe/blst (EIP-2333)', () => {
  const asked = Array.from({ length: 64 }, () => [r.bytes(32 + r.below(33)), r.below(2 ** 32)]);
  const got = ask(asked.map(([seed, index]) => ['derive', hex(seed), index]));
  asked.forEach(([seed, index], i) => {
    const master = SecretKey.deriveMasterEip2333(seed);
    assert.equal(got[i][0], master.toHex().slice(2));
    assert.equal(got[i][1], master.deriveChildEip2333(index).toHex().slice(2));
  });
});

await done();
