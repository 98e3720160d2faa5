// SPDX-License-Identifier: Apache-2.0
// The Keymanager API when things happen at once or are cut off: an import that is killed leaves no key without its
// history; a deletion under load gives back every signature; a slow import keeps nobody waiting.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, done, random } from './lib/tap.mjs';
import { request } from './lib/stack.mjs';
import { startGateway } from './lib/gateway.mjs';
import { SCRYPT, randomKeystores } from './lib/keystores.mjs';
import { SLOTS, attestation, epochNow, forkInfo, interchange, sign, slotNow, startValidators, untilSlot } from './lib/validators.mjs';

const r = random();
const s = await startValidators();
const file = join(s.dir, 'token');
const start = () => startGateway(s, { validators: { states: `sqlite:${join(s.dir, 'states.db')}` }, keymanager: { token_file: file }, request_timeout_ms: 20000 });
let g = await start();
const ask = (method, body) => request(`${g.gateway}/eth/v1/keystores`, { method, body, headers: { authorization: `Bearer ${readFileSync(file, 'utf8')}` }, timeout: 300000 });
const imports = (list, slashing) => ask('POST', { keystores: list.map((k) => k.keystore), passwords: list.map((k) => k.password), ...(slashing && { slashing_protection: JSON.stringify(interchange(s, slashing)) }) });
const randao = { type: 'RANDAO_REVEAL', fork_info: forkInfo(s), randao_reveal: { epoch: '7' } };
const shown = async () => new Map((await request(`${g.gateway}/v1/slashing`)).json.data.map((e) => [e.pubkey, e]));

await test('an import of keystores that are slow to open keeps nobody waiting', async () => {
  const [quick] = await randomKeystores(r, 1);
  assert.equal((await imports([quick])).json.data[0].status, 'imported');
  const slow = await randomKeystores(r, 24, SCRYPT(r, 65536));
  let ended = false;
  const began = Date.now();
  const importing = imports(slow).then((a) => ((ended = true), a));
  const times = [];
  while (!ended) {
    const t = Date.now();
    assert.equal((await sign(s, quick.pubkey, randao, g)).status, 200);
    times.push(Date.now() - t);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const answer = await importing;
  assert.deepEqual(answer.json.data.map((x) => x.status), slow.map(() => 'imported'), answer.body);
  const took = Date.now() - began;
  times.sort((a, b) => a - b);
  console.log(`# ${times.length} signatures in ${took} ms of import: median ${times[times.length >> 1]} ms, longest ${times.at(-1)} ms`);
  // behind the keystores in a queue each would wait for most of the import
  assert.ok(times.length > 20 && times[Math.floor(times.length * 0.95)] < Math.max(500, took / 8), `longest ${times.at(-1)} ms of ${took}`);
});

await test('an import whose gateway is killed: no key is there without its history, and the rest comes with the next', async () => {
  const keys = await randomKeystores(r, 40, SCRYPT(r, 4096));
  const target = epochNow(s) + 40;
  const marks = keys.map((k, i) => ({ pubkey: k.pubkey, signed_blocks: [{ slot: String(1000 + i) }], signed_attestations: [{ source_epoch: '1', target_epoch: String(target + i) }] }));
  let seen = 0;
  for (let round = 0; round < 6 && seen < keys.length; round++) {
    const cut = imports(keys, marks).catch(() => null);
    if (round < 5) {
      await new Promise((resolve) => setTimeout(resolve, 60 + r.below(250) * (round + 1)));
      await g.stop('SIGKILL');
      await cut;
      g = await start();
    } else {
      const answer = await cut;
      assert.ok(answer.json.data.every((x) => ['imported', 'duplicate'].includes(x.status)), answer.body);
    }
    const listed = new Set((await ask('GET')).json.data.map((k) => k.validating_pubkey));
    const states = await shown();
    keys.forEach((k, i) => {
      if (!listed.has(k.pubkey)) return;
      const e = states.get(k.pubkey);
      assert.deepEqual([e?.signed_blocks[0]?.slot, e?.signed_attestations[0]?.target_epoch], [String(1000 + i), String(target + i)], `round ${round}: ${k.pubkey} is there without its history`);
    });
    seen = keys.filter((k) => listed.has(k.pubkey)).length;
    console.log(`# round ${round}: ${seen} of ${keys.length} keys`);
  }
  assert.equal(seen, keys.length);
});

await test('a deletion under load: no signature was given that is not in the history that came back', async () => {
  let given = 0;
  for (let round = 0; round < 4; round++) {
    const keys = await randomKeystores(r, 32);
    assert.ok((await imports(keys)).json.data.every((x) => x.status === 'imported'));
    await Promise.all(keys.map((k) => sign(s, k.pubkey, attestation(s, epochNow(s) - 1, epochNow(s)), g)));
    await untilSlot(s, (epochNow(s) + 2) * SLOTS);
    const target = epochNow(s);
    const signed = [];
    const attest = async (k, i) => {
      const body = attestation(s, target - 1, target, '0x' + `${i}`.repeat(64));
      const answer = await sign(s, k.pubkey, body, g);
      if (answer.status === 200) signed.push({ pubkey: k.pubkey, target, at: Date.now() });
      else assert.ok([403, 404, 412].includes(answer.status), answer.body);
    };
    // One signs before, one only asks when all is over, the others at some time around the deletion.
    const [before, after, ...during] = keys;
    await attest(before, 0);
    assert.equal(signed.length, 1);
    const load = Promise.all(during.flatMap((k) => Array.from({ length: 3 }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, r.below(120)));
      await attest(k, i);
    })));
    await new Promise((resolve) => setTimeout(resolve, 30 + r.below(60)));
    const answer = await ask('DELETE', { pubkeys: keys.map((k) => k.pubkey) });
    await load;
    await attest(after, 0);
    assert.ok(!signed.some((x) => x.pubkey === after.pubkey), 'a key that was deleted has signed');
    assert.deepEqual(answer.json.data.map((x) => x.status), keys.map(() => 'deleted'));
    const history = new Map(JSON.parse(answer.json.slashing_protection).data.map((e) => [e.pubkey, e]));
    for (const x of signed) assert.equal(history.get(x.pubkey).signed_attestations[0]?.target_epoch, String(x.target), 'a signature that the history does not have');
    assert.ok(new Set(signed.map((x) => x.pubkey)).size === signed.length, 'one of its epoch each');
    given += signed.length;
    const now = await shown();
    for (const k of keys) assert.deepEqual(now.get(k.pubkey).signed_attestations, history.get(k.pubkey).signed_attestations, 'and it stays the last word');
  }
  console.log(`# ${given} signatures of 128 keys while they were deleted`);
});

await done();
