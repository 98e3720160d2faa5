// SPDX-License-Identifier: Apache-2.0
// The fields of an attestation document, read for a test: nothing is verified.
import assert from 'node:assert/strict';

function reader(bytes) {
  let at = 0;
  const number = (n) => {
    if (n < 24) return n;
    const size = 1 << (n - 24);
    at += size;
    return Number(BigInt('0x' + bytes.subarray(at - size, at).toString('hex')));
  };
  const item = () => {
    const first = bytes[at++];
    const n = first === 0xf6 ? 0 : number(first & 31);
    const take = () => bytes.subarray(at, (at += n));
    switch (first >> 5) {
      case 0: return n;
      case 1: return -1 - n;
      case 2: return Buffer.from(take());
      case 3: return take().toString();
      case 4: return Array.from({ length: n }, item);
      case 5: return new Map(Array.from({ length: n }, () => [item(), item()]));
      default: return null;
    }
  };
  return { item, end: () => at === bytes.length };
}

function decode(bytes) {
  const r = reader(bytes);
  const value = r.item();
  assert.ok(r.end(), 'CBOR with bytes behind it');
  return value;
}

/** { alg, certificate, signature, timestamp, nonce, publicKey, pcrs: { index: hex } } */
export function readDocument(bytes) {
  const [header, , payload, signature] = decode(bytes);
  const fields = decode(payload);
  const pcrs = Object.fromEntries([...fields.get('pcrs')].map(([i, v]) => [i, v.toString('hex')]));
  return {
    alg: decode(header).get(1),
    certificate: fields.get('certificate'),
    signature,
    timestamp: fields.get('timestamp'),
    nonce: fields.get('nonce'),
    publicKey: fields.get('public_key'),
    pcrs,
  };
}
