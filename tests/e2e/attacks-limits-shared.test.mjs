// SPDX-License-Identifier: Apache-2.0
// A compromised parent against the limits of wallets and of validators: their rows rolled back, taken from others,
// dropped or lied about, records that say another row, wallets and keys that are made once more, an enclave that is
// started again. Nothing is signed beyond a limit.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, done, until } from './lib/tap.mjs';
import { T } from './lib/parent.mjs';
import { goodTx, startEnclave } from './lib/hostile.mjs';
import { startAttacked, WireProxy } from './lib/wire.mjs';
import { startGateway } from './lib/gateway.mjs';
import { request, scratch } from './lib/stack.mjs';
import { fastNetwork, forkInfo } from './lib/validators.mjs';
import { attacksOn, putRow, rowOf, sql, tallies } from './lib/tallies.mjs';

const DERIVE = 15, DUTY = 12;
const network = fastNetwork();
const s = { network };
const validators = { network, clock_error_s: 0 };
const db = join(scratch('states'), 'states.db');
const states = { states: `sqlite:${db}` };
const a = await startAttacked({ changes: { validators }, gateway: { validators: states } });
const { wire } = a;
const records = join(a.dir, 'keys.sqlite');
const { refused, answering } = attacksOn(wire);
const rules = (max, per) => [{ name: 'derive', effect: 'allow', when: { kind: 'derive' } }, { name: 'pay', effect: 'allow', when: {}, limits: [{ name: 'n', per, max }] }];
const policy = (max, { per = '1h', count } = {}) => ({ policy: 1, rules: rules(max, per), ...(count && { count }) });
let nonce = 0;
const tx = () => goodTx({ chainId: 31337, nonce: nonce++ });
const send = (id, at = a.gateway) => request(`${at}/v1/keys/${id}/sign`, { method: 'POST', body: { transaction: tx() } });
const post = (path, body, at = a.gateway) => request(`${at}${path}`, { method: 'POST', body });
const rows = {};
const rowNamed = (name) => tallies(db).find((t) => t.name === name);
const row = (id) => rowNamed(rows[id]);
const made = async (answer) => assert.equal(answer.status, 201, answer.body);
const derive = async (id, prefix, at) => made(await post(`/v1/keys/${id}/derive`, { path: "m/44'/60'/0'/0/*", count: 3, options: { id: prefix } }, at));
async function wallet(id, p) {
  rows[id] = (await rowOf(db, async () => made(await post('/v1/keys', { id, curve: 'wallet', policy: p })))).name;
  await derive(id, `${id}-`);
}
const hex = (b) => Buffer.from(b.slice(2), 'hex');
const recordOf = (id) => JSON.parse(hex(sql(records, 'SELECT text FROM record WHERE id = ?', id)[0][0]).toString());
const NEVER = 2n ** 64n - 1n; // of a DUTY's watermarks
const withRecord = (record) => ({ toEnclave: (f) => (f.type === T.SIGN ? f.change({ 2: Buffer.from(JSON.stringify(record)) }) : undefined) });
const OVER = ['denied', 'policy.rules[1]'];

await wallet('roll', policy(3));
await wallet('other', policy(50));

await test("a wallet's row that is rolled back, dropped, another wallet's or noise: refused for each of its keys", async () => {
  const fresh = row('roll');
  for (const id of ['roll-0', 'roll-1']) assert.equal((await send(id)).status, 200);
  const now = row('roll');
  assert.equal(now.version, fresh.version + 2);
  putRow(db, fresh.name, fresh.version, fresh.row);
  for (const id of ['roll-0', 'roll-2']) await refused('rolled back', () => send(id), 'counters_refused', 'counters', /older than those seen before/);
  putRow(db, fresh.name, 0, null);
  for (const id of ['roll-0', 'roll-2']) await refused('dropped', () => send(id), 'counters_refused', 'counters', /are missing/);
  for (const [what, bytes] of [["another wallet's", hex(row('other').row)], ['noise', Buffer.alloc(900, 7)]])
    await refused(what, () => wire.during(answering(() => [0, bytes]), () => send('roll-2')), 'counters_refused', 'counters');
  putRow(db, now.name, now.version, now.row);
  assert.equal((await send('roll-2')).status, 200);
  for (const id of ['roll-0', 'roll-1', 'roll-2']) await refused('beyond', () => send(id), ...OVER);
});

await test('outcomes "written" that were not, over several keys: the limit of all of them holds', async () => {
  await wallet('lied', policy(4));
  let signed = 0;
  await wire.during(answering(() => [1, Buffer.alloc(0)]), async () => {
    for (let i = 0; i < 12; i++) signed += (await send(`lied-${i % 3}`)).status === 200;
  });
  assert.equal(signed, 4);
  for (const id of ['lied-0', 'lied-1', 'lied-2']) await refused('later', () => send(id), ...OVER);
});

await test("a record that says another row, or opens its own no more, opens nothing", async () => {
  const mine = recordOf('roll-0'), theirs = recordOf('other-0');
  const name = (r) => r.counters.slice(0, 64), key = (r) => r.counters.slice(64);
  for (const [what, record, where] of [
    ["another wallet's row", { ...mine, counters: theirs.counters }, 'record.counters|record.ciphertext'],
    ["another wallet's row's name", { ...mine, counters: name(theirs) + key(mine) }, 'record.counters|record.ciphertext'],
    ["another wallet's row's key", { ...mine, counters: name(mine) + key(theirs) }, 'record.counters'],
    ['no key of the row', { ...mine, counters: name(mine) }, 'record.counters'],
    ['no row', (({ counters, ...rest }) => rest)(mine), 'record.ciphertext'],
    ['half a key', { ...mine, counters: mine.counters.slice(0, 100) }, 'record.counters'],
  ]) {
    const before = wire.signed;
    // the parent keeps for the record's row whatever the enclave wants there
    const answer = await wire.during({ ...withRecord(record), ...answering(() => [0, hex(row('other').row)]) }, () => send('roll-0'));
    assert.match(answer.json.code, /^(record_mismatch|record_malformed|counters_refused)$/, `${what}: ${answer.body}`);
    if (answer.json.code !== 'counters_refused') assert.match(answer.json.where, new RegExp(where), what);
    assert.equal(wire.signed, before, what);
  }
});

await test('a record whose row the parent changed where it is derived signs nothing', async () => {
  const theirs = hex('0x' + recordOf('other-0').counters);
  const swapped = { toGateway: (f, about) => (about?.type === DERIVE && !f.isFault ? f.change({ 2: theirs }) : undefined) };
  await wire.during(swapped, () => derive('roll', 'swapped-'));
  await refused('swapped', () => send('swapped-0'), 'record_mismatch', 'record.ciphertext');
  await wire.during({ toGateway: (f, about) => (about?.type === DERIVE && !f.isFault ? f.change({ 2: Buffer.alloc(0) }) : undefined) }, () => derive('roll', 'without-'));
  // a policy with limits, and no row that the record names: it counts as an ordinary key would, and opens not
  const answer = await send('without-0');
  assert.match(answer.json.code, /^(record_mismatch|counters_refused)$/, answer.body);
});

await test('a row of its own ("count": "key"): rolled back, dropped, under another id, of another key', async () => {
  await wallet('each', policy(3, { count: 'key' }));
  const first = await rowOf(db, async () => assert.equal((await send('each-0')).status, 200));
  assert.equal((await send('each-0')).status, 200);
  const now = rowNamed(first.name);
  putRow(db, first.name, first.version, first.row);
  await refused('rolled back', () => send('each-0'), 'counters_refused', 'counters', /older than those seen before/);
  putRow(db, first.name, 0, null);
  await refused('dropped', () => send('each-0'), 'counters_refused', 'counters', /are missing/);
  await derive('each', 'again-');
  await refused('the same key under another id', () => send('again-0'), 'counters_refused', 'counters', /are missing/);
  putRow(db, now.name, now.version, now.row);
  assert.equal((await send('again-0')).status, 200);
  for (const id of ['again-0', 'each-0']) await refused('beyond', () => send(id), ...OVER);
  const second = await rowOf(db, async () => assert.equal((await send('each-1')).status, 200));
  await refused("another key's", () => wire.during(answering(() => [0, hex(second.row)]), () => send('each-2')), 'counters_refused', 'counters', /not written by an enclave for this key/);
});

const exit = (epoch) => ({ type: 'VOLUNTARY_EXIT', fork_info: forkInfo(s), voluntary_exit: { epoch: String(epoch), validator_index: '9' } });
const duty = (id, epoch) => request(`${a.gateway}/api/v1/eth2/sign/${pubkeys[id]}`, { method: 'POST', body: exit(epoch), headers: { accept: 'application/json' } });
const pubkeys = {};
async function validator(id, max) {
  const p = { policy: 1, rules: [{ name: 'exit', effect: 'allow', when: { duty: 'VOLUNTARY_EXIT' }, limits: [{ name: 'n', per: '24h', max }] }] };
  rows[id] = (await rowOf(db, async () => {
    const answer = await post('/v1/keys', { id, curve: 'bls12-381', policy: p });
    await made(answer);
    pubkeys[id] = answer.json.public_key;
  })).name;
}
async function noDuty(what, fn, status, words) {
  const before = wire.signed;
  const answer = await fn();
  assert.equal(answer.status, status, `${what}: ${answer.body}`);
  assert.match(answer.body, words, what);
  assert.equal(wire.signed, before, `${what}: a signature left`);
}

await test("a validator's row: rolled back, dropped, another's, lost and lied about", async () => {
  await validator('v', 2);
  await validator('u', 9);
  const fresh = row('v');
  assert.equal((await duty('v', 1)).status, 200);
  const now = row('v');
  putRow(db, fresh.name, fresh.version, fresh.row);
  await noDuty('rolled back', () => duty('v', 2), 500, /older than those seen before/);
  putRow(db, fresh.name, 0, null);
  await noDuty('dropped', () => duty('v', 2), 500, /are missing/);
  await noDuty("another's", () => wire.during(answering(() => [0, hex(row('u').row)]), () => duty('v', 2)), 500, /not written by an enclave for this key/);
  putRow(db, now.name, now.version, now.row);
  const lose = { toEnclave: (f) => (f.type === (17 | T.ANSWER) ? f.with({ type: T.ERROR, message: ['internal', '', 'x', ''] }) : undefined) };
  await noDuty('lost', () => wire.during(lose, () => duty('v', 2)), 500, /whether they were is not known/);
  assert.equal((await duty('v', 2)).status, 200, 'the same again');
  await noDuty('beyond', () => duty('v', 3), 403, /does not hold: n/);
  await noDuty('beyond, however it is answered', () => wire.during(answering(() => [1, Buffer.alloc(0)]), () => duty('v', 3)), 403, /does not hold: n/);
  for (const changed of [{ policy: undefined }, { policy: { policy: 1, rules: [{ name: 'exit', effect: 'allow', when: {} }] } }]) {
    const record = Buffer.from(JSON.stringify({ ...recordOf('v'), ...changed }));
    const answer = await wire.ask(DUTY, ['v', record, Buffer.alloc(0), 0, Buffer.from(JSON.stringify(exit(3))), Buffer.alloc(0), NEVER, NEVER]);
    assert.equal(answer.fault?.code, 'record_mismatch', 'a record with another policy');
  }
});

await test('after a start limits wait, and nothing that is made once more ends that: keys derived again, a wallet of the same name', async () => {
  await wallet('old', policy(2));
  await wallet('olds', policy(1, { count: 'key' }));
  const fresh = row('old');
  for (let i = 0; i < 2; i++) assert.equal((await send('old-0')).status, 200);
  const own = await rowOf(db, async () => assert.equal((await send('olds-0')).status, 200));
  const late = sql(records, 'SELECT text FROM record WHERE id = ?', 'old-1')[0][0];
  putRow(db, fresh.name, fresh.version, fresh.row);
  putRow(db, own.name, 0, null); // neither was ever used, says the store
  const e = await startEnclave(a.cloud, a.keyArn, { changes: { validators } });
  const proxy = new WireProxy(join(scratch('lims'), 'w.sock'), e.socket);
  const g = await startGateway({ dir: a.dir }, { enclave: `unix:${proxy.path}`, store: { sqlite: records, cache_ms: 0 }, validators: states });
  await until(20000, 'the gateway', async () => (await request(`${g.gateway}/readyz`)).status === 200);
  const waits = async (id) => {
    const answer = await send(id, g.gateway);
    assert.deepEqual([answer.status, answer.json?.code, answer.json?.where], [403, ...OVER], `${id}: ${answer.body}`);
    assert.match(answer.json.detail, /waits: what "n" counted before the enclave's start is not known/, id);
  };
  for (const id of ['old-0', 'old-1', 'olds-0', 'olds-1']) await waits(id);
  await derive('old', 'anew-', g.gateway);
  await derive('olds', 'anews-', g.gateway);
  for (const id of ['anew-0', 'anew-2', 'anews-0', 'anews-2']) await waits(id);
  // another wallet of the old one's name is another wallet, with another row: the old one's keys wait on
  for (const id of ['old', 'old-1']) sql(records, 'DELETE FROM record WHERE id = ?', id);
  const born = (await rowOf(db, async () => made(await post('/v1/keys', { id: 'old', curve: 'wallet', policy: policy(2) }, g.gateway)))).name;
  assert.notEqual(born, rows.old);
  await derive('old', 'new-', g.gateway);
  assert.equal((await send('new-0', g.gateway)).status, 200, 'it does not wait: it came into being here');
  const withOld = (f) => (f.type === T.SIGN ? f.change({ 1: 'old-1', 2: hex(late) }) : undefined);
  const answer = await proxy.during({ toEnclave: withOld }, () => send('new-1', g.gateway));
  assert.match(answer.json?.detail ?? '', /waits: what "n" counted/, answer.body);
  assert.equal(proxy.signed, 1);
});

await done();
