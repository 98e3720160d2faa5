// SPDX-License-Identifier: Apache-2.0
// The deterministic CBOR that Adyton and the Nitro Secure Module write (RFC 8949 section 4.2.1): integers, byte and text
// strings, arrays, maps, tags, null; definite lengths. Shortest forms are demanded where strict is.

const text = new TextDecoder('utf-8', { fatal: true });

/** Read one item that is all of bytes. Maps become Map; strict: heads must be in their shortest form. */
export function decode(bytes, { strict = true } = {}) {
  let at = 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const take = (n) => {
    if (n > bytes.length - at) throw new TypeError('the CBOR is cut off');
    at += n;
    return bytes.subarray(at - n, at);
  };
  const argument = (info) => {
    if (info < 24) return info;
    if (info > 27) throw new TypeError('a length is not definite');
    const size = 1 << (info - 24);
    const where = at;
    take(size);
    const v = size === 1 ? view.getUint8(where) : size === 2 ? view.getUint16(where) : size === 4 ? view.getUint32(where) : view.getBigUint64(where);
    if (strict && v < [24, 0x100, 0x10000, 0x100000000n][info - 24]) throw new TypeError('a head is not in its shortest form');
    if (size === 8 && v > BigInt(Number.MAX_SAFE_INTEGER)) return v;
    return Number(v);
  };
  const item = (depth) => {
    const [head] = take(1);
    const major = head >> 5;
    if (depth > 16) throw new TypeError('the CBOR is too deep');
    if (head === 0xf6) return null;
    if (major === 7) throw new TypeError('an item is not of the subset');
    const n = argument(head & 31);
    if (major === 0) return n;
    if (major === 1) return -1 - Number(n);
    if (major === 2) return take(n);
    if (major === 3) return text.decode(take(n));
    if (major === 6) return item(depth + 1);
    if (n > bytes.length) throw new TypeError('the CBOR is cut off');
    if (major === 4) return Array.from({ length: n }, () => item(depth + 1));
    const map = new Map();
    for (let i = 0; i < n; i++) {
      const key = item(depth + 1);
      if (map.has(key)) throw new TypeError('a key stands twice');
      map.set(key, item(depth + 1));
    }
    return map;
  };
  const value = item(0);
  if (at !== bytes.length) throw new TypeError('there are bytes behind the CBOR');
  return value;
}

/** The members of a map with the keys 0 to n - 1 in order, as all of Adyton's own are. */
export function members(bytes, n) {
  const map = decode(bytes);
  if (!(map instanceof Map) || map.size !== n || [...map.keys()].some((k, i) => k !== i)) throw new TypeError(`this is no map of ${n}`);
  return [...map.values()];
}
