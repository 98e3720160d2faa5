// SPDX-License-Identifier: Apache-2.0
// Random EIP-712 documents, in the form of our API and in those of ethers, viem and eth-sig-util.
import { getAddress } from 'ethers';

const DOMAIN = { name: 'string', version: 'string', chainId: 'uint256', verifyingContract: 'address', salt: 'bytes32' };

const texts = ['', 'a', 'Ether Mail', 'quotes " and \\ and \n', 'Grüße', '署名', '🔑 key', '\u0000\u001f'];
const text = (r) => r.pick(texts) + (r.below(4) ? '' : 'x'.repeat(r.below(300)));
const address = (r) => (r.below(2) ? getAddress(r.hex(20)) : r.hex(20));

function elementary(r) {
  switch (r.below(8)) {
    case 0: return 'address';
    case 1: return 'bool';
    case 2: return `uint${8 * (1 + r.below(32))}`;
    case 3: return `int${8 * (1 + r.below(32))}`;
    case 4: return `bytes${1 + r.below(32)}`;
    case 5: return 'bytes';
    case 6: return 'string';
    default: return r.pick(['uint256', 'int256', 'uint8', 'bytes32']);
  }
}

function integer(r, type) {
  const [, u, bits] = /^(u?)int(\d+)$/.exec(type);
  const top = 1n << BigInt(bits);
  const edges = u ? [0n, 1n, top - 1n] : [0n, -1n, top / 2n - 1n, -top / 2n];
  if (r.below(3) === 0) return r.pick(edges);
  return u ? r.big(Number(bits)) : r.big(Number(bits) - 1) * (r.below(2) ? 1n : -1n);
}

/** A value of type, with big integers for its numbers. */
function value(r, types, type) {
  const array = /^(.*)\[(\d*)\]$/.exec(type);
  if (array) {
    const n = array[2] ? Number(array[2]) : r.below(4);
    return Array.from({ length: n }, () => value(r, types, array[1]));
  }
  if (types[type]) return Object.fromEntries(types[type].map((f) => [f.name, value(r, types, f.type)]));
  if (type === 'address') return address(r);
  if (type === 'bool') return r.below(2) === 1;
  if (type === 'string') return text(r);
  if (type === 'bytes') return r.hex(r.pick([0, 1, 31, 32, 33, 200]));
  const fixed = /^bytes(\d+)$/.exec(type);
  return fixed ? r.hex(Number(fixed[1])) : integer(r, type);
}

const dims = (r) => (r.below(3) ? '' : r.pick(['[]', '[2]', '[][]', '[2][]', '[][3]', '[1][2][]', '[][][][]']));

/** Of structs: a document is at most 16 levels deep. */
const structDims = (r, n) => r.pick(n <= 2 ? ['', '[]', '[2][]', '[][2]'] : ['', '', '[]', '[2]']);

/** { types, primaryType, domain, message } with EIP712Domain among the types. Every struct is reached from the first. */
export function randomTyped(r) {
  const names = [...new Set(Array.from({ length: 1 + r.below(4) }, () => r.pick(['Mail', 'Person', 'a', 'Z', '_x', 'Order']) + r.pick(['', '1', 'B', '2', '_', '3', '4', 'x', r.pick([':Sub', '$'])])))];
  const types = {};
  names.forEach((name, i) => {
    const fields = Array.from({ length: 1 + r.below(6) }, () => elementary(r) + dims(r));
    if (names[i + 1]) fields.push(names[i + 1] + structDims(r, names.length)); // a chain, and a few more edges downwards
    if (i + 1 < names.length && r.below(2)) fields.unshift(names[i + 1 + r.below(names.length - i - 1)] + structDims(r, names.length));
    types[name] = fields.map((type, k) => ({ name: `${r.pick(['to', 'from', 'v', '_', 'X'])}${k}`, type }));
  });
  const keys = Object.keys(DOMAIN).filter(() => r.below(4) > 0);
  const domain = {};
  for (const k of keys) domain[k] = k === 'chainId' ? 1n + r.big(40) : value(r, {}, DOMAIN[k]);
  types.EIP712Domain = keys.map((name) => ({ name, type: DOMAIN[name] }));
  return { types, primaryType: names[0], domain, message: value(r, types, names[0]) };
}

/** A document whose types name each other in circles; what ends a value is a struct that is null or left out, or an empty
 * array. Of eth-sig-util's V4 alone: the others do not take such types or such values. */
export function randomRecursive(r) {
  const names = ['Node', 'Tree', 'List'].slice(0, 1 + r.below(3));
  const types = { EIP712Domain: [{ name: 'name', type: 'string' }] };
  for (const name of names) {
    types[name] = [{ name: 'v', type: elementary(r) }];
    for (let k = 0; k < 1 + r.below(3); k++) types[name].push({ name: `n${k}`, type: r.pick(names) + r.pick(['', '', '[]', '[2]', '[][]']) });
  }
  const build = (type, left) => {
    const array = /^(.*)\[(\d*)\]$/.exec(type);
    if (array) return Array.from({ length: array[2] ? Number(array[2]) : left > 0 ? r.below(3) : 0 }, () => build(array[1], left - 1));
    if (!types[type]) return value(r, {}, type);
    if (left <= 0) return null;
    const made = types[type].map((f) => [f.name, build(f.type, left - 1)]);
    return Object.fromEntries(made.filter(([, v]) => v !== null || r.below(2)));
  };
  return { types, primaryType: names[0], domain: { name: 'recursive' }, message: build(names[0], 2 + r.below(5)) };
}

/** The document as our API takes it, each number in one of the spellings that it accepts. */
export function spelled(r, v) {
  if (typeof v === 'bigint') {
    const way = r.below(v <= BigInt(Number.MAX_SAFE_INTEGER) && v >= BigInt(Number.MIN_SAFE_INTEGER) ? 3 : 2);
    const sign = v < 0n ? '-' : '';
    return way === 0 ? sign + '0x' + (v < 0n ? -v : v).toString(16) : way === 1 ? v.toString() : Number(v);
  }
  if (Array.isArray(v)) return v.map((x) => spelled(r, x));
  if (v && typeof v === 'object') return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, spelled(r, x)]));
  return v;
}
