// SPDX-License-Identifier: Apache-2.0
// Random policies and random requests that have something to do with each other: small pools of values.
import { Interface, getAddress } from 'ethers';

const ADDRESSES = ['0x3535353535353535353535353535353535353535', '0x00000000000000000000000000000000000000aa', '0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2'];
const CHAINS = [1, 10, 137];
const NUMBERS = [0n, 1n, 5n, 100n, 10n ** 18n, 2n ** 255n];
const INTS = [-(2n ** 127n), -5n, -1n, 0n, 1n, 7n, 2n ** 127n - 1n];
const TEXTS = ['', 'a', 'Sign in', 'Sign in to x', 'Grüße "q"'];
const HEXES = ['0x', '0x01', '0x0102', '0x' + '00'.repeat(32), '0x' + 'ab'.repeat(40)];
const HASHES = ['0x' + '11'.repeat(32), '0x' + '00'.repeat(31) + '01'];

const FUNCTIONS = [
  'transfer(address to,uint256 amount)',
  'approve(address,uint256)',
  'batch((address to,uint256 amount)[] pays,bytes32 id,string note)',
  'mixed(int128[] d,bytes b,(bool ok,uint8[2] k) opt,address[][2] grid,string[] words)',
  'pause()',
];
const TYPES = [
  { text: 'Permit(address owner,address spender,uint256 value)', types: { Permit: [['owner', 'address'], ['spender', 'address'], ['value', 'uint256']] } },
  {
    text: 'Order(Item[] items,int64 delta,string note,bytes data)Item(address token,bool ok,bytes4 tag)',
    types: { Order: [['items', 'Item[]'], ['delta', 'int64'], ['note', 'string'], ['data', 'bytes']], Item: [['token', 'address'], ['ok', 'bool'], ['tag', 'bytes4']] },
  },
];
const PATHS = {
  [FUNCTIONS[0]]: { 'args.to': 'address', 'args[1]': 'uint', 'args.amount': 'uint' },
  [FUNCTIONS[1]]: { 'args[0]': 'address', 'args[1]': 'uint' },
  [FUNCTIONS[2]]: {
    'args.pays[*].to': 'address', 'args.pays[?].to': 'address', 'args.pays[1].amount': 'uint', 'args.pays.length': 'uint',
    'args.pays[*][1]': 'uint', 'args.id': 'hash', 'args.note': 'text', 'args[2].length': 'uint',
  },
  [FUNCTIONS[3]]: {
    'args.d[*]': 'int', 'args.d[?]': 'int', 'args.d[0]': 'int', 'args.b': 'bytes', 'args.b.length': 'uint', 'args.opt.ok': 'bool', 'args.opt.k[1]': 'small',
    'args.opt[1][*]': 'small', 'args.grid[*][?]': 'address', 'args.grid[1][0]': 'address', 'args.words[*]': 'text', 'args.words.length': 'uint', 'args.grid[0].length': 'uint',
  },
  [FUNCTIONS[4]]: {},
  [TYPES[0].text]: { 'message.owner': 'address', 'message.spender': 'address', 'message.value': 'uint' },
  [TYPES[1].text]: {
    'message.items[*].token': 'address', 'message.items[?].ok': 'bool', 'message.items[0].tag': 'tag', 'message.items.length': 'uint', 'message.delta': 'delta',
    'message.note': 'text', 'message.note.length': 'uint', 'message.data': 'bytes', 'message.data.length': 'uint',
  },
};
const FIELDS = {
  kind: 'kind', duty: 'duty', chain: 'chain', to: 'address', creates: 'bool', tx_type: 'uint', nonce: 'uint', value: 'uint', gas: 'uint', gas_price: 'uint',
  priority_fee: 'uint', fee: 'uint', cost: 'uint', selector: 'selector', data: 'bytes', data_size: 'uint', text: 'text', text_size: 'uint',
  validator: 'address', delegate: 'address', primary_type: 'name', 'domain.name': 'text', 'domain.version': 'text', 'domain.chainId': 'chain',
  'domain.verifyingContract': 'address', 'domain.salt': 'hash',
};
const KINDS = ['transaction', 'message', 'validator_data', 'typed_data', 'authorization', 'digest', 'duty', 'derive'];
const DUTIES = ['ATTESTATION', 'BLOCK_V2', 'VOLUNTARY_EXIT', 'VALIDATOR_REGISTRATION', 'COMMITMENT'];

export const stampKeys = [1, 2, 3].map((i) => `ed25519:${String(i).padStart(64, '0')}`);
const SELECTORS = FUNCTIONS.map((f) => new Interface([`function ${f}`]).fragments[0].selector);

const number = (r, v) => (r.below(3) === 0 ? v.toString() : r.below(2) && v >= 0n ? '0x' + v.toString(16) : v <= 2n ** 53n && v >= -(2n ** 53n) ? Number(v) : v.toString());

/** A constant of a type, as a policy writes it. */
function constant(r, type) {
  switch (type) {
    case 'kind': return r.pick(KINDS);
    case 'duty': return r.pick(DUTIES);
    case 'chain': return number(r, BigInt(r.pick(CHAINS)));
    case 'address': return r.below(2) ? getAddress(r.pick(ADDRESSES)) : r.pick(ADDRESSES);
    case 'bool': return r.below(2) === 1;
    case 'uint': return number(r, r.pick([...NUMBERS, 2n, 3n, 40n]));
    case 'small': return r.below(4);
    case 'int': return number(r, r.pick(INTS));
    case 'delta': return number(r, r.pick(INTS.slice(1, -1)));
    case 'selector': return r.pick(SELECTORS);
    case 'bytes': return r.pick(HEXES);
    case 'text': return r.pick(TEXTS);
    case 'name': return r.pick(['Permit', 'Order', 'x']);
    case 'hash': return r.pick(HASHES);
    case 'tag': return r.pick(['0x00000000', '0x01020304']);
  }
}

const many = (r, fn) => Array.from({ length: 1 + r.below(3) }, fn);

function testOf(r, type) {
  const c = () => constant(r, type);
  const numbers = ['uint', 'int', 'delta', 'chain', 'small'].includes(type);
  const way = r.below(8);
  if (way < 2) return c();
  if (way < 4) return many(r, c);
  if (way === 4) return { [r.pick(['ne', 'eq'])]: c() };
  if (way === 5) return { [r.pick(['not_in', 'in'])]: many(r, c) };
  if (numbers) return r.below(3) ? { [r.pick(['lt', 'le', 'gt', 'ge'])]: c() } : { ge: c(), le: c() };
  if (type === 'bytes' || type === 'text') return { prefix: r.below(2) ? c() : many(r, c) };
  return { in: many(r, c) };
}

function time(r) {
  const w = {};
  if (r.below(2)) w.days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].filter(() => r.below(3)).concat('sun').filter((d, i, a) => a.indexOf(d) === i);
  if (r.below(2)) Object.assign(w, { from: r.pick(['00:00', '08:00', '11:30']), to: r.pick(['12:00', '18:45', '24:00']) });
  if (r.below(3) === 0) w.after = '2025-11-26T00:00:00Z';
  if (r.below(3) === 0) w.before = '2025-11-29T12:00:00Z';
  return Object.keys(w).length ? w : { days: ['sun', 'sat'] };
}

function randomWhen(r, deny) {
  const when = {};
  const what = r.below(5);
  const root = what === 0 ? r.pick(FUNCTIONS) : what === 1 ? r.pick(TYPES).text : null;
  if (root) when[what === 0 ? 'function' : 'type'] = r.below(4) ? root : { in: [root] };
  else if (what === 2) when.function = r.below(2) ? many(r, () => r.pick(FUNCTIONS)) : { [r.pick(['ne', 'eq'])]: r.pick(FUNCTIONS) };
  else if (what === 3 && r.below(3) === 0) when.type = { not_in: [r.pick(TYPES).text] };
  const add = (name, type) => (when[name] = testOf(r, type));
  const paths = root ? Object.entries(PATHS[root]) : [];
  if (paths.length) for (let i = r.below(3); i > 0; i--) add(...r.pick(paths));
  for (let i = r.below(deny ? 4 : 3); i > 0; i--) add(...r.pick(Object.entries(FIELDS)));
  if (r.below(6) === 0) when.time = r.below(2) ? time(r) : [time(r), time(r)];
  // what stands first must not matter
  return Object.fromEntries(Object.entries(when).sort(() => r.below(3) - 1));
}

export function randomPolicy(r) {
  const lists = { friends: many(r, () => constant(r, 'address')), signers: stampKeys.slice(0, 1 + r.below(3)) };
  const rules = Array.from({ length: 1 + r.below(6) }, (_, i) => {
    const deny = r.below(4) === 0;
    const rule = { name: `rule ${i}`, effect: deny ? 'deny' : 'allow', when: randomWhen(r, deny) };
    if (r.below(8) === 0) rule.when.to = { [r.pick(['in', 'not_in'])]: 'friends' };
    if (deny) return rule;
    if (r.below(4) === 0) rule.approvals = r.below(2) ? { need: 1 + r.below(lists.signers.length), of: 'signers' } : { need: 1 + r.below(2), of: stampKeys.slice(0, 2) };
    if (r.below(3) === 0) {
      rule.limits = [{ name: r.pick(['a', 'b']), per: '1h', max: number(r, r.pick([0n, 1n, 3n, 1000n, 2n * 10n ** 18n])), ...(r.below(2) ? { sum: r.pick(['value', 'cost', 'gas', 'priority_fee']) } : {}) }];
      if (r.below(2)) rule.limits.push({ name: 'c', per: '5m', max: 2 });
      if (typeof rule.when.function === 'string' && rule.when.function === FUNCTIONS[0]) rule.limits[0].sum = 'args.amount';
      if (typeof rule.when.type === 'string' && rule.when.type === TYPES[0].text) rule.limits[0].sum = 'message.value';
    }
    return rule;
  });
  return { policy: 1, lists, rules, ...(r.below(4) ? {} : { count: r.pick(['wallet', 'key']) }) };
}

const values = {
  0: (r) => [r.pick(ADDRESSES), r.pick(NUMBERS)],
  1: (r) => [r.pick(ADDRESSES), r.pick(NUMBERS)],
  2: (r) => [Array.from({ length: r.below(4) }, () => [r.pick(ADDRESSES), r.pick(NUMBERS)]), r.pick(HASHES), r.pick(TEXTS)],
  3: (r) => [
    Array.from({ length: r.below(3) }, () => r.pick(INTS)), r.pick(HEXES), [r.below(2) === 1, [r.below(4), r.below(4)]],
    [0, 1].map(() => Array.from({ length: r.below(3) }, () => r.pick(ADDRESSES))), Array.from({ length: r.below(3) }, () => r.pick(TEXTS)),
  ],
  4: () => [],
};

/** Calldata of one of the functions; sometimes in a layout that is not canonical. */
function calldata(r) {
  const i = r.below(FUNCTIONS.length);
  const face = new Interface([`function ${FUNCTIONS[i]}`]);
  const data = face.encodeFunctionData(face.fragments[0], values[i](r));
  const spoilt = r.below(12);
  if (spoilt === 0) return data + r.pick(['00', '00'.repeat(32)]);
  if (spoilt === 1) return data.slice(0, Math.max(10, data.length - r.pick([2, 64])));
  if (spoilt === 2 && data.length > 74) {
    const at = 10 + 2 * r.below((data.length - 10) / 2); // one other byte somewhere: a value, a length, an offset, padding
    // ASCII for ASCII: texts stay UTF-8, as ethers, the model's decoder, reads no others
    if (parseInt(data.slice(at, at + 2), 16) > 0x7f) return data;
    return data.slice(0, at) + r.pick(['00', '01', '20', '7f']) + data.slice(at + 2);
  }
  return data;
}

function transaction(r) {
  const creates = r.below(10) === 0;
  const type = r.pick([0, 2]);
  const tx = { type, chainId: BigInt(r.pick(CHAINS)), nonce: BigInt(r.below(4)), gas: r.pick([21000n, 5n, 100n]), value: r.pick(NUMBERS.slice(0, 5)), data: r.below(3) && !creates ? calldata(r) : r.pick(HEXES.slice(creates ? 1 : 0)) };
  if (!creates) tx.to = r.pick(ADDRESSES);
  if (type === 0) tx.gasPrice = r.pick(NUMBERS.slice(0, 4));
  else Object.assign(tx, { maxFeePerGas: 100n, maxPriorityFeePerGas: r.pick([0n, 1n, 5n, 100n]) });
  return { kind: 'transaction', tx, chain: tx.chainId, nonce: tx.nonce, data: tx.data, json: { transaction: text(tx) } };
}

const text = (v) => JSON.parse(JSON.stringify(v, (_, x) => (typeof x === 'bigint' ? x.toString() : x)));

const messages = [
  (r) => ({ owner: r.pick(ADDRESSES), spender: r.pick(ADDRESSES), value: r.pick(NUMBERS) }),
  (r) => ({
    items: Array.from({ length: r.below(3) }, () => (r.below(8) ? { token: r.pick(ADDRESSES), ok: r.below(2) === 1, tag: r.pick(['0x00000000', '0x01020304']) } : { token: r.pick(ADDRESSES), ok: true, tag: '0x01020304' })),
    delta: r.pick(INTS.slice(1, -1)), note: r.pick(TEXTS), data: r.pick(HEXES),
  }),
];

function typedData(r) {
  const i = r.below(TYPES.length);
  const types = Object.fromEntries(Object.entries(TYPES[i].types).map(([k, v]) => [k, v.map(([name, type]) => ({ name, type }))]));
  if (r.below(6) === 0) Object.values(types)[0].push({ name: 'extra', type: 'bool' });
  const domain = {};
  if (r.below(4)) domain.chainId = BigInt(r.pick(CHAINS));
  if (r.below(2)) domain.name = r.pick(TEXTS);
  if (r.below(2)) domain.version = r.pick(TEXTS);
  if (r.below(2)) domain.verifyingContract = r.pick(ADDRESSES);
  if (r.below(3) === 0) domain.salt = r.pick(HASHES);
  const standard = { name: 'string', version: 'string', chainId: 'uint256', verifyingContract: 'address', salt: 'bytes32' };
  if (r.below(3)) {
    types.EIP712Domain = Object.keys(domain).map((name) => ({ name, type: standard[name] }));
    const chain = types.EIP712Domain.find((m) => m.name === 'chainId');
    if (chain && r.below(5) === 0) chain.type = r.pick(['uint64', 'int256']);
  }
  const message = messages[i](r);
  if (types[TYPES[i].text.split('(')[0]].some((m) => m.name === 'extra')) message.extra = true;
  const typed = { types, primaryType: TYPES[i].text.split('(')[0], domain, message };
  return { kind: 'typed_data', typed, json: { typed_data: text(typed) } };
}

/** A request: `json` for the API (of a duty its name alone, of keys of a wallet nothing: for tests/tools/policy_eval.c), beside it what
 * the model looks at. */
export function randomRequest(r) {
  switch (r.pick([0, 0, 0, 0, 1, 1, 1, 2, 3, 4, 5, 6, 7])) {
    case 0: return transaction(r);
    case 1: return typedData(r);
    case 2: { const t = r.pick(TEXTS); return { kind: 'message', text: t, json: { message: { text: t } } }; }
    case 3: { const [validator, data] = [r.pick(ADDRESSES), r.pick(HEXES)]; return { kind: 'validator_data', validator, data, json: { validator_data: { address: validator, data } } }; }
    case 4: {
      const [chain, delegate, nonce] = [BigInt(r.pick([0, ...CHAINS])), r.pick(ADDRESSES), BigInt(r.below(3))];
      return { kind: 'authorization', chain, delegate, nonce, json: { authorization: text({ chainId: chain, address: delegate, nonce }) } };
    }
    case 5: { const duty = r.pick(DUTIES); return { kind: 'duty', duty, json: { duty } }; }
    case 6: return { kind: 'derive', json: { derive: {} } };
    default: return { kind: 'digest', json: { digest: r.pick(HASHES) } };
  }
}
