// SPDX-License-Identifier: Apache-2.0
// Two gateways, two enclaves, one PostgreSQL: conflicting duties of one key sent to both at once have one
// signature between them, also while gateways, enclaves and the server are killed and started again.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { test, done, random, atEnd, until } from './lib/tap.mjs';
import { bin, scratch, tail } from './lib/stack.mjs';
import { clientOptions } from './lib/aws.mjs';
import { startGateway } from './lib/gateway.mjs';
import { measure, policyFor } from './lib/hostile.mjs';
import { startPostgres } from './lib/postgres.mjs';
import { SLOTS, attestation, block, epochNow, freshStates, makeKeys, sign, slotNow, startValidators, untilSlot } from './lib/validators.mjs';

const ROUNDS = Number(process.env.ADYTON_ROUNDS ?? 12);
const r = random();
const pg = await startPostgres();
if (!pg) {
  console.log('skip two gateways and two enclaves on one PostgreSQL: PostgreSQL is not installed');
  await done();
}
const s = await startValidators({ states: `postgres:${pg.conninfo}` });
const keys = await makeKeys(s, 4);
await freshStates(s, keys);

// The second enclave: the same configuration but for its sockets, so another PCR0, which the key's policy admits too.
const dir = scratch('e2');
const config = join(dir, 'enclave.json');
const own = JSON.parse(readFileSync(join(s.dir, 'enclave.json'), 'utf8'));
writeFileSync(config, JSON.stringify({ ...own, listen: `unix:${dir}/e.sock`, relay: `unix:${dir}/r.sock` }));
const kms = new KMSClient(clientOptions(s));
await kms.send(new PutKeyPolicyCommand({ KeyId: s.key_arn, PolicyName: 'default', Policy: policyFor(s, [s.pcr0, measure(config).pcr0]) }));

let enclave;
async function startEnclave() {
  const log = join(dir, `log-${Date.now()}`);
  const child = spawn(join(bin, 'adyton-enclave'), ['--config', config], { stdio: ['ignore', openSync(log, 'a'), openSync(log, 'a')] });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  atEnd(() => (child.kill('SIGKILL'), ended));
  await until(20000, 'the second enclave', () => {
    if (child.exitCode !== null) throw new Error(tail(log));
    return existsSync(log) && /ready/.test(readFileSync(log, 'utf8'));
  });
  enclave = { kill: () => (child.kill('SIGKILL'), ended) };
}
const relay = { ...JSON.parse(readFileSync(join(s.dir, 'gateway.json'), 'utf8')).relay, listen: `unix:${dir}/r.sock` };
const second = () => startGateway(s, { enclave: `unix:${dir}/e.sock`, relay });
await startEnclave();
let gateway = await second();

const both = () => [s.gateway, gateway.gateway];
const ask = (k, body, i) => sign(s, k.pubkey, body, { gateway: both()[i % 2] }).catch((e) => ({ status: 0, body: String(e) }));
const use = async () => {
  for (const k of keys) for (const i of [0, 1]) await ask(k, attestation(s, 1, 2), i);
  await untilSlot(s, (epochNow(s) + 2) * SLOTS);
};
/** Send n conflicting requests at once; the signatures that came. */
async function race(k, make, n = 100) {
  const got = await Promise.all(Array.from({ length: n }, (_, i) => ask(k, make(r.hex(32)), i)));
  return { got, signed: new Set(got.filter((g) => g.status === 200).map((g) => g.json.signature)) };
}
const nextEpoch = async () => (await untilSlot(s, (epochNow(s) + 1) * SLOTS), epochNow(s));

await use();
await test(`100 conflicting attestations over two gateways and two enclaves, ${ROUNDS} times: one signature`, async () => {
  for (let i = 0; i < ROUNDS; ) {
    const target = await nextEpoch();
    for (const k of keys) {
      const { got, signed } = await race(k, (head) => attestation(s, target - 1, target, head));
      assert.equal(signed.size, 1, JSON.stringify(got.map((g) => g.status)));
      i++;
    }
  }
});

await test('100 conflicting blocks of a slot: one signature', async () => {
  await untilSlot(s, slotNow(s) + 1);
  for (const k of keys) {
    const slot = slotNow(s);
    assert.equal((await race(k, (body) => block(s, slot, body))).signed.size, 1);
  }
});

await test('with kills in between: never two signatures of one target', async () => {
  const kills = [
    ['the second gateway', async () => { await gateway.stop('SIGKILL'); gateway = await second(); }],
    ['the second enclave', async () => { await enclave.kill(); await startEnclave(); }],
    ['PostgreSQL', async () => { pg.stop('immediate'); pg.start(); }],
  ];
  let some = 0;
  for (const [what, kill] of kills) {
    for (const k of keys.slice(0, 2)) {
      const target = await nextEpoch();
      const first = race(k, (head) => attestation(s, target - 1, target, head), 60);
      const killed = kill();
      const one = await first;
      await killed;
      const again = await race(k, (head) => attestation(s, target - 1, target, head), 20);
      const signed = new Set([...one.signed, ...again.signed]);
      assert.ok(signed.size <= 1, `${what}: ${signed.size} signatures`);
      some += signed.size;
    }
  }
  assert.ok(some > 0, 'nothing was signed at all');
});

await done();
