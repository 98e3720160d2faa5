// SPDX-License-Identifier: Apache-2.0
// Web3Signer's interface, row by row: ../shared/reference/peers.md 1.1 (paths), 1.2 (status codes, Accept), 1.6 (names of
// metrics). Each row says what Web3Signer does; where the gateway does otherwise the row says so.
import assert from 'node:assert/strict';
import { test, done, random, until } from './lib/tap.mjs';
import { request, putKey, spawnBound } from './lib/stack.mjs';
import { metric, startGateway } from './lib/gateway.mjs';
import { attestation, block, epochNow, forkInfo, freshStates, makeKeys, sign, slotNow, startValidators, untilSlot, SLOTS } from './lib/validators.mjs';

const r = random();
const s = await startValidators();
const [a, b] = await makeKeys(s, 2);
await freshStates(s, [a]);
for (const k of [a]) await sign(s, k.pubkey, attestation(s, epochNow(s) - 1, epochNow(s))); // begins the enclave's memory
const randao = { type: 'RANDAO_REVEAL', fork_info: forkInfo(s), randao_reveal: { epoch: '7' } };
const url = (path) => `${s.gateway}${path}`;
const post = (id, body, headers = {}) => request(url(`/api/v1/eth2/sign/${id}`), { method: 'POST', body, headers });
const get = (path, headers = {}) => request(url(path), { headers });
const hex96 = /^0x[0-9a-f]{192}$/;

// --- 1.1 ---

await test('POST sign/{identifier}: 48 bytes of hex, in either case, "0x" optional', async () => {
  const want = (await post(a.pubkey, randao)).body;
  for (const id of [a.pubkey.slice(2), a.pubkey.toUpperCase().replace('0X', '0x'), a.pubkey.slice(2).toUpperCase()]) assert.equal((await post(id, randao)).body, want);
});

await test('GET publicKeys: a JSON array of 0x and 96 hex digits', async () => {
  const answer = await get('/api/v1/eth2/publicKeys');
  assert.deepEqual([answer.status, answer.headers['content-type'], answer.json.sort()], [200, 'application/json', [a.pubkey, b.pubkey].sort()]);
});

await test('POST ext/sign: 404, as in a Web3Signer without --Xsigning-ext-enabled', async () => {
  const answer = await request(url(`/api/v1/eth2/ext/sign/${a.pubkey}`), { method: 'POST', body: { type: 'PROOF_OF_VALIDATION', platform: 'x', timestamp: '1' } });
  assert.equal(answer.status, 404);
});

await test('GET highWatermark: {} when unset', async () => {
  const answer = await get('/api/v1/eth2/highWatermark');
  assert.deepEqual([answer.status, answer.json], [200, {}]);
});

await test('GET upcheck: text OK', async () => {
  const answer = await get('/upcheck');
  assert.deepEqual([answer.status, answer.headers['content-type'], answer.body], [200, 'text/plain', 'OK']);
});

await test('GET healthcheck: 200 or 503 with checks of keys and of the slashing database', async () => {
  const up = await get('/healthcheck');
  assert.equal(up.status, 200, up.body);
  assert.deepEqual([up.json.status, up.json.outcome], ['UP', 'UP']);
  for (const id of ['keys-check', 'slashing-protection-db-health-check']) assert.deepEqual(up.json.checks.find((c) => c.id === id), { id, status: 'UP' });
});

await test('GET healthcheck: a slashing database that does not answer is DOWN, and found without a request to sign', async () => {
  const place = `${s.dir}/blocked.db`;
  const g = await startGateway(s, { validators: { states: `sqlite:${place}` } });
  const hold = spawnBound('python3', ['-c', `import sqlite3, time; c = sqlite3.connect('${place}', isolation_level=None); c.execute('BEGIN IMMEDIATE'); print('held', flush=True); time.sleep(600)`], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => hold.stdout.once('data', resolve));
  const healthcheck = () => request(`${g.gateway}/healthcheck`);
  const answer = await until(20000, 'it to be DOWN', async () => ((a) => a.status === 503 && a)(await healthcheck()));
  assert.deepEqual(answer.json.checks.find((c) => c.id === 'slashing-protection-db-health-check'), { id: 'slashing-protection-db-health-check', status: 'DOWN' });
  const ready = await request(`${g.gateway}/readyz`);
  assert.deepEqual([ready.status, ready.json.states.ok], [503, false], ready.body);
  assert.match(ready.json.states.detail, /locked/);
  hold.kill('SIGKILL');
  await until(20000, 'it to be UP again', async () => (await healthcheck()).status === 200);
  await g.stop();
});

await test('POST reload: 202 accepted; GET reload: idle, then completed with the time', async () => {
  assert.equal((await get('/reload')).json.status, 'idle');
  const answer = await request(url('/reload'), { method: 'POST' });
  assert.equal(answer.status, 202);
  assert.equal(answer.json.status, 'accepted');
  assert.ok(answer.json.message);
  const after = (await get('/reload')).json;
  assert.equal(after.status, 'completed');
  assert.ok(Date.parse(after.lastOperationTime) > 0);
});

await test('GET metrics: Prometheus text, here on the same port', async () => {
  const answer = await get('/metrics');
  assert.equal(answer.status, 200);
  assert.match(answer.headers['content-type'], /^text\/plain/);
});

// --- 1.2 ---

await test('200 with the signature, by Accept: JSON for application/json and */*, text for all others and without', async () => {
  for (const accept of ['application/json', '*/*', 'application/json, text/plain', 'text/html, */*;q=0.8']) {
    const answer = await post(a.pubkey, randao, { accept });
    assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'application/json'], accept);
    assert.match(answer.json.signature, hex96);
  }
  for (const accept of [undefined, 'text/plain', 'text/html']) {
    const answer = await post(a.pubkey, randao, accept ? { accept } : {});
    assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'text/plain'], accept);
    assert.match(answer.body, hex96);
  }
});

await test('400: malformed JSON, unknown type, no payload of that type, no fork_info; bodies {code, message}', async () => {
  const { fork_info, ...bare } = randao;
  for (const [body, what] of [['{', 'JSON'], [{ ...randao, type: 'X' }, 'type'], [{ type: 'RANDAO_REVEAL', fork_info }, 'payload'], [bare, 'fork_info'], [{ ...randao, randao_reveal: { epoch: 'x' } }, 'number']]) {
    const answer = await post(a.pubkey, body);
    assert.equal(answer.status, 400, what);
    assert.deepEqual([answer.json.code, typeof answer.json.message, typeof answer.json.error], [400, 'string', 'string'], what);
  }
});

await test('404: the identifier is not loaded, whatever else would be wrong', async () => {
  for (const id of ['0x' + '11'.repeat(48), '0x1234', 'nobody']) assert.equal((await post(id, attestation(s, 1, 2))).status, 404, id);
});

await test('412: slashing protection refuses', async () => {
  const answer = await post(a.pubkey, attestation(s, 1, 2));
  assert.deepEqual([answer.status, answer.json.code, answer.json.error], [412, 412, 'slashing_refused']);
});

await test('a wrong signingRoot: 500 in Web3Signer, 400 here (as SSV documents it)', async () => {
  const answer = await post(a.pubkey, { ...randao, signingRoot: r.hex(32) });
  assert.deepEqual([answer.status, answer.json.error], [400, 'signing_root_mismatch']);
});

await test('403: Web3Signer by its list of hosts; here for web pages', async () => {
  assert.equal((await post(a.pubkey, randao, { origin: 'http://evil.example' })).status, 403);
});

await test('500: anything else', async () => {
  const g = await startGateway(s, { enclave: `unix:${s.dir}/nobody.sock`, validators: { states: 'memory' } }, { ready: false });
  const answer = await sign(s, a.pubkey, randao, g);
  assert.deepEqual([answer.status, answer.json.code, answer.json.error], [500, 500, 'enclave_unavailable']);
  await g.stop();
});

await test('type in any case, numbers as decimal text, unknown members ignored, version in upper case', async () => {
  const want = (await post(a.pubkey, randao)).body;
  assert.equal((await post(a.pubkey, { ...randao, type: 'randao_reveal', extra: {} })).body, want);
});

await test('a signingRoot that is right is taken, in both spellings', async () => {
  assert.equal((await post(a.pubkey, { ...randao, signingRoot: null })).status, 200);
});

// --- 1.6 ---

await test('metrics under Web3Signer\'s names count what happened', async () => {
  putKey(s, 'coin', r.hex(32).slice(2), '--allow-digest');
  const read = async () => (await get('/metrics')).body;
  const names = ['signing_bls_signing_duration_count', 'signing_bls_missing_identifier_count_total', 'http_bls_malformed_request_count_total', 'signing_bls_malformed_request_count_total', 'eth2_slashingprotection_permitted_signings_total', 'eth2_slashingprotection_prevented_signings_total'];
  const before = await read();
  await untilSlot(s, (epochNow(s) + 2) * SLOTS);
  const target = epochNow(s);
  assert.equal((await sign(s, a.pubkey, attestation(s, target - 1, target))).status, 200);
  assert.equal((await sign(s, a.pubkey, block(s, slotNow(s)))).status, 200);
  assert.equal((await sign(s, a.pubkey, attestation(s, target - 1, target, r.hex(32)))).status, 412);
  await post(a.pubkey, randao);
  await post('0x' + '22'.repeat(48), randao);
  await post(a.pubkey, '{');
  await request(url('/api/v1/eth2/sign'), { method: 'POST', body: { identifiers: [a.pubkey, '0x' + '11'.repeat(48)], signing_request: randao } });
  const after = await read();
  const grown = Object.fromEntries(names.map((n) => [n, metric(after, n) - metric(before, n)]));
  assert.deepEqual(grown, {
    signing_bls_signing_duration_count: 4, signing_bls_missing_identifier_count_total: 2, http_bls_malformed_request_count_total: 1,
    signing_bls_malformed_request_count_total: 1,
    eth2_slashingprotection_permitted_signings_total: 2, eth2_slashingprotection_prevented_signings_total: 1,
  });
  assert.ok(metric(after, 'signing_bls_signing_duration_sum') > 0);
  assert.ok(metric(after, 'eth2_slashingprotection_database_duration_count') >= 2);
  assert.ok(metric(after, 'eth2_slashingprotection_database_duration_sum') > 0);
  for (const n of ['signing_secp256k1_signing_duration_count', 'signing_secp256k1_missing_identifier_count_total', 'http_secp256k1_malformed_request_count_total']) assert.ok(metric(after, n) >= 0, n);
});

await test('signing_signers_loaded_count is the number of enabled keys', async () => {
  const g = await startGateway(s, { store: { sqlite: s.sqlite }, validators: undefined });
  const loaded = async () => metric((await request(`${g.gateway}/metrics`)).body, 'signing_signers_loaded_count');
  await until(10000, 'them to be counted', async () => !Number.isNaN(await loaded()));
  assert.equal(await loaded(), 2);
  assert.ok(!(await request(`${g.gateway}/metrics`)).body.includes('signing_bls_signing_duration'), 'no validators are served there');
  await g.stop();
});

await done();
