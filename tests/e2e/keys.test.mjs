// SPDX-License-Identifier: Apache-2.0
// Keys as a resource, in every store: the same requests against gateways whose records lie in Secrets
// Manager, in SQLite, in a folder and in PostgreSQL. Every program is the real one.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Transaction } from 'ethers';
import { test, done, random, until, skip } from './lib/tap.mjs';
import { scratch, startStack, putKey, request, run, bin, awsEnv } from './lib/stack.mjs';
import { goodTx } from './lib/hostile.mjs';
import { startGateway } from './lib/gateway.mjs';
import { startPostgres } from './lib/postgres.mjs';

const r = random();
const s = await startStack();
const dir = scratch();
const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const bearer = (token) => ({ authorization: `Bearer ${token}` });
const A = bearer('token-a');
const admin = bearer('token-admin');
const addresses = {};
for (const [id, tenant] of [['k/1', 'acme'], ['k2', 'acme'], ['k3', 'acme'], ['b1', 'beta']])
  addresses[id] = putKey(s, id, r.bytes(32).toString('hex'), '--tenant', tenant).address;
putKey(s, 'sample', r.bytes(32).toString('hex'), '--aws-sample');
const aws = { ...awsEnv(s), AWS_ENDPOINT_URL: s.devcloud, AWS_CA_BUNDLE: s.ca_file, AWS_REGION: s.region };
const adyton = (args, env = {}) => run(join(bin, 'adyton'), args, { env: { ...aws, ...env } });

const pg = startPostgres();
const places = [
  ['secrets-manager', 'secrets-manager:', {}],
  ['sqlite', `sqlite:${join(dir, 'keys.sqlite')}`, { sqlite: join(dir, 'keys.sqlite') }],
  ['folder', `folder:${join(dir, 'keys')}`, { folder: join(dir, 'keys') }],
  ...(pg ? [['postgres', `postgres:${pg.conninfo}`, { postgres: pg.conninfo }]] : []),
];
if (!pg) await test('postgres', () => skip('PostgreSQL is not installed; left out: the same requests with records in PostgreSQL'));

for (const [kind, spec] of places.slice(1))
  await test(`${kind}: store copy brings all described records over, and once more finds them the same`, () => {
    const first = adyton(['store', 'copy', 'secrets-manager:', spec, '--json']);
    assert.equal(first.status, 0, first.stderr);
    assert.deepEqual(JSON.parse(first.stdout), { copied: 5, replaced: 0, same: 0 });
    assert.deepEqual(JSON.parse(adyton(['store', 'copy', 'secrets-manager:', spec, '--json']).stdout), { copied: 0, replaced: 0, same: 5 });
  });

for (const [kind, spec, store] of places) {
  const g = await startGateway(s, {
    store: { cache_ms: 30000, ...store },
    callers: [
      { tenant: 'acme', token_sha256: sha256('token-a') },
      { tenant: 'beta', token_sha256: sha256('token-b'), manage: false },
      { admin: true, token_sha256: sha256('token-admin') },
    ],
  });
  const ask = (path, headers = A, method = 'GET', body) => request(`${g.gateway}${path}`, { method, headers, body });
  const signs = (id, headers = A) => ask(`/v1/keys/${encodeURIComponent(id)}/sign`, headers, 'POST', { transaction: goodTx() });
  const ids = async (query = '', headers = A) => {
    const answer = await ask(`/v1/keys${query}`, headers);
    assert.equal(answer.status, 200, answer.body);
    return answer.json.keys.map((k) => k.id);
  };
  await until(20000, 'the gateway to be ready', async () => (await ask('/readyz')).status === 200);

  await test(`${kind}: a caller lists the keys of its tenant, an administrator all`, async () => {
    assert.deepEqual(await ids(), ['k/1', 'k2', 'k3']);
    assert.deepEqual(await ids('', bearer('token-b')), ['b1']);
    assert.deepEqual(await ids('', admin), ['b1', 'k/1', 'k2', 'k3', 'sample']);
    assert.deepEqual(await ids('?tenant=beta', admin), ['b1']);
    assert.deepEqual(await ids('?tenant=beta'), [], "another tenant's keys do not exist");
    assert.equal((await ask('/v1/keys', {})).status, 401);
  });

  await test(`${kind}: pages follow one another`, async () => {
    const first = (await ask('/v1/keys?limit=2')).json;
    assert.deepEqual(first.keys.map((k) => k.id), ['k/1', 'k2']);
    assert.equal(first.next, 'k2');
    const second = (await ask(`/v1/keys?limit=2&after=${encodeURIComponent(first.next)}`)).json;
    assert.deepEqual(second.keys.map((k) => k.id), ['k3']);
    assert.equal(second.next, undefined);
  });

  await test(`${kind}: keys are found by the beginning of their id, by address, by public key and by all of them together`, async () => {
    const { address, public_key } = (await ask('/v1/keys/k%2F1')).json;
    assert.deepEqual(await ids('?prefix=k'), ['k/1', 'k2', 'k3']);
    assert.deepEqual(await ids('?prefix=k%2F'), ['k/1']);
    assert.deepEqual(await ids('?prefix=k&after=k2'), ['k3']);
    assert.deepEqual(await ids('?prefix=b'), []);
    for (const q of [`address=${address}`, `address=${address.toLowerCase()}`, `public_key=${public_key}`, `address=${address}&public_key=${public_key}&prefix=k&curve=secp256k1&enabled=true`]) {
      assert.deepEqual(await ids(`?${q}`), ['k/1'], q);
      assert.deepEqual(await ids(`?${q}`, bearer('token-b')), [], `${q}: another tenant's`);
    }
    assert.deepEqual(await ids(`?address=${address}&prefix=x`), []);
    assert.deepEqual(await ids(`?address=0x${'11'.repeat(20)}`), []);
    assert.deepEqual(await ids(`?public_key=0x${'11'.repeat(48)}`), []);
    const listed = adyton(['key', 'list', '--json', '--address', address, '--prefix', 'k', '--public-key', public_key], { ADYTON_GATEWAY: g.gateway, ADYTON_TOKEN: 'token-a' });
    assert.deepEqual(listed.stdout.trim().split('\n').map((l) => JSON.parse(l).id), ['k/1']);
  });

  await test(`${kind}: a key is shown without its ciphertext`, async () => {
    const answer = await ask('/v1/keys/k%2F1');
    assert.equal(answer.status, 200, answer.body);
    const k = answer.json;
    assert.equal(k.address, addresses['k/1']);
    assert.equal(k.tenant, 'acme');
    assert.equal(k.curve, 'secp256k1');
    assert.equal(k.wrapping, 'direct');
    assert.equal(k.enabled, true);
    assert.match(k.public_key, /^0x0[23][0-9a-f]{64}$/);
    assert.ok(k.created > 1.7e9 && k.revision.length > 0);
    assert.ok(!answer.body.includes('ciphertext'));
    for (const headers of [bearer('token-b'), A]) assert.equal((await ask(headers === A ? '/v1/keys/b1' : '/v1/keys/k2', headers)).json.code, 'not_found');
    assert.equal((await ask('/v1/keys/sample', admin)).json.wrapping, 'aws-sample');
  });

  await test(`${kind}: a disabled key does not sign, at once, until it is enabled`, async () => {
    assert.equal((await signs('k/1')).status, 200);
    const off = await ask('/v1/keys/k%2F1/disable', A, 'POST');
    assert.equal(off.status, 200, off.body);
    assert.equal(off.json.enabled, false);
    const refused = await signs('k/1');
    assert.equal(refused.status, 403);
    assert.equal(refused.json.detail, 'the key is disabled');
    assert.deepEqual(await ids('?enabled=false'), ['k/1']);
    assert.deepEqual(await ids('?enabled=true'), ['k2', 'k3']);
    assert.equal((await ask('/v1/keys/k%2F1', A, 'PATCH', { enabled: true })).json.enabled, true);
    assert.equal((await signs('k/1')).status, 200);
  });

  await test(`${kind}: labels are given, searched and taken away`, async () => {
    const label = 'hot wallet ü "1"';
    const named = await ask('/v1/keys/k2', A, 'PATCH', { label });
    assert.equal(named.status, 200, named.body);
    assert.equal(named.json.label, label);
    assert.deepEqual(await ids(`?label=${encodeURIComponent(label)}`), ['k2']);
    assert.equal((await ask('/v1/keys?label=none')).json.keys.length, 0);
    assert.equal((await ask('/v1/keys/k2', A, 'PATCH', { label: '' })).json.label, '');
    assert.deepEqual(await ids(`?label=${encodeURIComponent(label)}`), []);
  });

  await test(`${kind}: a deletion is planned, stops the key, and is taken back`, async () => {
    assert.equal((await signs('k3')).status, 200);
    const gone = await ask('/v1/keys/k3?days=7', A, 'DELETE');
    assert.equal(gone.status, 200, gone.body);
    const days = (gone.json.deletion - Date.now() / 1000) / 86400;
    assert.ok(days > 6.9 && days < 7.1, `${days} days`);
    assert.equal(gone.json.enabled, false);
    const refused = await signs('k3');
    assert.ok([403, 404].includes(refused.status), refused.body);
    assert.equal((await ask('/v1/keys/k3/enable', A, 'POST')).status, 409);
    assert.ok((await ids()).includes('k3'));
    const back = await ask('/v1/keys/k3/restore', A, 'POST');
    assert.equal(back.status, 200, back.body);
    assert.equal(back.json.deletion, undefined);
    await until(5000, 'the key to sign again', async () => (await signs('k3')).status === 200);
  });

  await test(`${kind}: what was changed meanwhile is not changed over`, async () => {
    const { revision } = (await ask('/v1/keys/k2')).json;
    const wrong = await ask('/v1/keys/k2', { ...A, 'if-match': '"0"' }, 'PATCH', { label: 'x' });
    assert.equal(wrong.status, 409, wrong.body);
    assert.equal(wrong.json.code, 'conflict');
    assert.equal((await ask('/v1/keys/k2', { ...A, 'if-match': `"${revision}"` }, 'PATCH', { label: 'y' })).status, 200);
  });

  await test(`${kind}: who may not manage keys changes none; refusals have a code and a place`, async () => {
    for (const [path, method, headers, body, status, code, where] of [
      ['/v1/keys/b1/disable', 'POST', bearer('token-b'), undefined, 403, 'denied'],
      ['/v1/keys', 'POST', bearer('token-b'), {}, 403, 'denied'],
      ['/v1/keys/k2/disable', 'POST', bearer('token-b'), undefined, 403, 'denied'],
      ['/v1/keys/b1', 'DELETE', A, undefined, 404, 'not_found'],
      ['/v1/keys/nobody', 'DELETE', A, undefined, 404, 'not_found'],
      ['/v1/keys/k2?days=6', 'DELETE', A, undefined, 400, 'field_invalid', 'days'],
      ['/v1/keys/k2?day=7', 'DELETE', A, undefined, 400, 'field_invalid', 'days'],
      ['/v1/keys/k2', 'PATCH', A, {}, 400, 'field_missing', 'label'],
      ['/v1/keys/k2', 'PATCH', A, { enabled: 1 }, 400, 'field_invalid', 'enabled'],
      ['/v1/keys/k2', 'PATCH', A, { label: 'a\nb' }, 400, 'field_invalid', 'label'],
      ['/v1/keys/k2', 'PATCH', A, { label: 'x'.repeat(128) }, 400, 'field_invalid', 'label'],
      ['/v1/keys/k2', 'PATCH', A, { lable: '' }, 400, 'field_unknown', 'lable'],
      ['/v1/keys/k2', 'PATCH', A, '[]', 400, 'field_invalid'],
      ['/v1/keys/k2', 'PATCH', A, '{', 400, 'json_malformed'],
      ['/v1/keys/k2', 'PATCH', { ...A, 'if-match': 'x' }, { label: '' }, 400, 'field_invalid', 'if-match'],
      ['/v1/keys/k2/enable', 'POST', A, { x: 1 }, 400, 'field_invalid', 'body'],
      ['/v1/keys/k2/explode', 'POST', A, undefined, 404, 'not_found', 'path'],
      ['/v1/keys/k2', 'PUT', A, {}, 405, 'method_not_allowed', 'method'],
      ['/v1/keys/k2/enable', 'GET', A, undefined, 405, 'method_not_allowed', 'method'],
      ['/v1/keys', 'DELETE', A, undefined, 405, 'method_not_allowed', 'method'],
      ['/v1/keys/a%20b', 'GET', A, undefined, 400, 'field_invalid', 'id'],
      ['/v1/keys?limit=0', 'GET', A, undefined, 400, 'field_invalid', 'limit'],
      ['/v1/keys?limit=1001', 'GET', A, undefined, 400, 'field_invalid', 'limit'],
      ['/v1/keys?limit=1&limit=2', 'GET', A, undefined, 400, 'field_invalid', 'query'],
      ['/v1/keys?enabled=yes', 'GET', A, undefined, 400, 'field_invalid', 'enabled'],
      ['/v1/keys?x=1', 'GET', A, undefined, 400, 'field_invalid', 'query'],
      ['/v1/keys?address=0x12', 'GET', A, undefined, 400, 'field_invalid', 'address'],
      ['/v1/keys?public_key=0x', 'GET', A, undefined, 400, 'field_invalid', 'public_key'],
      ['/v1/keys?public_key=1122', 'GET', A, undefined, 400, 'field_invalid', 'public_key'],
      [`/v1/keys?public_key=0x${'11'.repeat(49)}`, 'GET', A, undefined, 400, 'field_invalid', 'public_key'],
      [`/v1/keys?public_key=0x${'11'.repeat(48)}&after=k2`, 'GET', A, undefined, 400, 'field_invalid', 'after'],
      [`/v1/keys?prefix=${'x'.repeat(600)}`, 'GET', A, undefined, 400, 'field_invalid', 'prefix'],
      ['/v1/keys', 'POST', A, {}, 400, 'field_missing', 'id'],
      ['/v1/keys', 'POST', A, { id: 'n', tenant: 'beta' }, 403, 'denied', 'tenant'],
      ['/v1/keys', 'POST', A, { id: 'k2' }, 409, 'already_exists', 'id'],
      ['/v1/keys', 'POST', A, { record: {}, id: 'x' }, 400, 'field_unknown', 'id'],
      ['/v1/keys', 'POST', A, { record: 'x' }, 400, 'field_invalid', 'record'],
      ['/v1/keys', 'POST', A, { record: {} }, 422, 'record_malformed', 'record.id'],
    ]) {
      const answer = await ask(path, headers, method, body);
      assert.equal(answer.status, status, `${method} ${path} ${JSON.stringify(body)}: ${answer.body}`);
      assert.equal(answer.json.code, code, `${method} ${path}: ${answer.body}`);
      assert.equal(answer.json.where, where, `${method} ${path}: ${answer.body}`);
    }
    const page = await ask('/v1/keys', { ...A, origin: 'https://evil.example' });
    assert.equal(page.status, 403);
  });

  await test(`${kind}: a record of a backup is stored again, under its own id and tenant only`, async () => {
    const backup = join(dir, `backup-${kind}`);
    assert.equal(adyton(['store', 'copy', spec, `folder:${backup}`, '--tenant', 'acme']).status, 0);
    const record = JSON.parse(readFileSync(join(backup, 'k2.json'), 'utf8')).record;
    const taken = await ask('/v1/keys', A, 'POST', { record });
    assert.equal(taken.status, 409, taken.body);
    assert.equal(taken.json.code, 'already_exists');
    const other = await ask('/v1/keys', A, 'POST', { record: { ...record, id: 'other', tenant: 'beta' } });
    assert.equal(other.status, 403, other.body);
    assert.equal(other.json.where, 'record.tenant');
    // Stored under another id it would not sign: the id is bound. Here it is only listed.
    const copy = await ask('/v1/keys', A, 'POST', { record: { ...record, id: `copy-${kind}` }, label: 'copied' });
    assert.equal(copy.status, 201, copy.body);
    assert.equal(copy.json.label, 'copied');
    const refused = await signs(`copy-${kind}`);
    assert.equal(refused.json.cause, 'InvalidCiphertextException', refused.body);
  });

  await test(`${kind}: the command lists, shows, labels, disables, enables, deletes, restores`, () => {
    const env = { ADYTON_GATEWAY: g.gateway, ADYTON_TOKEN: 'token-a' };
    const key = (...args) => {
      const a = adyton(['key', ...args], env);
      assert.equal(a.status, 0, `${args}: ${a.stderr}`);
      return a.stdout;
    };
    const json = (...args) => JSON.parse(key(...args, '--json'));
    assert.match(key('list'), new RegExp(`^k3 +acme +secp256k1 +${addresses.k3} enabled`, 'm'));
    assert.deepEqual(key('list', '--json', '--limit', '2').trim().split('\n').map((l) => JSON.parse(l).id).length, 2);
    assert.match(key('show', 'k3'), new RegExp(`^address +${addresses.k3}$`, 'm'));
    assert.equal(json('label', 'k3', 'cold').label, 'cold');
    assert.equal(json('disable', 'k3').enabled, false);
    assert.equal(json('enable', 'k3').enabled, true);
    assert.ok(json('delete', 'k3', '--days', '7').deletion > 0);
    assert.equal(json('restore', 'k3').deletion, undefined);
    const file = join(dir, 'token');
    writeFileSync(file, 'token-b\n');
    assert.equal(adyton(['key', 'list', '--json', '--token-file', file], { ADYTON_GATEWAY: g.gateway }).stdout.trim().split('\n').length, 1);
    const refused = adyton(['key', 'show', 'b1'], env);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /not_found/);
    const nobody = adyton(['key', 'list'], { ADYTON_GATEWAY: g.gateway, ADYTON_TOKEN: 'x' });
    assert.equal(nobody.status, 1);
    assert.match(nobody.stderr, /unauthorized/);
  });
  await test(`${kind}: two gateways make keys for one tenant at once: none is lost, each signs with both, and the next shares a data key`, async () => {
    const h = await startGateway(s, { store: { cache_ms: 30000, ...store }, callers: [{ tenant: 'acme', token_sha256: sha256('token-a') }] });
    await until(20000, 'the second gateway to be ready', async () => (await request(`${h.gateway}/readyz`)).status === 200);
    const make = (to, id) => request(`${to.gateway}/v1/keys`, { method: 'POST', headers: A, body: { id, chains: [31337] } });
    const made = await Promise.all(Array.from({ length: 24 }, (_, i) => make(i % 2 ? g : h, `new-${kind}-${i}`)));
    for (const answer of made) {
      assert.equal(answer.status, 201, answer.body);
      assert.equal(answer.json.wrapping, 'envelope');
    }
    const both = await Promise.all([make(g, `race-${kind}`), make(h, `race-${kind}`)]);
    assert.deepEqual(both.map((a) => a.status).sort(), [201, 409], 'one id is given once');
    for (const { json } of made)
      for (const to of [g, h]) {
        const signed = await request(`${to.gateway}/v1/keys/${json.id}/sign`, { method: 'POST', headers: A, body: { transaction: goodTx() } });
        assert.equal(signed.status, 200, signed.body);
        assert.equal(Transaction.from(signed.json.signed_transaction).from, json.address);
      }
    await h.stop();
    const i = await startGateway(s, { store: { cache_ms: 30000, ...store }, callers: [{ tenant: 'acme', token_sha256: sha256('token-a') }] });
    await until(20000, 'the third gateway to be ready', async () => (await request(`${i.gateway}/readyz`)).status === 200);
    assert.equal((await make(i, `after-${kind}`)).status, 201);
    await i.stop();
    const backup = join(dir, `made-${kind}`);
    assert.equal(adyton(['store', 'copy', spec, `folder:${backup}`, '--tenant', 'acme']).status, 0);
    const dataKey = (id) => JSON.parse(readFileSync(join(backup, `${id}.json`), 'utf8')).record.data_key;
    const known = new Set(made.map(({ json }) => dataKey(json.id)));
    assert.ok(known.size >= 1 && known.size <= 24);
    assert.ok(known.has(dataKey(`after-${kind}`)), 'a gateway that has just started uses a data key of before');
  });
  await test(`${kind}: a label at the creation of a key, one alone or many`, async () => {
    const label = 'cold, "ü" {x}';
    const body = { label, id: 'labelled', chains: [1] };
    const turned = JSON.stringify({ id: 'labelled-2', chains: [1], label });
    for (const made of [await ask('/v1/keys', A, 'POST', body), await ask('/v1/keys', A, 'POST', turned), await ask('/v1/keys', A, 'POST', JSON.stringify({ id: 'labelled-3', label: 'other', chains: [1] }, null, 2))]) {
      assert.equal(made.status, 201, made.body);
      assert.deepEqual(made.json.chains, [1]);
    }
    const many = await ask('/v1/keys', A, 'POST', { options: '{"id":"many-"}', count: 3, label });
    assert.equal(many.status, 201, many.body);
    assert.deepEqual(await ids(`?label=${encodeURIComponent(label)}`), ['labelled', 'labelled-2', 'many-0', 'many-1', 'many-2']);
    assert.equal((await ask('/v1/keys/many-1')).json.label, label);
    for (const bad of [7, 'x'.repeat(128), 'a\nb', null])
      assert.deepEqual([(await ask('/v1/keys', A, 'POST', { id: 'no', label: bad })).json.where, (await ask('/v1/keys/no')).status], ['label', 404]);
  });

  await g.stop();
}

await test('a store that is lost is restored from its backup by store copy: records, labels, states, and what was disabled', async () => {
  const a = `sqlite:${join(dir, 'keys.sqlite')}`;
  for (const [kind, back, store] of [
    ['folder', `folder:${join(dir, 'again')}`, { folder: join(dir, 'again') }],
    ['sqlite', `sqlite:${join(dir, 'again.sqlite')}`, { sqlite: join(dir, 'again.sqlite') }],
  ]) {
    const backup = `folder:${join(dir, `backup-of-${kind}`)}`;
    for (const [from, to] of [[a, backup], [backup, back]]) assert.equal(adyton(['store', 'copy', from, to]).status, 0, kind);
    const h = await startGateway(s, { store });
    await until(20000, 'the gateway to be ready', async () => (await request(`${h.gateway}/readyz`)).status === 200);
    const list = async (gateway) => (await request(`${gateway}/v1/keys?limit=1000`)).json.keys;
    const before = await startGateway(s, { store: { sqlite: join(dir, 'keys.sqlite') } });
    await until(20000, 'the gateway to be ready', async () => (await request(`${before.gateway}/readyz`)).status === 200);
    const strip = (keys) => keys.map(({ revision, created, ...rest }) => ({ ...rest, created: rest.id !== 'sample' && created })); // a secret of the sample says no time
    assert.deepEqual(strip(await list(h.gateway)), strip(await list(before.gateway)));
    const signed = await request(`${h.gateway}/v1/keys/k%2F1/sign`, { method: 'POST', body: { transaction: goodTx() } });
    assert.equal(signed.status, 200, signed.body);
    assert.equal(Transaction.from(signed.json.signed_transaction).from, addresses['k/1']);
    await h.stop();
    await before.stop();
  }
});

await test('store copy names a record that cannot be read, and copies those behind it; whoever signs with one is told so', async () => {
  const file = join(dir, 'spoilt.sqlite');
  assert.equal(adyton(['store', 'copy', `sqlite:${join(dir, 'keys.sqlite')}`, `sqlite:${file}`]).status, 0);
  const rows = (sql) => execFileSync('python3', ['-c', 'import sqlite3,sys,json\nc=sqlite3.connect(sys.argv[1]);print(json.dumps(c.execute(sys.argv[2]).fetchall()));c.commit()', file, sql], { encoding: 'utf8' });
  const ids = JSON.parse(rows('SELECT id FROM record WHERE deletion = 0 ORDER BY id')).flat();
  rows(`UPDATE record SET text = '{"adyton":1, "wra' WHERE id = '${ids[0]}'`);
  rows(`UPDATE record SET text = zeroblob(0) WHERE id = '${ids[1]}'`);
  const all = JSON.parse(rows('SELECT count(*) FROM record'))[0][0];
  const copied = adyton(['store', 'copy', `sqlite:${file}`, `folder:${join(dir, 'of-spoilt')}`, '--json']);
  assert.equal(copied.status, 1, copied.stderr);
  assert.deepEqual(JSON.parse(copied.stdout), { copied: all - 2, replaced: 0, same: 0, left_out: 2 });
  assert.equal(copied.stderr, `adyton: ${ids[0]} is left out: record is no JSON (record_malformed)\nadyton: ${ids[1]} is left out: record is empty or too large (record_malformed)\n`);
  const g = await startGateway(s, { store: { sqlite: file } });
  await until(20000, 'the gateway to be ready', async () => (await request(`${g.gateway}/readyz`)).status === 200);
  const answer = await request(`${g.gateway}/v1/keys/${encodeURIComponent(ids[1])}/sign`, { method: 'POST', body: { transaction: goodTx() } });
  assert.deepEqual([answer.status, answer.json.code, answer.json.where, answer.json.detail], [422, 'record_malformed', 'record', 'is empty']);
  await g.stop();
});

await test('store copy refuses what differs, unless told to replace it', () => {
  const a = `sqlite:${join(dir, 'keys.sqlite')}`;
  const b = `folder:${join(dir, 'another')}`;
  assert.equal(adyton(['store', 'copy', a, b]).status, 0);
  const file = join(dir, 'another', 'k3.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"label":"cold"', '"label":"warm"'));
  const refused = adyton(['store', 'copy', a, b]);
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /differs: --replace/);
  const forced = adyton(['store', 'copy', a, b, '--replace', '--json']);
  assert.equal(forced.status, 0, forced.stderr);
  assert.equal(adyton(['store', 'copy', a, b]).status, 0);
  assert.equal(adyton(['store', 'copy', a]).status, 2);
  assert.match(adyton(['store', 'copy', a, 'mysql:x']).stderr, /none of/);
});

await done();
