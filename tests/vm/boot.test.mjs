// SPDX-License-Identifier: Apache-2.0
// The enclave as all the userspace of a machine: it boots on QEMU's nitro-enclave, answers over vsock,
// sends its heartbeat, and stops, within two seconds and with a number and a reason of its own, whenever
// something is not as it must be.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import net from 'node:net';
import { test, done, parallel, skip, until } from '../e2e/lib/tap.mjs';
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

const path = (name, data) => (writeFileSync(join(dir, name), data), join(dir, name));

/** An image of `image build`, and what it prints. Later arguments replace earlier ones. */
function built(name, changes = {}, more = []) {
  const out = join(dir, name);
  const options = { kernel: kernelPath, init: path('init', enclave), config: path('enclave.json', json(good)), cmdline: cmdline(t), ...changes };
  const args = ['image', 'build', ...Object.entries(options).flatMap(([k, v]) => [`--${k}`, v]), ...more, '-o', out, '--json'];
  return { out, printed: JSON.parse(execFileSync(join(bin, 'adyton'), args)).Measurements };
}

/** The registers that the machine measured, from its own document. */
async function measured(out) {
  const m = await boot(t, { image: out });
  await m.line(/ ready version=/);
  const link = new Link(await m.connect(5000));
  const attest = await link.ask(T.ATTEST, cbor([Buffer.alloc(32, 9)]));
  link.end();
  await m.stop();
  return readDocument(attest.value.find(Buffer.isBuffer)).pcrs;
}

const plain = built('plain.eif').printed;

await test('a signed image of `image build`: the machine measures the PCR0, 1, 2 and 8 that were printed', async () => {
  const key = join(dir, 'sign.pem');
  const cert = join(dir, 'sign-cert.pem');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-nodes', '-days', '30', '-sha384', '-subj', '/CN=image', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const { out, printed } = built('signed.eif', { 'sign-key': key, 'sign-cert': cert });
  const pcrs = await measured(out);
  for (const i of [0, 1, 2, 8]) assert.equal(pcrs[i], printed[`PCR${i}`].toLowerCase(), `PCR${i}`);
  assert.doesNotMatch(printed.PCR8, /^0+$/);
  assert.equal(printed.PCR0, plain.PCR0, 'a signature changes nothing that runs');
});

for (const [what, changes, more, same] of [
  ['metadata (name, version) is not measured', {}, ['--name', 'another', '--version', '9'], true],
  ['a word more on the command line is', { cmdline: cmdline(t, 'nosuchoption') }, [], false],
  ['a byte more in the kernel is', { kernel: path('longer', Buffer.concat([kernel, Buffer.alloc(16)])) }, [], false],
]) {
  await test(`what the machine measures: ${what}`, async () => {
    const { out, printed } = built('changed.eif', changes, more);
    const pcrs = await measured(out);
    for (const i of [0, 1, 2]) assert.equal(pcrs[i], printed[`PCR${i}`].toLowerCase(), `PCR${i}`);
    assert.equal(printed.PCR0 === plain.PCR0, same);
  });
}

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

await test('a clock that was stepped by 14 s is said to drift, and still relied on', async () => {
  const base = new Date(Date.now() + 14000).toISOString().slice(0, 19);
  const m = await boot(t, { image: image(whole), args: ['-rtc', `base=${base}`] });
  await m.line(/the clock drifts drift_ms=1\d{4}\b/);
  await m.line(/ ready /);
  const link = new Link(await m.connect(5000));
  await link.credentials({ AccessKeyId: 'AKIAEXAMPLE', SecretAccessKey: 'x'.repeat(40), Expiration: '2040-01-01T00:00:00Z' });
  const { value } = await link.ask(T.STATUS, cbor([]));
  assert.doesNotMatch(value[1], /clock_wrong/);
  assert.ok(value[11] > 2000 && value[11] < 30000, `drift ${value[11]} ms`);
  link.end();
  await m.stop();
});

/** A monitor of the machine's: stop() and cont() hold its virtual time and let it go on. */
async function monitor(file) {
  await until(5000, 'the monitor', () => existsSync(file));
  const socket = net.connect(file);
  await once(socket, 'data');
  const ask = async (execute) => (socket.write(JSON.stringify({ execute }) + '\n'), once(socket, 'data'));
  await ask('qmp_capabilities');
  return { stop: () => ask('stop'), cont: () => ask('cont'), end: () => socket.destroy() };
}

await test('a clock that falls behind while the machine runs: no KMS is called from then on', async () => {
  const qmp = join(dir, 'qmp');
  const m = await boot(t, { image: image({ init: enclave, 'enclave.json': json({ ...good, clock_check_s: 2 }) }), args: ['-qmp', `unix:${qmp},server=on,wait=off`] });
  await m.line(/ ready /);
  const before = await monitor(qmp);
  await before.stop();
  await new Promise((go) => setTimeout(go, 33000)); // what is tested is this time itself
  await before.cont();
  before.end();
  await m.line(/the clock is wrong: KMS is not called until it is right drift_ms=-3\d{4}\b/);
  const link = new Link(await m.connect(5000));
  await link.credentials({ AccessKeyId: 'AKIAEXAMPLE', SecretAccessKey: 'x'.repeat(40), Expiration: '2040-01-01T00:00:00Z' });
  await until(10000, 'the status to say it', async () => /clock_wrong/.test((await link.ask(T.STATUS, cbor([]))).value[1]));
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
  await Promise.race([m.ended, new Promise((_, reject) => setTimeout(() => reject(new Error('the machine had not ended 2 s later')), 2000).unref())]);
  console.log(`# ${line}: ${m.ms() - said} ms later the machine had ended`);
}

const without = (name) => Object.fromEntries(Object.entries(whole).filter(([n]) => n !== name));
const configured = (changes) => ({ image: image({ init: enclave, 'enclave.json': json({ ...good, ...changes }) }) });
const spoilt = { init: spoiler, enclave, 'enclave.json': json(good) };
const bad = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const spoil = (name) => ({ image: image(spoilt, `spoil=${name}`) });
const micro = (files, nsm) => ({ microvm: { kernel: kernelPath, ramdisk: write(cpio(files)), cmdline: cmdline(t), nsm } });
const cases = [
  ['stop 3: no configuration', () => ({ image: image(without('enclave.json')) }), /the file cannot be opened/],
  ['stop 3: a configuration with an unknown member', () => configured({ lane: 1 }), /where="lane"/],
  ['stop 3: a Unix socket outside development', () => configured({ listen: 'unix:/x' }), /code=config_invalid where="listen"/],
  ['stop 3: a simulated NSM outside development', () => configured({ nsm: 'dev-socket:/x' }), /where="nsm"/],
  ['stop 3: roots that are no certificates', () => configured({ kms: { ...good.kms, roots_pem: bad } }), /code=config_invalid/],
  ['stop 3: an empty configuration', () => ({ image: image({ init: enclave, 'enclave.json': Buffer.alloc(0) }) }), /is empty/],
  ['stop 3: the option for the parent given twice', () => ({ image: image(whole, 'adyton.parent_cid=3') }), /adyton\.parent_cid.*given twice/],
  ['stop 4: the kernel takes no filter of system calls', () => spoil('filter'), /cannot filter system calls/],
  ['stop 5: the NSM does not answer', () => spoil('nsm'), /the NSM device/],
  ['stop 5: a machine without NSM', () => micro(whole, false), /\/dev\/nsm.*no such device/],
  ['stop 6: PCR16 was extended by somebody else', () => spoil('pcr16'), /where="PCR16".*something else/],
  ['stop 6: PCR16 is locked already, empty', () => spoil('pcr16-lock'), /where="PCR16".*something else/],
  ['stop 7: the port is taken', () => spoil('listen'), /cannot listen/],
  ['stop 8: no thread can be made', () => spoil('threads'), /the threads cannot be started|cannot be made/],
  ['stop 9: nothing can be mounted', () => spoil('mount'), /\/dev/],
  ['stop 10: rng_current is not the NSM', () => spoil('rng'), /is 'none', not nsm-hwrng/],
  ['stop 11: the random pool is not ready', () => spoil('entropy'), /getrandom/],
  ['stop 12: kvm-clock is offered and cannot be had', () => spoil('clock'), /where="clocksource".*'tsc' and stays so/],
  ['stop 13: PCR0 is zero, as in debug mode', () => micro(whole, true), /debug mode/],
  ['stop 14: the enclave is killed', () => spoil('killed'), /signal 9/],
  ['stop 14: a thread of the enclave dies', () => spoil('fault'), /signal 11/],
];
await parallel(2, cases, ([name, machine, why]) => test(name, async () => stops(await boot(t, machine()), Number(/\d+/.exec(name)[0]), why)));
await done();
