// SPDX-License-Identifier: Apache-2.0
// A beacon node's answers to what an exit needs, for a network of tests. It has no chain: written for the tests.
import http from 'node:http';
import { atEnd } from './tap.mjs';
import { versionOf } from './duties.mjs';

/** Start one; indices: Map of public key to index. Resolves to { url, asked, fail }. */
export async function startBeaconNode(network, indices, { path = '' } = {}) {
  const node = { asked: [], authorization: [], fail: null };
  const server = http.createServer((req, res) => {
    node.asked.push(req.url);
    node.authorization.push(req.headers.authorization);
    const say = (status, body) => {
      res.writeHead(status, { 'content-type': 'application/json' });
      res.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    if (node.fail) return say(...node.fail);
    const at = req.url.slice(path.length);
    const validator = /^\/eth\/v1\/beacon\/states\/head\/validators\/(0x[0-9a-f]{96})$/.exec(at);
    if (!req.url.startsWith(path)) return say(404, { code: 404, message: 'no such page' });
    if (validator) {
      const index = indices.get(validator[1]);
      return index === undefined ? say(404, { code: 404, message: 'Validator not found' }) : say(200, { execution_optimistic: false, finalized: false, data: { index: String(index), balance: '1', status: 'active_ongoing', validator: { pubkey: validator[1] } } });
    }
    if (at === '/eth/v1/beacon/genesis') return say(200, { data: { genesis_time: network.genesis_time, genesis_validators_root: network.genesis_validators_root, genesis_fork_version: versionOf(0) } });
    if (at === '/eth/v1/beacon/states/head/fork') return say(200, { data: { previous_version: versionOf(5), current_version: versionOf(6), epoch: '0' } });
    if (at === '/eth/v1/config/spec') return say(200, { data: { SECONDS_PER_SLOT: network.seconds_per_slot, SLOTS_PER_EPOCH: network.slots_per_epoch, DEPOSIT_CHAIN_ID: '1' } });
    return say(404, { code: 404, message: 'no such page' });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => server.close());
  return Object.assign(node, { url: `http://127.0.0.1:${server.address().port}${path}` });
}
