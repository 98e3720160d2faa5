// SPDX-License-Identifier: Apache-2.0
// A compromised parent against limits and revisions, on the real wire and in the real store: rows that are rolled back,
// taken from others, forged or withheld, outcomes that are lies or lost, an enclave that is started again. Nothing is
// signed beyond a limit, and nothing by a policy that was changed.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, done, random } from './lib/tap.mjs';
import { T } from './lib/parent.mjs';
import { goodTx, startEnclave } from './lib/hostile.mjs';
import { startAttacked, WireProxy } from './lib/wire.mjs';
import { startGateway } from './lib/gateway.mjs';
import { request, scratch } from './lib/stack.mjs';
import { until } from './lib/tap.mjs';
import { attacksOn, putRow, rowOf, sql, tallies } from './lib/tallies.mjs';
import { generateKey, stamp } from '../../clients/js/index.js';

const CAS = 17, CHANGE = 14;
const r = random();
const a = await startAttacked();
const { wire } = a;
const db = join(a.dir, 'keys.sqlite');
const boss = await generateKey();
const policy = (max, per = '1h') => ({ policy: 1, rules: [{ name: 'pay', effect: 'allow', when: {}, limits: [{ name: 'n', per, max }] }], change: { need: 1, of: [boss.name] } });
let nonce = 0;
const tx = () => goodTx({ chainId: 31337, nonce: nonce++ });
const send = (id, t = tx(), at = a.gateway) => request(`${at}/v1/keys/${id}/sign`, { method: 'POST', body: { transaction: t } });
const why = (x) => [x.status, x.json?.code, x.json?.where];
const rows = {};
const make = async (id, p) => {
  rows[id] = (await rowOf(db, async () => {
    const answer = await a.ask('/v1/keys', { body: { id, policy: p } });
    assert.equal(answer.status, 201, answer.body);
  })).name;
};
const row = (id) => tallies(db).find((t) => t.name === rows[id]);

const { refused, answering, answer: wireAnswer } = attacksOn(wire);
const inCas = (fn) => (f) => (f.type === CAS ? fn(f) : undefined);

await make('roll', policy(3));
await make('other', policy(50));

await test('a row that was rolled back while the enclave runs is refused, however it comes', async () => {
  const fresh = row('roll');
  for (let i = 0; i < 2; i++) assert.equal((await send('roll')).status, 200);
  const now = row('roll');
  assert.equal(now.version, fresh.version + 2);
  putRow(db, fresh.name, fresh.version, fresh.row);
  await refused('in the store', () => send('roll'), 'counters_refused', 'counters', /older than those seen before/);
  putRow(db, fresh.name, now.version, fresh.row); // the old content as the present version
  await refused('under the present version', () => wire.during({ toGateway: inCas((f) => (wireAnswer(f, [0, Buffer.from(fresh.row.slice(2), 'hex')]), null)) }, () => send('roll')), 'counters_refused', 'counters', /older than those seen before/);
  putRow(db, fresh.name, 0, null);
  await refused('gone', () => send('roll'), 'counters_refused', 'counters', /are missing/);
  putRow(db, now.name, now.version, now.row);
  assert.equal((await send('roll')).status, 200);
  assert.equal((await send('roll')).status, 403);
});

await test("another key's row, a forged one, one of another length: refused", async () => {
  await make('victim', policy(2));
  assert.equal((await send('victim')).status, 200);
  const mine = row('victim'), theirs = row('other');
  const hex = (b) => Buffer.from(b.slice(2), 'hex');
  const flip = (b, at) => (b = Buffer.from(b), (b[at] ^= 1), b);
  for (const [what, bytes] of [
    ["another key's", hex(theirs.row)],
    ['a version more', flip(hex(mine.row), 23)],
    ['a revision more', flip(hex(mine.row), 31)],
    ['another policy', flip(hex(mine.row), 40)],
    ['another counter', flip(hex(mine.row), hex(mine.row).length - 60)],
    ['another MAC', flip(hex(mine.row), hex(mine.row).length - 1)],
    ['cut', hex(mine.row).subarray(0, 200)],
    ['noise', r.bytes(500)],
  ]) await refused(what, () => wire.during(answering(() => [0, bytes]), () => send('victim')), 'counters_refused', 'counters');
  assert.equal((await send('victim')).status, 200);
});

await test('an outcome "written" that was not, for ever: the limit holds all the same', async () => {
  await make('lied', policy(4));
  let signed = 0;
  await wire.during(answering(() => [1, Buffer.alloc(0)]), async () => {
    for (let i = 0; i < 10; i++) signed += (await send('lied')).status === 200;
  });
  assert.equal(signed, 4);
  await refused('the store has the first row still', () => send('lied'), 'denied', 'policy.rules[0]');
});

await test('outcomes that are lost or faults: counted, nothing signed; the same again is signed without another charge', async () => {
  await make('lost', policy(2));
  const t = tx();
  await refused('a fault', () => wire.during({ toEnclave: (f) => (f.type === (CAS | T.ANSWER) ? f.with({ type: T.ERROR, message: ['internal', '', 'x', ''] }) : undefined) }, () => send('lost', t)), 'counters_refused', 'counters', /whether they were is not known/);
  assert.equal(row('lost').version, 2, 'it was written');
  assert.equal((await send('lost', t)).status, 200, 'the same again');
  assert.equal((await send('lost')).status, 200);
  await refused('the next', () => send('lost'), 'denied', 'policy.rules[0]');
  await make('silent', policy(1));
  const began = Date.now();
  await refused('no answer', () => wire.during({ toEnclave: (f) => (f.type === (CAS | T.ANSWER) ? null : undefined) }, () => send('silent')), 'counters_refused', 'counters', /whether they were is not known/);
  assert.ok(Date.now() - began < 8000, 'two seconds, and not the ten of the request');
});

await test('a first row that is not written makes no key; a second first row neither', async () => {
  const body = (id) => ({ body: { id, policy: policy(1) } });
  for (const [what, outcome] of [['not written', [0, Buffer.alloc(0)]], ['there is one', [0, Buffer.from(row('other').row.slice(2), 'hex')]]]) {
    const answer = await wire.during(answering(() => outcome), () => a.ask('/v1/keys', body('unmade')));
    assert.deepEqual(why(answer), [409, 'counters_refused', 'counters'], what);
  }
  assert.equal((await a.ask('/v1/keys/unmade')).status, 404);
});

const approve = (id, body) => stamp(boss, { key: id, deployment: 'test', body, op: 'policy', life: 600 });
async function change(id, p, revision) {
  const body = JSON.stringify({ revision, policy: p });
  return a.ask(`/v1/keys/${id}/policy`, { method: 'PUT', body, headers: { 'content-type': 'application/json', 'x-adyton-stamp': await approve(id, body) } });
}
const recordOf = (id) => sql(db, 'SELECT text FROM record WHERE id = ?', id)[0][0];

await test('a policy that was changed does not come back: its record, its row, and its approval again', async () => {
  await make('changed', policy(90));
  const old = { record: recordOf('changed'), row: row('changed') };
  let question;
  const answer = await wire.during({ toEnclave: (f) => void (f.type === CHANGE && (question = f)) }, () => change('changed', policy(1), 0));
  assert.equal(answer.status, 200, answer.body);
  assert.equal((await send('changed')).status, 200);
  assert.equal((await change('changed', policy(0), 1)).status, 200);
  const bytes = Buffer.from(old.record.slice(2), 'hex');
  const withOld = (f) => (f.type === T.SIGN ? f.change({ 2: bytes }) : undefined);
  await refused('the old record', () => wire.during({ toEnclave: withOld }, () => send('changed')), 'counters_refused', 'record.revision', /changed since/);
  await refused('the old record with its row', () => wire.during({ toEnclave: withOld, ...answering(() => [0, Buffer.from(old.row.row.slice(2), 'hex')]) }, () => send('changed')), 'counters_refused', 'counters', /older than those seen before/);
  // what was stamped then, over the record of then: the row is two revisions on
  const again = await wire.ask(CHANGE, question.body);
  assert.deepEqual([again.fault?.code, again.fault?.where], ['counters_refused', 'record.revision']);
  // over the record of now
  const now = Buffer.from(recordOf('changed').slice(2), 'hex');
  const moved = await wire.ask(CHANGE, question.change({ 1: now }).body);
  assert.deepEqual([moved.fault?.code, moved.fault?.where], ['conflict', 'revision']);
  await refused('within the present limit', () => send('changed'), 'denied', 'policy.rules[0]');
});

await test('a change whose stamps or text the parent alters is refused', async () => {
  const attempt = (fn) => wire.during({ toEnclave: (f) => (f.type === CHANGE ? fn(f) : undefined) }, () => change('other', policy(60), 0));
  const loose = JSON.stringify({ revision: 0, policy: policy(999) });
  for (const [what, fn, code, where] of [
    ['another policy', (f) => f.change({ 2: Buffer.from(loose) }), 'unauthorized', 'stamp[0].body'],
    ['without stamps', (f) => f.change({ 3: Buffer.alloc(0) }), 'denied', 'policy.change'],
    ["another key's record", (f) => f.change({ 1: Buffer.from(recordOf('roll').slice(2), 'hex') }), 'record_mismatch', 'record.id'],
    ['a record without the quorum', (f) => f.change({ 1: (b) => Buffer.from(b.toString().replace(',"change":', ',"note":1,"chance":')) }), 'record_malformed', undefined],
    ['a record with a quorum of its own', (f) => f.change({ 1: (b) => Buffer.from(b.toString().replace(/"need":1/, '"need":0')) }), 'record_malformed', undefined],
  ]) {
    const answer = await attempt(fn);
    assert.equal(answer.json.code, code, `${what}: ${answer.body}`);
    if (where) assert.equal(answer.json.where, where, what);
  }
  const mallory = await generateKey();
  const forged = recordOf('other');
  const text = Buffer.from(forged.slice(2), 'hex').toString().replace(boss.name, mallory.name);
  const body = JSON.stringify({ revision: 0, policy: policy(999) });
  const st = await stamp(mallory, { key: 'other', deployment: 'test', body, op: 'policy', life: 600 });
  const fault = (await wire.ask(CHANGE, ['other', Buffer.from(text), Buffer.from(body), Buffer.from(st)])).fault;
  assert.deepEqual([fault?.code, fault?.where], ['record_mismatch', 'record.ciphertext'], 'a quorum that the parent wrote into the record');
});

await test('after the enclave is started again, limits wait, whatever the store says; keys of its own do not', async () => {
  await make('restart', policy(2, '60s'));
  const fresh = row('restart');
  for (let i = 0; i < 2; i++) assert.equal((await send('restart')).status, 200);
  putRow(db, fresh.name, fresh.version, fresh.row); // nothing was spent, says the store
  const e = await startEnclave(a.cloud, a.keyArn);
  const began = Date.now();
  const proxy = new WireProxy(join(scratch('lim'), 'w.sock'), e.socket);
  const g = await startGateway({ dir: a.dir }, { enclave: `unix:${proxy.path}`, store: { sqlite: db, cache_ms: 0 } });
  await until(20000, 'the gateway', async () => (await request(`${g.gateway}/readyz`)).status === 200);
  const answer = await send('restart', tx(), g.gateway);
  assert.deepEqual(why(answer), [403, 'denied', 'policy.rules[0]'], answer.body);
  assert.match(answer.json.detail, /waits: what "n" counted before the enclave's start is not known/);
  assert.equal(proxy.signed, 0);
  // a key of its own does not wait
  assert.equal((await request(`${g.gateway}/v1/keys`, { method: 'POST', body: { id: 'own', policy: policy(1) } })).status, 201);
  assert.equal((await send('own', tx(), g.gateway)).status, 200);
  await until(140000, 'the period to pass', async () => {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return (await send('restart', tx(), g.gateway)).status === 200;
  });
  assert.ok(Date.now() - began >= 115000, `${Date.now() - began} ms after its start`);
});

await done();
