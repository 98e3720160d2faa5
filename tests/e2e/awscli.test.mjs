// SPDX-License-Identifier: Apache-2.0
// Debian's AWS CLI drives devcloud unchanged.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, done, skip } from './lib/tap.mjs';
import { run, scratch } from './lib/stack.mjs';
import { startDevcloud } from './lib/hostile.mjs';

const dir = scratch();
const cloud = await startDevcloud(join(dir, 'c'));
const cli = '/usr/bin/aws';
const env = {
  AWS_ACCESS_KEY_ID: cloud.access_key_id,
  AWS_SECRET_ACCESS_KEY: cloud.secret_access_key,
  AWS_SESSION_TOKEN: '',
  AWS_DEFAULT_REGION: cloud.region,
  AWS_CA_BUNDLE: cloud.ca_file,
  AWS_PAGER: '',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  PATH: '/usr/bin:/bin',
  PYTHONHOME: '',
};

function aws(...args) {
  if (!existsSync(cli)) skip("Debian's awscli is not installed: run script/bootstrap");
  const r = run(cli, ['--endpoint-url', cloud.endpoint, '--output', 'json', ...args], { env });
  if (r.status !== 0) throw new Error(r.stderr.trim());
  return r.stdout.trim() ? JSON.parse(r.stdout) : undefined;
}
const refused = (name, ...args) => assert.throws(() => aws(...args), new RegExp(name));
let key;

await test('aws kms: create, encrypt, decrypt, policy, states', () => {
  key = aws('kms', 'create-key', '--description', 'from the cli').KeyMetadata.KeyId;
  aws('kms', 'create-alias', '--alias-name', 'alias/cli', '--target-key-id', key);
  assert.ok(aws('kms', 'list-aliases').Aliases.some((a) => a.AliasName === 'alias/cli'));
  const plain = join(dir, 'plain');
  const blob = join(dir, 'blob');
  writeFileSync(plain, 'a secret text');
  const { CiphertextBlob } = aws('kms', 'encrypt', '--key-id', 'alias/cli', '--plaintext', `fileb://${plain}`, '--encryption-context', 'a=b');
  writeFileSync(blob, Buffer.from(CiphertextBlob, 'base64'));
  const back = aws('kms', 'decrypt', '--ciphertext-blob', `fileb://${blob}`, '--encryption-context', 'a=b');
  assert.equal(Buffer.from(back.Plaintext, 'base64').toString(), readFileSync(plain, 'utf8'));
  refused('InvalidCiphertextException', 'kms', 'decrypt', '--ciphertext-blob', `fileb://${blob}`);
  assert.ok(JSON.parse(aws('kms', 'get-key-policy', '--key-id', key, '--policy-name', 'default').Policy).Statement.length > 0);
  aws('kms', 'disable-key', '--key-id', key);
  refused('DisabledException', 'kms', 'encrypt', '--key-id', key, '--plaintext', `fileb://${plain}`);
  aws('kms', 'enable-key', '--key-id', key);
  assert.equal(aws('kms', 'generate-data-key', '--key-id', key, '--key-spec', 'AES_256').Plaintext.length, 44);
  aws('kms', 'schedule-key-deletion', '--key-id', key, '--pending-window-in-days', '7');
  aws('kms', 'cancel-key-deletion', '--key-id', key);
  refused('NotFoundException', 'kms', 'describe-key', '--key-id', 'alias/none');
});

await test('aws secretsmanager: create, get, put, list, delete', () => {
  const { ARN } = aws('secretsmanager', 'create-secret', '--name', 'cli/one', '--secret-string', 'v1');
  assert.equal(aws('secretsmanager', 'get-secret-value', '--secret-id', ARN).SecretString, 'v1');
  aws('secretsmanager', 'put-secret-value', '--secret-id', 'cli/one', '--secret-string', 'v2');
  assert.equal(aws('secretsmanager', 'get-secret-value', '--secret-id', 'cli/one').SecretString, 'v2');
  assert.equal(aws('secretsmanager', 'get-secret-value', '--secret-id', 'cli/one', '--version-stage', 'AWSPREVIOUS').SecretString, 'v1');
  assert.ok(aws('secretsmanager', 'list-secrets').SecretList.some((x) => x.Name === 'cli/one'));
  aws('secretsmanager', 'delete-secret', '--secret-id', 'cli/one', '--recovery-window-in-days', '7');
  refused('InvalidRequestException', 'secretsmanager', 'get-secret-value', '--secret-id', 'cli/one');
});

await test('aws sts: get-caller-identity, assume-role', () => {
  assert.equal(aws('sts', 'get-caller-identity').Account, cloud.account_id);
  const { Credentials } = aws('sts', 'assume-role', '--role-arn', cloud.role_arn, '--role-session-name', 'cli');
  assert.ok(Credentials.SessionToken);
});

await done();
