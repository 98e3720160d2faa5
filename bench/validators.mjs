// SPDX-License-Identifier: Apache-2.0
// Validators: a thousand attestations in one slot, ten thousand keys after a start, and the CPU of a duty as a
// ratio to bare blst in the same run, for each store of states. The client shares the machine.
import http from 'node:http';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, request, scratch } from '../tests/e2e/lib/stack.mjs';
import { startPostgres } from '../tests/e2e/lib/postgres.mjs';
import { startGateway } from '../tests/e2e/lib/gateway.mjs';
import { attestation, fastNetwork, freshStates, makeKeys, startValidators } from '../tests/e2e/lib/validators.mjs';

const args = process.argv.slice(2);
const option = (name, fallback) => (args.includes(name) ? args[args.indexOf(name) + 1] : fallback);
const json = args.includes('--json');
const N = Number(option('--keys', 10000));
const ROUNDS = Number(option('--rounds', 5));
const stores = option('--stores', 'memory,sqlite,postgres').split(',');
const tick = 1e6 / Number(execFileSync('getconf', ['CLK_TCK']));
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const bareRun = () => Number(execFileSync(join(root, 'build/bench/bare_bls')));

function cpu(pid) {
  const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(f[11]) + Number(f[12])) * tick;
}

// One epoch a slot, slots of two seconds: each key may attest once in each.
const network = () => fastNetwork({ seconds_per_slot: '2', slots_per_epoch: '1', genesis_time: String(Math.floor(Date.now() / 1000) - 36000) });

const since = (began) => Number(process.hrtime.bigint() - began) / 1e6;

/** Ask body of all keys over 64 connections, at once or spread evenly over so many milliseconds; resolves to the
 * milliseconds until the last answer, and to those of each. */
function fire(agent, gateway, keys, body, spread = 0) {
  const data = Buffer.from(JSON.stringify(body));
  const u = new URL(gateway);
  const began = process.hrtime.bigint();
  const each = [];
  return new Promise((resolve, reject) => {
    const ask = (k) => {
      const asked = process.hrtime.bigint();
      const req = http.request({ agent, host: u.hostname, port: u.port, method: 'POST', path: `/api/v1/eth2/sign/${k.pubkey}`, headers: { 'content-type': 'application/json', accept: 'application/json', 'content-length': data.length } }, (res) => {
        res.resume();
        if (res.statusCode !== 200) reject(new Error(`status ${res.statusCode}`));
        res.on('end', () => each.push(since(asked)) < keys.length || resolve({ ms: since(began), each }));
      });
      req.on('error', reject);
      req.end(data);
    };
    keys.forEach((k, i) => (spread ? setTimeout(ask, (i * spread) / keys.length, k) : ask(k)));
  });
}

async function measure(store) {
  const dir = scratch('bval');
  const states = { memory: () => 'memory', sqlite: () => `sqlite:${join(dir, 'states.db')}`, postgres: () => `postgres:${startPostgres().conninfo}` }[store]();
  const s = await startValidators({ dir, network: network(), states, args: ['--enclave-option', 'depth=4096', '--gateway-option', 'audit=false'] });
  s.network.slots_per_epoch = '1';
  const keys = await makeKeys(s, N);
  for (let i = 0; i < N; i += 1000) await freshStates(s, keys.slice(i, i + 1000));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const epoch = () => Math.floor((Date.now() / 1000 - Number(s.network.genesis_time)) / 2);
  const at = async (e) => new Promise((r) => setTimeout(r, Math.max(0, (Number(s.network.genesis_time) + 2 * e) * 1000 - Date.now() + 30)));
  const duty = (e) => attestation(s, e - 1, e);
  // first use of the keys that will attest, from which their floor counts; and warm connections
  const some = keys.slice(0, 1000);
  await fire(agent, s.gateway, some, { ...duty(epoch()) }).catch(() => {});
  await new Promise((r) => setTimeout(r, 3000));
  await at(epoch() + 3);
  await fire(agent, s.gateway, some, duty(epoch()));
  const slot = [];
  const before = cpu(s.pids.gateway) + cpu(s.pids.enclave);
  for (let i = 0; i < ROUNDS; i++) {
    await at(epoch() + 1);
    slot.push((await fire(agent, s.gateway, some, duty(epoch()))).ms);
  }
  const used = (cpu(s.pids.gateway) + cpu(s.pids.enclave) - before) / (ROUNDS * some.length);
  // the same duties spread over most of a slot
  const spread = [];
  for (let i = 0; i < ROUNDS; i++) {
    await at(epoch() + 1);
    spread.push(...(await fire(agent, s.gateway, some, duty(epoch()), 1500)).each);
  }
  spread.sort((a, b) => a - b);
  // a gateway that starts with all of these keys: until it lists them and signs with one
  const began = Date.now();
  const fresh = await startGateway(s, {});
  const randao = { type: 'RANDAO_REVEAL', fork_info: duty(1).fork_info, randao_reveal: { epoch: '7' } };
  for (;;) { // until it has its links to the enclave
    const signed = await request(`${fresh.gateway}/api/v1/eth2/sign/${keys[N - 1].pubkey}`, { method: 'POST', body: randao });
    if (signed.status === 200) break;
    if (Date.now() - began > 20000) throw new Error(signed.body);
  }
  const ready = Date.now() - began;
  const listed = (await request(`${fresh.gateway}/api/v1/eth2/publicKeys`)).json.length;
  if (listed !== N) throw new Error(`${listed} keys are listed`);
  const listing = Date.now() - began;
  await fresh.stop();
  await s.stop();
  return { store, keys: N, ready_ms_10k: ready, listed_ms_10k: listing, slot_1000_ms: median(slot), slot_1000_worst_ms: Math.max(...slot), cpu_us: used, duty_p50_ms: spread[spread.length >> 1], duty_p99_ms: spread[Math.floor(spread.length * 0.99)] };
}

const rows = [];
const bare = [bareRun()];
for (const store of stores) {
  rows.push(await measure(store));
  bare.push(bareRun());
}
const blst = median(bare);
for (const r of rows) r.cpu_ratio_bls = r.cpu_us / blst;
const f = (v) => (v >= 100 ? Math.round(v) : v.toFixed(2)).toString().padStart(16);
console.log(`CPU per signature: bare blst ${blst.toFixed(0)} us (median of ${bare.length} runs); ${ROUNDS} slots of 1000 attestations, ${N} keys\n`);
console.log(`${'states'.padEnd(10)}${['slot_1000_ms', 'worst', 'cpu_us', 'cpu_ratio_bls', 'duty_p50_ms', 'duty_p99_ms', 'ready_ms', 'listed_ms'].map((h) => h.padStart(16)).join('')}`);
for (const r of rows) console.log(`${r.store.slice(0, 9).padEnd(10)}${[r.slot_1000_ms, r.slot_1000_worst_ms, r.cpu_us, r.cpu_ratio_bls, r.duty_p50_ms, r.duty_p99_ms, r.ready_ms_10k, r.listed_ms_10k].map(f).join('')}`);
console.log('\ncpu_us: user + system of gateway and enclave per attestation, HTTP and the write of the state included; p50, p99: of a duty, 667 a second.');
if (json) {
  const round = (v) => (typeof v === 'number' ? Math.round(v * 1000) / 1000 : v);
  const byStore = (name) => Object.fromEntries(rows.map((r) => [r.store, round(r[name])]));
  const of = Object.fromEntries(['ready_ms_10k', 'slot_1000_ms', 'cpu_ratio_bls'].map((name) => [name, byStore(name)]));
  console.log(JSON.stringify({ bench: 'validators', keys: N, ...of, blst_us: round(blst), rows: rows.map((r) => Object.fromEntries(Object.entries(r).map(([k, v]) => [k, round(v)]))) }));
}
process.exit(0);
