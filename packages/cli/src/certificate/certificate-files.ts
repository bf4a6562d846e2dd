import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CommandFailure, usageError } from '../failure.ts';
import type { Host } from '../host.ts';
import { textAt } from '../named-file.ts';

/** Where a machine keeps its certificate: three files, of which the key is nobody else's (0600). */
export interface CertificateFiles {
  readonly key: string;
  readonly certificate: string;
  readonly root: string | undefined;
}

export interface FileFlags {
  readonly keyFile: string;
  readonly certFile: string;
  readonly rootFile?: string | undefined;
}

export function filesOf({ cwd }: Pick<Host, 'cwd'>, flags: FileFlags): CertificateFiles {
  return {
    key: resolve(cwd, flags.keyFile),
    certificate: resolve(cwd, flags.certFile),
    root: flags.rootFile === undefined ? undefined : resolve(cwd, flags.rootFile),
  };
}

/** The text of the file that a flag names; undefined where there is none. @throws CommandFailure */
export function textOf(path: string, flag: string): string | undefined {
  return existsSync(path) ? textAt(path, flag) : undefined;
}

/**
 * The certificate and its key as they lie there. A process that ended between the two renames of `replaceBoth` left the certificate
 * of a new key beside it: it is put in its place here. @throws CommandFailure
 */
export function presentPair(files: CertificateFiles): { readonly certificate: string; readonly key: string } {
  const key = textOf(files.key, '--key-file');
  const certificate = textOf(files.certificate, '--cert-file');
  if (key === undefined || certificate === undefined) {
    throw usageError(
      `There is no ${key === undefined ? files.key : files.certificate}.`,
      'Issue one first: countersign certificates issue, or countersign devices claim',
    );
  }
  if (belongTogether(certificate, key)) return { certificate, key };
  const next = textOf(`${files.certificate}.new`, '--cert-file');
  if (next !== undefined && belongTogether(next, key)) {
    renameSync(`${files.certificate}.new`, files.certificate);
    return { certificate: next, key };
  }
  throw usageError(`${files.certificate} is not for the key in ${files.key}.`);
}

function belongTogether(certificate: string, key: string): boolean {
  try {
    const spki = createPublicKey(createPrivateKey(key)).export({ format: 'der', type: 'spki' });
    return new X509Certificate(certificate).publicKey.export({ format: 'der', type: 'spki' }).equals(spki);
  } catch {
    return false;
  }
}

/** Both at once, as far as a file system can: written and synced beside the old ones, then the key, then the certificate. */
export function replaceBoth(
  files: CertificateFiles,
  held: { readonly certificate: string; readonly key: string; readonly root: string },
): void {
  writeSynced(`${files.certificate}.new`, held.certificate, 0o644);
  writeSynced(`${files.key}.new`, held.key, 0o600);
  renameSync(`${files.key}.new`, files.key);
  renameSync(`${files.certificate}.new`, files.certificate);
  syncFolder(files.key);
  syncFolder(files.certificate);
  if (files.root !== undefined) replaceFile(files.root, held.root, 0o644);
}

export function replaceFile(path: string, text: string, mode: number): void {
  writeSynced(`${path}.new`, text, mode);
  renameSync(`${path}.new`, path);
  syncFolder(path);
}

/** Its name survives a loss of power too: what follows may be that the only other copy goes. */
function syncFolder(path: string): void {
  // There a folder cannot be opened.
  if (process.platform === 'win32') return;
  const descriptor = openSync(dirname(path), 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** A new key goes where none is: it may be the only copy of another one. @throws CommandFailure `conflict` */
export function requireNoFile(path: string): void {
  if (!existsSync(path)) return;
  throw new CommandFailure('conflict', `${path} is there already.`, {
    fix: 'Name another file, or move that one away.',
  });
}

function writeSynced(path: string, text: string, mode: number): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    // What was left there may be readable by others, or be a link.
    rmSync(path, { force: true });
    const descriptor = openSync(path, 'wx', mode);
    writeSync(descriptor, text);
    fsyncSync(descriptor);
    closeSync(descriptor);
  } catch (error) {
    throw new CommandFailure('failure', `${path} cannot be written: ${(error as Error).message}`);
  }
}
