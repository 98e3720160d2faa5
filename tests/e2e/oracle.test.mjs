// SPDX-License-Identifier: Apache-2.0
// ethers 6 and viem as independent oracles: random transactions of each type, signed through the whole
// stack (HTTP, Secrets Manager, vsock framing, KMS with attestation), must be the very bytes that they
// make with the same key (RFC 6979 leaves no choice), and recover to its address.
import assert from 'node:assert/strict';
import http from 'node:http';
import { Transaction, Wallet, SigningKey, keccak256, Signature } from 'ethers';
import { privateKeyToAccount } from 'viem/accounts';
import { parseTransaction, recoverTransactionAddress } from 'viem';
import { test, done, random, parallel } from './lib/tap.mjs';
import { startStack, putKey, sign } from './lib/stack.mjs';
import { randomTransaction, toAdyton, toEthers, toViem } from './lib/txs.mjs';

const PER_TYPE = Number(process.env.ADYTON_ORACLE ?? 1000);
const r = random();
const s = await startStack();
s.gatewayAgent = new http.Agent({ keepAlive: true, maxSockets: 32 });

const keys = Array.from({ length: 4 }, (_, i) => {
  const key = r.hex(32);
  const put = putKey(s, `oracle-${i}`, key.slice(2));
  return { id: `oracle-${i}`, key, address: put.address, ethers: new SigningKey(key), viem: privateKeyToAccount(key) };
});

await test('adyton key put names the address that ethers derives', () => {
  for (const k of keys) assert.equal(k.address, new Wallet(k.key).address);
});

for (const type of [0, 1, 2, 3, 4]) {
  await test(`${PER_TYPE} random transactions of type ${type} are those of ethers and viem`, async () => {
    const txs = Array.from({ length: PER_TYPE }, () => randomTransaction(r, type, keys[0].ethers));
    await parallel(32, txs, async (tx, i) => {
      const k = keys[i % keys.length];
      const asked = toAdyton(r, tx);
      if (i % 3 === 0) asked.from = k.address;
      const answer = await sign(s, k.id, asked);
      assert.equal(answer.status, 200, `${answer.body} for ${JSON.stringify(asked)}`);
      const { signed_transaction: raw, transaction_hash: hash, from, signature } = answer.json;

      const theirs = Transaction.from(toEthers(tx));
      theirs.signature = k.ethers.sign(theirs.unsignedHash);
      assert.equal(raw, theirs.serialized, `ethers, ${JSON.stringify(asked)}`);
      assert.equal(raw, await k.viem.signTransaction(toViem(tx)), `viem, ${JSON.stringify(asked)}`);

      assert.equal(hash, keccak256(raw));
      assert.equal(from, k.address);
      assert.equal(Transaction.from(raw).from, k.address);
      const sig = Signature.from({ r: signature.r, s: signature.s, yParity: signature.yParity });
      assert.equal(sig.serialized, theirs.signature.serialized);
      if (i % 20 === 0) {
        assert.equal(await recoverTransactionAddress({ serializedTransaction: raw }), k.address);
        assert.equal(BigInt(parseTransaction(raw).value ?? 0n), tx.value);
      }
    });
  });
}

await done();
