import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { storageContract } from '../storage/contract/storage.ts';
import { openSqliteStorage } from './sqlite.ts';

const directory = mkdtempSync(join(tmpdir(), 'countersign-sqlite-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;

storageContract('SQLite in a file', (clock) =>
  openSqliteStorage({ path: join(directory, `${++files}.db`), clock }),
);
storageContract('SQLite in memory', (clock) => openSqliteStorage({ path: ':memory:', clock }));
