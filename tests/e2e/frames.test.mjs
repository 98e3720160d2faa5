// SPDX-License-Identifier: Apache-2.0
// Frames from a lying parent: truncated, oversized, reordered, unknown, garbage, flooded. The enclave
// ends a broken connection, answers what can be answered, and serves the honest one throughout.
import assert from 'node:assert/strict';
import net from 'node:net';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { Transaction } from 'ethers';
import { test, done, random, until } from './lib/tap.mjs';
import { scratch } from './lib/stack.mjs';
import { T, cbor, frame, onFrames } from './lib/parent.mjs';
import { startDevcloud, startEnclave, roleCredentials, createKey, makeRecord, goodTx } from './lib/hostile.mjs';

const r = random();
const cloud = await startDevcloud(join(scratch(), 'a'));
const keyArn = await createKey(cloud);
const e = await startEnclave(cloud, keyArn);
const a = await makeRecord(cloud, keyArn, 'alice', r.hex(32));
const honest = e.link();
await honest.credentials(await roleCredentials(cloud));

const signBody = (tx = goodTx()) => cbor([0, a.id, Buffer.from(a.text), Buffer.from(JSON.stringify({ transaction: tx })), Buffer.alloc(0)]);

async function good() {
  const answer = await honest.sign(a.id, a.text, goodTx());
  assert.ok(answer.ok, JSON.stringify(answer.error));
  assert.equal(Transaction.from('0x' + answer.value[0].toString('hex')).from, a.address);
}

/** Send bytes on a new connection; resolves to { frames, closed } once it closed or ms passed. */
function send(bytes, { ms = 1500, half = false } = {}) {
  return new Promise((resolve) => {
    const socket = net.connect(e.socket);
    const frames = [];
    const finish = (closed) => {
      socket.destroy();
      resolve({ frames, closed });
    };
    const timer = setTimeout(() => finish(false), ms);
    socket.on('error', () => {});
    socket.on('close', () => (clearTimeout(timer), finish(true)));
    onFrames(socket, (f) => {
      frames.push(f);
    });
    socket.on('connect', () => (half ? socket.end(bytes) : socket.write(bytes)));
  });
}

await good();

for (const [what, bytes] of [
  ['a version that does not exist', frame(T.HELLO, 1, cbor([]), { version: 2 })],
  ['a body above the cap', frame(T.SIGN, 1, Buffer.alloc(0), { length: 256 * 1024 + 1 })],
  ['a body of 4 GiB', frame(T.SIGN, 1, Buffer.alloc(0), { length: 0xffffffff })],
  ['a zero field that is not zero', frame(T.HELLO, 1, cbor([]), { zero: 1 })],
  ['the other zero field', frame(T.HELLO, 1, cbor([]), { tail: 1 })],
  ['no deadline', frame(T.SIGN, 1, signBody(), { deadline: 0 })],
  ['a deadline above 10 minutes', frame(T.SIGN, 1, signBody(), { deadline: 600001 })],
  ['HTTP', Buffer.from('POST / HTTP/1.1\r\nHost: enclave\r\nContent-Length: 0\r\n\r\n')],
  ['random bytes', r.bytes(4096)],
]) {
  await test(`${what}: the connection ends without an answer that signs`, async () => {
    const got = await send(bytes, { ms: 30000 });
    assert.ok(got.closed, 'it stayed open');
    assert.ok(got.frames.every((f) => f.type === T.ERROR));
    await good();
  });
}

await test('a frame cut at every 40th byte and at each of its head: nothing comes back', async () => {
  const whole = frame(T.SIGN, 7, signBody());
  const cuts = [...Array(24).keys(), ...Array.from({ length: Math.floor((whole.length - 1) / 40) }, (_, i) => 24 + 40 * i)];
  await Promise.all(cuts.map(async (n) => assert.deepEqual((await send(whole.subarray(0, n), { half: true })).frames, [], `cut at ${n}`)));
  await good();
});

await test('types that are unknown or not for the enclave get an error with their id', async () => {
  for (const type of [0, 15, T.RELAY, 17, 0x7f, T.ANSWER | T.SIGN, T.ERROR]) {
    const { frames } = await send(frame(type, 99, cbor([])), { ms: 300 });
    for (const f of frames) {
      assert.equal(f.type, T.ERROR, `type ${type}`);
      assert.equal(f.id, 99);
    }
  }
  await good();
});

await test('bodies that are not the one form: refused by code', async () => {
  const tx = Buffer.from(JSON.stringify({ transaction: goodTx() }));
  const rec = Buffer.from(a.text);
  const empty = Buffer.alloc(0);
  const bad = {
    'not CBOR': Buffer.from([0xff]),
    'an array': Buffer.from([0x80]),
    'a field missing': cbor([0, a.id, rec, tx]),
    'a field too many': cbor([0, a.id, rec, tx, empty, 1]),
    'a wrong type': cbor([0, Buffer.from(a.id), rec, tx, empty]),
    'a stamp too long': cbor([0, a.id, rec, tx, Buffer.alloc(16385)]),
    'keys out of order': Buffer.concat([Buffer.from([0xa5, 1]), cbor(a.id), Buffer.from([0]), cbor(0), Buffer.from([2]), cbor(rec), Buffer.from([3]), cbor(tx), Buffer.from([4]), cbor(empty)]),
    'a key twice': Buffer.concat([Buffer.from([0xa5, 0]), cbor(0), Buffer.from([0]), cbor(0), Buffer.from([2]), cbor(rec), Buffer.from([3]), cbor(tx), Buffer.from([4]), cbor(empty)]),
    'bytes behind': Buffer.concat([signBody(), Buffer.from([0])]),
    'an unknown form': cbor([9, a.id, rec, tx, empty]),
    'a number in a longer form': Buffer.concat([Buffer.from([0xa5, 0, 0x18, 0]), signBody().subarray(3)]),
    'an empty id': cbor([0, '', rec, tx, empty]),
    'an indefinite map': Buffer.concat([Buffer.from([0xbf]), signBody().subarray(1), Buffer.from([0xff])]),
  };
  for (const [what, body] of Object.entries(bad)) {
    const answer = await honest.ask(T.SIGN, body);
    assert.match(answer.error?.code ?? 'signed', /^(protocol_violation|cbor_malformed)$/, what);
  }
  await good();
});

await test('CREATE bodies that are not the one form: refused by code', async () => {
  const options = Buffer.from('{"id":"k"}');
  const none = Buffer.alloc(0);
  const bad = {
    'not CBOR': Buffer.from([0xff]),
    'a field missing': cbor([0, 'default', options]),
    'a field too many': cbor([0, 'default', options, none, 0]),
    'an unknown curve': cbor([4, 'default', options, none]),
    'a curve by name': cbor(['secp256k1', 'default', options, none]),
    'no tenant': cbor([0, '', options, none]),
    'a tenant too long': cbor([0, 't'.repeat(64), options, none]),
    'a tenant with a line end': cbor([0, 'a\nb', options, none]),
    'no options': cbor([0, 'default', none, none]),
    'options as text': cbor([0, 'default', '{"id":"k"}', none]),
    'a data key too long': cbor([0, 'default', options, Buffer.alloc(1025)]),
    'bytes behind': Buffer.concat([cbor([0, 'default', options, none]), Buffer.from([0])]),
  };
  for (const [what, body] of Object.entries(bad)) {
    const answer = await honest.ask(T.CREATE, body);
    assert.equal(answer.error?.code, 'protocol_violation', what);
  }
  for (const [text, code] of [['[]', 'field_invalid'], ['{"id":"k","id":"k"}', 'json_duplicate_key'], ['{"id":"k"} x', 'json_malformed']]) {
    const answer = await honest.ask(T.CREATE, cbor([0, 'default', Buffer.from(text), none]));
    assert.equal(answer.error?.code, code, text);
  }
  await good();
});

await test('LOCK bodies that are not the one form: refused by code', async () => {
  for (const body of [cbor([]), cbor([Buffer.from('a')]), cbor([1]), cbor(['t'.repeat(64)]), cbor(['a\tb']), cbor(['a', 'b'])]) {
    assert.equal((await honest.ask(T.LOCK, body)).error?.code, 'protocol_violation');
  }
  await good();
});

await test('many requests on one connection are answered in any order, each with its own answer', async () => {
  const nonces = Array.from({ length: 200 }, (_, i) => i);
  const answers = await Promise.all(nonces.map((n) => honest.sign(a.id, a.text, goodTx({ nonce: n }))));
  for (const [n, x] of answers.entries()) {
    assert.ok(x.ok, JSON.stringify(x.error));
    assert.equal(Transaction.from('0x' + x.value[0].toString('hex')).nonce, n);
  }
});

await test('1,000 idle and half-open connections do not keep honest requests from being served', async () => {
  const part = frame(T.SIGN, 1, signBody()).subarray(0, 100);
  const sockets = Array.from({ length: 1000 }, (_, i) => {
    const s = net.connect(e.socket);
    s.on('error', () => {});
    if (i % 2) s.write(part);
    return s;
  });
  await until(10000, 'all to be connected or refused', () => sockets.every((s) => !s.connecting));
  await good();
  for (const s of sockets) s.destroy();
  await good();
});

await test('large frames that 60 connections announce take no more than their room; those that are whole are answered', async () => {
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${e.child.pid}/status`, 'utf8'))[1]);
  const before = rss();
  const head = frame(T.DUTY, 1, Buffer.alloc(0), { length: 8 << 20 });
  const began = Date.now();
  const sockets = Array.from({ length: 60 }, () => net.connect(e.socket));
  for (const s of sockets) {
    s.on('error', () => {});
    s.write(head);
    s.write(Buffer.alloc((8 << 20) - 1));
  }
  // until the enclave has stopped reading: nothing more is written for half a second
  for (let last = -1, same = 0; same < 20; await new Promise((resolve) => setTimeout(resolve, 25))) {
    const written = sockets.reduce((n, s) => n + s.bytesWritten - s.writableLength, 0);
    same = written === last ? same + 1 : 0;
    last = written;
  }
  const during = rss();
  assert.ok(during - before < 60 * 1024, `${before} KiB, then ${during} KiB`);
  await good();
  for (const s of sockets) s.write(Buffer.alloc(1));
  const late = Date.now() - began > 8000; // those that had room for ten seconds were ended
  const answered = await Promise.all(sockets.map((s) => new Promise((resolve) => {
    onFrames(s, (f) => resolve(f.type));
    if (late) s.destroyed ? resolve(255) : s.on('close', () => resolve(255));
    setTimeout(() => resolve(null), 120000).unref();
  })));
  assert.deepEqual(new Set(answered), new Set([255]), 'each in its turn: the body is malformed');
  for (const s of sockets) s.destroy();
  await until(5000, 'the memory to be given back', () => rss() - before < 30 * 1024);
  await good();
});

await test('a flood of 20,000 requests is shed, not stored; memory stays bounded', async () => {
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${e.child.pid}/status`, 'utf8'))[1]);
  const before = rss();
  const flood = e.link();
  const codes = {};
  let answered = 0;
  const all = new Promise((resolve) => {
    onFrames(flood.socket, (f) => {
      const key = f.type === T.ERROR ? String(f.body.subarray(3, 13)) : 'signed';
      codes[key] = (codes[key] ?? 0) + 1;
      if (++answered === 20000) resolve();
    });
  });
  const body = signBody();
  const block = Buffer.concat(Array.from({ length: 100 }, (_, i) => frame(T.SIGN, i + 1000, body, { deadline: 2000 })));
  for (let i = 0; i < 200; i++) {
    if (!flood.socket.write(block)) await new Promise((resolve) => flood.socket.once('drain', resolve));
  }
  await Promise.race([all, new Promise((_, reject) => setTimeout(() => reject(new Error(`${answered} of 20000 answered: ${JSON.stringify(codes)}`)), 300000))]);
  const after = rss();
  assert.ok(after - before < 512 * 1024, `${before} -> ${after} KiB`);
  flood.end();
  await until(10000, 'the queue to empty', async () => (await honest.sign(a.id, a.text, goodTx())).ok);
});

await test('a deadline that has passed is an error, not a late signature', async () => {
  cloud.faults([{ target: 'TrentService.Decrypt', times: 1, delay_ms: 1500 }]);
  const answer = await honest.sign(a.id, a.text, goodTx(), { deadline: 200 });
  assert.match(answer.error?.code ?? 'signed', /^(deadline_exceeded|kms_unavailable)$/);
  cloud.faults([]);
  await good();
});

await test('the enclave is the process it was', () => {
  assert.equal(e.child.exitCode, null);
});

honest.end();
await done();
