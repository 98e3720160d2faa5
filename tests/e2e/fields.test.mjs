// SPDX-License-Identifier: Apache-2.0
// Every field of everything that is signed, with every way to write it wrong: each combination is refused with the code and
// the path of that field, or, where the table says so, signed. No combination is left out; the count is printed. By the
// signer in one process; through the whole stack refusals are tested in refusals.test.mjs and messages.test.mjs.
import assert from 'node:assert/strict';
import { test, done } from './lib/tap.mjs';
import { signLines } from './lib/lines.mjs';

const key = '0x' + '46'.repeat(32);
const ADDRESS = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed';
const BAD_SUM = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD';
const HASH = '0x01' + 'ab'.repeat(31);
const TUPLE = { chainId: 1, address: ADDRESS, nonce: 0, yParity: 1, r: '0x1', s: '0x2' };
const RAW = Symbol('JSON text'); // for what JSON.stringify does not write
const raw = (text) => ({ [RAW]: text });

/** JSON of v; members of an object may be text. */
function json(v) {
  if (v && v[RAW] !== undefined) return v[RAW];
  if (Array.isArray(v)) return `[${v.map(json).join(',')}]`;
  if (v && typeof v === 'object') return `{${Object.entries(v).filter(([, x]) => x !== undefined).map(([k, x]) => `${JSON.stringify(k)}:${json(x)}`).join(',')}}`;
  return JSON.stringify(v);
}

const OK = 'signed';
const INVALID = 'field_invalid';
const RANGE = 'field_out_of_range';
const MAX64 = '18446744073709551615';
const MAX256 = (1n << 256n) - 1n;

// values that no field of any kind takes
const never = [true, false, 1.5, '', ' ', '1 ', '0x', '0X1', '-1', -1, '+1', '1e3', raw('1e3'), raw('1.0'), 'null', 'abc', '0xzz', '1_000', '\u0661', '0x 1', raw('"0x1\\u0030"'), raw('-0')];
const notText = [{}, { a: 1 }, [], [1], null];

/** What a kind of field does with a value: [value, code or OK]. */
const quantity = (max, extra = []) => [
  ...never.map((v) => [v, INVALID]),
  ...notText.map((v) => [v, INVALID]),
  ['01', INVALID], ['00', INVALID], // a decimal has one spelling
  ['0x01', OK], ['0x' + '0'.repeat(40) + '1', OK], [1, OK], ['1', OK],
  [raw(String(max + 1n)), RANGE], [String(max + 1n), RANGE], ['0x' + (max + 1n).toString(16), RANGE],
  ['0x1' + '0'.repeat(64), RANGE], ['0x' + 'f'.repeat(1000), RANGE], ['9'.repeat(1000), RANGE], [raw('9'.repeat(1000)), RANGE],
  ...extra,
];
const u64 = (max = BigInt(MAX64)) => quantity(max);
const u256 = (...extra) => quantity(MAX256, extra);
const nullIsMissing = (rows, code = 'field_missing') => rows.map(([v, c]) => (v === null ? [v, code] : [v, c]));

const address = [
  ...never.filter((v) => v !== '').map((v) => [v, INVALID]), ['', INVALID], ...notText.map((v) => [v, INVALID]),
  [1, INVALID], [ADDRESS.slice(2), INVALID], [ADDRESS.slice(0, -1), INVALID], [ADDRESS + '0', INVALID], [ADDRESS + '00', INVALID], ['0X' + ADDRESS.slice(2), INVALID],
  [ADDRESS.replace('5', 'g'), INVALID], ['vitalik.eth', INVALID], [raw(`"\\u0030${ADDRESS.slice(1)}"`), INVALID],
  [BAD_SUM, 'address_checksum'], [ADDRESS.toLowerCase(), OK], ['0x' + ADDRESS.slice(2).toUpperCase(), OK], [ADDRESS, OK],
];
const bytes = [
  ...never.filter((v) => v !== '0x').map((v) => [v, INVALID]), ...notText.map((v) => [v, INVALID]),
  [1, INVALID], ['00', INVALID], ['0x0', INVALID], ['0x0g', INVALID], ['0X00', INVALID], ['0x', OK], ['0x00', OK], ['0xAbCd', OK],
];
const fixed = (n, prefix = '') => [
  ...never.map((v) => [v, INVALID]), ...notText.map((v) => [v, INVALID]), [1, INVALID],
  ['0x' + prefix + '11'.repeat(n - prefix.length / 2 - 1), INVALID], ['0x' + prefix + '11'.repeat(n - prefix.length / 2 + 1), INVALID],
  ['0x' + prefix + '11'.repeat(n - prefix.length / 2 - 1) + '1', INVALID], [prefix + '11'.repeat(n - prefix.length / 2), INVALID], ['0x' + prefix + '11'.repeat(n - prefix.length / 2), OK],
];
const list = [...never.map((v) => [v, INVALID]), [{}, INVALID], [1, INVALID], ['[]', INVALID], ['0xc0', INVALID]];
const object = [...never.map((v) => [v, INVALID]), [[], INVALID], [null, INVALID], [1, INVALID], ['{}', INVALID]];

let count = 0;
const jobs = [];
const wants = [];

/** One case: body must be refused with code at where, or signed. */
function expect(body, code, where) {
  jobs.push({ key, body: typeof body === 'string' ? body : json(body) });
  wants.push([code, where]);
}

async function run() {
  const asked = jobs.splice(0);
  const wanted = wants.splice(0);
  const answers = await signLines(asked);
  answers.forEach((a, i) => {
    const [code, where] = wanted[i];
    const text = `${asked[i].body.slice(0, 700)} gives ${JSON.stringify(a)}`;
    if (code === OK) assert.ok(a.r, text);
    else assert.deepEqual([a.code, a.where], [code, where], text);
    if (a.code) assert.ok(a.detail.length > 5, text);
  });
  count += answers.length;
}

/** Every field of object: its table of values, a duplicate (also by escape), and what happens without it. wrap puts the
 * object into a body; at is its path. */
function fields(object, tables, wrap, at) {
  for (const [name, { rows, missing = 'field_missing', where = `${at}.${name}`, base = {} }] of Object.entries(tables)) {
    const given = { ...object, ...base };
    for (const [v, code, elsewhere] of rows) expect(wrap({ ...given, [name]: v }), code, elsewhere ?? where);
    expect(wrap({ ...given, [name]: undefined }), missing, where);
    const twice = json({ ...given, [name]: undefined }).slice(0, -1);
    const value = json(given[name] ?? 1);
    const comma = twice === '{' ? '' : ',';
    expect(wrap(raw(`${twice}${comma}"${name}":${value},"${name}":${value}}`)), 'json_duplicate_key', name);
    const escaped = '\\u' + name.charCodeAt(0).toString(16).padStart(4, '0') + name.slice(1);
    expect(wrap(raw(`${twice}${comma}"${name}":${value},"${escaped}":${value}}`)), 'json_duplicate_key', escaped);
  }
  for (const name of ['unknown', 'Nonce', 'to ', 'v', 'hash', '__proto__', 'x'.repeat(20)]) expect(wrap(raw(`${json(object).slice(0, -1)},"${name}":1}`)), 'field_unknown', `${at}.${name}`);
}

const type = (n) => [
  ...never.map((v) => [v, INVALID]), ...notText.map((v) => [v, INVALID]), [5, INVALID], ['0x7f', INVALID], ['eip1559', INVALID], [raw('9'.repeat(90)), RANGE], [n, OK], [`0x${n}`, OK], [`0x0${n}`, OK], [String(n), OK],
];
const common = (n, missingChain = 'field_missing') => ({
  type: { rows: type(n), missing: OK },
  chainId: { rows: [...u64((1n << 63n) - 37n), [0, 'chain_id_zero'], ['0x0', 'chain_id_zero'], [raw('-0'), INVALID]], missing: missingChain },
  nonce: { rows: [...u64(BigInt(MAX64) - 1n), [0, OK], [raw(MAX64), RANGE]] },
  value: { rows: u256([MAX256.toString(), OK]), missing: OK },
  gas: { rows: [...u64(), [0, OK]] },
  data: { rows: bytes, missing: OK },
  input: { rows: bytes, base: { data: undefined }, missing: OK },
});
const toRows = (missing) => address.map(([v, c]) => (v === null ? [v, missing] : [v, c]));
const accessList = [...list, [null, OK], [[], OK]];
const price = { gasPrice: { rows: nullIsMissing(u256()) } };
const fees = {
  // the other fee is 0, so that any value is in order
  maxFeePerGas: { rows: nullIsMissing(u256()), base: { maxPriorityFeePerGas: 0 } },
  maxPriorityFeePerGas: { rows: [...nullIsMissing(u256()), [11, 'fee_inversion']] },
};
const tx = (n, more) => ({ type: n, chainId: 1, nonce: 3, to: ADDRESS, value: 5, gas: 0, data: '0x01', ...more });
const wrapTx = (transaction) => ({ transaction });
const dynamic = { maxFeePerGas: 10, maxPriorityFeePerGas: 2 };
const blob = { ...dynamic, maxFeePerBlobGas: 1, blobVersionedHashes: [HASH] };

function transactionTables(n, more) {
  return { ...common(n, n === 0 ? 'denied' : 'field_missing'), from: { rows: address.map(([v, c]) => [v, c === OK ? 'from_mismatch' : c]), missing: OK }, ...more };
}

const cases = [
  // without "type" a gasPrice means legacy: then an access list makes it type 1, fees of type 2 contradict
  [0, { gasPrice: 1 }, { ...price, to: { rows: toRows(OK), missing: OK } }],
  [1, { gasPrice: 1, accessList: [] }, { ...price, accessList: { rows: accessList, missing: OK }, to: { rows: toRows(OK), missing: OK } }],
  [2, dynamic, { ...fees, accessList: { rows: accessList, missing: OK }, to: { rows: toRows(OK), missing: OK } }],
  [3, blob, {
    ...fees, accessList: { rows: accessList, missing: OK }, to: { rows: toRows('field_missing') },
    maxFeePerBlobGas: { rows: nullIsMissing(u256().filter(([v]) => v !== MAX256.toString())) },
    blobVersionedHashes: { rows: [...list, [null, 'field_missing'], [[], INVALID], ...fixed(32, '01').map(([v, c]) => [[v], c, 'transaction.blobVersionedHashes[0]']), [['0x02' + 'ab'.repeat(31)], INVALID, 'transaction.blobVersionedHashes[0]'], [[HASH, '0x00' + 'ab'.repeat(31)], INVALID, 'transaction.blobVersionedHashes[1]'], [[HASH, HASH], OK]] },
    commitments: { rows: [...list, [null, OK], [[], INVALID], [['0x' + '11'.repeat(48)], INVALID, 'transaction.commitments[0]'], [['0x' + '11'.repeat(47)], INVALID, 'transaction.commitments[0]'], [[1], INVALID, 'transaction.commitments[0]'], [['0x' + '11'.repeat(48), '0x' + '11'.repeat(48)], INVALID]], missing: OK },
    blobs: { rows: [[[], INVALID], ['0x', INVALID], [1, INVALID], [null, OK]], missing: OK },
    proofs: { rows: [[[], INVALID], ['0x', INVALID], [1, INVALID], [null, OK]], missing: OK },
  }],
  [4, { ...dynamic, authorizationList: [TUPLE] }, {
    ...fees, accessList: { rows: accessList, missing: OK }, to: { rows: toRows('field_missing') },
    authorizationList: { rows: [...list, [null, 'field_missing'], [[], INVALID], ...object.map(([v, c]) => [[TUPLE, v], c, 'transaction.authorizationList[1]'])] },
  }],
];

for (const [n, own, more] of cases) {
  await test(`every field of a transaction of type ${n}`, async () => {
    const base = tx(n, own);
    fields(base, transactionTables(n, more), wrapTx, 'transaction');
    for (const [v, code] of u64()) expect(wrapTx({ ...base, gas: undefined, gasLimit: v }), code, 'transaction.gasLimit');
    expect(wrapTx({ ...base, gasLimit: 1 }), INVALID, 'transaction.gas');
    expect(wrapTx({ ...base, input: '0x02' }), INVALID, 'transaction.input');
    expect(wrapTx({ ...base, input: '0x01' }), OK);
    // fields of the other types
    const foreign = { gasPrice: 1, maxFeePerGas: 1, maxPriorityFeePerGas: 1, accessList: [], maxFeePerBlobGas: 1, blobVersionedHashes: [HASH], commitments: [], blobs: [], proofs: [], authorizationList: [TUPLE] };
    for (const [name, v] of Object.entries(foreign)) if (!(name in more)) expect(wrapTx({ ...base, [name]: v }), INVALID, `transaction.${name}`);
    for (const [v, code] of object) expect(wrapTx(v), code, 'transaction');
    await run();
  });
}

await test('every field of an access list and of an authorization list', async () => {
  const inList = (entry) => ({ transaction: tx(1, { gasPrice: 1, accessList: [{ address: ADDRESS, storageKeys: [] }, entry] }) });
  const keys = [...list, [null, INVALID], [[], OK], ...fixed(32).map(([v, c]) => [[HASH, v], c, 'transaction.accessList[1].storageKeys[1]'])];
  fields({ address: ADDRESS, storageKeys: [] }, { address: { rows: address }, storageKeys: { rows: keys } }, inList, 'transaction.accessList[1]');
  for (const [v, code] of object) expect(inList(v), code, 'transaction.accessList[1]');

  const inTuples = (tuple) => ({ transaction: tx(4, { ...dynamic, authorizationList: [TUPLE, tuple] }) });
  const parity = [...u64(1n), [0, OK]];
  fields(TUPLE, { chainId: { rows: [...u256(), [0, OK]] }, address: { rows: address }, nonce: { rows: [...u64(BigInt(MAX64) - 1n), [0, OK]] }, yParity: { rows: parity }, r: { rows: u256() }, s: { rows: u256() } }, inTuples, 'transaction.authorizationList[1]');
  await run();
});

await test('every field of messages, validator data and authorizations', async () => {
  const plain = { text: 'a' };
  for (const [v, code] of object) expect({ message: v }, code, 'message');
  for (const v of [1, true, null, [], {}]) expect({ message: { text: v } }, INVALID, 'message.text');
  for (const v of ['', 'a', 'ä', '\u0000', '0x00']) expect({ message: { text: v } }, OK);
  for (const [v, code] of bytes) expect({ message: { hex: v } }, code, 'message.hex');
  expect({ message: {} }, 'field_missing', 'message');
  expect({ message: { ...plain, hex: '0x' } }, INVALID, 'message');
  expect({ message: { ...plain, data: '0x' } }, 'field_unknown', 'message.data');
  expect('{"message":{"text":"a","text":"b"}}', 'json_duplicate_key', 'text');
  expect('{"message":{"text":"a"},"message":{"text":"b"}}', 'json_duplicate_key', 'message');
  fields({ address: ADDRESS, data: '0x' }, { address: { rows: address }, data: { rows: bytes } }, (validator_data) => ({ validator_data }), 'validator_data');
  const { yParity, r, s, ...unsigned } = TUPLE;
  fields(unsigned, { chainId: { rows: [...u256(), [0, OK]] }, address: { rows: address }, nonce: { rows: [...u64(BigInt(MAX64) - 1n), [0, OK]] } }, (authorization) => ({ authorization }), 'authorization');
  for (const [v, code] of object) expect({ validator_data: v }, code, 'validator_data'), expect({ authorization: v }, code, 'authorization');
  await run();
});

await test('every part of typed data', async () => {
  const doc = (more) => ({ typed_data: { types: { T: [{ name: 'v', type: 'bool' }] }, primaryType: 'T', domain: { name: 'd' }, message: { v: true }, ...more } });
  const types = (T) => doc({ types: { T } });
  const value = (t, v) => doc({ types: { T: [{ name: 'v', type: t }] }, message: { v } });
  for (const part of ['types', 'primaryType', 'domain', 'message']) expect(doc({ [part]: undefined }), 'field_missing', `typed_data.${part}`);
  for (const part of ['types', 'domain', 'message']) for (const [v, code] of object) expect(doc({ [part]: v }), code, `typed_data.${part}`);
  for (const v of [...never, ...notText, 'U', 't', 'T[]', 'bool']) expect(doc({ primaryType: v }), INVALID, 'typed_data.primaryType');
  for (const v of [1, 'x', null, {}, true]) expect(types(v), INVALID, 'typed_data.types.T');
  for (const v of [1, 'x', null, [], {}, { name: 'v' }, { type: 'bool' }, { name: 'v', type: 'bool', extra: 1 }]) expect(types([v]), INVALID, 'typed_data.types.T[0]');
  for (const name of [1, null, '', 'a b', 'a,b', 'a(', 'a)', 'a[', 'a]', 'é', 'a"', raw('"\\u0061"')]) expect(types([{ name, type: 'bool' }]), INVALID, 'typed_data.types.T[0].name');
  for (const t of [1, null, '', 'bool ', 'Bool', 'uint', 'int', 'uint7', 'uint0', 'uint264', 'uint08', 'int257', 'bytes0', 'bytes33', 'byte', 'fixed', 'ufixed128x18', 'function', 'tuple', 'U', 'bool[', 'bool]', 'bool[0]', 'bool[-1]', 'bool[1', 'bool[1]]', 'bool[1][', 'bool[][]x', '[]']) expect(types([{ name: 'v', type: t }]), INVALID, 'typed_data.types.T[0].type');

  const words = [
    ['address', address], ['bytes', bytes], ['bytes32', fixed(32)], ['bytes1', fixed(1)],
    ['bool', [[true, OK], [false, OK], ...['true', 1, 0, '', null, [], {}].map((v) => [v, INVALID])]],
    ['string', [['', OK], ['x', OK], ...[1, true, null, [], {}].map((v) => [v, INVALID])]],
    ['uint8', quantity(255n).filter(([v]) => ![-1, '-1'].includes(v)).concat([[-1, RANGE], ['-1', RANGE], [255, OK]])],
    ['uint256', u256([MAX256.toString(), OK]).filter(([v]) => ![-1, '-1'].includes(v)).concat([[-1, RANGE]])],
    ['int8', [[127, OK], [-128, OK], ['-0x80', OK], [128, RANGE], [-129, RANGE], ['0xff', RANGE], ['--1', INVALID], ['-', INVALID], ['-01', INVALID], [null, INVALID]]],
    ['int256', [[String(-(1n << 255n)), OK], [String((1n << 255n) - 1n), OK], [String(1n << 255n), RANGE], [String(-(1n << 255n) - 1n), RANGE], ['-0x' + 'f'.repeat(80), RANGE]]],
    ['bool[2]', [[[true, true], OK], [[true], INVALID], [[true, true, true], INVALID], [{}, INVALID], [null, INVALID], ['', INVALID]]],
    ['bool[]', [[[], OK], [null, INVALID], [true, INVALID]]],
  ];
  // raw -0 is a number: 0 in typed data, where numbers have a sign
  for (const [t, rows] of words) for (const [v, code] of rows) expect(value(t, v), v && v[RAW] === '-0' && t.startsWith('uint') ? OK : code, 'typed_data.message.v');
  for (const [t] of words) expect(doc({ types: { T: [{ name: 'v', type: t }] }, message: {} }), 'field_missing', 'typed_data.message.v');
  expect(doc({ message: { v: true, w: 1 } }), 'field_unknown', 'typed_data.message.w');
  expect(doc({ extra: 1 }), 'field_unknown', 'typed_data.extra');
  expect(json(doc()).replace('"v":true', '"v":true,"v":false'), 'json_duplicate_key', 'v');
  expect(json(doc()).replace('"v":true', '"v":true,"\\u0076":false'), 'json_duplicate_key', '\\u0076');
  expect(json(doc()).replace('"v":true', '"\\u0076":true'), 'field_missing', 'typed_data.message.v');
  const domain = { name: [['', OK], [1, INVALID], [null, INVALID]], version: [['1', OK], [1, INVALID]], chainId: [[1, OK], ['0x1', OK], [-1, RANGE], ['a', INVALID], [null, INVALID], [MAX256.toString(), OK]], verifyingContract: address, salt: fixed(32) };
  for (const [name, rows] of Object.entries(domain)) for (const [v, code] of rows) expect(doc({ domain: { [name]: v } }), code, `typed_data.domain.${name}`);
  await run();
});

await test('bodies', async () => {
  for (const [v, code] of object) expect(json(v), code, '');
  expect({}, 'field_missing', 'transaction');
  expect('', 'json_malformed', '');
  for (const text of ['{', '{"transaction":}', '{"transaction":{}}x', '\ufeff{}', '{"transaction":{},}', "{'transaction':{}}", '{"message":{"text":"\\ud800"}}', '{"message":{"text":"\t"}}', 'NaN']) expect(text, 'json_malformed', '');
  expect({ message: { text: 'a' }, typed_data: {} }, INVALID, 'typed_data');
  expect({ message: { text: 'a' }, key: 1 }, 'field_unknown', 'key');
  expect({ digest: HASH }, 'denied', 'digest');
  expect('['.repeat(17) + ']'.repeat(17), 'too_large', '');
  await run();
  console.log(`# ${count} combinations in all`);
});

await done();
