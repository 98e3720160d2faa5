// SPDX-License-Identifier: Apache-2.0
// Stamps through the whole stack, made by clients/js (WebCrypto), by `adyton stamp`, and by an authenticator of WebAuthn
// that is written here with node:crypto; and what a parent can do with those that it sees.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign as cryptoSign, webcrypto } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, done } from './lib/tap.mjs';
import { awsEnv, bin, request, run, scratch, startStack } from './lib/stack.mjs';
import { generateKey, keyName, readKeyFile, sign, stamp, stampInput, webauthnChallenge, webauthnName, webauthnStamp } from '../../clients/js/index.js';

const s = await startStack();
const dir = scratch();
const env = awsEnv(s);
const adyton = (...args) => run(`${bin}/adyton`, args, { env });
const create = (id, ...args) => {
  const p = adyton('key', 'create', id, ...args);
  assert.equal(p.status, 0, p.stderr);
};
const body = JSON.stringify({ message: { text: 'Zahlung – 5 €' } });
const deployment = 'dev';

/** Send bytes with stamps to the gateway. */
const send = (key, stamps, bytes = body) =>
  request(`${s.gateway}/v1/keys/${encodeURIComponent(key)}/sign`, { method: 'POST', body: bytes, headers: { 'content-type': 'application/json', ...(stamps.length && { 'x-adyton-stamp': stamps.join(',') }) }, agent: s.gatewayAgent });
const refused = (answer, code, where, detail) => {
  assert.deepEqual([answer.json?.code, answer.json?.where], [code, where], answer.body);
  assert.match(answer.json.detail, detail);
};

const alice = await generateKey('ed25519');
const bob = await generateKey('p256');
const mallory = await generateKey('ed25519');

/** An authenticator: a P-256 key that signs as WebAuthn says. */
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const passkeyPublic = await webcrypto.subtle.importKey('jwk', pair.publicKey.export({ format: 'jwk' }), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']);
const passkey = await webauthnName('wallet.example', passkeyPublic);
async function assertion(input, { flags = 5, rp = 'wallet.example', type = 'webauthn.get' } = {}) {
  const clientDataJSON = Buffer.from(JSON.stringify({ type, challenge: Buffer.from(await webauthnChallenge(input)).toString('base64url'), origin: 'https://wallet.example', crossOrigin: false }));
  const authenticatorData = Buffer.concat([createHash('sha256').update(rp).digest(), Buffer.from([flags, 0, 0, 0, 9])]);
  const signature = cryptoSign('sha256', Buffer.concat([authenticatorData, createHash('sha256').update(clientDataJSON).digest()]), pair.privateKey);
  return webauthnStamp(input, { signature, authenticatorData, clientDataJSON });
}

create('stamped', '--caller', alice.name, '--caller', bob.name, '--caller', passkey);
create('team/other', '--caller', alice.name);
create('theirs', '--tenant', 'them', '--caller', alice.name);
create('open', '--caller', 'gateway', '--caller', alice.name);
create('plain');
const of = (over = {}) => ({ key: 'stamped', deployment, body, ...over });

await test('each kind of key stamps a request of a record that names it', async () => {
  const input = await stampInput(passkey, of());
  for (const st of [await stamp(alice, of()), await stamp(bob, of()), await assertion(input)]) {
    const answer = await send('stamped', [st]);
    assert.equal(answer.status, 200, answer.body);
  }
  const answer = await sign(s.gateway, [alice], { key: 'team/other', deployment, body: { message: { text: 'x' } } });
  assert.equal(answer.status, 200, JSON.stringify(answer));
});

await test('without a stamp of a caller nothing is signed, unless the record names the gateway', async () => {
  refused(await send('stamped', []), 'unauthorized', 'stamp', /needs the stamp of one of its callers/);
  refused(await send('stamped', [await stamp(mallory, of())]), 'unauthorized', 'stamp', /needs the stamp of one of its callers/);
  assert.equal((await send('open', [])).status, 200);
  assert.equal((await send('plain', [])).status, 200);
});

await test('a stamp is for one deployment, tenant, key, operation, and body, byte for byte', async () => {
  for (const [over, where] of [
    [{ deployment: 'prod' }, 'stamp[0].aud'],
    [{ tenant: 'them' }, 'stamp[0].tenant'],
    [{ key: 'team/other' }, 'stamp[0].key'],
    [{ op: 'create' }, 'stamp[0].op'],
    [{ body: body.replace('5', '6') }, 'stamp[0].body'],
    [{ body: body + ' ' }, 'stamp[0].body'],
    [{ life: 61 }, 'stamp[0].exp'],
    [{ now: Date.now() - 61000 }, 'stamp[0].exp'],
    [{ now: Date.now() + 40000 }, 'stamp[0].iat'],
    [{ id: 'a b' }, 'stamp[0].id'],
  ]) {
    const answer = await send('stamped', [await stamp(alice, of(over))]);
    assert.deepEqual([answer.status, answer.json.code, answer.json.where], [401, 'unauthorized', where], answer.body);
  }
  refused(await send('theirs', [await stamp(alice, of({ key: 'theirs' }))]), 'unauthorized', 'stamp[0].tenant', /another tenant/);
  assert.equal((await send('theirs', [await stamp(alice, of({ key: 'theirs', tenant: 'them' }))])).status, 200);
});

await test('an altered body, and an altered stamp, are refused', async () => {
  const good = await stamp(alice, of());
  refused(await send('stamped', [good], body.replace('5', '6')), 'unauthorized', 'stamp[0].body', /SHA-256/);
  const forged = good.replace(/\.(..)/, (_, x) => `.${x === 'AA' ? 'BB' : 'AA'}`);
  refused(await send('stamped', [forged]), 'unauthorized', 'stamp[0].signature', /not the key's signature/);
  const [claims, signature] = (await stamp(mallory, of())).split('.');
  const said = JSON.parse(Buffer.from(claims, 'base64url'));
  const lie = Buffer.from(JSON.stringify({ ...said, by: alice.name })).toString('base64url');
  refused(await send('stamped', [`${lie}.${signature}`]), 'unauthorized', 'stamp[0].signature', /not the key's signature/);
});

await test('the same stamp and body: the same answer; the same id and another body: refused', async () => {
  const id = 'payment-1';
  const first = await stamp(alice, of({ id }));
  const one = await send('stamped', [first]);
  const two = await send('stamped', [first]);
  assert.equal(one.status, 200, one.body);
  assert.deepEqual([two.status, two.json.signature], [200, one.json.signature], two.body);
  const other = body.replace('5', '7');
  refused(await send('stamped', [await stamp(alice, of({ id, body: other }))], other), 'unauthorized', 'stamp[0].id', /used for another request/);
  assert.equal((await send('stamped', [await stamp(bob, of({ id, body: other }))], other)).status, 200, 'an id belongs to its key');
});

await test('what is refused uses up no stamp', async () => {
  const st = await stamp(alice, of({ id: 'kept', body: '{"message":{}}' }));
  assert.equal((await send('stamped', [st], '{"message":{}}')).json.code, 'field_missing');
  assert.equal((await send('stamped', [await stamp(alice, of({ id: 'kept' }))])).status, 200);
});

await test('WebAuthn: presence, verification, relying party and type are asked for', async () => {
  for (const [over, why] of [
    [{ flags: 1 }, /present and verified/],
    [{ flags: 4 }, /present and verified/],
    [{ rp: 'wallet.example.com' }, /another relying party/],
    [{ type: 'webauthn.create' }, /another type/],
  ]) refused(await send('stamped', [await assertion(await stampInput(passkey, of()), over)]), 'unauthorized', 'stamp[0].signature', why);
  const input = await stampInput(passkey, of());
  const other = await assertion(await stampInput(passkey, of({ body: 'x' })));
  refused(await send('stamped', [[input.slice(15), ...other.split('.').slice(1)].join('.')]), 'unauthorized', 'stamp[0].signature', /another challenge/);
});

await test('approvals of a policy: k of n stamps over the same body', async () => {
  const policy = join(dir, 'policy.json');
  writeFileSync(policy, JSON.stringify({ policy: 1, rules: [{ name: 'two of three', effect: 'allow', when: { kind: 'message' }, approvals: { need: 2, of: [alice.name, bob.name, passkey] } }] }));
  create('quorum', '--policy', policy);
  const q = of({ key: 'quorum' });
  refused(await send('quorum', []), 'denied', 'policy.rules[0]', /needs 2 approvals and has 0/);
  refused(await send('quorum', [await stamp(alice, q)]), 'denied', 'policy.rules[0]', /needs 2 approvals and has 1/);
  refused(await send('quorum', [await stamp(alice, q), await stamp(mallory, q)]), 'denied', 'policy.rules[0]', /has 1/);
  refused(await send('quorum', [await stamp(alice, q), await stamp(alice, q)]), 'unauthorized', 'stamp[1].by', /has stamped already/);
  assert.equal((await send('quorum', [await stamp(alice, q), await stamp(bob, q)])).status, 200);
  assert.equal((await send('quorum', [await assertion(await stampInput(passkey, q)), await stamp(bob, q)])).status, 200);
});

await test('adyton stamp keygen, stamp make and sign --stamp-key; their keys are those of the JavaScript client', async () => {
  for (const type of ['ed25519', 'p256']) {
    const file = join(dir, `${type}.key`);
    const made = adyton('stamp', 'keygen', '--type', type, '--output', file);
    assert.equal(made.status, 0, made.stderr);
    const name = made.stdout.trim();
    create(`by-${type}`, '--caller', name);
    const signed = adyton('sign', `by-${type}`, '--stamp-key', file, '--to', '0x3535353535353535353535353535353535353535', '--value', '1', '--nonce', '0', '--gas', '21000', '--chain', '1', '--max-fee', '2gwei', '--max-priority-fee', '1');
    assert.equal(signed.status, 0, signed.stderr);
    const without = adyton('sign', `by-${type}`, '--to', '0x3535353535353535353535353535353535353535', '--nonce', '0', '--gas', '21000', '--chain', '1', '--max-fee', '2gwei', '--max-priority-fee', '1');
    assert.equal(without.status, 1);
    assert.match(without.stderr, /needs the stamp/);
    const requestFile = join(dir, 'body.json');
    writeFileSync(requestFile, body);
    const st = adyton('stamp', 'make', `by-${type}`, '--request', requestFile, '--stamp-key', file);
    assert.equal((await send(`by-${type}`, [st.stdout.trim()])).status, 200, st.stderr);
    const key = await readKeyFile(readFileSync(file, 'utf8'), name);
    assert.equal((await send(`by-${type}`, [await stamp(key, of({ key: `by-${type}` }))])).status, 200);
  }
  for (const args of [['keygen'], ['keygen', '--output', 'x', '--type', 'rsa'], ['make'], ['make', 'id', '--request', 'x']]) assert.equal(adyton('stamp', ...args).status, 2);
  writeFileSync(join(dir, 'no.key'), 'x\n');
  assert.equal(adyton('stamp', 'make', 'id', '--request', join(dir, 'body.json'), '--stamp-key', join(dir, 'no.key')).status, 1);
  assert.equal(await keyName(bob.publicKey), bob.name);
});

await test('stamps without end are refused whole', async () => {
  const many = await Promise.all(Array.from({ length: 9 }, async () => stamp(await generateKey(), of({ key: 'plain' }))));
  refused(await send('plain', many), 'too_large', 'stamp', /more than 8/);
  refused(await send('stamped', ['x']), 'unauthorized', 'stamp[0]', /two parts, or four/);
});

await done();
