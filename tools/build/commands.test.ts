import { execFile, execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../source/report.mjs';

const COMMANDS = [
  'packages/cli/bin/countersign.js',
  'packages/gateway/bin/countersign-gateway.js',
  'packages/agent/bin/countersign-agent.js',
];
const EARLIER = new Date('2026-01-01T00:00:00Z');
const LATER = new Date('2026-01-01T00:00:01Z');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'commands-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string, modified: Date): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
  utimesSync(join(folder, path), modified, modified);
}

function says(word: string): string {
  return `export const main = () => console.log('${word}');`;
}

describe.each(COMMANDS)('%s', (command) => {
  beforeEach(() => {
    cpSync(join(ROOT, command), join(folder, 'bin/command.js'));
    write('package.json', '{"type":"module"}', EARLIER);
    write('dist/main.js', says('compiled'), EARLIER);
    write('dist/.tsbuildinfo', '', EARLIER);
    write('dist/bundle/main.js', says('bundled'), EARLIER);
    write('dist/bundle/inputs.json', '["../.tsbuildinfo"]', EARLIER);
  });
  const run = (): string =>
    execFileSync(process.execPath, [join(folder, 'bin/command.js')], { encoding: 'utf8' }).trim();

  it('runs the bundle of the code that is there', () => {
    expect(run()).toBe('bundled');
  });

  it('runs what was compiled after the bundle', () => {
    write('dist/.tsbuildinfo', '', LATER);
    expect(run()).toBe('compiled');
  });

  it('runs what was compiled where the bundle was made of something that is gone', () => {
    rmSync(join(folder, 'dist/.tsbuildinfo'));
    expect(run()).toBe('compiled');
  });

  it('runs what was compiled while there is no bundle, or not yet a whole one', () => {
    rmSync(join(folder, 'dist/bundle/main.js'));
    expect(run()).toBe('compiled');
  });

  it('runs the bundle of a published package, which has no list of inputs', () => {
    rmSync(join(folder, 'dist/bundle/inputs.json'));
    write('dist/.tsbuildinfo', '', LATER);
    expect(run()).toBe('bundled');
  });
});

describe('what npm packs of @countersign/cli', () => {
  const BUILT = existsSync(join(ROOT, 'packages/cli/dist/bundle/main.js'));

  /** Without the packages of the bundle: only what cannot be bundled is there. */
  async function unpack(): Promise<string> {
    const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: join(ROOT, 'packages/cli'),
      maxBuffer: 16 * 1024 * 1024,
    });
    const [{ files }] = JSON.parse(stdout) as [{ readonly files: readonly { readonly path: string }[] }];
    for (const { path } of files) cpSync(join(ROOT, 'packages/cli', path), join(folder, path));
    mkdirSync(join(folder, 'node_modules/@photostructure'), { recursive: true });
    for (const name of ['@photostructure/sqlite', 'yaml']) {
      symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
    }
    return join(folder, 'bin/countersign.js');
  }

  it('runs an authority from its bundle, which carries the licences of what is in it', async (ctx) => {
    if (!BUILT) return ctx.skip('not built: npm run build');
    const command = await unpack();
    const bundle = join(folder, 'dist/bundle');
    expect(existsSync(join(bundle, 'inputs.json'))).toBe(false);
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    expect(execFileSync(process.execPath, [command, 'version'], { encoding: 'utf8' }).trim()).toContain(
      version,
    );

    // What is loaded only where it is needed is found in the bundle too.
    const declared = join(folder, 'declared.yaml');
    writeFileSync(declared, 'apiVersion: countersign/v1\nkind: Access\nmetadata: {name: a}\nspec: {}\n');
    const apply = promisify(execFile)(process.execPath, [command, 'apply', '-f', declared, '--dry-run']);
    await expect(apply).rejects.toThrow('declared.yaml:4:1: spec.');

    const config = join(folder, 'config.yaml');
    writeFileSync(config, 'port: 0\nlog-level: warn\n');
    const readyFile = join(folder, 'ready.json');
    const places = ['--config', config, '--data-dir', join(folder, 'data'), '--ready-file', readyFile];
    const authority = execFile(process.execPath, [command, 'dev', '--http', ...places]);
    const ended = new Promise((resolve) => authority.once('close', resolve));
    let complaint = '';
    authority.stderr?.on('data', (text: string) => (complaint += text));
    try {
      while (!existsSync(readyFile) && authority.exitCode === null) await sleep(20);
      expect(existsSync(readyFile), complaint).toBe(true);
      expect(JSON.parse(readFileSync(readyFile, 'utf8'))).toMatchObject({ version });
    } finally {
      authority.kill('SIGTERM');
      await ended;
    }

    const notices = readFileSync(join(bundle, 'THIRD-PARTY-NOTICES.txt'), 'utf8');
    for (const name of ['fastify', 'pino', 'zod', 'pg', 'nodemailer']) {
      const { version: installed } = JSON.parse(
        readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'),
      ) as { version: string };
      expect(notices).toContain(`\n${name} ${installed} (`);
      expect(notices).toContain(readFileSync(join(ROOT, 'node_modules', name, 'LICENSE'), 'utf8').trim());
    }
  }, 60_000);
});
