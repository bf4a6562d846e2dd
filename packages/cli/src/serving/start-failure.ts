import { failureOf } from '../exit-code.ts';
import type { ReadyFile } from '../connection/ready-file.ts';
import { CommandFailure } from '../failure.ts';
import { networkFailure } from '../network-failure.ts';

interface SystemError {
  readonly code?: string;
  readonly path?: string;
  readonly address?: string;
  readonly port?: number;
}

/** Why the authority did not start: what its settings say, and what the machine says to them. */
export function startFailure(
  error: unknown,
  runningAt: (port: number | undefined) => ReadyFile | undefined = () => undefined,
): CommandFailure {
  if (!(error instanceof Error)) return failureOf(error);
  const { code, path, address, port } = error as SystemError;
  const running = code === 'EADDRINUSE' ? runningAt(port) : undefined;
  if (running !== undefined) {
    return new CommandFailure('failure', `It runs already: ${running.issuer}, pid ${running.pid}.`, {
      fix: 'Use that one, or stop it first. A second one beside it needs --port 0 and another --data-dir.',
      cause: error,
    });
  }
  if (code === 'EADDRINUSE') {
    return new CommandFailure('failure', `${address}:${port} is taken by another program.`, {
      fix: 'Name another port with --port, or 0 for any free one.',
      cause: error,
    });
  }
  if (code === 'EACCES' && port !== undefined) {
    return new CommandFailure('failure', `This user may not listen on port ${port}.`, {
      fix: 'Name one from 1024 on with --port.',
      cause: error,
    });
  }
  if (code === 'ENOENT' && path !== undefined) return new CommandFailure('usage', `There is no ${path}.`);
  if (code === 'EACCES' && path !== undefined) {
    return new CommandFailure('failure', `This user may not use ${path}.`, { cause: error });
  }
  // While it starts, the database is the only thing that it calls.
  const network = networkFailure(error, 'The database');
  if (network === undefined) return failureOf(error);
  return new CommandFailure('unreachable', network.message, { fix: 'Check --database.', cause: error });
}
