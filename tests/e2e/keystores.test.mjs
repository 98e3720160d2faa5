// SPDX-License-Identifier: Apache-2.0
// `adyton key import --keystores`: 1,000 keystores that @chainsafe/bls-keystore wrote, of both kinds and costs, with the
// enclave and the command itself killed on the way; the layouts of other tools; files that are refused among others; and
// what an imported validator may sign before and after it is given its history.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import http from 'node:http';
import { scryptSync, pbkdf2Sync } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { PublicKey, Signature, verify } from '@chainsafe/blst';
import { ssz } from '@lodestar/types';
import { Wallet, Transaction } from 'ethers';
import { test, done, random, atEnd } from './lib/tap.mjs';
import { bin, awsEnv, request, run, scratch, sign as signTx } from './lib/stack.mjs';
import { goodTx } from './lib/hostile.mjs';
import { signingRoot } from './lib/duties.mjs';
import { PBKDF2 as pbkdf2, SCRYPT as scrypt, randomKeystore } from './lib/keystores.mjs';
import { SLOTS, attestation, block, epochNow, interchange, sign, slotNow, startValidators, untilSlot } from './lib/validators.mjs';

const N = Number(process.env.ADYTON_KEYSTORES ?? 1000);
const DEAR = Math.min(8, N >> 4); // at the cost that tools use, of each kind
const r = random();
// the threads that open keystores give way to whatever else runs on this machine
const s = await startValidators({ args: ['--gateway-option', 'request_timeout_ms=50000'] });
const env = { ...process.env, ...awsEnv(s) };
const dir = scratch('ks');
const trusted = ['--root', s.nsm_root_file, '--pcr0', s.pcr0];
const adyton = (...args) =>
  new Promise((resolve) =>
    execFile(`${bin}/adyton`, args, { env, maxBuffer: 64 << 20 }, (e, stdout, stderr) => resolve({ status: e ? (e.code ?? e.signal) : 0, stdout, stderr })));
const bring = async (...args) => {
  const p = await adyton('key', 'import', ...args, ...trusted, '--json');
  return { ...p, json: p.stdout ? JSON.parse(p.stdout) : undefined };
};
const fresh = ['--new', '--network', s.network.genesis_validators_root];

const SCRYPT = (n) => scrypt(r, n);
const PBKDF2 = (c) => pbkdf2(r, c);
const makeKeystore = (kdf, password) => randomKeystore(r, kdf, password);

/** A folder as the deposit tool makes it, with the passwords beside. */
async function folder(name, keystores, { passwords = true } = {}) {
  const at = join(dir, name);
  mkdirSync(at);
  keystores.forEach((k, i) => {
    writeFileSync(join(at, `keystore-m_12381_3600_${i}_0_0-1700000000.json`), k.keystore);
    if (passwords) writeFileSync(join(at, `keystore-m_12381_3600_${i}_0_0-1700000000.txt`), `${k.password}\n`);
  });
  return at;
}

async function signsDuty(pubkey, body, root) {
  const answer = await sign(s, pubkey, body);
  assert.equal(answer.status, 200, answer.body);
  assert.ok(verify(Buffer.from(root), PublicKey.fromHex(pubkey, true), Signature.fromHex(answer.json.signature, true)));
}

/** A key signs from the second epoch on after the enclave has first seen it. */
async function awake(pubkeys) {
  for (const k of pubkeys) await sign(s, k, attestation(s, epochNow(s) - 1, epochNow(s)));
  await untilSlot(s, (epochNow(s) + 2) * SLOTS);
}

/** An attestation of this epoch, and the root that its signature is over, by @lodestar/types. */
function duty(epoch = epochNow(s)) {
  const body = attestation(s, epoch - 1, epoch);
  const object = ssz.phase0.AttestationData.hashTreeRoot(ssz.phase0.AttestationData.fromJson({
    slot: body.attestation.slot, index: '0', beacon_block_root: body.attestation.beacon_block_root, source: body.attestation.source, target: body.attestation.target,
  }));
  return [body, signingRoot(object, '0x01000000', body.fork_info.fork.current_version, s.network.genesis_validators_root)];
}

/** A way to the gateway that tells of each answer before it is passed on; resolves to its URL. */
async function between(tell) {
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer(async (req, res) => {
    const parts = [];
    for await (const part of req) parts.push(part);
    const answer = await request(s.gateway + req.url, { method: req.method, body: parts.length ? Buffer.concat(parts) : undefined, headers: req.headers, agent }).catch(() => null);
    if (!answer) return res.destroy();
    tell(req.method, req.url, answer.status);
    res.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => (server.closeAllConnections(), server.close(), agent.destroy()));
  return `http://127.0.0.1:${server.address().port}`;
}

const keystores = [];

await test(`${N} keystores are made by @chainsafe/bls-keystore, ${2 * DEAR} of them at the cost that tools use`, async () => {
  for (let i = 0; i < N; i++) {
    const dear = i < 2 * DEAR;
    const kdf = i % 2 ? PBKDF2(dear ? 262144 : 1000) : SCRYPT(dear ? 262144 : 512);
    keystores.push(await makeKeystore(kdf, i % 3 ? `pässword ${i}` : `p\u0007wﬁ${i}`));
  }
  // the dear ones among the others
  keystores.sort((a, b) => (a.pubkey < b.pubkey ? -1 : 1));
});

await test(`${N} are imported while the enclave is killed and the command is cut off; the same command goes on`, async () => {
  const at = await folder('many', keystores);
  const args = ['key', 'import', 'val/{key}', '--keystores', at, ...trusted, ...fresh, '--json'];
  const began = Date.now();
  let child;
  let stored = 0;
  // Its requests pass through here: it is known at which one the enclave is killed, and at which the command.
  const gateway = await between((method, path, status) => {
    if (method !== 'POST' || path !== '/v1/keys' || status !== 201) return;
    stored++;
    if (stored === N / 4) process.kill(JSON.parse(readFileSync(join(s.dir, 'stack.json'))).pids.enclave, 'SIGKILL');
    if (stored === N / 2) child.kill('SIGKILL');
  });
  child = spawn(`${bin}/adyton`, args, { env: { ...env, ADYTON_GATEWAY: gateway }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (d) => (said += d));
  child.stderr.on('data', (d) => (said += d));
  assert.equal(await new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal))), 'SIGKILL', said);
  const first = (Date.now() - began) / 1000;
  const p = await adyton(...args);
  const report = JSON.parse(p.stdout);
  assert.deepEqual(report.errors, [], p.stderr);
  assert.equal(p.status, 0, p.stderr);
  const { errors, keys, seconds, ...counts } = report;
  assert.ok(counts.there_already >= N / 2, JSON.stringify(counts));
  assert.deepEqual({ ...counts, there_already: 0, imported: 0 }, { files: N, imported: 0, there_already: 0, failed: 0, left_out: 0, not_tried: 0, with_history: N });
  assert.equal(counts.imported + counts.there_already, N);
  assert.equal(keys.length, counts.imported);
  assert.match(p.stderr, new RegExp(`${N} of ${N} keystores, 0 failed, [0-9.]+ a second`));
  console.log(`# cut off after ${first.toFixed(1)} s with about ${counts.there_already} imported; the rest in ${seconds.toFixed(1)} s`);
  const again = await bring('val/{key}', '--keystores', at);
  assert.deepEqual([again.status, again.json.imported, again.json.there_already], [0, 0, N]);
});

await test('figures: keystores a second, and what the bare derivations take on as many cores', async () => {
  const cores = availableParallelism();
  for (const [what, kdf, n, bare] of [
    ['scrypt n=262144 r=8', () => SCRYPT(262144), 2 * cores, () => scryptSync('x', 'y', 32, { N: 262144, r: 8, p: 1, maxmem: 1 << 29 })],
    ['pbkdf2 c=262144', () => PBKDF2(262144), 16 * cores, () => pbkdf2Sync('x', 'y', 262144, 32, 'sha256')],
  ]) {
    const made = [];
    const model = await makeKeystore(kdf(), 'x');
    for (let i = 0; i < n; i++) made.push(model);
    const at = await folder(`figure-${what.slice(0, 6)}`, made); // one keystore, under many ids
    const began = Date.now();
    const ps = [];
    for (let i = 0; i < n; i++) ps.push(bring(`fig/${what.slice(0, 6)}-${i}`, '--keystore', join(at, `keystore-m_12381_3600_${i}_0_0-1700000000.json`), '--passwords', at));
    for (const p of await Promise.all(ps)) assert.equal(p.status, 0, p.stderr);
    const seconds = (Date.now() - began) / 1000;
    const t = process.hrtime.bigint();
    for (let i = 0; i < 2; i++) bare();
    const one = Number(process.hrtime.bigint() - t) / 2e9;
    console.log(`# ${what}: ${(n / seconds).toFixed(2)} a second on ${cores} cores; OpenSSL's bare derivation would do ${(cores / one).toFixed(2)}`);
  }
  // Its threads that give way to the others are those that open keystores: one for each core, and each has worked.
  const { enclave } = JSON.parse(readFileSync(join(s.dir, 'stack.json'))).pids;
  const threads = readdirSync(`/proc/${enclave}/task`).map((t) => readFileSync(`/proc/${enclave}/task/${t}/stat`, 'utf8').split(') ')[1].split(' '));
  const opening = threads.filter((f) => Number(f[16]) === 10).map((f) => Number(f[11]));
  assert.equal(opening.length, cores);
  assert.ok(opening.every((ticks) => ticks > 0), `user time of each: ${opening}`);
});

await test('the imported keys sign, and their signatures verify by @chainsafe/blst', async () => {
  const some = keystores.filter((_, i) => i % Math.ceil(N / 24) === 0).map((k) => k.pubkey);
  await awake(some);
  for (const k of some) await signsDuty(k, ...duty());
});

await test('a wrong password, a broken file and a foreign public key stop nothing else', async () => {
  const made = [];
  for (let i = 0; i < 6; i++) made.push(await makeKeystore(PBKDF2(10), `pw${i}`));
  const at = await folder('mixed', made);
  const file = (i) => join(at, `keystore-m_12381_3600_${i}_0_0-1700000000.json`);
  writeFileSync(file(0).replace('.json', '.txt'), 'wrong-password');
  writeFileSync(file(1), '{"crypto":');
  writeFileSync(file(2), JSON.stringify({ ...JSON.parse(made[2].keystore), pubkey: made[3].pubkey.slice(2) }));
  rmSync(file(4).replace('.json', '.txt'));
  writeFileSync(join(at, 'deposit_data-1700000000.json'), JSON.stringify([{ pubkey: 'x' }]));
  const p = await bring('--keystores', at);
  assert.equal(p.status, 1);
  const { imported, failed, left_out, errors } = p.json;
  // 2 and 3 name the same key: whichever comes first decides what the other is told
  assert.deepEqual([imported, failed, left_out], [2, 4, 1], p.stdout);
  assert.deepEqual(errors.map((e) => e.code), ['password_wrong', 'keystore_malformed', errors[2].code, 'not_found']);
  assert.ok(['keystore_mismatch', 'already_exists'].includes(errors[2].code) || errors.length === 3, p.stdout);
  assert.deepEqual(errors.map((e) => e.file), [0, 1, 2, 4].map(file));
  assert.ok(!/wrong-password/.test(p.stdout + p.stderr));
  const q = await adyton('key', 'import', '--keystores', at, ...trusted);
  assert.equal(q.status, 1);
  assert.match(q.stderr, /keystore-m_12381_3600_0_0_0-1700000000\.json: password .*\(password_wrong\)/);
  assert.match(q.stdout, /failed +3/); // number 2 is now seen as there, by the key that it names
});

await test("the layouts of Lighthouse, Nimbus, Lodestar and Teku, one password for all, and passwords that need NFKD", async () => {
  const made = [];
  for (let i = 0; i < 10; i++) made.push(await makeKeystore(SCRYPT(64), '𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑'));
  const one = async (k, ...args) => {
    const p = await bring(...args);
    assert.deepEqual([p.status, p.json?.imported], [0, 1], p.stderr + p.stdout);
    assert.equal((await request(`${s.gateway}/v1/keys/${k.pubkey}`)).json.public_key, k.pubkey);
  };
  const lighthouse = join(dir, 'lighthouse');
  mkdirSync(join(lighthouse, 'validators', made[0].pubkey), { recursive: true });
  mkdirSync(join(lighthouse, 'secrets'));
  writeFileSync(join(lighthouse, 'validators', made[0].pubkey, 'voting-keystore.json'), made[0].keystore);
  writeFileSync(join(lighthouse, 'secrets', made[0].pubkey), 'testpassword🔑');
  await one(made[0], '--keystores', join(lighthouse, 'validators'), '--passwords', join(lighthouse, 'secrets'));
  const teku = join(dir, 'teku');
  mkdirSync(join(teku, 'keys'), { recursive: true });
  mkdirSync(join(teku, 'passwords'));
  writeFileSync(join(teku, 'keys', 'validator-1.json'), made[1].keystore);
  writeFileSync(join(teku, 'passwords', 'validator-1.txt'), 'testpassword🔑\r\n');
  await one(made[1], '--keystores', join(teku, 'keys'), '--passwords', join(teku, 'passwords'));
  const prysm = await folder('prysm', [made[2], made[3]], { passwords: false });
  writeFileSync(join(dir, 'one'), '𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑\n');
  const both = await bring('--keystores', prysm, '--password-file', join(dir, 'one'));
  assert.deepEqual([both.status, both.json.imported], [0, 2], both.stderr);
  const bare = join(dir, 'bare');
  mkdirSync(bare);
  writeFileSync(join(bare, 'k.json'), made[4].keystore.replace(/"pubkey":"(0x)?/, '"pubkey":"0x'));
  writeFileSync(join(bare, made[4].pubkey.slice(2) + '.txt'), 'testpassword🔑');
  await one(made[4], '--keystores', bare);
  await one(made[5], '--keystore', (writeFileSync(join(dir, 'single.json'), made[5].keystore), join(dir, 'single.json')), '--password-file', join(dir, 'one'));
});

await test('keystores of geth and ethers, one and several, sign transactions', async () => {
  const wallets = Array.from({ length: 3 }, () => Wallet.createRandom());
  const at = join(dir, 'geth');
  mkdirSync(at);
  for (const [i, w] of wallets.entries()) writeFileSync(join(at, `UTC--${i}.json`), w.encryptSync('hunter2', { scrypt: { N: 1024 } }));
  writeFileSync(join(dir, 'pw'), 'hunter2\n');
  const p = await bring('hot/{key}', '--keystores', at, '--password-file', join(dir, 'pw'), '--chain', '31337');
  assert.deepEqual([p.status, p.json.imported], [0, 3], p.stderr);
  for (const w of wallets) {
    const answer = await signTx(s, `hot/${w.address.toLowerCase()}`, goodTx());
    assert.equal(Transaction.from(answer.json.signed_transaction).from, w.address);
    assert.equal((await signTx(s, `hot/${w.address.toLowerCase()}`, goodTx({ chainId: 1 }))).json.code, 'denied');
  }
  const one = await adyton('key', 'import', 'treasury', '--keystore', join(at, 'UTC--0.json'), '--password-file', join(dir, 'pw'), ...trusted);
  assert.equal(one.status, 0, one.stderr);
  assert.match(one.stdout, /key +treasury/);
  const typed = run(`${bin}/adyton`, ['key', 'import', 'typed', '--keystore', join(at, 'UTC--2.json'), ...trusted], { env, input: 'hunter2\n' });
  assert.equal(typed.status, 0, typed.stderr);
  const wrong = run(`${bin}/adyton`, ['key', 'import', 'typed2', '--keystore', join(at, 'UTC--2.json'), ...trusted], { env, input: '' });
  assert.deepEqual([wrong.status, /password_wrong/.test(wrong.stderr)], [1, true], wrong.stderr);
  const taken = await bring('treasury', '--keystore', join(at, 'UTC--1.json'), '--password-file', join(dir, 'pw'));
  assert.deepEqual([taken.status, taken.json.errors[0].code], [1, 'already_exists']);
});

await test('an imported validator signs no block and no attestation before it has a history', async () => {
  const made = [];
  for (let i = 0; i < 3; i++) made.push(await makeKeystore(PBKDF2(10), 'pw'));
  const at = await folder('history', made);
  const bare = await adyton('key', 'import', '--keystores', at, ...trusted);
  assert.equal(bare.status, 0, bare.stderr);
  assert.match(bare.stdout, /waiting +3 validators sign no blocks and attestations until they have a history/);
  for (const k of made) assert.equal((await sign(s, k.pubkey, duty()[0])).status, 412);
  // the histories of two of them, and of one that is not here
  const epoch = epochNow(s);
  const file = join(dir, 'history.json');
  const entry = (pubkey, target) => ({ pubkey, signed_blocks: [{ slot: String(slotNow(s)) }], signed_attestations: [{ source_epoch: '0', target_epoch: String(target) }] });
  writeFileSync(file, JSON.stringify(interchange(s, [entry(made[0].pubkey, epoch + 1000), entry(made[1].pubkey, epoch - 1), entry('0x' + '8'.repeat(96), 1)])));
  const p = await bring('--keystores', at, '--slashing', file);
  assert.deepEqual([p.status, p.json.there_already, p.json.with_history], [0, 3, 2], p.stderr + p.stdout);
  await awake([made[0].pubkey, made[1].pubkey]);
  assert.equal((await sign(s, made[0].pubkey, duty()[0])).status, 412, 'below what it has signed');
  await signsDuty(made[1].pubkey, ...duty());
  assert.equal((await sign(s, made[1].pubkey, block(s, 1))).status, 412);
  assert.equal((await sign(s, made[2].pubkey, duty()[0])).status, 412, 'no history, and nobody said that it is new');
  const all = await bring('--keystores', at, '--slashing', file, '--new');
  assert.deepEqual([all.status, all.json.with_history], [0, 3], all.stderr);
  await awake([made[2].pubkey]);
  await signsDuty(made[2].pubkey, ...duty());
  // a broken file: nothing is imported
  writeFileSync(file, '{"metadata":{}}');
  const other = await folder('other', [await makeKeystore(PBKDF2(10), 'pw')]);
  const broken = await bring('--keystores', other, '--slashing', file);
  assert.deepEqual([broken.status, broken.json], [1, undefined], broken.stderr);
  assert.equal((await bring('--keystores', other)).json.imported, 1);
});

await test('what the command line does not take, and another enclave than the expected one', async () => {
  const at = await folder('refused', [await makeKeystore(PBKDF2(10), 'pw')]);
  for (const args of [['--keystore', 'a', '--keystores', 'b'], ['--keystores', at, '--password-file', '-'], ['--keystores', at, '--jobs', '65'], ['--keystores', at, '--jobs', '0'], ['--keystores', at, '--new'], ['--keystores', at, '--new', '--network', 'nowhere'], ['--keystores', at, '--curve', 'secp256k1'], ['--keystores', at, '--file', 'x'], ['a', 'b', '--keystores', at], ['--keystores', at, '--passwords', at, '--password-file', 'x']]) {
    assert.equal((await bring(...args)).status, 2, args.join(' '));
  }
  assert.equal((await adyton('key', 'import', '--keystores', at)).status, 2, 'no measurement');
  const wrong = await adyton('key', 'import', '--keystores', at, '--root', s.nsm_root_file, '--pcr0', '00'.repeat(48));
  assert.deepEqual([wrong.status, /PCR0/.test(wrong.stderr)], [1, true], wrong.stderr);
  const none = await adyton('key', 'import', '--keystores', join(dir, 'nothing'), ...trusted);
  assert.equal(none.status, 3, none.stderr);
});

await done();
