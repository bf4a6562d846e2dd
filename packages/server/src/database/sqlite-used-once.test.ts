import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { flood } from '../../test/used-proofs.ts';
import type { Storage } from '../storage/storage.ts';
import { openSqliteStorage } from './sqlite.ts';

const NOW = 1_800_000_000_000;
let folder: string;
let storage: Storage;

async function open(now: number): Promise<void> {
  const path = join(folder, 'registry.db');
  storage = await openSqliteStorage({ path, clock: { now: () => now } });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'used-once-'));
  await open(NOW);
});
afterEach(async () => {
  await storage.close();
  rmSync(folder, { recursive: true });
});

it('knows after a restart what was used before it, until it expires', async () => {
  const ids = Array.from({ length: 50 }, (_, index) => String(index));
  await Promise.all(ids.map((id) => storage.usedOnce.claim('jti', id, NOW + 60_000, 'payments')));
  await storage.close();
  await open(NOW + 60_000);
  const again = await Promise.all(
    ids.map((id) => storage.usedOnce.claim('jti', id, NOW + 90_000, 'payments')),
  );
  expect(again).not.toContain(true);
  await storage.close();
  await open(NOW + 60_001);
  expect(await storage.usedOnce.claim('jti', '7', NOW + 90_000, 'payments')).toBe(true);
});

it('writes what is claimed together together', async () => {
  const claims = Array.from({ length: 500 }, (_, index) => String(index));
  await Promise.all(claims.map((id) => storage.usedOnce.claim('jti', id, NOW + 1000, 'payments')));
  expect(await storage.usedOnce.sweep(NOW + 2000)).toBeLessThanOrEqual(2);
});

it('refuses once it is closed, and what it refused stays used', async () => {
  await storage.close();
  await expect(storage.usedOnce.claim('jti', 'x', NOW + 1000, 'payments')).rejects.toMatchObject({
    fault: 'unavailable',
  });
  expect(await storage.usedOnce.claim('jti', 'x', NOW + 1000, 'payments')).toBe(false);
});

it('waits for no transaction of the registry', async () => {
  let end: () => void = () => undefined;
  const open = storage.transaction(async () => {
    await new Promise<void>((resolve) => (end = resolve));
  });
  const claimed = await Promise.race([
    storage.usedOnce.claim('jti', 'x', NOW + 1000, 'payments'),
    new Promise((resolve) => setTimeout(resolve, 2000, 'it waits')),
  ]);
  end();
  await open;
  expect(claimed).toBe(true);
});

it('has room for all others however many proofs one client has used', async () => {
  expect(await flood(storage.usedOnce, 'flood', NOW + 3_600_000)).toBe(250_000);
  expect(await storage.usedOnce.claim('jti', 'x', NOW + 60_000, 'payments')).toBe(true);
  await expect(storage.usedOnce.claim('jti', 'x', NOW + 60_000, 'flood')).rejects.toMatchObject({
    holder: 'flood',
    retryAfter: expect.closeTo(3600, -2),
  });
}, 120_000);

it('knows after a restart, and after a crash a minute later, who has used much of its share', async () => {
  await flood(storage.usedOnce, 'flood', NOW + 3_600_000);
  await storage.close();
  await open(NOW + 1000);
  expect(await flood(storage.usedOnce, 'flood', NOW + 3_600_000)).toBe(0);
  expect(await storage.usedOnce.claim('jti', 'x', NOW + 60_000, 'payments')).toBe(true);
  await storage.close();
  await open(NOW + 3_700_000);
  expect(await flood(storage.usedOnce, 'flood', NOW + 7_200_000)).toBe(250_000);
  // As the job does once a minute.
  await storage.usedOnce.sweep(NOW + 3_700_000);
  const crashed = join(folder, 'crashed.db');
  for (const end of ['', '-wal'])
    copyFileSync(join(folder, `registry.db.used-once${end}`), `${crashed}.used-once${end}`);
  await storage.close();
  storage = await openSqliteStorage({ path: crashed, clock: { now: () => NOW + 3_760_000 } });
  expect(await flood(storage.usedOnce, 'flood', NOW + 7_200_000)).toBe(0);
}, 120_000);
