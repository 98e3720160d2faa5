// SPDX-License-Identifier: Apache-2.0
// The policy language against an independent model: random policies and random requests, decided by src/policy (through
// tests/tools/policy_eval.c) and by lib/policy-model.mjs, which is written from doc/policy.md with ethers for all that
// is Ethereum. Verdict, rule and what counters come to must be the same.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { existsSync } from 'node:fs';
import { test, done, random, atEnd, skip } from './lib/tap.mjs';
import { decide } from './lib/policy-model.mjs';
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

await done();
