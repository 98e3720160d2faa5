// SPDX-License-Identifier: Apache-2.0
// A compromised parent against the proofs of answers and the audit log: on the real wire between gateway and enclave it
// forges, swaps and replays answers, which clients/js finds out; and it forges, removes, moves and doubles lines of the
// log, which `adyton audit verify` names with their places.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign as cryptoSign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, done, until } from './lib/tap.mjs';
import { scratch } from './lib/stack.mjs';
import { T } from './lib/parent.mjs';
import { goodTx, startEnclave } from './lib/hostile.mjs';
import { startAttacked } from './lib/wire.mjs';
import { adyton, filesOf, linesOf, tampered, verifyLog } from './lib/audit.mjs';
import { fetchResponseKey, readProof, verify } from '../../clients/js/index.js';

const folder = join(scratch('log'), 'audit');
const a = await startAttacked({ gateway: { audit: { folder } } });
const { wire, cloud } = a;
const root = cloud.nsm_root_file;
const trust = { roots: readFileSync(root, 'utf8'), pcrs: { 0: a.e.pcr0 } };
const key = await fetchResponseKey(a.gateway, trust);

for (const id of ['alice', 'bob']) assert.equal((await a.ask('/v1/keys', { body: { id } })).status, 201);
const body = (nonce = 0) => JSON.stringify({ transaction: goodTx({ nonce }) });
const send = async (bytes = body(), id = 'alice') => {
  const answer = await a.ask(`/v1/keys/${id}/sign`, { body: bytes });
  return { proof: answer.headers['x-adyton-proof'], body: answer.body, status: answer.status };
};
const holds = (answer, request = body(), more = {}) => verify(answer, request, { responseKey: key, key: 'alice', ...more });
const fails = async (answer, reason, request, more) => {
  await assert.rejects(holds(answer, request, more), (e) => (assert.equal(e.reason, reason, e.message), true));
};
/** Change the answers to SIGN on their way. */
const forged = (change, ask = () => send()) => wire.during({ toGateway: (f, q) => (q?.type === T.SIGN ? change(f) : undefined) }, ask);

await test('an answer as it is verifies, and so does a refusal', async () => {
  const entry = await holds(await send());
  assert.deepEqual([entry.op, entry.key, entry.tenant, entry.code], ['sign', 'alice', 'default', '']);
  const wrong = '{"message":{"text":"x","hex":"0x"}}';
  const refusal = await send(wrong);
  assert.equal(refusal.status, 400);
  assert.notEqual((await holds(refusal, wrong)).code, '');
});

await test('a forged result is found out', async () => {
  const answer = await forged((f) => f.change({ 0: (raw) => (raw = Buffer.from(raw), (raw[raw.length - 1] ^= 1), raw) }));
  assert.equal(answer.status, 200, answer.body);
  await fails(answer, 'result');
});

await test('a refusal told as another, or as a signature, is found out', async () => {
  const good = await send();
  const wrong = '{"message":{}}';
  const refusal = await send(wrong);
  await fails({ ...refusal, body: refusal.body.replace(/"code":"[a-z_]*"/, '"code":"denied"') }, 'result', wrong);
  await fails({ ...refusal, body: good.body }, 'result', wrong);
});

await test('the answer to another request, of another key or of before is found out', async () => {
  const first = await send(body(1));
  await fails(first, 'request', body(2));
  await fails(await send(body(), 'bob'), 'key');
  await holds(first, body(1));
  await fails(first, 'time', body(1), { now: Date.now() + 61000 });
  await fails(first, 'time', body(1), { now: Date.now() - 40000 });
  await holds(first, body(1), { now: Date.now() + 61000, maxAge: 3600 });
});

await test('an old answer that the parent gives again for another request is found out', async () => {
  let kept;
  await forged((f) => void (kept = f));
  await fails(await forged((f) => kept.with({ id: f.id }), () => send(body(7))), 'request', body(7));
});

await test('an answer without its proof is not passed on', async () => {
  const answer = await forged((f) => f.with({ proof: Buffer.alloc(0) }));
  assert.equal(answer.status, 502);
  assert.match(answer.body, /has no proof/);
});

await test('a proof that is none ends the connection', async () => {
  const answer = await forged((f) => f.with({ proof: Buffer.from('no proof') }));
  assert.equal(answer.status, 503, answer.body);
  await until(10000, 'the link to come back', async () => (await a.ask('/readyz')).status === 200);
});

/** A proof of the parent's own making for these bytes of an entry. */
function ownProof(entryBytes) {
  const pair = generateKeyPairSync('ed25519');
  const raw = pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(12);
  const sha = (...b) => createHash('sha256').update(Buffer.concat(b)).digest();
  const before = sha(Buffer.from('adyton audit 1'), raw);
  const head = sha(before, sha(Buffer.from('adyton entry 1'), entryBytes));
  const signature = cryptoSign(null, Buffer.concat([Buffer.from('adyton head 1'), head]), pair.privateKey);
  const bytes = (b) => Buffer.concat([Buffer.from(b.length < 24 ? [0x40 + b.length] : b.length < 256 ? [0x58, b.length] : [0x59, b.length >> 8, b.length & 255]), b]);
  return Buffer.concat([Buffer.from([0xa5, 0]), bytes(raw), Buffer.from([1]), bytes(before), Buffer.from([2]), bytes(Buffer.from(entryBytes)), Buffer.from([3]), bytes(Buffer.alloc(0)), Buffer.from([4]), bytes(signature)]);
}

await test('an entry that the parent has made itself is found out, by its client and in the log', async () => {
  const answer = await forged((f) => f.with({ proof: ownProof(readProof(new Uint8Array(f.proof)).entryBytes) }));
  await fails(answer, 'key');
  const found = verifyLog(folder, root);
  assert.equal(found.status, 1);
  assert.ok(found.findings.some((f) => f.fault === 'unattested'), JSON.stringify(found.findings));
  // The true entry never came; it is asked for when the connection ends.
  for (const p of wire.pairs) p.gateway.destroy();
  const ours = Buffer.from(key).toString('hex');
  await until(10000, 'the true entry', () => verifyLog(folder, root).findings.every((f) => f.chain !== ours));
});

await test('entries that were lost with a connection are asked for again', async () => {
  await until(10000, 'the link to come back', async () => (await send()).status === 200);
  const before = linesOf(folder).length;
  let swallowed = false;
  const lost = forged(() => ((swallowed = true), null));
  await until(10000, 'the answer to be lost', () => swallowed);
  for (const p of wire.pairs) p.gateway.destroy();
  const answer = await lost;
  assert.notEqual(answer.status, 0);
  await until(10000, 'the entry', () => linesOf(folder).length > before);
});

/** The lines of this enclave's chain alone, those that came late in their places. */
const base = tampered(folder, (lines) => {
  const place = (l) => (l[0] === 'A' ? -1 : Number(readProof(l.slice(2)).entry.sequence));
  return lines.filter((l) => l[0] === 'A' || Buffer.from(readProof(l.slice(2)).publicKey).equals(Buffer.from(key))).sort((x, y) => place(x) - place(y));
});
const proofAt = (n) => linesOf(base).map((l, i) => [l, i]).filter(([l]) => l[0] !== 'A')[n][1];
const place = (f) => `${f.fault} ${f.line}`;
const found = (fn) => {
  const dir = tampered(base, fn);
  const v = verifyLog(dir, root, '--pcr0', a.e.pcr0);
  assert.equal(v.verified, v.status === 0);
  for (const f of v.findings) if (f.file) assert.equal(f.file, filesOf(dir)[0]);
  return v.findings.map(place);
};

await test('the untouched log is whole', () => {
  const v = verifyLog(base, root, '--pcr0', a.e.pcr0);
  assert.deepEqual([v.status, v.findings], [0, []], v.stderr);
  assert.equal(v.chains.length, 1);
  assert.equal(v.chains[0].chain, Buffer.from(key).toString('hex'));
  assert.equal(v.chains[0].pcr0, a.e.pcr0);
  assert.ok(v.chains[0].entries > 10);
});

await test('a removed entry is named, and so are many', () => {
  const at = proofAt(4);
  assert.deepEqual(found((l) => l.toSpliced(at, 1)), [`removed ${at + 1}`]);
  assert.deepEqual(found((l) => l.toSpliced(at, 3)), [`removed ${at + 1}`]);
  assert.deepEqual(found((l) => l.toSpliced(proofAt(0), 1)), [`removed ${proofAt(0) + 1}`], 'the first one');
});

await test('every changed entry is named: each byte of its line', () => {
  const at = proofAt(4);
  const line = linesOf(base)[at];
  for (let i = 2; i < line.length; i += 7) {
    const c = line[i] === 'A' ? 'B' : 'A';
    const got = found((l) => l.with(at, line.slice(0, i) + c + line.slice(i + 1)));
    assert.ok(got.some((f) => f.endsWith(` ${at + 1}`) && /malformed|changed/.test(f)), `${i}: ${got}`);
  }
});

await test('moved entries are named', () => {
  const [x, y] = [proofAt(3), proofAt(6)];
  const got = found((l) => l.with(x, l[y]).with(y, l[x]));
  assert.ok(got.length > 0 && got.every((f) => f.startsWith('reordered')), String(got));
  assert.ok(got.includes(`reordered ${x + 2}`), String(got));
});

await test('a doubled entry is named', () => {
  const at = proofAt(5);
  assert.deepEqual(found((l) => l.toSpliced(at, 0, l[at])), [`duplicated ${at + 2}`]);
});

await test('without the document of its key nothing is believed, unless that is asked for', () => {
  assert.deepEqual(found((l) => l.filter((x) => x[0] !== 'A')).map((f) => f.split(' ')[0]), ['unattested']);
  const dir = tampered(base, (l) => l.filter((x) => x[0] !== 'A'));
  assert.equal(verifyLog(dir, root, '--unattested').status, 0);
});

await test('another enclave program is not taken for this one', () => {
  const v = verifyLog(base, root, '--pcr0', '11'.repeat(48));
  assert.deepEqual(v.findings.map((f) => f.fault), ['attestation', 'unattested']);
  const p = adyton(['audit', 'verify', base]);
  assert.equal(p.status, 1, 'by the root of AWS');
  assert.match(p.stderr, /attestation: .*:1: /);
  for (const command of ['verify', 'head']) assert.match(adyton(['audit', command, base]).stderr, /a local stack is --root "\$ADYTON_NSM_ROOT"/);
});

await test('a log whose end was cut off is whole, until a head that was pinned elsewhere is shown', () => {
  const pin = join(scratch(), 'heads.json');
  const heads = adyton(['audit', 'head', base, '--root', root]);
  assert.equal(heads.status, 0, heads.stderr);
  writeFileSync(pin, heads.stdout);
  const pinned = verifyLog(base, root, '--head', pin);
  assert.deepEqual([pinned.status, pinned.findings], [0, []], pinned.stderr);
  const cut = tampered(base, (l) => l.slice(0, -2));
  const short = verifyLog(cut, root);
  assert.deepEqual([short.status, short.findings], [0, []], short.stderr);
  const v = verifyLog(cut, root, '--head', pin);
  assert.deepEqual(v.findings.map((f) => f.fault), ['truncated']);
  writeFileSync(pin, heads.stdout.replace(/"head":"../, '"head":"00'));
  assert.deepEqual(verifyLog(base, root, '--head', pin).findings.map((f) => f.fault), ['head']);
  writeFileSync(pin, '{"chain":1}\n');
  assert.equal(adyton(['audit', 'verify', base, '--head', pin]).status, 1);
});

await test('a log may begin where a pinned head is', () => {
  const pin = join(scratch(), 'heads.json');
  const early = tampered(base, (l) => l.slice(0, proofAt(5)));
  writeFileSync(pin, adyton(['audit', 'head', early, '--root', root]).stdout);
  const late = tampered(base, (l) => l.filter((x, i) => x[0] === 'A' || i >= proofAt(5)));
  assert.deepEqual(verifyLog(late, root).findings.map((f) => f.fault), ['removed']);
  assert.deepEqual(verifyLog(late, root, '--head', pin).findings.map((f) => f.fault), []);
});

await test('an entry of another enclave does not fill a place of this one', async () => {
  const other = await startEnclave(cloud, a.keyArn, { changes: {}, admit: false });
  const link = other.link();
  const [, , , proofs] = (await link.ask(22, Buffer.from([0xa1, 0, 0]))).value;
  link.close?.();
  const line = `P ${Buffer.from(proofs).toString('base64url')}`;
  const at = proofAt(0);
  const got = found((l) => l.with(at, line)); // the first entry of both chains
  assert.ok(got.some((f) => f.startsWith('removed')) && got.some((f) => f.startsWith('unattested')), String(got));
});

await test('adyton audit show and audit proof tell what an entry says', async () => {
  const bytes = body(77);
  const answer = await send(bytes);
  const dir = scratch();
  const write = (name, text) => (writeFileSync(join(dir, name), text), join(dir, name));
  const proof = write('proof', answer.proof);
  const request = write('request', bytes);
  const args = ['audit', 'proof', proof, '--request', request, '--answer', write('answer', answer.body), '--key', 'alice', '--json'];
  const document = write('document', (await a.ask('/v1/response-key')).json.document);
  const shown = adyton([...args, '--document', document, '--root', root, '--pcr0', a.e.pcr0]);
  assert.equal(shown.status, 0, shown.stderr);
  const entry = JSON.parse(shown.stdout);
  assert.deepEqual([entry.op, entry.key, entry.digest], ['sign', 'alice', JSON.parse(answer.body).transaction_hash.slice(2)]);
  assert.equal(adyton([...args, '--response-key', Buffer.from(key).toString('hex')]).status, 0);
  assert.match(adyton([...args, '--response-key', '00'.repeat(32)]).stderr, /another key/);
  const other = adyton(['audit', 'proof', proof, '--request', write('other', body(78)), '--document', document, '--root', root]);
  assert.equal(other.status, 1);
  assert.match(other.stderr, /request is not the one/);
  const all = adyton(['audit', 'show', folder, '--key', 'alice', '--json']).stdout.trim().split('\n').map(JSON.parse);
  assert.deepEqual(all.find((e) => e.sequence === entry.sequence && e.chain === entry.chain).request_sha256, entry.request_sha256);
  assert.ok(all.every((e) => e.key === 'alice'));
  const refusals = adyton(['audit', 'show', folder, '--refused', '--op', 'sign']);
  assert.match(refusals.stdout, /sign +default +alice +field_/);
});

await test('an enclave that starts again has another key and begins a chain of its own, in the same log', async () => {
  const count = verifyLog(folder, root).chains.length;
  a.e.child.kill('SIGKILL');
  await a.e.ended;
  await a.e.restart();
  await until(20000, 'the gateway to be ready', async () => (await a.ask('/readyz')).status === 200);
  const answer = await until(10000, 'a signature', async () => ((x) => x.status === 200 && x)(await send()));
  await fails(answer, 'key');
  const next = await fetchResponseKey(a.gateway, trust);
  await verify(answer, body(), { responseKey: next });
  const attested = (v) => v.chains.some((c) => c.chain === Buffer.from(next).toString('hex') && c.attested && c.first === 0);
  await until(10000, 'its first entry and its document', () => attested(verifyLog(folder, root)));
  const ours = verifyLog(folder, root);
  assert.equal(ours.chains.length, count + 1);
  const chain = ours.chains.find((c) => c.chain === Buffer.from(next).toString('hex'));
  assert.ok(chain.attested && chain.first === 0 && chain.entries >= 2, JSON.stringify(chain));
  assert.ok(ours.findings.every((f) => f.chain !== chain.chain), JSON.stringify(ours.findings));
});

await done();
