import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { say } from '../context.ts';
import type { Host } from '../host.ts';
import { secretKey } from './secret-files.ts';
import { reserveSecretFile, type SecretFile } from '../secrets/secret-file.ts';

export interface MadeSecret {
  /** Of its document. */
  readonly name: string;
  /** As that document names it; empty for the secret of a webhook. */
  readonly identity: string;
  readonly secret: string;
}

/** Files for the secrets that will come, taken before anything is sent. */
export interface AwaitedSecrets {
  /** Keeps what came; gives up the files for which nothing did, and says so. */
  keep(secrets: readonly MadeSecret[]): void;
}

export function awaitSecrets(
  host: Pick<Host, 'cwd' | 'stderr'>,
  awaited: ReadonlyMap<string, string>,
): AwaitedSecrets {
  const files = new Map<string, SecretFile>();
  try {
    for (const [name, path] of awaited) files.set(name, reserveSecretFile(path));
  } catch (error) {
    for (const file of files.values()) file.abandon();
    throw error;
  }
  return {
    keep(secrets) {
      for (const made of secrets) {
        const key = secretKey(made.identity, made.name);
        const file = files.get(key) ?? reserveSecretFile(usualPath(host, made));
        files.delete(key);
        file.write(made.secret);
        say(host, `The secret of ${key} is in ${file.path} (mode 0600).`);
      }
      for (const [key, file] of files) {
        file.abandon();
        say(host, `No secret came for ${key}: it exists, and its secret was told when it was made.`);
      }
    },
  };
}

/** For one whose document names no file: a secret that nobody keeps would be lost for ever. */
function usualPath(host: Pick<Host, 'cwd'>, { identity, name, secret }: MadeSecret): string {
  const stem = name === identity ? name : `${identity || 'webhook'}-${name}`;
  const plain = resolve(host.cwd, `${stem.replace(/[^A-Za-z0-9_.-]/g, '_')}.secret`);
  return existsSync(plain) ? plain.replace(/secret$/, `${markOf(identity, secret)}.secret`) : plain;
}

/** The public id of a credential's secret is its second part; a webhook's has none. */
function markOf(identity: string, secret: string): string {
  if (identity !== '') return secret.split('_')[1] ?? '';
  return createHash('sha256').update(secret).digest('hex').slice(0, 8);
}
