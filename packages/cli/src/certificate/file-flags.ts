import type { FlagParametersForType } from '@stricli/core';
import type { CliContext } from '../context.ts';
import type { FileFlags } from './certificate-files.ts';

/** The files of a machine's certificate: the same on every command that writes them. */
export const fileFlags: FlagParametersForType<FileFlags, CliContext> = {
  keyFile: { kind: 'parsed', parse: String, placeholder: 'file', brief: 'Its private key, PEM (mode 0600)' },
  certFile: {
    kind: 'parsed',
    parse: String,
    placeholder: 'file',
    brief: 'Its certificate, PEM, with those between it and the root',
  },
  rootFile: {
    kind: 'parsed',
    parse: String,
    optional: true,
    placeholder: 'file',
    brief: 'Where the roots go, which others trust',
  },
};
