// SPDX-License-Identifier: Apache-2.0
// Processes that die or hang under load: requests in flight get 503, no answer is wrong, none hangs, and
// service resumes by itself. Credentials that expire are replaced without a client noticing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Transaction } from 'ethers';
import { test, done, random, until, parallel } from './lib/tap.mjs';
import { scratch, startStack, putKey, sign, request } from './lib/stack.mjs';
import { goodTx, writeFaults } from './lib/hostile.mjs';

const r = random();
const dir = scratch();
const faults = join(dir, 'faults.json');
writeFaults(faults, []);
const s = await startStack({ dir, args: ['--devcloud-arg', '--fault', '--devcloud-arg', faults, '--devcloud-arg', '--credential-ttl', '--devcloud-arg', '60'] });
const { address } = putKey(s, 'k', r.bytes(32).toString('hex'));

// dev up restarts a child that dies: its present pid stands in DIR/stack.json
const currentPids = () => JSON.parse(readFileSync(join(dir, 'stack.json'), 'utf8')).pids;

function right(answer, nonce) {
  const tx = Transaction.from(answer.json.signed_transaction);
  assert.equal(tx.from, address);
  assert.equal(tx.nonce, nonce);
}

async function underLoad(n, at, act) {
  const counts = {};
  let sent = 0;
  const longest = { ms: 0 };
  await parallel(64, Array.from({ length: n }, (_, i) => i), async (i) => {
    if (++sent === at) await act();
    const began = Date.now();
    const answer = await sign(s, 'k', goodTx({ nonce: i }), { timeout: 20000 });
    longest.ms = Math.max(longest.ms, Date.now() - began);
    counts[answer.status] = (counts[answer.status] ?? 0) + 1;
    if (answer.status === 200) right(answer, i);
    else {
      assert.ok([503, 504].includes(answer.status), `${answer.status}: ${answer.body}`);
      assert.match(answer.headers['content-type'], /application\/problem\+json/);
    }
  });
  console.log(`# ${JSON.stringify(counts)}, longest ${longest.ms} ms`);
  return counts;
}

const back = () => until(15000, 'service to resume', async () => (await sign(s, 'k', goodTx()).catch(() => ({}))).status === 200);

await test('the enclave killed during 1,000 requests: right answers or 503, then service again', async () => {
  const counts = await underLoad(1000, 300, async () => process.kill(currentPids().enclave, 'SIGKILL'));
  assert.ok(counts[200] >= 300 - 64, JSON.stringify(counts)); // all that were answered when it was killed: 64 are under way at most
  await back();
});

await test('readyz names the enclave while it is away', async () => {
  const { enclave } = currentPids();
  process.kill(enclave, 'SIGSTOP');
  const answer = await until(8000, 'readyz to notice', async () => {
    const a = await request(`${s.gateway}/readyz`);
    return a.status === 503 && a;
  });
  assert.match(answer.body, /enclave/);
  process.kill(enclave, 'SIGCONT');
  await back();
  await until(8000, 'readyz to be ready', async () => (await request(`${s.gateway}/readyz`)).status === 200);
});

await test('an enclave that hangs: requests end within their deadline, then service again', async () => {
  const { enclave } = currentPids();
  const counts = await underLoad(400, 100, () => {
    process.kill(enclave, 'SIGSTOP');
    setTimeout(() => process.kill(enclave, 'SIGCONT'), 6000);
  });
  assert.ok(counts[200] > 0);
  await back();
});

await test('KMS answers with an expired token once: the client notices nothing', async () => {
  writeFaults(faults, [{ target: 'TrentService.Decrypt', times: 1, error: 'ExpiredTokenException' }]);
  const answer = await sign(s, 'k', goodTx());
  assert.equal(answer.status, 200, answer.body);
  writeFaults(faults, []);
});

await test('role credentials that live 60 s are replaced for longer than that', async () => {
  const end = Date.now() + 75000;
  let n = 0;
  while (Date.now() < end) {
    const answer = await sign(s, 'k', goodTx({ nonce: n }));
    assert.equal(answer.status, 200, answer.body);
    right(answer, n++);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
});

await test('KMS throttles and fails: the code and the name of AWS come back, then service again', async () => {
  writeFaults(faults, [{ target: 'TrentService.Decrypt', times: 1, error: 'KMSInvalidStateException' }]);
  const answer = await sign(s, 'k', goodTx());
  assert.equal(answer.status, 502, answer.body);
  assert.equal(answer.json.code, 'kms_refused');
  assert.equal(answer.json.cause, 'KMSInvalidStateException');
  writeFaults(faults, []);
  await back();
});

await test('devcloud killed: errors with a code, then service again', async () => {
  process.kill(currentPids().devcloud, 'SIGKILL');
  const answer = await sign(s, 'k', goodTx());
  if (answer.status !== 200) assert.ok([502, 503, 504].includes(answer.status), answer.body);
  await back();
});

await test('the gateway killed: dev up starts it again with the same address', async () => {
  process.kill(currentPids().gateway, 'SIGKILL');
  await back();
});

await done();
