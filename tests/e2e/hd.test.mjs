// SPDX-License-Identifier: Apache-2.0
// HD wallets through the whole stack: made and brought in, their keys against ethers, @scure/bip32 and
// @chainsafe/bls-keygen; who may derive, with what rights; and that no sentence or seed leaves.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HDNodeWallet, Mnemonic, Transaction, computeAddress, verifyMessage } from 'ethers';
import { HDKey } from '@scure/bip32';
import { mnemonicToSeedSync } from '@scure/bip39';
import { deriveEth2ValidatorKeys, deriveKeyFromMnemonic } from '@chainsafe/bls-keygen';
import blst from '@chainsafe/blst';
import { ed25519 } from '@noble/curves/ed25519';
import { test, done, random } from './lib/tap.mjs';
import { startStack, run, bin, awsEnv, request, sign, signAny, scratch } from './lib/stack.mjs';
import { goodTx } from './lib/hostile.mjs';

const r = random();
const dir = scratch();
const s = await startStack({ args: ['--gateway-option', `store.sqlite=${join(dir, 'keys.sqlite')}`] });
const env = awsEnv(s);
const adyton = (...args) => run(`${bin}/adyton`, args, { env });
const file = (name, text) => (writeFileSync(join(dir, name), text), join(dir, name));
const trusted = ['--root', s.nsm_root_file, '--pcr0', s.pcr0];
const derive = (id, body, headers) => request(`${s.gateway}/v1/keys/${encodeURIComponent(id)}/derive`, { method: 'POST', body, headers, agent: s.gatewayAgent });
const get = async (id) => (await request(`${s.gateway}/v1/keys/${encodeURIComponent(id)}`, { agent: s.gatewayAgent })).json;
const ABOUT = 'abandon '.repeat(11) + 'about';

function good(p) {
  assert.equal(p.status, 0, p.stderr);
  return p.stdout;
}

let wallets = 0;
// A random sentence that the enclave and the oracles both know.
function imported(words, passphrase = '') {
  const phrase = Mnemonic.entropyToPhrase(r.hex((words / 3) * 4));
  const id = `w${wallets++}`;
  const args = passphrase ? ['--passphrase-file', file('pass', passphrase + '\n')] : [];
  good(adyton('wallet', 'import', id, '--file', file('words', phrase.replaceAll(' ', '\n  ').toUpperCase() + '\n'), ...args, ...trusted));
  return { id, phrase, passphrase, root: HDNodeWallet.fromSeed(Mnemonic.fromPhrase(phrase, passphrase).computeSeed()) };
}
const { pick } = r;
const index = () => r.below(0x80000000);

await test('a wallet is made: no sentence leaves, and its record is no key', async () => {
  const shown = good(adyton('wallet', 'create', 'made', '--words', '12', '--json'));
  const key = JSON.parse(shown);
  assert.equal(key.curve, 'wallet');
  assert.match(key.public_key, /^0x0[23][0-9a-f]{64}$/);
  assert.ok(!key.address && !/words|mnemonic|entropy/.test(shown));
  assert.deepEqual([(await sign(s, 'made', goodTx())).json.code, (await signAny(s, 'made', { message: { text: 'x' } })).json.where], ['record_malformed', 'record.curve']);
  assert.equal((await request(`${s.gateway}/v1/keys?curve=wallet`, { agent: s.gatewayAgent })).json.keys.length, 1);
});

await test('a wallet is sealed anew with the other records of its tenant, and has the same keys', async () => {
  good(adyton('wallet', 'create', 'turned', '--tenant', 'turning'));
  const path = "m/44'/60'/0'/0/0";
  const before = (await derive('turned', { path, options: { id: 'turned-0' } })).json.keys[0].address;
  const { state, rewrapped } = JSON.parse(good(adyton('tenant', 'rotate', 'turning', '--json')));
  assert.deepEqual([state, rewrapped], ['done', 2]);
  await new Promise((resolve) => setTimeout(resolve, 100)); // connections that were idle for long have ended
  const after = await derive('turned', { path, options: { id: 'turned-1' } });
  assert.equal(after.json.keys[0].address, before);
  for (const id of ['turned-0', 'turned-1']) assert.equal(Transaction.from((await sign(s, id, goodTx())).json.signed_transaction).from, before);
});

await test('a known sentence gives its known addresses, and its passphrase others', async () => {
  good(adyton('wallet', 'import', 'known', '--file', file('w', ABOUT), ...trusted));
  const lines = good(adyton('wallet', 'addresses', 'known', '--path', "m/44'/60'/0'/0/*", '--count', '3')).trim().split('\n');
  assert.deepEqual(lines, [0, 1, 2].map((i) => `m/44'/60'/0'/0/${i}  ${HDNodeWallet.fromPhrase(ABOUT, '', `m/44'/60'/0'/0/${i}`).address}`));
  assert.equal(lines[0].split('  ')[1], '0x9858EfFD232B4033E47d90003D41EC34EcaEda94');
  good(adyton('wallet', 'import', 'trezor', '--file', file('w', ABOUT), '--passphrase-file', file('p', 'TREZOR'), ...trusted));
  const one = JSON.parse(good(adyton('wallet', 'addresses', 'trezor', '--path', "m/44'/60'/0'/0/7", '--json'))).keys[0];
  assert.equal(one.address, HDNodeWallet.fromPhrase(ABOUT, 'TREZOR', "m/44'/60'/0'/0/7").address);
});

await test('1,000 keys of one path: each has its record, its origin, and signs', async () => {
  const w = imported(24, 'correct horse battery staple');
  const p = adyton('wallet', 'derive', w.id, '--path', "m/44'/60'/0'/0/*", '--count', '1000', '--first', '41', '--id', 'deposit-', '--json');
  const { created, keys } = JSON.parse(good(p));
  assert.deepEqual([created, keys.length, p.stderr], [1000, 1000, '500 of 1000\n1000 of 1000\n']);
  const branch = w.root.derivePath("44'/60'/0'/0");
  keys.forEach((k, i) => assert.deepEqual([k.id, k.path, k.address, k.public_key], [`deposit-${41 + i}`, `m/44'/60'/0'/0/${41 + i}`, branch.deriveChild(41 + i).address, branch.deriveChild(41 + i).publicKey]));
  for (const k of [keys[0], keys[500], keys[999]]) {
    const answer = await sign(s, k.id, goodTx());
    assert.equal(Transaction.from(answer.json.signed_transaction).from, k.address);
    const shown = await get(k.id);
    assert.deepEqual([shown.address, shown.origin], [k.address, `${w.id} ${k.path}`]);
  }
  const again = JSON.parse(good(adyton('wallet', 'derive', w.id, '--path', "m/44'/60'/0'/0/*", '--count', '1000', '--first', '41', '--id', 'deposit-', '--json')));
  assert.deepEqual([again.created, again.there_already], [0, 1000]);
});

await test('1,000 random paths in random wallets are those of ethers and @scure/bip32', async () => {
  const sizes = [12, 15, 18, 21, 24];
  for (let i = 0; i < 20; i++) {
    const w = imported(sizes[i % 5], i % 3 ? '' : `pass ${i} ~!"`);
    const scure = HDKey.fromMasterSeed(mnemonicToSeedSync(w.phrase, w.passphrase));
    for (let k = 0; k < 50; k++) {
      const path = 'm' + Array.from({ length: 1 + r.below(6) }, () => `/${pick([index(), 0, 1, 44, 0x7fffffff])}${pick(['', "'"])}`).join('');
      const { status, json, body } = await derive(w.id, { path });
      assert.equal(status, 200, body);
      assert.deepEqual(json.keys, [{ path, public_key: w.root.derivePath(path.slice(2)).publicKey, address: w.root.derivePath(path.slice(2)).address }], path);
      assert.equal('0x' + Buffer.from(scure.derive(path).publicKey).toString('hex'), json.keys[0].public_key, path);
    }
  }
});

await test('keys of validators are those of @chainsafe/bls-keygen, and make a record each', async () => {
  const w = imported(24);
  const pub = (secret) => '0x' + Buffer.from(blst.SecretKey.fromBytes(secret).toPublicKey().toBytes()).toString('hex');
  const master = deriveKeyFromMnemonic(w.phrase);
  for (const [path, which] of [['m/12381/3600/*/0/0', 'signing'], ['m/12381/3600/*/0', 'withdrawal']]) {
    const { json, status, body } = await derive(w.id, { curve: 'bls12-381', path, first: 3, count: 40 });
    assert.equal(status, 200, body);
    json.keys.forEach((k, i) => assert.equal(k.public_key, pub(deriveEth2ValidatorKeys(master, 3 + i)[which]), k.path));
  }
  const { keys } = JSON.parse(good(adyton('wallet', 'derive', w.id, '--curve', 'bls12-381', '--path', 'm/12381/3600/*/0/0', '--count', '120', '--id', 'v-', '--json')));
  assert.equal(keys.length, 120);
  assert.equal((await get('v-119')).public_key, pub(deriveEth2ValidatorKeys(master, 119).signing));
});

await test('ed25519 keys are those of SLIP-10, and sign', async () => {
  const w = imported(12);
  good(adyton('wallet', 'import', 'solana', '--file', file('w', w.phrase), '--allow-digest', ...trusted));
  const hmac = (key, data) => createHmac('sha512', key).update(data).digest();
  let node = hmac('ed25519 seed', mnemonicToSeedSync(w.phrase));
  for (const i of [44, 501, 7, 0]) {
    const be = Buffer.alloc(4);
    be.writeUInt32BE(0x80000000 + i);
    node = hmac(node.subarray(32), Buffer.concat([Buffer.of(0), node.subarray(0, 32), be]));
  }
  const pub = Buffer.from(ed25519.getPublicKey(node.subarray(0, 32)));
  const { keys } = JSON.parse(good(adyton('wallet', 'derive', 'solana', '--curve', 'ed25519', '--path', "m/44'/501'/*'/0'", '--first', '7', '--id', 'sol-', '--json')));
  assert.deepEqual(keys, [{ id: 'sol-7', path: "m/44'/501'/7'/0'", public_key: '0x' + pub.toString('hex') }]);
  const answer = await signAny(s, 'sol-7', { data: '0x6869' });
  assert.ok(ed25519.verify(answer.json.signature.slice(2), Buffer.from('hi'), pub), answer.body);
});

await test('a key has the rights of its wallet, and nobody without a stamp gives it others', async () => {
  good(adyton('wallet', 'create', 'bound', '--chain', '31337'));
  const path = "m/44'/60'/0'/0/0";
  assert.equal((await derive('bound', { path, options: { id: 'bound-0' } })).status, 201);
  assert.deepEqual((await get('bound-0')).chains, [31337]);
  assert.equal((await sign(s, 'bound-0', goodTx({ chainId: 1 }))).json.code, 'denied');
  for (const more of [{ chains: [1] }, { allow: ['digest'] }, { callers: ['gateway'] }, { policy: { policy: 1, rules: [] } }]) {
    const answer = await derive('bound', { path, options: { id: 'wide', ...more } });
    assert.deepEqual([answer.status, answer.json.code, answer.json.where], [403, 'denied', Object.keys(more)[0]]);
  }
});

await test('where callers stamp, a stamp for deriving is needed; it is over the options', async () => {
  const key = file('stamp.key', '');
  const caller = good(adyton('stamp', 'keygen', '--output', key)).trim().split('\n').map((l) => /(ed25519:[0-9a-f]+)/.exec(l)?.[1]).find(Boolean);
  good(adyton('wallet', 'create', 'stamped', '--caller', caller));
  const path = "m/44'/60'/0'/0/0";
  const none = await derive('stamped', { path });
  assert.deepEqual([none.status, none.json.code, none.json.where], [401, 'unauthorized', 'stamp']);
  const deployment = JSON.parse(good(adyton('dev', 'env', '--json', '--dir', s.dir))).ADYTON_DEPLOYMENT ?? s.deployment ?? 'dev';
  const stamped = (...args) => adyton('wallet', ...args, '--stamp-key', key, '--deployment', deployment);
  good(stamped('addresses', 'stamped', '--path', path));
  good(stamped('derive', 'stamped', '--path', path, '--id', 'own', '--chain', '10', '--caller', 'gateway'));
  assert.deepEqual([(await get('own')).chains, (await get('own')).callers], [[10], ['gateway']]);
  const body = JSON.stringify({ path });
  const stamp = (op) => good(adyton('stamp', 'make', 'stamped', '--request', file('b', body), '--stamp-key', key, '--deployment', deployment, ...(op === 'derive' ? ['--derive'] : []))).trim();
  assert.equal((await derive('stamped', body, { 'x-adyton-stamp': stamp('derive') })).status, 200);
  const other = await derive('stamped', body, { 'x-adyton-stamp': stamp('sign') });
  assert.deepEqual([other.status, other.json.code], [401, 'unauthorized'], 'a stamp for signing');
  const swapped = await derive('stamped', JSON.stringify({ path, options: { id: 'x' } }), { 'x-adyton-stamp': stamp('derive') });
  assert.equal(swapped.json.code, 'unauthorized', 'another body');
});

await test('a policy decides on deriving by the kind "derive"', async () => {
  for (const [id, kind, status] of [['p-yes', ['derive', 'message'], 200], ['p-no', 'message', 403]]) {
    good(adyton('wallet', 'create', id, '--policy', file('policy', JSON.stringify({ policy: 1, rules: [{ name: 'a', effect: 'allow', when: { kind } }] }))));
    assert.equal((await derive(id, { path: 'm/0' })).status, status);
  }
  assert.equal((await derive('p-yes', { path: 'm/0', options: { id: 'p-key' } })).status, 201);
  assert.equal((await sign(s, 'p-key', goodTx())).json.code, 'denied');
  const { json } = await signAny(s, 'p-key', { message: { text: 'x' } });
  assert.equal(verifyMessage('x', json.serialized), (await get('p-key')).address);
});

await test('what is not asked well is refused by name', async () => {
  for (const [id, body, status, code, where] of [
    ['made', '{', 400, 'json_malformed', undefined],
    ['made', {}, 400, 'field_missing', 'path'],
    ['made', { path: 'm/0', x: 1 }, 400, 'field_unknown', 'x'],
    ['made', { path: 'm/01' }, 400, 'field_invalid', 'path'],
    ['made', { path: 'm/0/*', count: 1001 }, 400, 'field_invalid', 'count'],
    ['made', { path: 'm/0', curve: 'bls12-381' }, 400, 'field_invalid', 'path'],
    ['made', { path: 'm/0', curve: 'wallet' }, 400, 'field_invalid', 'curve'],
    ['made', { path: 'm/0', options: {} }, 400, 'field_missing', 'id'],
    ['made', { path: 'm/0', options: { id: 'y', words: 12 } }, 400, 'field_invalid', 'words'],
    ['deposit-41', { path: 'm/0' }, 400, 'field_invalid', 'id'],
    ['nobody', { path: 'm/0' }, 404, 'not_found', undefined],
  ]) {
    const answer = await derive(id, body);
    assert.deepEqual([answer.status, answer.json.code, answer.json.where], [status, code, where], answer.body);
  }
  const taken = await derive('made', { path: 'm/0', options: { id: 'deposit-41' } });
  assert.equal(taken.status, 409, taken.body);
  assert.equal((await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id: 'x', curve: 'wallet', words: 13 }, agent: s.gatewayAgent })).json.where, 'words');
  assert.equal((await request(`${s.gateway}/v1/keys`, { method: 'POST', body: { options: '{"id":"x"}', curve: 'wallet', count: 2 }, agent: s.gatewayAgent })).json.where, 'curve');
  good(adyton('key', 'disable', 'p-yes'));
  assert.deepEqual([(await derive('p-yes', { path: 'm/0' })).json.code], ['denied']);
});

await test('a wallet is in no list of accounts', async () => {
  const wallets = (await request(`${s.gateway}/v1/keys?curve=wallet&limit=1000`, { agent: s.gatewayAgent })).json.keys;
  assert.ok(wallets.length > 20);
  const names = JSON.stringify([(await request(`${s.gateway}/api/v1/eth1/publicKeys`, { agent: s.gatewayAgent })).json,
    (await request(s.gateway, { method: 'POST', body: { jsonrpc: '2.0', id: 1, method: 'eth_accounts' }, agent: s.gatewayAgent })).json]);
  assert.ok(names.includes((await get('deposit-41')).address.toLowerCase()) || names.includes((await get('deposit-41')).address), 'the lists are empty');
  for (const w of wallets) assert.ok(!w.address && !names.includes(computeAddress(w.public_key)) && !names.includes(computeAddress(w.public_key).toLowerCase()), w.id);
});

await test('the command line says what is wrong before it asks', () => {
  for (const args of [['derive'], ['derive', 'made', '--path', 'm/0'], ['derive', 'made', '--id', 'x'], ['derive', 'made', '--id', 'x', '--path', 'm'], ['addresses', 'made', '--path', 'm/0', '--count', '2'],
    ['addresses', 'made', '--path', 'm/*', '--curve', 'p256'], ['create'], ['create', 'x', '--words', '13'], ['import', 'x']]) assert.equal(adyton('wallet', ...args).status, 2, args.join(' '));
  for (const words of ['abandon', ABOUT + ' about', ABOUT.replace('about', 'abandon')]) {
    const p = adyton('wallet', 'import', 'x', '--file', file('bad', words), ...trusted);
    assert.deepEqual([p.status, /BIP-39/.test(p.stderr)], [1, true], p.stderr);
  }
  const p = adyton('wallet', 'import', 'x', '--file', file('w', ABOUT), '--passphrase-file', file('p', 'é'), ...trusted);
  assert.deepEqual([p.status, /ASCII/.test(p.stderr)], [1, true], p.stderr);
  const wrong = adyton('wallet', 'import', 'x', '--file', file('w', ABOUT), '--root', s.nsm_root_file, '--pcr0', '00'.repeat(48));
  assert.deepEqual([wrong.status, /PCR0/.test(wrong.stderr)], [1, true], wrong.stderr);
});

done();
