// SPDX-License-Identifier: Apache-2.0
// What a limit costs: signatures a second and CPU of gateway and enclave a signature, of keys without a policy, with a
// policy, and with a limit, whose row is in memory, SQLite or PostgreSQL. 32 clients; one key, and 32 keys.
//   node bench/limits.mjs [SECONDS]      3 by default; prints ratios to the key without a policy
import { join } from 'node:path';
import { readFileSync, readdirSync } from 'node:fs';
import http from 'node:http';
import { done } from '../tests/e2e/lib/tap.mjs';
import { request, scratch, startStack } from '../tests/e2e/lib/stack.mjs';
import { startPostgres } from '../tests/e2e/lib/postgres.mjs';

const SECONDS = Number(process.argv[2] ?? 3);
const CLIENTS = 32;
const VAULT = '0x3535353535353535353535353535353535353535';
const rule = (more) => ({ policy: 1, rules: [{ name: 'pay', effect: 'allow', when: { to: VAULT }, ...more }] });
const limited = rule({ limits: [{ name: 'ether', per: '24h', sum: 'value', max: '1000000000000000000000' }] });

/** CPU of the stack's gateway and enclave so far, in microseconds. */
function cpu(dir) {
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((p) => /^\d+$/.test(p))) {
    try {
      const cmd = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (!/adyton-(gateway|enclave)/.test(cmd.split('\0')[0]) || !cmd.includes(dir)) continue;
      const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
      ticks += Number(f[11]) + Number(f[12]);
    } catch {}
  }
  return ticks * 10000;
}

async function measure(s, ids) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
  let nonce = 0, n = 0;
  const end = Date.now() + SECONDS * 1000;
  const before = cpu(s.dir);
  const began = Date.now();
  await Promise.all(Array.from({ length: CLIENTS }, async (_, i) => {
    while (Date.now() < end) {
      const transaction = { chainId: 1, nonce: nonce++, to: VAULT, value: '1', gas: 21000, maxFeePerGas: '2', maxPriorityFeePerGas: '1' };
      const a = await request(`${s.gateway}/v1/keys/${ids[i % ids.length]}/sign`, { method: 'POST', body: { transaction }, agent });
      if (a.status !== 200) throw new Error(a.body);
      n++;
    }
  }));
  agent.destroy();
  return { rate: n / ((Date.now() - began) / 1000), cpu: (cpu(s.dir) - before) / n };
}

const pg = await startPostgres();
const places = { memory: () => ['states=memory'], sqlite: (dir) => [`states=sqlite:${join(dir, 'states.db')}`], ...(pg && { postgres: () => [`states=postgres:${pg.conninfo}`] }) };
console.log('states      key        one key: rate ratio  cpu ratio   32 keys: rate ratio  cpu ratio');
for (const [name, options] of Object.entries(places)) {
  const dir = scratch('bl');
  const s = await startStack({ args: ['--gateway-option', `store.sqlite=${join(dir, 'keys.db')}`, ...options(dir).flatMap((o) => ['--gateway-option', o])] });
  const base = {};
  for (const [kind, policy] of [['plain', undefined], ['policy', rule({})], ['limit', limited]]) {
    const ids = Array.from({ length: CLIENTS }, (_, i) => `${kind}-${i}`);
    for (const id of ids) await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id, policy } });
    const cells = [];
    for (const [which, set] of [['one', ids.slice(0, 1)], ['many', ids]]) {
      await measure(s, set);
      const m = await measure(s, set);
      base[which] ??= m;
      cells.push(`${(m.rate / base[which].rate).toFixed(2).padStart(15)} ${(m.cpu / base[which].cpu).toFixed(2).padStart(10)}`);
    }
    console.log(`${name.padEnd(11)} ${kind.padEnd(10)} ${cells.join('      ')}`);
  }
  await s.stop();
}
await done();
