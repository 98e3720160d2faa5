// SPDX-License-Identifier: Apache-2.0
// A parent that lies: speaks the vsock wire (doc/protocol.md) to a real enclave in place of the gateway,
// and answers its relay as a test wants. Written from the protocol page, not from the C code.
import net from 'node:net';
import { randomBytes } from 'node:crypto';

export const T = { HELLO: 1, CREDENTIALS: 2, SIGN: 3, ATTEST: 4, STATUS: 5, CREATE: 6, LOCK: 7, CREATE_BATCH: 8, REWRAP: 9, IMPORT: 10, IMPORT_KEY: 11, DUTY: 12, WATERMARK: 13, DERIVE: 15, RELAY: 16, BACKUP: 18, ANSWER: 0x80, ERROR: 0xff };

const head = (major, n) => {
  if (n < 24) return Buffer.from([(major << 5) | n]);
  if (n < 256) return Buffer.from([(major << 5) | 24, n]);
  const b = Buffer.alloc(n < 65536 ? 3 : n < 2 ** 32 ? 5 : 9);
  b[0] = (major << 5) | (b.length === 3 ? 25 : b.length === 5 ? 26 : 27);
  if (b.length === 3) b.writeUInt16BE(n, 1);
  else if (b.length === 5) b.writeUInt32BE(n, 1);
  else b.writeBigUInt64BE(BigInt(n), 1);
  return b;
};

/** CBOR of a number, text, Buffer, or a Map / array whose index is the integer key. */
export function cbor(v) {
  if (typeof v === 'number' || typeof v === 'bigint') return head(0, v);
  if (typeof v === 'string') return Buffer.concat([head(3, Buffer.byteLength(v)), Buffer.from(v)]);
  if (Buffer.isBuffer(v)) return Buffer.concat([head(2, v.length), v]);
  const pairs = v.map((x, i) => [i, x]).filter(([, x]) => x !== undefined);
  return Buffer.concat([head(5, pairs.length), ...pairs.flatMap(([i, x]) => [head(0, i), cbor(x)])]);
}

/** The reverse, for the answers: a map with integer keys becomes an array. */
export function uncbor(b) {
  let at = 0;
  const item = () => {
    const first = b[at++];
    const major = first >> 5;
    let n = first & 31;
    if (n === 24) n = b[at++];
    else if (n === 25) (n = b.readUInt16BE(at)), (at += 2);
    else if (n === 26) (n = b.readUInt32BE(at)), (at += 4);
    else if (n === 27) (n = Number(b.readBigUInt64BE(at))), (at += 8);
    if (major === 0) return n;
    if (major === 2 || major === 3) {
      const s = b.subarray(at, at + n);
      at += n;
      return major === 2 ? Buffer.from(s) : s.toString();
    }
    if (major === 5) {
      const out = [];
      for (let i = 0; i < n; i++) {
        const k = item();
        out[k] = item();
      }
      return out;
    }
    throw new Error(`CBOR major type ${major} at ${at}`);
  };
  const v = item();
  if (at !== b.length) throw new Error('trailing bytes');
  return v;
}

/** One frame. */
export function frame(type, id, body, { deadline = 10000, version = 1, length = body.length, zero = 0, tail = 0 } = {}) {
  const h = Buffer.alloc(24);
  h.writeUInt32BE(length, 0);
  h[4] = version;
  h[5] = type;
  h.writeUInt16BE(zero, 6);
  h.writeBigUInt64BE(BigInt(id), 8);
  h.writeUInt32BE(deadline, 16);
  h.writeUInt32BE(tail, 20);
  return Buffer.concat([h, body]);
}

/** Cut a stream into frames; calls fn({ type, id, body, rest }) for each. */
export function onFrames(socket, fn) {
  let have = Buffer.alloc(0);
  const feed = (d) => {
    have = Buffer.concat([have, d]);
    while (have.length >= 24 && have.length >= 24 + have.readUInt32BE(0)) {
      const n = have.readUInt32BE(0);
      const f = { type: have[5], id: Number(have.readBigUInt64BE(8)), body: Buffer.from(have.subarray(24, 24 + n - have.readUInt32BE(20))), proof: Buffer.from(have.subarray(24 + n - have.readUInt32BE(20), 24 + n)) };
      have = have.subarray(24 + n);
      if (fn(f, () => have) === 'stop') {
        socket.off('data', feed);
        return;
      }
    }
  };
  socket.on('data', feed);
}

/** A connection to the enclave: to a path, or one that is there already. */
export class Link {
  constructor(path) {
    this.socket = path instanceof net.Socket ? path : net.connect(path);
    this.waiting = new Map();
    this.next = 1;
    this.closed = new Promise((resolve) => this.socket.on('close', resolve));
    this.socket.on('error', () => {});
    onFrames(this.socket, (f) => {
      const w = this.waiting.get(f.id);
      this.waiting.delete(f.id);
      w?.resolve(f);
    });
    this.socket.on('close', () => {
      for (const w of this.waiting.values()) w.reject(new Error('the enclave closed the connection'));
      this.waiting.clear();
    });
  }

  /** Send one frame and wait for its answer: { ok, value } or { error: { code, where, detail, cause } }. */
  async ask(type, body, options) {
    const id = options?.id ?? this.next++;
    const got = new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    this.socket.write(frame(type, id, body, options));
    const f = await Promise.race([
      got,
      new Promise((_, reject) => setTimeout(() => reject(new Error(`no answer to type ${type} in 60 s`)), 60000).unref()),
    ]);
    const value = uncbor(f.body);
    if (f.type === T.ERROR) {
      const [code, where, detail, cause] = value;
      return { error: { code, where, detail, cause } };
    }
    if (f.type !== (type | T.ANSWER)) throw new Error(`answer of type ${f.type} to ${type}`);
    return { ok: true, value };
  }

  credentials(c) {
    return this.ask(T.CREDENTIALS, cbor([c.AccessKeyId, c.SecretAccessKey, c.Token ?? '', Math.floor(Date.parse(c.Expiration ?? 0) / 1000) || 0]));
  }

  sign(keyId, record, transaction, options) {
    return this.ask(T.SIGN, cbor([0, keyId, Buffer.from(record), Buffer.from(JSON.stringify({ transaction })), Buffer.from(options?.stamp ?? '')]), options);
  }

  /** Make a key: { ok, record, text, publicKey, address, dataKey } or { error }. */
  async create(id, { tenant = 'default', options = {}, dataKey = Buffer.alloc(0), curve = 0, ...more } = {}) {
    const answer = await this.ask(T.CREATE, cbor([curve, tenant, Buffer.from(JSON.stringify({ id, ...options })), dataKey]), more);
    return this.made(id, answer);
  }

  made(id, answer) {
    if (answer.error) return answer;
    const [text, publicKey, address] = answer.value;
    const record = JSON.parse(text.toString());
    return { ok: true, id, record, text: text.toString(), publicKey, address, dataKey: Buffer.from(record.data_key, 'base64') };
  }

  /** Take a key in, sealed (with enc) or as a ciphertext of KMS; resolves as create. form: of doc/protocol.md. */
  async import(id, sealed, { tenant = 'default', options = JSON.stringify({ id }), dataKey = Buffer.alloc(0), curve = 0, enc, form = enc ? 0 : 1, ...more } = {}) {
    const body = cbor([curve, tenant, Buffer.from(options), dataKey, form, enc ?? Buffer.alloc(0), sealed]);
    return this.made(id, await this.ask(T.IMPORT, body, more));
  }

  /** Keys of a wallet: { ok, created, keys: bytes } or { error }. body: JSON (doc/wallets.md). */
  async derive(id, record, body, { stamp = Buffer.alloc(0), ...more } = {}) {
    const answer = await this.ask(T.DERIVE, cbor([id, Buffer.from(record), Buffer.from(JSON.stringify(body)), Buffer.from(stamp)]), more);
    return answer.error ? answer : { ok: true, created: answer.value[0], keys: answer.value[1] };
  }

  /** A key or wallet sealed to its record's backup key: { ok, enc, sealed } or { error }. */
  async backup(id, record, { stamp = Buffer.alloc(0), ...more } = {}) {
    const answer = await this.ask(T.BACKUP, cbor([id, Buffer.from(record), Buffer.from('{}'), Buffer.from(stamp)]), more);
    return answer.error ? answer : { ok: true, enc: answer.value[0], sealed: answer.value[1] };
  }

  /** Make count keys prefix0.. prefixN: { ok, keys: [{ id, record, text, publicKey }], dataKey } or { error }. */
  async batch(prefix, count, { tenant = 'default', options = {}, dataKey = Buffer.alloc(0), first = 0, curve = 0, ...more } = {}) {
    const answer = await this.ask(T.CREATE_BATCH, cbor([curve, tenant, Buffer.from(JSON.stringify({ id: prefix, ...options })), dataKey, first, count]), more);
    if (answer.error) return answer;
    const [created, blob, bytes] = answer.value;
    const keys = [];
    for (let i = 0; i < bytes.length / 93; i++) {
      const publicKey = bytes.subarray(93 * i, 93 * i + 33);
      const id = `${prefix}${first + i}`;
      const record = { adyton: 1, wrapping: 'envelope', id, tenant, curve: 'secp256k1', public_key: '0x' + publicKey.toString('hex'), data_key: blob.toString('base64'), ciphertext: bytes.subarray(93 * i + 33, 93 * i + 93).toString('base64'), ...options, created };
      keys.push({ id, record, text: JSON.stringify(record), publicKey });
    }
    return { ok: true, keys, dataKey: blob };
  }

  /** Seal a record anew; resolves as create. */
  async rewrap(id, text, { dataKey = Buffer.alloc(0), kmsKey = '', ...more } = {}) {
    return this.made(id, await this.ask(T.REWRAP, cbor([id, Buffer.from(text), dataKey, kmsKey]), more));
  }

  /** Forget data keys ('': all); resolves to how many. */
  async lock(tenant) {
    return (await this.ask(T.LOCK, cbor([tenant]))).value[0];
  }

  /** Counters of STATUS that tests look at. */
  async status() {
    const { value } = await this.ask(T.STATUS, cbor([]));
    return { waiting: value[3], signed: value[4], refused: value[5], kmsCalls: value[6], kmsFailures: value[7], created: value[12], dataKeys: value[13], hits: value[14], misses: value[15], expired: value[16], locked: value[17] };
  }

  end() {
    this.socket.destroy();
  }
}

/** The relay's place: handle(stream, host, port, first) gets each stream after its opening was
 * accepted; by default it is connected through. */
export class Relay {
  constructor(path) {
    this.handle = this.through;
    this.streams = new Set();
    this.opened = 0;
    this.server = net.createServer((socket) => {
      this.streams.add(socket);
      socket.on('close', () => this.streams.delete(socket));
      socket.on('error', () => {});
      onFrames(socket, (f, rest) => {
        const [host, port] = uncbor(f.body);
        this.opened++;
        socket.write(frame(T.RELAY | T.ANSWER, f.id, cbor([]), { deadline: 0 }));
        this.handle(socket, host, port, rest());
        return 'stop';
      });
    });
    this.server.listen(path);
  }

  through(socket, host, port) {
    const to = net.connect(port, host === 'localhost' ? '127.0.0.1' : host);
    socket.pipe(to);
    to.pipe(socket);
    to.on('error', () => socket.destroy());
    socket.on('error', () => to.destroy());
    socket.on('close', () => to.destroy());
    to.on('close', () => socket.destroy());
    return to;
  }

  /** End the streams that are open now, so that the enclave has to open new ones. */
  cut() {
    for (const s of this.streams) s.destroy();
  }

  close() {
    this.cut();
    this.server.close();
  }
}

export const nonce = (n = 32) => randomBytes(n);
