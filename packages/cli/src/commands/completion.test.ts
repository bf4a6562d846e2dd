import { expect, test } from 'vitest';
import { runCli } from '../../test/fake-host.ts';

const proposed = async (...words: string[]): Promise<string[]> => {
  const { code, out } = await runCli(['__complete', '--', ...words]);
  expect(code).toBe(0);
  return out
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t')[0] ?? '');
};

test('commands, verbs, flags and their values are proposed', async () => {
  expect(await proposed('tok')).toEqual(['token']);
  expect(await proposed('identities', 're')).toEqual(['resume', 'restore', 'reject']);
  expect(await proposed('identities', 'create', '--cad')).toEqual(['--cadence']);
  expect(await proposed('identities', 'create', '--kind', 'ser')).toEqual(['service']);
  expect(await proposed('completion', '')).toEqual(['bash', 'zsh', 'fish']);
});

test('what is hidden is not proposed', async () => {
  expect(await proposed('__')).toEqual(['']);
});

test.each(['bash', 'zsh', 'fish'])('there is a script for %s that asks this program', async (shell) => {
  const { code, out } = await runCli(['completion', shell]);
  expect(code).toBe(0);
  expect(out).toContain('countersign __complete --');
});

test('an unknown shell is a usage error', async () => {
  expect((await runCli(['completion', 'tcsh'])).code).toBe(2);
});
