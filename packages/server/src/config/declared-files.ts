import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { SettingError } from './load.ts';

/** Declared objects of the files of `--apply`, with the secrets their `secretFile`s hold, and the files still to be made. */
export interface DeclaredFiles {
  readonly documents: readonly unknown[];
  /** Writes a secret that was made (mode 0600) where its credential's `secretFile` says; others are shown nowhere. */
  keep(secret: { readonly identity: string; readonly name: string; readonly secret: string }): void;
}

export function readDeclaredFiles(paths: readonly string[]): DeclaredFiles {
  const documents: unknown[] = [];
  const awaited = new Map<string, string>();
  for (const path of paths) {
    for (const object of objectsIn(path)) documents.push(withSecret(object, dirname(path), awaited));
  }
  return {
    documents,
    keep({ identity, name, secret }) {
      const file = awaited.get(`${identity}/${name}`);
      if (file === undefined) return;
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, `${secret}\n`, { mode: 0o600, flag: 'wx' });
    },
  };
}

function objectsIn(path: string): unknown[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new SettingError('apply', `${path} cannot be read: ${(error as Error).message}`);
  }
  const documents = parseAllDocuments(text);
  try {
    return documents
      .map((document) => {
        if (document.errors[0] !== undefined) throw document.errors[0];
        return document.toJS({ maxAliasCount: 100 }) as unknown;
      })
      .filter((object) => object !== null && object !== undefined);
  } catch (error) {
    throw new SettingError('apply', `${path}: ${(error as Error).message.trim()}`, 'Correct the YAML.');
  }
}

interface CredentialDocument {
  readonly kind: 'Credential';
  readonly metadata?: { readonly name?: unknown };
  readonly spec: { readonly identity?: unknown; readonly secretFile: unknown };
}

function withSecret(object: unknown, folder: string, awaited: Map<string, string>): unknown {
  if (holdsSecret(object)) {
    throw new SettingError(
      'apply',
      'has a Credential that holds its secret',
      'Put it into a file and name that with secretFile.',
    );
  }
  if (!namesSecretFile(object)) return object;
  const { secretFile, ...spec } = object.spec;
  const file = resolve(folder, String(secretFile));
  if (existsSync(file)) return { ...object, spec: { ...spec, secret: readFileSync(file, 'utf8').trim() } };
  awaited.set(`${String(spec.identity)}/${String(object.metadata?.name)}`, file);
  return { ...object, spec };
}

function holdsSecret(object: unknown): boolean {
  const { kind, spec } = object as { readonly kind?: unknown; readonly spec?: object | null };
  return kind === 'Credential' && typeof spec === 'object' && spec !== null && 'secret' in spec;
}

function namesSecretFile(object: unknown): object is CredentialDocument {
  const { kind, spec } = object as { readonly kind?: unknown; readonly spec?: object | null };
  return kind === 'Credential' && typeof spec === 'object' && spec !== null && 'secretFile' in spec;
}
