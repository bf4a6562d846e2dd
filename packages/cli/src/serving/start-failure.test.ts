import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startAuthority } from '@countersign/server/main';
import { expect, test } from 'vitest';
import { runCli, temporaryFolder } from '../../test/fake-host.ts';

const dev = (...args: string[]) =>
  runCli([
    'dev',
    ...(args.includes('--data-dir') ? [] : ['--data-dir', temporaryFolder()]),
    '--log-level',
    'silent',
    ...(args.includes('--port') ? [] : ['--port', '0']),
    ...args,
  ]);

test('a setting that is wrong or unsafe ends with 2, its name and its fix', async () => {
  expect(await dev('--set', 'token-lifetime=forever')).toMatchObject({
    code: 2,
    err: expect.stringContaining('token-lifetime is out of bounds: it goes from ') as string,
  });
  expect(await dev('--set', 'nope=1')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--nope is not a setting.') as string,
  });
  const serve = await runCli([
    'serve',
    '--issuer',
    'https://authority.example',
    '--data-dir',
    temporaryFolder(),
  ]);
  expect(serve).toMatchObject({ code: 2, err: expect.stringContaining('tls-cert is missing') as string });
});

test('a port that is taken is told, with how to take another', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const { code, err } = await runCli([
    'dev',
    '--data-dir',
    temporaryFolder(),
    '--log-level',
    'silent',
    '--port',
    String(port),
  ]);
  await new Promise<void>((resolve) => other.close(() => resolve()));
  expect(code).toBe(1);
  expect(err).toBe(
    `error: 127.0.0.1:${port} is taken by another program.\nfix: Name another port with --port, or 0 for any free one.\n`,
  );
});

test.each([
  [
    'of a process that lives',
    process.pid,
    /^error: It runs already: https:\/\/localhost:\d+, pid \d+\.\nfix: Use that one/,
  ],
  ['that outlived its process', 2 ** 22 + 1, /is taken by another program/],
])('a port that the ready file of the same place names, %s', async (_, pid, said) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'data'));
  const ready = { pid, issuer: `https://localhost:${port}` };
  writeFileSync(join(cwd, 'data/ready.json'), JSON.stringify(ready));
  const args = ['--data-dir', join(cwd, 'data'), '--port', String(port)];
  const { code, err } = await dev(...args);
  await new Promise<void>((resolve) => other.close(() => resolve()));
  expect(code).toBe(1);
  expect(err).toMatch(said);
});

test('a file that is not there is a usage error, with the setting that names it', async () => {
  const file = join(temporaryFolder(), 'gone.yaml');
  expect(await dev('--apply', file)).toMatchObject({
    code: 2,
    err: `error: apply names ${file}, which is not there.\n`,
  });
});

test('a database that does not answer is unreachable, and is not taken for the authority', async () => {
  const { code, err } = await dev('--database', 'postgres://127.0.0.1:1/countersign');
  expect(code).toBe(7);
  expect(err).toMatch(
    /^error: The database cannot be reached: nothing listens there .+\nfix: Check --database.\n$/,
  );
});

test.each([
  ['master-key-file', 'is a folder'],
  ['config', 'is a folder'],
  ['tls-cert', 'is a folder'],
])('a folder in the place of the file of %s is a usage error', async (setting, problem) => {
  const folder = temporaryFolder();
  const more = setting === 'tls-cert' ? ['--tls-key', folder] : [];
  expect(await dev(`--${setting}`, folder, ...more)).toMatchObject({
    code: 2,
    err: `error: ${setting} names ${folder}, which ${problem}.\n`,
  });
});

test.each([
  ['cut short', 'ab'.repeat(31), 'does not hold 64 hex digits'],
  ['of another authority', 'ab'.repeat(32), 'is not the one the database was made with'],
  ['gone', undefined, 'is not there'],
])('a master key that is %s is a usage error', async (_, text, problem) => {
  const folder = temporaryFolder();
  const theirs = join(folder, 'theirs.key');
  const ours = join(folder, 'ours.key');
  writeFileSync(theirs, 'cd'.repeat(32), { mode: 0o600 });
  if (text !== undefined) writeFileSync(ours, text, { mode: 0o600 });
  const flags = { http: true, port: '0', 'data-dir': folder, 'log-level': 'silent' };
  const first = await startAuthority({
    mode: 'dev',
    flags: { ...flags, 'master-key-file': theirs },
    env: {},
  });
  await first.stop();
  const { code, err } = await runCli([
    'serve',
    '--data-dir',
    folder,
    '--master-key-file',
    ours,
    '--issuer',
    'https://authority.example',
    '--trusted-proxy',
    '127.0.0.1',
    '--log-level',
    'silent',
    '--port',
    '0',
  ]);
  expect([code, err]).toEqual([2, `error: master-key-file names ${ours}, which ${problem}.\n`]);
});
