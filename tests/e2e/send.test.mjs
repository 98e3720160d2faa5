// SPDX-License-Identifier: Apache-2.0
// eth_sendTransaction: ethers, viem and web3.js send every type through the gateway and anvil mines it; many at
// once get consecutive nonces, also when connections to the node break at random; what the node refuses is
// told or, where the nonce is the reason, tried again.
import assert from 'node:assert/strict';
import http from 'node:http';
import { createHash } from 'node:crypto';
import { JsonRpcProvider, WebSocketProvider, parseEther, getCreateAddress } from 'ethers';
import { createWalletClient, createPublicClient, http as viemHttp } from 'viem';
import { anvil as anvilChain } from 'viem/chains';
import { Web3 } from 'web3';
import { test, done, random, parallel, until } from './lib/tap.mjs';
import { startStack, startAnvil, putKey, request } from './lib/stack.mjs';
import { startGateway } from './lib/gateway.mjs';
import { startCutter } from './lib/cutter.mjs';

const r = random();
const [s, anvil] = await Promise.all([startStack(), startAnvil()]);
let draw = () => null;
const hostile = await startCutter(anvil.url, (text) => draw(text));
const keys = ['ethers', 'viem', 'web3', 'raw', 'many', 'cut', 'two', 'refused', 'ws', 'behind', 'held', 'ten', 'raced'];
const addresses = Object.fromEntries(keys.map((k) => [k, putKey(s, k, r.bytes(32).toString('hex')).address]));
for (const a of Object.values(addresses)) await anvil.rpc('anvil_setBalance', [a, '0x' + parseEther('1000').toString(16)]);
// anvil makes its KZG tables when it sees the first blob, which takes many seconds
const nodes = [{ chain: 31337, url: anvil.url, ws: anvil.url.replace('http', 'ws'), timeout_ms: 60000 }];
const long = { request_timeout_ms: 120000 };
const g = await startGateway(s, { nodes, ...long });
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
let ids = 0;
const callAt = async (url, method, params = []) => (await request(url, { method: 'POST', body: { jsonrpc: '2.0', id: ++ids, method, params }, agent, timeout: 130000 })).json;
const call = (method, ...params) => callAt(g.gateway, method, params);
const result = async (method, ...params) => {
  const x = await call(method, ...params);
  if (x.error) throw new Error(`${method}: ${JSON.stringify(x.error)}`);
  return x.result;
};
const to = '0x' + '77'.repeat(20);
const initcode = '0x600a600c600039600a6000f3602a60005260206000f3';
const slots = [{ address: to, storageKeys: ['0x' + '00'.repeat(31) + '01'] }];

// A blob of zeros is the zero polynomial: its commitment and proof are the point at infinity, no library is needed.
const infinity = '0xc0' + '00'.repeat(47);
const versioned = '0x01' + createHash('sha256').update(Buffer.from(infinity.slice(2), 'hex')).digest('hex').slice(2);
const sidecar = { blobs: ['0x' + '00'.repeat(131072)], commitments: [infinity], proofs: [infinity] };

async function mined(hash, type, from) {
  const receipt = await until(10000, `${hash} to be mined`, () => anvil.rpc('eth_getTransactionReceipt', [hash]));
  assert.equal(receipt.status, '0x1');
  assert.equal(Number(receipt.type), type);
  assert.equal(receipt.from, from.toLowerCase());
  return receipt;
}

await test('ethers JsonRpcProvider.getSigner: types 0, 1, 2, 3 with sidecar, 4, a deployment', async () => {
  const provider = new JsonRpcProvider(g.gateway, undefined, { cacheTimeout: -1 });
  const from = addresses.ethers;
  const signer = await provider.getSigner(from);
  for (const tx of [{ type: 0, to, value: 1n }, { type: 1, to, value: 2n, accessList: slots }, { type: 2, to, value: 3n, accessList: slots }, { to, value: 4n }]) {
    const sent = await signer.sendTransaction(tx);
    await sent.wait();
    await mined(sent.hash, tx.type ?? 2, from);
  }
  const deployed = await (await signer.sendTransaction({ data: initcode })).wait();
  assert.equal(await provider.getCode(deployed.contractAddress), '0x602a60005260206000f3');
  const blob = await provider.send('eth_sendTransaction', [{ type: '0x3', from, to, ...sidecar }]);
  const receipt = await mined(blob, 3, from);
  assert.ok(BigInt(receipt.blobGasUsed) === 131072n);
  const nonce = await provider.getTransactionCount(from, 'pending');
  const a = await provider.send('eth_signAuthorization', [from, { chainId: '0x7a69', address: to, nonce: '0x' + (nonce + 1).toString(16) }]);
  const set = await signer.sendTransaction({ type: 4, to: from, gasLimit: 200000n, authorizationList: [{ address: a.address, chainId: BigInt(a.chainId), nonce: BigInt(a.nonce), signature: { r: a.r, s: a.s, yParity: Number(a.yParity) } }] });
  await mined(set.hash, 4, from);
  assert.equal((await provider.getCode(from)).slice(0, 8), '0xef0100');
  provider.destroy();
});

await test('viem with a JSON-RPC account: every type', async () => {
  const account = addresses.viem;
  const wallet = createWalletClient({ account, chain: anvilChain, transport: viemHttp(g.gateway) });
  for (const tx of [{ type: 'legacy', to, value: 1n }, { type: 'eip2930', to, value: 1n, accessList: slots }, { type: 'eip1559', to, value: 1n }, { to, value: 1n }]) {
    const hash = await wallet.sendTransaction(tx);
    await mined(hash, { legacy: 0, eip2930: 1, eip1559: 2 }[tx.type] ?? 2, account);
  }
  await mined(await wallet.request({ method: 'eth_sendTransaction', params: [{ from: account, to, type: '0x3', maxFeePerBlobGas: '0x3b9aca00', ...sidecar }] }), 3, account);
  const nonce = await createPublicClient({ transport: viemHttp(g.gateway) }).getTransactionCount({ address: account });
  const a = await wallet.request({ method: 'eth_signAuthorization', params: [account, { chainId: '0x7a69', address: to, nonce: '0x' + (nonce + 1).toString(16) }] });
  const hash = await wallet.sendTransaction({ to: account, gas: 200000n, authorizationList: [{ address: a.address, chainId: Number(a.chainId), nonce: Number(a.nonce), r: a.r, s: a.s, yParity: Number(a.yParity) }] });
  await mined(hash, 4, account);
});

await test('web3.js 4: every type', async () => {
  const from = addresses.web3;
  const web3 = new Web3(g.gateway);
  for (const tx of [{ type: '0x0', gasPrice: '0x77359400' }, { type: '0x1', gasPrice: '0x77359400', accessList: slots, gas: '0xc350' }, { type: '0x2' }, {}]) {
    const receipt = await web3.eth.sendTransaction({ from, to, value: '0x1', ...tx });
    await mined(receipt.transactionHash, Number(tx.type ?? 2), from);
  }
  const send = async (tx) => (await web3.currentProvider.request({ jsonrpc: '2.0', id: 1, method: 'eth_sendTransaction', params: [tx] })).result;
  await mined(await send({ from, to, ...sidecar }), 3, from);
  const a = await result('eth_signAuthorization', from, { chainId: '0x0', address: to, nonce: '0x' + (Number(await web3.eth.getTransactionCount(from)) + 1).toString(16) });
  await mined(await send({ from, to: from, gas: '0x30d40', authorizationList: [a] }), 4, from);
});

await test('what is left out is filled in: chain id, nonce, gas, fees by what the chain has', async () => {
  const from = addresses.raw;
  const hash = await result('eth_sendTransaction', { from, to, value: '0x1', nonce: null, gas: null, data: null });
  const tx = await anvil.rpc('eth_getTransactionByHash', [hash]);
  const tip = BigInt(await anvil.rpc('eth_maxPriorityFeePerGas'));
  assert.deepEqual([tx.type, tx.chainId, tx.nonce, tx.gas], ['0x2', '0x7a69', '0x0', '0x5208']);
  assert.equal(BigInt(tx.maxPriorityFeePerGas), tip);
  assert.ok(BigInt(tx.maxFeePerGas) > tip);
  const capped = await anvil.rpc('eth_getTransactionByHash', [await result('eth_sendTransaction', { from, to, maxFeePerGas: '0x' + (10n ** 10n).toString(16) })]);
  assert.equal(BigInt(capped.maxFeePerGas), 10n ** 10n);
  const created = await mined(await result('eth_sendTransaction', { from, input: initcode }), 2, from);
  assert.equal(created.contractAddress, getCreateAddress({ from, nonce: 2 }).toLowerCase());
});

await test('refusals: a foreign chain id, a reverting call, an account that is not here, a used nonce that was given', async () => {
  const from = addresses.refused;
  let x = await call('eth_sendTransaction', { from, to, chainId: '0x1' });
  assert.equal(x.error.data.where, 'transaction.chainId');
  assert.match(x.error.message, /is 1, the node's is 31337/);
  const reverts = '0x' + '99'.repeat(20);
  await anvil.rpc('anvil_setCode', [reverts, '0x60006000fd']);
  x = await call('eth_sendTransaction', { from, to: reverts });
  assert.match(x.error.message, /revert/i);
  x = await call('eth_sendTransaction', { from: '0x' + '12'.repeat(20), to, gas: '0x5208' });
  assert.equal(x.error.code, -32000, JSON.stringify(x));
  x = await call('eth_sendTransaction', { to });
  assert.equal(x.error.data.where, 'transaction.from');
  await result('eth_sendTransaction', { from, to, nonce: '0x0' });
  x = await call('eth_sendTransaction', { from, to, nonce: '0x0' });
  assert.match(x.error.message, /nonce too low/i);
  x = await call('eth_sendTransaction', { from, to, value: '0x' + (10n ** 24n).toString(16), gas: '0x5208' });
  assert.match(x.error.message, /insufficient/i);
  assert.equal(await anvil.rpc('eth_getTransactionCount', [from, 'pending']), '0x1');
});

/** n sends of one account at once, all different; nonces must be consecutive, all mined, none twice. */
async function sendMany(urls, from, n, fees = {}) {
  const before = Number(await anvil.rpc('eth_getTransactionCount', [from, 'latest']));
  const hashes = new Array(n);
  const began = Date.now();
  await parallel(n, [...Array(n).keys()], async (i) => {
    const x = await callAt(urls[i % urls.length], 'eth_sendTransaction', [{ from, to, value: '0x' + (i + 1).toString(16), gas: '0x5208', ...fees }]);
    assert.ok(x.result, JSON.stringify(x.error));
    hashes[i] = x.result;
  });
  console.log(`# ${n} sends in ${Date.now() - began} ms`);
  assert.equal(new Set(hashes).size, n);
  const nonces = [];
  let sum = 0n;
  for (const hash of hashes) {
    const receipt = await until(10000, 'all to be mined', () => anvil.rpc('eth_getTransactionReceipt', [hash]));
    assert.equal(receipt.status, '0x1');
    const tx = await anvil.rpc('eth_getTransactionByHash', [hash]);
    nonces.push(Number(tx.nonce));
    sum += BigInt(tx.value);
  }
  nonces.sort((a, b) => a - b);
  assert.deepEqual(nonces, [...Array(n).keys()].map((i) => before + i));
  assert.equal(sum, (BigInt(n) * BigInt(n + 1)) / 2n);
  assert.equal(Number(await anvil.rpc('eth_getTransactionCount', [from, 'latest'])), before + n);
}

await test('200 sends at once from one account: 200 consecutive nonces, all mined', () => sendMany([g.gateway], addresses.many, 200));

await test('the same while the node breaks connections at random, before and after it has done its work', async () => {
  const g = await startGateway(s, { nodes: [{ chain: 31337, url: hostile.url }], ...long });
  draw = (text) => (r.below(5) ? null : r.pick(['before', 'after', 'middle']));
  await sendMany([g.gateway], addresses.cut, 200);
  draw = () => null;
  console.log(`# broken: ${JSON.stringify(hostile.counts)}`);
  assert.ok(hostile.counts.after > 10 && hostile.counts.before > 10 && hostile.counts.middle > 10);
  await g.stop();
});

await test('an answer that never comes after the transaction was taken: it is found, not sent anew', async () => {
  const g = await startGateway(s, { nodes: [{ chain: 31337, url: hostile.url }], ...long });
  let cuts = 3;
  draw = (text) => (text.includes('eth_sendRawTransaction') && cuts-- > 0 ? 'after' : null);
  await sendMany([g.gateway], addresses.cut, 5);
  draw = () => null;
  await g.stop();
});

await test('two gateways send from one account at once: the node decides, nothing is lost', async () => {
  const second = await startGateway(s, { nodes, ...long });
  // One that pays more would take the place of one that still waits, which a node allows.
  await sendMany([g.gateway, second.gateway], addresses.two, 40, { maxFeePerGas: '0xee6b2800', maxPriorityFeePerGas: '0x3b9aca00' });
  await second.stop();
});

/** A gateway whose node tells a pending count of its own making. */
async function withCount(url, count) {
  const lying = await startCutter(url, undefined, {
    edit: (request, reply) => (request.includes('eth_getTransactionCount') ? JSON.stringify({ jsonrpc: '2.0', id: 1, result: '0x' + count(Number(JSON.parse(reply).result)).toString(16) }) : reply),
  });
  return startGateway(s, { nodes: [{ chain: 31337, url: lying.url }], ...long });
}

await test('nonce too low: a node whose count is behind is asked again, at most ten times', async () => {
  const from = addresses.behind;
  for (let i = 0; i < 15; i++) await result('eth_sendTransaction', { from, to, gas: '0x5208' });
  const g = await withCount(anvil.url, (n) => Math.max(0, n - 4));
  const x = await callAt(g.gateway, 'eth_sendTransaction', [{ from, to, value: '0x1', gas: '0x5208' }]);
  assert.equal((await anvil.rpc('eth_getTransactionByHash', [x.result])).nonce, '0xf');
  await g.stop();
  const far = await withCount(anvil.url, () => 0);
  const y = await callAt(far.gateway, 'eth_sendTransaction', [{ from, to, value: '0x2', gas: '0x5208' }]);
  assert.match(y.error?.message ?? JSON.stringify(y), /nonce too low/i);
  assert.equal(await anvil.rpc('eth_getTransactionCount', [from, 'pending']), '0x10');
  await far.stop();
});

await test('nonce too low: one that others were faster to use is no reason to give up', async () => {
  const from = addresses.raced;
  let races = 25;
  const lost = await startCutter(anvil.url, undefined, {
    edit: async (request, reply) => {
      if (request.includes('eth_getTransactionCount') && races-- > 0) await anvil.rpc('anvil_setNonce', [from, '0x' + (Number(JSON.parse(reply).result) + 1).toString(16)]);
      return reply;
    },
  });
  const g = await startGateway(s, { nodes: [{ chain: 31337, url: lost.url }], ...long });
  const x = await callAt(g.gateway, 'eth_sendTransaction', [{ from, to, value: '0x1', gas: '0x5208' }]);
  assert.equal((await anvil.rpc('eth_getTransactionByHash', [x.result]))?.nonce, '0x19', JSON.stringify(x));
  await g.stop();
});

await test('already known, and replacement underpriced: the next nonce, for a node that does not count what waits', async () => {
  const waiting = await startAnvil(['--no-mining']);
  const from = addresses.held;
  await waiting.rpc('anvil_setBalance', [from, '0x' + parseEther('1000').toString(16)]);
  const fees = { gas: '0x5208', maxFeePerGas: '0x77359400', maxPriorityFeePerGas: '0x1' };
  // each gateway is fresh, so that none has a hint of what another sent
  const nonces = [];
  for (const value of ['0x1', '0x1', '0x2']) {
    const g = await withCount(waiting.url, () => 0);
    const x = await callAt(g.gateway, 'eth_sendTransaction', [{ from, to, value, ...fees }]);
    assert.ok(x.result, JSON.stringify(x));
    nonces.push(Number((await waiting.rpc('eth_getTransactionByHash', [x.result])).nonce));
    await g.stop();
  }
  assert.deepEqual(nonces, [0, 1, 2]);
  await waiting.rpc('anvil_mine', []);
  assert.equal(await waiting.rpc('eth_getTransactionCount', [from, 'latest']), '0x3');
  waiting.stop();
});

await test('nodes of several chains and no default: the chain id chooses, or the path', async () => {
  const ten = await startAnvil(['--chain-id', '10']);
  const from = addresses.ten;
  await ten.rpc('anvil_setBalance', [from, '0x' + parseEther('1').toString(16)]);
  const g = await startGateway(s, { nodes: [...nodes, { chain: 10, url: ten.url }], ...long });
  const a = await callAt(g.gateway, 'eth_sendTransaction', [{ from, to, value: '0x1', chainId: '0xa' }]);
  assert.equal((await ten.rpc('eth_getTransactionByHash', [a.result])).chainId, '0xa');
  const b = await callAt(`${g.gateway}/chain/10`, 'eth_sendTransaction', [{ from, to, value: '0x2' }]);
  assert.equal((await ten.rpc('eth_getTransactionByHash', [b.result])).nonce, '0x1');
  assert.match((await callAt(g.gateway, 'eth_sendTransaction', [{ from, to }])).error.message, /several chains: ask at \/chain\/ID/);
  assert.equal((await callAt(g.gateway, 'eth_chainId')).error.code, -32600);
  await g.stop();
  ten.stop();
});

await test('over WebSocket: ethers WebSocketProvider sends and hears of its receipt', async () => {
  const provider = new WebSocketProvider(g.gateway.replace('http', 'ws'));
  const signer = await provider.getSigner(addresses.ws);
  const sent = await Promise.all([1n, 2n, 3n].map((value) => signer.sendTransaction({ to, value, gasLimit: 21000n })));
  const receipts = await Promise.all(sent.map((t) => t.wait()));
  assert.deepEqual(receipts.map((x) => x.status), [1, 1, 1]);
  await provider.destroy();
});

await done();
