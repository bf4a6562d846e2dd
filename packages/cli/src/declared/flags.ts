import type { FlagParametersForType } from '@stricli/core';
import type { CliContext } from '../context.ts';

export interface DeclaredFlags {
  readonly file: readonly string[];
  readonly prune: boolean;
}

export const declaredFlags: FlagParametersForType<DeclaredFlags, CliContext> = {
  file: {
    kind: 'parsed',
    parse: String,
    variadic: true,
    placeholder: 'path',
    brief: 'YAML file or folder, - for stdin; may be repeated',
  },
  prune: {
    kind: 'boolean',
    default: false,
    withNegated: false,
    brief: 'Also end what exists and is not declared',
  },
};
