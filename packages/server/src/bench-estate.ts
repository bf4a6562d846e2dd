import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { generateSecret } from '@countersign/protocol';
import { systemClock } from './clock.ts';
import { toDeployment } from './config/deployment.ts';
import { loadSettings } from './config/load.ts';
import { openPostgresStorage } from './database/postgres.ts';
import { type AccessEstate, seedAccess } from './database/seed-access.ts';
import { seedEstate as seed } from './database/seed-estate.ts';
import { openSqliteStorage } from './database/sqlite.ts';
import type { Storage } from './storage/storage.ts';
import { pooledRandom } from './ids.ts';
import { checkMasterKey, loadMasterKey } from './keys/master-key.ts';
import { createSecretHash } from './registry/secret-hash.ts';

/** What a bench needs to load an estate. */
export interface SeededEstate {
  readonly resource: string;
  readonly scope: string;
  readonly clients: readonly { readonly client_id: string; readonly client_secret: string }[];
  /** Undefined unless it was asked for. */
  readonly access?: AccessEstate | undefined;
}

/**
 * Fills an empty database with an estate that a `countersign dev` with the same data directory then serves. For benches
 * only: the objects come without the rules and the audit events of the admin API.
 */
export async function seedEstate(options: {
  readonly database: string;
  readonly dataDir: string;
  readonly identities: number;
  readonly clients: number;
  /** So many APIs more, to each of which each identity has access. */
  readonly resourceServers?: number;
}): Promise<SeededEstate> {
  const flags = { 'data-dir': options.dataDir, database: options.database };
  const deployment = toDeployment('dev', loadSettings({ mode: 'dev', flags, env: {} }));
  await mkdir(deployment.dataDir, { recursive: true, mode: 0o700 });
  const random = pooledRandom();
  const key = await loadMasterKey(join(deployment.dataDir, 'master.key'), true, random);
  const { database } = deployment;
  const open = (): Promise<Storage> =>
    database.kind === 'sqlite' ? openSqliteStorage(database) : openPostgresStorage(database);
  const storage = await open();
  let seeded: SeededEstate;
  // Before all access that it is to have.
  const now = systemClock.now() - 40 * 86_400_000;
  try {
    await checkMasterKey(key, storage.settings);
    const hash = createSecretHash(key.derive('secret-hash'));
    const { resource, clients } = await seed(storage, {
      identities: options.identities,
      clients: options.clients,
      now,
      newSecret: () => generateSecret('csk', random),
      digestOf: (secret) => hash.digest(secret),
    });
    const credentials = clients.map((each) => ({
      client_id: each.clientId,
      client_secret: each.clientSecret,
    }));
    seeded = { resource, scope: 'read list', clients: credentials };
  } finally {
    await storage.close();
  }
  const { identities, resourceServers } = options;
  if (resourceServers === undefined) return seeded;
  const estate = { identities, resourceServers, now: systemClock.now() };
  return { ...seeded, access: await seedAccess(database, open, estate) };
}
