// SPDX-License-Identifier: Apache-2.0
// The whole signing flow against the image, booted: client, gateway, virtio-vsock, enclave, relay, KMS,
// whose Decrypt asks for the PCR0 that `image build` printed and that the machine itself measured.
import assert from 'node:assert/strict';
import { createCipheriv, createHash, randomBytes, scryptSync } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, done, random, skip, until } from '../e2e/lib/tap.mjs';
import { sealKeystore } from '../e2e/lib/import.mjs';
import { awsEnv, bin, putKey, request, run, scratch, sign, startStack, tail } from '../e2e/lib/stack.mjs';
import { goodTx } from '../e2e/lib/hostile.mjs';
import { Transaction, computeAddress, keccak256 } from '../e2e/lib/txs.mjs';
import { readDocument } from './lib/document.mjs';
import { tools } from './lib/machine.mjs';

const BOOT_MS = 90000;
const missing = tools().why;
if (missing) {
  await test('the signing flow in a machine', () => skip(missing));
  await done();
}

const r = random();
const dir = scratch();
const faults = join(dir, 'faults.json');
writeFileSync(faults, '[]');
const adyton = (...args) => run(join(bin, 'adyton'), args);
const began = Date.now();
const s = await startStack({ dir, args: ['--vm', '--devcloud-arg', '--fault', '--devcloud-arg', faults], timeout: BOOT_MS });
const readyMs = Date.now() - began;
const { address } = putKey(s, 'k', r.bytes(32).toString('hex'));
const state = () => JSON.parse(adyton('enclave', 'status', '--dir', s.vm_dir, '--json').stdout);
const console_ = () => adyton('enclave', 'console', '--dir', s.vm_dir).stdout;
const pids = () => JSON.parse(readFileSync(join(dir, 'stack.json'), 'utf8')).pids;
const zeros = '0'.repeat(96);

async function attest() {
  const nonce = randomBytes(32);
  const answer = await request(`${s.gateway}/v1/attestation?nonce=${nonce.toString('hex')}`);
  assert.equal(answer.status, 200, answer.body);
  const bytes = Buffer.from(answer.json.document, 'base64');
  const document = readDocument(bytes);
  assert.deepEqual(document.nonce, nonce);
  return { ...document, bytes };
}

function right(answer, nonce) {
  assert.equal(answer.status, 200, answer.body);
  const tx = Transaction.from(answer.json.signed_transaction);
  assert.equal(tx.from, address);
  assert.equal(tx.nonce, nonce);
}

const build = (config, out, ...more) =>
  JSON.parse(adyton('image', 'build', '--kernel', kernel(), '--init', join(dir, 'init'), '--config', config, '--cmdline', cmdline(), '-o', out, '--json', ...more).stdout).Measurements;
const kernel = () => ['kernel', 'vm'].map((d) => join(bin, '..', d, 'bzImage')).find(existsSync);
const cmdline = () => JSON.parse(adyton('image', 'describe', s.image, '--json').stdout).CommandLine;

await test('the image boots, and a transaction is signed through virtio-vsock', async () => {
  right(await sign(s, 'k', goodTx({ nonce: 1 })), 1);
  const at = state();
  console.log(`# image ${statSync(s.image).size} bytes; heartbeat after ${at.boot_ms} ms; first signature ${Date.now() - began} ms after dev up began, ready after ${readyMs} ms`);
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${at.vm_pid}/status`, 'utf8'))[1]);
  console.log(`# resident memory of the whole machine: ${Math.round(rss / 1024)} MiB of ${at.memory_mib} MiB guest`);
  assert.equal(at.state, 'running');
  assert.equal(at.simulated, true);
  assert.equal(at.starts, 1);
});

await test('keystores are opened in the machine; one that needs more memory than it has is refused, and it goes on', async () => {
  const answer = await request(`${s.gateway}/v1/import-key?nonce=00`);
  assert.equal(answer.status, 200, answer.body);
  const { publicKey } = readDocument(Buffer.from(answer.json.document, 'base64'));
  const key = r.bytes(32);
  const salt = r.bytes(32);
  const keystore = (n, dk) => {
    const cipher = createCipheriv('aes-128-ctr', dk.subarray(0, 16), Buffer.alloc(16));
    const text = Buffer.concat([cipher.update(key), cipher.final()]);
    const mac = keccak256(Buffer.concat([dk.subarray(16), text])).slice(2);
    return { version: 3, crypto: { cipher: 'aes-128-ctr', cipherparams: { iv: '00'.repeat(16) }, ciphertext: text.toString('hex'), kdf: 'scrypt', kdfparams: { dklen: 32, n, r: 8, p: 1, salt: salt.toString('hex') }, mac } };
  };
  const bring = async (id, file) => {
    const { enc, sealed, options } = await sealKeystore(publicKey, file, 'pw', { id });
    return request(`${s.gateway}/v1/keys`, { method: 'POST', body: { options, form: 'v3', enc: enc.toString('base64'), sealed: sealed.toString('base64') } });
  };
  const dk = scryptSync('pw', salt, 32, { N: 4096, r: 8, p: 1 });
  const good = await bring('from-keystore', keystore(4096, dk));
  assert.equal(good.status, 201, good.body);
  assert.equal(good.json.address, computeAddress('0x' + key.toString('hex')));
  const large = await bring('large', keystore(524288, dk));
  assert.deepEqual([large.status, large.json.code, large.json.where], [413, 'too_large', 'keystore.crypto'], large.body);
  console.log(`# ${large.json.detail}`);
  const broken = await bring('broken', keystore(8192, dk));
  assert.equal(broken.json.code, 'password_wrong');
  right(await sign(s, 'k', goodTx({ nonce: 77 })), 77);
});

await test('image build prints the same measurement of the same inputs, and the same bytes', () => {
  const again = join(dir, 'again.eif');
  const m = build(join(dir, 'enclave.json'), again);
  for (const i of [0, 1, 2]) assert.equal(m[`PCR${i}`], s[`pcr${i}`]);
  assert.ok(readFileSync(again).equals(readFileSync(s.image)));
});

await test('PCR0, PCR1 and PCR2 that the machine measured are those of the image', async () => {
  const { pcrs } = await attest();
  for (const i of [0, 1, 2]) assert.equal(pcrs[i], s[`pcr${i}`], `PCR${i}`);
  assert.equal(pcrs[8], zeros, 'not signed');
  assert.deepEqual(state().Measurements.PCR0, s.pcr0);
  const config = createHash('sha384').update(readFileSync(join(dir, 'enclave.json'))).digest();
  const pcr16 = createHash('sha384').update(Buffer.alloc(48)).update(config).digest('hex');
  assert.equal(pcrs[16], pcr16, 'PCR16 is of the configuration');
  assert.equal(Object.keys(pcrs).length, 32, 'all are locked, and so attested');
});

await test('the policy of the KMS key asks for that PCR0', () => {
  const out = run('aws', ['kms', 'get-key-policy', '--key-id', s.key_arn, '--policy-name', 'default', '--output', 'text'], { env: awsEnv(s) });
  assert.equal(out.status, 0, out.stderr);
  assert.ok(out.stdout.toLowerCase().includes(s.pcr0), out.stdout.slice(0, 300));
  assert.ok(out.stdout.includes('kms:RecipientAttestation:ImageSha384'));
});

await test('the documents are not signed; each use was warned about; verify refuses them', async () => {
  const d = await attest();
  assert.equal(d.alg, -1);
  assert.ok(d.certificate.equals(Buffer.alloc(64)) && d.signature.equals(Buffer.alloc(64)));
  assert.match(readFileSync(join(dir, 'log/devcloud.log'), 'utf8'), /WITHOUT PROOF/);
  const file = join(dir, 'document');
  writeFileSync(file, d.bytes);
  const verify = adyton('attestation', 'verify', file, '--root', s.nsm_root_file, '--at', 'document');
  assert.equal(verify.status, 1, verify.stderr);
});

await test('the audit log has all entries, though no document vouches for them, and the gateway does not go on asking', () => {
  const v = adyton('audit', 'verify', join(dir, 'audit'), '--unattested');
  assert.equal(v.status, 0, v.stderr);
  const said = readFileSync(join(dir, 'log/gateway.log'), 'utf8').match(/response key cannot be read/g) ?? [];
  assert.ok(said.length > 0 && said.length < 10, `said ${said.length} times`);
});

await test('killed mid-request: 503, then a new boot of the same image signs', async () => {
  writeFileSync(faults, JSON.stringify([{ target: 'TrentService.Decrypt', times: 1, delay_ms: 4000 }]));
  const { vm_pid, starts } = state();
  const pending = sign(s, 'k', goodTx({ nonce: 2 }));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  process.kill(vm_pid, 'SIGKILL');
  const answer = await pending;
  assert.equal(answer.status, 503, answer.body);
  writeFileSync(faults, '[]');
  await until(BOOT_MS, 'the enclave to be there again', async () => (await request(`${s.gateway}/readyz`)).status === 200);
  right(await sign(s, 'k', goodTx({ nonce: 3 })), 3);
  const now = state();
  assert.equal(now.starts, starts + 1);
  assert.notEqual(now.vm_pid, vm_pid);
  assert.match(now.last_end, /heartbeat parent_cid/, 'the end of the console');
  assert.equal((await attest()).pcrs[0], s.pcr0);
});

await test('a changed ramdisk: the machine measures it, and KMS refuses it', async () => {
  const config = join(dir, 'changed.json');
  writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(join(dir, 'enclave.json'), 'utf8')), depth: 1000 }));
  const changed = join(dir, 'changed.eif');
  const m = build(config, changed);
  assert.notEqual(m.PCR0, s.pcr0);
  copyFileSync(changed, s.image);
  const { vm_pid } = state();
  process.kill(pids().enclave, 'SIGKILL'); // dev up starts `enclave run` again, which reads the image anew
  await until(BOOT_MS, 'the changed image to run', () => {
    const at = state();
    return at.state === 'running' && at.vm_pid !== vm_pid;
  });
  const answer = await until(BOOT_MS, 'an answer', async () => {
    const a = await sign(s, 'k', goodTx({ nonce: 4 }));
    return a.status !== 503 && a.status !== 504 && a;
  });
  assert.equal(answer.json.code, 'kms_refused', answer.body);
  assert.equal(answer.json.cause, 'AccessDeniedException');
  assert.equal((await attest()).pcrs[0], m.PCR0);
  assert.equal(state().Measurements.PCR0, m.PCR0);
});

await test('stop ends the machine', async () => {
  const { vm_pid } = state();
  await s.stop();
  assert.equal(state().state, 'stopped');
  await until(5000, 'the machine to end', () => !existsSync(`/proc/${vm_pid}`));
  assert.match(console_(), /heartbeat parent_cid=2/, tail(join(dir, 'log/enclave.log')));
});

await done();
