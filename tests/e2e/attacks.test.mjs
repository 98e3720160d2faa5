// SPDX-License-Identifier: Apache-2.0
// Attacks of a compromised parent, each on the real wire between a real gateway and a real enclave (lib/wire.mjs): what
// it swaps, alters, replays or has KMS answer is refused, with its reason, and nothing is signed.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CreateKeyCommand, EncryptCommand, GenerateDataKeyCommand, KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { Transaction } from 'ethers';
import { test, done, random, until } from './lib/tap.mjs';
import { scratch } from './lib/stack.mjs';
import { clientOptions } from './lib/aws.mjs';
import { T } from './lib/parent.mjs';
import { startDevcloud, roleCredentials, createKey, makeEnvelope, goodTx } from './lib/hostile.mjs';
import { startAttacked } from './lib/wire.mjs';
import { generateKey, stamp as stampFor } from '../../clients/js/index.js';

const r = random();
const a = await startAttacked({ changes: { stamp_life_s: 60, data_key_max_s: 300 } });
const { wire, cloud, keyArn } = a;
const alice = await generateKey();
const mallory = await generateKey();
const deployment = 'test';
const stamp = (by, request) => stampFor(by, { life: 59, ...request });
const VAULT = '0x3535353535353535353535353535353535353535';
const policy = { policy: 1, rules: [{ name: 'to the vault', effect: 'allow', when: { to: VAULT } }] };
const open = { policy: 1, rules: [{ name: 'anything', effect: 'allow', when: { kind: 'transaction' } }] };

const keys = {};
for (const [id, more] of [
  ['alice', {}],
  ['bob', {}],
  ['guarded', { policy }],
  ['lax', { policy: open }],
  ['stamped', { tenant: 'acme', callers: [alice.name] }],
  ['theirs', { tenant: 'beta', callers: [mallory.name] }],
  ['beta', { tenant: 'beta' }],
]) {
  let record;
  const answer = await wire.during({ toGateway: (f, q) => void (q?.type === T.CREATE && !f.isFault && (record = JSON.parse(f.message[0]))) }, () => a.ask('/v1/keys', { body: { id, ...more } }));
  assert.equal(answer.status, 201, answer.body);
  keys[id] = { id, address: answer.json.address, record, text: JSON.stringify(record) };
}

const body = (tx = goodTx()) => JSON.stringify({ transaction: tx });
/** Have a key sign over HTTP. */
const send = (id, { bytes = body(), stamps = [] } = {}) =>
  a.ask(`/v1/keys/${id}/sign`, { body: bytes, headers: { 'content-type': 'application/json', ...(stamps.length && { 'x-adyton-stamp': stamps.join(',') }) } });

async function signs(id, options) {
  const answer = await send(id, options);
  assert.equal(answer.status, 200, answer.body);
  assert.equal(Transaction.from(answer.json.signed_transaction).from, keys[id].address);
  return answer;
}

/** What the gateway asks the enclave goes there as change says; the enclave refuses, and has signed nothing. */
async function refused(what, ask, change, code, where, { detail = /./, cause } = {}) {
  const before = { wire: wire.signed, own: await wire.counts() };
  let fault;
  const outer = wire.toEnclave;
  const answer = await wire.during({ toEnclave: (f, q) => change?.(f, q) ?? outer?.(f, q), toGateway: (f, q) => void (q?.type === T.SIGN && (fault = f.isFault ? f.fault : { code: 'it was signed' })) }, ask);
  assert.deepEqual([fault?.code, fault?.where], [code, where], `${what}: ${JSON.stringify(fault)}`);
  assert.match(fault.detail, detail, what);
  if (cause) assert.match(fault.cause, cause, what);
  assert.notEqual(answer.status, 200, what);
  assert.ok(!/signed_transaction|"r"/.test(answer.body), `${what}: ${answer.body}`);
  assert.equal(wire.signed, before.wire, `${what}: a signature left the enclave`);
  assert.equal((await wire.counts()).signed, before.own.signed, `${what}: the enclave counts a signature`);
}
/** A change of the SIGN questions only. */
const inSign = (fn) => (f) => (f.type === T.SIGN ? fn(f) : undefined);
const asRecord = (record) => inSign((f) => f.change({ 2: Buffer.from(typeof record === 'string' ? record : JSON.stringify(record)) }));

await test('without an attack each key signs what it should', async () => {
  for (const id of ['alice', 'bob', 'lax', 'beta']) await signs(id);
  await signs('guarded', { bytes: body(goodTx({ to: VAULT })) });
  const bytes = body();
  await signs('stamped', { bytes, stamps: [await stamp(alice, { key: 'stamped', tenant: 'acme', deployment, body: bytes })] });
  assert.equal((await send('guarded')).json.code, 'denied');
});

await test('swapped record: another key of the tenant, one of another tenant, and parts of them', async () => {
  const { alice: A, bob: B, beta } = keys;
  for (const [what, record, code, where] of [
    ["bob's", B.text, 'record_mismatch', 'record.id'],
    ["bob's under alice's id", { ...B.record, id: 'alice' }, 'record_mismatch', 'record.ciphertext'],
    ["beta's under alice's id and tenant", { ...beta.record, id: 'alice', tenant: 'default' }, 'kms_refused', ''],
    ["bob's ciphertext", { ...A.record, ciphertext: B.record.ciphertext }, 'record_mismatch', 'record.ciphertext'],
    ["bob's public key", { ...A.record, public_key: B.record.public_key }, 'record_mismatch', 'record.ciphertext'],
    ['digests allowed', { ...A.record, allow: ['digest'] }, 'record_mismatch', 'record.ciphertext'],
    ['another wrapping', { ...A.record, wrapping: 'direct', data_key: undefined }, 'kms_refused', ''],
  ]) await refused(what, () => send('alice'), asRecord(record), code, where);
});

await test('swapped policy: a laxer one, one rule more, none, another key\'s', async () => {
  const { guarded: G, lax } = keys;
  for (const [what, record] of [
    ['laxer', { ...G.record, policy: open }],
    ['a rule more', { ...G.record, policy: { ...policy, rules: [...policy.rules, ...open.rules] } }],
    ['none', { ...G.record, policy: undefined }],
    ["another key's ciphertext and policy", { ...lax.record, id: 'guarded', public_key: G.record.public_key }],
  ]) await refused(what, () => send('guarded'), asRecord(record), 'record_mismatch', 'record.ciphertext');
  await refused('the callers taken away', () => send('stamped'), asRecord({ ...keys.stamped.record, callers: undefined }), 'record_mismatch', 'record.ciphertext');
});

await test('swapped data key: of another tenant, of another key, one that the parent made', async () => {
  const { alice: A, beta } = keys;
  const context = (tenant, purpose = 'data-key') => ({ 'adyton:deployment': deployment, 'adyton:purpose': purpose, 'adyton:tenant': tenant });
  const made = async (pairs, key = r.bytes(32)) => Buffer.from((await cloud.kms.send(new EncryptCommand({ KeyId: keyArn, Plaintext: key, EncryptionContext: pairs }))).CiphertextBlob).toString('base64');
  const invalid = { cause: /^InvalidCiphertextException$/ };
  const withKey = (data_key) => asRecord({ ...A.record, data_key });
  await refused("beta's", () => send('alice'), withKey(beta.record.data_key), 'kms_refused', '', invalid);
  await refused('for another purpose', () => send('alice'), withKey(await made(context('default', 'backup'))), 'kms_refused', '', invalid);
  await refused('of another tenant by its context', () => send('alice'), withKey(await made(context('acme'))), 'kms_refused', '', invalid);
  await refused('one that the parent knows', () => send('alice'), withKey(await made(context('default'))), 'record_mismatch', 'record.ciphertext');
  // a record of the parent's own making, with a key and a data key that it knows, signs as nobody else: the public key is bound
  const known = await makeEnvelope(cloud, keyArn, 'alice', r.hex(32));
  await refused('its key under the name of ours', () => send('alice'), asRecord({ ...known.record, public_key: A.record.public_key }), 'record_mismatch', 'record.ciphertext');
});

await test("another tenant's stamp: theirs, theirs over our body, and ours moved to another key", async () => {
  const bytes = body();
  const mine = { key: 'stamped', tenant: 'acme', deployment, body: bytes };
  const carry = (text) => inSign((f) => f.change({ 4: Buffer.from(text) }));
  for (const [what, st, where] of [
    ['of beta, for beta', await stamp(mallory, { ...mine, key: 'theirs', tenant: 'beta' }), 'stamp[0].tenant'],
    ['of beta, for the key', await stamp(mallory, mine), 'stamp'],
    ['of alice, for another key', await stamp(alice, { ...mine, key: 'alice' }), 'stamp[0].key'],
    ['of alice, for another deployment', await stamp(alice, { ...mine, deployment: 'elsewhere' }), 'stamp[0].aud'],
  ]) await refused(what, () => send('stamped', { bytes }), carry(st), 'unauthorized', where);
  // the question moved as a whole: id, record and stamp of acme's key in the place of one of beta's
  const st = await stamp(alice, mine);
  await refused('its stamp at another key', () => send('theirs', { bytes, stamps: [st] }), undefined, 'unauthorized', 'stamp[0].tenant');
  await signs('stamped', { bytes, stamps: [st] });
});

await test('altered body: one byte, white space, another member', async () => {
  const bytes = body();
  const st = () => stamp(alice, { key: 'stamped', tenant: 'acme', deployment, body: bytes });
  for (const [what, other] of [
    ['another recipient', body(goodTx({ to: VAULT }))],
    ['another value', bytes.replace('"value":"1"', '"value":"9"')],
    ['white space', bytes + ' '],
    ['a message', '{"message":{"text":"x"}}'],
  ]) {
    assert.notEqual(other, bytes, what);
    const stamps = [await st()];
    await refused(what, () => send('stamped', { bytes, stamps }), inSign((f) => f.change({ 3: Buffer.from(other) })), 'unauthorized', 'stamp[0].body');
  }
});

await test('replayed body: the answer of then and no other; with another body, and later, nothing', async () => {
  const bytes = body(goodTx({ nonce: 7 }));
  const st = await stamp(alice, { key: 'stamped', tenant: 'acme', deployment, body: bytes, life: 15 });
  const over = Date.now() + 16100;
  let question, first;
  await wire.during({ toEnclave: inSign((f) => void (question = f)), toGateway: (f, q) => void (q?.type === T.SIGN && (first = f)) }, () => signs('stamped', { bytes, stamps: [st] }));
  const again = await wire.ask(T.SIGN, question.body);
  assert.deepEqual(again.message, first.message, 'a replay must not bring another signature');
  await refused('in another body', () => send('stamped', { bytes: body(goodTx({ nonce: 8 })) }), inSign((f) => f.change({ 4: Buffer.from(st) })), 'unauthorized', 'stamp[0].body');
  await new Promise((resolve) => setTimeout(resolve, over - Date.now()));
  const before = wire.signed;
  const late = await wire.ask(T.SIGN, question.body);
  assert.deepEqual([late.fault?.code, late.fault?.where], ['unauthorized', 'stamp[0].exp']);
  assert.equal(wire.signed, before);
});

/** Do fn while the enclave has these credentials, and not those that the gateway sends. */
async function withCredentials(foreign, fn) {
  await wire.during({ toEnclave: (f) => (f.type === T.CREDENTIALS ? f.with({ message: foreign }) : undefined) }, async () => {
    assert.ok(!(await wire.ask(T.CREDENTIALS, foreign)).isFault, 'the enclave cannot know whose credentials they are');
    await forget();
    await fn();
  });
}

/** The enclave gets our credentials again, and is of service. */
async function ourCredentials() {
  const role = await roleCredentials(cloud);
  await wire.ask(T.CREDENTIALS, [role.AccessKeyId, role.SecretAccessKey, role.Token, 0]);
  await forget();
  await until(10000, 'service', async () => (await send('alice')).status === 200);
}

/** Forget the data keys, so that KMS is asked, of whom answers the relay's stream. */
async function forget() {
  assert.ok(!(await wire.ask(T.LOCK, [''])).isFault);
  a.e.relay.cut();
}

await test('KMS of another account: the same authority, name, and key id, and what it answers', async () => {
  const dir = join(scratch(), 'b');
  mkdirSync(dir);
  for (const name of ['ca.pem', 'ca-key.pem', 'server.pem', 'server-key.pem', 'nsm-root.pem', 'nsm-root-key.pem']) cpSync(join(a.dir, 'cloud', name), join(dir, name));
  const other = await startDevcloud(dir, ['--account', '999988887777']);
  assert.equal(other.account_id, '999988887777');
  const theirs = await createKey(other);
  const allow = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }] });
  await other.kms.send(new PutKeyPolicyCommand({ KeyId: theirs, PolicyName: 'default', Policy: allow, BypassPolicyLockoutSafetyCheck: true }));
  a.e.relay.handle = (socket) => a.e.relay.through(socket, 'localhost', Number(new URL(other.devcloud).port));
  await forget();
  await refused('with our credentials', () => send('alice'), undefined, 'credentials_unavailable', '', { cause: /^UnrecognizedClientException$/ });
  const role = await roleCredentials(other);
  const context = { 'adyton:deployment': deployment, 'adyton:purpose': 'data-key', 'adyton:tenant': 'default' };
  const { CiphertextBlob } = await other.kms.send(new GenerateDataKeyCommand({ KeyId: theirs, KeySpec: 'AES_256', EncryptionContext: context }));
  // the data key is of that account, for our tenant, and its owner may know it
  const record = JSON.stringify({ ...keys.alice.record, data_key: Buffer.from(CiphertextBlob).toString('base64') });
  await withCredentials([role.AccessKeyId, role.SecretAccessKey, role.Token, 0], async () => {
    const cause = /^(NotFoundException|AccessDeniedException|IncorrectKeyException|InvalidCiphertextException)$/;
    await refused('with its own', () => send('alice'), undefined, 'kms_refused', '', { cause });
    await refused('with a data key of its own', () => send('alice'), asRecord(record), 'kms_refused', '', { cause });
    other.faults([{ target: 'TrentService.Decrypt', error: 'DependencyTimeoutException', status: 200 }]);
    await refused('with an error that says 200', () => send('alice'), undefined, 'kms_reply_invalid', 'KeyId');
    other.faults([]);
  });
  a.e.relay.handle = a.e.relay.through;
  await ourCredentials();
});

await test('KMS reply with another KeyId, and a CMS that the parent made for the document that it saw', async () => {
  for (const [what, fault, code, where] of [
    ['another key of the account', { wrong_key_id: true }, 'kms_reply_invalid', 'KeyId'],
    ["another account's key", { wrong_key_id: keyArn.replace(cloud.account_id, '999988887777') }, 'kms_reply_invalid', 'KeyId'],
    ['a bit of the CMS', { bad_cms: true }, 'kms_reply_invalid', 'CiphertextForRecipient'],
    ['a data key that the parent chose', { forge_cms: r.bytes(32).toString('base64') }, 'record_mismatch', 'record.ciphertext'],
    ['a data key that is too short', { forge_cms: r.bytes(31).toString('base64') }, 'key_malformed', 'record.data_key'],
    ['another key and a CMS of its own', { wrong_key_id: true, forge_cms: r.bytes(32).toString('base64') }, 'kms_reply_invalid', 'KeyId'],
    ['a plaintext beside it', { plaintext: r.bytes(32).toString('base64') }, 'kms_reply_invalid', 'Plaintext'],
  ]) {
    await forget();
    cloud.faults([{ target: 'TrentService.Decrypt', ...fault }]);
    await refused(what, () => send('alice'), undefined, code, where);
  }
  cloud.faults([]);
  await forget();
  await signs('alice');
});

await test('foreign credentials: none of them gets a key opened, and ours do again', async () => {
  for (const [what, c, cause] of [
    ['of nobody', ['ASIAUNKNOWN000000000', 'x'.repeat(40), 'token', 0], /^UnrecognizedClientException$/],
    ['with another secret', null, /^(InvalidSignatureException|IncompleteSignatureException)$/],
    ['of the administrator', [cloud.access_key_id, cloud.secret_access_key, '', 0], /^AccessDeniedException$/],
  ]) {
    const role = await roleCredentials(cloud);
    const code = what === 'of the administrator' ? 'kms_refused' : 'credentials_unavailable';
    await withCredentials(c ?? [role.AccessKeyId, 'x'.repeat(40), role.Token, 0], () => refused(what, () => send('alice'), undefined, code, '', { cause }));
  }
  await ourCredentials();
});

await test('after all of it the enclave is the process it was, and each key signs', async () => {
  assert.equal(a.e.child.exitCode, null);
  for (const id of ['alice', 'bob', 'lax', 'beta']) await signs(id);
});

await done();
