import type { FlagParametersForType } from '@stricli/core';
import { readSecret } from '../connection/secret-source.ts';
import type { CliContext } from '../context.ts';
import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';

export interface TokenFlags {
  readonly tokenFile?: string | undefined;
}

export const tokenFlags: FlagParametersForType<TokenFlags, CliContext> = {
  tokenFile: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'file',
    brief: 'Read the token from this file in place of stdin',
  },
};

/** A token comes by stdin or file: on the command line every user of the machine could read it. */
export async function readToken(host: Pick<Host, 'cwd' | 'stdin'>, flags: TokenFlags): Promise<string> {
  if (flags.tokenFile === undefined && host.stdin.isTTY) {
    throw usageError(
      'Where is the token?',
      'Pipe it in (countersign token get | countersign token inspect) or name a file with --token-file.',
    );
  }
  return readSecret(host, { value: flags.tokenFile ?? '-', from: '--token-file' }, 'token');
}
