// SPDX-License-Identifier: Apache-2.0
// Limits over two gateways and two enclaves on one PostgreSQL, under load, while each process is killed and started
// again: never more than the limit.
import assert from 'node:assert/strict';
import { Transaction } from 'ethers';
import { test, done, until } from './lib/tap.mjs';
import { request, sign, startStack } from './lib/stack.mjs';
import { goodTx } from './lib/hostile.mjs';
import { crashPostgres, startSides } from './lib/sides.mjs';
import { startPostgres } from './lib/postgres.mjs';
import { generateKey, stamp } from '../../clients/js/index.js';

const ROUNDS = Number(process.env.ADYTON_ROUNDS ?? 2);
const pg = await startPostgres();
if (!pg) {
  console.log('skip limits over two gateways and two enclaves: PostgreSQL is not installed');
  await done();
}
const start = (after) => startStack({ args: ['--gateway-option', `store.postgres=${pg.conninfo}`, '--enclave-option', `counters_after_start=${after}`] });
const s = await start('store');
const sides = await startSides(s, 2);
const gateways = () => sides.map((side) => side.gateway.gateway);
await Promise.all(gateways().map((g) => until(20000, 'both gateways', async () => (await request(`${g}/readyz`)).status === 200)));

let nonce = 0;
const tx = (value = 1) => goodTx({ chainId: 31337, nonce: nonce++, value: String(value) });
const make = async (id, limits, gateway = gateways()[0]) => {
  const a = await request(`${gateway}/v1/keys`, { method: 'POST', body: { id, policy: { policy: 1, rules: [{ name: 'pay', effect: 'allow', when: {}, limits }] } } });
  assert.equal(a.status, 201, a.body);
};
const ask = (id, i, t = tx()) => sign({ gateway: gateways()[i % 2] }, id, t).catch((e) => ({ status: 0, body: String(e) }));
const valueOf = (a) => Transaction.from(a.json.signed_transaction).value;

await test('100 at once over both gateways: exactly what the limit allows, by value and by count', async () => {
  await make('sum', [{ name: 'ether', per: '1h', sum: 'value', max: 100 }, { name: 'n', per: '1h', max: 40 }]);
  const all = await Promise.all(Array.from({ length: 100 }, (_, i) => ask('sum', i, tx(1 + (i % 4)))));
  const good = all.filter((a) => a.status === 200);
  const total = good.reduce((sum, a) => sum + valueOf(a), 0n);
  assert.ok(total <= 100n && good.length <= 40, `${total} in ${good.length}`);
  assert.ok(total >= 97n || good.length === 40, `the limit was not used: ${total} in ${good.length}`);
  assert.deepEqual([...new Set(all.map((a) => a.status))].sort(), [200, 403], JSON.stringify(all.filter((a) => ![200, 403].includes(a.status)).map((a) => a.body)));
});

await test('a policy that is changed over one gateway holds over the other, whose record is the old one yet', async () => {
  const boss = await generateKey();
  const policy = (rules) => ({ policy: 1, rules, change: { need: 1, of: [boss.name] } });
  const counted = (max) => [{ name: 'pay', effect: 'allow', when: {}, limits: [{ name: 'n', per: '1h', max }] }];
  const free = [{ name: 'all', effect: 'allow', when: {} }];
  for (const [id, rules] of [['counted', counted(50)], ['free', free]]) {
    const made = await request(`${gateways()[0]}/v1/keys`, { method: 'POST', body: { id, policy: policy(rules) } });
    assert.equal(made.status, 201, made.body);
    for (const i of [0, 1]) assert.equal((await ask(id, i)).status, 200); // both enclaves know the row, both gateways the record
    const body = JSON.stringify({ revision: 0, policy: policy(counted(3)) });
    const approval = await stamp(boss, { key: id, deployment: 'dev', body, op: 'policy', life: 600 });
    const changed = await request(`${gateways()[0]}/v1/keys/${id}/policy`, { method: 'PUT', body, headers: { 'content-type': 'application/json', 'x-adyton-stamp': approval } });
    assert.equal(changed.status, 200, changed.body);
    let signed = 0;
    for (let i = 0; i < 8; i++) {
      const a = await ask(id, 1);
      signed += a.status === 200;
      assert.ok(a.status === 200 || ['counters_refused', 'denied'].includes(a.json.code), a.body);
    }
    await new Promise((resolve) => setTimeout(resolve, 1200)); // then the second gateway reads the record again
    for (let i = 0; i < 8; i++) signed += (await ask(id, 1)).status === 200;
    assert.equal(signed, id === 'counted' ? 1 : 3, id);
  }
});

const kills = [
  ['a gateway', () => sides[1].restartGateway()],
  ['an enclave', () => sides[1].restartEnclave()],
  ['PostgreSQL', () => crashPostgres(pg)],
];
for (let round = 0; round < ROUNDS; round++)
  for (const [what, kill] of kills)
    await test(`SIGKILL of ${what} under load, round ${round}: never beyond the limit, and in service again`, async () => {
      const id = `kill-${round}-${what.replace(/\W/g, '')}`;
      const max = 60;
      await until(20000, 'a key', async () => {
        try {
          await make(id, [{ name: 'n', per: '1h', max }]);
          return true;
        } catch {
          return false;
        }
      });
      const signed = new Set();
      const lost = [];
      let stop = false;
      const worker = async (i) => {
        while (!stop) {
          const t = tx();
          const a = await ask(id, i, t);
          if (a.status === 200) signed.add(a.json.signed_transaction);
          else if (a.status !== 403) lost.push(t), await new Promise((resolve) => setTimeout(resolve, 50));
          else return;
        }
      };
      const workers = Array.from({ length: 8 }, (_, i) => worker(i));
      await new Promise((resolve) => setTimeout(resolve, 40));
      await kill();
      await Promise.race([Promise.all(workers), new Promise((resolve) => setTimeout(resolve, 20000))]);
      stop = true;
      await Promise.all(workers);
      assert.ok(signed.size <= max, `${signed.size} signatures of ${max}`);
      // what got no answer may have been counted: repeated, it is signed without another charge, or refused
      for (const t of lost) {
        const a = await ask(id, 0, t);
        if (a.status === 200) signed.add(a.json.signed_transaction);
      }
      assert.ok(signed.size <= max, `${signed.size} signatures of ${max} after repeats`);
      assert.ok(signed.size >= max - 16, `${signed.size} signatures of ${max}: too much was lost`);
      const a = await ask(id, 1);
      assert.equal(a.status, 403, a.body);
    });


await done();
