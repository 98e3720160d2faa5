// SPDX-License-Identifier: Apache-2.0
// A compromised parent on the real wire between adyton-gateway and adyton-enclave: a proxy that decodes the
// frames of both (doc/protocol.md) and lets a test see, change, drop, replay and add them.
import net from 'node:net';
import { join } from 'node:path';
import { atEnd, until } from './tap.mjs';
import { request, scratch } from './stack.mjs';
import { T, cbor, uncbor } from './parent.mjs';
import { gatewayHome, startGateway } from './gateway.mjs';
import { startDevcloud, startEnclave, createKey } from './hostile.mjs';

/** Types whose answers carry signatures. */
const SIGNING = [T.SIGN, 12];

/** One frame as it is on the wire. message: its map as an array by key; proof: the bytes that the header's
 * last field announces behind the message, in answers that have some. */
export class Frame {
  constructor(bytes) {
    this.bytes = bytes;
  }

  static of(type, id, message, { deadline = 0, proof = Buffer.alloc(0) } = {}) {
    const head = Buffer.alloc(24);
    const body = Buffer.isBuffer(message) ? message : cbor(message);
    head.writeUInt32BE(body.length + proof.length, 0);
    head[4] = 1;
    head[5] = type;
    head.writeBigUInt64BE(BigInt(id), 8);
    head.writeUInt32BE(deadline, 16);
    head.writeUInt32BE(proof.length, 20);
    return new Frame(Buffer.concat([head, body, proof]));
  }

  get type() {
    return this.bytes[5];
  }
  get id() {
    return this.bytes.readBigUInt64BE(8);
  }
  get deadline() {
    return this.bytes.readUInt32BE(16);
  }
  get proof() {
    return this.bytes.subarray(this.bytes.length - this.bytes.readUInt32BE(20));
  }
  get body() {
    return this.bytes.subarray(24, this.bytes.length - this.bytes.readUInt32BE(20));
  }
  get message() {
    return uncbor(this.body);
  }
  get isAnswer() {
    return this.type >= T.ANSWER;
  }
  get isFault() {
    return this.type === T.ERROR;
  }
  /** { code, where, detail, cause } of a fault. */
  get fault() {
    const [code, where, detail, cause] = this.message;
    return { code, where, detail, cause };
  }

  /** The same frame with another type, id, message or proof. */
  with({ type = this.type, id = this.id, message = this.body, proof = this.proof, deadline = this.deadline } = {}) {
    return Frame.of(type, id, message, { deadline, proof });
  }

  /** The same frame with some keys of its message changed: { 2: record }. */
  change(keys) {
    const message = this.message;
    for (const [k, v] of Object.entries(keys)) message[k] = typeof v === 'function' ? v(message[k]) : v;
    return this.with({ message });
  }
}

/** A gateway dials path; what it says goes to the enclave at target, and back.
 *
 * toEnclave(frame, about), toGateway(frame, about): called for each frame before it goes on; about is the
 * question that an answer is to (as it was asked, before any change). What they return goes on instead: undefined: the frame; null:
 * nothing; a Frame; a list of them. They may be async; frames keep their order as long as they are not.
 * signed counts the answers with a signature that the enclave has given, before anything is changed. */
export class WireProxy {
  constructor(path, target) {
    this.path = path;
    this.target = target;
    this.signed = 0;
    this.toEnclave = this.toGateway = undefined;
    this.pairs = new Set();
    this.server = net.createServer((gateway) => this.join(gateway));
    this.server.listen(path);
    atEnd(() => this.close());
  }

  join(gateway) {
    const pair = { gateway, enclave: net.connect(this.target), asked: new Map(), asking: new Map(), own: new Map(), next: 1n << 63n };
    this.pairs.add(pair);
    cut(gateway, (f) => this.pass(pair, f, 'toEnclave', pair.enclave, pair.asked, pair.asking));
    cut(pair.enclave, (f) => this.fromEnclave(pair, f));
    for (const [a, b] of [[gateway, pair.enclave], [pair.enclave, gateway]]) {
      a.on('error', () => b.destroy());
      a.on('close', () => (b.destroy(), this.pairs.delete(pair)));
    }
  }

  fromEnclave(pair, f) {
    const own = pair.own.get(f.id);
    const about = own?.question ?? pair.asked.get(f.id);
    if (f.isAnswer && !f.isFault && SIGNING.includes(about?.type)) this.signed++;
    if (f.isAnswer && own) return pair.own.delete(f.id), own.resolve(f);
    this.pass(pair, f, 'toGateway', pair.gateway, pair.asking, pair.asked);
  }

  /** questions: where a question of this direction is kept; answered: those that its answers are to. */
  pass(pair, f, direction, socket, questions, answered) {
    const about = f.isAnswer ? answered.get(f.id) : undefined;
    if (f.isAnswer) answered.delete(f.id);
    else questions.set(f.id, f);
    const put = (out) => {
      for (const x of out === undefined ? [f] : [out].flat()) if (x && socket.writable) socket.write(x.bytes);
    };
    const out = this[direction]?.(f, about);
    if (out instanceof Promise) out.then(put);
    else put(out);
  }

  /** Ask the enclave something beside the gateway, on one of its connections; resolves to the answer. */
  async ask(type, message, { deadline = 10000, pair = [...this.pairs][0] } = {}) {
    const question = Frame.of(type, pair.next++, message, { deadline });
    const answer = new Promise((resolve) => pair.own.set(question.id, { question, resolve }));
    pair.enclave.write(question.bytes);
    return answer;
  }

  /** The enclave's own counts of what it has signed and refused. */
  async counts() {
    const { message } = await this.ask(T.STATUS, []);
    return { signed: message[4], refused: message[5], kmsCalls: message[6] };
  }

  /** Do fn while frames are changed; what is not given stays as it is. */
  async during({ toEnclave = this.toEnclave, toGateway = this.toGateway }, fn) {
    const before = { toEnclave: this.toEnclave, toGateway: this.toGateway };
    Object.assign(this, { toEnclave, toGateway });
    try {
      return await fn();
    } finally {
      Object.assign(this, before);
    }
  }

  close() {
    for (const p of this.pairs) p.gateway.destroy(), p.enclave.destroy();
    this.server.close();
  }
}

/** Cut a stream into frames. */
function cut(socket, fn) {
  let have = Buffer.alloc(0);
  socket.on('data', (d) => {
    have = Buffer.concat([have, d]);
    while (have.length >= 24 && have.length >= 24 + have.readUInt32BE(0)) {
      const n = 24 + have.readUInt32BE(0);
      fn(new Frame(Buffer.from(have.subarray(0, n))));
      have = have.subarray(n);
    }
  });
}

/** A KMS of devcloud, an enclave with a lying relay (e.relay), the proxy (wire), and a gateway behind it that keeps its
 * records in SQLite: { cloud, keyArn, e, wire, gateway, ask(path, options) }. changes: of the enclave's configuration;
 * gateway: members of the gateway's; keys: how many KMS keys the enclave knows. */
export async function startAttacked({ changes = {}, gateway = {}, threads = 1 } = {}) {
  const dir = scratch('attacked');
  const cloud = await startDevcloud(join(dir, 'cloud'));
  const keyArn = await createKey(cloud);
  const e = await startEnclave(cloud, keyArn, { changes });
  const wire = new WireProxy(join(dir, 'w.sock'), e.socket);
  const own = { threads, enclave: `unix:${wire.path}`, store: { sqlite: join(dir, 'keys.sqlite'), cache_ms: 0 }, ...gateway };
  const g = await startGateway(gatewayHome(dir, cloud), own);
  await until(20000, 'the gateway to be ready', async () => (await request(`${g.gateway}/readyz`)).status === 200);
  const ask = (path, { body, method = body === undefined ? 'GET' : 'POST', headers } = {}) => request(`${g.gateway}${path}`, { method, body, headers });
  return { dir, cloud, keyArn, e, wire, g, gateway: g.gateway, ask };
}
