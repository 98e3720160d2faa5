// SPDX-License-Identifier: Apache-2.0
// Policies through the whole stack: records with a policy, made by `adyton key put` and `key create`; requests that
// ethers makes; what the owner of the store may change in a record, and what comes of it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Interface, SigningKey, Transaction, Wallet, encodeRlp, getBytes } from 'ethers';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { test, done, random } from './lib/tap.mjs';
import { awsEnv, bin, run, scratch, sign, signAny, startStack } from './lib/stack.mjs';
import { clientOptions } from './lib/aws.mjs';
import { goodTx } from './lib/hostile.mjs';

const r = random();
const s = await startStack();
const dir = scratch();
const env = awsEnv(s);
const file = (name, value) => {
  writeFileSync(join(dir, name), typeof value === 'string' ? value : JSON.stringify(value, null, 2));
  return join(dir, name);
};
const adyton = (...args) => run(`${bin}/adyton`, args, { env });
const USDC = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
const VAULT = '0x3535353535353535353535353535353535353535';
const DEAD = '0x000000000000000000000000000000000000dEaD';
const erc20 = new Interface(['function transfer(address to, uint256 amount)']);
const transfer = (to, amount) => erc20.encodeFunctionData('transfer', [to, amount]);
const types = { Permit: [{ name: 'owner', type: 'address' }, { name: 'spender', type: 'address' }, { name: 'value', type: 'uint256' }] };

const policy = {
  policy: 1,
  note: 'Zahlungen – "und" mehr',
  lists: { vaults: [VAULT, USDC] },
  rules: [
    { name: 'ether to vaults', effect: 'allow', when: { kind: 'transaction', chain: 31337, to: { in: 'vaults' }, value: { le: '1000000000000000000' }, data: '0x' } },
    { name: 'USDC to vaults', effect: 'allow', when: { to: USDC, value: 0, function: 'transfer(address to,uint256 amount)', 'args.to': { in: 'vaults' }, 'args.amount': { le: 1000000 } } },
    { name: 'permits', effect: 'allow', when: { type: 'Permit(address owner,address spender,uint256 value)', 'domain.verifyingContract': USDC, 'message.spender': VAULT, chain: 31337 } },
    { name: 'log in', effect: 'allow', when: { text: { prefix: 'Log in to ' } } },
    { name: 'counted', effect: 'allow', when: { nonce: 77 }, limits: [{ name: 'n', per: '1h', max: 0 }] },
    { name: 'two of two', effect: 'allow', when: { nonce: 78 }, approvals: { need: 1, of: [`ed25519:${'00'.repeat(32)}`] } },
    { name: 'no fortunes', effect: 'deny', when: { fee: { gt: '100000000000000000' } } },
  ],
};
const path = file('policy.json', policy);
const key = r.hex(32);
file('key', key.slice(2));

await test('adyton key put and key create take a policy', () => {
  const put = adyton('key', 'put', 'direct', '--file', join(dir, 'key'), '--key-arn', s.key_arn, '--policy', path, '--allow-digest');
  assert.equal(put.status, 0, put.stderr);
  const create = adyton('key', 'create', 'envelope', '--policy', path);
  assert.equal(create.status, 0, create.stderr);
});

const good = () => goodTx({ chainId: 31337, to: VAULT, value: '5' });
const permit = (over) => ({ typed_data: { types, primaryType: 'Permit', domain: { chainId: 31337, verifyingContract: USDC }, message: { owner: DEAD, spender: VAULT, value: '7', ...over } } });

for (const id of ['direct', 'envelope']) {
  await test(`${id}: what a rule allows is signed`, async () => {
    for (const tx of [good(), goodTx({ chainId: 1, to: USDC, value: '0', data: transfer(VAULT, 1000000n) })]) {
      const answer = await sign(s, id, tx);
      assert.equal(answer.status, 200, answer.body);
      assert.equal(Transaction.from(answer.json.signed_transaction).to, tx.to);
    }
    assert.equal((await signAny(s, id, permit())).status, 200);
    assert.equal((await signAny(s, id, { message: { text: 'Log in to example.org' } })).status, 200);
  });
  await test(`${id}: what no rule allows is denied, by name and path`, async () => {
    const dirty = transfer(VAULT, 5n).replace(`${'0'.repeat(24)}3535`, `${'0'.repeat(22)}013535`);
    const high = { maxFeePerGas: '10000000000000', maxPriorityFeePerGas: '1', gas: 21000 };
    for (const [body, where, detail] of [
      [{ transaction: { ...good(), to: DEAD } }, 'policy.rules', 'no rule allows this'],
      [{ transaction: { ...good(), chainId: 1 } }, 'policy.rules', 'no rule allows this'],
      [{ transaction: { ...good(), value: '1000000000000000001' } }, 'policy.rules', 'no rule allows this'],
      [{ transaction: { ...good(), data: '0x00' } }, 'policy.rules', 'no rule allows this'],
      [{ transaction: { ...good(), ...high } }, 'policy.rules[6]', 'the rule "no fortunes" denies this'],
      [{ transaction: goodTx({ to: USDC, value: '0', data: transfer(DEAD, 5n) }) }, 'policy.rules', 'no rule allows this'],
      [{ transaction: goodTx({ to: USDC, value: '0', data: transfer(VAULT, 1000001n) }) }, 'policy.rules', 'no rule allows this'],
      [{ transaction: goodTx({ to: USDC, value: '0', data: dirty }) }, 'policy.rules', 'no rule allows this'],
      [{ transaction: goodTx({ to: USDC, value: '0', data: transfer(VAULT, 5n) + '00' }) }, 'policy.rules', 'no rule allows this'],
      ...(id === 'envelope' ? [[{ transaction: goodTx({ nonce: 77 }) }, 'policy.rules[4]', 'a limit of the rule "counted" does not hold: n']] : []),
      [{ transaction: goodTx({ nonce: 78 }) }, 'policy.rules[5]', 'the rule "two of two" needs 1 approvals and has 0'],
      [permit({ spender: DEAD }), 'policy.rules', 'no rule allows this'],
      [{ message: { text: 'log in to example.org' } }, 'policy.rules', 'no rule allows this'],
    ]) {
      const answer = await signAny(s, id, body);
      assert.deepEqual([answer.status, answer.json?.code, answer.json?.where, answer.json?.detail], [403, 'denied', where, detail], `${JSON.stringify(body)} ${answer.body}`);
    }
    if (id === 'envelope') return;
    // sealed outside, and not after the enclave has started: nothing can be known of what it has signed
    const answer = await signAny(s, id, { transaction: goodTx({ nonce: 77 }) });
    assert.deepEqual([answer.status, answer.json?.code, answer.json?.where], [409, 'counters_refused', 'counters'], answer.body);
  });
}

await test('a raw digest that the record allows is denied all the same by a policy without a rule for it', async () => {
  const answer = await signAny(s, 'direct', { digest: `0x${'11'.repeat(32)}` });
  assert.deepEqual([answer.json.code, answer.json.where], ['denied', 'policy.rules']);
});

const secrets = new SecretsManagerClient(clientOptions(s));
const stored = async (id) => (await secrets.send(new GetSecretValueCommand({ SecretId: id }))).SecretString;

/** Make a key, change its record in the store, and ask for a signature. (The gateway keeps records that it has read.) */
async function withRecord(kind, change, body = { transaction: { ...good(), to: DEAD } }) {
  const id = `changed-${r.hex(4).slice(2)}`;
  const made = kind === 'direct' ? adyton('key', 'put', id, '--file', join(dir, 'key'), '--key-arn', s.key_arn, '--policy', path) : adyton('key', 'create', id, '--policy', path);
  assert.equal(made.status, 0, made.stderr);
  const before = await stored(id);
  const changed = change(before);
  assert.notEqual(changed, before);
  await secrets.send(new PutSecretValueCommand({ SecretId: id, SecretString: changed }));
  return signAny(s, id, body);
}

for (const [id, code] of [['direct', 'kms_refused'], ['envelope', 'record_mismatch']]) {
  await test(`${id}: a swapped, changed or removed policy opens no key`, async () => {
    const policies = [
      (t) => t.replace(/,"policy":\{.*\}(?=,"created")/, ''),
      (t) => t.replace(/"policy":\{.*\}(?=,"created")/, '"policy":{"policy":1,"rules":[{"name":"all","effect":"allow","when":{}}]}'),
      (t) => t.replace('"vaults":["', `"vaults":["${DEAD}","`),
    ];
    for (const change of policies) {
      const answer = await withRecord(id, change);
      assert.equal(answer.json.code, code, `${change} ${answer.body}`);
    }
  });
  await test(`${id}: callers that were put in or taken away open no key`, async () => {
    const answer = await withRecord(id, (t) => t.replace(',"policy"', ',"callers":["gateway"],"policy"'), { transaction: good() });
    assert.equal(answer.json.code, code, answer.body);
  });
}

await test('a policy that cannot be read is refused, with its place, and makes no key', async () => {
  const bad = file('bad.json', { policy: 1, rules: [{ name: 'a', effect: 'allow', when: { amount: 5 } }] });
  for (const args of [['key', 'put', 'x', '--file', join(dir, 'key'), '--key-arn', s.key_arn, '--policy', bad], ['key', 'create', 'x', '--policy', bad]]) {
    const p = adyton(...args);
    assert.equal(p.status, 1, p.stderr + p.stdout);
    assert.match(p.stderr, /policy\.rules\[0\]\.amount.*is no field that is known/s);
  }
  const answer = await withRecord('direct', (t) => t.replace('"kind":"transaction"', '"kynd":"transaction"'));
  assert.deepEqual([answer.json.code, answer.json.where], ['record_malformed', 'record.policy.rules[0].kynd'], answer.body);
});

await test('adyton policy check explains without signing', async () => {
  const request = (body) => file('request.json', body);
  const yes = adyton('policy', 'check', '--policy', path, '--request', request({ transaction: good() }));
  assert.equal(yes.status, 0, yes.stderr);
  assert.match(yes.stdout, /to is vaults: met, it is 0x3535/);
  assert.match(yes.stdout, /allowed by "ether to vaults"\n$/);
  const no = adyton('policy', 'check', '--policy', path, '--request', request({ transaction: { ...good(), to: DEAD } }));
  assert.equal(no.status, 1);
  assert.match(no.stdout, /denied: no rule allows this/);
  const record = file('record.json', await stored('direct'));
  const same = adyton('policy', 'check', '--record', record, '--request', request({ transaction: { ...good(), to: DEAD } }));
  assert.equal(same.stdout, no.stdout);
  const stamped = ['--stamp', `ed25519:${'00'.repeat(32)}`];
  assert.equal(adyton('policy', 'check', '--policy', path, ...stamped, '--request', request({ transaction: goodTx({ nonce: 78 }) })).status, 0);
  const early = file('time.json', { policy: 1, rules: [{ name: 'old', effect: 'allow', when: { time: { before: '2020-01-01T00:00:00Z' } } }] });
  assert.equal(adyton('policy', 'check', '--policy', early, '--now', '2019-01-01T00:00:00Z', '--request', request({ transaction: good() })).status, 0);
  assert.equal(adyton('policy', 'check', '--policy', early, '--request', request({ transaction: good() })).status, 1);
  for (const args of [[], ['--policy', path], ['--request', path]]) assert.equal(adyton('policy', 'check', ...args).status, 2);
});

await test('adyton policy check explains every operation that the language knows, line by line', async () => {
  const kinds = ['transaction', 'message', 'validator_data', 'typed_data', 'authorization', 'digest', 'clique', 'duty', 'derive'];
  const boss = `ed25519:${'00'.repeat(31)}01`;
  const p = file('all.json', {
    policy: 1, count: 'key', change: { need: 1, of: [boss] },
    rules: kinds.map((kind) => ({ name: kind, effect: 'allow', when: { kind }, limits: [{ name: kind, per: '24h', max: 5 }] })),
  });
  const types = { Mail: [{ name: 'text', type: 'string' }] };
  const clique = encodeRlp([32, 32, 20, 32, 32, 32, 256].map((n) => '0x' + '11'.repeat(n)).concat(['0x02', '0x0a11', '0x01c9c380', '0x', '0x65000000', '0x' + '00'.repeat(32), '0x' + '00'.repeat(32), '0x' + '00'.repeat(8)]));
  const exit = { type: 'VOLUNTARY_EXIT', voluntary_exit: { epoch: '3', validator_index: '9' } };
  const asked = [
    ['transaction', { transaction: good() }],
    ['transaction', { transaction_payload: { value: 0.01, to: DEAD, nonce: 0, type: 2, chainId: 4, gas: 100000, maxFeePerGas: 100000000000, maxPriorityFeePerGas: 3000000000 }, secret_id: 'x' }],
    ['message', { message: { text: 'x' } }],
    ['validator_data', { validator_data: { address: DEAD, data: '0x01' } }],
    ['typed_data', { typed_data: { types, primaryType: 'Mail', domain: { name: 'x' }, message: { text: 'y' } } }],
    ['authorization', { authorization: { chainId: 1, address: DEAD, nonce: 0 } }],
    ['digest', { digest: '0x' + '11'.repeat(32) }],
    ['digest', { data: '0x0102' }],
    ['clique', { clique_header: clique }],
    ['duty', exit],
    ['derive', { path: "m/44'/60'/0'/0/*", count: 5, options: { id: 'k-' } }],
  ];
  for (const [kind, body] of asked) {
    const check = (...more) => adyton('policy', 'check', '--policy', p, '--request', file('request.json', body), ...more);
    const yes = check('--spent', `${kind}=4`);
    assert.equal(yes.status, 0, `${kind}: ${yes.stdout}${yes.stderr}`);
    const lines = yes.stdout.split('\n');
    assert.equal(lines.length, kinds.length * 3 + 2, 'a line for each rule, condition and limit, and the outcome');
    assert.ok(lines.includes(`    kind is ${kind}: met, it is ${kind}`), yes.stdout);
    assert.ok(lines.includes(`    limit ${kind}: holds, 1 more make 5 of 5 in 86400 s, each key of a wallet by itself`), yes.stdout);
    assert.equal(lines.at(-2), `allowed by "${kind}"`);
    const no = check('--spent', `${kind}=5`);
    assert.deepEqual([no.status, no.stdout.split('\n').at(-2)], [1, `denied: a limit of the rule "${kind}" does not hold: ${kind} (policy.rules[${kinds.indexOf(kind)}])`]);
  }
  const change = (...more) => adyton('policy', 'check', '--policy', p, '--request', file('request.json', { revision: 0, policy: { policy: 1, rules: [] } }), ...more);
  assert.deepEqual([change().status, change().stdout], [1, `change: 0 given, 1 of 1 needed\n    has not: ${boss}\ndenied: too few of them have approved\n`]);
  assert.deepEqual([change('--stamp', boss).status, change('--stamp', boss).stdout], [0, `change: 1 given, 1 of 1 needed\n    has approved: ${boss}\nallowed: enough of them have approved\n`]);
  // what such a request is refused for before the policy is asked, is said too
  const other_key = file('record.json', await stored('direct'));
  for (const [body, why] of [[exit, /is not that of a validator/], [asked.at(-1)[1], /is not that of a wallet/]]) {
    const r = adyton('policy', 'check', '--record', other_key, '--request', file('request.json', body));
    assert.equal(r.status === 0, false);
    assert.match(r.stderr, why);
  }
});

await test('the keys are those of their records', async () => {
  const answer = await sign(s, 'direct', good());
  assert.equal(Transaction.from(answer.json.signed_transaction).from, new Wallet(new SigningKey(getBytes(key))).address);
});

await done();
