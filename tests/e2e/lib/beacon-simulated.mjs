// SPDX-License-Identifier: Apache-2.0
// A simulated beacon node: the beacon API that a validator client needs, on a simulated chain
// (beacon-chain.mjs), with everything that the client sends verified (beacon-checks.mjs).
import http from 'node:http';
import { ssz } from '@lodestar/types';
import { atEnd } from './tap.mjs';
import { randomValue } from './duties.mjs';
import { beaconChain } from './beacon-chain.mjs';
import { Absent, Wrong, beaconChecks, hex } from './beacon-checks.mjs';

const bytes = (text) => Uint8Array.from(Buffer.from(text.slice(2), 'hex'));
const text = (string) => Uint8Array.from(Buffer.from(string.padEnd(32, '\0')));
const ok = (data, more = {}) => ({ execution_optimistic: false, ...more, data });

/** The parameters of a network as /eth/v1/config/spec and a client's --paramsFile have them. */
export function beaconSpec(network) {
  const names = ['GENESIS', 'ALTAIR', 'BELLATRIX', 'CAPELLA'];
  const spec = { PRESET_BASE: 'minimal', CONFIG_NAME: network.name, SECONDS_PER_SLOT: network.seconds_per_slot, MIN_GENESIS_TIME: network.genesis_time, GENESIS_DELAY: '0' };
  network.forks.slice(0, names.length).forEach((fork, i) => {
    spec[`${names[i]}_FORK_VERSION`] = fork.version;
    if (i) spec[`${names[i]}_FORK_EPOCH`] = fork.epoch;
  });
  return spec;
}

/** The blocks of a chain: random ones of the slot's fork, and for the builder's odd slots blinded ones. */
function blockMaker(chain, checks, r) {
  const small = { ...r, big: (bits) => r.big(Math.min(bits, 52)) }; // Lodestar 1.5.1 has numbers where later ones have bigints
  return (slot, query, blinded) => {
    const fork = chain.forkName(slot);
    const type = ssz[fork][blinded ? 'BlindedBeaconBlock' : 'BeaconBlock'];
    if (!type) throw new Absent(`no blinded blocks in ${fork}`);
    checks.randao(slot, bytes(query.get('randao_reveal')));
    const block = randomValue(small, type);
    Object.assign(block, { slot, proposerIndex: chain.proposer(slot), parentRoot: bytes(chain.rootAt(slot - 1)) });
    Object.assign(block.body, { randaoReveal: bytes(query.get('randao_reveal')), graffiti: text(query.get('graffiti') ?? '') });
    checks.given.block.set(slot, [...(checks.given.block.get(slot) ?? []), hex(type.hashTreeRoot(block))]);
    return { version: fork, data: type.toJson(block), block_value: blinded === (slot % 2 === 1) ? '2' : '1' };
  };
}

/** Start a node for a network as the enclave's configuration has it, whose only validators have these public keys.
 * Resolves to { url, chain, checks, wrong, unknown, published }: wrong is what the client did wrong, in words;
 * unknown are requests that no node knows; published counts blocks. */
export async function startBeacon(network, pubkeys, r) {
  const chain = beaconChain(network, pubkeys);
  const checks = beaconChecks(chain);
  const listeners = new Set();
  const wrong = [], unknown = new Set(), published = { full: 0, blinded: 0 };
  const make = blockMaker(chain, checks, r);
  const ours = (list) => list.map(Number).filter((i) => i < pubkeys.length);

  const validator = (index) => ({
    index: String(index), balance: '32000000000', status: 'active_ongoing',
    validator: {
      pubkey: pubkeys[index], withdrawal_credentials: '0x' + '01'.padEnd(64, '0'), effective_balance: '32000000000', slashed: false,
      activation_eligibility_epoch: '0', activation_epoch: '0', exit_epoch: '18446744073709551615', withdrawable_epoch: '18446744073709551615',
    },
  });

  /** Every object of a list is looked at, whatever is wrong with those before it. */
  function each(type, check) {
    return ({ body }) => {
      const bad = body.flatMap((json) => {
        try {
          check(type.fromJson(json));
          return [];
        } catch (e) {
          return [e.message];
        }
      });
      if (bad.length) throw new Wrong(bad.join('; '));
    };
  }

  function head(slot, block) {
    chain.blocks.set(slot, block);
    const epoch = chain.epochOf(slot);
    const data = {
      slot: String(slot), block, state: block, epoch_transition: slot % chain.perEpoch === 0, execution_optimistic: false,
      previous_duty_dependent_root: chain.dependentRoot(epoch), current_duty_dependent_root: chain.dependentRoot(epoch + 1),
    };
    for (const res of listeners) res.write(`event: head\ndata: ${JSON.stringify(data)}\n\n`);
  }
  const publish = (blinded) => ({ body }) => {
    const slot = Number(body.message.slot);
    const types = ssz[chain.forkName(slot)];
    const type = blinded ? types.BlindedBeaconBlock : types.BeaconBlock;
    published[blinded ? 'blinded' : 'full']++;
    head(slot, checks.block(type, { message: type.fromJson(body.message), signature: bytes(body.signature) }));
  };

  function attestationData({ query }) {
    const slot = Number(query.get('slot')), epoch = chain.epochOf(slot);
    const point = ({ epoch: at, root }) => ({ epoch: at, root: bytes(root) });
    if (!checks.given.data.has(slot))
      checks.given.data.set(slot, { slot, index: 0, beaconBlockRoot: bytes(chain.rootAt(slot)), source: point(chain.checkpoint(epoch - 1)), target: point(chain.checkpoint(epoch)) });
    return ok(ssz.phase0.AttestationData.toJson(checks.withIndex(checks.given.data.get(slot), Number(query.get('committee_index')))));
  }

  const attesters = (epoch, list) => ok(ours(list).map((i) => {
    const duty = chain.attester(epoch, i);
    return {
      pubkey: pubkeys[i], validator_index: String(i), committee_index: String(duty.committee), committee_length: String(chain.each),
      committees_at_slot: '2', validator_committee_index: String(duty.position), slot: String(duty.slot),
    };
  }), { dependent_root: chain.dependentRoot(epoch) });
  const proposers = (epoch) => ok(Array.from({ length: chain.perEpoch }, (_, k) => {
    const slot = epoch * chain.perEpoch + k;
    return { pubkey: pubkeys[chain.proposer(slot)], validator_index: String(chain.proposer(slot)), slot: String(slot) };
  }), { dependent_root: chain.dependentRoot(epoch) });
  const syncers = (epoch, list) => ok(ours(list).filter((i) => chain.syncPlaces(epoch, i).length).map((i) =>
    ({ pubkey: pubkeys[i], validator_index: String(i), validator_sync_committee_indices: chain.syncPlaces(epoch, i).map(String) })));

  const routes = [
    ['GET', /^\/eth\/v1\/beacon\/genesis$/, () => ok({ genesis_time: network.genesis_time, genesis_validators_root: network.genesis_validators_root, genesis_fork_version: network.forks[0].version })],
    ['GET', /^\/eth\/v1\/config\/spec$/, () => ok(beaconSpec(network))],
    ['GET', /^\/eth\/v1\/node\/health$/, () => ok({})],
    ['GET', /^\/eth\/v1\/node\/version$/, () => ok({ version: 'simulated/1' })],
    ['GET', /^\/eth\/v1\/node\/syncing$/, () => ok({ head_slot: String(chain.now()), sync_distance: '0', is_syncing: false, is_optimistic: false })],
    ['GET', /^\/eth\/v1\/beacon\/states\/head\/validators$/, ({ query }) => ok(query.getAll('id').flatMap((id) => id.split(',')).map((id) => pubkeys.indexOf(id)).filter((i) => i >= 0).map(validator))],
    ['GET', /^\/eth\/v1\/beacon\/blocks\/head\/root$/, () => ok({ root: chain.rootAt(chain.now()) })],
    ['POST', /^\/eth\/v1\/validator\/duties\/attester\/(\d+)$/, ({ number, body }) => attesters(number, body)],
    ['GET', /^\/eth\/v1\/validator\/duties\/proposer\/(\d+)$/, ({ number }) => proposers(number)],
    ['POST', /^\/eth\/v1\/validator\/duties\/sync\/(\d+)$/, ({ number, body }) => syncers(number, body)],
    ['GET', /^\/eth\/v2\/validator\/blocks\/(\d+)$/, ({ number, query }) => make(number, query, false)],
    ['GET', /^\/eth\/v1\/validator\/blinded_blocks\/(\d+)$/, ({ number, query }) => make(number, query, true)],
    ['POST', /^\/eth\/v1\/beacon\/blocks$/, publish(false)],
    ['POST', /^\/eth\/v1\/beacon\/blinded_blocks$/, publish(true)],
    ['GET', /^\/eth\/v1\/validator\/attestation_data$/, attestationData],
    ['POST', /^\/eth\/v1\/beacon\/pool\/attestations$/, each(ssz.phase0.Attestation, checks.attestation)],
    ['GET', /^\/eth\/v1\/validator\/aggregate_attestation$/, ({ query }) => ok(ssz.phase0.Attestation.toJson(checks.aggregate(Number(query.get('slot')), query.get('attestation_data_root'))))],
    ['POST', /^\/eth\/v1\/validator\/aggregate_and_proofs$/, each(ssz.phase0.SignedAggregateAndProof, checks.aggregateAndProof)],
    ['POST', /^\/eth\/v1\/beacon\/pool\/sync_committees$/, each(ssz.altair.SyncCommitteeMessage, checks.sync)],
    ['GET', /^\/eth\/v1\/validator\/sync_committee_contribution$/, ({ query }) => ok(ssz.altair.SyncCommitteeContribution.toJson(checks.contribution(Number(query.get('slot')), Number(query.get('subcommittee_index')), query.get('beacon_block_root'))))],
    ['POST', /^\/eth\/v1\/validator\/contribution_and_proofs$/, each(ssz.altair.SignedContributionAndProof, checks.contributionAndProof)],
    ['POST', /^\/eth\/v1\/validator\/register_validator$/, each(ssz.bellatrix.SignedValidatorRegistrationV1, checks.registration)],
    ['POST', /^\/eth\/v1\/validator\/(beacon_committee_subscriptions|sync_committee_subscriptions|prepare_beacon_proposer)$/, () => undefined],
  ];

  function handle(method, url, body) {
    const route = routes.find(([m, path]) => m === method && path.test(url.pathname));
    if (!route) {
      unknown.add(`${method} ${url.pathname}`);
      return [404, { code: 404, message: 'no such request' }];
    }
    try {
      return [200, route[2]({ number: Number(route[1].exec(url.pathname)[1]), query: url.searchParams, body: body ? JSON.parse(body) : undefined })];
    } catch (e) {
      if (e instanceof Absent) return [404, { code: 404, message: e.message }];
      wrong.push(e instanceof Wrong ? e.message : `${method} ${url.pathname}: ${e.stack}`);
      return [400, { code: 400, message: e.message }];
    }
  }

  const server = http.createServer((req, res) => {
    const url = new URL(req.url, 'http://node');
    if (url.pathname === '/eth/v1/events') {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('\n');
      listeners.add(res);
      res.on('close', () => listeners.delete(res));
      return;
    }
    const parts = [];
    req.on('data', (d) => parts.push(d));
    req.on('end', () => {
      const [status, answer] = handle(req.method, url, Buffer.concat(parts).toString());
      res.writeHead(status, { 'content-type': 'application/json' });
      res.end(answer === undefined ? '' : JSON.stringify(answer));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => (server.closeAllConnections(), server.close()));
  return { url: `http://127.0.0.1:${server.address().port}`, chain, checks, wrong, unknown, published };
}
