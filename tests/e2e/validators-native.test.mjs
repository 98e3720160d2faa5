// SPDX-License-Identifier: Apache-2.0
// Validators beyond Web3Signer's interface: the strict route by id, stamps and approvals on duties, keys of direct
// records and keys that were imported, payloads as large as blocks, and a high watermark.
import assert from 'node:assert/strict';
import { PublicKey, SecretKey, Signature, verify } from '@chainsafe/blst';
import { EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { ssz } from '@lodestar/types';
import { test, done, random } from './lib/tap.mjs';
import { request } from './lib/stack.mjs';
import { clientOptions } from './lib/aws.mjs';
import { startGateway } from './lib/gateway.mjs';
import { sealImport } from './lib/import.mjs';
import { FORKS, randomDuty, signingRoot, versionOf } from './lib/duties.mjs';
import { SLOTS, attestation, block, epochNow, fastNetwork, forkInfo, freshStates, makeKeys, sign, slotNow, startValidators, untilSlot } from './lib/validators.mjs';
import { generateKey, stamp } from '../../clients/js/index.js';

const r = random();
const gloas = { forks: FORKS.map((_, i) => ({ version: versionOf(i), epoch: '0' })) };
const s = await startValidators({ network: fastNetwork(gloas) });
const info = { fork: { previous_version: versionOf(7), current_version: versionOf(7), epoch: '0' }, genesis_validators_root: s.network.genesis_validators_root };
const [v] = await makeKeys(s, 1);
const randao = (epoch = '7') => ({ type: 'RANDAO_REVEAL', fork_info: info, randao_reveal: { epoch } });
const randaoRoot = (epoch = 7) => signingRoot(ssz.Epoch.hashTreeRoot(epoch), '0x02000000', versionOf(7), s.network.genesis_validators_root);
const verifies = (pubkey, root, signature) => verify(Buffer.from(root), PublicKey.fromHex(pubkey, true), Signature.fromHex(signature, true));
const duty = (id, body, { gateway = s.gateway, headers = {} } = {}) => request(`${gateway}/v1/keys/${encodeURIComponent(id)}/duty`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers }, agent: s.gatewayAgent });
const refused = (answer, status, code, where) => assert.deepEqual([answer.status, answer.json?.code, answer.json?.where ?? ''], [status, code, where], answer.body);

await test('a duty by the id of the key: the same signature as by its public key', async () => {
  const native = await duty(v.id, randao());
  assert.equal(native.status, 200, native.body);
  assert.deepEqual(native.json, (await sign(s, v.pubkey, randao())).json);
  assert.ok(verifies(v.pubkey, randaoRoot(), native.json.signature));
});

await test('the native route is strict: what the other ignores is refused by name', async () => {
  assert.equal((await sign(s, v.pubkey, { ...randao(), extra: 1 })).status, 200);
  refused(await duty(v.id, { ...randao(), extra: 1 }), 400, 'field_unknown', 'extra');
  refused(await duty(v.id, { ...randao(), fork_info: { ...info, more: 1 } }), 400, 'field_unknown', 'fork_info');
  refused(await duty(v.id, { ...randao(), signingRoot: r.hex(32) }), 400, 'signing_root_mismatch', 'signingRoot');
  refused(await duty('nobody', randao()), 404, 'not_found', '');
  refused(await duty('a\x01', randao()), 400, 'field_invalid', 'id');
  await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id: 'coins' } });
  refused(await duty('coins', randao()), 403, 'denied', 'record.curve');
  refused(await duty(v.id, attestation(s, 1, 2)), 400, 'field_invalid', 'fork_info.fork');
});

await test('GENERIC is not signed: nobody can read what a root stands for', async () => {
  const generic = { type: 'GENERIC', fork_info: info, signing_data: { object_root: r.hex(32), domain: r.hex(32) } };
  refused(await duty(v.id, generic), 400, 'field_invalid', 'type');
  const no = await sign(s, v.pubkey, generic);
  assert.equal(no.status, 400);
  assert.match(no.json.message, /type: /);
});

const alice = await generateKey('ed25519');
const bob = await generateKey('p256');
const mallory = await generateKey('ed25519');
const make = async (id, options) => {
  const answer = await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id, curve: 'bls12-381', ...options } });
  assert.equal(answer.status, 201, answer.body);
  return answer.json.public_key;
};
const stamped = async (id, body, keys) => ({ 'x-adyton-stamp': (await Promise.all(keys.map((k) => stamp(k, { key: id, deployment: 'dev', body })))).join(',') });

await test('a validator whose record names callers signs what one of them has stamped', async () => {
  const pubkey = await make('stamped', { callers: [alice.name] });
  const body = JSON.stringify(randao());
  refused(await duty('stamped', body), 401, 'unauthorized', 'stamp');
  refused(await duty('stamped', body, { headers: await stamped('stamped', body, [mallory]) }), 401, 'unauthorized', 'stamp');
  refused(await duty('stamped', JSON.stringify(randao('8')), { headers: await stamped('stamped', body, [alice]) }), 401, 'unauthorized', 'stamp[0].body');
  refused(await duty('stamped', body, { headers: await stamped('another', body, [alice]) }), 401, 'unauthorized', 'stamp[0].key');
  const headers = await stamped('stamped', body, [alice]);
  const yes = await duty('stamped', body, { headers });
  assert.equal(yes.status, 200, yes.body);
  assert.ok(verifies(pubkey, randaoRoot(), yes.json.signature));
  assert.equal((await duty('stamped', body, { headers })).status, 200, 'the same request may be sent again');
  const w3s = await sign(s, pubkey, body, { headers: { accept: 'application/json', 'content-type': 'application/json', ...(await stamped('stamped', body, [alice])) } });
  assert.deepEqual(w3s.json, yes.json, 'and by Web3Signer\'s route');
  assert.equal((await sign(s, pubkey, body)).status, 401);
});

await test('a policy may ask for approvals before an exit, and for nothing else', async () => {
  const rules = [
    { name: 'exit', effect: 'allow', when: { kind: 'duty', duty: ['VOLUNTARY_EXIT'] }, approvals: { need: 2, of: [alice.name, bob.name] } },
    { name: 'duties', effect: 'allow', when: { kind: 'duty', duty: ['RANDAO_REVEAL'] } },
  ];
  const pubkey = await make('careful', { policy: { policy: 1, rules } });
  const body = JSON.stringify({ type: 'VOLUNTARY_EXIT', fork_info: info, voluntary_exit: { epoch: '3', validator_index: '9' } });
  assert.equal((await duty('careful', randao())).status, 200);
  refused(await duty('careful', body), 403, 'denied', 'policy.rules[0]');
  refused(await duty('careful', body, { headers: await stamped('careful', body, [alice]) }), 403, 'denied', 'policy.rules[0]');
  const yes = await duty('careful', body, { headers: await stamped('careful', body, [alice, bob]) });
  assert.equal(yes.status, 200, yes.body);
  const root = signingRoot(ssz.phase0.VoluntaryExit.hashTreeRoot({ epoch: 3, validatorIndex: 9 }), '0x04000000', versionOf(3), s.network.genesis_validators_root);
  assert.ok(verifies(pubkey, root, yes.json.signature), 'with Capella\'s version');
});

/** Wait until an attestation from now on is behind the start of the enclave's memory of a key. */
async function firstUse(keys) {
  await freshStates(s, keys);
  for (const k of keys) assert.equal((await sign(s, k.pubkey, at(epochNow(s) - 1, epochNow(s)))).status, 412);
  await untilSlot(s, (epochNow(s) + 2) * SLOTS);
}
const at = (source, target, head) => ({ ...attestation(s, source, target, head), fork_info: info });
const attRoot = (a) => signingRoot(ssz.phase0.AttestationData.hashTreeRoot(ssz.phase0.AttestationData.fromJson(a.attestation)), '0x01000000', versionOf(7), s.network.genesis_validators_root);

async function attestsOnce(k) {
  const target = epochNow(s);
  const one = at(target - 1, target, r.hex(32));
  const yes = await sign(s, k.pubkey, one);
  assert.equal(yes.status, 200, yes.body);
  assert.ok(verifies(k.pubkey, attRoot(one), yes.json.signature));
  assert.deepEqual((await duty(k.id, one)).json, yes.json);
  refused(await duty(k.id, at(target - 1, target, r.hex(32))), 412, 'slashing_refused', '');
}

await test('a direct record, whose key KMS itself decrypts each time, attests once an epoch', async () => {
  const secret = SecretKey.fromKeygen(r.bytes(32));
  const pubkey = secret.toPublicKey().toHex();
  const kms = new KMSClient(clientOptions(s));
  const record = { adyton: 1, id: 'direct', tenant: 'default', curve: 'bls12-381', public_key: pubkey };
  const context = { 'adyton:curve': 'bls12-381', 'adyton:id': 'direct', 'adyton:public-key': pubkey, 'adyton:tenant': 'default' };
  const put = async (name, key) => {
    const c = { ...context, 'adyton:id': name };
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: s.key_arn, Plaintext: key, EncryptionContext: c }));
    const answer = await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { record: { ...record, id: name, wrapping: 'direct', ciphertext: Buffer.from(CiphertextBlob).toString('base64') } } });
    assert.equal(answer.status, 201, answer.body);
  };
  await put('direct', secret.toBytes());
  const k = { id: 'direct', pubkey };
  await firstUse([k]);
  await attestsOnce(k);
  const hexed = await duty('direct', randao());
  assert.ok(verifies(pubkey, randaoRoot(), hexed.json.signature));
  // a ciphertext of another key: the public key is derived again and compared
  await put('direct-other', SecretKey.fromKeygen(r.bytes(32)).toBytes());
  refused(await duty('direct-other', randao()), 422, 'record_mismatch', 'record.public_key');
});

await test('a key that was sealed to the enclave attests; one that is no key of the curve is refused', async () => {
  const document = Buffer.from((await request(`${s.gateway}/v1/import-key`)).json.document, 'base64');
  const marker = Buffer.from('public_key');
  const where = document.lastIndexOf(marker) + marker.length;
  assert.equal(document.readUInt16BE(where), 0x5820, 'a byte string of 32 in the payload');
  const importKey = document.subarray(where + 2, where + 34);
  const bring = async (id, bytes) => {
    const options = JSON.stringify({ id, curve: 'bls12-381' });
    const { enc, sealed } = await sealImport(importKey, bytes, { curve: 'bls12-381', options });
    return request(`${s.gateway}/v1/keys`, { method: 'POST', body: { curve: 'bls12-381', options, enc: enc.toString('base64'), sealed: sealed.toString('base64') } });
  };
  const secret = SecretKey.fromKeygen(r.bytes(32));
  const raw = await bring('brought', secret.toBytes());
  assert.equal(raw.status, 201, raw.body);
  assert.equal(raw.json.public_key, secret.toPublicKey().toHex());
  const text = await bring('brought-hex', Buffer.from(SecretKey.fromKeygen(r.bytes(32)).toHex().replace(/^0x/, '')));
  assert.equal(text.status, 201, text.body);
  const k = { id: 'brought', pubkey: raw.json.public_key };
  await firstUse([k]);
  await attestsOnce(k);
  refused(await bring('zero', Buffer.alloc(32)), 422, 'key_out_of_range', '');
  refused(await bring('order', Buffer.from('73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001', 'hex')), 422, 'key_out_of_range', '');
});

/** An envelope whose payload has transactions of so many bytes. */
function envelope(lengths) {
  const d = randomDuty(r, 'EXECUTION_PAYLOAD_ENVELOPE', 7);
  const type = ssz.gloas.ExecutionPayloadEnvelope;
  const value = type.fromJson(d.request.execution_payload_envelope.data);
  value.payload.transactions = lengths.map((n) => Uint8Array.from(r.bytes(n)));
  const body = { type: 'EXECUTION_PAYLOAD_ENVELOPE', fork_info: info, execution_payload_envelope: { version: 'GLOAS', data: type.toJson(value) } };
  return { body: JSON.stringify(body), root: signingRoot(type.hashTreeRoot(value), '0x0b000000', versionOf(7), s.network.genesis_validators_root) };
}

await test('payloads as large as full blocks are signed, by several at once', async () => {
  for (const lengths of [Array(250).fill(700), Array(4000).fill(110), [131072, 131072, ...Array(900).fill(1500)], Array(1500).fill(2400)]) {
    const { body, root } = envelope(lengths);
    const yes = await duty(v.id, body);
    assert.equal(yes.status, 200, `${body.length} bytes: ${yes.body.slice(0, 300)}`);
    assert.ok(verifies(v.pubkey, root, yes.json.signature), `${body.length} bytes`);
  }
  const many = Array.from({ length: 8 }, () => envelope(Array(1200).fill(2500)));
  const answers = await Promise.all(many.map(({ body }) => sign(s, v.pubkey, body)));
  answers.forEach((a, i) => {
    assert.equal(a.status, 200, a.body.slice(0, 300));
    assert.ok(verifies(v.pubkey, many[i].root, a.json.signature));
  });
});

await test('beyond 8 MiB is refused, and so are too many values, and the enclave goes on', async () => {
  const huge = await duty(v.id, envelope(Array(40).fill(110000)).body);
  refused(huge, 413, 'too_large', 'body');
  const values = await duty(v.id, envelope(Array(20000).fill(1)).body);
  refused(values, 413, 'too_large', '');
  assert.equal((await duty(v.id, randao())).status, 200);
});

await test('above a high watermark nothing is signed that can be slashed for', async () => {
  const [k] = await makeKeys(s, 1, 'high');
  await freshStates(s, [k]);
  await sign(s, k.pubkey, at(epochNow(s) - 1, epochNow(s)));
  await untilSlot(s, (epochNow(s) + 2) * SLOTS);
  const [epoch, slot] = [epochNow(s), slotNow(s)];
  const g = await startGateway(s, { validators: { states: `sqlite:${s.dir}/states.db`, high_watermark: { slot, epoch } } });
  assert.deepEqual((await request(`${g.gateway}/api/v1/eth2/highWatermark`)).json, { epoch: String(epoch), slot: String(slot) });
  const no = await sign(s, k.pubkey, at(epoch - 1, epoch), g);
  assert.equal(no.status, 412, no.body);
  assert.match(no.json.message, /high watermark/);
  const later = { ...block(s, slotNow(s)), fork_info: info };
  later.beacon_block.version = 'GLOAS';
  assert.match((await sign(s, k.pubkey, later, g)).json.message, /high watermark/);
  assert.equal((await sign(s, k.pubkey, randao(), g)).status, 200);
  assert.equal((await sign(s, k.pubkey, at(epoch - 1, epoch))).status, 200, 'the gateway without one signs it');
  assert.deepEqual((await request(`${s.gateway}/api/v1/eth2/highWatermark`)).json, {});
  await g.stop();
});

await done();
