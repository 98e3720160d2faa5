// SPDX-License-Identifier: Apache-2.0
// Enclave images that "adyton image build" would refuse to make: with other files in the ramdisk, or
// without the ones there must be. Written from the format's description, not from the C code.
import { createHash } from 'node:crypto';
import { crc32 as zlibCrc32 } from 'node:zlib';

const table = Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});
const crc32 = zlibCrc32 ?? ((data) => (data.reduce((c, byte) => table[(c ^ byte) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0);

const pad = (b) => Buffer.concat([b, Buffer.alloc(-b.length & 3)]);

/** A cpio archive (newc) of { path: Buffer }, /dev/console included; names that begin with "init" or
 * "enclave" and have no dot are programs. */
export function cpio(files) {
  const parts = [];
  const entry = (name, mode, data = Buffer.alloc(0), [major, minor] = [0, 0]) => {
    const fields = [parts.length + 1, mode, 0, 0, 1, 0, data.length, 0, 0, major, minor, name.length + 1, 0];
    parts.push(pad(Buffer.from('070701' + fields.map((v) => v.toString(16).padStart(8, '0')).join('') + name + '\0')), pad(data));
  };
  entry('dev', 0o40755);
  entry('dev/console', 0o20600, undefined, [5, 1]);
  for (const [name, data] of Object.entries(files)) entry(name, /^(init|enclave)$/.test(name) ? 0o100755 : 0o100444, data);
  entry('TRAILER!!!', 0);
  return Buffer.concat(parts);
}

/** An EIF, version 4, of kernel, command line, metadata and one ramdisk. */
export function eif(kernel, cmdline, ramdisk) {
  const metadata = { ImageName: 'test', ImageVersion: '1', BuildMetadata: { BuildTime: '1970-01-01T00:00:00Z', BuildTool: 'test', BuildToolVersion: '1', OperatingSystem: 'Linux', KernelVersion: '0' }, DockerInfo: {} };
  const sections = [[1, kernel], [2, Buffer.from(cmdline)], [5, Buffer.from(JSON.stringify(metadata))], [3, ramdisk]];
  const head = Buffer.alloc(548);
  const body = [];
  let at = head.length;
  head.write('.eif');
  head.writeUInt16BE(4, 4);
  head.writeBigUInt64BE(1n << 30n, 8);
  head.writeBigUInt64BE(2n, 16);
  head.writeUInt16BE(sections.length, 26);
  sections.forEach(([type, data], i) => {
    const h = Buffer.alloc(12);
    h.writeUInt16BE(type);
    h.writeBigUInt64BE(BigInt(data.length), 4);
    head.writeBigUInt64BE(BigInt(at), 28 + 8 * i);
    head.writeBigUInt64BE(BigInt(data.length), 284 + 8 * i);
    body.push(h, data);
    at += 12 + data.length;
  });
  head.writeUInt32BE(crc32(Buffer.concat([head.subarray(0, 544), ...body])), 544);
  return Buffer.concat([head, ...body]);
}

/** PCR0 of such an image. */
export function pcr0(kernel, cmdline, ramdisk) {
  const inner = createHash('sha384').update(kernel).update(cmdline).update(ramdisk).digest();
  return createHash('sha384').update(Buffer.alloc(48)).update(inner).digest('hex');
}
