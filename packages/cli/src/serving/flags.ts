import type { FlagParametersForType } from '@stricli/core';
import type { CliContext } from '../context.ts';

export interface ServingFlags {
  readonly port?: string | undefined;
  readonly mtlsPort?: string | undefined;
  readonly host?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly database?: string | undefined;
  readonly issuer?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly trustedProxy?: readonly string[] | undefined;
  readonly apply?: readonly string[] | undefined;
  readonly readyFile?: string | undefined;
  readonly masterKeyFile?: string | undefined;
  readonly logLevel?: string | undefined;
  readonly config?: string | undefined;
  readonly set?: readonly (readonly [string, string])[] | undefined;
  readonly http?: boolean | undefined;
}

function text(placeholder: string, brief: string) {
  return { kind: 'parsed', parse: String, optional: true, placeholder, brief } as const;
}

function list(placeholder: string, brief: string) {
  return { kind: 'parsed', parse: String, optional: true, variadic: true, placeholder, brief } as const;
}

/** Shared by `dev` and `serve`. Bounds and defaults are the settings' own: docs/reference/config.md. */
export const servingFlags: FlagParametersForType<Omit<ServingFlags, 'http'>, CliContext> = {
  port: text('number', 'Port to listen on; 0 takes any free one'),
  mtlsPort: text('number', 'Second port, whose TLS asks callers for a certificate'),
  host: text('address', 'Address to listen on'),
  dataDir: text('dir', 'Where the embedded database and the audit log are kept'),
  database: text('url', 'sqlite:PATH or postgres://…'),
  issuer: text('url', 'Issuer URL, exactly as tokens state it'),
  tlsCert: text('file', 'PEM certificate chain of the server'),
  tlsKey: text('file', 'PEM private key of the server'),
  trustedProxy: list('cidr', 'Proxy that terminates TLS; may be repeated'),
  apply: list('file', 'Declared objects to apply before it is ready; may be repeated'),
  readyFile: text('file', 'File to write when it is ready (mode 0600)'),
  masterKeyFile: text('file', 'Master key, 64 hex digits'),
  logLevel: text('level', 'debug, info, warn, error or silent'),
  config: text('file', 'YAML file with settings; flags and environment come first'),
  set: {
    kind: 'parsed',
    parse: parseSetting,
    optional: true,
    variadic: true,
    placeholder: 'name=value',
    brief: 'Any other setting; may be repeated',
  },
};

function parseSetting(text: string): readonly [string, string] {
  const split = text.indexOf('=');
  if (split <= 0) throw new Error('Write name=value.');
  return [text.slice(0, split), text.slice(split + 1)];
}
