// SPDX-License-Identifier: Apache-2.0
// Proofs in the answers of JSON-RPC and of duties of many keys (doc/audit.md, "Proofs that are asked for"). The gateway makes
// what the enclave is asked out of a call; here it is made again, byte for byte, so that the proof is of just this call.
import { addressOf } from './address.js';
import { ProofError, checkIsResult, fromHex, hex, proofsOf, same, verifyEntry } from './proof.js';
import { webcrypto } from './webcrypto.js';

const wrong = (why) => new ProofError('result', why);
const asIs = (value) => JSON.stringify(value);
const isAddress = (v) => typeof v === 'string' && v.length === 42 && v.startsWith('0x');
const quantity = (v) => `0x${BigInt(v).toString(16)}`;
const documentOf = (v) => (typeof v === 'string' ? v : asIs(v));

/* --- what the enclave is asked (src/gateway/rpc_body.c, rpc_tx.c, rpc_safe.c) --- */

const message = (data, textToo) => `{"message":{"${textToo && !data.startsWith('0x') ? 'text' : 'hex'}":${asIs(data)}}}`;
const typed = (document, rest) => `{"typed_data":${documentOf(document)},${rest}}`;
const WALLET = (version) => `"version":"${version}","unknown_members":"ignore"`;
const CLEF = '"version":"V4"';

/** [address, data], or the other way round: which is which. */
function sides(params, addressAt) {
  const other = 1 - addressAt;
  const at = !isAddress(params[addressAt]) && isAddress(params[other]) ? other : addressAt;
  return { address: params[at], data: params[1 - at] };
}

function signMessage(params, addressAt, textToo) {
  const { address, data } = sides(params, addressAt);
  return { address, request: message(data, textToo) };
}

function signTyped(params, version) {
  const { address, data } = sides(params, 0);
  return { address, request: typed(data, WALLET(version)) };
}

function authorization(params) {
  const [from, tuple] = params.length > 1 ? params : [params[0].from, params[0]];
  const address = tuple.address ?? tuple.contractAddress;
  return { address: from, tuple, request: `{"authorization":{"chainId":"${quantity(tuple.chainId)}","address":"${address.toLowerCase()}","nonce":"${quantity(tuple.nonce)}"}}` };
}

const STAYS = ['blobs', 'proofs', 'blobVersion'];

/** The members of a transaction that the enclave sees, and those that are made of the commitments, behind what is filled in. */
async function transactionParts(tx, keepNull) {
  const makes = tx.blobs?.length > 0 && tx.blobVersionedHashes == null;
  const stays = ([k, v]) => STAYS.includes(k) || (makes && k === 'blobVersionedHashes') || (v === null && !keepNull);
  const head = Object.entries(tx).filter((m) => !stays(m)).map(([k, v]) => `${asIs(k)}:${asIs(v)}`).join(',');
  if (!makes) return [head, ''];
  const hashes = await Promise.all(tx.commitments.map(async (c) => new Uint8Array(await webcrypto.subtle.digest('SHA-256', fromHex(c)))));
  return [head, `,"blobVersionedHashes":[${hashes.map((h) => `"0x01${hex(h.subarray(1))}"`).join(',')}]`];
}

async function signTransaction([tx]) {
  const [head, tail] = await transactionParts(tx, true);
  return { address: tx.from, request: `{"transaction":{${head}${tail}}}` };
}

const FILLED = ['chainId', 'nonce', 'gas', 'gasPrice', 'maxFeePerGas', 'maxPriorityFeePerGas', 'maxFeePerBlobGas'];

/** What was left open is filled in by the gateway and the node, and nothing else: told is what the enclave was asked then. */
async function sendTransaction([tx], told) {
  const [head, tail] = await transactionParts(tx, false);
  const [before, behind] = [`{"transaction":{${head}`, `${tail}}}`];
  const open = FILLED.filter((k) => tx[k] == null && !(k === 'gas' && tx.gasLimit != null));
  const fits = told.startsWith(before) && told.endsWith(behind) && told.length >= before.length + behind.length;
  const filled = fits ? told.slice(before.length, told.length - behind.length) : 'x';
  const names = Array.from(filled.matchAll(/,"(\w+)":"0x[0-9a-f]+"/g));
  if (names.map((m) => m[0]).join('') !== filled || !names.every((m, i) => open.includes(m[1]) && names.findIndex((n) => n[1] === m[1]) === i)) {
    throw new ProofError('request', 'the transaction that was signed is not this one');
  }
  return { address: tx.from, request: told };
}

const CONTENTS = {
  'text/plain': (data) => message(data, false),
  'data/validator': (data) => `{"validator_data":{"address":${asIs(data.address)},"data":${asIs(data.message)}}}`,
  'data/typed': (data) => typed(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(fromHex(data)), CLEF),
  'application/x-clique-header': (data) => `{"clique_header":${asIs(data)}}`,
};

function signData([type, address, data]) {
  if (!Object.hasOwn(CONTENTS, type)) throw new TypeError(`${type} is not signed`);
  return { address, seal: type === 'application/x-clique-header', request: CONTENTS[type](data) };
}

const SAFE = { to: 'address', value: 'uint256', data: 'bytes', operation: 'uint8', safeTxGas: 'uint256', baseGas: 'uint256', gasPrice: 'uint256', gasToken: 'address', refundReceiver: 'address', nonce: 'uint256' };

function signSafe([address, tx]) {
  const chain = tx.chainId != null;
  const types = Object.entries(SAFE).map(([name, type]) => `{"name":"${name}","type":"${type}"}`).join(',');
  const domain = `${chain ? '{"name":"chainId","type":"uint256"},' : ''}{"name":"verifyingContract","type":"address"}`;
  const values = Object.keys(SAFE).map((name) => `"${name}":${tx[name] == null ? '"0x"' : asIs(tx[name])}`).join(',');
  const where = `"verifyingContract":${asIs(tx.safe)}${chain ? `,"chainId":${asIs(tx.chainId)}` : ''}`;
  return { address, request: `{"typed_data":{"types":{"SafeTx":[${types}],"EIP712Domain":[${domain}]},"primaryType":"SafeTx","domain":{${where}},"message":{${values}}}}` };
}

/* --- what its answer says --- */

const isDigest = (entry, text) => {
  if (typeof text !== 'string' || !same(fromHex(text), entry.digest)) throw wrong('this is not the hash of what the enclave has signed');
};

const signature = (entry, result) => checkIsResult(entry, fromHex(result));

/** Seals have the parity itself as v. */
function dataSignature(entry, result, { seal }) {
  const bytes = fromHex(result);
  if (seal) bytes[64] += 27;
  return checkIsResult(entry, bytes);
}

/** The length of an RLP item at the start of b, with its head. */
function itemLength(b) {
  if (b[0] < 0x80) return 1;
  const short = b[0] & 0x40 ? b[0] - 0xc0 : b[0] - 0x80;
  if (short < 56) return 1 + short;
  const n = short - 55;
  return 1 + n + b.subarray(1, 1 + n).reduce((size, x) => size * 256 + x, 0);
}

/** A transaction as it is hashed: that of type 3 without the blobs that go with it (EIP-4844, networking). */
function withoutSidecar(raw) {
  if (raw[0] !== 3 || !(raw[1] >= 0xf8)) return raw;
  const inner = raw.subarray(2 + raw[1] - 0xf7);
  if (!(inner[0] >= 0xc0)) return raw;
  const out = new Uint8Array(1 + itemLength(inner));
  out[0] = 3;
  out.set(inner.subarray(0, out.length - 1), 1);
  return out;
}

const transaction = (entry, result) => checkIsResult(entry, withoutSidecar(fromHex(result)));

async function clefTransaction(entry, result) {
  await transaction(entry, result.raw);
  isDigest(entry, result.tx?.hash);
}

async function tupleSigned(entry, result, { tuple }) {
  const address = tuple.address ?? tuple.contractAddress;
  if (BigInt(result.chainId) !== BigInt(tuple.chainId) || BigInt(result.nonce) !== BigInt(tuple.nonce) || result.address?.toLowerCase() !== address.toLowerCase()) throw wrong('this is another authorization');
  const word = (v) => fromHex(BigInt(v).toString(16).padStart(64, '0'));
  await checkIsResult(entry, new Uint8Array([...word(result.r), ...word(result.s), 27 + Number(result.yParity)]));
}

async function safeSigned(entry, result) {
  await signature(entry, result.signature);
  isDigest(entry, result.contractTransactionHash);
}

function isNewAccount(entry, result) {
  if (typeof result !== 'string' || !same(addressOf(entry.subject), fromHex(result))) throw wrong('this is not the address of the key that was made');
}

/** method: [what the enclave was asked, by the parameters; whether the result is what its entry says]. */
const METHODS = {
  eth_sign: [(p) => signMessage(p, 0, false), signature],
  personal_sign: [(p) => signMessage(p, 1, true), signature],
  eth_signTypedData: [(p) => signTyped(p, 'V4'), signature],
  eth_signTypedData_v3: [(p) => signTyped(p, 'V3'), signature],
  eth_signTypedData_v4: [(p) => signTyped(p, 'V4'), signature],
  eth_signAuthorization: [authorization, tupleSigned],
  eth_signTransaction: [signTransaction, transaction],
  eth_sendTransaction: [sendTransaction, isDigest],
  account_new: [() => ({}), isNewAccount],
  account_signTransaction: [signTransaction, clefTransaction],
  account_signData: [signData, dataSignature],
  account_signTypedData: [([address, document]) => ({ address, request: typed(document, CLEF) }), signature],
  account_signGnosisSafeTx: [signSafe, safeSigned],
};

/** Whether the answers of a method of JSON-RPC have proofs. */
export const isProved = (method) => Object.hasOwn(METHODS, method);

/** The one proof of an answer. */
function onlyProof(answer) {
  const proofs = proofsOf(answer);
  if (proofs.length !== 1) throw new ProofError('missing', proofs.length ? 'the answer has several proofs' : 'the answer has no proof');
  return proofs[0];
}

/** A refusal's code must be the entry's; of what else went wrong the enclave says nothing. */
function checkError(entry, error) {
  if (!entry.code || error.data?.code !== entry.code) throw wrong('the enclave has not refused this so');
}

/**
 * Verify that an enclave has given this answer of JSON-RPC to just this call, now.
 *
 * call:   { method, params }, as it was sent by JSON.stringify
 * answer: the answer's object, with its member adyton_proofs
 * trust:  as for verify
 * Returns the entry. Throws ProofError: 'missing' where the answer has no proof, 'request' where the proof is of another call.
 * An answer that refuses verifies as well: look at entry.code. What the gateway itself refuses has no proof.
 */
export async function verifyCall(call, answer, trust) {
  if (!isProved(call.method)) throw new TypeError(`the enclave has no part in ${call.method}`);
  const [expected, says] = METHODS[call.method];
  const { proof, request: told = '' } = onlyProof(answer);
  const asked = await expected(JSON.parse(JSON.stringify(call.params ?? [])), told);
  if (asked.request !== undefined && told !== asked.request) throw new ProofError('request', 'the enclave was asked something else than this call says');
  const entry = await verifyEntry(proof, asked.request ?? null, { ...trust, op: call.method === 'account_new' ? 'create' : 'sign' });
  const refused = answer.error !== undefined;
  if (refused) checkError(entry, answer.error);
  else if (entry.code) throw wrong('the enclave has refused this');
  // A key whose record could not be read is not known to a refusal.
  if (asked.address !== undefined && !(refused && entry.subject.length === 0) && !same(fromHex(asked.address), entry.subject)) throw new ProofError('key', 'this is of another account');
  if (refused) return entry;
  await says(entry, answer.result, asked);
  return entry;
}

/**
 * Verify the answers of a batch: each call that the enclave has a part in has one answer with its id, which verifies.
 * Returns the entries in the order of the calls, null for all other calls. Throws ProofError.
 */
export async function verifyCalls(calls, answers, trust) {
  return Promise.all(calls.map((call) => {
    if (!isProved(call.method) || call.id === undefined) return null;
    const its = answers.filter((a) => a?.id === call.id);
    if (its.length !== 1) throw new ProofError('missing', `there is no answer of id ${call.id}, or several`);
    return verifyCall(call, its[0], trust);
  }));
}

/**
 * Verify the answer of POST /api/v1/eth2/sign for several keys.
 * body: { identifiers, signing_request }, as it was sent by JSON.stringify; answers: the answer's list
 * Returns the entries in the order of the identifiers. Throws ProofError.
 */
export async function verifyDuties(body, answers, trust) {
  const request = JSON.stringify(body.signing_request);
  if (!Array.isArray(answers) || answers.length !== body.identifiers.length) throw wrong('the answers are not as many as the keys');
  return Promise.all(answers.map(async (answer, i) => {
    const entry = await verifyEntry(onlyProof(answer).proof, request, { ...trust, op: 'duty' });
    const nameless = entry.code !== '' && entry.subject.length === 0; // a refusal of a record that could not be read
    if (!nameless && !same(fromHex(body.identifiers[i]), entry.subject)) throw new ProofError('key', 'this is of another key');
    if (entry.code) {
      if (answer.error?.error !== entry.code) throw wrong('the enclave has refused this, and not so');
    } else {
      await checkIsResult(entry, fromHex(answer.signature ?? ''));
    }
    return entry;
  }));
}
