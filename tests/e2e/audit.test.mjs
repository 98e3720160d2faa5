// SPDX-License-Identifier: Apache-2.0
// Proofs and audit log of a whole stack: what each API gives its client, what a gateway that is killed, restarted or out
// of disk has written, and two gateways' logs together.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { Signature, Transaction, hashMessage, recoverAddress } from 'ethers';
import { atEnd, done, parallel, skip, test, until } from './lib/tap.mjs';
import { awsEnv, bin, request, root as checkout, run, scratch, startStack, tail } from './lib/stack.mjs';
import { metric, startGateway } from './lib/gateway.mjs';
import { adyton, filesOf, linesOf, tampered, verifyLog } from './lib/audit.mjs';
import { attestation, epochNow, freshStates, makeKeys, startValidators } from './lib/validators.mjs';
import { fetchResponseKey, readProof, responseKey, verify } from '../../clients/js/index.js';
import { AWS_ROOT_G1_SHA256, verifyAttestation } from '../../clients/js/attestation.js';

const dir = scratch();
const sqlite = join(dir, 'keys.sqlite');
const s = await startStack({ args: ['--gateway-option', `store.sqlite=${sqlite}`] });
const env = awsEnv(s);
const root = s.nsm_root_file;
const trust = { roots: readFileSync(root, 'utf8'), pcrs: { 0: s.pcr0 } };
const folder = join(s.dir, 'audit');
const key = await fetchResponseKey(s.gateway, trust);

const created = adyton(['key', 'create', 'alice'], { env });
assert.equal(created.status, 0, created.stderr);
const address = /address +(0x\w+)/.exec(created.stdout)[1];
const publicKey = /public key +(0x\w+)/.exec(created.stdout)[1];
/** The program, while this process goes on serving. */
const runAsync = (args) => new Promise((resolve) => execFile(join(bin, 'adyton'), args, { env: { ...process.env, ...env } }, (e, stdout, stderr) => resolve({ status: e?.code ?? 0, stdout, stderr })));
const post = (path, body, { gateway = s.gateway, headers = {} } = {}) => request(`${gateway}${path}`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
const body = (nonce) => JSON.stringify({ transaction: { chainId: 1, nonce, to: '0x000000000000000000000000000000000000dEaD', value: '1', gas: 21000, maxFeePerGas: '2', maxPriorityFeePerGas: '1' } });
const proofOf = (answer) => ({ proof: answer.headers['x-adyton-proof'], body: answer.body });
const holds = (answer, sent, more = {}) => verify(proofOf(answer), sent, { responseKey: key, ...more });

await test('each API gives its client a proof that verifies', async () => {
  const tx = await post('/v1/keys/alice/sign', body(1));
  const entry = await holds(tx, body(1), { key: 'alice' });
  assert.equal(Buffer.from(entry.digest).toString('hex'), Transaction.from(tx.json.signed_transaction).hash.slice(2));
  assert.equal(Buffer.from(entry.subject).toString('hex'), address.slice(2).toLowerCase());
  const message = '{"message":{"text":"hello"}}';
  const signed = await post('/v1/keys/alice/sign', message);
  assert.equal(recoverAddress(hashMessage('hello'), Signature.from(signed.json.serialized)), address);
  await holds(signed, message, { key: 'alice' });
  const rpc = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'personal_sign', params: ['0x68656c6c6f', address] });
  await holds(await post('/', rpc), null, { key: 'alice' });
  const made = await post('/v1/keys', '{"id":"bob"}');
  const entryOfBob = readProof(made.headers['x-adyton-proof']).entry;
  assert.deepEqual([entryOfBob.op, entryOfBob.key], ['create', 'bob']);
  const about = await verify(proofOf(made), null, { responseKey: key, key: 'bob' });
  assert.equal(Buffer.from(about.subject).toString('hex'), made.json.public_key.slice(2));
  await assert.rejects(verify({ ...proofOf(made), body: made.body.replace(made.json.public_key, publicKey) }, null, { responseKey: key }), /not the public key/);
  const locked = await post('/v1/lock', '{"all":true}');
  assert.equal(readProof(locked.headers['x-adyton-proof']).entry.op, 'lock');
  const batch = await post('/', JSON.stringify([1, 2].map((id) => ({ jsonrpc: '2.0', id, method: 'personal_sign', params: ['0x00', address] }))));
  assert.equal(batch.headers['x-adyton-proof'], undefined, 'the answer of several decisions has none');
  const eth1 = await post(`/api/v1/eth1/sign/${publicKey}`, '{"data":"0x00"}');
  assert.equal(eth1.status, 400, 'not a public key of 64 bytes');
});

await test('the response key is attested, and by this enclave', async () => {
  const { json } = await request(`${s.gateway}/v1/response-key?nonce=0102`);
  assert.deepEqual(await responseKey(json.document, { ...trust, nonce: '0102' }), key);
  for (const [bad, why] of [[{ nonce: '0103' }, /nonce/], [{ pcrs: { 0: '22'.repeat(48) } }, /PCR0/], [{ roots: undefined }, /root/], [{ at: 0 }, /not valid/]]) {
    await assert.rejects(responseKey(json.document, { ...trust, nonce: '0102', ...bad }), (e) => (assert.equal(e.reason, 'attestation'), assert.match(e.message, why), true));
  }
  const other = await request(`${s.gateway}/v1/attestation`);
  await assert.rejects(responseKey(other.json.document, trust), /no response key/);
  const document = Buffer.from(json.document, 'base64');
  for (let i = 0; i < document.length; i += 97) {
    const bent = Buffer.from(document);
    bent[i] ^= 1;
    assert.throws(() => verifyAttestation(bent, trust), `byte ${i}`);
  }
});

await test('a document of real Nitro hardware verifies by the root that is built in', () => {
  const path = join(process.env.ADYTON_VECTORS ?? join(checkout, '../shared/vectors'), 'nitro/valid-attestation-doc-bytes');
  if (!existsSync(path)) skip(`${path} is not there`);
  const att = verifyAttestation(readFileSync(path), { at: 'document' });
  assert.equal(att.moduleId, 'i-020b6af9246d90e92-enc0183d09086c24190');
  assert.equal(AWS_ROOT_G1_SHA256.length, 64);
  assert.throws(() => verifyAttestation(readFileSync(path)), /not valid/);
});

await test('adyton sign --require-proof takes what an attested enclave has answered, and nothing else', () => {
  const args = ['sign', 'alice', '--to', address, '--value', '1', '--nonce', '0', '--gas', '21000', '--chain', '1', '--max-fee', '2', '--max-priority-fee', '1', '--require-proof'];
  const good = adyton([...args, '--root', root, '--pcr0', s.pcr0], { env });
  assert.equal(good.status, 0, good.stderr);
  const aws = adyton(args, { env });
  assert.equal(aws.status, 1);
  assert.match(aws.stderr, /not proved: .*root/);
  const other = adyton([...args, '--root', root, '--pcr0', '33'.repeat(48)], { env });
  assert.match(other.stderr, /not proved: PCR0/);
});

/** A gateway that tells something else than the real one: what lie makes of the bodies of answers to POST. */
async function startLiar() {
  const liar = { lie: (text) => text };
  const server = http.createServer((req, res) => {
    let sent = '';
    req.on('data', (d) => (sent += d));
    req.on('end', async () => {
      const answer = await request(`${s.gateway}${req.url}`, { method: req.method, body: sent || undefined, headers: { 'content-type': 'application/json' } });
      res.writeHead(answer.status, { 'content-type': 'application/json', ...(answer.headers['x-adyton-proof'] && { 'x-adyton-proof': answer.headers['x-adyton-proof'] }) });
      res.end(req.method === 'POST' ? liar.lie(answer.body) : answer.body);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => server.close());
  return Object.assign(liar, { url: `http://127.0.0.1:${server.address().port}` });
}

await test('adyton key create --require-proof: an attested enclave has made just this key', async () => {
  const args = ['--require-proof', '--root', root, '--pcr0', s.pcr0];
  for (const curve of ['secp256k1', 'bls12-381', 'ed25519']) {
    const good = adyton(['key', 'create', `proved-${curve}`, '--curve', curve, ...args], { env });
    assert.equal(good.status, 0, good.stderr);
  }
  assert.equal(adyton(['key', 'create', 'many', '--count', '2', ...args], { env }).status, 2);
  const liar = await startLiar();
  const through = (id) => runAsync(['key', 'create', id, '--gateway', liar.url, ...args]);
  assert.equal((await through('honest')).status, 0);
  for (const [change, why] of [
    [(t) => t.replace(/"address":"0x\w+"/, `"address":"${address}"`), /address is not that of the key/],
    [(t) => t.replace(/"public_key":"0x\w+"/, `"public_key":"${publicKey}"`), /public_key is not that of the key/],
  ]) {
    liar.lie = change;
    const p = await through(`lied-${Math.random()}`);
    assert.equal(p.status, 1);
    assert.match(p.stderr, why);
  }
});

await test('adyton wallet derive and addresses --require-proof: an attested enclave has derived just these, told in their order', async () => {
  const args = ['--require-proof', '--root', root, '--pcr0', s.pcr0];
  assert.equal(adyton(['wallet', 'create', 'purse'], { env }).status, 0);
  const liar = await startLiar();
  const path = ['--path', "m/44'/60'/0'/0/*", '--count', '3', '--gateway', liar.url];
  const derive = (...more) => runAsync(['wallet', 'derive', 'purse', '--id', `d${Math.random()}-`, ...path, ...args, ...more]);
  const addresses = (...more) => runAsync(['wallet', 'addresses', 'purse', ...path, ...args, ...more]);
  for (const ask of [derive, addresses]) {
    liar.lie = (text) => text;
    const good = await ask();
    assert.equal(good.status, 0, good.stderr);
    const keys = (fn) => (text) => JSON.stringify({ ...JSON.parse(text), keys: fn(JSON.parse(text).keys) });
    for (const [change, why] of [
      [keys((k) => k.with(1, { ...k[1], address })), /address is not that of the key/],
      [keys((k) => k.with(1, { ...k[1], address: undefined, public_key: publicKey })), /keys are not those that the enclave has derived/],
      [keys((k) => k.toReversed()), /keys are not those that the enclave has derived/],
      [keys((k) => k.slice(1)), /keys are not those that the enclave has derived/],
      [keys((k) => k.with(0, { ...k[0], path: k[1].path })), /told in another order/],
    ]) {
      liar.lie = change;
      const p = await ask();
      assert.equal(p.status, 1, p.stdout);
      assert.match(p.stderr, why);
    }
  }
  liar.lie = (text) => text.replace(/"id":"d/, '"id":"e');
  assert.match((await derive()).stderr, /by other names/);
  liar.lie = (text) => text;
  assert.match((await runAsync(['wallet', 'addresses', 'purse', ...path, '--require-proof'])).stderr, /not proved: .*root/);
});

await test('the log is whole, and says what was done', async () => {
  const v = verifyLog(folder, root, '--pcr0', s.pcr0);
  assert.deepEqual([v.status, v.findings], [0, []], v.stderr);
  const shown = adyton(['audit', 'show', folder, '--key', 'alice', '--op', 'sign', '--json']).stdout.trim().split('\n').map(JSON.parse);
  assert.ok(shown.length >= 4);
  assert.ok(shown.every((e) => e.key === 'alice' && e.tenant === 'default' && e.public === address.slice(2).toLowerCase()));
  assert.match(adyton(['audit', 'verify', folder, '--root', root]).stderr, /no --pcr0 was given/);
  assert.match(adyton(['audit', 'verify', folder]).stderr, /not the trusted root[^]*ADYTON_NSM_ROOT/);
  const none = adyton(['audit', 'show', folder, '--until', '2020-01-01T00:00:00Z']);
  assert.equal(none.stdout, '');
  const metrics = await request(`${s.gateway}/metrics`);
  assert.equal(metric(metrics.body, 'adyton_audit_entries_total') > 5, true, 'metrics');
  assert.equal(metric(metrics.body, 'adyton_audit_failing'), 0);
});

await test('a signature that several entries share is verified in each of them', async () => {
  await Promise.all(Array.from({ length: 300 }, (_, i) => post('/v1/keys/alice/sign', body(1000 + i))));
  const copy = tampered(folder, (lines) => {
    const signature = (l) => (l[0] === 'A' ? l : Buffer.from(readProof(l.slice(2)).signature).toString('hex'));
    const at = lines.findIndex((l, i) => i > 0 && signature(l) === signature(lines[i - 1]));
    assert.ok(at > 0, 'no two entries were signed together');
    const line = lines[at];
    const i = line.length - 12; // within its last member
    return lines.with(at, line.slice(0, i) + (line[i] === 'A' ? 'B' : 'A') + line.slice(i + 1));
  });
  const v = verifyLog(copy, root, '--pcr0', s.pcr0);
  assert.deepEqual([v.status, v.findings.map((f) => f.fault)], [1, ['changed']], v.stderr);
});

await test('a second gateway does not write into the same log', async () => {
  await assert.rejects(startGateway(s, { audit: { folder } }), /in use by another gateway/);
});

/** Ask for n signatures, at width; the proofs of those that came, also while they come. */
async function load(gateway, n, width = 16, proofs = []) {
  await parallel(width, Array.from({ length: n }), async (_, i) => {
    const answer = await post('/v1/keys/alice/sign', body(i), { gateway }).catch(() => null);
    if (answer?.status === 200) proofs.push(answer.headers['x-adyton-proof']);
  });
  return proofs;
}
const inLog = (folder) => new Set(linesOf(folder).filter((l) => l[0] !== 'A').map((l) => Buffer.from(readProof(l.slice(2)).entryBytes).toString('hex')));
const entryText = (proof) => Buffer.from(readProof(proof).entryBytes).toString('hex');

await test('gateways killed under load: every answer that a client got is in the log, and the log is whole', async () => {
  const own = { sqlite };
  const audit = { folder: join(dir, 'killed') };
  const proofs = [];
  for (let round = 0; round < 4; round++) {
    const g = await startGateway(s, { audit, store: own });
    await until(10000, 'readiness', async () => (await request(`${g.gateway}/readyz`)).status === 200);
    const got = [];
    const loaded = load(g.gateway, 2000, 16, got);
    await until(10000, 'the first answers', () => got.length > 10);
    await new Promise((r) => setTimeout(r, 60 * round));
    await g.stop('SIGKILL');
    proofs.push(...(await loaded));
  }
  const written = inLog(audit.folder);
  assert.deepEqual(proofs.filter((p) => !written.has(entryText(p))), []);
  const g = await startGateway(s, { audit, store: own });
  await until(20000, 'what was lost to be asked for', () => verifyLog(audit.folder, root).verified);
  const v = verifyLog(audit.folder, root);
  console.log(`# ${proofs.length} answers in 4 lives; ${v.chains[0].entries} entries, ${v.late} of them late`);
  await g.stop();
});

await test('two gateways of one enclave: their logs together are whole', async () => {
  const [x, y] = await Promise.all([1, 2].map((i) => startGateway(s, { audit: { folder: join(dir, `pair${i}`) }, store: { sqlite } })));
  const proofs = (await Promise.all([x, y].map((g) => load(g.gateway, 150)))).flat();
  assert.ok(proofs.length > 20);
  await Promise.all([x.stop(), y.stop()]);
  const both = verifyLog([join(dir, 'pair1'), join(dir, 'pair2'), folder], root);
  assert.deepEqual([both.status, both.findings], [0, []], both.stderr);
  const alone = verifyLog(join(dir, 'pair1'), root);
  assert.ok(alone.findings.every((f) => f.fault === 'removed'), 'one of them may lack what the other has');
});

await test('a full disk: refused with audit_unavailable, nothing is lost, and it goes on when there is room', async () => {
  const small = join(dir, 'small');
  mkdirSync(small);
  if (run('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', small]).status !== 0) skip('no tmpfs can be mounted here');
  atEnd(() => run('umount', ['-l', small]));
  const g = await startGateway(s, { audit: { folder: join(small, 'audit') }, store: { sqlite } });
  const proofs = [];
  let refused;
  // What the enclave has decided for others before comes first; then all but 64 KiB is filled.
  await until(10000, 'the log to have begun', async () => metric((await request(`${g.gateway}/metrics`)).body, 'adyton_audit_entries_total') > 100);
  await new Promise((r) => setTimeout(r, 1000));
  const { bavail, bsize } = statfsSync(small);
  writeFileSync(join(small, 'filler'), Buffer.alloc(bavail * bsize - (64 << 10)));
  for (let i = 0; i < 2000 && !refused; i++) {
    const answer = await post('/v1/keys/alice/sign', body(i), { gateway: g.gateway });
    if (answer.status === 200) proofs.push(answer.headers['x-adyton-proof']);
    else refused = answer;
  }
  assert.deepEqual([refused?.status, refused?.json.code], [503, 'audit_unavailable'], refused?.body);
  assert.ok(!refused.body.includes('signed_transaction'));
  const again = await post('/v1/keys/alice/sign', body(1), { gateway: g.gateway });
  assert.equal(again.json.code, 'audit_unavailable');
  const metrics = await request(`${g.gateway}/metrics`);
  assert.equal(metric(metrics.body, 'adyton_audit_failing'), 1);
  assert.equal((await request(`${g.gateway}/readyz`)).status, 503);
  execFileSync('rm', [join(small, 'filler')]);
  let last;
  await until(10000, 'the log to be written again', async () => (last = await post('/v1/keys/alice/sign', body(5000), { gateway: g.gateway })).status === 200).catch((e) => assert.fail(`${e.message}: ${last.body} ${tail(g.log)}`));
  await g.stop();
  const written = inLog(join(small, 'audit'));
  assert.deepEqual(proofs.filter((p) => !written.has(entryText(p))), []);
  const v = verifyLog([join(small, 'audit'), folder, join(dir, 'killed'), join(dir, 'pair1'), join(dir, 'pair2')], root);
  assert.deepEqual(v.findings, [], 'what was refused is in the log, too');
});

await test('files are ended at their size, and each has the document of its keys', async () => {
  const audit = { folder: join(dir, 'rotated'), rotate_mib: 1 };
  const g = await startGateway(s, { audit, store: { sqlite } });
  await load(g.gateway, 2000, 32);
  await g.stop();
  const files = filesOf(audit.folder);
  assert.ok(files.length >= 2, `${files.length} files`);
  for (const f of files) assert.match(readFileSync(f, 'latin1'), /^A /m);
  assert.equal(verifyLog([audit.folder, folder, join(dir, 'killed'), join(dir, 'pair1'), join(dir, 'pair2'), join(dir, 'small/audit')].filter(existsSync), root).status, 0);
});

await test('a duty of a validator has a proof with its signing root, and so has a refusal', async () => {
  const v = await startValidators();
  const [k] = await makeKeys(v, 1);
  await freshStates(v, [k]);
  const enclave = await fetchResponseKey(v.gateway, { roots: readFileSync(v.nsm_root_file, 'utf8'), pcrs: { 0: v.pcr0 } });
  const path = `/api/v1/eth2/sign/${k.pubkey}`;
  let duty, epoch;
  // Nothing is signed for the epoch in which the enclave first used the key.
  const answer = await until(30000, 'a duty that is signed', async () => {
    epoch = epochNow(v);
    duty = JSON.stringify(attestation(v, epoch - 1, epoch));
    const got = await post(path, duty, { gateway: v.gateway });
    return got.status === 200 && got;
  });
  const entry = await verify(proofOf(answer), duty, { responseKey: enclave });
  assert.deepEqual([entry.op, Buffer.from(entry.subject).toString('hex'), entry.digest.length], ['duty', k.pubkey.slice(2), 32]);
  const double = JSON.stringify(attestation(v, epoch - 1, epoch, `0x${'77'.repeat(32)}`));
  const refused = await post(path, double, { gateway: v.gateway });
  assert.equal(refused.status, 412, refused.body);
  const { entry: no } = readProof(refused.headers['x-adyton-proof']);
  assert.deepEqual([no.op, no.code], ['duty', 'slashing_refused']);
  assert.deepEqual(verifyLog(join(v.dir, 'audit'), v.nsm_root_file).findings, []);
});

await done();
