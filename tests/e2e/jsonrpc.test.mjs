// SPDX-License-Identifier: Apache-2.0
// Ethereum JSON-RPC on the gateway through the whole stack: what each method signs is what ethers and
// eth-sig-util sign with the same key, byte for byte; each wrong input is refused with code and reason.
import assert from 'node:assert/strict';
import http from 'node:http';
import { SigningKey, Transaction, TypedDataEncoder, concat, encodeRlp, hashAuthorization, hashMessage, keccak256, toUtf8Bytes } from 'ethers';
import { TypedDataUtils, recoverPersonalSignature, recoverTypedSignature } from '@metamask/eth-sig-util';
import { test, done, random, parallel } from './lib/tap.mjs';
import { startStack, putKey, request } from './lib/stack.mjs';
import { randomTransaction, toEthers } from './lib/txs.mjs';
import { randomTyped } from './lib/typed.mjs';
import { call, result, sidecar, toRpc } from './lib/rpc.mjs';

const TRANSACTIONS = Number(process.env.ADYTON_TRANSACTIONS ?? 1000);
const r = random();
const s = await startStack();
s.gatewayAgent = new http.Agent({ keepAlive: true, maxSockets: 32 });

const secret = r.hex(32);
const key = new SigningKey(secret);
const address = putKey(s, 'alice', secret.slice(2)).address;
const other = putKey(s, 'bob', r.hex(32).slice(2)).address;

const rpc = (method, ...params) => result(s, method, params);
const signature = (digest) => key.sign(digest).serialized;

/** The call must be refused with this code, for this reason at this place. */
async function refused(code, where, why, method, ...params) {
  const { error, result: got } = await call(s, method, params);
  const text = `${method} ${JSON.stringify(params).slice(0, 300)}: ${JSON.stringify(error ?? got)}`;
  assert.equal(error?.code, code, text);
  assert.equal(error.data?.where ?? '', where, text);
  assert.match(error.message, why, text);
}

await test('the accounts are the addresses of all keys, in lower case and in order', async () => {
  const want = [address, other].map((a) => a.toLowerCase()).sort();
  assert.deepEqual(await rpc('eth_accounts'), want);
  assert.deepEqual(await rpc('eth_requestAccounts'), want);
  assert.deepEqual(await result(s, 'eth_accounts', null), want);
  assert.equal(await rpc('health_status'), 'OK');
});

await test('messages: eth_sign and personal_sign are EIP-191, in hex and as text, in either order of parameters', async () => {
  for (let i = 0; i < 50; i++) {
    const bytes = r.bytes(r.pick([0, 1, 20, 32, 100, 5000]));
    const data = '0x' + bytes.toString('hex');
    const want = signature(hashMessage(bytes));
    assert.equal(await rpc('eth_sign', address, data), want);
    assert.equal(await rpc('personal_sign', data, address), want);
    assert.equal(await rpc('personal_sign', data, address, 'a password'), want);
    if (bytes.length !== 20) {
      assert.equal(await rpc('personal_sign', address, data), want);
      assert.equal(await rpc('eth_sign', data, address), want);
    }
    assert.equal(recoverPersonalSignature({ data, signature: want }), address.toLowerCase());
  }
  for (const text of ['hello', 'Grüße 🔑', 'quotes " and \\\n', '']) assert.equal(await rpc('personal_sign', text, address.toLowerCase()), signature(hashMessage(toUtf8Bytes(text))));
});

await test('typed data: v3 and v4, as an object and as a string, in either order of parameters', async () => {
  let v3 = 0;
  for (let i = 0; i < 150 || v3 <= 5; i++) { // V3 has a form for some of them only
    const doc = JSON.parse(JSON.stringify(randomTyped(r), (k, v) => (typeof v === 'bigint' ? v.toString() : v)));
    const { EIP712Domain, ...types } = doc.types;
    const want = signature(TypedDataEncoder.hash(doc.domain, types, doc.message));
    const text = JSON.stringify(doc, null, r.pick([0, 1]));
    assert.equal(await rpc('eth_signTypedData_v4', address, r.pick([doc, text])), want);
    assert.equal(await rpc('eth_signTypedData', ...r.pick([[address, doc], [doc, address], [address, text], [text, address]])), want);
    const plain = Object.keys(doc.types).every((name) => /^\w+$/.test(name));
    if (!plain || Object.values(doc.types).flat().some((f) => f.type.includes('['))) continue;
    const digest = '0x' + Buffer.from(TypedDataUtils.eip712Hash(doc, 'V3')).toString('hex');
    assert.equal(await rpc('eth_signTypedData_v3', address, text), signature(digest));
    assert.equal(recoverTypedSignature({ data: doc, signature: want, version: 'V4' }), address.toLowerCase());
    v3++;
  }
});

await test(`${TRANSACTIONS} random transactions of all types are serialized as ethers does it`, async () => {
  await parallel(16, Array(TRANSACTIONS).fill(), async (_, i) => {
    const tx = randomTransaction(r, i % 5, key);
    const reference = Transaction.from(toEthers(tx));
    reference.signature = key.sign(reference.unsignedHash);
    assert.equal(await rpc('eth_signTransaction', toRpc(address, tx)), reference.serialized, JSON.stringify(toRpc(address, tx)).slice(0, 2000));
  });
});

await test('blobs come back in the form for the network, with one proof or 128 for each', async () => {
  for (const [n, cells] of [[1, false], [6, false], [1, true], [3, true]]) {
    const { blobs, commitments, proofs, hashes } = sidecar(r, n, cells);
    const tx = { ...randomTransaction(r, 3, key), commitments, blobVersionedHashes: hashes };
    const reference = Transaction.from({
      ...toEthers(tx),
      ...(cells && { blobWrapperVersion: 1 }),
      blobs: blobs.map((data, i) => ({ data, commitment: commitments[i], proof: cells ? concat(proofs.slice(128 * i, 128 * i + 128)) : proofs[i] })),
    });
    reference.signature = key.sign(reference.unsignedHash);
    const body = { ...toRpc(address, tx), blobs, proofs };
    assert.equal(await rpc('eth_signTransaction', body), reference.serialized);
    // upper-case digits and missing hashes are the same
    const { blobVersionedHashes, ...rest } = body;
    assert.equal(await rpc('eth_signTransaction', { ...rest, blobs: blobs.map((b) => '0x' + b.slice(2).toUpperCase()) }), reference.serialized);
  }
});

await test('authorizations come back as authorizationList has them', async () => {
  for (let i = 0; i < 30; i++) {
    const tuple = { chainId: r.big(r.pick([0, 4, 50])), address: r.hex(20), nonce: r.big(40) };
    const want = key.sign(hashAuthorization(tuple));
    const hex = (v) => '0x' + BigInt(v).toString(16);
    const answer = { chainId: hex(tuple.chainId), address: tuple.address, nonce: hex(tuple.nonce), yParity: hex(want.yParity), r: hex(want.r), s: hex(want.s) };
    const given = { chainId: hex(tuple.chainId), nonce: hex(tuple.nonce) };
    assert.deepEqual(await rpc('eth_signAuthorization', address, { ...given, address: tuple.address }), answer);
    assert.deepEqual(await rpc('eth_signAuthorization', { ...given, contractAddress: tuple.address, from: address }), answer);
  }
});

await test('a batch is answered in order, each call by itself', async () => {
  const batch = [
    { jsonrpc: '2.0', id: 'a', method: 'personal_sign', params: ['0x01', address] },
    { jsonrpc: '2.0', id: 2, method: 'eth_sign', params: [r.hex(20), '0x01'] },
    { jsonrpc: '2.0', method: 'personal_sign', params: ['0x02', address] },
    { jsonrpc: '2.0', id: null, method: 'eth_accounts' },
    'nothing',
  ];
  const { json } = await request(`${s.gateway}/`, { method: 'POST', body: batch });
  assert.deepEqual(json.map((a) => a.id), ['a', 2, null, null]);
  assert.equal(json[0].result, signature(hashMessage('\x01')));
  assert.equal(json[1].error.code, -32000);
  assert.equal(json[2].result.length, 2);
  assert.equal(json[3].error.code, -32600);
  const many = Array.from({ length: 200 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'personal_sign', params: ['0x' + id.toString(16).padStart(4, '0'), address] }));
  const answers = (await request(`${s.gateway}/`, { method: 'POST', body: many })).json;
  answers.forEach((a, id) => assert.deepEqual([a.id, a.result], [id, signature(hashMessage(Buffer.from(id.toString(16).padStart(4, '0'), 'hex')))]));
});

const stranger = r.hex(20);
const good = { from: address, to: stranger, value: '0x1', gas: '0x5208', nonce: '0x0', chainId: '0x1', maxFeePerGas: '0x2', maxPriorityFeePerGas: '0x1' };
const typed = { types: { EIP712Domain: [{ name: 'name', type: 'string' }], A: [{ name: 'a', type: 'uint8' }] }, primaryType: 'A', domain: { name: 'x' }, message: { a: 1 } };

await test('members that no type names are left out, as wallets do', async () => {
  const want = await rpc('eth_signTypedData_v4', address, typed);
  assert.equal(await rpc('eth_signTypedData_v4', address, { ...typed, message: { a: 1, b: 2 } }), want);
  assert.equal(await rpc('eth_signTypedData_v3', address, JSON.stringify({ ...typed, message: { a: 1, b: 2 } })), want);
});

await test('parameters that are wrong are refused with place and reason', async () => {
  const flip = '0x' + address.slice(2).replace(/[a-f]/i, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()));
  await refused(-32602, 'params[0]', /is required/, 'eth_sign');
  await refused(-32602, 'params[1]', /is required/, 'eth_sign', address);
  await refused(-32602, 'params[0]', /must be an address/, 'eth_sign', 'me', '0x01');
  await refused(-32602, 'params[0]', /checksum/, 'eth_sign', flip, '0x01');
  await refused(-32602, 'params[1]', /even number of hex digits/, 'eth_sign', address, '0x1');
  await refused(-32602, 'params[1]', /even number of hex digits/, 'eth_sign', address, 'hello');
  await refused(-32602, 'params[0]', /even number of hex digits/, 'personal_sign', '0xhello', address);
  await refused(-32602, 'params[0]', /even number of hex digits/, 'personal_sign', { a: 1 }, address);
  await refused(-32602, 'params[1]', /V1's lists/, 'eth_signTypedData', address, [{ type: 'string', name: 'a', value: 'b' }]);
  await refused(-32602, 'params[1]', /V1's lists/, 'eth_signTypedData_v4', address, '[]');
  await refused(-32602, 'params[1]', /at byte/, 'eth_signTypedData_v4', address, '{"types":');
  await refused(-32602, 'params[1]', /at byte/, 'eth_signTypedData_v4', address, `${JSON.stringify(typed)},"version":"V3"`);
  await refused(-32602, 'params[1]', /at byte/, 'eth_signTypedData_v4', address, '{"types":{},"types":{}}');
  await refused(-32602, 'typed_data.message.a', /is required/, 'eth_signTypedData_v4', address, { ...typed, message: {} });
  await refused(-32602, 'params[0]', /transaction object/, 'eth_signTransaction');
  await refused(-32602, 'params[0]', /transaction object/, 'eth_signTransaction', '0x00');
  const { from, ...nobody } = good;
  await refused(-32602, 'transaction.from', /which key/, 'eth_signTransaction', nobody);
  await refused(-32602, 'transaction.from', /40 hex digits/, 'eth_signTransaction', { ...good, from: '0x1' });
  for (const name of ['nonce', 'gas', 'maxFeePerGas', 'maxPriorityFeePerGas']) {
    const { [name]: gone, ...rest } = good;
    await refused(-32602, `transaction.${name}`, /is required/, 'eth_signTransaction', rest);
  }
  await refused(-32602, 'transaction.chainID', /not known/, 'eth_signTransaction', { ...good, chainID: '0x1' });
  await refused(-32602, 'transaction.maxPriorityFeePerGas', /exceeds/, 'eth_signTransaction', { ...good, maxPriorityFeePerGas: '0x3' });
  await refused(-32602, 'transaction.nonce', /hex digits/, 'eth_signTransaction', { ...good, nonce: '0xg' });
  await refused(-32602, 'transaction.gas', /exceeds/, 'eth_signTransaction', { ...good, gas: '0x10000000000000000' });
  await refused(-32602, 'transaction.input', /differs/, 'eth_signTransaction', { ...good, data: '0x01', input: '0x02' });
  await refused(-32602, 'transaction.to', /checksum/, 'eth_signTransaction', { ...good, to: flip });
  await refused(-32602, 'params[1]', /authorization object/, 'eth_signAuthorization', address, 'x');
  await refused(-32602, 'authorization.nonce', /is required/, 'eth_signAuthorization', address, { chainId: 1, address: stranger });
  await refused(-32602, 'authorization.from', /twice/, 'eth_signAuthorization', address, { from: address, chainId: 1, nonce: 1, address: stranger });
  await refused(-32602, 'authorization.more', /not known/, 'eth_signAuthorization', address, { chainId: 1, nonce: 1, address: stranger, more: 1 });
});

await test('sidecars that are not whole are refused by name', async () => {
  const { blobs, commitments, proofs, hashes } = sidecar(r, 2);
  const blobTx = { ...good, type: '0x3', maxFeePerBlobGas: '0x1', blobVersionedHashes: hashes, commitments, blobs, proofs };
  const without = (name) => Object.fromEntries(Object.entries(blobTx).filter(([k]) => k !== name));
  await refused(-32602, 'transaction.commitments', /is required with blobs/, 'eth_signTransaction', without('commitments'));
  await refused(-32602, 'transaction.proofs', /is required with blobs/, 'eth_signTransaction', without('proofs'));
  await refused(-32602, 'transaction.proofs', /belongs to blobs/, 'eth_signTransaction', without('blobs'));
  await refused(-32602, 'transaction.blobs', /1 to 16 blobs/, 'eth_signTransaction', { ...blobTx, blobs: [] });
  await refused(-32602, 'transaction.commitments', /one item for each blob/, 'eth_signTransaction', { ...blobTx, commitments: commitments.slice(1) });
  await refused(-32602, 'transaction.proofs', /one proof, or 128/, 'eth_signTransaction', { ...blobTx, proofs: [...proofs, ...proofs] });
  await refused(-32602, 'transaction.blobs[1]', /262144 hex digits/, 'eth_signTransaction', { ...blobTx, blobs: [blobs[0], blobs[1].slice(0, -2)] });
  await refused(-32602, 'transaction.blobs[0]', /262144 hex digits/, 'eth_signTransaction', { ...blobTx, blobs: [blobs[0].slice(0, -1) + 'g', blobs[1]] });
  await refused(-32602, 'transaction.proofs[1]', /96 hex digits/, 'eth_signTransaction', { ...blobTx, proofs: [proofs[0], '0x'] });
  // the enclave's own look at what the gateway leaves it
  await refused(-32602, 'transaction.commitments[0]', /versioned hash/, 'eth_signTransaction', { ...blobTx, blobVersionedHashes: [...hashes].reverse() });
});

await test('keys that are not there, and methods that are not here', async () => {
  await refused(-32000, '', /no such key/, 'eth_sign', stranger, '0x01');
  await refused(-32000, '', /no such key/, 'eth_signTransaction', { ...good, from: stranger });
  await refused(-32601, '', /eth_blockNumber does not exist here/, 'eth_blockNumber');
  await refused(4100, 'transaction.chainId', /good for every chain/, 'eth_signTransaction', { from: address, to: stranger, gas: '0x5208', gasPrice: '0x1', nonce: '0x0' });
});

await test('a transaction is never signed as something else', async () => {
  const tx = Transaction.from({ type: 2, chainId: 1, nonce: 0, to: stranger, value: 1, gasLimit: 21000, maxFeePerGas: 2, maxPriorityFeePerGas: 1 });
  const wrong = signature(tx.unsignedHash);
  for (const params of [['eth_sign', address, tx.unsignedSerialized], ['personal_sign', tx.unsignedSerialized, address], ['account_signData', 'text/plain', address, tx.unsignedSerialized], ['eth_sign', address, tx.unsignedHash]]) assert.notEqual(await rpc(...params), wrong);
  await refused(-32602, 'params[0]', /must be text\/plain/, 'account_signData', 'text/raw', address, tx.unsignedSerialized);
  const legacy = encodeRlp(['0x', '0x01', '0x5208', stranger, '0x01', '0x', '0x01', '0x', '0x']);
  assert.notEqual(await rpc('eth_sign', address, legacy), signature(keccak256(legacy)));
  await refused(-32602, 'clique_header', /15 or 16 items|wrong parentHash/, 'account_signData', 'application/x-clique-header', address, legacy);
});

await done();
