import { closeSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { filesBelow } from '../wire/leaks.ts';

const MAGIC = 'SQLite format 3\0';

interface SqliteModule {
  readonly DatabaseSync: new (
    path: string,
  ) => {
    prepare(sql: string): { all(): Record<string, unknown>[] };
    close(): void;
  };
}

/** Node's own SQLite where it has one, else the package that the server brings. */
function sqlite(): SqliteModule {
  const own = createRequire(import.meta.url);
  const servers = createRequire(
    fileURLToPath(new URL('../../packages/server/package.json', import.meta.url)),
  );
  try {
    return servers('@photostructure/sqlite') as SqliteModule;
  } catch {
    return own('node:sqlite') as SqliteModule;
  }
}

/** `file: what is wrong` for each SQLite database below a folder that fails its own integrity check. */
export function brokenDatabases(folder: string): string[] {
  const { DatabaseSync } = sqlite();
  const databases = filesBelow([folder]).filter(isSqlite);
  if (databases.length === 0) return [`${folder}: no SQLite database is there`];
  return databases.flatMap((file) => {
    const database = new DatabaseSync(file);
    try {
      const lines = ['PRAGMA integrity_check', 'PRAGMA foreign_key_check'].flatMap((sql) =>
        database.prepare(sql).all(),
      );
      return lines
        .map((line) => Object.values(line).join(' '))
        .filter((line) => line !== 'ok')
        .map((line) => `${file}: ${line}`);
    } finally {
      database.close();
    }
  });
}

function isSqlite(file: string): boolean {
  const head = Buffer.alloc(MAGIC.length);
  const handle = openSync(file, 'r');
  try {
    readSync(handle, head, 0, head.length, 0);
  } finally {
    closeSync(handle);
  }
  return head.toString('latin1') === MAGIC;
}
