// SPDX-License-Identifier: Apache-2.0
// `adyton key create` through the whole stack: a key that nobody outside the enclave has seen signs over HTTP;
// and the key policy that `adyton dev up` makes lets nobody else make or choose a data key.
import assert from 'node:assert/strict';
import { Transaction, SigningKey, keccak256, toUtf8Bytes } from 'ethers';
import { EncryptCommand, GenerateDataKeyCommand, GenerateDataKeyWithoutPlaintextCommand, KMSClient, ReEncryptCommand } from '@aws-sdk/client-kms';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { test, done, random } from './lib/tap.mjs';
import { startStack, run, bin, awsEnv, request, sign, signAny } from './lib/stack.mjs';
import { clientOptions } from './lib/aws.mjs';
import { roleCredentials, goodTx } from './lib/hostile.mjs';

const r = random();
const s = await startStack();
const env = awsEnv(s);
const create = (...args) => run(`${bin}/adyton`, ['key', 'create', ...args], { env });

await test('made, stored, and used: the record in the store is the sealed one', async () => {
  const p = create('hot-1', '--chain', '31337', '--chain', '1', '--tenant', 'team', '--json');
  assert.equal(p.status, 0, p.stderr);
  const key = JSON.parse(p.stdout);
  const answer = await sign(s, 'hot-1', goodTx());
  assert.equal(answer.status, 200, answer.body);
  assert.equal(Transaction.from(answer.json.signed_transaction).from, key.address);
  const denied = await sign(s, 'hot-1', goodTx({ chainId: 5 }));
  assert.deepEqual([denied.json.code, denied.json.where], ['denied', 'transaction.chainId']);
  const secrets = new SecretsManagerClient(clientOptions(s));
  const record = JSON.parse((await secrets.send(new GetSecretValueCommand({ SecretId: 'hot-1' }))).SecretString);
  assert.deepEqual([record.wrapping, record.tenant, record.chains, record.public_key], ['envelope', 'team', [1, 31337], key.public_key]);
});

await test('keys of one tenant share a data key, those of two do not', async () => {
  const secrets = new SecretsManagerClient(clientOptions(s));
  const dataKey = {};
  for (const [id, tenant] of [['a1', 'a'], ['a2', 'a'], ['b1', 'b']]) {
    assert.equal(create(id, '--tenant', tenant).status, 0);
    dataKey[id] = JSON.parse((await secrets.send(new GetSecretValueCommand({ SecretId: id }))).SecretString).data_key;
  }
  assert.equal(dataKey.a1, dataKey.a2);
  assert.notEqual(dataKey.a1, dataKey.b1);
});

await test('--allow-digest is in the record, and bound', async () => {
  assert.equal(create('raw', '--allow-digest').status, 0);
  const digest = keccak256(toUtf8Bytes('x'));
  const answer = await signAny(s, 'raw', { digest });
  assert.equal(SigningKey.recoverPublicKey(digest, answer.json.serialized).length, 132);
  assert.equal(create('not-raw').status, 0);
  assert.equal((await signAny(s, 'not-raw', { digest })).json.code, 'denied');
});

await test('POST /v1/keys refuses what it does not know, by name', async () => {
  const post = (body, headers) => request(`${s.gateway}/v1/keys`, { method: 'POST', body, headers, agent: s.gatewayAgent });
  for (const [body, status, code, where] of [
    ['{', 400, 'json_malformed', undefined],
    ['[]', 400, 'field_invalid', undefined],
    [{}, 400, 'field_missing', 'id'],
    [{ id: 'x', tenant: 7 }, 400, 'field_invalid', 'tenant'],
    [{ id: 'x', tenant: 't'.repeat(64) }, 400, 'field_invalid', 'tenant'],
    [{ id: 'x', curve: 'p256' }, 400, 'field_invalid', 'curve'],
    [{ id: 'x', private_key: '0x01' }, 400, 'field_unknown', 'private_key'],
  ]) {
    const answer = await post(body);
    assert.deepEqual([answer.status, answer.json.code, answer.json.where], [status, code, where], answer.body);
  }
  assert.equal((await post({ id: 'x' }, { origin: 'http://evil.example' })).status, 403);
  assert.equal((await request(`${s.gateway}/v1/keys`, { method: 'PUT', agent: s.gatewayAgent })).status, 405);
});

await test('adyton tenant lock', async () => {
  const lock = (...args) => run(`${bin}/adyton`, ['tenant', 'lock', ...args], { env });
  assert.equal((await sign(s, 'hot-1', goodTx())).status, 200);
  assert.deepEqual(JSON.parse(lock('team', '--json').stdout), { locked: 1 });
  assert.deepEqual(JSON.parse(lock('team', '--json').stdout), { locked: 0 });
  assert.equal((await sign(s, 'hot-1', goodTx())).status, 200);
  assert.match(lock('--all').stdout, /^locked +[1-9][0-9]* data keys$/m);
  for (const args of [[], ['a', 'b'], ['a', '--all'], ['a b']]) assert.equal(lock(...args).status, 2);
  for (const body of ['[]', '{}', '{"tenant":7}', '{"all":false}', '{"all":true,"tenant":"a"}', '{"tenant":""}']) {
    const answer = await request(`${s.gateway}/v1/lock`, { method: 'POST', body, agent: s.gatewayAgent });
    assert.deepEqual([answer.status, answer.json.code], [400, 'field_invalid'], body);
  }
});

await test('a name that is taken, and usage', () => {
  const taken = create('hot-1');
  assert.equal(taken.status, 1, taken.stderr);
  assert.match(taken.stderr, /ResourceExistsException|exists/);
  for (const args of [[], ['a', 'b'], ['a b'], ['x', '--chain', '0'], ['x', '--tenant', 't t']]) assert.equal(create(...args).status, 2);
});

await test('the key policy: nobody but the measured enclave makes data keys, and none can be put under KMS from outside', async () => {
  const context = { 'adyton:deployment': 'dev', 'adyton:purpose': 'data-key', 'adyton:tenant': 'team' };
  const role = await roleCredentials(s);
  const asRole = new KMSClient(clientOptions(s, { accessKeyId: role.AccessKeyId, secretAccessKey: role.SecretAccessKey, sessionToken: role.Token }));
  const admin = new KMSClient(clientOptions(s));
  const denied = { name: 'AccessDeniedException' };
  for (const kms of [asRole, admin]) {
    await assert.rejects(kms.send(new GenerateDataKeyCommand({ KeyId: s.key_arn, KeySpec: 'AES_256', EncryptionContext: context })), denied);
    await assert.rejects(kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId: s.key_arn, KeySpec: 'AES_256', EncryptionContext: context })), denied);
    await assert.rejects(kms.send(new EncryptCommand({ KeyId: s.key_arn, Plaintext: r.bytes(32), EncryptionContext: context })), denied);
  }
  const other = await admin.send(new EncryptCommand({ KeyId: s.key_arn, Plaintext: r.bytes(32), EncryptionContext: { a: 'b' } }));
  await assert.rejects(
    admin.send(new ReEncryptCommand({ CiphertextBlob: other.CiphertextBlob, DestinationKeyId: s.key_arn, SourceEncryptionContext: { a: 'b' }, DestinationEncryptionContext: context })),
    denied,
  );
});

await done();
