// SPDX-License-Identifier: Apache-2.0
// A hostile parent against the booted image, over virtio-vsock: connections that stall, flood, send
// garbage and half-close, to the enclave's port and to every other. Honest requests are served
// throughout, and the memory of the machine stays within what it was given.
import assert from 'node:assert/strict';
import net from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, done, random, skip, parallel } from '../e2e/lib/tap.mjs';
import { bin, putKey, run, scratch, sign, startStack } from '../e2e/lib/stack.mjs';
import { goodTx } from '../e2e/lib/hostile.mjs';
import { T, cbor, frame } from '../e2e/lib/parent.mjs';
import { Transaction } from '../e2e/lib/txs.mjs';
import { tools } from './lib/machine.mjs';

const missing = tools().why;
if (missing) {
  await test('a hostile parent against the machine', () => skip(missing));
  await done();
}

const r = random();
const dir = scratch();
const s = await startStack({ dir, args: ['--vm'], timeout: 90000 });
const { address } = putKey(s, 'k', r.bytes(32).toString('hex'));
const state = () => JSON.parse(run(join(bin, 'adyton'), ['enclave', 'status', '--dir', s.vm_dir, '--json']).stdout);
const first = state();
const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${first.vm_pid}/status`, 'utf8'))[1]) / 1024;
let nonce = 0;

async function honest(n = 3) {
  for (let i = 0; i < n; i++) {
    const answer = await sign(s, 'k', goodTx({ nonce: ++nonce }));
    assert.equal(answer.status, 200, answer.body);
    const tx = Transaction.from(answer.json.signed_transaction);
    assert.equal(tx.from, address);
    assert.equal(tx.nonce, nonce);
  }
}

/** Connect to a port of the machine and hand the stream to act; resolves when it has closed, at most
 * ms later, to whether the machine took the connection. */
function to(port, act, ms = 1500) {
  return new Promise((resolve) => {
    const socket = net.connect(join(s.vm_dir, 'vm.vsock'));
    let taken = false;
    const timer = setTimeout(() => socket.destroy(), ms);
    socket.on('connect', () => socket.write(`CONNECT ${port}\n`));
    socket.once('data', (d) => {
      taken = /^OK /.test(d.toString('latin1'));
      if (taken) act(socket);
    });
    socket.on('error', () => {});
    socket.on('close', () => (clearTimeout(timer), resolve(taken)));
  });
}

await test('honest requests are served by the booted image', () => honest());

await test('no port but its own takes a connection', async () => {
  const ports = [1, 22, 80, 443, 1024, 4999, 5001, 8000, 9000, 10000, 65535, 0x7fffffff, ...Array.from({ length: 20 }, () => 1 + r.below(0xfffffff0))];
  await parallel(4, ports.filter((p) => p !== 5000), async (port) => assert.equal(await to(port, (c) => c.end()), false, `port ${port}`));
  assert.equal(await to(5000, (c) => c.end()), true);
  await honest();
});

const whole = frame(T.SIGN, 1, cbor([0, 'k', r.bytes(2000), r.bytes(2000)]));
for (const [what, act] of [
  ['garbage', (c) => c.write(r.bytes(20000))],
  ['half-closes at once', (c) => c.end()],
  ['half a frame and a half-close', (c) => c.end(whole.subarray(0, 1000))],
  ['a frame that announces 256 KiB and stalls', (c) => c.write(frame(T.SIGN, 1, Buffer.alloc(10), { length: 256 * 1024 }))],
  ['resets in the middle of a frame', (c) => c.write(whole.subarray(0, 500), () => c.destroy())],
  ['silence', () => {}],
]) {
  await test(`100 connections, ${what}: honest requests are served meanwhile and after`, async () => {
    const attack = parallel(20, Array.from({ length: 100 }), () => to(5000, act, 800));
    await honest();
    await attack;
    await honest();
  });
}

await test('a flood of frames that sign nothing is answered or shed; honest requests are served', async () => {
  const block = Buffer.concat(Array.from({ length: 50 }, (_, i) => frame(T.SIGN, i + 1, cbor([0, 'k', Buffer.from('not a record'), Buffer.from('{}')]), { deadline: 2000 })));
  const flood = parallel(8, Array.from({ length: 8 }), () => to(5000, (c) => { c.on('data', () => {}); for (let i = 0; i < 40; i++) c.write(block); }, 5000));
  await honest();
  await flood;
  await honest();
});

await test('the machine is the one that was started, within its memory', () => {
  const now = state();
  assert.equal(now.starts, 1, 'it was started again');
  assert.equal(now.vm_pid, first.vm_pid);
  assert.ok(rss() < now.memory_mib + 128, `${rss()} MiB resident`);
  console.log(`# ${rss().toFixed(0)} MiB resident of a ${now.memory_mib} MiB machine`);
});

await done();
