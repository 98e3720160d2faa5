// SPDX-License-Identifier: Apache-2.0
// The adyton program in the hands of a newcomer: nothing to connect to, wrong arguments, closed standard
// input, folders that are odd, Ctrl-C at every moment, help that must be true.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { Transaction } from 'ethers';
import { test, done, random, until, atEnd } from './lib/tap.mjs';
import { bin, root, run, scratch, spawnBound, startStack, startJson, awsEnv, putKey } from './lib/stack.mjs';

const r = random();
const adyton = join(bin, 'adyton');
const top = scratch();
const nowhere = 'http://127.0.0.1:1';
const noEnv = { HOME: top, AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'x', AWS_SESSION_TOKEN: '', AWS_ENDPOINT_URL: '', AWS_REGION: 'us-east-1', ADYTON_GATEWAY: '', ADYTON_KEY_ARN: '', ADYTON_CA: '', AWS_CA_BUNDLE: '' };
const ask = (args, options = {}) => run(adyton, args, { ...options, env: { ...noEnv, ...options.env } });
const flags = ['--to', '0x000000000000000000000000000000000000dEaD', '--value', '1', '--nonce', '0', '--gas', '21000', '--chain', '1', '--max-fee', '2gwei', '--max-priority-fee', '1gwei'];
const arn = 'arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000';
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Processes of ours whose command line has text in it. */
const processes = (text) => spawnSync('pgrep', ['-f', '--', text], { encoding: 'utf8' }).stdout.split('\n').filter((p) => p && Number(p) !== process.pid);

// --- help ---

const commands = ask(['--help']).stdout.match(/^ {2}[a-z]+( [a-z]+)*(?= {2})/gm).map((s) => s.trim());

await test('every command of the overview has help, on stdout, with exit 0; so have groups of commands', () => {
  assert.ok(commands.length >= 7, commands.join(', '));
  for (const command of [...commands, ...new Set(commands.filter((c) => c.includes(' ')).map((c) => c.split(' ')[0]))]) {
    for (const help of ['--help', '-h']) {
      const answer = ask([...command.split(' '), help]);
      assert.equal(answer.status, 0, `${command} ${help}: ${answer.stderr.split('\n')[0]}`);
      assert.match(answer.stdout, /Usage: adyton/);
      assert.equal(answer.stderr, '');
    }
  }
});

await test('a group of commands shows its own, for help and when what follows is none of them; else all are shown', () => {
  const shown = (text) => [...text.matchAll(/^ {2}([a-z]+(?: [a-z]+)*)(?= {2})/gm)].map((m) => m[1]);
  for (const group of new Set(commands.filter((c) => c.includes(' ')).map((c) => c.split(' ')[0]))) {
    const own = commands.filter((c) => c.startsWith(`${group} `));
    assert.deepEqual(shown(ask([group, '--help']).stdout), own, group);
    for (const args of [[group], [group, 'nothing']]) {
      const answer = ask(args);
      assert.equal(answer.status, 2);
      assert.deepEqual(shown(answer.stderr), own, args.join(' '));
    }
  }
  for (const args of [['bogus'], ['']]) assert.deepEqual(shown(ask(args).stderr), commands, args.join(' '));
});

await test('doc/cli.md knows every command', () => {
  const doc = readFileSync(join(root, 'doc/cli.md'), 'utf8');
  for (const command of commands) assert.ok(doc.includes(`adyton ${command}`), command);
});

// --- wrong arguments, nothing to connect to ---

for (const [args, words] of [
  [[], /Usage/],
  [['what'], /no command 'what'/],
  [['dev'], /Usage/],
  [['dev', 'down'], /no command/],
  [['sign'], /ID/],
  [['sign', 'a', 'b', ...flags], /one ID/],
  [['sign', 'a', '--what'], /--what/],
  [['sign', 'a', ...flags, '--chain'], /--chain/],
  [['sign', 'a', ...flags, '--nonce', '1'], /nonce is given twice/],
  [['sign', 'a', ...flags, '--json', 'x'], /json/],
  [['key', 'put'], /ID/],
  [['key', 'put', 'a b', '--file', '-', '--key-arn', arn], /id|ID|name/],
  [['dev', 'up', '--port', '70000'], /port/],
  [['dev', 'up', '--port', '80x'], /port/],
  [['dev', 'up', 'here'], /here/],
  [['attestation', 'verify'], /FILE|document/i],
  [['attestation', 'get', '--nonce', 'xyz'], /nonce/],
]) {
  await test(`usage: adyton ${args.join(' ').slice(0, 60)}`, () => {
    const answer = ask(args, { input: '' });
    assert.equal(answer.status, 2, `${answer.status}: ${answer.stderr}`);
    assert.match(answer.stderr, words);
    assert.equal(answer.stdout, '');
  });
}

for (const [args, input] of [
  [['sign', 'a', ...flags, '--gateway', nowhere]],
  [['sign', 'a', '--json', '-', '--gateway', nowhere], '{}'],
  [['sign', 'a', '--json', join(top, 'none.json'), '--gateway', nowhere]],
  [['key', 'put', 'a', '--file', '-', '--key-arn', arn, '--endpoint', nowhere], '11'.repeat(32)],
  [['key', 'put', 'a', '--file', join(top, 'none'), '--key-arn', arn, '--endpoint', nowhere]],
  [['attestation', 'get', '--gateway', nowhere]],
  [['attestation', 'verify', join(top, 'none')]],
  [['dev', 'env', '--dir', join(top, 'none')]],
  [['dev', 'measure', '--enclave', join(top, 'none'), '--config', join(top, 'none')]],
]) {
  await test(`nothing there: adyton ${args.slice(0, 4).join(' ')}: exit 3 within seconds, and what to do`, () => {
    const began = Date.now();
    const answer = ask(args, { input: input ?? '' });
    assert.equal(answer.status, 3, `${answer.status}: ${answer.stderr}`);
    assert.ok(answer.stderr.startsWith('adyton: '), answer.stderr);
    assert.equal(answer.stdout, '');
    assert.ok(Date.now() - began < 20000, `${Date.now() - began} ms`);
    assert.ok(!answer.stderr.includes('11111111'), 'the key is on the screen');
  });
}

await test('standard input closed or empty where a key or a transaction is read', () => {
  for (const args of [['key', 'put', 'a', '--file', '-', '--key-arn', arn, '--endpoint', nowhere], ['sign', 'a', '--json', '-', '--gateway', nowhere]]) {
    const empty = ask(args, { input: '' });
    assert.ok([1, 2, 3].includes(empty.status), `${empty.status}`);
    assert.match(empty.stderr, /^adyton: /);
    const closed = spawnSync('sh', ['-c', 'exec "$@" <&-', 'sh', adyton, ...args], { encoding: 'utf8', env: { ...process.env, ...noEnv }, timeout: 20000 });
    assert.ok([1, 2, 3].includes(closed.status), `${args[0]}: ${closed.status} ${closed.signal}`);
    assert.match(closed.stderr, /^adyton: /);
  }
});

await test('standard output closed: exit 3, not 0', () => {
  const full = openSync('/dev/full', 'w');
  const answer = spawnSync(adyton, ['--help'], { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
  closeSync(full);
  assert.equal(answer.status, 3, `${answer.status} ${answer.stderr}`);
});

// --- a stack in odd places ---

const spaces = join(top, 'a folder with spaces & $signs');
const s = await startStack({ dir: (mkdirSync(spaces), spaces) });

await test('a folder with spaces and signs: what dev up and dev env print works in a shell', async () => {
  assert.equal(s.dir, spaces);
  const sh = spawnSync('sh', ['-c', `set -e; eval "$("$A" dev env --dir "$D")"; printf %s "${'11'.repeat(32)}" | "$A" key put shell --file - --json; "$A" sign shell ${flags.join(' ')} --raw; "$A" attestation get --nonce 00ff -o "$D/doc"; "$A" attestation verify "$D/doc" --nonce 00ff --root "$ADYTON_NSM_ROOT"`], { encoding: 'utf8', env: { PATH: process.env.PATH, A: adyton, D: spaces } });
  assert.equal(sh.status, 0, sh.stderr);
  assert.match(sh.stdout, /0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A/i);
  const table = spawnBound(adyton, ['dev', 'up', '--dir', join(top, 'table with space')], { stdio: ['ignore', 'pipe', 'pipe'] });
  atEnd(() => table.kill('SIGKILL'));
  let text = '';
  table.stdout.on('data', (d) => (text += d));
  await until(20000, 'the table', () => /Ctrl-C/.test(text));
  const line = text.split('\n').find((l) => l.includes('dev env')).trim();
  const typed = spawnSync('sh', ['-c', `${line} && echo "$ADYTON_GATEWAY"`], { encoding: 'utf8' });
  assert.match(typed.stdout, /^http:\/\/127/, `${line}: ${typed.stderr}`);
  const ended = new Promise((resolve) => table.on('exit', (code) => resolve(code)));
  table.kill('SIGINT');
  assert.equal(await ended, 0);
});

await test('--json of every command that has it is one object on one line', () => {
  const env = { ...awsEnv(s), ADYTON_KEY_ARN: s.key_arn };
  const object = (answer) => {
    assert.equal(answer.status, 0, answer.stderr);
    assert.equal(answer.stdout.trimEnd().split('\n').length, 1, answer.stdout);
    return JSON.parse(answer.stdout);
  };
  const put = object(ask(['key', 'put', 'j', '--file', '-', '--json', '--endpoint', s.devcloud, '--ca', s.ca_file], { input: r.bytes(32), env }));
  assert.match(put.address, /^0x[0-9a-fA-F]{40}$/);
  const signed = object(ask(['sign', 'j', ...flags, '--output-json'], { env }));
  assert.equal(Transaction.from(signed.signed_transaction).from, put.address);
  const measured = object(ask(['dev', 'measure', '--enclave', join(bin, 'adyton-enclave'), '--config', join(spaces, 'enclave.json'), '--json']));
  assert.equal(measured.pcr0, s.pcr0);
  const file = join(top, 'document');
  assert.equal(ask(['attestation', 'get', '--nonce', 'ab'.repeat(32), '-o', file], { env }).status, 0);
  const verified = object(ask(['attestation', 'verify', file, '--root', s.nsm_root_file, '--nonce', 'ab'.repeat(32), '--pcr0', s.pcr0, '--json']));
  assert.ok(JSON.stringify(verified).includes(s.pcr0));
});

await test('what is refused exits 1 with the reason: transaction, key, document', () => {
  const env = awsEnv(s);
  const refused = (args, words, input = '') => {
    const answer = ask(args, { env, input });
    assert.equal(answer.status, 1, `${args.slice(0, 3).join(' ')}: ${answer.status} ${answer.stderr}`);
    assert.match(answer.stderr, words);
  };
  refused(['sign', 'shell', '--to', '0x000000000000000000000000000000000000dEaD', '--chain', '1', '--value', '0.1ethers'], /--value has an unknown unit/);
  refused(['sign', 'nobody', ...flags], /not_found|nothing of that name/);
  refused(['sign', 'nobody', ...flags], /adyton key list/);
  refused(['sign', 'shell', ...flags, '--from', '0x000000000000000000000000000000000000dEaD'], /from/);
  refused(['sign', 'shell', '--json', '-'], /json|JSON/, '{');
  refused(['sign', 'shell', '--json', '-'], /chain/i, '{"nonce":0}');
  refused(['key', 'put', 'z', '--file', '-', '--key-arn', s.key_arn, '--endpoint', s.devcloud, '--ca', s.ca_file], /key/, '00'.repeat(32));
  refused(['key', 'put', 'z', '--file', '-', '--key-arn', s.key_arn, '--endpoint', s.devcloud, '--ca', s.ca_file], /digits|bytes/, 'abc');
  refused(['key', 'put', 'shell', '--file', '-', '--key-arn', s.key_arn, '--endpoint', s.devcloud, '--ca', s.ca_file], /exists|--replace/, '22'.repeat(32));
  refused(['attestation', 'verify', join(top, 'document')], /root|chain|certificate/);
  refused(['attestation', 'verify', join(top, 'document'), '--root', s.nsm_root_file, '--nonce', 'cd'.repeat(32)], /nonce/);
});

await test('dev up twice on one folder: the second is refused, the first is unharmed', () => {
  const second = ask(['dev', 'up', '--dir', spaces]);
  assert.notEqual(second.status, 0);
  assert.match(second.stderr, /runs in .* already/);
  assert.match(ask(['sign', 'shell', ...flags, '--raw'], { env: awsEnv(s) }).stdout, /^0x02/);
});

await test('dev up on a port in use, in a folder that cannot be: exit 3 and the reason', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.on('listening', resolve));
  const { port } = server.address();
  for (const [args, words] of [
    [['--dir', join(top, 'port'), '--port', String(port)], new RegExp(`${port}.*in use`)],
    [['--dir', join(top, 'port2'), '--port', new URL(s.gateway).port], /in use/],
    [['--dir', `/proc/nowhere-${process.pid}`], /\/proc\/nowhere/],
    [['--dir', join(adyton, 'below')], /below/],
    [['--dir', join(top, 'x'), '--bin', top], /no program/],
    [['--dir', join(top, 'y'), '--gateway-option', 'nonsense=1'], /nonsense/],
    [['--dir', join(top, 'z'), '--devcloud-arg=--what'], /--what|option/],
  ]) {
    const answer = ask(['dev', 'up', '--json', ...args]);
    assert.ok([2, 3].includes(answer.status), `${args.join(' ')}: ${answer.status} ${answer.stderr}`);
    assert.match(answer.stderr, words);
    assert.equal(answer.stdout, '');
    assert.deepEqual(processes(args[1]), [], 'something still runs');
  }
  server.close();
});

await test('a folder whose path has 100 characters, and one of 200', async () => {
  for (const n of [100, 200]) {
    const dir = join(top, 'd'.repeat(60), 'e'.repeat(n)).slice(0, n);
    mkdirSync(join(dir, '..'), { recursive: true });
    const c = await startJson(adyton, ['dev', 'up', '--json', '--dir', dir], { log: join(top, 'long.log') });
    assert.equal(c.ready.dir.length, n);
    assert.equal((await fetch(`${c.ready.gateway}/readyz`)).status, 200);
    assert.deepEqual(await c.stop(), { code: 0, signal: null });
  }
});

await test('Ctrl-C at any moment: the end within seconds, nothing left running, the folder usable', async () => {
  const dir = join(top, 'ctrl-c');
  const codes = {};
  for (let ms = 0; ms <= 1500; ms += ms < 400 ? 25 : 150) {
    const c = spawnBound(adyton, ['dev', 'up', '--json', '--dir', dir], { stdio: ['ignore', 'ignore', 'ignore'], detached: true });
    const ended = new Promise((resolve) => c.on('exit', (code, signal) => resolve(code ?? signal)));
    await wait(ms);
    const began = Date.now();
    // a terminal sends it to the whole foreground group
    try {
      process.kill(ms % 2 ? c.pid : -c.pid, 'SIGINT');
    } catch {
      // it has ended
    }
    const code = await Promise.race([ended, wait(20000).then(() => 'none')]);
    codes[code] = (codes[code] ?? 0) + 1;
    assert.notEqual(code, 'none', `no end after a signal at ${ms} ms`);
    assert.ok(Date.now() - began < 15000, `${Date.now() - began} ms to end after ${ms} ms`); // what does not end is killed after 5 s
    await until(3000, `nothing to run after a signal at ${ms} ms`, () => processes(dir).length === 0);
  }
  console.log(`# ends: ${JSON.stringify(codes)}`);
  assert.deepEqual(Object.keys(codes).filter((c) => !['0', '3', 'SIGINT'].includes(c)), []);
  const c = await startJson(adyton, ['dev', 'up', '--json', '--dir', dir], { log: join(top, 'after.log') });
  assert.deepEqual(await c.stop(), { code: 0, signal: null });
});

await test('kill -9 of dev up: everything ends, and the same folder works again with the same keys', async () => {
  const dir = join(top, 'killed');
  const log = join(top, 'killed.log');
  const first = await startJson(adyton, ['dev', 'up', '--json', '--dir', dir], { log });
  putKey(first.ready, 'kept', '33'.repeat(32));
  first.child.kill('SIGKILL');
  await until(5000, 'the rest to end', () => processes(dir).length === 0);
  const again = await startJson(adyton, ['dev', 'up', '--json', '--dir', dir], { log });
  assert.equal(again.ready.key_arn, first.ready.key_arn);
  const answer = ask(['sign', 'kept', ...flags, '--raw', '--gateway', again.ready.gateway]);
  assert.equal(answer.status, 0, answer.stderr);
  assert.equal(Transaction.from(answer.stdout.trim()).from.toLowerCase(), '0x' + Transaction.from(answer.stdout.trim()).from.slice(2).toLowerCase());
  await again.stop();
});

await test('what dev up leaves is private', () => {
  const open = [];
  const look = (dir) => {
    for (const name of readdirSync(dir)) {
      const path = join(dir, name);
      const st = statSync(path);
      if (st.isDirectory()) look(path);
      else if (st.mode & 0o077 && !/ca\.pem$|server\.pem$|nsm-root\.pem$|doc$|dev-up\.log$/.test(name)) open.push(path);
    }
  };
  look(spaces);
  assert.deepEqual(open, []);
  assert.ok(existsSync(join(spaces, 'stack.json')));
});

await done();
