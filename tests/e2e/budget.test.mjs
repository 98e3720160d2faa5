// SPDX-License-Identifier: Apache-2.0
// One small budget of memory for the enclave, two tenants and a gateway. One of them asks for all it can: keystores, keys
// with limits, long requests; and links that the gateway would not open send half of large frames and read no answer. What
// is too much is refused by name, the other tenant is served throughout, and the process stays within its budget.
import assert from 'node:assert/strict';
import { createCipheriv, createHash, scryptSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import http from 'node:http';
import { join } from 'node:path';
import { keccak256 } from 'ethers';
import { test, done, random, until } from './lib/tap.mjs';
import { bin, request, run, scratch } from './lib/stack.mjs';
import { sealKeystore } from './lib/import.mjs';
import { gatewayHome, startGateway } from './lib/gateway.mjs';
import { T, cbor, frame, onFrames } from './lib/parent.mjs';
import { startDevcloud, startEnclave, createKey, goodTx } from './lib/hostile.mjs';

const MEMORY_MIB = 176, COUNTERS_KEYS = 40, KEYSTORES = 60;
const LONG = 120000; // of a request of 128 KiB
const r = random();
const dir = scratch('budget');
const faults = [{ target: 'TrentService.Decrypt', delay_ms: 300 }];
const cloud = await startDevcloud(join(dir, 'cloud'));
const keyArn = await createKey(cloud);
const e = await startEnclave(cloud, keyArn, {
  changes: { memory_mib: MEMORY_MIB, counters_keys: COUNTERS_KEYS, kms_connections: 4, lanes: 2, keystore_threads: 2, counters_after_start: 'store' },
});
const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const tenants = ['flood', 'quiet'];
const g = await startGateway(gatewayHome(dir, cloud), {
  enclave: `unix:${e.socket}`,
  relay: undefined,
  store: { sqlite: join(dir, 'keys.sqlite') },
  callers: [...tenants.map((tenant) => ({ tenant, token_sha256: sha256(tenant) })), { admin: true, token_sha256: sha256('admin') }],
  request_timeout_ms: 30000,
});
const agent = new http.Agent({ keepAlive: true, maxSockets: 200 });
const ask = (tenant, path, body) =>
  request(`${g.gateway}${path}`, { method: body === undefined ? 'GET' : 'POST', body, agent, headers: { authorization: `Bearer ${tenant}` }, timeout: 60000 });
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
await until(20000, 'the gateway to be ready', async () => (await ask('admin', '/readyz')).status === 200);

const of = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${e.child.pid}/status`, 'utf8'))[1]) / 1024;
const create = async (tenant, id, more = {}) => ask(tenant, '/v1/keys', { id, ...more });
const sign = (tenant, id, more = {}) => ask(tenant, `/v1/keys/${id}/sign`, { transaction: goodTx(more) });
const limits = { policy: { policy: 1, rules: [{ name: 'pay', effect: 'allow', when: {}, limits: [{ name: 'n', per: '1d', max: 1000 }] }] } };

for (const t of tenants) assert.equal((await create(t, `${t}-key`)).status, 201);

/** Let the quiet tenant sign all the time while fn runs: each must succeed. Resolves to how many did. */
async function whileQuietSigns(fn) {
  let going = true, n = 0;
  const signing = (async () => {
    while (going) {
      const answer = await sign('quiet', 'quiet-key', { nonce: n });
      assert.equal(answer.status, 200, answer.body);
      n++;
    }
  })();
  try {
    await Promise.race([fn(), signing.then(() => new Promise(() => {}))]);
  } finally {
    going = false;
  }
  await signing;
  assert.ok(n > 0, 'no signature');
  return n;
}

/** Refused as whoever asks too much is, and told to come again. */
function tooMuch(answer) {
  assert.deepEqual([answer.status, answer.json?.code], [503, 'overloaded'], answer.body);
  assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
}

const divided = () => Object.fromEntries([.../(\w+_mib)=(\d+)/g[Symbol.matchAll](/ memory (.*)/.exec(readFileSync(e.log, 'utf8'))[1])].map(([, k, v]) => [k, Number(v)]));

await test('the memory is divided at the start, and the log says how', async () => {
  const m = divided();
  assert.equal(m.total_mib, MEMORY_MIB);
  assert.ok(m.own_mib + m.frames_mib + m.requests_mib + m.keystores_mib + m.counters_mib <= MEMORY_MIB, JSON.stringify(m));
  assert.match(readFileSync(e.log, 'utf8'), /less memory than the configuration would use/);
  console.log(`# ${JSON.stringify(m)}`);
});

await test('keys with limits: one tenant has three quarters of the room, and the other finds some', async () => {
  let n = 0, answer;
  await whileQuietSigns(async () => {
    for (; (answer = await create('flood', `limited-${n}`, limits)).status === 201; n++) assert.ok(n < COUNTERS_KEYS);
  });
  tooMuch(answer);
  assert.equal(answer.json.where, 'counters');
  assert.equal(n, (3 * COUNTERS_KEYS) / 4);
  assert.equal((await create('quiet', 'quiet-limited', limits)).status, 201);
  for (const [tenant, id] of [['quiet', 'quiet-limited'], ['flood', 'limited-0'], ['flood', `limited-${n - 1}`]]) {
    const one = await sign(tenant, id, { chainId: 31337 });
    assert.equal(one.status, 200, one.body); // those that have room go on being counted
  }
});

async function importKey() {
  const answer = await ask('flood', '/v1/import-key?nonce=00');
  assert.equal(answer.status, 200, answer.body);
  const file = join(dir, 'document');
  writeFileSync(file, Buffer.from(answer.json.document, 'base64'));
  const p = run(`${bin}/adyton`, ['attestation', 'verify', file, '--root', cloud.nsm_root_file, '--nonce', '00', '--json']);
  assert.equal(p.status, 0, p.stderr);
  return Buffer.from(JSON.parse(p.stdout).public_key, 'hex');
}

/** A keystore of version 3 that takes scrypt 64 MiB to open: one at a time. */
function keystore() {
  const n = 65536, salt = r.bytes(32);
  const dk = scryptSync('pw', salt, 32, { N: n, r: 8, p: 1, maxmem: 128 << 20 });
  const cipher = createCipheriv('aes-128-ctr', dk.subarray(0, 16), Buffer.alloc(16));
  const text = Buffer.concat([cipher.update(r.bytes(32)), cipher.final()]);
  const mac = keccak256(Buffer.concat([dk.subarray(16), text])).slice(2);
  return { version: 3, crypto: { cipher: 'aes-128-ctr', cipherparams: { iv: '00'.repeat(16) }, ciphertext: text.toString('hex'), kdf: 'scrypt', kdfparams: { dklen: 32, n, r: 8, p: 1, salt: salt.toString('hex') }, mac } };
}

await test('keystores: what one tenant brings beyond its share is refused, and the other has its turn', async () => {
  const publicKey = await importKey();
  const file = keystore();
  const sealed = async (tenant, id) => {
    const { enc, sealed, options } = await sealKeystore(publicKey, file, 'pw', { id, tenant });
    return { options, form: 'v3', enc: enc.toString('base64'), sealed: sealed.toString('base64') };
  };
  const bodies = await Promise.all(Array.from({ length: KEYSTORES }, (_, i) => sealed('flood', `brought-${i}`)));
  const mine = await sealed('quiet', 'quiet-brought');
  await whileQuietSigns(async () => {
    let ended = 0;
    const flood = bodies.map(async (body) => {
      const answer = await ask('flood', '/v1/keys', body);
      if (answer.status === 201) ended++;
      return answer;
    });
    await Promise.race(flood); // one was refused, or opened: the others are there
    const own = await ask('quiet', '/v1/keys', mine);
    const before = ended;
    assert.equal(own.status, 201, own.body);
    const all = await Promise.all(flood);
    for (const a of all) if (a.status !== 201) tooMuch(a);
    const there = all.filter((a) => a.status === 201).length;
    assert.ok(there >= 10 && there < KEYSTORES, `${there} of ${KEYSTORES}`);
    assert.ok(before < there, "the other's came before the last of the first");
    console.log(`# ${there} of ${KEYSTORES} keystores of the one were opened, ${before} of them before the other's`);
  });
});

await test('long requests, half of large frames, and peers that read nothing', async () => {
  cloud.faults(faults);
  const half = Array.from({ length: 8 }, () => net.connect(e.socket));
  const deaf = Array.from({ length: 6 }, () => net.connect(e.socket));
  for (const s of [...half, ...deaf]) s.on('error', () => {});
  for (const s of half) s.write(Buffer.concat([frame(T.DUTY, 1, Buffer.alloc(0), { length: 8 << 20 }), Buffer.alloc(4 << 20)]));
  for (const s of deaf) {
    s.pause();
    const question = frame(T.ATTEST, 1, cbor([Buffer.alloc(512)]));
    const hello = frame(T.HELLO, 2, cbor([]));
    s.write(Buffer.concat([...Array.from({ length: 16 }, () => question), ...Array.from({ length: 100000 }, () => hello)]));
  }
  const text = 'x'.repeat(LONG);
  await whileQuietSigns(async () => {
    const all = await Promise.all(Array.from({ length: 150 }, () => ask('flood', '/v1/keys/flood-key/sign', { message: { text } })));
    for (const a of all) if (a.status !== 200) tooMuch(a);
    assert.ok(all.some((a) => a.status === 200));
  });
  // what was half sent has its room for ten seconds from when it got it; then the connection ends, and the next has it
  const ends = await Promise.all(half.map((s) => new Promise((resolve) => (s.destroyed ? resolve(true) : s.on('close', () => resolve(true)), setTimeout(() => resolve(false), 60000).unref()))));
  assert.deepEqual(new Set(ends), new Set([true]));
  const whole = net.connect(e.socket);
  const answered = new Promise((resolve) => onFrames(whole, (f) => resolve(f.type)));
  whole.write(frame(T.DUTY, 7, Buffer.alloc(8 << 20)));
  assert.equal(await Promise.race([answered, sleep(20000)]), T.ERROR);
  for (const s of [...deaf, whole]) s.destroy();
  cloud.faults([]);
});

await test('the process was within its memory all the time, and the other tenant is served', async () => {
  const m = divided();
  const most = of('VmHWM');
  console.log(`# ${most.toFixed(0)} MiB at most, ${of('VmRSS').toFixed(0)} now, of ${MEMORY_MIB}`);
  assert.ok(most < MEMORY_MIB, `${most} MiB: ${JSON.stringify(m)}`);
  assert.equal(e.child.exitCode, null);
  assert.equal((await sign('quiet', 'quiet-key')).status, 200);
  assert.equal((await sign('quiet', 'quiet-limited', { chainId: 31337 })).status, 200);
  assert.equal((await sign('quiet', 'quiet-brought')).status, 200);
  assert.equal((await sign('flood', 'flood-key')).status, 200);
});

await done();
