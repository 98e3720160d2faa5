// SPDX-License-Identifier: Apache-2.0
// Limits of validators' policies: duties that are counted, in the store before the key is used and before slashing
// protection is asked; and those that no limit is about, which have no part in it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, done, until } from './lib/tap.mjs';
import { request, scratch } from './lib/stack.mjs';
import { attestation, epochNow, forkInfo, freshStates, sign, startValidators } from './lib/validators.mjs';
import { tallies } from './lib/tallies.mjs';

const dir = scratch('limv');
const s = await startValidators({ dir });
const rows = () => tallies(join(dir, 'states.db'));
const limit = (name, max, per = '24h') => ({ name, per, max });
const rule = (name, duty, limits) => ({ name, effect: 'allow', when: { kind: 'duty', duty }, ...(limits && { limits }) });
const policy = {
  policy: 1,
  rules: [
    rule('exits', 'VOLUNTARY_EXIT', [limit('one exit a day', 1)]),
    rule('builders', 'VALIDATOR_REGISTRATION', [limit('registrations', 3, '1h')]),
    rule('attestations', 'ATTESTATION', [limit('attestations', 2)]),
    rule('free', 'RANDAO_REVEAL'),
  ],
};
async function make(id, more = {}) {
  const a = await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id, curve: 'bls12-381', policy, ...more } });
  assert.equal(a.status, 201, a.body);
  return a.json.public_key;
}
const exit = (epoch) => ({ type: 'VOLUNTARY_EXIT', fork_info: forkInfo(s), voluntary_exit: { epoch: String(epoch), validator_index: '9' } });
const registration = (pubkey, gas) => ({ type: 'VALIDATOR_REGISTRATION', validator_registration: { fee_recipient: '0x' + '22'.repeat(20), gas_limit: String(gas), timestamp: '1764000000', pubkey } });
const randao = (epoch) => ({ type: 'RANDAO_REVEAL', fork_info: forkInfo(s), randao_reveal: { epoch: String(epoch) } });
const over = (a, name) => {
  assert.equal(a.status, 403, a.body);
  assert.match(a.body, new RegExp(`does not hold: ${name}`));
};

await test('one exit a day: the second is refused, the same again is the same signature', async () => {
  const key = await make('v1');
  assert.equal(rows().length, 1);
  const one = await sign(s, key, exit(3));
  assert.equal(one.status, 200, one.body);
  assert.equal((await sign(s, key, exit(3))).body, one.body);
  over(await sign(s, key, exit(4)), 'one exit a day');
  assert.deepEqual(rows().map((r) => r.version), [2]);
});

await test('so many registrations with builders an hour, each validator by itself', async () => {
  const [a, b] = [await make('v2'), await make('v3')];
  for (const key of [a, b]) {
    for (let i = 0; i < 3; i++) assert.equal((await sign(s, key, registration(key, 30000000 + i))).status, 200);
    over(await sign(s, key, registration(key, 1)), 'registrations');
  }
});

await test('a duty that no limit is about is signed without the row', async () => {
  const key = await make('v4');
  const before = rows();
  for (let i = 0; i < 5; i++) assert.equal((await sign(s, key, randao(i))).status, 200);
  assert.deepEqual(rows(), before);
});

await test('what a limit refuses raises no mark; what slashing protection refuses was counted', async () => {
  const key = await make('v5');
  await freshStates(s, [{ pubkey: key }]);
  const first = epochNow(s) + 1;
  // the floor of an enclave that has just seen the key: nothing of now or before
  await until(30000, 'the next epoch', async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return epochNow(s) >= first;
  });
  const early = await sign(s, key, attestation(s, first - 1, first));
  assert.equal(early.status, 412, early.body);
  assert.match(early.body, /floor|first used/);
  await until(30000, 'an epoch more', async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return epochNow(s) > first;
  });
  const target = epochNow(s);
  const yes = await sign(s, key, attestation(s, target - 1, target));
  assert.equal(yes.status, 200, yes.body);
  over(await sign(s, key, attestation(s, target, target + 1)), 'attestations');
  const marks = (await request(`${s.gateway}/v1/slashing`, { agent: s.gatewayAgent })).json.data.find((k) => k.pubkey === key);
  assert.equal(marks.signed_attestations.at(-1).target_epoch, String(target), 'the refused one left no mark');
  assert.equal((await sign(s, key, attestation(s, target - 1, target))).body, yes.body, 'the same again');
  over(await sign(s, key, attestation(s, target - 1, target, '0x' + '77'.repeat(32))), 'attestations');
});

await test('100 at once: as many as the limit allows', async () => {
  const key = await make('v6', { policy: { policy: 1, rules: [rule('randao', 'RANDAO_REVEAL', [limit('n', 23)])] } });
  const all = await Promise.all(Array.from({ length: 100 }, (_, i) => sign(s, key, randao(i))));
  for (const a of all) assert.ok([200, 403].includes(a.status), a.body);
  assert.equal(all.filter((a) => a.status === 200).length, 23);
});

await test("a wallet's validators count together", async () => {
  const p = { policy: 1, rules: [{ name: 'derive', effect: 'allow', when: { kind: 'derive' } }, ...policy.rules] };
  assert.equal((await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id: 'w', curve: 'wallet', policy: p } })).status, 201);
  const made = await request(`${s.gateway}/v1/keys/w/derive`, { method: 'POST', body: { path: 'm/12381/3600/*/0/0', count: 2, curve: 'bls12-381', options: { id: 'w-' } } });
  assert.equal(made.status, 201, made.body);
  const [a, b] = made.json.keys.map((k) => k.public_key);
  assert.equal((await sign(s, a, exit(3))).status, 200);
  over(await sign(s, b, exit(3)), 'one exit a day');
});

await done();
