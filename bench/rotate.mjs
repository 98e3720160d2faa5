// SPDX-License-Identifier: Apache-2.0
// script/bench rotate: the rotation of a tenant's data key in SQLite, as fast as it goes and at the usual rate, and what it
// does to signatures meanwhile.
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { until, done } from '../tests/e2e/lib/tap.mjs';
import { scratch, request } from '../tests/e2e/lib/stack.mjs';
import { createKey, goodTx, startDevcloud, startEnclave } from '../tests/e2e/lib/hostile.mjs';
import { gatewayHome, startGateway } from '../tests/e2e/lib/gateway.mjs';

const args = process.argv.slice(2);
const option = (name, value) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : value);
const N = option('--keys', 100000);
const EVERY_MS = 5;
const dir = scratch('rotate');
const cloud = await startDevcloud(join(dir, 'cloud'));
const e = await startEnclave(cloud, await createKey(cloud));
const home = gatewayHome(dir, cloud);
const open = async (rate) => {
  const g = await startGateway(home, { enclave: `unix:${e.socket}`, request_timeout_ms: 20000, store: { sqlite: join(dir, 'k.sqlite'), rewrap_rate: rate } });
  // a connection that the gateway ends after its minute may take one request with it
  const ask = (path, body) => once(path, body).catch((x) => (x.code === 'ECONNRESET' ? once(path, body) : Promise.reject(x)));
  const once = (path, body) => request(`${g.gateway}${path}`, { method: body === undefined ? 'GET' : 'POST', body, timeout: 60000 });
  await until(20000, 'the gateway to be ready', async () => (await ask('/readyz')).status === 200);
  return { g, ask };
};
const cpu = (pid) => {
  const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(f[11]) + Number(f[12])) * 10;
};
/** Signatures by keys at random, one each 5 ms, until ends() is true: p50 and p99 in ms. */
async function sample(ask, ends) {
  const ms = [];
  const all = [];
  while (!ends()) {
    const began = performance.now();
    all.push(ask(`/v1/keys/k${Math.floor(Math.random() * N)}/sign`, { transaction: goodTx() }).then((a) => {
      if (a.status !== 200) throw new Error(a.body);
      ms.push(performance.now() - began);
    }));
    await new Promise((r) => setTimeout(r, EVERY_MS));
  }
  await Promise.all(all);
  ms.sort((a, b) => a - b);
  return { n: ms.length, p50: ms[ms.length >> 1], p99: ms[Math.floor(ms.length * 0.99)] };
}

let o = await open(500);
const t0 = performance.now();
for (let first = 0; first < N; first += 1000) {
  const a = await o.ask('/v1/keys', { options: '{"id":"k"}', count: Math.min(1000, N - first), first });
  if (a.status !== 201) throw new Error(a.body);
}
const made = N / ((performance.now() - t0) / 1000);
console.log(`${N} keys made and stored: ${Math.round(made)}/s`);
const rows = [];
const note = (what, s) => {
  rows.push({ what, ...s });
  console.log(`${what.padEnd(44)} ${String(s.n).padStart(6)} signatures, p50 ${s.p50.toFixed(1)} ms, p99 ${s.p99.toFixed(1)} ms`);
};
let end = performance.now() + 10000;
note('signing alone', await sample(o.ask, () => performance.now() > end));
await o.ask('/v1/tenants/default/rotate', {});
end = performance.now() + 20000;
note('while 500 records a second are re-wrapped', await sample(o.ask, () => performance.now() > end));
await o.g.stop();
o = await open(100000);
const before = [cpu(o.g.pid), cpu(e.child.pid)];
const state = async () => (await o.ask('/v1/tenants/default/rotate')).json;
// the other gateway has noted it last: this one takes it on 30 s later, under the same data key
const from = (await state()).rewrapped;
await until(60000, 'it to be gone on with', async () => (await state()).rewrapped > from);
const began = performance.now();
const at = (await state()).rewrapped;
let over;
const watch = (async () => { while (!(over = (await state()).rewrapped >= N)) await new Promise((r) => setTimeout(r, 200)); })();
note('while they are re-wrapped as fast as it goes', await sample(o.ask, () => over));
await watch;
const s = (performance.now() - began) / 1000;
const after = [cpu(o.g.pid), cpu(e.child.pid)];
const rate = (N - at) / s;
console.log(`re-wrapped as fast as it goes: ${Math.round(rate)}/s; CPU a record: gateway ${(((after[0] - before[0]) * 1000) / (N - from)).toFixed(0)} us, enclave ${(((after[1] - before[1]) * 1000) / (N - from)).toFixed(0)} us (signatures included)`);
if (args.includes('--json')) console.log(JSON.stringify({ keys: N, made_per_s: Math.round(made), rewrapped_per_s: Math.round(rate), rows }));
await done();
