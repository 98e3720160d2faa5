// SPDX-License-Identifier: Apache-2.0
// Audit logs in tests: verifying them with the program, and their lines.
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bin, run, scratch } from './stack.mjs';

export const adyton = (args, options) => run(join(bin, 'adyton'), args, options);

/** adyton audit verify of folders: { status, verified, chains, findings, late, torn }; findings as "fault file:line". */
export function verifyLog(folders, root, ...args) {
  const p = adyton(['audit', 'verify', ...[folders].flat(), '--root', root, '--json', ...args]);
  if (!p.stdout) throw new Error(`adyton audit verify: ${p.stderr}`);
  return { status: p.status, stderr: p.stderr, ...JSON.parse(p.stdout) };
}

export const filesOf = (folder) => readdirSync(folder).filter((n) => n.endsWith('.log')).sort().map((n) => join(folder, n));

/** All whole lines of a log. */
export const linesOf = (folder) => filesOf(folder).flatMap((f) => readFileSync(f, 'utf8').split('\n').slice(0, -1));

/** A copy of a log's folder, its lines changed by fn (an array in, an array out) and put into one file. */
export function tampered(folder, fn) {
  const copy = scratch('tampered');
  cpSync(folder, copy, { recursive: true });
  const lines = fn(linesOf(copy));
  const [first, ...rest] = filesOf(copy);
  writeFileSync(first, lines.map((l) => `${l}\n`).join(''));
  for (const f of rest) writeFileSync(f, '');
  return copy;
}
