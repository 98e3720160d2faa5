// SPDX-License-Identifier: Apache-2.0
// Policies of validators' keys: which duties a key signs, through Web3Signer's interface. (Stamps and approvals:
// validators-native.test.mjs.)
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, done } from './lib/tap.mjs';
import { bin, request, run } from './lib/stack.mjs';
import { attestation, block, epochNow, forkInfo, sign, slotNow, startValidators } from './lib/validators.mjs';

const s = await startValidators();

/** Have a BLS key made and kept, with these options. */
async function make(id, options) {
  const body = JSON.stringify({ id, tenant: 'default', curve: 'bls12-381', ...options });
  const answer = await request(`${s.gateway}/v1/keys`, { method: 'POST', body, headers: { 'content-type': 'application/json' }, agent: s.gatewayAgent });
  assert.equal(answer.status < 300, true, answer.body);
  return answer.json.public_key;
}
const randao = { type: 'RANDAO_REVEAL', fork_info: forkInfo(s), randao_reveal: { epoch: '7' } };
const rule = (duty) => ({ policy: { policy: 1, rules: [{ name: 'duties', effect: 'allow', when: { kind: 'duty', duty } }] } });

await test('a key signs the duties that a rule allows, and no others', async () => {
  const key = await make('v-randao', rule(['RANDAO_REVEAL', 'ATTESTATION']));
  const yes = await sign(s, key, randao);
  assert.equal(yes.status, 200, yes.body);
  const attested = await sign(s, key, attestation(s, epochNow(s), epochNow(s) + 1));
  assert.equal(attested.status, 412, 'slashing protection comes after the policy');
  const no = await sign(s, key, block(s, slotNow(s)));
  assert.equal(no.status, 403, no.body);
  assert.match(no.body, /no rule allows this/);
});

await test('rules about transactions allow no duty', async () => {
  const key = await make('v-none', { policy: { policy: 1, rules: [{ name: 'transactions', effect: 'allow', when: { kind: 'transaction' } }, { name: 'chain', effect: 'allow', when: { chain: [1] } }] } });
  const no = await sign(s, key, randao);
  assert.equal(no.status, 403, no.body);
  assert.match(no.body, /no rule allows this/);
});

await test('adyton policy check says of a duty what the enclave decides', () => {
  const file = (name, what) => (writeFileSync(join(s.dir, name), JSON.stringify(what)), join(s.dir, name));
  const approver = `ed25519:${'11'.repeat(32)}`;
  const policy = file('policy.json', { policy: 1, rules: [
    rule(['RANDAO_REVEAL', 'ATTESTATION']).policy.rules[0],
    { name: 'exits', effect: 'allow', when: { duty: 'VOLUNTARY_EXIT' }, approvals: { need: 1, of: [approver] } },
  ] });
  const check = (body, ...more) => run(join(bin, 'adyton'), ['policy', 'check', '--policy', policy, '--request', file('duty.json', body), ...more]);
  const yes = check(randao);
  assert.equal(yes.status, 0, yes.stderr);
  assert.match(yes.stdout, /duty is \["RANDAO_REVEAL", ?"ATTESTATION"\]: met, it is RANDAO_REVEAL/);
  assert.match(yes.stdout, /allowed by "duties"\n$/);
  assert.equal(check({ ...randao, type: 'randao_reveal' }).status, 0);
  const no = check(block(s, 1));
  assert.equal(no.status, 1);
  assert.match(no.stdout, /denied: no rule allows this/);
  const exit = { type: 'VOLUNTARY_EXIT', voluntary_exit: { epoch: '1', validator_index: '2' } };
  assert.match(check(exit).stdout, /needs 1 approval/);
  assert.equal(check(exit, '--stamp', approver).status, 0);
  assert.match(check({ ...randao, type: 'NO_SUCH' }).stderr, /type is not known/);
});

await done();
