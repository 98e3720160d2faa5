// SPDX-License-Identifier: Apache-2.0
// What an account signs beside transactions, through the whole stack: every digest and signature must be
// those of ethers 6, viem and eth-sig-util with the same key; and every refusal has its code and path.
import assert from 'node:assert/strict';
import http from 'node:http';
import { SigningKey, TypedDataEncoder, Wallet, concat, getBytes, hashAuthorization, hashMessage, keccak256, Transaction } from 'ethers';
import { hashTypedData, recoverMessageAddress } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { TypedDataUtils, signTypedData } from '@metamask/eth-sig-util';
import { test, done, random, parallel } from './lib/tap.mjs';
import { startStack, putKey, signAny, run, bin, awsEnv } from './lib/stack.mjs';
import { randomAuthorization } from './lib/txs.mjs';
import { randomTyped, spelled } from './lib/typed.mjs';

const DOCUMENTS = Number(process.env.ADYTON_TYPED ?? 2000);
const r = random();
const s = await startStack();
s.gatewayAgent = new http.Agent({ keepAlive: true, maxSockets: 32 });

const secret = r.hex(32);
const key = new SigningKey(secret);
const account = privateKeyToAccount(secret);
const address = putKey(s, 'plain', secret.slice(2)).address;
putKey(s, 'raw', secret.slice(2), '--allow-digest');
putKey(s, 'unprotected', secret.slice(2), '--allow-unprotected');
putKey(s, 'both', secret.slice(2), '--allow-digest', '--allow-unprotected');
putKey(s, 'sampled', secret.slice(2), '--aws-sample');

/** The answer to body must be a signature over digest by the key. */
async function signs(body, digest, id = 'plain') {
  const answer = await signAny(s, id, body);
  assert.equal(answer.status, 200, `${answer.body} for ${JSON.stringify(body).slice(0, 3000)}`);
  const want = key.sign(digest);
  assert.deepEqual(answer.json, {
    hash: digest,
    from: address,
    signature: { r: want.r, s: want.s, yParity: want.yParity },
    serialized: want.serialized,
  });
  return answer.json;
}

async function refused(body, code, where, detail = /./, id = 'plain') {
  const answer = await signAny(s, id, body);
  const text = `${answer.body} for ${JSON.stringify(body).slice(0, 600)}`;
  assert.equal(answer.json?.code, code, text);
  assert.equal(answer.json.where, where, text);
  assert.match(answer.json.detail, detail, text);
}

await test('500 personal messages are those of ethers and viem', async () => {
  await parallel(32, Array(500).fill(), async (_, i) => {
    const bytes = r.bytes(r.pick([0, 1, 9, 10, 32, 99, 100, 1000, 20000]));
    const text = r.pick(['', 'hello', 'Grüße', '署名 🔑', 'line\nline\t"quoted" \\']) + 'x'.repeat(r.below(200));
    const asText = i % 2 === 0;
    const digest = hashMessage(asText ? text : bytes);
    const answer = await signs({ message: asText ? { text } : { hex: '0x' + bytes.toString('hex') } }, digest);
    const message = asText ? text : { raw: bytes };
    assert.equal(answer.serialized, await account.signMessage({ message }));
    if (i % 25 === 0) assert.equal(await recoverMessageAddress({ message, signature: answer.serialized }), address);
  });
});

await test('data for a validator contract has version 0x00 of EIP-191', async () => {
  for (let i = 0; i < 50; i++) {
    const to = r.hex(20);
    const data = r.hex(r.pick([0, 1, 32, 500]));
    await signs({ validator_data: { address: to, data } }, keccak256(concat(['0x1900', to, data])));
  }
});

// viem and eth-sig-util look for the types that a type needs by \w+ and do not find "Order:Sub"; ethers does.
const plainNames = (doc) => Object.keys(doc.types).every((name) => /^\w+$/.test(name));

await test(`${DOCUMENTS} random typed-data documents are those of ethers, viem and eth-sig-util`, async () => {
  await parallel(32, Array(DOCUMENTS).fill(), async (_, i) => {
    const doc = randomTyped(r);
    const { EIP712Domain, ...types } = doc.types;
    const digest = TypedDataEncoder.hash(doc.domain, types, doc.message);
    const body = { typed_data: spelled(r, doc) };
    if (i % 3 === 0) body.version = 'V4';
    if (i % 4 === 0) delete body.typed_data.types.EIP712Domain;
    const answer = await signs(body, digest);
    if (!plainNames(doc)) return;
    assert.equal(digest, hashTypedData(doc));
    assert.equal(digest, '0x' + Buffer.from(TypedDataUtils.eip712Hash(doc, 'V4')).toString('hex'));
    if (i % 10 === 0) {
      assert.equal(answer.serialized, await account.signTypedData(doc));
      assert.equal(answer.serialized, signTypedData({ privateKey: Buffer.from(secret.slice(2), 'hex'), data: doc, version: 'V4' }));
    }
  });
});

const EMPTY = { name: 'x' };
const recursive = (message) => ({
  types: { EIP712Domain: [{ name: 'name', type: 'string' }], Node: [{ name: 'v', type: 'uint8' }, { name: 'next', type: 'Node' }, { name: 'all', type: 'Node[]' }] },
  primaryType: 'Node',
  domain: EMPTY,
  message,
});
const utils = (doc, version) => '0x' + Buffer.from(TypedDataUtils.eip712Hash(doc, version)).toString('hex');

await test('recursive types, empty structs in V4, and the domain alone are those of eth-sig-util', async () => {
  const leaf = { v: 1, next: null, all: [] };
  for (const message of [leaf, { v: 2, all: [] }, { v: 3, next: leaf, all: [leaf, { ...leaf, all: [leaf] }] }]) {
    const doc = recursive(message);
    await signs({ typed_data: doc }, utils(doc, 'V4'));
  }
  const domain = { types: { EIP712Domain: [{ name: 'name', type: 'string' }] }, primaryType: 'EIP712Domain', domain: EMPTY, message: {} };
  await signs({ typed_data: domain }, utils(domain, 'V4'));
});

await test('300 documents without arrays are those of eth-sig-util V3', async () => {
  let n = 0;
  while (n < 300) {
    const doc = randomTyped(r);
    if (!plainNames(doc) || Object.values(doc.types).flat().some((f) => f.type.includes('['))) continue;
    await signs({ typed_data: spelled(r, doc), version: 'V3' }, utils(doc, 'V3'));
    n++;
  }
});

await test('200 authorizations are those of ethers and viem', async () => {
  await parallel(32, Array(200).fill(), async () => {
    const tuple = randomAuthorization(r);
    const answer = await signs({ authorization: spelled(r, tuple) }, hashAuthorization(tuple));
    const theirs = await account.signAuthorization({ address: tuple.address, chainId: Number(tuple.chainId), nonce: Number(tuple.nonce) });
    assert.equal(answer.signature.r, theirs.r);
    assert.equal(answer.signature.s, theirs.s);
    assert.equal(answer.signature.yParity, theirs.yParity);
  });
});

await test('a raw digest is signed only where the record allows it, and KMS knows that it does', async () => {
  const digest = r.hex(32);
  await signs({ digest }, digest, 'raw');
  await refused({ digest }, 'denied', 'digest', /does not allow raw digests/);
  await refused({ digest }, 'denied', 'digest', /does not allow raw digests/, 'sampled');
  await refused({ digest: digest.slice(0, -2) }, 'field_invalid', 'digest', /64 hex digits/, 'raw');
  await signs({ message: { text: 'also' } }, hashMessage('also'), 'raw');
});

await test('a legacy transaction without a chain id is signed only where the record allows it', async () => {
  const fields = { type: 0, nonce: 3, gasPrice: 7n, to: '0x' + '35'.repeat(20), value: 5n, data: '0x01' };
  const theirs = Transaction.from({ ...fields, gasLimit: 21000n, chainId: 0n });
  theirs.signature = key.sign(theirs.unsignedHash);
  const transaction = { ...spelled(r, fields), gas: 21000 };
  for (const id of ['unprotected', 'both']) {
    for (const body of [transaction, { ...transaction, type: undefined }]) {
      const answer = await signAny(s, id, { transaction: body });
      assert.equal(answer.status, 200, answer.body);
      assert.equal(answer.json.signed_transaction, theirs.serialized);
      assert.equal(answer.json.signed_transaction, await account.signTransaction({ type: 'legacy', nonce: 3, gasPrice: 7n, gas: 21000n, to: fields.to, value: 5n, data: '0x01' }));
      assert.equal(Transaction.from(answer.json.signed_transaction).from, address);
      assert.equal(Transaction.from(answer.json.signed_transaction).chainId, 0n);
    }
    await refused({ transaction: { ...transaction, chainId: 0 } }, 'chain_id_zero', 'transaction.chainId', /./, id);
    await refused({ transaction: { ...transaction, type: 1 } }, 'field_missing', 'transaction.chainId', /./, id);
  }
  for (const id of ['plain', 'raw', 'sampled']) await refused({ transaction }, 'denied', 'transaction.chainId', /every chain.*"unprotected"/, id);
  const digest = r.hex(32);
  await signs({ digest }, digest, 'both');
  await refused({ digest }, 'denied', 'digest', /raw digests/, 'unprotected');
});

await test('a record that was given a permission by its store is refused by KMS', async () => {
  const aws = (...args) => {
    const a = run('aws', [...args, '--output', 'json'], { env: awsEnv(s) });
    assert.equal(a.status, 0, a.stderr);
    return JSON.parse(a.stdout);
  };
  const transaction = { type: 0, nonce: 0, gasPrice: 1, gas: 21000, to: '0x' + '35'.repeat(20) };
  for (const [id, allow, body] of [['tampered', ['digest'], { digest: r.hex(32) }], ['tampered-2', ['unprotected'], { transaction }]]) {
    putKey(s, id, secret.slice(2));
    const record = JSON.parse(aws('secretsmanager', 'get-secret-value', '--secret-id', id).SecretString);
    aws('secretsmanager', 'put-secret-value', '--secret-id', id, '--secret-string', JSON.stringify({ ...record, allow }));
    const answer = await signAny(s, id, body);
    assert.equal(answer.json.code, 'kms_refused', answer.body);
    assert.equal(answer.json.cause, 'InvalidCiphertextException', answer.body);
  }
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

await test('malformed messages, authorizations and bodies are refused, each with its code and path', async () => {
  const to = '0x' + 'aa'.repeat(20);
  const rows = [
    [{ message: {} }, 'field_missing', 'message'],
    [{ message: { text: 'a', hex: '0x' } }, 'field_invalid', 'message'],
    [{ message: { text: 5 } }, 'field_invalid', 'message.text'],
    [{ message: { hex: 'abcd' } }, 'field_invalid', 'message.hex'],
    [{ message: { hex: '0xabc' } }, 'field_invalid', 'message.hex'],
    [{ message: { utf8: 'a' } }, 'field_unknown', 'message.utf8'],
    [{ message: 'text' }, 'field_invalid', 'message'],
    [{ validator_data: { data: '0x' } }, 'field_missing', 'validator_data.address'],
    [{ validator_data: { address: to } }, 'field_missing', 'validator_data.data'],
    [{ validator_data: { address: to, data: 5 } }, 'field_invalid', 'validator_data.data'],
    [{ authorization: { chainId: 1, address: to } }, 'field_missing', 'authorization.nonce'],
    [{ authorization: { chainId: 1, address: to, nonce: '18446744073709551615' } }, 'field_out_of_range', 'authorization.nonce'],
    [{ authorization: { chainId: 1, address: to, nonce: 1, r: 1 } }, 'field_unknown', 'authorization.r'],
    [{ authorization: { chainId: 1, address: to, nonce: 1 }, message: { text: 'a' } }, 'field_invalid', 'authorization'],
    [{ message: { text: 'a' }, version: 'V4' }, 'field_unknown', 'version'],
    [{}, 'field_missing', 'transaction'],
  ];
  for (const [body, code, where] of rows) await refused(body, code, where);
});

await test('transactions of types 3 and 4 are refused, each with its code and path', async () => {
  const base = { chainId: 1, nonce: 0, gas: 21000, maxFeePerGas: 1, maxPriorityFeePerGas: 1, to: '0x' + 'aa'.repeat(20) };
  const hash = '0x01' + '00'.repeat(31);
  const blob = { ...base, type: 3, maxFeePerBlobGas: 1, blobVersionedHashes: [hash] };
  const tuple = { chainId: 1, address: base.to, nonce: 0, yParity: 0, r: 1, s: 1 };
  const code = { ...base, type: 4, authorizationList: [tuple] };
  const rows = [
    [{ ...blob, to: null }, 'field_missing', 'to'],
    [{ ...blob, maxFeePerBlobGas: undefined }, 'field_missing', 'maxFeePerBlobGas'],
    [{ ...blob, blobVersionedHashes: undefined }, 'field_missing', 'blobVersionedHashes'],
    [{ ...blob, blobVersionedHashes: [] }, 'field_invalid', 'blobVersionedHashes'],
    [{ ...blob, blobVersionedHashes: [hash, '0x02' + '00'.repeat(31)] }, 'field_invalid', 'blobVersionedHashes[1]'],
    [{ ...blob, commitments: [] }, 'field_invalid', 'commitments'],
    [{ ...blob, commitments: ['0x' + '11'.repeat(48)] }, 'field_invalid', 'commitments[0]'],
    [{ ...blob, commitments: ['0x11'] }, 'field_invalid', 'commitments[0]'],
    [{ ...blob, blobs: [] }, 'field_invalid', 'blobs'],
    [{ ...blob, proofs: [] }, 'field_invalid', 'proofs'],
    [{ ...blob, authorizationList: [tuple] }, 'field_invalid', 'authorizationList'],
    [{ ...blob, maxFeePerBlobGas: '0x' + 'ff'.repeat(32) }, 'field_out_of_range', 'maxFeePerBlobGas'],
    [{ ...base, type: 2, blobVersionedHashes: [hash] }, 'field_invalid', 'blobVersionedHashes'],
    [{ ...code, to: null }, 'field_missing', 'to'],
    [{ ...code, authorizationList: [] }, 'field_invalid', 'authorizationList'],
    [{ ...code, authorizationList: null }, 'field_missing', 'authorizationList'],
    [{ ...code, authorizationList: [{ ...tuple, yParity: 2 }] }, 'field_out_of_range', 'authorizationList[0].yParity'],
    [{ ...code, authorizationList: [tuple, { ...tuple, s: undefined }] }, 'field_missing', 'authorizationList[1].s'],
    [{ ...code, authorizationList: [{ ...tuple, v: 27 }] }, 'field_unknown', 'authorizationList[0].v'],
    [{ ...base, type: 0, chainId: null, gasPrice: 1, maxFeePerGas: null, maxPriorityFeePerGas: null }, 'field_invalid', 'chainId'],
  ];
  for (const [transaction, err, field] of rows) await refused({ transaction }, err, `transaction.${field}`);
});

await test('no transaction comes out signed as a message', async () => {
  const tx = Transaction.from({ type: 2, chainId: 1, nonce: 0, gasLimit: 21000n, maxFeePerGas: 1n, maxPriorityFeePerGas: 1n, to: address, value: 1n });
  const answer = await signs({ message: { hex: tx.unsignedSerialized } }, hashMessage(getBytes(tx.unsignedSerialized)));
  assert.notEqual(answer.hash, tx.unsignedHash);
  tx.signature = answer.serialized;
  assert.notEqual(tx.from, new Wallet(secret).address);
  await refused({ digest: tx.unsignedHash }, 'denied', 'digest');
});

await done();
