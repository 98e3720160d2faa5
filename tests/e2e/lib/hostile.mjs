// SPDX-License-Identifier: Apache-2.0
// A devcloud, a KMS key that admits one measured enclave, that enclave, and a lying parent in place of
// the gateway.
import { createCipheriv, randomBytes } from 'node:crypto';
import { existsSync, openSync, readFileSync, renameSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KMSClient, CreateKeyCommand, PutKeyPolicyCommand, EncryptCommand } from '@aws-sdk/client-kms';
import { SigningKey, computeAddress } from 'ethers';
import { atEnd, until } from './tap.mjs';
import { bin, run, request, scratch, startJson, tail, spawnBound } from './stack.mjs';
import { clientOptions } from './aws.mjs';
import { Link, Relay, cbor } from './parent.mjs';

/** Write devcloud's file of faults, which it reads while it serves: never half of it, and each is another file, also when
 * two are of one size and of one tick of the file system's clock. */
export function writeFaults(path, rules) {
  writeFileSync(`${path}.new`, JSON.stringify(rules));
  renameSync(`${path}.new`, path);
}

/** Start adyton-devcloud in dir; resolves to its ready object with { stop, kms, faults(rules) }. */
export async function startDevcloud(dir, args = []) {
  mkdirSync(dir, { recursive: true });
  const faults = join(dir, 'faults.json');
  const d = await startJson(
    join(bin, 'adyton-devcloud'),
    ['--dir', dir, '--nsm', join(dir, 'n.sock'), '--fault', faults, '--json', ...args],
    { log: join(dir, 'log') },
  );
  atEnd(() => d.stop());
  const s = { ...d.ready, devcloud: d.ready.endpoint, stop: d.stop, log: join(dir, 'log') };
  s.kms = new KMSClient(clientOptions(s));
  s.faults = (rules) => writeFaults(faults, rules);
  s.faults([]);
  return s;
}

/** The instance role's credentials by IMDSv2. */
export async function roleCredentials(cloud) {
  const { body: token } = await request(`${cloud.imds}/latest/api/token`, { method: 'PUT', headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' } });
  const headers = { 'x-aws-ec2-metadata-token': token };
  const base = `${cloud.imds}/latest/meta-data/iam/security-credentials/`;
  const role = (await request(base, { headers })).body.trim();
  return (await request(base + role, { headers })).json;
}

/** PCR0..2 of an enclave program with a configuration. */
export function measure(config, program = join(bin, 'adyton-enclave')) {
  const r = run(join(bin, 'adyton'), ['dev', 'measure', '--enclave', program, '--config', config, '--json']);
  if (r.status !== 0) throw new Error(`adyton dev measure: ${r.stderr}`);
  const m = JSON.parse(r.stdout);
  return { pcr0: m.pcr0 ?? m.PCR0, pcr1: m.pcr1 ?? m.PCR1, pcr2: m.pcr2 ?? m.PCR2 };
}

/** A key policy that lets role decrypt under a measurement, or one of a list, and the administrator do the rest. */
export function policyFor(cloud, pcr0) {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${cloud.account_id}:root` }, NotAction: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom'], Resource: '*' },
      {
        Effect: 'Allow',
        Principal: { AWS: cloud.role_arn },
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: '*',
        Condition: { StringEqualsIgnoreCase: { 'kms:RecipientAttestation:PCR0': pcr0 } },
      },
    ],
  });
}

let enclaves = 0;

/** Let the enclaves of these measurements use the key, and no others. */
export const admit = (cloud, keyArn, pcr0s) => cloud.kms.send(new PutKeyPolicyCommand({ KeyId: keyArn, PolicyName: 'default', Policy: policyFor(cloud, pcr0s) }));

/** Start an enclave with a configuration of its own; resolves to { config, pcr0, child, ended, link(), relay, log, socket,
 * restart() }. restart starts it again after its end, at the same place. */
export async function startEnclave(cloud, keyArn, { changes = {}, kms = {}, nsm = cloud.nsm, program = join(bin, 'adyton-enclave'), admit: admits = true } = {}) {
  const dir = scratch(`e${enclaves++}`);
  const path = (n) => join(dir, n);
  const endpoint = new URL(cloud.devcloud);
  const config = path('enclave.json');
  writeFileSync(
    config,
    JSON.stringify({
      adyton: 1,
      deployment: 'test',
      development: true,
      listen: `unix:${path('e.sock')}`,
      relay: `unix:${path('r.sock')}`,
      nsm: `dev-socket:${nsm}`,
      kms: {
        host: endpoint.hostname,
        port: Number(endpoint.port),
        region: cloud.region,
        account: cloud.account_id,
        keys: [keyArn],
        roots_pem: readFileSync(cloud.ca_file, 'utf8'),
        ...kms,
      },
      ...changes,
    }),
  );
  const { pcr0 } = measure(config, program);
  if (admits) await admit(cloud, keyArn, pcr0);
  const relay = new Relay(path('r.sock'));
  atEnd(() => relay.close());
  const log = path('log');
  const e = { config, pcr0, relay, log, socket: path('e.sock'), link: () => new Link(path('e.sock')) };
  e.restart = async () => {
    const seen = existsSync(log) ? readFileSync(log, 'utf8').length : 0;
    const child = spawnBound(program, ['--config', config], { stdio: ['ignore', openSync(log, 'a'), openSync(log, 'a')] });
    e.child = child;
    e.ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
    await until(20000, 'the enclave to listen', () => {
      if (child.exitCode !== null) throw new Error(`adyton-enclave ended (${child.exitCode}): ${tail(log)}`);
      return existsSync(path('e.sock')) && /ready/.test(readFileSync(log, 'utf8').slice(seen));
    });
  };
  atEnd(() => (e.child?.kill('SIGKILL'), e.ended));
  await e.restart();
  return e;
}

/** A KMS key of the administrator's. */
export async function createKey(cloud) {
  const { KeyMetadata } = await cloud.kms.send(new CreateKeyCommand({ Description: 'test' }));
  return KeyMetadata.Arn;
}

/** A record of our form for a private key, its ciphertext bound to what the record says. */
export async function makeRecord(cloud, keyArn, id, privateKey, { bindAs = {}, plaintext } = {}) {
  const publicKey = SigningKey.computePublicKey(privateKey, true);
  const record = { adyton: 1, wrapping: 'direct', id, tenant: 'default', curve: 'secp256k1', public_key: publicKey };
  const bound = { ...record, ...bindAs };
  const { CiphertextBlob } = await cloud.kms.send(
    new EncryptCommand({
      KeyId: keyArn,
      Plaintext: plaintext ?? Buffer.from(privateKey.slice(2), 'hex'),
      EncryptionContext: { 'adyton:id': bound.id, 'adyton:tenant': bound.tenant, 'adyton:curve': bound.curve, 'adyton:public-key': bound.public_key },
    }),
  );
  record.ciphertext = Buffer.from(CiphertextBlob).toString('base64');
  return { id, record, text: JSON.stringify(record), address: computeAddress(privateKey), privateKey };
}

/** The additional data of an envelope, written from doc/protocol.md. */
export const envelopeAad = (record, deployment) =>
  cbor([
    1,
    deployment,
    record.id,
    record.tenant,
    record.curve,
    Buffer.from(record.public_key.slice(2), 'hex'),
    (record.allow ?? []).join(','),
    (record.chains ?? []).join(','),
    '',
    Buffer.alloc(0),
    record.created ?? 0,
  ]);

/** An envelope made here, under a data key that this test knows: { record, text, dataKey, .. }. */
export async function makeEnvelope(cloud, keyArn, id, privateKey, { tenant = 'default', deployment = 'test', dataKey = randomBytes(32), blob, more = {} } = {}) {
  const context = { 'adyton:deployment': deployment, 'adyton:purpose': 'data-key', 'adyton:tenant': tenant };
  blob ??= Buffer.from((await cloud.kms.send(new EncryptCommand({ KeyId: keyArn, Plaintext: dataKey, EncryptionContext: context }))).CiphertextBlob);
  const record = {
    adyton: 1,
    wrapping: 'envelope',
    id,
    tenant,
    curve: 'secp256k1',
    public_key: SigningKey.computePublicKey(privateKey, true),
    data_key: blob.toString('base64'),
    ...more,
  };
  const nonce = randomBytes(12);
  const gcm = createCipheriv('aes-256-gcm', dataKey, nonce);
  gcm.setAAD(envelopeAad(record, deployment));
  record.ciphertext = Buffer.concat([nonce, gcm.update(Buffer.from(privateKey.slice(2), 'hex')), gcm.final(), gcm.getAuthTag()]).toString('base64');
  return { id, record, text: JSON.stringify(record), address: computeAddress(privateKey), privateKey, dataKey, blob };
}

/** A transaction that is fine. */
export const goodTx = (more = {}) => ({
  type: 2,
  chainId: 31337,
  nonce: 0,
  to: '0x000000000000000000000000000000000000dead',
  value: '1',
  gas: 21000,
  maxFeePerGas: '2000000000',
  maxPriorityFeePerGas: '1000000000',
  ...more,
});
