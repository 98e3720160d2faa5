// SPDX-License-Identifier: Apache-2.0
// Random Ethereum transactions, in the form of our API and in those of ethers and viem.

// for tests in other folders, which npm's packages are not installed beside
export { Transaction } from 'ethers';

const wei = (v) => BigInt(v);

/** One random transaction of type 0, 1 or 2 with big integers for its quantities. */
export function randomTransaction(r, type) {
  const creation = r.below(10) === 0;
  const data = creation || r.below(2) ? r.hex(1 + r.below(r.below(20) === 0 ? 2000 : 100)) : '0x';
  const tx = {
    type,
    chainId: 1n + r.big(r.pick([4, 16, 32, 50])),
    nonce: r.big(40),
    gas: 21000n + r.big(40),
    value: r.big(r.pick([1, 64, 128, 200])),
    data,
  };
  if (!creation) tx.to = r.hex(20);
  if (type === 2) {
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
  return tx;
}

/** tx as our API takes it, each quantity written in one of the ways it accepts. */
export function toAdyton(r, tx) {
  const quantity = (v) => {
    const way = r.below(v <= BigInt(Number.MAX_SAFE_INTEGER) ? 3 : 2);
    return way === 0 ? '0x' + v.toString(16) : way === 1 ? v.toString() : Number(v);
  };
  const out = {};
  for (const [k, v] of Object.entries(tx)) out[k] = typeof v === 'bigint' ? quantity(wei(v)) : v;
  out.type = r.pick([tx.type, '0x' + tx.type, String(tx.type)]);
  return out;
}

/** tx for ethers' Transaction.from. */
export function toEthers(tx) {
  const { gas, ...rest } = tx;
  return { ...rest, gasLimit: gas, nonce: Number(tx.nonce), to: tx.to ?? null };
}

/** tx for viem's signTransaction. */
export function toViem(tx) {
  const names = ['legacy', 'eip2930', 'eip1559'];
  return { ...tx, type: names[tx.type], chainId: Number(tx.chainId), nonce: Number(tx.nonce) };
}
