// SPDX-License-Identifier: Apache-2.0
// What proofs and the audit log cost: the enclave's part alone (bench/proof.c), and signatures over HTTP with the log in
// memory, on the disk, and without it, as ratios to bare libsecp256k1 in the same run.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { awsEnv, root, run, scratch, startStack } from '../tests/e2e/lib/stack.mjs';

const args = process.argv.slice(2);
const seconds = Number(args[args.indexOf('--seconds') + 1] || 0) || 5;
const tick = 1e6 / Number(execFileSync('getconf', ['CLK_TCK'])); // microseconds
const bareRun = () => Number(execFileSync(join(root, 'build/bench/bare_secp')));
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

function cpu(pid) {
  const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(f[11]) + Number(f[12])) * tick;
}

function load(s, connections, duration) {
  const before = { gateway: cpu(s.pids.gateway), enclave: cpu(s.pids.enclave) };
  const out = run('wrk', ['-t', '1', '-c', String(connections), '-d', `${duration}s`, '--timeout', '10s', '-s', join(root, 'bench/sign.lua'), s.gateway]);
  const line = /RESULT (.*)/.exec(out.stdout);
  if (!line) throw new Error(`wrk: ${out.stdout}${out.stderr}`);
  const r = JSON.parse(line[1]);
  if (r.bad || r.socket_errors) throw new Error(`${r.bad} answers were not 200, ${r.socket_errors} socket errors`);
  const per = (k) => (cpu(s.pids[k]) - before[k]) / r.answers;
  return { requests_per_s: r.answers / (r.duration_us / 1e6), p50_us: r.p50_us, p99_us: r.p99_us, gateway_us: per('gateway'), enclave_us: per('enclave') };
}

async function measure(what, audit) {
  const s = await startStack({ dir: scratch(), args: ['--gateway-option', `audit=${audit}`] });
  try {
    const made = run(join(root, 'build/release/adyton'), ['key', 'create', 'bench'], { env: awsEnv(s) });
    if (made.status !== 0) throw new Error(`adyton key create: ${made.stderr}`);
    load(s, 8, 1);
    const full = load(s, 32, seconds);
    const one = load(s, 1, Math.max(2, seconds / 2));
    return { what, ...full, idle_p50_us: one.p50_us, idle_p99_us: one.p99_us, idle_cpu_us: one.gateway_us + one.enclave_us };
  } finally {
    await s.stop();
  }
}

const bare = [bareRun()];
const memory = mkdtempSync('/dev/shm/ady-audit-');
const disk = scratch('audit');
const rows = [
  await measure('no log', 'false'),
  await measure('log in memory', JSON.stringify({ folder: memory })),
  await measure('log on the disk', JSON.stringify({ folder: disk })),
];
rmSync(memory, { recursive: true });
const alone = execFileSync(join(root, 'build/bench/proof'), { encoding: 'utf8' }).trim().split('\n').map((l) => l.split(' ').map(Number));
bare.push(bareRun(), bareRun());
const secp = median(bare);

const f = (v, n = 10) => (v >= 100 ? Math.round(v) : v.toFixed(v < 10 ? 2 : 1)).toString().padStart(n);
console.log(`CPU per signature: bare libsecp256k1 ${f(secp, 0)} us (recoverable, median of 3 runs)\n`);
console.log('the enclave\'s part of a proof, CPU a decision:');
for (const [n, us] of alone) console.log(`${`${n} share a signature`.padEnd(24)}${f(us)} us${f(us / secp)} /secp256k1`);
console.log(`\nEIP-1559 over HTTP, 32 connections, ${seconds} s; times in microseconds; CPU is user + system per signature\n`);
console.log(`${''.padEnd(18)}${['req/s', 'p50', 'p99', 'p50 x1', 'p99 x1', 'gateway', 'enclave', 'both', '/secp256k1'].map((h) => h.padStart(10)).join('')}`);
for (const r of rows) {
  r.ratio = (r.gateway_us + r.enclave_us) / secp;
  console.log(`${r.what.padEnd(18)}${[r.requests_per_s, r.p50_us, r.p99_us, r.idle_p50_us, r.idle_p99_us, r.gateway_us, r.enclave_us, r.gateway_us + r.enclave_us, r.ratio].map((v) => f(v)).join('')}`);
}
console.log('x1: one connection, so nothing waits and nothing is shared. Proofs are made in each case.');
if (args.includes('--json')) console.log(JSON.stringify({ bench: 'proofs', seconds, secp256k1_us: secp, proof_us: Object.fromEntries(alone), rows }));
process.exit(0);
