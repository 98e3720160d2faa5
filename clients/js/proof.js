// SPDX-License-Identifier: Apache-2.0
// Proofs of answers (doc/audit.md): the enclave's signature over the request, the result and the time, in the
// X-Adyton-Proof header or in the body. Only WebCrypto is used, but for attestation documents (./attestation.js, Node).
import { addressOf } from './address.js';
import { members } from './cbor.js';
import { webcrypto } from './webcrypto.js';

const subtle = webcrypto.subtle;
const utf8 = new TextEncoder();
const AHEAD_MS = 30000;

/** What was asked, by the number in an entry. */
export const OPS = { 0: 'start', 3: 'sign', 6: 'create', 7: 'lock', 8: 'create batch', 9: 'rewrap', 10: 'import', 12: 'duty', 13: 'watermark', 14: 'policy change', 15: 'derive', 18: 'backup' };

/** What was asked with a result that only the gateway sees. */
const OPAQUE = new Set(['lock', 'rewrap', 'watermark', 'policy change', 'backup']);

/** A proof that does not hold; reason: 'malformed', 'key', 'signature', 'request', 'result', 'time', 'attestation', 'missing'. */
export class ProofError extends Error {
  constructor(reason, message) {
    super(message);
    this.name = 'ProofError';
    this.reason = reason;
  }
}

export const hex = (b) => Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('');
export const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
const concat = (...parts) => {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  parts.reduce((at, p) => (out.set(p, at), at + p.length), 0);
  return out;
};
const sha256 = async (...parts) => new Uint8Array(await subtle.digest('SHA-256', concat(...parts)));

export function fromHex(text) {
  const digits = text.startsWith('0x') ? text.slice(2) : text;
  if (digits.length % 2 || /[^0-9a-fA-F]/.test(digits)) throw new ProofError('malformed', 'this is no hex');
  return Uint8Array.from(digits.match(/../g) ?? [], (b) => parseInt(b, 16));
}

function fromBase64url(text) {
  if (/[^A-Za-z0-9_-]/.test(text)) throw new ProofError('malformed', 'the proof is no base64url');
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
}

const sized = (b, ...sizes) => {
  if (!(b instanceof Uint8Array) || !sizes.includes(b.length)) throw new ProofError('malformed', 'the proof is malformed');
  return b;
};

/** Read a proof without verifying it: { publicKey, before, entryBytes, later, signature, entry }. */
export function readProof(proof) {
  const bytes = typeof proof === 'string' ? fromBase64url(proof) : proof;
  try {
    const [publicKey, before, entryBytes, later, signature] = members(bytes, 5);
    const [sequence, time, op, key, tenant, request, result, code, where, subject, digest] = members(entryBytes, 11);
    if (later.length % 32 || later.length > 15 * 32) throw new TypeError('digests');
    for (const t of [key, tenant, code, where]) if (typeof t !== 'string') throw new TypeError('text');
    for (const n of [sequence, time, op]) if (typeof n !== 'number') throw new TypeError('number');
    if (op !== 0 && (result.length > 0) !== (code === '')) throw new TypeError('result and code');
    return {
      publicKey: sized(publicKey, 32),
      before: sized(before, 32),
      entryBytes,
      later,
      signature: sized(signature, 64),
      entry: { sequence, time: new Date(time), op: OPS[op] ?? `op ${op}`, key, tenant, request: sized(request, 0, 32), result: sized(result, 0, 32), code, where, subject, digest: sized(digest, 0, 32) },
    };
  } catch (e) {
    throw e instanceof ProofError ? e : new ProofError('malformed', `the proof is malformed: ${e.message}`);
  }
}

/** The hashes of the chain after the entry of a proof, and of the head that was signed. */
export async function heads(p) {
  const digest = await sha256(utf8.encode('adyton entry 1'), p.entryBytes);
  const after = await sha256(p.before, digest);
  let head = after;
  for (let i = 0; i < p.later.length; i += 32) head = await sha256(head, p.later.subarray(i, i + 32));
  return { after, head };
}

/** The response key (32 bytes) that a document of GET /v1/response-key attests; trust as for verifyAttestation. */
export async function responseKey(document, trust = {}) {
  const { verifyAttestation } = await import('./attestation.js');
  let publicKey;
  try {
    publicKey = verifyAttestation(document, trust).publicKey;
  } catch (e) {
    throw new ProofError('attestation', e.message);
  }
  const spki = '302a300506032b6570032100';
  if (!publicKey || publicKey.length !== 44 || hex(publicKey.subarray(0, 12)) !== spki) throw new ProofError('attestation', 'the document is of no response key');
  return new Uint8Array(publicKey.subarray(12));
}

/** Fetch a document of a gateway's response key with a nonce of ours, and verify it. */
export async function fetchResponseKey(gateway, trust = {}, init = {}) {
  const nonce = hex(webcrypto.getRandomValues(new Uint8Array(32)));
  const answer = await fetch(`${gateway}/v1/response-key?nonce=${nonce}`, init);
  if (!answer.ok) throw new ProofError('missing', `the gateway gives no response key (${answer.status})`);
  return responseKey((await answer.json()).document, { ...trust, nonce });
}

/** The response keys of a gateway with so many enclaves, each of which has its own: documents are fetched until they are all there. */
export async function fetchResponseKeys(gateway, enclaves, trust = {}, init = {}) {
  const keys = new Map();
  for (let i = 0; i < 8 * enclaves && keys.size < enclaves; i++) {
    const key = await fetchResponseKey(gateway, trust, init);
    keys.set(hex(key), key);
  }
  if (keys.size < enclaves) throw new ProofError('missing', `the gateway gives ${keys.size} response keys, not ${enclaves}`);
  return [...keys.values()];
}

/** The bytes of the result that an answer's body has: of a transaction its bytes, else the signature in one piece. */
function resultOf(body) {
  if (typeof body !== 'string') {
    const text = body.signed_transaction ?? body.transaction_signed ?? body.serialized ?? body.signature ?? body.data?.signature ?? body.result;
    if (typeof text === 'string') return fromHex(text);
    throw new ProofError('result', 'the answer has no result');
  }
  const text = body.trim();
  return text.startsWith('{') ? resultOf(JSON.parse(text)) : fromHex(text.replaceAll('"', ''));
}

/** The address of a key that was made, where it is told, is that of its public key. */
function checkAddress({ public_key: publicKey, address }) {
  if (typeof publicKey !== 'string') throw new ProofError('result', 'a key without its public key');
  if (address !== undefined && !same(fromHex(address), addressOf(fromHex(publicKey)))) throw new ProofError('result', 'this is not the address of the key');
}

const parsed = (body) => (typeof body === 'string' ? JSON.parse(body) : body);

async function checkResult(entry, body) {
  if (entry.code) {
    const told = parsed(body);
    const code = told.error?.data?.code ?? (typeof told.error === 'string' ? told.error : told.code);
    if (code !== entry.code) throw new ProofError('result', 'the enclave has refused this, and not so');
  } else if (OPAQUE.has(entry.op)) {
    return; // nothing that its client is given: verify has seen that this is what he asked for
  } else if (entry.op === 'derive' || entry.op === 'create batch') {
    const { keys } = parsed(body);
    if (!Array.isArray(keys)) throw new ProofError('result', 'the answer has no keys');
    keys.forEach(checkAddress);
    await checkIsResult(entry, concat(...keys.map((k) => fromHex(k.public_key))));
  } else if (entry.op === 'create' || entry.op === 'import') {
    const told = parsed(body);
    if (typeof told.public_key !== 'string' || !same(fromHex(told.public_key), entry.subject)) throw new ProofError('result', 'this is not the public key of the key that was made');
    checkAddress(told);
  } else {
    await checkIsResult(entry, resultOf(body));
  }
}

/** The result of an entry must be these bytes. Throws ProofError. */
export async function checkIsResult(entry, bytes) {
  if (!same(await sha256(bytes), entry.result)) throw new ProofError('result', 'this is not what the enclave has answered');
}

/**
 * Verify a proof alone: that an enclave has made this entry, on this request, now. What it says of the result is the caller's
 * to compare. request and trust: as for verify. Returns the entry. Throws ProofError.
 */
export async function verifyEntry(proof, request, trust) {
  if (!proof) throw new ProofError('missing', 'the answer has no proof');
  const given = trust.responseKey ?? (await responseKey(trust.document, trust));
  const p = readProof(proof);
  const key = (Array.isArray(given) ? given : [given]).map((k) => (typeof k === 'string' ? fromHex(k) : k)).find((k) => same(p.publicKey, k));
  if (!key) throw new ProofError('key', 'the proof is by another key');
  const { head } = await heads(p);
  const imported = await subtle.importKey('raw', key, { name: 'Ed25519' }, false, ['verify']);
  if (!(await subtle.verify({ name: 'Ed25519' }, imported, p.signature, concat(utf8.encode('adyton head 1'), head)))) throw new ProofError('signature', 'the signature is of something else');
  if (request !== null && !same(await sha256(typeof request === 'string' ? utf8.encode(request) : new Uint8Array(request)), p.entry.request)) throw new ProofError('request', 'this is the answer to another request');
  if (trust.op === undefined ? OPAQUE.has(p.entry.op) : p.entry.op !== trust.op) throw new ProofError('request', `the enclave was asked for something else (${p.entry.op})`);
  if (trust.key !== undefined && p.entry.key !== trust.key) throw new ProofError('key', 'the answer is of another key');
  const now = trust.now ?? Date.now();
  if (now - p.entry.time > (trust.maxAge ?? 60) * 1000 || p.entry.time - now > AHEAD_MS) throw new ProofError('time', 'the answer is of another time: it may be a replay');
  return p.entry;
}

/**
 * Verify that an enclave has given this answer, to this request, now.
 *
 * answer:  { proof: the X-Adyton-Proof header, body: the answer's body, text or object }
 * request: the request's body, as it was sent (text or bytes); of a new key without its label. null: it is not looked at
 *          Of new and derived keys the public keys and addresses are verified; of a batch, body is { keys }, a list of them in
 *          their order. Of locks, policy changes, backups and states of validators there is no result to verify: trust.op says
 *          that it is what was asked
 * trust:   { responseKey: 32 bytes or hex, or a list of them, one for each enclave } or { document, roots, pcrs, nonce, at, allowDebug } (see verifyAttestation); and
 *          { key: id that it must be of, op: what must have been asked (a value of OPS), maxAge: seconds (60; Infinity: any),
 *          now: ms since 1970 }
 * Returns the entry: { sequence, time, op, key, tenant, code, where, request, result, subject, digest }.
 * Throws ProofError. An answer that refuses verifies as well: look at entry.code.
 * For JSON-RPC: verifyCall and verifyCalls (./calls.js).
 */
export async function verify(answer, request, trust) {
  const entry = await verifyEntry(answer.proof, request, trust);
  await checkResult(entry, answer.body);
  return entry;
}

/** The proofs in an answer's body, which the client has asked for (X-Adyton-Proofs): [{ proof, request }]; [] when there are none. */
export function proofsOf(body) {
  const { adyton_proofs: list = [] } = typeof body === 'string' ? JSON.parse(body) : (body ?? {});
  const good = (x) => typeof x?.proof === 'string' && (x.request === undefined || typeof x.request === 'string');
  if (!Array.isArray(list) || !list.every(good)) throw new ProofError('malformed', 'adyton_proofs is no list of proofs');
  return list;
}
