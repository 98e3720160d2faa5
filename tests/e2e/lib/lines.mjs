// SPDX-License-Identifier: Apache-2.0
// The signer in one process, for thousands of signatures in seconds: build/*/tools/sign_lines runs what the enclave
// runs between the frame and KMS. The programs around it are in the tests that use lib/stack.mjs.
import { join } from 'node:path';
import { bin, spawnBound } from './stack.mjs';

/** Sign many bodies: jobs are { key: "0x..", body }, allow is what their records allow. Resolves to one object a job:
 * { raw, hash, from, r, s, yParity }, or { code, where, detail } of a refusal. */
export function signLines(jobs, allow = []) {
  const child = spawnBound(join(bin, 'tools/sign_lines'), allow, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => {}); // its exit says more
  for (const { key, body } of jobs) child.stdin.write(`${key.slice(2)} ${typeof body === 'string' ? body : JSON.stringify(body)}\n`);
  child.stdin.end();
  return new Promise((resolve, reject) => {
    const parts = [];
    child.stdout.on('data', (d) => parts.push(d));
    child.on('error', reject);
    child.on('close', (code) => {
      const lines = Buffer.concat(parts).toString().split('\n').slice(0, -1);
      if (code !== 0 || lines.length !== jobs.length) reject(new Error(`sign_lines ended with ${code} after ${lines.length} of ${jobs.length} lines`));
      else resolve(lines.map((l) => JSON.parse(l)));
    });
  });
}
