// SPDX-License-Identifier: Apache-2.0
// The AWS SDK for JavaScript drives devcloud unchanged: KMS (with Recipient), Secrets Manager, STS,
// and the instance metadata provider. openssl cms opens what KMS encrypts to a recipient.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as K from '@aws-sdk/client-kms';
import * as M from '@aws-sdk/client-secrets-manager';
import * as S from '@aws-sdk/client-sts';
import { fromInstanceMetadata } from '@smithy/credential-provider-imds';
import { test, done, random } from './lib/tap.mjs';
import { bin, request, run, scratch } from './lib/stack.mjs';
import { clientOptions } from './lib/aws.mjs';
import { startDevcloud, createKey, roleCredentials } from './lib/hostile.mjs';

const r = random();
const dir = scratch();
const cloud = await startDevcloud(join(dir, 'c'));
const { kms } = cloud;
const secrets = new M.SecretsManagerClient(clientOptions(cloud));
const sts = new S.STSClient(clientOptions(cloud));
const name = (p) => p.then(() => 'no error', (e) => e.name);
const send = (c) => kms.send(c);
const keyArn = await createKey(cloud);

await test('keys: create, describe, list, alias', async () => {
  const { KeyMetadata } = await send(new K.DescribeKeyCommand({ KeyId: keyArn }));
  assert.equal(KeyMetadata.Arn, keyArn);
  assert.equal(KeyMetadata.KeyState, 'Enabled');
  assert.equal(KeyMetadata.KeySpec, 'SYMMETRIC_DEFAULT');
  assert.ok(KeyMetadata.CreationDate instanceof Date);
  await send(new K.CreateAliasCommand({ AliasName: 'alias/main', TargetKeyId: keyArn }));
  assert.equal(await name(send(new K.CreateAliasCommand({ AliasName: 'alias/main', TargetKeyId: keyArn }))), 'AlreadyExistsException');
  const { Aliases } = await send(new K.ListAliasesCommand({}));
  assert.ok(Aliases.some((x) => x.AliasName === 'alias/main' && keyArn.endsWith(x.TargetKeyId)));
  const { Keys } = await send(new K.ListKeysCommand({}));
  assert.ok(Keys.some((x) => x.KeyArn === keyArn));
  assert.equal((await send(new K.DescribeKeyCommand({ KeyId: 'alias/main' }))).KeyMetadata.Arn, keyArn);
  assert.equal(await name(send(new K.DescribeKeyCommand({ KeyId: '00000000-0000-0000-0000-000000000000' }))), 'NotFoundException');
});

await test('encrypt and decrypt, with a context that binds', async () => {
  const Plaintext = r.bytes(100);
  const EncryptionContext = { tenant: 'a', purpose: 'test' };
  const { CiphertextBlob, KeyId } = await send(new K.EncryptCommand({ KeyId: 'alias/main', Plaintext, EncryptionContext }));
  assert.equal(KeyId, keyArn);
  const back = await send(new K.DecryptCommand({ CiphertextBlob, EncryptionContext: { purpose: 'test', tenant: 'a' } }));
  assert.deepEqual(Buffer.from(back.Plaintext), Plaintext);
  assert.equal(back.KeyId, keyArn);
  assert.equal(back.EncryptionAlgorithm, 'SYMMETRIC_DEFAULT');
  for (const wrong of [undefined, {}, { tenant: 'a' }, { tenant: 'b', purpose: 'test' }, { tenant: 'a', purpose: 'test', more: '1' }]) {
    assert.equal(await name(send(new K.DecryptCommand({ CiphertextBlob, EncryptionContext: wrong }))), 'InvalidCiphertextException');
  }
  const flipped = Buffer.from(CiphertextBlob);
  flipped[flipped.length - 1] ^= 1;
  assert.equal(await name(send(new K.DecryptCommand({ CiphertextBlob: flipped, EncryptionContext }))), 'InvalidCiphertextException');
  const otherKey = await createKey(cloud);
  assert.equal(await name(send(new K.DecryptCommand({ CiphertextBlob, EncryptionContext, KeyId: otherKey }))), 'IncorrectKeyException');
  assert.equal(await name(send(new K.EncryptCommand({ KeyId: keyArn, Plaintext: r.bytes(4097) }))), 'ValidationException');
});

await test('data keys, random bytes, re-encryption', async () => {
  const { Plaintext, CiphertextBlob } = await send(new K.GenerateDataKeyCommand({ KeyId: keyArn, KeySpec: 'AES_256', EncryptionContext: { a: 'b' } }));
  assert.equal(Plaintext.length, 32);
  assert.deepEqual((await send(new K.DecryptCommand({ CiphertextBlob, EncryptionContext: { a: 'b' } }))).Plaintext, Plaintext);
  const without = await send(new K.GenerateDataKeyWithoutPlaintextCommand({ KeyId: keyArn, NumberOfBytes: 64 }));
  assert.equal(without.Plaintext, undefined);
  assert.equal((await send(new K.DecryptCommand({ CiphertextBlob: without.CiphertextBlob }))).Plaintext.length, 64);
  assert.equal(await name(send(new K.GenerateDataKeyCommand({ KeyId: keyArn, KeySpec: 'AES_256', NumberOfBytes: 32 }))), 'ValidationException');
  assert.equal(await name(send(new K.GenerateDataKeyCommand({ KeyId: keyArn }))), 'ValidationException');
  assert.equal((await send(new K.GenerateRandomCommand({ NumberOfBytes: 24 }))).Plaintext.length, 24);
  const second = await createKey(cloud);
  const moved = await send(
    new K.ReEncryptCommand({ CiphertextBlob, SourceEncryptionContext: { a: 'b' }, DestinationKeyId: second, DestinationEncryptionContext: { c: 'd' } }),
  );
  assert.equal(moved.KeyId, second);
  assert.deepEqual((await send(new K.DecryptCommand({ CiphertextBlob: moved.CiphertextBlob, EncryptionContext: { c: 'd' } }))).Plaintext, Plaintext);
});

await test('rotation on demand: old ciphertexts still decrypt', async () => {
  const { CiphertextBlob } = await send(new K.EncryptCommand({ KeyId: keyArn, Plaintext: Buffer.from('before') }));
  await send(new K.RotateKeyOnDemandCommand({ KeyId: keyArn }));
  const after = await send(new K.EncryptCommand({ KeyId: keyArn, Plaintext: Buffer.from('after') }));
  assert.equal(Buffer.from((await send(new K.DecryptCommand({ CiphertextBlob }))).Plaintext).toString(), 'before');
  assert.equal(Buffer.from((await send(new K.DecryptCommand({ CiphertextBlob: after.CiphertextBlob }))).Plaintext).toString(), 'after');
});

await test('key states: disabled, pending deletion, cancelled', async () => {
  const key = await createKey(cloud);
  const { CiphertextBlob } = await send(new K.EncryptCommand({ KeyId: key, Plaintext: Buffer.from('x') }));
  await send(new K.DisableKeyCommand({ KeyId: key }));
  assert.equal(await name(send(new K.DecryptCommand({ CiphertextBlob }))), 'DisabledException');
  await send(new K.EnableKeyCommand({ KeyId: key }));
  await send(new K.DecryptCommand({ CiphertextBlob }));
  assert.equal(await name(send(new K.ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 6 }))), 'ValidationException');
  const { KeyState } = await send(new K.ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 7 }));
  assert.equal(KeyState, 'PendingDeletion');
  assert.equal(await name(send(new K.DecryptCommand({ CiphertextBlob }))), 'KMSInvalidStateException');
  await send(new K.CancelKeyDeletionCommand({ KeyId: key }));
  assert.equal((await send(new K.DescribeKeyCommand({ KeyId: key }))).KeyMetadata.KeyState, 'Disabled');
});

await test('signatures are verified: a wrong secret, an unknown key, a changed clock', async () => {
  const as = (c, more) => new K.KMSClient(clientOptions(cloud, { accessKeyId: cloud.access_key_id, secretAccessKey: cloud.secret_access_key, ...c }, more));
  const list = (client) => name(client.send(new K.ListKeysCommand({})));
  assert.match(await list(as({ secretAccessKey: 'x'.repeat(40) })), /InvalidSignatureException/);
  assert.match(await list(as({ accessKeyId: 'AKIANOBODY0000000000' })), /UnrecognizedClientException/);
  assert.match(await list(as({ sessionToken: 'made-up' })), /UnrecognizedClientException|InvalidClientTokenId/);
  assert.match(await list(as({}, { systemClockOffset: -20 * 60000 })), /InvalidSignatureException|SignatureDoesNotMatch|RequestExpired/);
  const plain = await request(`${cloud.endpoint}/`, { method: 'POST', body: {}, headers: { 'x-amz-target': 'TrentService.ListKeys', 'content-type': 'application/x-amz-json-1.1' }, rejectUnauthorized: false });
  assert.equal(plain.status, 400);
  assert.match(plain.json.__type, /MissingAuthenticationToken/);
});

const attest = join(bin, 'tools/nsm_attest');
const rsa = join(dir, 'rsa.pem');
const spki = join(dir, 'rsa.der');
execFileSync('openssl', ['genrsa', '-out', rsa, '2048'], { stdio: 'ignore' });
execFileSync('openssl', ['rsa', '-in', rsa, '-pubout', '-outform', 'DER', '-out', spki], { stdio: 'ignore' });
const config = join(dir, 'tool.json');
writeFileSync(config, '{}');
const document = () => execFileSync(attest, [cloud.nsm, config, spki], { maxBuffer: 1 << 20 });
const recipient = () => ({ KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument: document() });

function openCms(blob) {
  const file = join(dir, 'cms.der');
  writeFileSync(file, blob);
  return execFileSync('openssl', ['cms', '-decrypt', '-inform', 'DER', '-in', file, '-inkey', rsa], { stdio: ['ignore', 'pipe', 'pipe'] });
}

await test('with Recipient, Decrypt, GenerateDataKey and GenerateRandom answer in CMS that openssl opens', async () => {
  const m = JSON.parse(run(join(bin, 'adyton'), ['dev', 'measure', '--enclave', attest, '--config', config, '--json']).stdout);
  const condition = { StringEqualsIgnoreCase: { 'kms:RecipientAttestation:ImageSha384': m.pcr0 ?? m.PCR0 } };
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${cloud.account_id}:root` }, NotAction: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: '*' },
      { Effect: 'Allow', Principal: { AWS: '*' }, Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: '*', Condition: condition },
    ],
  });
  const key = await createKey(cloud);
  await send(new K.PutKeyPolicyCommand({ KeyId: key, PolicyName: 'default', Policy }));
  assert.deepEqual(JSON.parse((await send(new K.GetKeyPolicyCommand({ KeyId: key, PolicyName: 'default' }))).Policy), JSON.parse(Policy));
  for (const n of [1, 15, 16, 32, 100, 4096]) {
    const Plaintext = r.bytes(n);
    const { CiphertextBlob } = await send(new K.EncryptCommand({ KeyId: key, Plaintext }));
    assert.equal(await name(send(new K.DecryptCommand({ CiphertextBlob }))), 'AccessDeniedException');
    const reply = await send(new K.DecryptCommand({ CiphertextBlob, Recipient: recipient() }));
    assert.equal(reply.Plaintext, undefined);
    assert.deepEqual(openCms(reply.CiphertextForRecipient), Plaintext);
  }
  const data = await send(new K.GenerateDataKeyCommand({ KeyId: key, KeySpec: 'AES_256', Recipient: recipient() }));
  assert.equal(data.Plaintext, undefined);
  const again = await send(new K.DecryptCommand({ CiphertextBlob: data.CiphertextBlob, Recipient: recipient() }));
  assert.deepEqual(openCms(again.CiphertextForRecipient), openCms(data.CiphertextForRecipient));
  const random = await send(new K.GenerateRandomCommand({ NumberOfBytes: 32, Recipient: recipient() }));
  assert.equal(random.Plaintext, undefined);
  assert.equal(openCms(random.CiphertextForRecipient).length, 32);
});

await test('a broken attestation document is a ValidationException', async () => {
  const { CiphertextBlob } = await send(new K.EncryptCommand({ KeyId: keyArn, Plaintext: Buffer.from('x') }));
  const doc = document();
  const at = doc.length - 10; // within the signature
  doc[at] ^= 1;
  const ask = (d) => name(send(new K.DecryptCommand({ CiphertextBlob, Recipient: { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument: d } })));
  assert.equal(await ask(doc), 'ValidationException');
  assert.equal(await ask(Buffer.from('nothing')), 'ValidationException');
});

await test('key policies: malformed, locked out, denied', async () => {
  const key = await createKey(cloud);
  const put = (p, more) => name(send(new K.PutKeyPolicyCommand({ KeyId: key, PolicyName: 'default', Policy: typeof p === 'string' ? p : JSON.stringify(p), ...more })));
  assert.equal(await put('{'), 'MalformedPolicyDocumentException');
  assert.equal(await put({ Version: '2012-10-17', Statement: [{ Effect: 'Maybe' }] }), 'MalformedPolicyDocumentException');
  const all = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${cloud.account_id}:root` }, Action: 'kms:*', Resource: '*' };
  const deny = { Effect: 'Deny', Principal: '*', Action: 'kms:Encrypt', Resource: '*', Condition: { StringNotEquals: { 'kms:EncryptionContext:tenant': 'a' } } };
  assert.equal(await put({ Version: '2012-10-17', Statement: [all, deny] }), 'no error');
  const encrypt = (c) => name(send(new K.EncryptCommand({ KeyId: key, Plaintext: Buffer.from('x'), EncryptionContext: c })));
  assert.equal(await encrypt({ tenant: 'a' }), 'no error');
  assert.equal(await encrypt({ tenant: 'b' }), 'AccessDeniedException');
  assert.equal(await encrypt(undefined), 'AccessDeniedException');
});

await test('secrets: create, read, versions, stages, list, delete with a window, restore', async () => {
  const made = await secrets.send(new M.CreateSecretCommand({ Name: 'app/one', SecretString: 'first', Description: 'd' }));
  assert.match(made.ARN, /:secret:app\/one-[A-Za-z0-9]{6}$/);
  assert.equal(await name(secrets.send(new M.CreateSecretCommand({ Name: 'app/one', SecretString: 'x' }))), 'ResourceExistsException');
  const get = (more = {}) => secrets.send(new M.GetSecretValueCommand({ SecretId: 'app/one', ...more }));
  assert.equal((await get()).SecretString, 'first');
  const put = await secrets.send(new M.PutSecretValueCommand({ SecretId: made.ARN, SecretString: 'second' }));
  assert.deepEqual(put.VersionStages, ['AWSCURRENT']);
  assert.equal((await get()).SecretString, 'second');
  assert.equal((await get({ VersionStage: 'AWSPREVIOUS' })).SecretString, 'first');
  assert.equal((await get({ VersionId: made.VersionId })).SecretString, 'first');
  await secrets.send(new M.UpdateSecretCommand({ SecretId: 'app/one', SecretString: 'third', Description: 'e' }));
  assert.equal((await get()).SecretString, 'third');
  const d = await secrets.send(new M.DescribeSecretCommand({ SecretId: 'app/one' }));
  assert.equal(d.Description, 'e');
  assert.deepEqual(Object.values(d.VersionIdsToStages).flat().sort(), ['AWSCURRENT', 'AWSPREVIOUS']);
  await secrets.send(new M.CreateSecretCommand({ Name: 'app/binary', SecretBinary: Buffer.from([0, 1, 255]) }));
  assert.deepEqual(Buffer.from((await secrets.send(new M.GetSecretValueCommand({ SecretId: 'app/binary' }))).SecretBinary), Buffer.from([0, 1, 255]));
  const listed = [];
  for await (const page of M.paginateListSecrets({ client: secrets, pageSize: 1 }, {})) listed.push(...page.SecretList.map((x) => x.Name));
  assert.ok(listed.includes('app/one') && listed.includes('app/binary'));
  await secrets.send(new M.DeleteSecretCommand({ SecretId: 'app/one', RecoveryWindowInDays: 7 }));
  assert.equal(await name(get()), 'InvalidRequestException');
  await secrets.send(new M.RestoreSecretCommand({ SecretId: 'app/one' }));
  assert.equal((await get()).SecretString, 'third');
  await secrets.send(new M.DeleteSecretCommand({ SecretId: 'app/one', ForceDeleteWithoutRecovery: true }));
  assert.equal(await name(get()), 'ResourceNotFoundException');
});

await test('STS: who am I, another role, a session policy that narrows, an end', async () => {
  const me = await sts.send(new S.GetCallerIdentityCommand({}));
  assert.equal(me.Account, cloud.account_id);
  assert.match(me.Arn, /^arn:aws:iam::\d{12}:user\//);
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*' }] });
  const { Credentials, AssumedRoleUser } = await sts.send(new S.AssumeRoleCommand({ RoleArn: cloud.role_arn, RoleSessionName: 'narrow', Policy, DurationSeconds: 900 }));
  assert.match(AssumedRoleUser.Arn, /:assumed-role\/.*\/narrow$/);
  const left = Credentials.Expiration - Date.now();
  assert.ok(left > 800e3 && left < 1000e3, `${left}`);
  const narrow = { accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretAccessKey, sessionToken: Credentials.SessionToken };
  await new M.SecretsManagerClient(clientOptions(cloud, narrow)).send(new M.GetSecretValueCommand({ SecretId: 'app/binary' }));
  assert.equal(await name(new M.SecretsManagerClient(clientOptions(cloud, narrow)).send(new M.DescribeSecretCommand({ SecretId: 'app/binary' }))), 'AccessDeniedException');
  assert.equal(await name(new K.KMSClient(clientOptions(cloud, narrow)).send(new K.EncryptCommand({ KeyId: keyArn, Plaintext: Buffer.from('x') }))), 'AccessDeniedException');
  assert.match(await name(sts.send(new S.AssumeRoleCommand({ RoleArn: cloud.role_arn, RoleSessionName: 'x', DurationSeconds: 60 }))), /Validation/);
});

await test('IMDSv2 serves the SDK; IMDSv1 is refused', async () => {
  process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT = cloud.imds;
  const provider = fromInstanceMetadata({ timeout: 20000, maxRetries: 0 });
  const c = await provider();
  const who = await new S.STSClient(clientOptions(cloud, c)).send(new S.GetCallerIdentityCommand({}));
  assert.match(who.Arn, /:assumed-role\/adyton-instance\/i-/);
  const v1 = await request(`${cloud.imds}/latest/meta-data/iam/security-credentials/`);
  assert.equal(v1.status, 401);
  const bad = await request(`${cloud.imds}/latest/api/token`, { method: 'PUT', headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '21601' } });
  assert.equal(bad.status, 400);
  const forwarded = await request(`${cloud.imds}/latest/api/token`, { method: 'PUT', headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60', 'x-forwarded-for': '10.0.0.1' } });
  assert.equal(forwarded.status, 403);
});

await test('everything is there after a restart', async () => {
  const { CiphertextBlob } = await send(new K.EncryptCommand({ KeyId: keyArn, Plaintext: Buffer.from('kept') }));
  await cloud.stop();
  const again = await startDevcloud(join(dir, 'c'));
  assert.equal(again.ca_file, cloud.ca_file);
  assert.equal(again.access_key_id, cloud.access_key_id);
  const back = await again.kms.send(new K.DecryptCommand({ CiphertextBlob }));
  assert.equal(Buffer.from(back.Plaintext).toString(), 'kept');
  const s2 = new M.SecretsManagerClient(clientOptions(again));
  await s2.send(new M.GetSecretValueCommand({ SecretId: 'app/binary' }));
  const role = await roleCredentials(again);
  assert.ok(role.Token);
});

await done();
