// The command countersign-gateway.
import { runDaemon } from '@countersign/daemon';
import { readConfig } from './config/read-config.ts';
import { assembleGateway } from './gateway.ts';
import { VERSION } from './version.ts';

const USAGE = `usage: countersign-gateway --config FILE [--ready-file FILE]
       countersign-gateway --config FILE --check
       countersign-gateway --version

  --config FILE      the rules, and where to listen (docs/guide/gateway.md)
  --check            make all that a start needs, listen nowhere, ask nobody; say what is wrong, and end
  --ready-file FILE  write where it listens, once it can decide
`;

/** Runs the command. Exit codes as those of `countersign`: 0 ok, 1 failure, 2 usage. */
export async function main(args: readonly string[] = process.argv.slice(2)): Promise<void> {
  await runDaemon(
    {
      usage: USAGE,
      version: VERSION,
      read: readConfig,
      describe: ({ routes }) => `${routes.length} rules`,
      assemble: assembleGateway,
    },
    args,
  );
}
