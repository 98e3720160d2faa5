// SPDX-License-Identifier: Apache-2.0
// The wallets of npm @ethersproject/testcases, all of them, on the enclave's wire: English sentences with ASCII passphrases come
// in and give the addresses that stand there; other languages and passphrases are refused by name.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { join } from 'node:path';
import { computeAddress } from 'ethers';
import { test, done, parallel } from './lib/tap.mjs';
import { root, scratch } from './lib/stack.mjs';
import { T, cbor } from './lib/parent.mjs';
import { sealImport } from './lib/import.mjs';
import { startDevcloud, startEnclave, roleCredentials, createKey } from './lib/hostile.mjs';

const cases = JSON.parse(gunzipSync(readFileSync(join(root, 'tests/e2e/node_modules/@ethersproject/testcases/testcases/hdnode.json.gz'))));
const cloud = await startDevcloud(join(scratch(), 'a'));
const e = await startEnclave(cloud, await createKey(cloud));
const link = e.link();
await link.credentials(await roleCredentials(cloud));
const document = (await link.ask(T.IMPORT_KEY, cbor([Buffer.alloc(0)]))).value[0];
const at = document.indexOf(Buffer.from('6a7075626c69635f6b65795820', 'hex')) + 13;
const importKey = document.subarray(at, at + 32);
const { dataKey } = await link.create('first');

async function bring({ mnemonic, password = '' }) {
  const options = JSON.stringify({ id: 'w' });
  const phrase = Buffer.from(mnemonic);
  const { enc, sealed } = await sealImport(importKey, Buffer.concat([Buffer.of(phrase.length & 0xff), phrase, Buffer.from(password)]), { options, curve: 'wallet' });
  return link.import('w', sealed, { options, enc, form: 4, curve: 3, dataKey });
}
const isAscii = (text = '') => /^[\x20-\x7e]{0,256}$/.test(text);
const good = cases.filter((c) => c.locale === 'en' && isAscii(c.password));

await test('English sentences with ASCII passphrases: every address of every path', async () => {
  assert.ok(good.length > 1000, String(good.length));
  let addresses = 0;
  await parallel(4, good, async (c) => {
    const w = await bring(c);
    assert.ok(w.ok, `${c.name}: ${JSON.stringify(w.error)}`);
    for (const { path, address } of c.hdnodes) {
      // the master key is no key that can be derived, but it names the wallet
      const answer = path === 'm' ? { ok: true, keys: w.publicKey } : await link.derive('w', w.text, { path });
      assert.ok(answer.ok, `${c.name} ${path}: ${JSON.stringify(answer.error)}`);
      assert.equal(computeAddress('0x' + answer.keys.toString('hex')).toLowerCase(), address.toLowerCase(), `${c.name} ${path}`);
      addresses++;
    }
  });
  console.log(`# ${good.length} sentences, ${addresses} addresses`);
});

await test('other passphrases, and sentences in other languages, are refused by name', async () => {
  const others = cases.filter((c) => !good.includes(c));
  assert.ok(others.length > 300, String(others.length));
  await parallel(4, others, async (c) => {
    const { error } = await bring(c);
    assert.deepEqual([error?.code, error?.where], [c.locale === 'en' ? 'field_invalid' : 'key_malformed', 'sealed'], c.name);
  });
});

link.end();
done();
