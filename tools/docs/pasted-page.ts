// A page of the documentation as somebody follows it who pastes its blocks: in an empty folder, with an authority of their own.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Fence, fencesOf } from './fences.mjs';

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

/** Commands of ours, by name. */
const COMMANDS = {
  countersign: 'cli/bin/countersign.js',
  'countersign-mqtt': 'mqtt/bin/countersign-mqtt.js',
};
/** How long a block may take. */
const WITHIN_MS = 60_000;

export interface PastedPage {
  readonly folder: string;
  readonly issuer: string;
  readonly fences: readonly Fence[];
  /** What a block is here: other addresses and programs, and commands of ours without the search for them. */
  here(code: string): string;
  /** The one block of this language that holds this text, as it is here. @throws Error where there is none, or several */
  block(language: string, part: string): string;
  /** Runs commands to their end, and gives what they print. @throws Error with all they said where one fails */
  shell(commands: string): Promise<string>;
  /** Starts commands that stay. They end with the page. */
  start(commands: string): ChildProcess;
  close(): Promise<void>;
}

/**
 * @param path of the page
 * @param elsewhere what is written on it, and what stands for it here
 */
export async function openPage(
  path: string,
  elsewhere: Readonly<Record<string, string>>,
): Promise<PastedPage> {
  const fences = fencesOf(readFileSync(join(ROOT, path), 'utf8'));
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'countersign-page-')));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const children: ChildProcess[] = [];
  let issuer = 'https://localhost:8443';

  function here(code: string): string {
    let said = code.replaceAll('https://localhost:8443', issuer);
    for (const [there, address] of Object.entries(elsewhere)) said = said.replaceAll(there, address);
    for (const [name, file] of Object.entries(COMMANDS)) {
      const program = `'${process.execPath}' '${join(ROOT, 'packages', file)}' `;
      said = said.replaceAll(`npx --no -- ${name} `, program);
    }
    return said;
  }

  const page: PastedPage = {
    folder,
    get issuer() {
      return issuer;
    },
    fences,
    here,
    block(language, part) {
      const found = fences.filter((fence) => fence.language === language && fence.code.includes(part));
      const [first] = found;
      if (first === undefined || found.length > 1) throw new Error(`${found.length} blocks hold ${part}`);
      return here(first.code);
    },
    shell: (commands) =>
      new Promise((resolve, reject) => {
        const options = { cwd: folder, timeout: WITHIN_MS };
        execFile('sh', ['-ec', commands], options, (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(`${commands}\n${stdout}\n${stderr}`));
        });
      }),
    start(commands) {
      const child = spawn('sh', ['-ec', `exec ${commands.trim().replace(/ *&$/, '')}`], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      for (const stream of [child.stdout, child.stderr]) stream.resume();
      children.push(child);
      return child;
    },
    async close() {
      for (const child of children.toReversed()) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await ended;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const ready = join(folder, '.countersign/ready.json');
  const authority = page.start(here('npx --no -- countersign dev --port 0 --log-level silent'));
  for (let tries = 0; !existsSync(ready); tries++) {
    if (tries > 3000 || authority.exitCode !== null) throw new Error('the authority did not start');
    await sleep(10);
  }
  issuer = (JSON.parse(readFileSync(ready, 'utf8')) as { issuer: string }).issuer;
  return page;
}

/** A port of this machine that nobody has right now. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
