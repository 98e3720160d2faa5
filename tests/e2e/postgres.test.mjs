// SPDX-License-Identifier: Apache-2.0
// Two gateways and two enclaves on one PostgreSQL, each gateway linked to both enclaves, under load: the server
// crashes and comes back, each enclave is killed in turn, and a gateway. What was acknowledged is there, no answer
// is wrong, and service is back within 3 s of each. How long it took is printed. Then what two gateways that copy
// the database serve of a key that one of them changes.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Transaction } from 'ethers';
import { test, done, skip, until } from './lib/tap.mjs';
import { scratch, request } from './lib/stack.mjs';
import { admit, createKey, goodTx, startDevcloud, startEnclave } from './lib/hostile.mjs';
import { gatewayHome, startGateway, metric } from './lib/gateway.mjs';
import { startPostgres } from './lib/postgres.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const pg = startPostgres();
const dir = scratch('pg');

/** Requests without end; good answers are noted with their time. */
function load(gateways) {
  const l = { made: new Map(), refusals: {}, good: [], wrong: [], ends: false, n: 0 };
  const note = (a) => {
    const why = a.json?.code ?? a.status ?? a;
    l.refusals[why] = (l.refusals[why] ?? 0) + 1;
  };
  const ask = (i, path, body) => request(`${gateways[i % 2].gateway}${path}`, { method: 'POST', body, timeout: 15000 }).catch((e) => e.code ?? 'error');
  const maker = async (i) => {
    while (!l.ends) {
      const id = `k${l.n++}`;
      const a = await ask(i, '/v1/keys', { id });
      if (a.status === 201) l.made.set(id, a.json.address), l.good.push({ at: performance.now(), i, what: 'create' });
      else note(a), await sleep(20);
    }
  };
  const signer = async (i) => {
    while (!l.ends) {
      const ids = [...l.made.keys()];
      const id = ids[Math.floor(Math.random() * ids.length)];
      if (!id) { await sleep(20); continue; }
      const nonce = Math.floor(Math.random() * 1e6);
      const a = await ask(i, `/v1/keys/${id}/sign`, { transaction: goodTx({ nonce }) });
      if (a.status !== 200) { note(a), await sleep(20); continue; }
      const tx = Transaction.from(a.json.signed_transaction);
      if (tx.from !== l.made.get(id) || tx.nonce !== nonce) l.wrong.push(`${id}: ${a.body}`);
      l.good.push({ at: performance.now(), i, what: 'sign' });
    }
  };
  l.work = Promise.all([maker(0), maker(1), maker(0), signer(0), signer(1), signer(0)]);
  /** The longest time without a good answer of that kind between two times. */
  l.gap = (what, from, to) => {
    const times = [from, ...l.good.filter((g) => g.what === what && g.at > from && g.at < to).map((g) => g.at).sort((a, b) => a - b), to];
    return Math.round(Math.max(...times.slice(1).map((t, k) => t - times[k])));
  };
  return l;
}

await test('records in PostgreSQL outlive crashes of server, gateway and enclave', async () => {
  if (!pg) skip('PostgreSQL is not installed; left out: crashes under load');
  const cloud = await startDevcloud(join(dir, 'cloud'));
  const keyArn = await createKey(cloud);
  const enclaves = [await startEnclave(cloud, keyArn), await startEnclave(cloud, keyArn)];
  await admit(cloud, keyArn, enclaves.map((e) => e.pcr0));
  const config = { enclave: enclaves.map((e) => `unix:${e.socket}`), store: { postgres: pg.conninfo, cache_ms: 0 } };
  const home = gatewayHome(dir, cloud);
  const ready = (g) => until(20000, 'the gateway to be ready', async () => (await request(`${g.gateway}/readyz`).catch(() => ({}))).status === 200);
  const gateways = [await startGateway(home, config), await startGateway(home, config)];
  for (const g of gateways) await ready(g);
  const l = load(gateways);
  await until(10000, 'the first keys', () => l.made.size > 10);
  const events = [];
  /** What breaks, and for how long to look; the load goes on. */
  const happens = async (what, ms, fn, { takes = false } = {}) => {
    let began = performance.now();
    await fn();
    if (takes) console.log(`# ${what}: took ${Math.round(performance.now() - began)} ms, in which nothing is asked`), (began = performance.now());
    await sleep(ms);
    events.push({ what, gaps: ['create', 'sign'].map((k) => [k, l.gap(k, began, performance.now())]) });
  };
  await happens('nothing', 1500, () => {});
  await happens('PostgreSQL killed and started', 3500, () => (pg.stop('immediate'), pg.start()), { takes: true });
  for (const [k, e] of enclaves.entries()) {
    await happens(`enclave ${k} killed`, 2500, () => e.child.kill('SIGKILL'));
    await happens(`enclave ${k} started`, 1500, () => e.restart());
  }
  const dead = gateways[1];
  await happens('gateway 1 killed, its clients go to gateway 0', 2500, async () => {
    await dead.stop('SIGKILL');
    gateways[1] = gateways[0];
  });
  const second = await startGateway(home, config);
  await ready(second);
  await happens('gateway 1 started', 1500, () => (gateways[1] = second));
  l.ends = true;
  await l.work;
  for (const { what, gaps } of events) console.log(`# ${what}: longest time without a good answer: ${gaps.map(([k, ms]) => `${k} ${ms} ms`).join(', ')}`);
  console.log(`# ${l.made.size} keys made, ${l.good.length - l.made.size} signatures; refused meanwhile: ${JSON.stringify(l.refusals)}`);
  assert.deepEqual(l.wrong, [], 'wrong answers');
  for (const g of gateways)
    for (const [id, address] of l.made) {
      const a = await request(`${g.gateway}/v1/keys/${id}`);
      assert.equal(a.status, 200, `${id} was acknowledged and is lost: ${a.body}`);
      assert.equal(a.json.address, address);
    }
  assert.ok(l.made.size > 50, `${l.made.size} made`);
  assert.ok(Object.keys(l.refusals).every((k) => /^(store_unavailable|enclave_unavailable|overloaded|already_exists|deadline_exceeded|kms_unavailable|credentials_unavailable|ECONNRESET|ECONNREFUSED|error)$/.test(k)), JSON.stringify(l.refusals));
  // On a machine where good answers are that far apart when nothing happens, it is not the crash that takes 3 s.
  const usual = Math.max(...events[0].gaps.map(([, ms]) => ms));
  const bound = 3000 + 10 * Math.max(0, usual - 300);
  for (const { what, gaps } of events) for (const [k, ms] of gaps) assert.ok(ms < bound, `${what}: ${k}: no service for ${ms} ms, of ${bound}`);
  for (const g of gateways)
    await until(20000, 'all links to be there again', async () => {
      const { body } = await request(`${g.gateway}/metrics`);
      return [0, 1].every((k) => body.includes(`\nadyton_enclave_up{enclave="${k}"} 1\n`)) && metric(body, 'adyton_links_up') === metric(body, 'adyton_links_wanted');
    });
});

await test('a gateway serves no copy of what another one has changed', async () => {
  if (!pg) skip('PostgreSQL is not installed; left out: copies of two gateways');
  const cloud = await startDevcloud(join(dir, 'cloud2'));
  const keyArn = await createKey(cloud);
  const enclave = await startEnclave(cloud, keyArn);
  await admit(cloud, keyArn, [enclave.pcr0]);
  // An hour: whatever is noticed earlier was told.
  const config = { enclave: `unix:${enclave.socket}`, store: { postgres: pg.conninfo, cache_ms: 3600000 } };
  const home = gatewayHome(join(dir, 'cloud2'), cloud);
  const gateways = [await startGateway(home, config), await startGateway(home, config)];
  const ask = (k, path, body) => request(`${gateways[k].gateway}${path}`, { method: 'POST', body });
  const sign = (k, id) => ask(k, `/v1/keys/${id}/sign`, { transaction: goodTx() });
  const metrics = async (k) => (await request(`${gateways[k].gateway}/metrics`)).body;
  const comes = (what, fn) => until(20000, what, fn);
  for (const k of [0, 1]) await comes('the gateways to be ready', async () => (await request(`${gateways[k].gateway}/readyz`).catch(() => ({}))).status === 200);
  const ids = Array.from({ length: 20 }, (_, i) => `copied-${i}`);
  for (const id of ids) assert.equal((await ask(0, '/v1/keys', { id, tenant: 'copies' })).status, 201);
  const rows = Number(pg.psql('SELECT count(*) FROM adyton_record').stdout);
  await comes('copies of all keys', async () => metric(await metrics(1), 'adyton_store_copies') === rows);
  const fetches = metric(await metrics(1), 'adyton_store_fetches_total');
  for (const id of ids) assert.equal((await sign(1, id)).status, 200);
  assert.equal(metric(await metrics(1), 'adyton_store_fetches_total'), fetches, 'nothing was asked for');
  const [first, second] = ids;
  assert.equal((await ask(0, `/v1/keys/${first}/disable`)).status, 200);
  assert.equal((await sign(0, first)).json.code, 'denied', 'at once where it was disabled');
  await comes('the other gateway to refuse', async () => (await sign(1, first)).json.code === 'denied');
  assert.equal((await ask(1, `/v1/keys/${first}/enable`)).status, 200);
  assert.equal((await sign(1, first)).status, 200, 'at once where it was enabled');
  await comes('the other gateway to sign', async () => (await sign(0, first)).status === 200);
  pg.stop('immediate');
  pg.start();
  await comes('the store to be back', async () => (await ask(0, `/v1/keys/${second}/disable`)).status === 200);
  await comes('the other gateway to refuse', async () => (await sign(1, second)).json.code === 'denied');
});

await done();
