import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { readSecret } from '../connection/secret-source.ts';
import { usageError } from '../failure.ts';
import type { Host } from '../host.ts';
import type { Declared } from './read-documents.ts';

/** Declared objects as the API takes them, and the files that wait for secrets still to be made. */
export interface Prepared {
  readonly documents: readonly Record<string, unknown>[];
  /** By `secretKey`. */
  readonly awaited: ReadonlyMap<string, string>;
}

/**
 * Resolves `secretFile` of each credential and webhook, relative to its YAML file: a file that is there is sent as the secret, one
 * that is not is made from the answer. A secret written into the YAML itself is refused.
 */
export async function prepareSecrets(
  host: Pick<Host, 'cwd' | 'stdin'>,
  declared: readonly Declared[],
): Promise<Prepared> {
  const awaited = new Map<string, string>();
  const keys = new Set<string>();
  const documents: Record<string, unknown>[] = [];
  for (const item of declared) {
    const spec = item.object['spec'];
    if (!HAS_SECRET.has(item.object['kind']) || typeof spec !== 'object' || spec === null) {
      documents.push(item.object);
      continue;
    }
    const { secretFile, ...rest } = spec as Record<string, unknown>;
    if ('secret' in rest) {
      throw usageError(
        `${item.locate(['spec', 'secret'])} holds a secret.`,
        'Put it into a file of its own (mode 0600) and name that with secretFile.',
      );
    }
    const key = secretKey(isWebhook(item) ? '' : String(rest['identity']), nameOf(item));
    if (keys.has(key))
      throw usageError(
        `${item.locate(['metadata'])}: the ${isWebhook(item) ? '' : 'credential '}${key} is declared twice.`,
      );
    keys.add(key);
    const secret = await secretOf(host, item, secretFile, () => awaited.set(key, pathOf(item, secretFile)));
    documents.push({ ...item.object, spec: secret === undefined ? rest : { ...rest, secret } });
  }
  return { documents, awaited };
}

const HAS_SECRET: ReadonlySet<unknown> = new Set(['Credential', 'Webhook']);

/** A credential is known by its identity, as the document names it, and its own name; a webhook has no identity. */
export function secretKey(identity: string, name: string): string {
  return identity === '' ? `webhook ${name}` : `${identity}/${name}`;
}

async function secretOf(
  host: Pick<Host, 'cwd' | 'stdin'>,
  item: Declared,
  secretFile: unknown,
  onAbsent: () => void,
): Promise<string | undefined> {
  if (secretFile === undefined) return undefined;
  const path = pathOf(item, secretFile);
  if (existsSync(path))
    return readSecret(
      host,
      { value: path, from: `${item.locate(['spec', 'secretFile'])}: secretFile` },
      whatOf(item),
    );
  onAbsent();
  return undefined;
}

function isWebhook({ object }: Declared): boolean {
  return object['kind'] === 'Webhook';
}

function whatOf(item: Declared): string {
  if (isWebhook(item)) return 'secret of the webhook';
  return (item.object['spec'] as { readonly type?: unknown }).type === 'api_key'
    ? 'API key'
    : 'client secret';
}

function pathOf(item: Declared, secretFile: unknown): string {
  if (typeof secretFile !== 'string' || secretFile === '') {
    throw usageError(`${item.locate(['spec', 'secretFile'])}: secretFile is not the name of a file.`);
  }
  return resolve(item.folder, secretFile);
}

function nameOf(item: Declared): string {
  const metadata = item.object['metadata'];
  const name = (metadata as { readonly name?: unknown } | null | undefined)?.name;
  if (typeof name !== 'string') throw usageError(`${item.locate(['metadata'])}: metadata.name is missing.`);
  return name;
}
