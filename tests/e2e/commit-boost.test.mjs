// SPDX-License-Identifier: Apache-2.0
// Commit-Boost's Signer API, by a client written here from its documentation (docs/docs/developing/signer-api.md and
// prop-commit-signing.md of commit-boost-client, v0.11): no binary of it can be had offline. Roots are made by
// @chainsafe/ssz, signatures verified by @chainsafe/blst and ethers.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ByteVectorType, ContainerType, UintBigintType } from '@chainsafe/ssz';
import { PublicKey, Signature, verify } from '@chainsafe/blst';
import { keccak256, recoverAddress } from 'ethers';
import { ssz } from '@lodestar/types';
import { test, done, random } from './lib/tap.mjs';
import { request } from './lib/stack.mjs';
import { startGateway } from './lib/gateway.mjs';
import { randomKeystore } from './lib/keystores.mjs';
import { versionOf } from './lib/duties.mjs';
import { attestation, epochNow, forkInfo, makeKeys, sign as signDuty, startValidators } from './lib/validators.mjs';

const r = random();
const s = await startValidators();
const CHAIN = 560048;
const make = async (id, more = {}) => {
  const answer = await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id, curve: 'bls12-381', allow: ['commitment'], ...more } });
  assert.equal(answer.status, 201, answer.body);
  return answer.json.public_key;
};
const first = await make('first');
const second = await make('second');
const [closed] = await makeKeys(s, 1, 'closed');
const theirs = await make('theirs', { tenant: 'them' });

const module = (id, more = {}) => {
  const file = join(s.dir, `secret-${id}`);
  const secret = r.hex(24).slice(2);
  writeFileSync(file, secret + '\n');
  return { config: { id, signing_id: r.hex(32), secret_file: file, ...more }, secret };
};
const da = module('DA_COMMIT');
const pre = module('PRECONF', { keys: [second] });
const them = module('THEM', { tenant: 'them' });
const modules = [da, pre, them];
const commit_boost = (more = {}) => ({ chain_id: CHAIN, modules: modules.map((m) => m.config), jwt_auth_fail_limit: 1000, ...more });
const g = await startGateway(s, { commit_boost: commit_boost() });

const b64 = (x) => Buffer.from(typeof x === 'string' ? x : JSON.stringify(x)).toString('base64url');
/** A token as the client of the crate makes it; changes: of claims and header. */
function token(m, route, body, { claims = {}, header = {}, secret = m.secret } = {}) {
  const input = `${b64({ typ: 'JWT', alg: 'HS256', ...header })}.${b64({ exp: Math.floor(Date.now() / 1000) + 300, module: m.config.id, route, payload_hash: body === undefined ? null : keccak256(Buffer.from(body)), ...claims })}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}
const call = (m, method, path, body, { gateway = g.gateway, jwt = token(m, path, body) } = {}) =>
  request(gateway + path, { method, body, headers: { ...(jwt && { authorization: `Bearer ${jwt}` }), ...(body !== undefined && { 'content-type': 'application/json' }) } });
const ROOT = '/signer/v1/request_signature';
const ask = (m, kind, body, more) => call(m, 'POST', `${ROOT}/${kind}`, JSON.stringify(body), more);
const proxyOf = (m, pubkey, scheme) => call(m, 'POST', '/signer/v1/generate_proxy_key', JSON.stringify({ pubkey, scheme }));
const keysOf = async (m) => (await call(m, 'GET', '/signer/v1/get_pubkeys')).json.keys;
const refused = (answer, status, text) => {
  assert.equal(answer.status, status, answer.body);
  assert.equal(answer.json.code, status);
  assert.match(answer.json.message, text);
};

const Bytes32 = new ByteVectorType(32);
const Bytes48 = new ByteVectorType(48);
const PropCommitSigningInfo = new ContainerType({ data: Bytes32, moduleSigningId: Bytes32, nonce: new UintBigintType(8), chainId: new UintBigintType(32) });
const bytes = (hex) => Uint8Array.from(Buffer.from(hex.slice(2), 'hex'));
/** Domain 0x6d6d6f43, genesis version, no genesis validators root. */
function withDomain(objectRoot) {
  const data = ssz.phase0.ForkData.hashTreeRoot({ currentVersion: bytes(versionOf(0)), genesisValidatorsRoot: new Uint8Array(32) });
  return ssz.phase0.SigningData.hashTreeRoot({ objectRoot, domain: Uint8Array.from([0x6d, 0x6d, 0x6f, 0x43, ...data.slice(0, 28)]) });
}
const commitRoot = (m, root, nonce, chain = CHAIN) => withDomain(PropCommitSigningInfo.hashTreeRoot({ data: bytes(root), moduleSigningId: bytes(m.config.signing_id), nonce: BigInt(nonce), chainId: BigInt(chain) }));
const delegationRoot = (delegator, proxy) => withDomain(new ContainerType({ delegator: Bytes48, proxy: new ByteVectorType(proxy.length / 2 - 1) }).hashTreeRoot({ delegator: bytes(delegator), proxy: bytes(proxy) }));
const verifies = (pubkey, root, signature) => verify(Buffer.from(root), PublicKey.fromHex(pubkey, true), Signature.fromHex(signature, true));

await test('status needs no token; where no module is configured there are no such pages', async () => {
  const answer = await request(`${g.gateway}/status`);
  assert.deepEqual([answer.status, answer.body], [200, '']);
  for (const path of ['/signer/v1/get_pubkeys', ...['bls', 'proxy-bls', 'proxy-ecdsa'].map((k) => `${ROOT}/${k}`), '/signer/v1/generate_proxy_key'])
    assert.equal((await call(da, path.endsWith('keys') ? 'GET' : 'POST', path, path.endsWith('keys') ? undefined : '{}', { gateway: s.gateway })).status, 404);
});

await test('get_pubkeys: the validators of the module\'s tenant, or those that it may use', async () => {
  assert.deepEqual((await keysOf(da)).map((k) => k.consensus).sort(), [first, second, closed.pubkey].sort());
  assert.deepEqual(await keysOf(pre), [{ consensus: second, proxy_bls: [], proxy_ecdsa: [] }]);
  assert.deepEqual((await keysOf(them)).map((k) => k.consensus), [theirs]);
});

await test('request_signature/bls: the documented root, of module, nonce and chain', async () => {
  for (const nonce of [0, 1, 2 ** 40, '18446744073709551614']) {
    const root = r.hex(32);
    const text = `{"pubkey":"${second}","object_root":"${root}","nonce":${nonce}}`;
    const answer = await call(da, 'POST', `${ROOT}/bls`, text);
    assert.equal(answer.status, 200, answer.body);
    const { signature, ...rest } = answer.json;
    assert.deepEqual({ ...rest, nonce: String(nonce) }, { pubkey: second, object_root: root, module_signing_id: da.config.signing_id, nonce: String(nonce), chain_id: CHAIN });
    assert.match(answer.body, new RegExp(`"nonce":${nonce},`));
    assert.ok(verifies(second, commitRoot(da, root, nonce), signature));
    assert.ok(!verifies(second, commitRoot(pre, root, nonce), signature), 'of another module it is none');
    const other = await call(pre, 'POST', `${ROOT}/bls`, text);
    assert.ok(verifies(second, commitRoot(pre, root, nonce), other.json.signature));
  }
  const bare = await ask(da, 'bls', { pubkey: second.slice(2).toUpperCase(), object_root: '11'.repeat(32), nonce: 3 });
  assert.ok(verifies(second, commitRoot(da, '0x' + '11'.repeat(32), 3), bare.json.signature));
});

await test('no commitment passes for a duty: the root of a real attestation is not what is signed', async () => {
  const duty = attestation(s, epochNow(s), epochNow(s) + 1);
  const objectRoot = ssz.phase0.AttestationData.hashTreeRoot(ssz.phase0.AttestationData.fromJson(duty.attestation));
  const fork = ssz.phase0.ForkData.hashTreeRoot({ currentVersion: bytes(versionOf(6)), genesisValidatorsRoot: bytes(s.network.genesis_validators_root) });
  const signingRoot = ssz.phase0.SigningData.hashTreeRoot({ objectRoot, domain: Uint8Array.from([1, 0, 0, 0, ...fork.slice(0, 28)]) });
  for (const root of [objectRoot, signingRoot]) {
    const answer = await ask(da, 'bls', { pubkey: first, object_root: '0x' + Buffer.from(root).toString('hex'), nonce: 0 });
    assert.equal(answer.status, 200);
    assert.ok(!verifies(first, signingRoot, answer.json.signature) && !verifies(first, root, answer.json.signature));
  }
});

await test('proxy keys are made in the enclave, delegated to, listed, and sign', async () => {
  const made = await proxyOf(da, first, 'bls');
  assert.equal(made.status, 200, made.body);
  const { message, signature } = made.json;
  assert.equal(message.delegator, first);
  assert.match(message.proxy, /^0x[0-9a-f]{96}$/);
  assert.ok(verifies(first, delegationRoot(first, message.proxy), signature));
  const root = r.hex(32);
  const yes = await ask(da, 'proxy-bls', { proxy: message.proxy, object_root: root, nonce: 5 });
  assert.equal(yes.status, 200, yes.body);
  assert.ok(verifies(message.proxy, commitRoot(da, root, 5), yes.json.signature));
  assert.equal(yes.json.pubkey, message.proxy);

  const ecdsa = await proxyOf(da, first, 'ecdsa');
  const address = ecdsa.json.message.proxy;
  assert.match(address, /^0x[0-9a-f]{40}$/);
  assert.ok(verifies(first, delegationRoot(first, address), ecdsa.json.signature));
  const signed = await ask(da, 'proxy-ecdsa', { proxy: address, object_root: root, nonce: 6 });
  assert.equal(signed.status, 200, signed.body);
  assert.match(signed.json.signature, /^0x[0-9a-f]{128}1[bc]$/);
  assert.equal(recoverAddress(commitRoot(da, root, 6), signed.json.signature).toLowerCase(), address);
  assert.deepEqual([signed.json.address, signed.json.module_signing_id], [address, da.config.signing_id]);

  const more = (await proxyOf(da, first, 'bls')).json.message.proxy;
  const mine = (await keysOf(da)).find((k) => k.consensus === first);
  assert.deepEqual([mine.proxy_bls.sort(), mine.proxy_ecdsa], [[message.proxy, more].sort(), [address]]);

  // of this module alone, and no validators, and nothing but commitments
  for (const m of [pre, them]) {
    refused(await ask(m, 'proxy-bls', { proxy: message.proxy, object_root: root, nonce: 0 }), 404, /no such key/);
    refused(await ask(m, 'proxy-ecdsa', { proxy: address, object_root: root, nonce: 0 }), 404, /no such key/);
  }
  refused(await ask(da, 'bls', { pubkey: message.proxy, object_root: root, nonce: 0 }), 404, /no such key/);
  refused(await ask(da, 'proxy-bls', { proxy: first, object_root: root, nonce: 0 }), 404, /no such key/);
  refused(await proxyOf(da, message.proxy, 'bls'), 404, /no such key/);
  const listed = (await request(`${g.gateway}/api/v1/eth2/publicKeys`)).json;
  assert.ok(listed.includes(first) && !listed.includes(message.proxy));
  const randao = { type: 'RANDAO_REVEAL', fork_info: forkInfo(s), randao_reveal: { epoch: '1' } };
  assert.match((await signDuty(s, message.proxy, randao, g)).body, /no rule allows/);
  const account = (await request(`${g.gateway}/v1/keys?curve=secp256k1`)).json.keys.find((k) => k.address.toLowerCase() === address);
  const tx = await request(`${g.gateway}/v1/keys/${encodeURIComponent(account.id)}/sign`, { method: 'POST', body: { message: { text: 'x' } } });
  assert.deepEqual([tx.status, tx.json.code], [403, 'denied']);
  const accounts = (await request(g.gateway, { method: 'POST', body: { jsonrpc: '2.0', id: 1, method: 'eth_accounts' } })).json.result;
  assert.ok(!accounts.includes(address));
});

await test('keys whose record allows no commitments sign none, and delegate to nobody; nothing is left of the attempt', async () => {
  const before = (await request(`${g.gateway}/v1/keys?limit=1000`)).json.keys.length;
  refused(await ask(da, 'bls', { pubkey: closed.pubkey, object_root: r.hex(32), nonce: 0 }), 403, /allows no commitments/);
  refused(await proxyOf(da, closed.pubkey, 'ecdsa'), 403, /allows no commitments/);
  assert.equal((await request(`${g.gateway}/v1/keys?limit=1000`)).json.keys.length, before);
  const careful = await make('careful', { policy: { policy: 1, rules: [{ name: 'x', effect: 'allow', when: { kind: 'duty', duty: ['COMMITMENT', 'RANDAO_REVEAL'] } }] } });
  assert.equal((await ask(da, 'bls', { pubkey: careful, object_root: r.hex(32), nonce: 0 })).status, 200);
  refused(await proxyOf(da, careful, 'bls'), 403, /no rule allows/);
});

await test('keystores that the Keymanager API imports may be for commitments too', async () => {
  const k = await randomKeystore(r);
  const file = join(s.dir, 'token');
  const km = await startGateway(s, { commit_boost: commit_boost(), keymanager: { token_file: file, allow_commitments: true } });
  const { readFileSync } = await import('node:fs');
  const put = await request(`${km.gateway}/eth/v1/keystores`, { method: 'POST', body: { keystores: [k.keystore], passwords: [k.password] }, headers: { authorization: `Bearer ${readFileSync(file, 'utf8')}` } });
  assert.equal(put.json.data[0].status, 'imported', put.body);
  const root = r.hex(32);
  const yes = await ask(da, 'bls', { pubkey: k.pubkey, object_root: root, nonce: 1 }, { gateway: km.gateway });
  assert.ok(verifies(k.pubkey, commitRoot(da, root, 1), yes.json.signature));
  await km.stop();
});

await test('keys of other tenants, and keys that a module may not use, do not exist', async () => {
  const root = { object_root: r.hex(32), nonce: 0 };
  refused(await ask(da, 'bls', { pubkey: theirs, ...root }), 404, /no such key/);
  refused(await ask(them, 'bls', { pubkey: first, ...root }), 404, /no such key/);
  refused(await ask(pre, 'bls', { pubkey: first, ...root }), 404, /no key of this module/);
  refused(await proxyOf(pre, first, 'bls'), 404, /no key of this module/);
  refused(await ask(da, 'bls', { pubkey: '0x' + '11'.repeat(48), ...root }), 404, /no such key/);
  assert.equal((await ask(them, 'bls', { pubkey: theirs, ...root })).status, 200);
});

await test('requests that are wrong are refused with the field', async () => {
  const good = { pubkey: first, object_root: r.hex(32), nonce: 0 };
  for (const [body, text] of [
    [{ ...good, pubkey: undefined }, /pubkey/], [{ ...good, pubkey: '0x12' }, /pubkey/], [{ ...good, object_root: '0x12' }, /object_root/], [{ ...good, object_root: 5 }, /object_root/],
    [{ ...good, nonce: undefined }, /nonce/], [{ ...good, nonce: -1 }, /nonce/], [{ ...good, nonce: 'x' }, /nonce/], [[], /object/],
  ]) refused(await ask(da, 'bls', body), 400, text);
  refused(await call(da, 'POST', `${ROOT}/bls`, '{'), 400, /./);
  refused(await ask(da, 'proxy-ecdsa', { proxy: first, object_root: r.hex(32), nonce: 0 }), 400, /proxy/);
  refused(await proxyOf(da, first, 'rsa'), 400, /scheme/);
  refused(await proxyOf(da, 'x', 'bls'), 400, /pubkey/);
});

await test('tokens: of the module, for the route and the body, in time, HS256', async () => {
  const path = `${ROOT}/bls`;
  const body = JSON.stringify({ pubkey: first, object_root: r.hex(32), nonce: 0 });
  const now = Math.floor(Date.now() / 1000);
  const attempt = async (jwt, text) => refused(await call(da, 'POST', path, body, { jwt }), 401, text);
  await attempt(null, /bearer token/);
  await attempt('x', /three parts/);
  await attempt(token(da, path, body, { secret: pre.secret }), /signature/);
  await attempt(token(da, path, body, { claims: { module: 'PRECONF' } }), /signature/);
  await attempt(token(da, path, body, { claims: { module: 'NOBODY' } }), /not known/);
  await attempt(token(da, '/signer/v1/get_pubkeys', body), /another route/);
  await attempt(token(da, path, body + ' '), /another body/);
  await attempt(token(da, path), /another body/);
  await attempt(token(da, path, body, { claims: { exp: now - 11 } }), /time is over/);
  await attempt(token(da, path, body, { claims: { exp: undefined } }), /no exp/);
  await attempt(token(da, path, body, { claims: { exp: 'x' } }), /no exp/);
  await attempt(token(da, path, body, { claims: { module: undefined } }), /no module/);
  await attempt(token(da, path, body, { claims: { route: undefined } }), /no route/);
  await attempt(token(da, path, body, { claims: { payload_hash: '0x12' } }), /payload_hash/);
  for (const alg of ['none', 'HS512', 'RS256']) await attempt(token(da, path, body, { header: { alg } }), /HS256/);
  await attempt(token(da, path, body).replace(/\.[^.]*$/, '.'), /signature|three/);
  await attempt(token(da, path, body) + '.x', /three parts/);
  refused(await call(da, 'GET', '/signer/v1/get_pubkeys', undefined, { jwt: token(da, '/signer/v1/get_pubkeys', 'x') }), 401, /for a body/);
  assert.equal((await call(da, 'POST', path, body, { jwt: token(da, path, body, { claims: { exp: Math.floor(Date.now() / 1000) - 5 } }) })).status, 200, 'ten seconds of leeway');
  assert.equal((await call(da, 'POST', path, body, { jwt: token(da, path, body, { claims: { admin: false, iat: now } }) })).status, 200, 'other claims do not matter');
});

await test('who fails three times waits, whatever it shows then', async () => {
  const strict = await startGateway(s, { commit_boost: commit_boost({ jwt_auth_fail_limit: 3, jwt_auth_fail_timeout_seconds: 10 }) });
  const get = (jwt) => call(da, 'GET', '/signer/v1/get_pubkeys', undefined, { gateway: strict.gateway, jwt });
  const good = token(da, '/signer/v1/get_pubkeys');
  for (let i = 0; i < 2; i++) assert.equal((await get('x')).status, 401);
  assert.equal((await get(good)).status, 200);
  assert.equal((await get('x')).status, 401);
  refused(await get(good), 429, /too many/);
  await new Promise((resolve) => setTimeout(resolve, 10200));
  assert.equal((await get(good)).status, 200);
  await strict.stop();
});

await done();
