// SPDX-License-Identifier: Apache-2.0
// The typed-data cases of npm @ethersproject/testcases, through the whole stack: each digest and signature.
import assert from 'node:assert/strict';
import http from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { SigningKey } from 'ethers';
import { test, done, random, parallel } from './lib/tap.mjs';
import { startStack, putKey, signAny, root } from './lib/stack.mjs';

const file = join(root, 'tests/e2e/node_modules/@ethersproject/testcases/testcases/eip712.json.gz');
const cases = JSON.parse(gunzipSync(readFileSync(file)));
const r = random();
const s = await startStack();
s.gatewayAgent = new http.Agent({ keepAlive: true, maxSockets: 32 });
const secret = r.hex(32);
const key = new SigningKey(secret);
const id = 'cases';
putKey(s, id, secret.slice(2));
const keyOf = new Map();

/** Some cases come with a key of their own, and its signature. */
function own(c) {
  if (!c.privateKey) return { id, key };
  if (!keyOf.has(c.privateKey)) {
    const name = `own-${keyOf.size}`;
    putKey(s, name, c.privateKey.slice(2));
    keyOf.set(c.privateKey, { id: name, key: new SigningKey(c.privateKey) });
  }
  return keyOf.get(c.privateKey);
}

await test(`${cases.length} typed-data cases of @ethersproject/testcases`, async () => {
  await parallel(32, cases, async (c) => {
    const { id: name, key: k } = own(c);
    const typed_data = { types: c.types, primaryType: c.primaryType, domain: c.domain, message: c.data };
    const answer = await signAny(s, name, { typed_data });
    assert.equal(answer.status, 200, `${c.name}: ${answer.body} for ${JSON.stringify(typed_data).slice(0, 300)}`);
    assert.equal(answer.json.hash, c.digest, c.name);
    assert.equal(answer.json.serialized, k.sign(c.digest).serialized, c.name);
    if (c.signature) assert.equal(answer.json.serialized, c.signature, c.name);
  });
});

await done();
