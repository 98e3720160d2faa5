// SPDX-License-Identifier: Apache-2.0
// Signatures through the whole stack, as ratios to bare libsecp256k1 and to ethers.js signing in its own
// process, all in one run: these machines are noisy, ratios less so.
import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { startStack, putKey, awsEnv, root, run, scratch } from '../tests/e2e/lib/stack.mjs';

const { Wallet } = await import(join(root, 'tests/e2e/node_modules/ethers/lib.esm/index.js'));
const args = process.argv.slice(2);
const seconds = Number(args[args.indexOf('--seconds') + 1] || 0) || 5;
const json = args.includes('--json');
const tick = 1e6 / Number(execFileSync('getconf', ['CLK_TCK'])); // microseconds

const bareRun = () => Number(execFileSync(join(root, 'build/bench/bare_secp')));
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

function cpu(pid) {
  const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(f[11]) + Number(f[12])) * tick;
}

const putBench = (s) => putKey(s, 'bench', randomBytes(32).toString('hex'));
function createBench(s) {
  const r = run(join(root, 'build/release/adyton'), ['key', 'create', 'bench'], { env: awsEnv(s) });
  if (r.status !== 0) throw new Error(`adyton key create: ${r.stderr}`);
}

async function ethersRun() {
  const wallet = new Wallet('0x' + randomBytes(32).toString('hex'));
  const tx = { type: 2, chainId: 31337, to: '0x000000000000000000000000000000000000dEaD', value: 10n ** 15n, gasLimit: 21000, maxFeePerGas: 2n * 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n };
  for (let i = 0; i < 50; i++) await wallet.signTransaction({ ...tx, nonce: i });
  const before = process.cpuUsage();
  let n = 0;
  for (const end = Date.now() + 2000; Date.now() < end; n++) await wallet.signTransaction({ ...tx, nonce: n });
  const used = process.cpuUsage(before);
  return (used.user + used.system) / n;
}

function load(s, connections, duration, threads = 1) {
  const pids = s.pids;
  const before = Object.fromEntries(Object.entries(pids).map(([k, pid]) => [k, cpu(pid)]));
  const out = run('wrk', ['-t', String(threads), '-c', String(connections), '-d', `${duration}s`, '--timeout', '10s', '-s', join(root, 'bench/sign.lua'), s.gateway]);
  const line = /RESULT (.*)/.exec(out.stdout);
  if (!line) throw new Error(`wrk: ${out.stdout}${out.stderr}`);
  const r = JSON.parse(line[1]);
  if (r.bad || r.socket_errors) throw new Error(`${r.bad} answers were not 200, ${r.socket_errors} socket errors`);
  const per = (k) => (cpu(pids[k]) - before[k]) / r.answers;
  return { requests_per_s: r.answers / (r.duration_us / 1e6), p50_us: r.p50_us, p99_us: r.p99_us, gateway_us: per('gateway'), enclave_us: per('enclave'), devcloud_us: per('devcloud') };
}

async function measure(what, dir, note, options = [], key = putBench) {
  // Without the audit log, which would measure the disk: script/bench proofs.
  const s = await startStack({ dir: scratch(), from: join(root, dir), args: [...options, '--gateway-option', 'audit=false'] });
  try {
    key(s);
    load(s, 8, 1);
    const full = load(s, 32, seconds);
    const one = load(s, 1, Math.max(2, seconds / 2));
    return { what, note, ...full, idle_p50_us: one.p50_us, idle_p99_us: one.p99_us };
  } finally {
    await s.stop();
  }
}

const bare = [bareRun()];
const ethers = await ethersRun();
const rows = [
  await measure('envelope', 'build/release', 'the data key is in the cache of the enclave; signature verified before it leaves', [], createBench),
  await measure('envelope, unverified', 'build/release', 'the same without verifying the signature before it leaves', ['--enclave-option', 'verify_signatures=false'], createBench),
  await measure('direct', 'build/release', 'one KMS Decrypt per signature, local stand-in for KMS on the same cores'),
  await measure('held', 'build/held', "benchmark build: KMS's first answer is kept; signature verified before it leaves"),
  await measure('held, unverified', 'build/held', 'the same without verifying the signature before it leaves', ['--enclave-option', 'verify_signatures=false']),
];
bare.push(bareRun(), bareRun());
const secp = median(bare);
for (const r of rows) {
  r.cpu_us = r.gateway_us + r.enclave_us;
  r.ratio_to_secp256k1 = r.cpu_us / secp;
  r.ratio_to_ethers = r.cpu_us / ethers;
}

const f = (v, n = 10) => (v >= 100 ? Math.round(v) : v.toFixed(v < 10 ? 2 : 1)).toString().padStart(n);
console.log(`CPU per signature: bare libsecp256k1 ${f(secp, 0)} us (recoverable, median of 3 runs); ethers.js in process ${f(ethers, 0)} us`);
console.log(`through HTTP, 32 connections, ${seconds} s; times in microseconds; CPU is user + system per signature\n`);
console.log(`${''.padEnd(22)}${['req/s', 'p50', 'p99', 'p50 x1', 'p99 x1', 'gateway', 'enclave', 'both', '/secp256k1', '/ethers'].map((h) => h.padStart(10)).join('')}`);
for (const r of rows) {
  console.log(`${r.what.padEnd(22)}${[r.requests_per_s, r.p50_us, r.p99_us, r.idle_p50_us, r.idle_p99_us, r.gateway_us, r.enclave_us, r.cpu_us, r.ratio_to_secp256k1, r.ratio_to_ethers].map((v) => f(v)).join('')}`);
}
console.log();
for (const r of rows) console.log(`${r.what}: ${r.note}`);
console.log('x1: one connection, so nothing waits. The load generator shares the cores.');
if (json) {
  const round = (o) => Object.fromEntries(Object.entries(o).map(([k, v]) => [k, typeof v === 'number' ? Math.round(v * 1000) / 1000 : v]));
  console.log(JSON.stringify({ bench: 'sign', seconds, secp256k1_us: secp, ethers_us: Math.round(ethers * 10) / 10, rows: rows.map(round) }));
}
process.exit(0);
