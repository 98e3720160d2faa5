// SPDX-License-Identifier: Apache-2.0
// The address of an account by its public key. WebCrypto has neither Keccak nor secp256k1; only public data is worked on.

const MASK = (1n << 64n) - 1n;
const rotate = (x, n) => ((x << n) | (x >> (64n - n))) & MASK;

/** Keccak-f[1600] (FIPS 202 section 3.3) on 25 lanes, lane x + 5y. */
function permute(a) {
  let lfsr = 1;
  for (let round = 0; round < 24; round++) {
    const c = [0, 1, 2, 3, 4].map((x) => a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
    for (let i = 0; i < 25; i++) a[i] ^= c[(i + 4) % 5] ^ rotate(c[(i + 1) % 5], 1n);
    let [x, y, lane] = [1, 0, a[1]];
    for (let t = 0; t < 24; t++) {
      [x, y] = [y, (2 * x + 3 * y) % 5];
      const moved = rotate(lane, BigInt((((t + 1) * (t + 2)) / 2) % 64));
      lane = a[x + 5 * y];
      a[x + 5 * y] = moved;
    }
    for (let row = 0; row < 25; row += 5) {
      const b = a.slice(row, row + 5);
      for (let i = 0; i < 5; i++) a[row + i] = b[i] ^ (~b[(i + 1) % 5] & MASK & b[(i + 2) % 5]);
    }
    for (let j = 0; j < 7; j++) {
      if (lfsr & 1) a[0] ^= 1n << BigInt(2 ** j - 1);
      lfsr = (lfsr << 1) ^ (lfsr >> 7 ? 0x171 : 0);
    }
  }
}

/** Keccak-256 as Ethereum has it: with the padding of before FIPS 202. */
export function keccak256(bytes) {
  const rate = 136;
  const padded = new Uint8Array((Math.floor(bytes.length / rate) + 1) * rate);
  padded.set(bytes);
  padded[bytes.length] = 1;
  padded[padded.length - 1] |= 0x80;
  const a = new Array(25).fill(0n);
  const view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += rate) {
    for (let i = 0; i < rate / 8; i++) a[i] ^= view.getBigUint64(at + 8 * i, true);
    permute(a);
  }
  const out = new DataView(new ArrayBuffer(32));
  for (let i = 0; i < 4; i++) out.setBigUint64(8 * i, a[i], true);
  return new Uint8Array(out.buffer);
}

const P = 2n ** 256n - 2n ** 32n - 977n;
const number = (bytes) => bytes.reduce((n, b) => (n << 8n) | BigInt(b), 0n);

function power(base, exponent) {
  let out = 1n;
  for (let b = base % P, e = exponent; e > 0n; e >>= 1n, b = (b * b) % P) if (e & 1n) out = (out * b) % P;
  return out;
}

/** The address (20 bytes) of a compressed secp256k1 public key (SEC 1 section 2.3.4). Throws TypeError when it is none. */
export function addressOf(publicKey) {
  if (publicKey.length !== 33 || (publicKey[0] !== 2 && publicKey[0] !== 3)) throw new TypeError('this is no compressed public key');
  const x = number(publicKey.subarray(1));
  const square = (power(x, 3n) + 7n) % P;
  let y = power(square, (P + 1n) / 4n);
  if (x >= P || (y * y) % P !== square) throw new TypeError('this is no point of the curve');
  if ((y & 1n) !== BigInt(publicKey[0] & 1)) y = P - y;
  const point = new Uint8Array(64);
  point.set(publicKey.subarray(1));
  for (let i = 63; i >= 32; i--, y >>= 8n) point[i] = Number(y & 255n);
  return keccak256(point).subarray(12);
}
