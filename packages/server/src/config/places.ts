import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Deployment } from './deployment.ts';
import { SettingError } from './load.ts';

/**
 * Makes the data folder, and looks whether the ready file can be written: a first start that found it out at its end would
 * have made an administrator whose secret nobody was told.
 */
export async function preparePlaces({
  dataDir,
  readyFile,
}: Pick<Deployment, 'dataDir' | 'readyFile'>): Promise<void> {
  const data = resolve(dataDir);
  await makeFolder(data).catch((error: unknown) => {
    throw placeError('data-dir', data, error);
  });
  if (readyFile === undefined) return;
  const ready = resolve(readyFile);
  if (await isFolder(ready)) throw new SettingError('ready-file', `names ${ready}, which is a folder`);
  await requireWritable(dirname(ready)).catch((error: unknown) => {
    throw placeError('ready-file', ready, error);
  });
}

async function requireWritable(folder: string): Promise<void> {
  if (!(await stat(folder)).isDirectory()) throw Object.assign(new Error(folder), { code: 'ENOTDIR' });
  await access(folder, constants.W_OK | constants.X_OK);
}

/** Not `recursive`: that never ends below a folder whose file system answers ENOENT, such as /proc. */
async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  if (!(await isFolder(dirname(path)))) await makeFolder(dirname(path));
  await mkdir(path, { mode: 0o700 }).catch(async (error: unknown) => {
    // Another process that begins at the same moment may have been faster.
    if (!(await isFolder(path))) throw error;
  });
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

const PROBLEMS: Readonly<Record<string, string>> = {
  EEXIST: 'is a file, or lies below one',
  ENOTDIR: 'is a file, or lies below one',
  EACCES: 'this user may not make there',
  EPERM: 'this user may not make there',
  EROFS: 'is on a file system that is read-only',
};

function placeError(setting: 'data-dir' | 'ready-file', path: string, error: unknown): SettingError {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  const missing = setting === 'ready-file' && code === 'ENOENT';
  return new SettingError(
    setting,
    missing
      ? `names ${path}, whose folder is not there`
      : `names ${path}, which ${PROBLEMS[code] ?? `cannot be made (${code})`}`,
    missing ? 'Make the folder, or name another file.' : 'Name another place, or let this user write there.',
  );
}
