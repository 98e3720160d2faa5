// SPDX-License-Identifier: Apache-2.0
// What the signer does before the key is there: instructions of ady_sign_prepare for each kind of request, counted by
// valgrind over build/release/tools/sign_lines. Instructions and not time: they do not depend on what else runs.
//   make -j progs tools && node bench/prepare.mjs
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const ROUNDS = 50;
const KEY = '46'.repeat(32);
const CHECKED = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed';
const PLAIN = '0x' + '35'.repeat(20);
const HASH = '0x01' + 'ab'.repeat(31);
const transfer = { chainId: 1, nonce: 9, gas: 21000, to: CHECKED, value: '1000000000000000000', data: '0xa9059cbb' + '00'.repeat(64) };
const dynamic = { ...transfer, type: 2, maxFeePerGas: '0x77359400', maxPriorityFeePerGas: '0x3b9aca00' };
const tuple = { chainId: 1, address: PLAIN, nonce: 0, yParity: 1, r: '0x' + '12'.repeat(32), s: '0x' + '34'.repeat(32) };
const members = (text) => text.split(',').map((m) => ({ name: m.split(' ')[1], type: m.split(' ')[0] }));
const EIP712Domain = members('string name,string version,uint256 chainId,address verifyingContract');
const domain = { name: 'Ether Mail', version: '1', chainId: 1, verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC' };
const mail = {
  types: { EIP712Domain, Person: members('string name,address wallet'), Mail: members('Person from,Person to,string contents') },
  primaryType: 'Mail',
  domain,
  message: { from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' }, to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' }, contents: 'Hello, Bob!' },
};
const permits = {
  types: { EIP712Domain, PermitDetails: members('address token,uint160 amount,uint48 expiration,uint48 nonce'), PermitBatch: members('PermitDetails[] details,address spender,uint256 sigDeadline') },
  primaryType: 'PermitBatch',
  domain,
  message: { details: Array.from({ length: 20 }, (_, i) => ({ token: PLAIN, amount: '0xffff' + i, expiration: 1, nonce: i })), spender: PLAIN, sigDeadline: '99' },
};
const kinds = {
  'legacy transfer of a token': { transaction: { ...transfer, type: 0, gasPrice: '0x77359400' } },
  'the same, EIP-1559': { transaction: dynamic },
  'with 5 addresses and 15 keys in its access list': { transaction: { ...dynamic, accessList: Array(5).fill({ address: PLAIN, storageKeys: [HASH, HASH, HASH] }) } },
  'EIP-4844, 3 blobs': { transaction: { ...dynamic, type: 3, maxFeePerBlobGas: 1, blobVersionedHashes: [HASH, HASH, HASH] } },
  'EIP-7702, 1 tuple': { transaction: { ...dynamic, type: 4, authorizationList: [tuple] } },
  'personal message': { message: { text: 'Sign in to example.com' } },
  authorization: { authorization: { chainId: 1, address: PLAIN, nonce: 0 } },
  'EIP-712, the mail of the EIP': { typed_data: mail },
  'EIP-712, a Permit2 batch of 20': { typed_data: permits },
};

const dir = mkdtempSync(join(tmpdir(), 'prepare-'));
console.log('instructions  keccak-f  bytes');
for (const [name, body] of Object.entries(kinds)) {
  const out = join(dir, 'out');
  const text = JSON.stringify(body);
  const run = spawnSync('valgrind', ['--tool=callgrind', `--callgrind-out-file=${out}`, '--toggle-collect=ady_sign_prepare', join(root, 'build/release/tools/sign_lines')], { input: `${KEY} ${text}\n`.repeat(ROUNDS), encoding: 'utf8' });
  if (run.status !== 0 || run.stdout.includes('"code"')) throw new Error(`${name}: ${run.stderr} ${run.stdout}`.slice(0, 500));
  const total = Number(/^(?:totals|summary): (\d+)/m.exec(readFileSync(out, 'utf8'))[1]);
  const listing = spawnSync('callgrind_annotate', ['--threshold=100', out], { encoding: 'utf8' }).stdout;
  const keccak = Number(/([\d,]+) \([^)]*\)\s+\S*keccak\.c:one_round/.exec(listing)?.[1].replaceAll(',', '') ?? 0);
  console.log(`${String(Math.round(total / ROUNDS)).padStart(12)}  ${String(Math.round((100 * keccak) / total)).padStart(7)}%  ${String(text.length).padStart(5)}  ${name}`);
}
rmSync(dir, { recursive: true });
