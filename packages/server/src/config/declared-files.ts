import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  generateSecret,
  generateWebhookSecret,
  parseSecret,
  type RandomBytes,
  webhookSecretKey,
} from '@countersign/protocol';
import { parseAllDocuments } from 'yaml';
import { readSettingFile, SettingError } from './load.ts';

/** Declared objects that the authority does not take. The command says where in the files that is. */
export class DeclaredRefused extends SettingError {
  override readonly name = 'DeclaredRefused';
  readonly files: readonly string[];
  /** JSON Pointers below `/documents`, which are those of the files, one after another. */
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
  constructor(files: readonly string[], refused: Error, errors: DeclaredRefused['errors']) {
    super('apply', `names objects that are refused: ${refused.message}`);
    this.files = files;
    this.errors = errors;
  }
}

export interface DeclaredFilesDeps {
  /** Whether the authority holds a secret of this name for this identity (as the document names it); empty: a webhook. */
  readonly hasSecret: (identity: string, name: string) => Promise<boolean>;
  /** Makes a file that is whole and durable when it resolves; rejects with `EEXIST` when there is one. */
  readonly createSecretFile: (path: string, text: string) => Promise<void>;
  readonly random: RandomBytes;
}

/**
 * Declared objects of the files of `--apply`, each credential and webhook with the secret of its `secretFile`. One that is not there
 * is made here, before the authority knows the object: whenever this is interrupted, the file has what will hold.
 * Rejects with `SettingError`, before any file is made, for what cannot end in a secret that somebody has.
 */
export async function readDeclaredFiles(
  paths: readonly string[],
  deps: DeclaredFilesDeps,
): Promise<readonly unknown[]> {
  const objects = paths.flatMap((path) =>
    objectsIn(path).map((object) => ({ object, secretFile: secretFileOf(object, dirname(path)) })),
  );
  for (const { secretFile } of objects) {
    if (secretFile !== undefined && !existsSync(secretFile.path)) await requireNew(secretFile, deps);
  }
  const documents: unknown[] = [];
  for (const { object, secretFile } of objects) {
    const secret = secretFile && (readSecret(secretFile) ?? (await makeSecret(secretFile, deps)));
    documents.push(secret === undefined ? object : withSecret(object, secret));
  }
  return documents;
}

interface SecretFile {
  readonly path: string;
  readonly identity: string;
  readonly name: string;
  readonly kind: 'csk' | 'cak' | 'whsec';
}

function objectsIn(path: string): unknown[] {
  const documents = parseAllDocuments(readSettingFile('apply', path));
  return documents
    .map((document) => {
      const [fault] = document.errors;
      if (fault !== undefined) {
        const { line, col } = fault.linePos?.[0] ?? { line: 1, col: 1 };
        throw notYaml(`${path}:${line}:${col}`, fault.message.split(/ at line \d|\n/)[0]);
      }
      try {
        return document.toJS({ maxAliasCount: 100 }) as unknown;
      } catch (error) {
        throw notYaml(path, (error as Error).message);
      }
    })
    .filter((object) => object !== null && object !== undefined);
}

function notYaml(place: string, what = 'it cannot be read'): SettingError {
  return new SettingError('apply', `names ${place}, which is not YAML: ${what}`, 'Correct the YAML.');
}

interface SecretDocument {
  readonly kind?: unknown;
  readonly metadata?: { readonly name?: unknown };
  readonly spec: { readonly identity?: unknown; readonly type?: unknown; readonly secretFile?: unknown };
}

function secretFileOf(object: unknown, folder: string): SecretFile | undefined {
  if (!hasSecretFile(object)) return undefined;
  const { metadata, spec } = object;
  if ('secret' in spec) {
    throw new SettingError(
      'apply',
      `has a ${String(object.kind)} that holds its secret`,
      'Put it into a file and name that with secretFile.',
    );
  }
  if (spec.secretFile === undefined) return undefined;
  if (typeof spec.secretFile !== 'string' || spec.secretFile === '') {
    throw new SettingError('apply', 'has a secretFile that is not the name of a file', 'Correct the YAML.');
  }
  const path = resolve(folder, spec.secretFile);
  const name = String(metadata?.name);
  if (object.kind === 'Webhook') return { path, identity: '', name, kind: 'whsec' };
  const kind = spec.type === 'api_key' ? 'cak' : 'csk';
  return { path, identity: String(spec.identity), name, kind };
}

function hasSecretFile(object: unknown): object is SecretDocument {
  const { kind, spec } = object as { readonly kind?: unknown; readonly spec?: unknown };
  return (kind === 'Credential' || kind === 'Webhook') && typeof spec === 'object' && spec !== null;
}

/** A new secret would take the place of one that somebody uses, and the one that holds cannot be shown again. */
async function requireNew({ path, identity, name }: SecretFile, deps: DeclaredFilesDeps): Promise<void> {
  if (!(await deps.hasSecret(identity, name))) return;
  throw new SettingError(
    'apply',
    `names ${path} for ${identity === '' ? `the webhook ${name}` : `the credential ${name} of ${identity}`}, which exists, but the file does not`,
    identity === ''
      ? 'Put its secret back into the file, or leave secretFile out.'
      : 'Put its secret back into the file; or revoke the credential, and a new secret is made; or leave secretFile out.',
  );
}

const WHAT: { readonly [kind in SecretFile['kind']]: string } = {
  csk: 'a client secret',
  cak: 'an API key',
  whsec: 'the secret of a webhook',
};

function readSecret({ path, kind }: SecretFile): string | undefined {
  if (!existsSync(path)) return undefined;
  const secret = readSettingFile('apply', path).trim();
  const fits = kind === 'whsec' ? webhookSecretKey(secret) !== undefined : parseSecret(secret)?.kind === kind;
  if (fits) return secret;
  throw new SettingError(
    'apply',
    `names ${path}, which does not hold ${WHAT[kind]} (${kind}_…)`,
    'Put the secret into it, or remove the file and one is made.',
  );
}

async function makeSecret({ path, kind }: SecretFile, deps: DeclaredFilesDeps): Promise<string> {
  const secret =
    kind === 'whsec' ? generateWebhookSecret(deps.random) : generateSecret(kind, deps.random).secret;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await deps.createSecretFile(path, `${secret}\n`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SettingError(
      'apply',
      `names ${path} for a secret, and it cannot be written (${code})`,
      'Nothing was applied. Name a file that this process may make.',
    );
  }
  return secret;
}

function withSecret(object: unknown, secret: string): object {
  const { secretFile: _, ...spec } = (object as SecretDocument).spec;
  return { ...(object as object), spec: { ...spec, secret } };
}
