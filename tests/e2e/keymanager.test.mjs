// SPDX-License-Identifier: Apache-2.0
// The Keymanager API through the whole stack, by Lodestar's own client of it (@lodestar/api): tokens, import with
// history, deletion with history, remote keys, settings, exits. (What is cut off or done at once:
// keymanager-atomic.test.mjs.)
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PublicKey, Signature, verify } from '@chainsafe/blst';
import { getClient } from '@lodestar/api/keymanager';
import { createChainForkConfig } from '@lodestar/config';
import { ssz } from '@lodestar/types';
import { test, done, random } from './lib/tap.mjs';
import { request, run, bin } from './lib/stack.mjs';
import { startGateway } from './lib/gateway.mjs';
import { startBeaconNode } from './lib/beacon-node.mjs';
import { randomKeystore, randomKeystores } from './lib/keystores.mjs';
import { signingRoot, versionOf } from './lib/duties.mjs';
import { SLOTS, attestation, block, epochNow, forkInfo, interchange, sign, slotNow, startValidators, untilSlot } from './lib/validators.mjs';

const r = random();
const s = await startValidators();
const validators = { states: `sqlite:${join(s.dir, 'states.db')}` };
const indices = new Map();
const node = await startBeaconNode(s.network, indices, { path: '/prefix' });
const tokens = { default: join(s.dir, 'token'), other: join(s.dir, 'token-other') };
const start = (keymanager, more = {}) => startGateway(s, { validators: { ...validators, beacon: `${node.url}/`, ...more }, keymanager });
const g = await start({ token_file: tokens.default, token_files: { other: tokens.other }, fee_recipient: '0x' + '11'.repeat(20), gas_limit: 36000000 });
const tokenOf = (tenant) => readFileSync(tokens[tenant], 'utf8');
const config = createChainForkConfig({});
const clientOf = (token, gateway = g.gateway) => getClient({ baseUrl: gateway, globalInit: { bearerToken: token } }, { config });
const api = clientOf(tokenOf('default'));
const raw = (method, path, body, { token = tokenOf('default'), headers = {}, gateway = g.gateway } = {}) =>
  request(gateway + path, { method, body, headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers } });
const refused = (answer, status, text) => {
  assert.equal(answer.status, status, answer.body);
  assert.equal(answer.json.code, status);
  assert.match(answer.json.message, text);
};
const randao = { type: 'RANDAO_REVEAL', fork_info: forkInfo(s), randao_reveal: { epoch: '7' } };
const verifies = (pubkey, root, signature) => verify(Buffer.from(root), PublicKey.fromHex(pubkey, true), Signature.fromHex(signature, true));
const attRoot = (a) => signingRoot(ssz.phase0.AttestationData.hashTreeRoot(ssz.phase0.AttestationData.fromJson(a.attestation)), '0x01000000', versionOf(6), s.network.genesis_validators_root);
const history = (list) => JSON.stringify(interchange(s, list));
const entry = (pubkey, slot, source, target) => ({ pubkey, signed_blocks: [{ slot: String(slot) }], signed_attestations: [{ source_epoch: String(source), target_epoch: String(target) }] });
const statuses = (response) => response.value().map((x) => x.status);
const imports = (list, slashing) => api.importKeystores({ keystores: list.map((k) => k.keystore), passwords: list.map((k) => k.password), ...(slashing && { slashingProtection: slashing }) });
/** Wait until nothing is left of the time before a key was first used. */
const later = async () => untilSlot(s, (epochNow(s) + 2) * SLOTS);
const touch = (keys) => Promise.all(keys.map((k) => sign(s, k.pubkey, attestation(s, epochNow(s) - 1, epochNow(s)), g)));

await test('token files are made for their owner alone, of 256 bits, and kept', async () => {
  for (const file of Object.values(tokens)) {
    assert.match(readFileSync(file, 'utf8'), /^[0-9a-f]{64}$/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(!existsSync(`${file}.new`));
  }
  assert.notEqual(tokenOf('default'), tokenOf('other'));
  const again = await start({ token_file: tokens.default });
  assert.equal((await clientOf(tokenOf('default'), again.gateway).listKeys()).status, 200);
  await again.stop();
});

await test('without a token 401, with another 403, and where it is not configured there is no such page', async () => {
  for (const [method, path] of [['GET', '/eth/v1/keystores'], ['POST', '/eth/v1/keystores'], ['DELETE', '/eth/v1/keystores'], ['GET', '/eth/v1/remotekeys'], ['GET', `/eth/v1/validator/0x${'11'.repeat(48)}/gas_limit`], ['POST', `/eth/v1/validator/0x${'11'.repeat(48)}/voluntary_exit`]]) {
    refused(await raw(method, path, method === 'GET' ? undefined : {}, { token: null }), 401, /bearer token is required/);
    refused(await raw(method, path, method === 'GET' ? undefined : {}, { token: null, headers: { authorization: 'Basic eDp5' } }), 401, /bearer token is required/);
    refused(await raw(method, path, method === 'GET' ? undefined : {}, { token: '00'.repeat(32) }), 403, /not the right one/);
    refused(await raw(method, path, method === 'GET' ? undefined : {}, { token: tokenOf('default').slice(1) }), 403, /not the right one/);
    assert.equal((await raw(method, path, method === 'GET' ? undefined : {}, { gateway: s.gateway })).status, 404);
  }
  refused(await raw('GET', '/eth/v1/keystores', undefined, { headers: { origin: 'http://evil.example' } }), 403, /web pages/);
  refused(await raw('POST', '/eth/v1/keystores', 'x', { headers: { 'content-type': 'text/plain' } }), 400, /application\/json/);
  assert.equal((await raw('PATCH', '/eth/v1/keystores')).status, 405);
});

await test('a token file that cannot be used stops the start', async () => {
  const bad = join(s.dir, 'bad-token');
  const config = join(s.dir, 'bad.json');
  const attempt = (keymanager) => {
    writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(join(s.dir, 'gateway.json'), 'utf8')), listen: ['tcp:127.0.0.1:0'], relay: undefined, audit: undefined, validators, keymanager }));
    return run(`${bin}/adyton-gateway`, ['--config', config]);
  };
  for (const text of ['', 'short', '0'.repeat(63), 'g'.repeat(64), `${'0'.repeat(64)} x`]) {
    writeFileSync(bad, text);
    const p = attempt({ token_file: bad });
    assert.notEqual(p.status, 0, text);
    assert.match(p.stderr + p.stdout, /no token of at least 64 hex digits/);
  }
  assert.match(attempt({ token_file: join(s.dir, 'no/such/folder/token') }).stderr, /No such file/);
  writeFileSync(bad, tokenOf('default'));
  assert.match(attempt({ token_file: tokens.default, token_files: { b: bad } }).stderr, /token of another tenant/);
  for (const text of [`0x${'A'.repeat(64)}\n`, `api-token-0x${'b'.repeat(64)}`]) {
    writeFileSync(bad, text);
    chmodSync(bad, 0o644);
    const other = await start({ token_file: bad });
    assert.equal((await raw('GET', '/eth/v1/keystores', undefined, { token: text.trim(), gateway: other.gateway })).status, 200);
    assert.match(readFileSync(other.log, 'utf8'), /can be read by others/);
    await other.stop();
  }
});

const [a, b, c, d] = await randomKeystores(r, 4);

await test('Lodestar\'s client imports keystores with their history, lists them, and they sign', async () => {
  const target = epochNow(s);
  const marks = history([entry(a.pubkey, slotNow(s), target - 1, target), entry(a.pubkey, 3, 1, 2), { pubkey: b.pubkey, signed_blocks: [], signed_attestations: [] }, entry('0x' + '22'.repeat(48), 1, 1, 1)]);
  assert.deepEqual(statuses(await imports([a, b], marks)), ['imported', 'imported']);
  const listed = (await api.listKeys()).value();
  assert.deepEqual(listed.map((k) => k.validatingPubkey).sort(), [a.pubkey, b.pubkey].sort());
  assert.ok(listed.every((k) => k.readonly === false));
  for (const k of [a, b]) assert.equal((await sign(s, k.pubkey, randao, g)).status, 200);
});

await test('what the history says was signed is not signed again; what is above it is', async () => {
  await touch([a, b]);
  await later();
  const target = epochNow(s);
  const shown = (await request(`${g.gateway}/v1/slashing`)).json.data.find((x) => x.pubkey === a.pubkey);
  assert.ok(Number(shown.signed_attestations[0].target_epoch) > 2 && Number(shown.signed_blocks[0].slot) > 3, JSON.stringify(shown));
  for (const k of [a, b]) {
    const one = attestation(s, target - 1, target);
    const yes = await sign(s, k.pubkey, one, g);
    assert.equal(yes.status, 200, yes.body);
    assert.ok(verifies(k.pubkey, attRoot(one), yes.json.signature));
  }
  const high = await randomKeystore(r);
  assert.deepEqual(statuses(await imports([high], history([entry(high.pubkey, slotNow(s) + 100, epochNow(s) + 20, epochNow(s) + 21)]))), ['imported']);
  await touch([high]);
  await later();
  const no = await sign(s, high.pubkey, attestation(s, epochNow(s) - 1, epochNow(s)), g);
  assert.equal(no.status, 412, no.body);
  assert.match(no.json.message, /lower source|not above|lower|target/);
});

await test('a history of a key that is there is no new key, and raises its marks', async () => {
  const next = epochNow(s) + 1;
  assert.deepEqual(statuses(await imports([a], history([entry(a.pubkey, 1, next - 1, next)]))), ['duplicate']);
  await untilSlot(s, next * SLOTS);
  const no = await sign(s, a.pubkey, attestation(s, next - 1, next), g);
  assert.equal(no.status, 412, no.body);
  assert.match(no.json.message, /this target or a later one/);
  await untilSlot(s, (next + 1) * SLOTS);
  assert.equal((await sign(s, a.pubkey, attestation(s, next, next + 1), g)).status, 200);
});

await test('each keystore has its status: duplicate, wrong password, another format, another key inside', async () => {
  const v3 = JSON.stringify({ version: 3, id: 'x', crypto: {} });
  const lying = JSON.stringify({ ...JSON.parse(d.keystore), pubkey: c.pubkey.slice(2) });
  const nameless = JSON.stringify({ ...JSON.parse(d.keystore), pubkey: undefined });
  const answer = await raw('POST', '/eth/v1/keystores', {
    keystores: [a.keystore, c.keystore, c.keystore, v3, lying, nameless, '{', d.keystore],
    passwords: [a.password, 'wrong', c.password, 'x', d.password, d.password, 'x', d.password],
  });
  assert.equal(answer.status, 200, answer.body);
  assert.deepEqual(answer.json.data.map((x) => x.status), ['duplicate', 'error', 'duplicate', 'error', 'duplicate', 'error', 'error', 'imported'], answer.body);
  const messages = answer.json.data.map((x) => x.message ?? '');
  assert.match(messages[1], /password/i);
  assert.match(messages[3], /version 4/);
  assert.match(messages[5], /pubkey/);
  assert.match(messages[6], /version 4/);
  const other = await raw('POST', '/eth/v1/keystores', { keystores: [lying], passwords: [d.password] });
  assert.equal(other.json.data[0].status, 'error', other.body);
  assert.match(other.json.data[0].message, /another|not that/);
  assert.deepEqual(statuses(await imports([c])), ['imported'], 'the right password, later');
});

await test('a request that is wrong as a whole imports nothing', async () => {
  const k = await randomKeystore(r);
  const good = { keystores: [k.keystore], passwords: [k.password] };
  for (const [body, text] of [
    [{}, /keystores/], [{ keystores: [] }, /passwords/], [{ ...good, passwords: [] }, /as many/], [{ ...good, keystores: [1] }, /text/],
    [{ ...good, slashing_protection: '{' }, /^slashing_protection: a key is expected/], [{ ...good, slashing_protection: {} }, /text/],
    [{ ...good, slashing_protection: history([{ pubkey: k.pubkey, signed_blocks: [{ slot: 'x' }], signed_attestations: [] }]) }, /signed_blocks/],
    [{ ...good, slashing_protection: JSON.stringify({ ...interchange(s, []), metadata: { interchange_format_version: '4' } }) }, /version/],
    [{ keystores: Array(1001).fill('{}'), passwords: Array(1001).fill('x') }, /more than 1000/],
    [{ keystores: ['x'.repeat(20000)], passwords: ['x'] }, /16384/],
    ['[', /too early/],
  ]) refused(await raw('POST', '/eth/v1/keystores', body), 400, text);
  const foreign = await raw('POST', '/eth/v1/keystores', { ...good, slashing_protection: JSON.stringify({ metadata: { interchange_format_version: '5', genesis_validators_root: '0x' + '77'.repeat(32) }, data: [entry(k.pubkey, 1, 1, 1)] }) });
  assert.equal(foreign.json.data[0].status, 'error', foreign.body);
  assert.match(foreign.json.data[0].message, /network/);
  assert.ok(!(await api.listKeys()).value().some((x) => x.validatingPubkey === k.pubkey));
  assert.deepEqual(statuses(await imports([k])), ['imported']);
});

await test('deletion: each key has its status, the history that comes back is the last word, and may be asked for again', async () => {
  const target = epochNow(s);
  const yes = await sign(s, b.pubkey, attestation(s, target - 1, target, r.hex(32)), g);
  const unknown = '0x' + '33'.repeat(48);
  const answer = await api.deleteKeys({ pubkeys: [b.pubkey, unknown, b.pubkey, c.pubkey] });
  assert.equal(answer.status, 200);
  const { statuses: st, slashingProtection } = answer.value();
  assert.deepEqual(st.map((x) => x.status), ['deleted', 'not_found', 'not_active', 'deleted']);
  const file = JSON.parse(slashingProtection);
  assert.equal(file.metadata.genesis_validators_root, s.network.genesis_validators_root);
  assert.deepEqual(file.data.map((x) => x.pubkey).sort(), [b.pubkey, c.pubkey].sort());
  const mine = file.data.find((x) => x.pubkey === b.pubkey);
  assert.ok(Number(mine.signed_attestations[0].target_epoch) >= (yes.status === 200 ? target : target - 1));
  for (const body of [attestation(s, target, target + 1), block(s, slotNow(s)), randao]) assert.equal((await sign(s, b.pubkey, body, g)).status, 403);
  const again = (await api.deleteKeys({ pubkeys: [b.pubkey, c.pubkey] })).value();
  assert.deepEqual(again.statuses.map((x) => x.status), ['not_active', 'not_active'], JSON.stringify(again.statuses));
  assert.deepEqual(JSON.parse(again.slashingProtection).data.sort((x, y) => (x.pubkey < y.pubkey ? -1 : 1)), file.data.sort((x, y) => (x.pubkey < y.pubkey ? -1 : 1)));
  assert.ok(!(await api.listKeys()).value().some((x) => [b.pubkey, c.pubkey].includes(x.validatingPubkey)));
  const none = (await api.deleteKeys({ pubkeys: [unknown] })).value();
  assert.deepEqual([none.statuses[0].status, JSON.parse(none.slashingProtection).data], ['not_found', []]);
  refused(await raw('DELETE', '/eth/v1/keystores', { pubkeys: ['0x12'] }), 400, /no public key/);
  refused(await raw('DELETE', '/eth/v1/keystores', {}), 400, /pubkeys/);
});

await test('though its record is enabled by other means, a deleted key signs nothing that can be slashed for', async () => {
  const keys = (await request(`${g.gateway}/v1/keys?enabled=false`)).json.keys;
  const { id } = keys.find((k) => k.public_key === c.pubkey);
  assert.equal((await request(`${g.gateway}/v1/keys/${encodeURIComponent(id)}/enable`, { method: 'POST' })).status, 200);
  const no = await sign(s, c.pubkey, attestation(s, epochNow(s), epochNow(s) + 1), g);
  assert.equal(no.status, 412, no.body);
  assert.match(no.json.message, /exported or deleted/);
  assert.equal((await sign(s, c.pubkey, randao, g)).status, 200);
  assert.deepEqual((await api.deleteKeys({ pubkeys: [c.pubkey] })).value().statuses[0].status, 'deleted');
});

await test('a deleted key that is imported again with its history signs again, but nothing of before', async () => {
  const { slashingProtection } = (await api.deleteKeys({ pubkeys: [b.pubkey] })).value();
  const target = epochNow(s);
  assert.deepEqual(statuses(await imports([b], slashingProtection)), ['imported']);
  const no = await sign(s, b.pubkey, attestation(s, target - 1, target, r.hex(32)), g);
  assert.equal(no.status, 412, no.body);
  await later();
  const one = attestation(s, epochNow(s) - 1, epochNow(s), r.hex(32));
  const yes = await sign(s, b.pubkey, one, g);
  assert.equal(yes.status, 200, yes.body);
  assert.ok(verifies(b.pubkey, attRoot(one), yes.json.signature));
  assert.equal((await sign(s, b.pubkey, attestation(s, epochNow(s) - 1, epochNow(s), r.hex(32)), g)).status, 412);
});

await test('each token is of one tenant: the keys of others do not exist', async () => {
  const theirs = clientOf(tokenOf('other'));
  assert.deepEqual((await theirs.listKeys()).value(), []);
  const [mine] = await randomKeystores(r, 1);
  assert.deepEqual((await theirs.importKeystores({ keystores: [mine.keystore], passwords: [mine.password] })).value()[0].status, 'imported');
  assert.deepEqual((await theirs.listKeys()).value().map((k) => k.validatingPubkey), [mine.pubkey]);
  assert.ok(!(await api.listKeys()).value().some((k) => k.validatingPubkey === mine.pubkey));
  assert.equal((await api.deleteKeys({ pubkeys: [mine.pubkey] })).value().statuses[0].status, 'not_found');
  assert.equal((await api.getGasLimit({ pubkey: mine.pubkey })).status, 404);
  assert.equal((await sign(s, mine.pubkey, randao, g)).status, 200, 'still signs');
  const key = (await request(`${g.gateway}/v1/keys?tenant=other`)).json.keys[0];
  assert.deepEqual([key.tenant, key.id], ['other', `other/${mine.pubkey.slice(2)}`]);
});

await test('remote keys: there are none, and none are taken', async () => {
  assert.deepEqual((await api.listRemoteKeys()).value(), []);
  const put = (await api.importRemoteKeys({ remoteSigners: [{ pubkey: a.pubkey, url: 'http://x' }, { pubkey: b.pubkey, url: 'http://y' }] })).value();
  assert.deepEqual(put.map((x) => x.status), ['error', 'error']);
  assert.match(put[0].message, /asks no other signer/);
  assert.deepEqual((await api.deleteRemoteKeys({ pubkeys: [a.pubkey] })).value().map((x) => x.status), ['not_found']);
  refused(await raw('POST', '/eth/v1/remotekeys', {}), 400, /remote_keys/);
  assert.equal((await sign(s, a.pubkey, randao, g)).status, 200);
});

await test('fee recipient, gas limit and graffiti: the configured ones, one\'s own, and back; kept over restarts', async () => {
  const pubkey = a.pubkey;
  assert.equal((await api.listFeeRecipient({ pubkey })).value().ethaddress, '0x' + '11'.repeat(20));
  assert.equal((await api.getGasLimit({ pubkey })).value().gasLimit, 36000000);
  assert.equal((await api.getGraffiti({ pubkey })).status, 404, 'none is configured');
  const fee = '0x' + 'ab'.repeat(20);
  assert.equal((await api.setFeeRecipient({ pubkey, ethaddress: fee })).status, 202);
  assert.equal((await api.setGasLimit({ pubkey, gasLimit: 45000000 })).status, 202);
  assert.equal((await api.setGraffiti({ pubkey, graffiti: 'hällo "wörld"' })).status, 202);
  const again = await start({ token_file: tokens.default });
  const fresh = clientOf(tokenOf('default'), again.gateway);
  assert.equal((await fresh.listFeeRecipient({ pubkey })).value().ethaddress, fee);
  assert.equal((await fresh.getGasLimit({ pubkey })).value().gasLimit, 45000000);
  assert.equal((await fresh.getGraffiti({ pubkey })).value().graffiti, 'hällo "wörld"');
  assert.equal((await fresh.listFeeRecipient({ pubkey: b.pubkey })).status, 404, 'neither set nor configured there');
  assert.equal((await fresh.deleteFeeRecipient({ pubkey })).status, 204);
  assert.equal((await fresh.deleteGraffiti({ pubkey })).status, 204);
  assert.equal((await api.deleteGasLimit({ pubkey: b.pubkey })).status, 204, 'none was set');
  await again.stop();
  const third = await start({ token_file: tokens.default, fee_recipient: '0x' + '11'.repeat(20) });
  const last = clientOf(tokenOf('default'), third.gateway);
  assert.equal((await last.listFeeRecipient({ pubkey })).value().ethaddress, '0x' + '11'.repeat(20));
  assert.equal((await last.getGasLimit({ pubkey })).value().gasLimit, 45000000);
  await third.stop();
  assert.ok(!(await request(`${g.gateway}/v1/slashing`)).json.data.some((x) => x.pubkey === undefined || /^0x0{96}$/.test(x.pubkey)));
});

await test('settings at once from many clients: none is lost', async () => {
  const path = (name) => `/eth/v1/validator/${a.pubkey}/${name}`;
  await Promise.all(Array.from({ length: 20 }, (_, i) => [
    raw('POST', path('gas_limit'), { gas_limit: String(30000000 + i) }), raw('POST', path('graffiti'), { graffiti: `g${i}` }), raw('POST', path('feerecipient'), { ethaddress: '0x' + '2'.repeat(39) + (i % 10) }),
  ]).flat().map(async (p) => assert.equal((await p).status, 202)));
  assert.match((await raw('GET', path('gas_limit'))).json.data.gas_limit, /^300000\d\d$/);
  assert.match((await raw('GET', path('graffiti'))).json.data.graffiti, /^g\d+$/);
  assert.match((await raw('GET', path('feerecipient'))).json.data.ethaddress, /^0x2{39}\d$/);
});

await test('settings that are wrong are refused', async () => {
  const path = (name, key = a.pubkey) => `/eth/v1/validator/${key}/${name}`;
  for (const body of [{}, { ethaddress: 1 }, { ethaddress: '0x12' }, { ethaddress: 'zz'.repeat(21) }]) refused(await raw('POST', path('feerecipient'), body), 400, /no address/);
  refused(await raw('POST', path('feerecipient'), { ethaddress: '0x' + '00'.repeat(20) }), 400, /zero/);
  for (const body of [{}, { gas_limit: 30000000 }, { gas_limit: '-1' }, { gas_limit: '99999999999999999999' }, { gas_limit: '' }]) refused(await raw('POST', path('gas_limit'), body), 400, /no decimal number/);
  for (const body of [{}, { graffiti: 1 }, { graffiti: 'x'.repeat(33) }, { graffiti: 'ä'.repeat(17) }]) refused(await raw('POST', path('graffiti'), body), 400, /at most 32 bytes/);
  refused(await raw('POST', path('graffiti'), []), 400, /object/);
  refused(await raw('GET', path('graffiti', '0x12')), 400, /no public key/);
  for (const name of ['feerecipient', 'gas_limit', 'graffiti']) assert.equal((await raw('GET', path(name, '0x' + '44'.repeat(48)))).status, 404);
});

const exitRoot = (epoch, index) => signingRoot(ssz.phase0.VoluntaryExit.hashTreeRoot({ epoch, validatorIndex: index }), '0x04000000', versionOf(3), s.network.genesis_validators_root);

await test('a signed exit, of an epoch or of now, with the index that the beacon node has', async () => {
  indices.set(a.pubkey, 4711);
  const at = (await api.signVoluntaryExit({ pubkey: a.pubkey, epoch: 12 })).value();
  assert.deepEqual([at.message.epoch, at.message.validatorIndex], [12, 4711]);
  assert.ok(verify(Buffer.from(exitRoot(12, 4711)), PublicKey.fromHex(a.pubkey, true), Signature.fromBytes(at.signature, true)));
  const now = (await api.signVoluntaryExit({ pubkey: a.pubkey })).value();
  assert.ok(Math.abs(now.message.epoch - epochNow(s)) <= 1);
  assert.ok(verify(Buffer.from(exitRoot(now.message.epoch, 4711)), PublicKey.fromHex(a.pubkey, true), Signature.fromBytes(now.signature, true)));
  assert.ok(node.asked.every((p) => p.startsWith('/prefix/eth/v1/')));
});

await test('exits that cannot be signed say why', async () => {
  const path = (key, query = '') => `/eth/v1/validator/${key}/voluntary_exit${query}`;
  refused(await raw('POST', path(b.pubkey)), 404, /no such validator/);
  const gone = '0x' + '55'.repeat(48);
  indices.set(gone, 1);
  assert.equal((await raw('POST', path(gone))).status, 404);
  refused(await raw('POST', path(a.pubkey, '?epoch=x')), 400, /epoch/);
  refused(await raw('POST', path('0x12')), 400, /no public key/);
  node.fail = [500, '{}'];
  refused(await raw('POST', path(a.pubkey)), 500, /refused to answer/);
  node.fail = [200, '{"data":{"index":"0x1\\"}}"}}'];
  refused(await raw('POST', path(a.pubkey)), 500, /malformed/);
  node.fail = null;
  const alone = await startGateway(s, { validators, keymanager: { token_file: tokens.default } });
  refused(await raw('POST', path(a.pubkey), undefined, { gateway: alone.gateway }), 500, /validators\.beacon/);
  await alone.stop();
  const lost = await start({ token_file: tokens.default }, { beacon: 'http://127.0.0.1:1', beacon_authorization: 'Bearer x' });
  refused(await raw('POST', path(a.pubkey), undefined, { gateway: lost.gateway }), 500, /./);
  await lost.stop();
});

await test('a policy that allows no exit is asked by this route too', async () => {
  const rules = [{ name: 'duties', effect: 'allow', when: { kind: 'duty', duty: ['RANDAO_REVEAL'] } }];
  const made = await request(`${g.gateway}/v1/keys`, { method: 'POST', body: { id: 'no-exit', curve: 'bls12-381', policy: { policy: 1, rules } } });
  indices.set(made.json.public_key, 5);
  refused(await raw('POST', `/eth/v1/validator/${made.json.public_key}/voluntary_exit?epoch=1`), 403, /no rule allows/);
});

await done();
