import { afterEach, expect, test, vi } from 'vitest';
import { main } from './main.ts';

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** What the command says on stderr, and its exit code. */
async function said(args: readonly string[]): Promise<readonly [string, typeof process.exitCode]> {
  let text = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  await main(args);
  return [text, process.exitCode];
}

test('without a file of rules it says what is missing, then how it is used', async () => {
  expect(await said([])).toEqual([
    expect.stringMatching(/^--config is missing\n\nusage: countersign-gateway /),
    2,
  ]);
});

test('a file that is not there is named', async () => {
  expect(await said(['--config', 'absent.yaml', '--check'])).toEqual([
    'There is no file absent.yaml. --config names the file of rules.\n',
    2,
  ]);
});
