// SPDX-License-Identifier: Apache-2.0
// Callers of the gateway, known by bearer tokens and client certificates, over real HTTP and TLS; the
// keys of another tenant do not exist for them.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { test, done, random, until } from './lib/tap.mjs';
import { scratch, startStack, putKey, request, run } from './lib/stack.mjs';
import { goodTx } from './lib/hostile.mjs';
import { startGateway, selfSigned } from './lib/gateway.mjs';

const r = random();
const s = await startStack();
const dir = scratch();
putKey(s, 'alice', r.bytes(32).toString('hex'), '--tenant', 'acme');
putKey(s, 'bob', r.bytes(32).toString('hex'), '--tenant', 'beta');
const sample = putKey(s, 'sample', r.bytes(32).toString('hex'), '--aws-sample');
const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const bearer = (token) => ({ authorization: `Bearer ${token}` });

const g = await startGateway(s, {
  callers: [
    { tenant: 'acme', token_sha256: sha256('token-a') },
    { tenant: 'beta', token_sha256: sha256('token-b') },
    { tenant: 'default', token_sha256: sha256('token-d') },
    { admin: true, token_sha256: sha256('token-admin') },
  ],
});
const ask = (path, headers, body, to = g) => request(`${to.gateway}${path}`, { method: body ? 'POST' : 'GET', headers, body });
const signs = (id, headers, to = g) => ask(`/v1/keys/${id}/sign`, headers, { transaction: goodTx() }, to);
await until(15000, 'the gateway to be ready', async () => (await ask('/readyz')).status === 200);

await test('a caller without a token, or with one that is not known, gets 401 and a challenge on every route', async () => {
  for (const headers of [{}, bearer('token-x'), { authorization: 'Basic dG9rZW4tYQ==' }, bearer('')])
    for (const [path, body] of [
      ['/v1/keys/alice/sign', { transaction: goodTx() }],
      ['/v1/keys/nobody/sign', { transaction: goodTx() }],
      ['/', { secret_id: 'sample', transaction_payload: {} }],
      ['/v1/attestation'],
      ['/metrics'],
    ]) {
      const answer = await ask(path, headers, body);
      assert.equal(answer.status, 401, `${path}: ${answer.body}`);
      assert.equal(answer.json.code, 'unauthorized');
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="adyton"');
    }
  for (const path of ['/healthz', '/readyz']) assert.equal((await ask(path)).status, 200, path);
});

await test('a caller signs with the keys of its tenant; those of others do not exist for it', async () => {
  assert.equal((await signs('alice', bearer('token-a'))).status, 200);
  assert.equal((await signs('bob', bearer('token-b'))).status, 200);
  const missing = await signs('nobody', bearer('token-a'));
  for (const [id, token] of [['bob', 'token-a'], ['alice', 'token-b'], ['sample', 'token-a'], ['alice', 'token-d'], ['alice', 'token-admin']]) {
    const answer = await signs(id, bearer(token));
    assert.equal(answer.status, 404, answer.body);
    assert.deepEqual({ ...answer.json, request_id: 0 }, { ...missing.json, request_id: 0 }, 'as for a key that is not there');
  }
});

await test("records in the sample's form are of tenant default", async () => {
  const body = { secret_id: 'sample', transaction_payload: { to: sample.address, value: 1, chainId: 1, nonce: 0, type: 2, gas: 21000, maxFeePerGas: 2, maxPriorityFeePerGas: 1 } };
  assert.equal((await ask('/', bearer('token-d'), body)).status, 200);
  assert.equal((await ask('/', bearer('token-a'), body)).status, 404);
});

await test('metrics are for administrators, attestation documents for every caller', async () => {
  assert.equal((await ask('/metrics', bearer('token-admin'))).status, 200);
  const answer = await ask('/metrics', bearer('token-a'));
  assert.equal(answer.status, 403);
  assert.equal(answer.json.code, 'denied');
  assert.equal((await ask('/v1/attestation', bearer('token-a'))).status, 200);
});

await test('callers are known by certificate, by its subject, or by both certificate and token', async () => {
  const server = selfSigned(dir, 'server');
  const one = selfSigned(dir, 'one');
  const two = selfSigned(dir, 'two');
  const three = selfSigned(dir, 'three');
  const four = selfSigned(dir, 'four');
  const ca = join(dir, 'ca.pem');
  const { writeFileSync } = await import('node:fs');
  writeFileSync(ca, [one, two, three, four].map((c) => readFileSync(c.cert, 'utf8')).join(''));
  const der = (c) => sha256(Buffer.from(run('openssl', ['x509', '-in', c.cert, '-outform', 'DER', '-out', `${c.cert}.der`]).status === 0 ? readFileSync(`${c.cert}.der`) : ''));
  const t = await startGateway(s, {
    tls: { cert: server.cert, key: server.key, client_ca: ca },
    callers: [
      { tenant: 'acme', certificate_sha256: der(one) },
      { tenant: 'beta', subject: 'CN=two' },
      { tenant: 'acme', certificate_sha256: der(three), token_sha256: sha256('token-3') },
    ],
  }, { ready: false });
  const as = (c, id, headers = {}) =>
    request(`${t.gateway}/v1/keys/${id}/sign`, {
      method: 'POST',
      headers,
      body: { transaction: goodTx() },
      agent: new Agent({ ca: readFileSync(server.cert), cert: readFileSync(c.cert), key: readFileSync(c.key) }),
    });
  await until(15000, 'the gateway to sign', async () => (await as(one, 'alice')).status === 200);
  assert.equal((await as(one, 'bob')).status, 404);
  assert.equal((await as(two, 'bob')).status, 200);
  assert.equal((await as(two, 'alice')).status, 404);
  assert.equal((await as(three, 'alice')).status, 401, 'the certificate alone');
  assert.equal((await as(one, 'alice', bearer('token-3'))).status, 200, 'the certificate counts');
  assert.equal((await as(two, 'alice', bearer('token-3'))).status, 404, "another's token with this certificate");
  assert.equal((await as(three, 'alice', bearer('token-3'))).status, 200);
  assert.equal((await as(four, 'alice')).status, 401, 'a certificate of the authority that is no caller');
});

await test('no token is in a log', () => {
  assert.ok(!/token-[abd3]/.test(readFileSync(g.log, 'utf8')));
});

await done();
