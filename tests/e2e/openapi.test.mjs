// SPDX-License-Identifier: Apache-2.0
// GET /openapi.json describes the gateway: it is valid OpenAPI 3.1, each request here is valid by it, each answer
// is too, and nothing that it describes is left out. (That every route of the server is in it:
// tests/unit/gateway/test_openapi.c.)
import assert from 'node:assert/strict';
import nodeHttp from 'node:http';
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv from 'ajv/dist/2020.js';
import { SigningKey, encodeRlp, keccak256 } from 'ethers';
import { test, done, random, atEnd } from './lib/tap.mjs';
import { startStack, putKey, request } from './lib/stack.mjs';
import { startGateway } from './lib/gateway.mjs';
import { generateKey, stamp } from '../../clients/js/index.js';
import { startBeaconNode } from './lib/beacon-node.mjs';
import { randomKeystore } from './lib/keystores.mjs';
import { forkInfo, interchange, makeKeys, startValidators } from './lib/validators.mjs';

const r = random();
const BACKUP_KEY = '09' + '00'.repeat(31);
const s = await startStack({ args: ['--enclave-option', `backup_keys=["${BACKUP_KEY}"]`] });
const key = new SigningKey(r.hex(32));
const address = putKey(s, 'alice', key.privateKey.slice(2), '--allow-digest').address;
const id = key.publicKey.slice(4);

// a node that knows its chain id, for /chain/{id}
const node = nodeHttp.createServer((req, res) => {
  let text = '';
  req.on('data', (d) => (text += d));
  req.on('end', () => {
    const call = JSON.parse(text);
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ jsonrpc: '2.0', id: call.id, result: '0x539' }));
  });
});
await new Promise((resolve) => node.listen(0, '127.0.0.1', resolve));
atEnd(() => node.close());
const chained = await startGateway(s, { nodes: [{ chain: 1337, url: `http://127.0.0.1:${node.address().port}` }] });
const lost = await startGateway(s, { enclave: `unix:${s.dir}/nobody.sock` }, { ready: false });
const locked = await startGateway(s, { callers: [{ tenant: 'default', token_sha256: '00'.repeat(32) }] });

const document = (await request(`${s.gateway}/openapi.json`)).json;
const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addSchema({ ...document, $id: 'openapi' });
const pointer = (...path) => 'openapi#/' + path.map((p) => encodeURIComponent(p.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');

/** Follow a reference at the top of an object. */
const follow = (o) => (o.$ref ? { to: o.$ref.slice(2).split('/'), value: o.$ref.slice(2).split('/').reduce((at, k) => at[k], document) } : { value: o });

const covered = new Set();
const described = new Set();
for (const [path, methods] of Object.entries(document.paths))
  for (const [method, operation] of Object.entries(methods))
    if (method !== 'parameters')
      for (const [status, response] of Object.entries(operation.responses)) {
        const types = Object.keys(follow(response).value.content ?? { '': 0 });
        for (const type of types) described.add(`${method} ${path} ${status} ${type}`);
      }

function valid(value, schema, what) {
  const check = ajv.compile({ $ref: schema });
  assert.ok(check(value), `${what}: ${JSON.stringify(value).slice(0, 400)}: ${ajv.errorsText(check.errors)}`);
}

const ASK = { 'x-adyton-proofs': 'true' };
const PROOFS = '#/components/parameters/Proofs';
const takesProofs = (operation) => operation.parameters?.some((p) => p.$ref === PROOFS) ?? false;
const times = new Map();
const proved = new Set();
/** Every other request of an operation that takes them asks for proofs, from the first on. */
function proofsFor(operation) {
  const n = times.get(operation) ?? 0;
  times.set(operation, n + 1);
  return takesProofs(operation) && n % 2 === 0 ? ASK : {};
}

/** One request to a described operation; both sides are checked. want: the status; good: whether the request is. */
async function ask(method, path, want, { at = s.gateway, url = path, body, headers, good = true } = {}) {
  const what = `${method} ${path}`;
  const operation = document.paths[path]?.[method];
  assert.ok(operation, `${what} is not described`);
  if (body !== undefined && good) valid(body, pointer('paths', path, method, 'requestBody', 'content', 'application/json', 'schema'), `${what} request`);
  const answer = await request(at + url, { method: method.toUpperCase(), body, headers: { ...proofsFor(operation), ...headers } });
  assert.equal(answer.status, want, `${what}: ${answer.status} ${answer.body.slice(0, 300)}`);
  const status = operation.responses[want] ? String(want) : 'default';
  const { to, value: response } = follow(operation.responses[status]);
  const type = (answer.headers['content-type'] ?? '').split(';')[0];
  covered.add(`${method} ${path} ${status} ${type}`);
  if (!response.content) {
    assert.equal(answer.body, '');
    return answer;
  }
  assert.ok(response.content[type], `${what}: ${want} with ${type} is not described`);
  const place = to ?? ['paths', path, method, 'responses', status];
  valid(type.endsWith('json') ? answer.json : answer.body, pointer(...place, 'content', type, 'schema'), `${what} ${want}`);
  if (answer.body.includes('"adyton_proofs":[{')) proved.add(what);
  if (type === 'application/problem+json') assert.equal(answer.json.status, want);
  return answer;
}

await test('the document is valid OpenAPI 3.1', async () => {
  const result = await new Validator().validate(structuredClone(document));
  assert.equal(result.valid, true, JSON.stringify(result.errors));
  assert.equal(document.openapi, '3.1.0');
  const ids = Object.values(document.paths).flatMap((p) => Object.values(p)).map((o) => o.operationId).filter(Boolean);
  assert.equal(new Set(ids).size, ids.length);
});

const tx = { chainId: 1, nonce: '0', to: address, value: '0x1', gas: 21000, maxFeePerGas: '2', maxPriorityFeePerGas: 1 };
const typed = { types: { A: [{ name: 'a', type: 'uint8' }] }, primaryType: 'A', domain: { name: 'x' }, message: { a: 1 } };
const z = (n) => '0x' + '11'.repeat(n);
const header = encodeRlp([z(32), z(32), z(20), z(32), z(32), z(32), z(256), '0x02', '0x0a', '0x01c9c380', '0x', '0x65', z(32), z(32), z(8), '0x07']);

await test('signing: every form of request, and refusals', async () => {
  const path = '/v1/keys/{id}/sign';
  const sign = (status, body, more = {}) => ask('post', path, status, { url: '/v1/keys/alice/sign', body, ...more });
  for (const body of [
    { transaction: tx },
    { transaction: { ...tx, accessList: [{ address, storageKeys: [z(32)] }], type: '0x2', data: '0x01', from: address } },
    { message: { text: 'x' } },
    { message: { hex: '0x01' } },
    { validator_data: { address, data: '0x01' } },
    { typed_data: typed },
    { typed_data: typed, version: 'V3', unknown_members: 'ignore' },
    { authorization: { chainId: 1, address, nonce: '0x1' } },
    { clique_header: header },
    { data: '0x1901' },
    { digest: z(32) },
  ]) await sign(200, body);
  await ask('post', '/v1/keys', 201, { body: { id: 'ed', curve: 'ed25519', allow: ['digest'] } });
  await sign(200, { data: '0x01' }, { url: '/v1/keys/ed/sign' });
  await sign(400, { message: { text: 'x' } }, { url: '/v1/keys/ed/sign' });
  await sign(400, {}, { good: false });
  await sign(400, { transaction: { ...tx, more: 1 } }, { good: false });
  await sign(403, { data: '0xc0' });
  await sign(404, { message: { text: 'x' } }, { url: '/v1/keys/nobody/sign' });
  await sign(415, { message: { text: 'x' } }, { headers: { 'content-type': 'text/plain' } });
  await sign(401, { message: { text: 'x' } }, { at: locked.gateway });
  await sign(503, { message: { text: 'x' } }, { at: lost.gateway });
});

await test('keys are made, listed, changed, deleted, restored, and stored again', async () => {
  const make = (status, body, more = {}) => ask('post', '/v1/keys', status, { body, ...more });
  const { json } = await make(201, { id: 'new-1', curve: 'secp256k1', allow: ['digest'] });
  assert.deepEqual([json.wrapping, json.curve, json.allow], ['envelope', 'secp256k1', ['digest']]);
  await make(400, { id: 1 }, { good: false });
  await make(401, { id: 'x' }, { at: locked.gateway });
  await make(201, { options: '{"id":"many-"}', count: 2, first: 7 });
  await make(400, { options: '{"id":"many-","x":1}', count: 2 });
  await make(502, { options: '{"id":"in"}', kms_ciphertext: 'AAAA' });
  await make(400, { options: '{"id":"in"}', enc: Buffer.alloc(32, 9).toString('base64'), sealed: 'A'.repeat(64) });
  await ask('get', '/v1/keys', 200, { url: '/v1/keys?limit=1' });
  await ask('get', '/v1/keys', 400, { url: '/v1/keys?limit=x' });
  const one = (method, status, tail = '', more = {}) => ask(method, `/v1/keys/{id}${tail}`, status, { url: `/v1/keys/new-1${tail}`, ...more });
  await one('get', 200);
  await one('get', 404, '', { url: '/v1/keys/nobody' });
  await one('patch', 200, '', { body: { label: 'x', enabled: true } });
  await one('patch', 400, '', { body: {}, good: false });
  for (const action of ['/disable', '/enable']) {
    await one('post', 200, action);
    await one('post', 404, action, { url: `/v1/keys/nobody${action}` });
  }
  await one('delete', 200);
  await one('delete', 400, '', { url: '/v1/keys/new-1?days=1' });
  await one('post', 200, '/restore');
  await one('post', 404, '/restore', { url: '/v1/keys/nobody/restore' });
});

await test('a key is backed up', async () => {
  const path = '/v1/keys/{id}/backup';
  assert.equal((await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id: 'saved', backup: BACKUP_KEY } })).status, 201);
  await ask('post', path, 200, { url: '/v1/keys/saved/backup', body: {} });
  await ask('post', path, 404, { url: '/v1/keys/none/backup', body: {} });
  await ask('post', path, 400, { url: '/v1/keys/saved/backup', body: { x: 1 }, good: false });
  await ask('post', path, 401, { url: '/v1/keys/saved/backup', body: {}, at: locked.gateway });
});

await test('a data key is rotated', async () => {
  const path = '/v1/tenants/{id}/rotate';
  const at = { url: '/v1/tenants/default/rotate' };
  await ask('get', path, 404, at);
  await ask('post', path, 400, { ...at, body: { kms_key: 'x' } });
  await ask('post', path, 400, { ...at, body: { x: 1 }, good: false });
  await ask('post', path, 401, { ...at, body: {}, at: locked.gateway });
  await ask('post', path, 202, { ...at, body: {} });
  await ask('post', path, 409, { ...at, body: {} });
  await ask('get', path, 200, at);
});

await test('a policy is changed by those whom it names', async () => {
  const approver = await generateKey();
  const policy = (text) => ({ policy: 1, rules: [{ name: 'r', effect: 'allow', when: { text } }], change: { need: 1, of: [approver.name] } });
  const made = await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id: 'changed', policy: policy('a') } });
  assert.equal(made.status, 201, made.body);
  const change = (status, body, headers = {}) => ask('put', '/v1/keys/{id}/policy', status, { url: '/v1/keys/changed/policy', body, headers });
  const body = { revision: 0, policy: policy('b') };
  await change(403, body);
  const approval = await stamp(approver, { key: 'changed', deployment: 'dev', op: 'policy', body: JSON.stringify(body) });
  assert.equal((await change(200, body, { 'x-adyton-stamp': approval })).json.policy_revision, 1);
});

await test('wallets and their keys', async () => {
  const { json } = await ask('post', '/v1/keys', 201, { body: { id: 'purse', curve: 'wallet', words: 12 } });
  assert.deepEqual([json.curve, json.address], ['wallet', undefined]);
  const derive = (status, body, more = {}) => ask('post', '/v1/keys/{id}/derive', status, { url: '/v1/keys/purse/derive', body, ...more });
  assert.equal((await derive(200, { path: "m/44'/60'/0'/0/*", first: 2, count: 3 })).json.keys.length, 3);
  await derive(200, { path: 'm/12381/3600/0/0/0', curve: 'bls12-381' });
  await derive(201, { path: "m/44'/501'/0'/0'", curve: 'ed25519', options: { id: 'coin' } });
  await ask('get', '/v1/keys/{id}', 200, { url: '/v1/keys/coin' });
  await derive(400, { path: 'm/0', count: 2 });
  await derive(403, { path: 'm/0', options: { id: 'x', allow: ['digest'] } });
  await derive(404, { path: 'm/0' }, { url: '/v1/keys/nobody/derive' });
  await derive(401, { path: 'm/0' }, { at: locked.gateway });
});

await test('data keys are locked away', async () => {
  assert.ok((await ask('post', '/v1/lock', 200, { body: { tenant: 'default' } })).json.locked >= 1);
  await ask('post', '/v1/lock', 200, { body: { all: true } });
  await ask('post', '/v1/lock', 400, { body: { all: false }, good: false });
});

await test('what the document calls wrong the gateway refuses', async () => {
  const check = ajv.compile({ $ref: pointer('components', 'schemas', 'SignRequest') });
  for (const body of [{ transaction: { ...tx, more: 1 } }, { message: { text: 1 } }, { message: {} }, { digest: '0x1' }, { typed_data: typed, version: 'V1' }, { message: { text: 'x' }, digest: z(32) }, { authorization: { chainId: 1, address } }, []]) {
    assert.ok(!check(body), JSON.stringify(body));
    assert.ok((await request(`${s.gateway}/v1/keys/alice/sign`, { method: 'POST', body })).status >= 400, JSON.stringify(body));
  }
});

await test('JSON-RPC and the sample on the root, JSON-RPC on a chain', async () => {
  const call = { jsonrpc: '2.0', id: 1, method: 'personal_sign', params: ['0x01', address] };
  await ask('post', '/', 200, { body: call });
  await ask('post', '/', 200, { body: [call, { ...call, id: 'b', params: [] }, { jsonrpc: '2.0', id: null, method: 'eth_accounts' }] });
  await ask('post', '/', 200, { body: { jsonrpc: '1.0', id: 1, method: 'x' }, good: false });
  await ask('post', '/', 204, { body: { jsonrpc: '2.0', method: 'health_status' } });
  const sampled = putKey(s, 'sampled', key.privateKey.slice(2), '--aws-sample');
  assert.ok(sampled);
  await ask('post', '/', 200, { body: { transaction_payload: { ...tx, value: 1 }, secret_id: 'sampled' } });
  await ask('post', '/', 400, { body: { secret_id: 1 }, good: false });
  const at = { at: chained.gateway, url: '/chain/1337' };
  assert.equal((await ask('post', '/chain/{id}', 200, { ...at, body: { jsonrpc: '2.0', id: 1, method: 'eth_chainId' } })).json.result, '0x539');
  await ask('post', '/chain/{id}', 204, { ...at, body: { jsonrpc: '2.0', method: 'health_status' } });
  await ask('post', '/chain/{id}', 200, { ...at, headers: ASK, body: [call, call] });
  await ask('post', '/chain/{id}', 404, { ...at, url: '/chain/1', body: call });
});

await test('Web3Signer\'s routes', async () => {
  const json = { accept: 'application/json' };
  const sign = (status, body, more = {}) => ask('post', '/api/v1/eth1/sign/{id}', status, { url: `/api/v1/eth1/sign/${id}`, body, ...more });
  await sign(200, { data: '0x01' });
  for (const asked of [{}, ASK]) await sign(200, { data: z(32), applyHash: false }, { headers: { ...json, ...asked } });
  await sign(400, { data: 1 }, { good: false });
  await ask('get', '/api/v1/eth1/publicKeys', 200);
  await ask('get', '/api/v1/eth1/publicKeys', 401, { at: locked.gateway });
  await ask('get', '/upcheck', 200);
  await ask('get', '/upcheck', 200, { headers: json });
  await ask('get', '/healthcheck', 200);
  await ask('get', '/healthcheck', 503, { at: lost.gateway });
  await ask('get', '/reload', 200);
  await ask('post', '/reload', 202);
  await ask('post', '/reload', 401, { at: locked.gateway });
  await ask('get', '/reload', 200);
});

await test('validators', async () => {
  const v = await startValidators({ states: 'memory' });
  const [k] = await makeKeys(v, 1);
  const at = { at: v.gateway };
  const duty = { type: 'RANDAO_REVEAL', fork_info: forkInfo(v), randao_reveal: { epoch: '1' } };
  const sign = (status, body, more = {}) => ask('post', '/api/v1/eth2/sign/{id}', status, { ...at, url: `/api/v1/eth2/sign/${k.pubkey}`, body, ...more });
  await sign(200, duty);
  await sign(200, duty, { headers: { accept: 'application/json' } });
  await sign(400, { ...duty, type: 'X' });
  await sign(401, duty, { at: locked.gateway });
  const native = (status, body, more = {}) => ask('post', '/v1/keys/{id}/duty', status, { ...at, url: `/v1/keys/${k.id}/duty`, body, ...more });
  await native(200, duty);
  await native(400, { ...duty, extra: 1 });
  await native(401, duty, { at: locked.gateway });
  await ask('get', '/readyz', 200, at);
  const many = (status, identifiers, more = {}) => ask('post', '/api/v1/eth2/sign', status, { ...at, body: { identifiers, signing_request: duty }, ...more });
  await many(200, [k.pubkey, '0x' + '11'.repeat(48)]);
  await many(400, [], { good: false });
  await many(401, [k.pubkey], { at: locked.gateway });
  for (const path of ['/api/v1/eth2/publicKeys', '/api/v1/eth2/highWatermark']) {
    await ask('get', path, 200, at);
    await ask('get', path, 401, { at: locked.gateway });
  }
  const file = interchange(v, [{ pubkey: k.pubkey, signed_blocks: [], signed_attestations: [] }, { pubkey: '0x' + '11'.repeat(48), signed_blocks: [], signed_attestations: [] }]);
  await ask('post', '/v1/slashing', 200, { ...at, url: '/v1/slashing?check=1', body: file });
  for (const headers of [{}, ASK]) await ask('post', '/v1/slashing', 200, { ...at, headers, body: file });
  await ask('post', '/v1/slashing', 400, { ...at, body: {}, good: false });
  await ask('get', '/v1/slashing', 200, at);
  await ask('get', '/v1/slashing', 401, { at: locked.gateway });
  await ask('get', '/v1/slashing', 200, { ...at, url: '/v1/slashing?retire=1', headers: ASK });
});

await test('the Keymanager API', async () => {
  const v = await startValidators({ states: 'memory' });
  const file = join(v.dir, 'token');
  const k = await randomKeystore(r);
  const node = await startBeaconNode(v.network, new Map([[k.pubkey, 3]]));
  const g = await startGateway(v, { validators: { states: 'memory', beacon: node.url }, keymanager: { token_file: file, fee_recipient: '0x' + '11'.repeat(20), gas_limit: 1, graffiti: 'x' } });
  const headers = { authorization: `Bearer ${readFileSync(file, 'utf8')}` };
  const km = (method, path, status, more = {}) => ask(method, path, status, { at: g.gateway, url: path.replace('{id}', k.pubkey), headers, ...more });
  const { json } = await km('post', '/eth/v1/keystores', 200, { body: { keystores: [k.keystore, '{}'], passwords: [k.password, 'x'] } });
  assert.equal(json.data[0].status, 'imported', JSON.stringify(json));
  await km('get', '/eth/v1/keystores', 200);
  for (const name of ['feerecipient', 'gas_limit', 'graffiti']) {
    const path = `/eth/v1/validator/{id}/${name}`;
    const { json } = await km('get', path, 200);
    const { pubkey, ...value } = json.data;
    await km('post', path, 202, { body: value });
    await km('post', path, 400, { body: {}, good: false });
    await km('get', path, 404, { url: path.replace('{id}', '0x' + '11'.repeat(48)) });
    await km('delete', path, 204);
    await km('delete', path, 404, { url: path.replace('{id}', '0x' + '11'.repeat(48)) });
    for (const method of ['get', 'post', 'delete']) await km(method, path, 404, { at: v.gateway, good: false });
  }
  await km('get', '/eth/v1/remotekeys', 200);
  await km('post', '/eth/v1/remotekeys', 200, { body: { remote_keys: [{ pubkey: k.pubkey }] } });
  await km('delete', '/eth/v1/remotekeys', 200, { body: { pubkeys: [k.pubkey] } });
  const exit = '/eth/v1/validator/{id}/voluntary_exit';
  await km('post', exit, 200, { url: `${exit.replace('{id}', k.pubkey)}?epoch=3` });
  await km('post', exit, 403, { headers: { authorization: 'Bearer x' } });
  await km('post', exit, 404, { at: v.gateway });
  await km('delete', '/eth/v1/keystores', 200, { body: { pubkeys: [k.pubkey] } });
  for (const path of ['/eth/v1/keystores', '/eth/v1/remotekeys'])
    for (const method of ['get', 'post', 'delete']) {
      await km(method, path, 401, { headers: {}, ...(method !== 'get' && { body: {}, good: false }) });
      await km(method, path, 404, { at: v.gateway, ...(method !== 'get' && { body: {}, good: false }) });
    }
});

await test('Commit-Boost\'s Signer API', async () => {
  const v = await startValidators({ states: 'memory' });
  const secret = 'a secret of sixteen or more';
  writeFileSync(join(v.dir, 'secret'), secret);
  const g = await startGateway(v, { commit_boost: { chain_id: 1, jwt_auth_fail_limit: 1000, modules: [{ id: 'M', signing_id: z(32), secret_file: join(v.dir, 'secret') }] } });
  const { json } = await request(`${v.gateway}/v1/keys`, { method: 'POST', body: { id: 'v', curve: 'bls12-381', allow: ['commitment'] } });
  const jwt = (route, body) => {
    const input = [{ alg: 'HS256' }, { module: 'M', route, exp: 4000000000, ...(body && { payload_hash: keccak256(Buffer.from(JSON.stringify(body))) }) }].map((x) => Buffer.from(JSON.stringify(x)).toString('base64url')).join('.');
    return { authorization: `Bearer ${input}.${createHmac('sha256', secret).update(input).digest('base64url')}` };
  };
  const cb = async (method, path, status, body, more = {}) => ask(method, path, status, { at: g.gateway, body, headers: jwt(path, body), ...more });
  const proxies = {};
  for (const scheme of ['bls', 'ecdsa']) proxies[scheme] = (await cb('post', '/signer/v1/generate_proxy_key', 200, { pubkey: json.public_key, scheme })).json.message.proxy;
  await cb('post', '/signer/v1/generate_proxy_key', 400, { pubkey: 'x' }, { good: false });
  await cb('get', '/signer/v1/get_pubkeys', 200);
  const root = { object_root: z(32), nonce: 3 };
  for (const [kind, body] of [['bls', { pubkey: json.public_key }], ['proxy-bls', { proxy: proxies.bls }], ['proxy-ecdsa', { proxy: proxies.ecdsa }]]) {
    const path = `/signer/v1/request_signature/${kind}`;
    await cb('post', path, 200, { ...body, ...root });
    await cb('post', path, 401, { ...body, ...root }, { headers: {} });
    await cb('post', path, 404, { ...body, ...root }, { at: v.gateway });
  }
  await cb('post', '/signer/v1/generate_proxy_key', 404, { pubkey: json.public_key, scheme: 'bls' }, { at: v.gateway });
  await cb('get', '/signer/v1/get_pubkeys', 404, undefined, { at: v.gateway });
  await cb('get', '/signer/v1/get_pubkeys', 401, undefined, { headers: {} });
  await cb('get', '/status', 200);
});

await test('the pages for operators', async () => {
  await ask('get', '/v1/attestation', 200, { url: '/v1/attestation?nonce=0102' });
  await ask('get', '/v1/attestation', 400, { url: '/v1/attestation?nonce=0' });
  await ask('get', '/v1/response-key', 200, { url: '/v1/response-key?nonce=0102' });
  await ask('get', '/v1/response-key', 400, { url: '/v1/response-key?nonce=0' });
  await ask('get', '/v1/import-key', 200, { url: '/v1/import-key?nonce=0102' });
  await ask('get', '/v1/import-key', 400, { url: '/v1/import-key?nonce=0' });
  await ask('get', '/healthz', 200);
  await ask('get', '/readyz', 200);
  await ask('get', '/readyz', 503, { at: lost.gateway });
  await ask('get', '/metrics', 200);
  await ask('get', '/metrics', 401, { at: locked.gateway });
  await ask('get', '/openapi.json', 200);
});

await test('nothing that is described was left out', () => {
  assert.deepEqual([...described].filter((d) => !covered.has(d)), []);
  const takers = Object.entries(document.paths).flatMap(([path, p]) => Object.keys(p).filter((m) => takesProofs(p[m])).map((m) => `${m} ${path}`));
  assert.deepEqual(takers.filter((what) => !proved.has(what)), []);
});

await done();
