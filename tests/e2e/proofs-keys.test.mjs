// SPDX-License-Identifier: Apache-2.0
// Proofs that a client asks for in the answers that are no JSON-RPC: signatures, new keys and many of them, keys of a wallet,
// locks, Web3Signer's eth1 interface; and of refusals that are told late.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SigningKey, Transaction } from 'ethers';
import { done, test } from './lib/tap.mjs';
import { request, scratch, startStack } from './lib/stack.mjs';
import { startGateway } from './lib/gateway.mjs';
import { addressOf, fetchResponseKey, proofsOf, verify } from '../../clients/js/index.js';

const s = await startStack({ args: ['--gateway-option', `store.sqlite=${join(scratch('prf'), 'keys.db')}`] });
const trust = { responseKey: await fetchResponseKey(s.gateway, { roots: readFileSync(s.nsm_root_file, 'utf8'), pcrs: { 0: s.pcr0 } }) };
const ASK = { 'x-adyton-proofs': 'true' };
const to = '0x' + '77'.repeat(20);
const post = (path, body, headers = {}) => request(`${s.gateway}${path}`, { method: 'POST', body, headers });
const make = async (body) => {
  const answer = await post('/v1/keys', body);
  assert.equal(answer.status, 201, answer.body);
  return answer.json;
};
const fails = (reason, fn) => assert.rejects(fn, (e) => (assert.equal(e.reason, reason, e.stack), true));
const alice = await make({ id: 'alice', allow: ['digest'] });
const from = alice.address;

await test('the other answers over HTTP have theirs in the body too: signatures, keys, locks, Web3Signer', async () => {
  const body = JSON.stringify({ transaction: { chainId: 1, nonce: 0, to, value: '1', gas: 21000, maxFeePerGas: '2', maxPriorityFeePerGas: '1' } });
  const signed = await post('/v1/keys/alice/sign', body, ASK);
  assert.deepEqual(proofsOf(signed.body), [{ proof: signed.headers['x-adyton-proof'] }]);
  const entry = await verify({ proof: proofsOf(signed.json)[0].proof, body: signed.json }, body, { ...trust, key: 'alice' });
  assert.equal('0x' + Buffer.from(entry.digest).toString('hex'), Transaction.from(signed.json.signed_transaction).hash);
  const refused = await post('/v1/keys/alice/sign', '{"transaction":{}}', ASK);
  assert.equal((await verify({ proof: proofsOf(refused.body)[0].proof, body: refused.body }, '{"transaction":{}}', trust)).code, refused.json.code);
  const locked = await post('/v1/lock', '{"all":true}', ASK);
  const lock = { proof: proofsOf(locked.json)[0].proof, body: locked.json };
  assert.equal((await verify(lock, null, { ...trust, op: 'lock' })).op, 'lock');
  await fails('request', () => verify(lock, null, trust)); // it has no result: who does not ask for it does not take it
  await fails('request', () => verify({ proof: signed.headers['x-adyton-proof'], body: signed.body }, body, { ...trust, op: 'lock' }));
  const uncompressed = SigningKey.computePublicKey(alice.public_key, false).slice(4);
  const path = `/api/v1/eth1/sign/${uncompressed}`;
  const text = await post(path, '{"data":"0x0102"}', ASK);
  await verify({ proof: text.headers['x-adyton-proof'], body: text.body }, '{"data":"0x0102"}', trust);
  assert.match(text.body, /^0x[0-9a-f]{130}$/, 'text stays text');
  const json = await post(path, '{"applyHash":true, "data":"0x0102"}', { ...ASK, accept: 'application/json' });
  const [{ proof, request: asked }] = proofsOf(json.json);
  assert.equal(asked, '{"data":"0x0102"}');
  await verify({ proof, body: json.json }, asked, { ...trust, key: 'alice' });
});

const ofBody = (answer) => ({ proof: proofsOf(answer.json)[0].proof, body: answer.json });

await test('a new key: by this request, with its rights; its public key and address are those in the proof', async () => {
  const rights = '{"id":"carol","allow":["digest"],"chains":[1]}';
  const made = await post('/v1/keys', rights.replace('}', ',"label":"of Carol"}'), ASK);
  assert.equal(made.status, 201, made.body);
  assert.deepEqual(proofsOf(made.json), [{ proof: made.headers['x-adyton-proof'] }]);
  await verify(ofBody(made), rights, { ...trust, key: 'carol', op: 'create' });
  assert.deepEqual('0x' + Buffer.from(addressOf(Buffer.from(made.json.public_key.slice(2), 'hex'))).toString('hex'), made.json.address.toLowerCase());
  await fails('request', () => verify(ofBody(made), rights.replace('[1]', '[1,2]'), trust));
  await fails('result', () => verify({ ...ofBody(made), body: { ...made.json, address: from } }, rights, trust));
  await fails('result', () => verify({ ...ofBody(made), body: { ...made.json, public_key: alice.public_key, address: from } }, rights, trust));
});

await test('keys of a wallet: their public keys and addresses are those that the enclave has derived, of this path', async () => {
  await make({ id: 'purse', curve: 'wallet' });
  for (const [status, body] of [[200, { path: "m/44'/60'/0'/0/*", count: 3 }], [201, { path: "m/44'/60'/0'/0/*", count: 3, options: { id: 'd-' } }], [200, { path: 'm/12381/3600/7/0/0', curve: 'bls12-381' }]]) {
    const text = JSON.stringify(body);
    const told = await post('/v1/keys/purse/derive', text, ASK);
    assert.equal(told.status, status, told.body);
    assert.deepEqual(proofsOf(told.json), [{ proof: told.headers['x-adyton-proof'] }]);
    const entry = await verify(ofBody(told), text, { ...trust, key: 'purse', op: 'derive' });
    assert.equal(entry.code, '');
    const swapped = (keys) => verify({ ...ofBody(told), body: { keys } }, text, trust);
    await swapped(told.json.keys);
    await fails('result', () => swapped(told.json.keys.with(0, { ...told.json.keys[0], public_key: alice.public_key, address: undefined })));
    await fails('result', () => swapped(told.json.keys.slice(1)));
    if (body.count) await fails('result', () => swapped(told.json.keys.toReversed()));
    if (body.count) await fails('result', () => swapped(told.json.keys.with(0, { ...told.json.keys[0], address: from })));
    await fails('request', () => verify(ofBody(told), text.replace('m/', 'm/1/'), trust));
  }
  const none = await post('/v1/keys/purse/derive', '{"path":"m/x"}', ASK);
  assert.equal(proofsOf(none.json).length, none.headers['x-adyton-proof'] ? 1 : 0);
});

await test('a refusal that is told after the store was asked again has the proof of that refusal', async () => {
  const folder = scratch('prf-folder');
  const own = await startGateway(s, { store: { folder } });
  const at = (path, body) => request(`${own.gateway}${path}`, { method: 'POST', body, headers: ASK });
  assert.equal((await at('/v1/keys', '{"id":"dora"}')).status, 201);
  // The owner of the store spoils the record: a time that is not the one that was sealed with it.
  const spoilt = readdirSync(folder).filter((name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    writeFileSync(join(folder, name), text.replace('"created":', '"created":1'));
    return text.includes('"created":');
  });
  assert.equal(spoilt.length, 1, readdirSync(folder).join());
  const body = '{"message":{"text":"x"}}';
  const fetched = await at('/v1/keys/dora/sign', body);
  await new Promise((resolve) => setTimeout(resolve, 1200)); // what was fetched a second ago may be old: it is fetched again
  const again = await at('/v1/keys/dora/sign', body);
  for (const answer of [fetched, again]) {
    assert.equal(answer.json.code, 'record_mismatch', answer.body);
    const entry = await verify(ofBody(answer), body, { ...trust, key: 'dora', op: 'sign' });
    assert.equal(entry.code, answer.json.code);
    assert.equal(proofsOf(answer.json)[0].proof, answer.headers['x-adyton-proof']);
  }
  await own.stop();
});

await test('many keys at once: the list of them is what the enclave has made', async () => {
  const options = '{"id":"many-"}';
  const made = await post('/v1/keys', { options, first: 0, count: 5, label: 'five' }, ASK);
  assert.equal(made.status, 201, made.body);
  const { proof } = ofBody(made);
  const { keys } = (await request(`${s.gateway}/v1/keys?label=five`)).json;
  assert.equal(keys.length, 5);
  await verify({ proof, body: { keys } }, options, { ...trust, key: 'many-4', op: 'create batch' });
  await fails('result', () => verify({ proof, body: { keys: keys.toReversed() } }, options, trust));
  await fails('result', () => verify({ proof, body: made.json }, options, trust));
});

await done();
