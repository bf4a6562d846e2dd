import type { Readable } from 'node:stream';

/** A place to write text to. `columns` is known only for terminals. */
export interface Output {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  /** Whoever read it has left (`| head`): what is written is not wanted. */
  readonly closed?: boolean;
  write(text: string): void;
}

/** Where answers and secrets come in. */
export interface Input {
  readonly isTTY: boolean;
  /** All of it, to its end, as UTF-8. */
  readAll(): Promise<string>;
  /** One line typed after `question`; undefined when the input ended or Ctrl-C was pressed. Only on a terminal. */
  ask(question: string): Promise<string | undefined>;
}

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** All that a command may touch of the process it runs in, so that tests can run it in theirs. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Version of the runtime, such as `20.19.0`. */
  readonly nodeVersion: string;
  /** Replaces the network where given. */
  readonly fetch?: typeof fetch;
  /** Opens an address where a person sees it; false when there is nothing to open it with. */
  openBrowser?(url: string): Promise<boolean>;
  /** Calls back for each signal to stop; returns how to stop listening. */
  onStopSignal(listener: (signal: StopSignal) => void): () => void;
  /** Ends the process now, without draining. */
  exit(code: number): void;
}

/** The host of the real process. */
export function processHost(): Host {
  return {
    env: process.env,
    cwd: process.cwd(),
    // Only where asked for: opening it can hold the process.
    get stdin() {
      return inputOf(process.stdin);
    },
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    now: Date.now,
    nodeVersion: process.versions.node,
    onStopSignal(listener) {
      const onSignal = (signal: NodeJS.Signals): void => listener(signal as StopSignal);
      process.on('SIGINT', onSignal);
      process.on('SIGTERM', onSignal);
      return () => {
        process.off('SIGINT', onSignal);
        process.off('SIGTERM', onSignal);
      };
    },
    openBrowser: openInBrowser,
    exit: (code) => process.exit(code),
  };
}

/** The address has no secret in it; the command that opens it is the platform's own. */
async function openInBrowser(url: string): Promise<boolean> {
  const { spawn } = await import('node:child_process');
  const { platform, env } = process;
  const headless =
    platform === 'linux' && env['DISPLAY'] === undefined && env['WAYLAND_DISPLAY'] === undefined;
  if (headless) return false;
  const [command, ...args] = (
    platform === 'darwin'
      ? ['open', url]
      : platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url]
  ) as [string, ...string[]];
  return await new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}

function outputOf(stream: NodeJS.WriteStream): Output {
  let closed = false;
  // A reader that left (`| head`) is no failure.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    closed = true;
  });
  return {
    isTTY: stream.isTTY === true,
    get closed() {
      return closed;
    },
    get columns() {
      return stream.isTTY === true ? stream.columns : undefined;
    },
    write: (text) => void stream.write(text),
  };
}

function inputOf(stream: NodeJS.ReadStream): Input {
  return {
    isTTY: stream.isTTY === true,
    readAll: () => readAll(stream),
    async ask(question) {
      const { createInterface } = await import('node:readline');
      const terminal = createInterface({ input: stream, output: process.stderr });
      return new Promise((resolve) => {
        terminal.on('close', () => resolve(undefined));
        terminal.on('SIGINT', () => terminal.close());
        terminal.question(question, (answer) => {
          resolve(answer);
          terminal.close();
        });
      });
    },
  };
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
