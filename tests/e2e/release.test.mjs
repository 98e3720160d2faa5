// SPDX-License-Identifier: Apache-2.0
// A release of the enclave, as doc/keys.md says: two measurements in the key policy, both enclaves behind one gateway, the
// old one taken away, and its measurement shut out; then records under a KMS key that never named it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Transaction } from 'ethers';
import { test, done, until } from './lib/tap.mjs';
import { scratch, request } from './lib/stack.mjs';
import { admit, createKey, goodTx, roleCredentials, startDevcloud, startEnclave } from './lib/hostile.mjs';
import { gatewayHome, startGateway } from './lib/gateway.mjs';

const dir = scratch('rel');
const cloud = await startDevcloud(join(dir, 'cloud'));
const [keyArn, nextArn] = [await createKey(cloud), await createKey(cloud)];
const old = await startEnclave(cloud, keyArn);
const home = gatewayHome(dir, cloud);
const store = { sqlite: join(dir, 'keys.sqlite'), cache_ms: 0 };

async function open(enclaves) {
  const g = await startGateway(home, { enclave: enclaves.map((e) => `unix:${e.socket}`), store, request_timeout_ms: 10000 });
  const ask = (path, body) => request(`${g.gateway}${path}`, { method: body === undefined ? 'GET' : 'POST', body });
  await until(20000, 'the gateway to be ready', async () => {
    const { status, json } = await ask('/readyz');
    return status === 200 && !json.enclave.detail;
  });
  const signs = async (id, address) => {
    const answer = await ask(`/v1/keys/${id}/sign`, { transaction: goodTx() });
    assert.equal(answer.status, 200, answer.body);
    assert.equal(Transaction.from(answer.json.signed_transaction).from, address);
  };
  return { g, ask, signs };
}

const first = await open([old]);
const keys = [];
for (let i = 0; i < 20; i++) keys.push((await first.ask('/v1/keys', { id: `k${i}` })).json);
await first.g.stop();
let next, both;

await test('a new version that the policy does not name opens nothing', async () => {
  next = await startEnclave(cloud, keyArn, { changes: { data_keys: 512 }, kms: { keys: [keyArn, nextArn] }, admit: false });
  assert.notEqual(next.pcr0, old.pcr0);
  const link = next.link();
  await link.credentials(await roleCredentials(cloud));
  assert.equal((await link.create('x')).error.cause, 'AccessDeniedException');
  link.end();
});

await test('with both in the policy both sign, for the same records', async () => {
  await admit(cloud, keyArn, [old.pcr0, next.pcr0]);
  both = await open([old, next]);
  const links = [old.link(), next.link()];
  const before = await Promise.all(links.map(async (l) => (await l.status()).signed));
  for (let round = 0; round < 5; round++) await Promise.all(keys.map((k) => both.signs(k.id, k.address)));
  const after = await Promise.all(links.map(async (l) => (await l.status()).signed));
  for (const i of [0, 1]) assert.ok(after[i] > before[i] + 5, `${after[i] - before[i]} by ${i}`);
});

await test('the old one ends under load, and nobody notices', async () => {
  const all = Promise.all(Array.from({ length: 200 }, (_, i) => both.signs(keys[i % 20].id, keys[i % 20].address)));
  old.child.kill('SIGTERM');
  await all;
});

await test('without the old measurement in the policy the old version opens nothing any more', async () => {
  await admit(cloud, keyArn, next.pcr0);
  await Promise.all(keys.map((k) => both.signs(k.id, k.address)));
  await old.ended;
  await old.restart();
  const link = old.link();
  await link.credentials(await roleCredentials(cloud));
  assert.equal((await link.create('x')).error.cause, 'AccessDeniedException');
  link.end();
  old.child.kill('SIGKILL');
  await old.ended;
  await until(20000, 'the gateway to know that it is gone', async () => (await both.ask('/readyz')).json.enclave.detail === '1 of 2 enclaves answer');
});

await test('rotated to a KMS key that never named the old version: the old policy put back opens none of it', async () => {
  await admit(cloud, nextArn, next.pcr0);
  const began = await both.ask('/v1/tenants/default/rotate', { kms_key: nextArn });
  assert.equal(began.status, 202, began.body);
  const end = await until(60000, 'the rotation', async () => {
    const { json } = await both.ask('/v1/tenants/default/rotate');
    return json.state !== 'running' && json;
  });
  assert.deepEqual([end.state, end.rewrapped], ['done', 20], JSON.stringify(end));
  await both.g.stop();
  await admit(cloud, keyArn, [old.pcr0, next.pcr0]);
  await old.ended;
  await old.restart();
  const again = await open([old]);
  const answer = await again.ask('/v1/keys/k0/sign', { transaction: goodTx() });
  assert.equal(answer.json.code, 'kms_refused', answer.body);
  await again.g.stop();
  const after = await open([next]);
  await Promise.all(keys.map((k) => after.signs(k.id, k.address)));
});

await done();
