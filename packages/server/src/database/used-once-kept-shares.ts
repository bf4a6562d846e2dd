// What holders have used of their shares, over a restart: docs/decisions/0059-a-share-of-the-used-proofs.md.
import { type Database, statement } from './database.ts';
import type { UsedOnceShares } from './used-once-shares.ts';

const createShares = statement(
  '',
  'CREATE TABLE IF NOT EXISTS used_once_shares (one INTEGER PRIMARY KEY CHECK (one = 1), holders TEXT NOT NULL)',
);
const selectShares = statement('', 'SELECT holders FROM used_once_shares');
const upsertShares = statement(
  'used_once_shares_keep',
  `INSERT INTO used_once_shares (one, holders) VALUES (1, $1)
     ON CONFLICT (one) DO UPDATE SET holders = excluded.holders`,
);

/** Takes in what was kept before, and gives what keeps it, at no cost while nobody has used much. */
export async function keptShares(
  database: Pick<Database, 'query' | 'run'>,
  shares: UsedOnceShares,
  now: () => number,
): Promise<() => Promise<void>> {
  await database.run(createShares);
  const [row] = await database.query<{ holders: string }>(selectShares);
  let kept = row?.holders ?? NOBODY;
  shares.restore(kept, now());
  return async () => {
    const text = shares.large(now());
    if (text === kept) return;
    await database.run(upsertShares, [text]);
    kept = text;
  };
}

const NOBODY = '[]';
