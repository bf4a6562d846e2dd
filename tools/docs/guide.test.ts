import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fencesOf } from './fences.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND = join(ROOT, 'packages/cli/bin/countersign.js');
const CURL = process.env['COUNTERSIGN_TEST_CURL'] ?? 'curl';
const page = readFileSync(join(ROOT, 'docs/guide/first-token.md'), 'utf8');
const programs = fencesOf(page).filter(({ language }) => language === 'js');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'countersign-guide-')));
const children: ChildProcess[] = [];
let issuer = '';
let api = '';

/** What a block of the page is here: other ports, and the command without the search for it. */
function here(code: string): string {
  return code
    .replaceAll('https://localhost:8443', issuer)
    .replaceAll('http://127.0.0.1:3000', api)
    .replaceAll('listen(3000', `listen(${new URL(api || 'http://a:1').port}`)
    .replaceAll('npx --no -- countersign', `'${process.execPath}' '${COMMAND}'`)
    .replaceAll(/\bcurl /g, `'${CURL}' `);
}

/** The one block of shell commands that holds this text. */
function shellBlock(part: string): string {
  const found = fencesOf(page).filter(({ language, code }) => language === 'sh' && code.includes(part));
  expect(found, part).toHaveLength(1);
  return here(found[0]!.code);
}

function shell(commands: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('sh', ['-ec', commands], { cwd: folder }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${commands}\n${stdout}\n${stderr}`));
      else resolve(stdout);
    });
  });
}

function start(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

function firstWords(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += String(chunk)));
    child.stdout?.once('data', (chunk: Buffer) => resolve(String(chunk)));
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function hasCurl(): Promise<boolean> {
  return await shell(`'${CURL}' --version`).then(
    () => true,
    () => false,
  );
}

beforeAll(async () => {
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  start([COMMAND, 'dev', '--port', '0', '--log-level', 'silent']);
  const ready = join(folder, '.countersign/ready.json');
  for (let i = 0; !existsSync(ready) && i < 3000; i++) await sleep(10);
  issuer = (JSON.parse(readFileSync(ready, 'utf8')) as { issuer: string }).issuer;
  api = `http://127.0.0.1:${await freePort()}`;
});

afterAll(async () => {
  for (const child of children.reverse()) {
    if (child.exitCode !== null) continue;
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  }
  rmSync(folder, { recursive: true, force: true });
});

describe('the guide to the first token', () => {
  it('has the programs of the README, and they are of sound types', async () => {
    const shown = fencesOf(readFileSync(join(ROOT, 'README.md'), 'utf8'));
    expect(shown.filter(({ language }) => language === 'js')).toEqual(programs);
    const [first, second] = programs.map(({ code }) => code);
    writeFileSync(join(folder, 'api.mts'), first!);
    writeFileSync(join(folder, 'call.mts'), second!);
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

    writeFileSync(join(folder, 'api.mjs'), here(programs[0]!.code));
    writeFileSync(join(folder, 'call.mjs'), here(programs[1]!.code));
    expect(await firstWords(start(['api.mjs']))).toContain(api);
    expect(await shell(shellBlock('node call.mjs'))).toBe('200 { score: 7 }\n');

    expect(await shell(shellBlock('connect leaky'))).toMatch(/{"score":7}\n$/);
    expect(await shell(shellBlock('cutoffs create'))).toMatch(/{"error":"invalid_token"}\n$/);
    expect(await shell('node call.mjs')).toContain('200');
    const [ask, explain] = shellBlock('explain req_').trim().split('\n') as [string, string];
    const id = /^request-id: (req_\w+)/im.exec(await shell(ask))?.[1] ?? 'none';
    expect(await shell(explain.replace('req_…', id))).toContain('identity_suspended');
  }, 60_000);

  it('is right that without the CA nothing starts, and that the error says so', async () => {
    const code = here(programs[0]!.code).replace(/^ *fetch: .*\n/m, '');
    writeFileSync(join(folder, 'untrusting.mjs'), code);
    const started = performance.now();
    await expect(firstWords(start(['untrusting.mjs']))).rejects.toThrow('pass fetch: fetchTrusting(ca)');
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
