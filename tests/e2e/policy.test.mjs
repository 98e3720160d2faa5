// SPDX-License-Identifier: Apache-2.0
// The policy language against an independent model: random policies and random requests, decided by src/policy (through
// tests/tools/policy_eval.c) and by lib/policy-model.mjs, which is written from doc/policy.md with ethers for all that
// is Ethereum. Verdict, rule and what counters come to must be the same.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { existsSync, readFileSync } from 'node:fs';
import { test, done, random, atEnd, skip } from './lib/tap.mjs';
import { decide } from './lib/policy-model.mjs';
import { violation } from './lib/schema.mjs';
import { randomPolicy, randomRequest, stampKeys } from './lib/policies.mjs';

const ROUNDS = Number(process.env.ADYTON_POLICIES ?? 4000);
const tool = new URL(`../../${process.env.ADYTON_BUILD ?? 'build/release'}/tools/policy_eval`, import.meta.url).pathname;
const r = random();

/** The tool as a function from a line to a line. */
function start() {
  const child = spawn(tool, { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = [];
  createInterface({ input: child.stdout }).on('line', (l) => waiting.shift()(JSON.parse(l)));
  child.on('exit', (code) => { for (const w of waiting.splice(0)) w({ error: `exit ${code}` }); });
  atEnd(() => child.stdin.end());
  return (o) => new Promise((resolve) => { waiting.push(resolve); child.stdin.write(JSON.stringify(o) + '\n'); });
}

const run = existsSync(tool) ? start() : () => skip('make tools builds build/release/tools/policy_eval');
const counts = {};

await test(`${ROUNDS} random requests are decided as the model decides them`, async () => {
  for (let i = 0; i < ROUNDS; i++) {
    const policy = randomPolicy(r);
    let state = '', model = {};
    let now = 1764000000 + r.below(7 * 86400);
    for (let k = 0; k < 4; k++) {
      const request = randomRequest(r);
      const stamps = stampKeys.filter(() => r.below(2));
      now += r.pick([0, 1, 50, 400, 3600, 90000]);
      const asked = { policy, request: request.json, ...(r.below(8) ? { now } : {}), stamps, state };
      const got = await run(asked);
      const want = decide(policy, request, { now: asked.now, stamps, counters: model });
      const show = () => JSON.stringify({ asked, got, want }, (_, v) => (typeof v === 'bigint' ? v.toString() : v));
      assert.equal(got.error, undefined, show());
      assert.equal(got.verdict, want.verdict, show());
      if (want.rule) assert.equal(got.rule, want.rule, show());
      state = got.state;
      model = want.counters;
      counts[want.verdict] = (counts[want.verdict] ?? 0) + 1;
    }
  }
  console.log(`# ${JSON.stringify(counts)}`);
  for (const v of ['allowed', 'rule', 'undecided', 'default', 'approvals', 'limit']) assert.ok(counts[v] > 0, `no random policy came to "${v}"`);
});

const schema = JSON.parse(readFileSync(new URL('../../doc/policy.schema.json', import.meta.url), 'utf8'));

await test('the published schema accepts every policy that the enclave reads', () => {
  for (let i = 0; i < 500; i++) {
    const policy = randomPolicy(r);
    assert.equal(violation(schema, policy), null, JSON.stringify(policy));
  }
});

await test('what the schema refuses the enclave refuses as well', async () => {
  const rule = { name: 'r', effect: 'allow', when: {} };
  const request = { message: { text: 'x' } };
  for (const policy of [
    {}, { policy: 2, rules: [] }, { policy: 1 }, { policy: 1, rules: {} }, { policy: 1, rules: [], x: 1 },
    { policy: 1, rules: [{ ...rule, effect: 'permit' }] }, { policy: 1, rules: [{ name: 'r', effect: 'allow' }] }, { policy: 1, rules: [{ ...rule, name: '' }] },
    { policy: 1, rules: [{ ...rule, when: { amount: 1 } }] }, { policy: 1, rules: [{ ...rule, when: { value: 'x' } }] }, { policy: 1, rules: [{ ...rule, when: { value: { prefix: 1 } } }] },
    { policy: 1, rules: [{ ...rule, when: { to: '0x35' } }] }, { policy: 1, rules: [{ ...rule, when: { to: [] } }] }, { policy: 1, rules: [{ ...rule, when: { kind: 'tx' } }] },
    { policy: 1, rules: [{ ...rule, when: { value: {} } }] }, { policy: 1, rules: [{ ...rule, when: { creates: 1 } }] }, { policy: 1, rules: [{ ...rule, when: { selector: '0x01' } }] },
    { policy: 1, rules: [{ ...rule, when: { time: {} } }] }, { policy: 1, rules: [{ ...rule, when: { time: { days: ['Mon'] } } }] }, { policy: 1, rules: [{ ...rule, when: { time: { from: '9:00' } } }] },
    { policy: 1, rules: [{ ...rule, limits: [{ name: 'a', per: '1w', max: 1 }] }] }, { policy: 1, rules: [{ ...rule, limits: [{ name: 'a', max: 1 }] }] }, { policy: 1, rules: [{ ...rule, limits: {} }] },
    { policy: 1, rules: [{ ...rule, approvals: { need: 0, of: [stampKeys[0]] } }] }, { policy: 1, rules: [{ ...rule, approvals: { need: 1, of: ['x'] } }] },
    { policy: 1, rules: [{ ...rule, effect: 'deny', limits: [] }] }, { policy: 1, rules: [], lists: [] }, { policy: 1, rules: [], count: 'each' }, { policy: 1, rules: [], count: true }, { policy: 1, rules: [], lists: { a: 1 } },
  ]) {
    assert.notEqual(violation(schema, policy), null, `the schema accepts ${JSON.stringify(policy)}`);
    assert.ok((await run({ policy, request })).error, `the enclave accepts ${JSON.stringify(policy)}`);
  }
});

await done();
