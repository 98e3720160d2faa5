// SPDX-License-Identifier: Apache-2.0
// Gateways, each with an enclave of its own, on the stores of a stack whose devcloud they use; each process can be
// killed and started again.
import { execFile } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { atEnd, until } from './tap.mjs';
import { bin, root, scratch, spawnBound, tail } from './stack.mjs';
import { clientOptions } from './aws.mjs';
import { startGateway } from './gateway.mjs';
import { measure, policyFor } from './hostile.mjs';

const exec = promisify(execFile);
const read = (s, file) => JSON.parse(readFileSync(join(s.dir, file), 'utf8'));

async function startEnclave(dir) {
  const log = join(dir, 'log');
  rmSync(log, { force: true });
  const child = spawnBound(join(bin, 'adyton-enclave'), ['--config', join(dir, 'enclave.json')], { stdio: ['ignore', openSync(log, 'a'), openSync(log, 'a')] });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const kill = () => (child.kill('SIGKILL'), ended);
  atEnd(kill);
  await until(20000, 'an enclave to listen', () => {
    if (child.exitCode !== null) throw new Error(`adyton-enclave ended: ${tail(log)}`);
    return /ready/.test(readFileSync(log, 'utf8'));
  });
  return { kill };
}

/* A loopback address that is this process's alone: while a gateway of it is away nobody else gets its port. */
const { pid } = process;
const address = `127.${((pid >> 16) & 0x7f) + 1}.${(pid >> 8) & 0xff}.${pid & 0xff}`;

/** One gateway and its enclave in front of the stack's devcloud. */
async function startSide(s, dir) {
  const own = (name) => `unix:${join(dir, name)}`;
  const relay = { ...read(s, 'gateway.json').relay, listen: own('r.sock') };
  const gateway = (port = 0) => startGateway(s, { enclave: own('e.sock'), relay, listen: [`tcp:${address}:${port}`] });
  const side = { socket: own('e.sock'), enclave: await startEnclave(dir), gateway: await gateway() };
  return Object.assign(side, {
    restartEnclave: async () => (await side.enclave.kill(), (side.enclave = await startEnclave(dir))),
    restartGateway: async () => (await side.gateway.stop('SIGKILL'), (side.gateway = await gateway(side.gateway.port))),
  });
}

/** Start n beside stack s; the KMS key's policy admits their measurements too. Resolves to them: each has
 * gateway, socket (of the enclave), and restartGateway() and restartEnclave(), which kill first; the port stays. */
export async function startSides(s, n) {
  const dirs = Array.from({ length: n }, (_, i) => join(scratch('side'), String(i)));
  for (const dir of dirs) {
    mkdirSync(dir);
    writeFileSync(join(dir, 'enclave.json'), JSON.stringify({ ...read(s, 'enclave.json'), listen: `unix:${dir}/e.sock`, relay: `unix:${dir}/r.sock` }));
  }
  const admitted = [s.pcr0, ...dirs.map((dir) => measure(join(dir, 'enclave.json')).pcr0)];
  await new KMSClient(clientOptions(s)).send(new PutKeyPolicyCommand({ KeyId: s.key_arn, PolicyName: 'default', Policy: policyFor(s, admitted) }));
  const sides = [];
  for (const dir of dirs) sides.push(await startSide(s, dir));
  return sides;
}

/** Stop a PostgreSQL (postgres.mjs) as a crash does and start it again, while this program goes on. */
export async function crashPostgres(pg) {
  const script = join(root, 'tests/lib/postgres.sh');
  await exec(script, ['stop', pg.dir, 'immediate']);
  await exec(script, ['start', pg.dir]);
}
