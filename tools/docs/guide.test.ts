import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fencesOf } from './fences.mjs';
import { freePort, openPage, type PastedPage, ROOT } from './pasted-page.ts';

const CURL = process.env['COUNTERSIGN_TEST_CURL'] ?? 'curl';
let page: PastedPage;
let programs: PastedPage['fences'];
let api = '';

beforeAll(async () => {
  const port = await freePort();
  api = `http://127.0.0.1:${port}`;
  const elsewhere = {
    'http://127.0.0.1:3000': api,
    'listen(3000': `listen(${port}`,
    'curl -': `'${CURL}' -`,
  };
  page = await openPage('docs/guide/first-token.md', elsewhere);
  programs = page.fences.filter(({ language }) => language === 'js');
});
afterAll(() => page.close());

const shellBlock = (part: string): string => page.block('sh', part);
const shell = (commands: string): Promise<string> => page.shell(commands);
const here = (code: string): string => page.here(code);
const start = (file: string): ChildProcess => page.start(`'${process.execPath}' ${file}`);
const put = (file: string, code: string): void => writeFileSync(join(page.folder, file), code);

function firstWords(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += String(chunk)));
    child.stdout?.once('data', (chunk: Buffer) => resolve(String(chunk)));
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
}

function hasCurl(): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(CURL, ['--version'], (error) => resolve(error === null));
  });
}

describe('the guide to the first token', () => {
  it('has the programs of the README, and they are of sound types', async () => {
    const shown = fencesOf(readFileSync(join(ROOT, 'README.md'), 'utf8'));
    expect(shown.filter(({ language }) => language === 'js')).toEqual(programs);
    const [first, second] = programs.map(({ code }) => code);
    put('api.mts', first!);
    put('call.mts', second!);
    const strict = '--noEmit --strict --module nodenext --target es2023 --types node --skipLibCheck';
    await shell(`'${process.execPath}' '${ROOT}/node_modules/typescript/bin/tsc' ${strict} api.mts call.mts`);
  });

  it('works from top to bottom', async (ctx) => {
    if (process.platform === 'win32') ctx.skip('by design: the page is for a POSIX shell');
    if (!(await hasCurl())) ctx.skip('absent: curl');
    await shell(shellBlock('resource-servers create'));
    expect(await shell(shellBlock('connect payments'))).toContain('curl');
    expect(await shell(shellBlock('payments:$('))).toMatch(/"scope":"fraud:read"}\n$/);
    expect(await shell(shellBlock('token inspect'))).toContain('fraud:read');

    put('api.mjs', here(programs[0]!.code));
    put('call.mjs', here(programs[1]!.code));
    expect(await firstWords(start('api.mjs'))).toContain(api);
    expect(await shell(shellBlock('node call.mjs'))).toBe('200 { score: 7 }\n');

    expect(await shell(shellBlock('connect leaky'))).toMatch(/{"score":7}\n$/);
    expect(await shell(shellBlock('cutoffs create'))).toMatch(/{"error":"invalid_token"}\n$/);
    expect(await shell('node call.mjs')).toContain('200');
    const [ask, explain] = shellBlock('explain req_').trim().split('\n') as [string, string];
    const id = /^request-id: (req_\w+)/im.exec(await shell(ask))?.[1] ?? 'none';
    expect(await shell(explain.replace('req_…', id))).toContain('identity_suspended');
  }, 120_000);

  it('is right that without the CA nothing starts, and that the error says so', async () => {
    const code = here(programs[0]!.code).replace(/^ *fetch: .*\n/m, '');
    put('untrusting.mjs', code);
    const started = performance.now();
    await expect(firstWords(start('untrusting.mjs'))).rejects.toThrow('pass fetch: fetchTrusting(ca)');
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
