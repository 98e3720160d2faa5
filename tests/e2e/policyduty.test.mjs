// SPDX-License-Identifier: Apache-2.0
// Policies of validators' keys: which duties a key signs, through Web3Signer's interface. (Stamps and approvals:
// validators-native.test.mjs.)
import assert from 'node:assert/strict';
import { test, done } from './lib/tap.mjs';
import { request } from './lib/stack.mjs';
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

await done();
