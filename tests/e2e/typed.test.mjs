// SPDX-License-Identifier: Apache-2.0
// EIP-712: 2,000 random documents, recursive ones and those of V3, signed by the signer in one process, must have the digest
// of ethers 6, viem and eth-sig-util and the signature of the same key; a sample goes through the whole stack. Then what is
// refused, each with its code and path, and every limit.
import assert from 'node:assert/strict';
import http from 'node:http';
import { SigningKey, TypedDataEncoder } from 'ethers';
import { hashTypedData } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { TypedDataUtils, signTypedData } from '@metamask/eth-sig-util';
import { test, done, random, parallel } from './lib/tap.mjs';
import { startStack, putKey } from './lib/stack.mjs';
import { randomRecursive, randomTyped, spelled } from './lib/typed.mjs';
import { signLines } from './lib/lines.mjs';
import { asker } from './lib/asks.mjs';

const DOCUMENTS = Number(process.env.ADYTON_TYPED ?? 2000);
const r = random();
const s = await startStack();
s.gatewayAgent = new http.Agent({ keepAlive: true, maxSockets: 32 });

const secret = r.hex(32);
const key = new SigningKey(secret);
const account = privateKeyToAccount(secret);
const address = putKey(s, 'plain', secret.slice(2)).address;
const { signs, refused } = asker(s, key, address, 'plain');

const utils = (doc, version) => '0x' + Buffer.from(TypedDataUtils.eip712Hash(doc, version)).toString('hex');

/** Sign all bodies in one process; each must have its digest and be signed by the key. Every nth goes through the stack. */
async function signAll(cases, nth) {
  const answers = await signLines(cases.map(({ body }) => ({ key: secret, body })));
  cases.forEach(({ body, digest }, i) => {
    const text = `${JSON.stringify(answers[i])} for ${JSON.stringify(body).slice(0, 3000)}`;
    assert.equal(answers[i].hash, digest, text);
    assert.equal(answers[i].r, key.sign(digest).r, text);
    assert.equal(answers[i].s, key.sign(digest).s, text);
  });
  await parallel(16, cases, async ({ body, digest }, i) => i % nth === 0 && signs(body, digest));
}

// viem and eth-sig-util look for the types that a type needs by \w+ and do not find "Order:Sub"; ethers does.
const plainNames = (doc) => Object.keys(doc.types).every((name) => /^\w+$/.test(name));

await test(`${DOCUMENTS} random typed-data documents are those of ethers, viem and eth-sig-util`, async () => {
  let plain = 0;
  const cases = Array.from({ length: DOCUMENTS }, (_, i) => {
    const doc = randomTyped(r);
    const { EIP712Domain, ...types } = doc.types;
    const digest = TypedDataEncoder.hash(doc.domain, types, doc.message);
    const body = { typed_data: spelled(r, doc) };
    if (i % 3 === 0) body.version = 'V4';
    if (i % 4 === 0) delete body.typed_data.types.EIP712Domain;
    if (plainNames(doc)) {
      plain++;
      assert.equal(digest, hashTypedData(doc));
      assert.equal(digest, utils(doc, 'V4'));
    }
    return { doc, digest, body };
  });
  console.log(`# ${cases.length} compared with ethers, ${plain} of them with viem and eth-sig-util`);
  await signAll(cases, Math.ceil(DOCUMENTS / 200));
  for (const { doc, digest } of cases.filter(({ doc }) => plainNames(doc)).slice(0, 100)) {
    assert.equal(key.sign(digest).serialized, await account.signTypedData(doc));
    assert.equal(key.sign(digest).serialized, signTypedData({ privateKey: Buffer.from(secret.slice(2), 'hex'), data: doc, version: 'V4' }));
  }
});

await test('500 random documents of recursive types, structs left out or null, are those of eth-sig-util', async () => {
  await signAll(
    Array.from({ length: 500 }, () => {
      const doc = randomRecursive(r);
      return { digest: utils(doc, 'V4'), body: { typed_data: spelled(r, doc) } };
    }),
    25,
  );
});

await test('500 documents without arrays are those of eth-sig-util V3', async () => {
  const cases = [];
  while (cases.length < 500) {
    const doc = randomTyped(r);
    if (!plainNames(doc) || Object.values(doc.types).flat().some((f) => f.type.includes('['))) continue;
    cases.push({ digest: utils(doc, 'V3'), body: { typed_data: spelled(r, doc), version: 'V3' } });
  }
  await signAll(cases, 25);
});

const one = (type, v) => ({ types: { T: [{ name: 'v', type }] }, primaryType: 'T', domain: { name: 'd' }, message: { v } });
const ethersDigest = ({ types, domain, message }) => TypedDataEncoder.hash(domain, types, message);

await test('every Solidity type at its edges is that of ethers', async () => {
  const docs = [one('address', '0x' + '00'.repeat(20)), one('bool', true), one('bool', false), one('string', ''), one('bytes', '0x')];
  for (let n = 1; n <= 32; n++) {
    docs.push(one(`bytes${n}`, '0x' + 'ff'.repeat(n)));
    const top = 1n << BigInt(8 * n);
    for (const v of [0n, 1n, top - 1n]) docs.push(one(`uint${8 * n}`, v));
    for (const v of [-top / 2n, -1n, 0n, top / 2n - 1n]) docs.push(one(`int${8 * n}`, v));
  }
  await signAll(docs.map((doc) => ({ digest: ethersDigest(doc), body: { typed_data: spelled(r, doc) } })), 100);
});

await test('arrays of every depth that JSON may have here', async () => {
  const cases = [];
  // the body, typed_data and message are three levels
  for (let depth = 1; depth <= 13; depth++) {
    for (const dim of ['[]', '[1]', '[2]']) {
      const width = dim === '[2]' && depth <= 6 ? 2 : 1;
      const build = (d) => (d === 0 ? 7 : Array(width).fill(build(d - 1)));
      const doc = one('uint8' + (width === 2 ? '[2]' : dim === '[2]' ? '[1]' : dim).repeat(depth), build(depth));
      cases.push({ digest: ethersDigest(doc), body: { typed_data: doc } });
    }
  }
  await signAll(cases, 10);
  const deeper = one('uint8' + '[]'.repeat(14), JSON.parse('['.repeat(14) + '7' + ']'.repeat(14)));
  await refused({ typed_data: deeper }, 'too_large', undefined, /deep/);
});

await test('empty structs, and the domain alone, are those of eth-sig-util', async () => {
  const domain = { types: { EIP712Domain: [{ name: 'name', type: 'string' }] }, primaryType: 'EIP712Domain', domain: { name: 'x' }, message: {} };
  const empty = { types: { EIP712Domain: [], Empty: [] }, primaryType: 'Empty', domain: {}, message: {} };
  for (const doc of [domain, empty]) await signs({ typed_data: doc }, utils(doc, 'V4'));
});

const person = [{ name: 'name', type: 'string' }, { name: 'wallet', type: 'address' }];
const mail = (changes = {}) => ({
  types: { Person: person, Mail: [{ name: 'to', type: 'Person' }, { name: 'n', type: 'uint8' }, { name: 'list', type: 'int8[2][]' }] },
  primaryType: 'Mail',
  domain: { name: 'd' },
  message: { to: { name: 'Bob', wallet: '0x' + 'bb'.repeat(20) }, n: 1, list: [[1, -2]] },
  ...changes,
});
const withType = (type) => mail({ types: { ...mail().types, Person: [person[0], { name: 'wallet', type }] } });
const withMessage = (change) => mail({ message: { ...mail().message, ...change } });

await test('malformed typed data is refused, each with its code and path', async () => {
  await signs({ typed_data: mail() }, TypedDataEncoder.hash({ name: 'd' }, mail().types, mail().message));
  const rows = [
    [mail({ types: undefined }), 'field_missing', 'typed_data.types'],
    [mail({ domain: undefined }), 'field_missing', 'typed_data.domain'],
    [mail({ message: undefined }), 'field_missing', 'typed_data.message'],
    [mail({ primaryType: 'Nail' }), 'field_invalid', 'typed_data.primaryType'],
    [mail({ more: 1 }), 'field_unknown', 'typed_data.more'],
    [mail({ domain: { name: 'd', owner: 1 } }), 'field_unknown', 'typed_data.domain'],
    [mail({ domain: { chainId: -1 } }), 'field_out_of_range', 'typed_data.domain.chainId'],
    [withType('Wallet'), 'field_invalid', 'typed_data.types.Person[1].type'],
    [withType('uint'), 'field_invalid', 'typed_data.types.Person[1].type'],
    [withType('uint264'), 'field_invalid', 'typed_data.types.Person[1].type'],
    [withType('bytes33'), 'field_invalid', 'typed_data.types.Person[1].type'],
    [withType('uint8[0]'), 'field_invalid', 'typed_data.types.Person[1].type'],
    [withType('uint8[['), 'field_invalid', 'typed_data.types.Person[1].type'],
    [mail({ types: { ...mail().types, 'P(a b)': person } }), 'field_invalid', 'typed_data.types.P(a b)'],
    [mail({ types: { ...mail().types, uint8: person } }), 'field_invalid', 'typed_data.types.uint8'],
    [mail({ types: { ...mail().types, Person: [...person, person[0]] } }), 'field_invalid', 'typed_data.types.Person[2]'],
    [mail({ types: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`T${i}`, person])) }), 'too_large', 'typed_data.types'],
    [withMessage({ to: { name: 'Bob' } }), 'field_missing', 'typed_data.message.to.wallet'],
    [withMessage({ to: { name: 'Bob', wallet: 5 } }), 'field_invalid', 'typed_data.message.to.wallet'],
    [withMessage({ to: { name: 'Bob', wallet: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD' } }), 'address_checksum', 'typed_data.message.to.wallet'],
    [withMessage({ to: { ...mail().message.to, age: 5 } }), 'field_unknown', 'typed_data.message.to.age'],
    [withMessage({ to: 'Bob' }), 'field_invalid', 'typed_data.message.to'],
    [withMessage({ n: 256 }), 'field_out_of_range', 'typed_data.message.n'],
    [withMessage({ n: -1 }), 'field_out_of_range', 'typed_data.message.n'],
    [withMessage({ n: 1.5 }), 'field_invalid', 'typed_data.message.n'],
    [withMessage({ n: true }), 'field_invalid', 'typed_data.message.n'],
    [withMessage({ list: [[1, 2, 3]] }), 'field_invalid', 'typed_data.message.list[0]'],
    [withMessage({ list: [[1, 2], [127, 128]] }), 'field_out_of_range', 'typed_data.message.list[1][1]'],
    [withMessage({ list: [[1, 2], [-128, -129]] }), 'field_out_of_range', 'typed_data.message.list[1][1]'],
    [withMessage({ list: {} }), 'field_invalid', 'typed_data.message.list'],
  ];
  for (const [doc, code, where] of rows) await refused({ typed_data: doc }, code, where);
  await refused({ typed_data: JSON.stringify(mail()) }, 'field_invalid', 'typed_data', /object/);
  await refused({ typed_data: mail(), version: 'V1' }, 'field_invalid', 'version');
  await refused({ typed_data: mail(), version: 'V3' }, 'field_invalid', 'typed_data.message.list', /V3/);
  await refused({ typed_data: withMessage({ to: null }), version: 'V3' }, 'field_invalid', 'typed_data.message.to');
});

await test('missing and extra members are refused by path where eth-sig-util would sign something else than is shown', async () => {
  const doc = { ...mail(), types: { ...mail().types, EIP712Domain: [{ name: 'name', type: 'string' }] } };
  // V4 of eth-sig-util does not look at what a type does not name, V3 leaves out what is missing
  const extra = { ...doc, message: { ...doc.message, note: 'not signed' } };
  assert.equal(utils(extra, 'V4'), utils(doc, 'V4'));
  await refused({ typed_data: extra }, 'field_unknown', 'typed_data.message.note');
  await refused({ typed_data: extra, unknown_members: 'refuse' }, 'field_unknown', 'typed_data.message.note');
  await refused({ typed_data: extra, unknown_members: 'sign' }, 'field_invalid', 'unknown_members');
  await refused({ message: { text: 'a' }, unknown_members: 'ignore' }, 'field_unknown', 'unknown_members');
  await signs({ typed_data: extra, unknown_members: 'ignore' }, utils(doc, 'V4'));
  await refused({ typed_data: { ...doc, domain: { ...doc.domain, chainId: 5 } } }, 'field_unknown', 'typed_data.domain.chainId');
  const flat = one('bool');
  const short = { ...flat, types: { ...flat.types, EIP712Domain: [] }, domain: {}, message: {} };
  assert.match(utils(short, 'V3'), /^0x/);
  await refused({ typed_data: short, version: 'V3' }, 'field_missing', 'typed_data.message.v');
  await refused({ typed_data: short, version: 'V4' }, 'field_missing', 'typed_data.message.v');
});

await test('each limit is reached, and one more is refused with its reason', async () => {
  const types = (n) => ({ ...one('bool', true), types: Object.fromEntries(Array.from({ length: n }, (_, i) => [i ? `T${i}` : 'T', [{ name: 'v', type: 'bool' }]])) });
  await signs({ typed_data: types(64) }, ethersDigest(one('bool', true)));
  await refused({ typed_data: types(65) }, 'too_large', 'typed_data.types', /64 types/);

  // a struct that is absent costs no text, so their number is bounded: 10 structs of 400 members and the outer one fit
  const member = (i) => ({ name: `a${i}`, type: 'T' });
  const wide = (n) => ({ types: { EIP712Domain: [], T: Array.from({ length: 400 }, (_, i) => member(i)), L: [{ name: 'l', type: 'T[]' }] }, primaryType: 'L', domain: {}, message: { l: Array(n).fill({}) } });
  await signs({ typed_data: wide(10) }, utils(wide(10), 'V4'));
  await refused({ typed_data: wide(11) }, 'too_large', 'typed_data.message.l[10]', /4096 values/);

  // the hash of a type is of all types that it needs: here of all for each
  const circle = (length) => {
    const types = { EIP712Domain: [], P: Array.from({ length: 62 }, (_, i) => ({ name: `a${i}`, type: `T${i}` })) };
    for (let i = 0; i < 62; i++) types[`T${i}`] = [{ name: 'n'.repeat(length), type: `T${(i + 1) % 62}` }];
    return { types, primaryType: 'P', domain: {}, message: Object.fromEntries(types.P.map(({ name }) => [name, {}])) };
  };
  await signs({ typed_data: circle(50) }, utils(circle(50), 'V4'));
  await refused({ typed_data: circle(1000) }, 'too_large', 'typed_data.types', /262144 bytes/);

  // values of JSON, of every body: this one has 22 beside the items of its list
  const list = (n) => one('uint8[]', Array(n).fill(1));
  const most = 4096 - 22;
  await signs({ typed_data: list(most) }, ethersDigest(list(most)));
  await refused({ typed_data: list(most + 1) }, 'too_large', undefined, /too many values/);

  const text = (n) => one('string', 'x'.repeat(n));
  const room = 131072 - JSON.stringify({ typed_data: text(0) }).length;
  await signs({ typed_data: text(room) }, ethersDigest(text(room)));
  await refused({ typed_data: text(room + 1) }, 'too_large', 'body', /131072 bytes/); // the gateway's word; the enclave's:
  const [answer] = await signLines([{ key: secret, body: { typed_data: text(room + 1) } }]);
  assert.deepEqual(answer, { code: 'too_large', where: '', detail: 'the body exceeds 131072 bytes' });

  await signs({ typed_data: one('bool[999999999][]', []) }, ethersDigest(one('bool[999999999][]', [])));
  await refused({ typed_data: one('bool[1000000000][]', []) }, 'field_invalid', 'typed_data.types.T[0].type', /no type/);
});

await done();
