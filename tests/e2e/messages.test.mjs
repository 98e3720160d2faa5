// SPDX-License-Identifier: Apache-2.0
// What an account signs beside transactions, through the whole stack: every digest and signature must be
// those of ethers 6 and viem with the same key; and every refusal has its code and path. Typed data: typed.test.mjs.
import assert from 'node:assert/strict';
import http from 'node:http';
import { SigningKey, Wallet, concat, getBytes, hashAuthorization, hashMessage, keccak256, Transaction } from 'ethers';
import { recoverMessageAddress } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { test, done, random, parallel } from './lib/tap.mjs';
import { startStack, putKey, signAny, run, bin, awsEnv } from './lib/stack.mjs';
import { randomAuthorization, randomTransaction, toEthers } from './lib/txs.mjs';
import { signLines } from './lib/lines.mjs';
import { spelled } from './lib/typed.mjs';
import { asker } from './lib/asks.mjs';

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

const { signs, refused } = asker(s, key, address, 'plain');

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

/** Every way to hand in bytes, or the 32 bytes of their hash, where no transaction is meant. */
function disguises(bytes) {
  const hash = keccak256(bytes);
  const typed = (type, v) => ({ typed_data: { types: { T: [{ name: 'v', type }] }, primaryType: 'T', domain: {}, message: { v } } });
  const salted = { types: {}, primaryType: 'EIP712Domain', domain: { salt: hash } };
  return [
    ...[bytes, hash, concat(['0x19', bytes]), concat(['0x1900', bytes])].map((hex) => ({ message: { hex } })),
    { message: { text: Buffer.from(getBytes(bytes)).toString('latin1') } },
    { message: { text: bytes } },
    ...[bytes, hash].map((data) => ({ validator_data: { address: '0x' + '00'.repeat(20), data } })),
    typed('bytes', bytes),
    typed('bytes32', hash),
    typed('string', Buffer.from(getBytes(bytes)).toString('latin1')),
    { typed_data: salted },
    { authorization: { chainId: hash, address: '0x' + bytes.slice(2, 42).padEnd(40, '0'), nonce: 0 } },
  ];
}

await test('no transaction comes out signed as something else: 300 of all types in 13 disguises, and as digests', async () => {
  const txs = Array.from({ length: 300 }, (_, i) => {
    const tx = randomTransaction(r, i % 5, key);
    if (i % 10 === 0) delete tx.chainId; // of the legacy ones: shorter, and without the prefix of a type
    return Transaction.from(toEthers(tx));
  });
  const jobs = txs.flatMap((tx) => disguises(tx.unsignedSerialized).map((body) => ({ tx, key: secret, body })));
  const answers = await signLines(jobs);
  jobs.forEach(({ tx, body }, i) => {
    const { hash, r: sr, s: ss, yParity } = answers[i];
    assert.ok(sr, `${JSON.stringify(answers[i])} for ${JSON.stringify(body).slice(0, 300)}`);
    assert.notEqual(hash, tx.unsignedHash);
    tx.signature = { r: sr, s: ss, yParity };
    if (i % 20 === 0) assert.notEqual(tx.from, address);
  });
  for (const a of await signLines(txs.map((tx) => ({ key: secret, body: { digest: tx.unsignedHash } })))) assert.deepEqual([a.code, a.where], ['denied', 'digest']);
  // and no object of one kind is read as one of another
  const base = { chainId: 1, nonce: 0, gas: 21000, maxFeePerGas: 1, maxPriorityFeePerGas: 1, to: address };
  for (const kind of ['message', 'validator_data', 'typed_data', 'authorization']) {
    const answer = await signAny(s, 'plain', { [kind]: base });
    assert.equal(answer.json.code, 'field_unknown', `${kind}: ${answer.body}`);
    const text = await signAny(s, 'plain', { [kind]: txs[0].unsignedSerialized });
    assert.equal(text.json.code, 'field_invalid', `${kind}: ${text.body}`);
  }
});

await done();
