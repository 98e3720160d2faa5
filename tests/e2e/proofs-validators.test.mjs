// SPDX-License-Identifier: Apache-2.0
// Proofs of what is done with validators' keys, for clients that ask for them: duties of many keys, exits and keystores of the
// Keymanager API, the slashing interchange, Commit-Boost. Forged, altered, missing and swapped ones are found out by clients/js.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keccak256 } from 'ethers';
import { done, random, test } from './lib/tap.mjs';
import { request } from './lib/stack.mjs';
import { startGateway } from './lib/gateway.mjs';
import { startBeaconNode } from './lib/beacon-node.mjs';
import { randomKeystore } from './lib/keystores.mjs';
import { forkInfo, interchange, makeKeys, startValidators } from './lib/validators.mjs';
import { fetchResponseKey, proofsOf, readProof, verify, verifyDuties, verifyEntry } from '../../clients/js/index.js';

const r = random();
const s = await startValidators();
const indices = new Map();
const node = await startBeaconNode(s.network, indices);
const token_file = join(s.dir, 'token');
const secret_file = join(s.dir, 'secret');
const secret = r.hex(24).slice(2);
writeFileSync(secret_file, secret + '\n');
const module = { id: 'DA', signing_id: r.hex(32), secret_file };
const CHAIN = 560048;
const g = await startGateway(s, {
  validators: { states: `sqlite:${join(s.dir, 'states.db')}`, beacon: node.url },
  keymanager: { token_file },
  commit_boost: { chain_id: CHAIN, modules: [module], jwt_auth_fail_limit: 1000 },
});
const trust = { responseKey: await fetchResponseKey(g.gateway, { roots: readFileSync(s.nsm_root_file, 'utf8'), pcrs: { 0: s.pcr0 } }) };
const ASK = { 'x-adyton-proofs': 'true' };
const fails = (reason, fn) => assert.rejects(fn, (e) => (assert.equal(e.reason, reason, e.stack), true));
const post = (path, body, headers = ASK) => request(`${g.gateway}${path}`, { method: 'POST', body, headers });
const manage = (method, path, body, headers = ASK) => request(`${g.gateway}/eth/v1${path}`, { method, body, headers: { authorization: `Bearer ${readFileSync(token_file, 'utf8')}`, ...headers } });
const bare = (hex) => hex.slice(2);
const subjectOf = ({ proof }) => Buffer.from(readProof(proof).entry.subject).toString('hex');
const keys = await makeKeys(s, 3);
const randao = (epoch) => ({ type: 'RANDAO_REVEAL', fork_info: forkInfo(s), randao_reveal: { epoch: String(epoch) } });

await test('duties of many keys: each answer has its own proof, of the request and of its key', async () => {
  const body = { identifiers: [...keys.map((k) => k.pubkey), '0x' + '55'.repeat(48)], signing_request: randao(7) };
  const sent = JSON.stringify(body);
  const answer = await post('/api/v1/eth2/sign', sent, { ...ASK, accept: 'application/json' });
  assert.equal(answer.status, 200, answer.body);
  assert.equal(answer.headers['x-adyton-proof'], undefined);
  assert.deepEqual(answer.json.map((a) => proofsOf(a).length), [1, 1, 1, 0], 'a key that the store has not was never asked for');
  const three = { ...body, identifiers: body.identifiers.slice(0, 3) };
  const got = answer.json.slice(0, 3);
  const entries = await verifyDuties(three, got, trust);
  assert.deepEqual(entries.map((e) => Buffer.from(e.subject).toString('hex')), keys.map((k) => bare(k.pubkey)));
  assert.ok(entries.every((e) => e.digest.length === 32));
  await fails('missing', () => verifyDuties(body, answer.json, trust));
  const [a, b] = got;
  const swap = (x, y) => verifyDuties(three, [x, y, got[2]], trust);
  await fails('key', () => swap({ ...a, adyton_proofs: b.adyton_proofs }, b));
  await fails('key', () => swap(b, a));
  await fails('result', () => swap({ ...a, signature: b.signature }, b));
  await fails('result', () => swap({ ...a, signature: undefined }, b));
  await fails('result', () => verifyDuties(three, got.slice(1), trust));
  await fails('request', () => verifyDuties({ ...three, signing_request: randao(8) }, got, trust));
  await fails('signature', () => swap({ ...a, adyton_proofs: [{ proof: a.adyton_proofs[0].proof.slice(0, -6) + (a.adyton_proofs[0].proof.at(-6) === 'A' ? 'B' : 'A') + a.adyton_proofs[0].proof.slice(-5) }] }, b));
  const plain = await post('/api/v1/eth2/sign', sent, { accept: 'application/json' });
  assert.deepEqual(plain.json, answer.json.map(({ adyton_proofs: _, ...rest }) => rest));
});

await test('a duty that the enclave refuses, among many, is proved to be refused', async () => {
  const epoch = Math.floor((Date.now() / 1000 - Number(s.network.genesis_time)) / Number(s.network.seconds_per_slot) / Number(s.network.slots_per_epoch));
  const far = { type: 'ATTESTATION', fork_info: forkInfo(s), attestation: { slot: '8', index: '0', beacon_block_root: r.hex(32), source: { epoch: '0', root: r.hex(32) }, target: { epoch: String(epoch + 100000), root: r.hex(32) } } };
  const body = { identifiers: [keys[0].pubkey], signing_request: far };
  const { json } = await post('/api/v1/eth2/sign', JSON.stringify(body), { ...ASK, accept: 'application/json' });
  const [entry] = await verifyDuties(body, json, trust);
  assert.equal(entry.code, json[0].error.error);
  assert.notEqual(entry.code, '');
  await fails('result', () => verifyDuties(body, [{ ...json[0], error: { ...json[0].error, error: 'denied_otherwise' } }], trust));
});

await test('one duty: text stays text, with the proof in its header; JSON that is asked has it within', async () => {
  const body = JSON.stringify(randao(9));
  const path = `/api/v1/eth2/sign/${keys[0].pubkey}`;
  const text = await post(path, body);
  assert.match(text.body, /^0x[0-9a-f]{192}$/);
  await verify({ proof: text.headers['x-adyton-proof'], body: text.body }, body, { ...trust, op: 'duty' });
  const json = await post(path, body, { ...ASK, accept: 'application/json' });
  await verify({ proof: proofsOf(json.json)[0].proof, body: json.json }, body, { ...trust, op: 'duty' });
});

await test('keystores: what comes in is proved by the enclave that has it, and so is that it signs no more', async () => {
  const { keystore, password, pubkey } = await randomKeystore(r);
  const came = await manage('POST', '/keystores', { keystores: [keystore], passwords: [password] });
  assert.deepEqual(came.json.data, [{ status: 'imported' }], came.body);
  const [imported, marked] = proofsOf(came.json);
  await verifyEntry(imported.proof, null, { ...trust, op: 'import' });
  await verifyEntry(marked.proof, null, { ...trust, op: 'watermark' });
  assert.deepEqual([imported, marked].map(subjectOf), [bare(pubkey), bare(pubkey)]);
  await fails('request', () => verifyEntry(marked.proof, null, trust));
  indices.set(pubkey, 4711);
  const exit = await manage('POST', `/validator/${pubkey}/voluntary_exit?epoch=12`);
  const [{ proof, request: asked }] = proofsOf(exit.json);
  assert.equal(proof, exit.headers['x-adyton-proof']);
  const entry = await verify({ proof, body: exit.json }, asked, { ...trust, op: 'duty' });
  assert.equal(Buffer.from(entry.subject).toString('hex'), bare(pubkey));
  assert.deepEqual([JSON.parse(asked).type, JSON.parse(asked).voluntary_exit], ['VOLUNTARY_EXIT', { epoch: '12', validator_index: '4711' }]);
  assert.deepEqual(JSON.parse(asked).voluntary_exit, exit.json.data.message);
  await fails('result', () => verify({ proof, body: { data: { signature: '0x' + '11'.repeat(96) } } }, asked, { ...trust, op: 'duty' }));
  const gone = await manage('DELETE', '/keystores', { pubkeys: [pubkey, keys[2].pubkey] });
  assert.deepEqual(gone.json.data.map((d) => d.status), ['deleted', 'deleted'], gone.body);
  for (const [i, p] of proofsOf(gone.json).entries()) {
    assert.equal((await verifyEntry(p.proof, null, { ...trust, op: 'watermark' })).code, '');
    assert.equal(subjectOf(p), bare([pubkey, keys[2].pubkey][i]));
  }
  assert.equal(proofsOf(gone.json).length, 2);
  const plain = await manage('DELETE', '/keystores', { pubkeys: [pubkey] }, {});
  assert.deepEqual(Object.keys(plain.json), ['data', 'slashing_protection']);
});

await test('the slashing interchange: a proof of each state that was raised, or retired', async () => {
  const data = keys.slice(0, 2).map((k) => ({ pubkey: k.pubkey, signed_blocks: [{ slot: '5' }], signed_attestations: [] }));
  const raised = await post('/v1/slashing', JSON.stringify(interchange(s, data)));
  assert.deepEqual([raised.json.imported, raised.json.failed], [2, []], raised.body);
  assert.deepEqual(proofsOf(raised.json).map(subjectOf), keys.slice(0, 2).map((k) => bare(k.pubkey)));
  for (const p of proofsOf(raised.json)) await verifyEntry(p.proof, null, { ...trust, op: 'watermark' });
  const plain = await post('/v1/slashing', JSON.stringify(interchange(s, data)), {});
  assert.deepEqual(Object.keys(plain.json), ['imported', 'failed']);
});

const b64 = (x) => Buffer.from(JSON.stringify(x)).toString('base64url');
function boost(path, body, headers = ASK) {
  const text = JSON.stringify(body);
  const input = `${b64({ typ: 'JWT', alg: 'HS256' })}.${b64({ exp: Math.floor(Date.now() / 1000) + 300, module: module.id, route: path, payload_hash: keccak256(Buffer.from(text)) })}`;
  return post(path, text, { authorization: `Bearer ${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`, 'content-type': 'application/json', ...headers });
}

await test('Commit-Boost: a commitment, a proxy and its delegation', async () => {
  const made = await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id: 'boost', curve: 'bls12-381', allow: ['commitment'] } });
  const pubkey = made.json.public_key;
  const object_root = r.hex(32);
  const signed = await boost('/signer/v1/request_signature/bls', { pubkey, object_root, nonce: 3 });
  assert.equal(signed.status, 200, signed.body);
  const [{ proof, request: asked }] = proofsOf(signed.json);
  // What the client itself makes of its call and the gateway's chain:
  const own = `{"type":"COMMITMENT","commitment":{"object_root":"${object_root}","module_signing_id":"${module.signing_id}","nonce":"3","chain_id":"${CHAIN}"}}`;
  assert.equal(asked, own);
  await verify({ proof, body: signed.json }, own, { ...trust, op: 'duty' });
  await fails('request', () => verify({ proof, body: signed.json }, own.replace('"3"', '"4"'), trust));
  for (const scheme of ['bls', 'ecdsa']) {
    const proxy = await boost('/signer/v1/generate_proxy_key', { pubkey, scheme });
    assert.equal(proxy.status, 200, proxy.body);
    const [created, delegated] = proofsOf(proxy.json);
    assert.equal(proxy.headers['x-adyton-proof'], delegated.proof);
    const entry = await verify({ proof: delegated.proof, body: proxy.json }, `{"type":"PROXY_DELEGATION","proxy_delegation":{"delegator":"${pubkey}","proxy":"${proxy.json.message.proxy}"}}`, { ...trust, op: 'duty' });
    assert.equal(Buffer.from(entry.subject).toString('hex'), bare(pubkey));
    await verifyEntry(created.proof, null, { ...trust, op: 'create' });
    if (scheme === 'bls') assert.equal(subjectOf(created), bare(proxy.json.message.proxy));
    const body = { proxy: proxy.json.message.proxy, object_root, nonce: 4 };
    const by = await boost(`/signer/v1/request_signature/proxy-${scheme}`, body);
    assert.equal(by.status, 200, by.body);
    const { proof: p, request: q } = proofsOf(by.json)[0];
    assert.equal(Buffer.from((await verify({ proof: p, body: by.json }, q, { ...trust, op: 'duty' })).result).toString('hex'), createHash('sha256').update(Buffer.from(bare(by.json.signature), 'hex')).digest('hex'));
    const plain = await boost(`/signer/v1/request_signature/proxy-${scheme}`, body, {});
    assert.equal(plain.json.adyton_proofs, undefined);
    assert.notEqual(plain.headers['x-adyton-proof'], undefined);
  }
});

await done();
