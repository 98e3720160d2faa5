// SPDX-License-Identifier: Apache-2.0
// Proofs that a client asks for, beside each result of JSON-RPC: over HTTP, one call and batches, WebSocket and IPC, of every
// method that the enclave has a part in, eth_sendTransaction included; forged, altered, missing and swapped ones are found out
// by clients/js; who does not ask is answered as ever, and real clients that ask by their URL work as ever.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { JsonRpcProvider, TypedDataEncoder, WebSocketProvider, computeAddress, encodeRlp, parseEther, verifyMessage } from 'ethers';
import { createWalletClient, http as viemHttp, recoverMessageAddress } from 'viem';
import { anvil as anvilChain } from 'viem/chains';
import { Web3 } from 'web3';
import { WebSocket } from 'ws';
import { done, random, test } from './lib/tap.mjs';
import { bin, request, run, scratch, startAnvil, startStack } from './lib/stack.mjs';
import { startGateway } from './lib/gateway.mjs';
import { sidecar } from './lib/rpc.mjs';
import { fetchResponseKey, isProved, proofsOf, readProof, verify, verifyCall, verifyCalls } from '../../clients/js/index.js';

const r = random();
const store = { sqlite: join(scratch('prf'), 'keys.db') };
const [s, anvil] = await Promise.all([startStack(), startAnvil()]);
const ipc = join(scratch('ipc'), 'prf.ipc');
const nodes = [{ chain: 31337, url: anvil.url, ws: anvil.url.replace('http', 'ws') }];
const g = await startGateway(s, { nodes, store, ipc: [{ path: ipc }] });
const ws = g.gateway.replace('http', 'ws');
const responseKey = await fetchResponseKey(g.gateway, { roots: readFileSync(s.nsm_root_file, 'utf8'), pcrs: { 0: s.pcr0 } });
const trust = { responseKey };
const ASK = { 'x-adyton-proofs': 'true' };

const post = (path, body, headers = {}) => request(`${g.gateway}${path}`, { method: 'POST', body, headers });
const make = async (body) => {
  const answer = await post('/v1/keys', body);
  assert.equal(answer.status, 201, answer.body);
  return answer.json;
};
const [alice, bob] = await Promise.all(['alice', 'bob'].map((id) => make({ id, allow: ['digest'] })));
for (const { address } of [alice, bob]) await anvil.rpc('anvil_setBalance', [address, '0x' + parseEther('1000').toString(16)]);

let ids = 0;
const call = (method, ...params) => ({ jsonrpc: '2.0', id: ++ids, method, params });
const overHttp = async (c, headers = ASK, path = '/') => {
  const answer = await post(path, JSON.stringify(c), headers);
  assert.equal(answer.status, 200, answer.body);
  return answer.json;
};
const fails = (reason, fn) => assert.rejects(fn, (e) => (assert.equal(e.reason, reason, e.stack), true));

const to = '0x' + '77'.repeat(20);
const from = alice.address;
const tx = (more = {}) => ({ from, to, nonce: '0x5', gas: '0x5208', value: '0x1', maxFeePerGas: '0x77359400', maxPriorityFeePerGas: '0x1', chainId: '0x7a69', ...more });
const document = { types: { EIP712Domain: [{ name: 'name', type: 'string' }], Mail: [{ name: 'text', type: 'string' }, { name: 'n', type: 'uint256' }] }, primaryType: 'Mail', domain: { name: 'Äther' }, message: { text: 'a "quoted" \\ text\n', n: 7 } };
const SAFE = { to: 'address', value: 'uint256', data: 'bytes', operation: 'uint8', safeTxGas: 'uint256', baseGas: 'uint256', gasPrice: 'uint256', gasToken: 'address', refundReceiver: 'address', nonce: 'uint256' };
function safeTx(chainId) {
  const safe = r.hex(20);
  const zero = '0x' + '00'.repeat(20);
  const values = { to, value: '1', data: '0x1234', operation: 0, safeTxGas: '0', baseGas: '0', gasPrice: '0', gasToken: zero, refundReceiver: zero, nonce: '3' };
  const types = { SafeTx: Object.entries(SAFE).map(([name, type]) => ({ name, type })) };
  const safeTxHash = TypedDataEncoder.hash({ verifyingContract: safe, ...(chainId && { chainId }) }, types, values);
  return { safe, ...values, ...(chainId && { chainId: String(chainId) }), safeTxHash };
}
const clique = encodeRlp([r.hex(32), r.hex(32), '0x' + '00'.repeat(20), r.hex(32), r.hex(32), r.hex(32), r.hex(256), '0x02', '0x0a11', '0x01c9c380', '0x', '0x65000000', r.hex(32), '0x' + '00'.repeat(32), '0x0000000000000000']);
const hexOf = (text) => '0x' + Buffer.from(text).toString('hex');

/** A call of each method that ends in a signature, in the forms that it has. */
const calls = () => [
  call('eth_sign', from, '0x0102'),
  call('eth_sign', '0x0102', from),
  call('personal_sign', '0x68656c6c6f', from),
  call('personal_sign', from, '0x68656c6c6f'),
  call('personal_sign', 'héllo "you"', from),
  call('eth_signTypedData_v4', from, document),
  call('eth_signTypedData_v4', JSON.stringify(document, null, 1), from),
  call('eth_signTypedData', from, JSON.stringify(document)),
  call('eth_signTypedData_v3', from, document),
  call('eth_signAuthorization', from, { chainId: 1, address: to, nonce: '0x00' }),
  call('eth_signAuthorization', { from, chainId: '0x1', contractAddress: to, nonce: 300 }),
  call('eth_signTransaction', tx()),
  call('eth_signTransaction', tx({ maxFeePerGas: undefined, maxPriorityFeePerGas: undefined, gasPrice: '0x1', type: '0x0', data: '0x01' })),
  ...[false, true].map((cells) => call('eth_signTransaction', blobTx(cells))),
  call('account_signTransaction', tx()),
  call('account_signTransaction', blobTx(false)),
  call('account_signData', 'text/plain', from, '0x010203'),
  call('account_signData', 'data/validator', from, { address: to, message: '0x0102' }),
  call('account_signData', 'data/typed', from, hexOf(JSON.stringify(document))),
  call('account_signData', 'application/x-clique-header', from, clique),
  call('account_signTypedData', from, document),
  call('account_signGnosisSafeTx', from, safeTx(1)),
  call('account_signGnosisSafeTx', from, { ...safeTx(0), data: '0x1234' }),
  call('account_new'),
];

function blobTx(cells) {
  const { blobs, commitments, proofs } = sidecar(r, cells ? 1 : 2, cells);
  return tx({ type: '0x3', maxFeePerBlobGas: '0x1', blobs, commitments, proofs, ...(cells && { blobVersion: '0x1' }) });
}

await test('every method: the proof that is asked for is of just this call and its result, and the answer is the same but for it', async () => {
  for (const c of calls()) {
    const answer = await overHttp(c);
    assert.equal(answer.error, undefined, `${c.method}: ${JSON.stringify(answer.error)}`);
    const entry = await verifyCall(c, answer, { ...trust, key: c.method === 'account_new' ? undefined : 'alice' }).catch((e) => assert.fail(`${c.method} ${c.params[0]}: ${e.stack}`));
    assert.equal(entry.op, c.method === 'account_new' ? 'create' : 'sign');
    if (c.method === 'account_new') continue;
    const { adyton_proofs: proofs, ...rest } = answer;
    const plain = await overHttp(c, {});
    assert.deepEqual(rest, plain, c.method);
    assert.deepEqual(Object.keys(proofs[0]), ['proof', 'request']);
  }
});

await test('it is asked for by a header or in the URL, and by nothing else; the header of one call stays', async () => {
  const c = call('personal_sign', '0x00', from);
  const text = JSON.stringify(c);
  for (const [path, headers, asked] of [['/', ASK, true], ['/?proofs=true', {}, true], ['/chain/31337?proofs=true', {}, true], ['/', {}, false], ['/?proofs=false', {}, false], ['/?proofs=true', { 'x-adyton-proofs': 'false' }, false]]) {
    const answer = await post(path, text, headers);
    assert.equal(answer.json.adyton_proofs !== undefined, asked, path);
    assert.deepEqual(Object.keys(answer.json).slice(0, 3), ['jsonrpc', 'id', 'result']);
    const beside = readProof(answer.headers['x-adyton-proof']);
    if (asked) assert.equal(answer.json.adyton_proofs[0].proof, answer.headers['x-adyton-proof']);
    await verify({ proof: answer.headers['x-adyton-proof'], body: answer.body }, '{"message":{"hex":"0x00"}}', trust);
    assert.equal(beside.entry.op, 'sign');
  }
  for (const [path, headers, where] of [['/?proofs=yes', {}, 'proofs'], ['/?proofs=', {}, 'proofs'], ['/', { 'x-adyton-proofs': '1' }, 'x-adyton-proofs'], ['/v1/keys/alice/sign', { 'x-adyton-proofs': 'TRUE' }, 'x-adyton-proofs']]) {
    const answer = await post(path, text, headers);
    assert.deepEqual([answer.status, answer.json.code, answer.json.where], [400, 'field_invalid', where]);
  }
});

await test('a batch: each of its answers has its own, and those that the enclave has no part in have none', async () => {
  const batch = [call('personal_sign', '0x01', from), call('eth_chainId'), call('eth_sign', bob.address, '0x02'), call('eth_sign', from, 'no hex'), call('eth_sign', to, '0x01'), call('account_new'), call('eth_signTransaction', tx())];
  const answers = await overHttp(batch);
  assert.deepEqual(answers.map((a) => proofsOf(a).length), [1, 0, 1, 0, 0, 1, 1]);
  const proved = (cs) => cs.filter((c, i) => proofsOf(answers[i]).length > 0 || !isProved(c.method));
  const entries = await verifyCalls(proved(batch), answers, trust);
  assert.deepEqual(entries.map((e) => e && e.op), ['sign', null, 'sign', 'create', 'sign']);
  assert.equal(computeAddress('0x' + Buffer.from(entries[3].subject).toString('hex')), answers[5].result);
  const plain = await post('/', JSON.stringify(batch));
  assert.ok(!plain.body.includes('adyton_proofs'));
  assert.equal(plain.headers['x-adyton-proof'], undefined);
  const many = Array.from({ length: 200 }, (_, i) => call('personal_sign', '0x' + (i + 256).toString(16).padStart(4, '0'), i % 2 ? from : bob.address));
  const got = await overHttp(many);
  assert.equal((await verifyCalls(many, got.toReversed(), trust)).length, 200);
});

await test('a refusal of the enclave has its proof, alone and in a batch; what the gateway refuses has none', async () => {
  const bad = call('eth_signTransaction', tx({ gas: '0xzz' }));
  const refused = await overHttp(bad);
  const entry = await verifyCall(bad, refused, trust);
  assert.deepEqual([entry.code, refused.error.data.code], ['field_invalid', 'field_invalid']);
  const [again] = await overHttp([bad]);
  assert.equal((await verifyCall(bad, again, trust)).code, 'field_invalid');
  await fails('result', () => verifyCall(bad, { ...refused, error: { ...refused.error, data: { code: 'denied' } } }, trust));
  await fails('result', () => verifyCall(bad, { ...refused, error: undefined, result: '0x00' }, trust));
  const signed = call('personal_sign', '0x00', from);
  const answer = await overHttp(signed);
  await fails('result', () => verifyCall(signed, { ...answer, result: undefined, error: { code: -32000, message: 'no', data: { code: 'denied' } } }, trust));
  const unknown = call('eth_sign', to, '0x00');
  await fails('missing', async () => verifyCall(unknown, await overHttp(unknown), trust));
});

/** A conversation: send(text), and each text that comes to take(fn). */
function conversation(send, take) {
  const waiting = new Map();
  take((text) => {
    const answer = JSON.parse(text);
    waiting.get(answer.id ?? answer[0].id)?.(answer);
  });
  return (c) => new Promise((resolve) => {
    waiting.set(c.id ?? c[0].id, resolve);
    send(JSON.stringify(c));
  });
}
async function openWs(url, options) {
  const socket = new WebSocket(url, options);
  await once(socket, 'open');
  return { ask: conversation((text) => socket.send(text), (fn) => socket.on('message', (d) => fn(d.toString()))), close: () => socket.close() };
}
async function openIpc() {
  const socket = net.connect(ipc);
  await once(socket, 'connect');
  return { ask: conversation((text) => socket.write(text), (fn) => createInterface(socket).on('line', fn)), close: () => socket.destroy() };
}

/** All that a parent could do with the answers of three calls, and their proofs. */
async function refuseLies(ask) {
  const cs = [call('personal_sign', '0x01', from), call('personal_sign', '0x02', from), call('personal_sign', '0x01', bob.address)];
  const [a, b, c] = await ask(cs);
  const check = (answer, of = cs[0]) => verifyCall(of, answer, trust);
  await check(a);
  await fails('missing', () => check({ ...a, adyton_proofs: undefined }));
  await fails('missing', () => check({ ...a, adyton_proofs: [] }));
  await fails('missing', () => check({ ...a, adyton_proofs: [...a.adyton_proofs, ...b.adyton_proofs] }));
  await fails('malformed', () => check({ ...a, adyton_proofs: [{ proof: 7 }] }));
  await fails('request', () => check({ ...a, adyton_proofs: b.adyton_proofs })); // of another call
  await fails('request', () => check({ ...a, adyton_proofs: [{ ...b.adyton_proofs[0], request: a.adyton_proofs[0].request }] }));
  await fails('request', () => check({ ...b, id: a.id })); // another call's answer, whole
  await fails('key', () => check({ ...c, id: a.id })); // the same, signed by another account
  await fails('result', () => check({ ...a, result: b.result }));
  await fails('request', () => check({ ...a, adyton_proofs: [{ proof: a.adyton_proofs[0].proof }] }));
  const proof = Buffer.from(a.adyton_proofs[0].proof, 'base64url');
  for (let i = 0; i < proof.length; i += 11) {
    const bent = Buffer.from(proof);
    bent[i] ^= 1;
    await assert.rejects(check({ ...a, adyton_proofs: [{ ...a.adyton_proofs[0], proof: bent.toString('base64url') }] }), (e) => e.name === 'ProofError', `byte ${i}`);
  }
  await fails('time', () => verifyCall(cs[0], a, { ...trust, now: Date.now() + 61000 }));
  await fails('key', () => verifyCall(cs[0], a, { ...trust, key: 'bob' }));
  await fails('key', () => verifyCall(cs[0], a, { responseKey: '11'.repeat(32) }));
  await fails('request', () => verifyCalls([cs[0], { ...cs[1], id: cs[0].id }], [a], trust));
  await fails('missing', () => verifyCalls(cs, [a, b], trust));
  await fails('missing', () => verifyCalls(cs, [a, b, c, a], trust));
  await fails('request', () => verifyCalls(cs, [{ ...a, id: b.id }, { ...b, id: a.id }, c], trust));
}

await test('a proof that is forged, altered, missing, doubled or of another answer is found out: HTTP, WebSocket, IPC, in batches and alone', async () => {
  const [socket, local] = await Promise.all([openWs(`${ws}/?proofs=true`), openIpc()]);
  await local.ask(call('adyton_proofs', true));
  const oneByOne = (ask) => (cs) => Promise.all(cs.map((c) => ask(c)));
  for (const ask of [overHttp, oneByOne(overHttp), socket.ask, oneByOne(socket.ask), local.ask, oneByOne(local.ask)]) await refuseLies(ask);
  socket.close();
  local.close();
});

await test('each value that an answer tells is bound: another one in its place is found out', async () => {
  const altered = async (c, change, reason = 'result') => {
    const answer = await overHttp(c);
    await verifyCall(c, answer, trust);
    await fails(reason, () => verifyCall(c, { ...answer, result: change(answer.result) }, trust));
  };
  const bump = (hex) => hex.slice(0, -1) + (hex.endsWith('0') ? '1' : '0');
  const authorization = call('eth_signAuthorization', from, { chainId: 1, address: to, nonce: '0x01' });
  for (const name of ['chainId', 'nonce', 'r', 's', 'yParity']) await altered(authorization, (x) => ({ ...x, [name]: name === 'yParity' ? (x.yParity === '0x0' ? '0x1' : '0x0') : bump(x[name]) }));
  await altered(authorization, (x) => ({ ...x, address: from }));
  await altered(call('account_signTransaction', tx()), (x) => ({ ...x, tx: { ...x.tx, hash: bump(x.tx.hash) } }));
  await altered(call('account_signTransaction', tx()), (x) => ({ ...x, raw: bump(x.raw) }));
  await altered(call('account_signGnosisSafeTx', from, safeTx(1)), (x) => ({ ...x, contractTransactionHash: bump(x.contractTransactionHash) }));
  await altered(call('account_new'), () => from);
  await altered(call('eth_signTransaction', blobTx(false)), (x) => x.replace(/^(0x03.{40})./, (m, head) => head + (m.endsWith('0') ? '1' : '0')));
});

await test('WebSocket: asked for by URL or header, calls and batches; altered and swapped answers are found out', async () => {
  for (const [url, options] of [[`${ws}/?proofs=true`], [`${ws}/chain/31337?proofs=true`], [ws, { headers: ASK }]]) {
    const c = await openWs(url, options);
    const one = call('personal_sign', '0x01', from);
    const two = call('personal_sign', '0x02', from);
    const [a, b] = await Promise.all([c.ask(one), c.ask(two)]);
    await verifyCall(one, a, trust);
    await verifyCall(two, b, trust);
    await fails('request', () => verifyCall(one, { ...a, adyton_proofs: b.adyton_proofs }, trust));
    await fails('result', () => verifyCall(one, { ...a, result: b.result }, trust));
    const batch = [call('eth_sign', from, '0x03'), call('eth_chainId'), call('account_new')];
    assert.deepEqual((await verifyCalls(batch, await c.ask(batch), trust)).map((e) => e?.op), ['sign', undefined, 'create']);
    c.close();
  }
  const refused = new WebSocket(`${ws}/?proofs=maybe`);
  const status = await new Promise((resolve) => refused.on('unexpected-response', (_, response) => resolve(response.statusCode)).on('error', () => {}));
  assert.equal(status, 400);
});

await test('WebSocket and IPC: adyton_proofs asks, and asks no more; without it answers are as ever', async () => {
  for (const open of [() => openWs(ws), openIpc]) {
    const c = await open();
    const sign = () => call('personal_sign', '0x01', from);
    const plain = await c.ask(sign());
    assert.deepEqual(Object.keys(plain), ['jsonrpc', 'id', 'result']);
    assert.equal((await c.ask(call('adyton_proofs'))).result, false);
    assert.equal((await c.ask(call('adyton_proofs', true))).result, true);
    const asked = sign();
    const answer = await c.ask(asked);
    await verifyCall(asked, answer, trust);
    await fails('missing', () => verifyCall(asked, plain, trust));
    const all = calls().filter((x) => !x.params[0]?.blobs);
    for (const x of all) await verifyCall(x, await c.ask(x), trust);
    assert.equal((await c.ask(call('adyton_proofs'))).result, true);
    assert.equal((await c.ask(call('adyton_proofs', false))).result, false);
    assert.deepEqual(Object.keys(await c.ask(sign())), ['jsonrpc', 'id', 'result']);
    const wrong = await c.ask(call('adyton_proofs', 'yes'));
    assert.deepEqual([wrong.error.code, wrong.error.data.where], [-32602, 'params[0]']);
    c.close();
  }
  const alone = await overHttp(call('adyton_proofs', true));
  assert.equal(alone.error.code, -32601);
  assert.match(alone.error.message, /X-Adyton-Proofs/);
});

await test('adyton audit proof verifies the proofs in the body of an answer, offline, and says what the enclave was asked', async () => {
  const dir = scratch('prf-cli');
  const write = (name, value) => (writeFileSync(join(dir, name), typeof value === 'string' ? value : JSON.stringify(value)), join(dir, name));
  const prove = (answer, ...more) => run(join(bin, 'adyton'), ['audit', 'proof', '--answer', write('answer', answer), '--response-key', Buffer.from(responseKey).toString('hex'), '--json', ...more]);
  const batch = [call('personal_sign', '0x01', from), call('eth_chainId'), call('eth_sendTransaction', { from, to }), call('account_signTransaction', tx()), call('account_signGnosisSafeTx', from, safeTx(1)), call('eth_signTransaction', tx({ gas: '0xzz' }))];
  const answers = await overHttp(batch);
  const good = prove(answers);
  assert.equal(good.status, 0, good.stderr);
  const lines = good.stdout.trim().split('\n').map(JSON.parse);
  assert.equal(lines.length, 5);
  assert.deepEqual(lines.map((l) => l.asked), answers.filter((a) => a.adyton_proofs).map((a) => a.adyton_proofs[0].request));
  assert.equal(lines[0].asked, '{"message":{"hex":"0x01"}}');
  const one = prove(answers[0], '--request', write('request', lines[0].asked), '--key', 'alice', '--max-age', '60');
  assert.equal(one.status, 0, one.stderr);
  for (const [answer, why, more = []] of [
    [answers.with(0, { ...answers[0], result: answers[0].result.replace(/.$/, (c) => (c === 'b' ? 'c' : 'b')) }), /answer is not what the enclave has answered/],
    [answers.with(2, { ...answers[2], result: '0x' + '11'.repeat(32) }), /answer is not what/],
    [answers.with(3, { ...answers[3], result: { ...answers[3].result, raw: '0x02' } }), /answer is not what/],
    [answers.with(5, { ...answers[5], error: { ...answers[5].error, data: { code: 'denied' } } }), /answer is not what/],
    [{ ...answers[0], adyton_proofs: answers[2].adyton_proofs }, /answer is not what/],
    [{ ...answers[0], adyton_proofs: [{ ...answers[0].adyton_proofs[0], request: '{}' }] }, /request is not the one that was answered/],
    [answers[0], /request is not the one that the answer tells/, ['--request', write('other', '{"message":{"hex":"0x02"}}')]],
    [answers[0], /key is not the one/, ['--key', 'bob']],
    [{ ...answers[0], adyton_proofs: [{ proof: 'AA' }] }, /malformed/],
    [{ ...answers[0], adyton_proofs: undefined }, /has no adyton_proofs/],
    ['no JSON', /has no adyton_proofs/],
  ]) {
    const p = prove(answer, ...more);
    assert.equal(p.status, 1, p.stdout);
    assert.match(p.stderr, why);
  }
  assert.equal(run(join(bin, 'adyton'), ['audit', 'proof', '--response-key', '00'.repeat(32)]).status, 2);
});

const open = (more = {}) => ({ from, to, value: '0x1', ...more });

await test('eth_sendTransaction: the proof is of the transaction with what was filled in, and of its hash', async () => {
  const overWs = await openWs(`${ws}/?proofs=true`);
  const overIpc = await openIpc();
  await overIpc.ask(call('adyton_proofs', true));
  for (const ask of [overHttp, overWs.ask, overIpc.ask]) {
    for (const one of [open(), open({ gas: '0x5208', gasPrice: '0x77359400', data: null }), open({ type: '0x2', chainId: '0x7a69', maxPriorityFeePerGas: '0x2' })]) {
      const c = call('eth_sendTransaction', one);
      const answer = await ask(c);
      assert.equal(answer.error, undefined, JSON.stringify(answer.error));
      const entry = await verifyCall(c, answer, { ...trust, key: 'alice' });
      const { transaction } = JSON.parse(answer.adyton_proofs[0].request);
      const mined = await anvil.rpc('eth_getTransactionByHash', [answer.result]);
      assert.deepEqual([BigInt(transaction.nonce), transaction.to, mined.from], [BigInt(mined.nonce), mined.to, from.toLowerCase()]);
      assert.equal('0x' + Buffer.from(entry.digest).toString('hex'), answer.result);
    }
  }
  overWs.close();
  overIpc.close();
  const batch = [1, 2, 3].map((n) => call('eth_sendTransaction', open({ value: '0x' + n })));
  const entries = await verifyCalls(batch, await overHttp(batch), trust);
  assert.equal(new Set(entries.map((e) => e.sequence)).size, 3);
});

await test('eth_sendTransaction: not asked, its header has the proof; a transaction that is not the one that was sent is found out', async () => {
  const c = call('eth_sendTransaction', open());
  const plain = await post('/', JSON.stringify(c));
  assert.deepEqual(Object.keys(plain.json), ['jsonrpc', 'id', 'result']);
  assert.equal('0x' + Buffer.from(readProof(plain.headers['x-adyton-proof']).entry.digest).toString('hex'), plain.json.result);
  const [x, y] = [call('eth_sendTransaction', open()), call('eth_sendTransaction', open({ value: '0x2' }))];
  const [a, b] = await overHttp([x, y]);
  await fails('request', () => verifyCall(x, b, trust));
  await fails('result', () => verifyCall(x, { ...a, result: b.result }, trust));
  await fails('missing', () => verifyCall(x, { ...a, adyton_proofs: undefined }, trust));
  const told = a.adyton_proofs[0].request;
  const lie = (request) => ({ ...a, adyton_proofs: [{ ...a.adyton_proofs[0], request }] });
  await fails('request', () => verifyCall(x, lie(told.replace('"0x1"', '"0x9"')), trust)); // another value
  await fails('request', () => verifyCall(x, lie(told.replace(/"gas":"0x\w+"/, '"gas":"0x77"')), trust)); // another filling
  await fails('request', () => verifyCall(x, lie(told.replace('}}', ',"data":"0x01"}}')), trust)); // what may not be filled
  await fails('request', () => verifyCall(x, lie(told.replace('}}', ',"gas":"0x1"}}')), trust)); // twice
  await fails('request', () => verifyCall(x, lie(told.replace('}}', ',"chainId":"0x1","x":{}}}')), trust));
  await fails('request', () => verifyCall(x, lie(''), trust));
  await fails('request', () => verifyCall(call('eth_sendTransaction', open({ nonce: '0x0' })), a, trust)); // a nonce of its own
});

await test('real clients that ask by their URL work as ever: ethers, viem, web3.js', async () => {
  const provider = new JsonRpcProvider(`${g.gateway}/?proofs=true`, 31337, { staticNetwork: true, cacheTimeout: -1 });
  const signer = await provider.getSigner(from);
  assert.equal(verifyMessage('hello', await signer.signMessage('hello')), from);
  assert.equal((await (await signer.sendTransaction({ to, value: 1n })).wait()).status, 1);
  const three = await Promise.all([1, 2, 3].map((i) => signer.signMessage(`batch ${i}`)));
  assert.deepEqual(three.map((sig, i) => verifyMessage(`batch ${i + 1}`, sig)), [from, from, from]);
  provider.destroy();
  const socket = new WebSocketProvider(`${ws}/?proofs=true`, 31337, { staticNetwork: true });
  assert.equal(verifyMessage('ws', await (await socket.getSigner(from)).signMessage('ws')), from);
  await socket.destroy();
  const wallet = createWalletClient({ account: from, chain: anvilChain, transport: viemHttp(`${g.gateway}/?proofs=true`, { batch: true }) });
  const [one, hash] = await Promise.all([wallet.signMessage({ message: 'viem' }), wallet.sendTransaction({ to, value: 1n })]);
  assert.equal(await recoverMessageAddress({ message: 'viem', signature: one }), from);
  assert.match(hash, /^0x[0-9a-f]{64}$/);
  const web3 = new Web3(`${g.gateway}/?proofs=true`);
  const sig = await web3.eth.sign('0x68656c6c6f', from);
  assert.equal(web3.eth.accounts.recover('hello', typeof sig === 'string' ? sig : sig.signature), from);
});

await done();
