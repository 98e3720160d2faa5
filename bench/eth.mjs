// SPDX-License-Identifier: Apache-2.0
// Everything an Ethereum account signs, over each API: requests a second, latencies, CPU per signature, as ratios to bare
// libsecp256k1 and to ethers.js signing the same in its own process; then latencies with 1,000 connections held. Keys are
// enveloped, so that KMS is asked once and not for each signature. All in one run: these machines are noisy, ratios less so.
import { readFileSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { startStack, root, run, scratch, awsEnv, bin, request } from '../tests/e2e/lib/stack.mjs';

const { Wallet, SigningKey } = await import(join(root, 'tests/e2e/node_modules/ethers/lib.esm/index.js'));
const args = process.argv.slice(2);
const option = (name, otherwise) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise);
const seconds = option('--seconds', 2);
const held = option('--connections', 1000);
const json = args.includes('--json');
const tick = 1e6 / Number(execFileSync('getconf', ['CLK_TCK']));
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const bareRun = () => Number(execFileSync(join(root, 'build/bench/bare_secp')));

const dir = scratch();
// Without the audit log, which would measure the disk: script/bench proofs.
const s = await startStack({ dir, args: ['--gateway-option', 'audit=false'] });
const made = run(join(bin, 'adyton'), ['key', 'create', 'bench', '--allow-digest', '--json', '--gateway', s.gateway, '--endpoint', s.devcloud, '--ca', s.ca_file, '--region', s.region], { env: awsEnv(s) });
if (made.status !== 0) throw new Error(`adyton key create: ${made.stderr}`);
const { address, public_key } = JSON.parse(made.stdout);
const uncompressed = SigningKey.computePublicKey(public_key, false).slice(4);

// --- what is signed

const to = '0x000000000000000000000000000000000000dead';
const base = { from: address, to, value: '0x38d7ea4c68000', gas: '0x5208', nonce: '0x7', chainId: '0x7a69', input: '0x' };
const slots = [{ address: to, storageKeys: ['0x' + '00'.repeat(31) + '01'] }];
const fees = { maxFeePerGas: '0x4a817c800', maxPriorityFeePerGas: '0x3b9aca00' };
const hash = '0x01' + 'ab'.repeat(31);
const tuple = { chainId: '0x7a69', address: to, nonce: '0x1' };
const w = Wallet.createRandom();
const authorized = await w.authorize({ address: to, nonce: 1, chainId: 31337 });
const q = (v) => '0x' + BigInt(v).toString(16);
const signedTuple = { ...tuple, yParity: q(authorized.signature.yParity), r: q(authorized.signature.r), s: q(authorized.signature.s) };
const typed = {
  domain: { name: 'Token', version: '1', chainId: 31337, verifyingContract: to },
  types: {
    EIP712Domain: ['name:string', 'version:string', 'chainId:uint256', 'verifyingContract:address'].map((x) => ({ name: x.split(':')[0], type: x.split(':')[1] })),
    Permit: ['owner:address', 'spender:address', 'value:uint256', 'nonce:uint256', 'deadline:uint256'].map((x) => ({ name: x.split(':')[0], type: x.split(':')[1] })),
  },
  primaryType: 'Permit',
  message: { owner: address, spender: to, value: '1000000', nonce: '0', deadline: '1900000000' },
};
const message = '0x' + Buffer.from('Sign in to example.com with your Ethereum account.').toString('hex');
const txs = {
  'legacy tx': { ...base, gasPrice: '0x4a817c800' },
  'EIP-2930 tx': { ...base, gasPrice: '0x4a817c800', accessList: slots, type: '0x1' },
  'EIP-1559 tx': { ...base, ...fees, type: '0x2' },
  'EIP-4844 tx': { ...base, ...fees, type: '0x3', maxFeePerBlobGas: '0x1', blobVersionedHashes: [hash] },
  'EIP-7702 tx': { ...base, ...fees, type: '0x4', gas: '0x186a0', authorizationList: [signedTuple] },
};
const rpc = (method, ...params) => ({ jsonrpc: '2.0', id: 1, method, params });
const without = (o, ...names) => Object.fromEntries(Object.entries(o).filter(([k]) => !names.includes(k)));
const eth = {
  ...Object.fromEntries(Object.entries(txs).map(([k, tx]) => [k, rpc('eth_signTransaction', tx)])),
  message: rpc('personal_sign', message, address),
  'typed data': rpc('eth_signTypedData_v4', address, typed),
  authorization: rpc('eth_signAuthorization', address, tuple),
};
const apis = {
  native: {
    path: '/v1/keys/bench/sign',
    bodies: {
      ...Object.fromEntries(Object.entries(txs).map(([k, tx]) => [k, { transaction: without(tx, 'from') }])),
      message: { message: { hex: message } },
      'typed data': { typed_data: typed },
      authorization: { authorization: tuple },
    },
  },
  'JSON-RPC': { path: '/', bodies: eth },
  'account_*': {
    path: '/',
    bodies: {
      ...Object.fromEntries(Object.entries(txs).map(([k, tx]) => [k, rpc('account_signTransaction', tx)])),
      message: rpc('account_signData', 'text/plain', address, message),
      'typed data': rpc('account_signTypedData', address, typed),
    },
  },
  'web3signer': { path: `/api/v1/eth1/sign/${uncompressed}`, bodies: { 'bare bytes': { data: message } } },
  WebSocket: { path: '/', ws: true, bodies: eth },
};

// --- the yardsticks

const nativeTx = (tx) => ({ ...without(tx, 'from', 'gas', 'input', 'authorizationList'), gasLimit: tx.gas, nonce: Number(tx.nonce), type: Number(tx.type ?? 0), ...(tx.authorizationList && { authorizationList: [{ ...authorized }] }) });
const { EIP712Domain, ...types } = typed.types;
const inProcess = {
  ...Object.fromEntries(Object.entries(txs).map(([k, tx]) => [k, () => w.signTransaction(nativeTx(tx))])),
  message: () => w.signMessage(Buffer.from(message.slice(2), 'hex')),
  'typed data': () => w.signTypedData(typed.domain, types, typed.message),
  authorization: () => w.authorize({ address: to, nonce: 1, chainId: 31337 }),
  'bare bytes': async () => w.signingKey.sign('0x' + '11'.repeat(32)).serialized,
};

async function ethersRun(fn) {
  for (let i = 0; i < 30; i++) await fn();
  const before = process.cpuUsage();
  let n = 0;
  for (const end = Date.now() + 700; Date.now() < end; n++) await fn();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / n;
}

// --- the load

function cpu(pid) {
  const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(f[11]) + Number(f[12])) * tick;
}

function load(api, kind, connections, duration, rate = 0, refusals = false) {
  const file = join(dir, 'body');
  writeFileSync(file, JSON.stringify(api.bodies[kind]));
  const url = (api.ws ? s.gateway.replace('http', 'ws') : s.gateway) + api.path;
  const before = [cpu(s.pids.gateway), cpu(s.pids.enclave)];
  const out = run(join(root, 'build/bench/load'), [url, file, String(connections), String(duration), String(rate)]);
  if (out.status !== 0) throw new Error(`load: ${out.stderr}`);
  const r = JSON.parse(out.stdout);
  if (r.bad && !refusals) throw new Error(`${kind} at ${url}: ${out.stderr}`);
  const per = (pid, i) => (cpu(pid) - before[i]) / r.answers;
  return { ...r, requests_per_s: r.answers / duration, gateway_us: per(s.pids.gateway, 0), enclave_us: per(s.pids.enclave, 1) };
}

const there = await request(`${s.gateway}/upcheck`);
if (there.status !== 200) delete apis.web3signer;

const bare = [bareRun()];
const ethers = {};
for (const [kind, fn] of Object.entries(inProcess)) ethers[kind] = await ethersRun(fn);
const rows = [];
load(apis.native, 'EIP-1559 tx', 16, 1); // opens the data key, warms up
for (const [name, api] of Object.entries(apis))
  for (const kind of Object.keys(api.bodies)) {
    const r = load(api, kind, 16, seconds);
    rows.push({ api: name, kind, ...r });
  }
bare.push(bareRun(), bareRun());
const secp = median(bare);
for (const r of rows) {
  r.cpu_us = r.gateway_us + r.enclave_us;
  r.ratio_to_secp256k1 = r.cpu_us / secp;
  r.ratio_to_ethers = r.cpu_us / ethers[r.kind];
}

// With 1,000 connections held: each asks once a second; then all ask as fast as they are answered.
const crowd = [];
for (const name of ['native', 'JSON-RPC', 'WebSocket'])
  for (const rate of [held, 0]) {
    const r = load(apis[name], 'EIP-1559 tx', held, Math.max(4, 2 * seconds), rate, true);
    crowd.push({ api: name, connections: held, rate, ...r });
  }

const f = (v, n = 10) => (v >= 100 ? Math.round(v) : v.toFixed(v < 10 ? 2 : 1)).toString().padStart(n);
console.log(`CPU per signature: bare libsecp256k1 ${f(secp, 0)} us (recoverable, median of 3 runs)`);
console.log(`16 connections, ${seconds} s each; times in microseconds; CPU is user + system per signature, ethers: of ethers.js in process\n`);
console.log(`${''.padEnd(26)}${['req/s', 'p50', 'p99', 'gateway', 'enclave', 'both', '/secp256k1', 'ethers', '/ethers'].map((h) => h.padStart(11)).join('')}`);
for (const r of rows)
  console.log(`${r.api.padEnd(12)}${r.kind.padEnd(14)}${[r.requests_per_s, r.p50_us, r.p99_us, r.gateway_us, r.enclave_us, r.cpu_us, r.ratio_to_secp256k1, ethers[r.kind], r.ratio_to_ethers].map((v) => f(v, 11)).join('')}`);
console.log(`\n${held} connections held, EIP-1559 transactions; latencies of those that were signed, counted from when a request was due`);
console.log(`${''.padEnd(34)}${['signed/s', 'refused/s', 'p50', 'p99', 'max'].map((h) => h.padStart(10)).join('')}`);
for (const r of crowd) console.log(`${r.api.padEnd(12)}${(r.rate ? 'one a second each' : 'as fast as answered').padEnd(22)}${[r.requests_per_s, r.bad / r.seconds, r.p50_us, r.p99_us, r.max_us].map((v) => f(v)).join('')}`);
console.log('\nThe load generator shares the cores.');
if (json) {
  const round = (o) => Object.fromEntries(Object.entries(o).map(([k, v]) => [k, typeof v === 'number' ? Math.round(v * 1000) / 1000 : v]));
  console.log(JSON.stringify({ bench: 'eth', seconds, secp256k1_us: secp, ethers_us: round(ethers), rows: rows.map(round), crowd: crowd.map(round) }));
}
await s.stop();
process.exit(0);
