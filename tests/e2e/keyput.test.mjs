// SPDX-License-Identifier: Apache-2.0
// adyton key put: when it ends, no copy of the private key is in its memory. The same search at the
// moment when it connects to KMS must find the key, or it would prove nothing.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, done, random, skip } from './lib/tap.mjs';
import { awsEnv, bin, run, scratch, startStack } from './lib/stack.mjs';

const r = random();
const s = await startStack();
const dir = scratch();

/** The forms in which a key of 32 bytes may lie in memory. */
function forms(raw) {
  const hex = raw.toString('hex');
  const reversed = Buffer.from(raw).reverse();
  return {
    raw: raw.subarray(0, 16),
    'raw, second half': raw.subarray(16),
    reversed: reversed.subarray(0, 16),
    'reversed, second half': reversed.subarray(16),
    hex: hex.slice(0, 32),
    'hex, second half': hex.slice(32),
    base64: raw.toString('base64').slice(0, 20),
    'base64, the end': raw.toString('base64').slice(-20),
    'base64 of hex': Buffer.from(hex).toString('base64').slice(0, 40),
  };
}

/** Run key put under gdb, stop it at a system call, search all of its memory. */
function searchAt(syscall, args) {
  if (process.getuid() !== 0 || run('sh', ['-c', 'command -v gdb']).status !== 0) skip('needs root and gdb; left out: the search of the process for the key');
  const raw = Buffer.from(r.hex(32).slice(2), 'hex');
  const file = join(dir, 'key');
  const core = join(dir, 'core');
  writeFileSync(file, raw.toString('hex') + '\n');
  rmSync(core, { force: true });
  const id = `k${r.hex(4)}`;
  const put = ['key', 'put', id, '--file', file, '--key-arn', s.key_arn, ...args].join(' ');
  const g = run('gdb', ['-batch', '-ex', `catch syscall ${syscall}`, '-ex', `run ${put}`, '-ex', `gcore ${core}`, join(bin, 'adyton')], { env: awsEnv(s) });
  assert.ok(existsSync(core), g.stdout + g.stderr);
  const memory = readFileSync(core);
  const found = Object.entries(forms(raw)).filter(([, needle]) => memory.includes(needle)).map(([name]) => name);
  return { found, stored: /^stored +k/m.test(g.stdout), size: memory.length };
}

for (const args of [[], ['--aws-sample']]) {
  const name = args[0] ?? 'our record';
  await test(`key put, ${name}: the key is in memory when it connects to KMS (the search works)`, () => {
    const { found } = searchAt('connect', args);
    assert.ok(found.includes('raw'), JSON.stringify(found));
  });
  await test(`key put, ${name}: no copy of the key is in memory when it ends`, () => {
    const { found, stored, size } = searchAt('exit_group', args);
    assert.ok(stored, 'the key was stored');
    assert.ok(size > 1 << 20);
    assert.deepEqual(found, []);
  });
}

await done();
