// SPDX-License-Identifier: Apache-2.0
// How long an image takes from the start of its machine to its first signature, and where it goes. The
// stack of `dev up --vm` runs; its machine is killed again and again, and requests are sent until one is
// answered. CPU is what QEMU used by then: it says more than the clock where others work as well.
import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bin, putKey, run, scratch, sign, startStack } from '../tests/e2e/lib/stack.mjs';
import { goodTx } from '../tests/e2e/lib/hostile.mjs';

const args = process.argv.slice(2);
const option = (name, other) => (args.includes(name) ? args[args.indexOf(name) + 1] : other);
const rounds = Number(option('--rounds', 10));
const up = ['--vm', ...(option('--kernel') ? ['--kernel', option('--kernel')] : []), ...(option('--memory') ? ['--memory', option('--memory')] : [])];
const tick = 1000 / Number(execFileSync('getconf', ['CLK_TCK'])); // milliseconds
const stat = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').map(Number);
const cpu = (pid) => (stat(pid)[11] + stat(pid)[12]) * tick;
const age = (pid) => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000 - stat(pid)[19] * tick;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const s = await startStack({ dir: scratch(), args: up, timeout: 150000 });
putKey(s, 'bench', randomBytes(32).toString('hex'));
const state = () => JSON.parse(run(join(bin, 'adyton'), ['enclave', 'status', '--dir', s.vm_dir, '--json']).stdout);
const console_ = () => readFileSync(join(s.vm_dir, 'console.log'), 'latin1');
const child = (ppid) => execFileSync('pgrep', ['-P', String(ppid), '-f', 'qemu-system'], { encoding: 'utf8' }).trim();

async function round() {
  const { vm_pid } = state();
  const said = console_().length;
  process.kill(vm_pid, 'SIGKILL');
  let pid;
  while (!(pid = (() => { try { return child(s.pids.enclave); } catch { return ''; } })()) || Number(pid) === vm_pid) await pause(5);
  const at = {};
  while (!/ ready version=/.test(console_().slice(said))) await pause(10);
  at.ready = { ms: age(pid), cpu: cpu(pid) };
  while ((await sign(s, 'bench', goodTx({ nonce: 1 }))).status !== 200) await pause(10);
  at.signed = { ms: age(pid), cpu: cpu(pid) };
  const [, key, kernel] = /key_ms=(\d+) uptime_ms=(\d+)/.exec(console_().slice(said));
  return { ready_ms: at.ready.ms, ready_cpu_ms: at.ready.cpu, signed_ms: at.signed.ms, signed_cpu_ms: at.signed.cpu, key_ms: Number(key), uptime_ms: Number(kernel) };
}

try {
  const list = [];
  for (let i = 0; i < rounds; i++) list.push(await round());
  const median = (name) => list.map((r) => r[name]).sort((a, b) => a - b)[list.length >> 1];
  const row = (what, ...names) => console.log(what.padEnd(50) + names.map((n) => (n ? String(Math.round(median(n))) : '').padStart(10)).join(''));
  console.log(`${rounds} boots, medians in milliseconds; load ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0]}; image ${statSync(s.image).size} bytes, ${state().memory_mib} MiB, ${state().cpus} CPU\n`);
  console.log(`${''.padEnd(50)}${'clock'.padStart(10)}${'CPU'.padStart(10)}`);
  row('machine started to ready', 'ready_ms', 'ready_cpu_ms');
  row('  of which from the kernel on', 'uptime_ms');
  row('  of which the RSA key', 'key_ms');
  row('machine started to first signature', 'signed_ms', 'signed_cpu_ms');
  if (args.includes('--json')) console.log(JSON.stringify(Object.fromEntries(Object.keys(list[0]).map((n) => [n, median(n)]))));
} finally {
  await s.stop();
}
