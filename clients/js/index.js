// SPDX-License-Identifier: Apache-2.0
// Stamps on requests to Adyton (doc/stamps.md): the caller's signature over the exact body, verified in the enclave; and
// proofs of its answers (doc/audit.md). Only WebCrypto is used: Node 18 and later, and browsers.

import { webcrypto } from './webcrypto.js';
export { addressOf } from './address.js';
export { isProved, verifyCall, verifyCalls, verifyDuties } from './calls.js';
export { ProofError, fetchResponseKey, fetchResponseKeys, proofsOf, readProof, responseKey, verify, verifyEntry } from './proof.js';

const subtle = webcrypto.subtle;
const utf8 = new TextEncoder();
const PREFIX = 'adyton-stamp-1.';

const hex = (bytes) => Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, '0')).join('');

/** base64url without padding. */
export function base64url(bytes) {
  let text = '';
  for (const b of new Uint8Array(bytes)) text += String.fromCharCode(b);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function fromBase64url(text) {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
}

const sha256 = async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes));
const bytesOf = (body) => (typeof body === 'string' ? utf8.encode(body) : new Uint8Array(body));

/** The compressed form of a point in JWK coordinates. */
function compress({ x, y }) {
  const odd = fromBase64url(y).at(-1) & 1;
  return new Uint8Array([2 + odd, ...fromBase64url(x)]);
}

/** The name of a public key (a CryptoKey) in records and policies: "ed25519:..", "p256:..". */
export async function keyName(publicKey) {
  const jwk = await subtle.exportKey('jwk', publicKey);
  return jwk.crv === 'Ed25519' ? `ed25519:${hex(fromBase64url(jwk.x))}` : `p256:${hex(compress(jwk))}`;
}

/** A new key that stamps: { name, privateKey, publicKey }. type: 'ed25519' or 'p256'. */
export async function generateKey(type = 'ed25519', extractable = false) {
  const algorithm = type === 'ed25519' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256' };
  const pair = await subtle.generateKey(algorithm, extractable, ['sign', 'verify']);
  return { name: await keyName(pair.publicKey), privateKey: pair.privateKey, publicKey: pair.publicKey };
}

/** The key in a file of `adyton stamp keygen`, whose public name is known from its output. */
export async function readKeyFile(text, name) {
  const m = /^adyton-stamp-key (ed25519|p256) ([0-9a-f]{64})\n?$/.exec(text);
  if (!m) throw new TypeError('this is no key of adyton stamp keygen');
  const seed = Uint8Array.from(m[2].match(/../g), (b) => parseInt(b, 16));
  // PKCS #8 (RFC 8410; RFC 5915 without the public key)
  const head = m[1] === 'ed25519' ? '302e020100300506032b657004220420' : '3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420';
  const der = new Uint8Array([...head.match(/../g).map((b) => parseInt(b, 16)), ...seed]);
  const algorithm = m[1] === 'ed25519' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256' };
  return { name, privateKey: await subtle.importKey('pkcs8', der, algorithm, false, ['sign']) };
}

/**
 * The text that is signed for a request, "adyton-stamp-1." and the base64url of its claims.
 * request: { body, key, deployment, tenant = 'default', op = 'sign', life = 60 (seconds), id = random, now = Date.now() }
 */
export async function stampInput(by, request) {
  const issued = Math.floor((request.now ?? Date.now()) / 1000);
  const claims = {
    stamp: 1, by, aud: request.deployment, tenant: request.tenant ?? 'default', key: request.key, op: request.op ?? 'sign',
    iat: issued, exp: issued + (request.life ?? 60), id: request.id ?? base64url(webcrypto.getRandomValues(new Uint8Array(18))),
    body: hex(await sha256(bytesOf(request.body))),
  };
  return PREFIX + base64url(utf8.encode(JSON.stringify(claims)));
}

/** The stamp of a key on a request, for the X-Adyton-Stamp header; several are joined by commas. */
export async function stamp(key, request) {
  const input = await stampInput(key.name, request);
  const algorithm = key.name.startsWith('ed25519:') ? { name: 'Ed25519' } : { name: 'ECDSA', hash: 'SHA-256' };
  const signature = await subtle.sign(algorithm, key.privateKey, utf8.encode(input));
  return `${input.slice(PREFIX.length)}.${base64url(signature)}`;
}

/** The challenge that a WebAuthn authenticator must sign for input, a text of stampInput. */
export const webauthnChallenge = (input) => sha256(utf8.encode(input));

/** The stamp of an assertion (AuthenticatorAssertionResponse) over that challenge. */
export function webauthnStamp(input, { signature, authenticatorData, clientDataJSON }) {
  return [input.slice(PREFIX.length), ...[signature, authenticatorData, clientDataJSON].map(base64url)].join('.');
}

/** The name of a WebAuthn credential: its relying party and its P-256 public key (a CryptoKey). */
export const webauthnName = async (rpId, publicKey) => `webauthn:${rpId}:${(await keyName(publicKey)).slice('p256:'.length)}`;

/**
 * Ask a gateway for a signature with the stamps of keys. request: as for stampInput, body an object or text.
 * Returns { status, proof, ...answer }, proof for verify; throws only when there is no answer.
 */
export async function sign(gateway, keys, request, init = {}) {
  const body = typeof request.body === 'string' ? request.body : JSON.stringify(request.body);
  const stamps = await Promise.all(keys.map((k) => stamp(k, { ...request, body })));
  const answer = await fetch(`${gateway}/v1/keys/${encodeURIComponent(request.key)}/sign`, {
    ...init, method: 'POST', body, headers: { ...init.headers, 'content-type': 'application/json', 'x-adyton-stamp': stamps.join(',') },
  });
  return { status: answer.status, proof: answer.headers.get('x-adyton-proof'), ...(await answer.json()) };
}
