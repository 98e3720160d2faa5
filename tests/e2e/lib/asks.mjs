// SPDX-License-Identifier: Apache-2.0
// What a signing request must be answered with, through the whole stack.
import assert from 'node:assert/strict';
import { signAny } from './stack.mjs';

/** For key, a SigningKey of ethers that the stack has as id: signs(body, digest) and refused(body, code, where). */
export function asker(s, key, address, id) {
  /** The answer to body must be a signature over digest by the key. */
  async function signs(body, digest, as = id) {
    const answer = await signAny(s, as, body);
    assert.equal(answer.status, 200, `${answer.body} for ${JSON.stringify(body).slice(0, 3000)}`);
    const want = key.sign(digest);
    assert.deepEqual(answer.json, {
      hash: digest,
      from: address,
      signature: { r: want.r, s: want.s, yParity: want.yParity },
      serialized: want.serialized,
      compact: want.compactSerialized,
    });
    return answer.json;
  }

  async function refused(body, code, where, detail = /./, as = id) {
    const answer = await signAny(s, as, body);
    const text = `${answer.body} for ${JSON.stringify(body).slice(0, 600)}`;
    assert.equal(answer.json?.code, code, text);
    assert.equal(answer.json.where, where, text);
    assert.match(answer.json.detail, detail, text);
  }

  return { signs, refused };
}
