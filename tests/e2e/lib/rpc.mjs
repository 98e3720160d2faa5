// SPDX-License-Identifier: Apache-2.0
// JSON-RPC by hand, as the clients' own providers would send it, and transactions in its form.
import { createHash } from 'node:crypto';
import { request } from './stack.mjs';

/** One call; resolves to the whole answer. */
export async function call(s, method, params = [], options = {}) {
  const r = await request(`${s.gateway}/`, { method: 'POST', body: { jsonrpc: '2.0', id: 1, method, ...(params && { params }) }, agent: s.gatewayAgent, ...options });
  if (r.status !== 200) throw new Error(`${method}: status ${r.status}: ${r.body}`);
  return r.json;
}

/** One call; resolves to its result, or throws its error. */
export async function result(s, method, params, options) {
  const answer = await call(s, method, params, options);
  if (answer.error) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
  return answer.result;
}

const hex = (v) => '0x' + v.toString(16);
const spell = (o) => Object.fromEntries(Object.entries(o).map(([k, v]) => [k, typeof v === 'bigint' ? hex(v) : v]));

/** A random transaction (lib/txs.mjs) as JSON-RPC has it. */
export function toRpc(from, tx) {
  const out = { from, ...spell(tx), type: hex(BigInt(tx.type)) };
  if (tx.authorizationList) out.authorizationList = tx.authorizationList.map((a) => ({ ...spell(a), yParity: hex(BigInt(a.yParity)) }));
  return out;
}

/** A sidecar of n blobs whose proofs prove nothing, and the hashes of its commitments. cells: 128 proofs for each blob. */
export function sidecar(r, n, cells = false) {
  const commitments = Array.from({ length: n }, () => r.hex(48));
  return {
    blobs: Array.from({ length: n }, () => '0x' + r.bytes(64).toString('hex').repeat(2048)),
    commitments,
    proofs: Array.from({ length: cells ? 128 * n : n }, () => r.hex(48)),
    hashes: commitments.map((c) => '0x01' + createHash('sha256').update(Buffer.from(c.slice(2), 'hex')).digest('hex').slice(2)),
  };
}
