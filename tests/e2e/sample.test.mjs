// SPDX-License-Identifier: Apache-2.0
// The AWS sample's Lambda as a caller: POST / over HTTPS with verification off, its body, its fields in
// the answer; the secret stored as its set_key operation stores it, through the AWS SDK.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KMSClient, EncryptCommand } from '@aws-sdk/client-kms';
import { SecretsManagerClient, CreateSecretCommand, UpdateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { Transaction, Wallet } from 'ethers';
import { test, done, random } from './lib/tap.mjs';
import { startStack, request, run, scratch } from './lib/stack.mjs';
import { clientOptions } from './lib/aws.mjs';

const r = random();
const dir = scratch();
const cert = join(dir, 'cert.pem');
const key = join(dir, 'key.pem');
run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=dummy', '-keyout', key, '-out', cert]);
const s = await startStack({ dir, args: ['--gateway-option', `tls=${JSON.stringify({ cert, key })}`] });

const kms = new KMSClient(clientOptions(s));
const secrets = new SecretsManagerClient(clientOptions(s));
const wallet = new Wallet(r.hex(32));
const { ARN } = await secrets.send(new CreateSecretCommand({ Name: 'sample-wallet', SecretString: 'not yet' }));

async function setKey(text) {
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: s.key_arn, Plaintext: Buffer.from(text) }));
  await secrets.send(new UpdateSecretCommand({ SecretId: ARN, SecretString: Buffer.from(CiphertextBlob).toString('base64') }));
}

const payload = {
  value: 0.01,
  to: '0xa5d3241a1591061f2a4bb69ca0215f66520e67cf',
  nonce: 0,
  type: 2,
  chainId: 4,
  gas: 100000,
  maxFeePerGas: 100000000000,
  maxPriorityFeePerGas: 3000000000,
};
const post = (body) => request(`${s.gateway}/`, { method: 'POST', body, rejectUnauthorized: false });

await setKey(wallet.privateKey.slice(2));

await test("the sample's request is signed and answered in its fields", async () => {
  const answer = await post({ transaction_payload: payload, secret_id: ARN });
  assert.equal(answer.status, 200, answer.body);
  assert.deepEqual(Object.keys(answer.json).sort(), ['transaction_hash', 'transaction_signed']);
  const tx = Transaction.from(answer.json.transaction_signed);
  assert.equal(tx.from, wallet.address);
  assert.equal(tx.hash, answer.json.transaction_hash);
  assert.equal(tx.value, 10n ** 16n);
  assert.equal(answer.json.transaction_signed, await wallet.signTransaction({ ...payload, gasLimit: payload.gas, gas: undefined, value: 10n ** 16n }));
});

await test('the secret may be named instead of its ARN', async () => {
  const answer = await post({ transaction_payload: payload, secret_id: 'sample-wallet' });
  assert.equal(answer.status, 200, answer.body);
});

await test('ether amounts are exact where a float is not', async () => {
  for (const [text, wei] of [
    ['0.1', 10n ** 17n],
    ['1234567.000000000000000001', 1234567000000000000000001n],
    ['1e-18', 1n],
    ['0', 0n],
    ['2.5E3', 2500n * 10n ** 18n],
  ]) {
    const body = JSON.stringify({ transaction_payload: payload, secret_id: ARN }).replace('"value":0.01', `"value":${text}`);
    const answer = await post(body);
    assert.equal(answer.status, 200, answer.body);
    assert.equal(Transaction.from(answer.json.transaction_signed).value, wei, text);
  }
});

await test('a fraction of a wei is refused by name', async () => {
  const body = JSON.stringify({ transaction_payload: payload, secret_id: ARN }).replace('"value":0.01', '"value":1e-19');
  const answer = await post(body);
  assert.equal(answer.status, 400);
  assert.equal(answer.json.code, 'field_invalid');
  assert.equal(answer.json.where, 'transaction_payload.value');
});

await test('a new key under the same secret is used although the old one is cached', async () => {
  const other = new Wallet(r.hex(32));
  await setKey(other.privateKey.slice(2));
  // the cache may answer with the old key for its short life; then the new one
  const end = Date.now() + 40000;
  for (;;) {
    const answer = await post({ transaction_payload: payload, secret_id: ARN });
    assert.equal(answer.status, 200, answer.body);
    const { from } = Transaction.from(answer.json.transaction_signed);
    if (from === other.address) break;
    assert.equal(from, wallet.address);
    assert.ok(Date.now() < end, 'the old key was still used after 40 s');
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
});

await test('key forms: 63 digits, raw 32 bytes, 0x; refused: zero, the order, other lengths', async () => {
  const short = '0'.repeat(1) + r.bytes(32).toString('hex').slice(1);
  const order = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
  const cases = [
    [short.slice(1), new Wallet('0x' + short).address],
    ['0x' + short, new Wallet('0x' + short).address],
    [Buffer.from(short, 'hex'), new Wallet('0x' + short).address],
    ['0'.repeat(64), 'key_out_of_range'],
    [order, 'key_out_of_range'],
    [Buffer.from(order, 'hex'), 'key_out_of_range'],
    [short + '00', 'key_malformed'],
    ['no key at all, but some words', 'key_malformed'],
  ];
  for (const [i, [text, want]] of cases.entries()) {
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: s.key_arn, Plaintext: Buffer.from(text) }));
    const name = `form-${i}`;
    await secrets.send(new CreateSecretCommand({ Name: name, SecretString: Buffer.from(CiphertextBlob).toString('base64') }));
    const answer = await post({ transaction_payload: payload, secret_id: name });
    if (want.startsWith('0x')) {
      assert.equal(answer.status, 200, `${i}: ${answer.body}`);
      assert.equal(Transaction.from(answer.json.transaction_signed).from, want);
    } else {
      assert.equal(answer.json?.code, want, `${i}: ${answer.body}`);
    }
  }
});

await test('a secret that is not there: 404 with a code', async () => {
  const answer = await post({ transaction_payload: payload, secret_id: 'nobody' });
  assert.equal(answer.status, 404, answer.body);
  assert.equal(answer.json.code, 'not_found');
});

await done();
