// SPDX-License-Identifier: Apache-2.0
// Keys by the hundred thousand: one command makes them while it, the gateway and the enclave are killed, and the
// same command goes on where it was cut off, in a database and in a folder. Lists give all of them, page by page;
// validators' clients are told of each of theirs.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Transaction } from 'ethers';
import { test, done, random, until } from './lib/tap.mjs';
import { bin, request, run, scratch } from './lib/stack.mjs';
import { goodTx } from './lib/hostile.mjs';
import { startGateway } from './lib/gateway.mjs';
import { startValidators } from './lib/validators.mjs';

const N = Number(process.env.ADYTON_MANY ?? 100000);
const VALIDATORS = 10500; // more than a page of ten thousand
const r = random();
const s = await startValidators();
const env = { ...process.env, ADYTON_GATEWAY: s.gateway };
const pids = () => JSON.parse(readFileSync(join(s.dir, 'stack.json'), 'utf8')).pids;
const ready = (url = s.gateway) => until(30000, 'the stack to be ready', async () => (await request(`${url}/readyz`).catch(() => ({}))).status === 200);
const good = (p) => (assert.equal(p.status, 0, p.stderr), JSON.parse(p.stdout));
const create = (prefix, count, ...more) => run(join(bin, 'adyton'), ['key', 'create', prefix, '--count', String(count), '--json', ...more], { env });

/** The command, and what its progress says; cut(done) is called with it. Resolves to its end. */
function creating(prefix, count, cut = () => {}) {
  const child = spawn(join(bin, 'adyton'), ['key', 'create', prefix, '--count', String(count), '--chain', '31337', '--json'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const out = { stdout: '', stderr: '', told: [] };
  child.stdout.on('data', (d) => (out.stdout += d));
  child.stderr.on('data', (d) => {
    out.stderr += d;
    for (const [, n, of] of String(d).matchAll(/(\d+) of (\d+)\n/g)) assert.equal(Number(of), count), out.told.push(Number(n)), cut(Number(n), child);
  });
  return new Promise((resolve) => child.on('close', (status, signal) => resolve({ ...out, status, signal })));
}

await test(`${N} keys by one command, which is killed, as are gateway and enclave: the same command goes on, and none is missing`, async () => {
  const began = performance.now();
  let cuts = 0;
  for (const [what, at, kill] of [
    ['the command', 0.2, (child) => child.kill('SIGKILL')],
    ['the gateway', 0.4, () => process.kill(pids().gateway, 'SIGKILL')],
    ['the enclave', 0.6, () => process.kill(pids().enclave, 'SIGKILL')],
  ]) {
    let killed = false;
    const p = await creating('acct-', N, (n, child) => {
      if (killed || n < at * N || n >= N) return;
      killed = true;
      kill(child);
    });
    assert.ok(killed, `${what} was not killed`);
    if (p.signal !== 'SIGKILL' && p.status !== 0) assert.match(p.stderr, /The same command goes on from there/, what);
    console.log(`# ${what} was killed: progress ${p.told.at(-1)} of ${N}, status ${p.status ?? p.signal}`);
    cuts += p.status !== 0;
    await ready();
  }
  assert.ok(cuts >= 2, 'none of the kills cut the command off');
  let last = await creating('acct-', N);
  for (let again = 0; last.status !== 0 && again < 5; again++) await ready(), (last = await creating('acct-', N)); // a stack that is not quite back
  const sum = good(last);
  assert.equal(sum.created + sum.there_already, N);
  assert.deepEqual([sum.first, sum.last], ['acct-0', `acct-${N - 1}`]);
  assert.deepEqual(last.told, Array.from({ length: Math.ceil(N / 500) }, (_, i) => Math.min(N, 500 * (i + 1))), 'progress');
  console.log(`# ${N} keys in ${((performance.now() - began) / 1000).toFixed(1)} s, ${sum.created} of them by the last command`);
});

await test(`a list has all of them, page by page, each once, in the order of their ids`, async () => {
  const addresses = new Set();
  let pages = 0, before = '', seen = 0;
  for (let next = ''; next !== undefined; pages++) {
    const page = await request(`${s.gateway}/v1/keys?limit=1000&curve=secp256k1&after=${encodeURIComponent(next)}`, { agent: s.gatewayAgent });
    assert.equal(page.status, 200, page.body);
    for (const k of page.json.keys) {
      assert.ok(Buffer.compare(Buffer.from(before), Buffer.from(k.id)) < 0, `${before} and then ${k.id}`);
      before = k.id;
      addresses.add(k.address);
      seen++;
    }
    next = page.json.next;
  }
  assert.deepEqual([seen, addresses.size], [N, N]);
  console.log(`# ${pages} pages`);
});

await test('keys at random among them sign, each with its own address and its own rights', async () => {
  for (const n of [0, N - 1, ...Array.from({ length: 30 }, () => r.below(N))]) {
    const { json: key } = await request(`${s.gateway}/v1/keys/acct-${n}`);
    const answer = await request(`${s.gateway}/v1/keys/acct-${n}/sign`, { method: 'POST', body: { transaction: goodTx() } });
    assert.equal(answer.status, 200, answer.body);
    assert.equal(Transaction.from(answer.json.signed_transaction).from, key.address);
    assert.deepEqual(key.chains, [31337]);
  }
  assert.equal((await request(`${s.gateway}/v1/keys/acct-${N}`)).status, 404);
});

await test('a longer command goes on in the middle of a part; so do the keys of a wallet', () => {
  assert.deepEqual([good(create('more-', 700)).created, good(create('more-', 1000))].map((x) => x.created ?? x), [700, 300]);
  assert.deepEqual(good(create('more-', 1000)), { created: 0, there_already: 1000, first: 'more-0', last: 'more-999' });
  assert.equal(good(create('more-', 1)).there_already, 1);
  const adyton = (...args) => good(run(join(bin, 'adyton'), [...args, '--json'], { env }));
  adyton('wallet', 'create', 'w');
  const derive = (count) => adyton('wallet', 'derive', 'w', '--path', "m/44'/60'/0'/0/*", '--count', String(count), '--id', 'hd-');
  assert.equal(derive(30).created, 30);
  const on = derive(100);
  assert.deepEqual([on.created, on.there_already, on.keys.length, on.keys[0].id], [70, 30, 70, 'hd-30']);
});

await test('in a folder, which takes keys one by one: the gateway is killed in the middle of a part, and the command goes on', async () => {
  const folder = join(scratch('many'), 'keys');
  const files = () => readdirSync(folder).filter((f) => f.startsWith('f-')).length;
  const start = () => startGateway(s, { store: { folder }, validators: undefined });
  const first = await start();
  const asked = request(`${first.gateway}/v1/keys`, { method: 'POST', body: { options: '{"id":"f-"}', count: 500, first: 0 } }).catch(() => ({}));
  await until(20000, 'the first file', () => files() > 0);
  while (files() <= 37); // without a pause, in which all could be made
  await first.stop('SIGKILL');
  await asked;
  const there = files();
  assert.ok(there < 500, 'the kill came too late');
  const second = await start();
  await ready(second.gateway);
  const sum = good(create('f-', 800, '--gateway', second.gateway));
  console.log(`# ${there} of 500 files were there`);
  assert.deepEqual([sum.created, sum.there_already], [800 - there, there]);
  assert.equal(files(), 800);
  await second.stop();
});

await test(`${VALIDATORS} validators: clients of Web3Signer and the Keymanager API are told of each of them`, async () => {
  assert.equal(good(create('val-', VALIDATORS, '--curve', 'bls12-381')).created, VALIDATORS);
  const keys = await request(`${s.gateway}/api/v1/eth2/publicKeys`);
  assert.equal(new Set(keys.json).size, VALIDATORS);
  const token = join(s.dir, 'km-token');
  const g = await startGateway(s, { keymanager: { token_file: token } });
  await ready(g.gateway);
  const listed = await request(`${g.gateway}/eth/v1/keystores`, { headers: { authorization: `Bearer ${readFileSync(token, 'utf8')}` } });
  assert.deepEqual(new Set(listed.json.data.map((k) => k.validating_pubkey)), new Set(keys.json));
  await g.stop();
});

await done();
