// SPDX-License-Identifier: Apache-2.0
// One gateway, two enclaves: each does its part; one that ends or hangs is not waited for; what is of one enclave
// only (its import key, its opened data keys) is found there.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { Transaction, Wallet } from 'ethers';
import { test, done, random, until } from './lib/tap.mjs';
import { bin, request, run, scratch } from './lib/stack.mjs';
import { admit, createKey, goodTx, startDevcloud, startEnclave } from './lib/hostile.mjs';
import { T, cbor, nonce } from './lib/parent.mjs';
import { gatewayHome, startGateway, metric } from './lib/gateway.mjs';
import { sealImport } from './lib/import.mjs';
import { fetchResponseKeys, proofsOf, readProof, verify, verifyEntry } from '../../clients/js/index.js';

const r = random();
const dir = scratch('two');
const cloud = await startDevcloud(join(dir, 'cloud'));
const keyArn = await createKey(cloud);
const enclaves = [await startEnclave(cloud, keyArn), await startEnclave(cloud, keyArn)];
await admit(cloud, keyArn, enclaves.map((e) => e.pcr0));
const g = await startGateway(gatewayHome(dir, cloud), { enclave: enclaves.map((e) => `unix:${e.socket}`), store: { sqlite: join(dir, 'k') }, request_timeout_ms: 8000 });
const ask = (path, body, method = body === undefined ? 'GET' : 'POST') => request(`${g.gateway}${path}`, { method, body });
const ready = () => until(20000, 'both to be up', async () => {
  const { body } = await ask('/metrics');
  return metric(body, 'adyton_links_up') === metric(body, 'adyton_links_wanted') && (await ask('/readyz')).status === 200;
});
await ready();
const links = enclaves.map((e) => e.link());
const signed = () => Promise.all(links.map(async (l) => (await l.status()).signed));
let n = 0;
const signature = (id) => ask(`/v1/keys/${id}/sign`, { transaction: goodTx({ nonce: n++ }) });
function right(answer, address) {
  assert.equal(answer.status, 200, answer.body);
  assert.equal(Transaction.from(answer.json.signed_transaction).from, address);
}
const signs = async (id, address) => right(await signature(id), address);
const a = (await ask('/v1/keys', { id: 'a' })).json;

await test('both enclaves sign for one key', async () => {
  const before = await signed();
  await Promise.all(Array.from({ length: 200 }, () => signs('a', a.address)));
  const after = await signed();
  for (const k of [0, 1]) assert.ok(after[k] - before[k] >= 40, `enclave ${k} signed ${after[k] - before[k]} of 200`);
});

await test('each enclave has a response key of its own: a client that knows both verifies all, and the command finds the right one', async () => {
  const roots = readFileSync(cloud.nsm_root_file, 'utf8');
  const keys = await fetchResponseKeys(g.gateway, 2, { roots });
  const body = JSON.stringify({ transaction: goodTx() });
  const by = new Set();
  for (let i = 0; i < 64 && by.size < 2; i++) {
    const answer = await ask('/v1/keys/a/sign', body);
    const proof = answer.headers['x-adyton-proof'];
    await verify({ proof, body: answer.body }, body, { responseKey: keys, key: 'a' });
    const mine = keys.findIndex((k) => Buffer.from(k).equals(Buffer.from(readProof(proof).publicKey)));
    await assert.rejects(verify({ proof, body: answer.body }, body, { responseKey: keys[1 - mine] }), /by another key/);
    by.add(mine);
  }
  assert.equal(by.size, 2);
  await assert.rejects(fetchResponseKeys(g.gateway, 3, { roots }), /gives 2 response keys/);
  const tx = join(dir, 'tx.json');
  writeFileSync(tx, JSON.stringify(goodTx()));
  for (let i = 0; i < 4; i++) {
    const p = run(join(bin, 'adyton'), ['sign', 'a', '--json', tx, '--gateway', g.gateway, '--require-proof', '--root', cloud.nsm_root_file]);
    assert.equal(p.status, 0, p.stderr);
  }
  const locked = await request(`${g.gateway}/v1/lock`, { method: 'POST', body: { tenant: 'nobody' }, headers: { 'x-adyton-proofs': 'true' } });
  const proofs = proofsOf(locked.body);
  assert.equal(locked.headers['x-adyton-proof'], undefined, 'of two decisions');
  assert.equal(new Set(proofs.map((p) => Buffer.from(readProof(p.proof).publicKey).toString('hex'))).size, 2);
  for (const { proof } of proofs) await verifyEntry(proof, null, { responseKey: keys, op: 'lock' });
});

await test('a key that was sealed to either enclave is taken in', async () => {
  for (const k of [0, 1]) {
    const answer = await links[k].ask(T.IMPORT_KEY, cbor([nonce()]));
    const doc = answer.value[0];
    const at = doc.indexOf(Buffer.concat([Buffer.from([0x6a]), Buffer.from('public_key')]));
    assert.ok(at > 0);
    const publicKey = doc.subarray(at + 13, at + 45); // bytes(32) behind the name
    assert.deepEqual([...doc.subarray(at + 11, at + 13)], [0x58, 0x20]);
    const key = r.hex(32);
    const id = `in-${k}`;
    const options = JSON.stringify({ id });
    const { enc, sealed } = await sealImport(publicKey, Buffer.from(key.slice(2), 'hex'), { options });
    const put = await ask('/v1/keys', { options, enc: enc.toString('base64'), sealed: sealed.toString('base64') });
    assert.equal(put.status, 201, put.body);
    assert.equal(put.json.address, new Wallet(key).address);
    await signs(id, put.json.address);
  }
  const options = JSON.stringify({ id: 'no' });
  const { enc, sealed } = await sealImport(r.bytes(32), Buffer.alloc(32, 7), { options });
  const put = await ask('/v1/keys', { options, enc: enc.toString('base64'), sealed: sealed.toString('base64') });
  assert.deepEqual([put.json.code, put.json.where], ['field_invalid', 'sealed'], 'sealed to nobody here');
});

await test('a lock empties both', async () => {
  await Promise.all(Array.from({ length: 50 }, () => signs('a', a.address)));
  assert.deepEqual(await Promise.all(links.map(async (l) => (await l.status()).dataKeys)), [1, 1]);
  const answer = await ask('/v1/lock', { tenant: 'default' });
  assert.deepEqual(answer.json, { locked: 2 });
  assert.deepEqual(await Promise.all(links.map(async (l) => (await l.status()).dataKeys)), [0, 0]);
  await signs('a', a.address);
});

await test('one that hangs is not waited for; what it had is signed by the other', async () => {
  const pages = new http.Agent({ keepAlive: true }); // not behind the signatures
  const readyz = async () => (await request(`${g.gateway}/readyz`, { agent: pages })).json.enclave;
  enclaves[0].child.kill('SIGSTOP');
  const began = Date.now();
  let answered = 0;
  const all = Promise.all(Array.from({ length: 200 }, () => signature('a').then((answer) => (answered++, answer))));
  await until(20000, 'it to be noticed', async () => (await readyz()).detail);
  const soon = answered;
  for (const answer of await all) right(answer, a.address);
  console.log(`# 200 signatures while one of two hangs: ${soon} before that was noticed, all within ${Date.now() - began} ms`);
  assert.ok(soon >= 90, `${soon} of 200 before it was noticed`);
  await until(20000, 'every thread to have noticed', async () => {
    const { body } = await ask('/metrics');
    return 2 * metric(body, 'adyton_links_up') === metric(body, 'adyton_links_wanted');
  });
  assert.deepEqual(await readyz(), { ok: true, detail: '1 of 2 enclaves answer' });
  const before = await links[1].status();
  await signs('a', a.address);
  assert.equal((await links[1].status()).signed, before.signed + 1, 'by the other, at once');
  const lock = await ask('/v1/lock', { all: true });
  assert.deepEqual([lock.status, lock.json.code], [503, 'enclave_unavailable'], 'an enclave that was not asked may have data keys');
  enclaves[0].child.kill('SIGCONT');
  await ready();
});

await test('one that is killed under load: every request is answered with a signature', async () => {
  const before = (await signed())[1];
  const all = Array.from({ length: 400 }, () => signs('a', a.address));
  await new Promise((resolve) => setTimeout(resolve, 20));
  enclaves[0].child.kill('SIGKILL');
  await Promise.all(all);
  await Promise.all(Array.from({ length: 50 }, () => signs('a', a.address)));
  assert.ok((await links[1].status()).signed > before);
  await enclaves[0].restart();
  await ready();
});

await test('none is there: refused at once, by name', async () => {
  for (const e of enclaves) e.child.kill('SIGKILL');
  await until(5000, 'both to be gone', async () => (await ask('/readyz')).json.enclave.ok === false);
  const answer = await ask('/v1/keys/a/sign', { transaction: goodTx() });
  assert.deepEqual([answer.status, answer.json.code], [503, 'enclave_unavailable']);
  for (const e of enclaves) await e.restart();
  await ready();
  await signs('a', a.address);
});

await done();
