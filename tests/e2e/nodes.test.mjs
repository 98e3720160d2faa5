// SPDX-License-Identifier: Apache-2.0
// The gateway in front of nodes: what it does not answer itself goes to anvil and back unchanged, over HTTP,
// WebSocket and IPC, by real clients; a node that fails is left for the next.
import assert from 'node:assert/strict';
import net from 'node:net';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import WebSocket from 'ws';
import { JsonRpcProvider, WebSocketProvider, IpcSocketProvider, Transaction, parseEther } from 'ethers';
import { createPublicClient, webSocket, http as viemHttp } from 'viem';
import { test, done, until } from './lib/tap.mjs';
import { startStack, startAnvil, putKey, request, scratch } from './lib/stack.mjs';
import { selfSigned, startGateway } from './lib/gateway.mjs';
import { startCutter } from './lib/cutter.mjs';

const [s, anvil, other] = await Promise.all([startStack(), startAnvil(), startAnvil(['--chain-id', '10'])]);
const first = await startCutter(anvil.url);
const second = await startCutter(anvil.url);
const ipc = join(scratch('ipc'), 'clef.ipc');
const node = (at, chain = 31337) => ({ chain, url: at.url, ws: at.url.replace('http', 'ws') });
const gone = putKey(s, 'gone', randomBytes(32).toString('hex')).address; // gateways read the list of keys once a minute
const g = await startGateway(s, {
  nodes: [node(first), node(second), node(other, 10)],
  default_chain: 31337,
  ipc: [{ path: ipc }],
});
const post = (body, path = '/', url = g.gateway) => request(url + path, { method: 'POST', body });
const call = async (method, params = [], path = '/') => (await post({ jsonrpc: '2.0', id: 1, method, params }, path)).json;
const ws = g.gateway.replace('http', 'ws');

await test('a method that is not local goes to the node; id and result come back as they are', async () => {
  for (const id of [1, 'a"\\u00e9', null, 12345678901234567890n, 1.5]) {
    const text = `{"id":${typeof id === 'bigint' ? id : JSON.stringify(id)},"method":"eth_chainId","params":[],"jsonrpc":"2.0"}`;
    const r = await post(text);
    assert.equal(r.status, 200);
    assert.match(r.body, /"result":"0x7a69"/);
    assert.ok(r.body.includes(`"id":${typeof id === 'bigint' ? id : JSON.stringify(id)}`), r.body);
  }
});

await test("the node's errors come back with their code, message and data", async () => {
  const mine = await call('eth_call', [{ to: '0x' + '11'.repeat(20) }, 'never']);
  const theirs = (await request(anvil.url, { method: 'POST', body: { jsonrpc: '2.0', id: 1, method: 'eth_call', params: [{ to: '0x' + '11'.repeat(20) }, 'never'] } })).json;
  assert.deepEqual(mine.error, theirs.error);
  assert.equal((await call('no_such_method')).error.code, -32601);
});

await test('batches mix local and remote calls, and are answered in their order', async () => {
  const batch = ['eth_blockNumber', 'health_status', 'eth_chainId', 'no_such', 'eth_accounts'].map((method, id) => ({ jsonrpc: '2.0', id, method, params: [] }));
  const r = (await post(batch)).json;
  assert.deepEqual(r.map((x) => x.id), [0, 1, 2, 3, 4]);
  assert.equal(r[1].result, 'OK');
  assert.equal(r[2].result, '0x7a69');
  assert.equal(r[3].error.code, -32601);
});

await test('a chain is chosen by the path; unknown ones are not found', async () => {
  assert.equal((await call('eth_chainId', [], '/chain/10')).result, '0xa');
  assert.equal((await call('eth_chainId', [], '/chain/31337')).result, '0x7a69');
  assert.equal((await post({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' }, '/chain/5')).status, 404);
  assert.equal((await post({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' }, '/chain/010')).status, 404);
});

await test('large answers pass whole', async () => {
  const code = '0x' + '5b'.repeat(300000);
  const to = '0x' + '22'.repeat(20);
  await anvil.rpc('anvil_setCode', [to, code]);
  assert.equal((await call('eth_getCode', [to, 'latest'])).result, code);
});

await test('ethers and viem read through the gateway over HTTP', async () => {
  const provider = new JsonRpcProvider(g.gateway);
  assert.equal((await provider.getNetwork()).chainId, 31337n);
  assert.ok((await provider.getBlock('latest')).hash);
  const viem = createPublicClient({ transport: viemHttp(g.gateway, { batch: true }) });
  const [a, b] = await Promise.all([viem.getChainId(), viem.getBlockNumber()]);
  assert.equal(a, 31337);
  assert.ok(b >= 0n);
  provider.destroy();
});

await test('ethers WebSocketProvider: calls and newHeads', async () => {
  const provider = new WebSocketProvider(ws);
  assert.equal((await provider.getNetwork()).chainId, 31337n);
  const seen = [];
  await provider.on('block', (n) => seen.push(n));
  await until(5000, 'the subscription', async () => (await anvil.rpc('evm_mine'), seen.length >= 3));
  assert.deepEqual(seen.map((n, i) => n - seen[0] - i), seen.map(() => 0));
  await provider.destroy();
});

await test('viem webSocket: watchBlocks, logs and unsubscribing', async () => {
  const viem = createPublicClient({ transport: webSocket(ws, { reconnect: false }) });
  const blocks = [];
  const logs = [];
  const stopBlocks = viem.watchBlockNumber({ onBlockNumber: (n) => blocks.push(n) });
  const emitter = '0x' + '33'.repeat(20);
  await anvil.rpc('anvil_setCode', [emitter, '0x60006000a000']); // LOG0 without data
  const stopLogs = viem.watchEvent({ address: emitter, onLogs: (l) => logs.push(...l) });
  const [from] = await anvil.rpc('eth_accounts');
  await until(8000, 'a log and two blocks', async () => {
    await anvil.rpc('eth_sendTransaction', [{ from, to: emitter, gas: '0x186a0' }]);
    return logs.length >= 1 && blocks.length >= 2;
  });
  assert.equal(logs[0].address, emitter);
  stopBlocks();
  stopLogs();
  const { socket } = await viem.transport.getRpcClient();
  socket.close();
});

await test('eth_subscribe needs a connection', async () => {
  const r = await call('eth_subscribe', ['newHeads']);
  assert.equal(r.error.code, -32601);
  assert.match(r.error.message, /WebSocket/);
});

await test('geth IPC: ethers IpcSocketProvider, a socket of mode 600, values back to back', async () => {
  assert.equal(statSync(ipc).mode & 0o777, 0o600);
  const provider = new IpcSocketProvider(ipc);
  assert.equal((await provider.getNetwork()).chainId, 31337n);
  assert.ok((await provider.getBlockNumber()) >= 0);
  const seen = [];
  await provider.on('block', (n) => seen.push(n));
  await until(5000, 'newHeads over IPC', async () => (await anvil.rpc('evm_mine'), seen.length >= 2));
  provider.destroy();
  const socket = net.connect(ipc);
  let text = '';
  socket.on('data', (d) => (text += d));
  socket.write('{"jsonrpc":"2.0","id":1,"method":"health_status"}[{"jsonrpc":"2.0","id":2,"method":"health_status"}] {"jsonrpc":"2.0",');
  socket.write('"id":3,"method":"eth_chainId","params":[]}');
  await until(3000, 'three answers', () => text.trim().split('\n').length === 3);
  assert.deepEqual(text.trim().split('\n').map((l) => JSON.parse(l)).map((r) => r.id ?? r[0].id).sort(), [1, 2, 3]);
  socket.end();
});

const closing = (socket) => new Promise((resolve) => socket.on('close', (code, why) => resolve({ code, why: why.toString() })));
const opened = (socket) => new Promise((resolve, reject) => socket.on('open', () => resolve(socket)).on('error', reject));

await test('npm ws: text, fragments, pings; oversize and garbage are closed with their code', async () => {
  const socket = await opened(new WebSocket(ws));
  const got = [];
  socket.on('message', (d) => got.push(JSON.parse(d)));
  socket.send('{"jsonrpc":"2.0","id":1,"method":"health', { fin: false });
  socket.ping('x');
  socket.send('_status"}', { fin: true });
  await until(3000, 'the answer', () => got.length === 1);
  assert.equal(got[0].result, 'OK');
  socket.send('not json');
  await until(3000, 'the parse error', () => got.length === 2);
  assert.deepEqual([got[1].error.code, got[1].id], [-32700, null]);
  const pong = new Promise((resolve) => socket.on('pong', resolve));
  socket.ping();
  await pong;
  const end = closing(socket);
  socket.send('x'.repeat(2 * 1024 * 1024 + 1));
  assert.deepEqual(await end, { code: 1009, why: 'a message is longer than 2097152 bytes' });

  for (const [bytes, code] of [[Buffer.from([0x81, 0x01, 0x78]), 1002], [Buffer.from([0xc1, 0x80, 0, 0, 0, 0]), 1002], [Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]), 1007], [Buffer.from([0x83, 0x80, 0, 0, 0, 0]), 1002]]) {
    const bad = await opened(new WebSocket(ws));
    const closed = closing(bad);
    bad._socket.write(bytes);
    assert.equal((await closed).code, code);
  }
  const plain = await opened(new WebSocket(ws));
  const closed = closing(plain);
  plain.close(1000, 'bye');
  assert.deepEqual(await closed, { code: 1000, why: '' });
});

await test('web pages may not open a WebSocket', async () => {
  const socket = new WebSocket(ws, { origin: 'https://evil.example' });
  const status = await new Promise((resolve) => (socket.on('unexpected-response', (_, r) => resolve(r.statusCode)), socket.on('error', () => {})));
  assert.equal(status, 403);
});

await test('many calls at once on one WebSocket are all answered', async () => {
  const socket = await opened(new WebSocket(ws));
  const seen = new Set();
  socket.on('message', (d) => seen.add(JSON.parse(d).id));
  for (let id = 0; id < 2000; id++) socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: id % 2 ? 'health_status' : 'eth_blockNumber', params: [] }));
  await until(20000, '2000 answers', () => seen.size === 2000);
  socket.close();
});

await test('when the first node fails the second answers, nobody notices; when it is well it is asked again', async () => {
  first.down(true);
  const before = second.counts.passed;
  for (let i = 0; i < 20; i++) assert.equal((await call('eth_chainId')).result, '0x7a69');
  assert.ok(second.counts.passed >= before + 20);
  first.down(false);
  const was = first.counts.passed;
  await until(10000, 'the first node to be asked again', async () => {
    await call('eth_chainId');
    return first.counts.passed > was + 5;
  });
});

await test('subscribers are told when their node goes, and find the next one', async () => {
  const socket = await opened(new WebSocket(ws));
  const got = [];
  socket.on('message', (d) => got.push(JSON.parse(d)));
  socket.send('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}');
  await until(3000, 'the subscription', () => got.length === 1);
  await anvil.rpc('evm_mine');
  await until(3000, 'a head', () => got.length === 2);
  assert.equal(got[1].params.subscription, got[0].result);
  const end = closing(socket);
  first.down(true);
  assert.deepEqual(await end, { code: 1012, why: 'the node has gone: subscribe again' });
  const next = await opened(new WebSocket(ws));
  const heads = [];
  next.on('message', (d) => heads.push(JSON.parse(d)));
  next.send('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}');
  await until(8000, 'the second subscription', () => heads.length === 1);
  await anvil.rpc('evm_mine');
  await until(3000, 'a head of the second node', () => heads.length === 2);
  next.send(`{"jsonrpc":"2.0","id":2,"method":"eth_unsubscribe","params":["${heads[0].result}"]}`);
  await until(3000, 'the end of it', () => heads.some((h) => h.id === 2 && h.result === true));
  next.close();
  first.down(false);
});

await test('with no node left calls fail by name, and local methods still work', async () => {
  first.down(true);
  second.down(true);
  const r = await call('eth_chainId');
  assert.equal(r.error.code, -32002);
  assert.match(r.error.message, /the node failed/);
  assert.equal((await call('health_status')).result, 'OK');
  first.down(false);
  second.down(false);
});

await test('a node of another chain is not asked', async () => {
  const wrong = await startGateway(s, { nodes: [node(other, 31337), node(second)] });
  await until(10000, 'the right node to be found', async () => (await post({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' }, '/', wrong.gateway)).json.result === '0x7a69');
  await wrong.stop();
});

await test('a node by https and wss: its certificate must be trusted, and gets the authorization', async () => {
  const dir = scratch('tls');
  const files = selfSigned(dir, 'node');
  const headers = [];
  const safe = await startCutter(anvil.url, undefined, { tls: { cert: readFileSync(files.cert), key: readFileSync(files.key) }, seen: (h) => headers.push(h) });
  const secure = { chain: 31337, url: safe.url, ws: safe.ws, authorization: 'Bearer token-of-the-node' };
  const good = await startGateway(s, { nodes: [{ ...secure, ca_file: files.cert }] });
  assert.equal((await post({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' }, '/', good.gateway)).json.result, '0x7a69');
  assert.equal(headers.at(-1).authorization, 'Bearer token-of-the-node');
  const socket = await opened(new WebSocket(good.gateway.replace('http', 'ws')));
  const got = [];
  socket.on('message', (d) => got.push(JSON.parse(d)));
  socket.send('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}');
  await until(5000, 'the subscription over wss', () => got.length === 1 && got[0].result);
  await anvil.rpc('evm_mine');
  await until(5000, 'a head over wss', () => got.length === 2);
  socket.close();
  await good.stop();
  const before = headers.length;
  const bad = await startGateway(s, { nodes: [secure] });
  const x = (await post({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' }, '/', bad.gateway)).json;
  assert.match(x.error.message, /self-signed certificate/);
  assert.equal(headers.length, before);
  await bad.stop();
});

await test('a gateway with TLS serves wss: calls, large texts both ways, a close', async () => {
  const files = selfSigned(scratch('tls'), 'gateway');
  const g = await startGateway(s, { nodes: [node(second)], tls: { cert: files.cert, key: files.key } });
  const socket = await opened(new WebSocket(g.gateway.replace('http', 'ws'), { ca: readFileSync(files.cert) }));
  const got = new Map();
  socket.on('message', (d) => { const x = JSON.parse(d); got.set(x.id, x); });
  const at = '0x' + '22'.repeat(20);
  for (let id = 0; id < 40; id++) socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: id % 4 ? 'eth_getCode' : 'health_status', params: [at, 'latest'], padding: 'x'.repeat(id * 10000) }));
  await until(10000, 'all answers', () => got.size === 40);
  assert.equal(got.get(1).result.length, 600002);
  assert.equal(got.get(0).result, 'OK');
  const end = closing(socket);
  socket.close(1000);
  assert.equal((await end).code, 1000);
  await g.stop();
});

await test('a node that stands still while another goes on is left', async () => {
  const still = await startAnvil();
  const lagging = await startCutter(still.url);
  const g = await startGateway(s, { nodes: [{ ...node(lagging), stall_ms: 8000 }, node(second)] });
  const ask = async () => (await post({ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber' }, '/', g.gateway)).json.result;
  assert.equal(await ask(), '0x0');
  await until(20000, 'the node that stands still to be left', async () => (await ask()) !== '0x0');
  await still.rpc('anvil_mine', ['0x200']);
  await until(20000, 'it to be asked again when it has gone on', async () => (await ask()) === '0x200');
  await g.stop();
  still.stop();
});

await test('what may have arrived is repeated only where that does no harm', async () => {
  let how = null;
  const cutting = await startCutter(anvil.url, (text) => (text.includes('evm_mine') || text.includes('eth_call') ? how : null));
  const g = await startGateway(s, { nodes: [{ chain: 31337, url: cutting.url }, node(second)] });
  const ask = async (method, ...params) => (await post({ jsonrpc: '2.0', id: 1, method, params }, '/', g.gateway)).json;
  const height = async () => Number(await anvil.rpc('eth_blockNumber'));
  const before = await height();
  how = 'after';
  const x = await ask('evm_mine');
  assert.equal(x.error.code, -32002, JSON.stringify(x));
  assert.equal(await height(), before + 1);
  assert.equal((await ask('eth_call', { to: '0x' + '44'.repeat(20) }, 'latest')).result, '0x');
  await g.stop();
});

await test('tenants: a token opens a WebSocket and IPC is of its tenant; each sees its own accounts', async () => {
  const token = 'a-token-of-32-bytes-or-more-for-alice';
  const sha = createHash('sha256').update(token).digest('hex');
  const theirs = join(scratch('ipc'), 'bob.ipc');
  const g = await startGateway(s, { nodes: [node(second)], callers: [{ tenant: 'alice', token_sha256: sha }, { tenant: 'bob', token_sha256: '00'.repeat(32) }], quotas: { bob: { rate: 1, burst: 2 } }, ipc: [{ path: theirs, tenant: 'bob' }] });
  const mine = putKey(s, 'alice-1', randomBytes(32).toString('hex'), '--tenant', 'alice').address.toLowerCase();
  const other = putKey(s, 'bob-1', randomBytes(32).toString('hex'), '--tenant', 'bob').address.toLowerCase();
  const at = g.gateway.replace('http', 'ws');
  const status = await new Promise((resolve) => new WebSocket(at).on('unexpected-response', (_, r) => resolve(r.statusCode)).on('error', () => {}));
  assert.equal(status, 401);
  const socket = await opened(new WebSocket(at, { headers: { authorization: `Bearer ${token}` } }));
  const got = [];
  socket.on('message', (d) => got.push(JSON.parse(d)));
  socket.send('{"jsonrpc":"2.0","id":1,"method":"eth_accounts"}');
  socket.send(`{"jsonrpc":"2.0","id":2,"method":"personal_sign","params":["0x11","${other}"]}`);
  await until(5000, 'both answers', () => got.length === 2);
  assert.deepEqual(got.find((x) => x.id === 1).result, [mine]);
  assert.equal(got.find((x) => x.id === 2).error.code, -32000);
  socket.close();
  const provider = new IpcSocketProvider(theirs);
  assert.deepEqual(await provider.send('eth_accounts', []), [other]);
  const signed = await Promise.allSettled(Array.from({ length: 10 }, () => provider.send('personal_sign', ['0x11', other])));
  assert.ok(signed.filter((x) => x.status === 'rejected').length >= 6); // the socket's clients share the quota of bob
  assert.match(String(signed.find((x) => x.status === 'rejected').reason.error?.message ?? signed.find((x) => x.status === 'rejected').reason), /signatures a second/);
  provider.destroy();
  await g.stop();
});

await test("geth's signer over IPC: version, list, a transaction, as geth asks for them", async () => {
  const g = await startGateway(s, { nodes: [node(second)], ipc: [{ path: `${ipc}2` }] });
  const from = putKey(s, 'geth', randomBytes(32).toString('hex')).address.toLowerCase();
  const socket = net.connect(`${ipc}2`);
  let text = '';
  socket.on('data', (d) => (text += d));
  const ask = async (id, method, params) => {
    socket.write(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return until(5000, method, () => text.split('\n').filter(Boolean).map((l) => JSON.parse(l)).find((x) => x.id === id));
  };
  assert.equal((await ask(1, 'account_version')).result, '6.1.0');
  assert.ok((await ask(2, 'account_list')).result.includes(from));
  const tx = { from, to: '0x' + '55'.repeat(20), gas: '0x5208', gasPrice: null, maxFeePerGas: '0x77359400', maxPriorityFeePerGas: '0x1', value: '0x1', nonce: '0x0', input: '0x', accessList: [], chainId: '0x7a69' };
  const signed = (await ask(3, 'account_signTransaction', [tx])).result;
  assert.equal(Transaction.from(signed.raw).from.toLowerCase(), from);
  assert.equal(signed.tx.hash, Transaction.from(signed.raw).hash);
  socket.end();
  await g.stop();
});

await test('clients that go away in the middle of anything leave nothing behind', async () => {
  const from = gone;
  await anvil.rpc('anvil_setBalance', [from, '0x' + parseEther('1000').toString(16)]);
  const calls = [['eth_blockNumber', []], ['eth_sendTransaction', [{ from, to: from, value: '0x1' }]], ['personal_sign', ['0x11', from]], ['eth_subscribe', ['newHeads']], ['eth_getBlockByNumber', ['latest', true]]];
  for (let i = 0; i < 60; i++) {
    const socket = await opened(new WebSocket(ws));
    for (let n = 0; n < 20; n++) {
      const [method, params] = calls[(i + n) % calls.length];
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: n, method, params }));
    }
    setTimeout(() => socket.terminate(), i);
  }
  await until(10000, 'all sessions to be over', async () => /^adyton_sessions 0$/m.test((await request(`${g.gateway}/metrics`)).body));
  const { result: hash, error } = await call('eth_sendTransaction', [{ from, to: from, value: '0x2' }]); // the account is not held
  assert.ok(hash, JSON.stringify(error));
  await until(5000, 'it to be mined', () => anvil.rpc('eth_getTransactionReceipt', [hash]));
});

await test('a gateway with sessions ends in time', async () => {
  const socket = await opened(new WebSocket(ws));
  const end = closing(socket);
  const began = Date.now();
  const { code } = await g.stop();
  assert.equal(code, 0);
  assert.ok(Date.now() - began < 9500); // the drain would end after 10 s
  assert.equal((await end).code, 1001);
});

await done();
