// SPDX-License-Identifier: Apache-2.0
// Mutations of good requests, against independent implementations: whatever of them the signer signs, ethers and eth-sig-util
// must read alike. What they take and we refuse is not compared: their checks are looser. Typed data: 10,000 documents
// with types, names, values and their places exchanged. Transactions: 10,000, each read back by ethers from the signed bytes
// and compared with what the JSON says.
import assert from 'node:assert/strict';
import { SigningKey, Transaction, TypedDataEncoder, getAddress } from 'ethers';
import { TypedDataUtils } from '@metamask/eth-sig-util';
import { test, done, random } from './lib/tap.mjs';
import { randomRecursive, randomTyped, spelled } from './lib/typed.mjs';
import { randomTransaction, toAdyton } from './lib/txs.mjs';
import { signLines } from './lib/lines.mjs';

const ROUNDS = Number(process.env.ADYTON_MUTANTS ?? 10000);
const r = random();
const key = r.hex(32);
const edges = [null, true, false, 0, 1, -1, 255, 256, -128, '', '0x', '0x00', '0x01', '-1', '01', '1', 'a', [], {}, '0x' + '00'.repeat(20), '0x' + 'ff'.repeat(32), 'bool', 'uint8', 'int8[]', 'bytes32', 'string', 'EIP712Domain', 'Mail', 'Node', 'Node[]', 'name', 'v', 'to0'];

/** All places in a JSON value: [container, key]. */
function places(v, out = []) {
  if (v && typeof v === 'object') for (const k of Object.keys(v)) out.push([v, Array.isArray(v) ? Number(k) : k]), places(v[k], out);
  return out;
}

/** Change v in one to three places. */
function mutate(v) {
  const made = structuredClone(v);
  for (let n = 1 + r.below(3); n > 0; n--) {
    const all = places(made);
    const [where, k] = r.pick(all);
    const [other, ok] = r.pick(all);
    const how = r.below(7);
    if (how === 0) where[k] = structuredClone(r.pick(edges));
    else if (how === 1) where[k] = structuredClone(other[ok]);
    else if (how === 2 && Array.isArray(where)) where.splice(k, 1);
    else if (how === 2) delete where[k];
    else if (how === 3 && Array.isArray(where)) where.splice(k, 0, structuredClone(where[k]));
    else if (how === 3) where[r.pick([String(ok), 'name', 'v', 'x', k + 'x'])] = where[k];
    else if (how === 4 && typeof where[k] === 'string') where[k] += r.pick(['', '0', '[]', '[2]', 'x', ' ', 'A']);
    else if (how === 5 && typeof where[k] === 'string') where[k] = where[k].slice(0, r.below(where[k].length + 1));
    else if (how === 6) [where[k], other[ok]] = [structuredClone(other[ok]), structuredClone(where[k])];
  }
  return made;
}

/** fn's result, or undefined when it throws. */
function attempt(fn) {
  try {
    return fn();
  } catch {
    return undefined;
  }
}

// eth-sig-util reads a text as a number as JavaScript does, and finds types by \w+
const utils = (doc) => '0x' + Buffer.from(TypedDataUtils.eip712Hash({ ...doc, types: { EIP712Domain: [], ...doc.types } }, 'V4')).toString('hex');
const byEthers = ({ types: { EIP712Domain, ...types }, domain, message }) => TypedDataEncoder.hash(domain, types, message);

await test(`${ROUNDS} mutated typed-data documents: what is signed, ethers and eth-sig-util hash alike`, async () => {
  const docs = Array.from({ length: ROUNDS }, () => mutate(spelled(r, r.below(3) ? randomTyped(r) : randomRecursive(r))));
  const answers = await signLines(docs.map((doc) => ({ key, body: { typed_data: doc, unknown_members: r.pick(['ignore', 'refuse']) } })));
  const n = { signed: 0, ethers: 0, utils: 0 };
  docs.forEach((doc, i) => {
    const text = () => `${JSON.stringify(answers[i])} for ${JSON.stringify(doc)}`;
    if (answers[i].code) {
      assert.match(answers[i].where, /^(typed_data|)/, text());
      return;
    }
    n.signed++;
    assert.equal(answers[i].r, new SigningKey(key).sign(answers[i].hash).r);
    // ethers makes the domain's type itself; where a document brings one of its own order or of more, it has another
    const own = JSON.stringify(doc.types.EIP712Domain ?? []) === JSON.stringify(attempt(() => TypedDataEncoder.getPayload(doc.domain, { T: [] }, {}).types.EIP712Domain) ?? null) || !doc.types.EIP712Domain;
    const main = attempt(() => TypedDataEncoder.getPrimaryType(Object.fromEntries(Object.entries(doc.types).filter(([k]) => k !== 'EIP712Domain'))));
    // a struct without members that is left out is 32 zero bytes here and in eth-sig-util; ethers does not look at it
    const empty = Object.values(doc.types).some((fields) => fields.length === 0);
    const theirs = own && !empty && main === doc.primaryType ? attempt(() => byEthers(doc)) : undefined;
    if (theirs) n.ethers++, assert.equal(answers[i].hash, theirs, text());
    const names = Object.keys(doc.types).every((name) => /^\w+$/.test(name));
    const other = names && doc.types.EIP712Domain ? attempt(() => utils(doc)) : undefined;
    if (other) n.utils++, assert.equal(answers[i].hash, other, text());
  });
  console.log(`# ${n.signed} of ${ROUNDS} are signed; ${n.ethers} compared with ethers, ${n.utils} with eth-sig-util`);
  assert.ok(n.signed > ROUNDS / 10 && n.ethers > ROUNDS / 40 && n.utils > ROUNDS / 20);
});

const number = (v) => (v === undefined || v === null ? 0n : BigInt(v));
const lower = (v) => JSON.stringify(v ?? []).toLowerCase();

await test(`${ROUNDS} mutated transactions: what is signed, ethers reads from the bytes as the JSON has it`, async () => {
  const signer = new SigningKey(key);
  const asked = Array.from({ length: ROUNDS }, () => mutate(toAdyton(r, randomTransaction(r, r.below(5), signer))));
  const answers = await signLines(asked.map((transaction) => ({ key, body: { transaction } })), ['unprotected']);
  let signed = 0;
  asked.forEach((t, i) => {
    const text = `${JSON.stringify(answers[i])} for ${JSON.stringify(t)}`;
    if (answers[i].code) return;
    signed++;
    if (number(t.nonce) > BigInt(Number.MAX_SAFE_INTEGER)) return; // ethers cannot hold it
    const theirs = Transaction.from(answers[i].raw);
    assert.equal(answers[i].hash, theirs.hash, text);
    if (t.type !== undefined) assert.equal(BigInt(theirs.type), number(t.type), text);
    assert.equal(theirs.chainId, number(t.chainId), text);
    assert.equal(BigInt(theirs.nonce), number(t.nonce), text);
    assert.equal(theirs.gasLimit, number(t.gas ?? t.gasLimit), text);
    assert.equal(theirs.value, number(t.value), text);
    assert.equal(theirs.to, t.to ? getAddress(t.to.toLowerCase()) : null, text);
    assert.equal(theirs.data, (t.data ?? t.input ?? '0x').toLowerCase(), text);
    for (const name of ['gasPrice', 'maxFeePerGas', 'maxPriorityFeePerGas', 'maxFeePerBlobGas']) if (t[name] !== undefined && t[name] !== null) assert.equal(theirs[name], number(t[name]), text);
    assert.equal(lower(theirs.accessList), lower(t.accessList?.map(({ address, storageKeys }) => ({ address, storageKeys }))), text);
    assert.equal(lower(theirs.blobVersionedHashes), lower(t.blobVersionedHashes), text);
    (t.authorizationList ?? []).forEach((a, k) => {
      const b = theirs.authorizationList[k];
      assert.deepEqual([b.chainId, b.nonce, b.address.toLowerCase(), BigInt(b.signature.yParity), BigInt(b.signature.r), BigInt(b.signature._s)], [number(a.chainId), number(a.nonce), a.address.toLowerCase(), number(a.yParity), number(a.r), number(a.s)], text);
    });
  });
  console.log(`# ${signed} of ${ROUNDS} are signed`);
  assert.ok(signed > ROUNDS / 10);
});

await done();
