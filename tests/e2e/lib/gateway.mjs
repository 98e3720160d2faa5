// SPDX-License-Identifier: Apache-2.0
// More gateways beside a stack's own, each with a configuration of its own, in front of the same enclave
// and devcloud; and raw bytes for their listeners.
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import net from 'node:net';
import tls from 'node:tls';
import { atEnd, until } from './tap.mjs';
import { bin, request, run, scratch, tail, spawnBound } from './stack.mjs';

let gateways = 0;

/** For startGateway, where there is no stack: what a gateway needs to know of a devcloud, kept in dir. */
export function gatewayHome(dir, cloud) {
  const aws = { region: cloud.region, endpoint: cloud.devcloud, ca_file: cloud.ca_file, imds: cloud.imds, credentials: 'imds' };
  writeFileSync(join(dir, 'gateway.json'), JSON.stringify({ aws }));
  return { dir };
}

/** Whether a gateway would take a request now, whichever of its threads gets it, and has all its enclaves. */
async function isReady(gateway) {
  const { status, json } = await request(`${gateway}/readyz`, { rejectUnauthorized: false });
  return status === 200 && !json.enclave.detail;
}

/** Start adyton-gateway with the stack's configuration and changes of its top members; resolves, when it is ready, to
 * { gateway, port, pid, child, ended, log, config, stop }. ready: false for one that only listens: it may never be
 * ready, or says so to no one without a certificate. */
export async function startGateway(s, changes = {}, { env, ready: waits = true } = {}) {
  const dir = scratch(`g${gateways++}`);
  const config = join(dir, 'gateway.json');
  const ready = join(dir, 'ready');
  const log = join(dir, 'log');
  const own = JSON.parse(readFileSync(join(s.dir, 'gateway.json'), 'utf8'));
  const audit = own.audit && { folder: join(dir, 'audit') };
  const all = { ...own, listen: ['tcp:127.0.0.1:0'], relay: undefined, audit, ...changes };
  writeFileSync(config, JSON.stringify({ ...all, aws: { ...own.aws, ...changes.aws } }));
  const child = spawnBound(join(bin, 'adyton-gateway'), ['--config', config, '--ready-file', ready], {
    stdio: ['ignore', openSync(log, 'a'), openSync(log, 'a')],
    env: { ...process.env, ...env },
  });
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
  const stop = (signal = 'SIGTERM') => (child.kill(signal), ended);
  atEnd(() => stop('SIGKILL'));
  await until(20000, 'the gateway to listen', () => {
    if (child.exitCode !== null) throw new Error(`adyton-gateway ended (${child.exitCode}): ${tail(log)}`);
    return existsSync(ready);
  });
  const gateway = JSON.parse(readFileSync(ready, 'utf8')).listen[0];
  if (waits) await until(60000, `the gateway to be ready (${log})`, () => isReady(gateway));
  return { gateway, port: Number(new URL(gateway).port), pid: child.pid, child, ended, log, config, dir, stop };
}

/** A self-signed certificate for 127.0.0.1 in PEM files; its subject is name. */
export function selfSigned(dir, name) {
  const cert = join(dir, `${name}.pem`);
  const key = join(dir, `${name}-key.pem`);
  const r = run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert]);
  if (r.status !== 0) throw new Error(r.stderr);
  return { cert, key };
}

/** The subject of the certificate that a port presents now. */
export function presented(port) {
  return new Promise((resolve, reject) => {
    const c = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(c.getPeerCertificate().subject.CN);
      c.destroy();
    });
    c.on('error', reject);
  });
}

/** Send bytes as they are and collect what comes until the end, or for ms; several chunks are sent
 * with gaps. Resolves to { text, statuses, ended, ms }. */
export function raw(port, chunks, { ms = 3000, gap = 0, enough = 0 } = {}) {
  const began = Date.now();
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    const finish = (ended) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, statuses: [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((m) => Number(m[1])), ended, ms: Date.now() - began });
    };
    const timer = setTimeout(() => finish(false), ms);
    socket.on('data', (d) => {
      text += d.toString('latin1');
      if (enough && text.split('HTTP/1.1 ').length > enough) setTimeout(() => finish(false), 20);
    });
    socket.on('error', () => {});
    socket.on('close', () => finish(true));
    socket.on('connect', async () => {
      for (const chunk of [chunks].flat()) {
        if (socket.destroyed) return;
        socket.write(chunk);
        if (gap) await new Promise((r) => setTimeout(r, gap));
      }
    });
  });
}

/** Resident memory of a process in MiB. */
export const memory = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** The value of a metric without labels. */
export const metric = (text, name) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
