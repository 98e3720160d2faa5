// SPDX-License-Identifier: Apache-2.0
// Two gateways and two enclaves on one PostgreSQL, under load, while one gateway is killed, one enclave is killed
// (its supervisor starts it again) and the server crashes and comes back: what was acknowledged is there, no
// answer is wrong, and service is back soon.
import assert from 'node:assert/strict';
import { Transaction } from 'ethers';
import { test, done, skip, until } from './lib/tap.mjs';
import { startStack, request } from './lib/stack.mjs';
import { goodTx } from './lib/hostile.mjs';
import { startGateway } from './lib/gateway.mjs';
import { startPostgres } from './lib/postgres.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const pg = startPostgres();
await test('records in PostgreSQL outlive crashes of server, gateway and enclave', async () => {
  if (!pg) skip('PostgreSQL is not installed; left out: crashes under load');
  const s = await startStack();
  const store = { postgres: pg.conninfo, cache_ms: 0 };
  const ready = (g) => until(20000, 'the gateway to be ready', async () => (await request(`${g.gateway}/readyz`).catch(() => ({}))).status === 200);
  const gateways = [await startGateway(s, { store }), await startGateway(s, { store })];
  for (const g of gateways) await ready(g);
  const made = new Map();
  const refusals = {};
  let n = 0;
  let ends = false;
  let lastGood = Date.now();
  let gap = 0;
  const good = () => {
    gap = Math.max(gap, Date.now() - lastGood);
    lastGood = Date.now();
  };
  const note = (a) => (refusals[a.json?.code ?? a.status ?? a] = (refusals[a.json?.code ?? a.status ?? a] ?? 0) + 1);
  const maker = async (i) => {
    while (!ends) {
      const g = gateways[i % 2];
      const id = `k${n++}`;
      const a = await request(`${g.gateway}/v1/keys`, { method: 'POST', body: { id }, timeout: 15000 }).catch((e) => e.code ?? 'error');
      if (a.status === 201) made.set(id, a.json.address), good();
      else note(a), await sleep(20);
    }
  };
  const signer = async (i) => {
    while (!ends) {
      const ids = [...made.keys()];
      const id = ids[Math.floor(Math.random() * ids.length)];
      if (!id) { await sleep(20); continue; }
      const a = await request(`${gateways[i % 2].gateway}/v1/keys/${id}/sign`, { method: 'POST', body: { transaction: goodTx() }, timeout: 15000 }).catch((e) => e.code ?? 'error');
      if (a.status === 200) assert.equal(Transaction.from(a.json.signed_transaction).from, made.get(id), 'a wrong answer'), good();
      else note(a), await sleep(20);
    }
  };
  const work = Promise.all([maker(0), maker(1), maker(0), signer(0), signer(1), signer(0)]);
  await sleep(2000);
  pg.stop('immediate');
  pg.start();
  await sleep(2000);
  process.kill(s.pids.enclave, 'SIGKILL');
  await sleep(3000);
  const dead = gateways[1];
  gateways[1] = gateways[0];
  await dead.stop('SIGKILL');
  await sleep(1500);
  ends = true;
  await work;
  gateways[1] = await startGateway(s, { store });
  await ready(gateways[1]);
  for (const g of gateways)
    for (const [id, address] of made) {
      const a = await request(`${g.gateway}/v1/keys/${id}`);
      assert.equal(a.status, 200, `${id} was acknowledged and is lost: ${a.body}`);
      assert.equal(a.json.address, address);
    }
  assert.ok(made.size > 50, `${made.size} made`);
  assert.ok(Object.keys(refusals).every((k) => /^(store_unavailable|enclave_unavailable|overloaded|already_exists|deadline_exceeded|kms_unavailable|credentials_unavailable|ECONNRESET|ECONNREFUSED|error)$/.test(k)), JSON.stringify(refusals));
  console.log(`# ${made.size} keys made; refused meanwhile: ${JSON.stringify(refusals)}; longest gap between good answers ${gap} ms`);
  assert.ok(gap < 3000, `no service for ${gap} ms`);
});

await done();
