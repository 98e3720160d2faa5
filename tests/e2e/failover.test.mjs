// SPDX-License-Identifier: Apache-2.0
// PostgreSQL fails over: a primary with a synchronous standby, both in the gateway's conninfo; under load the primary
// crashes for good and the standby is promoted. Records, counters and validators' states that were acknowledged are
// there, nothing is signed that could be slashed for, no limit is exceeded, and service is back soon after.
import assert from 'node:assert/strict';
import { PublicKey, Signature, verify } from '@chainsafe/blst';
import { ssz } from '@lodestar/types';
import { Transaction } from 'ethers';
import { test, done, random, skip, until } from './lib/tap.mjs';
import { request } from './lib/stack.mjs';
import { goodTx } from './lib/hostile.mjs';
import { startPostgres } from './lib/postgres.mjs';
import { signingRoot, versionOf } from './lib/duties.mjs';
import { SLOTS, attestation, epochNow, freshStates, makeKeys, sign, startValidators, untilSlot } from './lib/validators.mjs';

const LIMIT = 40;
const r = random();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const rootOf = (s, { attestation: a }) => signingRoot(ssz.phase0.AttestationData.hashTreeRoot(ssz.phase0.AttestationData.fromJson(a)), '0x01000000', versionOf(6), s.network.genesis_validators_root);

await test('the primary dies under load and its standby takes over: nothing acknowledged is lost, nothing is signed twice', async () => {
  const primary = startPostgres();
  if (!primary) skip('PostgreSQL is not installed; left out: a failover under load');
  const standby = startPostgres(primary);
  assert.equal(primary.psql("ALTER SYSTEM SET synchronous_standby_names = 'standby'").status, 0);
  primary.psql('SELECT pg_reload_conf()');
  await until(10000, 'the standby to be synchronous', () => primary.psql('SELECT sync_state FROM pg_stat_replication').stdout.trim() === 'sync');
  const conninfo = `host=${primary.dir},${standby.dir} port=5432 user=adyton dbname=postgres target_session_attrs=read-write`;
  const s = await startValidators({ states: `postgres:${conninfo}`, args: ['--gateway-option', `store=${JSON.stringify({ postgres: conninfo, cache_ms: 0 })}`] });
  const post = (path, body) => request(`${s.gateway}${path}`, { method: 'POST', body, timeout: 15000 });
  const validators = await makeKeys(s, 12);
  await freshStates(s, validators);
  const limited = await post('/v1/keys', { id: 'limited', policy: { policy: 1, rules: [{ name: 'all', effect: 'allow', when: {}, limits: [{ name: 'n', per: '1h', max: LIMIT }] }] } });
  assert.equal(limited.status, 201, limited.body);
  for (const v of validators) await sign(s, v.pubkey, attestation(s, epochNow(s) - 1, epochNow(s))); // from here on their floor counts
  await untilSlot(s, (epochNow(s) + 2) * SLOTS);

  // The load: keys are made, signed with, and each validator attests in every epoch, two ways at once.
  const made = new Map(), attested = new Map(), hashes = new Set(), refusals = {}, good = [];
  let ends = false, n = 0;
  const settle = async (what, answer, ok) => {
    const a = await answer.catch((e) => ({ json: { code: e.code ?? 'error' } }));
    if (a.status < 300) return good.push({ what, at: performance.now() }), ok(a);
    const why = a.json?.error ?? a.json?.code ?? a.status;
    refusals[why] = (refusals[why] ?? 0) + 1;
    await sleep(20);
  };
  const maker = async () => {
    while (!ends) {
      const id = `k${n++}`;
      await settle('create', post('/v1/keys', { id }), (a) => made.set(id, a.json.address));
    }
  };
  const signer = async () => {
    for (let nonce = 0; !ends; nonce++) {
      const id = [...made.keys()][Math.floor(Math.random() * made.size)];
      if (!id) { await sleep(10); continue; }
      await settle('sign', post(`/v1/keys/${id}/sign`, { transaction: goodTx({ nonce }) }), (a) => assert.equal(Transaction.from(a.json.signed_transaction).from, made.get(id)));
    }
  };
  const spender = async () => {
    for (let nonce = 0; !ends; nonce++) {
      await settle('limited', post('/v1/keys/limited/sign', { transaction: goodTx({ nonce }) }), (a) => hashes.add(a.json.transaction_hash));
      await sleep(150);
    }
  };
  const attester = async (v) => {
    while (!ends) {
      const target = epochNow(s);
      await Promise.all([0, 1].map(async () => {
        const body = attestation(s, target - 1, target, r.hex(32));
        await settle('attest', sign(s, v.pubkey, body), (a) => {
          const key = `${v.pubkey} ${target}`;
          assert.ok(verify(Buffer.from(rootOf(s, body)), PublicKey.fromHex(v.pubkey, true), Signature.fromHex(a.json.signature, true)));
          attested.set(key, [...(attested.get(key) ?? []), a.json.signature]);
        });
      }));
      await sleep(100 + r.below(200));
    }
  };
  const work = Promise.all([maker(), maker(), signer(), signer(), spender(), ...validators.map(attester)]);
  await until(20000, 'the load', () => made.size > 30 && attested.size >= 6);
  const usual = Math.max(...['create', 'sign'].map((k) => {
    const at = good.filter((g) => g.what === k).map((g) => g.at);
    return Math.max(...at.slice(1).map((t, i) => t - at[i]));
  }));
  primary.stop('immediate');
  const died = performance.now();
  await sleep(300); // what an operator's program needs to find that out
  assert.equal(standby.promote().status, 0);
  const promoted = performance.now();
  await until(20000, 'service of each kind', () => ['create', 'sign', 'attest'].every((k) => good.some((g) => g.what === k && g.at > promoted)));
  const back = Math.max(...['create', 'sign'].map((k) => good.find((g) => g.what === k && g.at > promoted).at - promoted));
  await sleep(2 * SLOTS * 1000);
  ends = true;
  await work;
  console.log(`# the standby was promoted ${Math.round(promoted - died)} ms after the crash; keys were made and signed with ${Math.round(back)} ms after that`);
  console.log(`# ${made.size} keys, ${attested.size} attestations, ${hashes.size} signatures under the limit; refused: ${JSON.stringify(refusals)}`);
  assert.ok(back < 3000 + 10 * Math.max(0, usual - 300), `${back} ms, where ${Math.round(usual)} ms are between two answers`);
  for (const [id, address] of made) {
    const a = await request(`${s.gateway}/v1/keys/${id}`);
    assert.equal(a.json.address, address, `${id} was acknowledged and is lost: ${a.body}`);
  }
  for (const [key, signatures] of attested) assert.equal(new Set(signatures).size, 1, `two attestations: ${key}`);
  assert.ok(hashes.size <= LIMIT, `${hashes.size} under a limit of ${LIMIT}`);
  await until(20000, 'the gateway to be ready', async () => (await request(`${s.gateway}/readyz`)).status === 200);
  // The last word of each validator is above all that was signed.
  const { data } = (await request(`${s.gateway}/v1/slashing`)).json;
  for (const key of attested.keys()) {
    const [pubkey, target] = key.split(' ');
    assert.ok(Number(data.find((d) => d.pubkey === pubkey).signed_attestations[0].target_epoch) >= Number(target), key);
  }
  await s.stop();
});

await done();
