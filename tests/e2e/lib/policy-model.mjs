// SPDX-License-Identifier: Apache-2.0
// A model of doc/policy.md: what a policy decides, written to be read and not to be fast. Three values: 0 not met,
// 1 undecided, 2 met. ethers reads calldata and types.
import { AbiCoder, FunctionFragment, ParamType, TypedDataEncoder, getAddress, id, getBytes, hexlify } from 'ethers';

const NO = 0, UNDECIDED = 1, YES = 2;
const lower = (a) => a.toLowerCase();

/** What a field is in a request: undefined when it has none. request: see policies.mjs. */
const fields = {
  kind: (q) => q.kind,
  duty: (q) => q.duty,
  chain: (q) => (q.kind === 'typed_data' ? domain(q, 'chainId') : q.chain),
  to: (q) => q.tx?.to && lower(q.tx.to),
  creates: (q) => q.tx && !q.tx.to,
  tx_type: (q) => q.tx && BigInt(q.tx.type),
  nonce: (q) => q.nonce,
  value: (q) => q.tx?.value,
  gas: (q) => q.tx?.gas,
  gas_price: (q) => q.tx && (q.tx.gasPrice ?? q.tx.maxFeePerGas),
  priority_fee: (q) => q.tx?.maxPriorityFeePerGas,
  fee: (q) => q.tx && q.tx.gas * fields.gas_price(q),
  cost: (q) => q.tx && q.tx.value + fields.fee(q),
  selector: (q) => (q.tx?.to && q.tx.data.length >= 10 ? q.tx.data.slice(0, 10) : undefined),
  data: (q) => q.data,
  data_size: (q) => q.data !== undefined ? BigInt(q.data.length / 2 - 1) : undefined,
  text: (q) => q.text,
  text_size: (q) => q.text !== undefined ? BigInt(Buffer.byteLength(q.text)) : undefined,
  validator: (q) => q.validator,
  delegate: (q) => q.delegate,
  primary_type: (q) => q.typed?.primaryType,
};

const domainTypes = { name: 'string', version: 'string', chainId: 'uint256', verifyingContract: 'address', salt: 'bytes32' };
class Unsure extends Error {}

function domain(q, name) {
  const v = q.typed?.domain[name];
  if (v === undefined) return undefined;
  const declared = q.typed.types.EIP712Domain;
  if (declared && declared.find((m) => m.name === name).type !== domainTypes[name]) throw new Unsure();
  return plain(v, domainTypes[name]);
}

/** A value of a type as the model compares it: BigInt, boolean, or a string (hex in lower case). */
function plain(v, type) {
  if (/^u?int/.test(type)) return BigInt(v);
  if (type === 'bool') return v;
  return type === 'string' ? v : lower(v);
}

/** A constant of a policy, by the type of what it is compared with. */
const constant = (v, type) => (type === 'int' || type === 'uint' ? BigInt(v) : type === 'hex' ? lower(v) : v);
const typeOf = (v) => (typeof v === 'bigint' ? 'uint' : typeof v === 'string' && v.startsWith('0x') ? 'hex' : 'other');

/** Does the calldata decode as fragment, and encode to the same bytes again? */
function args(q, fragment) {
  const data = q.tx.data;
  const body = '0x' + data.slice(10);
  try {
    const values = AbiCoder.defaultAbiCoder().decode(fragment.inputs, body);
    const back = AbiCoder.defaultAbiCoder().encode(fragment.inputs, values);
    return back === body ? values : null;
  } catch {
    return null;
  }
}

function calls(q, signature) {
  const f = FunctionFragment.from(`function ${signature}`);
  if (fields.selector(q) !== f.selector) return NO;
  return args(q, f) ? YES : UNDECIDED;
}

/** encodeType of the message's primary type. */
function typeText(q) {
  const { EIP712Domain, ...types } = q.typed.types;
  return TypedDataEncoder.from(reachable(types, q.typed.primaryType)).encodeType(q.typed.primaryType);
}

function reachable(types, name, out = {}) {
  if (out[name] || !types[name]) return out;
  out[name] = types[name];
  for (const m of types[name]) reachable(types, m.type.replace(/\[.*$/, ''), out);
  return out;
}

/** All values at the end of a path: nested lists under every and any. Returns what `ask` comes to. */
function walk(path, value, param, ask) {
  if (value === undefined || value === null) return ask(undefined);
  if (path === '') return ask(plain(leafValue(value), param.type ?? param.baseType));
  let m;
  if ((m = /^\.length$/.exec(path)) && (param.isArray() || ['bytes', 'string'].includes(param.type))) {
    if (param.isArray()) return ask(BigInt(value.length));
    return ask(BigInt(param.type === 'string' ? Buffer.byteLength(value) : value.length / 2 - 1));
  }
  if ((m = /^\.([^.[]+)/.exec(path))) {
    const i = param.components.findIndex((c) => c.name === m[1]);
    return walk(path.slice(m[0].length), Array.isArray(value) ? value[i] : value[m[1]], param.components[i], ask);
  }
  m = /^\[(\*|\?|\d+)\]/.exec(path);
  const rest = path.slice(m[0].length);
  if (m[1] === '*') return Math.min(YES, ...Array.from(value, (v) => walk(rest, v, param.arrayChildren, ask)));
  if (m[1] === '?') return Math.max(NO, ...Array.from(value, (v) => walk(rest, v, param.arrayChildren, ask)));
  const i = Number(m[1]);
  if (param.isArray()) return i < value.length ? walk(rest, value[i], param.arrayChildren, ask) : ask(undefined);
  const c = param.components[i];
  return walk(rest, Array.isArray(value) ? value[i] : value[c.name], c, ask);
}

const leafValue = (v) => v;

/** The message's type as a tuple of ethers. */
function tupleOf(types, name) {
  const base = (t) => t.replace(/\[.*$/, '');
  const inner = (t) => (types[base(t)] ? `tuple(${types[base(t)].map((m) => `${inner(m.type)} ${m.name}`).join(',')})${t.slice(base(t).length)}` : t);
  return ParamType.from(inner(name));
}

function ask(op, want, rule) {
  const negative = op === 'not_in' || op === 'ne';
  return (v) => {
    if (v === undefined) return negative ? UNDECIDED : NO;
    const type = typeOf(v);
    const c = Array.isArray(want) ? want.map((w) => constant(w, type)) : constant(want, type);
    const text = (x) => (type === 'hex' ? getBytes(x) : Buffer.from(x));
    const begins = (p) => Buffer.from(text(v)).subarray(0, text(p).length).equals(Buffer.from(text(p)));
    const holds = {
      eq: () => v === c, ne: () => v !== c, in: () => c.includes(v), not_in: () => !c.includes(v),
      lt: () => v < c, le: () => v <= c, gt: () => v > c, ge: () => v >= c,
      prefix: () => [c].flat().some(begins),
    }[op]();
    return holds ? YES : NO;
  };
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

function inWindow(w, now) {
  const d = new Date(now * 1000);
  const at = d.toISOString().slice(11, 16);
  return (!w.days || w.days.includes(DAYS[d.getUTCDay()])) && (!w.from || at >= w.from) && (!w.to || at < w.to) &&
    (!w.after || now >= Date.parse(w.after) / 1000) && (!w.before || now < Date.parse(w.before) / 1000);
}

/** The value that a term of a rule names is asked of; `when` has the rule's function and type. */
function term(q, name, when, askOf) {
  const one = (v) => (typeof v === 'object' && !Array.isArray(v) ? v.eq ?? v.in[0] : [v].flat()[0]);
  if (/^args[.[]/.test(name)) {
    const f = FunctionFragment.from(`function ${one(when.function)}`);
    const c = q.tx ? calls(q, one(when.function)) : NO;
    if (c === UNDECIDED) return UNDECIDED;
    if (c === NO) return askOf(undefined);
    return walk(name.slice(4), args(q, f), { components: f.inputs, isArray: () => false }, askOf);
  }
  if (/^message[.[]/.test(name)) {
    if (!q.typed || typeText(q) !== one(when.type)) return askOf(undefined);
    return walk(name.slice(7), q.typed.message, tupleOf(q.typed.types, q.typed.primaryType), askOf);
  }
  return askOf(name.startsWith('domain.') ? domain(q, name.slice(7)) : fields[name](q));
}

function condition(q, name, test, when, lists, now) {
  if (name === 'time') return now === undefined ? UNDECIDED : [test].flat().some((w) => inWindow(w, now)) ? YES : NO;
  const ops = Array.isArray(test) ? { in: test } : typeof test === 'object' ? test : { eq: test };
  return Math.min(...Object.entries(ops).map(([op, want]) => {
    if ((op === 'in' || op === 'not_in') && typeof want === 'string') want = lists[want];
    if (name !== 'function' && name !== 'type') return term(q, name, when, ask(op, want));
    const there = name === 'function' ? fields.selector(q) !== undefined : q.typed !== undefined;
    const negative = op === 'ne' || op === 'not_in';
    if (!there) return negative ? UNDECIDED : NO;
    const any = Math.max(...[want].flat().map((w) => (name === 'function' ? calls(q, w) : typeText(q) === w ? YES : NO)));
    return negative ? YES - any : any;
  }));
}

function met(q, rule, lists, now) {
  return Math.min(YES, ...Object.entries(rule.when).map(([name, test]) => {
    try {
      return condition(q, name, test, rule.when, lists, now);
    } catch (e) {
      if (e instanceof Unsure) return UNDECIDED;
      throw e;
    }
  }));
}

const seconds = (per) => Number(per.slice(0, -1)) * { s: 1, m: 60, h: 3600, d: 86400 }[per.at(-1)];

/** What a limit adds, or undefined. */
function amount(q, limit, when) {
  if (limit.sum === undefined) return 1n;
  let out;
  const t = (() => { try { return term(q, limit.sum, when, (v) => ((out = v), YES)); } catch (e) { if (e instanceof Unsure) return UNDECIDED; throw e; } })();
  return t === YES ? out : undefined;
}

/** What a counter holds at a time: the running eighth of its period and the eight before. */
function counted(entries, per, now) {
  const width = Math.ceil(seconds(per) / 8);
  const newest = Math.max(Math.floor(now / width), ...entries.map((e) => Math.floor(e.at / width)));
  return entries.filter((e) => Math.floor(e.at / width) >= newest - 8).reduce((s, e) => s + e.amount, 0n);
}

/** The decision: { verdict, rule, counters }. counters: of each name what was added, and when. */
export function decide(policy, q, { now, stamps, counters }) {
  const lists = policy.lists ?? {};
  for (const rule of policy.rules.filter((x) => x.effect === 'deny')) {
    const m = met(q, rule, lists, now);
    if (m !== NO) return { verdict: m === YES ? 'rule' : 'undecided', rule: rule.name, counters };
  }
  let refusal = { verdict: 'default', counters };
  for (const rule of policy.rules.filter((x) => x.effect === 'allow')) {
    if (met(q, rule, lists, now) !== YES) continue;
    const of = rule.approvals && (typeof rule.approvals.of === 'string' ? lists[rule.approvals.of] : rule.approvals.of);
    if (of && of.filter((k) => stamps.includes(k)).length < rule.approvals.need) {
      if (refusal.verdict === 'default') refusal = { verdict: 'approvals', rule: rule.name, counters };
      continue;
    }
    const adds = (rule.limits ?? []).map((l) => ({ l, by: amount(q, l, rule.when) }));
    const holds = ({ l, by }) => now !== undefined && by !== undefined && counted(counters[l.name] ?? [], l.per, now) + by <= BigInt(l.max);
    if (!adds.every(holds)) {
      if (refusal.verdict === 'default') refusal = { verdict: 'limit', rule: rule.name, counters };
      continue;
    }
    const next = { ...counters };
    for (const { l, by } of adds) {
      const width = Math.ceil(seconds(l.per) / 8);
      const old = next[l.name] ?? [];
      // time that goes back does not: the newest slot is where it is added
      next[l.name] = [...old, { at: Math.max(now, ...old.map((e) => Math.floor(e.at / width) * width)), amount: by }];
    }
    return { verdict: 'allowed', rule: rule.name, counters: next };
  }
  return refusal;
}
