// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL server of the test's own (tests/lib/postgres.sh).
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { atEnd } from './tap.mjs';
import { root, run } from './stack.mjs';

const script = join(root, 'tests/lib/postgres.sh');

/** Start a server; resolves to { conninfo, dir, start, stop, promote, psql }, or undefined when PostgreSQL is not
 * installed. start after stop brings the same data back. of: another such server, which this one is a standby of.
 * kept: a folder, where what is in it stays. */
export function startPostgres(of, { kept } = {}) {
  const dir = kept ?? mkdtempSync(join(tmpdir(), 'ady-pg-'));
  if (!kept) atEnd(() => rmSync(dir, { recursive: true, force: true }));
  const start = () => {
    const r = run(script, of ? ['standby', dir, of.dir] : ['start', dir, ...(kept ? ['keep'] : [])]);
    if (r.status !== 0 && r.status !== 77) throw new Error(`postgres.sh: ${r.stderr}`);
    return r;
  };
  const stop = (mode = 'fast') => run(script, ['stop', dir, mode]);
  const first = start();
  if (first.status === 77) return undefined;
  atEnd(() => stop('immediate'));
  const conninfo = first.stdout.trim();
  const promote = () => run(script, ['promote', dir]);
  return { conninfo, dir, start, stop, promote, psql: (sql) => run('psql', [conninfo, '-Atqc', sql]) };
}
