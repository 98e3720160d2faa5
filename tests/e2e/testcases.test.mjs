// SPDX-License-Identifier: Apache-2.0
// The transaction and typed-data cases of npm @ethersproject/testcases, all of them: signed by the signer in one process,
// and a sample of each kind through the whole stack. What we refuse of them on purpose is refused by code and field, counted,
// and signed without that one fault as ethers signs it.
import assert from 'node:assert/strict';
import http from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { SigningKey, Transaction } from 'ethers';
import { test, done, parallel } from './lib/tap.mjs';
import { startStack, putKey, signAny, root } from './lib/stack.mjs';
import { signLines } from './lib/lines.mjs';

const load = (name) => JSON.parse(gunzipSync(readFileSync(join(root, `tests/e2e/node_modules/@ethersproject/testcases/testcases/${name}.json.gz`))));
const s = await startStack();
s.gatewayAgent = new http.Agent({ keepAlive: true, maxSockets: 32 });
const stored = new Map();

/** The id under which the stack has a key; it may sign what the records of sign_lines may. */
function stackKey(key) {
  if (!stored.has(key)) {
    const id = `case-${stored.size}`;
    putKey(s, id, key.slice(2), '--allow-unprotected');
    stored.set(key, id);
  }
  return stored.get(key);
}

/** A few of the jobs, evenly spread, through the whole stack: the answers must be those of sign_lines. */
async function throughStack(jobs, answers, count) {
  const some = jobs.map((job, i) => [job, answers[i]]).filter((_, i) => i % Math.ceil(jobs.length / count) === 0);
  await parallel(16, some, async ([{ key, body }, want]) => {
    const { json } = await signAny(s, stackKey(key), body);
    const got = json.code ? { code: json.code, where: json.where, detail: json.detail } : json.signed_transaction ?? json.serialized;
    assert.deepEqual(got, want.code ? want : want.raw !== '0x' ? want.raw : serialized(want));
  });
  console.log(`# ${some.length} of ${jobs.length} through the stack too`);
}

const serialized = (a) => a.r + a.s.slice(2) + (a.yParity ? '1c' : '1b');

// quantities of the cases are bytes: "0x" is 0, and leading zeros are allowed
const quantity = (v) => (v === undefined || v === '0x' ? 0n : BigInt(v));

/** A case's transaction for our API; a field that the case leaves out is 0, empty or absent. */
function body({ type, chainId, nonce, gasLimit, gasPrice, maxFeePerGas, maxPriorityFeePerGas, to, value, data, accessList }) {
  const hex = (v) => '0x' + quantity(v).toString(16);
  const fees = type === 2 ? { maxFeePerGas: hex(maxFeePerGas), maxPriorityFeePerGas: hex(maxPriorityFeePerGas) } : { gasPrice: hex(gasPrice) };
  return { type, nonce: hex(nonce), gas: hex(gasLimit), value: hex(value), ...fees, ...(to && to !== '0x' && { to }), ...(!to && !data && { to: null }), ...(data && { data }), ...(accessList && { accessList }), ...(chainId !== undefined && { chainId }) };
}

const refusals = [
  // nodes compute gas in 64 bits: geth and others cannot even read such a transaction
  { code: 'field_out_of_range', where: 'transaction.gas', of: (t) => quantity(t.gasLimit) >= 1n << 64n, mend: (t) => ({ ...t, gasLimit: '0x5208' }) },
  // no chain has the id 0
  { code: 'chain_id_zero', where: 'transaction.chainId', of: (t) => t.chainId === 0, mend: (t) => ({ ...t, chainId: 5 }) },
  // a creation without code would lose its value
  { code: 'field_missing', where: 'transaction.to', of: (t) => !t.to && !t.data && quantity(t.value) > 0n, mend: (t) => ({ ...t, to: '0x' + '35'.repeat(20) }) },
];

/** Sign cases ({ key, tx, signed, name }): each gives signed, or is refused as the first of refusals that is its own. */
async function signCases(cases, sample) {
  const own = cases.map(({ tx }) => refusals.find((x) => x.of(tx)));
  const jobs = cases.map(({ key, tx }) => ({ key, body: { transaction: body(tx) } }));
  const answers = await signLines(jobs, ['unprotected']);
  const counts = { signed: 0 };
  cases.forEach((c, i) => {
    const a = answers[i];
    if (own[i]) {
      assert.deepEqual([a.code, a.where], [own[i].code, own[i].where], `${c.name}: ${JSON.stringify(a)}`);
      counts[own[i].code] = (counts[own[i].code] ?? 0) + 1;
    } else {
      assert.equal(a.raw, c.signed, `${c.name}: ${JSON.stringify(a)} for ${JSON.stringify(jobs[i].body)}`);
      counts.signed++;
    }
  });
  console.log(`# ${cases.length} cases: ${Object.entries(counts).map(([k, n]) => `${n} ${k}`).join(', ')}`);
  await mended(cases.filter((_, i) => own[i]));
  await throughStack(jobs, answers, sample);
}

/** Without their faults the refused ones are signed as ethers signs them. */
async function mended(cases) {
  const txs = cases.map(({ tx }) => refusals.reduce((t, x) => (x.of(t) ? x.mend(t) : t), tx));
  const answers = await signLines(cases.map(({ key }, i) => ({ key, body: { transaction: body(txs[i]) } })), ['unprotected']);
  cases.forEach((c, i) => {
    const t = txs[i];
    const fees = t.type === 2 ? { maxFeePerGas: quantity(t.maxFeePerGas), maxPriorityFeePerGas: quantity(t.maxPriorityFeePerGas) } : { gasPrice: quantity(t.gasPrice) };
    const theirs = Transaction.from({ type: t.type, chainId: t.chainId ?? 0, nonce: Number(quantity(t.nonce)), gasLimit: quantity(t.gasLimit), to: t.to && t.to !== '0x' ? t.to : null, value: quantity(t.value), data: t.data ?? '0x', ...(t.type && { accessList: t.accessList ?? [] }), ...fees });
    theirs.signature = new SigningKey(c.key).sign(theirs.unsignedHash);
    assert.equal(answers[i].raw, theirs.serialized, `${c.name}: ${JSON.stringify(answers[i])}`);
  });
}

const legacy = load('transactions').map(({ name, privateKey: key, signedTransaction, signedTransactionChainId5, unsignedTransaction, unsignedTransactionChainId5, accountAddress, v, r, s, ...tx }) => ({ name, key, tx: { ...tx, type: 0 }, signedTransaction, signedTransactionChainId5 }));
const typed = load('typed-transactions');
const eip712 = load('eip712');

await test('as many cases as the package has', () => assert.deepEqual([legacy.length, typed.length, eip712.length], [1067, 1792, 1025]));

await test(`${legacy.length} legacy transactions without a chain id`, () => signCases(legacy.map((c) => ({ ...c, signed: c.signedTransaction })), 20));

await test(`${legacy.length} legacy transactions of chain 5`, () => signCases(legacy.map((c) => ({ ...c, tx: { ...c.tx, chainId: 5 }, signed: c.signedTransactionChainId5 })), 20));

await test(`${typed.length} transactions of types 1 and 2`, () => signCases(typed.map(({ name, key, tx, signed }) => ({ name, key, tx: { ...tx, chainId: tx.chainId ?? 0 }, signed })), 40));

await test(`${eip712.length} typed-data documents`, async () => {
  const other = '0x' + '5a'.repeat(32); // for the cases without a key of their own
  const jobs = eip712.map((c) => ({ key: c.privateKey ?? other, body: { typed_data: { types: c.types, primaryType: c.primaryType, domain: c.domain, message: c.data } } }));
  const answers = await signLines(jobs);
  eip712.forEach((c, i) => {
    assert.equal(answers[i].hash, c.digest, `${c.name}: ${JSON.stringify(answers[i])}`);
    assert.equal(serialized(answers[i]), c.signature ?? new SigningKey(jobs[i].key).sign(c.digest).serialized, c.name);
  });
  await throughStack(jobs, answers, 200);
});

await done();
