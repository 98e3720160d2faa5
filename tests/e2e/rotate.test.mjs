// SPDX-License-Identifier: Apache-2.0
// The life of data keys, in every store: `adyton tenant rotate` re-wraps all records of a tenant under a new data key while
// they sign; what is changed meanwhile is not lost; gateways that are killed are replaced; direct records become
// envelopes; another KMS key; another measurement of the enclave.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DisableKeyCommand } from '@aws-sdk/client-kms';
import { Transaction } from 'ethers';
import { test, done, random, skip, until, atEnd } from './lib/tap.mjs';
import { bin, run, scratch, request } from './lib/stack.mjs';
import { clientOptions } from './lib/aws.mjs';
import { admit, createKey, goodTx, makeRecord, measure, startDevcloud, startEnclave, policyFor } from './lib/hostile.mjs';
import { gatewayHome, startGateway } from './lib/gateway.mjs';
import { startPostgres } from './lib/postgres.mjs';

const r = random();
const dir = scratch('rot');
const cloud = await startDevcloud(join(dir, 'cloud'));
const keyArn = await createKey(cloud);
const more = await Promise.all(Array.from({ length: 5 }, () => createKey(cloud)));
const [second, ...firsts] = more;
const e = await startEnclave(cloud, keyArn, { kms: { keys: [keyArn, ...more] }, changes: { data_key_idle_s: 5 } });
for (const arn of more) await admit(cloud, arn, e.pcr0);
const home = gatewayHome(dir, cloud);
const pg = startPostgres();
if (!pg) await test('postgres', () => skip('PostgreSQL is not installed; left out: rotation with records in PostgreSQL'));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const places = [
  ['sqlite', { sqlite: join(dir, 'k.sqlite') }],
  ['folder', { folder: join(dir, 'folder') }],
  ...(pg ? [['postgres', { postgres: pg.conninfo }]] : []),
  ['secrets-manager', { prefix: 'r/', index_ms: 1000 }],
];

/** A gateway in front of a store: { g, ask, .. }. */
async function open(store, more = {}) {
  const g = await startGateway(home, { enclave: `unix:${e.socket}`, request_timeout_ms: 6000, ...more, store: { cache_ms: 60000, ...store } });
  const ask = (path, body, method = body === undefined ? 'GET' : 'POST', headers) => request(`${g.gateway}${path}`, { method, body, headers });
  await until(20000, 'the gateway to be ready', async () => (await ask('/readyz')).status === 200);
  return { g, ask, key: (id) => ask(`/v1/keys/${encodeURIComponent(id)}`) };
}
let nonce = 0;
async function signs(o, id, address) {
  const answer = await o.ask(`/v1/keys/${encodeURIComponent(id)}/sign`, { transaction: goodTx({ nonce: nonce++ }) });
  assert.equal(answer.status, 200, answer.body);
  assert.equal(Transaction.from(answer.json.signed_transaction).from, address);
}
const state = async (o, tenant) => (await o.ask(`/v1/tenants/${tenant}/rotate`)).json;
const finished = (o, tenant, ms = 60000) => until(ms, `the rotation of ${tenant}`, async () => {
  const s = await state(o, tenant);
  return s.state !== 'running' && s;
});

/** All that is tried with one store. */
async function story([kind, store], first) {
  const o = await open(store);
  const N = kind === 'secrets-manager' ? 20 : 250;
  const pre = store.prefix ?? '';
  const keys = [];
  await test(`${kind}: every record of the tenant comes under the new data key, while its keys sign`, async () => {
    for (let i = 0; i < N; i++) {
      const a = await o.ask('/v1/keys', { id: `${pre}k${i}`, tenant: 'acme', label: i === 7 ? 'seven' : undefined });
      assert.equal(a.status, 201, a.body);
      keys.push({ id: `k${i}`, address: a.json.address });
    }
    const other = (await o.ask('/v1/keys', { id: `${pre}other`, tenant: 'beta' })).json;
    const before = (await o.key('k0')).json;
    const otherBefore = (await o.key('other')).json;
    let ends = false;
    let signed = 0;
    const load = (async () => {
      while (!ends) {
        const k = keys[signed++ % N];
        if (k.id !== 'k3') await signs(o, k.id, k.address);
      }
    })();
    assert.equal((await o.ask('/v1/tenants/acme/rotate')).json.code, 'not_found');
    const began = await o.ask('/v1/tenants/acme/rotate', {});
    assert.equal(began.status, 202, began.body);
    assert.equal(began.json.state, 'running');
    assert.equal((await o.ask('/v1/tenants/acme/rotate', {})).json.code, 'conflict', 'one at a time');
    const fresh = await o.ask('/v1/keys', { id: `${pre}new`, tenant: 'acme' });
    assert.equal(fresh.status, 201, fresh.body);
    const off = await o.ask('/v1/keys/k3/disable', undefined, 'POST');
    assert.equal(off.status, 200, off.body);
    const end = await finished(o, 'acme');
    ends = true;
    await load;
    assert.deepEqual([end.state, end.rewrapped, end.failed], ['done', N, 0], JSON.stringify(end));
    assert.ok(signed > 20, `${signed}`);
    const after = (await o.key('k0')).json;
    assert.notEqual(after.revision, before.revision);
    assert.equal(after.public_key, before.public_key);
    assert.equal((await o.key('other')).json.revision, otherBefore.revision, 'of another tenant');
    assert.equal((await o.key('k3')).json.enabled, false, 'what was disabled meanwhile is');
    assert.equal((await o.key('k7')).json.label, 'seven');
    for (const k of keys) if (k.id !== 'k3') await signs(o, k.id, k.address);
    await signs(o, 'new', fresh.json.address);
    await signs(o, 'other', other.address);
  });

  await test(`${kind}: another KMS key: when the one before is gone, the records open all the same`, async () => {
    for (const bad of ['arn:aws:kms:us-east-1:111122223333:key/none', 'x']) {
      const no = await o.ask('/v1/tenants/acme/rotate', { kms_key: bad });
      assert.deepEqual([no.json.code, no.json.where], ['field_invalid', 'kms_key'], no.body);
    }
    for (const [tenant, arn, n] of [['acme', first, N + 1], ['beta', first, 1], ['acme', second, N + 1]]) {
      const began = await o.ask(`/v1/tenants/${tenant}/rotate`, { kms_key: arn });
      assert.equal(began.status, 202, began.body);
      const end = await finished(o, tenant);
      assert.deepEqual([end.state, end.rewrapped, end.kms_key], ['done', n, arn], JSON.stringify(end));
    }
    await cloud.kms.send(new DisableKeyCommand({ KeyId: first }));
    await o.ask('/v1/lock', { tenant: 'acme' });
    await o.ask('/v1/lock', { tenant: 'beta' });
    for (const k of keys.slice(4, 10)) await signs(o, k.id, k.address);
    const other = await o.ask('/v1/keys/other/sign', { transaction: goodTx() });
    assert.equal(other.json.code, 'kms_refused', 'beta is under the one that is gone');
    const fresh = await o.ask('/v1/keys', { id: `${pre}later`, tenant: 'acme' });
    assert.equal(fresh.status, 201, 'new keys are sealed under the new data key');
  });

  await test(`${kind}: direct records become envelopes; those of the AWS sample are skipped`, async () => {
    const made = await makeRecord(cloud, keyArn, `${pre}direct`, r.hex(32));
    assert.equal((await o.ask('/v1/keys', { record: made.record })).status, 201);
    assert.equal((await o.key('direct')).json.wrapping, 'direct');
    const began = await o.ask('/v1/tenants/default/rotate', undefined, 'POST');
    assert.equal(began.status, 202, began.body);
    const end = await finished(o, 'default');
    assert.deepEqual([end.state, end.rewrapped], ['done', 1], JSON.stringify(end));
    assert.equal((await o.key('direct')).json.wrapping, 'envelope');
    await signs(o, 'direct', made.address);
  });

  await test(`${kind}: a gateway that is killed: another one, or itself, goes on`, async () => {
    const slow = await open({ ...store, rewrap_rate: kind === 'secrets-manager' ? 4 : 40 });
    await o.g.stop();
    const began = await slow.ask('/v1/tenants/acme/rotate', {});
    assert.equal(began.status, 202, began.body);
    await until(20000, 'some progress', async () => (await state(slow, 'acme')).rewrapped > 0);
    await slow.g.stop('SIGKILL');
    const later = await open(store);
    const seen = await state(later, 'acme');
    assert.equal(seen.state, 'running');
    assert.ok(seen.rewrapped > 0 && seen.rewrapped < N, JSON.stringify(seen));
    const end = await finished(later, 'acme', 90000);
    assert.equal(end.state, 'done');
    assert.ok(end.rewrapped >= N, JSON.stringify(end));
    for (const k of keys.slice(4, 12)) await signs(later, k.id, k.address);
    await later.g.stop();
  });
}

await Promise.all(places.map((p, i) => story(p, firsts[i])));

await done();
