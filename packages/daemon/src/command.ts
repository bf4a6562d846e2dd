// A command that runs until it is told to end: flags, the file, signals, exit codes.
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfiguredFile, UnreadableFile } from '@countersign/protocol/configured-file';
import { writeReadyFile } from '@countersign/protocol/ready-file';
import { stopSignal } from '@countersign/protocol/stop-signal';
import { type ConfiguredFiles, filesBeside } from './settings-file/configured-file.ts';
import { ConfigFault } from './settings-file/yaml-reader.ts';

/** What was started. */
export interface Running {
  /** Where it listens. */
  readonly ready: object;
  /** Not ready, finish what is under way, close. */
  stop(): Promise<void>;
}

/** Everything that a process is made of, before it has listened anywhere or asked anybody. */
export interface Assembled {
  start(): Promise<Running>;
  /** In the place of a start. */
  discard(): Promise<void>;
}

export interface DaemonCommand<Config> {
  readonly usage: string;
  readonly version: string;
  /** @param file where the text is from @param files those that the text names are named here @throws ConfigFault */
  read(file: string, text: string, files: ConfiguredFiles): Config;
  /** What `--check` says of a file that is right. */
  describe(config: Config): string;
  /** What cannot be started ends here, so that `--check` finds it. @throws ConfigFault */
  assemble(config: Config): Assembled;
}

const OPTIONS = {
  config: { type: 'string' },
  'ready-file': { type: 'string' },
  check: { type: 'boolean' },
  version: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** Runs the command. Exit codes as those of `countersign`: 0 ok, 1 failure, 2 usage. */
export async function runDaemon<Config>(
  command: DaemonCommand<Config>,
  args: readonly string[],
): Promise<void> {
  try {
    await run(command, args);
  } catch (error) {
    process.stderr.write(`${told(error, command.usage)}\n`);
    process.exitCode = isUsage(error) ? 2 : 1;
  }
}

async function run<Config>(command: DaemonCommand<Config>, args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.version === true) return say(`${command.version}\n`);
  if (values.help === true) return say(command.usage);
  if (values.config === undefined) throw new UsageError(`--config is missing\n\n${command.usage}`);
  const file = resolve(values.config);
  const files = filesBeside(file);
  const config = command.read(file, textOf(file, values.config), files);
  if (values.check === true) {
    files.check();
    await command.assemble(config).discard();
    return say(`${values.config}: ${command.describe(config)}\n`);
  }
  const stopping = stopSignal();
  const running = await Promise.race([command.assemble(config).start(), stopping]);
  if (running === undefined) return process.exit(0);
  const readyFile = values['ready-file'] && resolve(values['ready-file']);
  if (readyFile) await writeReadyFile(readyFile, running.ready);
  await stopping;
  await running.stop();
  if (readyFile) await rm(readyFile, { force: true });
  process.exit(0);
}

function say(text: string): void {
  process.stdout.write(text);
}

function textOf(file: string, named: string): string {
  try {
    return readConfiguredFile(file);
  } catch (error) {
    throw error instanceof UnreadableFile
      ? new UsageError(`--config names ${named}, which ${error.problem}.`)
      : error;
  }
}

class UsageError extends Error {}

/** What Node says of a machine, in words that name the settings. */
function told(error: unknown, usage: string): string {
  const { message, code, address, port } = error as NodeJS.ErrnoException & {
    readonly address?: string;
    readonly port?: number;
  };
  if (isOfFlags(code)) return `${message}\n\n${usage}`;
  if (code === 'EADDRINUSE')
    return `${address}:${port} is taken by another program: name another port under listen`;
  if (code === 'EADDRNOTAVAIL')
    return `${address} is no address of this machine: name one of its own under listen`;
  if (code === 'EACCES' && port !== undefined) {
    return `This user may not listen on port ${port}: name one from 1024 on under listen`;
  }
  return message;
}

function isOfFlags(code: unknown): boolean {
  return typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS');
}

function isUsage(error: unknown): boolean {
  if (error instanceof ConfigFault || error instanceof UsageError) return true;
  return isOfFlags((error as { code?: unknown }).code);
}
