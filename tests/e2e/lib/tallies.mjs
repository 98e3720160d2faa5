// SPDX-License-Identifier: Apache-2.0
// Rows of counters in the gateway's SQLite file as its owner sees and changes them: python3's sqlite3 does it.
import assert from 'node:assert/strict';
import { T } from './parent.mjs';
import { run } from './stack.mjs';

const script = `
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=10)
ask = json.load(sys.stdin)
back = lambda v: bytes.fromhex(v[2:]) if isinstance(v, str) and v.startswith('0x') else v
rows = db.execute(ask['sql'], [back(v) for v in ask['values']]).fetchall()
db.commit()
print(json.dumps([['0x' + v.hex() if isinstance(v, bytes) else v for v in row] for row in rows]))`;

/** Run one statement; bytes are "0x.." both ways. */
export function sql(db, statement, ...values) {
  const r = run('python3', ['-c', script, db], { input: JSON.stringify({ sql: statement, values }) });
  if (r.status !== 0) throw new Error(r.stderr);
  return JSON.parse(r.stdout);
}

/** All rows of counters: [{ name, version, row }], in the order of their names. */
export const tallies = (db) =>
  sql(db, 'SELECT public_key, version, state FROM adyton_state WHERE length(public_key) = 32 ORDER BY 1').map(([name, version, row]) => ({ name, version, row }));

/** The row that fn brings into being, or changes: { name, version, row }. */
export async function rowOf(db, fn) {
  const before = new Map(tallies(db).map((t) => [t.name, t.version]));
  await fn();
  return tallies(db).find((t) => before.get(t.name) !== t.version);
}

/** Put a row in a place, as it is; row null: take it away. */
export function putRow(db, name, version, row) {
  if (row === null) sql(db, 'DELETE FROM adyton_state WHERE public_key = ?', name);
  else sql(db, 'INSERT INTO adyton_state (public_key, version, state) VALUES (?1, ?2, ?3) ON CONFLICT (public_key) DO UPDATE SET version = ?2, state = ?3', name, version, row);
}

const CAS = 17;

/** A lying parent on a wire (lib/wire.mjs): refused(what, fn, code, where, detail): what fn asks is refused by name, and no signature leaves
 * the enclave; answering(fn): for wire.during: the parent answers the enclave's questions about rows itself, with what fn(frame)
 * returns, [written, row], or not at all; answer(frame, outcome): the same once. */
export function attacksOn(wire) {
  const answer = (f, outcome) => {
    if (outcome === undefined) return;
    const pair = [...wire.pairs].find((p) => p.asking.has(f.id) && p.asking.get(f.id) === f) ?? [...wire.pairs][0];
    pair.enclave.write(f.with({ type: CAS | T.ANSWER, message: outcome, deadline: 0 }).bytes);
  };
  const answering = (fn) => ({ toGateway: (f) => (f.type === CAS ? (answer(f, fn(f)), null) : undefined) });
  async function refused(what, fn, code, where, detail) {
    const before = { wire: wire.signed, own: (await wire.counts()).signed };
    const got = await fn();
    assert.deepEqual([got.json?.code, got.json?.where], [code, where], `${what}: ${got.body}`);
    if (detail) assert.match(got.json.detail, detail, what);
    assert.equal(wire.signed, before.wire, `${what}: a signature left`);
    assert.equal((await wire.counts()).signed, before.own, `${what}: the enclave counts a signature`);
  }
  return { answer, answering, refused };
}
