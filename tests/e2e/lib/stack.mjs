// SPDX-License-Identifier: Apache-2.0
// Starts the real programs: the whole local stack by `adyton dev up`, single programs, anvil.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, existsSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import http from 'node:http';
import https from 'node:https';
import { atEnd } from './tap.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
export const bin = process.env.ADYTON_BIN ?? join(root, 'build/release');

/** A folder that is gone when the test ends. Short, for the sake of Unix socket paths. */
export function scratch(name = 'ady') {
  const dir = mkdtempSync(join(tmpdir(), `${name}-`));
  if (process.env.ADYTON_KEEP) console.log(`# kept: ${dir}`);
  else atEnd(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Start a program that is killed when this one ends, however it ends: setpriv asks the kernel for it and becomes
 * the program. */
export const spawnBound = (command, args, options) =>
  spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], options);

/** Start a program that prints one line of JSON on stdout when it is ready; resolves to
 * { ready, child, stop }. */
export function startJson(command, args, { env, log, timeout = 60000 } = {}) {
  const child = spawnBound(command, args, {
    stdio: ['ignore', 'pipe', log ? openSync(log, 'a') : 'inherit'],
    env: { ...process.env, ...env },
  });
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
  const stop = async (signal = 'SIGINT') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return ended;
  };
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${command} ${args.join(' ')}: not ready within ${timeout} ms`));
    }, timeout);
    child.on('error', reject);
    child.stdout.on('data', (d) => {
      text += d;
      const end = text.indexOf('\n');
      if (end < 0) return;
      clearTimeout(timer);
      try {
        resolve({ ready: JSON.parse(text.slice(0, end)), child, stop, ended });
      } catch (e) {
        reject(new Error(`${command}: no JSON: ${text.slice(0, 300)}`));
      }
    });
    ended.then(({ code, signal }) => {
      clearTimeout(timer);
      reject(new Error(`${command} ${args.join(' ')} ended (${code ?? signal}): ${log ? tail(log) : ''}`));
    });
  });
}

export const tail = (file) => readFileSync(file, 'utf8').split('\n').slice(-6).join(' / ');

/** The whole stack. Options: dir, args (more arguments of dev up), bin. */
export async function startStack({ dir = scratch(), args = [], from = bin, timeout } = {}) {
  const log = join(dir, 'dev-up.log');
  const s = await startJson(join(from, 'adyton'), ['dev', 'up', '--json', '--dir', dir, ...args], { log, timeout });
  atEnd(() => s.stop());
  const r = s.ready;
  return { ...r, dir, stop: s.stop, child: s.child, log, gatewayAgent: new http.Agent({ keepAlive: true, maxSockets: 64 }) };
}

/** Run a program to its end; returns { status, stdout, stderr }. */
export function run(command, args, { input, env, cwd } = {}) {
  const r = spawnSync(command, args, { input, cwd, encoding: 'utf8', env: { ...process.env, ...env }, timeout: 600000, maxBuffer: 64 << 20 });
  if (r.error) throw r.error;
  return r;
}

/** The environment in which AWS programs and ours find the stack's devcloud as administrator. */
export const awsEnv = (s) => ({
  AWS_ACCESS_KEY_ID: s.access_key_id,
  AWS_SECRET_ACCESS_KEY: s.secret_access_key,
  AWS_SESSION_TOKEN: '',
  AWS_REGION: s.region,
  AWS_DEFAULT_REGION: s.region,
  AWS_CA_BUNDLE: s.ca_file,
  AWS_ENDPOINT_URL: s.devcloud,
  ADYTON_GATEWAY: s.gateway,
});

/** Store a private key under id with `adyton key put`; returns its output as an object. */
export function putKey(s, id, key, ...args) {
  const r = run(
    join(bin, 'adyton'),
    ['key', 'put', id, '--file', '-', '--json', '--key-arn', s.key_arn, '--endpoint', s.devcloud, '--ca', s.ca_file, '--region', s.region, ...args],
    { input: key, env: awsEnv(s) },
  );
  if (r.status !== 0) throw new Error(`adyton key put: exit ${r.status}: ${r.stderr}`);
  return JSON.parse(r.stdout);
}

/** One HTTP request; resolves to { status, headers, body, json }. */
export async function request(url, { method = 'GET', body, headers = {}, agent, ca, rejectUnauthorized, timeout = 60000 } = {}) {
  // A connection of the agent's may have been ended while this process was busy with something else: let it be noticed.
  await new Promise(setImmediate);
  const u = new URL(url);
  const data = body === undefined ? undefined : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const req = (u.protocol === 'https:' ? https : http).request(
      u,
      {
        method,
        agent,
        ca,
        rejectUnauthorized,
        timeout,
        headers: { ...(data === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(data) }), ...headers },
      },
      (res) => {
        const parts = [];
        res.on('data', (d) => parts.push(d));
        res.on('error', reject);
        res.on('end', () => {
          const text = Buffer.concat(parts).toString();
          let json;
          try {
            json = JSON.parse(text);
          } catch {
            json = undefined;
          }
          resolve({ status: res.statusCode, headers: res.headers, body: text, json });
        });
      },
    );
    req.on('timeout', () => req.destroy(new Error(`${method} ${url}: no answer in ${timeout} ms`)));
    req.on('error', reject);
    req.end(data);
  });
}

/** POST /v1/keys/{id}/sign. */
export const sign = (s, id, transaction, options = {}) =>
  signAny(s, id, { transaction }, options);

/** POST /v1/keys/{id}/sign with any body. */
export const signAny = (s, id, body, options = {}) =>
  request(`${s.gateway}/v1/keys/${encodeURIComponent(id)}/sign`, { method: 'POST', body, agent: s.gatewayAgent, ...options });

/** An anvil of the Prague rules; resolves to { url, rpc(method, params), stop }. */
export async function startAnvil(args = []) {
  const binary = join(root, 'tests/e2e/node_modules/.bin/anvil');
  if (!existsSync(binary)) throw new Error('anvil is not installed: run script/bootstrap');
  const child = spawnBound(binary, ['--port', '0', '--hardfork', 'prague', '--no-cors', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  atEnd(() => child.kill());
  const url = await new Promise((resolve, reject) => {
    let text = '';
    child.on('exit', (code) => reject(new Error(`anvil ended (${code}): ${text.slice(-300)}`)));
    child.stdout.on('data', (d) => {
      text += d;
      const m = /Listening on ([\d.]+:\d+)/.exec(text);
      if (m) resolve(`http://${m[1]}`);
    });
  });
  const rpc = async (method, params = []) => {
    const r = await request(url, { method: 'POST', body: { jsonrpc: '2.0', id: 1, method, params } });
    if (r.json?.error) throw new Error(`${method}: ${r.json.error.message}`);
    return r.json.result;
  };
  return { url, rpc, stop: () => child.kill() };
}
