// SPDX-License-Identifier: Apache-2.0
// ethers 6 and viem as independent oracles: 10,000 random transactions over all types, signed by the signer in one
// process, must be the very bytes that they make with the same key (RFC 6979 leaves no choice). A sample of each type goes
// through the whole stack as well (HTTP, Secrets Manager, vsock framing, KMS with attestation) and recovers to the address.
import assert from 'node:assert/strict';
import http from 'node:http';
import { Transaction, Wallet, SigningKey, keccak256, Signature } from 'ethers';
import { privateKeyToAccount } from 'viem/accounts';
import { parseTransaction, recoverTransactionAddress } from 'viem';
import { test, done, random, parallel } from './lib/tap.mjs';
import { startStack, putKey, sign } from './lib/stack.mjs';
import { signLines } from './lib/lines.mjs';
import { randomTransaction, toAdyton, toEthers, toViem } from './lib/txs.mjs';

const PER_TYPE = Number(process.env.ADYTON_ORACLE ?? 2000);
const SAMPLE = 100; // of each type through the stack
const r = random();
const s = await startStack();
s.gatewayAgent = new http.Agent({ keepAlive: true, maxSockets: 32 });

const keys = Array.from({ length: 4 }, (_, i) => {
  const key = r.hex(32);
  const put = putKey(s, `oracle-${i}`, key.slice(2), '--allow-unprotected');
  return { id: `oracle-${i}`, key, address: put.address, ethers: new SigningKey(key), viem: privateKeyToAccount(key) };
});

await test('adyton key put names the address that ethers derives', () => {
  for (const k of keys) assert.equal(k.address, new Wallet(k.key).address);
});

/** The bytes that ethers and viem make of tx with key k, which are the same. */
async function theirs(k, tx) {
  const t = Transaction.from(toEthers(tx));
  t.signature = k.ethers.sign(t.unsignedHash);
  assert.equal(t.serialized, await k.viem.signTransaction(toViem(tx)), 'ethers and viem disagree');
  return t;
}

/** Through the whole stack, and what else the answer says. */
async function throughStack(k, asked, tx, want) {
  const answer = await sign(s, k.id, asked);
  assert.equal(answer.status, 200, `${answer.body} for ${JSON.stringify(asked)}`);
  const { signed_transaction: raw, transaction_hash: hash, from, signature } = answer.json;
  assert.equal(raw, want.serialized, JSON.stringify(asked));
  assert.equal(hash, keccak256(raw));
  assert.equal(from, k.address);
  assert.equal(Transaction.from(raw).from, k.address);
  const sig = Signature.from({ r: signature.r, s: signature.s, yParity: signature.yParity });
  assert.equal(sig.serialized, want.signature.serialized);
  assert.equal(await recoverTransactionAddress({ serializedTransaction: raw }), k.address);
  assert.equal(BigInt(parseTransaction(raw).value ?? 0n), tx.value);
}

/** Random transactions, each with the key that signs it and its JSON. */
function randomCases(n, type, change = (tx) => tx) {
  return Array.from({ length: n }, (_, i) => {
    const k = keys[i % keys.length];
    const tx = change(randomTransaction(r, type, keys[0].ethers));
    const asked = toAdyton(r, tx);
    if (i % 3 === 0) asked.from = k.address;
    return { k, tx, asked };
  });
}

async function compare(cases) {
  const answers = await signLines(cases.map(({ k, asked }) => ({ key: k.key, body: { transaction: asked } })), ['unprotected']);
  const every = Math.ceil(cases.length / SAMPLE);
  const sample = [];
  for (const [i, { k, tx, asked }] of cases.entries()) {
    const want = await theirs(k, tx);
    assert.equal(answers[i].raw, want.serialized, `${JSON.stringify(answers[i])} for ${JSON.stringify(asked)}`);
    assert.equal(answers[i].hash, want.hash);
    assert.equal(answers[i].from, k.address.toLowerCase());
    if (i % every === 0) sample.push([k, asked, tx, want]);
    if (i % 20 === 0) await new Promise(setImmediate); // connections that the gateway ends meanwhile are to be noticed
  }
  await parallel(16, sample, (args) => throughStack(...args));
}

for (const type of [0, 1, 2, 3, 4]) {
  await test(`${PER_TYPE} random transactions of type ${type} are those of ethers and viem`, () => compare(randomCases(PER_TYPE, type)));
}

await test('500 random transactions without a chain id are those of ethers and viem', () =>
  compare(randomCases(500, 0, ({ chainId, ...tx }) => tx)));

await done();
