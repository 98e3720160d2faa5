// SPDX-License-Identifier: Apache-2.0
// How many keys a tenant may have: whichever way they come, one by one, many together or at once, and in each kind of
// store; other tenants are not concerned.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, done, random, skip, until } from './lib/tap.mjs';
import { request, scratch } from './lib/stack.mjs';
import { startGateway } from './lib/gateway.mjs';
import { startPostgres } from './lib/postgres.mjs';
import { randomKeystores } from './lib/keystores.mjs';
import { startValidators } from './lib/validators.mjs';

const KEYS = 20;
const r = random();
const s = await startValidators();
const dir = scratch('quota');
const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const pg = startPostgres();
if (!pg) await test('postgres', () => skip('PostgreSQL is not installed; left out: quotas of keys with records in it'));
const callers = ['acme', 'beta'].map((tenant) => ({ tenant, token_sha256: sha256(tenant) })).concat([{ admin: true, token_sha256: sha256('admin') }]);
const token = join(dir, 'token');

for (const [kind, store] of [['sqlite', { sqlite: join(dir, 'q.sqlite') }], ['folder', { folder: join(dir, 'keys') }], ...(pg ? [['postgres', { postgres: pg.conninfo }]] : []), ['secrets-manager', {}]])
  await test(`${kind}: a tenant has as many keys as its quota, however they come, and no more`, async () => {
    const quotas = { acme: { keys: KEYS } };
    const open = async () => {
      const g = await startGateway(s, { store, callers, quotas, keymanager: { token_files: { acme: token } } });
      await until(20000, 'the gateway to be ready', async () => (await request(`${g.gateway}/readyz`)).status === 200);
      return g;
    };
    let g = await open();
    const ask = (path, body, who = 'acme', method = body === undefined ? 'GET' : 'POST') => request(`${g.gateway}${path}`, { method, body, headers: { authorization: `Bearer ${who}` } });
    const have = async (who = 'acme') => (await ask('/v1/keys?limit=1000', undefined, who)).json.keys.length;
    const denied = (a) => {
      assert.deepEqual([a.status, a.json.code], [403, 'denied'], a.body);
      assert.match(a.json.detail, new RegExp(`has \\d+ keys, and its quota is ${KEYS}`));
    };
    assert.equal((await ask('/v1/keys', { options: '{"id":"a-"}', count: 5 })).status, 201);
    assert.equal((await ask('/v1/keys', { id: 'w', curve: 'wallet' })).status, 201);
    assert.equal((await ask('/v1/keys/w/derive', { path: "m/44'/60'/0'/0/*", count: 4, options: { id: 'd-' } })).status, 201);
    denied(await ask('/v1/keys', { options: '{"id":"b-"}', count: 11 })); // 10 are left, and none of these is made
    assert.equal(await have(), 10);
    const [k] = await randomKeystores(r, 1);
    const keystores = async () => (await request(`${g.gateway}/eth/v1/keystores`, { method: 'POST', body: { keystores: [k.keystore], passwords: [k.password] }, headers: { authorization: `Bearer ${readFileSync(token, 'utf8')}` } })).json.data[0];
    assert.deepEqual(await keystores(), { status: 'imported' });
    // all at once for what is left
    const many = await Promise.all(Array.from({ length: 15 }, (_, i) => ask('/v1/keys', { id: `c-${i}` })));
    assert.equal(many.filter((a) => a.status === 201).length, KEYS - 11);
    many.filter((a) => a.status !== 201).forEach(denied);
    assert.equal(await have(), KEYS);
    // and in no other way either, nor for an administrator
    denied(await ask('/v1/keys', { id: 'x' }));
    denied(await ask('/v1/keys', { id: 'x', tenant: 'acme' }, 'admin'));
    denied(await ask('/v1/keys', { options: '{"id":"x-"}', count: 2 }));
    denied(await ask('/v1/keys/w/derive', { path: "m/44'/60'/1'/0/*", count: 2, options: { id: 'x-' } }));
    const rpc = await ask('/', { jsonrpc: '2.0', id: 1, method: 'account_new', params: [] });
    assert.ok(rpc.json.error, rpc.body);
    const [l] = await randomKeystores(r, 1);
    Object.assign(k, l);
    const no = await keystores();
    assert.equal(no.status, 'error');
    assert.match(no.message, /its quota is/);
    assert.equal(await have(), KEYS);
    // what others have does not matter, and a gateway that starts anew counts what is there
    assert.equal((await ask('/v1/keys', { options: '{"id":"beta-"}', count: 30 }, 'beta')).status, 201);
    assert.equal(await have('beta'), 30);
    await g.stop();
    g = await open();
    denied(await ask('/v1/keys', { id: 'x' }));
    await g.stop();
  });

await test('a quota of keys that is none is refused', async () => {
  for (const keys of [0, -1, 'x', 1.5]) await assert.rejects(startGateway(s, { callers, quotas: { acme: { keys } } }), /quotas\.acme\.keys/);
});

await done();
