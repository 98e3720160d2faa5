// SPDX-License-Identifier: Apache-2.0
// adyton store copy between every two stores, each way: records of every kind, with label, state and planned deletion,
// read back and compared; a store that keeps something else than it was given is found out.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteSecretCommand, ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Transaction } from 'ethers';
import { test, done, random, skip, until } from './lib/tap.mjs';
import { awsEnv, bin, putKey, request, run, scratch, startStack } from './lib/stack.mjs';
import { clientOptions } from './lib/aws.mjs';
import { goodTx } from './lib/hostile.mjs';
import { startGateway } from './lib/gateway.mjs';
import { startPostgres } from './lib/postgres.mjs';

const r = random();
const s = await startStack();
const dir = scratch('copy');
const env = { ...awsEnv(s), AWS_ENDPOINT_URL: s.devcloud, AWS_CA_BUNDLE: s.ca_file, AWS_REGION: s.region };
const adyton = (...args) => run(join(bin, 'adyton'), args, { env });
const pg = startPostgres();
if (!pg) await test('postgres', () => skip('PostgreSQL is not installed; left out: copies from and to it'));
const manager = new SecretsManagerClient(clientOptions(s));
let places = 0;
/** A new, empty store of each kind: [what adyton store copy calls it, what a gateway's configuration does]. An account
 * has one Secrets Manager: it is emptied. */
const fresh = {
  sqlite: () => ((p) => [`sqlite:${p}`, { sqlite: p }])(join(dir, `${places++}.sqlite`)),
  folder: () => ((p) => [`folder:${p}`, { folder: p }])(join(dir, `f${places++}`)),
  'secrets-manager': async () => {
    const { SecretList } = await manager.send(new ListSecretsCommand({ IncludePlannedDeletion: true, MaxResults: 100 }));
    for (const { Name } of SecretList) await manager.send(new DeleteSecretCommand({ SecretId: Name, ForceDeleteWithoutRecovery: true }));
    return ['secrets-manager:', {}];
  },
  ...(pg && { postgres: () => {
    const name = `copy${places++}`;
    assert.equal(pg.psql(`CREATE DATABASE ${name}`).status, 0);
    const conninfo = pg.conninfo.replace('dbname=postgres', `dbname=${name}`);
    return [`postgres:${conninfo}`, { postgres: conninfo }];
  } }),
};
async function open(store) {
  const g = await startGateway(s, { store });
  await until(20000, 'the gateway to be ready', async () => (await request(`${g.gateway}/readyz`)).status === 200);
  const ask = (path, body, method = body === undefined ? 'GET' : 'POST') => request(`${g.gateway}${path}`, { method, body });
  return { g, ask, stop: g.stop };
}
const copy = (from, to, ...more) => {
  const p = adyton('store', 'copy', from, to, '--json', ...more);
  assert.equal(p.status, 0, `${from} to ${to}: ${p.stderr}`);
  return JSON.parse(p.stdout);
};
/** What a folder holds, without what each store counts for itself. */
const contents = (folder) => Object.fromEntries(readdirSync(folder).filter((f) => f.endsWith('.json')).map((f) => {
  const { revision, ...kept } = JSON.parse(readFileSync(join(folder, f), 'utf8'));
  return [f, kept];
}));

// The source: a key of each kind, made by the enclave, sealed outside, and of the AWS sample.
const [base, baseStore] = fresh.sqlite();
const [liar, { sqlite: liarFile }] = fresh.sqlite();
const address = putKey(s, 'direct/1', r.bytes(32).toString('hex'), '--chain', '31337').address;
putKey(s, 'sample', r.bytes(32).toString('hex'), '--aws-sample');
assert.deepEqual(copy('secrets-manager:', base), { copied: 2, replaced: 0, same: 0 });
const first = await open(baseStore);
const policy = { policy: 1, rules: [{ name: 'all', effect: 'allow', when: {}, limits: [{ name: 'n', per: '1h', max: 9 }] }] };
const made = {};
for (const body of [
  { id: 'hot' }, { id: 'labelled', label: 'cold, "ü" {x}' }, { id: 'off', label: 'disabled' }, { id: 'gone' }, { id: 'chains', chains: [1, 31337], allow: ['digest'] },
  { id: 'limits', policy }, { id: 'ed', curve: 'ed25519', allow: ['digest'] }, { id: 'val/1', curve: 'bls12-381' }, { id: 'wallet', curve: 'wallet' }, { id: 'theirs', tenant: 'acme' },
]) {
  const answer = await first.ask('/v1/keys', body);
  assert.equal(answer.status, 201, answer.body);
  made[body.id] = answer.json.address;
}
assert.equal((await first.ask('/v1/keys/wallet/derive', { path: "m/44'/60'/0'/0/*", count: 3, options: { id: 'hd-' } })).status, 201);
assert.equal((await first.ask('/v1/keys/off/disable', undefined, 'POST')).status, 200);
assert.equal((await first.ask('/v1/keys/gone?days=9', undefined, 'DELETE')).status, 200);
await first.stop();
const want = join(dir, 'want');
const N = copy(base, `folder:${want}`).copied;
assert.equal(N, 15);

for (const from of Object.keys(fresh))
  for (const to of Object.keys(fresh).filter((k) => k !== 'secrets-manager' || from !== k))
    await test(`from ${from} to ${to}: every record, with label, state and planned deletion, and once more finds them the same`, async () => {
      const [source] = await fresh[from](), [target, store] = await fresh[to]();
      copy(base, source);
      // A secret that is to be deleted cannot be read: it stays behind, and can be restored where it is.
      const kept = from === 'secrets-manager' ? N - 1 : N;
      assert.deepEqual(copy(source, target), { copied: kept, replaced: 0, same: 0 });
      assert.deepEqual(copy(source, target), { copied: 0, replaced: 0, same: kept });
      const back = join(dir, `back-${from}-${to}`);
      copy(target, `folder:${back}`);
      const expected = contents(want);
      if (from === 'secrets-manager' || to === 'secrets-manager') delete expected['gone.json'];
      assert.deepEqual(contents(back), expected);
      const h = await open(store);
      for (const [id, owner] of [['direct/1', address], ['hot', made.hot], ['hd-2', undefined]]) {
        const key = (await h.ask(`/v1/keys/${encodeURIComponent(id)}`)).json;
        const signed = await h.ask(`/v1/keys/${encodeURIComponent(id)}/sign`, { transaction: goodTx() });
        assert.equal(signed.status, 200, `${id}: ${signed.body}`);
        assert.equal(Transaction.from(signed.json.signed_transaction).from, owner ?? key.address);
      }
      assert.equal((await h.ask('/v1/keys/off/sign', { transaction: goodTx() })).json.code, 'denied');
      await h.stop();
    });

await test('a store that keeps another label, another text or nothing is found out by the comparison', () => {
  copy(base, liar); // the tables
  const sql = (text) => execFileSync('python3', ['-c', 'import sqlite3,sys\nc=sqlite3.connect(sys.argv[1]);c.executescript(sys.argv[2]);c.commit()', liarFile, text]);
  for (const [what, lie] of [
    ['label', "UPDATE record SET label = label || 'x' WHERE id = NEW.id;"],
    ['disabled', 'UPDATE record SET disabled = 1 - disabled WHERE id = NEW.id;'],
    ['text', "UPDATE record SET text = replace(text, '{', '{ ') WHERE id = NEW.id;"],
    ['nothing', 'DELETE FROM record WHERE id = NEW.id;'],
  ]) {
    sql(`DROP TRIGGER IF EXISTS lie; DELETE FROM record; CREATE TRIGGER lie AFTER INSERT ON record BEGIN ${lie} END;`);
    const p = adyton('store', 'copy', base, liar);
    assert.notEqual(p.status, 0, what);
    assert.match(p.stderr, what === 'nothing' ? /not_found|there is no/ : /was written and reads otherwise/, what);
  }
});

await done();
