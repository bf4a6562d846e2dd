import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommandLine } from '../src/main.ts';
import { type FakeHost, fakeHost, type FakeHostOptions, type Ran } from './fake-host.ts';

/** `countersign dev` in this process, with its data under `folder`/.countersign. */
export interface RealAuthority {
  readonly host: FakeHost;
  /** Runs a command line in the folder, over the real network. */
  run(args: readonly string[], options?: FakeHostOptions): Promise<Ran>;
  /** Drains; resolves to the exit code of `dev`. */
  stop(): Promise<number>;
}

export async function startRealAuthority(
  folder: string,
  more: readonly string[] = [],
): Promise<RealAuthority> {
  const host = realHost(folder);
  const dataDir = join(folder, '.countersign');
  const port = more.includes('--port') ? [] : ['--port', '0'];
  const args = ['dev', ...port, '--data-dir', dataDir, '--log-level', 'silent', ...more];
  rmSync(join(dataDir, 'ready.json'), { force: true });
  let ended: number | undefined;
  const running = runCommandLine(args, host).then((code) => (ended = code));
  while (!existsSync(join(dataDir, 'ready.json'))) {
    if (ended !== undefined) throw new Error(`dev ended with ${ended}: ${host.err()}`);
    await sleep(10);
  }
  return {
    host,
    async run(line, options = {}) {
      const here = realHost(folder, options);
      const code = await runCommandLine(line, here);
      return { code, out: here.out(), err: here.err() };
    },
    stop() {
      host.signal('SIGTERM');
      return running;
    },
  };
}

/** Of a fake host only the streams stay fake. */
function realHost(cwd: string, options: FakeHostOptions = {}): FakeHost {
  return { ...fakeHost({ cwd, ...options }), now: Date.now };
}
