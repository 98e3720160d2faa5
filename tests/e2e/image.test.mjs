// SPDX-License-Identifier: Apache-2.0
// adyton image: what it builds, read by another program. The parser, the CRC, the measurements and the
// check of the signature below share nothing with src/image but the published format.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test, done, skip } from './lib/tap.mjs';
import { bin, root, run, scratch } from './lib/stack.mjs';

const dir = scratch();
const path = (name) => join(dir, name);
const adyton = (...args) => run(join(bin, 'adyton'), ['image', ...args]);
const sha384 = (...parts) => parts.reduce((h, p) => h.update(p), createHash('sha384')).digest();
const extend = (...parts) => sha384(Buffer.alloc(48), sha384(...parts)).toString('hex');

/** CRC-32/ISO-HDLC, bit by bit. */
function crc32(...parts) {
  let crc = ~0;
  for (const part of parts)
    for (const byte of part) {
      crc ^= byte;
      for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
  return ~crc >>> 0;
}

/** The sections of an EIF by the table in its header. */
function sections(eif) {
  const names = { 1: 'kernel', 2: 'cmdline', 3: 'ramdisk', 4: 'signature', 5: 'metadata' };
  return Array.from({ length: eif.readUInt16BE(26) }, (_, i) => {
    const at = Number(eif.readBigUInt64BE(28 + 8 * i));
    const size = Number(eif.readBigUInt64BE(284 + 8 * i));
    return { type: names[eif.readUInt16BE(at)], data: eif.subarray(at + 12, at + 12 + size) };
  });
}

/** CBOR of the kinds that a signature section has. */
function cbor(bytes) {
  let at = 0;
  const head = () => {
    const first = bytes[at++];
    const info = first & 31;
    const size = info < 24 ? 0 : 1 << (info - 24);
    const arg = size ? bytes.readUIntBE(at, size) : info;
    at += size;
    return [first >> 5, arg];
  };
  const item = () => {
    const [major, arg] = head();
    if (major === 0) return arg;
    if (major === 1) return -1 - arg;
    if (major === 2) return bytes.subarray((at += arg) - arg, at);
    if (major === 3) return bytes.toString('utf8', (at += arg) - arg, at);
    if (major === 4) return Array.from({ length: arg }, item);
    assert.equal(major, 5);
    return Object.fromEntries(Array.from({ length: arg }, () => [item(), item()]));
  };
  const value = item();
  assert.equal(at, bytes.length);
  return value;
}

/** A bzImage of a header only. */
function kernel() {
  const k = Buffer.alloc(4096, 0x90);
  k.write('HdrS', 0x202);
  k.writeUInt16LE(0x80, 0x20e);
  k.write('6.1.2 (a@b)\0', 0x280);
  return k;
}

const init = path('init');
writeFileSync(path('bzImage'), kernel());
writeFileSync(path('enclave.json'), readFileSync(join(root, 'doc/enclave.json')));
run('strip', ['-s', '-o', init, join(bin, 'adyton-enclave')]);
run('openssl', ['ecparam', '-name', 'secp384r1', '-genkey', '-noout', '-out', path('key.pem')]);
run('openssl', ['req', '-new', '-x509', '-key', path('key.pem'), '-subj', '/CN=release', '-days', '2', '-out', path('cert.pem')]);
const inputs = ['--kernel', path('bzImage'), '--init', init, '--config', path('enclave.json'), '--ca', path('cert.pem')];
const signing = ['--sign-key', path('key.pem'), '--sign-cert', path('cert.pem')];

/** Build an image and give its bytes and the measurements that were printed. */
function build(name, ...more) {
  const r = adyton('build', ...inputs, ...more, '-o', path(name), '--json');
  assert.equal(r.status, 0, r.stderr);
  return { eif: readFileSync(path(name)), printed: JSON.parse(r.stdout).Measurements };
}

await test('image build: another reader finds header, CRC, sections and the same PCR0, 1 and 2', () => {
  const { eif, printed } = build('plain.eif');
  assert.equal(eif.toString('latin1', 0, 4), '.eif');
  assert.equal(eif.readUInt32BE(544), crc32(eif.subarray(0, 544), eif.subarray(548)));
  const s = sections(eif);
  assert.deepEqual(s.map((x) => x.type), ['kernel', 'cmdline', 'metadata', 'ramdisk']);
  assert.deepEqual(s[0].data, kernel());
  assert.equal(JSON.parse(s[2].data).BuildMetadata.KernelVersion, '6.1.2');
  const all = extend(s[0].data, s[1].data, s[3].data);
  assert.deepEqual(printed, { HashAlgorithm: 'Sha384 { ... }', PCR0: all, PCR1: all, PCR2: extend() });
  assert.match(printed.PCR2, /^21b9efbc184807662e966d34f390821309eeac68/);
});

await test('image build: cpio unpacks the ramdisk to our two files and nothing else', () => {
  if (run('sh', ['-c', 'command -v cpio']).status !== 0) skip('cpio is not installed; left out: what it unpacks');
  const { eif } = build('plain.eif');
  writeFileSync(path('ramdisk'), sections(eif)[3].data);
  mkdirSync(path('unpacked'));
  const r = run('sh', ['-c', `cd ${path('unpacked')} && cpio -idm --quiet --no-preserve-owner init enclave.json <../ramdisk && cpio -t --quiet <../ramdisk`]);
  assert.equal(r.stdout, 'dev\ndev/console\nenclave.json\ninit\nproc\nsys\n', r.stderr);
  assert.deepEqual(readFileSync(path('unpacked/init')), readFileSync(init));
  const config = JSON.parse(readFileSync(path('unpacked/enclave.json')));
  assert.equal(config.kms.roots_pem, readFileSync(path('cert.pem'), 'utf8'));
  delete config.kms.roots_pem;
  assert.deepEqual(config, JSON.parse(readFileSync(path('enclave.json'))));
});

await test('image build: the enclave itself accepts the configuration in the image', () => {
  const check = run(join(bin, 'adyton-enclave'), ['--check', '--config', path('unpacked/enclave.json')]);
  if (!existsSync(path('unpacked/enclave.json'))) skip('cpio is not installed; left out: what it unpacks');
  assert.equal(check.status, 0, check.stderr);
});

await test('image build: another program verifies the signature; PCR8 is of the certificate', () => {
  const plain = build('plain.eif');
  const { eif, printed } = build('signed.eif', ...signing);
  assert.equal(printed.PCR0, plain.printed.PCR0);
  const [element, ...others] = cbor(sections(eif)[4].data);
  assert.equal(others.length, 0);
  const certificate = new X509Certificate(Buffer.from(element.signing_certificate));
  assert.equal(printed.PCR8, extend(certificate.raw));
  const cose = Buffer.from(element.signature);
  const [protectedHeader, unprotected, payload, signature] = cbor(cose);
  assert.deepEqual(cbor(protectedHeader), { 1: -35 });
  assert.deepEqual(unprotected, {});
  const signed = cbor(payload);
  assert.equal(signed.register_index, 0);
  assert.equal(Buffer.from(signed.register_value).toString('hex'), printed.PCR0);
  const text = (s) => Buffer.concat([Buffer.from([0x60 | s.length]), Buffer.from(s)]);
  const bytes = (b) => Buffer.concat([Buffer.from(b.length < 24 ? [0x40 | b.length] : [0x58, b.length]), b]);
  const structure = Buffer.concat([Buffer.from([0x84]), text('Signature1'), bytes(protectedHeader), bytes(Buffer.alloc(0)), bytes(payload)]);
  assert.ok(verify('sha384', structure, { key: createPublicKey(certificate.publicKey.export({ type: 'spki', format: 'pem' })), dsaEncoding: 'ieee-p1363' }, signature));
});

const arn = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

/** Build with the key at the ARN, whose place a stand-in for KMS takes: its Sign is openssl's, with a key of ours. */
async function buildByKms(name, key) {
  const asked = [];
  const kms = createServer((req, res) => {
    let body = '';
    req.on('data', (d) => (body += d));
    req.on('end', () => {
      const request = JSON.parse(body);
      asked.push({ target: req.headers['x-amz-target'], ...request });
      const signed = spawnSync('openssl', ['pkeyutl', '-sign', '-inkey', key], { input: Buffer.from(request.Message, 'base64') });
      res.setHeader('content-type', 'application/x-amz-json-1.1');
      res.end(JSON.stringify({ KeyId: arn, Signature: signed.stdout.toString('base64'), SigningAlgorithm: 'ECDSA_SHA_384' }));
    });
  });
  await new Promise((resolve) => kms.listen(0, '127.0.0.1', resolve));
  const env = { ...process.env, AWS_ENDPOINT_URL: `http://127.0.0.1:${kms.address().port}`, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };
  const args = ['image', 'build', ...inputs, '--sign-key', arn, '--sign-cert', path('cert.pem'), '-o', path(name), '--json'];
  const result = await new Promise((resolve) => execFile(join(bin, 'adyton'), args, { env }, (error, stdout, stderr) => resolve({ status: error ? error.code : 0, stdout, stderr })));
  kms.close();
  return { ...result, asked };
}

await test('image build: a key that KMS holds signs as one in a file does', async () => {
  const byFile = build('signed.eif', ...signing).printed;
  const r = await buildByKms('kms.eif', path('key.pem'));
  assert.equal(r.status, 0, r.stderr);
  assert.deepEqual(JSON.parse(r.stdout).Measurements, byFile);
  assert.equal(r.asked.length, 1);
  const { Message, ...asked } = r.asked[0];
  assert.deepEqual(asked, { target: 'TrentService.Sign', KeyId: arn, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_384' });
  assert.equal(Buffer.from(Message, 'base64').length, 48);
  assert.equal(adyton('verify', path('kms.eif'), '--pcr8', byFile.PCR8, '--cert', path('cert.pem')).status, 0);
});

await test("image build: a KMS key that is not the certificate's is refused, and nothing is written", async () => {
  run('openssl', ['ecparam', '-name', 'secp384r1', '-genkey', '-noout', '-out', path('other-key.pem')]);
  const r = await buildByKms('never.eif', path('other-key.pem'));
  assert.equal(r.status, 1);
  assert.match(r.stderr, /certificate/);
  assert.ok(!existsSync(path('never.eif')));
});

await test('image build: two runs give the same bytes; a label changes no measurement', () => {
  const first = build('first.eif');
  assert.deepEqual(build('second.eif').eif, first.eif);
  const labelled = build('labelled.eif', '--name', 'x', '--version', '9');
  assert.notDeepEqual(labelled.eif, first.eif);
  assert.deepEqual(labelled.printed, first.printed);
  const dated = run(join(bin, 'adyton'), ['image', 'build', ...inputs, '-o', path('dated.eif')], { env: { SOURCE_DATE_EPOCH: '1700000000' } });
  assert.equal(dated.status, 0, dated.stderr);
  assert.equal(JSON.parse(sections(readFileSync(path('dated.eif')))[2].data).BuildMetadata.BuildTime, '2023-11-14T22:13:20Z');
});

await test('image verify: accepts what was printed, refuses the rest with its reason', () => {
  const { eif, printed } = build('signed.eif', ...signing);
  const accept = (...args) => adyton('verify', path('signed.eif'), ...args);
  assert.match(accept('--pcr0', printed.PCR0, '--pcr8', printed.PCR8, '--cert', path('cert.pem')).stdout, /^verified: .*, signed\n$/);
  assert.equal(accept('--pcr0', printed.PCR2, '--pcr0', printed.PCR0).status, 0);
  const wrong = accept('--pcr0', printed.PCR2);
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /PCR0 is not what was expected/);
  assert.equal(accept('--pcr0', 'abc').status, 2);
  assert.equal(accept().status, 2);
  const changed = Buffer.from(eif);
  changed[2000] ^= 1;
  writeFileSync(path('changed.eif'), changed);
  const damaged = adyton('verify', path('changed.eif'), '--pcr0', printed.PCR0);
  assert.equal(damaged.status, 1);
  assert.match(damaged.stderr, /header\.crc32 is [0-9a-f]{8}, but the image has [0-9a-f]{8}/);
  build('plain.eif');
  assert.match(adyton('verify', path('plain.eif'), '--cert', path('cert.pem')).stderr, /signature is missing/);
});

await test('image describe: everything by name; a damaged image is shown and refused', () => {
  const { printed } = build('signed.eif', ...signing);
  const d = JSON.parse(adyton('describe', path('signed.eif'), '--json').stdout);
  assert.deepEqual(d.Measurements, printed);
  assert.ok(d.CheckCRC && d.IsSigned && d.SignatureCheck);
  assert.equal(d.SigningCertificate.SubjectName, 'CN=release');
  assert.deepEqual(d.Ramdisks[0].Entries.map((e) => e.Name), ['dev', 'dev/console', 'enclave.json', 'init', 'proc', 'sys']);
  const damaged = adyton('describe', path('changed.eif'));
  assert.equal(damaged.status, 1);
  assert.match(damaged.stdout, /CRC-32 +[0-9a-f]{8}, WRONG/);
  writeFileSync(path('cut.eif'), readFileSync(path('signed.eif')).subarray(0, 100000));
  const cut = adyton('describe', path('cut.eif'));
  assert.equal(cut.status, 1);
  assert.match(cut.stderr, /section 3 \(ramdisk\) is cut off/);
});

await test('image diff: names the file that differs', () => {
  const config = JSON.parse(readFileSync(path('enclave.json')));
  writeFileSync(path('other.json'), JSON.stringify({ ...config, deployment: 'other' }));
  build('plain.eif');
  assert.equal(adyton('diff', path('plain.eif'), path('plain.eif')).stdout, 'the same bytes\n');
  const r = run(join(bin, 'adyton'), ['image', 'build', ...inputs.map((a) => (a === path('enclave.json') ? path('other.json') : a)), '-o', path('other.eif')]);
  assert.equal(r.status, 0, r.stderr);
  const d = adyton('diff', path('plain.eif'), path('other.eif'));
  assert.equal(d.status, 1);
  assert.match(d.stdout, /^measured file enclave\.json\n/);
  assert.doesNotMatch(d.stdout, /file init|measured kernel/);
});

await test('image build: mistakes are sentences', () => {
  const refused = (why, ...args) => {
    const r = adyton('build', ...args, '-o', path('never.eif'));
    assert.notEqual(r.status, 0);
    assert.match(r.stderr, why);
    assert.ok(!existsSync(path('never.eif')));
  };
  const swap = (from, to) => inputs.map((a) => (a === from ? to : a));
  refused(/init needs a loader/, ...swap(init, join(bin, 'adyton')));
  refused(/kernel is no bzImage/, ...swap(path('bzImage'), init));
  refused(/hold no PEM certificate/, ...inputs.slice(0, -1), path('bzImage'));
  refused(/kms\.roots_pem is required/, ...inputs.slice(0, -2));
  refused(/belong together/, ...inputs, '--sign-key', path('key.pem'));
  refused(/is not PEM of a private key/, ...inputs, '--sign-key', path('cert.pem'), '--sign-cert', path('cert.pem'));
});

await done();
