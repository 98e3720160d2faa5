// SPDX-License-Identifier: Apache-2.0
// "chains" of a record: what names another chain is refused by path, whatever kind it is; and whoever owns the
// store can neither add a chain nor take the list away.
import assert from 'node:assert/strict';
import { Transaction, Wallet } from 'ethers';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { test, done, random } from './lib/tap.mjs';
import { startStack, putKey, signAny, run, bin, awsEnv } from './lib/stack.mjs';
import { clientOptions } from './lib/aws.mjs';

const s = await startStack({ args: ['--gateway-option', 'store.cache_ms=0'] });
const r = random();
const secret = r.hex(32);
const to = r.hex(20);
putKey(s, 'two', secret.slice(2), '--chain', '10', '--chain', '1', '--allow-digest');
const { address } = putKey(s, 'any', secret.slice(2));

const tx = (chainId, fields = {}) => ({ chainId, nonce: 0, gas: 21000, maxFeePerGas: '2', maxPriorityFeePerGas: '1', to, value: '1', ...fields });
const legacy = (chainId) => ({ chainId, nonce: 0, gas: 21000, gasPrice: '2', to, value: '1' });
const blob = (chainId) => tx(chainId, { maxFeePerBlobGas: '1', blobVersionedHashes: ['0x01' + '11'.repeat(31)] });
const setCode = async (chainId) => {
  const a = await new Wallet(r.hex(32)).authorize({ address: to, chainId: 5, nonce: 0 });
  const tuple = { chainId: '5', address: to, nonce: '0', yParity: a.signature.yParity, r: a.signature.r, s: a.signature.s };
  return tx(chainId, { authorizationList: [tuple] });
};
const typed = (domain) => ({ types: { T: [{ name: 'a', type: 'uint256' }] }, primaryType: 'T', domain, message: { a: 1 } });

await test('a transaction of each type is signed on the chains of the record and refused on another', async () => {
  const kinds = [legacy, (c) => ({ ...legacy(c), accessList: [] }), tx, blob, setCode];
  for (const kind of kinds) {
    for (const chainId of [1, 10]) {
      const good = await signAny(s, 'two', { transaction: await kind(chainId) });
      assert.equal(good.status, 200, good.body);
      const signed = Transaction.from(good.json.signed_transaction);
      assert.deepEqual([signed.chainId, signed.from], [BigInt(chainId), address]);
    }
    const bad = await signAny(s, 'two', { transaction: await kind(5) });
    assert.deepEqual([bad.status, bad.json.code, bad.json.where], [403, 'denied', 'transaction.chainId'], bad.body);
    assert.match(bad.json.detail, /none of the chains/);
    assert.equal((await signAny(s, 'any', { transaction: await kind(5) })).status, 200);
  }
});

await test('so are authorizations, and typed data whose domain names a chain', async () => {
  const rows = [
    [{ authorization: { chainId: 1, address: to, nonce: 0 } }, { authorization: { chainId: 5, address: to, nonce: 0 } }, 'authorization.chainId'],
    [{ typed_data: typed({ chainId: 10 }) }, { typed_data: typed({ chainId: '0x5' }) }, 'typed_data.domain.chainId'],
    [{ typed_data: typed({ name: 'n' }) }, { authorization: { chainId: 0, address: to, nonce: 0 } }, 'authorization.chainId'],
  ];
  for (const [good, bad, where] of rows) {
    assert.equal((await signAny(s, 'two', good)).status, 200);
    const refused = await signAny(s, 'two', bad);
    assert.deepEqual([refused.status, refused.json.code, refused.json.where], [403, 'denied', where], refused.body);
    assert.equal((await signAny(s, 'any', bad)).status, 200);
  }
  assert.equal((await signAny(s, 'two', { message: { text: 'of no chain' } })).status, 200);
});

await test('the list is in the EncryptionContext: changed, added or taken away in the store, KMS opens nothing', async () => {
  const secrets = new SecretsManagerClient(clientOptions(s));
  for (const [id, change] of [
    ['two', (o) => o.chains.push(11)],
    ['two', (o) => delete o.chains],
    ['any', (o) => (o.chains = [5])],
    ['any', (o) => (o.created += 1)],
    ['any', (o) => delete o.created],
  ]) {
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: id }));
    const record = JSON.parse(SecretString);
    assert.ok(record.created > 1.7e9);
    change(record);
    await secrets.send(new PutSecretValueCommand({ SecretId: id, SecretString: JSON.stringify(record) }));
    const refused = await signAny(s, id, { message: { text: 'x' } });
    assert.deepEqual([refused.json.code, refused.json.cause], ['kms_refused', 'InvalidCiphertextException'], refused.body);
    await secrets.send(new PutSecretValueCommand({ SecretId: id, SecretString }));
    assert.equal((await signAny(s, id, { message: { text: 'x' } })).status, 200);
  }
});

await test('adyton key put refuses chains that are none', () => {
  for (const chains of [['x'], ['0'], ['-1'], ['1', '1'], ['9223372036854775772'], ['18446744073709551617'], ['']]) {
    const args = chains.flatMap((c) => ['--chain', c]);
    const p = run(`${bin}/adyton`, ['key', 'put', 'bad', '--file', '/dev/null', '--key-arn', s.key_arn, ...args], { env: awsEnv(s) });
    assert.equal(p.status, 2, p.stderr);
    assert.match(p.stderr, /chain ids/);
  }
  const sample = run(`${bin}/adyton`, ['key', 'put', 'bad', '--file', '/dev/null', '--aws-sample', '--chain', '1', '--key-arn', s.key_arn], { env: awsEnv(s) });
  assert.deepEqual([sample.status, /--chain/.test(sample.stderr)], [2, true]);
});

await done();
