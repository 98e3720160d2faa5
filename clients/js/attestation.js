// SPDX-License-Identifier: Apache-2.0
// Attestation documents of the Nitro Secure Module, verified by AWS's rules ("Verifying the root of trust"). For Node:
// certificates need node:crypto.
import { X509Certificate, createHash, verify as verifySignature } from 'node:crypto';
import { decode } from './cbor.js';

/** SHA-256 of AWS's root G1 of the commercial partition, DER, as AWS publishes it. */
export const AWS_ROOT_G1_SHA256 = '641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b';

const hex = (b) => Buffer.from(b).toString('hex');
const sha256 = (b) => createHash('sha256').update(b).digest('hex');

function demand(holds, why) {
  if (!holds) throw new Error(`attestation: ${why}`);
}

/** A head and its bytes, in CBOR. */
function bytesItem(b) {
  const n = b.length;
  const head = n < 24 ? [0x40 + n] : n < 256 ? [0x58, n] : [0x59, n >> 8, n & 255];
  return Buffer.concat([Buffer.from(head), b]);
}

/** The leaf's certificate, once the chain from a trusted root to it holds. */
function verifyChain(payload, roots, at) {
  const bundle = payload.get('cabundle');
  demand(Array.isArray(bundle) && bundle.length >= 1 && bundle.length <= 16, 'there is no chain of certificates');
  const trusted = roots ? roots.map((r) => sha256(new X509Certificate(r).raw)) : [AWS_ROOT_G1_SHA256];
  demand(trusted.includes(sha256(bundle[0])), 'the root is not a trusted one');
  const chain = [...bundle, payload.get('certificate')].map((der) => new X509Certificate(der));
  chain.forEach((cert, i) => {
    const issuer = chain[Math.max(i - 1, 0)];
    demand(i === chain.length - 1 || cert.ca, 'a certificate that is no authority has issued another');
    demand(cert.checkIssued(issuer) && cert.verify(issuer.publicKey), 'a certificate was not issued by the one before it');
    demand(Date.parse(cert.validFrom) <= at && at <= Date.parse(cert.validTo), 'a certificate is not valid at that time');
  });
  return chain.at(-1);
}

/**
 * Verify a document (bytes, or base64 text). trust: { roots: PEM or DER of trusted roots (AWS's G1 when absent), pcrs:
 * { 0: hex or list of hex, .. } that must be, nonce: bytes or hex that must be in it, at: ms since 1970 when certificates
 * must be valid, or 'document' for its own time (now when absent), allowDebug }.
 * Returns { moduleId, timestamp, pcrs, publicKey, userData, nonce }; throws when anything is wrong.
 */
export function verifyAttestation(document, trust = {}) {
  const bytes = typeof document === 'string' ? Buffer.from(document, 'base64') : Buffer.from(document);
  const outer = decode(bytes, { strict: false });
  demand(Array.isArray(outer) && outer.length === 4 && outer[1] instanceof Map && outer[1].size === 0, 'this is no COSE_Sign1');
  const [protectedHeader, , body, signature] = outer;
  const header = decode(protectedHeader, { strict: false });
  demand(header instanceof Map && header.size === 1 && header.get(1) === -35, 'it is not signed by ES384');
  const payload = decode(body, { strict: false });
  demand(payload instanceof Map && payload.get('digest') === 'SHA384', 'it has another digest');
  const timestamp = Number(payload.get('timestamp'));
  const leaf = verifyChain(payload, trust.roots && [trust.roots].flat(), trust.at === 'document' ? timestamp : (trust.at ?? Date.now()));
  demand(leaf.publicKey.asymmetricKeyDetails?.namedCurve === 'secp384r1', 'its key is of another curve');
  const signed = Buffer.concat([Buffer.from([0x84, 0x6a]), Buffer.from('Signature1'), bytesItem(protectedHeader), Buffer.from([0x40]), bytesItem(body)]);
  demand(signature.length === 96 && verifySignature('sha384', signed, { key: leaf.publicKey, dsaEncoding: 'ieee-p1363' }, signature), 'its signature does not hold');
  const pcrs = Object.fromEntries([...payload.get('pcrs')].map(([i, v]) => [i, hex(v)]));
  demand(trust.allowDebug || (pcrs[0] && !/^0*$/.test(pcrs[0])), 'the enclave is in debug mode');
  for (const [i, want] of Object.entries(trust.pcrs ?? {})) demand([want].flat().some((w) => w.toLowerCase() === pcrs[i]), `PCR${i} is not what was expected`);
  const nonce = payload.get('nonce') ?? null;
  if (trust.nonce !== undefined) {
    const want = typeof trust.nonce === 'string' ? trust.nonce.toLowerCase() : hex(trust.nonce);
    demand(nonce && hex(nonce) === want, 'the nonce is another one: it may be a replay');
  }
  return { moduleId: payload.get('module_id'), timestamp, pcrs, publicKey: payload.get('public_key') ?? null, userData: payload.get('user_data') ?? null, nonce };
}
