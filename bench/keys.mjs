// SPDX-License-Identifier: Apache-2.0
// A million keys, made by the enclave, in SQLite and in PostgreSQL: how long until gateway and enclave are
// ready, what they take, the first signature by a key that nobody used yet, and signatures by keys at random
// against those by one key. All in one run: these machines are noisy, ratios less so. With --dir the keys, the
// stores and the devcloud that can open them stay in a folder, and the next run with it does not make them again.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join, resolve } from 'node:path';
import { root, run, scratch, startStack, request } from '../tests/e2e/lib/stack.mjs';
import { startPostgres } from '../tests/e2e/lib/postgres.mjs';

const args = process.argv.slice(2);
const option = (name, otherwise) => (args.includes(name) ? args[args.indexOf(name) + 1] : otherwise);
const count = Number(option('--keys', 1_000_000));
const seconds = Number(option('--seconds', 5));
const stores = option('--store', 'sqlite,postgres').split(',');
const json = args.includes('--json');
const bin = join(root, 'build/release');
const tick = 1e6 / Number(execFileSync('getconf', ['CLK_TCK'])); // microseconds

const bareRun = () => Number(execFileSync(join(root, 'build/bench/bare_secp')));
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * q))];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function cpu(pid) {
  const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(f[11]) + Number(f[12])) * tick;
}
/** Of the children that have ended: the load generator. */
function cpuOfEnded() {
  const f = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ');
  return (Number(f[13]) + Number(f[14])) * tick;
}
/** Of PostgreSQL's processes. */
const cpuOfServer = () => {
  if (!pg) return 0;
  const main = readFileSync(join(pg.dir, 'data/postmaster.pid'), 'utf8').split('\n')[0];
  const all = [main, ...readFileSync(`/proc/${main}/task/${main}/children`, 'utf8').trim().split(' ')];
  return all.reduce((sum, pid) => sum + (pid && existsSync(`/proc/${pid}/stat`) ? cpu(pid) : 0), 0);
};
const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

const kept = option('--dir'); // what was made stays there, and is used again
const dir = kept ? resolve(kept) : scratch();
if (kept) mkdirSync(dir, { recursive: true });
const s = await startStack({ dir });
if (kept) chmodSync(dir, 0o711); // PostgreSQL is another user, and its folder is in there
const pg = stores.includes('postgres') ? startPostgres(undefined, { kept: kept && join(dir, 'pg') }) : undefined;
const places = { sqlite: [`sqlite:${join(dir, 'keys.sqlite')}`, { sqlite: join(dir, 'keys.sqlite') }] };
if (pg) places.postgres = [`postgres:${pg.conninfo}`, { postgres: pg.conninfo }];
else if (stores.includes('postgres')) console.error('bench keys: PostgreSQL is not installed; left out');
const enclaveConfig = JSON.parse(readFileSync(join(dir, 'enclave.json'), 'utf8'));
const gatewayConfig = JSON.parse(readFileSync(join(dir, 'gateway.json'), 'utf8'));

/** Make the keys; the stack's own enclave makes them. All stores get the same. */
function fill(specs) {
  return JSON.parse(execFileSync(join(bin, 'tools/fill_store'), [enclaveConfig.listen, String(count), ...specs], { encoding: 'utf8' }));
}

/** An enclave and a gateway, with the configuration of the stack's own, which stand still meanwhile: it is
 * measured, and KMS knows it. Their sockets make way. */
async function start(store) {
  for (const socket of [enclaveConfig.listen, enclaveConfig.relay]) rmSync(socket.replace('unix:', ''), { force: true });
  const log = openSync(join(dir, 'bench.log'), 'a');
  const began = performance.now();
  const gw = join(dir, 'bench-gateway.json');
  const ready = join(dir, 'bench-ready');
  rmSync(ready, { force: true });
  // Without the audit log: it would measure the disk. What it costs: script/bench proofs.
  writeFileSync(gw, JSON.stringify({ ...gatewayConfig, listen: ['tcp:127.0.0.1:0'], store, audit: false }));
  const enclave = spawn(join(bin, 'adyton-enclave'), ['--config', join(dir, 'enclave.json')], { stdio: ['ignore', log, log] });
  const gateway = spawn(join(bin, 'adyton-gateway'), ['--config', gw, '--ready-file', ready], { stdio: ['ignore', log, log] });
  closeSync(log);
  for (const c of [enclave, gateway]) running.add(c) && c.on('exit', () => running.delete(c));
  let url;
  for (;;) {
    if (gateway.exitCode !== null || enclave.exitCode !== null) throw new Error(readFileSync(join(dir, 'bench.log'), 'utf8').slice(-800));
    if (!url && existsSync(ready)) url = JSON.parse(readFileSync(ready, 'utf8')).listen[0];
    if (url && (await request(`${url}/readyz`).catch(() => ({}))).status === 200) break;
    if (performance.now() - began > 30000) throw new Error('not ready after 30 s');
    await sleep(5);
  }
  const ended = (c) => new Promise((resolve) => c.on('exit', resolve));
  const stop = async () => {
    const both = [ended(gateway), ended(enclave)];
    gateway.kill('SIGTERM');
    await both[0];
    enclave.kill('SIGTERM');
    await both[1];
  };
  return { url, began, ready_ms: performance.now() - began, pids: { gateway: gateway.pid, enclave: enclave.pid }, stop };
}

/** The first signature by keys that nobody used: one request at a time. */
async function cold(g, n = 2000) {
  const agent = new http.Agent({ keepAlive: true });
  const ms = [];
  const body = { transaction: { type: 2, chainId: 31337, nonce: 0, to: '0x000000000000000000000000000000000000dead', value: '1', gas: 21000, maxFeePerGas: '2', maxPriorityFeePerGas: '1' } };
  for (let i = 0; i < n; i++) {
    const id = Math.floor(((i + 0.5) * count) / n); // spread over all of them, each once
    const began = performance.now();
    const answer = await request(`${g.url}/v1/keys/bench-${id}/sign`, { method: 'POST', body, agent });
    if (answer.status !== 200) throw new Error(answer.body);
    if (i > 0) ms.push(performance.now() - began); // the very first opens the data key at KMS
  }
  agent.destroy();
  return ms;
}

/** The gateway copies what PostgreSQL has while it serves already: wait until it has all, or takes no more. */
async function copied(g) {
  const held = async () => Number(/^adyton_store_copies (\d+)/m.exec((await request(`${g.url}/metrics`)).body)[1]);
  for (let n = await held(), last = -1; n < count && n > last; n = await held()) {
    last = n;
    await sleep(1000);
  }
  return performance.now() - g.began;
}

let seed = 1;
function load(g, keys, duration) {
  const now = () => ({ gateway: cpu(g.pids.gateway), enclave: cpu(g.pids.enclave), server: cpuOfServer(), client: cpuOfEnded() });
  const before = now();
  const out = run('wrk', ['-t', '1', '-c', '32', '-d', `${duration}s`, '--timeout', '10s', '-s', join(root, 'bench/keys.lua'), g.url], { env: { KEYS: String(keys), SEED: String(seed++) } });
  const line = /RESULT (.*)/.exec(out.stdout);
  if (!line) throw new Error(`wrk: ${out.stdout}${out.stderr}`);
  const r = JSON.parse(line[1]);
  if (r.bad || r.socket_errors) throw new Error(`${r.bad} answers were not 200, ${r.socket_errors} socket errors`);
  const after = now();
  const us = Object.fromEntries(Object.keys(after).map((k) => [`${k}_us`, (after[k] - before[k]) / r.answers]));
  return { per_s: r.answers / (r.duration_us / 1e6), p99_us: r.p99_us, cpu_us: us.gateway_us + us.enclave_us, all_us: Object.values(us).reduce((a, b) => a + b), ...us };
}

const kinds = Object.keys(places).filter((k) => stores.includes(k));
const filledFile = join(dir, 'filled.json');
const old = kept && existsSync(filledFile) ? JSON.parse(readFileSync(filledFile, 'utf8')) : undefined;
if (old && (old.keys !== count || !kinds.every((k) => old.kinds.includes(k))))
  throw new Error(`${filledFile}: the folder has ${old.keys} keys in ${old.kinds}; name another`);
const filled = old ?? { ...fill(kinds.map((k) => places[k][0])), kinds };
if (kept) writeFileSync(filledFile, JSON.stringify(filled));
// A database that was filled a moment ago has its upkeep still before it, which would be measured as well.
if (pg && !old) for (const sql of ['VACUUM (ANALYZE)', 'CHECKPOINT']) pg.psql(sql);
// The stack's enclave and gateway make room for those that are measured; its devcloud stays.
const still = ['gateway', 'enclave'].map((who) => s.pids[who]);
for (const pid of still) process.kill(pid, 'SIGSTOP');
const running = new Set();
process.on('exit', () => {
  for (const c of running) c.kill('SIGKILL');
  for (const pid of still) process.kill(pid, 'SIGKILL');
});

const bare = [bareRun()];
const rows = [];
for (const kind of kinds) {
  const g = await start(places[kind][1]);
  const first = await cold(g);
  const copied_ms = kind === 'postgres' ? await copied(g) : undefined;
  load(g, 1, 1);
  const single = [];
  const random = [];
  for (let i = 0; i < 3; i++) {
    single.push(load(g, 1, seconds));
    random.push(load(g, count, seconds));
  }
  bare.push(bareRun());
  const best = (list) => list.reduce((a, b) => (b.per_s > a.per_s ? b : a));
  const one = best(single);
  const any = best(random);
  rows.push({
    store: kind,
    keys: count,
    fill_per_s: count / (filled.ms / 1000),
    ready_ms: g.ready_ms,
    copied_ms,
    rss_mib: rss(g.pids.gateway) + rss(g.pids.enclave),
    cold_p50_ms: quantile(first, 0.5),
    cold_p99_ms: quantile(first, 0.99),
    single_per_s: one.per_s,
    random_per_s: any.per_s,
    random_vs_single: any.per_s / one.per_s,
    single_cpu_us: one.cpu_us,
    random_cpu_us: any.cpu_us,
    single_all_cpu_us: one.all_us,
    random_all_cpu_us: any.all_us,
    all_cpu_ratio: one.all_us / any.all_us,
    ...Object.fromEntries(['gateway', 'enclave', 'server', 'client'].flatMap((k) => [[`single_${k}_us`, one[`${k}_us`]], [`random_${k}_us`, any[`${k}_us`]]])),
  });
  await g.stop();
}
const secp = median(bare);
for (const r of rows) r.cpu_ratio_eip1559 = r.single_cpu_us / secp;
if (places.sqlite && existsSync(join(dir, 'keys.sqlite'))) console.log(`SQLite file: ${(statSync(join(dir, 'keys.sqlite')).size / 1e6 / (count / 1e6)).toFixed(0)} MB a million keys`);

const f = (v) => (v === undefined ? '-' : v >= 100 ? Math.round(v) : v.toFixed(2)).toString().padStart(12);
console.log(`bare libsecp256k1: ${secp} us a recoverable signature (median of ${bare.length} runs)\n`);
for (const name of ['fill_per_s', 'ready_ms', 'copied_ms', 'rss_mib', 'cold_p50_ms', 'cold_p99_ms', 'single_per_s', 'random_per_s', 'random_vs_single', 'single_cpu_us', 'random_cpu_us', 'single_all_cpu_us', 'random_all_cpu_us', 'all_cpu_ratio', 'cpu_ratio_eip1559'])
  console.log(name.padEnd(20) + rows.map((r) => f(r[name])).join(''));
console.log(`\n${' '.repeat(20)}${rows.map((r) => r.store.padStart(12)).join('')}`);
console.log('fill_per_s: keys made by the enclave, sealed, and stored in all stores. cold: the first signature by a key, one at a time.');
console.log('random: keys at random among all, 32 connections; single: one key. The load generator shares the cores.');
console.log('all_cpu: of gateway, enclave, database server and load generator; its ratio is the rates\' on a machine with nothing else to do.');
// What AWS charges for holding them (doc/stores.md, "Cost"): a KMS key $1 a month, a secret $0.40, a KMS request $0.000003, storage $0.08 a GB.
const gb = places.sqlite && existsSync(join(dir, 'keys.sqlite')) ? statSync(join(dir, 'keys.sqlite')).size / 1e9 : (0.72 * count) / 1e6;
const usd = { here: 1 + 730 * 0.000003 + 0.08 * gb, secret_each: 1 + 0.4 * count, kms_key_each: count };
console.log(`made, sealed and stored: ${Math.round(rows[0].fill_per_s)} keys a second; at AWS ${count} of them cost $${usd.here.toFixed(2)} a month, as a secret each $${Math.round(usd.secret_each)}, as a KMS key each $${usd.kms_key_each}`);
if (json) {
  const round = (o) => Object.fromEntries(Object.entries(o).map(([k, v]) => [k, typeof v === 'number' ? Math.round(v * 1000) / 1000 : v]));
  const worst = (name, pick) => pick(...rows.map((r) => r[name]));
  console.log(
    JSON.stringify(
      round({
        bench: 'keys',
        keys: count,
        ready_ms: worst('ready_ms', Math.max),
        rss_mib: worst('rss_mib', Math.max),
        cold_p99_ms: worst('cold_p99_ms', Math.max),
        cpu_ratio_eip1559: worst('cpu_ratio_eip1559', Math.max),
        random_vs_single: worst('random_vs_single', Math.min),
        create_per_s: worst('fill_per_s', Math.min),
        usd_a_month: round(usd),
        secp256k1_us: secp,
        rows: rows.map(round),
      }),
    ),
  );
}
for (const pid of still) process.kill(pid, 'SIGCONT');
await s.stop();
still.length = 0;
if (pg) pg.stop(kept ? 'fast' : 'immediate');
process.exit(0);
