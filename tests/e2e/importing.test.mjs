// SPDX-License-Identifier: Apache-2.0
// Keystores that the gateway gets in clear (the Keymanager API) are sealed to the configured enclave and to no other;
// and sealed anew when that enclave has begun anew.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, done, random, until } from './lib/tap.mjs';
import { request } from './lib/stack.mjs';
import { metric, startGateway } from './lib/gateway.mjs';
import { randomKeystores } from './lib/keystores.mjs';
import { startValidators } from './lib/validators.mjs';

const r = random();
const s = await startValidators();
const token = join(s.dir, 'token');
const own = JSON.parse(readFileSync(join(s.dir, 'gateway.json'))).attestation;
const keystores = await randomKeystores(r, 8);

async function gatewayWith(attestation) {
  const g = await startGateway(s, { validators: { states: `sqlite:${join(s.dir, 'states.db')}` }, keymanager: { token_file: token }, attestation });
  const bring = async (list) => {
    const answer = await request(`${g.gateway}/eth/v1/keystores`, { method: 'POST', headers: { authorization: `Bearer ${readFileSync(token, 'utf8')}` }, body: { keystores: list.map((k) => k.keystore), passwords: list.map((k) => k.password) } });
    assert.equal(answer.status, 200, answer.body);
    return answer.json.data;
  };
  return { ...g, bring };
}

await test('the stack has told its gateway which enclave it is, and that one takes them', async () => {
  assert.deepEqual(own, { pcr0: [s.pcr0], root: s.nsm_root_file });
  const g = await gatewayWith(own);
  assert.deepEqual((await g.bring(keystores.slice(0, 2))).map((x) => x.status), ['imported', 'imported']);
  await g.stop();
});

await test('without "attestation", with another measurement, signer or root, nothing is sealed', async () => {
  for (const [attestation, why] of [
    [undefined, /not told which enclave/],
    [{ ...own, pcr0: ['00'.repeat(48)] }, /PCR0|not what was expected/],
    [{ ...own, pcr8: ['11'.repeat(48)] }, /PCR8|not what was expected/],
    [{ pcr0: own.pcr0 }, /root|certificate/],
  ]) {
    const g = await gatewayWith(attestation);
    const [one] = await g.bring(keystores.slice(2, 3));
    assert.equal(one.status, 'error', JSON.stringify(attestation));
    assert.match(one.message, why);
    await g.stop();
  }
  const g = await gatewayWith({ ...own, pcr0: ['00'.repeat(48), ...own.pcr0] });
  assert.equal((await g.bring(keystores.slice(2, 3)))[0].status, 'imported', 'any of several');
  await g.stop();
});

await test('an enclave that began anew is attested anew, and the same gateway goes on', async () => {
  const g = await gatewayWith(own);
  assert.equal((await g.bring(keystores.slice(3, 4)))[0].status, 'imported');
  const links = async () => metric((await request(`${g.gateway}/metrics`)).body, 'adyton_link_connects_total');
  const before = await links();
  process.kill(JSON.parse(readFileSync(join(s.dir, 'stack.json'))).pids.enclave, 'SIGKILL');
  await until(20000, 'the gateway to be linked with the new one', async () => (await links()) >= 2 * before);
  await until(20000, 'it to be ready', async () => (await request(`${g.gateway}/readyz`)).status === 200);
  assert.deepEqual((await g.bring(keystores.slice(4))).map((x) => x.status), keystores.slice(4).map(() => 'imported'));
});

await done();
