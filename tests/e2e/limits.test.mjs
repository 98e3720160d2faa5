// SPDX-License-Identifier: Apache-2.0
// Limits of policies through the whole stack: counted whichever way a request comes in, in the store before the key is
// used, over restarts, and never beyond the limit.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { test, done, random, until } from './lib/tap.mjs';
import { awsEnv, bin, request, run, scratch, sign, signAny, startStack } from './lib/stack.mjs';
import { clientOptions } from './lib/aws.mjs';
import { goodTx } from './lib/hostile.mjs';
import { tallies } from './lib/tallies.mjs';

const r = random();
const dir = scratch('lim');
const db = join(dir, 'keys.db');
const s = await startStack({ args: ['--gateway-option', `store.sqlite=${db}`, '--enclave-option', 'counters_keys=64'] });
const VAULT = '0x3535353535353535353535353535353535353535';
const policy = (limits, more = {}) => ({ policy: 1, rules: [{ name: 'pay', effect: 'allow', when: {}, limits, ...more }] });
const create = async (id, p, more = {}) => {
  const answer = await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id, policy: p, ...more } });
  assert.equal(answer.status, 201, answer.body);
  return answer.json;
};
let nonce = 0;
const tx = (value = '1', more = {}) => goodTx({ chainId: 31337, to: VAULT, value: String(value), nonce: nonce++, ...more });
const code = (a) => [a.status, a.json?.code, a.json?.where, a.json?.detail];
const rows = () => tallies(db);

await test('a key with a limit has its row from the moment it is made, beside its record', async () => {
  assert.equal(rows().length, 0);
  await create('sum', policy([{ name: 'ether', per: '1h', sum: 'value', max: 100 }]));
  assert.deepEqual(rows().map((x) => x.version), [1]);
});

await test('value is summed, to the last unit and no further', async () => {
  for (const v of [60, 40]) assert.equal((await sign(s, 'sum', tx(v))).status, 200);
  assert.deepEqual(code(await sign(s, 'sum', tx(1))), [403, 'denied', 'policy.rules[0]', 'a limit of the rule "pay" does not hold: ether']);
  assert.equal((await sign(s, 'sum', tx(0))).status, 200);
  assert.equal(rows()[0].version, 4);
});

await test('the same request again is the same signature, and is not counted again', async () => {
  await create('again', policy([{ name: 'n', per: '1h', max: 1 }]));
  const t = tx();
  const one = await sign(s, 'again', t);
  assert.equal(one.status, 200, one.body);
  for (let i = 0; i < 3; i++) assert.equal((await sign(s, 'again', t)).body, one.body);
  assert.equal((await sign(s, 'again', tx())).status, 403);
});

const rpc = (method, params) => request(s.gateway, { method: 'POST', body: { jsonrpc: '2.0', id: 1, method, params } });

await test('every way in counts: native, messages, typed data, JSON-RPC, Web3Signer', async () => {
  const key = await create('ways', policy([{ name: 'n', per: '1h', max: 6 }]), { allow: ['digest'] });
  const types = { Mail: [{ name: 'text', type: 'string' }] };
  const typed = (text) => ({ typed_data: { types, primaryType: 'Mail', domain: { name: 'x' }, message: { text } } });
  const pub = (await request(`${s.gateway}/v1/keys/ways`)).json.public_key;
  const ways = [
    () => sign(s, 'ways', tx()),
    () => signAny(s, 'ways', { message: { text: r.hex(8) } }),
    () => signAny(s, 'ways', typed(r.hex(8))),
    () => signAny(s, 'ways', { digest: r.hex(32) }),
    () => rpc('personal_sign', [r.hex(8), key.address]),
    () => rpc('eth_sign', [key.address, r.hex(8)]),
  ];
  for (const [i, way] of ways.entries()) {
    const a = await way();
    assert.ok(a.status === 200 && !a.json?.error, `${i}: ${a.body}`);
  }
  for (const [i, way] of ways.entries()) {
    const a = await way();
    assert.match(a.body, /a limit of the rule/, `${i}: ${a.body}`);
  }
  const w = await request(`${s.gateway}/api/v1/eth1/sign/${pub}`, { method: 'POST', body: { data: r.hex(40) } });
  assert.notEqual(w.status, 200, w.body);
});

await test('limits of several rules share a counter; the second rule takes what the first has no room for', async () => {
  const rule = (name, max, when) => ({ name, effect: 'allow', when, limits: [{ name: 'shared', per: '1h', max }] });
  await create('two', { policy: 1, rules: [rule('small', 2, { value: { le: 10 } }), rule('any', 3, {})] });
  for (let i = 0; i < 3; i++) assert.equal((await sign(s, 'two', tx(1))).status, 200);
  assert.deepEqual(code(await sign(s, 'two', tx(1)))[3], 'a limit of the rule "small" does not hold: shared');
});

await test('a period passes, and no sooner', async () => {
  await create('minute', policy([{ name: 'n', per: '60s', max: 1 }]));
  const began = Date.now();
  assert.equal((await sign(s, 'minute', tx())).status, 200);
  const first = Date.now();
  let at;
  await until(90000, 'the period to pass', async () => {
    await new Promise((resolve) => setTimeout(resolve, 900));
    const a = await sign(s, 'minute', tx());
    at = Date.now();
    return a.status === 200;
  });
  assert.ok(at - began >= 60000 && at - first <= 80000, `${at - first} ms`);
});

await test('a key that is imported counts from its first signature on; its row is there when its record is', async () => {
  const key = r.hex(32);
  writeFileSync(join(dir, 'key'), key.slice(2));
  writeFileSync(join(dir, 'p.json'), JSON.stringify(policy([{ name: 'n', per: '1h', max: 1 }])));
  const before = rows().length;
  const imported = run(join(bin, 'adyton'), ['key', 'import', 'imported', '--file', join(dir, 'key'), '--policy', join(dir, 'p.json'), '--pcr0', s.pcr0, '--root', s.nsm_root_file], { env: { ADYTON_GATEWAY: s.gateway } });
  assert.equal(imported.status, 0, imported.stderr);
  assert.equal(rows().length, before + 1);
  assert.equal((await sign(s, 'imported', tx())).status, 200);
  assert.equal((await sign(s, 'imported', tx())).status, 403);
});

await test('a direct key that is younger than the enclave has its row from its first use on', async () => {
  writeFileSync(join(dir, 'direct'), r.hex(32).slice(2));
  const put = run(join(bin, 'adyton'), ['key', 'put', 'direct', '--file', join(dir, 'direct'), '--key-arn', s.key_arn, '--policy', join(dir, 'p.json')], { env: awsEnv(s) });
  assert.equal(put.status, 0, put.stderr);
  const secret = await new SecretsManagerClient(clientOptions(s)).send(new GetSecretValueCommand({ SecretId: 'direct' }));
  const stored = await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { record: JSON.parse(secret.SecretString) } });
  assert.equal(stored.status, 201, stored.body);
  const before = rows().length;
  const one = await sign(s, 'direct', tx());
  assert.equal(one.status, 200, one.body); // more than 60 s after the start: the period's test was before
  assert.equal(rows().length, before + 1);
  assert.deepEqual(code(await sign(s, 'direct', tx())).slice(0, 3), [403, 'denied', 'policy.rules[0]']);
});

await test('100 at once: as many as the limit allows, each another signature', async () => {
  await create('rush', policy([{ name: 'n', per: '1h', max: 37 }]));
  const all = await Promise.all(Array.from({ length: 100 }, () => sign(s, 'rush', tx())));
  const good = all.filter((a) => a.status === 200);
  assert.equal(good.length, 37, JSON.stringify(all.filter((a) => a.status !== 200 && a.status !== 403).map((a) => a.body)));
  assert.equal(new Set(good.map((a) => a.json.signed_transaction)).size, 37);
  for (const a of all) assert.ok([200, 403].includes(a.status), a.body);
});

await test('a key without limits has no row', async () => {
  const before = rows().length;
  await create('plain', { policy: 1, rules: [{ name: 'all', effect: 'allow', when: {} }] });
  assert.equal((await sign(s, 'plain', tx())).status, 200);
  assert.equal(rows().length, before);
});

await test('as many keys with counters as the configuration says, and the next is refused by name', async () => {
  let a;
  for (let i = 0; i < 70; i++) {
    a = await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id: `many${i}`, policy: policy([{ name: 'n', per: '1h', max: 1 }]) } });
    if (a.status !== 201) break;
  }
  assert.deepEqual([a.status, a.json?.code], [503, 'overloaded'], a.body);
  const batch = await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { options: JSON.stringify({ id: 'b-', policy: policy([{ name: 'n', per: '1h', max: 1 }]) }), first: 1, count: 2 } });
  assert.deepEqual([batch.status, batch.json?.code], [503, 'overloaded'], batch.body);
});

await done();
