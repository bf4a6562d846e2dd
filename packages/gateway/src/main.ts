// The command countersign-gateway: flags, the file, signals, exit codes.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfigFile } from './config/read-config.ts';
import { ConfigFault } from './config/yaml-reader.ts';
import { startGateway } from './gateway.ts';
import { writeReadyFile } from './ready-file.ts';
import { VERSION } from './version.ts';

const USAGE = `usage: countersign-gateway --config FILE [--ready-file FILE]
       countersign-gateway --config FILE --check
       countersign-gateway --version

  --config FILE      the rules, and where to listen (docs/guide/gateway.md)
  --check            read the file, say what is wrong with it, and end
  --ready-file FILE  write where it listens, once it can decide
`;

const OPTIONS = {
  config: { type: 'string' },
  'ready-file': { type: 'string' },
  check: { type: 'boolean' },
  version: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** Runs the command. Exit codes as those of `countersign`: 0 ok, 1 failure, 2 usage. */
export async function main(args: readonly string[] = process.argv.slice(2)): Promise<void> {
  try {
    await run(args);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = isUsage(error) ? 2 : 1;
  }
}

async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.version === true) return say(`${VERSION}\n`);
  if (values.help === true) return say(USAGE);
  if (values.config === undefined) throw new UsageError(`--config is missing\n\n${USAGE}`);
  const file = resolve(values.config);
  if (!existsSync(file)) {
    throw new UsageError(`There is no file ${values.config}. --config names the file of rules.`);
  }
  const config = readConfigFile(file);
  if (values.check === true) return say(`${values.config}: ${config.routes.length} rules\n`);
  const stopping = signalled();
  const gateway = await Promise.race([startGateway(config), stopping]);
  if (gateway === undefined) return process.exit(0);
  const readyFile = values['ready-file'] && resolve(values['ready-file']);
  if (readyFile) await writeReadyFile(readyFile, gateway.ready);
  await stopping;
  await gateway.stop();
  if (readyFile) await rm(readyFile, { force: true });
  process.exit(0);
}

/** Resolves at the first SIGTERM or SIGINT; the second ends the process at once. */
function signalled(): Promise<undefined> {
  return new Promise((resolve) => {
    let before = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (before) process.exit(1);
        before = true;
        resolve(undefined);
      });
    }
  });
}

function say(text: string): void {
  process.stdout.write(text);
}

class UsageError extends Error {}

function isUsage(error: unknown): boolean {
  if (error instanceof ConfigFault || error instanceof UsageError) return true;
  const { code, name } = error as { code?: unknown; name?: unknown };
  return name === 'VerifierOptionError' || (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS'));
}
