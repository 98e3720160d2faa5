// SPDX-License-Identifier: Apache-2.0
// adyton-devcloud as a program that a newcomer trips over and a hostile client leans on: its files, two of
// it on one folder, kill -9, damage, requests that are no requests. The AWS clients are in aws-sdk and
// awscli.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { HttpRequest } from '@smithy/protocol-http';
import * as K from '@aws-sdk/client-kms';
import * as M from '@aws-sdk/client-secrets-manager';
import { test, skip, done, random, until, parallel } from './lib/tap.mjs';
import { bin, run, request, scratch, startJson } from './lib/stack.mjs';
import { startDevcloud, createKey } from './lib/hostile.mjs';
import { clientOptions } from './lib/aws.mjs';
import { memory } from './lib/gateway.mjs';

const r = random();
const program = join(bin, 'adyton-devcloud');
const once = (args, options) => run(program, args, options);

const kmsOps =
  'CreateKey DescribeKey ListKeys EnableKey DisableKey ScheduleKeyDeletion CancelKeyDeletion RotateKeyOnDemand ListKeyRotations GetKeyPolicy PutKeyPolicy ListKeyPolicies CreateAlias DeleteAlias ListAliases Encrypt Decrypt ReEncrypt GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateRandom'.split(' ');
const secretOps = 'CreateSecret GetSecretValue PutSecretValue UpdateSecret DescribeSecret ListSecrets DeleteSecret RestoreSecret UpdateSecretVersionStage'.split(' ');
const top = scratch();
const cloud = await startDevcloud(join(top, 'a'));

const credentials = { accessKeyId: cloud.access_key_id, secretAccessKey: cloud.secret_access_key };

/** Send a body with a right signature; resolves to { status, headers, body, json }. */
async function call(target, body, { service = target?.startsWith('secretsmanager') ? 'secretsmanager' : 'kms', more = {}, s = cloud, signingDate } = {}) {
  const url = new URL(s.endpoint);
  const signer = new SignatureV4({ credentials, region: s.region, service, sha256: Sha256 });
  const signed = await signer.sign(
    new HttpRequest({
      method: 'POST',
      protocol: 'https:',
      hostname: url.hostname,
      port: Number(url.port),
      path: '/',
      headers: { host: url.host, 'content-type': 'application/x-amz-json-1.1', ...(target ? { 'x-amz-target': target } : {}), ...more },
      body,
    }),
    { signingDate },
  );
  return request(`${s.endpoint}/`, { method: 'POST', body, headers: signed.headers, ca: readFileSync(s.ca_file) });
}

const type = (answer) => answer.json?.__type;

// --- requests that are no requests ---

await test('the endpoint is at both addresses of localhost: clients try the one that they are given first', async () => {
  const { port } = new URL(cloud.endpoint);
  const at = async (host) => (await request(`https://${host}:${port}/`, { ca: readFileSync(cloud.ca_file) })).status;
  const plain = await at('127.0.0.1');
  if (!Object.values(networkInterfaces()).flat().some((a) => a.address === '::1')) return skip('this machine has no ::1; left out: that the endpoint is there');
  assert.equal(await at('[::1]'), plain);
});

await test('malformed JSON is a SerializationException, for every operation', async () => {
  const bodies = ['', '{', 'null', '[]', '"x"', '1', '{"KeyId":"a","KeyId":"b"}', '{"a":1}}', '['.repeat(30000), Buffer.from('{"KeyId":"\xff"}', 'latin1'), '{"KeyId":"\\ud800"}'];
  for (const op of [...kmsOps.map((o) => `TrentService.${o}`), ...secretOps.map((o) => `secretsmanager.${o}`)]) {
    for (const body of bodies) {
      const answer = await call(op, body);
      assert.equal(answer.status, 400, `${op} ${body}: ${answer.status} ${answer.body}`);
      assert.equal(type(answer), 'SerializationException', `${op} ${body}: ${answer.body}`);
    }
  }
});

await test('members of the wrong type and absurd values are refused by name, never 500', async () => {
  const names = ['KeyId', 'SecretId', 'Name', 'Plaintext', 'CiphertextBlob', 'EncryptionContext', 'Policy', 'NumberOfBytes', 'Limit', 'MaxResults', 'Marker', 'NextToken', 'AliasName', 'TargetKeyId', 'SecretString', 'PendingWindowInDays', 'RecoveryWindowInDays', 'Recipient', 'VersionStages', 'Tags', 'Description', 'ClientRequestToken', 'KeySpec', 'VersionId', 'VersionStage', 'Filters', 'GrantTokens', 'DestinationKeyId', 'PolicyName', 'ForceDeleteWithoutRecovery'];
  const values = [null, true, -1, 1e308, 0.5, 2 ** 53, '', '\u0000', 'x'.repeat(30000), [], [[]], [null], {}, { a: {} }, { '': '' }];
  const allowed = /^(SerializationException|ValidationException|InvalidParameterException|InvalidRequestException|NotFoundException|ResourceNotFoundException|InvalidKeyUsageException|InvalidAliasNameException|InvalidArnException|InvalidMarkerException|InvalidNextTokenException|MalformedPolicyDocumentException|UnsupportedOperationException|InvalidCiphertextException|LimitExceededException|InvalidGrantTokenException|TagException|KMSInvalidStateException|ResourceExistsException|AlreadyExistsException|DryRunOperationException)$/;
  const base = { KeyId: '00000000-0000-0000-0000-000000000000', SecretId: 'none', AliasName: 'alias/none' };
  for (const op of [...kmsOps.map((o) => `TrentService.${o}`), ...secretOps.map((o) => `secretsmanager.${o}`)]) {
    await parallel(4, Array.from({ length: 8 }, () => r.pick(names)), async (name) => {
      for (const value of values) {
        const answer = await call(op, JSON.stringify({ ...base, [name]: value }));
        assert.ok(answer.status === 200 || (answer.status === 400 && allowed.test(type(answer))), `${op} ${name}=${JSON.stringify(value).slice(0, 50)}: ${answer.status} ${answer.body.slice(0, 200)}`);
      }
    });
  }
});

await test('operations that do not exist are an UnknownOperationException', async () => {
  for (const target of ['TrentService.Sign', 'TrentService.', 'TrentService.decrypt', 'TrentService.Decrypt2', 'TrentService', 'secretsmanager.GetRandomPassword', 'secretsmanager.', 'DynamoDB_20120810.GetItem', 'x'.repeat(500), '.']) {
    const answer = await call(target, '{}');
    assert.equal(answer.status, 400, `${target}: ${answer.status}`);
    assert.equal(type(answer), 'UnknownOperationException', `${target}: ${answer.body}`);
  }
  const sts = await call(undefined, 'Action=GetFederationToken&Version=2011-06-15', { service: 'sts', more: { 'content-type': 'application/x-www-form-urlencoded' } });
  assert.equal(sts.status, 400);
  assert.match(sts.body, /<Code>InvalidAction<\/Code>/);
  for (const form of ['', '&&&', 'Action', 'Action=%', 'Action=GetCallerIdentity%00', 'Action=AssumeRole&RoleArn=%3Cx%3E', 'Action=AssumeRole&RoleArn=' + 'a'.repeat(5000)]) {
    const answer = await call(undefined, form, { service: 'sts', more: { 'content-type': 'application/x-www-form-urlencoded' } });
    assert.ok([400, 403].includes(answer.status), `${form.slice(0, 40)}: ${answer.status} ${answer.body}`);
    assert.match(answer.body, /<ErrorResponse/);
    assert.ok(!answer.body.includes('<x>'), 'what was sent is escaped');
  }
});

await test('large bodies are refused before they are read, and cost no memory', async () => {
  const answer = await request(`${cloud.endpoint}/`, { method: 'POST', body: 'x'.repeat(8 << 20), ca: readFileSync(cloud.ca_file) }).catch((e) => e);
  assert.ok(answer.status === 413 || /EPIPE|ECONNRESET/.test(answer.code), String(answer.status ?? answer.code));
  const secret = await call('secretsmanager.CreateSecret', JSON.stringify({ Name: 'large', SecretString: 'x'.repeat(65536), ClientRequestToken: 'a'.repeat(36) }));
  assert.equal(secret.status, 200, secret.body.slice(0, 200));
  const larger = await call('secretsmanager.CreateSecret', JSON.stringify({ Name: 'larger', SecretString: 'x'.repeat(65537), ClientRequestToken: 'a'.repeat(36) }));
  assert.equal(larger.status, 400);
  assert.match(type(larger), /ValidationException|InvalidParameterException/);
  const pid = Number(run('pgrep', ['-f', `^${program} --dir ${join(top, 'a')} `]).stdout);
  assert.ok(memory(pid) < 100, `${memory(pid)} MiB`);
});

await test('a clock that differs by more than 15 minutes, either way, is refused; by less it is not', async () => {
  for (const [minutes, ok] of [[-16, false], [16, false], [-14, true], [14, true], [60 * 24 * 365 * 30, false]]) {
    const answer = await call('TrentService.ListKeys', '{}', { signingDate: new Date(Date.now() + minutes * 60000) });
    if (ok) assert.equal(answer.status, 200, answer.body);
    else {
      assert.equal(answer.status, 400);
      assert.equal(type(answer), 'InvalidSignatureException', answer.body);
      assert.match(answer.body, /Signature (expired|not yet current)/i);
    }
  }
});

// --- many at once, and the end in the middle of it ---

await test('200 requests at once, all kinds', async () => {
  const key = await createKey(cloud);
  const secrets = new M.SecretsManagerClient(clientOptions(cloud));
  await parallel(50, Array.from({ length: 200 }), async (_, i) => {
    const Plaintext = r.bytes(32);
    const { CiphertextBlob } = await cloud.kms.send(new K.EncryptCommand({ KeyId: key, Plaintext }));
    await secrets.send(new M.CreateSecretCommand({ Name: `many/${i}`, SecretBinary: CiphertextBlob }));
    const { SecretBinary } = await secrets.send(new M.GetSecretValueCommand({ SecretId: `many/${i}` }));
    const back = await cloud.kms.send(new K.DecryptCommand({ CiphertextBlob: SecretBinary }));
    assert.ok(Plaintext.equals(Buffer.from(back.Plaintext)));
  });
  const same = await Promise.allSettled(Array.from({ length: 20 }, () => secrets.send(new M.CreateSecretCommand({ Name: 'one-only', SecretString: r.hex(8) }))));
  assert.equal(same.filter((x) => x.status === 'fulfilled').length, 1, 'one of 20 makes it');
});

await test('kill -9 in the middle of writes: what was acknowledged is there', async () => {
  const dir = join(top, 'k');
  let written = [];
  for (let round = 0; round < 4; round++) {
    const c = await startJson(program, ['--dir', dir, '--nsm', join(dir, 'n.sock'), '--json'], { log: join(top, 'k.log') });
    const s = { ...c.ready, devcloud: c.ready.endpoint };
    const secrets = new M.SecretsManagerClient(clientOptions(s));
    for (const name of written) await secrets.send(new M.GetSecretValueCommand({ SecretId: name }));
    const before = written.length;
    const writers = parallel(4, Array.from({ length: 400 }), async (_, i) => {
      const name = `r${round}/${i}`;
      await secrets.send(new M.CreateSecretCommand({ Name: name, SecretString: 'x' }));
      written.push(name);
    }).catch(() => {});
    await until(10000, 'some writes', () => written.length > before + 20);
    c.child.kill('SIGKILL');
    await c.ended;
    await writers;
  }
  console.log(`# ${written.length} secrets over 4 kills`);
});

// --- its folder ---


async function briefly(dir, args = []) {
  const c = await startJson(program, ['--dir', dir, '--nsm', join(top, 'b.sock'), '--json', ...args], { log: join(top, 'b.log') });
  assert.deepEqual(await c.stop(), { code: 0, signal: null });
  return c.ready;
}

const privateFiles = (dir) => readdirSync(dir).filter((f) => /key\.pem$|sqlite/.test(f));

await test('private files are 0600 and the folder 0700, whatever the umask; wider ones are tightened, and said', async () => {
  const dir = join(top, 'modes');
  const wide = await startJson('sh', ['-c', `umask 000; exec ${program} --dir ${dir} --nsm ${join(top, 'm.sock')} --json`], { log: join(top, 'm.log') });
  await wide.stop();
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  assert.ok(privateFiles(dir).length >= 4);
  for (const f of privateFiles(dir)) assert.equal(statSync(join(dir, f)).mode & 0o777, 0o600, f);
  for (const f of privateFiles(dir)) chmodSync(join(dir, f), 0o644);
  await briefly(dir);
  for (const f of privateFiles(dir)) assert.equal(statSync(join(dir, f)).mode & 0o777, 0o600, f);
  assert.match(readFileSync(join(top, 'b.log'), 'utf8'), /ca-key\.pem/);
});

await test('two on one folder: the second says why it cannot, the first goes on', async () => {
  const second = once(['--dir', join(top, 'a'), '--nsm', join(top, 'second.sock')]);
  assert.equal(second.status, 1);
  assert.match(second.stderr, /devcloud\.sqlite.*(locked|in use)/);
  await cloud.kms.send(new K.ListKeysCommand({}));
});

await test('a port in use, a file for a folder, a folder below a file: exit 1 and the reason', async () => {
  const port = new URL(cloud.endpoint).port;
  const taken = once(['--dir', join(top, 'p'), '--nsm', join(top, 'p.sock'), '--listen', `tcp:127.0.0.1:${port}`]);
  assert.equal(taken.status, 1);
  assert.match(taken.stderr, new RegExp(`${port}.*in use|in use.*${port}`));
  const file = join(top, 'file');
  writeFileSync(file, '');
  for (const dir of [file, join(file, 'below'), '/proc/nowhere']) {
    const bad = once(['--dir', dir]);
    assert.equal(bad.status, 1, dir);
    assert.match(bad.stderr, /dir/);
    assert.ok(!/ady_|assert|core/.test(bad.stderr), bad.stderr);
  }
});

await test('a damaged folder is not replaced: exit 1, the file named, nothing overwritten', async () => {
  for (const [name, damage] of [
    ['devcloud.sqlite', (f) => writeFileSync(f, 'this is no database, but it is long enough to be one '.repeat(100))],
    ['devcloud.sqlite', (f) => truncateSync(f, 5000)],
    ['ca.pem', (f) => writeFileSync(f, 'no certificate')],
    ['ca-key.pem', (f) => writeFileSync(f, '')],
    ['ca-key.pem', (f) => rmSync(f)],
    ['nsm-root-key.pem', (f) => rmSync(f)],
    ['nsm-root.pem', (f) => writeFileSync(f, 'no certificate')],
  ]) {
    const dir = join(top, 'damaged');
    rmSync(dir, { recursive: true, force: true });
    await briefly(dir);
    const before = readFileSync(join(dir, 'ca.pem'), 'utf8');
    damage(join(dir, name));
    const damaged = existsSync(join(dir, name)) ? readFileSync(join(dir, name)) : undefined;
    const bad = once(['--dir', dir, '--nsm', join(top, 'd.sock')], { env: {} });
    assert.equal(bad.status, 1, `${name}: ${bad.status} ${bad.signal} ${bad.stderr}`);
    assert.ok(bad.stderr.includes(name.replace('-key', '').replace('.pem', '')), `${name}: ${bad.stderr}`);
    if (damaged && name !== 'devcloud.sqlite') assert.ok(readFileSync(join(dir, name)).equals(damaged), `${name} was overwritten`);
    if (name !== 'ca.pem') assert.equal(readFileSync(join(dir, 'ca.pem'), 'utf8'), before);
  }
});

await test('a damaged server certificate is made anew under the same CA', async () => {
  const dir = join(top, 'server');
  await briefly(dir);
  const before = readFileSync(join(dir, 'ca.pem'), 'utf8');
  writeFileSync(join(dir, 'server.pem'), '');
  await briefly(dir);
  assert.equal(readFileSync(join(dir, 'ca.pem'), 'utf8'), before);
  const c = await startJson(program, ['--dir', dir, '--nsm', join(top, 'sv.sock'), '--json']);
  await createKey({ kms: new K.KMSClient(clientOptions({ ...c.ready, devcloud: c.ready.endpoint })) });
  await c.stop();
});

await test('wrong arguments: exit 2, the reason, the way to --help', () => {
  for (const args of [[], ['--dir'], ['--dir', top, '--what'], ['--dir', top, 'more'], ['--dir', top, '--account', '1'], ['--dir', top, '--region', 'a b'], ['--dir', top, '--credential-ttl', '60x'], ['--dir', top, '--credential-ttl', ''], ['--dir', top, '--listen', '4566'], ['--dir', top, '--imds', 'unix:/x']]) {
    const bad = once(args);
    assert.equal(bad.status, 2, `${args.join(' ')}: ${bad.status} ${bad.stderr}`);
    assert.match(bad.stderr, /--help/);
  }
  const gateway = run(join(bin, 'adyton-gateway'), ['--config', '/nowhere', '--ready-fd', 'x']);
  assert.equal(gateway.status, 2, gateway.stderr);
  const help = once(['--help']);
  assert.equal(help.status, 0);
  assert.ok(help.stdout.includes('NOT AWS'));
});

// --- IMDS ---

await test('IMDS: version 1, forwarded requests, tokens that are none', async () => {
  const ask = (path, method, headers = {}) => request(cloud.imds + path, { method, headers });
  assert.equal((await ask('/latest/meta-data/instance-id', 'GET')).status, 401);
  assert.equal((await ask('/latest/meta-data/iam/security-credentials/adyton-instance', 'GET', { 'x-aws-ec2-metadata-token': 'made-up' })).status, 401);
  assert.equal((await ask('/latest/api/token', 'GET')).status, 405);
  assert.equal((await ask('/latest/api/token', 'PUT')).status, 400);
  for (const ttl of ['0', '21601', '-1', 'x', '', '1e3', '60 60']) assert.equal((await ask('/latest/api/token', 'PUT', { 'x-aws-ec2-metadata-token-ttl-seconds': ttl })).status, 400, ttl);
  assert.equal((await ask('/latest/api/token', 'PUT', { 'x-aws-ec2-metadata-token-ttl-seconds': '60', 'x-forwarded-for': '10.0.0.1' })).status, 403);
  const short = (await ask('/latest/api/token', 'PUT', { 'x-aws-ec2-metadata-token-ttl-seconds': '5' })).body;
  const id = (token) => ask('/latest/meta-data/instance-id', 'GET', { 'x-aws-ec2-metadata-token': token });
  assert.equal((await id(short)).body, cloud.instance_id);
  await until(5000, 'the token to end', async () => (await id(short)).status === 401);
  const token = (await ask('/latest/api/token', 'PUT', { 'x-aws-ec2-metadata-token-ttl-seconds': '60' })).body;
  assert.equal((await ask('/latest/meta-data/iam/security-credentials/other', 'GET', { 'x-aws-ec2-metadata-token': token })).status, 404);
  const document = (await ask('/latest/dynamic/instance-identity/document', 'GET', { 'x-aws-ec2-metadata-token': token })).json;
  assert.equal(document.instanceId, cloud.instance_id);
  assert.equal(document.accountId, cloud.account_id);
});

await done();
