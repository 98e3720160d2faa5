// SPDX-License-Identifier: Apache-2.0
// Passwords of EIP-2335 as the CLI and the gateway seal them (utf8proc), against node's String.prototype.normalize:
// every code point by itself, random texts, and the published example.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test, done, random } from './lib/tap.mjs';
import { bin } from './lib/stack.mjs';

const r = random();

function ours(texts) {
  const input = texts.map((t) => (Buffer.isBuffer(t) ? t : Buffer.from(t)).toString('hex') + '\n').join('');
  const p = spawnSync(`${bin}/tools/nfkd`, { input, maxBuffer: 1 << 28 });
  assert.equal(p.status, 0, String(p.stderr));
  return String(p.stdout).trimEnd().split('\n');
}

/** EIP-2335, "Password requirements". */
// eslint-disable-next-line no-control-regex
const wanted = (text) => Buffer.from(text.normalize('NFKD').replace(/[\u0000-\u001f\u007f-\u009f]/g, '')).toString('hex');

await test('every code point has its decomposition', () => {
  const all = [];
  for (let c = 0; c <= 0x10ffff; c++) if (c < 0xd800 || c > 0xdfff) all.push(String.fromCodePoint(c));
  const got = ours(all);
  assert.equal(got.length, all.length);
  let newer = 0;
  all.forEach((text, i) => {
    if (got[i].replace('!', '') === wanted(text)) return;
    assert.ok(got[i].endsWith('!'), `U+${text.codePointAt(0).toString(16)}: ${got[i]}, not ${wanted(text)}`);
    newer++;
  });
  console.log(`# ${newer} code points have a decomposition in Unicode ${process.versions.unicode} that are not assigned in ours`);
  assert.ok(newer < 200, `${newer}`);
});

await test('texts of several characters: the marks of each are put in order', () => {
  const texts = ['𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑', 'é\u0327\u0301', 'ﬁ\u0000\u007f\u0085x', '각\u11a8', 'q\u0307\u0323', '', 'Å'.repeat(100)];
  const marks = ['\u0301', '\u0323', '\u0327', '\u0307', '\u05b0', '\u3099', '\u0345', 'ａ', 'ﷺ', '가', 'x', '½'];
  for (let i = 0; i < 3000; i++) texts.push(Array.from({ length: 1 + r.below(12) }, () => r.pick(marks)).join(''));
  ours(texts).forEach((got, i) => assert.equal(got, wanted(texts[i]), JSON.stringify(texts[i])));
  assert.equal(Buffer.from(ours([texts[0]])[0], 'hex').toString(), 'testpassword🔑');
});

await test('what is no UTF-8, or too long, is refused', () => {
  const bad = [Buffer.from('ff', 'hex'), Buffer.from('c0af', 'hex'), Buffer.from('eda080', 'hex'), Buffer.from('f4908080', 'hex'), Buffer.alloc(961, 0x61), Buffer.from('ﷺ'.repeat(200))];
  assert.deepEqual(ours(bad), bad.map(() => '-'));
  assert.equal(ours([Buffer.alloc(960, 0x61)])[0], '61'.repeat(960));
});

await done();
