import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect, test } from 'vitest';
import { idempotencyDigests } from './0055-idempotency-digests.ts';

test('keys that were kept as sent are gone from the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-migration-'));
  const path = join(folder, 'registry.db');
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE idempotency (idempotency_key TEXT PRIMARY KEY)');
  const key = (n: number): string => `csk_kept-as-sent-${n}`;
  const insert = database.prepare('INSERT INTO idempotency VALUES (?)');
  database.exec('BEGIN');
  for (let n = 0; n < 1000; n++) insert.run(key(n));
  database.exec('COMMIT');
  expect(readFileSync(path, 'latin1')).toContain(key(999));
  database.exec(`BEGIN; ${idempotencyDigests('sqlite').join('; ')}; COMMIT`);
  database.close();
  expect(readFileSync(path, 'latin1')).not.toContain('kept-as-sent');
  rmSync(folder, { recursive: true });
});
