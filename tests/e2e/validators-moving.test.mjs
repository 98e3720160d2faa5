// SPDX-License-Identifier: Apache-2.0
// A validator comes from elsewhere and goes elsewhere: two epochs of quarantine for a key that is new here, and an export, after
// which its keys sign no more unless it was told to copy. The file is checked without a gateway.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, done } from './lib/tap.mjs';
import { bin, run } from './lib/stack.mjs';
import { SLOTS, attestation, block, epochNow, forkInfo, freshStates, interchange, makeKeys, sign, slotNow, startValidators, untilSlot } from './lib/validators.mjs';

const s = await startValidators({ validators: { quarantine_epochs: 2 } });
const [k, l] = await makeKeys(s, 2);
const nextEpoch = async () => (await untilSlot(s, (epochNow(s) + 1) * SLOTS), epochNow(s));
let last; // the target of the attestation that was signed last
const signs = async (body) => {
  assert.equal((await sign(s, k.pubkey, body)).status, 200);
  if (body.attestation) last = body.attestation.target.epoch;
};
const refused = async (body, why) => {
  const no = await sign(s, k.pubkey, body);
  assert.equal(no.status, 412, no.body);
  assert.match(no.json.message, why);
};
const slashing = (args, gateway = s.gateway) => run(join(bin, 'adyton'), ['slashing', ...args], { env: { ADYTON_GATEWAY: gateway } });
const file = join(s.dir, 'history.json');

await test('a key that is new here signs nothing that can be slashed for until two epochs have passed', async () => {
  const began = await nextEpoch();
  await freshStates(s, [k]);
  await refused(attestation(s, began - 1, began), /quarantine/); // and the floor counts from here
  for (const epoch of [began, began + 1]) {
    await untilSlot(s, epoch * SLOTS);
    await freshStates(s, [k]); // another history begins no other quarantine
    await refused(attestation(s, epoch - 1, epoch), /quarantine/);
    await refused(block(s, slotNow(s)), /quarantine/);
    await signs({ type: 'RANDAO_REVEAL', fork_info: forkInfo(s), randao_reveal: { epoch: '7' } });
  }
  await untilSlot(s, (began + 2) * SLOTS);
  await signs(attestation(s, began + 1, began + 2));
  await signs(block(s, slotNow(s)));
});

await test('what is only shown or copied goes on', async () => {
  assert.match(slashing(['show', k.pubkey]).stdout, new RegExp(`${k.pubkey} .* ${last}\n`));
  const copied = slashing(['export', '--copy']);
  assert.equal(copied.status, 0, copied.stderr);
  assert.equal(JSON.parse(copied.stdout).data[0].signed_attestations[0].target_epoch, last);
  const next = await nextEpoch();
  await signs(attestation(s, next - 1, next));
});

await test('an export ends signing by its keys, and says what was signed last', async () => {
  const exported = slashing(['export', '--out', file]);
  assert.equal(exported.status, 0, exported.stderr);
  const { data } = JSON.parse(readFileSync(file, 'utf8'));
  assert.deepEqual(data.map((d) => [d.pubkey, d.signed_attestations[0].target_epoch]), [[k.pubkey, last]]);
  const next = await nextEpoch();
  await refused(attestation(s, next - 1, next), /exported or deleted/);
  await refused(block(s, slotNow(s)), /exported or deleted/);
});

await test('import --check reads the whole file, needs no gateway, and changes nothing at one', async () => {
  const nobody = 'http://127.0.0.1:9';
  assert.equal(slashing(['import', file, '--check'], nobody).stdout, 'good: 1 validators, 1 blocks, 1 attestations\n');
  assert.notEqual(slashing(['import', file], nobody).status, 0);
  const data = JSON.parse(readFileSync(file, 'utf8')).data;
  writeFileSync(file, JSON.stringify(interchange(s, [{ ...data[0], pubkey: l.pubkey }])));
  assert.equal(slashing(['import', file, '--check']).status, 0);
  assert.doesNotMatch(slashing(['show']).stdout, new RegExp(l.pubkey));
  assert.equal(slashing(['import', file]).status, 0);
  assert.match(slashing(['show']).stdout, new RegExp(l.pubkey));
});

await done();
