// SPDX-License-Identifier: Apache-2.0
// What must not work, each with its reason: KMS without the right attestation, a parent that lies to
// the enclave about keys, KMS, credentials, or the bytes of the relay. Devcloud and its NSM are the
// local stand-ins for AWS; enclave, TLS, CMS and frames are the real ones.
import assert from 'node:assert/strict';
import net from 'node:net';
import tls from 'node:tls';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KMSClient, DecryptCommand } from '@aws-sdk/client-kms';
import { Transaction } from 'ethers';
import { test, done, random, until } from './lib/tap.mjs';
import { bin, run, root, scratch } from './lib/stack.mjs';
import { clientOptions } from './lib/aws.mjs';
import { T, cbor, nonce } from './lib/parent.mjs';
import { startDevcloud, startEnclave, roleCredentials, createKey, makeRecord, policyFor, measure, goodTx } from './lib/hostile.mjs';

const r = random();
const dir = scratch();
const cloud = await startDevcloud(join(dir, 'a'));
const keyArn = await createKey(cloud);
const e = await startEnclave(cloud, keyArn);
const role = await roleCredentials(cloud);
const asRole = (c = role) => new KMSClient(clientOptions(cloud, { accessKeyId: c.AccessKeyId, secretAccessKey: c.SecretAccessKey, sessionToken: c.Token }));
const a = await makeRecord(cloud, keyArn, 'alice', r.hex(32));
const b = await makeRecord(cloud, keyArn, 'bob', r.hex(32));
const link = e.link();

async function good(l = link, k = a) {
  const answer = await l.sign(k.id, k.text, goodTx());
  assert.ok(answer.ok, JSON.stringify(answer.error));
  assert.equal(Transaction.from('0x' + answer.value[0].toString('hex')).from, k.address);
  return answer;
}
const refused = (answer, code, more = {}) => {
  assert.equal(answer.error?.code, code, JSON.stringify(answer.error ?? 'it was signed'));
  for (const [k, v] of Object.entries(more)) {
    if (v instanceof RegExp) assert.match(answer.error[k], v);
    else assert.equal(answer.error[k], v);
  }
};
const kmsName = (p) => p.then(() => 'no error', (x) => x.name);

await test('before credentials arrive the enclave says that it has none', async () => {
  refused(await link.sign(a.id, a.text, goodTx()), 'credentials_unavailable');
  assert.ok((await link.credentials(role)).ok);
  await good();
});

await test('Decrypt without Recipient is refused to the role and to the administrator', async () => {
  const ask = { CiphertextBlob: Buffer.from(a.record.ciphertext, 'base64'), EncryptionContext: context(a) };
  assert.equal(await kmsName(asRole().send(new DecryptCommand(ask))), 'AccessDeniedException');
  assert.equal(await kmsName(cloud.kms.send(new DecryptCommand(ask))), 'AccessDeniedException');
});

function context(k) {
  return { 'adyton:id': k.record.id, 'adyton:tenant': 'default', 'adyton:curve': 'secp256k1', 'adyton:public-key': k.record.public_key };
}

await test('an enclave with another configuration has another PCR0 and is refused', async () => {
  const other = await startEnclave(cloud, keyArn, { changes: { deployment: 'other' }, admit: false });
  assert.notEqual(other.pcr0, e.pcr0);
  const l = other.link();
  await l.credentials(role);
  refused(await l.sign(a.id, a.text, goodTx()), 'kms_refused', { cause: 'AccessDeniedException' });
  l.end();
  await good();
});

await test('a document signed under another root is refused by KMS', async () => {
  const second = await startDevcloud(join(dir, 'b'));
  const other = await startEnclave(cloud, keyArn, { nsm: second.nsm, admit: false });
  const l = other.link();
  await l.credentials(role);
  refused(await l.sign(a.id, a.text, goodTx()), 'kms_refused', { cause: 'ValidationException' });
  l.end();
});

// the public key's place in a document, and the parent's own key pair
const mine = join(dir, 'mine.pem');
execFileSync('openssl', ['genrsa', '-out', mine, '2048'], { stdio: 'ignore' });
const mySpki = execFileSync('openssl', ['rsa', '-in', mine, '-pubout', '-outform', 'DER'], { stdio: ['ignore', 'pipe', 'ignore'] });

async function document() {
  const answer = await link.ask(T.ATTEST, cbor([nonce()]));
  assert.ok(answer.ok, JSON.stringify(answer.error));
  return answer.value[0];
}

await test("a captured document gets the parent a reply that only the enclave's key opens", async () => {
  const reply = await asRole().send(
    new DecryptCommand({
      CiphertextBlob: Buffer.from(a.record.ciphertext, 'base64'),
      EncryptionContext: context(a),
      Recipient: { AttestationDocument: await document(), KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' },
    }),
  );
  assert.equal(reply.Plaintext, undefined);
  const cms = join(dir, 'reply.der');
  writeFileSync(cms, reply.CiphertextForRecipient);
  const opened = run('openssl', ['cms', '-decrypt', '-inform', 'DER', '-in', cms, '-inkey', mine]);
  assert.ok(opened.status !== 0 || !opened.stdout.includes(a.privateKey.slice(2)), 'the parent opened it');
});

await test("a document with the parent's key put in its place is refused", async () => {
  const doc = await document();
  const at = doc.indexOf(mySpki.subarray(0, 24)); // the head of an RSA-2048 SubjectPublicKeyInfo
  assert.ok(at > 0);
  mySpki.copy(doc, at);
  const ask = new DecryptCommand({
    CiphertextBlob: Buffer.from(a.record.ciphertext, 'base64'),
    EncryptionContext: context(a),
    Recipient: { AttestationDocument: doc, KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' },
  });
  assert.equal(await kmsName(asRole().send(ask)), 'ValidationException');
});

await test("another key's ciphertext in a record is refused by its context", async () => {
  const swapped = JSON.stringify({ ...a.record, ciphertext: b.record.ciphertext });
  refused(await link.sign('alice', swapped, goodTx()), 'kms_refused', { cause: 'InvalidCiphertextException' });
});

await test("another key's record under this key's id is refused before KMS is asked", async () => {
  refused(await link.sign('alice', b.text, goodTx()), 'record_mismatch');
});

await test("a key bound to another key's public key is refused after KMS has opened it", async () => {
  const forged = await makeRecord(cloud, keyArn, 'carol', r.hex(32), { plaintext: Buffer.from(b.privateKey.slice(2), 'hex') });
  refused(await link.sign('carol', forged.text, goodTx()), 'record_mismatch');
});

await test('a from that is not the key of the record is refused', async () => {
  refused(await link.sign('alice', a.text, goodTx({ from: b.address })), 'from_mismatch', { where: 'transaction.from' });
  const mixed = await link.sign('alice', a.text, goodTx({ from: a.address }));
  assert.ok(mixed.ok, JSON.stringify(mixed.error));
});

function selfSigned(name, more = '') {
  const key = join(dir, `${name}-key.pem`);
  const cert = join(dir, `${name}-cert.pem`);
  run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}${more}`, '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert]);
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

await test('a parent that ends TLS itself, to forge the reply, is refused', async () => {
  let secrets = 0;
  const forger = tls.createServer(selfSigned('localhost'), (socket) => {
    socket.on('data', () => secrets++); // what would carry the request, and get the forged CMS
    socket.on('error', () => {});
  });
  forger.on('tlsClientError', () => {});
  await new Promise((resolve) => forger.listen(0, '127.0.0.1', resolve));
  e.relay.handle = (socket) => e.relay.through(socket, 'localhost', forger.address().port);
  e.relay.cut();
  refused(await link.sign(a.id, a.text, goodTx()), 'tls_failed');
  assert.equal(secrets, 0);
  e.relay.handle = e.relay.through;
  forger.close();
  await good();
});

// Sorting it is the first thing that OpenSSL does with a name, before any signature is looked at; of
// that many the C library asks the system how much memory there is.
await test('a forged certificate with 100 attributes in one name is refused, and the enclave lives', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `+OU=${i}`).join('');
  const forger = tls.createServer(selfSigned('localhost', names));
  forger.on('tlsClientError', () => {});
  await new Promise((resolve) => forger.listen(0, '127.0.0.1', resolve));
  e.relay.handle = (socket) => e.relay.through(socket, 'localhost', forger.address().port);
  e.relay.cut();
  refused(await link.sign(a.id, a.text, goodTx()), 'tls_failed');
  e.relay.handle = e.relay.through;
  forger.close();
  await good();
});

await test('a real server of the same authority under another name is refused', async () => {
  const other = await startEnclave(cloud, keyArn, { kms: { host: 'kms.elsewhere.example' }, admit: true });
  other.relay.handle = (socket) => other.relay.through(socket, 'localhost', Number(new URL(cloud.devcloud).port));
  const l = other.link();
  await l.credentials(role);
  refused(await l.sign(a.id, a.text, goodTx()), 'tls_failed');
  l.end();
  await startPolicy();
  await good();
});

// the tests above that admit another enclave leave its policy behind
async function startPolicy() {
  const { PutKeyPolicyCommand } = await import('@aws-sdk/client-kms');
  await cloud.kms.send(new PutKeyPolicyCommand({ KeyId: keyArn, PolicyName: 'default', Policy: policyFor(cloud, measure(e.config).pcr0) }));
}

await test('a reply that names another key is refused', async () => {
  cloud.faults([{ target: 'TrentService.Decrypt', times: 1, wrong_key_id: true }]);
  refused(await link.sign(a.id, a.text, goodTx()), 'kms_reply_invalid');
  await good();
});

await test('a reply encrypted to another key is refused', async () => {
  cloud.faults([{ target: 'TrentService.Decrypt', times: 1, bad_cms: true }]);
  refused(await link.sign(a.id, a.text, goodTx()), 'kms_reply_invalid');
  await good();
});

await test('expired credentials are named, and new ones are used at once', async () => {
  cloud.faults([{ target: 'TrentService.Decrypt', times: 1, error: 'ExpiredTokenException' }]);
  refused(await link.sign(a.id, a.text, goodTx()), 'credentials_unavailable', { cause: 'ExpiredTokenException' });
  await link.credentials({ ...role, AccessKeyId: 'ASIAUNKNOWN000000000' });
  refused(await link.sign(a.id, a.text, goodTx()), 'credentials_unavailable', { cause: 'UnrecognizedClientException' });
  await link.credentials({ ...role, SecretAccessKey: 'x'.repeat(40) });
  refused(await link.sign(a.id, a.text, goodTx()), 'credentials_unavailable', { cause: /InvalidSignature|IncompleteSignature/ });
  await link.credentials(role);
  await good();
});

await test('throttling is retried until it ends', async () => {
  cloud.faults([{ target: 'TrentService.Decrypt', times: 2, error: 'ThrottlingException' }]);
  await good();
});

await test('the relay cut after any number of bytes: an error or the right answer, never a hang', async () => {
  let errors = 0;
  for (const bytes of [0, 1, 5, 100, 517, 1000, 1200, 1500, 2000, 2500, 3000, 10000]) {
    e.relay.cut();
    e.relay.handle = (socket, host, port) => {
      const to = net.connect(port, '127.0.0.1');
      let left = bytes;
      socket.pipe(to);
      to.on('error', () => {});
      to.on('data', (d) => {
        if (left > 0) socket.write(d.subarray(0, left));
        left -= d.length;
        if (left < 0) socket.end();
      });
    };
    const began = Date.now();
    const answer = await link.sign(a.id, a.text, goodTx(), { deadline: 5000 });
    assert.ok(Date.now() - began < 15000, `${bytes}: ${Date.now() - began} ms`);
    if (answer.error) {
      errors++;
      assert.match(answer.error.code, /^(kms_unavailable|tls_failed|deadline_exceeded|kms_reply_invalid)$/);
    }
  }
  assert.ok(errors >= 8, `only ${errors} cuts were noticed`);
  e.relay.handle = e.relay.through;
  e.relay.cut();
  await good();
});

await test('a relay that takes the stream and stays silent: the deadline ends it', async () => {
  e.relay.cut();
  e.relay.handle = () => {};
  const began = Date.now();
  const answer = await link.sign(a.id, a.text, goodTx(), { deadline: 1500 });
  assert.match(answer.error?.code ?? 'signed', /^(deadline_exceeded|kms_unavailable)$/);
  assert.ok(Date.now() - began < 10000, `${Date.now() - began} ms`);
  e.relay.handle = e.relay.through;
  e.relay.cut();
  await good();
});

await test('other signatures go on while KMS does not answer some', async () => {
  cloud.faults([{ target: 'TrentService.Decrypt', times: 4, delay_ms: 4500 }]);
  const asked = () => readFileSync(cloud.log, 'utf8').split('fault on demand').length;
  const before = asked();
  let over = 0;
  const slow = Array.from({ length: 4 }, () => link.sign(a.id, a.text, goodTx(), { deadline: 30000 }).finally(() => over++));
  await until(10000, 'KMS to have all four', () => asked() === before + 4);
  for (let i = 0; i < 10; i++) await good();
  assert.equal(over, 0, '10 signatures took as long as the 4 slow ones beside them');
  for (const x of await Promise.all(slow)) assert.ok(x.ok, JSON.stringify(x.error));
});

await test('a debug document is nowhere accepted: the verifier refuses AWS\'s own', () => {
  const path = join(root, '../shared/vectors/nitro/debug-mode-attestation-doc-bytes');
  try {
    readFileSync(path);
  } catch {
    return; // the unit tests say that the vectors are left out
  }
  const v = run(join(bin, 'adyton'), ['attestation', 'verify', path, '--at', 'document']);
  assert.equal(v.status, 1, v.stdout + v.stderr);
  assert.match(v.stderr, /debug/);
});

link.end();
await done();
