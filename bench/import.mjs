// SPDX-License-Identifier: Apache-2.0
// Keystores imported by `adyton key import --keystores`: how many a second, the CPU of one as a ratio to OpenSSL's bare
// derivation in the same run, and what signing pays while keystores are opened. The client shares the machine.
import { execFile, execFileSync } from 'node:child_process';
import { createCipheriv, createHash, pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { atEnd, done } from '../tests/e2e/lib/tap.mjs';
import { bin, awsEnv, request, scratch, startStack } from '../tests/e2e/lib/stack.mjs';
import { goodTx } from '../tests/e2e/lib/hostile.mjs';
import { SecretKey } from '../tests/e2e/lib/keystores.mjs';

const args = process.argv.slice(2);
const json = args.includes('--json');
const option = (name, fallback) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : fallback);
const N = option('--keystores', 1000); // cheap ones; of the dear kinds fewer
const cores = availableParallelism();
const tick = 1e6 / Number(execFileSync('getconf', ['CLK_TCK']));
const cpu = (pid) => {
  const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(f[11]) + Number(f[12])) * tick;
};

const dir = scratch('bimp');
const s = await startStack({ dir, args: ['--gateway-option', `store.sqlite=${join(dir, 'records.db')}`] });
const pids = JSON.parse(readFileSync(join(dir, 'stack.json'))).pids;
const env = { ...process.env, ...awsEnv(s) };

/** A folder of n keystores under one password and salt: derived once here, by the enclave n times. */
function folder(name, n, kdf, derive) {
  const at = join(dir, name);
  const salt = randomBytes(32);
  const dk = derive(salt);
  mkdirSync(at);
  for (let i = 0; i < n; i++) {
    const secret = randomBytes(32);
    secret[0] &= 0x3f;
    const iv = randomBytes(16);
    const cipher = createCipheriv('aes-128-ctr', dk.subarray(0, 16), iv);
    const message = Buffer.concat([cipher.update(secret), cipher.final()]);
    const checksum = createHash('sha256').update(dk.subarray(16)).update(message).digest('hex');
    writeFileSync(join(at, `${i}.json`), JSON.stringify({
      crypto: { kdf: { function: kdf.function, params: { dklen: 32, salt: salt.toString('hex'), ...kdf.params }, message: '' }, checksum: { function: 'sha256', params: {}, message: checksum }, cipher: { function: 'aes-128-ctr', params: { iv: iv.toString('hex') }, message: message.toString('hex') } },
      pubkey: Buffer.from(SecretKey.fromBytes(secret).toPublicKey().toBytes()).toString('hex'), path: '', uuid: '00000000-0000-0000-0000-000000000000', version: 4,
    }));
  }
  writeFileSync(join(at, 'password'), 'password');
  return at;
}

const bring = (at, ...more) =>
  new Promise((resolve, reject) =>
    execFile(join(bin, 'adyton'), ['key', 'import', '--keystores', at, '--password-file', join(at, 'password'), '--root', s.nsm_root_file, '--pcr0', s.pcr0, '--json', ...more], { env, maxBuffer: 64 << 20 }, (e, stdout, stderr) => (e ? reject(new Error(stderr + stdout)) : resolve(JSON.parse(stdout)))));

const kinds = {
  scrypt: { n: Math.max(4, N >> 5), kdf: { function: 'scrypt', params: { n: 262144, r: 8, p: 1 } }, derive: (salt) => scryptSync('password', salt, 32, { N: 262144, r: 8, p: 1, maxmem: 1 << 29 }) },
  pbkdf2: { n: Math.max(8, N >> 2), kdf: { function: 'pbkdf2', params: { c: 262144, prf: 'hmac-sha256' } }, derive: (salt) => pbkdf2Sync('password', salt, 262144, 32, 'sha256') },
  cheap: { n: N, kdf: { function: 'pbkdf2', params: { c: 1, prf: 'hmac-sha256' } }, derive: (salt) => pbkdf2Sync('password', salt, 1, 32, 'sha256') },
};

/** CPU of one bare derivation in microseconds: the least of five. */
function bare(derive) {
  let least = Infinity;
  for (let i = 0; i < 5; i++) {
    const before = process.cpuUsage();
    derive(Buffer.alloc(32, i));
    const used = process.cpuUsage(before);
    least = Math.min(least, used.user + used.system);
  }
  return least;
}

const result = { cores };
for (const [name, kind] of Object.entries(kinds)) {
  const at = folder(name, kind.n, kind.kdf, kind.derive);
  const before = cpu(pids.enclave);
  const began = Date.now();
  const report = await bring(at, ...(name === 'cheap' ? ['--jobs', '32'] : []));
  const seconds = (Date.now() - began) / 1000;
  if (report.imported !== kind.n) throw new Error(`${report.imported} of ${kind.n}`);
  const each = (cpu(pids.enclave) - before) / kind.n;
  const bareUs = name === 'cheap' ? 0 : bare(kind.derive);
  result[`${name}_per_s`] = Number((kind.n / seconds).toFixed(2));
  result[`${name}_cpu_ms`] = Number((each / 1000).toFixed(2));
  if (bareUs) result[`${name}_cpu_ratio`] = Number((each / bareUs).toFixed(3));
  if (bareUs) result[`${name}_rate_ratio`] = Number((kind.n / seconds / ((cores * 1e6) / bareUs)).toFixed(3));
}

/** p50 and p99 in ms of n signatures, one every 5 ms. */
async function signing(n) {
  const times = [];
  const asks = [];
  for (let i = 0; i < n; i++) {
    const began = process.hrtime.bigint();
    asks.push(request(`${s.gateway}/v1/keys/hot/sign`, { method: 'POST', body: { transaction: goodTx({ nonce: i }) }, agent: s.gatewayAgent }).then((a) => {
      if (a.status !== 200) throw new Error(a.body);
      times.push(Number(process.hrtime.bigint() - began) / 1e6);
    }));
    await new Promise((r) => setTimeout(r, 5));
  }
  await Promise.all(asks);
  times.sort((a, b) => a - b);
  return [times[n >> 1], times[Math.ceil(n * 0.99) - 1]];
}

{
  const made = await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id: 'hot' } });
  if (made.status !== 201) throw new Error(made.body);
  await signing(200);
  const [idle50, idle99] = await signing(1000);
  const at = folder('while', 64, kinds.scrypt.kdf, kinds.scrypt.derive);
  const child = execFile(join(bin, 'adyton'), ['key', 'import', '--keystores', at, '--password-file', join(at, 'password'), '--root', s.nsm_root_file, '--pcr0', s.pcr0, '--jobs', '8', '--json'], { env });
  atEnd(() => child.kill('SIGKILL'));
  await new Promise((r) => setTimeout(r, 2000));
  const [busy50, busy99] = await signing(1000);
  if (child.exitCode !== null) throw new Error('the import ended before it was measured against');
  child.kill('SIGKILL');
  Object.assign(result, { sign_p50_ms: idle50, sign_p99_ms: idle99, sign_p50_importing_ms: busy50, sign_p99_importing_ms: busy99 });
}
for (const [k, v] of Object.entries(result)) result[k] = Number(v.toFixed(3));

console.log(`${cores} cores; keystores imported by one command through the gateway, and the enclave's CPU for one\n`);
console.log('| keystore | a second | CPU ms | CPU, ratio to OpenSSL bare | a second, ratio to OpenSSL on all cores |\n| --- | --- | --- | --- | --- |');
for (const name of Object.keys(kinds)) console.log(`| ${name} | ${result[`${name}_per_s`]} | ${result[`${name}_cpu_ms`]} | ${result[`${name}_cpu_ratio`] ?? '-'} | ${result[`${name}_rate_ratio`] ?? '-'} |`);
console.log(`\nsigning, one every 5 ms: p50 ${result.sign_p50_ms} ms, p99 ${result.sign_p99_ms} ms; while 8 scrypt keystores are in flight p50 ${result.sign_p50_importing_ms} ms, p99 ${result.sign_p99_importing_ms} ms`);
if (json) console.log(JSON.stringify(result));
await done();
