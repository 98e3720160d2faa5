// SPDX-License-Identifier: Apache-2.0
// Web3Signer's eth1 interface through the whole stack: signatures are those of ethers with the same key, in text
// and in JSON; nothing that has a transaction's form is signed through it.
import assert from 'node:assert/strict';
import http from 'node:http';
import { SigningKey, Transaction, concat, encodeRlp, keccak256 } from 'ethers';
import { test, done, random } from './lib/tap.mjs';
import { startStack, putKey, request } from './lib/stack.mjs';
import { startGateway } from './lib/gateway.mjs';
import { createHash } from 'node:crypto';
import { randomTransaction, toEthers } from './lib/txs.mjs';

const r = random();
const s = await startStack();
s.gatewayAgent = new http.Agent({ keepAlive: true, maxSockets: 8 });
const secret = r.hex(32);
const key = new SigningKey(secret);
const id = key.publicKey.slice(4); // without "0x04"
putKey(s, 'alice', secret.slice(2), '--allow-digest');
const careful = new SigningKey(r.hex(32));
putKey(s, 'careful', careful.privateKey.slice(2));

const get = (path, headers = {}, at = s.gateway) => request(at + path, { headers, agent: s.gatewayAgent });
const post = (path, body, headers = {}, at = s.gateway) => request(at + path, { method: 'POST', body, headers, agent: s.gatewayAgent });
const sign = (body, who = id, headers) => post(`/api/v1/eth1/sign/${who}`, body, headers);

async function refused(status, code, where, body, who = id) {
  const answer = await sign(body, who);
  const text = `${answer.status} ${answer.body} for ${JSON.stringify(body)}`;
  assert.equal(answer.status, status, text);
  assert.equal(answer.json?.code, code, text);
  assert.equal(answer.json.where ?? '', where, text);
}

await test('sign: keccak256 of the data, or a digest with applyHash false', async () => {
  for (let i = 0; i < 30; i++) {
    const data = concat(['0x1945', r.hex(r.below(200))]); // two bytes below 0x80 first: no transaction begins so
    const answer = await sign({ data }, r.pick([id, `0x${id}`, id.toUpperCase()]));
    assert.equal(answer.body, key.sign(keccak256(data)).serialized);
    assert.equal(answer.headers['content-type'], 'text/plain');
    assert.equal((await sign({ data, applyHash: true })).body, answer.body);
    const digest = r.hex(32);
    assert.equal((await sign({ data: digest, applyHash: false })).body, key.sign(digest).serialized);
  }
});

await test('text or JSON by Accept', async () => {
  const want = key.sign(keccak256('0x01')).serialized;
  for (const accept of [undefined, '*/*', 'text/plain', 'application/json, text/plain, */*', 'text/html']) assert.equal((await sign({ data: '0x01' }, id, accept && { accept })).body, want);
  for (const accept of ['application/json', 'application/json, */*;q=0.1']) assert.deepEqual((await sign({ data: '0x01' }, id, { accept })).json, { signature: want });
});

await test('nothing in the form of a transaction is signed, though the record allows digests', async () => {
  for (let i = 0; i < 60; i++) {
    const tx = Transaction.from(toEthers(randomTransaction(r, i % 5, key)));
    await refused(403, 'denied', 'data', { data: tx.unsignedSerialized });
    tx.signature = key.sign(tx.unsignedHash);
    await refused(403, 'denied', 'data', { data: tx.serialized });
  }
  const old = encodeRlp(['0x', '0x01', '0x5208', r.hex(20), '0x01', '0x']); // before EIP-155
  await refused(403, 'denied', 'data', { data: old });
  await refused(403, 'denied', 'data', { data: concat(['0x05', encodeRlp(['0x01', r.hex(20), '0x'])]) }); // EIP-7702's tuple
});

await test('what is wrong is refused with place and reason', async () => {
  const other = careful.publicKey.slice(4);
  await refused(403, 'denied', 'data', { data: '0x01' }, other);
  await refused(403, 'denied', 'digest', { data: r.hex(32), applyHash: false }, other);
  await refused(404, 'not_found', '', { data: '0x01' }, new SigningKey(r.hex(32)).publicKey.slice(4));
  await refused(400, 'field_invalid', 'id', { data: '0x01' }, 'alice');
  await refused(400, 'field_invalid', 'id', { data: '0x01' }, id.slice(2));
  await refused(400, 'field_missing', 'data', {});
  await refused(400, 'field_invalid', 'data', { data: 'hello' });
  await refused(400, 'field_invalid', 'data', { data: 1 });
  await refused(400, 'field_invalid', 'digest', { data: '0x01', applyHash: false });
  await refused(400, 'field_invalid', 'applyHash', { data: '0x01', applyHash: 1 });
  await refused(400, 'field_unknown', '', { data: '0x01', applyhash: false });
  await refused(400, 'field_invalid', '', []);
  await refused(400, 'json_malformed', '', '{');
  await refused(400, 'json_duplicate_key', 'data', '{"data":"0x01","data":"0x02"}');
});

await test('publicKeys are those of all keys, uncompressed', async () => {
  const { status, json } = await get('/api/v1/eth1/publicKeys');
  assert.equal(status, 200);
  assert.deepEqual([...json].sort(), [key, careful].map((k) => '0x' + k.publicKey.slice(4)).sort());
});

await test('upcheck, healthcheck and reload', async () => {
  const up = await get('/upcheck');
  assert.deepEqual([up.status, up.body, up.headers['content-type']], [200, 'OK', 'text/plain']);
  assert.deepEqual((await get('/upcheck', { accept: 'application/json' })).json, { status: 'OK' }); // as Lodestar asks
  const health = await get('/healthcheck');
  assert.equal(health.status, 200);
  assert.deepEqual(health.json, { status: 'UP', checks: ['enclave', 'kms', 'keys-check'].map((check) => ({ id: check, status: 'UP' })), outcome: 'UP' });
  const lost = await startGateway(s, { enclave: `unix:${s.dir}/nobody.sock` }, { ready: false });
  const down = await get('/healthcheck', {}, lost.gateway);
  assert.equal(down.status, 503);
  assert.deepEqual([down.json.status, down.json.outcome, down.json.checks[0]], ['DOWN', 'DOWN', { id: 'enclave', status: 'DOWN' }]);
  await lost.stop();
});

await test('after a reload a changed record is used though the old one is cached', async () => {
  assert.deepEqual((await get('/reload')).json, { status: 'idle' });
  const before = new SigningKey(r.hex(32));
  const after = new SigningKey(r.hex(32));
  const ask = async () => (await post('/v1/keys/changes/sign', { message: { text: 'x' } })).json.from;
  const { computeAddress } = await import('ethers');
  putKey(s, 'changes', before.privateKey.slice(2));
  assert.equal(await ask(), computeAddress(before.publicKey));
  putKey(s, 'changes', after.privateKey.slice(2), '--replace');
  assert.equal(await ask(), computeAddress(before.publicKey)); // store.cache_ms is 30 s
  const reload = await post('/reload');
  assert.equal(reload.status, 202);
  assert.equal(reload.json.status, 'accepted');
  assert.equal(await ask(), computeAddress(after.publicKey));
  const status = (await get('/reload')).json;
  assert.equal(status.status, 'completed');
  assert.ok(Math.abs(Date.parse(status.lastOperationTime) - Date.now()) < 5000);
});

await test('where callers are configured these routes know them too', async () => {
  const sha = (token) => createHash('sha256').update(token).digest('hex');
  const g = await startGateway(s, { callers: [{ tenant: 'default', token_sha256: sha('one') }, { tenant: 'other', token_sha256: sha('two') }, { admin: true, token_sha256: sha('three') }] });
  const bearer = (token) => ({ authorization: `Bearer ${token}` });
  assert.equal((await post(`/api/v1/eth1/sign/${id}`, { data: '0x01' }, {}, g.gateway)).status, 401);
  assert.equal((await get('/api/v1/eth1/publicKeys', {}, g.gateway)).status, 401);
  assert.equal((await post('/reload', undefined, {}, g.gateway)).status, 401);
  assert.equal((await get('/api/v1/eth1/publicKeys', bearer('one'), g.gateway)).json.length, 3);
  assert.deepEqual((await get('/api/v1/eth1/publicKeys', bearer('two'), g.gateway)).json, []);
  assert.equal((await post(`/api/v1/eth1/sign/${id}`, { data: '0x01' }, bearer('one'), g.gateway)).body, key.sign(keccak256('0x01')).serialized);
  assert.equal((await post(`/api/v1/eth1/sign/${id}`, { data: '0x01' }, bearer('two'), g.gateway)).status, 404);
  assert.equal((await post('/reload', undefined, bearer('one'), g.gateway)).status, 403);
  assert.equal((await post('/reload', undefined, bearer('three'), g.gateway)).status, 202);
  // JSON-RPC: the accounts of a caller's tenant, and no others
  const rpc = (token, method, params = []) => post('/', { jsonrpc: '2.0', id: 1, method, params }, bearer(token), g.gateway);
  assert.equal((await rpc('one', 'eth_accounts')).json.result.length, 3);
  assert.deepEqual((await rpc('two', 'eth_accounts')).json.result, []);
  const account = (await rpc('one', 'eth_accounts')).json.result[0];
  assert.ok((await rpc('one', 'personal_sign', ['0x01', account])).json.result);
  assert.equal((await rpc('two', 'personal_sign', ['0x01', account])).json.error.code, -32000);
  assert.equal((await post('/', { jsonrpc: '2.0', id: 1, method: 'eth_accounts' }, bearer('four'), g.gateway)).status, 401);
  await g.stop();
});

await done();
