// SPDX-License-Identifier: Apache-2.0
// One gateway before two enclaves, which are started anew one after the other: what the fresh one refuses because
// it has only begun to use a key, the other one signs. Nothing is missed.
import assert from 'node:assert/strict';
import { test, done, random, until } from './lib/tap.mjs';
import { request } from './lib/stack.mjs';
import { metric, startGateway } from './lib/gateway.mjs';
import { startSides } from './lib/sides.mjs';
import { attestation, block, epochNow, fastNetwork, freshStates, makeKeys, sign, startValidators, untilSlot } from './lib/validators.mjs';

const r = random();
const s = await startValidators({ network: fastNetwork({ slots_per_epoch: '1' }) });
const keys = await makeKeys(s, 8);
await freshStates(s, keys);
const sides = await startSides(s, 2); // whose gateways relay for their enclaves
const g = await startGateway(s, { enclave: sides.map((side) => side.socket) });
const links = async () => (await request(`${g.gateway}/metrics`)).body;
const up = () => until(20000, 'both enclaves to be up', async () => {
  const text = await links();
  return metric(text, 'adyton_links_up') === metric(text, 'adyton_links_wanted');
});
const one = async (k, body) => (await sign(s, k.pubkey, body, { gateway: g.gateway }));
const use = async (side) => {
  for (const k of keys) await sign(s, k.pubkey, attestation(s, 1, 2), { gateway: side.gateway.gateway });
};
/** All keys attest and propose in n epochs, one after the other; what was not signed. */
async function epochs(n) {
  const refused = [];
  for (let i = 0; i < n; i++) {
    await untilSlot(s, epochNow(s) + 1);
    const at = epochNow(s);
    for (const k of keys)
      for (const body of [attestation(s, at - 1, at, r.hex(32)), block(s, at, r.hex(32))]) {
        const got = await one(k, body);
        if (got.status !== 200) refused.push(got.body);
      }
  }
  return refused;
}

await up();
for (const side of sides) await use(side);
await untilSlot(s, epochNow(s) + 3);

for (const [i, side] of sides.entries())
  await test(`enclave ${i + 1} of two is killed and started again: no duty is missed`, async () => {
    assert.deepEqual(await epochs(1), []);
    await side.restartEnclave();
    await up();
    assert.deepEqual(await epochs(4), []);
    await use(side);
    assert.deepEqual(await epochs(3), []);
  });

await test('when both are fresh each says why it refuses, and the gateway too', async () => {
  await Promise.all(sides.map((side) => side.restartEnclave()));
  await up();
  await untilSlot(s, epochNow(s) + 1);
  const at = epochNow(s);
  const got = await one(keys[0], attestation(s, at - 1, at, r.hex(32)));
  assert.equal(got.status, 412, got.body);
  assert.match(got.json.message, /before this enclave first used the key/);
});

await done();
