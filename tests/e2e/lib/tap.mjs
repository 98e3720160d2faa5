// SPDX-License-Identifier: Apache-2.0
// What an end-to-end test needs: cases that print "ok", "not ok" or "skip" lines, checks, and random
// values from a printed seed.
import { randomBytes, createHash } from 'node:crypto';
import { AssertionError } from 'node:assert';

// Methods of ES2023 that Node 18, which Debian 12 has, is without.
const newer = {
  with(i, v) { const a = [...this]; a[i] = v; return a; },
  toSpliced(...args) { const a = [...this]; a.splice(...args); return a; },
  toReversed() { return [...this].reverse(); },
  toSorted(by) { return [...this].sort(by); },
};
for (const [name, value] of Object.entries(newer)) if (!Array.prototype[name]) Object.defineProperty(Array.prototype, name, { value, configurable: true, writable: true });

const cleanups = [];
let failed = 0;

/** Run fn when the test program ends, last registered first. */
export function atEnd(fn) {
  cleanups.push(fn);
}

class Skip extends Error {}

/** Leave the running case out. */
export function skip(why) {
  throw new Skip(why);
}

const oneLine = (e) =>
  String(e instanceof AssertionError ? e.message : (e?.stack ?? e)).replace(/\s*\n\s*/g, ' | ').slice(0, 600);

/** Run one case; a rejected promise or a thrown error fails it. */
export async function test(name, fn) {
  try {
    await fn();
    console.log(`ok ${name}`);
  } catch (e) {
    if (e instanceof Skip) {
      console.log(`skip ${name}: ${e.message}`);
      return;
    }
    failed++;
    console.log(`not ok ${name}: ${oneLine(e)}`);
  }
}

// Ended from outside (a time limit, Ctrl-C): nothing of it stays.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    console.log(`# ended by ${signal}`);
    failed++;
    done();
  });
}

/** Clean up and exit; call as the last statement of a test program. */
export async function done() {
  for (const fn of cleanups.reverse()) {
    try {
      await fn();
    } catch (e) {
      console.log(`not ok clean-up: ${oneLine(e)}`);
      failed++;
    }
  }
  process.exit(failed ? 1 : 0);
}

/** A reproducible source of random values: seed from ADYTON_SEED or fresh, printed either way. */
export function random() {
  const seed = process.env.ADYTON_SEED ?? randomBytes(8).toString('hex');
  let counter = 0;
  console.log(`# ADYTON_SEED=${seed}`);
  const bytes = (n) => {
    const parts = [];
    for (let have = 0; have < n; have += 32) {
      parts.push(createHash('sha256').update(`${seed}/${counter++}`).digest());
    }
    return Buffer.concat(parts).subarray(0, n);
  };
  const below = (n) => Number(bytes(6).readUIntBE(0, 6) % n);
  return {
    bytes,
    below,
    hex: (n) => '0x' + bytes(n).toString('hex'),
    pick: (list) => list[below(list.length)],
    // a big integer of 0..bits bits: small and large ones are equally likely
    big: (bits) => {
      const b = below(bits + 1);
      return b === 0 ? 0n : BigInt('0x' + bytes(32).toString('hex')) >> BigInt(256 - b);
    },
  };
}

/** Run fn over items with at most width at once. */
export async function parallel(width, items, fn) {
  const queue = items.entries();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const [i, item] of queue) await fn(item, i);
    }),
  );
}

/** Wait until fn returns something true, for ms, or for a minute if that is more: a busy machine is not what a test is
 * about. What must come within a time is measured by the test that says so. */
export async function until(ms, what, fn) {
  const most = Math.max(ms, 60000);
  const end = Date.now() + most;
  for (;;) {
    const value = await fn();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${most} ms for: ${what}`);
    await new Promise((r) => setTimeout(r, 25));
  }
}
