// SPDX-License-Identifier: Apache-2.0
// Random Ethereum transactions, in the form of our API and in those of ethers and viem.

import { createHash } from 'node:crypto';
import { hashAuthorization } from 'ethers';

// for tests in other folders, which npm's packages are not installed beside
export { Transaction, computeAddress, keccak256 } from 'ethers';

const wei = (v) => BigInt(v);

/** EIP-4844: the versioned hash of a commitment. */
const versioned = (commitment) => '0x01' + createHash('sha256').update(Buffer.from(commitment.slice(2), 'hex')).digest('hex').slice(2);

/** A random tuple of EIP-7702 without its signature. */
export const randomAuthorization = (r) => ({ chainId: r.big(r.pick([0, 4, 50])), address: r.hex(20), nonce: r.big(40) });

/** One random transaction of any type with big integers for its quantities. The tuples of type 4 are signed by signer, a
 * SigningKey of ethers. */
export function randomTransaction(r, type, signer) {
  const creation = type < 3 && r.below(10) === 0;
  const length = r.pick([1, 54, 55, 56, 57, 255, 256, 257, 1 + r.below(100), 1 + r.below(100), 1 + r.below(2000), 10000]); // where RLP's heads grow, and between
  const data = creation || r.below(2) ? r.hex(length) : '0x';
  const tx = {
    type,
    chainId: 1n + r.big(r.pick([4, 16, 32, 50])),
    nonce: r.big(40),
    gas: 21000n + r.big(40),
    value: r.big(r.pick([1, 64, 128, 200])),
    data,
  };
  if (!creation) tx.to = r.hex(20);
  if (type >= 2) {
    tx.maxFeePerGas = r.big(100);
    tx.maxPriorityFeePerGas = tx.maxFeePerGas === 0n ? 0n : r.big(100) % (tx.maxFeePerGas + 1n);
  } else {
    tx.gasPrice = r.big(100);
  }
  if (type >= 1) {
    tx.accessList = Array.from({ length: r.pick([0, 0, 1, 3]) }, () => ({
      address: r.hex(20),
      storageKeys: Array.from({ length: r.below(4) }, () => r.hex(32)),
    }));
  }
  if (type === 3) {
    tx.maxFeePerBlobGas = r.big(100);
    tx.commitments = Array.from({ length: 1 + r.below(6) }, () => r.hex(48));
    tx.blobVersionedHashes = tx.commitments.map(versioned);
  }
  if (type === 4) {
    tx.authorizationList = Array.from({ length: 1 + r.below(3) }, () => {
      const tuple = randomAuthorization(r);
      const { r: sr, s, yParity } = signer.sign(hashAuthorization(tuple));
      return { ...tuple, yParity, r: sr, s };
    });
  }
  return tx;
}

/** tx as our API takes it, each quantity written in one of the ways it accepts. */
export function toAdyton(r, tx) {
  const quantity = (v) => {
    const way = r.below(v <= BigInt(Number.MAX_SAFE_INTEGER) ? 3 : 2);
    return way === 0 ? '0x' + v.toString(16) : way === 1 ? v.toString() : Number(v);
  };
  const spell = (o) => Object.fromEntries(Object.entries(o).map(([k, v]) => [k, typeof v === 'bigint' ? quantity(wei(v)) : v]));
  const out = spell(tx);
  if (tx.authorizationList) out.authorizationList = tx.authorizationList.map(spell);
  if (tx.commitments && r.below(2)) delete out.commitments;
  out.type = r.pick([tx.type, '0x' + tx.type, String(tx.type)]);
  return out;
}

/** tx for ethers' Transaction.from. */
export function toEthers(tx) {
  const { gas, commitments, ...rest } = tx;
  const authorizationList = tx.authorizationList?.map(({ r, s, yParity, ...tuple }) => ({ ...tuple, signature: { r, s, yParity } }));
  return { ...rest, gasLimit: gas, nonce: Number(tx.nonce), to: tx.to ?? null, ...(authorizationList && { authorizationList }) };
}

/** tx for viem's signTransaction. */
export function toViem(tx) {
  const names = ['legacy', 'eip2930', 'eip1559', 'eip4844', 'eip7702'];
  const { commitments, ...rest } = tx;
  const authorizationList = tx.authorizationList?.map((a) => ({ ...a, chainId: Number(a.chainId), nonce: Number(a.nonce) }));
  return { ...rest, ...(authorizationList && { authorizationList }), type: names[tx.type], ...(tx.chainId && { chainId: Number(tx.chainId) }), nonce: Number(tx.nonce) };
}
