// SPDX-License-Identifier: Apache-2.0
// Limits of a wallet's policy through the whole stack: one row for all keys of the wallet, or one for each of them; and
// keys with limits that are made by the hundred.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, done } from './lib/tap.mjs';
import { bin, request, run, scratch, sign, signAny, startStack } from './lib/stack.mjs';
import { goodTx } from './lib/hostile.mjs';
import { sql, tallies } from './lib/tallies.mjs';
import { generateKey, stamp } from '../../clients/js/index.js';

const dir = scratch('limw');
const db = join(dir, 'keys.db');
const s = await startStack({ dir, args: ['--gateway-option', `store.sqlite=${db}`] });
const limit = (max, more = {}) => ({ name: 'n', per: '1h', max, ...more });
const policy = (limits, more = {}) => ({
  policy: 1,
  rules: [{ name: 'derive', effect: 'allow', when: { kind: 'derive' } }, { name: 'pay', effect: 'allow', when: {}, limits }],
  ...more,
});
const post = (path, body, headers) => request(`${s.gateway}${path}`, { method: 'POST', body, headers });
const code = (a) => [a.status, a.json?.code, a.json?.where];
const OVER = [403, 'denied', 'policy.rules[1]'];
const rows = () => tallies(db);
async function wallet(id, p, more = {}) {
  const a = await post('/v1/keys', { id, curve: 'wallet', policy: p, ...more });
  assert.equal(a.status, 201, a.body);
  return a.json;
}
async function derive(id, options, more = {}) {
  const a = await post(`/v1/keys/${id}/derive`, { path: "m/44'/60'/0'/0/*", count: 3, options, ...more });
  assert.equal(a.status, 201, a.body);
  return a.json.keys;
}
let nonce = 0;
const tx = (value = 1) => goodTx({ chainId: 31337, nonce: nonce++, value: String(value) });
const recordOf = (id) => JSON.parse(Buffer.from(sql(db, 'SELECT text FROM record WHERE id = ?', id)[0][0].slice(2), 'hex').toString());

await test("a wallet's limit is for all of its keys together: one row, made with the wallet", async () => {
  assert.equal(rows().length, 0);
  await wallet('all', policy([limit(100, { sum: 'value' })]));
  assert.equal(rows().length, 1);
  await derive('all', { id: 'all-' });
  assert.equal(rows().length, 1, 'deriving makes no row');
  assert.equal(recordOf('all-0').counters.slice(0, 64), rows()[0].name.slice(2));
  assert.equal((await sign(s, 'all-0', tx(60))).status, 200);
  assert.deepEqual(code(await sign(s, 'all-1', tx(60))), OVER);
  assert.equal((await sign(s, 'all-1', tx(40))).status, 200);
  for (const id of ['all-0', 'all-1', 'all-2']) assert.deepEqual(code(await sign(s, id, tx(1))), OVER, id);
  assert.deepEqual(rows().map((r) => r.version), [3]);
});

await test('the same key under another id has the same limit, and so has the same sum of its own', async () => {
  const before = rows().length;
  const again = await derive('all', { id: 'again-' });
  const first = (await request(`${s.gateway}/v1/keys/all-0`)).json;
  assert.equal(again[0].address, first.address);
  assert.deepEqual(code(await sign(s, 'again-0', tx(1))), OVER);
  await wallet('one', policy([limit(2)], { count: 'key' }));
  await derive('one', { id: 'one-' });
  await derive('one', { id: 'two-' });
  assert.equal((await sign(s, 'one-0', tx())).status, 200);
  assert.equal((await sign(s, 'two-0', tx())).status, 200);
  assert.deepEqual(code(await sign(s, 'one-0', tx())), OVER);
  assert.deepEqual(code(await sign(s, 'two-0', tx())), OVER);
  assert.equal(rows().length, before + 2, "the wallet's and the key's");
});

await test('"count": "key": each key has its own, made when it signs first', async () => {
  for (const id of ['one-1', 'one-2']) {
    for (let i = 0; i < 2; i++) assert.equal((await sign(s, id, tx())).status, 200);
    assert.deepEqual(code(await sign(s, id, tx())), OVER, id);
  }
});

await test('two keys of a wallet may sign one digest: each is counted; the same key again is not', async () => {
  await wallet('same', policy([limit(2)]));
  await derive('same', { id: 'same-' });
  const t = tx();
  const [a, b] = [await sign(s, 'same-0', t), await sign(s, 'same-1', t)];
  assert.deepEqual([a.status, b.status], [200, 200]);
  assert.notEqual(a.json.signed_transaction, b.json.signed_transaction);
  assert.equal((await sign(s, 'same-0', t)).body, a.body);
  assert.deepEqual(code(await sign(s, 'same-2', t)), OVER, 'the third is beyond the limit');
});

await test('keys of every curve count together', async () => {
  const p = policy([limit(2)]);
  await wallet('curves', p, { allow: ['digest'] });
  await derive('curves', { id: 'cs-' }, { count: 1 });
  await derive('curves', { id: 'ce' }, { path: "m/44'/501'/0'/0'", count: undefined, curve: 'ed25519' });
  assert.equal((await signAny(s, 'ce', { data: '0x01' })).status, 200);
  assert.equal((await signAny(s, 'cs-0', { message: { text: 'x' } })).status, 200);
  assert.deepEqual(code(await signAny(s, 'ce', { data: '0x02' })), OVER);
});

await test('deriving counts too, where its rule has a limit; the same request again is counted once', async () => {
  await wallet('slow', { policy: 1, rules: [{ name: 'derive', effect: 'allow', when: { kind: 'derive' }, limits: [limit(2)] }] });
  const show = (n) => post('/v1/keys/slow/derive', { path: `m/44'/60'/0'/0/${n}` });
  const one = await show(0);
  assert.equal(one.status, 200, one.body);
  assert.equal((await show(0)).body, one.body);
  assert.equal((await show(1)).status, 200);
  const no = await show(2);
  assert.deepEqual([...code(no), no.json.detail], [403, 'denied', 'policy.rules[0]', 'a limit of the rule "derive" does not hold: n']);
});

await test('keys with a policy of their own count each by itself, or are refused', async () => {
  const boss = await generateKey();
  await wallet('stamped', undefined, { callers: [boss.name] });
  const ask = async (options) => {
    const body = JSON.stringify({ path: "m/44'/60'/0'/0/*", count: 2, options });
    return request(`${s.gateway}/v1/keys/stamped/derive`, { method: 'POST', body, headers: { 'content-type': 'application/json', 'x-adyton-stamp': await stamp(boss, { key: 'stamped', deployment: s.deployment ?? 'dev', body, op: 'derive', life: 60 }) } });
  };
  const own = policy([limit(1)]);
  assert.deepEqual(code(await ask({ id: 'st-', policy: own })), [400, 'field_invalid', 'options.policy.count']);
  assert.deepEqual(code(await ask({ id: 'st-', policy: { ...own, count: 'key', change: { need: 1, of: [boss.name] } } })), [400, 'field_invalid', 'options.policy.change']);
  const made = await ask({ id: 'st-', callers: ['gateway'], policy: { ...own, count: 'key' } });
  assert.equal(made.status, 201, made.body);
  // this wallet has no limits, so nobody knows since when its keys can have signed: they wait
  const waits = await sign(s, 'st-0', tx());
  assert.deepEqual(code(waits), OVER);
  assert.match(waits.json.detail, /waits: what "n" counted before the enclave's start is not known/);
});

await test('a wallet whose policy may be changed is refused, and a change of its keys', async () => {
  const boss = await generateKey();
  const a = await post('/v1/keys', { id: 'never', curve: 'wallet', policy: policy([limit(1)], { change: { need: 1, of: [boss.name] } }) });
  assert.deepEqual(code(a), [400, 'field_invalid', 'policy.change']);
  for (const id of ['all', 'all-0']) {
    const c = await request(`${s.gateway}/v1/keys/${id}/policy`, { method: 'PUT', body: { revision: 0, policy: policy([limit(9)]) } });
    assert.deepEqual(code(c), [403, 'denied', 'record.curve'], id);
  }
});

await test('100 at once over ten keys of a wallet: as many as the limit allows', async () => {
  await wallet('rush', policy([limit(37)]));
  await derive('rush', { id: 'rush-' }, { count: 10 });
  const all = await Promise.all(Array.from({ length: 100 }, (_, i) => sign(s, `rush-${i % 10}`, tx())));
  for (const a of all) assert.ok([200, 403].includes(a.status), a.body);
  assert.equal(all.filter((a) => a.status === 200).length, 37);
});

await test("what seals a key anew keeps what it counts in: rotation of the tenant's data key", async () => {
  await wallet('turn', policy([limit(2)]));
  await derive('turn', { id: 'turn-' });
  assert.equal((await sign(s, 'turn-0', tx())).status, 200);
  const before = recordOf('turn-1');
  const r = run(join(bin, 'adyton'), ['tenant', 'rotate', 'default'], { env: { ADYTON_GATEWAY: s.gateway } });
  assert.equal(r.status, 0, r.stderr);
  const after = recordOf('turn-1');
  assert.notEqual(after.data_key, before.data_key);
  assert.equal(after.counters.slice(0, 64), before.counters.slice(0, 64));
  assert.notEqual(after.counters, before.counters);
  assert.equal((await sign(s, 'turn-1', tx())).status, 200);
  for (const id of ['turn-0', 'turn-1', 'turn-2']) assert.deepEqual(code(await sign(s, id, tx())), OVER);
});

await test('a batch of keys with limits, and of keys whose policy may be changed: a row each', async () => {
  const boss = await generateKey();
  const before = rows().length;
  const batch = (id, p, count) => post('/v1/keys', { options: JSON.stringify({ id, policy: p }), first: 5, count });
  const made = await batch('b-', policy([limit(1)]), 40);
  assert.equal(made.status, 201, made.body);
  assert.equal(rows().length, before + 40);
  assert.ok(rows().every((r) => r.version >= 1));
  for (const id of ['b-5', 'b-20', 'b-44']) {
    assert.equal((await sign(s, id, tx())).status, 200);
    assert.deepEqual(code(await sign(s, id, tx())), OVER);
  }
  const one = { ...policy([limit(1)]), change: { need: 1, of: [boss.name] } };
  assert.equal((await batch('c-', one, 2)).status, 201);
  assert.equal((await sign(s, 'c-5', tx())).status, 200);
  const body = JSON.stringify({ revision: 0, policy: { ...one, rules: [one.rules[0], { ...one.rules[1], limits: [limit(2)] }] } });
  const header = await stamp(boss, { key: 'c-5', deployment: s.deployment ?? 'dev', body, op: 'policy', life: 600 });
  const changed = await request(`${s.gateway}/v1/keys/c-5/policy`, { method: 'PUT', body, headers: { 'content-type': 'application/json', 'x-adyton-stamp': header } });
  assert.equal(changed.status, 200, changed.body);
  assert.equal((await sign(s, 'c-5', tx())).status, 200);
  assert.deepEqual(code(await sign(s, 'c-5', tx())), OVER);
  assert.equal((await sign(s, 'c-6', tx())).status, 200, 'the others keep theirs');
});

await test('adyton key create --count makes them, in parts', async () => {
  writeFileSync(join(dir, 'p.json'), JSON.stringify(policy([limit(1)])));
  const r = run(join(bin, 'adyton'), ['key', 'create', 'cli-', '--count', '30', '--policy', join(dir, 'p.json')], { env: { ADYTON_GATEWAY: s.gateway } });
  assert.equal(r.status, 0, r.stderr);
  const keys = (await request(`${s.gateway}/v1/keys?after=cli-&limit=1000`)).json.keys.filter((k) => k.id.startsWith('cli-'));
  assert.equal(keys.length, 30);
  assert.equal((await sign(s, keys[7].id, tx())).status, 200);
  assert.deepEqual(code(await sign(s, keys[7].id, tx())), OVER);
});

await done();
