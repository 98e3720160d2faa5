// SPDX-License-Identifier: Apache-2.0
// `adyton key import` and `adyton key create --count` through the whole stack: the key that comes out signs; a gateway that
// gives out another document, or another enclave's, gets no key; a run that was cut off goes on where it was.
import assert from 'node:assert/strict';
import http from 'node:http';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EncryptCommand, KMSClient } from '@aws-sdk/client-kms';
import { Transaction, computeAddress } from 'ethers';
import { test, done, random, atEnd } from './lib/tap.mjs';
import { startStack, run, bin, awsEnv, request, sign, scratch } from './lib/stack.mjs';
import { clientOptions } from './lib/aws.mjs';
import { goodTx } from './lib/hostile.mjs';

const r = random();
const s = await startStack();
const env = awsEnv(s);
const dir = scratch();
const adyton = (...args) => run(`${bin}/adyton`, args, { env });
const file = (name, text) => (writeFileSync(join(dir, name), text), join(dir, name));
const trusted = ['--root', s.nsm_root_file, '--pcr0', s.pcr0];
const post = (body) => request(`${s.gateway}/v1/keys`, { method: 'POST', body, agent: s.gatewayAgent });

async function signsAs(id, address, tx = goodTx()) {
  const answer = await sign(s, id, tx);
  assert.equal(answer.status, 200, answer.body);
  assert.equal(Transaction.from(answer.json.signed_transaction).from, address);
}

await test('a key is imported, by file, and signs; what was said of it is in its record', async () => {
  const key = r.hex(32);
  const p = adyton('key', 'import', 'in', '--file', file('k', `${key}\n`), ...trusted, '--chain', '31337', '--json');
  assert.equal(p.status, 0, p.stderr);
  assert.equal(JSON.parse(p.stdout).address, computeAddress(key));
  await signsAs('in', computeAddress(key));
  assert.equal((await sign(s, 'in', goodTx({ chainId: 1 }))).json.code, 'denied');
  assert.ok(!(p.stdout + p.stderr).includes(key.slice(2)));
});

await test('a secret of the AWS sample is imported', async () => {
  const key = r.hex(32);
  const kms = new KMSClient(clientOptions(s));
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: s.key_arn, Plaintext: Buffer.from(key.slice(2)) }));
  const secret = file('secret', Buffer.from(CiphertextBlob).toString('base64') + '\n');
  const p = adyton('key', 'import', 'old', '--kms-ciphertext', secret);
  assert.equal(p.status, 0, p.stderr);
  await signsAs('old', computeAddress(key));
  const rights = adyton('key', 'import', 'older', '--kms-ciphertext', secret, '--allow-digest');
  assert.deepEqual([rights.status, /allow/.test(rights.stderr)], [1, true], rights.stderr);
});

await test('another measurement, another root, no measurement: the key stays here', () => {
  const key = file('k2', r.hex(32));
  const wrong = adyton('key', 'import', 'x', '--file', key, '--root', s.nsm_root_file, '--pcr0', '00'.repeat(48));
  assert.deepEqual([wrong.status, /PCR0/.test(wrong.stderr)], [1, true], wrong.stderr);
  const root = adyton('key', 'import', 'x', '--file', key, '--pcr0', s.pcr0);
  assert.deepEqual([root.status, /root/.test(root.stderr)], [1, true], root.stderr);
  for (const args of [[], ['x'], ['x', '--file', key], ['x', '--file', key, '--kms-ciphertext', key], ['x y', ...trusted]]) assert.equal(adyton('key', 'import', ...args).status, 2, args.join(' '));
  for (const text of ['', 'abc', '00'.repeat(32)]) assert.equal(adyton('key', 'import', 'x', '--file', file('bad', text), ...trusted).status, 1, text);
});

await test('a gateway that gives out an older document, or one of the other key, gets nothing that it can use', async () => {
  const seen = [];
  let answer = (url) => request(`${s.gateway}${url}`, { agent: s.gatewayAgent });
  const liar = http.createServer((req, res) => {
    let body = '';
    req.on('data', (d) => (body += d));
    req.on('end', async () => {
      if (req.method === 'POST') seen.push(body);
      const a = await answer(req.url);
      res.writeHead(a.status, { 'content-type': 'application/json' });
      res.end(a.body);
    });
  });
  await new Promise((resolve) => liar.listen(0, '127.0.0.1', resolve));
  atEnd(() => liar.close());
  const url = `http://127.0.0.1:${liar.address().port}`;
  const attempt = () => import('node:child_process').then(({ execFile }) => new Promise((resolve) => execFile(`${bin}/adyton`, ['key', 'import', 'x', '--file', file('k3', r.hex(32)), ...trusted, '--gateway', url], { env: { ...process.env, ...env } }, (e, stdout, stderr) => resolve({ status: e?.code ?? 0, stderr }))));
  const old = await request(`${s.gateway}/v1/import-key?nonce=00`, { agent: s.gatewayAgent });
  answer = async () => old;
  const replay = await attempt();
  assert.deepEqual([replay.status, /nonce/.test(replay.stderr)], [1, true], replay.stderr);
  answer = (path) => request(`${s.gateway}${path.replace('import-key', 'attestation')}`, { agent: s.gatewayAgent });
  const other = await attempt();
  assert.deepEqual([other.status, /public_key/.test(other.stderr)], [1, true], other.stderr);
  assert.deepEqual(seen, []);
});

await test('1,200 keys by one command; the same command again makes none; a longer one goes on', async () => {
  const create = (count, ...more) => adyton('key', 'create', 'deposit-', '--count', String(count), '--chain', '31337', '--json', ...more);
  const p = create(700);
  assert.equal(p.status, 0, p.stderr);
  assert.deepEqual(JSON.parse(p.stdout), { created: 700, there_already: 0, first: 'deposit-0', last: 'deposit-699' });
  assert.match(p.stderr, /500 of 700\n700 of 700/);
  assert.deepEqual(JSON.parse(create(700).stdout).created, 0);
  const on = create(500, '--first', '700');
  assert.deepEqual(JSON.parse(on.stdout), { created: 500, there_already: 0, first: 'deposit-700', last: 'deposit-1199' });
  const addresses = new Set();
  for (const i of [0, 1, 499, 500, 699, 700, 1199]) {
    const answer = await sign(s, `deposit-${i}`, goodTx());
    assert.equal(answer.status, 200, answer.body);
    addresses.add(answer.json.from);
    assert.equal((await sign(s, `deposit-${i}`, goodTx({ chainId: 2 }))).json.code, 'denied');
  }
  assert.equal(addresses.size, 7);
  assert.equal((await sign(s, 'deposit-1200', goodTx())).status, 404);
  // BLS keys too: their records are longer
  const bls = adyton('key', 'create', 'val-', '--count', '3', '--curve', 'bls12-381', '--json');
  assert.deepEqual(JSON.parse(bls.stdout).created, 3, bls.stderr);
  for (const args of [['--count', '0'], ['--count', '1000001'], ['--count', 'x'], ['--first', '1'], ['--count', '2', '--first', '999999999']]) assert.equal(adyton('key', 'create', 'z', ...args).status, 2);
});

await test('the bodies of POST /v1/keys with options are refused by name', async () => {
  const options = '{"id":"b"}';
  const some = Buffer.alloc(48).toString('base64');
  for (const [body, status, code, where] of [
    [{ options, count: 1001 }, 400, 'field_out_of_range', 'count'],
    [{ options, count: 0 }, 400, 'field_out_of_range', 'count'],
    [{ options, count: 1, first: -1 }, 400, 'field_out_of_range', 'first'],
    [{ options, count: 1, sealed: some }, 400, 'field_invalid', 'options'],
    [{ options }, 400, 'field_invalid', 'options'],
    [{ options, count: 1, x: 1 }, 400, 'field_unknown', 'x'],
    [{ options: 7, count: 1 }, 400, 'field_invalid', 'options'],
    [{ options: '{"id":"b","y":1}', count: 1 }, 400, 'field_unknown', 'y'],
    [{ options, sealed: some }, 400, 'field_missing', 'enc'],
    [{ options, sealed: some, enc: '?' }, 400, 'field_invalid', 'enc'],
    [{ options, sealed: some, enc: some }, 400, 'field_invalid', 'enc'],
    [{ options, sealed: Buffer.alloc(5000).toString('base64'), enc: some }, 400, 'field_invalid', 'enc'],
    [{ options, kms_ciphertext: '' }, 400, 'field_invalid', 'kms_ciphertext'],
    [{ options, kms_ciphertext: some }, 502, 'kms_refused', undefined],
    [{ options: '{"id":"deposit-"}', count: 1 }, 409, 'already_exists', 'id'],
  ]) {
    const answer = await post(body);
    assert.deepEqual([answer.status, answer.json.code, answer.json.where], [status, code, where], `${JSON.stringify(body).slice(0, 200)}: ${answer.body}`);
  }
});

await done();
