import type { Command, RouteMap } from '@stricli/core';
import { expect, test } from 'vitest';
import { runCli } from '../test/fake-host.ts';
import type { CliContext } from './context.ts';
import { connectionFlags } from './flags/connection.ts';
import { COMMANDS } from './program.ts';

const isMap = (target: object): target is RouteMap<CliContext> => 'getAllEntries' in target;

/** Every command line that has a help of its own. */
async function allRoutes(): Promise<readonly string[][]> {
  const routes: string[][] = [[]];
  for (const [name, { load }] of Object.entries(COMMANDS)) {
    routes.push([name]);
    const target = await load();
    if (isMap(target)) routes.push(...target.getAllEntries().map((entry) => [name, entry.name.original]));
  }
  return routes;
}

test('the help of every command is as agreed: a change of it is a change of what scripts rely on', async () => {
  let text = '';
  for (const route of await allRoutes()) {
    const { code, out, err } = await runCli([...route, '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    text += `\n######## countersign ${route.join(' ')}\n${out}`;
  }
  await expect(text).toMatchFileSnapshot('../test/help.txt');
});

test.each([
  ['token', 'get', '--client-secret', 'x'],
  ['identities', 'list', '--client-secret=x'],
])('no flag takes a secret, and which does instead is said: %s %s %s', async (...args) => {
  const { code, err } = await runCli(args);
  expect(code).toBe(2);
  expect(err).toContain('fix: No flag takes a secret. Name its file: --client-secret-file FILE');
});

test('whoever asks for --json is told how the form is chosen', async () => {
  const { code, err } = await runCli(['risk', 'list', '--json']);
  expect(code).toBe(2);
  expect(err).toContain('fix: Say it with -o json\n');
});

test('each help opens with examples', async () => {
  for (const route of await allRoutes()) {
    const { out } = await runCli([...route, '--help']);
    expect(out.split('\n')[0]).toBe('EXAMPLES');
  }
});

test('no flag of the contract hides one that says where to connect and as whom', async () => {
  for (const { load } of Object.values(COMMANDS)) {
    const target = await load();
    const commands = isMap(target) ? target.getAllEntries().map((entry) => entry.target) : [target];
    for (const command of commands as Command<CliContext>[]) {
      const { clientId, issuer } = (command.parameters.flags ?? {}) as Record<
        string,
        { readonly brief: string }
      >;
      if (clientId !== undefined) expect(clientId.brief).toBe(connectionFlags.clientId.brief);
      // `dev` and `serve` have an issuer of their own.
      if (clientId !== undefined) expect(issuer?.brief).toBe(connectionFlags.issuer.brief);
    }
  }
});

test('no flag takes a secret or a token itself', async () => {
  for (const route of await allRoutes()) {
    const { out } = await runCli([...route, '--help']);
    for (const [, flag] of out.matchAll(/^ .*?--([a-z-]+)/gm)) {
      if (/secret|token|password/.test(flag ?? '')) {
        expect(flag).toMatch(
          /-file$|^show-secret$|^token-(?:format|lifetime|typ)$|^max-token-age$|^allow-token-endpoint-audience$/,
        );
      }
    }
  }
});

test('typing errors are told with what was probably meant, and end with 2', async () => {
  expect(await runCli(['identites', 'list'])).toEqual({
    code: 2,
    out: '',
    err: 'error: there is no command "identites"\nfix: did you mean `identities`?\n',
  });
  expect(await runCli(['identities', 'lst'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('`list`') as string,
  });
  expect(await runCli(['identities', 'list', '--stat', 'x'])).toMatchObject({
    code: 2,
    err: 'error: there is no flag --stat\nfix: did you mean --state?\n',
  });
  expect(await runCli(['identities', 'list', '--state', 'activ'])).toMatchObject({
    code: 2,
    err: 'error: --state cannot be "activ"\nfix: did you mean active?\n',
  });
});

test('show is get, where there is no other show', async () => {
  expect((await runCli(['identities', 'show', '--help'])).out).toContain('Show an identity');
});

test.each([
  // Flags are told as the help writes them.
  [
    ['identities', 'list', '--ownerteem', 'x'],
    'there is no flag --ownerteem\nfix: did you mean --owner-team?',
  ],
  [['identities', 'list', '-x'], 'there is no flag -x'],
  [['identities', 'list', '--state', 'gone'], '--state cannot be "gone"\nfix: write one of draft, '],
  [
    ['connect', 'p', '--to', 'f', '--scopes', 's', '--owner', 'a', '--for', '90'],
    '--for cannot be "90"\nfix: Write a span such as 90d, 12h or 30m.',
  ],
  [['connect', 'p q', '--to', 'f'], 'NAME cannot be "p q"\nfix: '],
  [
    ['access', 'create', '--identity', '--dry-run'],
    '--identity is needed, with its value, and --dry-run follows',
  ],
  [['access', 'create', '--dry-run'], '--resource-server is needed, with its value'],
  [['explain'], 'REQUEST_ID is missing'],
  [['explain', 'req_a', 'req_b'], '"req_b" is one word too many\nfix: put a text'],
  [
    ['apply', 'bad.yaml'],
    '"bad.yaml" is one word too many\nfix: name a file with its flag, such as -f bad.yaml',
  ],
  [['explain', 'req_a', '--issuer', 'a', '--issuer', 'b'], '--issuer is there twice'],
])('what is wrong with a command line is said with its fix: %j', async (args, told) => {
  const { code, err } = await runCli(args);
  expect(err).toContain(`error: ${told}`);
  expect(code).toBe(2);
});

test('the version is that of the package', async () => {
  const { out } = await runCli(['version']);
  expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect((await runCli(['--version'])).out).toBe(out);
});
