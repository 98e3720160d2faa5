// SPDX-License-Identifier: Apache-2.0
// Validators through the whole stack: keys made in the enclave, duties behind Web3Signer's interface,
// slashing protection whose states the gateway keeps in SQLite.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PublicKey, Signature, verify } from '@chainsafe/blst';
import { test, done, random, parallel } from './lib/tap.mjs';
import { bin, request, run } from './lib/stack.mjs';
import { startGateway } from './lib/gateway.mjs';
import { randomDuty, signingRoot, versionOf } from './lib/duties.mjs';
import { ssz } from '@lodestar/types';
import { SLOTS, attestation, block, epochNow, forkInfo, freshStates, interchange, makeKeys, sign, slotNow, startValidators, untilSlot } from './lib/validators.mjs';

const r = random();
const s = await startValidators();
const keys = await makeKeys(s, 6);
const [a, b, c, d, e] = keys;

const verifies = (pubkey, root, signature) => verify(Buffer.from(root), PublicKey.fromHex(pubkey, true), Signature.fromHex(signature, true));
const rootOf = (req) => {
  const [type, value] = req.attestation ? [ssz.phase0.AttestationData, req.attestation] : [ssz.phase0.BeaconBlockHeader, req.beacon_block.block_header];
  return signingRoot(type.hashTreeRoot(type.fromJson(value)), req.attestation ? '0x01000000' : '0x00000000', versionOf(6), s.network.genesis_validators_root);
};

await test('keys made in the enclave are listed', async () => {
  const got = await request(`${s.gateway}/api/v1/eth2/publicKeys`);
  assert.equal(got.status, 200);
  assert.deepEqual(got.json.sort(), keys.map((k) => k.pubkey).sort());
});

await test('a key without a state signs no block and no attestation, but what cannot be slashed for', async () => {
  const no = await sign(s, a.pubkey, attestation(s, epochNow(s), epochNow(s) + 1));
  assert.equal(no.status, 412, no.body);
  assert.match(no.json.message, /no slashing protection state/);
  const randao = { type: 'RANDAO_REVEAL', fork_info: forkInfo(s), randao_reveal: { epoch: '7' } };
  const yes = await sign(s, a.pubkey, randao);
  assert.equal(yes.status, 200, yes.body);
  const root = signingRoot(ssz.Epoch.hashTreeRoot(7), '0x02000000', versionOf(6), s.network.genesis_validators_root);
  assert.ok(verifies(a.pubkey, root, yes.json.signature));
});

await test('what is of the time before this enclave first used the key is refused, and signed after it', async () => {
  assert.equal((await freshStates(s, keys)).imported, keys.length);
  const early = attestation(s, epochNow(s) - 1, epochNow(s));
  const no = await sign(s, a.pubkey, early);
  assert.equal(no.status, 412);
  assert.match(no.json.message, /before this enclave first used the key/);
  for (const k of keys.slice(1)) await sign(s, k.pubkey, early);
  await untilSlot(s, (epochNow(s) + 2) * SLOTS);
  const now = attestation(s, epochNow(s) - 1, epochNow(s));
  const yes = await sign(s, a.pubkey, now);
  assert.equal(yes.status, 200, yes.body);
  assert.ok(verifies(a.pubkey, rootOf(now), yes.json.signature));
});

await test('the same attestation again gives the same signature; another of its epoch is refused', async () => {
  const target = epochNow(s);
  const first = attestation(s, target - 1, target, r.hex(32));
  const one = await sign(s, b.pubkey, first);
  assert.equal(one.status, 200, one.body);
  assert.equal((await sign(s, b.pubkey, first)).json.signature, one.json.signature);
  const other = await sign(s, b.pubkey, attestation(s, target - 1, target, r.hex(32)));
  assert.equal(other.status, 412);
  assert.equal(other.json.error, 'slashing_refused');
  assert.match(other.json.message, /this target or a later one/);
});

await test('of the future nothing is signed; nor a source that is not before its target', async () => {
  const future = await sign(s, c.pubkey, attestation(s, epochNow(s), epochNow(s) + 5));
  assert.equal(future.status, 412);
  assert.match(future.json.message, /future/);
  assert.match((await sign(s, c.pubkey, block(s, slotNow(s) + 5))).json.message, /future/);
  assert.match((await sign(s, c.pubkey, attestation(s, epochNow(s), epochNow(s)))).json.message, /not before the target/);
});

await test('blocks: one a slot', async () => {
  await untilSlot(s, slotNow(s) + 1);
  const slot = slotNow(s);
  const first = block(s, slot, r.hex(32));
  const one = await sign(s, c.pubkey, first);
  assert.equal(one.status, 200, one.body);
  assert.ok(verifies(c.pubkey, rootOf(first), one.json.signature));
  assert.equal((await sign(s, c.pubkey, first)).json.signature, one.json.signature);
  assert.equal((await sign(s, c.pubkey, block(s, slot, r.hex(32)))).status, 412);
});

await test('answers by Accept: JSON for who asks for it or for anything, text for others', async () => {
  const randao = { type: 'RANDAO_REVEAL', fork_info: forkInfo(s), randao_reveal: { epoch: '9' } };
  for (const [headers, type] of [[{ accept: 'application/json' }, 'application/json'], [{ accept: '*/*' }, 'application/json'], [{}, 'text/plain'], [{ accept: 'text/plain' }, 'text/plain']]) {
    const got = await sign(s, a.pubkey, randao, { headers });
    assert.equal(got.headers['content-type'], type);
    assert.match(type.startsWith('text') ? got.body : got.json.signature, /^0x[0-9a-f]{192}$/);
  }
});

await test('status codes are Web3Signer\'s: 400, 404, 412', async () => {
  const randao = { type: 'RANDAO_REVEAL', fork_info: forkInfo(s), randao_reveal: { epoch: '9' } };
  const expect = async (pubkey, body, status) => {
    const got = await sign(s, pubkey, body);
    assert.equal(got.status, status, got.body);
    assert.equal(got.json.code, status);
    assert.equal(typeof got.json.message, 'string');
    return got.json;
  };
  await expect('0x' + '11'.repeat(48), randao, 404);
  await expect('0x1234', randao, 404);
  await expect(a.pubkey, '{', 400);
  await expect(a.pubkey, { ...randao, type: 'GENERIC' }, 400);
  await expect(a.pubkey, { ...randao, fork_info: undefined }, 400);
  assert.equal((await expect(a.pubkey, { ...randao, signingRoot: r.hex(32) }, 400)).error, 'signing_root_mismatch');
  assert.equal((await expect(a.pubkey, { ...randao, signing_root: r.hex(32) }, 400)).error, 'signing_root_mismatch');
  const upper = '0X' + a.pubkey.slice(2).toUpperCase();
  assert.equal((await sign(s, upper, randao)).status, 200);
  assert.equal((await sign(s, a.pubkey.slice(2), randao)).status, 200);
});

await test('100 conflicting attestations at once: exactly one signature, whatever the gateway', async () => {
  const second = await startGateway(s);
  for (let round = 0; round < 4; round++) {
    await untilSlot(s, (epochNow(s) + 1) * SLOTS);
    const target = epochNow(s);
    const asked = Array.from({ length: 100 }, () => attestation(s, target - 1, target, r.hex(32)));
    const got = await Promise.all(asked.map((q, i) => sign(s, d.pubkey, q, { gateway: i % 2 ? second.gateway : s.gateway })));
    const signed = new Set(got.filter((g) => g.status === 200).map((g) => g.json.signature));
    assert.equal(signed.size, 1, `round ${round}: ${JSON.stringify(got.map((g) => g.status))}`);
    assert.ok(got.every((g) => g.status === 200 || g.status === 412), JSON.stringify(got.find((g) => g.status !== 200 && g.status !== 412)?.body));
  }
  await second.stop();
});

await test('an attestation for many keys in one request: each with its own answer', async () => {
  await untilSlot(s, (epochNow(s) + 1) * SLOTS);
  const target = epochNow(s);
  const signing_request = attestation(s, target - 1, target, r.hex(32));
  const got = await request(`${s.gateway}/api/v1/eth2/sign`, { method: 'POST', body: { identifiers: [...keys.map((k) => k.pubkey), '0x' + '22'.repeat(48)], signing_request } });
  assert.equal(got.status, 200, got.body);
  assert.equal(got.json.length, keys.length + 1);
  for (const [i, k] of keys.entries()) {
    assert.equal(got.json[i].identifier, k.pubkey);
    assert.ok(verifies(k.pubkey, rootOf(signing_request), got.json[i].signature), JSON.stringify(got.json[i]));
  }
  assert.equal(got.json.at(-1).error.code, 404);
  const block_ = await request(`${s.gateway}/api/v1/eth2/sign`, { method: 'POST', body: { identifiers: [a.pubkey], signing_request: block(s, slotNow(s)) } });
  assert.equal(block_.status, 400);
});

await test('random duties of every type are signed, and verify', async () => {
  const types = ['AGGREGATION_SLOT', 'AGGREGATE_AND_PROOF', 'AGGREGATE_AND_PROOF_V2', 'RANDAO_REVEAL', 'VOLUNTARY_EXIT', 'SYNC_COMMITTEE_MESSAGE', 'SYNC_COMMITTEE_SELECTION_PROOF', 'SYNC_COMMITTEE_CONTRIBUTION_AND_PROOF', 'VALIDATOR_REGISTRATION', 'DEPOSIT',
    'EXECUTION_PAYLOAD_BID', 'EXECUTION_PAYLOAD_ENVELOPE', 'PAYLOAD_ATTESTATION_MESSAGE', 'PROPOSER_PREFERENCES', 'BUILDER_REQUEST_AUTH'];
  const other = await startValidators({ network: { ...(await import('./lib/duties.mjs')).network } });
  const [k] = await makeKeys(other, 1);
  await parallel(16, Array.from({ length: 300 }, (_, i) => types[i % types.length]), async (type) => {
    const duty = randomDuty(r, type);
    const got = await sign(other, k.pubkey, duty.request);
    assert.equal(got.status, 200, `${got.body} for ${JSON.stringify(duty.request)}`);
    assert.ok(verifies(k.pubkey, Buffer.from(duty.root.slice(2), 'hex'), got.json.signature), type);
  });
  // For many keys at once: the types that the proposal names, and no others.
  const batch = (identifiers, signing_request) => request(`${other.gateway}/api/v1/eth2/sign`, { method: 'POST', body: { identifiers, signing_request } });
  for (const type of [...types, 'BLOCK', 'BLOCK_V2']) {
    const duty = randomDuty(r, type);
    const got = await batch([k.pubkey, k.pubkey.slice(2)], duty.request);
    if (['AGGREGATION_SLOT', 'RANDAO_REVEAL', 'SYNC_COMMITTEE_MESSAGE', 'SYNC_COMMITTEE_SELECTION_PROOF'].includes(type)) {
      assert.equal(got.status, 200, got.body);
      for (const one of got.json) assert.ok(verifies(k.pubkey, Buffer.from(duty.root.slice(2), 'hex'), one.signature), type);
    } else {
      assert.equal(got.status, 400, `${type}: ${got.body}`);
    }
  }
  const some = randomDuty(r, 'RANDAO_REVEAL').request;
  for (const identifiers of [[], Array(4097).fill(k.pubkey), 'x', [7]]) assert.equal((await batch(identifiers, some)).status, 400, JSON.stringify(identifiers).slice(0, 40));
  await other.stop();
});

await test('an import raises and never lowers; the file is checked whole first', async () => {
  const post = (data, query = '') => request(`${s.gateway}/v1/slashing${query}`, { method: 'POST', body: interchange(s, data) });
  const entry = (k, target) => ({ pubkey: k.pubkey, signed_blocks: [], signed_attestations: [{ source_epoch: '1', target_epoch: String(target) }] });
  const check = await post([entry(e, 5)], '?check=1');
  assert.deepEqual(check.json, { validators: 1, blocks: 0, attestations: 1 });
  const bad = await post([entry(e, 99999999), { ...entry(e, 5), signed_blocks: [{ slot: 'x' }] }]);
  assert.equal(bad.status, 400);
  assert.match(bad.json.where, /data\[1\]\.signed_blocks\[0\]\.slot/);
  assert.equal((await post([entry(e, 5)])).json.imported, 1); // far below what was signed: nothing changes
  await untilSlot(s, (epochNow(s) + 1) * SLOTS);
  const target = epochNow(s);
  assert.equal((await sign(s, e.pubkey, attestation(s, target - 1, target))).status, 200);
  assert.equal((await post([entry(e, target + 1000)])).json.imported, 1);
  await untilSlot(s, (target + 1) * SLOTS);
  assert.equal((await sign(s, e.pubkey, attestation(s, target, target + 1))).status, 412);
  const foreign = await request(`${s.gateway}/v1/slashing`, { method: 'POST', body: { ...interchange(s, [entry(e, 5)]), metadata: { interchange_format_version: '5', genesis_validators_root: '0x' + '11'.repeat(32) } } });
  assert.equal(foreign.json.failed.length, 1);
  assert.match(foreign.json.failed[0].message, /network/);
});

await test('an export has the highest of each key, and can be imported', async () => {
  const got = await request(`${s.gateway}/v1/slashing`);
  assert.equal(got.status, 200);
  assert.equal(got.json.metadata.genesis_validators_root, s.network.genesis_validators_root);
  assert.deepEqual(got.json.data.map((x) => x.pubkey).sort(), keys.map((k) => k.pubkey).sort());
  const check = await request(`${s.gateway}/v1/slashing?check=1`, { method: 'POST', body: got.json });
  assert.equal(check.json.validators, keys.length);
});

await test('adyton slashing: check, import, show, export', async () => {
  const dir = s.dir;
  const cli = (...args) => run(join(bin, 'adyton'), ['slashing', ...args], { env: { ADYTON_GATEWAY: s.gateway } });
  const file = join(dir, 'history.json');
  assert.equal(cli('export', '--copy', '--out', file).status, 0);
  const data = JSON.parse(readFileSync(file, 'utf8')).data;
  assert.equal(data.length, keys.length);
  assert.match(cli('import', file, '--check').stdout, new RegExp(`^good: ${keys.length} validators`));
  assert.match(cli('import', file).stdout, new RegExp(`^imported +${keys.length} validators`));
  const shown = cli('show', a.pubkey).stdout.trim().split('\n');
  assert.equal(shown.length, 2);
  const mine = data.find((x) => x.pubkey === a.pubkey).signed_attestations[0];
  assert.deepEqual(shown[1].split(/ +/), [a.pubkey, '-', mine.source_epoch, mine.target_epoch]);
  writeFileSync(file, JSON.stringify(interchange(s, [{ pubkey: a.pubkey, signed_blocks: [{ slot: '-1' }], signed_attestations: [] }])));
  const bad = cli('import', file, '--check');
  assert.notEqual(bad.status, 0);
  assert.match(bad.stderr, /data\[0\]\.signed_blocks\[0\]\.slot/);
  writeFileSync(file, JSON.stringify(interchange(s, [{ pubkey: '0x' + '33'.repeat(48), signed_blocks: [], signed_attestations: [] }])));
  const nobody = cli('import', file);
  assert.notEqual(nobody.status, 0);
  assert.match(nobody.stderr, /0x3333/);
});

await test('an export that retires: its keys sign nothing more that could be slashed for', async () => {
  const got = await request(`${s.gateway}/v1/slashing?retire=1`);
  assert.equal(got.status, 200, got.body);
  await untilSlot(s, (epochNow(s) + 1) * SLOTS);
  const no = await sign(s, a.pubkey, attestation(s, epochNow(s) - 1, epochNow(s)));
  assert.equal(no.status, 412);
  assert.match(no.json.message, /exported or deleted/);
});

await done();
