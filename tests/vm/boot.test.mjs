// SPDX-License-Identifier: Apache-2.0
// The enclave as all the userspace of a machine: it boots on QEMU's nitro-enclave, answers over vsock,
// sends its heartbeat, and stops, within two seconds and with a number and a reason of its own, whenever
// something is not as it must be.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import net from 'node:net';
import { test, done, skip, until } from '../e2e/lib/tap.mjs';
import { bin, root, scratch } from '../e2e/lib/stack.mjs';
import { T, Link, cbor } from '../e2e/lib/parent.mjs';
import { selfSigned } from '../e2e/lib/gateway.mjs';
import { boot, cmdline, kernelFile, tools } from './lib/machine.mjs';
import { readDocument } from './lib/document.mjs';
import { cpio, eif, pcr0 } from './lib/eif.mjs';

const t = tools();
const kernelPath = kernelFile();
if (t.why || !kernelPath) {
  await test('boot', () => skip(t.why ?? 'no kernel; script/build-kernel makes one'));
  await done();
}
const dir = scratch('vm');
const kernel = readFileSync(kernelPath);
const strip = (from, to) => (execFileSync('strip', ['-s', '-o', to, from]), readFileSync(to));
const enclave = strip(join(bin, 'adyton-enclave'), join(dir, 'enclave'));
execFileSync('gcc', ['-O1', '-static', '-D_GNU_SOURCE', '-o', join(dir, 'spoil'), join(root, 'tests/vm/spoil.c')]);
const spoiler = strip(join(dir, 'spoil'), join(dir, 'spoiler'));
const roots = readFileSync(selfSigned(dir, 'kms').cert, 'utf8');
const arn = 'arn:aws:kms:us-east-1:111122223333:key/12345678-1234-1234-1234-123456789012';
const good = {
  adyton: 1, deployment: 'vm', development: false, listen: 'vsock:any:5000', relay: 'vsock:2:8000', nsm: 'device:/dev/nsm', depth: 256,
  kms: { host: 'kms.us-east-1.amazonaws.com', port: 443, region: 'us-east-1', account: '111122223333', keys: [arn], roots_pem: roots },
};
const json = (config) => Buffer.from(JSON.stringify(config));

let images = 0;
function write(data) {
  const file = join(dir, `image${images++}`);
  writeFileSync(file, data);
  return file;
}
const image = (files, more) => write(eif(kernel, cmdline(t, more), cpio(files)));
const whole = { init: enclave, 'enclave.json': json(good) };

await test('boots, answers HELLO and ATTEST over vsock, and its heartbeat is heard', async () => {
  const file = image(whole);
  const m = await boot(t, { image: file });
  const beats = [];
  const parent = net.createServer((s) => s.on('data', (d) => (beats.push(...d), s.write(d))));
  parent.listen(m.uds + '_9000');
  const ready = await m.line(/ ready version=\S+ deployment=vm development=false module=(\S+)/);
  const readyMs = m.ms();
  assert.equal(ready[1], 'adyton-test');
  const link = new Link(await m.connect(5000));
  const hello = await link.ask(T.HELLO, cbor([]));
  assert.ok(hello.ok, JSON.stringify(hello));
  await m.line(/ heartbeat parent_cid=2/);
  assert.deepEqual(beats, [0xb7]);
  const nonce = Buffer.alloc(32, 7);
  const attest = await link.ask(T.ATTEST, cbor([nonce]));
  assert.ok(attest.ok, JSON.stringify(attest));
  const expected = Buffer.from(pcr0(kernel, cmdline(t), cpio(whole)), 'hex');
  console.log(`# image ${statSync(file).size} bytes, kernel ${kernel.length}, init ${enclave.length}; ready after ${readyMs} ms; the machine's process ${m.memory().toFixed(0)} MiB`);
  const documents = attest.value.filter(Buffer.isBuffer);
  assert.ok(documents.some((v) => v.includes(nonce)), 'the nonce is in the document');
  assert.ok(documents.some((v) => v.includes(expected)), 'PCR0 in the document is that of the image');
  link.end();
  parent.close();
  await m.stop();
});

await test('a signed image of `image build`: the machine measures the PCR0, 1, 2 and 8 that were printed', async () => {
  const path = (name, data) => (writeFileSync(join(dir, name), data), join(dir, name));
  const key = join(dir, 'sign.pem');
  const cert = join(dir, 'sign-cert.pem');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-nodes', '-days', '30', '-sha384', '-subj', '/CN=image', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const out = join(dir, 'signed.eif');
  const args = ['image', 'build', '--kernel', kernelPath, '--init', path('init', enclave), '--config', path('enclave.json', json(good)), '--cmdline', cmdline(t), '--sign-key', key, '--sign-cert', cert, '-o', out, '--json'];
  const printed = JSON.parse(execFileSync(join(bin, 'adyton'), args)).Measurements;
  const m = await boot(t, { image: out });
  await m.line(/ ready version=/);
  const link = new Link(await m.connect(5000));
  const attest = await link.ask(T.ATTEST, cbor([Buffer.alloc(32, 9)]));
  const { pcrs } = readDocument(attest.value.find(Buffer.isBuffer));
  for (const i of [0, 1, 2, 8]) assert.equal(pcrs[i], printed[`PCR${i}`].toLowerCase(), `PCR${i}`);
  assert.doesNotMatch(printed.PCR8, /^0+$/);
  link.end();
  await m.stop();
});

await test('a parent that does not wait for the heartbeat is tolerated', async () => {
  const m = await boot(t, { image: image(whole) });
  await m.line(/nobody waits for the heartbeat/);
  const link = new Link(await m.connect(5000));
  assert.ok((await link.ask(T.HELLO, cbor([]))).ok);
  link.end();
  await m.stop();
});

await test('a clock that is years away from the NSM calls no KMS, and says so', async () => {
  const m = await boot(t, { image: image(whole), args: ['-rtc', 'base=2020-01-01'] });
  await m.line(/the clock is wrong.*drift_ms=-\d{9,}/);
  await m.line(/ ready /);
  const link = new Link(await m.connect(5000));
  await link.credentials({ AccessKeyId: 'AKIAEXAMPLE', SecretAccessKey: 'x'.repeat(40), Expiration: '2040-01-01T00:00:00Z' });
  let status;
  await until(10000, 'the status to say it', async () => {
    status = (await link.ask(T.STATUS, cbor([]))).value;
    return /clock_wrong/.test(status[1]);
  });
  assert.ok(status[11] > 30000, `drift ${status[11]} ms`);
  link.end();
  await m.stop();
});

/** Boot what must stop: the number, what the console must say above it, and the machine's end. */
async function stops(m, number, why) {
  const [line, got] = await m.line(/adyton-enclave: stop (\d+) [^\r\n]+(?=\r?\n)/, 40000);
  const said = m.ms();
  assert.equal(Number(got), number, m.text());
  assert.match(m.text(), why);
  assert.doesNotMatch(m.text(), / ready /);
  await Promise.race([m.ended, new Promise((_, reject) => setTimeout(() => reject(new Error('the machine did not end')), 5000).unref())]);
  console.log(`# ${line}: ${m.ms() - said} ms later the machine had ended`);
}

const without = (name) => Object.fromEntries(Object.entries(whole).filter(([n]) => n !== name));
const configured = (changes) => ({ init: enclave, 'enclave.json': json({ ...good, ...changes }) });
for (const [what, files, why] of [
  ['no configuration', without('enclave.json'), /the file cannot be opened/],
  ['a configuration with an unknown member', configured({ lane: 1 }), /where="lane"/],
  ['a Unix socket outside development', configured({ listen: 'unix:/x' }), /code=config_invalid where="listen"/],
  ['a simulated NSM outside development', configured({ nsm: 'dev-socket:/x' }), /where="nsm"/],
  ['roots that are no certificates', configured({ kms: { ...good.kms, roots_pem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' } }), /code=config_invalid/],
  ['an empty configuration', { init: enclave, 'enclave.json': Buffer.alloc(0) }, /is empty/],
]) {
  await test(`stop 3: ${what}`, async () => stops(await boot(t, { image: image(files) }), 3, why));
}
await test('stop 3: the option for the parent given twice', async () =>
  stops(await boot(t, { image: image(whole, 'adyton.parent_cid=3') }), 3, /adyton\.parent_cid.*given twice/));

const spoilt = { init: spoiler, enclave, 'enclave.json': json(good) };
for (const [number, name, what, why] of [
  [4, 'filter', 'the kernel takes no filter of system calls', /cannot filter system calls/],
  [5, 'nsm', 'the NSM does not answer', /the NSM device/],
  [6, 'pcr16', 'PCR16 was extended by somebody else', /where="PCR16".*something else/],
  [6, 'pcr16-lock', 'PCR16 is locked already, empty', /where="PCR16".*something else/],
  [7, 'listen', 'the port is taken', /cannot listen/],
  [8, 'threads', 'no thread can be made', /the threads cannot be started|cannot be made/],
  [9, 'mount', 'nothing can be mounted', /\/dev/],
  [10, 'rng', 'rng_current is not the NSM', /is 'none', not nsm-hwrng/],
  [11, 'entropy', 'the random pool is not ready', /getrandom/],
  [12, 'clock', 'kvm-clock is offered and cannot be had', /where="clocksource".*'tsc' and stays so/],
  [14, 'killed', 'the enclave is killed', /signal 9/],
  [14, 'fault', 'a thread of the enclave dies', /signal 11/],
]) {
  await test(`stop ${number}: ${what}`, async () => stops(await boot(t, { image: image(spoilt, `spoil=${name}`) }), number, why));
}

const micro = (files, nsm) => ({ microvm: { kernel: kernelPath, ramdisk: write(cpio(files)), cmdline: cmdline(t), nsm } });
await test('stop 5: a machine without NSM', async () => stops(await boot(t, micro(whole, false)), 5, /\/dev\/nsm.*no such device/));
await test('stop 13: PCR0 is zero, as in debug mode', async () => stops(await boot(t, micro(whole, true)), 13, /debug mode/));
await done();
