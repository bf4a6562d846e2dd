import type { FlagParametersForType } from '@stricli/core';
import type { CliContext } from '../context.ts';
import { OUTPUT_FORMATS, type OutputFormat } from '../output/formats.ts';

export interface OutputFlags {
  readonly output: OutputFormat;
}

export const outputFlags: FlagParametersForType<OutputFlags, CliContext> = {
  output: {
    kind: 'enum',
    values: OUTPUT_FORMATS,
    default: 'table',
    brief: 'How to print the answer on stdout',
  },
};

export const outputAliases = { o: 'output' } as const;

export interface WriteFlags {
  readonly dryRun: boolean;
}

export const writeFlags: FlagParametersForType<WriteFlags, CliContext> = {
  dryRun: {
    kind: 'boolean',
    default: false,
    withNegated: false,
    brief: 'Show what would change and change nothing',
  },
};

export interface ConfirmFlags {
  readonly yes: boolean;
}

export const confirmFlags: FlagParametersForType<ConfirmFlags, CliContext> = {
  yes: {
    kind: 'boolean',
    default: false,
    withNegated: false,
    brief: 'Do it without asking; else it is shown first (exit code 6)',
  },
};
