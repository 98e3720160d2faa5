// SPDX-License-Identifier: Apache-2.0
// A virtual machine that boots an enclave image: QEMU's nitro-enclave with vhost-device-vsock, or its
// microvm, which has no NSM, or one that measured nothing.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import net from 'node:net';
import { atEnd, until } from '../../e2e/lib/tap.mjs';
import { root, scratch, spawnBound } from '../../e2e/lib/stack.mjs';

let machines = 0;

/** What script/vm-tools found: { qemu, vhost, tscKhz }, or { why } it found none. */
export function tools() {
  const r = spawnSync(join(root, 'script/vm-tools'), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (r.status !== 0) return { why: r.stdout.trim().split('\n').pop() };
  const had = (name) => [join(root, 'build/vm/bin', name)].find(existsSync) ?? name;
  const khz = join(scratch('vm'), 'tsc_khz');
  execFileSync('gcc', ['-O1', '-o', khz, join(root, 'tests/vm/tsc_khz.c')]);
  return {
    qemu: process.env.ADYTON_QEMU ?? had('qemu-system-x86_64'),
    vhost: process.env.ADYTON_VSOCK_DEVICE ?? had('vhost-device-vsock'),
    tscKhz: execFileSync(khz, { encoding: 'utf8' }).trim(),
  };
}

/** The kernel to test with. */
export function kernelFile() {
  const found = [process.env.ADYTON_KERNEL, join(root, 'build/kernel/bzImage'), join(root, 'build/vm/bzImage')];
  return found.find((f) => f && existsSync(f));
}

/** The command line for a machine of these tools: the parent is CID 2 there; "reboot=k", as on Nitro,
 * looks for a keyboard controller that they have not, for seconds. A busy machine gives the guest its
 * timer interrupts late: it must not take that for a broken timer, nor measure its clock by them. */
export const cmdline = (t, more = '') =>
  'reboot=t panic=-1 quiet pci=off nomodules console=ttyS0 i8042.noaux i8042.nomux i8042.nopnp i8042.dumbkbd ' +
  `random.trust_cpu=on adyton.parent_cid=2 no_timer_check tsc=reliable tsc_early_khz=${t.tscKhz}${more && ' '}${more}`;

/** Boot. image: a file for nitro-enclave; or microvm: { kernel, ramdisk, cmdline, nsm } files.
 * Resolves to { uds, line(regexp), ended, connect(port), stop, text(), ms(), memory() }. */
export async function boot(t, { image, microvm, memory = 320, cpus = 1, args = [] }) {
  const dir = scratch(`m${machines++}`);
  mkdirSync(dir, { recursive: true });
  const uds = join(dir, 'v');
  const options = ['-nographic', '-no-reboot', '-m', `${memory}M`, '-smp', `${cpus}`, '-accel', 'tcg,thread=multi', '-cpu', 'max'];
  let vhost;
  if (microvm) {
    options.push('-M', 'microvm,acpi=off,pic=on,pit=on,rtc=on', '-bios', 'qboot.rom', '-kernel', microvm.kernel, '-initrd', microvm.ramdisk, '-append', microvm.cmdline);
    if (microvm.nsm) options.push('-device', 'virtio-nsm-device,module-id=unmeasured');
  } else {
    vhost = spawnBound(t.vhost, ['--guest-cid', '4', '--socket', join(dir, 's'), '--uds-path', uds], { stdio: 'ignore' });
    atEnd(() => vhost.kill('SIGKILL'));
    await until(5000, 'vhost-device-vsock', () => existsSync(join(dir, 's')));
    options.push('-M', 'nitro-enclave,vsock=c,id=adyton-test', '-chardev', `socket,id=c,path=${join(dir, 's')}`, '-kernel', image);
  }
  const began = Date.now();
  const child = spawnBound(t.qemu, [...options, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (d) => (text += d.toString('latin1')));
  const ended = new Promise((resolve) => child.on('exit', (code) => (vhost?.kill('SIGKILL'), resolve(code))));
  const stop = () => (child.kill('SIGKILL'), ended);
  atEnd(stop);
  return {
    uds,
    ended,
    stop,
    text: () => text,
    ms: () => Date.now() - began,
    /** Resident memory of the machine's process in MiB. */
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024,
    /** Wait for a line of the console. */
    async line(pattern, ms = 60000) {
      await until(ms, `the console to say ${pattern}`, () => {
        if (!pattern.test(text) && child.exitCode !== null) throw new Error(`the machine ended: ${text.trim().split('\n').slice(-4).join(' / ')}`);
        return pattern.test(text);
      });
      return pattern.exec(text);
    },
    /** A connection to a port of the guest, over hybrid vsock. */
    connect(port) {
      return new Promise((resolve, reject) => {
        const socket = net.connect(uds);
        socket.once('error', reject);
        socket.once('close', () => reject(new Error(`port ${port} of the guest refuses`)));
        socket.once('connect', () => socket.write(`CONNECT ${port}\n`));
        socket.once('readable', () => {
          let line = '';
          for (let c; !line.endsWith('\n') && (c = socket.read(1)); ) line += c.toString();
          if (!/^OK \d+\n$/.test(line)) return reject(new Error(`hybrid vsock: '${line}'`));
          socket.removeAllListeners('error').removeAllListeners('close');
          resolve(socket);
        });
      });
    },
  };
}
