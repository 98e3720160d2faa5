// SPDX-License-Identifier: Apache-2.0
// A stack that signs for validators of a fast network of its own: slots of one second, epochs of four.
import { join } from 'node:path';
import { request, scratch, startStack } from './stack.mjs';
import { FORKS, versionOf } from './duties.mjs';

export const SLOTS = 4;
export const ZERO = '0x' + '00'.repeat(32);

/** The network: every fork up to fulu from genesis on, an hour ago. */
export function fastNetwork(changes = {}) {
  return {
    name: 'fast', genesis_validators_root: '0x' + '5a'.repeat(32), genesis_time: String(Math.floor(Date.now() / 1000) - 3600),
    seconds_per_slot: '1', slots_per_epoch: String(SLOTS), preset: 'mainnet',
    forks: FORKS.slice(0, 7).map((_, i) => ({ version: versionOf(i), epoch: '0' })), ...changes,
  };
}

/** Start a stack; options: validators (members of the enclave's), states, gateway (more options). */
export async function startValidators({ validators = {}, network = fastNetwork(), states, dir = scratch('val'), args = [] } = {}) {
  const sqlite = join(dir, 'records.db');
  const option = (which, name, value) => [`--${which}-option`, `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`];
  const s = await startStack({
    dir,
    args: [
      ...option('enclave', 'validators', { network, clock_error_s: 0, ...validators }),
      ...option('gateway', 'store.sqlite', sqlite),
      ...option('gateway', 'validators.states', states ?? `sqlite:${join(dir, 'states.db')}`),
      ...args,
    ],
  });
  return Object.assign(s, { network, sqlite });
}

/** Make n keys in the enclave; resolves to [{ id, pubkey }]. */
export async function makeKeys(s, n, prefix = 'v') {
  const keys = [];
  for (let i = 0; i < n; i += 16) {
    const made = await Promise.all(Array.from({ length: Math.min(16, n - i) }, (_, k) =>
      request(`${s.gateway}/v1/keys`, { method: 'POST', body: { id: `${prefix}${i + k}`, curve: 'bls12-381' } })));
    for (const m of made) {
      if (m.status !== 201 && m.status !== 200) throw new Error(m.body);
      keys.push({ id: m.json.id, pubkey: m.json.public_key });
    }
  }
  return keys;
}

export const interchange = (s, data) => ({ metadata: { interchange_format_version: '5', genesis_validators_root: s.network.genesis_validators_root }, data });

/** Give keys a state without history. */
export async function freshStates(s, keys, gateway = s.gateway) {
  const r = await request(`${gateway}/v1/slashing`, { method: 'POST', body: interchange(s, keys.map((k) => ({ pubkey: k.pubkey, signed_blocks: [], signed_attestations: [] }))) });
  if (r.status !== 200 || r.json.failed.length) throw new Error(r.body);
  return r.json;
}

const slotsPerEpoch = (s) => Number(s.network.slots_per_epoch);
export const epochNow = (s) => Math.floor(slotNow(s) / slotsPerEpoch(s));
export const slotNow = (s) => Math.floor((Date.now() / 1000 - Number(s.network.genesis_time)) / Number(s.network.seconds_per_slot));

export const forkInfo = (s) => ({ fork: { previous_version: versionOf(6), current_version: versionOf(6), epoch: '0' }, genesis_validators_root: s.network.genesis_validators_root });

export const attestation = (s, source, target, head = ZERO) => ({
  type: 'ATTESTATION', fork_info: forkInfo(s),
  attestation: { slot: String(target * slotsPerEpoch(s)), index: '0', beacon_block_root: head, source: { epoch: String(source), root: ZERO }, target: { epoch: String(target), root: ZERO } },
});

export const block = (s, slot, body = ZERO) => ({
  type: 'BLOCK_V2', fork_info: forkInfo(s),
  beacon_block: { version: 'FULU', block_header: { slot: String(slot), proposer_index: '1', parent_root: ZERO, state_root: ZERO, body_root: body } },
});

export const sign = (s, pubkey, body, { gateway = s.gateway, headers = { accept: 'application/json' } } = {}) =>
  request(`${gateway}/api/v1/eth2/sign/${pubkey}`, { method: 'POST', body, headers, agent: s.gatewayAgent });

/** Wait until slot has begun. */
export const untilSlot = async (s, slot) => {
  const ms = (Number(s.network.genesis_time) + slot * Number(s.network.seconds_per_slot)) * 1000 - Date.now();
  if (ms > 0) await new Promise((r) => setTimeout(r, ms + 20));
};
