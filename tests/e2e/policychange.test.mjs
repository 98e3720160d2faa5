// SPDX-License-Identifier: Apache-2.0
// Changes of a policy by those whom the old one names, over HTTP and with `adyton policy change`: who may, what they
// stamp, what of an older policy is left (nothing), and that a change that was cut off is brought to its end.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, done } from './lib/tap.mjs';
import { bin, request, run, scratch, sign, startStack } from './lib/stack.mjs';
import { goodTx } from './lib/hostile.mjs';
import { rowOf, sql, tallies } from './lib/tallies.mjs';
import { generateKey, stamp } from '../../clients/js/index.js';

const dir = scratch('chg');
const db = join(dir, 'keys.db');
const s = await startStack({ args: ['--gateway-option', `store.sqlite=${db}`, '--gateway-option', 'store.cache_ms=0'] });
const alice = await generateKey(), bob = await generateKey(), carol = await generateKey(), mallory = await generateKey();
const VAULT = '0x3535353535353535353535353535353535353535';
const of = [alice, bob, carol].map((k) => k.name);
const change = { need: 2, of };
const policy = (max, more = {}) => ({ policy: 1, rules: [{ name: 'pay', effect: 'allow', when: { to: VAULT }, limits: [{ name: 'n', per: '1h', max }] }], change, ...more });
let nonce = 0;
const tx = () => goodTx({ chainId: 31337, to: VAULT, nonce: nonce++ });
const make = async (id, p) => assert.equal((await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id, policy: p } })).status, 201);
const show = async (id) => (await request(`${s.gateway}/v1/keys/${id}`)).json;
const record = (id) => Buffer.from(sql(db, 'SELECT text FROM record WHERE id = ?', id)[0][0].slice(2), 'hex').toString();
const setRecord = (id, text) => sql(db, 'UPDATE record SET text = ? WHERE id = ?', `0x${Buffer.from(text).toString('hex')}`, id);

const bodyOf = (p, revision = 0) => JSON.stringify({ revision, policy: p });
const approve = (who, id, body, more = {}) => stamp(who, { key: id, deployment: 'dev', body, op: 'policy', life: 3600, ...more });
async function put(id, body, who, { stamps, headers = {} } = {}) {
  const all = stamps ?? (await Promise.all(who.map((k) => approve(k, id, body))));
  return request(`${s.gateway}/v1/keys/${id}/policy`, { method: 'PUT', body, headers: { 'content-type': 'application/json', 'x-adyton-stamp': all.join(','), ...headers } });
}
const why = (a) => [a.status, a.json?.code, a.json?.where, a.json?.detail];

await test('two of three change a policy; the counters go on, the new limit holds', async () => {
  await make('k', policy(2));
  for (let i = 0; i < 2; i++) assert.equal((await sign(s, 'k', tx())).status, 200);
  assert.equal((await sign(s, 'k', tx())).status, 403);
  const a = await put('k', bodyOf(policy(3)), [alice, bob]);
  assert.equal(a.status, 200, a.body);
  assert.equal(a.json.policy_revision, 1);
  assert.deepEqual(a.json.policy, policy(3));
  assert.equal((await sign(s, 'k', tx())).status, 200);
  assert.equal((await sign(s, 'k', tx())).status, 403);
});

await test('too few, the same twice, a stranger, another text, another key, operation, revision: refused by name', async () => {
  const body = bodyOf(policy(9), 1), st = (who, over) => approve(who, 'k', body, over);
  const two = [await st(alice), await st(bob)];
  for (const [what, stamps, want, sent = body] of [
    ['none', [], [403, 'denied', 'policy.change', 'needs 2 approvals and has 0']],
    ['one', [two[0]], [403, 'denied', 'policy.change', 'needs 2 approvals and has 1']],
    ['one twice', [two[0], two[0]], [401, 'unauthorized', 'stamp[1].by', 'has stamped already']],
    ['one twice, stamped twice', [two[0], await st(alice)], [401, 'unauthorized', 'stamp[1].by', 'has stamped already']],
    ['a stranger', [two[0], await st(mallory)], [403, 'denied', 'policy.change', 'needs 2 approvals and has 1']],
    ['for another text', [two[0], await approve(bob, 'k', bodyOf(policy(8), 1))], [401, 'unauthorized', 'stamp[1].body', 'is not the SHA-256 of the body']],
    ['for another key', [two[0], await st(bob, { key: 'other' })], [401, 'unauthorized', 'stamp[1].key', 'is another key']],
    ['for a signature', [two[0], await st(bob, { op: 'sign', life: 60 })], [401, 'unauthorized', 'stamp[1].op', 'is another operation']],
    ['too long', [two[0], await st(bob, { life: 8 * 86400 })], [401, 'unauthorized', 'stamp[1].exp', 'is not between iat and the longest life of a stamp']],
    ['of before', [await approve(alice, 'k', bodyOf(policy(9), 0)), await approve(bob, 'k', bodyOf(policy(9), 0))], [409, 'conflict', 'revision', 'the policy is at revision 1'], bodyOf(policy(9), 0)],
    ['of what is to come', [await approve(alice, 'k', bodyOf(policy(9), 2)), await approve(bob, 'k', bodyOf(policy(9), 2))], [409, 'conflict', 'revision', 'the policy is at revision 1'], bodyOf(policy(9), 2)],
  ]) assert.deepEqual(why(await put('k', sent, [], { stamps })), want, what);
  assert.equal((await show('k')).policy_revision, 1);
});

await test('an approval that was used brings nothing again: it is of its revision', async () => {
  await make('replay', policy(1));
  const loose = bodyOf(policy(100));
  const stamps = await Promise.all([alice, bob].map((k) => approve(k, 'replay', loose)));
  assert.equal((await put('replay', loose, [], { stamps })).status, 200);
  assert.equal((await put('replay', bodyOf(policy(0), 1), [bob, carol])).status, 200);
  assert.deepEqual(why(await put('replay', loose, [], { stamps })), [409, 'conflict', 'revision', 'the policy is at revision 2']);
  assert.equal((await sign(s, 'replay', tx())).status, 403);
});

await test('a malformed change is refused with its path', async () => {
  await make('form', policy(1));
  for (const [body, want] of [
    ['{', [400, 'json_malformed']],
    ['[]', [400, 'field_invalid']],
    [JSON.stringify({ revision: 0 }), [400, 'field_invalid', 'policy']],
    [JSON.stringify({ policy: policy(2) }), [400, 'field_invalid', 'revision']],
    [JSON.stringify({ revision: -1, policy: policy(2) }), [400, 'field_invalid', 'revision']],
    [JSON.stringify({ revision: 0, policy: [] }), [400, 'field_invalid', 'policy']],
    [JSON.stringify({ revision: 0, policy: policy(2), callers: [] }), [400, 'field_unknown']],
    [bodyOf({ policy: 1, rules: [{}] }), [400, 'field_invalid', 'policy.rules[0]']],
  ]) {
    const a = await put('form', body, [alice, bob]);
    assert.deepEqual(why(a).slice(0, want.length), want, a.body);
  }
  assert.equal((await request(`${s.gateway}/v1/keys/form/policy`, { method: 'PUT' })).status, 400);
  assert.equal((await show('form')).policy_revision, undefined);
});

await test('a policy that names nobody, and a key without one, are for good', async () => {
  const fixed = { ...policy(5) };
  delete fixed.change;
  await make('fixed', fixed);
  assert.deepEqual(why(await put('fixed', bodyOf(policy(9)), [alice, bob])).slice(0, 3), [403, 'denied', 'policy.change']);
  await make('bare', undefined);
  assert.deepEqual(why(await put('bare', bodyOf(policy(9)), [alice, bob])).slice(0, 3), [403, 'denied', 'policy']);
  // the last change may take the right to change away
  await make('last', policy(1));
  assert.equal((await put('last', bodyOf(fixed), [alice, bob])).status, 200);
  assert.equal((await put('last', bodyOf(policy(9), 1), [alice, bob])).status, 403);
  assert.equal((await sign(s, 'last', tx())).status, 200);
});

await test('a key on ed25519 is counted, and its policy is changed, in the same way', async () => {
  const made = await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id: 'ed', curve: 'ed25519', allow: ['digest'], policy: { ...policy(1), rules: [{ name: 'any', effect: 'allow', when: {}, limits: [{ name: 'n', per: '1h', max: 1 }] }] } } });
  assert.equal(made.status, 201, made.body);
  const signBytes = (hex) => request(`${s.gateway}/v1/keys/ed/sign`, { method: 'POST', body: { data: hex } });
  const first = await signBytes('0x01');
  assert.equal(first.status, 200, first.body);
  assert.equal((await signBytes('0x02')).status, 403);
  const next = { ...policy(2), rules: [{ name: 'any', effect: 'allow', when: {}, limits: [{ name: 'n', per: '1h', max: 2 }] }] };
  assert.equal((await put('ed', bodyOf(next), [alice, bob])).status, 200);
  assert.equal((await signBytes('0x02')).status, 200);
  assert.equal((await signBytes('0x03')).status, 403);
});

await test('of an older revision nothing is signed, limits or not, and its record does not come back', async () => {
  await make('old', { ...policy(100), rules: [{ name: 'all', effect: 'allow', when: {} }] });
  const before = record('old');
  assert.equal((await sign(s, 'old', tx())).status, 200);
  assert.equal((await put('old', bodyOf({ ...policy(100), rules: [{ name: 'vault', effect: 'allow', when: { to: VAULT } }] }), [alice, carol])).status, 200);
  const after = record('old');
  setRecord('old', before);
  assert.deepEqual(why(await sign(s, 'old', tx())).slice(0, 3), [409, 'counters_refused', 'record.revision']);
  // a revision that was cut out, or made up, opens nothing
  for (const text of [after.replace('"revision":1', '"revision":2'), after.replace(',"revision":1', '')]) {
    assert.notEqual(text, after);
    setRecord('old', text);
    const a = await sign(s, 'old', tx());
    assert.ok(['counters_refused', 'record_mismatch'].includes(a.json.code), a.body);
  }
  setRecord('old', after);
  assert.equal((await sign(s, 'old', tx())).status, 200);
});

await test('a change that was cut off before the record was stored: the same request again ends it', async () => {
  await make('cut', policy(4));
  const before = record('cut');
  const body = bodyOf(policy(5));
  const stamps = await Promise.all([alice, bob].map((k) => approve(k, 'cut', body)));
  const row = await rowOf(db, async () => assert.equal((await put('cut', body, [], { stamps })).status, 200));
  setRecord('cut', before); // as if it never was
  assert.equal((await sign(s, 'cut', tx())).json.code, 'counters_refused');
  const other = await put('cut', bodyOf(policy(6)), [alice, bob]);
  assert.equal(other.json.code, 'counters_refused', 'another change of the same revision');
  const again = await put('cut', body, [], { stamps });
  assert.equal(again.status, 200, again.body);
  assert.equal(again.json.policy_revision, 1);
  assert.equal(tallies(db).find((t) => t.name === row.name).version, row.version, 'the row is written once');
  assert.equal((await sign(s, 'cut', tx())).status, 200);
});

await test('adyton policy change: side by side, who must still approve, and the change', async () => {
  const env = { ADYTON_GATEWAY: s.gateway };
  const adyton = (...args) => run(join(bin, 'adyton'), args, { env });
  const file = (name, value) => (writeFileSync(join(dir, name), JSON.stringify(value, null, 1)), join(dir, name));
  const names = ['x', 'y'].map((n) => adyton('stamp', 'keygen', '--output', join(dir, `${n}.key`)).stdout.trim());
  await make('cli', policy(1, { change: { need: 2, of: names } }));
  const next = file('next.json', policy(7, { change: { need: 2, of: names } }));
  const first = adyton('policy', 'change', 'cli', next, '--stamp-key', join(dir, 'x.key'), '--request', join(dir, 'request.json'));
  assert.equal(first.status, 1, first.stderr);
  assert.match(first.stdout, /"max": 1 +<\n +> +"max": 7/);
  assert.match(first.stdout, new RegExp(`has ${names[0]}\n  --  ${names[1]}`));
  assert.match(first.stdout, /not sent: 1 more must approve/);
  const st = adyton('stamp', 'make', 'cli', '--policy', '--request', join(dir, 'request.json'), '--stamp-key', join(dir, 'y.key'));
  assert.equal(st.status, 0, st.stderr);
  writeFileSync(join(dir, 'y.stamp'), st.stdout);
  const second = adyton('policy', 'change', 'cli', next, '--stamp-key', join(dir, 'x.key'), '--stamp', join(dir, 'y.stamp'));
  assert.equal(second.status, 0, second.stdout + second.stderr);
  assert.match(second.stdout, /changed: the policy is at revision 1/);
  assert.equal((await show('cli')).policy_revision, 1);
  const none = adyton('policy', 'change', 'fixed', next);
  assert.equal(none.status, 1);
  assert.match(none.stderr, /names nobody/);
  const check = adyton('policy', 'check', '--policy', next, '--request', file('r.json', { transaction: tx() }), '--spent', 'n=7');
  assert.equal(check.status, 1);
  assert.match(check.stdout, /limit n: does not hold, 1 more make 8 of 7 in 3600 s/);
  assert.match(adyton('policy', 'check', '--policy', next, '--request', join(dir, 'r.json'), '--spent', 'm=7').stderr, /names no limit/);
});

await done();
