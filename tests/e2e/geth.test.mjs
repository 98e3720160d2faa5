// SPDX-License-Identifier: Apache-2.0
// geth --signer URL: its side of the conversation, field by field as accounts/external/backend.go sends it,
// replayed for each type of transaction; the answer's tx is read by the rules of geth's own reader
// (core/types/transaction_marshalling.go, common/hexutil), written down here. geth itself is in neither
// registry that this project may use: what is replayed is its wire, not its binary.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { SigningKey, Transaction, TypedDataEncoder, concat, encodeRlp, getAddress, hashMessage, keccak256, recoverAddress } from 'ethers';
import { test, done, random } from './lib/tap.mjs';
import { startStack, putKey, request, scratch } from './lib/stack.mjs';
import { randomTransaction, toEthers } from './lib/txs.mjs';
import { startGateway } from './lib/gateway.mjs';
import { call, result, sidecar } from './lib/rpc.mjs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

const r = random();
const s = await startStack();
s.gatewayAgent = new http.Agent({ keepAlive: true, maxSockets: 8 });
const secret = r.hex(32);
const key = new SigningKey(secret);
const address = putKey(s, 'alice', secret.slice(2)).address;
putKey(s, 'bob', r.hex(32).slice(2));
const rpc = (method, ...params) => result(s, method, params);
const lower = address.toLowerCase();

/* --- geth's reader --- */

const big = (v, name) => {
  assert.match(v, /^0x(0|[1-9a-f][0-9a-f]{0,63})$/, `${name}: no hexutil.Big: ${v}`);
  return BigInt(v);
};
const uint64 = (v, name) => {
  assert.match(v, /^0x(0|[1-9a-f][0-9a-f]{0,15})$/, `${name}: no hexutil.Uint64: ${v}`);
  return BigInt(v);
};
const fixed = (n) => (v, name) => assert.match(v, new RegExp(`^0x[0-9a-f]{${2 * n}}$`), `${name}: not ${n} bytes: ${String(v).slice(0, 80)}`);
const bytes = (v, name) => assert.match(v, /^0x([0-9a-f]{2})*$/, `${name}: no hexutil.Bytes: ${v}`);
const listOf = (one) => (v, name) => {
  assert.ok(Array.isArray(v), `${name}: no array`);
  v.forEach((item, i) => one(item, `${name}[${i}]`));
};
const access = (v, name) => {
  assert.deepEqual(Object.keys(v), ['address', 'storageKeys'], name);
  fixed(20)(v.address, name);
  listOf(fixed(32))(v.storageKeys, name);
};
const tuple = (v, name) => {
  assert.deepEqual(Object.keys(v).sort(), ['address', 'chainId', 'nonce', 'r', 's', 'yParity'], name);
  for (const k of ['chainId', 'r', 's']) big(v[k], name);
  uint64(v.nonce, name);
  assert.match(v.yParity, /^0x[01]$/, name);
  fixed(20)(v.address, name);
};
const always = { nonce: uint64, gas: uint64, value: big, input: bytes, v: big, r: big, s: big };
const dynamic = { ...always, chainId: big, maxFeePerGas: big, maxPriorityFeePerGas: big, accessList: listOf(access), yParity: uint64 };
const required = [
  { ...always, gasPrice: big },
  { ...always, chainId: big, gasPrice: big, accessList: listOf(access), yParity: uint64 },
  dynamic,
  { ...dynamic, to: fixed(20), maxFeePerBlobGas: big, blobVersionedHashes: listOf(fixed(32)) },
  { ...dynamic, to: fixed(20), authorizationList: listOf(tuple) },
];
const sidecarFields = { blobs: listOf(fixed(131072)), commitments: listOf(fixed(48)), proofs: listOf(fixed(48)) };

/** Read tx as geth's Transaction.UnmarshalJSON does and then by what it checks; returns ethers' transaction. */
function gethReads(tx, withSidecar = false) {
  const type = Number(uint64(tx.type, 'type'));
  const fields = { ...required[type], ...(withSidecar && sidecarFields) };
  for (const [name, read] of Object.entries(fields)) {
    assert.ok(tx[name] !== undefined && tx[name] !== null, `missing required field '${name}' in transaction`);
    read(tx[name], name);
  }
  assert.ok(tx.to === null || fixed(20)(tx.to, 'to') === undefined);
  fixed(32)(tx.hash, 'hash');
  const known = new Set([...Object.keys(fields), 'type', 'to', 'hash', 'chainId', 'gasPrice', 'maxFeePerGas', 'maxPriorityFeePerGas']);
  for (const [name, v] of Object.entries(tx)) {
    assert.ok(known.has(name), `geth has no field '${name}'`);
    if (!fields[name] && /gas/i.test(name)) assert.equal(v, null, `${name} must be null`); // what the type does not have
  }
  // sanityCheckSignature: v of EIP-155, or the parity, which yParity repeats (yParityMustMatchV)
  const v = BigInt(tx.v);
  let parity = v;
  if (type === 0) {
    const id = BigInt(tx.chainId ?? 0);
    assert.ok(id === 0n ? v === 27n || v === 28n : v === id * 2n + 35n || v === id * 2n + 36n, 'v');
    parity = id === 0n ? v - 27n : v - id * 2n - 35n;
  } else {
    assert.equal(BigInt(tx.yParity), v, "'v' and 'yParity' fields do not match");
  }
  assert.ok(parity === 0n || parity === 1n);
  const { input, gas, v: _v, r: sr, s: ss, yParity, hash, blobs, commitments, proofs, from, ...rest } = tx;
  const auths = tx.authorizationList?.map(({ r, s, yParity: y, ...t }) => ({ ...t, signature: { r: pad(r), s: pad(s), yParity: Number(y) } }));
  return Transaction.from({
    ...rest,
    type,
    nonce: Number(tx.nonce),
    data: input,
    gasLimit: gas,
    to: tx.to,
    ...(auths && { authorizationList: auths }),
    signature: { r: pad(sr), s: pad(ss), yParity: Number(parity) },
  });
}
const pad = (v) => '0x' + v.slice(2).padStart(64, '0');

/* --- geth's sender --- */

const hexBig = (v) => '0x' + BigInt(v).toString(16);

/** backend.go, SignTx: apitypes.SendTxArgs of a transaction. */
function sendTxArgs(tx, extra = {}) {
  const args = {
    from: address, // common.MixedcaseAddress
    to: tx.to ? getAddress(tx.to) : null,
    gas: hexBig(tx.gas),
    gasPrice: null,
    maxFeePerGas: null,
    maxPriorityFeePerGas: null,
    value: hexBig(tx.value),
    nonce: hexBig(tx.nonce),
    input: tx.data,
    chainId: hexBig(tx.chainId),
  };
  if (tx.type <= 1) args.gasPrice = hexBig(tx.gasPrice);
  else Object.assign(args, { maxFeePerGas: hexBig(tx.maxFeePerGas), maxPriorityFeePerGas: hexBig(tx.maxPriorityFeePerGas) });
  if (tx.type >= 1) args.accessList = tx.accessList;
  if (tx.type === 3) Object.assign(args, { maxFeePerBlobGas: hexBig(tx.maxFeePerBlobGas), blobVersionedHashes: tx.blobVersionedHashes });
  return { ...args, ...extra };
}

/** The request's bytes as geth's rpc client sends them, without params when there are none. */
let id = 0;
async function geth(method, ...params) {
  const body = { jsonrpc: '2.0', id: ++id, method };
  if (params.length) body.params = params;
  const answer = await request(`${s.gateway}/`, { method: 'POST', body, headers: { accept: 'application/json', 'user-agent': 'Go-http-client/1.1' }, agent: s.gatewayAgent });
  assert.equal(answer.status, 200);
  assert.equal(answer.json.jsonrpc, '2.0');
  assert.equal(answer.json.id, id);
  if (answer.json.error) throw new Error(`${answer.json.error.code}: ${answer.json.error.message}`);
  return answer.json.result;
}

await test('the start: account_version and account_list, without params', async () => {
  assert.equal(await geth('account_version'), '6.1.0');
  const list = await geth('account_list');
  assert.equal(list.length, 2);
  list.forEach((a) => fixed(20)(a, 'account'));
  assert.ok(list.includes(lower));
});

await test('transactions of types 0 to 3: the tx that geth reads is the one it sent, signed by the account', async () => {
  for (let i = 0; i < 60; i++) {
    const tx = randomTransaction(r, i % 4, key);
    if (tx.type === 3) {
      const side = sidecar(r, 1 + r.below(2));
      Object.assign(tx, { commitments: side.commitments, blobVersionedHashes: side.hashes, side });
    }
    const { side, ...plain } = tx;
    const extra = side ? { blobs: side.blobs, commitments: side.commitments, proofs: side.proofs } : {};
    const { raw, tx: answer } = await geth('account_signTransaction', sendTxArgs(plain, extra));
    const reference = Transaction.from(toEthers(plain));
    reference.signature = key.sign(reference.unsignedHash);
    const got = gethReads(answer, Boolean(side));
    assert.equal(got.serialized, reference.serialized);
    assert.equal(answer.hash, reference.hash);
    assert.equal(got.from, address);
    if (!side) assert.equal(raw, reference.serialized);
    for (const name of Object.keys(extra)) assert.deepEqual(answer[name], extra[name]);
  }
});

await test('an empty access list makes type 1, its absence type 0', async () => {
  const tx = { type: 1, chainId: 5n, nonce: 7n, gas: 21000n, gasPrice: 3n, value: 0n, data: '0x', to: r.hex(20), accessList: [] };
  assert.equal((await geth('account_signTransaction', sendTxArgs(tx))).tx.type, '0x1');
  const { accessList, ...legacy } = tx;
  const answer = (await geth('account_signTransaction', sendTxArgs({ ...legacy, type: 0 }))).tx;
  assert.equal(answer.type, '0x0');
  assert.equal(answer.chainId, '0x5');
  assert.equal(answer.maxFeePerGas, null);
});

await test('type 4, for the day geth sends authorizationList', async () => {
  for (let i = 0; i < 10; i++) {
    const tx = randomTransaction(r, 4, key);
    const authorizationList = tx.authorizationList.map((a) => ({ chainId: hexBig(a.chainId), address: a.address, nonce: hexBig(a.nonce), yParity: hexBig(a.yParity), r: hexBig(a.r), s: hexBig(a.s) }));
    const { tx: answer } = await geth('account_signTransaction', sendTxArgs(tx, { authorizationList }));
    const reference = Transaction.from(toEthers(tx));
    reference.signature = key.sign(reference.unsignedHash);
    assert.deepEqual(answer.authorizationList, authorizationList);
    assert.equal(answer.hash, reference.hash);
    assert.equal(gethReads(answer).hash, reference.hash);
  }
});

await test('creation has no recipient', async () => {
  const tx = { type: 2, chainId: 1n, nonce: 0n, gas: 100000n, maxFeePerGas: 2n, maxPriorityFeePerGas: 1n, value: 0n, data: '0x6000', accessList: [] };
  const { tx: answer } = await geth('account_signTransaction', sendTxArgs(tx));
  assert.equal(answer.to, null);
  assert.equal(gethReads(answer).from, address);
});

await test('SignText: account_signData of text/plain', async () => {
  for (const n of [0, 1, 32, 500]) {
    const data = r.bytes(n);
    const got = await geth('account_signData', 'text/plain', address, '0x' + data.toString('hex'));
    assert.equal(got, key.sign(hashMessage(data)).serialized);
    assert.ok([27, 28].includes(Number('0x' + got.slice(-2)))); // geth takes 27 off
  }
});

await test('data for a validator, and typed data as the hex of its JSON', async () => {
  const to = getAddress(r.hex(20));
  const message = r.hex(40);
  const got = await geth('account_signData', 'data/validator', address, { address: to, message });
  assert.equal(got, key.sign(keccak256(concat(['0x1900', to, message]))).serialized);
  const doc = { types: { EIP712Domain: [{ name: 'name', type: 'string' }], A: [{ name: 'a', type: 'uint8' }] }, primaryType: 'A', domain: { name: 'x' }, message: { a: 1 } };
  const want = key.sign(TypedDataEncoder.hash(doc.domain, { A: doc.types.A }, doc.message)).serialized;
  assert.equal(await geth('account_signData', 'data/typed', address, '0x' + Buffer.from(JSON.stringify(doc)).toString('hex')), want);
  assert.equal(await geth('account_signTypedData', address, doc), want);
});

/** A header as consensus/clique encodes it for its seal: extra ends before the 65 bytes. */
function header(london, signers = 0) {
  const items = [r.hex(32), '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347', '0x' + '00'.repeat(20), r.hex(32), r.hex(32), r.hex(32), r.hex(256), '0x02', '0x0a11', '0x01c9c380', '0x', '0x65000000', r.hex(32 + 20 * signers), '0x' + '00'.repeat(32), '0x0000000000000000'];
  return encodeRlp(london ? [...items, '0x07'] : items);
}

await test('headers of Clique are sealed with a v of 0 or 1', async () => {
  for (let i = 0; i < 20; i++) {
    const rlp = header(i % 2 === 0, r.below(4));
    const want = key.sign(keccak256(rlp));
    const got = await geth('account_signData', 'application/x-clique-header', address, rlp);
    assert.equal(got, concat([want.r, want.s, '0x0' + want.yParity]));
    assert.equal(recoverAddress(keccak256(rlp), want), address);
  }
});

await test('account_ecRecover finds the signer of a message', async () => {
  const data = r.hex(33);
  const sig = await geth('account_signData', 'text/plain', address, data);
  assert.equal(await geth('account_ecRecover', data, sig), lower);
  assert.notEqual(await geth('account_ecRecover', r.hex(33), sig), lower);
});

/* --- Safe --- */

const SAFE_TX = ['to:address', 'value:uint256', 'data:bytes', 'operation:uint8', 'safeTxGas:uint256', 'baseGas:uint256', 'gasPrice:uint256', 'gasToken:address', 'refundReceiver:address', 'nonce:uint256'].map((f) => ({ name: f.split(':')[0], type: f.split(':')[1] }));
const zero = '0x' + '00'.repeat(20);
function safeTx(chainId) {
  const tx = { safe: getAddress(r.hex(20)), to: getAddress(r.hex(20)), value: r.big(90).toString(), data: r.pick(['0x', r.hex(68)]), operation: r.below(2), safeTxGas: r.below(1e6), baseGas: 0, gasPrice: '0', gasToken: zero, refundReceiver: zero, nonce: r.below(1000) };
  const domain = { ...(chainId && { chainId }), verifyingContract: tx.safe };
  const { safe, ...message } = tx;
  return { ...tx, ...(chainId && { chainId: String(chainId) }), safeTxHash: TypedDataEncoder.hash(domain, { SafeTx: SAFE_TX }, message) };
}

await test('transactions of Safes, with and without a chain id in the domain', async () => {
  for (const chainId of [undefined, 1, 137]) {
    const tx = safeTx(chainId);
    const got = await geth('account_signGnosisSafeTx', address, tx);
    assert.deepEqual(got, { ...tx, signature: key.sign(tx.safeTxHash).serialized, contractTransactionHash: tx.safeTxHash, sender: address });
  }
  const tx = safeTx(1);
  assert.equal((await geth('account_signGnosisSafeTx', address, { ...tx, data: '0x' === tx.data ? null : tx.data })).signature, key.sign(tx.safeTxHash).serialized);
});

/** One connection on which texts go both ways; ask(method, ...params) resolves to the result. */
function conversation(send, onText) {
  const waiting = new Map();
  onText((text) => {
    const answer = JSON.parse(text);
    waiting.get(answer.id)(answer);
    waiting.delete(answer.id);
  });
  let n = 0;
  return async (method, ...params) => {
    const answer = await new Promise((resolve) => {
      waiting.set(++n, resolve);
      send(JSON.stringify({ jsonrpc: '2.0', id: n, method, ...(params.length && { params }) }));
    });
    if (answer.error) throw new Error(JSON.stringify(answer.error));
    return answer.result;
  };
}

await test('the same conversation on the IPC socket and over WebSocket', async () => {
  const path = join(scratch('ipc'), 'clef.ipc');
  const g = await startGateway(s, { ipc: [{ path }] });
  const socket = net.connect(path);
  const ws = new WebSocket(g.gateway.replace('http', 'ws'));
  await Promise.all([once(socket, 'connect'), once(ws, 'open')]);
  const overIpc = conversation((text) => socket.write(text), (fn) => createInterface(socket).on('line', fn));
  const overWs = conversation((text) => ws.send(text), (fn) => ws.on('message', (d) => fn(d.toString())));
  for (const ask of [overIpc, overWs]) {
    assert.equal(await ask('account_version'), '6.1.0');
    assert.ok((await ask('account_list')).includes(lower));
    for (let type = 0; type < 3; type++) {
      const tx = randomTransaction(r, type, key);
      const reference = Transaction.from(toEthers(tx));
      reference.signature = key.sign(reference.unsignedHash);
      const { tx: answer } = await ask('account_signTransaction', sendTxArgs(tx));
      assert.equal(gethReads(answer).serialized, reference.serialized);
    }
    assert.equal(await ask('account_signData', 'text/plain', address, '0x01'), key.sign(hashMessage('\x01')).serialized);
  }
  socket.destroy();
  ws.close();
  await g.stop();
});

await test('account_new makes a key in the enclave, which signs from then on and is kept', async () => {
  const sha = (token) => createHash('sha256').update(token).digest('hex');
  const store = { sqlite: join(s.dir, 'new.db') };
  const g = await startGateway(s, { store });
  const at = { gateway: g.gateway };
  assert.deepEqual(await result(at, 'account_list', null), []);
  const made = await Promise.all([result(at, 'account_new', null), result(at, 'account_new', []), result(at, 'account_new', [])]);
  made.forEach((a) => assert.equal(a, getAddress(a.toLowerCase()))); // with its checksum, as Clef answers
  assert.deepEqual(await result(at, 'account_list', null), made.map((a) => a.toLowerCase()).sort());
  const sig = await result(at, 'account_signData', ['text/plain', made[0], '0x01']);
  assert.equal(recoverAddress(hashMessage('\x01'), sig), made[0]);
  await g.stop();
  const callers = [{ tenant: 'default', token_sha256: sha('one'), manage: false }, { tenant: 'other', token_sha256: sha('two') }];
  const again = await startGateway(s, { store, callers });
  const as = (token) => ({ headers: { authorization: `Bearer ${token}` } });
  assert.equal((await result({ gateway: again.gateway }, 'account_list', [], as('one'))).length, 3);
  const { error } = await call({ gateway: again.gateway }, 'account_new', [], as('one'));
  assert.deepEqual([error.code, error.message, error.data.detail], [-32000, 'request denied', 'this caller makes no keys']);
  const own = await result({ gateway: again.gateway }, 'account_new', [], as('two'));
  assert.deepEqual(await result({ gateway: again.gateway }, 'account_list', [], as('two')), [own.toLowerCase()]);
  assert.equal((await result({ gateway: again.gateway }, 'account_list', [], as('one'))).length, 3);
  await again.stop();
});

async function refused(code, message, where, method, ...params) {
  const { error } = await call(s, method, params);
  const text = `${method} ${JSON.stringify(params).slice(0, 300)}: ${JSON.stringify(error)}`;
  assert.equal(error?.code, code, text);
  assert.match(error.message, message, text);
  assert.equal(error.data?.where ?? '', where, text);
}

await test('what is wrong is refused with place and reason; what may not be done with "request denied"', async () => {
  const tx = { type: 2, chainId: 1n, nonce: 0n, gas: 21000n, maxFeePerGas: 2n, maxPriorityFeePerGas: 1n, value: 0n, data: '0x', to: r.hex(20), accessList: [] };
  const args = sendTxArgs(tx);
  const { chainId, maxFeePerGas, maxPriorityFeePerGas, accessList, ...unprotected } = args;
  await refused(-32000, /^request denied$/, 'transaction.chainId', 'account_signTransaction', { ...unprotected, gasPrice: '0x1' });
  await refused(-32000, /no such key/, '', 'account_signTransaction', { ...args, from: r.hex(20) });
  await refused(-32602, /which key/, 'transaction.from', 'account_signTransaction', { ...args, from: undefined });
  await refused(-32602, /differs from data/, 'transaction.input', 'account_signTransaction', { ...args, input: '0x01', data: '0x02' });
  await refused(-32602, /must be text\/plain/, 'params[0]', 'account_signData', 'text/validator', address, '0x');
  await refused(-32602, /even number/, 'params[2]', 'account_signData', 'text/plain', address, 'hello');
  await refused(-32602, /address and message/, 'params[2]', 'account_signData', 'data/validator', address, { address });
  await refused(-32602, /at byte/, 'params[2]', 'account_signData', 'data/typed', address, '0x7b');
  const doc = { types: { EIP712Domain: [{ name: 'name', type: 'string' }], A: [{ name: 'a', type: 'uint8' }] }, primaryType: 'A', domain: { name: 'x' }, message: { a: 1, b: 2 } };
  await refused(-32602, /is not in its type/, 'typed_data.message.b', 'account_signTypedData', address, doc); // as Clef did
  await refused(-32602, /is no list/, 'clique_header', 'account_signData', 'application/x-clique-header', address, '0x01');
  await refused(-32602, /wrong extraData/, 'clique_header', 'account_signData', 'application/x-clique-header', address, encodeRlp(['0x' + '01'.repeat(32), '0x' + '01'.repeat(32), '0x' + '01'.repeat(20), ...Array(3).fill('0x' + '01'.repeat(32)), '0x' + '01'.repeat(256), '0x01', '0x01', '0x01', '0x01', '0x01', '0x' + '01'.repeat(97), '0x' + '01'.repeat(32), '0x' + '01'.repeat(8)]));
  await refused(-32602, /65 bytes/, 'params[1]', 'account_ecRecover', '0x01', '0x' + '01'.repeat(65));
  await refused(-32602, /no signature of any key/, 'params[1]', 'account_ecRecover', '0x01', '0x' + '00'.repeat(64) + '1b');
  await refused(-32602, /is not the hash/, 'safeTx.safeTxHash', 'account_signGnosisSafeTx', address, { ...safeTx(1), nonce: 1000000 });
  await refused(-32602, /chainId is not there/, 'safeTx.safeTxHash', 'account_signGnosisSafeTx', address, { ...safeTx(1), chainId: undefined });
  for (const name of ['safe', 'to', 'nonce', 'gasToken', 'safeTxHash']) await refused(-32602, /is required/, `safeTx.${name}`, 'account_signGnosisSafeTx', address, { ...safeTx(1), [name]: undefined });
});

await test('the reader of geth written here refuses what geth refuses', async () => {
  const tx = (await geth('account_signTransaction', sendTxArgs({ type: 2, chainId: 1n, nonce: 0n, gas: 21000n, maxFeePerGas: 2n, maxPriorityFeePerGas: 1n, value: 0n, data: '0x', to: r.hex(20), accessList: [] }))).tx;
  gethReads(tx);
  for (const name of ['nonce', 'gas', 'value', 'input', 'v', 'r', 's', 'chainId', 'maxFeePerGas', 'maxPriorityFeePerGas', 'accessList', 'yParity']) assert.throws(() => gethReads({ ...tx, [name]: undefined }), /missing required field/);
  assert.throws(() => gethReads({ ...tx, nonce: '0x00' }), /hexutil/);
  assert.throws(() => gethReads({ ...tx, v: tx.v === '0x0' ? '0x1' : '0x0' }), /do not match/);
  assert.throws(() => gethReads({ ...tx, gasPrice: '0x1' }), /must be null/);
});

await done();
